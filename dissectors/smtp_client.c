#include "dissectors/smtp_session.h"

#define PORT_SUBMISSION 587U /* RFC 6409; 465 is TLS from the first byte */

/* ---- message content ---- */

/* Where the content callbacks are: chunk bytes not yet read are in *in. */
struct place {
    struct smtp *s;
    const struct span *in;
    uint64_t end; /* stream offset after *in */
};

static void
note_place(const struct place *p)
{
    p->s->pos[DIR_C2S] = p->end - p->in->n;
}

/* A message goes on though there was no memory for its transaction. */
static void
on_content(void *ctx, struct span in)
{
    const struct place *p = ctx;

    if (p->s->tx != NULL)
        smtp_message_content(p->s, p->s->tx, in);
}

static void
on_variant(void *ctx, enum smtp_eod e)
{
    const struct place *p = ctx;

    note_place(p);
    if (p->s->tx != NULL)
        smtp_message_variant(p->s, p->s->tx, e);
}

static void
on_odd(void *ctx, enum smtp_data_odd what, ptrdiff_t at)
{
    const struct place *p = ctx;

    p->s->w->odd_at[what] = p->end - p->in->n + (uint64_t)at;
}

static const struct smtp_data_ops content_ops = {on_content, on_variant,
                                                 on_odd};

void
smtp_client_begin_data(struct smtp *s, struct tx *t)
{
    s->mode = CLIENT_DATA;
    s->w->check = false;
    smtp_data_init(&s->w->data);
    if (t != NULL)
        smtp_message_begin(s, t, VIA_DATA);
}

static void
note_line_ends(struct smtp *s)
{
    const struct smtp_scan_facts *f = &s->w->data.facts;
    const uint64_t *at = s->w->odd_at;

    s->bare_lf |= f->bare_lf;
    if (f->bare_lf)
        smtp_anomaly(s, ANOM_BARE_LF, DIR_C2S, at[SMTP_DATA_BARE_LF],
                     SPAN_NONE);
    if (f->bare_cr)
        smtp_anomaly(s, ANOM_BARE_CR, DIR_C2S, at[SMTP_DATA_BARE_CR],
                     SPAN_NONE);
    if (f->nul)
        smtp_anomaly(s, ANOM_NUL_BYTE, DIR_C2S, at[SMTP_DATA_NUL], SPAN_NONE);
    if (s->tx != NULL)
        s->tx->high |= f->high;
}

static void
end_message(struct smtp *s)
{
    struct tx *t = s->tx;

    if (t == NULL) /* BDAT without MAIL: refused, no message */
        return;
    s->n_messages++;
    t->complete = true;
    smtp_message_end(s, t);
    smtp_tx_close(s, CUT_NONE);
}

/* When the end of data came from which its reply's latency counts. */
static void
set_end_time(struct smtp *s, ns_t when)
{
    struct pending *p = smtp_pending_last(s);

    if (p != NULL && p->verb == SMTP_END && p->tx == s->tx)
        p->when = when;
}

/* The message is over, but its end was lost. */
static void
end_cut(struct smtp *s)
{
    struct tx *t = s->tx;

    if (s->mode == CLIENT_DATA)
        note_line_ends(s);
    s->mode = CLIENT_COMMAND;
    smtp_resync(s);
    s->inferred = true;
    if (t == NULL)
        return;
    t->cut = CUT_GAP;
    t->inferred = true;
    smtp_message_end(s, t);
    smtp_pending_add(s, SMTP_END, t, 0);
    set_end_time(s, TIME_UNKNOWN);
    smtp_tx_close(s, CUT_GAP);
}

/* Pushes *in through the framing up to the end of data. True when it came. */
static bool
push(struct smtp *s, struct span *in, uint64_t end)
{
    struct place p = {s, in, end};
    bool ended =
        smtp_data_push(&s->w->data, s->ctx->scan, in, &content_ops, &p);

    note_place(&p);
    return ended;
}

