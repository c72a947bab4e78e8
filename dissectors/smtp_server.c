#include "dissectors/smtp_caps.h"
#include "dissectors/smtp_session.h"

/* ---- the queue of commands without a reply ---- */

static size_t
n_queued(const struct smtp *s)
{
    if (s->w == NULL) /* at open */
        return 0;
    return (s->w->queue.n - s->w->queue_head) / sizeof(struct pending);
}

static struct pending *
pending_at(struct smtp *s, size_t i)
{
    if (i == 0)
        return s->has_first ? &s->first : NULL;
    if (i > n_queued(s))
        return NULL;
    return (struct pending *)(void *)(s->w->queue.p + s->w->queue_head) +
           (i - 1);
}

struct pending *
smtp_pending_head(struct smtp *s)
{
    return pending_at(s, 0);
}

struct pending *
smtp_pending_last(struct smtp *s)
{
    return pending_at(s, n_queued(s));
}

bool
smtp_pending_in_gap(const struct smtp *s)
{
    return s->realign && s->has_first && s->before_gap == n_queued(s) + 1;
}

/* The client's next bytes wait for its reply, so it has an entry of its own
 * beyond the limit. Nobody waits where no replies are seen, or not for ever. */
static bool
is_gated(const struct smtp *s, unsigned verb)
{
    return !smtp_oneway(s) && n_queued(s) < 2 * LIMIT_smtp_pending &&
           (verb == SMTP_DATA || verb == SMTP_STARTTLS || verb == SMTP_AUTH);
}

/* Beyond the limit commands of one kind share an entry, recipients only in a
 * row: so each still gets its own reply. The others become nameless. */
static bool
join(struct smtp *s, const struct pending *p)
{
    struct pending *last = smtp_pending_last(s);

    if (n_queued(s) < LIMIT_smtp_pending || is_gated(s, p->verb))
        return false;
    smtp_odd(s, ANOM_TOO_MANY_PENDING, DIR_C2S);
    if (last->more == 0xffffff)
        return true;
    if (last->verb == SMTP_RCPT && p->verb == SMTP_RCPT && last->tx == p->tx &&
        p->tx != NULL && last->rcpt + last->more + 1 == p->rcpt) {
        last->more++;
        p->tx->n_pending++;
        return true;
    }
    if (last->tx == NULL && last->verb == SMTP_UNKNOWN) {
        last->more++;
        return true;
    }
    return false;
}

/* The queue's done entries go when they are half of it. */
static void
compact(struct work *w)
{
    if (w->queue_head == 0 || w->queue_head < w->queue.n - w->queue_head)
        return;
    w->queue.n -= w->queue_head;
    memmove(w->queue.p, w->queue.p + w->queue_head, w->queue.n);
    w->queue_head = 0;
}

void
smtp_pending_add(struct smtp *s, enum smtp_verb verb, struct tx *t,
                 uint32_t rcpt)
{
    struct pending p = {
        .when = s->ctx->at,
        .end = s->pos[DIR_C2S],
        .tx = t,
        .rcpt = rcpt,
        .verb = verb,
    };
    /* Written before its client had read what was lost. */
    bool before = s->realign && s->ctx->cmd_acked < s->gap_end &&
                  s->before_gap == n_queued(s) + s->has_first;

    s->answered = false;
    if (!s->has_first) {
        s->first = p;
        s->has_first = true;
    } else {
        if (join(s, &p))
            return;
        if (n_queued(s) >= LIMIT_smtp_pending && !is_gated(s, p.verb)) {
            p.verb = SMTP_UNKNOWN;
            p.tx = t = NULL;
        }
        compact(s->w);
        if (!vec_put(&s->w->queue, smtp_mem(s), &p, sizeof(p))) {
            smtp_odd(s, ANOM_NO_MEMORY, DIR_C2S);
            s->n_unanswered++;
            return;
        }
    }
    if (before)
        s->before_gap++;
    if (t != NULL)
        t->n_pending++;
}

