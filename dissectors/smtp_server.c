#include "dissectors/smtp_session.h"

/* ---- the queue of commands without a reply ---- */

static size_t
n_queued(const struct smtp *s)
{
    return (s->queue.n - s->queue_head) / sizeof(struct pending);
}

static struct pending *
pending_at(struct smtp *s, size_t i)
{
    if (i == 0)
        return s->has_first ? &s->first : NULL;
    if (i > n_queued(s))
        return NULL;
    return (struct pending *)(void *)(s->queue.p + s->queue_head) + (i - 1);
}

struct pending *
smtp_pending_head(struct smtp *s)
{
    return pending_at(s, 0);
}

void
smtp_pending_add(struct smtp *s, enum smtp_verb verb, struct tx *t,
                 uint32_t rcpt)
{
    struct pending p = {
        .when = s->at,
        .end = s->pos[DIR_C2S],
        .acked = s->cmd_acked,
        .tx = t,
        .rcpt = rcpt,
        .verb = (uint8_t)verb,
    };

    if (s->n_skipped > 0 || n_queued(s) >= LIMIT_smtp_pending) {
        s->n_skipped++;
        smtp_anomaly(s, ANOM_TOO_MANY_PENDING, DIR_C2S, s->pos[DIR_C2S],
                     SPAN_NONE, s->now);
        return;
    }
    if (!s->has_first) {
        s->first = p;
        s->has_first = true;
    } else if (!vec_put(&s->queue, s->mem, &p, sizeof(p))) {
        s->n_skipped++;
        return;
    }
    if (t != NULL)
        t->n_pending++;
}

void
smtp_pending_pop(struct smtp *s)
{
    struct pending *next = pending_at(s, 1);

    if (s->first.tx != NULL)
        s->first.tx->n_pending--;
    s->has_first = next != NULL;
    if (next == NULL)
        return;
    s->first = *next;
    s->queue_head += (uint32_t)sizeof(*next);
    if (s->queue_head == s->queue.n) {
        vec_free(&s->queue, s->mem);
        s->queue_head = 0;
    }
}

static void
drop_head(struct smtp *s)
{
    s->n_unanswered += s->first.verb != SMTP_GREETING;
    if (s->first.tx != NULL)
        s->first.tx->inferred = true;
    smtp_pending_pop(s);
}

void
smtp_pending_drop_all(struct smtp *s)
{
    while (s->has_first)
        drop_head(s);
}

/* A client that waits for each reply and now goes on has read all that was
 * lost, so what is still open was answered in the gap. */
void
smtp_pending_passed(struct smtp *s, uint64_t acked)
{
    if (!s->realign || acked == STREAM_ACK_UNKNOWN || acked < s->gap_end ||
        s->n_pipelined > 0)
        return;
    s->realign = false;
    if (!s->has_first)
        return;
    s->n_resyncs++;
    smtp_pending_drop_all(s);
    smtp_tx_settle(s, s->now);
}

/* ---- which command a reply answers ---- */

static bool
fits(enum smtp_verb v, unsigned code)
{
    if (code >= 400)
        return true;
    switch (code) {
    case 354: return v == SMTP_DATA;
    case 334:
    case 235: return v == SMTP_AUTH;
    case 221: return v == SMTP_QUIT;
    case 220: return v == SMTP_GREETING || v == SMTP_STARTTLS;
    case 211:
    case 214: return v == SMTP_HELP || v == SMTP_UNKNOWN;
    default:
        return v != SMTP_DATA && v != SMTP_QUIT && v != SMTP_STARTTLS &&
               v != SMTP_AUTH && v != SMTP_GREETING;
    }
}

struct reply {
    unsigned code;
    struct span text; /* lines separated by LF */
    uint64_t acked;   /* client bytes that the server had received */
};

/* It cannot answer what the server had not yet received. */
static bool
is_candidate(const struct pending *p, const struct reply *r)
{
    return r->acked == STREAM_ACK_UNKNOWN || p->end <= r->acked;
}

