#include "dissectors/smtp_session.h"

/* A coded item: tag, code, index, latency, length, text. */
#define ITEM_HEAD 13U

bool
log_put(struct vec *v, struct mem *m, const struct log_item *item)
{
    uint16_t n = (uint16_t)span_head(item->text, UINT16_MAX).n;

    if (!vec_reserve(v, m, ITEM_HEAD + (size_t)n))
        return false;
    (void)vec_put(v, m, &item->tag, 1);
    (void)vec_put(v, m, &item->code, 2);
    (void)vec_put(v, m, &item->index, 4);
    (void)vec_put(v, m, &item->latency_ms, 4);
    (void)vec_put(v, m, &n, 2);
    return vec_put(v, m, item->text.p, n);
}

bool
log_next(struct cursor *c, struct log_item *out)
{
    if (cur_left(c) == 0)
        return false;
    out->tag = cur_u8(c);
    out->code = cur_le16(c);
    out->index = cur_le32(c);
    out->latency_ms = cur_le32(c);
    out->text = cur_take(c, cur_le16(c));
    return !c->bad;
}

static void
append(struct smtp *s, struct tx *t, const struct log_item *item, ns_t when)
{
    if (!log_put(&t->log, s->mem, item))
        smtp_anomaly(s, ANOM_NO_MEMORY, DIR_C2S, s->pos[DIR_C2S], SPAN_NONE,
                     when);
}

struct tx *
smtp_tx_new(struct smtp *s, ns_t when)
{
    struct tx *t = mem_new(s->mem, sizeof(*t));
    struct tx **end = &s->txs;

    if (t == NULL) {
        smtp_anomaly(s, ANOM_NO_MEMORY, DIR_C2S, s->pos[DIR_C2S], SPAN_NONE,
                     when);
        return NULL;
    }
    t->id = s->n_tx++;
    t->part_start = when;
    t->last_latency = LATENCY_NONE;
    t->inferred = s->inferred;
    while (*end != NULL)
        end = &(*end)->next;
    *end = t;
    s->tx = t;
    s->ctx->stats.transactions++;
    return t;
}

struct tx *
smtp_tx_get(struct smtp *s, ns_t when)
{
    return s->tx != NULL ? s->tx : smtp_tx_new(s, when);
}

void
smtp_tx_free(struct smtp *s, struct tx *t)
{
    smtp_message_free(s, t);
    vec_free(&t->log, s->mem);
    mem_free(s->mem, t, sizeof(*t));
}

void
smtp_tx_close(struct smtp *s, enum cut why, ns_t when)
{
    struct tx *t = s->tx;

    s->tx = NULL;
    if (t == NULL)
        return;
    t->closed = true;
    if (t->via != VIA_NONE && !t->complete && t->cut == CUT_NONE)
        t->cut = (uint8_t)why;
    smtp_tx_settle(s, when);
}

/* ---- replies ---- */

static void
set_final(struct smtp *s, struct tx *t, const struct log_item *item, ns_t when)
{
    if (t->has_final)
        return;
    t->has_final = true;
    t->final_code = item->code;
    append(s, t, item, when);
}

static void
rcpt_reply(struct smtp *s, struct tx *t, struct log_item *item, uint32_t rcpt,
           ns_t when)
{
    item->tag = LOG_RCPT_REPLY;
    item->index = rcpt;
    append(s, t, item, when);
    if (item->code < 300) {
        t->accepted++;
        return;
    }
    t->refused++;
    t->temp_refused += item->code < 500;
    t->rcpt_code = item->code;
}

static void
other_reply(struct smtp *s, struct tx *t, struct log_item *item, ns_t when)
{
    if (t->n_replies >= LIMIT_smtp_replies)
        return;
    t->n_replies++;
    item->tag = LOG_REPLY;
    append(s, t, item, when);
}

void
smtp_tx_reply(struct smtp *s, const struct pending *p, unsigned code,
              struct span text, uint32_t latency_ms, ns_t when)
{
    struct tx *t = p->tx;
    struct log_item item = {
        .code = (uint16_t)code,
        .index = p->verb,
        .latency_ms = latency_ms,
        .text = span_head(text, LIMIT_smtp_reply_text),
    };

    switch (p->verb) {
    case SMTP_RCPT: rcpt_reply(s, t, &item, p->rcpt, when); break;
    case SMTP_END:
        item.tag = LOG_FINAL;
        set_final(s, t, &item, when);
        break;
    case SMTP_MAIL:
        t->mail_code = (uint16_t)code;
        other_reply(s, t, &item, when);
        break;
    default:
        if (code >= 400)
            t->data_code = (uint16_t)code;
        other_reply(s, t, &item, when);
    }
    if (t->offered - t->offered_before >= LIMIT_smtp_part_rcpt &&
        t->accepted + t->refused >= t->offered)
        smtp_tx_part(s, t, when);
}

/* ---- records ---- */

