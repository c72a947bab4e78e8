#include "sensor/sinks/sink_redis.h"

#include "sensor/base/attr.h"
#include "sensor/base/digits.h"
#include "sensor/base/text.h"
#include "sensor/sinks/sink_queue.h"

#include <hiredis/hiredis.h>

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define WHY_MAX       400U
#define PORT_USUAL    6379
#define BACKOFF_FIRST (100 * NS_PER_MS)
#define BACKOFF_MAX   (2 * NS_PER_S)
#define PATIENCE      (5 * NS_PER_S) /* for a connection, and for an answer */
#define STREAM_MAX    (SINK_KEY_MAX + 300U)

enum state { AWAY, CALLING, UP };

struct redis_sink {
    struct sink sink;
    struct sink_queue q;
    redisContext *rc;
    enum state state;
    bool dead;
    bool unwritten;    /* bytes wait for the socket */
    unsigned greeting; /* answers that come before those to lines */
    ns_t now, call_at, deadline, backoff;
    char *target, *prefix, *user;
    char host[SINK_HOST_MAX]; /* empty: target is a socket's path */
    uint16_t port;
    uint64_t db, stream_max;
    struct buf password;
    struct buf why;
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

static void
set_why(struct redis_sink *r, struct span text)
{
    buf_reset(&r->why);
    text_term(&r->why, text);
}

/* ---- a connection ---- */

static void
hang_up(struct redis_sink *r)
{
    if (r->rc != NULL)
        redisFree(r->rc);
    r->rc = NULL;
    r->state = AWAY;
    r->greeting = 0;
    r->unwritten = false;
    sink_queue_again(&r->q);
}

static void
lost(struct redis_sink *r, struct span why)
{
    set_why(r, why);
    hang_up(r);
    r->call_at = r->now + r->backoff;
    r->backoff = r->backoff < BACKOFF_MAX / 2 ? 2 * r->backoff : BACKOFF_MAX;
}

static void
dead(struct redis_sink *r, struct span why)
{
    set_why(r, why);
    hang_up(r);
    r->dead = true;
}

static void
call(struct redis_sink *r)
{
    r->rc = r->host[0] == '\0' ? redisConnectUnixNonBlock(r->target)
                               : redisConnectNonBlock(r->host, r->port);
    if (r->rc == NULL) {
        lost(r, SPAN_LIT("out of memory"));
        return;
    }
    if (r->rc->err != 0) {
        lost(r, span_str(r->rc->errstr));
        return;
    }
    r->state = CALLING;
    r->deadline = r->now + PATIENCE;
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
    r->unwritten = true;
    return redisAppendCommandArgv(r->rc, c->args, c->arg, c->n) == REDIS_OK;
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
    ns_t left = i->until > r->now && !i->ends ? i->until - r->now : 0;
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
            lost(r, text);
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
        lost(r, SPAN_LIT("an answer to nothing"));
        return;
    }
    i->part[p].done = true;
    r->backoff = BACKOFF_FIRST;
    sink_queue_settle(&r->q);
}

static void
take_reply(struct redis_sink *r, const redisReply *reply)
{
    r->deadline = r->now + PATIENCE;
    if (reply->type == REDIS_REPLY_ERROR)
        take_error(r, span_of(reply->str, (size_t)reply->len));
    else
        take_answer(r);
}

static void
receive(struct redis_sink *r)
{
    void *reply = NULL;

    if (redisBufferRead(r->rc) != REDIS_OK) {
        lost(r, span_str(r->rc->errstr));
        return;
    }
    while (r->state == UP) {
        if (redisReaderGetReply(r->rc->reader, &reply) != REDIS_OK) {
            lost(r, span_str(r->rc->reader->errstr));
            return;
        }
        if (reply == NULL)
            return;
        take_reply(r, reply);
        freeReplyObject(reply);
    }
}

/* ---- turning ---- */

static bool
is_under_way(const struct redis_sink *r)
{
    return r->greeting > 0 || r->q.head < r->q.next;
}

