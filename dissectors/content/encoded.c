#include "dissectors/content/encoded.h"

#include "dissectors/content/archive.h"
#include "dissectors/decode.h"

#define PIECE 65536

static const struct {
    enum filetype type;
    enum decode_kind kind;
} kinds[] = {
    {FILETYPE_UUENCODE, DECODE_UU    },
    {FILETYPE_BINHEX,   DECODE_BINHEX},
};

/* "begin 644 NAME" */
static struct span
begin_name(struct span in)
{
    struct span line = span_head(in, span_find(in, '\n'));

    for (unsigned words = 0; words < 2; words++)
        line = span_trim(span_tail(line, span_find(line, ' ')));
    return span_head(line, span_find(line, '\r'));
}

static void
name_of(const struct content_item *item, struct buf *out)
{
    struct span name =
        item->type == FILETYPE_UUENCODE ? begin_name(item->bytes) : SPAN_NONE;

    if (name.n > 0)
        buf_span(out, name);
    else
        archive_stream_name(item->name, out);
}

/* False when the budget or the member's limit ends it. */
static bool
decode_all(struct inspection *i, struct decode *d, struct span in,
           struct buf *out)
{
    bool at_end = false;

    while (!at_end) {
        size_t room = out->max - out->n < PIECE ? out->max - out->n : PIECE;
        size_t made;

        if (room < DECODE_ROOM_MIN || !buf_grow(out, room))
            return false;
        at_end = in.n == 0;
        made = at_end ? decode_end(d, out->p + out->n, room)
                      : decode_push(d, &in, out->p + out->n, room);
        out->n += made;
        if (!inspection_spend(i, made))
            return false;
    }
    return true;
}

static void
unpack(struct inspection *i, const struct content_item *item,
       enum decode_kind kind)
{
    uint8_t room[CONTENT_NAME_MAX];
    struct buf name = {.p = room, .cap = sizeof(room), .max = sizeof(room)};
    struct buf *out = inspection_scratch(i);
    struct decode d;
    bool whole;

    decode_init(&d, kind);
    name_of(item, &name);
    whole = decode_all(i, &d, item->bytes, out);
    if (!whole)
        inspection_note(i, item, FIND_INSPECTION_LIMIT);
    else if ((d.odd & (1U << DECODE_ODD_NO_END)) != 0 && !item->truncated)
        inspection_note(i, item, FIND_MALFORMED);
    (void)inspection_add(i, item, buf_view(&name),
                         out->n > 0 ? buf_view(out) : span_of("", 0),
                         (uint64_t)out->n + !whole, false);
}

static bool
wants(const struct content_item *item)
{
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
        if (kinds[k].type == item->type)
            return true;
    return false;
}

static void
inspect(struct inspection *i, const struct content_item *item)
{
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
        if (kinds[k].type == item->type)
            unpack(i, item, kinds[k].kind);
}

const struct inspector encoded_inspector = {
    .name = "encoded",
    .wants = wants,
    .inspect = inspect,
};
