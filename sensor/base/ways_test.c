#include "sensor/base/ways.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "sensor/base/frame.h"

struct thing {
    struct way way;
    uint64_t value;
};

static struct ways
fresh(size_t n)
{
    struct ways w;

    assert_int_equal(ways_init(&w, sizeof(struct thing), n), ERR_OK);
    return w;
}

static void
put(struct ways *w, uint64_t key, ns_t now)
{
    bool fresh;
    struct thing *t = ways_take(w, key, now, &fresh);

    t->value = key;
}

static void
keeps_the_eight_used_last(void **state)
{
    struct ways w = fresh(WAYS);

    (void)state;
    for (uint64_t k = 1; k <= WAYS; k++)
        put(&w, k, k);
    assert_int_equal(w.evicted, 0);
    put(&w, 1, 100); /* now 2 is the oldest */
    put(&w, 50, 101);
    assert_int_equal(w.evicted, 1);
    assert_null(ways_find(&w, 2));
    assert_non_null(ways_find(&w, 1));
    assert_int_equal(((struct thing *)ways_find(&w, 50))->value, 50);
    assert_int_equal(ways_count(&w), WAYS);
    ways_fini(&w);
}

static void
gives_new_entries_as_zeros(void **state)
{
    struct ways w = fresh(WAYS);
    bool is_new;

    (void)state;
    for (uint64_t k = 1; k <= 3 * WAYS; k++) {
        struct thing *t = ways_take(&w, k, k, &is_new);

        assert_true(is_new);
        assert_int_equal(t->value, 0);
        t->value = 1;
        assert_ptr_equal(ways_take(&w, k, k, &is_new), t);
        assert_false(is_new);
    }
    /* the key that means free */
    assert_null(ways_find(&w, 0));
    assert_non_null(ways_take(&w, 0, 999, &is_new));
    assert_true(is_new);
    ways_fini(&w);
}

static void
goes_on_alike_when_restored(void **state)
{
    struct ways a = fresh(64), b = fresh(64), c = fresh(128);
    struct cursor in;
    struct buf one, two;

    (void)state;
    buf_init(&one, 1U << 20);
    buf_init(&two, 1U << 20);
    for (uint64_t k = 1; k < 500; k++)
        put(&a, hash_mix(1, k % 90), k);
    ways_save(&a, &one);
    in = cur_open(buf_view(&one));
    assert_true(ways_load(&b, &in));
    for (uint64_t k = 500; k < 900; k++) {
        put(&a, hash_mix(1, k % 97), k);
        put(&b, hash_mix(1, k % 97), k);
    }
    buf_reset(&one);
    ways_save(&a, &one);
    ways_save(&b, &two);
    assert_true(span_eq(buf_view(&one), buf_view(&two)));
    in = cur_open(buf_view(&one));
    assert_false(ways_load(&c, &in));
    for (size_t n = 0; n < one.n; n += 7) {
        struct ways d = fresh(64);

        in = cur_open(span_head(buf_view(&one), n));
        assert_false(ways_load(&d, &in));
        ways_fini(&d);
    }
    buf_free(&one);
    buf_free(&two);
    ways_fini(&a);
    ways_fini(&b);
    ways_fini(&c);
}

/* What a damaged file could say, if its checksum were made to fit. */
static void
refuses_wrong_places(void **state)
{
    static const uint64_t places[] = {64, UINT64_MAX, 8};
    struct thing t = {
        .way = {.key = 64, .last = 1},
          .value = 3
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        struct ways w = fresh(64);
        struct cursor in;
        struct buf b;

        buf_init(&b, 1U << 10);
        frame_u64(&b, sizeof(t));
        frame_u64(&b, 64);
        frame_u64(&b, 0);
        frame_u64(&b, 1);
        frame_u64(&b, places[i]);
        buf_put(&b, &t, sizeof(t));
        in = cur_open(buf_view(&b));
        assert_false(ways_load(&w, &in));
        buf_free(&b);
        ways_fini(&w);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_eight_used_last),
        cmocka_unit_test(gives_new_entries_as_zeros),
        cmocka_unit_test(goes_on_alike_when_restored),
        cmocka_unit_test(refuses_wrong_places),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
