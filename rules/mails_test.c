#include "rules/mails.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define A (1U << SUMMARY_A)
#define B (1U << SUMMARY_B)
#define C (1U << SUMMARY_C)
#define D (1U << SUMMARY_D)

static struct mails *
fresh(void)
{
    struct mails *m;

    assert_int_equal(mails_new(&m), ERR_OK);
    return m;
}

/* clang-format off */
static const struct {
    const char *why;
    unsigned parts[3]; /* classes, and MISSED; NONE: no part */
    bool complete, parted;
    bool could;
    unsigned classes; /* counted */
} rows[] = {
#define NONE   64U
#define MISSED 128U
    {"text alone", {NONE, NONE, NONE}, true, true, true, 0},
    {"nothing found", {0, 0, NONE}, true, true, true, 0},
    {"malicious", {A, 0, NONE}, true, true, true, A},
    {"each class once", {A | B, B, A}, true, true, true, A | B},
    {"one part cannot be inspected", {A, D, NONE}, true, true, false, A | D},
    {"one part was not", {B, MISSED, NONE}, true, true, false, B},
    {"not complete", {A, NONE, NONE}, false, true, false, A},
    {"not taken apart", {NONE, NONE, NONE}, true, false, false, 0},
};
/* clang-format on */

static void
counts_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct mails *m = fresh();
        struct summary_parts p = {0};
        const struct mail_key key = {7, 3};
        bool good;

        for (size_t k = 0; k < 3; k++) {
            unsigned part = rows[i].parts[k];

            if (part != NONE)
                (void)mails_part(m, &key, part & 15, (part & MISSED) == 0);
        }
        mails_end(m, &key, rows[i].complete, rows[i].parted);
        mails_summary(m, &p);
        good = p.messages == 1 && p.complete == rows[i].complete &&
               p.could_inspect == rows[i].could;
        for (unsigned k = 0; k < SUMMARY_FINDINGS; k++) {
            unsigned bit = rows[i].classes >> k & 1U;

            good &= p.class_messages[k] == bit &&
                    p.class_could_inspect[k] == (rows[i].could ? bit : 0);
        }
        if (!good)
            fail_msg("%s", rows[i].why);
        mails_free(m);
    }
}

static void
tells_new_classes_once(void **state)
{
    struct mails *m = fresh();
    const struct mail_key key = {1, 0};
    const struct mail_key next = {1, 1};

    (void)state;
    assert_int_equal(mails_part(m, &key, B | C, true), B | C);
    assert_int_equal(mails_part(m, &key, A | B, true), A);
    assert_int_equal(mails_part(m, &next, B, true), B);
    mails_end(m, &key, true, true);
    assert_int_equal(mails_part(m, &key, B, true), B); /* it was forgotten */
    mails_free(m);
}

static void
messages_that_never_end_are_not_complete(void **state)
{
    struct mails *m = fresh();
    struct summary_parts p = {0};

    (void)state;
    (void)mails_part(m, &(struct mail_key){1, 0}, A, true);
    mails_summary(m, &p);
    assert_int_equal(p.messages, 1);
    assert_int_equal(p.complete, 0);
    assert_int_equal(p.class_messages[SUMMARY_A], 1);
    mails_free(m);
    mails_free(NULL);
}

/* Many under way, told in another order than begun: none is lost. */
static void
finds_all_that_are_under_way(void **state)
{
    struct mails *m = fresh();
    struct summary_parts p = {0};
    const uint64_t n = 20000;

    (void)state;
    for (uint64_t i = 0; i < n; i++)
        (void)mails_part(m, &(struct mail_key){i % 97, i}, i % 16, true);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t k = i * 7919 % n;

        assert_int_equal(mails_part(m, &(struct mail_key){k % 97, k}, 15, true),
                         15 & ~(k % 16));
        mails_end(m, &(struct mail_key){k % 97, k}, true, true);
    }
    mails_summary(m, &p);
    assert_int_equal(p.messages, n);
    assert_int_equal(p.complete, n);
    assert_int_equal(p.could_inspect, 0);
    assert_int_equal(p.class_messages[SUMMARY_D], n);
    mails_free(m);
}

static void
bounds_messages_under_way(void **state)
{
    struct mails *m = fresh();
    struct summary_parts p = {0};

    (void)state;
    for (uint64_t i = 0; i < MAILS_MAX; i++)
        assert_int_equal(mails_part(m, &(struct mail_key){1, i}, A, true), A);
    assert_int_equal(mails_part(m, &(struct mail_key){1, MAILS_MAX}, A, true),
                     0);
    assert_int_equal(mails_part(m, &(struct mail_key){1, 5}, B, true), B);
    mails_end(m, &(struct mail_key){1, 6}, true, true);
    assert_int_equal(mails_part(m, &(struct mail_key){1, MAILS_MAX}, C, true),
                     C);
    mails_summary(m, &p);
    assert_int_equal(p.messages_left_out, 1);
    assert_int_equal(p.messages, MAILS_MAX + 1);
    mails_free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_messages),
        cmocka_unit_test(tells_new_classes_once),
        cmocka_unit_test(messages_that_never_end_are_not_complete),
        cmocka_unit_test(finds_all_that_are_under_way),
        cmocka_unit_test(bounds_messages_under_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
