/* http_test - a whole server on loopback, asked by polite and by rude clients;
 * with --many also 10,000 of them at once */
#include "dashboards/http/http_test_server.h"

/* ---- what every answer has ---- */

static void
test_fields(void **state)
{
    struct kit_got g = kit_ask(*state, GET("/a"));

    expect_fields(&g);
    assert_string_equal(kit_field(&g, "Cache-Control"), "no-store");
    assert_string_equal(kit_field(&g, "Content-Type"),
                        "text/plain; charset=utf-8");
    kit_drop(&g);
    g = kit_ask(*state, GET("/download"));
    assert_int_equal(g.status, 429);
    expect_fields(&g);
    assert_string_equal(kit_field(&g, "Retry-After"), "7");
    assert_string_equal(kit_field(&g, "Set-Cookie"), "a=b; HttpOnly");
    assert_string_equal(kit_field(&g, "Content-Disposition"),
                        "attachment; filename=\"_._a__b___.csv\"");
    kit_drop(&g);
    expect_refusal(kit_ask(*state, GET("/cut")), 500, "answer cut short");
}

static void
test_asked(void **state)
{
    expect_text(kit_ask(*state, "POST /a HTTP/1.1\r\nhost: h:1\r\nORIGIN: o\r\n"
                                "Cookie: c=1; d=2\r\nX-CSRF-Token: t\r\n"
                                "X-Remote-User: u\r\nContent-Type: j\r\n"
                                "Sec-Fetch-Site: same-origin\r\n"
                                "Content-Length: 0\r\n\r\n"),
                200, "1 0 127.0.0.1 0|/a|h:1|o|c=1; d=2|t|u|j|same-origin");
}

static void
test_head(void **state)
{
    const int fd = kit_connect(*state);
    struct kit_got g;

    kit_say(fd, "HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n");
    g = kit_get(fd, true);
    assert_int_equal(g.status, 200);
    assert_true(strtoul(kit_field(&g, "Content-Length"), NULL, 10) > 0);
    kit_drop(&g);
    kit_say(fd, "HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    g = kit_get(fd, true);
    assert_string_equal(kit_field(&g, "Content-Type"), "text/event-stream");
    kit_drop(&g);
    kit_say(fd, GET("/b"));
    expect_text(kit_get(fd, false), 200, "0 0 127.0.0.1 0|/b|a||||||");
    (void)close(fd);
}

static void
test_kept(void **state)
{
    static const char *const same[] = {
        "\"0123456789abcdef0123456789abcdef\"",
        "W/\"0123456789abcdef0123456789abcdef\"",
        "\"x\", \"0123456789abcdef0123456789abcdef\"",
        "*",
    };
    struct kit_got g = kit_ask(*state, GET("/kept"));

    assert_int_equal(g.status, 200);
    assert_string_equal(kit_field(&g, "Content-Encoding"), "gzip");
    assert_string_equal(kit_field(&g, "Vary"), "Accept-Encoding");
    assert_string_equal(kit_field(&g, "ETag"), same[0]);
    assert_non_null(strstr(kit_field(&g, "Cache-Control"), "immutable"));
    assert_string_equal(g.body, "not really compressed");
    kit_drop(&g);
    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        char text[256];

        (void)snprintf(text, sizeof(text),
                       "GET /kept HTTP/1.1\r\nHost: a\r\n"
                       "If-None-Match: %s\r\n\r\n",
                       same[i]);
        g = kit_ask(*state, text);
        assert_int_equal(g.status, 304);
        assert_string_equal(kit_field(&g, "ETag"), same[0]);
        expect_fields(&g);
        kit_drop(&g);
    }
    g = kit_ask(*state, "GET /kept HTTP/1.1\r\nHost: a\r\n"
                        "If-None-Match: \"other\", x\r\n\r\n");
    assert_int_equal(g.status, 200);
    kit_drop(&g);
}

