#include "dashboards/grid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct grid_col cols[] = {
    {.title = "HOST", .max = 10},
    {.title = "N",               .right = true},
    {.title = "WHY"},
};

static void
assert_grid(const char *const *cells, size_t n, unsigned width, bool colour,
            const char *want)
{
    struct grid g;
    struct buf out;

    grid_init(&g, cols, ARRAY_LEN(cols));
    buf_init(&out, 10000);
    for (size_t i = 0; i < n; i++) {
        buf_str(&g.text, cells[i]);
        grid_next(&g);
    }
    grid_print(&g, width, colour, &out);
    buf_putc(&out, '\0');
    assert_string_equal((const char *)out.p, want);
    buf_free(&out);
    grid_fini(&g);
}

static void
aligns(void **state)
{
    static const char *const cells[] = {"a",         "12", "x y",
                                        "b\xc3\xa9", "1",  "z"};

    (void)state;
    assert_grid(cells, 6, 0, false,
                "  HOST   N  WHY\n"
                "  a     12  x y\n"
                "  b\xc3\xa9     1  z\n");
    assert_grid(cells, 3, 0, true,
                "  \x1b[1mHOST   N  WHY\x1b[0m\n"
                "  a     12  x y\n");
}

#define FIVE   "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
#define ELEVEN FIVE FIVE "\xc3\xa9"

/* A cell is cut between code points, never inside one. */
static void
cuts(void **state)
{
    static const char *const cells[] = {ELEVEN, "1", "z"};

    (void)state;
    assert_grid(cells, 3, 0, false,
                "  HOST        N  WHY\n"
                "  \xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
                "\xc3\xa9\xc3\xa9\xe2\x80\xa6  1  z\n");
}

static void
wraps(void **state)
{
    static const char *const cells[] = {
        "a", "1", "nine words that do not fit a line of 40 % of them"};

    (void)state;
    assert_grid(cells, 3, 40, false,
                "  HOST  N  WHY\n"
                "  a     1  nine words that do not fit a\n"
                "           line of 40 % of them\n");
    assert_grid(cells, 3, 30, false,
                "  HOST  N\n"
                "  a     1\n"
                "      nine words that do not\n"
                "      fit a line of 40 % of\n"
                "      them\n");
}

static void
holds(void **state)
{
    struct grid g;

    (void)state;
    grid_init(&g, cols, ARRAY_LEN(cols));
    for (size_t i = 0; i < 3 * GRID_ROWS + 30; i++) {
        buf_putc(&g.text, 'x');
        grid_next(&g);
    }
    assert_int_equal(g.n_cells, 3 * GRID_ROWS);
    assert_int_equal(g.text.n, 3 * GRID_ROWS);
    grid_fini(&g);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aligns),
        cmocka_unit_test(cuts),
        cmocka_unit_test(wraps),
        cmocka_unit_test(holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