/* Drops what was passed over, and gives the command that r answers. */
static struct pending *
find_answered(struct smtp *s, const struct reply *r)
{
    struct pending *p;

    for (size_t i = 0; (p = pending_at(s, i)) != NULL; i++) {
        if (!is_candidate(p, r))
            break;
        if (!fits((enum smtp_verb)p->verb, r->code))
            continue;
        if (i > 0) {
            s->n_resyncs++;
            smtp_anomaly(s, ANOM_RESYNC, DIR_S2C, s->pos[DIR_S2C], SPAN_NONE,
                         s->now);
        }
        for (; i > 0; i--)
            drop_head(s);
        return pending_at(s, 0);
    }
    return NULL;
}

/* ---- what replies do ---- */

static uint32_t
latency_ms(const struct smtp *s, const struct pending *p)
{
    if (p->when == 0 || s->at < p->when)
        return 0;
    return (uint32_t)((s->at - p->when) / NS_PER_MS);
}

static void
log_session(struct smtp *s, const struct pending *p, const struct reply *r)
{
    struct log_item item = {
        .tag = LOG_REPLY,
        .code = (uint16_t)r->code,
        .index = p->verb,
        .latency_ms = latency_ms(s, p),
    };

    if (s->n_replies >= LIMIT_smtp_replies)
        return;
    s->n_replies++;
    if (r->code >= 400)
        item.text = span_head(r->text, LIMIT_smtp_reply_text);
    if (!log_put(&s->replies, s->mem, &item))
        smtp_anomaly(s, ANOM_NO_MEMORY, DIR_S2C, s->pos[DIR_S2C], SPAN_NONE,
                     s->now);
}

static void
on_greeting(struct smtp *s, const struct pending *p, const struct reply *r)
{
    char code[4] = {(char)('0' + r->code / 100),
                    (char)('0' + r->code / 10 % 10),
                    (char)('0' + r->code % 10), ' '};
    struct span line = span_head(r->text, span_find(r->text, '\n'));

    s->has_banner = true;
    s->greeted = r->code == 220;
    s->banner_code = (uint16_t)r->code;
    s->banner_end = s->pos[DIR_S2C];
    line = span_head(line, LIMIT_smtp_reply_text);
    if (vec_reserve(&s->banner, s->mem, line.n + 4)) {
        (void)vec_put(&s->banner, s->mem, code, 4);
        (void)vec_put(&s->banner, s->mem, line.p, line.n);
    }
    if (s->flow->established > 0 && s->at >= s->flow->established) {
        s->has_banner_ms = true;
        s->banner_ms =
            (uint32_t)((s->at - s->flow->established) / NS_PER_MS);
    }
    if (r->code >= 400)
        log_session(s, p, r);
}

static void
on_cap(struct smtp *s, struct span line)
{
    struct span word = span_head(line, span_find(line, ' '));
    bool mangled = word.n >= 7;

    for (size_t i = 0; mangled && i < word.n; i++)
        mangled = word.p[i] == 'X' || word.p[i] == 'x' ||
                  (i + 1 == word.n && i >= 7 && word.p[i] == 'A');
    if (span_eq_nocase(word, SPAN_LIT("STARTTLS")))
        s->starttls_offered = true;
    if (span_eq_nocase(word, SPAN_LIT("PIPELINING"))) {
        s->pipelining_offered = true;
        s->caps_end = s->pos[DIR_S2C];
    }
    if (mangled) {
        s->stripped = true;
        smtp_anomaly(s, ANOM_STARTTLS_STRIPPED, DIR_S2C, s->pos[DIR_S2C],
                     SPAN_LIT("offer overwritten"), s->now);
    }
}

