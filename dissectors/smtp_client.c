#include "dissectors/smtp_session.h"

/* ---- message content ---- */

/* A message goes on though there was no memory for its transaction. */
static void
on_content(void *ctx, struct span in)
{
    struct smtp *s = ctx;

    if (s->tx != NULL)
        smtp_message_content(s, s->tx, in);
}

static void
on_variant(void *ctx, enum smtp_eod e)
{
    struct smtp *s = ctx;

    if (s->tx != NULL)
        smtp_message_variant(s, s->tx, e, s->now);
}

static const struct smtp_data_ops content_ops = {on_content, on_variant};

void
smtp_client_begin_data(struct smtp *s, struct tx *t)
{
    s->mode = CLIENT_DATA;
    smtp_data_init(&s->data);
    if (t != NULL)
        smtp_message_begin(s, t, VIA_DATA);
}

static void
note_line_ends(struct smtp *s)
{
    const struct smtp_scan_facts *f = &s->data.facts;
    uint64_t at = s->pos[DIR_C2S];

    if (f->bare_lf) {
        s->bare_lf = true;
        smtp_anomaly(s, ANOM_BARE_LF, DIR_C2S, at, SPAN_NONE, s->now);
    }
    if (f->bare_cr)
        smtp_anomaly(s, ANOM_BARE_CR, DIR_C2S, at, SPAN_NONE, s->now);
    if (f->nul)
        smtp_anomaly(s, ANOM_NUL_BYTE, DIR_C2S, at, SPAN_NONE, s->now);
    if (s->tx != NULL)
        s->tx->high |= f->high;
}

void
smtp_client_end_data(struct smtp *s, struct tx *t, ns_t when)
{
    note_line_ends(s);
    s->mode = CLIENT_COMMAND;
    s->n_messages++;
    if (t == NULL)
        return;
    t->complete = true;
    smtp_message_end(s, t);
    smtp_tx_close(s, CUT_NONE, when);
}

/* After a loss the end of data may have been lost with it: a line that only a
 * client in command state writes ends the message. */
static bool
ended_in_gap(struct smtp *s, struct span in)
{
    struct span line = span_head(in, span_find(in, '\n'));

    if (!s->data_lost)
        return false;
    s->data_lost = false;
    if (line.n == in.n || line.n == 0)
        return false;
    if (span_at(line, line.n - 1) == '\r')
        line.n--;
    return smtp_cmd_is_certain(line);
}

/* The message is over, but its end was lost. */
static void
end_cut(struct smtp *s, struct tx *t)
{
    note_line_ends(s);
    s->mode = CLIENT_COMMAND;
    s->n_resyncs++;
    s->inferred = true;
    if (t == NULL)
        return;
    t->cut = CUT_GAP;
    smtp_message_end(s, t);
    smtp_pending_add(s, SMTP_END, t, 0);
    smtp_tx_close(s, CUT_GAP, s->now);
}

void
smtp_client_data_answered(struct smtp *s)
{
    end_cut(s, s->tx);
}

static void
in_data(struct smtp *s, struct span *in)
{
    struct tx *t = s->tx;

    if (ended_in_gap(s, *in)) {
        end_cut(s, t);
        return;
    }
    if (!smtp_data_push(&s->data, s->ctx->scan, in, &content_ops, s))
        return;
    smtp_pending_add(s, SMTP_END, t, 0);
    smtp_client_end_data(s, t, s->now);
}

static void
end_chunk(struct smtp *s)
{
    struct tx *t = s->tx;

    s->mode = CLIENT_COMMAND;
    if (!s->bdat_last)
        return;
    s->n_messages++;
    if (t == NULL)
        return;
    t->complete = true;
    smtp_message_end(s, t);
    smtp_tx_close(s, CUT_NONE, s->now);
}

static void
in_bdat(struct smtp *s, struct span *in)
{
    struct span part = *in;

    if (part.n > s->bdat_left)
        part = span_head(part, (size_t)s->bdat_left);
    on_content(s, part);
    *in = span_tail(*in, part.n);
    s->bdat_left -= part.n;
    if (s->bdat_left == 0)
        end_chunk(s);
}

/* ---- commands ---- */

