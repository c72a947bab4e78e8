/* smtp_scan_test - the vector scanners say what the portable one says */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dissectors/smtp_scan.h"

static const uint8_t befores[] = {'x', '\r', '\n', 0, '.'};

static uint64_t
next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void
compare(const struct smtp_scan_variant *v, struct span s, uint8_t prev)
{
    struct smtp_scan_facts want = {.prev = prev};
    struct smtp_scan_facts got = {.prev = prev};
    size_t a = smtp_scan_portable(s, &want);
    size_t b = v->fn(s, &got);

    if (a == b && want.prev == got.prev && want.bare_lf == got.bare_lf &&
        want.bare_cr == got.bare_cr && want.nul == got.nul &&
        want.high == got.high)
        return;
    for (size_t i = 0; i < s.n; i++)
        fprintf(stderr, "%02x ", s.p[i]);
    fail_msg("%s: %zu bytes behind %d: stops at %zu, not %zu; prev %d, not %d; "
             "lf %d%d cr %d%d nul %d%d high %d%d",
             v->name, s.n, prev, b, a, got.prev, want.prev, got.bare_lf,
             want.bare_lf, got.bare_cr, want.bare_cr, got.nul, want.nul,
             got.high, want.high);
}

/* Into a block of exactly the size, so that a sanitizer sees a read beyond. */
static void
compare_all(const uint8_t *p, size_t n, size_t shift)
{
    struct smtp_scan_variant v[SMTP_SCAN_VARIANTS];
    uint8_t *copy = malloc(shift + n + (shift + n == 0));

    assert_non_null(copy);
    memcpy(copy + shift, p, n);
    smtp_scan_list(v);
    for (size_t i = 0; i < SMTP_SCAN_VARIANTS && v[i].name != NULL; i++) {
        for (size_t b = 0; v[i].fn != NULL && b < sizeof(befores); b++)
            compare(&v[i], span_of(copy + shift, n), befores[b]);
    }
    free(copy);
}

static void
test_places(void **state)
{
    static const uint8_t odd[] = {'\r', '\n', 0, '.', 0x80, 0xff};

    (void)state;
    for (size_t n = 0; n <= 200; n++) {
        for (size_t at = 0; at < n; at++) {
            for (size_t k = 0; k < sizeof(odd) * sizeof(odd); k++) {
                uint8_t text[200];

                memset(text, 'a', sizeof(text));
                text[at] = odd[k / sizeof(odd)];
                if (at + 1 < n)
                    text[at + 1] = odd[k % sizeof(odd)];
                if (n < 20 || (n + at + k) % 7 == 0)
                    compare_all(text, n, at % 3);
            }
        }
    }
}

static void
test_random(void **state)
{
    static const uint8_t hostile[] = {'\r', '\n', 0, '.', '.', 'a', 0x80, 'b'};
    uint64_t seed = 42;

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t text[300];
        size_t n = next(&seed) % sizeof(text);
        unsigned rare = 1U << (next(&seed) % 7);

        for (size_t i = 0; i < n; i++) {
            uint64_t r = next(&seed);

            text[i] = r % rare == 0 ? hostile[r >> 32 & 7] : 'a';
        }
        compare_all(text, n, next(&seed) % 65);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
