#include "dissectors/smtp.h"

#include <openssl/evp.h>

#include "dissectors/smtp_session.h"

enum err
smtp_new(const struct smtp_options *o, struct smtp_ctx **out)
{
    struct smtp_ctx *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return ERR_NOMEM;
    c->sink = o->sink;
    c->describe = o->describe;
    c->describe_ctx = o->describe_ctx;
    c->scan = smtp_scan_best();
    charset_init(&c->charset);
    record_init(&c->rec);
    buf_init(&c->scratch, 2 * LIMIT_smtp_line);
    for (unsigned i = 0; i < FLOW_SHARDS; i++)
        c->mem[i].max = o->memory_max / FLOW_SHARDS;
    if (o->body_digest) {
        c->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
        if (c->sha256 == NULL) {
            smtp_free(c);
            return ERR_NOMEM;
        }
    }
    *out = c;
    return ERR_OK;
}

void
smtp_free(struct smtp_ctx *c)
{
    if (c == NULL)
        return;
    EVP_MD_free(c->sha256);
    charset_fini(&c->charset);
    record_free(&c->rec);
    buf_free(&c->scratch);
    free(c);
}

const struct smtp_stats *
smtp_stats_of(const struct smtp_ctx *c)
{
    return &c->stats;
}

uint64_t
smtp_memory(const struct smtp_ctx *c)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < FLOW_SHARDS; i++)
        n += c->mem[i].used;
    return n;
}

/* ---- the order of the two streams ---- */

/* Something that waits: bytes, or a gap of that many. */
struct held {
    ns_t when;
    uint64_t offset;
    uint64_t acked;
    uint64_t gap;
    uint64_t n;
};

static bool
next_held(const struct smtp *s, enum dir d, struct held *h, struct span *data)
{
    struct cursor c = cur_open(
        span_tail(vec_view(&s->held[d]), s->held_at[d]));
    struct span head = cur_take(&c, sizeof(*h));

    if (head.n == 0)
        return false;
    memcpy(h, head.p, sizeof(*h));
    *data = cur_take(&c, (size_t)h->n);
    return !c.bad;
}

struct span
smtp_held_bytes(const struct smtp *s, enum dir d)
{
    struct held h;
    struct span data;

    return next_held(s, d, &h, &data) ? data : SPAN_NONE;
}

static size_t
held_bytes(const struct smtp *s, enum dir d)
{
    return s->held[d].n - s->held_at[d];
}

/* False when there is no memory: the caller goes on without waiting. */
static bool
hold(struct smtp *s, enum dir d, const struct held *h, struct span data)
{
    struct vec *v = &s->held[d];

    if (!vec_reserve(v, s->mem, sizeof(*h) + data.n))
        return false;
    (void)vec_put(v, s->mem, h, sizeof(*h));
    return vec_put(v, s->mem, data.p, data.n);
}

static bool
is_ready(const struct smtp *s, enum dir d, uint64_t acked)
{
    if (d == DIR_C2S && s->gate != GATE_OPEN)
        return false;
    return acked == STREAM_ACK_UNKNOWN || acked <= s->recv[dir_other(d)];
}

static size_t
feed(struct smtp *s, const struct chunk *c)
{
    s->at = c->when;
    if (c->dir == DIR_C2S)
        return smtp_client_bytes(s, c);
    smtp_server_bytes(s, c);
    return c->data.n;
}

static void
feed_gap(struct smtp *s, enum dir d, uint64_t lost)
{
    s->at = s->now;
    if (d == DIR_C2S)
        smtp_client_gap(s, lost, s->now);
    else
        smtp_server_gap(s, lost, s->now);
}

/* Takes n bytes off the item; the item goes with its last byte. */
static void
advance(struct smtp *s, enum dir d, const struct held *h, size_t n)
{
    struct held rest = *h;
    uint32_t at = s->held_at[d];

    if (n >= h->n) {
        s->held_at[d] += (uint32_t)(sizeof(*h) + h->n);
    } else {
        rest.offset += n;
        rest.n -= n;
        s->held_at[d] = at + (uint32_t)n;
        memcpy(s->held[d].p + s->held_at[d], &rest, sizeof(rest));
    }
    if (s->held_at[d] < s->held[d].n)
        return;
    vec_free(&s->held[d], s->mem);
    s->held_at[d] = 0;
}

