#include "dashboards/http/http_conns.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "sensor/base/hash.h"

/* Addresses share a count by chance, once in so many. */
#define COUNTS 65536U

struct http_conn {
    struct http_conn *next, **place;
    int fd;
    enum http_conn_state state;
    unsigned seconds;
    size_t count; /* its place in counts, or COUNTS */
};

struct http_conns {
    struct http_conn *first;
    unsigned whole_s;
    uint64_t seed;
    atomic_uint n;
    uint16_t counts[COUNTS];
};

enum err
http_conns_new(unsigned whole_s, struct http_conns **out)
{
    struct http_conns *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return ERR_NOMEM;
    s->whole_s = whole_s;
    if (getrandom(&s->seed, sizeof(s->seed), 0) != sizeof(s->seed)) {
        free(s);
        return ERR_IO;
    }
    *out = s;
    return ERR_OK;
}

void
http_conns_free(struct http_conns *s)
{
    if (s == NULL)
        return;
    REQUIRE(s->first == NULL);
    free(s);
}

struct addr
http_conn_addr(const struct sockaddr *from)
{
    struct addr a = {{0}};

    if (from != NULL && from->sa_family == AF_INET) {
        struct sockaddr_in in;

        memcpy(&in, from, sizeof(in));
        a = addr_v4((const uint8_t *)&in.sin_addr);
    } else if (from != NULL && from->sa_family == AF_INET6) {
        struct sockaddr_in6 in;

        memcpy(&in, from, sizeof(in));
        a = addr_v6(in.sin6_addr.s6_addr);
    }
    return a;
}

static bool
is_loopback(const struct addr *a)
{
    static const struct addr one = {.b = {[15] = 1}};

    return addr_cmp(a, &one) == 0 || (addr_is_v4(a) && a->b[12] == 127);
}

/* COUNTS for whom none is kept. */
static size_t
count_of(const struct http_conns *s, const struct sockaddr *from)
{
    const struct addr a = http_conn_addr(from);

    if (is_loopback(&a))
        return COUNTS;
    return hash_span(span_of(a.b, addr_is_v4(&a) ? 16 : 8), s->seed) % COUNTS;
}

bool
http_conns_admit(const struct http_conns *s, const struct sockaddr *from)
{
    const size_t i = count_of(s, from);

    return i == COUNTS || s->counts[i] < HTTP_EACH;
}

struct http_conn *
http_conn_add(struct http_conns *s, int fd, const struct sockaddr *from)
{
    struct http_conn *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return NULL;
    c->fd = fd;
    c->count = count_of(s, from);
    if (c->count < COUNTS)
        s->counts[c->count]++;
    c->next = s->first;
    c->place = &s->first;
    if (c->next != NULL)
        c->next->place = &c->next;
    s->first = c;
    atomic_fetch_add(&s->n, 1);
    return c;
}

void
http_conn_drop(struct http_conns *s, struct http_conn *c)
{
    if (c == NULL)
        return;
    if (c->count < COUNTS)
        s->counts[c->count]--;
    *c->place = c->next;
    if (c->next != NULL)
        c->next->place = c->place;
    atomic_fetch_sub(&s->n, 1);
    free(c);
}

void
http_conn_is(struct http_conn *c, enum http_conn_state state)
{
    if (c == NULL)
        return;
    c->state = state;
    c->seconds = 0;
}

static unsigned
seconds_of(const struct http_conns *s, const struct http_conn *c)
{
    switch (c->state) {
    case CONN_READS: return s->whole_s;
    case CONN_WORKS: return UINT32_MAX;
    case CONN_SENDS: return HTTP_TAKE_S;
    }
    return UINT32_MAX;
}

/* The descriptor is open: it is closed only after http_conn_drop. */
void
http_conns_tick(struct http_conns *s)
{
    for (struct http_conn *c = s->first; c != NULL; c = c->next) {
        if (++c->seconds > seconds_of(s, c))
            (void)shutdown(c->fd, SHUT_RDWR);
    }
}

unsigned
http_conns_count(const struct http_conns *s)
{
    return atomic_load(&s->n);
}
