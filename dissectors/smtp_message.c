#include "dissectors/smtp_session.h"

#include <openssl/evp.h>

/* The look behind an irregular end of data. */
struct smuggle {
    struct line_in line;
    struct vec log;     /* LOG_MAIL, LOG_RCPT */
    uint32_t left;      /* bytes still looked at */
    uint16_t n_commands;
    uint16_t n_answered;
    uint8_t n_rcpt;
    bool accepted;
};

struct message {
    struct header header;
    struct line_in line;
    struct smuggle *smuggle;
    EVP_MD_CTX *digest;
    uint8_t sum[32];
    uint64_t charged; /* of the header's own memory */
    uint64_t header_seen;
    bool in_header, has_header, has_sum;
};

void
smtp_message_begin(struct smtp *s, struct tx *t, enum via via)
{
    struct message *m;

    t->via = (uint8_t)via;
    if (t->msg != NULL)
        return;
    m = mem_new(s->mem, sizeof(*m));
    if (m == NULL)
        return;
    t->msg = m;
    header_init(&m->header, &s->ctx->charset);
    m->in_header = m->has_header = true;
    if (s->ctx->sha256 == NULL)
        return;
    m->digest = EVP_MD_CTX_new();
    if (m->digest != NULL &&
        EVP_DigestInit_ex2(m->digest, s->ctx->sha256, NULL) != 1) {
        EVP_MD_CTX_free(m->digest);
        m->digest = NULL;
    }
}

/* The header parser allocates for itself; its memory counts like ours. */
static void
charge_header(struct smtp *s, struct message *m)
{
    uint64_t now = m->header.value.cap + m->header.entries.cap;

    s->mem->used += now - m->charged;
    m->charged = now;
}

static void
end_header(struct smtp *s, struct message *m)
{
    if (!m->in_header)
        return;
    m->in_header = false;
    header_end(&m->header);
    line_reset(&m->line, s->mem);
    charge_header(s, m);
}

static void
header_bytes(struct smtp *s, struct message *m, struct span in)
{
    struct line line;

    m->header_seen += in.n;
    while (m->in_header) {
        struct span before = in;
        enum header_more more;

        if (!line_take(&m->line, s->mem, &in, LIMIT_smtp_line, &line))
            break;
        more = header_line(&m->header, line.text, before.n - in.n, line.cut);
        if (more != HEADER_MORE)
            end_header(s, m);
    }
    charge_header(s, m);
    if (m->header_seen > LIMIT_smtp_header || s->mem->used > s->mem->max)
        end_header(s, m);
}

static void
hidden_command(struct smtp *s, struct tx *t, struct span text, ns_t when)
{
    struct smuggle *g = t->msg->smuggle;
    struct smtp_cmd c;
    struct log_item item = {0};

    smtp_cmd_parse(text, &c);
    switch (c.verb) {
    case SMTP_MAIL: item.tag = LOG_MAIL; break;
    case SMTP_RCPT: item.tag = LOG_RCPT; break;
    case SMTP_EHLO:
    case SMTP_HELO:
    case SMTP_RSET:
    case SMTP_BDAT:
    case SMTP_DATA: item.tag = LOG_REPLY; break;
    default: return;
    }
    if (item.tag != LOG_REPLY && c.bad)
        return;
    if (item.tag == LOG_REPLY && !smtp_cmd_is_certain(text))
        return;
    g->n_commands++;
    item.text = span_head(c.path, LIMIT_smtp_path);
    if (item.tag == LOG_MAIL ||
        (item.tag == LOG_RCPT && g->n_rcpt++ < LIMIT_smtp_smuggle_rcpt))
        (void)log_put(&g->log, s->mem, &item);
    smtp_anomaly(s, ANOM_SMUGGLING, DIR_C2S, s->pos[DIR_C2S],
                 span_str(smtp_eod_name((enum smtp_eod)t->eod)), when);
    if (c.verb == SMTP_DATA || c.verb == SMTP_BDAT)
        g->left = 0;
}

static void
look_behind(struct smtp *s, struct tx *t, struct span in)
{
    struct smuggle *g = t->msg->smuggle;
    struct line line;

    in = span_head(in, g->left);
    g->left -= (uint32_t)in.n;
    while (line_take(&g->line, s->mem, &in, 512, &line)) {
        hidden_command(s, t, line.text, s->now);
        if (g->left == 0 && in.n == 0)
            break;
    }
    if (g->left == 0)
        line_reset(&g->line, s->mem);
}

void
smtp_message_content(struct smtp *s, struct tx *t, struct span in)
{
    struct message *m = t->msg;

    t->bytes += in.n;
    if (m == NULL)
        return;
    if (m->in_header)
        header_bytes(s, m, in);
    if (m->digest != NULL)
        (void)EVP_DigestUpdate(m->digest, in.p, in.n);
    if (m->smuggle != NULL && m->smuggle->left > 0)
        look_behind(s, t, in);
}

