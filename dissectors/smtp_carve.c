#include "dissectors/smtp_session.h"

#include "sensor/event/carve.h"

#define NAME_MAX_BYTES 4096U
#define SHA256_BYTES   32U

/* ---- credentials ---- */

static bool
ends_line(uint8_t c)
{
    return c == '\r' || c == '\n';
}

/* One line; gives whether what follows answers AUTH. */
static bool
mask_line(uint8_t *p, size_t n, bool in_auth)
{
    const struct span line = span_of(p, n);
    struct smtp_cmd c;
    size_t from = 0;

    smtp_cmd_parse(line, &c);
    if (c.verb == SMTP_AUTH)
        from = c.arg.n > 0 ? (size_t)(c.arg.p - p) : n;
    else if (!in_auth || smtp_cmd_is_certain(line))
        return false;
    memset(p + from, '*', n - from);
    return true;
}

void
smtp_carve_mask(uint8_t *p, size_t n)
{
    bool in_auth = false;

    for (size_t at = 0; at < n;) {
        size_t end = at;

        while (end < n && !ends_line(p[end]))
            end++;
        if (end > at)
            in_auth = mask_line(p + at, end - at, in_auth);
        at = end + 1;
    }
}

/* ---- pieces ---- */

static void
put_piece(struct smtp *s, const struct carve *c, struct span bytes,
          uint64_t offset)
{
    struct record_out *r = &s->ctx->rec;
    /* Its event is told next. */
    struct record_head head = {
        .when = s->ctx->now,
        .flow_id = s->flow->id,
        .seq = s->flow->next_seq,
        .type = EVENT_CARVE,
    };

    record_begin(r, &head);
    if (c->name.n > 0)
        record_str(r, FIELD_FILEINFO_FILENAME,
                   span_head(c->name, NAME_MAX_BYTES));
    record_u64(r, FIELD_FILEINFO_SIZE, c->size);
    if (c->sha256 != NULL) {
        buf_reset(&s->ctx->scratch);
        text_hex(&s->ctx->scratch, span_of(c->sha256, SHA256_BYTES));
        record_str(r, FIELD_FILEINFO_SHA256, buf_view(&s->ctx->scratch));
    }
    record_text(r, FIELD_FILEINFO_TYPE, c->type);
    if (c->class != NULL)
        record_text(r, FIELD_FILEINFO_CLASS, c->class);
    record_text(r, FIELD_CARVE_KIND, c->is_mail ? "mail" : "part");
    record_u64(r, FIELD_CARVE_OFFSET, offset);
    for (; bytes.n > 0; bytes = span_tail(bytes, CARVE_STRING))
        record_str(r, FIELD_CARVE_BYTES, span_head(bytes, CARVE_STRING));
    smtp_record_done(s);
}

bool
smtp_carve(struct smtp *s, const struct carve *c, struct span bytes)
{
    uint64_t offset = 0;

    if (c->sha256 == NULL || bytes.n != c->size) {
        struct carve note = *c;

        note.sha256 = NULL;
        put_piece(s, &note, SPAN_NONE, 0);
        return false;
    }
    do {
        struct span piece = span_head(bytes, CARVE_PIECE);

        put_piece(s, c, piece, offset);
        offset += piece.n;
        bytes = span_tail(bytes, piece.n);
    } while (bytes.n > 0);
    return true;
}
