#include "sensor/sinks/sink_webhook.h"

#include "sensor/base/attr.h"
#include "sensor/base/text.h"
#include "sensor/sinks/http_reply.h"
#include "sensor/sinks/peer.h"
#include "sensor/sinks/sink_queue.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdlib.h>
#include <string.h>

#define URL_MAX       2048U
#define BODY_MAX      (8U << 20) /* bytes of a batch; one line may have more */
#define PATIENCE      (30 * NS_PER_S) /* for an answer */
#define BACKOFF_FIRST (NS_PER_S / 2)
#define BACKOFF_MAX   (60 * NS_PER_S)
#define RETRY_MIN     (100 * NS_PER_MS) /* of what the other side says */
#define RETRY_MAX     (3600 * NS_PER_S)
#define ID_MAX        64U

struct webhook_sink {
    struct sink sink;
    struct sink_queue q;
    struct peer peer;
    uint64_t losses; /* of the peer, that the rest knows of */
    char *path;      /* of the URL, from its slash on */
    uint64_t batch;
    struct buf host; /* as the URL has it */
    struct buf secret, token;
    struct buf request; /* under way; out_at bytes of it are written */
    size_t out_at;
    size_t n_lines; /* of the request, 0: none is under way */
    struct http_reply reply;
    uint64_t alone; /* lines before this one are sent one by one */
    ns_t next;      /* when the next request may be made */
    ns_t linger;    /* for which lines gather */
    ns_t gathered;  /* since when the first one waits */
    bool in_haste;  /* a flush: nothing more comes */
    ns_t backoff, deadline;
    struct buf trouble; /* what the other side said last, but 2xx */
};

static const struct sink_option options[] = {
    {"queue-lines", "1000", 1, 1000000,
     "lines kept until they are acknowledged"                                   },
    {"queue-mib",   "16",   1, 16384,   "MiB of them"                           },
    {"batch",       "1",    1, 10000,   "lines of one request at most"          },
    {"linger-ms",   "50",   0, 60000,   "time for which lines of a batch gather"},
    {"secret-file", "",     0, 0,
     "file with the key of the signature; without it there is none"             },
    {"token-file",  "",     0, 0,       "file with the token to be let in by"   },
    PEER_TLS_FILES,
    {NULL,          NULL,   0, 0,       NULL                                    },
};

static struct webhook_sink *
self(struct sink *s)
{
    return (struct webhook_sink *)(void *)s;
}

static const struct webhook_sink *
self_const(const struct sink *s)
{
    return (const struct webhook_sink *)(const void *)s;
}

/* ---- a request ---- */

static void
forget(struct webhook_sink *w)
{
    w->losses = w->peer.losses;
    buf_reset(&w->request);
    w->out_at = 0;
    w->n_lines = 0;
    sink_queue_again(&w->q);
}

static bool
is_up(struct webhook_sink *w)
{
    bool up = peer_turn(&w->peer);

    if (w->losses != w->peer.losses) {
        if (w->n_lines == 0) /* it was idle: that is no trouble */
            peer_good(&w->peer);
        forget(w);
    }
    return up;
}

static size_t
count_lines(const struct webhook_sink *w)
{
    uint64_t most = w->q.head < w->alone ? 1 : w->batch;
    size_t bytes = 0;
    size_t n = 0;

    for (; n < most && w->q.head + n < w->q.tail; n++) {
        bytes += sink_queue_at(&w->q, w->q.head + n)->line.n + 1;
        if (n > 0 && bytes > BODY_MAX)
            break;
    }
    return n;
}

static void
make_body(const struct webhook_sink *w, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++) {
        buf_span(out, sink_queue_at(&w->q, w->q.head + i)->line);
        if (w->batch > 1)
            buf_putc(out, '\n');
    }
}

static bool
is_plain(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= ' ' || s.p[i] > '~')
            return false;
    }
    return s.n > 0;
}

/* An id may be any text; one that is no word of a header is left out. */
static void
put_key(const struct webhook_sink *w, size_t n, struct buf *out)
{
    struct span id = sink_queue_at(&w->q, w->q.head)->event_id;

    if (!is_plain(id) || id.n > ID_MAX)
        return;
    buf_str(out, "Idempotency-Key: ");
    buf_span(out, id);
    if (w->batch > 1) {
        buf_putc(out, '.');
        buf_u64(out, n);
    }
    buf_str(out, "\r\n");
}