static void
note_dialect(struct smtp *s, const struct smtp_cmd *c, enum eol eol)
{
    s->n_commands++;
    s->eols |= (uint8_t)(1U << eol);
    if (s->n_order < sizeof(s->order))
        s->order[s->n_order++] = smtp_verb_letter(c->verb);
    if (c->verb != SMTP_UNKNOWN)
        s->cases |= (uint8_t)(1U << c->verb_case);
    if (!s->has_first_ms && s->flow->established > 0 &&
        s->at >= s->flow->established) {
        s->has_first_ms = true;
        s->first_command_ms =
            (uint32_t)((s->at - s->flow->established) / NS_PER_MS);
    }
    if (eol == EOL_LF) {
        s->bare_lf = true;
        smtp_anomaly(s, ANOM_BARE_LF, DIR_C2S, s->pos[DIR_C2S], SPAN_NONE,
                     s->now);
    }
}

/* All server bytes that the client had acknowledged have been read by now, so
 * a reply still awaited, or one that ends beyond them, had not reached it. */
static void
note_pipelining(struct smtp *s)
{
    uint64_t acked = s->cmd_acked;
    const struct pending *p = smtp_pending_head(s);
    bool awaits = p != NULL && p->verb != SMTP_GREETING;

    if (acked == STREAM_ACK_UNKNOWN || s->server_lost ||
        s->flow->midstream)
        return;
    if (!awaits && acked >= s->reply_end)
        return;
    if (!awaits && s->pregreet && s->n_commands == 1)
        return;
    s->n_pipelined++;
    if (s->pipelining_offered && s->caps_end <= acked)
        return;
    s->pipelined_unoffered = true;
    smtp_anomaly(s, ANOM_PIPELINING_UNOFFERED, DIR_C2S, s->pos[DIR_C2S],
                 SPAN_NONE, s->now);
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
    vec_free(&s->helo, s->mem);
    (void)vec_put(&s->helo, s->mem, c->arg.p, c->arg.n);
    s->ehlo |= c->verb != SMTP_HELO;
    s->helo_verb |= c->verb == SMTP_HELO;
    /* RFC 5321 4.1.4: as if RSET had been given. */
    smtp_tx_close(s, CUT_RESET, s->now);
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
    if (!s->ehlo && !s->helo_verb && !s->flow->midstream &&
        s->n_resyncs == 0)
        smtp_anomaly(s, ANOM_NO_HELO, DIR_C2S, s->pos[DIR_C2S], SPAN_NONE,
                     s->now);
    smtp_tx_close(s, CUT_RESET, s->now);
    t = smtp_tx_new(s, s->now);
    smtp_pending_add(s, SMTP_MAIL, t, 0);
    if (t == NULL)
        return;
    t->has_mail = true;
    t->null_sender = span_eq(c->path, SPAN_LIT("<>"));
    t->smtputf8 = smtp_param(c->params, "SMTPUTF8").p != NULL;
    t->has_size = span_to_u64(size, &t->size_declared);
    (void)log_put(&t->log, s->mem, &item);
    if (c->params.n == 0)
        return;
    s->params = true;
    item.tag = LOG_PARAMS;
    item.text = span_head(c->params, LIMIT_smtp_path);
    (void)log_put(&t->log, s->mem, &item);
}

static void
on_rcpt(struct smtp *s, const struct smtp_cmd *c)
{
    struct log_item item = {.tag = LOG_RCPT,
                            .text = span_head(c->path, LIMIT_smtp_path)};
    struct tx *t = smtp_tx_get(s, s->now);
    uint32_t number = 0;

    note_path(s, c);
    if (t != NULL) {
        uint32_t waiting = t->offered - t->offered_before;

        /* One-way: no reply will come to say that the part is settled. */
        if (waiting >= 2 * LIMIT_smtp_part_rcpt ||
            (waiting >= LIMIT_smtp_part_rcpt && smtp_oneway(s)))
            smtp_tx_part(s, t, s->now);
        number = t->offered++;
        if (!log_put(&t->log, s->mem, &item))
            smtp_anomaly(s, ANOM_NO_MEMORY, DIR_C2S, s->pos[DIR_C2S],
                         SPAN_NONE, s->now);
    }
    smtp_pending_add(s, SMTP_RCPT, t, number);
}