static void
end_data(struct smtp *s)
{
    note_line_ends(s);
    s->mode = CLIENT_COMMAND;
    smtp_pending_add(s, SMTP_END, s->tx, 0);
    end_message(s);
}

/* The line that was put together at a doubtful place is content. */
static void
keep_as_content(struct smtp *s)
{
    struct line_in *l = &s->w->line[DIR_C2S];
    struct span in = line_begun(l);
    bool ended = in.n > 0 && push(s, &in, s->pos[DIR_C2S]);

    line_reset(l, smtp_mem(s));
    if (ended)
        end_data(s);
}

void
smtp_client_data_answered(struct smtp *s)
{
    struct line_in *l = &s->w->line[DIR_C2S];

    if (s->mode == CLIENT_DATA) {
        s->w->check = false;
        keep_as_content(s);
    } else if (s->tx != NULL) { /* a message by guess: no framing */
        s->tx->bytes += line_begun(l).n;
        line_reset(l, smtp_mem(s));
    }
    if (s->mode == CLIENT_DATA || s->mode == CLIENT_LOST)
        end_cut(s);
}

void
smtp_client_data_refused(struct smtp *s)
{
    if (s->tx != NULL)
        smtp_message_undo(s, s->tx);
    line_reset(&s->w->line[DIR_C2S], smtp_mem(s));
    s->mode = CLIENT_COMMAND;
}

static void
end_chunk(struct smtp *s)
{
    s->mode = CLIENT_COMMAND;
    if (!s->w->bdat_last)
        return;
    set_end_time(s, s->ctx->at);
    end_message(s);
}

static void
in_bdat(struct smtp *s, struct span *in)
{
    struct work *w = s->w;
    struct span part = *in;

    if (part.n > w->bdat_left)
        part = span_head(part, (size_t)w->bdat_left);
    if (s->tx != NULL)
        smtp_message_content(s, s->tx, part);
    w->bdat_bad = false;
    *in = span_tail(*in, part.n);
    s->pos[DIR_C2S] += part.n;
    w->bdat_left -= part.n;
    if (w->bdat_left == 0)
        end_chunk(s);
}

/* ---- commands ---- */

static void
note_dialect(struct smtp *s, const struct smtp_cmd *c, enum eol eol)
{
    s->n_commands++;
    s->eols = (s->eols | 1U << eol) & 3U;
    smtp_order_add(s, c->verb);
    if (c->verb != SMTP_UNKNOWN)
        s->cases = (s->cases | 1U << c->verb_case) & 7U;
    if (!s->has_first_ms && s->flow->established > 0 &&
        s->ctx->at >= s->flow->established) {
        s->first_command_ms = smtp_ms_since(s, s->flow->established);
        s->has_first_ms = s->first_command_ms != LATENCY_NONE;
    }
    if (eol == EOL_LF) {
        s->bare_lf = true;
        smtp_odd(s, ANOM_BARE_LF, DIR_C2S);
    }
}

/* Was the session seen from its beginning and without a hole? */
static bool
is_whole(const struct smtp *s)
{
    return !s->flow->midstream && s->n_resyncs == 0 && !s->fragment &&
           !smtp_has_gap(s);
}

/* All server bytes that the client had acknowledged have been read by now, so
 * a reply still awaited, or one that ends beyond them, had not reached it. */
static void
note_pipelining(struct smtp *s)
{
    uint64_t acked = s->ctx->cmd_acked;
    const struct pending *p = smtp_pending_last(s);
    bool awaits = p != NULL && p->verb != SMTP_GREETING;

    if (acked == STREAM_ACK_UNKNOWN || s->server_lost || s->realign ||
        s->flow->midstream || smtp_oneway(s))
        return;
    if (!awaits && (s->n_commands == 1 || acked >= s->reply_end))
        return;
    s->n_pipelined++;
    if ((s->pipelining_offered && s->caps_end <= acked) || !is_whole(s))
        return;
    s->pipelined_unoffered = true;
    smtp_odd(s, ANOM_PIPELINING_UNOFFERED, DIR_C2S);
}