static void
put_signature(const struct webhook_sink *w, struct span body, struct buf *out)
{
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (w->secret.n == 0)
        return;
    if (HMAC(EVP_sha256(), w->secret.p, (int)w->secret.n, body.p, body.n, mac,
             &n) == NULL) {
        out->failed = true;
        return;
    }
    buf_str(out, "X-Span25-Signature: sha256=");
    text_hex(out, span_of(mac, n));
    buf_str(out, "\r\n");
}

static void
put_head(const struct webhook_sink *w, size_t n, struct span body,
         struct buf *out)
{
    buf_str(out, "POST ");
    buf_str(out, w->path);
    buf_str(out, " HTTP/1.1\r\nHost: ");
    buf_span(out, buf_view(&w->host));
    buf_str(out, "\r\nUser-Agent: span25/" SPAN25_VERSION
                 "\r\nAccept: */*\r\nContent-Type: ");
    buf_str(out, w->batch > 1 ? "application/x-ndjson" : "application/json");
    buf_str(out, "\r\nContent-Length: ");
    buf_u64(out, body.n);
    buf_str(out, "\r\n");
    put_key(w, n, out);
    put_signature(w, body, out);
    if (w->token.n > 0) {
        buf_str(out, "Authorization: Bearer ");
        buf_span(out, buf_view(&w->token));
        buf_str(out, "\r\n");
    }
    buf_str(out, "\r\n");
}

/* Without memory nothing is under way, and the next turn tries again. */
static void
make_request(struct webhook_sink *w)
{
    size_t n = count_lines(w);
    struct buf body;

    buf_init(&body, SIZE_MAX);
    buf_reset(&w->request);
    make_body(w, n, &body);
    put_head(w, n, buf_view(&body), &w->request);
    buf_span(&w->request, buf_view(&body));
    if (!body.failed && !w->request.failed) {
        w->n_lines = n;
        w->out_at = 0;
        w->deadline = w->peer.now + PATIENCE;
        http_reply_init(&w->reply);
        for (size_t i = 0; i < n; i++)
            sink_queue_at(&w->q, w->q.next++)->part[0].sent = true;
    }
    buf_free(&body);
}

/* ---- an answer ---- */

static void
settle(struct webhook_sink *w, bool delivered)
{
    for (size_t i = 0; i < w->n_lines; i++) {
        struct sink_item *item = sink_queue_at(&w->q, w->q.head + i);

        item->part[0].done = true;
        item->refused = !delivered;
    }
    w->n_lines = 0;
    w->backoff = BACKOFF_FIRST;
    w->next = 0;
    peer_good(&w->peer);
    sink_queue_settle(&w->q);
}

/* How long it wants us to wait, or we think is right. */
static ns_t
pause_of(const struct webhook_sink *w)
{
    ns_t now = w->peer.now;
    ns_t pause = 0;

    if (!w->reply.has_retry)
        return w->backoff;
    if (w->reply.retry_at > now)
        pause = w->reply.retry_at - now;
    if (w->reply.retry_at == 0)
        pause = w->reply.retry_s < RETRY_MAX / NS_PER_S
                    ? w->reply.retry_s * NS_PER_S
                    : RETRY_MAX;
    if (pause < RETRY_MIN)
        return RETRY_MIN;
    return pause < RETRY_MAX ? pause : RETRY_MAX;
}

static void
wait_more(struct webhook_sink *w)
{
    w->next = w->peer.now + pause_of(w);
    w->backoff = w->backoff < BACKOFF_MAX / 2 ? 2 * w->backoff : BACKOFF_MAX;
    w->n_lines = 0;
    sink_queue_again(&w->q);
}

static bool
is_refusal(unsigned code)
{
    return code >= 400 && code < 500 && code != 408 && code != 425 &&
           code != 429;
}

static void
take_answer(struct webhook_sink *w)
{
    unsigned code = w->reply.code;

    buf_reset(&w->trouble);
    if (code >= 300)
        buf_printf(&w->trouble, "it answers %u%s", code,
                   code < 400 ? ", and redirections are not followed" : "");
    if (code < 300) {
        settle(w, true);
    } else if (!is_refusal(code)) {
        wait_more(w);
    } else if (w->n_lines == 1) {
        settle(w, false);
    } else { /* one of them, or the size of it: one by one */
        w->alone = w->q.head + w->n_lines;
        w->n_lines = 0;
        sink_queue_again(&w->q);
    }
    buf_reset(&w->request);
    w->out_at = 0;
    if (!w->reply.keeps) {
        peer_leave(&w->peer, w->peer.now);
        w->losses = w->peer.losses; /* nothing was under way */
    }
}