static void
transmit(struct redis_sink *r)
{
    int is_all = 0;
    bool was_idle = !is_under_way(r);

    while (r->q.next < r->q.tail &&
           send_item(r, sink_queue_at(&r->q, r->q.next)))
        r->q.next++;
    if (r->rc->err != 0 || r->q.next < r->q.tail) {
        lost(r, SPAN_LIT("out of memory"));
        return;
    }
    if (was_idle)
        r->deadline = r->now + PATIENCE;
    if (!r->unwritten)
        return;
    if (redisBufferWrite(r->rc, &is_all) != REDIS_OK)
        lost(r, span_str(r->rc->errstr));
    else
        r->unwritten = is_all == 0;
}

static void
answer_call(struct redis_sink *r)
{
    struct pollfd fd = {.events = POLLOUT};
    int number = 0;
    socklen_t n = sizeof(number);

    REQUIRE(r->rc != NULL);
    fd.fd = r->rc->fd;
    if (poll(&fd, 1, 0) <= 0)
        return;
    if (getsockopt(r->rc->fd, SOL_SOCKET, SO_ERROR, &number, &n) != 0)
        number = errno;
    if (number != 0) {
        lost(r, span_str(strerrordesc_np(number)));
        return;
    }
    r->state = UP;
    if (!greet(r))
        lost(r, SPAN_LIT("out of memory"));
}

static void
turn(struct redis_sink *r)
{
    if (r->state == CALLING)
        answer_call(r);
    if (r->state == UP)
        transmit(r);
    if (r->state == UP)
        receive(r);
}

/* ---- the interface ---- */

static void
redis_tick(struct sink *s, ns_t now)
{
    struct redis_sink *r = self(s);

    r->now = now;
    if (!r->dead && r->state == AWAY && now >= r->call_at)
        call(r);
    turn(r);
    if (r->state == CALLING && now > r->deadline)
        lost(r, SPAN_LIT("nobody takes the call"));
    if (r->state == UP && is_under_way(r) && now > r->deadline)
        lost(r, SPAN_LIT("no answer"));
}

static void
redis_wait(struct sink *s, unsigned ms)
{
    struct redis_sink *r = self(s);
    struct pollfd fd = {.fd = -1, .events = POLLIN}; /* -1 is passed over */

    if (r->rc != NULL)
        fd.fd = r->rc->fd;
    if (r->state == CALLING || r->unwritten)
        fd.events |= POLLOUT;
    (void)poll(&fd, 1, (int)ms);
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
        r->call_at = 0;
        r->backoff = BACKOFF_FIRST;
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
    const struct redis_sink *r = self_const(s);

    buf_str(out, "redis ");
    text_term(out, span_str(r->target));
    buf_str(out, ": ");
    if (r->why.n > 0)
        buf_span(out, buf_view(&r->why));
    else
        buf_str(out, "no error");
}

static void
redis_close(struct sink *s)
{
    struct redis_sink *r;

    if (s == NULL)
        return;
    r = self(s);
    if (r->rc != NULL)
        redisFree(r->rc);
    sink_queue_fini(&r->q);
    if (r->password.p != NULL)
        explicit_bzero(r->password.p, r->password.cap);
    buf_free(&r->password);
    buf_free(&r->why);
    free(r->target);
    free(r->prefix);
    free(r->user);
    free(r);
}

/* ---- opening ---- */

static enum err
configure(struct redis_sink *r, const struct sink_settings *s,
          struct buf *message)
{
    enum err e;

    r->target = strdup(s->target);
    r->prefix = strdup(sink_text(options, s, "prefix"));
    r->user = strdup(sink_text(options, s, "user"));
    r->db = sink_number(options, s, "db");
    r->stream_max = sink_number(options, s, "stream-max");
    if (r->target == NULL || r->prefix == NULL || r->user == NULL)
        return ERR_NOMEM;
    if (strlen(r->prefix) > SINK_KEY_MAX ||
        (r->target[0] != '/' &&
         !sink_host_port(r->target, PORT_USUAL, r->host, &r->port))) {
        buf_str(message, "redis: ");
        text_term(message, span_str(r->target));
        buf_str(message, ": not HOST:PORT or the path of a socket, or the "
                         "prefix is too long");
        return ERR_CONFIG;
    }
    e = sink_secret(options, s, "password-file", &r->password, message);
    if (e != ERR_OK)
        return e;
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
    r->backoff = BACKOFF_FIRST;
    buf_init(&r->password, SINK_SECRET_MAX);
    buf_init(&r->why, WHY_MAX);
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
