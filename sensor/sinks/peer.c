#include "sensor/sinks/peer.h"

#include "sensor/base/attr.h"
#include "sensor/base/text.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define WHY_MAX       400U
#define BACKOFF_FIRST (100 * NS_PER_MS)
#define BACKOFF_MAX   (2 * NS_PER_S)
#define PATIENCE      (5 * NS_PER_S) /* for a connection, and for a handshake */
#define HEARING       (2 * NS_PER_S) /* of them for who is silent after it */
#define DEAD_MS       30000U         /* without an acknowledgement of TCP's */
#define GLANCE_MS     10U            /* nothing wakes us when a name is known */

/* ---- life ---- */

void
peer_init(struct peer *p)
{
    *p = (struct peer){.fd = -1, .backoff = BACKOFF_FIRST};
    buf_init(&p->why, WHY_MAX);
}

static enum err
no_target(const char *target, const char *what, struct buf *message)
{
    text_term(message, span_str(target));
    buf_str(message, what);
    return ERR_CONFIG;
}

enum err
peer_set_path(struct peer *p, const char *path, struct buf *message)
{
    if (path[0] == '\0' ||
        strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
        return no_target(path, ": not the path of a socket", message);
    p->target = strdup(path);
    return p->target != NULL ? ERR_OK : ERR_NOMEM;
}

enum err
peer_set_host(struct peer *p, const char *target, uint16_t otherwise,
              struct buf *message)
{
    if (!sink_host_port(target, otherwise, p->host, &p->port))
        return no_target(target, ": not HOST:PORT", message);
    p->target = strdup(target);
    return p->target != NULL ? ERR_OK : ERR_NOMEM;
}

static void
hang_up(struct peer *p)
{
    if (p->tls != NULL)
        peer_tls_stop(p->tls);
    if (p->fd >= 0)
        (void)close(p->fd);
    p->fd = -1;
    peer_name_drop(p->name);
    p->name = NULL;
    p->losses += p->state == PEER_UP;
    p->state = PEER_AWAY;
}

void
peer_fini(struct peer *p)
{
    hang_up(p);
    peer_tls_free(p->tls);
    p->tls = NULL;
    free(p->target);
    p->target = NULL;
    buf_free(&p->why);
}

void
peer_lost(struct peer *p, const char *why)
{
    if (why != NULL) {
        buf_reset(&p->why);
        text_term(&p->why, span_str(why));
    }
    hang_up(p);
    p->call_at = p->now + p->backoff;
    p->backoff = p->backoff < BACKOFF_MAX / 2 ? 2 * p->backoff : BACKOFF_MAX;
}

void
peer_leave(struct peer *p, ns_t call_at)
{
    hang_up(p);
    p->call_at = call_at;
}

void
peer_good(struct peer *p)
{
    p->backoff = BACKOFF_FIRST;
    buf_reset(&p->why);
}

/* ---- a call ---- */

/* Takes the answer of connect, or finds that it is still to come. */
static void
called(struct peer *p, int answer, int number)
{
    if (answer != 0 && number != EINPROGRESS) {
        peer_lost(p, strerrordesc_np(number));
        return;
    }
    p->state = PEER_CALLING;
    p->deadline = p->now + PATIENCE;
}

static void
call_path(struct peer *p)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int answer;

    memcpy(to.sun_path, p->target, strlen(p->target)); /* see peer_set_path */
    p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    answer = p->fd < 0
                 ? -1
                 : connect(p->fd, (const struct sockaddr *)&to, sizeof(to));
    called(p, answer, errno);
}

static void
call_address(struct peer *p, const struct addrinfo *to)
{
    unsigned patience = DEAD_MS;
    int answer = -1;

    p->fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                   IPPROTO_TCP);
    if (p->fd >= 0 && setsockopt(p->fd, IPPROTO_TCP, TCP_USER_TIMEOUT,
                                 &patience, sizeof(patience)) == 0)
        answer = connect(p->fd, to->ai_addr, to->ai_addrlen);
    called(p, answer, errno);
}

static void
call_host(struct peer *p)
{
    p->name = peer_name_ask(p->host, p->port);
    if (p->name == NULL) {
        peer_lost(p, "out of memory");
        return;
    }
    p->state = PEER_NAMING;
    p->deadline = p->now + PATIENCE;
}

/* The next one of its addresses. */
static void
call_named(struct peer *p)
{
    const struct addrinfo *all, *one;
    struct peer_name *name = p->name;
    unsigned n = 0;
    int number;

    if (!peer_name_answer(name, &number, &all))
        return;
    p->name = NULL;
    if (number != 0) {
        peer_lost(p, gai_strerror(number));
    } else {
        for (one = all; one != NULL; one = one->ai_next)
            n++;
        REQUIRE(n > 0);
        n = p->calls++ % n;
        for (one = all; n > 0; one = one->ai_next)
            n--;
        call_address(p, one);
    }
    peer_name_drop(name);
}

