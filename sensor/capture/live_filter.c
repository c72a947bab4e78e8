#include "sensor/capture/live_filter.h"

#include <ctype.h>
#include <inttypes.h>

#define HASH_SHIFT 16

/* The tunnels that sensor/net/decode.c opens. */
static const char tunnels[] =
    "ether proto 0x8847 or ether proto 0x8848 or ether proto 0x8864"
    " or ip proto 4 or ip proto 41 or ip proto 47"
    " or ip6 proto 4 or ip6 proto 41 or ip6 proto 47"
    " or udp port 4789 or udp port 8472 or udp port 6081 or udp port 2152"
    " or udp port 3544"
    " or ip[6:2] & 0x3fff != 0 or ip6[6] = 44";

/* Of TCP, and of UDP where answers are wanted: nothing of the rest. */
#define FRAGMENTS(proto)                                                       \
    "(ip proto " #proto " and ip[6:2] & 0x3fff != 0)"                          \
    " or (ip6[6] = 44 and ip6[40] = " #proto ")"

/* Hop-by-hop (the jumbo payloads of "big TCP" among them), routing and
 * destination options: the ports stand somewhere behind. */
static const char extensions[] = "ip6[6] = 0 or ip6[6] = 43 or ip6[6] = 60";

/* Words of both ends, folded so that their order does not matter. */
static const char addrs4[] = "ip[12:4] ^ ip[16:4]";
static const char addrs6[] = "ip6[8:4] ^ ip6[12:4] ^ ip6[16:4] ^ ip6[20:4]"
                             " ^ ip6[24:4] ^ ip6[28:4] ^ ip6[32:4] ^ ip6[36:4]";
static const char ports_tcp[] = "tcp[0:2] ^ tcp[2:2]";
static const char ports_udp[] = "udp[0:2] ^ udp[2:2]";
static const char ports6[] = "ip6[40:2] ^ ip6[42:2]";

/* Two factors, so that a port which counts up with the address does not undo
 * it; odd, so that they lose nothing. */
static uint32_t
factor_addrs(const struct live_share *s)
{
    return s->key | 1;
}

static uint32_t
factor_ports(const struct live_share *s)
{
    return (s->key << 13 | s->key >> 19 | 1) ^ UINT32_C(0x9e3779b0);
}

/* As live_filter_is_mine does. */
static void
put_hash(const struct live_share *s, const char *addrs, const char *ports,
         struct buf *out)
{
    buf_printf(out,
               "(((((%s) * %" PRIu32 ") ^ ((%s) * %" PRIu32
               ")) >> %d) %% %u = %u)",
               addrs, factor_addrs(s), ports, factor_ports(s), HASH_SHIFT,
               s->n_workers, s->worker);
}

static void
put_share(const struct live_share *s, bool udp, struct buf *out)
{
    if (s->n_workers <= 1)
        return;
    buf_str(out, " and (");
    put_hash(s, addrs4, ports_tcp, out);
    if (udp) {
        buf_str(out, " or ");
        put_hash(s, addrs4, ports_udp, out);
    }
    buf_str(out, " or ");
    put_hash(s, addrs6, ports6, out);
    buf_str(out, ")");
}

static void
put_ports(const struct live_filter *f, struct buf *out)
{
    if (f->any_port || f->n_ports == 0) {
        buf_str(out, "tcp");
        return;
    }
    for (size_t i = 0; i < f->n_ports; i++)
        buf_printf(out, "%stcp port %u", i > 0 ? " or " : "", f->ports[i]);
}

static void
put_one(const struct live_filter *f, struct buf *out)
{
    buf_str(out, "(((");
    put_ports(f, out);
    if (f->dns)
        buf_str(out, " or udp src port 53");
    buf_str(out, ")");
    put_share(&f->share, f->dns, out);
    buf_str(out, ") or ");
    buf_str(out, FRAGMENTS(6));
    if (f->dns)
        buf_str(out, " or " FRAGMENTS(17));
    buf_printf(out, " or %s", extensions);
    if (f->tunnels)
        buf_printf(out, " or %s", tunnels);
    buf_str(out, ")");
    if (f->user != NULL && f->user[0] != '\0')
        buf_printf(out, " and (%s)", f->user);
}

/* As a word of its own. */
static bool
speaks_of_vlans(const char *text)
{
    static const char word[] = "vlan";

    for (const char *at = text; (at = strstr(at, word)) != NULL; at++) {
        const char after = at[sizeof(word) - 1];

        if ((at == text || !isalnum((unsigned char)at[-1])) &&
            !isalnum((unsigned char)after))
            return true;
    }
    return false;
}

void
live_filter_text(const struct live_filter *f, bool plain, struct buf *out)
{
    if (f->user != NULL && speaks_of_vlans(f->user)) {
        buf_str(out, f->user);
        return;
    }
    buf_str(out, "(");
    put_one(f, out);
    buf_str(out, ")");
    if (plain)
        return;
    buf_str(out, " or (vlan and ((");
    put_one(f, out);
    buf_str(out, ") or (vlan and (");
    put_one(f, out);
    buf_str(out, "))))");
}

static uint32_t
be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

/* The other 12 bytes are equal at both ends of an IPv4 packet. */
static uint32_t
fold_addrs(const struct decoded *d)
{
    uint32_t x = 0;

    for (size_t i = 0; i < sizeof(d->src.b); i += 4)
        x ^= be32(d->src.b + i) ^ be32(d->dst.b + i);
    return x;
}

bool
live_filter_is_mine(const struct live_share *s, const struct decoded *d)
{
    const uint32_t ports = (uint32_t)d->sport ^ d->dport;
    const uint32_t hash =
        (fold_addrs(d) * factor_addrs(s)) ^ (ports * factor_ports(s));

    return s->n_workers <= 1 ||
           (hash >> HASH_SHIFT) % s->n_workers == s->worker;
}