static void
note_path(struct smtp *s, const struct smtp_cmd *c)
{
    s->space |= c->space;
    s->bracketed |= c->bracketed;
    s->unbracketed |= !c->bracketed;
}

static void
on_hello(struct smtp *s, const struct smtp_cmd *c)
{
    struct log_item item = {.tag = LOG_HELO, .text = c->arg};

    /* RFC 5321 4.1.4: as if RSET had been given. What was sent before belongs
     * to the old name. */
    smtp_tx_close(s, CUT_RESET);
    log_drop(&s->log, LOG_HELO);
    if (c->arg.n > 0 && !log_put(&s->log, smtp_mem(s), &item))
        smtp_odd(s, ANOM_NO_MEMORY, DIR_C2S);
    s->ehlo |= c->verb != SMTP_HELO;
    s->helo_verb |= c->verb == SMTP_HELO;
    smtp_pending_add(s, c->verb, NULL, 0);
}

static void
on_mail(struct smtp *s, const struct smtp_cmd *c)
{
    struct log_item item = {.tag = LOG_MAIL,
                            .text = span_head(c->path, LIMIT_smtp_path)};
    struct span size = smtp_param(c->params, "SIZE");
    struct tx *t;

    note_path(s, c);
    /* Nobody is seen to answer: the mails before are told now, not at the end
     * of a connection that may be long (tests/scenarios/oneway-client.smtp). */
    if (smtp_oneway(s) && s->n_tx > 0)
        smtp_pending_drop_all(s);
    if (!s->ehlo && !s->helo_verb && is_whole(s))
        smtp_odd(s, ANOM_NO_HELO, DIR_C2S);
    t = smtp_tx_mail(s);
    smtp_pending_add(s, SMTP_MAIL, t, 0);
    s->params |= c->params.n > 0;
    if (t == NULL)
        return;
    t->has_mail = true;
    t->null_sender = span_eq(c->path, SPAN_LIT("<>"));
    t->smtputf8 = smtp_param(c->params, "SMTPUTF8").p != NULL;
    t->has_size = span_to_u64(size, &t->size_declared);
    if (!log_put(&t->log, smtp_mem(s), &item))
        smtp_odd(s, ANOM_NO_MEMORY, DIR_C2S);
    if (c->params.n == 0)
        return;
    item.tag = LOG_PARAMS;
    item.text = span_head(c->params, LIMIT_smtp_path);
    (void)log_put(&t->log, smtp_mem(s), &item);
}

static void
on_rcpt(struct smtp *s, const struct smtp_cmd *c)
{
    struct log_item item = {.tag = LOG_RCPT,
                            .text = span_head(c->path, LIMIT_smtp_path)};
    struct tx *t = smtp_tx_get(s);
    uint32_t number = 0;

    note_path(s, c);
    if (t != NULL) {
        uint32_t waiting = t->offered - t->offered_before;

        /* One-way: no reply will come to say that the part is settled. */
        if (waiting >= 2 * LIMIT_smtp_part_rcpt ||
            t->log.n >= 2 * LIMIT_smtp_part_bytes ||
            (waiting >= LIMIT_smtp_part_rcpt && smtp_oneway(s)))
            smtp_tx_part(s, t);
        number = t->offered++;
        if (!log_put(&t->log, smtp_mem(s), &item))
            smtp_odd(s, ANOM_NO_MEMORY, DIR_C2S);
    }
    smtp_pending_add(s, SMTP_RCPT, t, number);
}

static void
on_data(struct smtp *s)
{
    smtp_pending_add(s, SMTP_DATA, smtp_tx_get(s), 0);
    s->gate = GATE_DATA;
    if (!smtp_oneway(s))
        return;
    smtp_gate_open(s, true);
    s->w->check = true;
}

