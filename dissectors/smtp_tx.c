#include "dissectors/smtp_session.h"

/* A coded item: tag and flags, the length of the rest, what the flags name
 * (code, index, latency), the text. Numbers are LEB128, a code is 2 bytes. */
enum { HAS_CODE = 0x10, HAS_INDEX = 0x20, HAS_LATENCY = 0x40, TAG_BITS = 0x0f };
#define ITEM_HEAD_MAX 18U
#define LOG_FIRST     72U

static size_t
put_number(uint8_t *out, uint32_t v)
{
    size_t n = 0;

    for (; v >= 0x80; v >>= 7)
        out[n++] = (uint8_t)(v | 0x80);
    out[n++] = (uint8_t)v;
    return n;
}

static size_t
number_length(uint32_t v)
{
    size_t n = 1;

    for (; v >= 0x80; v >>= 7)
        n++;
    return n;
}

static inline uint32_t
take_number(struct cursor *c)
{
    uint8_t b = cur_u8(c);
    uint32_t v = b & 0x7fU;

    for (unsigned shift = 7; b >= 0x80 && shift < 35; shift += 7) {
        b = cur_u8(c);
        v |= (uint32_t)(b & 0x7f) << shift;
    }
    return v;
}

/* The first block has room for what an open connection usually keeps. */
static bool
make_room(struct vec *v, struct mem *m, size_t n)
{
    return (v->cap == 0 && n < LOG_FIRST && vec_reserve(v, m, LOG_FIRST)) ||
           vec_reserve(v, m, n);
}

/* That of an AUTH has code and index at fixed places, for log_mark. */
bool
log_put(struct vec *v, struct mem *m, const struct log_item *item)
{
    uint8_t head = item->tag;
    uint8_t facts[ITEM_HEAD_MAX];
    struct span text = span_head(item->text, UINT16_MAX);
    bool fixed = item->tag == LOG_AUTH;
    uint8_t *at;
    size_t k = 0;
    size_t n;

    if (item->code > 0 || fixed) {
        head |= HAS_CODE;
        memcpy(facts, &item->code, 2);
        k = 2;
    }
    if (item->index > 0 || fixed) {
        head |= HAS_INDEX;
        k += put_number(facts + k, item->index);
    }
    if (item->code > 0 && item->latency_ms != LATENCY_NONE) {
        head |= HAS_LATENCY;
        k += put_number(facts + k, item->latency_ms);
    }
    n = 1 + number_length((uint32_t)(k + text.n)) + k + text.n;
    if (n > v->cap - v->n && !make_room(v, m, n))
        return false;
    at = v->p + v->n;
    *at++ = head;
    at += put_number(at, (uint32_t)(k + text.n));
    memcpy(at, facts, k);
    if (text.n > 0)
        memcpy(at + k, text.p, text.n);
    v->n += (uint32_t)n;
    return true;
}

void
log_mark(struct vec *v, size_t at, uint16_t code, uint8_t fact)
{
    REQUIRE(at + 5 <= v->n && (v->p[at] & TAG_BITS) == LOG_AUTH);
    memcpy(v->p + at + 2, &code, 2);
    v->p[at + 4] |= fact;
}

static void
read_item(uint8_t head, struct span rest, struct log_item *out)
{
    struct cursor c = cur_open(rest);

    out->tag = head & TAG_BITS;
    out->code = head & HAS_CODE ? cur_le16(&c) : 0;
    out->index = head & HAS_INDEX ? take_number(&c) : 0;
    out->latency_ms = head & HAS_LATENCY ? take_number(&c) : LATENCY_NONE;
    out->text = cur_rest(&c);
}

bool
log_next(struct cursor *c, struct log_item *out)
{
    uint8_t head;

    if (cur_left(c) == 0)
        return false;
    head = cur_u8(c);
    read_item(head, cur_take(c, take_number(c)), out);
    return !c->bad;
}

bool
log_find(struct cursor *c, enum log_tag tag, struct log_item *out)
{
    while (cur_left(c) > 0) {
        uint8_t head = cur_u8(c);
        struct span rest = cur_take(c, take_number(c));

        if ((head & TAG_BITS) == tag) {
            read_item(head, rest, out);
            return !c->bad;
        }
    }
    return false;
}