void
smtp_message_gap(struct smtp *s, struct tx *t, uint64_t lost)
{
    struct message *m = t->msg;

    t->bytes += lost;
    t->lost = true;
    if (m == NULL)
        return;
    end_header(s, m);
    EVP_MD_CTX_free(m->digest);
    m->digest = NULL;
    if (m->smuggle != NULL)
        m->smuggle->left = 0;
}

void
smtp_message_variant(struct smtp *s, struct tx *t, enum smtp_eod e, ns_t when)
{
    struct message *m = t->msg;

    smtp_anomaly(s, ANOM_EOD_VARIANT, DIR_C2S, s->pos[DIR_C2S],
                 span_str(smtp_eod_name(e)), when);
    if (m == NULL || (m->smuggle != NULL && m->smuggle->n_commands > 0))
        return;
    t->eod = (uint8_t)e;
    if (m->smuggle == NULL)
        m->smuggle = mem_new(s->mem, sizeof(*m->smuggle));
    if (m->smuggle == NULL)
        return;
    line_reset(&m->smuggle->line, s->mem);
    m->smuggle->left = LIMIT_smtp_smuggle_look;
}

void
smtp_message_end(struct smtp *s, struct tx *t)
{
    struct message *m = t->msg;
    unsigned n = 0;

    if (m == NULL)
        return;
    end_header(s, m);
    if (m->digest != NULL && t->complete && !t->lost)
        m->has_sum = EVP_DigestFinal_ex(m->digest, m->sum, &n) == 1;
    EVP_MD_CTX_free(m->digest);
    m->digest = NULL;
    if (m->smuggle != NULL) {
        m->smuggle->left = 0;
        line_reset(&m->smuggle->line, s->mem);
    }
}

bool
smtp_message_smuggles(const struct tx *t)
{
    return t->msg != NULL && t->msg->smuggle != NULL &&
           t->msg->smuggle->n_commands > 0;
}

/* A reply that strict framing does not expect: the server took the bait. */
bool
smtp_message_smuggle_reply(struct tx *t)
{
    struct smuggle *g;

    if (!smtp_message_smuggles(t))
        return false;
    g = t->msg->smuggle;
    if (g->n_answered > g->n_commands)
        return false;
    g->n_answered++;
    g->accepted = true;
    return true;
}

void
smtp_message_emit(const struct tx *t, struct record_out *r)
{
    struct buf hex;

    if (t->msg == NULL || !t->msg->has_sum)
        return;
    buf_init(&hex, 64);
    text_hex(&hex, span_of(t->msg->sum, sizeof(t->msg->sum)));
    record_str(r, FIELD_SMTP_BODY_SHA256, buf_view(&hex));
    buf_free(&hex);
}

static void
emit_smuggled(const struct tx *t, struct record_out *r)
{
    const struct smuggle *g = t->msg->smuggle;
    struct cursor c = cur_open(vec_view(&g->log));
    struct log_item item;
    bool has_from = false;

    record_text(r, FIELD_SMTP_SMUGGLED_VARIANT,
                smtp_eod_name((enum smtp_eod)t->eod));
    while (log_next(&c, &item)) {
        if (item.tag == LOG_MAIL && !has_from)
            record_str(r, FIELD_SMTP_SMUGGLED_MAIL_FROM, item.text);
        has_from |= item.tag == LOG_MAIL;
    }
    c = cur_open(vec_view(&g->log));
    while (log_next(&c, &item)) {
        if (item.tag == LOG_RCPT)
            record_str(r, FIELD_SMTP_SMUGGLED_RCPT_TO, item.text);
    }
    record_bool(r, FIELD_SMTP_SMUGGLED_ACCEPTED, g->accepted);
}

void
smtp_message_emit_header(const struct tx *t, struct record_out *r)
{
    if (t->msg == NULL)
        return;
    if (smtp_message_smuggles(t))
        emit_smuggled(t, r);
    if (t->msg->has_header)
        header_emit(&t->msg->header, r);
}

void
smtp_message_free(struct smtp *s, struct tx *t)
{
    struct message *m = t->msg;

    if (m == NULL)
        return;
    line_reset(&m->line, s->mem);
    if (m->smuggle != NULL) {
        line_reset(&m->smuggle->line, s->mem);
        vec_free(&m->smuggle->log, s->mem);
        mem_free(s->mem, m->smuggle, sizeof(*m->smuggle));
    }
    EVP_MD_CTX_free(m->digest);
    header_free(&m->header);
    s->mem->used -= m->charged;
    mem_free(s->mem, m, sizeof(*m));
    t->msg = NULL;
}