static void
on_bdat(struct smtp *s, const struct smtp_cmd *c)
{
    struct tx *t = smtp_tx_get(s);

    if (c->bad)
        smtp_odd(s, ANOM_BAD_BDAT, DIR_C2S);
    smtp_pending_add(s, c->last && !c->bad ? SMTP_END : SMTP_BDAT, t, 0);
    if (c->bad && c->size == 0)
        return;
    if (t != NULL)
        smtp_message_begin(s, t, VIA_BDAT);
    s->w->bdat_left = c->size;
    s->w->bdat_last = c->last;
    s->w->bdat_bad = c->bad;
    s->mode = CLIENT_BDAT;
    if (c->size == 0)
        end_chunk(s);
}

/* Mechanisms whose exchange says the password, or lets one be tried at home:
 * those that are as good as clear text. */
static bool
is_readable(struct span mechanism)
{
    static const char *const readable[] = {"PLAIN", "LOGIN", "XOAUTH2",
                                           "OAUTHBEARER"};

    for (size_t i = 0; i < ARRAY_LEN(readable); i++) {
        if (span_eq(mechanism, span_str(readable[i])))
            return true;
    }
    return false;
}

/* Of the argument only the mechanism is looked at, and only one that is known
 * is named: what stands there might be a credential in the wrong place. */
static void
on_auth(struct smtp *s, const struct smtp_cmd *c)
{
    struct log_item item = {.tag = LOG_AUTH,
                            .text = smtp_cmd_mechanism(c->arg)};
    uint32_t number = UINT32_MAX;

    item.index = is_readable(item.text) ? AUTH_CLEAR : 0;
    if (item.index != 0)
        smtp_anomaly(s, ANOM_AUTH_CLEARTEXT, DIR_C2S, s->pos[DIR_C2S],
                     item.text);
    if (s->starttls_refused)
        smtp_odd(s, ANOM_STARTTLS_REFUSED_AUTH, DIR_C2S);
    if (item.text.n == 0)
        item.text = SPAN_LIT("other");
    if (s->n_auths < LIMIT_smtp_auths && log_put(&s->log, smtp_mem(s), &item))
        number = s->n_auths++;
    smtp_pending_add(s, SMTP_AUTH, NULL, number);
    s->mode = CLIENT_AUTH;
    s->auth_lost = false;
    s->gate = smtp_oneway(s) ? GATE_OPEN : GATE_AUTH;
}

static bool
is_overwritten(struct span line)
{
    struct span word = span_head(line, span_find(line, ' '));

    for (size_t i = 0; i < word.n; i++) {
        if (word.p[i] != 'X' && word.p[i] != 'x')
            return false;
    }
    return word.n >= 6;
}

static void
on_unknown(struct smtp *s, struct span line)
{
    if (is_overwritten(line)) {
        s->stripped = true;
        smtp_anomaly(s, ANOM_STARTTLS_STRIPPED, DIR_C2S, s->pos[DIR_C2S],
                     SPAN_LIT("command overwritten"));
    } else if (smtp_cmd_is_foreign(line)) {
        s->non_smtp = true;
        smtp_odd(s, ANOM_NON_SMTP, DIR_C2S);
    } else {
        smtp_odd(s, ANOM_UNKNOWN_COMMAND, DIR_C2S);
    }
    smtp_pending_add(s, SMTP_UNKNOWN, NULL, 0);
}