void
smtp_pending_pop(struct smtp *s)
{
    struct pending *next = pending_at(s, 1);
    struct work *w = s->w;

    if (s->first.tx != NULL)
        s->first.tx->n_pending--;
    if (s->first.more > 0) {
        s->first.more--;
        s->first.rcpt++;
        return;
    }
    if (s->before_gap > 0)
        s->before_gap--;
    s->has_first = next != NULL;
    if (next == NULL)
        return;
    s->first = *next;
    w->queue_head += (uint32_t)sizeof(*next);
    if (w->queue_head == w->queue.n) {
        vec_free(&w->queue, smtp_mem(s));
        w->queue_head = 0;
    }
}

/* Whole entries: what one stands for goes with it. */
static void
drop_head(struct smtp *s, bool infer)
{
    uint32_t n = s->first.more + 1;

    s->n_unanswered += s->first.verb != SMTP_GREETING ? n : 0;
    if (s->first.tx != NULL)
        s->first.tx->inferred |= infer;
    while (n-- > 0)
        smtp_pending_pop(s);
}

void
smtp_pending_keep_last(struct smtp *s)
{
    while (n_queued(s) > 0)
        drop_head(s, true);
}

void
smtp_pending_give_up(struct smtp *s, const struct tx *t)
{
    while (s->has_first && t->n_pending > 0)
        drop_head(s, true);
}

void
smtp_pending_drop_all(struct smtp *s)
{
    while (s->has_first)
        drop_head(s, false);
}

/* A client that waits for replies and has read into what was lost has read the
 * reply there; one that pipelines shows so only where a new mail begins. What
 * it has not read may hold the reply to this very command. */
static void
drop_answered_in_gap(struct smtp *s, bool begins)
{
    uint64_t acked = s->ctx->cmd_acked;

    if (!s->realign || acked <= s->gap_begin || (s->n_pipelined > 0 && !begins))
        return;
    s->realign = acked < s->gap_end;
    if (s->before_gap > 0)
        smtp_resync(s);
    while (s->before_gap > 0)
        drop_head(s, true);
}

void
smtp_pending_passed(struct smtp *s, enum smtp_verb next)
{
    uint64_t acked = s->ctx->cmd_acked;
    bool begins = next == SMTP_MAIL || next == SMTP_EHLO || next == SMTP_HELO ||
                  next == SMTP_RSET || next == SMTP_QUIT;

    if (acked == STREAM_ACK_UNKNOWN || !smtp_has_gap(s))
        return;
    drop_answered_in_gap(s, begins);
    /* Replies came, all were read, and a new mail begins: what has none was no
     * command. */
    if (begins && s->answered && acked >= s->reply_end)
        while (s->has_first)
            drop_head(s, true);
    smtp_tx_settle(s);
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
    size_t last;      /* where in it the lines with this code begin */
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
            smtp_resync(s);
            smtp_odd(s, ANOM_RESYNC, DIR_S2C);
        }
        for (; i > 0; i--)
            drop_head(s, true);
        return pending_at(s, 0);
    }
    return NULL;
}

/* ---- what replies do ---- */

/* Servers repeat what they do not understand, and that may have been a
 * credential out of place: of a reply to such a line only the code is kept. */
static bool
may_repeat(const struct pending *p, unsigned code)
{
    return p->verb == SMTP_AUTH ||
           (p->verb == SMTP_UNKNOWN && code >= 500 && code <= 504);
}

static void
log_session(struct smtp *s, const struct pending *p, const struct reply *r)
{
    struct log_item item = {
        .tag = LOG_REPLY,
        .code = (uint16_t)r->code,
        .index = p->verb,
        .latency_ms = smtp_ms_since(s, p->when),
    };

    if (s->n_replies >= LIMIT_smtp_replies)
        return;
    s->n_replies++;
    if (r->code >= 400)
        item.text = span_head(r->text, LIMIT_smtp_reply_text);
    if (may_repeat(p, r->code))
        item.text = smtp_enhanced(r->text);
    if (!log_put(&s->log, smtp_mem(s), &item))
        smtp_odd(s, ANOM_NO_MEMORY, DIR_S2C);
}

/* As text the reply is one line. Every line may repeat the enhanced code (RFC
 * 2034 section 4): that of the code which counts stands once, in front. */