static void
on_hello_reply(struct smtp *s, const struct pending *p, const struct reply *r)
{
    size_t first = span_find(r->text, '\n');
    struct span rest = span_tail(r->text, first + 1);
    unsigned n = 0;

    log_session(s, p, r);
    if (r->code >= 300 || p->verb == SMTP_HELO)
        return;
    vec_free(&s->caps, s->mem);
    s->pipelining_offered = false;
    (void)vec_put(&s->caps, s->mem, rest.p, rest.n);
    while (rest.n > 0 && n++ < LIMIT_smtp_caps) {
        size_t at = span_find(rest, '\n');

        on_cap(s, span_head(rest, at));
        rest = span_tail(rest, at + 1);
    }
    if (rest.n > 0 && s->caps.n > rest.n)
        s->caps.n -= (uint32_t)rest.n + 1;
}

static void
on_starttls_reply(struct smtp *s, const struct pending *p,
                  const struct reply *r)
{
    s->starttls_code = (uint16_t)r->code;
    s->starttls_refused = r->code >= 400;
    log_session(s, p, r);
    smtp_pending_pop(s);
    if (s->gate == GATE_STARTTLS)
        smtp_gate_open(s, r->code == 220);
}

/* The code goes into the attempt's row, whose place p->rcpt remembers. */
static void
on_auth_reply(struct smtp *s, const struct pending *p, const struct reply *r)
{
    uint16_t code = (uint16_t)r->code;
    uint32_t at = p->rcpt;

    if (r->code == 334) {
        if (s->gate == GATE_AUTH)
            smtp_gate_open(s, true);
        else
            s->auth_lines++;
        return;
    }
    if (at != UINT32_MAX && (uint64_t)at + 3 <= s->auths.n)
        memcpy(s->auths.p + at + 1, &code, sizeof(code));
    log_session(s, p, r);
    smtp_pending_pop(s);
    s->auth_lines = 0;
    if (s->mode == CLIENT_AUTH) {
        s->mode = CLIENT_COMMAND;
        s->gate = GATE_OPEN;
    }
}

static void
on_data_reply(struct smtp *s, const struct pending *p, const struct reply *r)
{
    if (p->tx != NULL)
        smtp_tx_reply(s, p, r->code, r->text, latency_ms(s, p), s->now);
    smtp_pending_pop(s);
    if (s->gate == GATE_DATA)
        smtp_gate_open(s, r->code < 400);
}

static void
dispatch(struct smtp *s, struct pending *head, const struct reply *r)
{
    struct pending p = *head;

    switch ((enum smtp_verb)p.verb) {
    case SMTP_STARTTLS: on_starttls_reply(s, &p, r); return;
    case SMTP_AUTH: on_auth_reply(s, &p, r); return;
    case SMTP_DATA: on_data_reply(s, &p, r); return;
    case SMTP_GREETING: on_greeting(s, &p, r); break;
    case SMTP_EHLO:
    case SMTP_HELO:
    case SMTP_LHLO: on_hello_reply(s, &p, r); break;
    case SMTP_MAIL:
    case SMTP_RCPT:
    case SMTP_BDAT:
    case SMTP_END:
        if (p.tx != NULL)
            smtp_tx_reply(s, &p, r->code, r->text, latency_ms(s, &p), s->now);
        break;
    default: log_session(s, &p, r);
    }
    smtp_pending_pop(s);
}

/* ---- replies that answer nothing we know of ---- */

static bool
in_message(const struct smtp *s)
{
    return (s->mode == CLIENT_DATA || s->mode == CLIENT_LOST) &&
           s->tx != NULL && s->tx->via != VIA_NONE;
}

/* A refusal in the middle of a message is its final word. */
static void
early_refusal(struct smtp *s, const struct reply *r)
{
    struct pending p = {.verb = SMTP_END, .tx = s->tx};

    smtp_tx_reply(s, &p, r->code, r->text, LATENCY_NONE, s->now);
}

