#ifndef SPAN25_DASHBOARDS_HTTP_TEST_KIT_H
#define SPAN25_DASHBOARDS_HTTP_TEST_KIT_H
/* http_test_kit - a server on loopback, and clients that may behave badly */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "dashboards/http/http.h"

#define KIT_PATIENCE_MS 9000

/* Jobs of /slow wait for `open`; `calls` and `held` are counted. */
struct kit {
    struct http *http;
    uint16_t ports[HTTP_LISTENERS];
    pthread_mutex_t lock;
    pthread_cond_t change;
    unsigned calls, held;
    bool open;
};

static inline uint16_t
kit_listener(int *fd)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t n = sizeof(at);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(*fd >= 0);
    assert_int_equal(bind(*fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(*fd, 4096), 0);
    assert_int_equal(getsockname(*fd, (struct sockaddr *)&at, &n), 0);
    return at.sin_port;
}

static inline void
kit_start(struct kit *k, struct http_options o)
{
    for (size_t i = 0; i < o.n_listeners; i++)
        k->ports[i] = kit_listener(&o.listeners[i].fd);
    (void)pthread_mutex_init(&k->lock, NULL);
    (void)pthread_cond_init(&k->change, NULL);
    o.ctx = k;
    assert_int_equal(http_open(&o, &k->http), ERR_OK);
}

static inline void
kit_release(struct kit *k)
{
    (void)pthread_mutex_lock(&k->lock);
    k->open = true;
    (void)pthread_cond_broadcast(&k->change);
    (void)pthread_mutex_unlock(&k->lock);
}

static inline void
kit_stop(struct kit *k)
{
    kit_release(k);
    http_close(k->http);
    (void)pthread_cond_destroy(&k->change);
    (void)pthread_mutex_destroy(&k->lock);
}

static inline unsigned
kit_read(struct kit *k, const unsigned *what)
{
    unsigned n;

    (void)pthread_mutex_lock(&k->lock);
    n = *what;
    (void)pthread_mutex_unlock(&k->lock);
    return n;
}

/* Waits for the fact; fails the test when it does not become one. */
#define KIT_UNTIL(fact)                                                        \
    do {                                                                       \
        int kit_left = KIT_PATIENCE_MS;                                        \
                                                                               \
        while (!(fact) && kit_left > 0) {                                      \
            (void)poll(NULL, 0, 2);                                            \
            kit_left -= 2;                                                     \
        }                                                                      \
        assert_true(kit_left > 0);                                             \
    } while (0)

static inline unsigned
kit_conns(const struct kit *k)
{
    unsigned conns, streams;

    http_count(k->http, &conns, &streams);
    return conns;
}

static inline unsigned
kit_streams(const struct kit *k)
{
    unsigned conns, streams;

    http_count(k->http, &conns, &streams);
    return streams;
}

/* ---- clients ---- */

static inline int
kit_connect_to(uint16_t port, int receive_bytes)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = port};
    const struct timeval t = {KIT_PATIENCE_MS / 1000, 0};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
    if (receive_bytes > 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes,
                         sizeof(receive_bytes));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    return fd;
}

static inline int
kit_connect(const struct kit *k)
{
    return kit_connect_to(k->ports[0], 0);
}

/* False: the other side has gone. */
static inline bool
kit_send(int fd, const void *p, size_t n)
{
    const char *at = p;

    while (n > 0) {
        const ssize_t k = send(fd, at, n, MSG_NOSIGNAL);

        if (k <= 0)
            return false;
        at += k;
        n -= (size_t)k;
    }
    return true;
}

static inline void
kit_say(int fd, const char *text)
{
    assert_true(kit_send(fd, text, strlen(text)));
}

/* An answer as it came; all of it is text with a NUL behind. */
struct kit_got {
    struct buf all;
    unsigned status;
    const char *body;
    size_t n_body;
    bool closed; /* no whole answer came */
};

static inline void
kit_drop(struct kit_got *g)
{
    buf_free(&g->all);
}

/* The value of a field, up to its end; NULL: there is none. */
static inline const char *
kit_field(const struct kit_got *g, const char *name)
{
    static __thread char value[1024];
    char key[128];
    const char *at;

    (void)snprintf(key, sizeof(key), "\r\n%s: ", name);
    at = g->all.p != NULL ? strcasestr((const char *)g->all.p, key) : NULL;
    if (at == NULL || (g->body != NULL && at > g->body))
        return NULL;
    at += strlen(key);
    (void)snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\r"), at);
    return value;
}

static inline bool
kit_byte(int fd, struct buf *to)
{
    uint8_t c;

    if (recv(fd, &c, 1, 0) != 1)
        return false;
    buf_putc(to, c);
    return true;
}

/* At least a byte. */
static inline bool
kit_some(int fd, struct buf *to)
{
    uint8_t some[16384];
    const ssize_t n = recv(fd, some, sizeof(some), 0);

    buf_put(to, some, n > 0 ? (size_t)n : 0);
    return n > 0;
}

static inline bool
kit_ends(const struct buf *b, const char *end)
{
    const size_t n = strlen(end);

    return b->n >= n && memcmp(b->p + b->n - n, end, n) == 0;
}

static inline bool
kit_take(int fd, struct buf *to, size_t n)
{
    uint8_t some[16384];

    while (n > 0) {
        const ssize_t k =
            recv(fd, some, n < sizeof(some) ? n : sizeof(some), 0);

        if (k <= 0)
            return false;
        buf_put(to, some, (size_t)k);
        n -= (size_t)k;
    }
    return true;
}

static inline void
kit_finish(struct kit_got *g, size_t n_head)
{
    buf_putc(&g->all, 0);
    g->all.n--;
    if (g->all.n < 12)
        return;
    g->status = (unsigned)strtoul((const char *)g->all.p + 9, NULL, 10);
    g->body = (const char *)g->all.p + n_head;
    g->n_body = g->all.n - n_head;
}

/* The next answer; `bodiless`: of a HEAD. */
static inline struct kit_got
kit_get(int fd, bool bodiless)
{
    struct kit_got g = {.closed = true};
    const char *length;
    size_t n_head;

    buf_init(&g.all, 80U << 20);
    while (!kit_ends(&g.all, "\r\n\r\n")) {
        if (!kit_byte(fd, &g.all)) {
            kit_finish(&g, g.all.n);
            return g;
        }
    }
    n_head = g.all.n;
    kit_finish(&g, n_head);
    length = kit_field(&g, "Content-Length");
    g.closed = length != NULL && !bodiless &&
               !kit_take(fd, &g.all, strtoul(length, NULL, 10));
    kit_finish(&g, n_head);
    return g;
}

/* One request on a connection of its own. */
static inline struct kit_got
kit_ask(const struct kit *k, const char *text)
{
    const int fd = kit_connect(k);
    struct kit_got g;

    (void)kit_send(fd, text, strlen(text));
    g = kit_get(fd, strncmp(text, "HEAD ", 5) == 0);
    (void)close(fd);
    return g;
}

/* The other side ends the connection, or has. */
static inline bool
kit_is_over(int fd)
{
    char some[4096];
    ssize_t n;

    while ((n = recv(fd, some, sizeof(some), 0)) > 0)
        ;
    return n == 0 || errno == ECONNRESET;
}

static inline bool
kit_files(rlim_t n)
{
    struct rlimit l;

    if (getrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_max < n)
        return false;
    if (l.rlim_cur < n)
        l.rlim_cur = l.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &l) == 0;
}

#endif
