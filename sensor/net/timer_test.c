#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sensor/base/hash.h"
#include "sensor/net/timer.h"

#define SLOTS 300

static void
test_tick_of(void **state)
{
    (void)state;
    assert_int_equal(timer_tick_of(0), 0);
    assert_int_equal(timer_tick_of(1), 1);
    assert_int_equal(timer_tick_of(TIMER_TICK_NS), 1);
    assert_int_equal(timer_tick_of(TIMER_TICK_NS + 1), 2);
    assert_int_equal(timer_tick_of(UINT64_MAX), UINT64_MAX / TIMER_TICK_NS + 1);
}

/* The earliest of the model: equal ticks by slot. */
static uint32_t
earliest(const uint64_t *tick)
{
    uint32_t best = 0;

    for (uint32_t i = 1; i < SLOTS; i++) {
        if (tick[i] < tick[best])
            best = i;
    }
    return best;
}

static void
test_order(void **state)
{
    struct net_mem mem = {.max = UINT64_MAX};
    struct timer t = {0};
    uint64_t tick[SLOTS];
    uint64_t seed = 3;

    (void)state;
    memset(tick, 0xff, sizeof(tick));
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t slot;

        seed = hash_mix(seed, i);
        slot = (uint32_t)(seed % SLOTS);
        if (i < 10)
            assert_true(timer_reserve(&t, &mem, SLOTS * (i + 1) / 10));
        if (slot >= t.cap)
            continue;
        if ((seed >> 40) % 4 == 0) {
            timer_drop(&t, slot);
            tick[slot] = TIMER_NEVER;
        } else {
            tick[slot] = (seed >> 16) % 50;
            timer_set(&t, slot, tick[slot]);
        }
        assert_int_equal(timer_get(&t, slot), tick[slot]);
        assert_int_equal(timer_next(&t), tick[earliest(tick)]);
        if (timer_next(&t) != TIMER_NEVER)
            assert_int_equal(timer_next_slot(&t), earliest(tick));
    }
    timer_fini(&t, &mem);
    assert_int_equal(mem.used, 0);
}

static bool
deny(void *ctx)
{
    return --*(unsigned *)ctx == 0;
}

static void
test_no_memory(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 2; n++) {
        unsigned left = n;
        struct net_mem mem = {UINT64_MAX, UINT64_MAX, NULL, NULL};
        struct timer t = {0};

        mem = (struct net_mem){0, UINT64_MAX, deny, &left};
        assert_false(timer_reserve(&t, &mem, 10));
        assert_int_equal(mem.used, 0);
        assert_true(timer_reserve(&t, &mem, 10));
        timer_fini(&t, &mem);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tick_of),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
