#include "sensor/sinks/sink_redis.h"

#include "sensor/base/attr.h"
#include "sensor/base/digits.h"
#include "sensor/base/text.h"
#include "sensor/sinks/peer.h"
#include "sensor/sinks/sink_queue.h"

#include <hiredis/hiredis.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORT_USUAL  6379
#define PATIENCE    (5 * NS_PER_S) /* for an answer */
#define STREAM_MAX  (SINK_KEY_MAX + 300U)
#define OUT_AT_ONCE ((size_t)256 << 10) /* bytes of commands that are made */
#define REPLY_MAX   ((size_t)1 << 20)   /* bytes; ours are some dozens */

struct redis_sink {
    struct sink sink;
    struct sink_queue q;
    struct peer peer;
    uint64_t losses;     /* of the peer, that the rest knows of */
    redisReader *reader; /* of what comes on this connection */
    struct buf out;      /* commands; out_at of them are written */
    size_t out_at;
    bool dead;
    bool is_greeted;
    unsigned greeting; /* answers that come before those to lines */
    ns_t deadline;     /* of the next answer */
    char *prefix, *user;
    uint64_t db, stream_max;
    struct buf password;
};

static const struct sink_option options[] = {
    {"prefix",        "span25", 0,   0,          "word before the names of streams and keys"},
    {"depth",         "128",    1,   100000,     "lines under way at a time"                },
    {"queue-mib",     "16",     1,   16384,      "MiB of them"                              },
    {"stream-max",    "100000", 100, 1000000000,
     "entries, about, that a stream keeps"                                                  },
    {"db",            "0",      0,   65535,      "number of the database"                   },
    {"user",          "",       0,   0,          "name to log in with"                      },
    {"password-file", "",       0,   0,          "file with its password"                   },
    PEER_TLS_OPTIONS("no"),
    {NULL,            NULL,     0,   0,          NULL                                       },
};

static struct redis_sink *
self(struct sink *s)
{
    return (struct redis_sink *)(void *)s;
}

static const struct redis_sink *
self_const(const struct sink *s)
{
    return (const struct redis_sink *)(const void *)s;
}

/* ---- a connection ---- */

/* What was under way on the one before is sent again on the next. */
static void
forget(struct redis_sink *r)
{
    r->losses = r->peer.losses;
    redisReaderFree(r->reader);
    r->reader = NULL;
    buf_reset(&r->out);
    r->out_at = 0;
    r->is_greeted = false;
    r->greeting = 0;
    sink_queue_again(&r->q);
}

static bool
is_up(struct redis_sink *r)
{
    bool up = peer_turn(&r->peer);

    if (r->losses != r->peer.losses)
        forget(r);
    return up;
}

static void
lost(struct redis_sink *r, const char *why)
{
    peer_lost(&r->peer, why);
    forget(r);
}

static void
lost_of(struct redis_sink *r, struct span why)
{
    char room[200];
    size_t n = why.n < sizeof(room) ? why.n : sizeof(room) - 1;

    if (n > 0)
        memcpy(room, why.p, n);
    room[n] = '\0';
    lost(r, room);
}

static void
dead(struct redis_sink *r, struct span why)
{
    lost_of(r, why);
    r->dead = true;
}

/* ---- commands ---- */

#define ARGS_MAX 16U

struct command {
    const char *arg[ARGS_MAX];
    size_t n[ARGS_MAX];
    int args;
};

static void
add(struct command *c, struct span s)
{
    REQUIRE(c->args < (int)ARGS_MAX);
    c->arg[c->args] = s.n > 0 ? (const char *)s.p : "";
    c->n[c->args++] = s.n;
}

/* With argv only: names and lines hold whatever somebody sent. */
static bool
append(struct redis_sink *r, struct command *c)
{
    char *text = NULL;
    int n = redisFormatCommandArgv(&text, c->args, c->arg, c->n);

    if (n < 0)
        return false;
    buf_put(&r->out, text, (size_t)n);
    redisFreeCommand(text);
    return !r->out.failed;
}