static void
on_data(struct smtp *s)
{
    struct tx *t = smtp_tx_get(s, s->now);

    smtp_pending_add(s, SMTP_DATA, t, 0);
    s->gate = GATE_DATA;
    if (smtp_oneway(s))
        smtp_gate_open(s, true);
}

static void
on_bdat(struct smtp *s, const struct smtp_cmd *c)
{
    struct tx *t = smtp_tx_get(s, s->now);

    if (c->bad)
        smtp_anomaly(s, ANOM_BAD_BDAT, DIR_C2S, s->pos[DIR_C2S], SPAN_NONE,
                     s->now);
    smtp_pending_add(s, c->last ? SMTP_END : SMTP_BDAT, t, 0);
    if (c->bad && c->size == 0)
        return;
    if (t != NULL)
        smtp_message_begin(s, t, VIA_BDAT);
    s->bdat_left = c->size;
    s->bdat_last = c->last;
    s->mode = CLIENT_BDAT;
    if (s->bdat_left == 0)
        end_chunk(s);
}

static bool
is_readable(struct span mechanism)
{
    static const char *const readable[] = {"PLAIN", "LOGIN", "XOAUTH2",
                                           "OAUTHBEARER"};

    for (size_t i = 0; i < ARRAY_LEN(readable); i++) {
        if (span_eq_nocase(mechanism, span_str(readable[i])))
            return true;
    }
    return false;
}

/* Of the argument only the mechanism is looked at (RFC 4954 section 4: 20
 * letters, digits, hyphens and underscores at most). */
static void
on_auth(struct smtp *s, const struct smtp_cmd *c)
{
    struct span word = span_head(c->arg, span_find(c->arg, ' '));
    uint8_t upper[20];
    struct log_item item = {.tag = LOG_AUTH};
    uint32_t at = s->auths.n;

    word = span_head(word, sizeof(upper));
    for (size_t i = 0; i < word.n; i++)
        upper[i] = word.p[i] >= 'a' && word.p[i] <= 'z'
                       ? (uint8_t)(word.p[i] - 32)
                       : word.p[i];
    item.text = span_of(upper, word.n);
    item.index = is_readable(item.text);
    if (item.index)
        smtp_anomaly(s, ANOM_AUTH_CLEARTEXT, DIR_C2S, s->pos[DIR_C2S],
                     item.text, s->now);
    if (s->starttls_refused)
        smtp_anomaly(s, ANOM_STARTTLS_REFUSED_AUTH, DIR_C2S, s->pos[DIR_C2S],
                     SPAN_NONE, s->now);
    if (s->n_auths < LIMIT_smtp_auths &&
        log_put(&s->auths, s->mem, &item))
        s->n_auths++;
    else
        at = UINT32_MAX;
    smtp_pending_add(s, SMTP_AUTH, NULL, at);
    s->mode = CLIENT_AUTH;
    s->gate = GATE_AUTH;
    if (smtp_oneway(s))
        s->gate = GATE_OPEN;
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
    uint64_t at = s->pos[DIR_C2S];

    if (is_overwritten(line)) {
        s->stripped = true;
        smtp_anomaly(s, ANOM_STARTTLS_STRIPPED, DIR_C2S, at,
                     SPAN_LIT("command overwritten"), s->now);
    } else if (smtp_cmd_is_foreign(line)) {
        s->non_smtp = true;
        smtp_anomaly(s, ANOM_NON_SMTP, DIR_C2S, at, SPAN_NONE, s->now);
    } else {
        smtp_anomaly(s, ANOM_UNKNOWN_COMMAND, DIR_C2S, at, SPAN_NONE, s->now);
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
            smtp_gate_guess(s);
        break;
    case SMTP_RSET:
        s->rset = true;
        smtp_tx_close(s, CUT_RESET, s->now);
        smtp_pending_add(s, c->verb, NULL, 0);
        break;
    case SMTP_QUIT:
        s->quit = true;
        smtp_tx_close(s, CUT_RESET, s->now);
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
    case SMTP_VERB_COUNT:
        smtp_pending_add(s, c->verb, NULL, 0);
        break;
    }
}

