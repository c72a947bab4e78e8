#include "sensor/app/live_web.h"

#include "sensor/app/clock.h"
#include "sensor/app/confine.h"
#include "sensor/app/listen.h"
#include "sensor/app/live_report.h"
#include "sensor/app/live_room.h"
#include "sensor/app/log.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX (LIVE_METRICS_BYTES + 4096U)
#define BODY_MAX   LIVE_METRICS_BYTES
#define TURN_MS    200
#define PAGE_TRIES 100U /* while the core writes it */

/* ---- answers ---- */

/* The body goes to out; gives the status. */
typedef unsigned answer(const struct live_web_state *s, struct buf *out);

static unsigned
metrics(const struct live_web_state *s, struct buf *out)
{
    const struct live_core_board *b = &s->board->core;

    for (unsigned i = 0; i < PAGE_TRIES; i++) {
        const uint32_t version = atomic_load(&b->metrics_version);
        const size_t n = atomic_load(&b->metrics_bytes);

        buf_reset(out);
        buf_span(out, span_head(span_of(b->metrics, sizeof(b->metrics)), n));
        atomic_thread_fence(memory_order_acquire);
        if (version % 2 == 0 && n > 0 &&
            version == atomic_load(&b->metrics_version))
            return 200;
    }
    buf_reset(out);
    buf_str(out, "the core has made no page yet\n");
    return 503;
}

static void
put_blind(void *ctx, const struct live_check *c)
{
    if (!c->blind)
        return;
    buf_printf(ctx, "%s: ", c->name);
    buf_span(ctx, c->text);
    buf_putc(ctx, '\n');
}

static unsigned
healthz(const struct live_web_state *s, struct buf *out)
{
    live_health(s->board, s->limits, s->mono, s->utc, put_blind, out);
    if (out->n > 0)
        return 503;
    buf_str(out, "ok\n");
    return 200;
}

/* What is not journaled for want of room; it takes events all the same. */
static void
put_room(const struct live_board *b, struct buf *out)
{
    const uint64_t step = atomic_load(&b->core.room_step);
    const unsigned kinds =
        step < LIVE_ROOM_STEPS ? live_room_kinds((enum live_room_step)step) : 0;

    for (unsigned k = 0; k < KEEP_KINDS; k++) {
        if ((kinds >> k & 1U) != 0)
            buf_printf(out, "not journaled, the disk is full: %s\n",
                       keep_word((enum keep_kind)k));
    }
}

static unsigned
readyz(const struct live_web_state *s, struct buf *out)
{
    const struct live_board *b = s->board;
    bool ready = atomic_load(&b->core.ready) != 0;

    for (unsigned i = 0; i < b->n_workers && i < LIVE_WORKERS_MAX; i++)
        ready = ready && atomic_load(&b->worker[i].process.beat_mono_ns) != 0;
    buf_str(out, ready ? "ready\n" : "not ready\n");
    put_room(b, out);
    return ready ? 200 : 503;
}

static const struct {
    const char *path, *type;
    answer *body;
} routes[] = {
    {"/metrics", "text/plain; version=0.0.4; charset=utf-8", metrics},
    {"/healthz", "text/plain; charset=utf-8",                healthz},
    {"/readyz",  "text/plain; charset=utf-8",                readyz },
};

static const struct {
    unsigned status;
    const char *words;
} statuses[] = {
    {200, "OK"                 },
    {400, "Bad Request"        },
    {404, "Not Found"          },
    {405, "Method Not Allowed" },
    {503, "Service Unavailable"},
};

static void
put_answer(struct buf *out, unsigned status, const char *type,
           const struct buf *body)
{
    size_t i = 0;

    while (statuses[i].status != status)
        i++;
    buf_printf(out,
               "HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
               "%sCache-Control: no-store\r\nX-Content-Type-Options: nosniff"
               "\r\nConnection: close\r\n\r\n",
               status, statuses[i].words, type, body->n,
               status == 405 ? "Allow: GET\r\n" : "");
    buf_span(out, buf_view(body));
}

/* RFC 9112 3: method, target, version, a space between. False: it is not. */
static bool
read_line(struct span request, struct span *method, struct span *path)
{
    const struct span line = span_head(request, span_find(request, '\r'));
    const size_t first = span_find(line, ' ');
    const struct span rest =
        span_tail(line, first < line.n ? first + 1 : line.n);
    const size_t second = span_find(rest, ' ');
    const struct span target = span_head(rest, second);

    *method = span_head(line, first);
    *path = span_head(target, span_find(target, '?'));
    return line.n < request.n && second < rest.n && method->n > 0 &&
           span_starts(span_tail(rest, second + 1), SPAN_LIT("HTTP/1."));
}

void
live_web_answer(const struct live_web_state *s, struct span request,
                struct buf *out)
{
    struct span method, path;
    const char *type = "text/plain; charset=utf-8";
    unsigned status = 404;
    struct buf body;

