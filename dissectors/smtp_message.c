#include "dissectors/smtp_session.h"

#include "dissectors/mail_score.h"

#include <openssl/evp.h>

/* The look behind an irregular end of data. */
struct smuggle {
    struct line_in line;
    struct vec log;  /* LOG_MAIL, LOG_RCPT */
    uint64_t offset; /* of the irregular end */
    uint32_t left;   /* bytes still looked at */
    uint16_t n_commands;
    uint16_t n_answered;
    uint8_t n_rcpt;
    bool accepted;
    bool done; /* the hidden envelope is complete */
};

struct message {
    struct header header;
    struct line_in line;
    struct smuggle *smuggle;
    struct parts *parts; /* NULL: no memory */
    struct vec raw;      /* as received, for a file */
    uint32_t n_sure;     /* of raw, before the first irregular end */
    bool raw_cut;
    EVP_MD_CTX *digest;
    uint8_t sum[32];
    uint64_t charged; /* memory that others allocate for us */
    uint64_t wire;    /* bytes of the line begun */
    bool in_header, has_sum;
    bool fragment; /* the line begun is the rest of one */
};

/* Replies to DATA and the end of data, as they usually are. */
#define REPLIES_ROOM 120U

/* Memory of a digest: context and state, as OpenSSL 3 allocates them. */
#define DIGEST_BYTES 384U

static bool
has_room(const struct smtp *s, uint64_t n)
{
    return smtp_mem(s)->used < smtp_mem(s)->max &&
           n <= smtp_mem(s)->max - smtp_mem(s)->used;
}

static void
open_digest(struct smtp *s, struct message *m)
{
    if (!has_room(s, DIGEST_BYTES))
        return;
    m->digest = EVP_MD_CTX_new();
    if (m->digest == NULL)
        return;
    if (EVP_DigestInit_ex2(m->digest, s->ctx->sha256, NULL) != 1) {
        EVP_MD_CTX_free(m->digest);
        m->digest = NULL;
        return;
    }
    smtp_mem(s)->used += DIGEST_BYTES;
}

static void
close_digest(struct smtp *s, struct message *m)
{
    if (m->digest == NULL)
        return;
    EVP_MD_CTX_free(m->digest);
    m->digest = NULL;
    smtp_mem(s)->used -= DIGEST_BYTES;
}

void
smtp_message_begin(struct smtp *s, struct tx *t, enum via via)
{
    struct message *m;

    t->via = (uint8_t)via;
    if (t->msg != NULL)
        return;
    m = mem_new(smtp_mem(s), sizeof(*m));
    if (m == NULL) {
        smtp_odd(s, ANOM_NO_MEMORY, DIR_C2S);
        return;
    }
    t->msg = m;
    (void)vec_reserve(&t->log, smtp_mem(s), REPLIES_ROOM);
    header_init(&m->header, &s->ctx->charset);
    m->in_header = true;
    m->parts = smtp_parts_new(s, t);
    if (m->parts == NULL && s->ctx->part_ctx != NULL)
        smtp_odd(s, ANOM_NO_MEMORY, DIR_C2S);
    if (s->ctx->body_digest)
        open_digest(s, m);
}

/* The header parser allocates for itself; its memory counts like ours. */
static void
charge_header(struct smtp *s, struct message *m)
{
    uint64_t now = header_memory(&m->header);

    smtp_mem(s)->used += now;
    smtp_mem(s)->used -= m->charged;
    m->charged = now;
}

static void
end_header(struct smtp *s, struct message *m)
{
    if (!m->in_header)
        return;
    m->in_header = false;
    header_end(&m->header);
    line_reset(&m->line, smtp_mem(s));
    charge_header(s, m);
}

/* What one more line may make the header parser allocate: its buffers double,
 * and decoding makes at most three bytes of one. */
static bool
has_room_for_line(const struct smtp *s, const struct message *m, size_t n)
{
    return has_room(s, 2 * header_memory(&m->header) +
                           3 * (m->header.value.n + n) + 1024);
}

static void
header_bytes(struct smtp *s, struct message *m, struct span in)
{
    struct line line;

    while (m->in_header) {
        size_t before = in.n;
        enum header_more more;
        bool whole =
            line_take(&m->line, smtp_mem(s), &in, LIMIT_smtp_line, &line);

        m->wire += before - in.n;
        if (!whole)
            break;
        if (m->fragment) {
            m->header.bytes += m->wire;
            m->fragment = false;
            m->wire = 0;
            continue;
        }
        if (!has_room_for_line(s, m, line.text.n)) {
            smtp_odd(s, ANOM_NO_MEMORY, DIR_C2S);
            end_header(s, m);
            break;
        }
        more = header_line(&m->header, line.text, m->wire, line.cut);
        m->wire = 0;
        if (more != HEADER_MORE || m->header.bytes > LIMIT_smtp_header)
            end_header(s, m);
    }
    if (m->in_header)
        charge_header(s, m);
}

static void
hidden_command(struct smtp *s, struct tx *t, struct span text)
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
        (void)log_put(&g->log, smtp_mem(s), &item);
    smtp_anomaly(s, ANOM_SMUGGLING, DIR_C2S, g->offset,
                 span_str(smtp_eod_name((enum smtp_eod)t->eod)));
    g->done = c.verb == SMTP_DATA || c.verb == SMTP_BDAT;
}

