#include "dissectors/finding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void
test_names(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < FINDING_COUNT; i++) {
        enum finding f = (enum finding)i;

        assert_int_equal(finding_find(span_str(finding_name(f))), f);
        assert_true(strlen(finding_doc(f)) > 10);
        assert_true(finding_class_of(f) <= FINDING_D);
    }
    assert_int_equal(finding_find(SPAN_LIT("")), FINDING_COUNT);
    assert_int_equal(finding_find(SPAN_LIT("eica")), FINDING_COUNT);
    assert_int_equal(finding_find(SPAN_LIT("eicar")), FIND_EICAR);
}

static void
test_set_and_classes(void **unused)
{
    struct findings s;

    (void)unused;
    findings_init(&s);
    assert_false(findings_any(&s));
    assert_int_equal(findings_classes(&s), 0);
    findings_add(&s, FIND_EICAR);
    findings_add(&s, FIND_PART_CUT);
    assert_true(findings_has(&s, FIND_EICAR));
    assert_false(findings_has(&s, FIND_GTUBE));
    assert_int_equal(findings_classes(&s), 1U << FINDING_A | 1U << FINDING_D);
    findings_reset(&s);
    assert_false(findings_any(&s));
    findings_free(&s);
    findings_free(NULL);
}

static size_t
count(const struct findings *s)
{
    struct cursor c = cur_open(buf_view(&s->details));
    enum finding f;
    struct span d;
    size_t n = 0;

    while (findings_next(&c, &f, &d))
        n++;
    assert_false(c.bad);
    assert_int_equal(n, s->n_details);
    return n;
}

static void
fill(struct findings *s, unsigned from, unsigned n)
{
    for (unsigned i = from; i < from + n; i++) {
        char text[16];
        int k = snprintf(text, sizeof(text), "rule %u", i);

        findings_add_detail(s, FIND_YARA, span_of(text, (size_t)k));
    }
}

static void
test_details(void **unused)
{
    struct findings s;
    uint8_t text[FINDING_DETAIL_MAX + 1];
    struct cursor c;
    enum finding f;
    struct span d;

    (void)unused;
    memset(text, 'a', sizeof(text));
    for (size_t n = FINDING_DETAIL_MAX - 1; n <= FINDING_DETAIL_MAX + 1; n++) {
        size_t want = n < FINDING_DETAIL_MAX ? n : FINDING_DETAIL_MAX;

        findings_init(&s);
        findings_add_detail(&s, FIND_CLAMD, span_of(text, n));
        findings_add_detail(&s, FIND_CLAMD, span_of(text, n));
        c = cur_open(buf_view(&s.details));
        assert_true(findings_next(&c, &f, &d));
        assert_int_equal(f, FIND_CLAMD);
        assert_int_equal(d.n, want);
        assert_false(findings_next(&c, &f, &d));
        findings_free(&s);
    }
    findings_init(&s);
    findings_add_detail(&s, FIND_CLAMD, SPAN_NONE);
    assert_true(findings_has(&s, FIND_CLAMD));
    assert_int_equal(count(&s), 0);
    findings_add_detail(&s, FIND_CLAMD, SPAN_LIT("x"));
    findings_add_detail(&s, FIND_YARA, SPAN_LIT("x"));
    assert_int_equal(count(&s), 2);
    findings_free(&s);
}

static void
test_detail_limit(void **unused)
{
    (void)unused;
    for (unsigned n = FINDING_DETAILS - 1; n <= FINDING_DETAILS + 1; n++) {
        struct findings s;

        findings_init(&s);
        fill(&s, 0, n);
        assert_int_equal(count(&s), n < FINDING_DETAILS ? n : FINDING_DETAILS);
        assert_int_equal(s.n_left_out, n > FINDING_DETAILS);
        findings_free(&s);
    }
}