static void
test_gzip(void **state)
{
    static const struct {
        const char *list;
        unsigned status;
    } rows[] = {
        {"gzip",                   200},
        {"br, GZIP;q=0.5",         200},
        {"*",                      200},
        {"*;q=0, gzip",            200},
        {"identity",               406},
        {"gzip;q=0",               406},
        {"gzip; q=0.000, *;q=1.0", 406},
        {"",                       406},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[256];
        struct kit_got g;

        (void)snprintf(text, sizeof(text),
                       "GET /kept HTTP/1.1\r\nHost: a\r\n"
                       "Accept-Encoding: %s\r\n\r\n",
                       rows[i].list);
        g = kit_ask(*state, text);
        if (g.status != rows[i].status)
            fail_msg("%s: %u", rows[i].list, g.status);
        kit_drop(&g);
    }
}

/* ---- what is refused before anybody is asked ---- */

static const struct {
    const char *why, *text;
    unsigned status;
} refused[] = {
    {"bad percent sign",                GET("/a%zz"),                                              400},
    {"half a percent sign",             GET("/a%4"),                                               400},
    {"percent sign alone",              GET("/%"),                                                 400},
    {"NUL in the path",                 GET("/a%00b"),                                             400},
    {"line end in the path",            GET("/a%0d%0ab"),                                          400},
    {"up",                              GET("/../etc/passwd"),                                     400},
    {"up in the middle",                GET("/a/../b"),                                            400},
    {"up at the end",                   GET("/a/.."),                                              400},
    {"up, encoded",                     GET("/%2e%2e/b"),                                          400},
    {"up with an encoded slash",        GET("/a%2f..%2fb"),                                        400},
    {"up with a backslash",             GET("/a\\..\\b"),                                          400},
    {"backslash, encoded",              GET("/a%5cb"),                                             400},
    {"here",                            GET("/./a"),                                               400},
    {"no slash",                        GET("a"),                                                  400},
    {"whole address",                   GET("http://a/b"),                                         400},
    {"NUL in a parameter",              GET("/a?b=%00"),                                           400},
    {"bad percent sign in a parameter", GET("/a?b=%f"),                                            400},
    {"bad percent sign in a name",      GET("/a?%g0"),                                             400},
    {"33 parameters",
     GET("/?a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a"),
     400                                                                                              },
    {"no Host",                         "GET /a HTTP/1.1\r\n\r\n",                                 400},
    {"two Hosts",                       "GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",           400},
    {"two empty Hosts",                 "GET /a HTTP/1.1\r\nHost:\r\nHost:\r\n\r\n",               400},
    {"two users",
     "GET /a HTTP/1.1\r\nHost: a\r\nX-Remote-User: a\r\n"
     "x-remote-user: b\r\n\r\n",                                                                   400},
    {"two lengths",
     "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
     "Content-Length: 1\r\n\r\na",                                                                 400},
    {"length and coding",
     "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",                                                400},
    {"unknown coding",
     "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n"
     "\r\n0\r\n\r\n",                                                                              400},
    {"PUT",                             "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 405},
    {"OPTIONS",                         "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",                   405},
    {"TRACE",                           "TRACE /a HTTP/1.1\r\nHost: a\r\n\r\n",                    405},
    {"lower case",                      "get /a HTTP/1.1\r\nHost: a\r\n\r\n",                      405},
    {"long body",
     "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n"
     "Expect: 100-continue\r\n\r\n",                                                               413},
};

static void
test_refused(void **state)
{
    struct kit *k = *state;
    const unsigned before = kit_read(k, &k->calls);

    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        expect_refusal(kit_ask(k, refused[i].text), refused[i].status,
                       refused[i].why);
    assert_int_equal(kit_read(k, &k->calls), before);
}

static void
test_target(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {GET("/"),                        "/"                     },
        {GET("/a%20b+c"),                 "/a b+c"                },
        {GET("/%C3%a9/..a/b../...?"),     "/\xc3\xa9/..a/b../..." },
        {GET("/10.0.0.0%2f8"),            "/10.0.0.0/8"           },
        {GET("/%252e%252e/"),             "/%2e%2e/"              },
        {GET("/a?b=c+d%2Be&f&=g&&h=i=j"), "/a?b=c d+e&f=&=g&h=i=j"},
        {GET("/?a=..%2f%5c%0a"),          "/?a=../\\\n"           },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char want[256];

        (void)snprintf(want, sizeof(want), "0 0 127.0.0.1 0|%s|a||||||",
                       rows[i].want);
        expect_text(kit_ask(*state, rows[i].text), 200, want);
    }
}

