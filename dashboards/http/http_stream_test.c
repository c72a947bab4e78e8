/* http_stream_test - streams that are read, not read, left, and too many */
#include "dashboards/http/http_test_server.h"

static void
until_text(int fd, struct buf *to, const char *text)
{
    while (span_search(buf_view(to), span_str(text)) == to->n)
        assert_true(kit_some(fd, to));
    buf_reset(to);
}

static int
open_stream(const struct kit *k, int receive_bytes)
{
    const int fd = kit_connect_to(k->ports[0], receive_bytes);
    struct buf got;

    buf_init(&got, 65536);
    kit_say(fd, GET("/stream"));
    until_text(fd, &got, "retry: 3000\n\n\r\n");
    buf_free(&got);
    return fd;
}

/* A client that is gone is seen when it is written to. */
static bool
is_gone(const struct kit *k)
{
    http_tell(k->http, "more", SPAN_NONE);
    return kit_conns(k) == 0;
}

static void
test_streams(void **state)
{
    struct kit *k = *state;
    struct buf got;
    int fd[2];

    buf_init(&got, 65536);
    for (size_t i = 0; i < 2; i++)
        fd[i] = open_stream(k, 0);
    assert_int_equal(kit_streams(k), 2);
    http_tell(k->http, "alert", SPAN_LIT("{\"id\":\n1}"));
    for (size_t i = 0; i < 2; i++)
        until_text(fd[i], &got, "event: alert\ndata: {\"id\": 1}\n\n\r\n");
    (void)close(fd[0]);
    for (unsigned i = 0; i < 3; i++) {
        http_tell(k->http, "position", SPAN_LIT("7"));
        until_text(fd[1], &got, "event: position\ndata: 7\n\n\r\n");
    }
    KIT_UNTIL(kit_streams(k) == 1);
    (void)close(fd[1]);
    KIT_UNTIL(is_gone(k));
    assert_int_equal(kit_streams(k), 0);
    buf_free(&got);
}

/* A client that reads gets all; one that does not is ended. */
static void
test_unread_stream(void **state)
{
    static char line[4096];
    struct http_options o = plain();
    struct kit k = {.calls = 0};
    int lazy, keen;
    struct buf got;

    (void)state;
    o.idle_s = 600; /* not by this it is ended */
    kit_start(&k, o);
    lazy = open_stream(&k, 1024);
    keen = open_stream(&k, 0);
    buf_init(&got, 65536);
    memset(line, 'x', sizeof(line));
    for (unsigned i = 0; i < 5000 && kit_streams(&k) == 2; i++) {
        (void)snprintf(line, 12, "%08u", i);
        line[8] = 'x';
        http_tell(k.http, "large", span_of(line, sizeof(line)));
        until_text(keen, &got, "x\n\n\r\n");
    }
    KIT_UNTIL(kit_streams(&k) == 1);
    assert_true(kit_is_over(lazy));
    http_tell(k.http, "small", SPAN_LIT("1"));
    until_text(keen, &got, "event: small\ndata: 1\n\n\r\n");
    (void)close(lazy);
    (void)close(keen);
    KIT_UNTIL(is_gone(&k));
    kit_stop(&k);
    buf_free(&got);
}

static void
test_many_streams(void **state)
{
    struct kit k = {.calls = 0};
    int fd[HTTP_STREAMS];

    (void)state;
    kit_start(&k, plain());
    for (size_t i = 0; i < HTTP_STREAMS; i++)
        fd[i] = open_stream(&k, 0);
    expect_refusal(kit_ask(&k, GET("/stream")), 503, "one stream more");
    kit_stop(&k); /* ends them */
    for (size_t i = 0; i < HTTP_STREAMS; i++) {
        assert_true(kit_is_over(fd[i]));
        (void)close(fd[i]);
    }
}

static bool
stays(void *ctx, uint64_t of)
{
    struct kit *k = ctx;
    bool open;

    (void)of;
    (void)pthread_mutex_lock(&k->lock);
    open = k->open;
    (void)pthread_mutex_unlock(&k->lock);
    return !open;
}

/* Whoever has it may not any more: it ends. */
static void
test_may_not_go_on(void **state)
{
    struct kit k = {.calls = 0};
    struct http_options o = plain();
    int fd;

    (void)state;
    o.stays = stays;
    kit_start(&k, o);
    fd = open_stream(&k, 0);
    assert_int_equal(kit_streams(&k), 1);
    kit_release(&k);
    KIT_UNTIL(kit_streams(&k) == 0);
    (void)close(fd);
    kit_stop(&k);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_unread_stream),
        cmocka_unit_test(test_many_streams),
        cmocka_unit_test(test_may_not_go_on),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
