/* http_jobs_test - answers that take their time */
#include "dashboards/http/http_test_server.h"

static void
test_close_during_job(void **state)
{
    struct kit k = {.calls = 0};
    int fd;

    (void)state;
    kit_start(&k, plain());
    fd = kit_connect(&k);
    kit_say(fd, GET("/slow"));
    KIT_UNTIL(kit_read(&k, &k.held) == 1);
    (void)close(fd);
    expect_text(kit_ask(&k, GET("/a")), 200, "0 0 127.0.0.1 0|/a|a||||||");
    kit_release(&k);
    KIT_UNTIL(kit_conns(&k) == 0);
    kit_stop(&k);
}

/* All jobs are busy and all places taken: one more is told so. */
static void
test_queue_full(void **state)
{
    const unsigned n = HTTP_JOBS + HTTP_WAITING;
    int fd[HTTP_JOBS + HTTP_WAITING];
    struct kit k = {.calls = 0};
    struct kit_got g;

    (void)state;
    kit_start(&k, plain());
    for (unsigned i = 0; i < HTTP_JOBS; i++) {
        fd[i] = kit_connect(&k);
        kit_say(fd[i], GET("/slow"));
    }
    KIT_UNTIL(kit_read(&k, &k.held) == HTTP_JOBS);
    for (unsigned i = HTTP_JOBS; i < n; i++) {
        fd[i] = kit_connect(&k);
        kit_say(fd[i], GET("/slow"));
    }
    do {
        g = kit_ask(&k, "POST /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    } while (g.closed);
    assert_string_equal(kit_field(&g, "Retry-After"), "2");
    expect_refusal(g, 503, "one more");
    kit_release(&k);
    for (unsigned i = 0; i < n; i++) {
        expect_text(kit_get(fd[i], false), 200, "slow");
        (void)close(fd[i]);
    }
    kit_stop(&k);
}

static void *
release_later(void *ctx)
{
    struct kit *k = ctx;

    (void)poll(NULL, 0, 50);
    kit_release(k);
    return NULL;
}

/* What is being made is given out; what waits is told no. */
static void
test_stop_during_job(void **state)
{
    struct kit k = {.calls = 0};
    int fd[HTTP_JOBS + 1], half;
    pthread_t thread;

    (void)state;
    kit_start(&k, plain());
    half = kit_connect(&k);
    kit_say(half, "GET /a");
    for (unsigned i = 0; i <= HTTP_JOBS; i++) {
        fd[i] = kit_connect(&k);
        kit_say(fd[i], i < HTTP_JOBS ? GET("/slow") : GET("/a"));
        KIT_UNTIL(kit_read(&k, &k.held) == (i < HTTP_JOBS ? i + 1 : i));
    }
    KIT_UNTIL(kit_conns(&k) == HTTP_JOBS + 2);
    assert_int_equal(pthread_create(&thread, NULL, release_later, &k), 0);
    http_close(k.http);
    k.http = NULL;
    for (unsigned i = 0; i < HTTP_JOBS; i++) {
        expect_text(kit_get(fd[i], false), 200, "slow");
        (void)close(fd[i]);
    }
    (void)close(fd[HTTP_JOBS]);
    assert_true(kit_is_over(half));
    (void)close(half);
    (void)pthread_join(thread, NULL);
    kit_stop(&k);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_close_during_job),
        cmocka_unit_test(test_queue_full),
        cmocka_unit_test(test_stop_during_job),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