/* Whatever is no HTTP ends the connection, and nobody is asked. */
static void
test_garbage(void **state)
{
    static const char nul[] = "GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n";
    static const char *const rows[] = {
        "\x16\x03\x01\x02\r\n\r\n",
        "GET\r\n\r\n",
        "GET /a HTTP/9.9\r\nHost: a\r\n\r\n",
        "HELO a\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "zz\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "fffffffffffffffff\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: a\r\n"
        "Content-Length: 99999999999999999999\r\n\r\n",
    };
    struct kit *k = *state;
    const unsigned before = kit_read(k, &k->calls);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const int fd = kit_connect(k);

        kit_say(fd, rows[i]);
        assert_true(kit_is_over(fd));
        (void)close(fd);
    }
    assert_int_equal(kit_read(k, &k->calls), before);
    for (size_t i = 0; i < 2; i++) {
        const int fd = kit_connect(k);

        (void)kit_send(fd, nul, sizeof(nul) - 1);
        (void)shutdown(fd, SHUT_WR);
        assert_true(kit_is_over(fd));
        (void)close(fd);
    }
    expect_text(kit_ask(k, GET("/b")), 200, "0 0 127.0.0.1 0|/b|a||||||");
}

/* n bytes of head in all. */
static void
head_of(struct buf *out, size_t n)
{
    buf_init(out, n + 64);
    buf_str(out, "GET /a HTTP/1.1\r\nHost: a\r\nX: ");
    while (out->n < n - 4)
        buf_putc(out, 'x');
    buf_str(out, "\r\n\r\n");
}

static void
test_huge_head(void **state)
{
    struct buf text;

    head_of(&text, HTTP_HEAD - 64);
    buf_putc(&text, 0);
    expect_text(kit_ask(*state, (char *)text.p), 200,
                "0 0 127.0.0.1 0|/a|a||||||");
    buf_free(&text);
    head_of(&text, HTTP_HEAD + 64);
    buf_putc(&text, 0);
    expect_refusal(kit_ask(*state, (char *)text.p), 431, "head of 16 KiB");
    buf_free(&text);
    head_of(&text, 1U << 20);
    for (size_t i = 0; i < 2; i++) {
        const int fd = kit_connect(*state);

        /* the second has no line end in it */
        (void)kit_send(fd, text.p + i * 3, text.n - 4);
        assert_true(kit_is_over(fd));
        (void)close(fd);
    }
    buf_free(&text);
}

/* ---- bodies ---- */

static void
put_body(int fd, bool chunked, size_t n)
{
    char head[128], chunk[16];
    char *some = malloc(n + 1);

    assert_non_null(some);
    memset(some, 'b', n);
    (void)snprintf(head, sizeof(head),
                   chunked ? "POST /echo HTTP/1.1\r\nHost: a\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n"
                           : "POST /echo HTTP/1.1\r\nHost: a\r\n"
                             "Content-Length: %zu\r\n\r\n",
                   n);
    kit_say(fd, head);
    for (size_t at = 0, k = 0; at < n; at += k) {
        k = chunked && n - at > 30000 ? 30000 : n - at;
        (void)snprintf(chunk, sizeof(chunk), "%zx\r\n", k);
        if (chunked)
            kit_say(fd, chunk);
        assert_true(kit_send(fd, some + at, k));
        if (chunked)
            kit_say(fd, "\r\n");
    }
    if (chunked)
        kit_say(fd, "0\r\n\r\n");
    free(some);
}