/* False: no more now. */
static bool
receive(struct webhook_sink *w)
{
    uint8_t room[16384];
    size_t n = 0;

    if (peer_read(&w->peer, room, sizeof(room), &n) != PEER_DONE)
        return false;
    if (w->n_lines == 0) {
        peer_lost(&w->peer, "it spoke without being asked");
        return false;
    }
    n -= http_reply_feed(&w->reply, span_of(room, n));
    if (w->reply.state == HTTP_BAD) {
        peer_lost(&w->peer, "what it says is not HTTP");
        return false;
    }
    if (w->reply.state != HTTP_DONE)
        return true;
    /* More than an answer: whose would it be? And what is not written of a
     * request would be taken out of the next one. */
    if (n > 0 || w->out_at < w->request.n)
        w->reply.keeps = false;
    take_answer(w);
    return true;
}

/* ---- turning ---- */

static bool
is_ready(const struct webhook_sink *w)
{
    uint64_t n = w->q.tail - w->q.head;

    if (n == 0 || w->peer.now < w->next)
        return false;
    return n >= w->batch || w->in_haste || w->q.head < w->alone ||
           w->peer.now >= w->gathered + w->linger;
}

static void
transmit(struct webhook_sink *w)
{
    size_t n = 0;

    if (w->n_lines == 0 && is_ready(w))
        make_request(w);
    while (w->n_lines > 0 && w->out_at < w->request.n &&
           peer_write(&w->peer, span_tail(buf_view(&w->request), w->out_at),
                      &n) == PEER_DONE)
        w->out_at += n;
}

static void
turn(struct webhook_sink *w)
{
    while (is_up(w)) {
        transmit(w);
        if (!is_up(w) || !receive(w))
            break;
    }
    (void)is_up(w);
}

/* ---- the interface ---- */

static enum put
webhook_put(struct sink *s, struct span record, struct span line)
{
    struct webhook_sink *w = self(s);

    w->in_haste = false;
    turn(w);
    if (!sink_queue_has_room(&w->q, line.n) ||
        sink_queue_put(&w->q, record, line) == NULL)
        return PUT_BUSY; /* memory may come back */
    if (w->q.tail - w->q.head == w->n_lines + 1)
        w->gathered = w->peer.now;
    return PUT_DONE;
}

static enum put
webhook_flush(struct sink *s)
{
    struct webhook_sink *w = self(s);

    w->in_haste = true;
    turn(w);
    return sink_queue_is_empty(&w->q) ? PUT_DONE : PUT_BUSY;
}

static enum err
webhook_reopen(struct sink *s)
{
    struct webhook_sink *w = self(s);

    w->next = w->peer.call_at = 0; /* at once */
    return ERR_OK;
}

static void
set_now(struct webhook_sink *w, ns_t now)
{
    const ns_t back = peer_set_now(&w->peer, now);

    w->next = peer_earlier(w->next, back);
    w->deadline = peer_earlier(w->deadline, back);
    w->gathered = peer_earlier(w->gathered, back);
}

static void
webhook_tick(struct sink *s, ns_t now)
{
    struct webhook_sink *w = self(s);
    bool has_work;

    set_now(w, now);
    has_work = !sink_queue_is_empty(&w->q) && now >= w->next;
    if (w->peer.state != PEER_AWAY || has_work)
        peer_tick(&w->peer, now);
    turn(w);
    if (w->n_lines > 0 && now > w->deadline) {
        peer_lost(&w->peer, "no answer");
        (void)is_up(w);
    }
}

static void
webhook_wait(struct sink *s, unsigned ms)
{
    struct webhook_sink *w = self(s);

    peer_wait(&w->peer, w->out_at < w->request.n, ms);
    turn(w);
}

static struct sink_counts
webhook_counts(const struct sink *s)
{
    return self_const(s)->q.counts;
}

/* What the other side said stands behind what the connection does. */
static void
webhook_why(const struct sink *s, struct buf *out)
{
    const struct webhook_sink *w = self_const(s);

    if (w->peer.why.n > 0 || w->trouble.n == 0) {
        peer_why(&w->peer, "webhook", out);
        return;
    }
    buf_str(out, "webhook ");
    text_term(out, span_str(w->peer.target));
    buf_str(out, ": ");
    buf_span(out, buf_view(&w->trouble));
}

static void
free_secret(struct buf *b)
{
    if (b->p != NULL)
        explicit_bzero(b->p, b->cap);
    buf_free(b);
}

static void
webhook_close(struct sink *s)
{
    struct webhook_sink *w;

    if (s == NULL)
        return;
    w = self(s);
    peer_fini(&w->peer);
    sink_queue_fini(&w->q);
    free_secret(&w->secret);
    free_secret(&w->token);
    free_secret(&w->request);
    buf_free(&w->host);
    buf_free(&w->trouble);
    free(w->path);
    free(w);
}

