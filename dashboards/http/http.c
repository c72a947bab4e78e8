#include "dashboards/http/http.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "dashboards/http/http_ask.h"
#include "dashboards/http/http_conns.h"
#include "dashboards/http/http_jobs.h"
#include "dashboards/http/http_send.h"
#include "dashboards/http/http_stream.h"
#include "sensor/base/hash.h"

/* A connection's memory in libmicrohttpd: a head of HTTP_HEAD and its list. */
#define MEMORY 32768U
/* Answers that are ready get so long to be taken when the server ends. */
#define PARTING_MS 500U

struct side {
    struct http *h;
    unsigned number;
    bool secure;
    struct MHD_Daemon *daemon;
    int poll_fd;
};

struct http {
    struct http_options o;
    struct side sides[HTTP_LISTENERS];
    struct http_conns *conns;
    struct http_jobs *jobs;
    struct http_streams *streams;
    int wake, clock; /* descriptors */
    atomic_bool stop;
    bool has_thread;
    pthread_t thread;
    /* Of the thread that runs the daemons. */
    uint64_t seed, n_asked;
    size_t bodies, answers; /* bytes held */
    size_t n_asks;
};

/* ---- a request ---- */

static struct http_conn *
conn_of(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *i =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return i != NULL ? i->socket_context : NULL;
}

static const struct sockaddr *
sockaddr_of(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *i =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    return i != NULL ? i->client_addr : NULL;
}

/* The first line is there: its target as it came. */
static void *
on_target(void *ctx, const char *target, struct MHD_Connection *c)
{
    struct side *side = ctx;
    struct http *h = side->h;
    struct http_ask *k = http_ask_new(target);

    if (k == NULL)
        return NULL;
    k->c = c;
    k->r.listener = side->number;
    k->r.secure = side->secure;
    k->r.peer = http_conn_addr(sockaddr_of(c));
    (void)snprintf(k->r.id, sizeof(k->r.id), "%016llx",
                   (unsigned long long)hash_mix(h->seed, h->n_asked++));
    h->n_asks++;
    return k;
}

static enum MHD_Result
send_answer(struct http *h, struct http_ask *k)
{
    enum MHD_Result result;

    if (h->answers + k->a.body.cap > HTTP_ANSWERS)
        http_ask_refuse(k, 503, "too much is being sent at once");
    http_conn_is(conn_of(k->c), CONN_SENDS);
    result = http_send_answer(k, h->streams);
    h->answers += k->held;
    if (k->a.stream)
        http_conn_is(conn_of(k->c), CONN_WORKS);
    return result;
}

/* The request is whole. */
static enum MHD_Result
ask(struct http *h, struct http_ask *k)
{
    if (!http_ask_end(k))
        return send_answer(h, k);
    if (!http_jobs_put(h->jobs, k)) {
        http_ask_refuse(k, 503, "the server is busy");
        return send_answer(h, k);
    }
    http_conn_is(conn_of(k->c), CONN_WORKS);
    MHD_suspend_connection(k->c);
    return MHD_YES;
}

/* With the head, then with each piece of the body, at its end, and once more
 * when there is an answer. */
static enum MHD_Result
on_request(void *ctx, struct MHD_Connection *c, const char *url,
           const char *method, const char *version, const char *data,
           size_t *n_data, void **place)
{
    struct side *side = ctx;
    struct http *h = side->h;
    struct http_ask *k = *place;

    (void)c;
    (void)url;
    if (k == NULL)
        return MHD_NO;
    switch (k->state) {
    case ASK_HEAD:
        return http_ask_head(k, method, version, h->o.user_field)
                   ? MHD_YES
                   : send_answer(h, k);
    case ASK_BODY:
        if (*n_data > 0) {
            const struct span bytes = span_of(data, *n_data);

            *n_data = 0;
            return http_ask_body(k, bytes, &h->bodies) ? MHD_YES : MHD_NO;
        }
        return ask(h, k);
    case ASK_MADE: return send_answer(h, k);
    case ASK_WAITS:
    case ASK_SENT: *n_data = 0; return MHD_YES;
    }
    return MHD_NO;
}

static void
on_end(void *ctx, struct MHD_Connection *c, void **place,
       enum MHD_RequestTerminationCode how)
{
    struct side *side = ctx;
    struct http_ask *k = *place;

    (void)how;
    *place = NULL;
    if (k == NULL)
        return;
    side->h->n_asks--;
    side->h->bodies -= k->body.cap;
    side->h->answers -= k->held;
    http_ask_free(k);
    http_conn_is(conn_of(c), CONN_READS);
}

/* ---- a connection ---- */