static bool
release_one(struct smtp *s, enum dir d, bool force)
{
    struct held h;
    struct span data;
    struct chunk c;
    size_t n;

    if (!next_held(s, d, &h, &data))
        return false;
    if (!is_ready(s, d, h.acked)) {
        if (!force)
            return false;
        if (d == DIR_C2S && s->gate != GATE_OPEN)
            smtp_gate_guess(s);
    }
    if (h.gap > 0) {
        feed_gap(s, d, h.gap);
        advance(s, d, &h, 0);
        return true;
    }
    c = (struct chunk){data, d, h.when, h.offset, h.acked};
    n = feed(s, &c);
    advance(s, d, &h, n);
    return n > 0;
}

static void
release(struct smtp *s)
{
    while (release_one(s, DIR_S2C, false) || release_one(s, DIR_C2S, false))
        ;
}

/* The client went on after it had read what was lost to us. */
static bool
has_moved_on(const struct smtp *s, const struct chunk *c)
{
    return s->gate != GATE_OPEN && s->realign && c->dir == DIR_C2S &&
           c->peer_acked != STREAM_ACK_UNKNOWN && c->peer_acked >= s->gap_end;
}

static void
on_data(void *session, const struct chunk *c)
{
    struct smtp *s = session;
    enum dir d = c->dir;
    struct held h = {c->when, c->offset, c->peer_acked, 0, c->data.n};
    size_t taken = 0;

    s->now = c->when;
    s->recv[d] = c->offset + c->data.n;
    if (held_bytes(s, d) == 0 && is_ready(s, d, c->peer_acked))
        taken = feed(s, c);
    if (taken < c->data.n) {
        h.offset += taken;
        h.n -= taken;
        if (!hold(s, d, &h, span_tail(c->data, taken)))
            feed_gap(s, d, h.n);
        if (has_moved_on(s, c))
            smtp_gate_guess(s);
        while (held_bytes(s, d) > LIMIT_smtp_held)
            (void)release_one(s, d, true);
    }
    if (held_bytes(s, DIR_C2S) + held_bytes(s, DIR_S2C) > 0)
        release(s);
}

static void
on_gap(void *session, enum dir d, uint64_t lost, ns_t when)
{
    struct smtp *s = session;
    struct held h = {when, s->recv[d], STREAM_ACK_UNKNOWN, lost, 0};

    s->now = when;
    s->recv[d] += lost;
    if (held_bytes(s, d) > 0 && hold(s, d, &h, SPAN_NONE)) {
        release(s);
        return;
    }
    feed_gap(s, d, lost);
    release(s);
}

/* ---- life of a session ---- */

static void *
on_open(void *ctx, struct flow *f, ns_t when)
{
    struct smtp_ctx *c = ctx;
    struct mem *m = &c->mem[f->shard % FLOW_SHARDS];
    struct smtp *s = mem_new(m, sizeof(*s));

    if (s == NULL)
        return NULL;
    s->ctx = c;
    s->flow = f;
    s->mem = m;
    s->now = when;
    s->at = f->established > 0 ? f->established : f->start;
    if (f->midstream) {
        s->mode = CLIENT_LOST;
        s->server_lost = true;
    } else {
        smtp_pending_add(s, SMTP_GREETING, NULL, 0);
    }
    return s;
}

static void
free_session(struct smtp *s)
{
    struct mem *m = s->mem;

    for (struct tx *t = s->txs; t != NULL;) {
        struct tx *next = t->next;

        smtp_tx_free(s, t);
        t = next;
    }
    for (unsigned d = 0; d < 2; d++) {
        vec_free(&s->held[d], m);
        line_reset(&s->line[d], m);
    }
    vec_free(&s->banner, m);
    vec_free(&s->helo, m);
    vec_free(&s->caps, m);
    vec_free(&s->replies, m);
    vec_free(&s->auths, m);
    vec_free(&s->reply, m);
    vec_free(&s->queue, m);
    if (s->tls != NULL)
        tls_free(s->tls);
    mem_free(m, s->tls, sizeof(*s->tls));
    mem_free(m, s, sizeof(*s));
}

static void
count(struct smtp *s)
{
    struct smtp_stats *st = &s->ctx->stats;

    st->sessions++;
    st->sessions_tls += s->starttls_used || s->implicit_tls;
    st->sessions_oneway += smtp_oneway(s);
    st->sessions_gaps += s->flow->half[0].gaps + s->flow->half[1].gaps > 0;
}

static void
on_end(void *session, enum end_why why, ns_t when)
{
    struct smtp *s = session;

    s->now = when;
    while (release_one(s, DIR_S2C, true) || release_one(s, DIR_C2S, true))
        ;
    smtp_client_end(s, when);
    smtp_tx_end_all(s, when);
    smtp_emit_tls(s, when);
    smtp_emit_session(s, why, when);
    count(s);
    free_session(s);
}