static void
make_one_line(struct smtp *s, struct reply *r)
{
    struct buf *b = &s->ctx->scratch;
    struct span e = smtp_enhanced(span_tail(r->text, r->last));

    if (span_find(r->text, '\n') == r->text.n)
        return;
    buf_reset(b);
    buf_span(b, e);
    while (r->text.n > 0) {
        size_t n = span_find(r->text, '\n');
        struct span line = span_head(r->text, n);

        if (e.n > 0 && span_eq(smtp_enhanced(line), e))
            line = span_trim(span_tail(line, e.n));
        if (b->n > 0)
            buf_putc(b, ' ');
        buf_span(b, line);
        r->text = span_tail(r->text, n + 1);
    }
    r->text = buf_view(b);
    r->last = 0;
}

static void
on_greeting(struct smtp *s, const struct pending *p, struct reply *r)
{
    struct span line = span_head(r->text, span_find(r->text, '\n'));
    struct buf *b = &s->ctx->scratch;
    struct log_item item = {.tag = LOG_BANNER};

    s->has_banner = true;
    s->greeted = r->code == 220;
    s->banner_code = (uint16_t)r->code;
    buf_reset(b);
    buf_printf(b, "%03u%c", r->code, line.n < r->text.n ? '-' : ' ');
    buf_span(b, span_head(line, LIMIT_smtp_reply_text));
    item.text = buf_view(b);
    if (!log_put(&s->log, smtp_mem(s), &item))
        smtp_odd(s, ANOM_NO_MEMORY, DIR_S2C);
    if (s->flow->established > 0 && s->ctx->at >= s->flow->established) {
        s->banner_ms = smtp_ms_since(s, s->flow->established);
        s->has_banner_ms = s->banner_ms != LATENCY_NONE;
    }
    if (r->code < 400)
        return;
    make_one_line(s, r);
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
        s->caps_end = s->pos[DIR_S2C] < UINT32_MAX ? (uint32_t)s->pos[DIR_S2C]
                                                   : UINT32_MAX;
    }
    if (mangled) {
        s->stripped = true;
        smtp_anomaly(s, ANOM_STARTTLS_STRIPPED, DIR_S2C, s->pos[DIR_S2C],
                     SPAN_LIT("offer overwritten"));
    }
}