static enum MHD_Result
on_admit(void *ctx, const struct sockaddr *from, socklen_t n)
{
    const struct side *side = ctx;

    (void)n;
    return http_conns_admit(side->h->conns, from) ? MHD_YES : MHD_NO;
}

static void
on_conn(void *ctx, struct MHD_Connection *c, void **place,
        enum MHD_ConnectionNotificationCode what)
{
    struct side *side = ctx;

    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *i =
            MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);

        *place = http_conn_add(side->h->conns, i->connect_fd, sockaddr_of(c));
        return;
    }
    http_conn_drop(side->h->conns, *place);
    *place = NULL;
}

/* The target is decoded by http_target. */
static size_t
on_unescape(void *ctx, struct MHD_Connection *c, char *text)
{
    (void)ctx;
    (void)c;
    return strlen(text);
}

/* ---- the thread of the daemons ---- */

static void
resume_answered(struct http *h)
{
    struct http_ask *k = http_jobs_done(h->jobs);

    while (k != NULL) {
        struct http_ask *next = k->next;

        MHD_resume_connection(k->c);
        k = next;
    }
}

/* Milliseconds until a daemon has to be run, whatever comes. */
static int
patience(const struct http *h)
{
    int ms = -1;

    for (size_t i = 0; i < h->o.n_listeners; i++) {
        MHD_UNSIGNED_LONG_LONG its;

        if (MHD_get_timeout(h->sides[i].daemon, &its) != MHD_YES)
            continue;
        if (ms < 0 || its < (MHD_UNSIGNED_LONG_LONG)ms)
            ms = its > 60000 ? 60000 : (int)its;
    }
    return ms;
}

static bool
has_come(int fd)
{
    uint64_t n;

    return read(fd, &n, sizeof(n)) == sizeof(n);
}

static void
run_daemons(struct http *h)
{
    for (size_t i = 0; i < h->o.n_listeners; i++)
        (void)MHD_run(h->sides[i].daemon);
}

/* One wait; what came is done. Gives whether a second is over. */
static bool
turn(struct http *h)
{
    struct pollfd p[HTTP_LISTENERS + 2] = {
        {.fd = h->wake,  .events = POLLIN},
        {.fd = h->clock, .events = POLLIN},
    };
    const size_t n = h->o.n_listeners;
    unsigned conns;
    bool second;

    for (size_t i = 0; i < n; i++)
        p[2 + i] = (struct pollfd){h->sides[i].poll_fd, POLLIN, 0};
    (void)poll(p, (nfds_t)(2 + n), patience(h));
    second = has_come(h->clock);
    if (has_come(h->wake)) {
        resume_answered(h);
        http_streams_run(h->streams);
    }
    if (second) {
        http_conns_tick(h->conns);
        http_streams_tick(h->streams);
    }
    conns = http_conns_count(h->conns);
    run_daemons(h);
    /* one that was full listens again only when it is run */
    if (http_conns_count(h->conns) < conns)
        run_daemons(h);
    return second;
}

static void
set_clock(const struct http *h, unsigned ms)
{
    const struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
    const struct itimerspec every = {t, t};

    (void)timerfd_settime(h->clock, 0, &every, NULL);
}

/* No job runs any more. */
static void
part(struct http *h)
{
    resume_answered(h);
    http_streams_end(h->streams);
    set_clock(h, PARTING_MS);
    while (h->n_asks > 0 && !turn(h))
        ;
    resume_answered(h);
    for (size_t i = 0; i < h->o.n_listeners; i++)
        MHD_stop_daemon(h->sides[i].daemon);
}

static void *
run(void *ctx)
{
    struct http *h = ctx;

    while (!atomic_load(&h->stop))
        (void)turn(h);
    http_jobs_stop(h->jobs);
    part(h);
    return NULL;
}

/* ---- life ---- */

static struct MHD_Daemon *
start_daemon(struct side *side, const struct http_listener *l, int fd)
{
    const struct http_options *o = &side->h->o;
    const unsigned idle = o->idle_s > 0 ? o->idle_s : HTTP_IDLE_S;
    const unsigned each = HTTP_CONNECTIONS / (unsigned)o->n_listeners;
    const struct MHD_OptionItem secret[] = {
        {MHD_OPTION_HTTPS_MEM_CERT,   0, (void *)(uintptr_t)l->certificate},
        {MHD_OPTION_HTTPS_MEM_KEY,    0, (void *)(uintptr_t)l->key        },
        {MHD_OPTION_HTTPS_PRIORITIES, 0,
         (void *)(uintptr_t) "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1"           },
        {MHD_OPTION_END,              0, NULL                             },
    };
    const struct MHD_OptionItem none[] = {
        {MHD_OPTION_END, 0, NULL}
    };

    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME |
            (side->secure ? MHD_USE_TLS : MHD_NO_FLAG),
        0, on_admit, side, on_request, side, MHD_OPTION_LISTEN_SOCKET,
        (MHD_socket)fd, MHD_OPTION_CONNECTION_LIMIT, each,
        MHD_OPTION_CONNECTION_TIMEOUT, idle, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)MEMORY, MHD_OPTION_NOTIFY_COMPLETED, on_end, side,
        MHD_OPTION_NOTIFY_CONNECTION, on_conn, side,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, side,
        MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, NULL, MHD_OPTION_ARRAY,
        side->secure ? secret : none, MHD_OPTION_END);
}