/* ---- opening ---- */

static const struct {
    struct span scheme;
    uint16_t port;
    bool is_tls;
} schemes[] = {
    {SPAN_INIT("https://"), 443, true },
    {SPAN_INIT("http://"),  80,  false},
};

static enum err
no_url(const struct sink_settings *s, struct buf *message)
{
    text_term(message, span_str(s->target));
    buf_str(message, ": not http://HOST[:PORT]/PATH or https://, without a "
                     "user and a fragment");
    return ERR_CONFIG;
}

/* Where the host ends. */
static size_t
host_end(struct span url)
{
    size_t slash = span_find(url, '/');
    size_t question = span_find(url, '?');

    return slash < question ? slash : question;
}

static enum err
set_url(struct webhook_sink *w, const struct sink_settings *s,
        struct buf *message)
{
    struct span url = span_str(s->target);
    size_t i = 0;
    struct span path;
    enum err e;

    while (i < ARRAY_LEN(schemes) && !span_starts(url, schemes[i].scheme))
        i++;
    if (i == ARRAY_LEN(schemes) || url.n > URL_MAX || !is_plain(url) ||
        span_find(url, '#') < url.n)
        return no_url(s, message);
    url = span_tail(url, schemes[i].scheme.n);
    path = span_tail(url, host_end(url));
    buf_span(&w->host, span_head(url, url.n - path.n));
    w->path = malloc(path.n + 2);
    if (w->path == NULL || w->host.failed || !buf_grow(&w->host, 1))
        return ERR_NOMEM;
    w->host.p[w->host.n] = '\0';
    w->path[0] = '/';
    memcpy(w->path + (span_at(path, 0) != '/'), path.p, path.n);
    w->path[path.n + (span_at(path, 0) != '/')] = '\0';
    if (span_find(buf_view(&w->host), '@') < w->host.n)
        return no_url(s, message);
    e = peer_set_host(&w->peer, (const char *)w->host.p, schemes[i].port,
                      message);
    if (e == ERR_OK && schemes[i].is_tls)
        e = peer_tls_make(options, s, w->peer.host, &w->peer.tls, message);
    return e;
}

static enum err
set_secrets(struct webhook_sink *w, const struct sink_settings *s,
            struct buf *message)
{
    enum err e = sink_secret(options, s, "secret-file", &w->secret, message);

    if (e == ERR_OK)
        e = sink_secret(options, s, "token-file", &w->token, message);
    if (e == ERR_OK && w->token.n > 0 && !is_plain(buf_view(&w->token))) {
        buf_str(message, "token-file: its first line is no word");
        return ERR_CONFIG;
    }
    return e;
}

static enum err
configure(struct webhook_sink *w, const struct sink_settings *s,
          struct buf *message)
{
    size_t begin = message->n;
    enum err e;

    buf_str(message, "webhook: ");
    e = set_url(w, s, message);
    if (e == ERR_OK)
        e = set_secrets(w, s, message);
    if (e != ERR_OK)
        return e;
    message->n = begin;
    w->batch = sink_number(options, s, "batch");
    w->linger = sink_number(options, s, "linger-ms") * NS_PER_MS;
    return sink_queue_init(&w->q, sink_number(options, s, "queue-lines"),
                           sink_number(options, s, "queue-mib") << 20, s);
}

static enum err
webhook_open(struct sink **out, const struct sink_settings *s,
             struct buf *message)
{
    struct webhook_sink *w = calloc(1, sizeof(*w));
    enum err e;

    if (w == NULL)
        return ERR_NOMEM;
    w->sink.ops = &sink_webhook;
    w->backoff = BACKOFF_FIRST;
    peer_init(&w->peer);
    buf_init(&w->host, URL_MAX + 1);
    buf_init(&w->secret, SINK_SECRET_MAX);
    buf_init(&w->token, SINK_SECRET_MAX);
    buf_init(&w->request, SIZE_MAX);
    buf_init(&w->trouble, 100);
    e = configure(w, s, message);
    if (e != ERR_OK) {
        webhook_close(&w->sink);
        return e;
    }
    *out = &w->sink;
    return ERR_OK;
}

const struct sink_ops sink_webhook = {
    .name = "webhook",
    .help = "HTTP POST of one event or a batch; target: a URL, http:// or "
            "https://.",
    .options = options,
    .open = webhook_open,
    .put = webhook_put,
    .flush = webhook_flush,
    .reopen = webhook_reopen,
    .tick = webhook_tick,
    .wait = webhook_wait,
    .counts = webhook_counts,
    .why = webhook_why,
    .close = webhook_close,
};