static void
dispatch(struct smtp *s, const struct smtp_cmd *c, struct span line)
{
    switch (c->verb) {
    case SMTP_EHLO:
    case SMTP_HELO:
    case SMTP_LHLO: on_hello(s, c); break;
    case SMTP_MAIL:
    case SMTP_SEND:
    case SMTP_SOML:
    case SMTP_SAML: on_mail(s, c); break;
    case SMTP_RCPT: on_rcpt(s, c); break;
    case SMTP_DATA: on_data(s); break;
    case SMTP_BDAT: on_bdat(s, c); break;
    case SMTP_AUTH: on_auth(s, c); break;
    case SMTP_STARTTLS:
        smtp_pending_add(s, SMTP_STARTTLS, NULL, 0);
        s->gate = GATE_STARTTLS;
        if (smtp_oneway(s))
            smtp_gate_open(s, true);
        break;
    case SMTP_RSET:
        s->rset = true;
        smtp_tx_close(s, CUT_RESET);
        smtp_pending_add(s, c->verb, NULL, 0);
        break;
    case SMTP_QUIT:
        s->quit = true;
        smtp_tx_close(s, CUT_RESET);
        smtp_pending_add(s, c->verb, NULL, 0);
        break;
    case SMTP_UNKNOWN: on_unknown(s, line); break;
    case SMTP_NOOP:
    case SMTP_VRFY:
    case SMTP_EXPN:
    case SMTP_HELP:
    case SMTP_ETRN:
    case SMTP_TURN:
    case SMTP_BURL:
    case SMTP_XCLIENT:
    case SMTP_XFORWARD:
    case SMTP_GREETING:
    case SMTP_END:
    case SMTP_VERB_COUNT: smtp_pending_add(s, c->verb, NULL, 0); break;
    }
}

/* A message that was refused before its end gets no second reply, if the client
 * goes on without one. */
static void
note_no_reply(struct smtp *s)
{
    const struct pending *p = smtp_pending_head(s);

    if (p == NULL || p->verb != SMTP_END || p->tx == NULL ||
        !p->tx->has_final || s->ctx->cmd_acked == STREAM_ACK_UNKNOWN ||
        s->ctx->cmd_acked < s->reply_end)
        return;
    smtp_pending_pop(s);
    smtp_tx_settle(s);
}

static void
on_command(struct smtp *s, const struct line *line)
{
    struct smtp_cmd c;

    s->fragment = false;
    if (line->cut)
        smtp_odd(s, ANOM_LINE_TOO_LONG, DIR_C2S);
    if (span_find(line->text, 0) < line->text.n)
        smtp_odd(s, ANOM_NUL_BYTE, DIR_C2S);
    smtp_cmd_parse(line->text, &c);
    s->knows_smtp |= c.verb != SMTP_UNKNOWN;
    smtp_pending_passed(s, c.verb);
    note_no_reply(s);
    note_dialect(s, &c, line->eol);
    note_pipelining(s);
    dispatch(s, &c, line->text);
}

static bool
next_line(struct smtp *s, struct span *in, struct line *line)
{
    size_t before = in->n;
    bool whole =
        line_take(&s->w->line[DIR_C2S], smtp_mem(s), in, LIMIT_smtp_line, line);

    s->pos[DIR_C2S] += before - in->n;
    return whole;
}

static void
in_command(struct smtp *s, struct span *in)
{
    struct line line;

    if (next_line(s, in, &line))
        on_command(s, &line);
}

static void
strip_end(struct line *line)
{
    line->text.n--;
    if (line->text.n == 0 || span_at(line->text, line->text.n - 1) != '\r')
        return;
    line->eol = EOL_CRLF;
    line->text.n--;
}

static void
is_command_after_all(struct smtp *s, const struct line *line)
{
    if (s->tx != NULL && !s->tx->lost)
        smtp_message_undo(s, s->tx);
    else
        end_cut(s);
    s->mode = CLIENT_COMMAND;
    on_command(s, line);
    line_reset(&s->w->line[DIR_C2S], smtp_mem(s));
}

/* After a loss the end of data may have been lost with it, and where no reply
 * to DATA is seen it may have been refused: a line that only a client in
 * command state writes decides it. A dot there is looked behind, too. */
