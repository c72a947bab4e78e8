/* Memory that is refused: hosts_new and snapshots fail whole, events are lost
 * and nothing else. */
#include "rules/host/hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/host/hosts_stream_kit.h"
#include "tests/support/alloc_fails.h"

static void
test_new(void **state)
{
    struct hosts_options o = kit_options();
    struct hosts *h;
    int n = 0;
    enum err e;

    (void)state;
    do {
        h = NULL;
        calls_left = n++;
        e = hosts_new(&o, &h);
        calls_left = -1;
        assert_true((e == ERR_OK) == (h != NULL));
        hosts_free(h);
    } while (e != ERR_OK);
    assert_true(n > 10);
}

/* One refusal anywhere in a stream. */
static void
test_events(void **state)
{
    struct hosts_options o = kit_options();

    (void)state;
    for (int n = 0; n < 40; n++) {
        struct kit_stream s = {.x = 77, .homes = 20, .step = NS_PER_S};
        struct kit_run k;

        kit_open(&k, &o);
        buf_grow(&k.text, 1 << 22); /* what the test itself needs */
        for (unsigned i = 0; i < 20; i++)
            stream_next(&k, &s);
        calls_left = n;
        for (unsigned i = 0; i < 200; i++)
            stream_next(&k, &s);
        calls_left = -1;
        kit_end(&k);
        kit_close(&k);
    }
}

static void
test_load(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_stream s = {.x = 77, .homes = 20, .step = NS_PER_S};
    struct kit_run k;
    struct buf a;
    struct buf b;
    enum err e = ERR_NOMEM;

    (void)state;
    buf_init(&a, SIZE_MAX / 2);
    buf_init(&b, SIZE_MAX / 2);
    kit_open(&k, &o);
    for (unsigned i = 0; i < 300; i++)
        stream_next(&k, &s);
    assert_int_equal(hosts_save(k.h, &a), ERR_OK);
    for (int n = 0; e != ERR_OK; n++) {
        calls_left = n;
        e = hosts_load(k.h, buf_view(&a));
        calls_left = -1;
        assert_true(e == ERR_OK || e == ERR_NOMEM);
        buf_reset(&b);
        assert_int_equal(hosts_save(k.h, &b), ERR_OK);
        assert_int_equal(a.n, b.n);
        assert_memory_equal(a.p, b.p, a.n);
    }
    buf_free(&a);
    buf_free(&b);
    kit_close(&k);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_load),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
