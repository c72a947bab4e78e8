/* patience_test - who is inspected when inspections do not end */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "sensor/app/patience.h"

static void
lose(struct patience *p, enum filetype kind, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        patience_lost(p, kind);
}

static void
hurries_and_refuses(void **state)
{
    struct patience p = {0};

    (void)state;
    lose(&p, FILETYPE_PDF, PATIENCE_HURRY - 1);
    assert_int_equal(patience_ask(&p, FILETYPE_PDF), PATIENCE_FULL);
    lose(&p, FILETYPE_PDF, 1);
    assert_int_equal(patience_ask(&p, FILETYPE_ZIP), PATIENCE_SHORT);
    lose(&p, FILETYPE_PDF, PATIENCE_KIND - PATIENCE_HURRY);
    assert_int_equal(patience_ask(&p, FILETYPE_PDF), PATIENCE_NONE);
    assert_int_equal(patience_ask(&p, FILETYPE_ZIP), PATIENCE_SHORT);
}

static void
refuses_all_that_had_any(void **state)
{
    struct patience p = {0};

    (void)state;
    lose(&p, FILETYPE_PDF, 1);
    lose(&p, FILETYPE_ZIP, PATIENCE_ALL - 2);
    assert_int_equal(patience_ask(&p, FILETYPE_PDF), PATIENCE_SHORT);
    lose(&p, FILETYPE_ZIP, 1);
    assert_int_equal(patience_ask(&p, FILETYPE_PDF), PATIENCE_NONE);
    assert_int_equal(patience_ask(&p, FILETYPE_RTF), PATIENCE_SHORT);
}

static void
forgets(void **state)
{
    struct patience p = {0};

    (void)state;
    lose(&p, FILETYPE_PDF, PATIENCE_KIND);
    for (unsigned n = 0; n < PATIENCE_STRETCH; n++)
        assert_int_equal(patience_ask(&p, FILETYPE_PDF), PATIENCE_NONE);
    assert_int_equal(patience_ask(&p, FILETYPE_PDF), PATIENCE_SHORT);
    for (unsigned n = 0; n < PATIENCE_KIND * PATIENCE_STRETCH; n++)
        (void)patience_ask(&p, FILETYPE_ZIP);
    assert_int_equal(patience_ask(&p, FILETYPE_PDF), PATIENCE_FULL);
    assert_int_equal(p.all, 0);
}

/* All inspections fail, of whatever type: how many are begun? */
static void
bounds_what_is_lost(void **state)
{
    struct patience p = {0};
    unsigned full = 0, begun = 0;
    const unsigned stretches = 100;

    (void)state;
    for (unsigned n = 0; n < stretches * PATIENCE_STRETCH; n++) {
        enum filetype kind = (enum filetype)(n % FILETYPE_COUNT);
        enum patience_left left = patience_ask(&p, kind);

        if (left == PATIENCE_NONE)
            continue;
        begun++;
        full += left == PATIENCE_FULL;
        patience_lost(&p, kind);
    }
    assert_true(full <= stretches * PATIENCE_HURRY);
    assert_true(begun <= stretches * FILETYPE_COUNT);
    for (unsigned k = 0; k < 1000; k++)
        patience_lost(&p, FILETYPE_PDF);
    assert_int_equal(p.lost[FILETYPE_PDF], UINT8_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hurries_and_refuses),
        cmocka_unit_test(refuses_all_that_had_any),
        cmocka_unit_test(forgets),
        cmocka_unit_test(bounds_what_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