    buf_init(&body, BODY_MAX);
    if (!read_line(request, &method, &path))
        status = 400;
    else if (!span_eq(method, SPAN_LIT("GET")))
        status = 405;
    for (size_t i = 0; status == 404 && i < ARRAY_LEN(routes); i++) {
        if (span_eq(path, span_str(routes[i].path))) {
            type = routes[i].type;
            status = routes[i].body(s, &body);
        }
    }
    if (body.n == 0)
        buf_str(&body, "GET /metrics, /healthz or /readyz\n");
    put_answer(out, status, type, &body);
    buf_free(&body);
}

/* ---- connections ---- */

struct connection {
    int fd; /* -1: free */
    ns_t until;
    size_t n, sent;
    struct buf out; /* empty: the request is not whole */
    uint8_t in[LIVE_WEB_REQUEST];
};

struct web {
    struct live *live;
    struct live_limits limits;
    int listener;
    ns_t now;
    struct connection c[LIVE_WEB_CONNECTIONS];
};

static void
end(struct connection *c)
{
    if (c->fd >= 0)
        (void)close(c->fd);
    buf_free(&c->out);
    c->fd = -1;
}

static void
answer_to(struct web *w, struct connection *c)
{
    const struct live_web_state s = {w->live->board, &w->limits, w->now,
                                     clock_of(CLOCK_REALTIME)};

    buf_init(&c->out, ANSWER_MAX);
    c->sent = 0;
    live_web_answer(&s, span_of(c->in, c->n), &c->out);
}

static void
hear(struct web *w, struct connection *c)
{
    const ssize_t n = recv(c->fd, c->in + c->n, sizeof(c->in) - c->n, 0);

    if (n <= 0) {
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            end(c);
        return;
    }
    c->n += (size_t)n;
    if (span_search(span_of(c->in, c->n), SPAN_LIT("\r\n\r\n")) < c->n ||
        c->n == sizeof(c->in))
        answer_to(w, c);
}

static void
tell(struct connection *c)
{
    const struct span rest = span_tail(buf_view(&c->out), c->sent);
    const ssize_t n = send(c->fd, rest.p, rest.n, MSG_NOSIGNAL);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    c->sent += n > 0 ? (size_t)n : 0;
    if (n <= 0 || c->sent == c->out.n)
        end(c);
}

static void
take(struct web *w)
{
    for (size_t i = 0; i < LIVE_WEB_CONNECTIONS; i++) {
        struct connection *c = &w->c[i];

        if (c->fd >= 0)
            continue;
        c->fd = accept4(w->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (c->fd < 0)
            return;
        c->n = 0;
        c->until = w->now + LIVE_WEB_NS;
    }
}

static void
turn(struct web *w)
{
    struct pollfd p[LIVE_WEB_CONNECTIONS + 1];
    bool room = false;

    for (size_t i = 0; i < LIVE_WEB_CONNECTIONS; i++) {
        const struct connection *c = &w->c[i];

        room |= c->fd < 0;
        p[i] = (struct pollfd){.fd = c->fd,
                               .events = c->out.n > 0 ? POLLOUT : POLLIN};
    }
    p[LIVE_WEB_CONNECTIONS] =
        (struct pollfd){.fd = room ? w->listener : -1, .events = POLLIN};
    (void)poll(p, ARRAY_LEN(p), TURN_MS);
    w->now = clock_of(CLOCK_MONOTONIC);
    for (size_t i = 0; i < LIVE_WEB_CONNECTIONS; i++) {
        struct connection *c = &w->c[i];

        if (c->fd >= 0 && p[i].revents != 0 && c->out.n == 0)
            hear(w, c);
        if (c->fd >= 0 && c->out.n > 0)
            tell(c);
        if (c->fd >= 0 && w->now > c->until)
            end(c);
    }
    if (p[LIVE_WEB_CONNECTIONS].revents != 0)
        take(w);
}

/* ---- life ---- */

static void
complain(const char *address)
{
    struct log_line l;

    log_begin(&l, LOG_AT_ERROR, "web_cannot_listen");
    log_string(&l, "address", span_str(address));
    log_string(&l, "why", span_str(err_text(err_from_errno(errno))));
    log_end(&l, STDERR_FILENO);
}

static enum err
open_listener(struct web *w)
{
    const char *text = w->live->cli->config.metrics_listen;
    struct addr a;
    uint16_t port;

    if (!listen_address(span_str(text), &a, &port))
        return ERR_CONFIG;
    w->listener = listen_open(&a, port);
    if (w->listener < 0) {
        complain(text);
        return ERR_IO;
    }
    return confine(CONFINE_WEB);
}

enum err
live_web_run(struct live *l)
{
    struct web *w = calloc(1, sizeof(*w));
    enum err e;

    if (w == NULL)
        return ERR_NOMEM;
    w->live = l;
    w->limits = live_report_limits(&l->cli->config);
    for (size_t i = 0; i < LIVE_WEB_CONNECTIONS; i++)
        w->c[i].fd = -1;
    e = open_listener(w);
    while (e == ERR_OK && *l->stop == 0) {
        atomic_store(&l->board->web.beat_mono_ns, clock_of(CLOCK_MONOTONIC));
        turn(w);
    }
    for (size_t i = 0; i < LIVE_WEB_CONNECTIONS; i++)
        end(&w->c[i]);
    free(w);
    return e;
}