void
log_drop(struct vec *v, enum log_tag tag)
{
    struct cursor c = cur_open(vec_view(v));
    struct log_item item;
    size_t at = 0;

    while (log_next(&c, &item)) {
        if (item.tag == tag) {
            memmove(v->p + at, v->p + c.at, v->n - c.at);
            v->n -= (uint32_t)(c.at - at);
            return;
        }
        at = c.at;
    }
}

struct span
log_text(const struct vec *v, enum log_tag tag)
{
    struct cursor c = cur_open(vec_view(v));
    struct log_item item;

    return log_find(&c, tag, &item) ? item.text : SPAN_NONE;
}

static void
append(struct smtp *s, struct tx *t, const struct log_item *item)
{
    if (!log_put(&t->log, smtp_mem(s), item))
        smtp_odd(s, ANOM_NO_MEMORY, DIR_C2S);
}

/* A server that answers none of many mails: the oldest is told as it is. */
static void
make_way(struct smtp *s)
{
    if (s->n_open < LIMIT_smtp_pending || !s->txs->closed)
        return;
    smtp_odd(s, ANOM_TOO_MANY_PENDING, DIR_C2S);
    smtp_pending_give_up(s, s->txs);
    s->txs->settled = true;
    smtp_tx_settle(s);
}

struct tx *
smtp_tx_new(struct smtp *s)
{
    struct tx *t;

    make_way(s);
    t = mem_new(smtp_mem(s), sizeof(*t));
    if (t == NULL) {
        smtp_odd(s, ANOM_NO_MEMORY, DIR_C2S);
        return NULL;
    }
    t->id = s->n_tx++;
    t->part_start = s->ctx->now;
    if (s->txs == NULL)
        s->txs = t;
    else
        s->newest->next = t;
    s->newest = s->tx = t;
    s->n_open++;
    s->ctx->stats.transactions++;
    return t;
}

/* Without MAIL there is none, and the server will say so (503), unless MAIL may
 * have been before we looked, or in a gap. */
struct tx *
smtp_tx_get(struct smtp *s)
{
    if (s->tx != NULL)
        return s->tx;
    if (!s->flow->midstream && s->n_resyncs == 0 && s->mode != CLIENT_LOST &&
        !smtp_has_gap(s))
        return NULL;
    return smtp_tx_new(s);
}

void
smtp_tx_free(struct smtp *s, struct tx *t)
{
    smtp_message_free(s, t);
    vec_free(&t->log, smtp_mem(s));
    mem_free(smtp_mem(s), t, sizeof(*t));
}

static void
close_one(struct tx *t, enum cut why)
{
    t->closed = true;
    if (t->via != VIA_NONE && !t->complete && t->cut == CUT_NONE)
        t->cut = (uint8_t)why;
}

void
smtp_tx_close(struct smtp *s, enum cut why)
{
    if (s->outer != NULL)
        close_one(s->outer, why);
    if (s->tx != NULL)
        close_one(s->tx, why);
    s->outer = s->tx = NULL;
    smtp_tx_settle(s);
}

struct tx *
smtp_tx_mail(struct smtp *s)
{
    struct tx *t = s->tx;
    struct tx *second;
    bool nested = t != NULL && t->has_mail && t->mail_code < 300 &&
                  t->via == VIA_NONE && s->outer == NULL;

    if (!nested)
        smtp_tx_close(s, CUT_RESET);
    second = smtp_tx_new(s);
    if (second != NULL)
        s->outer = nested ? t : NULL;
    else
        smtp_tx_close(s, CUT_RESET);
    return second;
}

static bool
says_something(const struct tx *t)
{
    return t->has_mail || t->offered > 0 || t->via != VIA_NONE;
}

void
smtp_tx_discard(struct smtp *s, struct tx *t)
{
    struct tx **at = &s->txs;

    if (t != s->tx || t->n_pending > 0 || says_something(t))
        return;
    s->newest = NULL;
    while (*at != t) {
        s->newest = *at;
        at = &(*at)->next;
    }
    *at = t->next;
    s->tx = NULL;
    s->n_open--;
    s->n_tx--;
    s->ctx->stats.transactions--;
    smtp_tx_free(s, t);
}

