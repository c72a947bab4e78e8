#include "dashboards/study_facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "study_kit.h"

/* All that the decision page says, a line each. */
static void
say_all(struct buf *b, const struct study_result *r)
{
    struct study_facts f = study_facts_of(r);

    study_say_question(b, &f);
    buf_putc(b, '\n');
    buf_str(b, study_advice_word(f.advice));
    buf_str(b, "; ");
    study_say_advice(b, &f);
    for (size_t l = 0; l < STUDY_LIST_COUNT; l++) {
        for (size_t i = 0; i <= STUDY_LINES; i++) {
            size_t begin = b->n;

            buf_str(b, "\n- ");
            if (!study_say_line(b, &f, (enum study_list)l, i)) {
                assert_int_equal(b->n, begin + 3);
                b->n = begin;
                break;
            }
            assert_true(i < STUDY_LINES);
            assert_true(b->n > begin + 3);
        }
    }
    buf_putc(b, '\n');
}

static void
assert_says(const struct buf *b, const char *want, bool yes)
{
    if ((span_search(buf_view(b), span_str(want)) < b->n) != yes)
        fail_msg("%s \"%s\" in:\n%.*s", yes ? "missing" : "not wanted", want,
                 (int)b->n, b->p);
}

/* Criteria decide, and nothing else. */
static void
advice(void **state)
{
    static const struct {
        const char *why;
        enum study_verdict first, second;
        size_t n;
        const char *proposed;
        enum study_advice want;
        const char *text;
    } rows[] = {
  /* clang-format off */
        {"all pass", STUDY_PASS, STUDY_PASS, 2, "P4", STUDY_ADVICE_YES,
         "2 of 2 criteria agreed on before are met"},
        {"one fails", STUDY_PASS, STUDY_FAIL, 2, "P4", STUDY_ADVICE_NO,
         "1 of 2 criteria agreed on before fails"},
        {"one is not known", STUDY_PASS, STUDY_NOT_KNOWN, 2, "P4",
         STUDY_ADVICE_NOT_YET,
         "1 of 2 criteria agreed on before cannot be judged"},
        {"failed and not known", STUDY_FAIL, STUDY_NOT_KNOWN, 2, "P4",
         STUDY_ADVICE_NO,
         "1 of 2 criteria agreed on before fails, 1 cannot be judged"},
        {"none agreed", STUDY_PASS, STUDY_PASS, 0, "P4", STUDY_ADVICE_NONE,
         "no criteria were agreed on before the study"},
        {"none proposed", STUDY_PASS, STUDY_PASS, 2, NULL, STUDY_ADVICE_NONE,
         "the table of policies compares what each would do"},
        {"not replayed", STUDY_PASS, STUDY_PASS, 2, "P9", STUDY_ADVICE_NONE,
         "the policy that is proposed was not replayed"},
  /* clang-format on */
    };
    struct study_kit k;
    struct buf b;

    (void)state;
    study_kit_make(&k, STUDY_KIT_FULL);
    buf_init(&b, 65536);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct study_facts f;

        k.r.criteria[0].verdict = rows[i].first;
        k.r.criteria[1].verdict = rows[i].second;
        k.r.n_criteria = rows[i].n;
        k.r.proposed = rows[i].proposed;
        f = study_facts_of(&k.r);
        if (f.advice != rows[i].want)
            fail_msg("%s: %s", rows[i].why, study_advice_word(f.advice));
        buf_reset(&b);
        say_all(&b, &k.r);
        assert_says(&b, rows[i].text, true);
        assert_says(&b, "\n- It is paused when more than two hosts",
                    rows[i].want == STUDY_ADVICE_YES);
    }
    buf_free(&b);
    study_kit_free(&k);
}

static void
sentences(void **state)
{
    static const struct {
        enum study_kit_kind kind;
        bool yes;
        const char *text;
    } rows[] = {
  /* clang-format off */
        {STUDY_KIT_FULL, true, "Approve P4 on 2027-01-11?\n"},
        {STUDY_KIT_FULL, true, "- 1 host that looks legitimate and 4 hosts of "
                               "which too little was seen to tell would be "
                               "stopped\n"},
        {STUDY_KIT_FULL, true, "- To look at first: 10.20.2.11 (mail9)\n"},
        {STUDY_KIT_FULL, true, "- How often the judgement of hosts is right: "
                               "no review was made\n"},
        {STUDY_KIT_FULL, true, "- 15 of 672 hours were watched for less than "
                               "90 %; 4 hours with more than 5 % unseen: left "
                               "out of all shares\n"},
        {STUDY_KIT_FULL, true, "at least 52 more exist"},
        {STUDY_KIT_FULL, true, "118 of 118 journaled decisions are the same, "
                               "1 are here only\n"},
        {STUDY_KIT_FULL, true, "- To undo it: span25 policy mode off"},
        {STUDY_KIT_FULL, true, "\n- Fail: legitimate hosts stopped, measured "
                               "1; the limit is at most 0\n"},
        {STUDY_KIT_FULL, true, "\n- Not known: reviewed precision of the "
                               "detector, no review was made; the limit is at "
                               "least 0.8\n"},
        {STUDY_KIT_GOOD, true, "- The 1 stopped host that looks legitimate has "
                               "a permit or another way to send before that "
                               "day\n"},
        {STUDY_KIT_GOOD, true, "- 143 forms can be entered before that day\n"},
        {STUDY_KIT_GOOD, false, "no review was made"},
        {STUDY_KIT_GOOD, false, "is a draft"},
        {STUDY_KIT_NAN, true, "- How much mail the sensor missed: it was not "
                              "measured\n"},
        {STUDY_KIT_NAN, false, "nan"},
        {STUDY_KIT_INF, false, "inf"},
        {STUDY_KIT_INF, true, "stopped before its end\n"},
        {STUDY_KIT_INF, true, "No ordinary message is lost, whatever one is "
                              "worth\n"},
        {STUDY_KIT_EMPTY, true, "None; the policy that is proposed was not "
                                "replayed\n"},
        {STUDY_KIT_ZERO, true, "No policy is proposed\n"},
  /* clang-format on */
    };
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct study_kit k;

        study_kit_make(&k, rows[i].kind);
        buf_reset(&b);
        say_all(&b, &k.r);
        assert_false(b.cut || b.failed);
        assert_says(&b, rows[i].text, rows[i].yes);
        study_kit_free(&k);
    }
    buf_free(&b);
}

/* A result made for sharing rounds hosts up to a few. */
static void
few(void **state)
{
    struct study_kit k;
    struct buf b;

    (void)state;
    study_kit_make(&k, STUDY_KIT_FULL);
    k.r.few = 2;
    buf_init(&b, 65536);
    say_all(&b, &k.r);
    assert_says(&b, "- Fewer than 2 hosts that look legitimate and 4 hosts",
                true);
    buf_free(&b);
    study_kit_free(&k);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(advice),
        cmocka_unit_test(sentences),
        cmocka_unit_test(few),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