static void
on_odd(void *session, unsigned kind, enum dir d, uint64_t offset,
       struct span other, ns_t when)
{
    struct smtp *s = session;
    struct smtp_cmd c;
    struct span line = span_head(other, span_find(other, '\r'));

    s->now = when;
    if (kind >= ANOM_COUNT)
        return;
    smtp_cmd_parse(line, &c);
    /* The other reading is told where it is an envelope, never otherwise: it
     * might be a credential or text. */
    if (kind != ANOM_OVERLAP_DIFFERS ||
        (c.verb != SMTP_MAIL && c.verb != SMTP_RCPT && c.verb != SMTP_EHLO &&
         c.verb != SMTP_HELO))
        line = SPAN_NONE;
    smtp_anomaly(s, (enum anomaly)kind, d, offset, line, when);
}

/* ---- parts of long transactions ---- */

static bool
has_news(const struct tx *t)
{
    return t != NULL && (t->offered > t->offered_before || t->part == 0);
}

static ns_t
on_wants_tick(const void *session)
{
    const struct smtp *s = session;

    if (!has_news(s->tx))
        return 0;
    return s->tx->part_start + LIMIT_smtp_part_s * NS_PER_S;
}

static void
on_tick(void *session, ns_t now)
{
    struct smtp *s = session;
    struct tx *t = s->tx;

    s->now = now;
    if (!has_news(t) || now < t->part_start + LIMIT_smtp_part_s * NS_PER_S)
        return;
    if (t->accepted + t->refused < t->offered && !smtp_oneway(s)) {
        t->part_start = now; /* replies are out: once more in a minute */
        return;
    }
    smtp_tx_part(s, t, now);
}

static void
on_attempt(void *ctx, struct flow *f, bool refused, bool answered, ns_t when)
{
    smtp_emit_attempt(ctx, f, refused, answered, when);
}

/* ---- is it SMTP? ---- */

/* Bytes up to and including the blank line of an HTTP head, or 0. */
static size_t
http_head(struct span s)
{
    struct span blank = SPAN_LIT("\r\n\r\n");
    size_t at = span_search(s, blank);

    return at < s.n ? at + blank.n : 0;
}

static int
judge(struct span c2s, struct span s2c)
{
    static const char *const hello[] = {"EHLO ", "HELO ", "LHLO "};
    struct span line = span_head(s2c, span_find(s2c, '\n'));
    bool greets = span_starts(s2c, SPAN_LIT("220 ")) ||
                  span_starts(s2c, SPAN_LIT("220-"));

    for (size_t i = 0; i < ARRAY_LEN(hello); i++) {
        struct span want = span_str(hello[i]);

        if (span_starts_nocase(c2s, want))
            return 1;
        if (c2s.n > 0 && c2s.n < want.n &&
            span_starts_nocase(want, c2s))
            return 0;
    }
    if (span_starts_nocase(c2s, SPAN_LIT("MAIL FROM:<")))
        return 1;
    if (greets && span_contains_nocase(line, SPAN_LIT("SMTP")))
        return 1;
    if (c2s.n > 0)
        return span_starts_nocase(SPAN_LIT("MAIL FROM:<"), c2s) ? 0 : -1;
    return s2c.n < 4 || greets ? 0 : -1;
}

static int
on_probe(struct span c2s, struct span s2c, size_t skip[2])
{
    static const struct span connect = SPAN_INIT("CONNECT ");
    size_t c = 0;
    size_t v = 0;

    skip[DIR_C2S] = skip[DIR_S2C] = 0;
    if (c2s.n > 0 && c2s.n < connect.n && span_starts(connect, c2s))
        return 0;
    if (span_starts_nocase(c2s, connect)) {
        c = http_head(c2s);
        v = http_head(s2c);
        if (c == 0 || v == 0)
            return 0;
        if (!span_starts(s2c, SPAN_LIT("HTTP/")))
            return -1;
        skip[DIR_C2S] = c;
        skip[DIR_S2C] = v;
    }
    return judge(span_tail(c2s, c), span_tail(s2c, v));
}

const struct stream_ops smtp_ops = {
    .open = on_open,
    .data = on_data,
    .gap = on_gap,
    .odd = on_odd,
    .tick = on_tick,
    .wants_tick = on_wants_tick,
    .end = on_end,
    .attempt = on_attempt,
    .probe = on_probe,
};