static void
in_doubt(struct smtp *s, struct span *in)
{
    struct line_in *l = &s->w->line[DIR_C2S];
    struct span head = span_head(*in, span_find(*in, '\n') + 1);
    struct line line = {SPAN_NONE, EOL_LF, false};

    line_done(l, smtp_mem(s));
    if (!line_store(&l->carry, smtp_mem(s), head.p, head.n)) {
        s->w->check = false;
        keep_as_content(s);
        return;
    }
    *in = span_tail(*in, head.n);
    s->pos[DIR_C2S] += head.n;
    line.text = vec_view(&l->carry);
    if (span_at(line.text, line.text.n - 1) == '\n') {
        strip_end(&line);
        if (smtp_cmd_is_certain(line.text)) {
            is_command_after_all(s, &line);
            return;
        }
        s->w->check = span_eq(line.text, SPAN_LIT("."));
    } else if (line.text.n <= LIMIT_smtp_path) {
        return;
    } else {
        s->w->check = false;
    }
    keep_as_content(s);
}

static void
in_data(struct smtp *s, struct span *in)
{
    if (s->w->check)
        in_doubt(s, in);
    else if (push(s, in, s->pos[DIR_C2S] + in->n))
        end_data(s);
}

static void
note_cancel(struct smtp *s)
{
    const struct pending *p = smtp_pending_last(s);

    if (p != NULL && p->verb == SMTP_AUTH)
        smtp_auth_mark(s, p->rcpt, 0, AUTH_CANCELLED);
}

/* A line of the exchange (RFC 4954 section 4): only its existence counts. Where
 * replies or lines are missing, one that only command state writes ends it. */
static void
in_auth(struct smtp *s, struct span *in)
{
    struct line line;

    if (!next_line(s, in, &line))
        return;
    if ((smtp_oneway(s) || s->auth_lost) && smtp_cmd_is_certain(line.text)) {
        s->mode = CLIENT_COMMAND;
        s->auth_lines = 0;
        smtp_pending_drop_all(s);
        on_command(s, &line);
        return;
    }
    if (span_eq(line.text, SPAN_LIT("*")))
        note_cancel(s);
    if (smtp_oneway(s))
        return;
    if (s->auth_lines > 0)
        s->auth_lines--;
    if (s->auth_lines == 0)
        s->gate = GATE_AUTH;
}

/* ---- TLS ---- */

void
smtp_client_tls(struct smtp *s)
{
    s->mode = CLIENT_TLS;
    if (s->tls != NULL)
        return;
    s->tls = mem_new(smtp_mem(s), sizeof(*s->tls));
    if (s->tls == NULL)
        return;
    tls_init(s->tls, smtp_mem(s), !s->implicit_tls);
    if (s->implicit_tls || s->flow->server_port == PORT_SUBMISSION)
        tls_expect_auth(s->tls);
}

/* A client that had read the 220 and writes plaintext all the same will not
 * begin TLS; in a one-way capture its commands say that there was no 220. */
static bool
has_given_up(const struct smtp *s)
{
    uint64_t acked = s->ctx->cmd_acked;

    if (s->injected || line_begun(&s->w->line[DIR_C2S]).n > 0)
        return false;
    if (acked != STREAM_ACK_UNKNOWN)
        return acked >= s->reply_end;
    return smtp_oneway(s);
}

static void
plain_before_tls(struct smtp *s, struct span *in)
{
    struct line line;
    struct smtp_cmd c;

    if (has_given_up(s)) {
        s->mode = CLIENT_COMMAND;
        smtp_resync(s);
        smtp_anomaly(s, ANOM_RESYNC, DIR_C2S, s->pos[DIR_C2S],
                     SPAN_LIT("plaintext after 220 to STARTTLS"));
        return;
    }
    if (!next_line(s, in, &line))
        return;
    smtp_cmd_parse(line.text, &c);
    s->injected = true;
    smtp_anomaly(s, ANOM_STARTTLS_INJECTION, DIR_C2S, s->pos[DIR_C2S],
                 span_str(smtp_verb_name(c.verb)));
}

