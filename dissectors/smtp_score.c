#include "dissectors/smtp_session.h"

#include "dissectors/mail_score.h"

/* The first value of a header field, or p == NULL. */
static struct span
value_of(const struct header *h, enum field f)
{
    struct cursor c = cur_open(buf_view(&h->entries));
    struct record_entry e;

    while (record_next(&c, &e)) {
        if (e.field == f)
            return e.value;
    }
    return SPAN_NONE;
}

static bool
has_field(const struct header *h, enum header_field f)
{
    return (h->present >> f & 1U) != 0;
}

static void
header_facts(const struct header *h, struct mail_facts *f)
{
    static const uint8_t twice[] = {
        HEADER_ODD_DUP_FROM,     HEADER_ODD_DUP_SENDER,
        HEADER_ODD_DUP_REPLY_TO, HEADER_ODD_DUP_SUBJECT,
        HEADER_ODD_DUP_DATE,     HEADER_ODD_DUP_MESSAGE_ID,
    };

    f->from = value_of(h, FIELD_EMAIL_FROM);
    f->reply_to = value_of(h, FIELD_EMAIL_REPLY_TO);
    f->subject = value_of(h, FIELD_EMAIL_SUBJECT);
    f->message_id = value_of(h, FIELD_EMAIL_MESSAGE_ID);
    f->has_date = has_field(h, HEADER_DATE);
    f->has_recipient = has_field(h, HEADER_TO) || has_field(h, HEADER_CC);
    f->has_received = h->n_received > 0;
    f->header_whole = h->begun && !header_is_odd(h, HEADER_ODD_GAP) &&
                      !header_is_odd(h, HEADER_ODD_NO_END);
    f->raw_8bit = header_is_odd(h, HEADER_ODD_RAW_8BIT);
    f->bad_word = header_is_odd(h, HEADER_ODD_BAD_ENCODED_WORD);
    for (size_t i = 0; i < ARRAY_LEN(twice); i++)
        f->field_twice |= header_is_odd(h, (enum header_odd)twice[i]);
}

static void
dialogue_facts(const struct smtp *s, const struct tx *t, struct mail_facts *f)
{
    struct span helo = log_text(&s->log, LOG_HELO);
    const char *class = smtp_helo_class(helo);

    f->pregreet = s->pregreet;
    f->unoffered = s->pipelined_unoffered;
    f->non_smtp = s->non_smtp;
    f->bare_lf = s->bare_lf;
    f->odd_helo = helo.n > 0 && (strcmp(class, "bare_word") == 0 ||
                                 strcmp(class, "address") == 0);
    f->no_helo = helo.n == 0 && (s->anomalies >> ANOM_NO_HELO & 1U) != 0;
    f->mail_from = log_text(&t->log, LOG_MAIL);
}

static bool
is_policy(const struct log_item *reply)
{
    struct span list;
    enum smtp_class class = smtp_classify(reply->code, reply->text, &list);

    return class == SMTP_CLASS_POLICY || class == SMTP_CLASS_BLOCKLIST;
}

/* Of the part of the transaction that is told now. */
static void
reply_facts(const struct tx *t, struct mail_facts *f)
{
    struct cursor c = cur_open(vec_view(&t->log));
    struct log_item item;
    struct span list;
    bool all_refused = t->offered > 0 && t->refused == t->offered;

    while (log_next(&c, &item)) {
        if (item.tag == LOG_FINAL)
            f->refused_by_policy |= item.code >= 500 && is_policy(&item);
        if (item.tag != LOG_RCPT_REPLY)
            continue;
        f->rcpt_answered++;
        if (item.code < 400)
            continue;
        if (smtp_classify(item.code, item.text, &list) ==
            SMTP_CLASS_UNKNOWN_USER)
            f->rcpt_unknown++;
        else
            f->refused_by_policy |=
                all_refused && item.code >= 500 && is_policy(&item);
    }
}

void
smtp_score_facts(const struct smtp *s, const struct tx *t,
                 const struct header *h, struct mail_facts *f)
{
    header_facts(h, f);
    f->body_whole = t->complete && !t->lost;
    dialogue_facts(s, t, f);
    reply_facts(t, f);
}

void
smtp_score_emit(const struct mail_facts *f, struct record_out *r)
{
    uint64_t symbols = mail_score(f), total = 0;

    for (unsigned i = 0; i < MAIL_SYMBOL_COUNT; i++) {
        if ((symbols >> i & 1U) != 0)
            total += mail_symbol_points((enum mail_symbol)i);
    }
    record_u64(r, FIELD_EMAIL_SCORE, total);
    for (unsigned i = 0; i < MAIL_SYMBOL_COUNT; i++) {
        if ((symbols >> i & 1U) == 0)
            continue;
        record_object_begin(r, FIELD_EMAIL_SYMBOLS);
        record_text(r, FIELD_EMAIL_SYMBOLS_NAME,
                    mail_symbol_name((enum mail_symbol)i));
        record_u64(r, FIELD_EMAIL_SYMBOLS_POINTS,
                   mail_symbol_points((enum mail_symbol)i));
        record_object_end(r);
    }
}