bool
smtp_tx_mail_refused(struct smtp *s, struct tx *t, unsigned code)
{
    if (s->outer == NULL || t != s->tx)
        return false;
    if (code != 503 || t->offered > 0 || t->n_pending > 0) {
        close_one(s->outer, CUT_RESET);
        s->outer = NULL;
        smtp_tx_settle(s);
        return false;
    }
    t->has_mail = false;
    smtp_tx_discard(s, t);
    s->tx = s->outer;
    s->outer = NULL;
    return true;
}

/* ---- replies ---- */

static void
rcpt_reply(struct smtp *s, struct tx *t, struct log_item *item, uint32_t rcpt)
{
    item->tag = LOG_RCPT_REPLY;
    item->index = rcpt;
    append(s, t, item);
    if (smtp_code_accepts(item->code)) {
        t->accepted++;
        return;
    }
    t->refused++;
    t->temp_refused |= item->code / 100 == 4;
}

static void
other_reply(struct smtp *s, struct tx *t, struct log_item *item)
{
    if (t->n_replies >= LIMIT_smtp_replies)
        return;
    t->n_replies++;
    item->tag = LOG_REPLY;
    append(s, t, item);
}

/* The first one counts. Of several, one for each recipient, the first that
 * accepts, and all of them are kept. */
static void
final_reply(struct smtp *s, struct tx *t, struct log_item *item)
{
    bool better = s->lmtp && t->final_code >= 400 && item->code < 400;

    t->n_final++;
    if (s->lmtp && t->accepted > 1)
        other_reply(s, t, item);
    if (t->has_final && !better)
        return;
    t->has_final = true;
    t->final_code = item->code;
    item->tag = LOG_FINAL;
    append(s, t, item);
}

void
smtp_tx_reply(struct smtp *s, const struct pending *p, unsigned code,
              struct span text, uint32_t latency_ms)
{
    struct tx *t = p->tx;
    struct log_item item = {
        .code = (uint16_t)code,
        .index = p->verb,
        .latency_ms = latency_ms,
        .text = span_head(text, LIMIT_smtp_reply_text),
    };

    switch (p->verb) {
    case SMTP_RCPT: rcpt_reply(s, t, &item, p->rcpt); break;
    case SMTP_END: final_reply(s, t, &item); break;
    case SMTP_MAIL:
        t->mail_code = (uint16_t)code;
        other_reply(s, t, &item);
        break;
    default:
        if (code >= 400 && t->data_code == 0)
            t->data_code = (uint16_t)code;
        other_reply(s, t, &item);
    }
    if ((t->offered - t->offered_before >= LIMIT_smtp_part_rcpt ||
         t->log.n >= LIMIT_smtp_part_bytes) &&
        t->accepted + t->refused >= t->offered && !t->has_final)
        smtp_tx_part(s, t);
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
        /* What follows a chunk's refusal is refused because of it. */
        bool again = found && out->tag == LOG_REPLY &&
                     out->index == SMTP_BDAT && item.index == SMTP_BDAT;
        bool stops = item.tag == LOG_FINAL ||
                     (item.tag == LOG_REPLY && item.code >= 400 &&
                      !t->has_final && !again) ||
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
    switch (code / 100) {
    case 2: return "accepted";
    case 4: return "deferred";
    case 5: return "rejected";
    default: return "unknown"; /* RFC 5321 4.2.1 knows no such reply here */
    }
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
    if (t->accepted == 0 && t->refused > 0)
        return t->temp_refused ? "deferred" : "rejected";
    if (t->data_code >= 400)
        return outcome_of_code(t->data_code);
    if (t->via != VIA_NONE && t->lost && t->cut == CUT_RESET)
        return "unknown"; /* its end may have been in the gap */
    return t->via != VIA_NONE ? "aborted" : "no-data";
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
        record_str(r, f[5], span_trim(span_tail(item->text, e.n)));
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