/* The reply that stopped a transaction which has no final one. */
static bool
find_stopper(const struct tx *t, struct log_item *out)
{
    struct cursor c = cur_open(vec_view(&t->log));
    struct log_item item;
    bool found = false;

    while (log_next(&c, &item)) {
        bool stops =
            item.tag == LOG_FINAL ||
            (item.tag == LOG_REPLY && item.code >= 400 && !t->has_final) ||
            (item.tag == LOG_RCPT_REPLY && item.code >= 400 &&
             t->accepted == 0 && t->data_code == 0 && !t->has_final);

        if (stops) {
            *out = item;
            found = true;
        }
    }
    return found;
}

static const char *
outcome_of_code(unsigned code)
{
    if (code < 400)
        return "accepted";
    return code < 500 ? "deferred" : "rejected";
}

static const char *
outcome(const struct tx *t)
{
    if (t->has_final)
        return outcome_of_code(t->final_code);
    if (t->complete)
        return "unknown";
    if (t->mail_code >= 400)
        return outcome_of_code(t->mail_code);
    if (t->offered > 0 && t->refused == t->offered)
        return t->temp_refused > 0 ? "deferred" : "rejected";
    if (t->via != VIA_NONE)
        return "aborted";
    if (t->data_code >= 400)
        return outcome_of_code(t->data_code);
    return "no-data";
}

static void
put_reply(struct record_out *r, const struct log_item *item,
          const enum field f[6])
{
    struct span list;
    struct span e = smtp_enhanced(item->text);
    enum smtp_class class = smtp_classify(item->code, item->text, &list);

    record_u64(r, f[0], item->code);
    if (e.n > 0)
        record_str(r, f[1], e);
    if (item->code >= 400 || f[0] == FIELD_SMTP_RCPT_CODE)
        record_text(r, f[2], smtp_class_name(class));
    if (list.p != NULL)
        record_str(r, f[3], list);
    if (item->latency_ms != LATENCY_NONE)
        record_u64(r, f[4], item->latency_ms);
    if (item->text.n > e.n)
        record_str(r, f[5], smtp_reply_words(item->text));
}

void
smtp_emit_replies(struct record_out *r, const struct vec *log)
{
    static const enum field f[6] = {
        FIELD_SMTP_REPLIES_CODE,    FIELD_SMTP_REPLIES_ENHANCED,
        FIELD_SMTP_REPLIES_CLASS,   FIELD_SMTP_REPLIES_LIST,
        FIELD_SMTP_REPLIES_LATENCY, FIELD_SMTP_REPLIES_TEXT,
    };
    struct cursor c = cur_open(vec_view(log));
    struct log_item item;

    while (log_next(&c, &item)) {
        if (item.tag != LOG_REPLY)
            continue;
        record_object_begin(r, FIELD_SMTP_REPLIES);
        record_text(r, FIELD_SMTP_REPLIES_COMMAND,
                    smtp_verb_name((enum smtp_verb)item.index));
        put_reply(r, &item, f);
        record_object_end(r);
    }
}

static void
emit_ledger_row(struct record_out *r, struct span path,
                const struct log_item *reply)
{
    static const enum field f[6] = {
        FIELD_SMTP_RCPT_CODE, FIELD_SMTP_RCPT_ENHANCED, FIELD_SMTP_RCPT_CLASS,
        FIELD_SMTP_RCPT_LIST, FIELD_SMTP_RCPT_LATENCY,  FIELD_SMTP_RCPT_TEXT,
    };

    record_object_begin(r, FIELD_SMTP_RCPT);
    record_str(r, FIELD_SMTP_RCPT_ADDR, path);
    if (reply != NULL)
        put_reply(r, reply, f);
    record_object_end(r);
}

static bool
next_tagged(struct cursor *c, enum log_tag tag, struct log_item *out)
{
    while (log_next(c, out)) {
        if (out->tag == tag)
            return true;
    }
    return false;
}

/* Recipients and their replies are both in order, so one walk joins them. */
static void
emit_rcpts(const struct tx *t, struct record_out *r)
{
    struct cursor c = cur_open(vec_view(&t->log));
    struct cursor replies = c;
    struct log_item item;
    struct log_item reply;
    bool has = next_tagged(&replies, LOG_RCPT_REPLY, &reply);
    uint32_t i = t->offered_before;

    while (next_tagged(&c, LOG_RCPT, &item))
        record_str(r, FIELD_SMTP_RCPT_TO, item.text);
    c = cur_open(vec_view(&t->log));
    while (next_tagged(&c, LOG_RCPT, &item)) {
        while (has && reply.index < i)
            has = next_tagged(&replies, LOG_RCPT_REPLY, &reply);
        emit_ledger_row(r, item.text,
                        has && reply.index == i ? &reply : NULL);
        i++;
    }
}