static void
in_tls(struct smtp *s, struct span *in)
{
    if (!s->tls_begun && line_begun(&s->w->line[DIR_C2S]).n == 0 &&
        smtp_begins_tls(*in))
        s->tls_begun = true;
    if (!s->tls_begun) {
        plain_before_tls(s, in);
        return;
    }
    s->starttls_used |= !s->implicit_tls;
    if (s->tls != NULL)
        tls_data(s->tls, DIR_C2S, *in);
    *in = span_tail(*in, in->n);
}

/* ---- lost ---- */

/* Text where commands might be: a message whose beginning we have not seen. */
static struct tx *
guess_message(struct smtp *s)
{
    struct tx *t = smtp_tx_get(s);

    if (t == NULL || t->via != VIA_NONE)
        return t;
    t->via = VIA_DATA;
    t->lost = t->inferred = t->guessed = true;
    t->cut = s->flow->midstream ? CUT_MIDSTREAM : CUT_GAP;
    return t;
}

/* In the middle of the stream a line is a command when only command state
 * writes it, the end of data when it is a dot, else text of a message. The
 * first one is most likely the rest of a line and says nothing. */
static void
in_lost(struct smtp *s, struct span *in)
{
    struct line line;
    struct tx *t;
    bool fragment = s->fragment;
    size_t before = in->n + line_begun(&s->w->line[DIR_C2S]).n;

    if (!next_line(s, in, &line))
        return;
    s->fragment = false;
    if (smtp_cmd_is_certain(line.text)) {
        s->mode = CLIENT_COMMAND;
        smtp_resync(s);
        smtp_odd(s, ANOM_RESYNC, DIR_C2S);
        on_command(s, &line);
        return;
    }
    if (fragment && (s->tx == NULL || s->tx->via == VIA_NONE))
        return;
    t = guess_message(s);
    if (span_eq(line.text, SPAN_LIT("."))) {
        s->mode = CLIENT_COMMAND;
        smtp_resync(s);
        smtp_odd(s, ANOM_RESYNC, DIR_C2S);
        smtp_pending_add(s, SMTP_END, t, 0);
        end_message(s);
    } else if (t != NULL) {
        t->bytes += before - in->n;
    }
}

/* ---- gates ---- */

void
smtp_gate_open(struct smtp *s, bool accepted)
{
    uint8_t gate = s->gate;

    s->gate = GATE_OPEN;
    switch ((enum gate)gate) {
    case GATE_OPEN: break;
    case GATE_DATA:
        if (accepted)
            smtp_client_begin_data(s, s->tx != NULL ? s->tx : smtp_tx_new(s));
        break;
    case GATE_STARTTLS:
        if (accepted)
            smtp_client_tls(s);
        break;
    case GATE_AUTH:
        if (accepted)
            s->auth_lines++;
        else
            s->mode = CLIENT_COMMAND;
        break;
    }
}

void
smtp_gate_guess(struct smtp *s, struct span next)
{
    if (next.n > 0 && span_at(next, next.n - 1) == '\r')
        next.n--;
    s->inferred = true;
    smtp_resync(s);
    if (s->tx != NULL)
        s->tx->inferred = true;
    if (s->gate == GATE_STARTTLS)
        smtp_gate_open(s, next.n == 0 || smtp_begins_tls(next));
    else
        smtp_gate_open(s, !smtp_cmd_is_certain(next));
}

void
smtp_gate_passed(struct smtp *s, struct span next)
{
    smtp_gate_guess(s, next);
    smtp_pending_keep_last(s);
    if (s->mode != CLIENT_AUTH)
        smtp_pending_drop_all(s);
    smtp_tx_settle(s);
}

/* ---- input ---- */

static void
first_bytes(struct smtp *s, const struct chunk *c)
{
    s->spoke_client = true;
    if (!s->has_banner && smtp_begins_tls(c->data)) {
        s->implicit_tls = true;
        smtp_pending_drop_all(s);
        smtp_client_tls(s);
        return;
    }
    if (s->flow->midstream || c->peer_acked == STREAM_ACK_UNKNOWN ||
        smtp_oneway(s) || s->realign)
        return;
    if (!s->has_banner || c->peer_acked < s->reply_end) {
        s->pregreet = true;
        smtp_anomaly(s, ANOM_PREGREET, DIR_C2S, c->offset, SPAN_NONE);
    }
}

