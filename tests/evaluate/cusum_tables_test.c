/* The tables of DETECTION 1.2 by the project's own CUSUM, and that the
 * comparison would notice a wrong step. */
#include "tests/evaluate/cusum_tables.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void
tables_are_those_of_detection(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 1U << 20);
    for (uint64_t seed = 1; seed <= 3; seed++) {
        buf_reset(&out);
        if (cusum_tables(seed, 1500, 400000, &out) > 0)
            fail_msg("seed %u:\n%.*s", (unsigned)seed, (int)out.n,
                     (const char *)out.p);
    }
    assert_false(out.cut || out.failed);
    buf_free(&out);
}

static const struct {
    const char *why;
    double theta, up, down, want;
} roots[] = {
    {"at theta0 the root is 1",     .05, 2.0794415, -.4595323, 1   },
    {"further below it is larger",  .02, 2.0794415, -.4595323, 1.57},
    {"no root where the sum rises", .20, 2.0794415, -.4595323, 0   },
    {"nor where it stands",         .5,  1,         -1,        0   },
};

static void
roots_are_right(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
        double w = cusum_root(roots[i].theta, roots[i].up, roots[i].down);

        if (fabs(w - roots[i].want) > .006)
            fail_msg("%s: %g", roots[i].why, w);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_those_of_detection),
        cmocka_unit_test(roots_are_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