static void
on_hello_reply(struct smtp *s, const struct pending *p, const struct reply *r)
{
    size_t first = span_find(r->text, '\n');
    struct span caps = span_tail(r->text, first + 1);
    struct log_item item = {.tag = LOG_CAPS};
    struct buf *small = &s->ctx->caps;

    log_session(s, p, r);
    if (r->code >= 300)
        return;
    s->lmtp = p->verb == SMTP_LHLO;
    if (p->verb == SMTP_HELO)
        return;
    log_drop(&s->log, LOG_CAPS);
    s->pipelining_offered = false;
    buf_reset(small);
    for (unsigned n = 0; caps.n > 0 && n < LIMIT_smtp_caps; n++) {
        struct span line = span_head(caps, span_find(caps, '\n'));

        on_cap(s, line);
        if (n > 0)
            buf_putc(small, '\n');
        smtp_caps_pack(line, small);
        caps = span_tail(caps, line.n + 1);
    }
    item.text = buf_view(small);
    if (item.text.n > 0 && !log_put(&s->log, smtp_mem(s), &item))
        smtp_odd(s, ANOM_NO_MEMORY, DIR_S2C);
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

void
smtp_auth_mark(struct smtp *s, uint32_t n, unsigned code, enum auth_fact fact)
{
    struct cursor c = cur_open(vec_view(&s->log));
    struct log_item item;
    size_t at = 0;

    while (log_next(&c, &item)) {
        if (item.tag == LOG_AUTH && n-- == 0) {
            log_mark(&s->log, at, (uint16_t)code, (uint8_t)fact);
            return;
        }
        at = c.at;
    }
}

static void
on_auth_reply(struct smtp *s, const struct pending *p, const struct reply *r)
{
    if (r->code == 334) {
        if (s->gate == GATE_AUTH)
            smtp_gate_open(s, true);
        else
            s->auth_lines = s->auth_lines < 99 ? s->auth_lines + 1 : 99;
        return;
    }
    smtp_auth_mark(s, p->rcpt, r->code, 0);
    s->authenticated |= r->code >= 200 && r->code < 300;
    log_session(s, p, r);
    smtp_pending_pop(s);
    s->auth_lines = 0;
    if (s->mode == CLIENT_AUTH) {
        s->mode = CLIENT_COMMAND;
        s->gate = GATE_OPEN;
        if (s->auth_lost)
            s->fragment = true;
    }
}

static void
on_tx_reply(struct smtp *s, const struct pending *p, const struct reply *r)
{
    if (p->tx != NULL)
        smtp_tx_reply(s, p, r->code, r->text, smtp_ms_since(s, p->when));
    else
        log_session(s, p, r);
}

static void
on_mail_reply(struct smtp *s, const struct pending *p, const struct reply *r)
{
    smtp_pending_pop(s);
    if (p->tx != NULL && smtp_tx_mail_refused(s, p->tx, r->code))
        log_session(s, p, r);
    else
        on_tx_reply(s, p, r);
}

static void
on_data_reply(struct smtp *s, const struct pending *p, const struct reply *r)
{
    on_tx_reply(s, p, r);
    smtp_pending_pop(s);
    if (s->gate == GATE_DATA)
        smtp_gate_open(s, r->code < 400);
    else if (r->code >= 400 && s->mode == CLIENT_DATA && s->tx == p->tx)
        smtp_client_data_refused(s); /* we had not waited */
}

/* LMTP answers the end of data once for each recipient taken, in their order
 * (RFC 2033 4.2); with 421 the server leaves (RFC 5321 3.8). */
static bool
is_answered_again(const struct smtp *s, const struct pending *p, unsigned code)
{
    return s->lmtp && p->verb == SMTP_END && p->tx != NULL && code != 421 &&
           p->tx->n_final < p->tx->accepted;
}

static void
dispatch(struct smtp *s, const struct pending *head, struct reply *r)
{
    struct pending p = *head;

    if (p.verb != SMTP_EHLO && p.verb != SMTP_LHLO && p.verb != SMTP_GREETING)
        make_one_line(s, r);
    switch ((enum smtp_verb)p.verb) {
    case SMTP_STARTTLS: on_starttls_reply(s, &p, r); return;
    case SMTP_AUTH: on_auth_reply(s, &p, r); return;
    case SMTP_DATA: on_data_reply(s, &p, r); return;
    case SMTP_MAIL: on_mail_reply(s, &p, r); return;
    case SMTP_GREETING: on_greeting(s, &p, r); break;
    case SMTP_EHLO:
    case SMTP_HELO:
    case SMTP_LHLO: on_hello_reply(s, &p, r); break;
    case SMTP_RCPT:
    case SMTP_BDAT:
    case SMTP_END: on_tx_reply(s, &p, r); break;
    default: log_session(s, &p, r);
    }
    if (is_answered_again(s, &p, r->code))
        return;
    smtp_pending_pop(s);
    /* RFC 3030: the octets of a refused chunk come all the same, but not after
     * a command that was not understood. */
    if (p.verb == SMTP_BDAT && r->code >= 400 && s->mode == CLIENT_BDAT &&
        s->w->bdat_bad)
        smtp_client_data_refused(s);
}

/* ---- replies that answer nothing we know of ---- */

/* What is read may not be all that there was: a reply may answer something
 * that we have not seen. */
static bool
in_doubt(const struct smtp *s)
{
    return s->flow->midstream || s->n_resyncs > 0 || s->realign ||
           s->mode == CLIENT_LOST || smtp_oneway(s) || smtp_has_gap(s);
}

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

    smtp_tx_reply(s, &p, r->code, r->text, LATENCY_NONE);
}

/* The server asks for a message, so there was DATA, and what came before it has
 * been answered. What it had not received by then is message, seen or not. */
static void
begin_unseen(struct smtp *s, const struct reply *r)
{
    struct tx *t = s->tx != NULL ? s->tx : smtp_tx_new(s);
    uint64_t at = s->pos[DIR_C2S];

    smtp_resync(s);
    s->gate = GATE_OPEN;
    while (s->has_first && is_candidate(&s->first, r))
        drop_head(s, true);
    line_reset(&s->w->line[DIR_C2S], smtp_mem(s));
    smtp_client_begin_data(s, t);
    if (t == NULL)
        return;
    t->inferred = true;
    if (r->acked < at)
        smtp_client_data_gap(s, at - r->acked);
}

