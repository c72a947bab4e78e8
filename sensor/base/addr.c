#include "sensor/base/addr.h"

#include "sensor/base/digits.h"

#include <arpa/inet.h>

#define GROUPS 8U /* of 16 bits in an IPv6 address */

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

static char *
format_v4(const uint8_t b[4], char *at)
{
    for (int i = 0; i < 4; i++) {
        if (i > 0)
            *at++ = '.';
        at = digits_u64(at, b[i]);
    }
    return at;
}

static unsigned
group_of(const uint8_t b[16], unsigned i)
{
    return (unsigned)b[2 * i] << 8 | b[2 * i + 1];
}

/* A group without leading zeros, in lower case. */
static char *
format_group(char *at, unsigned v)
{
    static const char set[] = "0123456789abcdef";

    for (unsigned shift = 16; shift > 0;) {
        shift -= 4;
        if (v >> shift != 0 || shift == 0)
            *at++ = set[v >> shift & 15];
    }
    return at;
}

/* The first of the longest runs of zero groups, of two at least. */
static unsigned
longest_zeros(const uint8_t b[16], unsigned *n)
{
    unsigned best = GROUPS;
    unsigned run = 0;

    *n = 1;
    for (unsigned i = 0; i < GROUPS; i++) {
        run = group_of(b, i) == 0 ? run + 1 : 0;
        if (run > *n) {
            *n = run;
            best = i + 1 - run;
        }
    }
    return best;
}

/* RFC 5952 4; the last 32 bits after 96 zeros as IPv4, as inet_ntop does. */
static char *
format_v6(const uint8_t b[16], char *at)
{
    unsigned n;
    unsigned zeros = longest_zeros(b, &n);

    for (unsigned i = 0; i < GROUPS; i++) {
        if (i == zeros) {
            *at++ = ':';
            i += n - 1;
            if (i == GROUPS - 1)
                *at++ = ':';
            continue;
        }
        if (i > 0)
            *at++ = ':';
        if (i == GROUPS - 2 && zeros == 0 && n == GROUPS - 2)
            return format_v4(b + 12, at);
        at = format_group(at, group_of(b, i));
    }
    return at;
}

size_t
addr_format(const struct addr *a, char out[ADDR_TEXT_MAX])
{
    char *end =
        addr_is_v4(a) ? format_v4(a->b + 12, out) : format_v6(a->b, out);

    return (size_t)(end - out);
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
prefix_parse_loose(struct span text, struct prefix *out)
{
    size_t slash = span_find(text, '/');
    struct prefix p;
    uint64_t bits;

    if (!addr_parse(span_head(text, slash), &p.addr))
        return false;
    bits = addr_is_v4(&p.addr) ? 32 : 128;
    if (slash < text.n) {
        uint64_t most = bits;

        if (!span_to_u64(span_tail(text, slash + 1), &bits) || bits > most)
            return false;
    }
    p.bits = (uint8_t)(addr_is_v4(&p.addr) ? bits + 96 : bits);
    for (unsigned i = p.bits; i < 128; i++)
        p.addr.b[i / 8] = (uint8_t)(p.addr.b[i / 8] & ~(0x80U >> (i % 8)));
    *out = p;
    return true;
}

bool
prefix_parse(struct span text, struct prefix *out)
{
    struct prefix p;
    struct addr a;

    if (!prefix_parse_loose(text, &p) ||
        !addr_parse(span_head(text, span_find(text, '/')), &a) ||
        addr_cmp(&a, &p.addr) != 0)
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
