#include "sensor/sinks/sink_stream.h"

#include "sensor/base/attr.h"
#include "sensor/base/digits.h"
#include "sensor/base/text.h"
#include "sensor/sinks/sink_queue.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define WHY_MAX       400U
#define PORT_SYSLOG   601U /* RFC 6587 */
#define BACKOFF_FIRST (100 * NS_PER_MS)
#define BACKOFF_MAX   (2 * NS_PER_S)
#define PATIENCE      (5 * NS_PER_S) /* for a connection */
#define DEAD_MS       30000U         /* without an acknowledgement of TCP's */
#define GLANCE_MS     5U /* nothing wakes us when bytes leave our side */
#define HEADER_MAX    400U
#define HOSTNAME_MAX  255U /* RFC 5424 6.2.4 */

enum state { AWAY, CALLING, UP };

struct stream_sink {
    struct sink sink;
    struct sink_queue q;
    int fd; /* -1: none */
    enum state state;
    ns_t now, call_at, deadline, backoff;
    char *target;
    char host[SINK_HOST_MAX];
    uint16_t port;
    unsigned calls;   /* made so far */
    size_t at;        /* bytes of the next line that are written */
    uint64_t written; /* bytes, on this connection */
    unsigned facility;
    struct buf frame; /* the line that is being taken */
    struct buf why;
};

#define QUEUE_OPTIONS                                                          \
    {"queue-lines", "1000", 1, 1000000, "lines that wait to be read"},         \
    {                                                                          \
        "queue-mib", "16", 1, 16384, "MiB of them"                             \
    }

static const struct sink_option unix_options[] = {
    QUEUE_OPTIONS,
    {NULL, NULL, 0, 0, NULL},
};

static const struct sink_option syslog_options[] = {
    QUEUE_OPTIONS,
    {"facility", "16", 0, 23, "number of RFC 5424; 16 is local0"},
    {NULL,       NULL, 0, 0,  NULL                              },
};

static struct stream_sink *
self(struct sink *s)
{
    return (struct stream_sink *)(void *)s;
}

static const struct stream_sink *
self_const(const struct sink *s)
{
    return (const struct stream_sink *)(const void *)s;
}

/* ---- a connection ---- */

static void
hang_up(struct stream_sink *t)
{
    if (t->fd >= 0)
        (void)close(t->fd);
    t->fd = -1;
    t->state = AWAY;
    t->at = 0;
    t->written = 0;
    sink_queue_again(&t->q);
}

static void
lost(struct stream_sink *t, const char *why)
{
    buf_reset(&t->why);
    text_term(&t->why, span_str(why));
    hang_up(t);
    t->call_at = t->now + t->backoff;
    t->backoff = t->backoff < BACKOFF_MAX / 2 ? 2 * t->backoff : BACKOFF_MAX;
}

/* Takes the answer of connect, or finds that it is still to come. */
static void
called(struct stream_sink *t, int answer, int number)
{
    if (answer != 0 && number != EINPROGRESS) {
        lost(t, strerrordesc_np(number));
        return;
    }
    t->state = CALLING;
    t->deadline = t->now + PATIENCE;
}

static void
call_path(struct stream_sink *t)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int answer;

    memcpy(to.sun_path, t->target, strlen(t->target)); /* see configure */
    t->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    answer = t->fd < 0
                 ? -1
                 : connect(t->fd, (const struct sockaddr *)&to, sizeof(to));
    called(t, answer, errno);
}

static void
call_address(struct stream_sink *t, const struct addrinfo *to)
{
    unsigned patience = DEAD_MS;
    int answer = -1;

    t->fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                   IPPROTO_TCP);
    if (t->fd >= 0 && setsockopt(t->fd, IPPROTO_TCP, TCP_USER_TIMEOUT,
                                 &patience, sizeof(patience)) == 0)
        answer = connect(t->fd, to->ai_addr, to->ai_addrlen);
    called(t, answer, errno);
}

static void
call_host(struct stream_sink *t)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *all = NULL;
    const struct addrinfo *one;
    char port[DIGITS_MAX + 1];
    unsigned n = 0;
    int number;

    *digits_u64(port, t->port) = '\0';
    number = getaddrinfo(t->host, port, &hints, &all);
    if (number != 0) {
        lost(t, gai_strerror(number));
        return;
    }
    for (one = all; one != NULL; one = one->ai_next)
        n++;
    REQUIRE(n > 0);
    n = t->calls++ % n;
    for (one = all; n > 0; one = one->ai_next)
        n--;
    call_address(t, one);
    freeaddrinfo(all);
}

static void
answer_call(struct stream_sink *t)
{
    struct pollfd fd = {.fd = t->fd, .events = POLLOUT};
    int number = 0;
    socklen_t n = sizeof(number);

    if (poll(&fd, 1, 0) <= 0)
        return;
    if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &number, &n) != 0)
        number = errno;
    if (number != 0)
        lost(t, strerrordesc_np(number));
    else
        t->state = UP;
}

