#include "dissectors/smtp.h"

#include "dissectors/ndpi_lines.h"

#include <openssl/evp.h>

#include "dissectors/smtp_session.h"

/* False: no memory. Where the library is not there, nothing is asked of it. */
static bool
start_ndpi(struct smtp_ctx *c, const struct smtp_options *o)
{
    c->name_others = o->name_others;
    c->suspects.evidence = SMTP_SUSPECT_EVIDENCE;
    if (!o->name_others && !o->ask_ndpi)
        return true;
    if (ndpi_lines_new(&c->ndpi) == ERR_NOMEM)
        return false;
    c->suspects.ndpi = o->ask_ndpi ? c->ndpi : NULL;
    return true;
}

enum err
smtp_new(const struct smtp_options *o, struct smtp_ctx **out)
{
    struct smtp_ctx *c = calloc(1, sizeof(*c));
    struct part_options part = o->part;

    if (c == NULL)
        return ERR_NOMEM;
    c->sink = o->sink;
    c->body_digest = o->body_digest;
    c->carve_parts = part.keep_attached = o->carve_parts;
    if (o->carve_parts || o->save_mail > 0)
        part.later = NULL; /* their bytes come before their events */
    c->save_mail = o->save_mail;
    c->describe = o->describe;
    c->describe_ctx = o->describe_ctx;
    c->scan = smtp_scan_best();
    charset_init(&c->charset);
    if (o->locked)
        (void)charset_preload(&c->charset);
    record_init(&c->rec);
    record_init(&c->late_rec);
    c->late_mem.max = LIMIT_smtp_late_bytes;
    buf_init(&c->scratch, 2 * LIMIT_smtp_line);
    buf_init(&c->caps, 4 * LIMIT_smtp_line);
    for (unsigned i = 0; i < FLOW_SHARDS; i++) {
        c->mem[i].max = o->memory_max / FLOW_SHARDS;
        c->content[i].max = o->content_max / FLOW_SHARDS;
        c->raw[i].max = c->content[i].max > 2 * c->save_mail ? c->content[i].max
                                                             : 2 * c->save_mail;
    }
    if (o->content_max > 0 && part_ctx_new(&part, &c->part_ctx) != ERR_OK) {
        smtp_free(c);
        return ERR_NOMEM;
    }
    if (!start_ndpi(c, o)) {
        smtp_free(c);
        return ERR_NOMEM;
    }
    if (o->body_digest || o->save_mail > 0) {
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
    smtp_late_free(c);
    record_free(&c->late_rec);
    EVP_MD_free(c->sha256);
    ndpi_lines_free(c->ndpi);
    part_ctx_free(c->part_ctx);
    charset_fini(&c->charset);
    record_free(&c->rec);
    buf_free(&c->scratch);
    buf_free(&c->caps);
    free(c);
}

const struct smtp_stats *
smtp_stats_of(const struct smtp_ctx *c)
{
    return &c->stats;
}

const struct smtp_suspect_stats *
smtp_suspects_of(const struct smtp_ctx *c)
{
    return &c->suspects.stats;
}

uint64_t
smtp_memory(const struct smtp_ctx *c)
{
    uint64_t n = c->late_mem.used;

    for (unsigned i = 0; i < FLOW_SHARDS; i++)
        n += c->mem[i].used + c->content[i].used + c->raw[i].used;
    return n;
}

/* ---- entering and leaving a session ---- */

static bool
is_idle(const struct smtp *s)
{
    const struct work *w = s->w;

    return w->held[0].n == 0 && w->held[1].n == 0 && w->line[0].carry.n == 0 &&
           w->line[1].carry.n == 0 && !w->line[0].over && !w->line[1].over &&
           w->reply_lines == 0 && w->queue.n == 0 && s->mode != CLIENT_DATA &&
           s->mode != CLIENT_BDAT;
}

static void
enter(struct smtp *s, ns_t now)
{
    s->ctx->now = s->ctx->at = now;
    s->ctx->own = &s->ctx->mem[s->flow->shard % FLOW_SHARDS];
    s->ctx->cmd_acked = STREAM_ACK_UNKNOWN;
    if (s->w == NULL)
        s->w = &s->ctx->spare;
}

static void
free_work(struct smtp *s)
{
    struct work *w = s->w;

    for (unsigned d = 0; d < 2; d++) {
        line_wipe(&w->held[d], smtp_mem(s));
        w->held_at[d] = 0;
        w->ahead[d] = 0;
        line_reset(&w->line[d], smtp_mem(s));
    }
    vec_free(&w->reply, smtp_mem(s));
    w->reply_lines = 0;
    vec_free(&w->queue, smtp_mem(s));
    w->queue_head = 0;
    if (w != &s->ctx->spare)
        mem_free(smtp_mem(s), w, sizeof(*w));
    s->w = NULL;
}

/* No memory for what must wait: it is lost like bytes never seen. */
static void
forget(struct smtp *s)
{
    smtp_odd(s, ANOM_NO_MEMORY, DIR_C2S);
    while (s->has_first)
        smtp_pending_pop(s);
    for (unsigned d = 0; d < 2; d++)
        s->pos[d] += s->w->ahead[d];
    s->server_lost = s->fragment = s->auth_lost = true;
    if (s->tx != NULL)
        smtp_message_gap(s, s->tx, 0);
    if (s->mode != CLIENT_TLS && s->mode != CLIENT_AUTH)
        s->mode = CLIENT_LOST;
    s->gate = GATE_OPEN;
    smtp_tx_settle(s);
    free_work(s);
}

static bool
holds_memory(const struct work *w)
{
    return (w->held[0].cap | w->held[1].cap | w->line[0].carry.cap |
            w->line[1].carry.cap | w->reply.cap | w->queue.cap) > 0;
}

static void
leave(struct smtp *s)
{
    struct work *w = s->w;
    struct work *kept;

    for (unsigned d = 0; d < 2; d++) {
        if (w->line[d].spent)
            line_done(&w->line[d], smtp_mem(s));
    }
    if (is_idle(s)) {
        if (w == &s->ctx->spare && !holds_memory(w))
            s->w = NULL;
        else
            free_work(s);
        return;
    }
    if (w != &s->ctx->spare)
        return;
    kept = mem_new(smtp_mem(s), sizeof(*kept));
    if (kept == NULL) {
        forget(s);
        return;
    }
    *kept = *w;
    *w = (struct work){0};
    s->w = kept;
}

/* ---- the order of the two streams ---- */

/* Something that waits: bytes, or a gap of that many. */
struct held {
    ns_t seen;
    uint64_t offset;
    uint64_t acked;
    uint64_t gap;
    uint32_t n;
    uint32_t order; /* of arrival */
};

static bool
next_held(struct cursor *c, struct held *h, struct span *data)
{
    struct span head = cur_take(c, sizeof(*h));

    if (head.n == 0)
        return false;
    memcpy(h, head.p, sizeof(*h));
    *data = cur_take(c, h->n);
    return !c->bad;
}

static struct cursor
held_of(const struct smtp *s, enum dir d)
{
    return cur_open(span_tail(vec_view(&s->w->held[d]), s->w->held_at[d]));
}

static size_t
n_held(const struct smtp *s, enum dir d)
{
    return s->w->held[d].n - s->w->held_at[d];
}

/* How far this direction has been seen, read or not. */
static uint64_t
seen(const struct smtp *s, enum dir d)
{
    return s->pos[d] + s->w->ahead[d];
}

/* Moves what waits to the front when half of the block is done. */
static void
compact(struct smtp *s, enum dir d)
{
    struct vec *v = &s->w->held[d];
    uint32_t at = s->w->held_at[d];

    if (at < v->n - at)
        return;
    memmove(v->p, v->p + at, v->n - at);
    explicit_bzero(v->p + (v->n - at), at);
    v->n -= at;
    s->w->held_at[d] = 0;
}

/* False when there is no memory. */
static bool
hold(struct smtp *s, enum dir d, struct held *h, struct span data)
{
    struct vec *v = &s->w->held[d];
    uint32_t n;

    h->order = s->w->arrivals++;
    h->n = (uint32_t)data.n;

    if (s->w->held_at[d] > 0)
        compact(s, d);
    n = v->n;
    if (!line_store(v, smtp_mem(s), h, sizeof(*h)))
        return false;
    if (!line_store(v, smtp_mem(s), data.p, data.n)) {
        v->n = n;
        return false;
    }
    s->w->ahead[d] += h->gap + h->n;
    return true;
}

/* What the first waiting item of this direction waits for; 0: there is none. */
static uint64_t
wants(const struct smtp *s, enum dir d)
{
    struct cursor c = held_of(s, d);
    struct held h;
    struct span data;

    return next_held(&c, &h, &data) && h.acked != STREAM_ACK_UNKNOWN ? h.acked
                                                                     : 0;
}

/* May bytes of this direction be read whose sender had received so much? If it
 * had received what waits on the other side, that goes first, unless that in
 * turn waits for these bytes: then the wire shows no order. */
static bool
is_ready(const struct smtp *s, enum dir d, uint64_t acked)
{
    enum dir o = dir_other(d);

    if (d == DIR_C2S && s->gate != GATE_OPEN)
        return false;
    if (acked == STREAM_ACK_UNKNOWN || acked <= s->pos[o])
        return true;
    if (acked > seen(s, o))
        return false;
    return wants(s, o) > s->pos[d] || (o == DIR_C2S && s->gate != GATE_OPEN);
}

/* Bytes of n that may be read before something on the other side becomes ready.
 */
static size_t
until_other(const struct smtp *s, enum dir d, size_t n)
{
    uint64_t other = wants(s, dir_other(d));

    if (other <= s->pos[d] || other - s->pos[d] >= n)
        return n;
    return (size_t)(other - s->pos[d]);
}

static size_t
feed(struct smtp *s, const struct chunk *c)
{
    s->ctx->at = c->seen;
    if (c->dir == DIR_C2S)
        return smtp_client_bytes(s, c);
    return smtp_server_bytes(s, c);
}

static void
feed_gap(struct smtp *s, enum dir d, uint64_t lost)
{
    s->ctx->at = TIME_UNKNOWN;
    if (d == DIR_C2S)
        smtp_client_gap(s, lost);
    else
        smtp_server_gap(s, lost);
}

/* Takes n bytes off the item; the item goes with its last byte. */
static void
advance(struct smtp *s, enum dir d, const struct held *h, size_t n)
{
    struct work *w = s->w;
    struct held rest = *h;

    w->ahead[d] -= n + h->gap;
    if (n >= h->n) {
        w->held_at[d] += (uint32_t)(sizeof(*h) + h->n);
    } else {
        rest.offset += n;
        rest.n -= (uint32_t)n;
        w->held_at[d] += (uint32_t)n;
        memcpy(w->held[d].p + w->held_at[d], &rest, sizeof(rest));
    }
    if (w->held_at[d] < w->held[d].n)
        return;
    line_wipe(&w->held[d], smtp_mem(s));
    w->held_at[d] = 0;
}

/* The first line that waits, as far as it is there. True when it is whole, or
 * so long that it is no command. */
static bool
waiting_line(struct smtp *s, struct span *out)
{
    struct cursor c = held_of(s, DIR_C2S);
    struct buf *b = &s->ctx->scratch;
    struct held h;
    struct span data;
    bool whole = false;

    buf_reset(b);
    while (!whole && next_held(&c, &h, &data)) {
        size_t at = span_find(data, '\n');

        whole = at < data.n || h.gap > 0;
        buf_span(b, span_head(data, at));
        whole |= b->n > LIMIT_smtp_path;
    }
    *out = buf_view(b);
    return whole;
}

static bool
release_one(struct smtp *s, enum dir d, bool force)
{
    struct cursor at = held_of(s, d);
    struct held h;
    struct span data;
    struct span line;
    struct chunk c;
    size_t n;

    if (!next_held(&at, &h, &data))
        return false;
    if (!is_ready(s, d, h.acked) && !force)
        return false;
    if (d == DIR_C2S && s->gate != GATE_OPEN) {
        (void)waiting_line(s, &line);
        smtp_gate_guess(s, line);
    }
    if (h.gap > 0) {
        uint64_t ahead = s->w->ahead[d];

        feed_gap(s, d, h.gap);
        REQUIRE(s->w->ahead[d] == ahead);
        advance(s, d, &h, 0);
        return true;
    }
    data = span_head(data, until_other(s, d, data.n));
    c = (struct chunk){data, d, s->ctx->now, h.offset, h.acked, h.seen};
    n = feed(s, &c);
    advance(s, d, &h, n);
    return n > 0;
}

/* The reply that the gate waits for was lost, and the client went on after it
 * had read what we have not. */
static bool
guess(struct smtp *s)
{
    struct cursor at = held_of(s, DIR_C2S);
    struct held h;
    struct span data;
    struct span line;
    bool whole;

    if (s->gate == GATE_OPEN || !smtp_pending_in_gap(s) ||
        !next_held(&at, &h, &data))
        return false;
    if (h.acked > s->pos[DIR_S2C] || h.acked <= s->gap_begin)
        return false; /* unknown, to come, or before it */
    whole = waiting_line(s, &line);
    if (!whole && s->gate != GATE_STARTTLS)
        return false;
    smtp_gate_passed(s, line);
    return true;
}

/* Of the two that wait first, the one that is ready. Of two the older; but of
 * two that wait for each other the newer, as if the rest of it had not come. */
static bool
release_next(struct smtp *s)
{
    struct cursor c = held_of(s, DIR_C2S);
    struct cursor v = held_of(s, DIR_S2C);
    struct held client;
    struct held server;
    struct span data;
    bool has_client =
        next_held(&c, &client, &data) && is_ready(s, DIR_C2S, client.acked);
    bool has_server =
        next_held(&v, &server, &data) && is_ready(s, DIR_S2C, server.acked);

    if (has_client && has_server)
        has_client = (client.order < server.order) !=
                     (wants(s, DIR_C2S) > s->pos[DIR_S2C]);
    if (has_client || has_server)
        return release_one(s, has_client ? DIR_C2S : DIR_S2C, false);
    return guess(s);
}

static void
release(struct smtp *s)
{
    while (release_next(s))
        ;
}

/* No memory to wait in: the order of capture must do. */
static void
press_on(struct smtp *s, struct chunk c)
{
    smtp_odd(s, ANOM_NO_MEMORY, c.dir);
    while (release_one(s, c.dir, true))
        ;
    while (c.data.n > 0) {
        size_t n;

        if (c.dir == DIR_C2S && s->gate != GATE_OPEN)
            smtp_gate_guess(s, span_head(c.data, span_find(c.data, '\n')));
        n = feed(s, &c);
        c.data = span_tail(c.data, n);
        c.offset += n;
    }
}

/* Reads as much of a new segment as need not wait; gives what is left. */
static size_t
feed_ready(struct smtp *s, struct chunk c)
{
    struct span all = c.data;

    while (all.n > 0 && n_held(s, c.dir) == 0 &&
           is_ready(s, c.dir, c.peer_acked)) {
        size_t n;

        c.data = span_head(all, until_other(s, c.dir, all.n));
        n = feed(s, &c);
        all = span_tail(all, n);
        c.offset += n;
        if (n_held(s, dir_other(c.dir)) > 0)
            break;
    }
    return all.n;
}

static void
on_data(void *session, const struct chunk *c)
{
    struct smtp *s = session;
    enum dir d = c->dir;
    struct held h = {.seen = c->seen, .acked = c->peer_acked};
    struct chunk rest = *c;
    size_t left;

    enter(s, c->when);
    left = feed_ready(s, rest);
    if (left > 0) {
        rest.data = span_tail(c->data, c->data.n - left);
        rest.offset += c->data.n - left;
        h.offset = rest.offset;
        if (!hold(s, d, &h, rest.data))
            press_on(s, rest);
    }
    if (s->w->held[0].n + s->w->held[1].n > 0) {
        release(s);
        while (n_held(s, d) > LIMIT_smtp_held && release_one(s, d, true))
            release(s);
    }
    if (!s->familiar)
        smtp_foreign_see(s, c); /* after a greeting nothing is kept */
    leave(s);
}

static void
on_gap(void *session, enum dir d, uint64_t lost, ns_t when)
{
    struct smtp *s = session;
    struct held h = {.acked = STREAM_ACK_UNKNOWN, .gap = lost};
    bool waits;

    enter(s, when);
    waits = n_held(s, d) > 0 || (d == DIR_C2S && s->gate != GATE_OPEN);
    h.offset = seen(s, d);
    if (!waits || !hold(s, d, &h, SPAN_NONE))
        feed_gap(s, d, lost);
    release(s);
    leave(s);
}

/* ---- life of a session ---- */

static bool
has_room(const struct mem *m)
{
    const uint64_t share = m->max / 16;
    const uint64_t room = share < LIMIT_smtp_room ? share : LIMIT_smtp_room;

    return m->used <= m->max && m->max - m->used >= room;
}

static void *
on_open(void *ctx, struct flow *f, ns_t when)
{
    struct smtp_ctx *c = ctx;
    struct smtp *s;

    c->own = &c->mem[f->shard % FLOW_SHARDS];
    s = has_room(c->own) ? mem_new(c->own, sizeof(*s)) : NULL;
    if (s == NULL)
        return NULL;
    s->ctx = c;
    s->flow = f;
    s->pos[DIR_C2S] = f->half[DIR_C2S].skipped;
    s->pos[DIR_S2C] = f->half[DIR_S2C].skipped;
    c->now = when;
    c->at = f->established > 0 ? f->established : f->start;
    if (f->midstream) {
        s->mode = CLIENT_LOST;
        s->server_lost = s->fragment = true;
    } else {
        smtp_pending_add(s, SMTP_GREETING, NULL, 0);
    }
    return s;
}

static void
free_session(struct smtp *s)
{
    struct mem *m = smtp_mem(s);

    for (struct tx *t = s->txs; t != NULL;) {
        struct tx *next = t->next;

        smtp_tx_free(s, t);
        t = next;
    }
    free_work(s);
    vec_free(&s->log, m);
    if (s->tls != NULL)
        tls_free(s->tls);
    mem_free(m, s->tls, sizeof(*s->tls));
    smtp_foreign_free(s);
    smtp_late_leave(s);
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

    enter(s, when);
    do
        release(s);
    while (release_one(s, DIR_S2C, true) || release_one(s, DIR_C2S, true));
    smtp_client_end(s);
    s->waits = s->has_first;
    smtp_tx_end_all(s);
    smtp_emit_tls(s);
    smtp_emit_session(s, why);
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

    if (kind >= ANOM_COUNT)
        return;
    enter(s, when);
    smtp_cmd_parse(line, &c);
    /* The other reading is told where it is an envelope, never otherwise: it
     * might be a credential or text. */
    if (kind != ANOM_OVERLAP_DIFFERS ||
        (c.verb != SMTP_MAIL && c.verb != SMTP_RCPT && c.verb != SMTP_EHLO &&
         c.verb != SMTP_HELO))
        line = SPAN_NONE;
    smtp_anomaly(s, (enum anomaly)kind, d, offset, line);
    leave(s);
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

    if (!has_news(t) || now < t->part_start + LIMIT_smtp_part_s * NS_PER_S)
        return;
    if (t->n_pending > 0) {
        t->part_start = now; /* replies are out: once more in a minute */
        return;
    }
    enter(s, now);
    smtp_tx_part(s, t);
    leave(s);
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
        if (c2s.n > 0 && c2s.n < want.n && span_starts_nocase(want, c2s))
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
    if (c2s.n == 0 && span_starts(s2c, SPAN_LIT("HTTP")))
        return 0; /* the answer to a CONNECT that is seen late */
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

static int
on_second(void *ctx, const struct flow *f, void **state, struct span c2s,
          struct span s2c)
{
    struct smtp_ctx *c = ctx;

    return smtp_suspect_ask(&c->suspects, f, state, c2s, s2c,
                            &c->mem[f->shard % FLOW_SHARDS]);
}

static void
on_second_end(void *ctx, const struct flow *f, void **state)
{
    struct smtp_ctx *c = ctx;

    smtp_suspect_end(&c->suspects, f, state, &c->mem[f->shard % FLOW_SHARDS]);
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
    .second = on_second,
    .second_end = on_second_end,
};
