#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sensor/net/shard.h"

/* Is c where a lookup by its tag comes by? */
static bool
is_found(const struct shard *s, const struct conn *c)
{
    for (uint32_t at = c->tag & s->mask; s->slot[at].conn != 0;
         at = (at + 1) & s->mask) {
        if (s->slot[at].conn == c->slot + 1)
            return s->slot[at].tag == c->tag;
    }
    return false;
}

static void
test_table(void **state)
{
    enum { N = 500 };
    struct conn *c[N] = {NULL};
    struct shard s;

    (void)state;
    shard_init(&s, 3, UINT64_MAX, UINT32_MAX);
    for (uint32_t i = 0; i < 10 * N; i++) {
        uint32_t k = i * 2654435761U % N;

        if (c[k] != NULL) {
            shard_remove(&s, c[k]);
            c[k] = NULL;
        } else {
            c[k] = shard_add(&s, k / 7 * 64); /* long runs, and over the end */
            assert_non_null(c[k]);
        }
        for (uint32_t j = 0; i % 50 == 0 && j < N; j++)
            assert_true(c[j] == NULL || is_found(&s, c[j]));
    }
    shard_fini(&s);
}

static void
test_lists(void **state)
{
    struct shard s;
    struct conn *c[5];

    (void)state;
    shard_init(&s, 0, UINT64_MAX, UINT32_MAX);
    assert_null(shard_victim(&s, 16));
    for (uint32_t i = 0; i < 5; i++) {
        c[i] = shard_add(&s, i);
        c[i]->last = 10 - i;
    }
    assert_ptr_equal(shard_victim(&s, 16), c[4]); /* the idlest */
    shard_list_set(&s, c[1], CONN_LIST_EMBRYO);
    shard_list_set(&s, c[2], CONN_LIST_EMBRYO);
    shard_list_set(&s, c[3], CONN_LIST_HOLES);
    assert_ptr_equal(shard_victim(&s, 16), c[1]);
    shard_list_set(&s, c[1], CONN_LIST_EMBRYO); /* to its end */
    assert_ptr_equal(shard_victim(&s, 16), c[2]);
    shard_list_set(&s, c[0], CONN_LIST_SPARE);
    assert_ptr_equal(shard_victim(&s, 16), c[0]);
    shard_remove(&s, c[0]);
    shard_remove(&s, c[2]);
    assert_ptr_equal(shard_victim(&s, 16), c[1]);
    shard_list_set(&s, c[1], CONN_LIST_NONE);
    assert_ptr_equal(shard_victim(&s, 16), c[4]);
    shard_fini(&s);
}

static void
test_room(void **state)
{
    struct shard s;

    (void)state;
    shard_init(&s, 0, UINT64_MAX, 2);
    assert_non_null(shard_add(&s, 1));
    assert_true(shard_has_room(&s));
    assert_non_null(shard_add(&s, 2));
    assert_false(shard_has_room(&s));
    shard_fini(&s);
    shard_init(&s, 0, 100000, UINT32_MAX);
    while (shard_has_room(&s))
        assert_non_null(shard_add(&s, s.n)); /* room said, room there */
    assert_true(s.n >= 128 && s.mem.used <= 100000);
    shard_fini(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
