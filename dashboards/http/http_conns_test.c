#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc_fails.h"
#include "dashboards/http/gate.h"
#include "dashboards/http/http_conns.h"

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

static union address
address(const char *text)
{
    union address a = {.in.sin_family = AF_INET};

    if (inet_pton(AF_INET, text, &a.in.sin_addr) == 1)
        return a;
    a.in6.sin6_family = AF_INET6;
    assert_int_equal(inet_pton(AF_INET6, text, &a.in6.sin6_addr), 1);
    return a;
}

static struct http_conns *
conns(unsigned whole_s)
{
    struct http_conns *s = NULL;

    assert_int_equal(http_conns_new(whole_s, &s), ERR_OK);
    return s;
}

/* One address has HTTP_EACH; another, or one on the same /64, is told apart or
 * not. */
static void
test_each(void **state)
{
    static const struct {
        const char *one, *other;
        bool one_more, other_too;
    } rows[] = {
        {"192.0.2.1",        "192.0.2.2",       false, true },
        {"2001:db8::1",      "2001:db8::2",     false, false},
        {"2001:db8::1",      "2001:db8:0:1::1", false, true },
        {"::ffff:192.0.2.1", "192.0.2.1",       false, false},
        {"127.0.0.1",        "192.0.2.1",       true,  true },
        {"127.9.9.9",        "127.0.0.1",       true,  true },
        {"::1",              "127.0.0.1",       true,  true },
        {"::ffff:127.0.0.1", "127.0.0.1",       true,  true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const union address one = address(rows[i].one);
        const union address other = address(rows[i].other);
        struct http_conn *held[HTTP_EACH];
        struct http_conns *s = conns(1);

        for (size_t k = 0; k < HTTP_EACH; k++) {
            assert_true(http_conns_admit(s, &one.any));
            held[k] = http_conn_add(s, -1, &one.any);
            assert_non_null(held[k]);
        }
        assert_int_equal(http_conns_count(s), HTTP_EACH);
        assert_int_equal(http_conns_admit(s, &one.any), rows[i].one_more);
        assert_int_equal(http_conns_admit(s, &other.any), rows[i].other_too);
        http_conn_drop(s, held[HTTP_EACH / 2]);
        assert_true(http_conns_admit(s, &one.any));
        for (size_t k = 0; k < HTTP_EACH; k++)
            http_conn_drop(s, k == HTTP_EACH / 2 ? NULL : held[k]);
        assert_int_equal(http_conns_count(s), 0);
        http_conns_free(s);
    }
}

static bool
is_ended(int fd)
{
    char c;

    return recv(fd, &c, 1, MSG_DONTWAIT) == 0;
}

static void
test_seconds(void **state)
{
    static const struct {
        enum http_conn_state is;
        unsigned seconds;
    } rows[] = {
        {CONN_READS, 5          },
        {CONN_SENDS, HTTP_TAKE_S},
        {CONN_WORKS, 0          },
    };
    const union address a = address("192.0.2.1");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_conns *s = conns(5);
        struct http_conn *c;
        int fd[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
        c = http_conn_add(s, fd[0], &a.any);
        for (unsigned k = 0; k < 4; k++)
            http_conns_tick(s);
        http_conn_is(c, rows[i].is);
        for (unsigned k = 0; k < rows[i].seconds; k++)
            http_conns_tick(s);
        assert_false(is_ended(fd[1]));
        for (unsigned k = 0; k < 1000; k++)
            http_conns_tick(s);
        assert_int_equal(is_ended(fd[1]), rows[i].seconds > 0);
        http_conn_drop(s, c);
        http_conns_free(s);
        (void)close(fd[0]);
        (void)close(fd[1]);
    }
}

/* ---- allocations that fail ---- */

static void
no_answer(void *ctx, const struct http_request *r, struct http_answer *out)
{
    (void)ctx;
    (void)r;
    (void)out;
}

/* The listener stays the caller's. */
static void
test_server_without_memory(void **state)
{
    enum {
        PARTS = 4 /* server, connections, streams, jobs */
    };
    struct http_options o = {.n_listeners = 1, .answer = no_answer};
    struct http *h = NULL;
    struct gate_options none = {.n_proxies = 0};
    struct gate *g = NULL;

    (void)state;
    o.listeners[0].fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(listen(o.listeners[0].fd, 1), 0);
    for (int i = 0; i < PARTS; i++) {
        calls_left = i;
        assert_int_equal(http_open(&o, &h), ERR_NOMEM);
        calls_left = i;
        assert_int_equal(gate_new(&none, &g), ERR_NOMEM);
        calls_left = -1;
        assert_true(h == NULL && g == NULL);
    }
    assert_int_equal(close(o.listeners[0].fd), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_seconds),
        cmocka_unit_test(test_server_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