/* True when it was taken. */
static bool
explain(struct smtp *s, struct reply *r)
{
    struct tx *t = s->txs;
    struct pending *p;

    if (t != NULL && (t->closed || s->mode == CLIENT_DATA) &&
        smtp_message_smuggle_reply(t))
        return true;
    if (r->code == 354 && in_doubt(s) && s->mode != CLIENT_DATA) {
        begin_unseen(s, r);
        return true;
    }
    if (r->code == 220 && s->flow->midstream && !s->has_banner) {
        p = &(struct pending){.when = TIME_UNKNOWN, .verb = SMTP_GREETING};
        on_greeting(s, p, r);
        return true;
    }
    t = s->tx;
    if ((r->code == 334 || r->code == 235) && t != NULL && t->guessed) {
        smtp_message_undo(s, t); /* it was AUTH */
        smtp_tx_discard(s, t);
        return true;
    }
    if (!in_message(s) || (r->code >= 300 && r->code < 400))
        return false;
    if (t->lost || smtp_oneway(s)) {
        smtp_client_data_answered(s);
        p = find_answered(s, r);
        if (p == NULL)
            p = smtp_pending_head(s);
        if (p != NULL)
            dispatch(s, p, r);
        return true;
    }
    if (r->code < 400)
        return false;
    make_one_line(s, r);
    early_refusal(s, r);
    return true;
}

static void
unexpected(struct smtp *s, struct reply *r)
{
    struct pending p = {.when = TIME_UNKNOWN, .verb = SMTP_UNKNOWN};
    bool many = span_find(r->text, '\n') < r->text.n;

    if (in_doubt(s) && r->code == 250 && many &&
        log_text(&s->log, LOG_CAPS).p == NULL) {
        p.verb = SMTP_EHLO;
        on_hello_reply(s, &p, r);
        return;
    }
    make_one_line(s, r);
    if (r->code == 421)
        smtp_anomaly(s, ANOM_UNEXPECTED_421, DIR_S2C, s->pos[DIR_S2C],
                     span_head(r->text, 200));
    else if (!in_doubt(s))
        smtp_odd(s, ANOM_UNEXPECTED_REPLY, DIR_S2C);
    if (r->code >= 400)
        log_session(s, &p, r);
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
    bool known = p != NULL;

    if (known && p->verb != SMTP_END)
        release_hidden(s);
    if (!known && !explain(s, r)) {
        /* No command that such a code fits: the oldest one all the same. */
        p = smtp_pending_head(s);
        known = p != NULL && is_candidate(p, r);
        if (!known)
            unexpected(s, r);
    }
    s->answered = true;
    if (known || s->spoke_client)
        s->reply_end = s->pos[DIR_S2C];
    if (known)
        dispatch(s, p, r);
    smtp_tx_settle(s);
}

/* ---- lines to replies ---- */

#define REPLY_FIRST 248U

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
keep_text(struct smtp *s, struct span text)
{
    struct work *w = s->w;
    bool first = w->reply_lines == 0;

    if (w->reply_lines < UINT16_MAX)
        w->reply_lines++;
    if (w->reply_lines > LIMIT_smtp_reply_lines ||
        w->reply.n + text.n + 1 > LIMIT_smtp_line)
        return;
    if (first) /* room for the usual EHLO reply; without it, line by line */
        (void)vec_reserve(&w->reply, smtp_mem(s), REPLY_FIRST);
    if (vec_reserve(&w->reply, smtp_mem(s), text.n + 1)) {
        (void)vec_put(&w->reply, smtp_mem(s), "\n", !first);
        (void)vec_put(&w->reply, smtp_mem(s), text.p, text.n);
    }
}

static void
on_line(struct smtp *s, const struct line *line, uint64_t acked)
{
    struct work *w = s->w;
    struct reply r = {.acked = acked};
    struct span text = span_tail(line->text, 4);
    bool begun = w->reply_lines > 0;
    bool more = false;

    if (line->cut)
        smtp_odd(s, ANOM_LINE_TOO_LONG, DIR_S2C);
    if (!reply_code(line->text, &r.code, &more)) {
        if (!s->server_lost)
            smtp_odd(s, ANOM_BAD_REPLY, DIR_S2C);
        s->server_lost = false;
        return;
    }
    s->server_lost = false;
    if (!begun)
        w->reply_last = 0;
    if (begun && r.code != w->reply_code) {
        smtp_odd(s, ANOM_REPLY_CODE_CHANGED, DIR_S2C);
        w->reply_last = w->reply.n + 1; /* behind the LF to come */
    }
    w->reply_code = (uint16_t)r.code;
    if (more || begun)
        keep_text(s, text);
    if (more)
        return;
    r.text = begun ? vec_view(&w->reply) : text;
    r.last = w->reply_last;
    on_reply(s, &r);
    vec_free(&w->reply, smtp_mem(s));
    w->reply_lines = 0;
}