static void
emit_envelope(struct smtp *s, const struct tx *t, struct record_out *r)
{
    struct cursor c = cur_open(vec_view(&t->log));
    struct log_item item;

    if (s->helo.n > 0)
        record_str(r, FIELD_SMTP_HELO, vec_view(&s->helo));
    if (next_tagged(&c, LOG_MAIL, &item))
        record_str(r, FIELD_SMTP_MAIL_FROM, item.text);
    if (next_tagged(&c, LOG_PARAMS, &item))
        record_str(r, FIELD_SMTP_MAIL_PARAMS, item.text);
    if (t->mail_code > 0)
        record_u64(r, FIELD_SMTP_MAIL_CODE, t->mail_code);
    if (t->null_sender)
        record_bool(r, FIELD_SMTP_NULL_SENDER, true);
    if (t->smtputf8)
        record_bool(r, FIELD_SMTP_SMTPUTF8, true);
    if (t->has_size)
        record_u64(r, FIELD_SMTP_SIZE_DECLARED, t->size_declared);
    emit_rcpts(t, r);
    smtp_emit_replies(r, &t->log);
    record_u64(r, FIELD_SMTP_RCPT_OFFERED, t->offered);
    record_u64(r, FIELD_SMTP_RCPT_ACCEPTED, t->accepted);
    record_u64(r, FIELD_SMTP_RCPT_REFUSED, t->refused);
}

static void
emit_final(const struct tx *t, struct record_out *r)
{
    struct log_item item;
    struct span list;
    struct span e;
    enum smtp_class class;
    struct span id;

    if (!find_stopper(t, &item))
        return;
    e = smtp_enhanced(item.text);
    class = smtp_classify(item.code, item.text, &list);
    record_u64(r, FIELD_SMTP_FINAL_CODE, item.code);
    if (e.n > 0)
        record_str(r, FIELD_SMTP_FINAL_ENHANCED, e);
    record_text(r, FIELD_SMTP_FINAL_CLASS, smtp_class_name(class));
    if (list.p != NULL)
        record_str(r, FIELD_SMTP_FINAL_LIST, list);
    if (item.latency_ms != LATENCY_NONE)
        record_u64(r, FIELD_SMTP_FINAL_LATENCY, item.latency_ms);
    if (item.text.n > e.n)
        record_str(r, FIELD_SMTP_FINAL_TEXT, smtp_reply_words(item.text));
    id = item.code < 300 ? smtp_queue_id(item.text) : SPAN_NONE;
    if (id.n > 0)
        record_str(r, FIELD_SMTP_QUEUE_ID, id);
}

static void
emit_message(const struct tx *t, struct record_out *r)
{
    static const char *const cuts[] = {"", "gap", "end", "reset", "midstream"};

    if (t->via != VIA_NONE)
        record_text(r, FIELD_SMTP_VIA, t->via == VIA_DATA ? "DATA" : "BDAT");
    record_text(r, FIELD_SMTP_OUTCOME, outcome(t));
    if (t->via == VIA_NONE)
        return;
    record_u64(r, FIELD_SMTP_MESSAGE_BYTES, t->bytes);
    smtp_message_emit(t, r);
    if (t->cut != CUT_NONE)
        record_text(r, FIELD_SMTP_CUT, cuts[t->cut]);
    if (t->high)
        record_bool(r, FIELD_SMTP_LINES_8BIT, true);
}

static void
emit(struct smtp *s, struct tx *t, bool last, ns_t when)
{
    struct record_out *r = smtp_record(s, EVENT_SMTP, when, t);

    emit_envelope(s, t, r);
    if (last) {
        emit_final(t, r);
        emit_message(t, r);
    }
    if (t->part > 0 || !last) {
        record_u64(r, FIELD_SMTP_PART, t->part + 1);
        record_bool(r, FIELD_SMTP_LAST, last);
    }
    if (last)
        smtp_message_emit_header(t, r);
    smtp_record_done(s);
}

/* After a part the envelope sender stays, the recipients begin anew. */
void
smtp_tx_part(struct smtp *s, struct tx *t, ns_t when)
{
    struct vec old = t->log;
    struct cursor c = cur_open(vec_view(&old));
    struct log_item item;

    emit(s, t, false, when);
    t->part++;
    t->part_start = when;
    t->offered_before = t->offered;
    t->log = (struct vec){0};
    t->n_replies = 0;
    while (log_next(&c, &item)) {
        if (item.tag == LOG_MAIL || item.tag == LOG_PARAMS)
            append(s, t, &item, when);
    }
    vec_free(&old, s->mem);
}

static bool
says_something(const struct tx *t)
{
    return t->has_mail || t->offered > 0 || t->via != VIA_NONE;
}

static void
report(struct smtp *s, struct tx *t, ns_t when)
{
    if (says_something(t)) {
        emit(s, t, true, when);
        if (t->complete)
            s->ctx->stats.messages++;
    } else {
        s->ctx->stats.transactions--;
    }
    smtp_tx_free(s, t);
}

void
smtp_tx_settle(struct smtp *s, ns_t when)
{
    while (s->txs != NULL && s->txs->closed && s->txs->n_pending == 0 &&
           (s->txs->settled || !smtp_message_smuggles(s->txs))) {
        struct tx *t = s->txs;

        s->txs = t->next;
        report(s, t, when);
    }
}

void
smtp_tx_end_all(struct smtp *s, ns_t when)
{
    smtp_pending_drop_all(s);
    smtp_tx_close(s, CUT_END, when);
    for (struct tx *t = s->txs; t != NULL; t = t->next)
        t->settled = true;
    smtp_tx_settle(s, when);
}
