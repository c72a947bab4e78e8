#include "sensor/sinks/sink_stream.h"

#include "sensor/base/attr.h"
#include "sensor/sinks/peer.h"
#include "sensor/sinks/sink_queue.h"

#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#define PORT_PLAIN   601U  /* RFC 6587 */
#define PORT_TLS     6514U /* RFC 5425 */
#define GLANCE_MS    5U    /* nothing wakes us when bytes leave our side */
#define HEADER_MAX   400U
#define HOSTNAME_MAX 255U /* RFC 5424 6.2.4 */

struct stream_sink {
    struct sink sink;
    struct sink_queue q;
    struct peer peer;
    uint64_t losses;  /* of the peer, that at and written know of */
    size_t at;        /* bytes of the next line that are written */
    uint64_t written; /* bytes, on this connection */
    unsigned facility;
    struct buf frame; /* the line that is being taken */
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
    PEER_TLS_OPTIONS("no"),
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

/* What was under way on the one before is sent again on this one. */
static bool
is_up(struct stream_sink *t)
{
    bool up = peer_turn(&t->peer);

    if (t->losses != t->peer.losses) {
        t->losses = t->peer.losses;
        t->at = 0;
        t->written = 0;
        sink_queue_again(&t->q);
    }
    return up;
}

/* ---- writing ---- */

/* False: no more now. */
static bool
write_next(struct stream_sink *t)
{
    struct sink_item *i = sink_queue_at(&t->q, t->q.next);
    size_t n = 0;

    if (peer_write(&t->peer, span_tail(i->line, t->at), &n) != PEER_DONE)
        return false;
    t->at += n;
    t->written += n;
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
    size_t n = 0;

    return peer_read(&t->peer, room, sizeof(room), &n) == PEER_LATER;
}

/* Lines of which all bytes have left our side (tcp(7), unix(7): SIOCOUTQ). For
 * a Unix socket that is memory and not bytes, so more than is there: a line may
 * count later, never too early. Where the other side has gone nothing is left
 * either, so it is looked for after the question. */
static void
settle(struct stream_sink *t)
{
    int left = 0;
    bool is_told = ioctl(t->peer.fd, SIOCOUTQ, &left) == 0;
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
    if (t->q.head != head)
        peer_good(&t->peer);
}

static void
turn(struct stream_sink *t)
{
    if (!is_up(t))
        return;
    while (t->q.next < t->q.tail && write_next(t))
        continue;
    if (is_up(t))
        settle(t);
    (void)is_up(t);
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
    self(s)->peer.call_at = 0; /* at once, if nobody is there */
    return ERR_OK;
}

static void
stream_tick(struct sink *s, ns_t now)
{
    struct stream_sink *t = self(s);

    peer_tick(&t->peer, now);
    turn(t);
}

static void
stream_wait(struct sink *s, unsigned ms)
{
    struct stream_sink *t = self(s);

    if (t->q.head < t->q.next && ms > GLANCE_MS)
        ms = GLANCE_MS;
    peer_wait(&t->peer, t->q.next < t->q.tail, ms);
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
    peer_why(&self_const(s)->peer, s->ops->name, out);
}

static void
stream_close(struct sink *s)
{
    struct stream_sink *t;

    if (s == NULL)
        return;
    t = self(s);
    peer_fini(&t->peer);
    sink_queue_fini(&t->q);
    buf_free(&t->frame);
    free(t);
}

/* ---- opening ---- */

static enum err
configure_syslog(struct stream_sink *t, const struct sink_settings *s,
                 struct buf *message)
{
    bool is_tls = peer_tls_is_on(syslog_options, s);
    enum err e = peer_set_host(&t->peer, s->target,
                               is_tls ? PORT_TLS : PORT_PLAIN, message);

    t->facility = (unsigned)sink_number(syslog_options, s, "facility");
    if (e == ERR_OK)
        e = peer_tls_new(syslog_options, s, t->peer.host, &t->peer.tls,
                         message);
    return e;
}

static enum err
configure(struct stream_sink *t, const struct sink_settings *s,
          struct buf *message)
{
    const struct sink_option *options = t->sink.ops->options;
    size_t begin = message->n;
    enum err e;

    buf_printf(message, "%s: ", t->sink.ops->name);
    e = t->sink.ops == &sink_unix ? peer_set_path(&t->peer, s->target, message)
                                  : configure_syslog(t, s, message);
    if (e != ERR_OK)
        return e;
    message->n = begin;
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
    peer_init(&t->peer);
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
    .help = "JSON Lines down the Unix stream socket target, to a program that "
            "reads.",
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
    .help = "Messages of RFC 5424 over TCP, or TLS (RFC 5425); target: "
            "HOST:PORT, without a port 601, with TLS 6514.",
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