size_t
smtp_client_bytes(struct smtp *s, const struct chunk *c)
{
    struct span in = c->data;

    s->ctx->cmd_acked = c->peer_acked;
    s->pos[DIR_C2S] = c->offset;
    if (!s->spoke_client)
        first_bytes(s, c);
    while (in.n > 0 && s->gate == GATE_OPEN) {
        switch ((enum client_mode)s->mode) {
        case CLIENT_COMMAND: in_command(s, &in); break;
        case CLIENT_DATA: in_data(s, &in); break;
        case CLIENT_BDAT: in_bdat(s, &in); break;
        case CLIENT_AUTH: in_auth(s, &in); break;
        case CLIENT_TLS: in_tls(s, &in); break;
        case CLIENT_LOST: in_lost(s, &in); break;
        }
        s->pos[DIR_C2S] = c->offset + (c->data.n - in.n);
    }
    return c->data.n - in.n;
}

void
smtp_client_data_gap(struct smtp *s, uint64_t lost)
{
    smtp_data_lost(&s->w->data);
    s->w->check = true;
    if (s->tx != NULL)
        smtp_message_gap(s, s->tx, lost);
}

static void
gap_in_bdat(struct smtp *s, uint64_t lost)
{
    struct work *w = s->w;
    uint64_t mine = lost < w->bdat_left ? lost : w->bdat_left;

    if (s->tx != NULL)
        smtp_message_gap(s, s->tx, mine);
    w->bdat_left -= mine;
    if (w->bdat_left > 0)
        return;
    end_chunk(s);
    if (lost > mine) {
        s->mode = CLIENT_LOST;
        s->fragment = true;
    }
}

void
smtp_client_gap(struct smtp *s, uint64_t lost)
{
    struct line_in *l = &s->w->line[DIR_C2S];

    smtp_odd(s, ANOM_GAP, DIR_C2S);
    if (s->gate != GATE_OPEN) /* no memory to wait */
        smtp_gate_guess(s, SPAN_NONE);
    s->spoke_client = true;
    switch ((enum client_mode)s->mode) {
    case CLIENT_COMMAND:
        line_reset(l, smtp_mem(s));
        s->mode = CLIENT_LOST;
        s->fragment = true;
        if (s->tx != NULL && s->tx->via == VIA_BDAT)
            smtp_message_gap(s, s->tx, 0); /* perhaps the next chunk */
        break;
    case CLIENT_DATA:
        keep_as_content(s);
        smtp_client_data_gap(s, lost);
        break;
    case CLIENT_BDAT: gap_in_bdat(s, lost); break;
    case CLIENT_AUTH:
        line_reset(l, smtp_mem(s));
        s->auth_lost = true;
        break;
    case CLIENT_TLS:
        s->tls_begun = true;
        if (s->tls != NULL)
            tls_gap(s->tls, DIR_C2S, lost);
        break;
    case CLIENT_LOST:
        line_reset(l, smtp_mem(s));
        s->fragment = true;
        if (s->tx != NULL && s->tx->via != VIA_NONE)
            s->tx->bytes += lost;
        break;
    }
    s->pos[DIR_C2S] += lost;
}

void
smtp_client_end(struct smtp *s)
{
    if (s->mode == CLIENT_DATA) {
        keep_as_content(s);
        note_line_ends(s);
    }
    if ((s->mode == CLIENT_DATA || s->mode == CLIENT_BDAT) && s->tx != NULL)
        smtp_message_end(s, s->tx);
    if (s->n_commands > 0 && !s->knows_smtp && !s->greeted && !s->implicit_tls)
        smtp_anomaly(s, ANOM_NOT_SMTP, DIR_C2S, 0, SPAN_NONE);
}