static bool
greet(struct redis_sink *r)
{
    struct command login = {.args = 0};
    struct command choose = {.args = 0};
    char number[DIGITS_MAX];
    bool good;

    /* Who has no password asks first: to a long command, an answer about a
     * login would be that its length is wrong. */
    add(&login, r->password.n > 0 ? SPAN_LIT("AUTH") : SPAN_LIT("PING"));
    if (r->password.n > 0 && r->user[0] != '\0')
        add(&login, span_str(r->user));
    if (r->password.n > 0)
        add(&login, buf_view(&r->password));
    good = append(r, &login);
    r->greeting++;
    if (good && r->db != 0) {
        add(&choose, SPAN_LIT("SELECT"));
        add(&choose,
            span_of(number, (size_t)(digits_u64(number, r->db) - number)));
        good = append(r, &choose);
        r->greeting++;
    }
    return good;
}

static bool
send_entry(struct redis_sink *r, const struct sink_item *i)
{
    struct command c = {.args = 0};
    char number[DIGITS_MAX];
    char name[STREAM_MAX];
    int n = snprintf(name, sizeof(name), "%s:%s", r->prefix,
                     sink_topic_name(i->topic));

    add(&c, SPAN_LIT("XADD"));
    add(&c, span_of(name, (size_t)n));
    add(&c, SPAN_LIT("MAXLEN"));
    add(&c, SPAN_LIT("~"));
    add(&c,
        span_of(number, (size_t)(digits_u64(number, r->stream_max) - number)));
    add(&c, SPAN_LIT("*"));
    add(&c, SPAN_LIT("event_id"));
    add(&c, i->event_id);
    add(&c, SPAN_LIT("event_type"));
    add(&c, span_str(event_type_name(i->type)));
    add(&c, SPAN_LIT("key"));
    add(&c, i->key);
    add(&c, SPAN_LIT("json"));
    add(&c, i->line);
    return append(r, &c);
}

/* One IPv4 address or one IPv6 /64; anything else is nobody's key. */
static bool
block_name(const struct redis_sink *r, struct span subject, struct buf *out)
{
    char room[ADDR_TEXT_MAX];
    struct prefix p;

    if (!prefix_parse(subject, &p) ||
        p.bits != (addr_is_v4(&p.addr) ? 128 : 64))
        return false;
    buf_printf(out, "%s:block:", r->prefix);
    if (p.bits == 128)
        buf_put(out, room, addr_format(&p.addr, room));
    else
        prefix_format(&p, out);
    return true;
}

static bool
send_block(struct redis_sink *r, const struct sink_item *i)
{
    struct command c = {.args = 0};
    char number[DIGITS_MAX];
    ns_t left = i->until > r->peer.now && !i->ends ? i->until - r->peer.now : 0;
    struct buf name;
    bool good;

    buf_init(&name, STREAM_MAX);
    good = block_name(r, i->subject, &name) && !name.failed;
    if (left > 0) {
        uint64_t s = (left + NS_PER_S - 1) / NS_PER_S;

        add(&c, SPAN_LIT("SET"));
        add(&c, buf_view(&name));
        add(&c, i->line);
        add(&c, SPAN_LIT("EX"));
        add(&c, span_of(number, (size_t)(digits_u64(number, s) - number)));
    } else {
        add(&c, SPAN_LIT("DEL"));
        add(&c, buf_view(&name));
    }
    good = good && append(r, &c);
    buf_free(&name);
    return good;
}

static bool
send_item(struct redis_sink *r, struct sink_item *i)
{
    bool good = true;

    for (unsigned p = 0; good && p < i->parts; p++) {
        if (i->part[p].sent)
            continue;
        good = p == 0 ? send_entry(r, i) : send_block(r, i);
        i->part[p].sent = good;
    }
    return good;
}

/* ---- answers ---- */

/* What passes by itself; every other error is for an operator. */
static const char *const passing[] = {
    "LOADING",  "OOM",         "READONLY", "MASTERDOWN", "BUSY",
    "TRYAGAIN", "CLUSTERDOWN", "MISCONF",  "NOREPLICAS",
};

static void
take_error(struct redis_sink *r, struct span text)
{
    struct span word = span_head(text, span_find(text, ' '));

    for (size_t i = 0; i < ARRAY_LEN(passing); i++) {
        if (span_eq(word, span_str(passing[i]))) {
            lost_of(r, text);
            return;
        }
    }
    dead(r, text);
}

/* Answers come in the order of commands, so this one is for the first part that
 * was sent and has none. */
