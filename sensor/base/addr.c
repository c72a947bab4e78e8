#include "sensor/base/addr.h"

#include <arpa/inet.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct addr
addr_v4(const uint8_t b[4])
{
    struct addr a;

    memcpy(a.b, mapped, 12);
    memcpy(a.b + 12, b, 4);
    return a;
}

struct addr
addr_v6(const uint8_t b[16])
{
    struct addr a;

    memcpy(a.b, b, 16);
    return a;
}

bool
addr_is_v4(const struct addr *a)
{
    return memcmp(a->b, mapped, 12) == 0;
}

static size_t
format_v4(const uint8_t b[4], char *out)
{
    char *at = out;

    for (int i = 0; i < 4; i++) {
        unsigned v = b[i];

        if (v >= 100)
            *at++ = (char)('0' + v / 100);
        if (v >= 10)
            *at++ = (char)('0' + v / 10 % 10);
        *at++ = (char)('0' + v % 10);
        if (i < 3)
            *at++ = '.';
    }
    return (size_t)(at - out);
}

size_t
addr_format(const struct addr *a, char out[ADDR_TEXT_MAX])
{
    if (addr_is_v4(a))
        return format_v4(a->b + 12, out);
    if (inet_ntop(AF_INET6, a->b, out, ADDR_TEXT_MAX) == NULL)
        return 0;
    return strlen(out);
}

bool
addr_parse(struct span text, struct addr *out)
{
    char s[ADDR_TEXT_MAX + 1];
    uint8_t raw[16];

    if (text.n == 0 || text.n > ADDR_TEXT_MAX || span_find(text, 0) < text.n)
        return false;
    memcpy(s, text.p, text.n);
    s[text.n] = '\0';
    if (inet_pton(AF_INET, s, raw) == 1)
        *out = addr_v4(raw);
    else if (inet_pton(AF_INET6, s, raw) == 1)
        *out = addr_v6(raw);
    else
        return false;
    return true;
}

static bool
same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned whole = bits / 8;
    unsigned rest = bits % 8;
    uint8_t mask = (uint8_t)(0xff00U >> rest);

    if (memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || ((a[whole] ^ b[whole]) & mask) == 0;
}

bool
prefix_parse(struct span text, struct prefix *out)
{
    static const uint8_t zeros[16];
    size_t slash = span_find(text, '/');
    struct prefix p;
    uint64_t bits;
    uint8_t host[16];

    if (!addr_parse(span_head(text, slash), &p.addr))
        return false;
    bits = addr_is_v4(&p.addr) ? 32 : 128;
    if (slash < text.n) {
        uint64_t most = bits;

        if (!span_to_u64(span_tail(text, slash + 1), &bits) || bits > most)
            return false;
    }
    p.bits = (uint8_t)(addr_is_v4(&p.addr) ? bits + 96 : bits);
    memcpy(host, p.addr.b, 16);
    for (unsigned i = 0; i < p.bits; i++)
        host[i / 8] = (uint8_t)(host[i / 8] & ~(0x80U >> (i % 8)));
    if (memcmp(host, zeros, 16) != 0)
        return false;
    *out = p;
    return true;
}

void
prefix_format(const struct prefix *p, struct buf *out)
{
    char text[ADDR_TEXT_MAX];
    bool v4 = addr_is_v4(&p->addr) && p->bits >= 96;

    buf_put(out, text, addr_format(&p->addr, text));
    buf_putc(out, '/');
    buf_u64(out, v4 ? p->bits - 96U : p->bits);
}

bool
prefix_has(const struct prefix *p, const struct addr *a)
{
    /* Not ::/0 has 192.0.2.1: the mapped form is ours, not the operator's. */
    if (p->bits < 96 && addr_is_v4(a))
        return false;
    return same_bits(p->addr.b, a->b, p->bits);
}

bool
addr_is_private(const struct addr *a)
{
    static const struct {
        uint8_t head[2];
        uint8_t bits;
        bool v4;
    } inside[] = {
        {{10, 0},      8,  true },
        {{172, 16},    12, true },
        {{192, 168},   16, true },
        {{100, 64},    10, true },
        {{169, 254},   16, true },
        {{127, 0},     8,  true },
        {{0xfc, 0},    7,  false},
        {{0xfe, 0x80}, 10, false},
    };
    static const struct addr loopback = {{[15] = 1}};
    bool v4 = addr_is_v4(a);
    const uint8_t *head = v4 ? a->b + 12 : a->b;

    for (size_t i = 0; i < ARRAY_LEN(inside); i++) {
        if (inside[i].v4 == v4 &&
            same_bits(inside[i].head, head, inside[i].bits))
            return true;
    }
    return addr_cmp(a, &loopback) == 0;
}