static void
on_command(struct smtp *s, const struct line *line)
{
    struct smtp_cmd c;

    if (line->cut)
        smtp_anomaly(s, ANOM_LINE_TOO_LONG, DIR_C2S, s->pos[DIR_C2S],
                     SPAN_NONE, s->now);
    if (span_find(line->text, 0) < line->text.n)
        smtp_anomaly(s, ANOM_NUL_BYTE, DIR_C2S, s->pos[DIR_C2S], SPAN_NONE,
                     s->now);
    smtp_cmd_parse(line->text, &c);
    s->knows_smtp |= c.verb != SMTP_UNKNOWN;
    smtp_pending_passed(s, s->cmd_acked);
    note_dialect(s, &c, line->eol);
    note_pipelining(s);
    dispatch(s, &c, line->text);
}

static bool
next_line(struct smtp *s, struct span *in, struct line *line)
{
    size_t before = in->n;
    bool whole = line_take(&s->line[DIR_C2S], s->mem, in, LIMIT_smtp_line,
                           line);

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

/* A line of the exchange (RFC 4954 section 4): only its existence counts. In a
 * one-way capture a line that only command state writes ends the exchange. */
static void
in_auth(struct smtp *s, struct span *in)
{
    struct line line;

    if (!next_line(s, in, &line))
        return;
    if (smtp_oneway(s)) {
        if (smtp_cmd_is_certain(line.text)) {
            s->mode = CLIENT_COMMAND;
            smtp_pending_drop_all(s);
            on_command(s, &line);
        }
        return;
    }
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
    s->tls = mem_new(s->mem, sizeof(*s->tls));
    if (s->tls != NULL)
        tls_init(s->tls, !s->implicit_tls);
}

/* Plaintext between STARTTLS and TLS. The client wrote it either before it had
 * the server's word, which is an injection, or after, which means that there
 * will be no TLS. */
static void
plain_before_tls(struct smtp *s, struct span *in)
{
    struct line line;
    struct smtp_cmd c;

    if (s->cmd_acked != STREAM_ACK_UNKNOWN && s->cmd_acked >= s->reply_end &&
        line_begun(&s->line[DIR_C2S]).n == 0 && !s->injected) {
        s->mode = CLIENT_COMMAND;
        s->starttls_used = false;
        s->n_resyncs++;
        smtp_anomaly(s, ANOM_RESYNC, DIR_C2S, s->pos[DIR_C2S],
                     SPAN_LIT("plaintext after 220 to STARTTLS"), s->now);
        return;
    }
    if (!next_line(s, in, &line))
        return;
    smtp_cmd_parse(line.text, &c);
    s->injected = true;
    smtp_anomaly(s, ANOM_STARTTLS_INJECTION, DIR_C2S, s->pos[DIR_C2S],
                 span_str(smtp_verb_name(c.verb)), s->now);
}

static void
in_tls(struct smtp *s, struct span *in)
{
    if (!s->tls_begun && line_begun(&s->line[DIR_C2S]).n == 0 &&
        tls_looks_like(*in))
        s->tls_begun = true;
    if (!s->tls_begun) {
        plain_before_tls(s, in);
        return;
    }
    if (s->tls != NULL) {
        tls_data(s->tls, DIR_C2S, *in);
        if (s->tls->half[0].hello_done && s->tls->half[1].hello_done)
            smtp_emit_tls(s, s->now);
    }
    *in = span_tail(*in, in->n);
}

/* ---- lost ---- */

/* In the middle of the stream a line is a command when only command state
 * writes it, the end of data when it is a dot, else text of a message. */
static void
in_lost(struct smtp *s, struct span *in)
{
    struct line line;
    struct tx *t;
    size_t before = in->n;

    if (!next_line(s, in, &line))
        return;
    if (smtp_cmd_is_certain(line.text)) {
        s->mode = CLIENT_COMMAND;
        s->n_resyncs++;
        smtp_anomaly(s, ANOM_RESYNC, DIR_C2S, s->pos[DIR_C2S], SPAN_NONE,
                     s->now);
        on_command(s, &line);
        return;
    }
    t = smtp_tx_get(s, s->now);
    if (t == NULL)
        return;
    if (t->via == VIA_NONE) {
        t->via = VIA_DATA;
        t->lost = t->inferred = true;
        t->cut = s->flow->midstream ? CUT_MIDSTREAM : CUT_GAP;
    }
    if (span_eq(line.text, SPAN_LIT("."))) {
        smtp_pending_add(s, SMTP_END, t, 0);
        smtp_client_end_data(s, t, s->now);
        return;
    }
    t->bytes += before - in->n;
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
            smtp_client_begin_data(s, s->tx);
        break;
    case GATE_STARTTLS:
        if (accepted) {
            s->starttls_used = true;
            smtp_client_tls(s);
        }
        break;
    case GATE_AUTH:
        if (accepted)
            s->auth_lines++;
        else
            s->mode = CLIENT_COMMAND;
        break;
    }
}