static void
look_behind(struct smtp *s, struct tx *t, struct span in)
{
    struct smuggle *g = t->msg->smuggle;
    struct line line;

    in = span_head(in, g->left);
    g->left -= (uint32_t)in.n;
    while (!g->done && line_take(&g->line, smtp_mem(s), &in, 512, &line))
        hidden_command(s, t, line.text);
    if (g->left == 0 || g->done)
        line_reset(&g->line, smtp_mem(s));
}

/* For a file: all of it or nothing. */
static void
keep_raw(struct smtp *s, struct message *m, struct span in)
{
    if (s->ctx->save_mail == 0 || m->raw_cut)
        return;
    if (in.n <= s->ctx->save_mail - m->raw.n &&
        vec_put(&m->raw, smtp_raw(s), in.p, in.n))
        return;
    m->raw_cut = true;
    vec_free(&m->raw, smtp_raw(s));
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
    smtp_parts_data(m->parts, in);
    keep_raw(s, m, in);
    if (m->digest != NULL)
        (void)EVP_DigestUpdate(m->digest, in.p, in.n);
    if (m->smuggle != NULL && m->smuggle->left > 0 && !m->smuggle->done)
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
    if (m->in_header) {
        line_reset(&m->line, smtp_mem(s));
        header_gap(&m->header);
        m->wire = 0;
        m->fragment = true;
    }
    smtp_parts_gap(m->parts, lost);
    close_digest(s, m);
    if (m->smuggle != NULL)
        m->smuggle->left = 0;
}

void
smtp_message_variant(struct smtp *s, struct tx *t, enum smtp_eod e)
{
    struct message *m = t->msg;

    smtp_anomaly(s, ANOM_EOD_VARIANT, DIR_C2S, s->pos[DIR_C2S],
                 span_str(smtp_eod_name(e)));
    if (m != NULL && t->eod == SMTP_EOD_NONE)
        m->n_sure = (uint32_t)m->raw.n;
    if (m == NULL || (m->smuggle != NULL && m->smuggle->n_commands > 0))
        return;
    t->eod = (uint8_t)e;
    if (m->smuggle == NULL)
        m->smuggle = mem_new(smtp_mem(s), sizeof(*m->smuggle));
    if (m->smuggle == NULL)
        return;
    line_reset(&m->smuggle->line, smtp_mem(s));
    m->smuggle->offset = s->pos[DIR_C2S];
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
    smtp_parts_end(m->parts, t->complete);
    if (m->digest != NULL && t->complete && !t->lost)
        m->has_sum = EVP_DigestFinal_ex(m->digest, m->sum, &n) == 1;
    close_digest(s, m);
    if (m->smuggle != NULL) {
        m->smuggle->left = 0;
        line_reset(&m->smuggle->line, smtp_mem(s));
    }
}

void
smtp_message_undo(struct smtp *s, struct tx *t)
{
    smtp_message_free(s, t);
    t->via = VIA_NONE;
    t->cut = CUT_NONE;
    t->eod = 0;
    t->bytes = 0;
    t->lost = t->guessed = t->high = false;
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

/* Framed without a doubt by the strict reading: no command can have got into
 * it, AUTH least of all, but behind an irregular end. */
static bool
is_certain(const struct smtp *s, const struct tx *t)
{
    return t->complete && !t->lost && !t->guessed && !t->inferred &&
           !smtp_oneway(s);
}

void
smtp_message_carve(struct smtp *s, const struct tx *t)
{
    struct message *m = t->msg;
    uint8_t sum[32];
    struct carve c = {.type = "message", .size = t->bytes, .is_mail = true};

    if (s->ctx->save_mail == 0 || t->via == VIA_NONE)
        return;
    if (m == NULL || m->raw_cut || m->raw.n != t->bytes || !is_certain(s, t)) {
        (void)smtp_carve(s, &c, SPAN_NONE);
        return;
    }
    if (t->eod != SMTP_EOD_NONE)
        smtp_carve_mask(m->raw.p + m->n_sure, m->raw.n - m->n_sure);
    if (smtp_message_smuggles(t))
        c.type = "smuggled";
    if (EVP_Digest(m->raw.p, m->raw.n, sum, NULL, s->ctx->sha256, NULL) == 1)
        c.sha256 = sum;
    c.class = smtp_parts_class(m->parts);
    (void)smtp_carve(s, &c, vec_view(&m->raw));
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
    header_emit(&t->msg->header, r);
}

void
smtp_message_done(struct smtp *s, const struct tx *t, struct record_out *r)
{
    struct parts *ps = t->msg != NULL ? t->msg->parts : NULL;
    struct mail_facts f = {0};

    if (ps == NULL) {
        smtp_record_done(s);
        return;
    }
    smtp_score_facts(s, t, &t->msg->header, &f);
    if (smtp_late_mail(s, ps, &f))
        return;
    smtp_parts_emit(ps, r);
    smtp_parts_facts(ps, &f);
    smtp_score_emit(&f, r);
    smtp_record_done(s);
}

void
smtp_message_free(struct smtp *s, struct tx *t)
{
    struct message *m = t->msg;

    if (m == NULL)
        return;
    line_reset(&m->line, smtp_mem(s));
    if (m->smuggle != NULL) {
        line_reset(&m->smuggle->line, smtp_mem(s));
        vec_free(&m->smuggle->log, smtp_mem(s));
        mem_free(smtp_mem(s), m->smuggle, sizeof(*m->smuggle));
    }
    smtp_parts_free(m->parts);
    vec_free(&m->raw, smtp_raw(s));
    close_digest(s, m);
    header_free(&m->header);
    smtp_mem(s)->used -= m->charged;
    mem_free(smtp_mem(s), m, sizeof(*m));
    t->msg = NULL;
}