/* ---- writing ---- */

/* False: no more now. */
static bool
write_next(struct stream_sink *t)
{
    struct sink_item *i = sink_queue_at(&t->q, t->q.next);
    struct span rest = span_tail(i->line, t->at);
    ssize_t n = send(t->fd, rest.p, rest.n, MSG_NOSIGNAL | MSG_DONTWAIT);
    int number = errno;

    if (n < 0) {
        if (number != EAGAIN && number != EINTR)
            lost(t, strerrordesc_np(number));
        return false;
    }
    t->at += (size_t)n;
    t->written += (uint64_t)n;
    if (t->at < i->line.n)
        return true;
    t->at = 0;
    i->mark = t->written;
    i->part[0].sent = true;
    t->q.next++;
    return true;
}

/* Reads and forgets what the other side says; true: nothing more, and it is
 * still there. */
static bool
is_quiet(struct stream_sink *t)
{
    uint8_t room[4096];
    ssize_t n = recv(t->fd, room, sizeof(room), MSG_DONTWAIT);
    int number = errno;

    if (n < 0 && (number == EAGAIN || number == EINTR))
        return number == EAGAIN;
    if (n <= 0)
        lost(t,
             n == 0 ? "the other side has closed it" : strerrordesc_np(number));
    return false;
}

/* Lines of which all bytes have left our side (tcp(7), unix(7): SIOCOUTQ). For
 * a Unix socket that is memory and not bytes, so more than is there: a line may
 * count later, never too early. Where the other side has gone nothing is left
 * either, so it is looked for after the question. */
static void
settle(struct stream_sink *t)
{
    int left = 0;
    bool is_told = ioctl(t->fd, SIOCOUTQ, &left) == 0;
    uint64_t head = t->q.head;

    if (!is_quiet(t) || !is_told || left < 0 || (uint64_t)left > t->written)
        return;
    for (uint64_t i = head; i < t->q.next; i++) {
        struct sink_item *item = sink_queue_at(&t->q, i);

        if (item->mark > t->written - (uint64_t)left)
            break;
        item->part[0].done = true;
    }
    sink_queue_settle(&t->q);
    if (t->q.head != head) {
        t->backoff = BACKOFF_FIRST;
        buf_reset(&t->why);
    }
}

static void
turn(struct stream_sink *t)
{
    if (t->state == CALLING)
        answer_call(t);
    while (t->state == UP && t->q.next < t->q.tail && write_next(t))
        continue;
    if (t->state == UP)
        settle(t);
}

/* ---- what a line looks like ---- */

/* Alerts are warnings, decisions notices, all else is for information. */
static unsigned
severity_of(enum event_type type)
{
    if (type == EVENT_ALERT)
        return 4;
    return type == EVENT_DECISION ? 5 : 6;
}

/* A word of printable ASCII, or "-" (RFC 5424 6). */
static void
put_hostname(struct buf *b, struct span name)
{
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] <= ' ' || name.p[i] > '~')
            name.n = 0;
    }
    buf_span(b, name.n > 0 ? span_head(name, HOSTNAME_MAX) : SPAN_LIT("-"));
}

static void
put_header(const struct stream_sink *t, struct span record, struct buf *b)
{
    struct record_head head = record_head_of(record);
    char when[NS_TEXT_MAX];
    size_t n = ns_format(head.when, when);

    buf_printf(b, "<%u>1 ", 8 * t->facility + severity_of(head.type));
    buf_put(b, when, n - 5); /* without +0000 */
    buf_str(b, "Z ");
    put_hostname(b, record_find(record, FIELD_SENSOR));
    buf_printf(b, " span25 - %s - ", event_type_name(head.type));
}

static void
make_frame(struct stream_sink *t, struct span record, struct span line)
{
    struct buf header;

    buf_reset(&t->frame);
    if (t->sink.ops == &sink_unix) {
        buf_span(&t->frame, line);
        buf_putc(&t->frame, '\n');
        return;
    }
    buf_init(&header, HEADER_MAX);
    put_header(t, record, &header);
    buf_u64(&t->frame, header.n + line.n);
    buf_putc(&t->frame, ' ');
    buf_span(&t->frame, buf_view(&header));
    buf_span(&t->frame, line);
    t->frame.failed |= header.failed;
    buf_free(&header);
}

/* ---- the interface ---- */

static enum put
stream_put(struct sink *s, struct span record, struct span line)
{
    struct stream_sink *t = self(s);

    turn(t);
    if (!sink_queue_has_room(&t->q, line.n))
        return PUT_BUSY;
    make_frame(t, record, line);
    if (t->frame.failed || t->frame.cut ||
        sink_queue_put(&t->q, record, buf_view(&t->frame)) == NULL)
        return PUT_BUSY; /* memory may come back */
    return PUT_DONE;
}