static void
test_merge(void **unused)
{
    struct findings a, b;

    (void)unused;
    findings_init(&a);
    findings_init(&b);
    fill(&a, 0, 20);
    fill(&b, 10, 25);
    findings_add(&b, FIND_GTUBE);
    findings_merge(&a, &b);
    assert_int_equal(count(&a), FINDING_DETAILS);
    assert_int_equal(a.n_left_out, 35 - FINDING_DETAILS);
    assert_true(findings_has(&a, FIND_GTUBE));
    findings_merge(&a, &a);
    assert_int_equal(a.n_left_out, 35 - FINDING_DETAILS);
    findings_free(&a);
    findings_free(&b);
}

static void
test_code(void **unused)
{
    struct findings a, b;
    struct buf coded;
    struct cursor c;

    (void)unused;
    findings_init(&a);
    findings_init(&b);
    buf_init(&coded, 1U << 16);
    fill(&a, 0, 40);
    findings_add(&a, FIND_EICAR);
    findings_code(&a, &coded);
    buf_putc(&coded, 'x');
    c = cur_open(buf_view(&coded));
    assert_true(findings_read(&c, &b));
    assert_int_equal(cur_left(&c), 1);
    assert_memory_equal(a.set, b.set, sizeof(a.set));
    assert_int_equal(a.n_left_out, b.n_left_out);
    assert_true(span_eq(buf_view(&a.details), buf_view(&b.details)));
    for (size_t n = 0; n < coded.n - 1; n++) {
        c = cur_open(span_of(coded.p, n));
        assert_false(findings_read(&c, &b));
    }
    buf_free(&coded);
    findings_free(&a);
    findings_free(&b);
}

/* One wrong byte in a coded set: what is read is a set all the same. */
static void
test_code_hostile(void **unused)
{
    struct findings a, b;
    struct buf coded;

    (void)unused;
    findings_init(&a);
    findings_init(&b);
    buf_init(&coded, 1U << 16);
    fill(&a, 0, 3);
    findings_code(&a, &coded);
    for (size_t i = 0; i < coded.n; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct cursor c = cur_open(buf_view(&coded));

            coded.p[i] ^= (uint8_t)(1U << bit);
            if (findings_read(&c, &b))
                assert_true(findings_classes(&b) < 16);
            assert_true(count(&b) <= FINDING_DETAILS);
            assert_int_equal(FINDING_COUNT % 64 == 0
                                 ? 0
                                 : b.set[ARRAY_LEN(b.set) - 1] >>
                                       (FINDING_COUNT % 64),
                             0);
            coded.p[i] ^= (uint8_t)(1U << bit);
        }
    }
    buf_free(&coded);
    findings_free(&a);
    findings_free(&b);
}

/* A bit beyond the table, a detail without its bit, an empty detail. */
static void
test_code_refused(void **unused)
{
    static const struct {
        const char *why;
        uint64_t set;
        const char *details;
        size_t n;
    } rows[] = {
        {"no bit for the detail", 0, "\x00\x00\x01\x00x", 5},
        {"empty detail",          1, "\x00\x00\x00\x00",  4},
        {"no such finding",       1, "\xff\xff\x01\x00x", 5},
        {"length past the end",   1, "\x00\x00\x02\x00x", 5},
        {"half a head",           1, "\x00\x00\x02",      3},
    };
    struct findings s;

    (void)unused;
    findings_init(&s);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t coded[8 * ARRAY_LEN(s.set) + 8 + 8] = {0};
        size_t at = 8 * ARRAY_LEN(s.set) + 4;
        struct cursor c;

        coded[0] = (uint8_t)rows[i].set;
        coded[at] = (uint8_t)rows[i].n;
        memcpy(coded + at + 4, rows[i].details, rows[i].n);
        c = cur_open(span_of(coded, at + 4 + rows[i].n));
        if (findings_read(&c, &s))
            fail_msg("%s: read", rows[i].why);
        assert_int_equal(count(&s), 0);
    }
    findings_free(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_set_and_classes),
        cmocka_unit_test(test_details),
        cmocka_unit_test(test_detail_limit),
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_code),
        cmocka_unit_test(test_code_hostile),
        cmocka_unit_test(test_code_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
