#include "dashboards/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
assert_text(struct buf *b, const char *want)
{
    print_message("%s\n", want);
    buf_putc(b, '\0');
    assert_string_equal((const char *)b->p, want);
    buf_reset(b);
}

static void
numbers(void **state)
{
    static const struct {
        uint64_t n;
        const char *number, *count, *size;
    } rows[] = {
  /* clang-format off */
        {0, "0", "0 hosts", "0 bytes"},
        {1, "1", "1 host", "1 byte"},
        {999, "999", "999 hosts", "999 bytes"},
        {1000, "1,000", "1,000 hosts", "1,000 bytes"},
        {1023, "1,023", "1,023 hosts", "1,023 bytes"},
        {1024, "1,024", "1,024 hosts", "1.0 KiB"},
        {1048575, "1,048,575", "1,048,575 hosts", "1.0 MiB"},
        {2254857830, "2,254,857,830", "2,254,857,830 hosts", "2.1 GiB"},
        {UINT64_MAX, "18,446,744,073,709,551,615",
         "18,446,744,073,709,551,615 hosts", "16.0 EiB"},
  /* clang-format on */
    };
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        words_number(&b, rows[i].n);
        assert_text(&b, rows[i].number);
        words_count(&b, rows[i].n, "host", NULL);
        assert_text(&b, rows[i].count);
        words_size(&b, rows[i].n);
        assert_text(&b, rows[i].size);
    }
    words_count(&b, 2, "reply", "replies");
    assert_text(&b, "2 replies");
    buf_free(&b);
}

static void
shares(void **state)
{
    static const struct {
        const char *why;
        uint64_t part, whole;
        const char *want;
    } rows[] = {
        {"of nothing",               0,              0,          "-"      },
        {"of nothing, though some",  5,              0,          "-"      },
        {"none",                     0,              412,        "0 %"    },
        {"all",                      412,            412,        "100 %"  },
        {"more than all",            413,            412,        "100 %"  },
        {"hardly any is not none",   1,              1000000,    "<0.1 %" },
        {"nearly all is not all",    999999,         1000000,    ">99.9 %"},
        {"one decimal when small",   4,              1000,       "0.4 %"  },
        {"rounds up to the tenth",   9949,           100000,     "9.9 %"  },
        {"no decimal in the middle", 128,            412,        "31 %"   },
        {"rounds up to ten",         996,            10000,      "10 %"   },
        {"one decimal when large",   986,            1000,       "98.6 %" },
        {"largest numbers",          UINT64_MAX / 2, UINT64_MAX, "50 %"   },
    };
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        print_message("%s\n", rows[i].why);
        words_share(&b, rows[i].part, rows[i].whole);
        assert_text(&b, rows[i].want);
    }
    words_part(&b, 128, 412, "recipient", NULL);
    assert_text(&b, "128 of 412 recipients (31 %)");
    words_part(&b, 1, WORDS_RATED - 1, "recipient", NULL);
    assert_text(&b, "1 of 29 recipients");
    words_part(&b, 3, WORDS_RATED, "recipient", NULL);
    assert_text(&b, "3 of 30 recipients (10 %)");
    words_part(&b, 0, 0, "recipient", NULL);
    assert_text(&b, "0 of 0 recipients");
    buf_free(&b);
}

/* Known values of Wilson's interval. */
static void
intervals(void **state)
{
    static const struct {
        const char *why;
        uint64_t part, whole;
        const char *want;
    } rows[] = {
  /* clang-format off */
        {"too few", 1, 29, "1 of 29 mails"},
        {"none of few", 0, 30, "0 of 30 mails (0 %, 95 %: 0.0 to 11.4 %)"},
        {"all of few", 30, 30, "30 of 30 mails (100 %, 95 %: 88.6 to 100.0 %)"},
        {"half", 15, 30, "15 of 30 mails (50 %, 95 %: 33.2 to 66.8 %)"},
        {"some", 3, 412, "3 of 412 mails (0.7 %, 95 %: 0.2 to 2.1 %)"},
        {"few of many: more digits", 3, 8311,
         "3 of 8,311 mails (<0.1 %, 95 %: 0.01 to 0.11 %)"},
        {"hardly any", 1, 1000000,
         "1 of 1,000,000 mails (<0.1 %, 95 %: 0.00002 to 0.00057 %)"},
        {"more than all", 31, 30, "31 of 30 mails (100 %, 95 %: 88.6 to 100.0 %)"},
  /* clang-format on */
    };
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        print_message("%s\n", rows[i].why);
        words_part_sure(&b, rows[i].part, rows[i].whole, "mail", NULL);
        assert_text(&b, rows[i].want);
    }
    words_part_sure(&b, UINT64_MAX / 2, UINT64_MAX, "mail", NULL);
    assert_false(b.cut);
    buf_free(&b);
}

#define AT(s) (UINT64_C(1772870400) * NS_PER_S + (s)*NS_PER_S)

static int32_t
east(ns_t t)
{
    return t < AT(3600) ? 3600 : 7200;
}

static int32_t
west(ns_t t)
{
    (void)t;
    return -(8 * 3600 + 1800);
}

static void
times(void **state)
{
    static const struct {
        ns_t first, last;
        words_zone zone;
        const char *want;
    } rows[] = {
  /* clang-format off */
        {0, 0, NULL, "-"},
        {AT(0), AT(14400), NULL, "2026-03-07 08:00 to 12:00Z (4 h 00 m)"},
        {AT(0), AT(31), NULL, "2026-03-07 08:00:00 to 08:00:31Z (31 s)"},
        {AT(0), AT(0) + 1, NULL,
         "2026-03-07 08:00:00 to 08:00:00Z (under 1 s)"},
        {AT(9), AT(0), NULL, "2026-03-07 08:00:09 to 08:00:00Z (0 s)"},
        {AT(0), AT(86400), NULL,
         "2026-03-07 08:00 to 2026-03-08 08:00Z (24 h 00 m)"},
        {AT(0), AT(2419200), NULL,
         "2026-03-07 08:00 to 2026-04-04 08:00Z (28 d 0 h)"},
        {AT(0), AT(7200), east,
         "2026-03-07 09:00+01:00 to 12:00+02:00 (2 h 00 m)"},
        {AT(0), AT(3600), west,
         "2026-03-06 23:30 to 2026-03-07 00:30-08:30 (1 h 00 m)"},
  /* clang-format on */
    };
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        words_range(&b, rows[i].first, rows[i].last, rows[i].zone);
        assert_text(&b, rows[i].want);
    }
    words_time(&b, 0, NULL);
    assert_text(&b, "-");
    words_time(&b, AT(0), west);
    assert_text(&b, "2026-03-06 23:30-08:30");
    words_time(&b, 1, west); /* no time before 1970 */
    assert_text(&b, "1970-01-01 00:00-08:30");
    words_time(&b, UINT64_MAX, east);
    assert_text(&b, "2554-07-21 23:34+02:00");
    words_rfc3339(&b, AT(1) + 5000);
    assert_text(&b, "2026-03-07T08:00:01.000005Z");
    buf_free(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(intervals),
        cmocka_unit_test(shares),
        cmocka_unit_test(times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
