#include "dissectors/content/pdf_filter.h"

#include <zlib.h>

#include "sensor/base/attr.h"

#define STEP       65536
#define COLUMN_MAX 65536

static const struct {
    struct span name;
    enum pdf_filter is;
} filters[] = {
    {SPAN_INIT("FlateDecode"),     PDF_FILTER_FLATE},
    {SPAN_INIT("Fl"),              PDF_FILTER_FLATE},
    {SPAN_INIT("LZWDecode"),       PDF_FILTER_LZW  },
    {SPAN_INIT("LZW"),             PDF_FILTER_LZW  },
    {SPAN_INIT("ASCIIHexDecode"),  PDF_FILTER_HEX  },
    {SPAN_INIT("AHx"),             PDF_FILTER_HEX  },
    {SPAN_INIT("ASCII85Decode"),   PDF_FILTER_85   },
    {SPAN_INIT("A85"),             PDF_FILTER_85   },
    {SPAN_INIT("RunLengthDecode"), PDF_FILTER_RUN  },
    {SPAN_INIT("RL"),              PDF_FILTER_RUN  },
};

enum pdf_filter
pdf_filter_find(struct span name)
{
    for (size_t k = 0; k < ARRAY_LEN(filters); k++)
        if (span_eq(name, filters[k].name))
            return filters[k].is;
    return PDF_FILTER_OTHER;
}

static bool
is_full(const struct buf *b)
{
    return b->cut || b->failed;
}

/* ---- FlateDecode ---- */

static int
inflate_step(z_stream *z, struct buf *out)
{
    uint8_t room[4096];
    int result;

    z->next_out = room;
    z->avail_out = sizeof(room);
    result = inflate(z, Z_NO_FLUSH);
    buf_put(out, room, sizeof(room) - z->avail_out);
    if (result == Z_OK && z->avail_out == sizeof(room))
        return Z_BUF_ERROR;
    return result;
}

/* Raw deflate when there is no zlib header, as some writers have it. */
static void
undo_flate(struct span in, struct buf *out)
{
    const bool zlib = (span_at(in, 0) & 15) == 8;
    z_stream z = {0};
    Bytef *next;

    if (inflateInit2(&z, zlib ? MAX_WBITS : -MAX_WBITS) != Z_OK) {
        out->failed = true;
        return;
    }
    memcpy(&next, &in.p, sizeof(next)); /* zlib.h does not say const */
    z.next_in = next;
    z.avail_in = in.n < UINT32_MAX ? (uInt)in.n : UINT32_MAX;
    while (!is_full(out) && inflate_step(&z, out) == Z_OK)
        continue;
    (void)inflateEnd(&z);
}

/* ---- LZWDecode, with the early change that is the default ---- */

#define LZW_CODES 4096
#define LZW_CLEAR 256
#define LZW_END   257

struct lzw {
    uint16_t before[LZW_CODES];
    uint8_t last[LZW_CODES];
    uint8_t first[LZW_CODES];
    uint16_t length[LZW_CODES];
    unsigned n;
    unsigned width;
    unsigned old; /* the code before, or LZW_CODES */
};

static void
lzw_clear(struct lzw *l)
{
    l->n = 258;
    l->width = 9;
    l->old = LZW_CODES;
}

static void
lzw_put(const struct lzw *l, unsigned code, struct buf *out)
{
    const size_t n = l->length[code];

    if (!buf_grow(out, n)) {
        out->cut = true;
        return;
    }
    for (size_t k = n; k > 0; k--) {
        out->p[out->n + k - 1] = l->last[code];
        code = l->before[code];
    }
    out->n += n;
}

static void
lzw_learn(struct lzw *l, uint8_t last)
{
    if (l->old == LZW_CODES || l->n >= LZW_CODES)
        return;
    l->before[l->n] = (uint16_t)l->old;
    l->last[l->n] = last;
    l->first[l->n] = l->first[l->old];
    l->length[l->n] = (uint16_t)(l->length[l->old] + 1);
    l->n++;
    if (l->n + 1 >= 1U << l->width && l->width < 12)
        l->width++;
}

/* False at the end, or at a code that cannot be. */
static bool
lzw_code(struct lzw *l, unsigned code, struct buf *out)
{
    if (code == LZW_CLEAR) {
        lzw_clear(l);
        return true;
    }
    if (code == LZW_END || code > l->n || (code == l->n && l->old == LZW_CODES))
        return false;
    lzw_learn(l, code == l->n ? l->first[l->old] : l->first[code]);
    if (code >= l->n)
        return false;
    lzw_put(l, code, out);
    l->old = code;
    return !is_full(out);
}

static void
undo_lzw(struct span in, struct buf *out)
{
    struct lzw *l = calloc(1, sizeof(*l));
    uint32_t bits = 0;
    unsigned n_bits = 0;
    bool more = true;

    out->failed = out->failed || l == NULL;
    if (l == NULL)
        return;
    for (unsigned k = 0; k < 256; k++) {
        l->last[k] = l->first[k] = (uint8_t)k;
        l->length[k] = 1;
    }
    lzw_clear(l);
    for (size_t k = 0; k < in.n && more; k++) {
        bits = bits << 8 | in.p[k];
        n_bits += 8;
        if (n_bits < l->width)
            continue;
        n_bits -= l->width;
        more = lzw_code(l, bits >> n_bits & ((1U << l->width) - 1), out);
        bits &= (1U << n_bits) - 1;
    }
    free(l);
}

