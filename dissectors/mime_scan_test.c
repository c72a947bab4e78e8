/* mime_scan_test - the vector scanners say what the portable one says */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dissectors/mime_scan.h"
#include "sensor/base/attr.h"

/* A row of a table; braces would be laid out in columns. */
#define ROW(...)                                                               \
    {                                                                          \
        __VA_ARGS__                                                            \
    }

static uint64_t
next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* From a block of exactly the size, so that a sanitizer sees a read beyond. */
static void
compare(const uint8_t *p, size_t n)
{
    static const uint8_t befores[] = {'x', '\r', '\n', 0};
    struct mime_scan_variant v[MIME_SCAN_VARIANTS];
    uint8_t *copy = malloc(n + (n == 0));

    assert_non_null(copy);
    memcpy(copy, p, n);
    mime_scan_list(v);
    for (size_t i = 0; i < MIME_SCAN_VARIANTS && v[i].name != NULL; i++) {
        for (size_t b = 0; v[i].fn != NULL && b < 2 * sizeof(befores); b++) {
            struct span s = span_of(copy, n);
            bool uu = b & 1;
            size_t want = mime_scan_portable(s, befores[b / 2], uu);
            size_t got = v[i].fn(s, befores[b / 2], uu);

            if (got != want)
                fail_msg("%s: %zu bytes: %zu, not %zu", v[i].name, n, got,
                         want);
        }
    }
    free(copy);
}

static const struct {
    const char *why;
    const char *in;
    uint8_t before;
    bool uu;
    size_t want;
} places[] = {
    ROW("nothing", "abc", '\n', false, 3),
    ROW("nothing at all", "", '\n', false, 0),
    ROW("at the beginning of a line", "--x", '\n', false, 0),
    ROW("behind a bare CR", "--x", '\r', false, 0),
    ROW("within a line", "--x", 'a', false, 3),
    ROW("behind LF", "ab\n--x", 'a', false, 3),
    ROW("behind CR", "ab\r--x", 'a', false, 3),
    ROW("one dash", "ab\n-x\n--", 'a', false, 6),
    ROW("one dash, and no more bytes", "ab\n-", 'a', false, 3),
    ROW("begin does not matter", "ab\nbegin", 'a', false, 8),
    ROW("begin matters", "ab\nbegin", 'a', true, 3),
    ROW("only be", "ab\nba\nb", 'a', true, 6),
    ROW("dashes matter with uu as well", "ab\nba\n--", 'a', true, 6),
};

static void
test_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        struct span s = span_str(places[i].in);
        size_t got = mime_scan_portable(s, places[i].before, places[i].uu);

        if (got != places[i].want)
            fail_msg("%s: %zu", places[i].why, got);
        compare(s.p, s.n);
    }
}

static void
test_every_place(void **state)
{
    static const char *const hot[] = {"\n--", "\r--", "\n-", "\nbe", "\n-\n--"};

    (void)state;
    for (size_t n = 5; n <= 200; n++) {
        for (size_t at = 0; at + 5 <= n; at++) {
            uint8_t text[200];
            const char *h = hot[(n + at) % ARRAY_LEN(hot)];

            memset(text, 'x', sizeof(text));
            memcpy(text + at, h, strlen(h));
            compare(text, n);
        }
    }
}

static void
test_random(void **state)
{
    static const uint8_t letters[] = {'\n', '\r', '-', '-', 'b', 'e', 'x', 'x'};
    uint64_t seed = 88172645463325252U;

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t text[300];
        size_t n = next(&seed) % (sizeof(text) + 1);

        for (size_t i = 0; i < n; i++)
            text[i] = next(&seed) % 8 == 0 ? letters[next(&seed) % 8] : 'A';
        compare(text, n);
    }
}

static void
test_best_is_listed(void **state)
{
    struct mime_scan_variant v[MIME_SCAN_VARIANTS];

    (void)state;
    mime_scan_list(v);
    assert_non_null(mime_scan_best());
    assert_null(v[MIME_SCAN_VARIANTS - 1].name);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_every_place),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_best_is_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
