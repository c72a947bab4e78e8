#include "sensor/core/control.h"

#include "sensor/base/text.h"

#define NUMBERS_FROM (1U << 31)
#define TEXT_MAX     ((size_t)CONTROL_DATA * CONTROL_PARTS)

/* A part ends between two characters. */
static struct span
next_part(struct span text)
{
    size_t n = text.n < CONTROL_DATA ? text.n : CONTROL_DATA;

    for (unsigned i = 0; i < 3 && n < text.n && (span_at(text, n) >> 6) == 2;
         i++)
        n--;
    return span_head(text, n);
}

static void
put_action(struct record_out *out, const struct action *a)
{
    record_text(out, FIELD_CONTROL_ACTION, action_word(a->kind));
    record_time(out, FIELD_CONTROL_TIME, a->when);
    record_text(out, FIELD_CONTROL_FORM, a->number);
    for (size_t i = 0; i < a->n_lines && i < CONTROL_LINES; i++)
        record_u64(out, FIELD_CONTROL_LINES, a->lines[i]);
    record_text(out, FIELD_CONTROL_ACTOR, a->actor);
    if (a->reason != NULL)
        record_text(out, FIELD_CONTROL_REASON, a->reason);
}

static void
put_hash(struct record_out *out, const struct audit *audit)
{
    uint8_t room[2 * sizeof(audit->hash)];
    struct buf hex = {room, 0, sizeof(room), sizeof(room), false, false};

    text_hex(&hex, span_of(audit->hash, sizeof(audit->hash)));
    record_str(out, FIELD_CONTROL_AUDIT_HASH, buf_view(&hex));
}

struct part {
    struct span text;
    uint32_t number;
    bool last;
};

static void
put_part(struct record_out *out, const struct action *a,
         const struct audit *audit, ns_t when, const struct part *part)
{
    /* Without a flow the number tells events of one time apart; those below
     * are of other kinds. */
    struct record_head head = {
        .when = when,
        .seq = NUMBERS_FROM |
               (uint32_t)(audit->number * CONTROL_PARTS + part->number - 1),
        .type = EVENT_CONTROL,
    };

    record_begin(out, &head);
    record_text(out, FIELD_CONTROL_KIND, "registry");
    put_action(out, a);
    record_u64(out, FIELD_CONTROL_AUDIT, audit->number);
    put_hash(out, audit);
    if (part->number > 1 || !part->last) {
        record_u64(out, FIELD_CONTROL_PART, part->number);
        record_bool(out, FIELD_CONTROL_LAST, part->last);
    }
    record_str(out, FIELD_CONTROL_DATA, part->text);
}

static void
emit_parts(const struct action *a, const struct audit *audit, struct span text,
           ns_t when, const struct record_sink *sink)
{
    struct part part = {.number = 0};
    struct record_out out;

    record_init(&out);
    do {
        part.text = next_part(text);
        text = span_tail(text, part.text.n);
        part.number++;
        part.last = text.n == 0;
        put_part(&out, a, audit, when, &part);
        sink->put(sink->ctx, record_view(&out));
    } while (!part.last);
    record_free(&out);
}

enum err
control_emit(const struct audit *audit, struct span text, ns_t when,
             const struct record_sink *sink)
{
    struct action_room room;
    struct action a;
    enum err e;

    if (text.n > TEXT_MAX - 3 * CONTROL_PARTS)
        return ERR_LIMIT;
    e = action_read(text, &a, &room);
    if (e == ERR_OK)
        emit_parts(&a, audit, text, when > 0 ? when : a.when, sink);
    action_room_fini(&room);
    return e;
}

/* ---- back ---- */

void
control_reader_init(struct control_reader *r)
{
    *r = (struct control_reader){.part = 0};
    buf_init(&r->text, TEXT_MAX);
}

void
control_reader_free(struct control_reader *r)
{
    buf_free(&r->text);
}

static unsigned
hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10U : 16;
}

static bool
read_hash(struct span hex, uint8_t out[32])
{
    if (hex.n != 64)
        return false;
    for (size_t i = 0; i < 32; i++) {
        unsigned high = hex_value(span_at(hex, 2 * i));
        unsigned low = hex_value(span_at(hex, 2 * i + 1));

        if (high > 15 || low > 15)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool
control_reader_take(struct control_reader *r, struct span event)
{
    uint64_t number = record_find_u64(event, FIELD_CONTROL_AUDIT, 0);
    uint64_t part = record_find_u64(event, FIELD_CONTROL_PART, 0);
    bool whole = part == 0;

    if (record_head_of(event).type != EVENT_CONTROL || number == 0 ||
        !span_eq(record_find(event, FIELD_CONTROL_KIND), SPAN_LIT("registry")))
        return false;
    if (part <= 1) {
        buf_reset(&r->text);
        r->audit = (struct audit){.number = number};
    } else if (number != r->audit.number || part != r->part + 1) {
        r->part = 0;
        return false;
    }
    r->part = part;
    buf_span(&r->text, record_find(event, FIELD_CONTROL_DATA));
    if (!whole && !record_find_bool(event, FIELD_CONTROL_LAST))
        return false;
    r->part = 0;
    return !r->text.cut && !r->text.failed &&
           read_hash(record_find(event, FIELD_CONTROL_AUDIT_HASH),
                     r->audit.hash);
}