/* The reply was lost, or will never be seen: what the client did next tells
 * what it was. */
void
smtp_gate_guess(struct smtp *s)
{
    struct span next = smtp_held_bytes(s, DIR_C2S);
    struct span line = span_head(next, span_find(next, '\n'));
    bool command;

    if (line.n > 0 && span_at(line, line.n - 1) == '\r')
        line.n--;
    command = smtp_cmd_is_certain(line);
    s->inferred = true;
    if (s->gate == GATE_STARTTLS)
        smtp_gate_open(s, next.n == 0 || tls_looks_like(next));
    else
        smtp_gate_open(s, !command);
}

/* ---- input ---- */

static void
first_bytes(struct smtp *s, const struct chunk *c)
{
    s->spoke[DIR_C2S] = true;
    if (!s->has_banner && tls_looks_like(c->data)) {
        s->implicit_tls = true;
        smtp_pending_drop_all(s);
        smtp_client_tls(s);
        return;
    }
    if (s->flow->midstream || c->peer_acked == STREAM_ACK_UNKNOWN)
        return;
    if (!s->greeted || c->peer_acked < s->banner_end) {
        s->pregreet = true;
        smtp_anomaly(s, ANOM_PREGREET, DIR_C2S, c->offset, SPAN_NONE, s->now);
    }
}

size_t
smtp_client_bytes(struct smtp *s, const struct chunk *c)
{
    struct span in = c->data;

    s->cmd_acked = c->peer_acked;
    if (!s->spoke[DIR_C2S])
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

static void
gap_in_bdat(struct smtp *s, uint64_t lost)
{
    uint64_t mine = lost < s->bdat_left ? lost : s->bdat_left;

    if (s->tx != NULL)
        smtp_message_gap(s, s->tx, mine);
    s->bdat_left -= mine;
    if (s->bdat_left > 0)
        return;
    end_chunk(s);
    if (lost > mine)
        s->mode = CLIENT_LOST;
}

void
smtp_client_gap(struct smtp *s, uint64_t lost, ns_t when)
{
    smtp_anomaly(s, ANOM_GAP, DIR_C2S, s->pos[DIR_C2S], SPAN_NONE, when);
    switch ((enum client_mode)s->mode) {
    case CLIENT_COMMAND:
        line_reset(&s->line[DIR_C2S], s->mem);
        s->mode = CLIENT_LOST;
        break;
    case CLIENT_DATA:
        smtp_data_lost(&s->data);
        s->data_lost = true;
        if (s->tx != NULL)
            smtp_message_gap(s, s->tx, lost);
        break;
    case CLIENT_BDAT: gap_in_bdat(s, lost); break;
    case CLIENT_AUTH: line_reset(&s->line[DIR_C2S], s->mem); break;
    case CLIENT_TLS:
        s->tls_begun = true;
        if (s->tls != NULL)
            tls_gap(s->tls, DIR_C2S, lost);
        break;
    case CLIENT_LOST:
        line_reset(&s->line[DIR_C2S], s->mem);
        if (s->tx != NULL && s->tx->via != VIA_NONE)
            s->tx->bytes += lost;
        break;
    }
    s->pos[DIR_C2S] += lost;
}

void
smtp_client_end(struct smtp *s, ns_t when)
{
    if (s->mode == CLIENT_DATA || s->mode == CLIENT_BDAT) {
        if (s->mode == CLIENT_DATA)
            note_line_ends(s);
        if (s->tx != NULL)
            smtp_message_end(s, s->tx);
    }
    if (s->n_commands > 0 && !s->knows_smtp && !s->greeted &&
        !s->implicit_tls)
        smtp_anomaly(s, ANOM_NOT_SMTP, DIR_C2S, 0, SPAN_NONE, when);
}