    while (log_find(&c, LOG_REPLY, &item)) {
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

/* Recipients and their replies are both in order, so one walk joins them. */
static void
emit_rcpts(const struct tx *t, struct record_out *r)
{
    struct cursor c = cur_open(vec_view(&t->log));
    struct cursor replies = c;
    struct log_item item;
    struct log_item reply;
    bool has = log_find(&replies, LOG_RCPT_REPLY, &reply);
    uint32_t i = t->offered_before;

    while (log_find(&c, LOG_RCPT, &item))
        record_str(r, FIELD_SMTP_RCPT_TO, item.text);
    c = cur_open(vec_view(&t->log));
    while (log_find(&c, LOG_RCPT, &item)) {
        while (has && reply.index < i)
            has = log_find(&replies, LOG_RCPT_REPLY, &reply);
        emit_ledger_row(r, item.text, has && reply.index == i ? &reply : NULL);
        i++;
    }
}

static void
emit_envelope(struct smtp *s, const struct tx *t, struct record_out *r)
{
    struct cursor c = cur_open(vec_view(&t->log));
    struct span helo = log_text(&s->log, LOG_HELO);
    struct log_item item;

    if (helo.n > 0)
        record_str(r, FIELD_SMTP_HELO, helo);
    if (log_find(&c, LOG_MAIL, &item))
        record_str(r, FIELD_SMTP_MAIL_FROM, item.text);
    c = cur_open(vec_view(&t->log));
    if (log_find(&c, LOG_PARAMS, &item))
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
    record_bool(r, FIELD_SMTP_AUTHENTICATED, s->authenticated);
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
        record_str(r, FIELD_SMTP_FINAL_TEXT,
                   span_trim(span_tail(item.text, e.n)));
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
    if (t->bytes > 0 || !t->inferred) /* else none of it was seen */
        record_u64(r, FIELD_SMTP_MESSAGE_BYTES, t->bytes);
    smtp_message_emit(t, r);
    if (t->cut != CUT_NONE)
        record_text(r, FIELD_SMTP_CUT, cuts[t->cut]);
    if (t->high)
        record_bool(r, FIELD_SMTP_LINES_8BIT, true);
}

static void
emit(struct smtp *s, struct tx *t, bool last)
{
    struct record_out *r;

    if (last)
        smtp_message_carve(s, t);
    r = smtp_record(s, EVENT_SMTP, t);
    emit_envelope(s, t, r);
    if (last) {
        emit_final(t, r);
        emit_message(t, r);
    }
    if (t->part > 0 || !last) {
        record_u64(r, FIELD_SMTP_PART, t->part + 1);
        record_bool(r, FIELD_SMTP_LAST, last);
    }
    if (last) {
        smtp_message_emit_header(t, r);
        smtp_message_done(s, t, r);
    } else {
        smtp_record_done(s);
    }
}

/* After a part the envelope sender stays, the recipients begin anew. */
void
smtp_tx_part(struct smtp *s, struct tx *t)
{
    struct vec old = t->log;
    struct cursor c = cur_open(vec_view(&old));
    struct log_item item;

    emit(s, t, false);
    t->part++;
    t->part_start = s->ctx->now;
    t->offered_before = t->offered;
    t->log = (struct vec){0};
    t->n_replies = 0;
    while (log_next(&c, &item)) {
        if (item.tag == LOG_MAIL || item.tag == LOG_PARAMS)
            append(s, t, &item);
    }
    vec_free(&old, smtp_mem(s));
}

static void
report(struct smtp *s, struct tx *t)
{
    if (says_something(t)) {
        emit(s, t, true);
        if (t->complete)
            s->ctx->stats.messages++;
    } else {
        s->ctx->stats.transactions--;
    }
    smtp_tx_free(s, t);
}

void
smtp_tx_settle(struct smtp *s)
{
    while (s->txs != NULL && s->txs->closed && s->txs->n_pending == 0 &&
           (s->txs->settled || !smtp_message_smuggles(s->txs))) {
        struct tx *t = s->txs;

        s->txs = t->next;
        s->n_open--;
        report(s, t);
    }
}

void
smtp_tx_end_all(struct smtp *s)
{
    smtp_pending_drop_all(s);
    smtp_tx_close(s, CUT_END);
    for (struct tx *t = s->txs; t != NULL; t = t->next)
        t->settled = true;
    smtp_tx_settle(s);
}