static void
test_bodies(void **state)
{
    for (int chunked = 0; chunked < 2; chunked++) {
        const int fd = kit_connect(*state);
        struct kit_got g;

        put_body(fd, chunked == 1, HTTP_BODY);
        g = kit_get(fd, false);
        assert_int_equal(g.status, 200);
        assert_int_equal(g.n_body, HTTP_BODY);
        assert_int_equal(g.body[HTTP_BODY - 1], 'b');
        kit_drop(&g);
        put_body(fd, chunked == 1, 0);
        expect_text(kit_get(fd, false), 200, "");
        (void)close(fd);
    }
}

static void
test_chunked_too_long(void **state)
{
    int fd = kit_connect(*state);
    bool open = true;
    size_t sent = 0;

    put_body(fd, true, HTTP_BODY + 1);
    expect_refusal(kit_get(fd, false), 413, "one byte more");
    (void)close(fd);
    /* without an end: cut off */
    fd = kit_connect(*state);
    kit_say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\n"
                "Transfer-Encoding: chunked\r\n\r\n");
    while (open && sent < 64U << 20) {
        static char chunk[6 + 65536 + 2];

        memcpy(chunk, "10000\r\n", 7);
        memset(chunk + 7, 'b', 65535);
        memcpy(chunk + sizeof(chunk) - 2, "\r\n", 2);
        open = kit_send(fd, chunk, 7) && kit_send(fd, chunk + 7, 65535) &&
               kit_send(fd, "b\r\n", 3);
        sent += 65536;
    }
    assert_false(open);
    (void)close(fd);
}

/* ---- connections ---- */

static void
test_pipelining(void **state)
{
    const int fd = kit_connect(*state);

    kit_say(fd, GET("/1") "POST /echo HTTP/1.1\r\nHost: a\r\n"
                          "Content-Length: 5\r\n\r\nhello" GET("/%zz"));
    expect_text(kit_get(fd, false), 200, "0 0 127.0.0.1 0|/1|a||||||");
    expect_text(kit_get(fd, false), 200, "hello");
    expect_refusal(kit_get(fd, false), 400, "third of three");
    assert_true(kit_is_over(fd));
    (void)close(fd);
}

static void
test_old(void **state)
{
    const int fd = kit_connect(*state);

    kit_say(fd, "GET /a HTTP/1.0\r\n\r\n");
    expect_text(kit_get(fd, false), 200, "0 0 127.0.0.1 0|/a|||||||");
    assert_true(kit_is_over(fd));
    (void)close(fd);
}

static void
test_large(void **state)
{
    const int fd = kit_connect_to(((struct kit *)*state)->ports[0], 4096);
    struct kit_got g;

    kit_say(fd, GET("/large"));
    g = kit_get(fd, false);
    assert_int_equal(g.n_body, 4U << 20);
    assert_false(g.closed);
    kit_drop(&g);
    /* gone in the middle of it */
    kit_say(fd, GET("/large"));
    g = (struct kit_got){.status = 0};
    buf_init(&g.all, 100);
    (void)kit_take(fd, &g.all, 100);
    kit_drop(&g);
    (void)close(fd);
    KIT_UNTIL(kit_conns(*state) == 0);
}

static void
test_two_listeners(void **state)
{
    struct http_options o = plain();
    struct kit k = {.calls = 0};
    struct kit_got g;
    int fd;

    (void)state;
    o.n_listeners = 2;
    kit_start(&k, o);
    fd = kit_connect_to(k.ports[1], 0);
    kit_say(fd, GET("/"));
    g = kit_get(fd, false);
    assert_string_equal(g.body, "0 1 127.0.0.1 0|/|a||||||");
    kit_drop(&g);
    (void)close(fd);
    expect_text(kit_ask(&k, GET("/")), 200, "0 0 127.0.0.1 0|/|a||||||");
    kit_stop(&k);
}