static void
take_answer(struct redis_sink *r)
{
    struct sink_item *i = sink_queue_at(&r->q, r->q.head);
    unsigned p = 0;

    if (r->greeting > 0) {
        r->greeting--;
        return;
    }
    while (p < i->parts && i->part[p].done)
        p++;
    if (sink_queue_is_empty(&r->q) || p == i->parts || !i->part[p].sent) {
        lost(r, "an answer to nothing");
        return;
    }
    i->part[p].done = true;
    peer_good(&r->peer);
    sink_queue_settle(&r->q);
}

static void
take_reply(struct redis_sink *r, const redisReply *reply)
{
    r->deadline = r->peer.now + PATIENCE;
    if (reply->type == REDIS_REPLY_ERROR)
        take_error(r, span_of(reply->str, (size_t)reply->len));
    else
        take_answer(r);
}

/* False: this is no answer of Redis, and the connection is lost. */
static bool
feed(struct redis_sink *r, const uint8_t *bytes, size_t n)
{
    redisReader *reader = r->reader;

    if (redisReaderFeed(reader, (const char *)bytes, n) != REDIS_OK) {
        lost(r, reader->errstr);
        return false;
    }
    for (;;) {
        void *reply = NULL;

        if (redisReaderGetReply(reader, &reply) != REDIS_OK) {
            lost(r, reader->errstr);
            return false;
        }
        if (reply == NULL)
            break;
        take_reply(r, reply);
        freeReplyObject(reply);
        if (r->reader != reader)
            return false; /* what it said has lost it */
    }
    if (reader->len - reader->pos <= REPLY_MAX)
        return true;
    lost(r, "an answer without end");
    return false;
}

static void
receive(struct redis_sink *r)
{
    uint8_t room[16384];
    size_t n = 0;

    while (is_up(r) &&
           peer_read(&r->peer, room, sizeof(room), &n) == PEER_DONE) {
        if (!feed(r, room, n))
            return;
    }
}

/* ---- turning ---- */

static bool
is_under_way(const struct redis_sink *r)
{
    return r->greeting > 0 || r->q.head < r->q.next;
}

/* False: there was no memory, and the connection is lost. */
static bool
make_commands(struct redis_sink *r)
{
    bool good = true;

    if (!r->is_greeted) {
        r->reader = redisReaderCreate();
        good = r->reader != NULL && greet(r);
        r->is_greeted = true;
    }
    while (good && r->q.next < r->q.tail && r->out.n < OUT_AT_ONCE) {
        good = send_item(r, sink_queue_at(&r->q, r->q.next));
        r->q.next += good;
    }
    if (!good)
        lost(r, "out of memory");
    return good;
}

/* Makes commands and writes them, until the other side takes no more. */
static void
transmit(struct redis_sink *r)
{
    bool was_idle = !is_under_way(r);
    size_t n = 0;

    while (is_up(r) && make_commands(r) && r->out_at < r->out.n) {
        if (peer_write(&r->peer, span_tail(buf_view(&r->out), r->out_at), &n) !=
            PEER_DONE)
            break;
        r->out_at += n;
        if (r->out_at < r->out.n)
            continue;
        buf_reset(&r->out);
        r->out_at = 0;
    }
    if (was_idle)
        r->deadline = r->peer.now + PATIENCE;
}

static void
turn(struct redis_sink *r)
{
    if (!is_up(r))
        return;
    transmit(r);
    receive(r);
    (void)is_up(r);
}

/* ---- the interface ---- */

static void
redis_tick(struct sink *s, ns_t now)
{
    struct redis_sink *r = self(s);

    r->deadline = peer_earlier(r->deadline, peer_set_now(&r->peer, now));
    if (!r->dead)
        peer_tick(&r->peer, now);
    turn(r);
    if (is_up(r) && is_under_way(r) && now > r->deadline)
        lost(r, "no answer");
}

static void
redis_wait(struct sink *s, unsigned ms)
{
    struct redis_sink *r = self(s);

    peer_wait(&r->peer, r->out_at < r->out.n, ms);
    turn(r);
}

