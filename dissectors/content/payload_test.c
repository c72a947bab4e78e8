#include "dissectors/content/payload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "sensor/base/attr.h"

/* 60 letters of base64, 45 bytes: "MZ" and what follows */
#define A "TVqQAAMAAAAEAAAA//8AALgAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAA"
/* 20 letters, 15 bytes "and more and..." */
#define B      "YW5kIG1vcmUgYW5kIG1v"
#define B_TEXT "and more and mo"
#define HEX    "4d5a90000300000004000000ffff0000b8000000000000004000"

static const uint8_t mz[] = "MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0\xb8";

static const struct {
    const char *why;
    const char *in;
    size_t n;         /* payloads */
    size_t letters;   /* of the first */
    const char *tail; /* the last bytes of the first, or NULL */
} rows[] = {
    {"nothing",                        "",                           0, 0,  NULL      },
    {"text",                           "Dear customer, as you know", 0, 0,  NULL      },
    {"one run",                        "x='" A "'",                  1, 60, NULL      },
    {"a run at the very end",          A,                            1, 60, NULL      },
    {"too short",                      "x='" B B "'",                0, 0,  NULL      },
    {"two with text between",          "'" A "' said " A,            2, 60, NULL      },
    {"plus",                           "'" A "' + '" B "'",          1, 80, B_TEXT    },
    {"plus without blanks",            "\"" A "\"+\"" B "\"",        1, 80, B_TEXT    },
    {"plus over lines",                "'" A "' +\n\t'" B "'",       1, 80, B_TEXT    },
    {"comma of a list",                "['" A "','" B "'].join('')", 1, 80, B_TEXT    },
    {"short after a comma is other",   "['" A "','name']",           1, 60, NULL      },
    {"+=",                             "x='" A "';\nx+='" B "';",    1, 80, B_TEXT    },
    {"push",                           "'" A "');l.push('" B "')",   1, 80, B_TEXT    },
    {"the next line",                  A "\r\n" B,                   1, 80, B_TEXT    },
    {"a blank does not join",          A " " B,                      1, 60, NULL      },
    {"a backslash does",               "'" A "\\\n" B "'",           1, 80, B_TEXT    },
    {"an escaped line end",            "'" A "\\n" B "'",            1, 80, B_TEXT    },
    {"a reference for the line end",   A "&#10;" B,                  1, 80, B_TEXT    },
    {"a slash as JSON has it",         A "\\/" B,                    1, 81, NULL      },
    {"another file begins",            "'" A "','" A "'",            2, 60, NULL      },
    {"padding within",                 "'" A "=='+'" B "'",          1, 80, B_TEXT    },
    {"padding that ends a byte early", "'" A "QQ==+'" B "'",         1, 62, NULL      },
    {"padding and another piece",      "'" A "QQ=='+'" B "'",        1, 82, "A" B_TEXT},
    {"hexadecimal",                    "'" HEX "'",                  1, 52, NULL      },
};

static void
first(const char *in, struct payload *p, size_t *n, struct buf *out)
{
    struct payload_scan s = payload_open(span_str(in));
    struct payload next;

    for (*n = 0; payload_next(&s, &next); ++*n)
        if (*n == 0)
            *p = next;
    buf_reset(out);
    if (*n > 0)
        payload_decode(p, out, SIZE_MAX);
}

static void
test_rows(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        struct payload p = {0};
        struct span tail = span_str(rows[k].tail != NULL ? rows[k].tail : "");
        size_t n;

        first(rows[k].in, &p, &n, &out);
        if (n != rows[k].n || p.n_letters != rows[k].letters)
            fail_msg("%s: %zu, %zu letters", rows[k].why, n, p.n_letters);
        if (n > 0 && memcmp(out.p, mz, 16) != 0)
            fail_msg("%s: other bytes", rows[k].why);
        if (out.n < tail.n ||
            (tail.n > 0 && memcmp(out.p + out.n - tail.n, tail.p, tail.n) != 0))
            fail_msg("%s: other end", rows[k].why);
        if (n > 0 && p.coding != PAYLOAD_HEX && p.n_letters % 4 == 0 &&
            out.n != payload_size(&p))
            fail_msg("%s: %zu bytes", rows[k].why, out.n);
    }
    buf_free(&out);
}

static void
test_backwards(void **state)
{
    char in[] = A;
    const size_t n = sizeof(in) - 1;
    struct payload p = {0};
    struct buf out;
    size_t count;

    (void)state;
    for (size_t k = 0; k < n; k++)
        in[k] = A[n - 1 - k];
    buf_init(&out, 4096);
    first(in, &p, &count, &out);
    assert_int_equal(count, 1);
    assert_int_equal(p.coding, PAYLOAD_BASE64_BACKWARDS);
    assert_memory_equal(out.p, mz, 16);
    buf_free(&out);
}

static void
test_data_url(void **state)
{
    static const struct {
        const char *in;
        bool want;
    } urls[] = {
        {"data:image/png;base64," A, true },
        {"data:;BASE64," A,          true },
        {"x='" A,                    false},
        {"ase64," A,                 false},
    };

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(urls); k++) {
        struct payload_scan s = payload_open(span_str(urls[k].in));
        struct payload p;

        assert_true(payload_next(&s, &p));
        assert_int_equal(p.data_url, urls[k].want);
    }
}

static void
test_enough(void **state)
{
    struct payload_scan s = payload_open(SPAN_LIT(A A A));
    struct payload p;
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    assert_true(payload_next(&s, &p));
    payload_decode(&p, &out, 10);
    assert_int_equal(out.n, 10);
    buf_free(&out);
    buf_init(&out, 7);
    payload_decode(&p, &out, SIZE_MAX);
    assert_int_equal(out.n, 7);
    assert_true(out.cut);
    buf_free(&out);
}

/* The run's length at its bound. */
static void
test_run(void **state)
{
    char in[PAYLOAD_RUN + 3];

    (void)state;
    for (size_t n = PAYLOAD_RUN - 1; n <= PAYLOAD_RUN + 1; n++)
        for (size_t at = 0; at < 2; at++) {
            struct payload_scan s;
            struct payload p;

            memset(in, '"', sizeof(in));
            memset(in + at, 'Q', n);
            s = payload_open(span_of(in, sizeof(in)));
            assert_int_equal(payload_next(&s, &p), n >= PAYLOAD_RUN);
        }
}

/* Cut anywhere: within bounds (the sanitizer looks), and no longer than it is.
 */
static void
test_cut(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    for (size_t k = 0; k < ARRAY_LEN(rows); k++)
        for (size_t cut = 0; cut <= strlen(rows[k].in); cut++) {
            uint8_t *copy = malloc(cut + 1);
            struct payload_scan s;
            struct payload p;

            memcpy(copy, rows[k].in, cut);
            s = payload_open(span_of(copy, cut));
            while (payload_next(&s, &p)) {
                buf_reset(&out);
                payload_decode(&p, &out, SIZE_MAX);
                assert_in_range(out.n, 0, p.n_letters);
            }
            free(copy);
        }
    buf_free(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),     cmocka_unit_test(test_backwards),
        cmocka_unit_test(test_data_url), cmocka_unit_test(test_enough),
        cmocka_unit_test(test_run),      cmocka_unit_test(test_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
