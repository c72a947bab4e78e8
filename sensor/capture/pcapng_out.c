#include "sensor/capture/pcapng_out.h"

enum {
    BLOCK_IFACE = 1,
    BLOCK_PACKET = 6,
    BLOCK_SECTION = 0x0a0d0d0a,
    BYTE_ORDER_MAGIC = 0x1a2b3c4d,
    OPTION_NAME = 2,
    OPTION_TSRESOL = 9,
    NANOSECONDS = 9, /* ten to the power of minus nine */
};

static void
put16(struct buf *b, uint16_t v)
{
    const uint8_t bytes[] = {(uint8_t)v, (uint8_t)(v >> 8)};

    buf_put(b, bytes, sizeof(bytes));
}

static void
put32(struct buf *b, uint32_t v)
{
    put16(b, (uint16_t)v);
    put16(b, (uint16_t)(v >> 16));
}

static uint32_t
padding(size_t n)
{
    return (uint32_t)(-n & 3U);
}

static void
put_padded(struct buf *b, struct span s)
{
    static const uint8_t zeros[3] = {0};

    buf_span(b, s);
    buf_put(b, zeros, padding(s.n));
}

static void
put_option(struct buf *b, uint16_t code, struct span value)
{
    put16(b, code);
    put16(b, (uint16_t)value.n);
    put_padded(b, value);
}

void
pcapng_out_head(struct buf *b)
{
    const uint32_t total = 28;

    put32(b, BLOCK_SECTION);
    put32(b, total);
    put32(b, BYTE_ORDER_MAGIC);
    put16(b, 1); /* version 1.0 */
    put16(b, 0);
    put32(b, UINT32_MAX); /* length of the section: not said */
    put32(b, UINT32_MAX);
    put32(b, total);
}

void
pcapng_out_iface(struct buf *b, uint16_t link, uint32_t snaplen,
                 struct span name)
{
    static const uint8_t resolution = NANOSECONDS;
    const struct span n = span_head(name, UINT16_MAX);
    const uint32_t total = 20 + 4 + (uint32_t)n.n + padding(n.n) + 8 + 4;

    put32(b, BLOCK_IFACE);
    put32(b, total);
    put16(b, link);
    put16(b, 0);
    put32(b, snaplen);
    put_option(b, OPTION_NAME, n);
    put_option(b, OPTION_TSRESOL, span_of(&resolution, 1));
    put32(b, 0); /* end of options */
    put32(b, total);
}

void
pcapng_out_packet(struct buf *b, uint32_t iface, const struct packet *p)
{
    const uint32_t total = 32 + (uint32_t)p->data.n + padding(p->data.n);

    put32(b, BLOCK_PACKET);
    put32(b, total);
    put32(b, iface);
    put32(b, (uint32_t)(p->when >> 32));
    put32(b, (uint32_t)p->when);
    put32(b, (uint32_t)p->data.n);
    put32(b, p->wire_len);
    put_padded(b, p->data);
    put32(b, total);
}