static enum put
redis_put(struct sink *s, struct span record, struct span line)
{
    struct redis_sink *r = self(s);
    struct sink_item *item;
    struct buf name;

    turn(r);
    if (r->dead)
        return PUT_DEAD;
    if (!sink_queue_has_room(&r->q, line.n))
        return PUT_BUSY;
    item = sink_queue_put(&r->q, record, line);
    if (item == NULL)
        return PUT_BUSY; /* memory may come back */
    buf_init(&name, STREAM_MAX);
    if (item->enforced && block_name(r, item->subject, &name))
        item->parts = 2;
    buf_free(&name);
    return PUT_DONE;
}

static enum put
redis_flush(struct sink *s)
{
    struct redis_sink *r = self(s);

    turn(r);
    if (sink_queue_is_empty(&r->q))
        return PUT_DONE;
    return r->dead ? PUT_DEAD : PUT_BUSY;
}

static enum err
redis_reopen(struct sink *s)
{
    struct redis_sink *r = self(s);

    if (r->dead) {
        r->dead = false;
        peer_good(&r->peer);
        r->peer.call_at = 0;
    }
    return ERR_OK;
}

static struct sink_counts
redis_counts(const struct sink *s)
{
    return self_const(s)->q.counts;
}

static void
redis_why(const struct sink *s, struct buf *out)
{
    peer_why(&self_const(s)->peer, "redis", out);
}

static void
redis_close(struct sink *s)
{
    struct redis_sink *r;

    if (s == NULL)
        return;
    r = self(s);
    peer_fini(&r->peer);
    redisReaderFree(r->reader);
    sink_queue_fini(&r->q);
    if (r->password.p != NULL)
        explicit_bzero(r->password.p, r->password.cap);
    if (r->out.p != NULL)
        explicit_bzero(r->out.p, r->out.cap); /* the password was in it */
    buf_free(&r->password);
    buf_free(&r->out);
    free(r->prefix);
    free(r->user);
    free(r);
}

/* ---- opening ---- */

static enum err
set_target(struct redis_sink *r, const struct sink_settings *s,
           struct buf *message)
{
    enum err e;

    if (s->target[0] == '/')
        return peer_set_path(&r->peer, s->target, message);
    e = peer_set_host(&r->peer, s->target, PORT_USUAL, message);
    return e == ERR_OK
               ? peer_tls_new(options, s, r->peer.host, &r->peer.tls, message)
               : e;
}

static enum err
configure(struct redis_sink *r, const struct sink_settings *s,
          struct buf *message)
{
    size_t begin = message->n;
    enum err e;

    r->prefix = strdup(sink_text(options, s, "prefix"));
    r->user = strdup(sink_text(options, s, "user"));
    r->db = sink_number(options, s, "db");
    r->stream_max = sink_number(options, s, "stream-max");
    if (r->prefix == NULL || r->user == NULL)
        return ERR_NOMEM;
    buf_str(message, "redis: ");
    if (strlen(r->prefix) > SINK_KEY_MAX) {
        buf_str(message, "the prefix is too long");
        return ERR_CONFIG;
    }
    e = set_target(r, s, message);
    if (e == ERR_OK)
        e = sink_secret(options, s, "password-file", &r->password, message);
    if (e != ERR_OK)
        return e;
    message->n = begin;
    return sink_queue_init(&r->q, sink_number(options, s, "depth"),
                           sink_number(options, s, "queue-mib") << 20, s);
}

static enum err
redis_open(struct sink **out, const struct sink_settings *s,
           struct buf *message)
{
    struct redis_sink *r = calloc(1, sizeof(*r));
    enum err e;

    if (r == NULL)
        return ERR_NOMEM;
    r->sink.ops = &sink_redis;
    peer_init(&r->peer);
    buf_init(&r->password, SINK_SECRET_MAX);
    buf_init(&r->out, SIZE_MAX);
    e = configure(r, s, message);
    if (e != ERR_OK) {
        redis_close(&r->sink);
        return e;
    }
    *out = &r->sink;
    return ERR_OK;
}

const struct sink_ops sink_redis = {
    .name = "redis",
    .help = "Entries of streams of Redis, decisions also as keys that end; "
            "target: HOST:PORT or the path of a socket.",
    .options = options,
    .open = redis_open,
    .put = redis_put,
    .flush = redis_flush,
    .reopen = redis_reopen,
    .tick = redis_tick,
    .wait = redis_wait,
    .counts = redis_counts,
    .why = redis_why,
    .close = redis_close,
};