/* True when it was taken. */
static bool
explain(struct smtp *s, const struct reply *r)
{
    struct tx *t = s->txs;

    if (t != NULL && t->closed && smtp_message_smuggle_reply(t))
        return true;
    if (r->code == 354 && (s->mode == CLIENT_LOST || s->realign)) {
        t = smtp_tx_get(s, s->now);
        if (t != NULL)
            t->inferred = true;
        s->n_resyncs++;
        smtp_client_begin_data(s, t);
        return true;
    }
    if (!in_message(s) || r->code == 354)
        return false;
    if (s->tx->lost && (r->code < 300 || r->code >= 400)) {
        struct pending *p;

        smtp_client_data_answered(s);
        p = find_answered(s, r);
        if (p == NULL)
            p = smtp_pending_head(s);
        if (p != NULL)
            dispatch(s, p, r);
        return true;
    }
    if (r->code >= 400) {
        early_refusal(s, r);
        return true;
    }
    return false;
}

static void
unexpected(struct smtp *s, const struct reply *r)
{
    uint64_t at = s->pos[DIR_S2C];

    if (s->n_skipped > 0) {
        s->n_skipped--;
        return;
    }
    if (r->code == 421)
        smtp_anomaly(s, ANOM_UNEXPECTED_421, DIR_S2C, at,
                     span_head(r->text, 200), s->now);
    else if (!s->flow->midstream && s->n_resyncs == 0 && !s->realign &&
             !smtp_oneway(s))
        smtp_anomaly(s, ANOM_UNEXPECTED_REPLY, DIR_S2C, at, SPAN_NONE,
                     s->now);
}

/* Lines after the first repeat the enhanced code (RFC 2034 section 4): as text
 * the reply is one line. */
static struct span
one_line(struct smtp *s, struct span text)
{
    struct buf *b = &s->ctx->scratch;
    struct span e = smtp_enhanced(text);
    bool more = false;

    if (span_find(text, '\n') == text.n)
        return text;
    buf_reset(b);
    while (text.n > 0) {
        size_t n = span_find(text, '\n');
        struct span line = span_head(text, n);

        if (more && e.n > 0 && span_eq(smtp_enhanced(line), e))
            line = span_trim(span_tail(line, e.n));
        if (more)
            buf_putc(b, ' ');
        buf_span(b, line);
        more = true;
        text = span_tail(text, n + 1);
    }
    return buf_view(b);
}

static void
release_hidden(struct smtp *s)
{
    for (struct tx *t = s->txs; t != NULL; t = t->next)
        t->settled |= t->closed && t->has_final;
}

static void
on_reply(struct smtp *s, struct reply *r)
{
    struct pending *p = find_answered(s, r);

    if (p == NULL && !explain(s, r)) {
        /* No command that such a code fits: the oldest one all the same. */
        p = smtp_pending_head(s);
        if (p == NULL || !is_candidate(p, r)) {
            unexpected(s, r);
            p = NULL;
        }
    } else if (p != NULL && p->verb != SMTP_END) {
        release_hidden(s);
    }
    s->reply_end = s->pos[DIR_S2C];
    if (p != NULL) {
        if (p->verb != SMTP_EHLO && p->verb != SMTP_LHLO)
            r->text = one_line(s, r->text);
        dispatch(s, p, r);
    }
    smtp_tx_settle(s, s->now);
}

/* ---- lines to replies ---- */

static bool
reply_code(struct span line, unsigned *code, bool *more)
{
    uint64_t v;
    uint8_t sep = span_at(line, 3);

    if (line.n < 3 || !span_to_u64(span_head(line, 3), &v))
        return false;
    if (line.n > 3 && sep != ' ' && sep != '-' && sep != '\t')
        return false;
    *code = (unsigned)v;
    *more = sep == '-';
    return true;
}

static void
keep_text(struct smtp *s, struct span text, bool first)
{
    size_t room = (size_t)LIMIT_smtp_line;

    if (s->reply_lines++ >= LIMIT_smtp_reply_lines ||
        s->reply.n + text.n + 1 > room)
        return;
    if (!first)
        (void)vec_put(&s->reply, s->mem, "\n", 1);
    (void)vec_put(&s->reply, s->mem, text.p, text.n);
}