/* Nothing, a byte of a head now and then, a byte of a body now and then: all
 * are ended, while others are answered. */
static void
test_loris(void **state)
{
    struct http_options o = plain();
    struct kit k = {.calls = 0};
    int fd[3];

    (void)state;
    o.idle_s = o.whole_s = 1;
    kit_start(&k, o);
    for (size_t i = 0; i < 3; i++)
        fd[i] = kit_connect(&k);
    kit_say(fd[1], "GET / HTTP/1.1\r\n");
    kit_say(fd[2], "POST / HTTP/1.1\r\nHost: a\r\n"
                   "Content-Length: 1000000\r\n\r\n");
    KIT_UNTIL(kit_conns(&k) == 3);
    for (unsigned i = 0; kit_conns(&k) > 0; i++) {
        assert_true(i < 400);
        (void)kit_send(fd[1], "x", 1);
        (void)kit_send(fd[2], "x", 1);
        (void)poll(NULL, 0, 20);
        if (i == 5)
            expect_text(kit_ask(&k, GET("/")), 200,
                        "0 0 127.0.0.1 0|/|a||||||");
    }
    for (size_t i = 0; i < 3; i++) {
        assert_true(kit_is_over(fd[i]));
        (void)close(fd[i]);
    }
    kit_stop(&k);
}

/* The clients are another process: descriptors are counted by process. */
static pid_t
crowd(unsigned n, int port_from, int said)
{
    const pid_t pid = fork();
    uint16_t port;

    if (pid != 0)
        return pid;
    if (read(port_from, &port, sizeof(port)) != sizeof(port))
        _exit(1);
    for (unsigned i = 0; i < n; i++)
        (void)kit_send(kit_connect_to(port, 0), "GET ", i % 2 * 4);
    (void)!write(said, "x", 1);
    (void)!read(port_from, &port, 1);
    _exit(0);
}

static void
with_many(unsigned n)
{
    struct http_options o = plain();
    struct kit k = {.calls = 0};
    int down[2], up[2];
    pid_t pid;
    char c;

    assert_int_equal(pipe(down), 0);
    assert_int_equal(pipe(up), 0);
    assert_true(kit_files(n + 100));
    pid = crowd(n, down[0], up[1]);
    o.idle_s = o.whole_s = 600;
    kit_start(&k, o);
    assert_int_equal(write(down[1], k.ports, 2), 2);
    assert_int_equal(read(up[0], &c, 1), 1);
    KIT_UNTIL(kit_conns(&k) == n);
    for (unsigned i = 0; i < 100; i++)
        expect_text(kit_ask(&k, GET("/a")), 200, "0 0 127.0.0.1 0|/a|a||||||");
    assert_in_range(kit_conns(&k), n, n + 1);
    kit_stop(&k);
    (void)close(down[1]);
    (void)close(down[0]);
    (void)close(up[0]);
    (void)close(up[1]);
    (void)kill(pid, SIGTERM);
    (void)waitpid(pid, NULL, 0);
}

static void
test_2000_idle(void **state)
{
    (void)state;
    with_many(2000);
}

static void
test_10000_idle(void **state)
{
    (void)state;
    with_many(HTTP_CONNECTIONS - 1);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_asked),
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_target),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_huge_head),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_chunked_too_long),
        cmocka_unit_test(test_pipelining),
        cmocka_unit_test(test_old),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_two_listeners),
        cmocka_unit_test(test_loris),
        cmocka_unit_test(test_2000_idle),
    };
    const struct CMUnitTest many[] = {
        cmocka_unit_test(test_10000_idle),
    };

    if (argc > 1 && strcmp(argv[1], "--many") == 0)
        return cmocka_run_group_tests(many, NULL, NULL);
    return cmocka_run_group_tests(tests, begin, end);
}
