#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sensor/base/hash.h"
#include "sensor/net/reasm_test_kit.h"

static void
test_offsets(void **state)
{
    static const struct {
        const char *why;
        uint64_t next;
        int64_t want;
        uint32_t base;
        uint32_t seq;
    } rows[] = {
        {"the first byte",       0,                            0,           100,        100       },
        {"before it",            0,                            -1,          100,        99        },
        {"past the wrap",        0,                            5,           0xfffffffe, 3         },
        {"back over the wrap",   4,                            1,           0xfffffffe, 0xffffffff},
        {"after many wraps",     5 * (UINT64_C(1) << 32) + 10,
         5 * (INT64_C(1) << 32) + 11,                                       7,          18        },
        {"half the space ahead", 0,                            0x7fffffff,  0,          0x7fffffff},
        {"half the space back",  0,                            -0x7fffffff, 0,          0x80000001},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct reasm r = {.base = rows[i].base, .next = rows[i].next};

        if (reasm_off(&r, rows[i].seq) != rows[i].want)
            fail_msg("%s: %lld", rows[i].why,
                     (long long)reasm_off(&r, rows[i].seq));
    }
}

static void
test_met(void **state)
{
    static const struct {
        const char *why;
        uint32_t off[3];
        const char *data[3];
        unsigned want; /* of the last */
        unsigned odd;
    } rows[] = {
        {"in order",                        {0, 2, 4}, {"ab", "cd", "ef"},   0,            0},
        {"early",                           {0, 4, 8}, {"ab", "ef", "ij"},   REASM_EARLY,  0},
        {"fills",                           {0, 4, 2}, {"ab", "ef", "cd"},   REASM_FILLED, 0},
        {"old",                             {0, 2, 0}, {"ab", "cd", "ab"},   REASM_OLD,    0},
        {"old and new",                     {0, 2, 2}, {"ab", "cd", "cdef"}, REASM_OLD,    0},
        {"old, other bytes",
         {0, 2, 0},
         {"ab", "cd", "xy"},
         REASM_OLD | REASM_DIFFERS,
         1                                                                                  },
        {"other bounds cannot be compared",
         {0, 2, 0},
         {"ab", "cd", "xyz"},
         REASM_OLD,                                                                        0},
        {"early twice",
         {4, 8, 4},
         {"ef", "ij", "ef"},
         REASM_OLD | REASM_EARLY,
         0                                                                                  },
        {"early twice, other bytes",
         {4, 8, 4},
         {"ef", "ij", "eF"},
         REASM_OLD | REASM_EARLY | REASM_DIFFERS,
         1                                                                                  },
        {"over two, both other",
         {4, 8, 4},
         {"ef", "ij", "EfghiJ"},
         REASM_OLD | REASM_EARLY | REASM_DIFFERS,
         2                                                                                  },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct model m;
        unsigned met = 0;

        model_init(&m, UINT32_MAX - 3);
        for (unsigned j = 0; j < 3; j++)
            met = model_put(&m, rows[i].off[j], span_str(rows[i].data[j]),
                            (uint32_t)strlen(rows[i].data[j]));
        if (met != rows[i].want || m.n_odd != rows[i].odd)
            fail_msg("%s: met %x, odd %u", rows[i].why, met, m.n_odd);
        model_fini(&m);
    }
}

/* Only what the peer has not acknowledged is compared, the oldest 4 of it. */
static void
test_sent(void **state)
{
    struct model m;
    struct reasm_env e;

    (void)state;
    model_init(&m, 0);
    for (unsigned i = 0; i < 6; i++)
        (void)model_put(&m, UINT64_C(2) * i, SPAN_LIT("ab"), 2);
    (void)model_put(&m, 8, SPAN_LIT("xy"), 2); /* the fifth */
    assert_int_equal(m.n_odd, 0);
    (void)model_put(&m, 6, SPAN_LIT("xy"), 2); /* the fourth */
    assert_int_equal(m.n_odd, 1);
    m.acked = 6;
    e = model_env(&m);
    reasm_acked(&m.r, &e);
    (void)model_put(&m, 4, SPAN_LIT("xy"), 2);
    assert_int_equal(m.n_odd, 1);
    (void)model_put(&m, 6, SPAN_LIT("xy"), 2);
    assert_int_equal(m.n_odd, 2);
    m.acked = 12;
    e = model_env(&m);
    reasm_acked(&m.r, &e);
    assert_null(m.r.work); /* an idle direction holds nothing */
    model_fini(&m);
}

static void
test_fin(void **state)
{
    struct model m;
    struct reasm_env e;

    (void)state;
    model_init(&m, UINT32_MAX);
    (void)model_put(&m, 0, SPAN_LIT("ab"), 2);
    e = model_env(&m);
    reasm_fin(&m.r, &e, 5);
    assert_true(reasm_has_hole(&m.r));
    assert_false(reasm_done(&m.r));
    (void)model_put(&m, 2, SPAN_LIT("cde"), 3);
    assert_true(reasm_done(&m.r));
    model_fini(&m);
}

static void
test_resync(void **state)
{
    struct model m;
    struct reasm_env e;

    (void)state;
    model_init(&m, 1000);
    (void)model_put(&m, 0, SPAN_LIT("ab"), 2);
    (void)model_put(&m, 5, SPAN_LIT("f"), 1);
    e = model_env(&m);
    m.giving_up = true;
    reasm_resync(&m.r, &e, 1100);
    assert_int_equal(m.r.next, 100);
    (void)model_put(&m, 100, SPAN_LIT("x"), 1);
    assert_int_equal(m.next, 101);
    model_fini(&m);
}

static uint64_t
rnd(uint64_t *seed, uint64_t n)
{
    *seed = hash_mix(*seed, 1);
    return *seed % n;
}

/* Any segments, their bytes not even agreeing: the model decides. */
static void
test_random(void **state)
{
    uint8_t room[64];

    (void)state;
    for (uint64_t seed = 1; seed < 400; seed++) {
        uint64_t s = seed;
        struct model m;

        model_init(&m, (uint32_t)rnd(&s, UINT32_MAX));
        m.deny_in = seed % 3 == 0 ? (unsigned)rnd(&s, 20) : 0;
        while (m.next + sizeof(room) * 3 < MODEL_N) {
            uint32_t len = 1 + (uint32_t)rnd(&s, sizeof(room));
            uint64_t off = m.next + rnd(&s, sizeof(room) * 2);
            uint32_t cut = rnd(&s, 9) == 0 ? len / 2 : 0;

            off = off > 40 ? off - 40 : 0;
            memset(room, (int)rnd(&s, 2), sizeof(room));
            (void)model_put(&m, off, span_of(room, len - cut), len);
            if (rnd(&s, 20) == 0)
                model_give_up(&m, m.next + rnd(&s, 30));
        }
        model_fini(&m);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offsets), cmocka_unit_test(test_met),
        cmocka_unit_test(test_sent),    cmocka_unit_test(test_fin),
        cmocka_unit_test(test_resync),  cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