static void
on_line(struct smtp *s, const struct line *line, uint64_t acked)
{
    struct reply r = {.acked = acked};
    struct span text = span_tail(line->text, 4);
    bool begun = s->reply_lines > 0;
    bool more = false;

    if (line->cut)
        smtp_anomaly(s, ANOM_LINE_TOO_LONG, DIR_S2C, s->pos[DIR_S2C],
                     SPAN_NONE, s->now);
    if (!reply_code(line->text, &r.code, &more)) {
        if (!s->server_lost)
            smtp_anomaly(s, ANOM_BAD_REPLY, DIR_S2C, s->pos[DIR_S2C],
                         SPAN_NONE, s->now);
        s->server_lost = false;
        return;
    }
    s->server_lost = false;
    if (begun && r.code != s->reply_code)
        smtp_anomaly(s, ANOM_REPLY_CODE_CHANGED, DIR_S2C, s->pos[DIR_S2C],
                     SPAN_NONE, s->now);
    s->reply_code = (uint16_t)r.code;
    if (more || begun)
        keep_text(s, text, !begun);
    if (more)
        return;
    r.text = begun ? vec_view(&s->reply) : text;
    on_reply(s, &r);
    vec_free(&s->reply, s->mem);
    s->reply_lines = 0;
}

/* ---- input ---- */

static void
plain_after_220(struct smtp *s, struct span *in)
{
    struct line line;

    if (!line_take(&s->line[DIR_S2C], s->mem, in, LIMIT_smtp_line, &line))
        return;
    smtp_anomaly(s, ANOM_STARTTLS_RESPONSE_INJECTION, DIR_S2C,
                 s->pos[DIR_S2C], SPAN_NONE, s->now);
}

static void
in_tls(struct smtp *s, struct span *in)
{
    if (!s->server_tls && line_begun(&s->line[DIR_S2C]).n == 0 &&
        tls_looks_like(*in))
        s->server_tls = true;
    if (!s->server_tls && !s->implicit_tls) {
        plain_after_220(s, in);
        return;
    }
    if (s->tls != NULL) {
        tls_data(s->tls, DIR_S2C, *in);
        if (s->tls->half[0].hello_done && s->tls->half[1].hello_done)
            smtp_emit_tls(s, s->now);
    }
    *in = span_tail(*in, in->n);
}

static void
first_bytes(struct smtp *s, struct span data)
{
    s->spoke[DIR_S2C] = true;
    if (!tls_looks_like(data) || s->mode == CLIENT_TLS)
        return;
    s->implicit_tls = true;
    smtp_pending_drop_all(s);
    smtp_client_tls(s);
}

void
smtp_server_bytes(struct smtp *s, const struct chunk *c)
{
    struct span in = c->data;
    struct line line;

    if (!s->spoke[DIR_S2C])
        first_bytes(s, in);
    while (in.n > 0) {
        bool whole = false;

        if (s->mode == CLIENT_TLS)
            in_tls(s, &in);
        else
            whole = line_take(&s->line[DIR_S2C], s->mem, &in,
                              LIMIT_smtp_line, &line);
        s->pos[DIR_S2C] = c->offset + (c->data.n - in.n);
        if (whole)
            on_line(s, &line, c->peer_acked);
    }
}

void
smtp_server_gap(struct smtp *s, uint64_t lost, ns_t when)
{
    smtp_anomaly(s, ANOM_GAP, DIR_S2C, s->pos[DIR_S2C], SPAN_NONE, when);
    s->pos[DIR_S2C] += lost;
    s->gap_end = s->pos[DIR_S2C];
    if (s->mode == CLIENT_TLS) {
        s->server_tls = true;
        if (s->tls != NULL)
            tls_gap(s->tls, DIR_S2C, lost);
        return;
    }
    line_reset(&s->line[DIR_S2C], s->mem);
    vec_free(&s->reply, s->mem);
    s->reply_lines = 0;
    s->server_lost = s->realign = true;
}
