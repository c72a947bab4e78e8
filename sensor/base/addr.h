#ifndef SPAN25_BASE_ADDR_H
#define SPAN25_BASE_ADDR_H
/* addr - host addresses and prefixes
 *
 * IPv4 is held as its IPv4-mapped IPv6 form (RFC 4291 2.5.5.2), so one type and
 * one comparison serve both. A real ::ffff:a.b.c.d on the wire reads as IPv4.
 */
#include "sensor/base/buf.h"

#define ADDR_TEXT_MAX 46

struct addr {
    uint8_t b[16];
};

struct prefix {
    struct addr addr;
    uint8_t bits; /* 0..128, of the mapped form: an IPv4 /24 is 120 */
};

struct addr addr_v4(const uint8_t b[4]);
struct addr addr_v6(const uint8_t b[16]);
bool addr_is_v4(const struct addr *a);

static inline int
addr_cmp(const struct addr *a, const struct addr *b)
{
    return memcmp(a->b, b->b, sizeof(a->b));
}

/* Text form (RFC 5952 for IPv6); at most ADDR_TEXT_MAX bytes, no NUL. */
size_t addr_format(const struct addr *a, char out[ADDR_TEXT_MAX]);
bool addr_parse(struct span text, struct addr *out);

/* "192.0.2.0/24", "2001:db8::/32" or a single address. Host bits must be 0. */
bool prefix_parse(struct span text, struct prefix *out);
/* The prefix that is meant where bits behind the length are set: 192.0.2.1/24
 * is 192.0.2.0/24. */
bool prefix_parse_loose(struct span text, struct prefix *out);
void prefix_format(const struct prefix *p, struct buf *out);
/* An IPv4 address is in IPv4 prefixes only. */
bool prefix_has(const struct prefix *p, const struct addr *a);

/* RFC 1918, RFC 6598, RFC 4193, link-local and loopback: what is "inside". */
bool addr_is_private(const struct addr *a);

#endif
