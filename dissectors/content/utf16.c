#include "dissectors/content/utf16.h"

#define REPLACEMENT 0xfffdU

static void
put_tail(struct buf *out, uint32_t c, unsigned shift)
{
    buf_putc(out, (uint8_t)(0x80 | (c >> shift & 0x3f)));
}

void
utf16_put(struct buf *out, uint32_t c)
{
    if ((c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
        c = REPLACEMENT;
    if (c < 0x80) {
        buf_putc(out, (uint8_t)c);
    } else if (c < 0x800) {
        buf_putc(out, (uint8_t)(0xc0 | c >> 6));
        put_tail(out, c, 0);
    } else if (c < 0x10000) {
        buf_putc(out, (uint8_t)(0xe0 | c >> 12));
        put_tail(out, c, 6);
        put_tail(out, c, 0);
    } else {
        buf_putc(out, (uint8_t)(0xf0 | c >> 18));
        put_tail(out, c, 12);
        put_tail(out, c, 6);
        put_tail(out, c, 0);
    }
}

/* The second half of a pair is taken only when it is one. */
static uint32_t
pair(struct cursor *c, bool big_endian, uint32_t high)
{
    struct cursor ahead = *c;
    uint32_t low = big_endian ? cur_be16(&ahead) : cur_le16(&ahead);

    if (ahead.bad || low < 0xdc00 || low > 0xdfff)
        return REPLACEMENT;
    *c = ahead;
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

static void
convert(struct buf *out, struct span in, bool big_endian, bool to_nul)
{
    struct cursor c = cur_open(in);

    while (cur_left(&c) >= 2) {
        uint32_t u = big_endian ? cur_be16(&c) : cur_le16(&c);

        if (u == 0 && to_nul)
            return;
        if (u >= 0xd800 && u < 0xdc00)
            u = pair(&c, big_endian, u);
        utf16_put(out, u);
    }
}

void
utf16_le_to_utf8(struct buf *out, struct span in)
{
    convert(out, in, false, true);
}

void
utf16_text(struct buf *out, struct span in, bool big_endian)
{
    convert(out, in, big_endian, false);
}