/* ---- text and runs ---- */

static unsigned
hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - (unsigned)'0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - (unsigned)'a' + 10U : 16;
}

static void
undo_hex(struct span in, struct buf *out)
{
    unsigned high = 16;

    for (size_t k = 0; k < in.n && in.p[k] != '>' && !is_full(out); k++) {
        unsigned v = hex_digit(in.p[k]);

        if (v == 16)
            continue;
        if (high == 16) {
            high = v;
            continue;
        }
        buf_putc(out, (uint8_t)(high << 4 | v));
        high = 16;
    }
    if (high != 16)
        buf_putc(out, (uint8_t)(high << 4));
}

static void
put_85(uint32_t v, unsigned n, struct buf *out)
{
    for (unsigned k = 0; k < n; k++)
        buf_putc(out, (uint8_t)(v >> (24 - 8 * k)));
}

static void
undo_85(struct span in, struct buf *out)
{
    uint32_t v = 0;
    unsigned n = 0;

    for (size_t k = 0; k < in.n && in.p[k] != '~' && !is_full(out); k++) {
        if (in.p[k] == 'z' && n == 0)
            put_85(0, 4, out);
        if (in.p[k] < '!' || in.p[k] > 'u')
            continue;
        v = v * 85 + (in.p[k] - (uint32_t)'!');
        if (++n < 5)
            continue;
        put_85(v, 4, out);
        v = n = 0;
    }
    if (n < 2)
        return;
    for (unsigned k = n; k < 5; k++)
        v = v * 85 + 84;
    put_85(v, n - 1, out);
}

static void
undo_run(struct span in, struct buf *out)
{
    struct cursor c = cur_open(in);

    while (cur_left(&c) > 0 && !is_full(out)) {
        unsigned n = cur_u8(&c);

        if (n == 128)
            return;
        if (n < 128) {
            buf_span(out, cur_take(&c, n + 1));
            continue;
        }
        for (uint8_t v = cur_u8(&c); n < 257 && !c.bad; n++)
            buf_putc(out, v);
    }
}

/* ---- PNG predictors ---- */

static uint8_t
paeth(int a, int b, int c)
{
    const int p = a + b - c;
    const int pa = abs(p - a);
    const int pb = abs(p - b);
    const int pc = abs(p - c);

    if (pa <= pb && pa <= pc)
        return (uint8_t)a;
    return (uint8_t)(pb <= pc ? b : c);
}

static uint8_t
guess(unsigned kind, uint8_t left, uint8_t up, uint8_t corner)
{
    switch (kind) {
    case 1: return left;
    case 2: return up;
    case 3: return (uint8_t)((left + up) / 2);
    case 4: return paeth(left, up, corner);
    default: return 0;
    }
}

/* Rows of one kind byte and `columns` bytes, in place. */
static void
undo_rows(struct buf *b, size_t columns)
{
    const size_t row = columns + 1;
    size_t to = 0;

    for (size_t from = 0; from + 1 < b->n; from += row) {
        const size_t n = b->n - from - 1 < columns ? b->n - from - 1 : columns;
        const unsigned kind = b->p[from];

        for (size_t k = 0; k < n; k++, to++) {
            const uint8_t left = k > 0 ? b->p[to - 1] : 0;
            const uint8_t up = to >= columns ? b->p[to - columns] : 0;
            const uint8_t corner =
                k > 0 && to > columns ? b->p[to - columns - 1] : 0;

            b->p[to] =
                (uint8_t)(b->p[from + 1 + k] + guess(kind, left, up, corner));
        }
    }
    b->n = to;
}

/* ---- all of them ---- */

static void (*const undo[])(struct span in, struct buf *out) = {
    [PDF_FILTER_FLATE] = undo_flate, [PDF_FILTER_LZW] = undo_lzw,
    [PDF_FILTER_HEX] = undo_hex,     [PDF_FILTER_85] = undo_85,
    [PDF_FILTER_RUN] = undo_run,
};

static bool
are_known(const struct pdf_filters *f)
{
    for (unsigned k = 0; k < f->n; k++)
        if (f->list[k] == PDF_FILTER_NONE || f->list[k] == PDF_FILTER_OTHER)
            return false;
    return true;
}

bool
pdf_filter_undo(const struct pdf_filters *f, struct span in, struct buf *out,
                struct buf *other)
{
    buf_reset(out);
    if (!are_known(f))
        return false;
    if (f->n == 0)
        buf_span(out, in);
    for (unsigned k = 0; k < f->n; k++) {
        /* so that the last one writes to out */
        struct buf *to = (f->n - k) % 2 == 1 ? out : other;

        buf_reset(to);
        undo[f->list[k]](in, to);
        in = buf_view(to);
    }
    if (f->predicted && f->columns > 0 && f->columns <= COLUMN_MAX)
        undo_rows(out, f->columns);
    return true;
}