/* ---- input ---- */

static void
plain_after_220(struct smtp *s, struct span *in)
{
    size_t before = in->n;
    struct line line;

    if (!line_take(&s->w->line[DIR_S2C], smtp_mem(s), in, LIMIT_smtp_line,
                   &line))
        return;
    s->pos[DIR_S2C] += before - in->n;
    /* A complaint about the client's hello injects nothing. */
    if (s->tls_begun && span_at(line.text, 0) >= '4')
        return;
    smtp_odd(s, ANOM_STARTTLS_RESPONSE_INJECTION, DIR_S2C);
}

static void
in_tls(struct smtp *s, struct span *in)
{
    if (!s->server_tls && line_begun(&s->w->line[DIR_S2C]).n == 0 &&
        smtp_begins_tls(*in))
        s->server_tls = true;
    if (!s->server_tls && !s->implicit_tls) {
        plain_after_220(s, in);
        return;
    }
    s->starttls_used |= !s->implicit_tls;
    if (s->tls != NULL)
        tls_data(s->tls, DIR_S2C, *in);
    *in = span_tail(*in, in->n);
}

static void
first_bytes(struct smtp *s, struct span data)
{
    s->spoke_server = true;
    if (!smtp_begins_tls(data) || s->mode == CLIENT_TLS)
        return;
    s->implicit_tls = true;
    smtp_pending_drop_all(s);
    smtp_client_tls(s);
}

size_t
smtp_server_bytes(struct smtp *s, const struct chunk *c)
{
    enum gate gate = (enum gate)s->gate;
    struct span in = c->data;
    struct line line;

    s->pos[DIR_S2C] = c->offset;
    if (!s->spoke_server)
        first_bytes(s, in);
    while (in.n > 0) {
        bool whole = false;

        if (s->mode == CLIENT_TLS)
            in_tls(s, &in);
        else
            whole = line_take(&s->w->line[DIR_S2C], smtp_mem(s), &in,
                              LIMIT_smtp_line, &line);
        s->pos[DIR_S2C] = c->offset + (c->data.n - in.n);
        if (whole)
            on_line(s, &line, c->peer_acked);
        if (gate != GATE_OPEN && s->gate == GATE_OPEN)
            break; /* what waited for this reply comes first */
    }
    return c->data.n - in.n;
}

/* The last line of a reply whose end was lost: its code counts all the same. */
static void
end_in_gap(struct smtp *s)
{
    struct line line = {line_begun(&s->w->line[DIR_S2C]), EOL_CRLF, false};

    if (line.text.n > 0 && span_at(line.text, line.text.n - 1) == '\r')
        line.text.n--;
    if (span_at(line.text, 3) == ' ' && !s->server_lost) {
        s->server_lost = true; /* no word about it if it is no reply */
        on_line(s, &line, STREAM_ACK_UNKNOWN);
    }
    line_reset(&s->w->line[DIR_S2C], smtp_mem(s));
    vec_free(&s->w->reply, smtp_mem(s));
    s->w->reply_lines = 0;
}

void
smtp_server_gap(struct smtp *s, uint64_t lost)
{
    smtp_odd(s, ANOM_GAP, DIR_S2C);
    s->spoke_server = true;
    if (s->mode != CLIENT_TLS)
        end_in_gap(s);
    s->gap_begin = s->pos[DIR_S2C];
    s->pos[DIR_S2C] += lost;
    s->gap_end = s->pos[DIR_S2C];
    if (s->mode == CLIENT_TLS) {
        s->server_tls = true;
        if (s->tls != NULL)
            tls_gap(s->tls, DIR_S2C, lost);
        return;
    }
    s->server_lost = s->realign = true;
    s->before_gap = (uint16_t)(n_queued(s) + s->has_first);
}
