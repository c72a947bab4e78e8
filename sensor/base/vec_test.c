#include "sensor/base/vec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sensor/base/attr.h"

static const struct {
    size_t put; /* bytes, at once, into an empty one */
    uint32_t cap;
} steps[] = {
    {0,       0    },
    {1,       24   },
    {24,      24   },
    {25,      40   },
    {40,      40   },
    {41,      56   },
    {511,     520  },
    {512,     776  },
    {513,     776  },
    {800,     1208 },
    {1 << 16, 98312},
};

static void
reserves_exactly(void **state)
{
    struct mem m = {.max = 1 << 20};
    struct vec v = {0};

    (void)state;
    assert_true(vec_reserve_exact(&v, &m, 1000));
    assert_in_range(v.cap, 1000, 1016);
    assert_int_equal(m.used, v.cap);
    assert_true(vec_reserve_exact(&v, &m, 10));
    assert_in_range(v.cap, 1000, 1016);
    assert_true(vec_put(&v, &m, "abc", 3));
    assert_false(vec_reserve_exact(&v, &m, (1 << 20) + 1));
    assert_int_equal(m.refused, 1);
    assert_false(vec_reserve_exact(&v, &m, SIZE_MAX));
    assert_true(vec_reserve_exact(&v, &m, (1 << 20) - 8));
    assert_memory_equal(v.p, "abc", 3);
    assert_true(m.used <= m.max);
    vec_free(&v, &m);
    assert_int_equal(m.used, 0);
}

static void
grows_in_small_steps(void **state)
{
    static uint8_t bytes[1 << 16];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct mem m = {.max = UINT64_MAX};
        struct vec v = {0};

        assert_true(vec_put(&v, &m, bytes, steps[i].put));
        if (v.cap != steps[i].cap || v.n != steps[i].put || m.used != v.cap)
            fail_msg("%zu bytes: capacity %u, charged %zu", steps[i].put, v.cap,
                     (size_t)m.used);
        vec_free(&v, &m);
        assert_true(m.used == 0 && v.p == NULL && v.n == 0 && v.cap == 0);
    }
}

/* Byte by byte: the content stays, the account is what is held, and the number
 * of moves stays low. */
static void
keeps_what_was_put(void **state)
{
    struct mem m = {.max = UINT64_MAX};
    struct vec v = {0};
    uint32_t moves = 0;

    (void)state;
    for (uint32_t i = 0; i < 100000; i++) {
        uint8_t b = (uint8_t)(i * 7);
        uint32_t cap = v.cap;

        assert_true(vec_put(&v, &m, &b, 1));
        moves += v.cap != cap;
        assert_true(m.used == v.cap);
    }
    assert_int_equal(v.n, 100000);
    for (uint32_t i = 0; i < v.n; i++)
        assert_int_equal(v.p[i], (uint8_t)(i * 7));
    assert_true(vec_view(&v).p == v.p && vec_view(&v).n == v.n);
    assert_true(moves < 60);
    vec_free(&v, &m);
}

/* At the cap, one below and one above. */
static const struct {
    const char *why;
    uint64_t used, max;
    size_t put;
    bool fits;
} caps[] = {
    {"just fits",                        0,   40,         40,           true },
    {"one too few for a step",           0,   39,         40,           false},
    {"a step is charged, not the bytes", 0,   23,         1,            false},
    {"others have used it",              100, 123,        1,            false},
    {"others left just enough",          100, 124,        1,            true },
    {"nothing is there",                 0,   0,          1,            false},
    {"nothing needs nothing",            0,   0,          0,            true },
    {"beyond what a vec can hold",       0,   UINT64_MAX, UINT32_MAX,   false},
    {"far beyond",                       0,   UINT64_MAX, SIZE_MAX - 8, false},
};

static void
refuses_past_the_cap(void **state)
{
    static const uint8_t bytes[64];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(caps); i++) {
        struct mem m = {.used = caps[i].used, .max = caps[i].max};
        struct vec v = {0};
        bool small = caps[i].put <= sizeof(bytes);
        bool got = small ? vec_put(&v, &m, bytes, caps[i].put)
                         : vec_reserve(&v, &m, caps[i].put);

        if (got != caps[i].fits || (!got && m.used != caps[i].used) ||
            (!got && v.n != 0) || (!got && small && m.refused != 1) ||
            (got && m.refused != 0))
            fail_msg("%s", caps[i].why);
        vec_free(&v, &m);
        assert_true(m.used == caps[i].used);
    }
}

static void
keeps_its_content_when_refused(void **state)
{
    struct mem m = {.max = 72};
    struct vec v = {0};
    uint8_t more[64] = {0};

    (void)state;
    assert_true(vec_put(&v, &m, "twelve bytes", 12));
    assert_false(vec_put(&v, &m, more, sizeof(more)));
    assert_int_equal(v.n, 12);
    assert_memory_equal(v.p, "twelve bytes", 12);
    assert_int_equal(m.refused, 1);
    assert_true(vec_put(&v, &m, more, 52)); /* what is left does fit */
    assert_int_equal(v.n, 64);
    vec_free(&v, &m);
    assert_true(m.used == 0);
}

static void
charges_blocks(void **state)
{
    struct mem m = {.max = 100};
    uint8_t *a = mem_new(&m, 60);
    uint8_t *b;

    (void)state;
    assert_non_null(a);
    for (size_t i = 0; i < 60; i++)
        assert_int_equal(a[i], 0);
    assert_null(mem_new(&m, 41));
    assert_int_equal(m.refused, 1);
    b = mem_new(&m, 40);
    assert_non_null(b);
    assert_true(m.used == 100);
    mem_free(&m, a, 60);
    mem_free(&m, NULL, 60);
    assert_true(m.used == 40);
    mem_free(&m, b, 40);
    assert_true(m.used == 0);
}

/* Blocks and vecs of one account, at random: used is the sum, never past max.
 */
static void
never_passes_its_cap(void **state)
{
    struct mem m = {.max = 5000};
    struct vec v[16] = {{0}};
    uint32_t x = 12345;
    static const uint8_t bytes[300];

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t sum = 0;
        struct vec *one;

        x = x * 1664525 + 1013904223;
        one = &v[(x >> 8) % 16];
        if (x >> 29 == 0)
            vec_free(one, &m);
        else
            (void)vec_put(one, &m, bytes, (x >> 16) % sizeof(bytes));
        for (size_t k = 0; k < 16; k++)
            sum += v[k].cap;
        assert_true(m.used == sum && sum <= m.max);
    }
    assert_true(m.refused > 0);
    for (size_t k = 0; k < 16; k++)
        vec_free(&v[k], &m);
    assert_true(m.used == 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_in_small_steps),
        cmocka_unit_test(reserves_exactly),
        cmocka_unit_test(keeps_what_was_put),
        cmocka_unit_test(refuses_past_the_cap),
        cmocka_unit_test(keeps_its_content_when_refused),
        cmocka_unit_test(charges_blocks),
        cmocka_unit_test(never_passes_its_cap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