static void
answer_call(struct peer *p)
{
    struct pollfd fd = {.fd = p->fd, .events = POLLOUT};
    int number = 0;
    socklen_t n = sizeof(number);

    if (poll(&fd, 1, 0) <= 0)
        return;
    if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &number, &n) != 0)
        number = errno;
    if (number != 0) {
        peer_lost(p, strerrordesc_np(number));
    } else if (p->tls == NULL) {
        p->state = PEER_UP;
    } else if (!peer_tls_start(p->tls, p->fd)) {
        peer_lost(p, "out of memory");
    } else {
        p->state = PEER_SHAKING;
        p->deadline = p->now + PATIENCE;
    }
}

/* What TLS said stands in why already. */
static enum peer_io
lost_by_tls(struct peer *p, enum peer_io io)
{
    if (io == PEER_END)
        peer_lost(p, "the other side has closed it");
    else
        peer_lost(p, NULL);
    return PEER_FAILED;
}

static void
shake(struct peer *p)
{
    enum peer_io io;
    struct buf why;

    buf_init(&why, WHY_MAX);
    io =
        peer_tls_shake(p->tls, p->now + PATIENCE < p->deadline + HEARING, &why);
    if (io == PEER_DONE)
        p->state = PEER_UP;
    if (io > PEER_LATER) {
        buf_reset(&p->why);
        buf_span(&p->why, buf_view(&why));
        (void)lost_by_tls(p, io);
    }
    buf_free(&why);
}

bool
peer_turn(struct peer *p)
{
    if (p->state == PEER_NAMING)
        call_named(p);
    if (p->state == PEER_CALLING)
        answer_call(p);
    if (p->state == PEER_SHAKING)
        shake(p);
    return p->state == PEER_UP;
}

ns_t
peer_earlier(ns_t when, ns_t back)
{
    return when > back ? when - back : 0;
}

ns_t
peer_set_now(struct peer *p, ns_t now)
{
    const ns_t back = peer_earlier(p->now, now);

    p->call_at = peer_earlier(p->call_at, back);
    p->deadline = peer_earlier(p->deadline, back);
    p->now = now;
    return back;
}

void
peer_tick(struct peer *p, ns_t now)
{
    (void)peer_set_now(p, now);
    if (p->state == PEER_AWAY && now >= p->call_at) {
        if (p->host[0] == '\0')
            call_path(p);
        else
            call_host(p);
    }
    (void)peer_turn(p);
    if (p->state == PEER_NAMING && now > p->deadline) {
        buf_reset(&p->why);
        buf_str(&p->why, "its name is being looked up, for long");
    }
    if (p->state != PEER_CALLING && p->state != PEER_SHAKING)
        return;
    if (now > p->deadline)
        peer_lost(p, p->state == PEER_CALLING ? "nobody takes the call"
                                              : "TLS: no answer");
}

/* ---- bytes ---- */

/* The answer of recv or send. */
static enum peer_io
took(struct peer *p, ssize_t answer, int number, size_t *n)
{
    if (answer > 0) {
        *n = (size_t)answer;
        return PEER_DONE;
    }
    if (answer < 0 && (number == EAGAIN || number == EINTR))
        return PEER_LATER;
    peer_lost(p, answer == 0 ? "the other side has closed it"
                             : strerrordesc_np(number));
    return PEER_FAILED;
}

static enum peer_io
took_by_tls(struct peer *p, enum peer_io io, struct buf *why)
{
    if (io > PEER_LATER) {
        buf_reset(&p->why);
        buf_span(&p->why, buf_view(why));
        io = lost_by_tls(p, io);
    }
    buf_free(why);
    return io;
}

enum peer_io
peer_write(struct peer *p, struct span bytes, size_t *n)
{
    struct buf why;
    ssize_t answer;

    REQUIRE(p->state == PEER_UP && bytes.n > 0);
    if (p->tls == NULL) {
        answer = send(p->fd, bytes.p, bytes.n, MSG_NOSIGNAL | MSG_DONTWAIT);
        return took(p, answer, errno, n);
    }
    buf_init(&why, WHY_MAX);
    return took_by_tls(p, peer_tls_write(p->tls, bytes, n, &why), &why);
}

enum peer_io
peer_read(struct peer *p, uint8_t *room, size_t max, size_t *n)
{
    struct buf why;
    ssize_t answer;

    REQUIRE(p->state == PEER_UP && max > 0);
    if (p->tls == NULL) {
        answer = recv(p->fd, room, max, MSG_DONTWAIT);
        return took(p, answer, errno, n);
    }
    buf_init(&why, WHY_MAX);
    return took_by_tls(p, peer_tls_read(p->tls, room, max, n, &why), &why);
}

void
peer_wait(const struct peer *p, bool more, unsigned ms)
{
    struct pollfd fd = {.fd = p->fd, .events = POLLIN}; /* -1: passed over */

    if (p->state == PEER_CALLING || (p->state == PEER_UP && more))
        fd.events |= POLLOUT;
    if (p->tls != NULL && p->state == PEER_SHAKING)
        fd.events = peer_tls_events(p->tls);
    if (p->state == PEER_NAMING && ms > GLANCE_MS)
        ms = GLANCE_MS;
    (void)poll(&fd, 1, (int)ms);
}

void
peer_why(const struct peer *p, const char *kind, struct buf *out)
{
    buf_printf(out, "%s ", kind);
    text_term(out, span_str(p->target));
    buf_str(out, ": ");
    if (p->why.n > 0)
        buf_span(out, buf_view(&p->why));
    else
        buf_str(out, "no error");
}
