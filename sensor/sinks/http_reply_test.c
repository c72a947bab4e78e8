#include "sensor/sinks/http_reply.h"

#include "sensor/base/attr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define OK "HTTP/1.1 200 OK\r\n"

static const struct {
    const char *why, *in;
    enum http_state state;
    unsigned code;
    bool keeps;
    size_t rest; /* bytes that are of the next one */
} replies[] = {
    {"with a body",        OK "Content-Length: 2\r\n\r\nok",                               HTTP_DONE, 200, true,  0},
    {"of no bytes",        OK "Content-Length: 0\r\n\r\nHT",                               HTTP_DONE, 200, true,  2},
    {"no content",         "HTTP/1.1 204 \r\n\r\n",                                        HTTP_DONE, 204, true,  0},
    {"no phrase",          "HTTP/1.1 404\nContent-Length:0\n\n",                           HTTP_DONE, 404, true,
     0                                                                                                             },
    {"chunks",
     OK "transfer-encoding: gzip, Chunked\r\n\r\n5;x=y\r\nabcde\r\n"
        "A\r\n0123456789\r\n0\r\nX: y\r\n\r\n!",                                           HTTP_DONE, 200, true,  1},
    {"no end of its own",  OK "\r\nbody",                                                  HTTP_DONE, 200, false, 4},
    {"another coding",     OK "Transfer-Encoding: gzip\r\n\r\n",                           HTTP_DONE, 200,
     false,                                                                                                       0},
    {"both lengths",
     OK "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",                         HTTP_DONE,
     200,                                                                                                  false, 0},
    {"closing",            OK "Connection: Close\r\nContent-Length: 0\r\n\r\n",            HTTP_DONE,
     200,                                                                                                  false, 0},
    {"old",                "HTTP/1.0 503 no\r\nContent-Length: 0\r\n\r\n",                 HTTP_DONE, 503,
     false,                                                                                                       0},
    {"interim",            "HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 0\r\n\r\n",
     HTTP_DONE,                                                                                       200, true,  0},
    {"too long a body",    OK "Content-Length: 1048577\r\n\r\n",                           HTTP_DONE, 200,
     false,                                                                                                       0},
    {"just not",           OK "Content-Length: 1048576\r\n\r\n",                           HTTP_BODY, 200, true,  0},
    {"not yet",            OK "Content-Length: 3\r\n\r\nok",                               HTTP_BODY, 200, true,  0},
    {"another protocol",   "SSH-2.0-x\r\n",                                                HTTP_BAD,  0,   false, 0},
    {"HTTP/2",             "HTTP/2 200\r\n",                                               HTTP_BAD,  0,   false, 0},
    {"no code",            "HTTP/1.1 2x0 OK\r\n",                                          HTTP_BAD,  0,   false, 0},
    {"a long code",        "HTTP/1.1 2000 OK\r\n",                                         HTTP_BAD,  0,   false, 0},
    {"beyond codes",       "HTTP/1.1 600 OK\r\n",                                          HTTP_BAD,  0,   false, 0},
    {"switching",          "HTTP/1.1 101 x\r\n",                                           HTTP_BAD,  101, true,  0},
    {"two lengths",        OK "Content-Length: 2\r\nContent-Length: 3\r\n",                HTTP_BAD,
     200,                                                                                                  true,  0},
    {"twice the same",     OK "Content-Length: 2\r\nContent-Length: 2\r\n\r\nok",
     HTTP_DONE,                                                                                       200, true,  0},
    {"a negative length",  OK "Content-Length: -2\r\n",                                    HTTP_BAD,  200, true,  0},
    {"no field",           OK "hello\r\n",                                                 HTTP_BAD,  200, true,  0},
    {"no size of a chunk", OK "Transfer-Encoding: chunked\r\n\r\nx\r\n",
     HTTP_BAD,                                                                                        200, true,  0},
    {"a chunk too long",   OK "Transfer-Encoding: chunked\r\n\r\n123456789\r\n",
     HTTP_BAD,                                                                                        200, true,  0},
    {"no end of a chunk",  OK "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
     HTTP_BAD,                                                                                        200, true,  0},
};

/* Cut anywhere, the same. */
static void
test_replies(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
        struct span all = span_str(replies[i].in);

        for (size_t cut = 0; cut <= all.n; cut++) {
            struct http_reply r;
            size_t n;

            http_reply_init(&r);
            n = http_reply_feed(&r, span_head(all, cut));
            if (r.state < HTTP_DONE)
                n += http_reply_feed(&r, span_tail(all, cut));
            if (r.state != replies[i].state || r.code != replies[i].code ||
                r.keeps != replies[i].keeps ||
                (r.state == HTTP_DONE && all.n - n != replies[i].rest))
                fail_msg("%s, cut at %zu: %d, %u, %d, %zu", replies[i].why, cut,
                         (int)r.state, r.code, r.keeps, all.n - n);
        }
    }
}

static const struct {
    const char *why, *value;
    uint64_t s;
    ns_t at;
} waits[] = {
    {"seconds",  "120",                           120, 0},
    {"a date",   "Sun, 22 Nov 2026 10:55:17 GMT", 0,
     UINT64_C(1795344917) * NS_PER_S                    },
    {"neither",  "soon",                          0,   0},
    {"too many", "99999999999999999999",          0,   0},
    {"negative", "-1",                            0,   0},
};

static void
test_waits(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
        struct http_reply r;

        http_reply_init(&r);
        (void)http_reply_feed(&r,
                              SPAN_LIT("HTTP/1.1 429 slow\r\nRetry-After: "));
        (void)http_reply_feed(&r, span_str(waits[i].value));
        (void)http_reply_feed(&r, SPAN_LIT("\r\nContent-Length: 0\r\n\r\n"));
        if (r.state != HTTP_DONE ||
            r.has_retry != (waits[i].s + waits[i].at > 0) ||
            r.retry_s != waits[i].s || r.retry_at != waits[i].at)
            fail_msg("%s", waits[i].why);
    }
}

/* Heads without end, and bodies: at n - 1, n and n + 1. */
static void
test_bounds(void **state)
{
    static uint8_t room[HTTP_HEAD_MAX + 2];
    struct http_reply r;

    (void)state;
    memset(room, 'x', sizeof(room));
    for (size_t n = HTTP_HEAD_MAX - 1; n <= HTTP_HEAD_MAX + 1; n++) {
        http_reply_init(&r);
        assert_int_equal(http_reply_feed(&r, span_of(room, n)), n);
        assert_int_equal(r.state, n <= HTTP_HEAD_MAX ? HTTP_STATUS : HTTP_BAD);
    }
    http_reply_init(&r);
    (void)http_reply_feed(
        &r, SPAN_LIT(OK "Transfer-Encoding: chunked\r\n\r\nffffff\r\n"));
    while (r.state == HTTP_CHUNK)
        (void)http_reply_feed(&r, span_of(room, sizeof(room)));
    assert_int_equal(r.state, HTTP_DONE);
    assert_false(r.keeps);
    assert_true(r.body > HTTP_BODY_MAX && r.body < 2 * HTTP_BODY_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_waits),
        cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