static enum put
stream_flush(struct sink *s)
{
    struct stream_sink *t = self(s);

    turn(t);
    return sink_queue_is_empty(&t->q) ? PUT_DONE : PUT_BUSY;
}

static enum err
stream_reopen(struct sink *s)
{
    struct stream_sink *t = self(s);

    t->call_at = 0; /* at once, if nobody is there */
    return ERR_OK;
}

static void
stream_tick(struct sink *s, ns_t now)
{
    struct stream_sink *t = self(s);

    t->now = now;
    if (t->state == AWAY && now >= t->call_at) {
        if (t->host[0] == '\0')
            call_path(t);
        else
            call_host(t);
    }
    turn(t);
    if (t->state == CALLING && now > t->deadline)
        lost(t, "nobody takes the call");
}

static void
stream_wait(struct sink *s, unsigned ms)
{
    struct stream_sink *t = self(s);
    struct pollfd fd = {.fd = t->fd, .events = POLLIN}; /* -1: passed over */

    if (t->state == CALLING || (t->state == UP && t->q.next < t->q.tail))
        fd.events |= POLLOUT;
    if (t->q.head < t->q.next && ms > GLANCE_MS)
        ms = GLANCE_MS;
    (void)poll(&fd, 1, (int)ms);
    turn(t);
}

static struct sink_counts
stream_counts(const struct sink *s)
{
    return self_const(s)->q.counts;
}

static void
stream_why(const struct sink *s, struct buf *out)
{
    const struct stream_sink *t = self_const(s);

    buf_printf(out, "%s ", s->ops->name);
    text_term(out, span_str(t->target));
    buf_str(out, ": ");
    if (t->why.n > 0)
        buf_span(out, buf_view(&t->why));
    else
        buf_str(out, "no error");
}

static void
stream_close(struct sink *s)
{
    struct stream_sink *t;

    if (s == NULL)
        return;
    t = self(s);
    if (t->fd >= 0)
        (void)close(t->fd);
    sink_queue_fini(&t->q);
    buf_free(&t->frame);
    buf_free(&t->why);
    free(t->target);
    free(t);
}

/* ---- opening ---- */

static enum err
configure(struct stream_sink *t, const struct sink_settings *s,
          struct buf *message)
{
    const struct sink_option *options = t->sink.ops->options;
    bool is_path = t->sink.ops == &sink_unix;

    t->target = strdup(s->target);
    if (t->target == NULL)
        return ERR_NOMEM;
    if (is_path ? t->target[0] == '\0' ||
                      strlen(t->target) >=
                          sizeof(((struct sockaddr_un *)NULL)->sun_path)
                : !sink_host_port(t->target, PORT_SYSLOG, t->host, &t->port)) {
        buf_printf(message, "%s: ", t->sink.ops->name);
        text_term(message, span_str(t->target));
        buf_str(message,
                is_path ? ": not the path of a socket" : ": not HOST:PORT");
        return ERR_CONFIG;
    }
    if (!is_path)
        t->facility = (unsigned)sink_number(options, s, "facility");
    return sink_queue_init(&t->q, sink_number(options, s, "queue-lines"),
                           sink_number(options, s, "queue-mib") << 20, s);
}

static enum err
stream_open(const struct sink_ops *ops, struct sink **out,
            const struct sink_settings *s, struct buf *message)
{
    struct stream_sink *t = calloc(1, sizeof(*t));
    enum err e;

    if (t == NULL)
        return ERR_NOMEM;
    t->sink.ops = ops;
    t->fd = -1;
    t->backoff = BACKOFF_FIRST;
    buf_init(&t->why, WHY_MAX);
    buf_init(&t->frame, SIZE_MAX);
    e = configure(t, s, message);
    if (e != ERR_OK) {
        stream_close(&t->sink);
        return e;
    }
    *out = &t->sink;
    return ERR_OK;
}

static enum err
unix_open(struct sink **out, const struct sink_settings *s, struct buf *message)
{
    return stream_open(&sink_unix, out, s, message);
}

static enum err
syslog_open(struct sink **out, const struct sink_settings *s,
            struct buf *message)
{
    return stream_open(&sink_syslog, out, s, message);
}

const struct sink_ops sink_unix = {
    .name = "unix",
    .options = unix_options,
    .open = unix_open,
    .put = stream_put,
    .flush = stream_flush,
    .reopen = stream_reopen,
    .tick = stream_tick,
    .wait = stream_wait,
    .counts = stream_counts,
    .why = stream_why,
    .close = stream_close,
};

const struct sink_ops sink_syslog = {
    .name = "syslog",
    .options = syslog_options,
    .open = syslog_open,
    .put = stream_put,
    .flush = stream_flush,
    .reopen = stream_reopen,
    .tick = stream_tick,
    .wait = stream_wait,
    .counts = stream_counts,
    .why = stream_why,
    .close = stream_close,
};