/* A copy of the descriptor: the caller keeps his own if this does not work. */
static enum err
open_side(struct http *h, unsigned number)
{
    const struct http_listener *l = &h->o.listeners[number];
    struct side *side = &h->sides[number];
    const union MHD_DaemonInfo *info;
    const int fd = fcntl(l->fd, F_DUPFD_CLOEXEC, 3);

    if (fd < 0)
        return ERR_IO;
    *side = (struct side){.h = h, .number = number};
    side->secure = l->certificate != NULL;
    side->daemon = start_daemon(side, l, fd);
    if (side->daemon == NULL)
        return side->secure ? ERR_CONFIG : ERR_IO;
    info = MHD_get_daemon_info(side->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (info == NULL)
        return ERR_IO;
    side->poll_fd = info->epoll_fd;
    return ERR_OK;
}

static enum err
open_parts(struct http *h)
{
    const struct http_jobs_options jobs = {h->o.answer, h->o.ctx, h->wake};
    const unsigned whole = h->o.whole_s > 0 ? h->o.whole_s : HTTP_WHOLE_S;
    enum err e;

    if (h->wake < 0 || h->clock < 0 ||
        getrandom(&h->seed, sizeof(h->seed), 0) != sizeof(h->seed))
        return ERR_IO;
    set_clock(h, 1000);
    e = http_conns_new(whole, &h->conns);
    if (e == ERR_OK)
        e = http_streams_new(h->wake, h->o.stays, h->o.ctx, &h->streams);
    for (unsigned i = 0; e == ERR_OK && i < h->o.n_listeners; i++)
        e = open_side(h, i);
    if (e == ERR_OK)
        e = http_jobs_new(&jobs, &h->jobs);
    return e;
}

/* Signals are for the program's first thread. */
static enum err
start_thread(struct http *h)
{
    sigset_t all, before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    h->has_thread = pthread_create(&h->thread, NULL, run, h) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return h->has_thread ? ERR_OK : ERR_NOMEM;
}

enum err
http_open(const struct http_options *o, struct http **out)
{
    struct http *h = calloc(1, sizeof(*h));
    enum err e;

    REQUIRE(o->n_listeners > 0 && o->n_listeners <= HTTP_LISTENERS);
    if (h == NULL)
        return ERR_NOMEM;
    h->o = *o;
    h->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    h->clock = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    e = open_parts(h);
    if (e == ERR_OK)
        e = start_thread(h);
    if (e != ERR_OK) {
        http_close(h);
        return e;
    }
    for (size_t i = 0; i < o->n_listeners; i++)
        (void)close(o->listeners[i].fd);
    *out = h;
    return ERR_OK;
}

void
http_tell(struct http *h, const char *kind, struct span data)
{
    http_stream_tell(h->streams, kind, data);
}

void
http_count(const struct http *h, unsigned *connections, unsigned *streams)
{
    *connections = http_conns_count(h->conns);
    *streams = http_streams_count(h->streams);
}

static void
stop_half_open(struct http *h)
{
    if (h->jobs != NULL)
        http_jobs_stop(h->jobs);
    for (size_t i = 0; i < HTTP_LISTENERS; i++) {
        if (h->sides[i].daemon != NULL)
            MHD_stop_daemon(h->sides[i].daemon);
    }
}

void
http_close(struct http *h)
{
    const uint64_t one = 1;

    if (h == NULL)
        return;
    if (h->has_thread) {
        atomic_store(&h->stop, true);
        (void)!write(h->wake, &one, sizeof(one));
        (void)pthread_join(h->thread, NULL);
    } else {
        stop_half_open(h);
    }
    http_jobs_free(h->jobs);
    http_streams_free(h->streams);
    http_conns_free(h->conns);
    if (h->wake >= 0)
        (void)close(h->wake);
    if (h->clock >= 0)
        (void)close(h->clock);
    free(h);
}
