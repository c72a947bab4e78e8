#include "dissectors/content/compress.h"

#include "dissectors/content/archive.h"

#define CODES      65536
#define BITS_FIRST 9
#define BITS_MAX   16
#define CLEAR      256
#define BLOCK_MODE 0x80
#define NONE       UINT32_MAX

struct lzw {
    struct span in;    /* behind the header */
    uint64_t at;       /* bit */
    uint64_t width_at; /* bit where this width began: it is left in groups */
    uint32_t free;     /* next code to be defined */
    uint32_t last;     /* code before, or NONE */
    unsigned width;
    unsigned width_max;
    bool block_mode;
    uint16_t prefix[CODES];
    uint8_t suffix[CODES];
    uint8_t text[CODES + 1]; /* of one code, filled from its end */
};

enum lzw_got { LZW_TEXT, LZW_END, LZW_BAD };

static bool
lzw_begin(struct lzw *z, struct span in)
{
    unsigned flags = span_at(in, 2);

    z->in = span_tail(in, 3);
    z->width_max = flags & 0x1f;
    z->block_mode = (flags & BLOCK_MODE) != 0;
    z->width = BITS_FIRST;
    z->free = z->block_mode ? CLEAR + 1 : CLEAR;
    z->last = NONE;
    z->at = z->width_at = 0;
    for (unsigned k = 0; k < 256; k++)
        z->suffix[k] = (uint8_t)k;
    return z->width_max >= BITS_FIRST && z->width_max <= BITS_MAX;
}

/* Codes are written in groups of eight; a change of width ends the group. */
static void
lzw_set_width(struct lzw *z, unsigned width)
{
    const uint64_t group = UINT64_C(8) * z->width;
    const uint64_t used = (z->at - z->width_at) % group;

    if (used > 0)
        z->at += group - used;
    z->width_at = z->at;
    z->width = width;
}

static uint32_t
lzw_code(struct lzw *z)
{
    const size_t byte = (size_t)(z->at / 8);
    uint32_t bits;

    if (z->at + z->width > 8 * (uint64_t)z->in.n)
        return NONE;
    bits = span_at(z->in, byte) | (uint32_t)span_at(z->in, byte + 1) << 8 |
           (uint32_t)span_at(z->in, byte + 2) << 16;
    bits = bits >> (z->at % 8) & ((1U << z->width) - 1);
    z->at += z->width;
    return bits;
}

/* The text of a code that is defined, or is the one being defined. */
static struct span
lzw_text(struct lzw *z, uint32_t code)
{
    size_t k = sizeof(z->text);
    uint32_t c = code;

    if (code == z->free) {
        k--; /* its last byte is its first, known below */
        c = z->last;
    }
    while (c >= CLEAR) {
        z->text[--k] = z->suffix[c];
        c = z->prefix[c];
    }
    z->text[--k] = (uint8_t)c;
    if (code == z->free)
        z->text[sizeof(z->text) - 1] = (uint8_t)c;
    return span_of(z->text + k, sizeof(z->text) - k);
}

static void
lzw_define(struct lzw *z, uint8_t first)
{
    if (z->last == NONE || z->free >= 1U << z->width_max)
        return;
    z->prefix[z->free] = (uint16_t)z->last;
    z->suffix[z->free] = first;
    z->free++;
}

static enum lzw_got
lzw_next(struct lzw *z, struct span *out)
{
    uint32_t code;

    for (;;) {
        if (z->free >= 1U << z->width && z->width < z->width_max)
            lzw_set_width(z, z->width + 1);
        code = lzw_code(z);
        if (code == NONE)
            return LZW_END;
        if (code != CLEAR || !z->block_mode)
            break;
        lzw_set_width(z, BITS_FIRST);
        z->free = CLEAR + 1;
        z->last = NONE;
    }
    if (z->last == NONE ? code >= CLEAR : code > z->free)
        return LZW_BAD;
    if (code == z->free && z->free >= 1U << z->width_max)
        return LZW_BAD;
    *out = lzw_text(z, code);
    lzw_define(z, out->p[0]);
    z->last = code;
    return LZW_TEXT;
}

/* ---- the inspector ---- */

static void
unpack(struct inspection *i, const struct content_item *item, struct lzw *z,
       struct span name)
{
    struct buf *out = inspection_scratch(i);
    enum lzw_got got = LZW_BAD;
    struct span text;
    bool cut = false;

    out->max = CONTENT_MAX_unpacked;
    if (lzw_begin(z, item->bytes))
        got = lzw_next(z, &text);
    while (got == LZW_TEXT) {
        cut = !inspection_spend(i, text.n);
        if (cut)
            break;
        buf_span(out, text);
        got = lzw_next(z, &text);
    }
    if (out->failed)
        inspection_note(i, item, FIND_INSPECTION_LIMIT);
    if (got == LZW_BAD)
        inspection_note(i, item, FIND_MALFORMED);
    archive_judge_ratio(i, item, item->bytes.n, out->n);
    text = out->n > 0 ? buf_view(out) : span_of("", 0);
    cut = cut || out->failed || got == LZW_BAD;
    (void)inspection_add(i, item, name, text, (uint64_t)text.n + cut, false);
}

static bool
wants(const struct content_item *item)
{
    return item->type == FILETYPE_COMPRESS;
}

static void
inspect(struct inspection *i, const struct content_item *item)
{
    uint8_t room[CONTENT_NAME_MAX];
    struct buf name = {.p = room, .cap = sizeof(room), .max = sizeof(room)};
    struct lzw *z = calloc(1, sizeof(*z));

    archive_stream_name(item->name, &name);
    if (z == NULL)
        inspection_note(i, item, FIND_INSPECTION_LIMIT);
    else
        unpack(i, item, z, buf_view(&name));
    free(z);
}

const struct inspector compress_inspector = {
    .name = "compress",
    .wants = wants,
    .inspect = inspect,
};
