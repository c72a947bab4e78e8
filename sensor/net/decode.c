#include "sensor/net/decode.h"

#include "sensor/base/attr.h"

#define PORT_DNS 53U

/* A step reads one header and names the next step. The first are its rows in
 * steps[]; the last five end the walk and are enum packet_kind. */
enum step {
    STEP_ETHER,
    STEP_VLAN,
    STEP_LLC,
    STEP_IP, /* 4 or 6 by its first nibble */
    STEP_IP4,
    STEP_IP6,
    STEP_AH,
    STEP_TCP,
    STEP_UDP,
    STEP_GRE,
    STEP_IPIP4,
    STEP_IPIP6,
    STEP_MPLS,
    STEP_PPPOE,
    STEP_PPP,
    STEP_SLL,
    STEP_SLL2,
    STEP_LOOPBACK,
    STEP_END, /* first of the ends */
    STEP_DONE_TCP = STEP_END,
    STEP_DONE_UDP,
    STEP_FRAGMENT,
    STEP_OTHER,
    STEP_BAD,
};

/* in.n <= len: len is what the wire had from here on, in what was captured. */
struct walk {
    struct span in;
    uint32_t len;
    struct decoded *out;
    bool guessed; /* a UDP tunnel was guessed: saved is the way back */
    struct decoded saved;
};

static const struct {
    uint16_t link;
    uint8_t step;
} links[] = {
    {1,   STEP_ETHER   },
    {101, STEP_IP      },
    {113, STEP_SLL     },
    {276, STEP_SLL2    },
    {12,  STEP_IP      },
    {14,  STEP_IP      },
    {228, STEP_IP4     },
    {229, STEP_IP6     },
    {0,   STEP_LOOPBACK},
    {108, STEP_LOOPBACK},
    {9,   STEP_PPP     },
    {50,  STEP_PPP     },
    {51,  STEP_PPPOE   },
};

static const struct {
    uint16_t type;
    uint8_t step;
} types[] = {
    {0x0800, STEP_IP4  },
    {0x86dd, STEP_IP6  },
    {0x8100, STEP_VLAN },
    {0x88a8, STEP_VLAN },
    {0x9100, STEP_VLAN },
    {0x8847, STEP_MPLS },
    {0x8848, STEP_MPLS },
    {0x8864, STEP_PPPOE},
    {0x6558, STEP_ETHER},
    {0x0806, STEP_OTHER}, /* ARP: says that these bytes are Ethernet */
};

/* PPP protocol numbers; PPPoE and PPP carry nothing else of interest. */
static const struct {
    uint16_t type;
    uint8_t step;
} ppp_types[] = {
    {0x0021, STEP_IP4 },
    {0x0057, STEP_IP6 },
    {0x0281, STEP_MPLS},
    {0x0283, STEP_MPLS},
};

/* By IP protocol; what is not here is STEP_OTHER. */
static enum step
step_of_proto(uint8_t proto)
{
    switch (proto) {
    case 6: return STEP_TCP;
    case 4: return STEP_IPIP4;
    case 17: return STEP_UDP;
    case 41: return STEP_IPIP6;
    case 47: return STEP_GRE;
    case 51: return STEP_AH;
    case 137: return STEP_MPLS;
    default: return STEP_OTHER;
    }
}

static inline uint16_t
be16(struct span s, size_t at)
{
    return (uint16_t)((span_at(s, at) << 8) | span_at(s, at + 1));
}

static inline uint32_t
be32(struct span s, size_t at)
{
    return ((uint32_t)be16(s, at) << 16) | be16(s, at + 2);
}

/* The next n bytes, n > 0, or an empty span when fewer were captured. */
static inline struct span
take(struct walk *w, size_t n)
{
    struct span head;

    if (UNLIKELY(w->in.n < n))
        return SPAN_NONE;
    head = span_head(w->in, n);
    w->in = span_tail(w->in, n);
    w->len -= (uint32_t)n;
    return head;
}

/* Skips n bytes, which may be 0; false when fewer were captured. */
static inline bool
skip(struct walk *w, size_t n)
{
    return n == 0 || take(w, n).n == n;
}

/* The layer inside says that it is only n bytes long. */
static inline void
shorten(struct walk *w, uint32_t n)
{
    w->len = n;
    w->in = span_head(w->in, n);
}

static void
push_tunnel(struct walk *w, enum tunnel t)
{
    if (w->out->n_tunnel < FLOW_TUNNELS)
        w->out->tunnel[w->out->n_tunnel++] = (uint8_t)t;
}

static inline enum step
step_of_type(uint16_t type)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (types[i].type == type)
            return types[i].step;
    }
    return type <= 1500 ? STEP_LLC : STEP_OTHER;
}

/* Not 802.3 lengths: any IP length looks like one. */
static bool
is_known_type(uint16_t type)
{
    return type > 1500 && (step_of_type(type) != STEP_OTHER || type == 0x0806);
}

/* Are these bytes one IP datagram that fits into len? For guesses. */
static bool
is_ip(struct span s, uint32_t len)
{
    uint32_t head = (span_at(s, 0) & 15U) * 4U;

    switch (span_at(s, 0) >> 4) {
    case 4:
        return s.n >= 20 && head >= 20 && be16(s, 2) >= head &&
               be16(s, 2) <= len;
    case 6: return s.n >= 40 && be16(s, 4) + 40U <= len;
    default: return false;
    }
}

static enum step
step_ip(struct walk *w)
{
    switch (span_at(w->in, 0) >> 4) {
    case 4: return STEP_IP4;
    case 6: return STEP_IP6;
    default: return STEP_BAD;
    }
}

/* ------------------------------------------------------------------ links */

static enum step
step_ether(struct walk *w)
{
    struct span h = take(w, 14);

    if (h.n == 0)
        return STEP_BAD;
    memcpy(w->out->mac_dst, h.p, 6);
    memcpy(w->out->mac_src, span_tail(h, 6).p, 6);
    w->out->has_mac = true;
    return step_of_type(be16(h, 12));
}

static enum step
step_vlan(struct walk *w)
{
    struct span h = take(w, 4);
    struct decoded *d = w->out;

    if (h.n == 0)
        return STEP_BAD;
    if (d->n_vlan < FLOW_VLANS)
        d->vlan[d->n_vlan++] = be16(h, 0) & 0xfff;
    return step_of_type(be16(h, 2));
}

/* IEEE 802.2 with SNAP, RFC 1042; other LLC is not IP. */
static enum step
step_llc(struct walk *w)
{
    static const uint8_t snap[] = {0xaa, 0xaa, 3, 0, 0, 0};
    struct span h = take(w, 8);
    enum step next;

    if (h.n == 0 || !span_starts(h, span_of(snap, sizeof(snap))))
        return STEP_OTHER;
    next = step_of_type(be16(h, 6));
    return next == STEP_LLC ? STEP_OTHER : next;
}

static enum step
step_sll(struct walk *w)
{
    struct span h = take(w, 16);

    return h.n == 0 ? STEP_BAD : step_of_type(be16(h, 14));
}

static enum step
step_sll2(struct walk *w)
{
    struct span h = take(w, 20);

    return h.n == 0 ? STEP_BAD : step_of_type(be16(h, 0));
}

/* The address family of the machine that captured, in its own byte order
 * (LINKTYPE_NULL) or big-endian (LOOP): BSDs and Darwin differ about IPv6. */
static enum step
step_loopback(struct walk *w)
{
    struct span h = take(w, 4);
    uint32_t family = be32(h, 0);

    if (h.n == 0)
        return STEP_BAD;
    if (family > 0xffff)
        family = __builtin_bswap32(family);
    switch (family) {
    case 2: return STEP_IP4;
    case 10: /* Linux */
    case 24: /* NetBSD, OpenBSD */
    case 28: /* FreeBSD */
    case 30: /* Darwin */ return STEP_IP6;
    default: return STEP_OTHER;
    }
}

/* RFC 1661 with the compressed forms of 6.5 and 6.6, perhaps RFC 1662 framed.
 */
static enum step
step_ppp(struct walk *w)
{
    struct span h;
    uint16_t type;

    if (be16(w->in, 0) == 0xff03)
        (void)skip(w, 2);
    h = take(w, span_at(w->in, 0) & 1 ? 1 : 2);
    if (h.n == 0)
        return STEP_BAD;
    type = h.n == 1 ? span_at(h, 0) : be16(h, 0);
    for (size_t i = 0; i < ARRAY_LEN(ppp_types); i++) {
        if (ppp_types[i].type == type)
            return ppp_types[i].step;
    }
    return STEP_OTHER;
}

/* RFC 2516: only session data (code 0) carries packets. */
static enum step
step_pppoe(struct walk *w)
{
    struct span h = take(w, 6);

    if (h.n == 0)
        return STEP_BAD;
    if (be16(h, 0) != 0x1100)
        return STEP_OTHER;
    if (be16(h, 4) < w->len)
        shorten(w, be16(h, 4));
    push_tunnel(w, TUNNEL_PPPOE);
    return STEP_PPP;
}

/* Nothing in a label says what follows the stack (RFC 4928): IP by nibble, an
 * Ethernet pseudowire with (RFC 4385) or without a control word. A MAC address
 * may begin like any of them, so each has to look right further on. */
static enum step
after_labels(struct walk *w)
{
    unsigned nibble = span_at(w->in, 0) >> 4;

    if (is_ip(w->in, w->len))
        return STEP_IP;
    if (nibble == 0 && w->in.n >= 18 && is_known_type(be16(w->in, 16)))
        return skip(w, 4) ? STEP_ETHER : STEP_BAD;
    if (w->in.n >= 14 && is_known_type(be16(w->in, 12)))
        return STEP_ETHER;
    return nibble == 4 || nibble == 6 ? STEP_IP : STEP_OTHER;
}

static enum step
step_mpls(struct walk *w)
{
    push_tunnel(w, TUNNEL_MPLS);
    for (unsigned i = 0; i < DECODE_LABELS; i++) {
        struct span label = take(w, 4);

        if (label.n == 0)
            return STEP_BAD;
        if (span_at(label, 2) & 1) /* bottom of the stack, RFC 3032 */
            return after_labels(w);
    }
    return STEP_OTHER;
}

/* --------------------------------------------------------------- IP and up */

static void
set_fragment(struct walk *w, struct span head, uint32_t id, unsigned field)
{
    struct decoded *d = w->out;

    d->frag_id = id;
    d->frag_head = head;
    d->frag_offset = field & 0xfff8U;
    d->frag_more = field & 1;
    d->frag_data = w->in;
    d->frag_len = w->len;
}

/* addr_v4 in two words: the hash of the flow reads these back at once, and
 * waits for the cache when one was written in pieces. */
static inline __attribute__((always_inline)) void
set_addr4(struct addr *a, const uint8_t b[4])
{
    const uint64_t zeros = 0;
    uint8_t low[8] = {0, 0, 0xff, 0xff, b[0], b[1], b[2], b[3]};
    uint64_t word;

    memcpy(&word, low, sizeof(word));
    memcpy(a->b, &zeros, sizeof(zeros));
    memcpy(a->b + 8, &word, sizeof(word));
}

static inline __attribute__((always_inline)) void
set_ip4(struct decoded *d, struct span h)
{
    set_addr4(&d->src, span_tail(h, 12).p);
    set_addr4(&d->dst, span_tail(h, 16).p);
    d->ip_id = be16(h, 4);
    d->ttl = span_at(h, 8);
    d->proto = span_at(h, 9);
}

static enum step
step_ip4(struct walk *w)
{
    struct span all = w->in;
    struct span h = take(w, 20);
    struct decoded *d = w->out;
    uint32_t head, total;
    unsigned frag;

    if (UNLIKELY(h.n == 0 || span_at(h, 0) >> 4 != 4))
        return STEP_BAD;
    head = (span_at(h, 0) & 15U) * 4U;
    total = be16(h, 2);
    if (UNLIKELY(total == 0))
        total = w->len + 20;
    if (UNLIKELY(head != 20)) {
        if (head < 20 || !skip(w, head - 20))
            return STEP_BAD;
    }
    if (UNLIKELY(total < head))
        return STEP_BAD;
    shorten(w, total - head);
    set_ip4(d, h);
    frag = be16(h, 6) & 0x3fffU; /* without "do not fragment" and "evil" */
    if (UNLIKELY(frag != 0)) {
        set_fragment(w, span_head(all, head), d->ip_id,
                     (frag << 3) | frag >> 13);
        return STEP_FRAGMENT;
    }
    return step_of_proto(d->proto);
}

/* One extension header; sets the protocol that follows it. */
static enum step
step_ext(struct walk *w)
{
    struct span h = take(w, 8);

    if (h.n == 0)
        return STEP_BAD;
    w->out->proto = span_at(h, 0);
    return skip(w, span_at(h, 1) * 8U) ? STEP_IP6 : STEP_BAD;
}

/* RFC 4302: the one header that counts in words of four. */
static enum step
skip_ah(struct walk *w)
{
    struct span h = take(w, 8);

    if (h.n == 0)
        return STEP_BAD;
    w->out->proto = span_at(h, 0);
    return skip(w, span_at(h, 1) * 4U) ? STEP_IP6 : STEP_BAD;
}

/* RFC 8200 4.5; one that is all of the datagram is no fragment (RFC 6946). */
static enum step
step_ip6_fragment(struct walk *w, struct span head)
{
    struct span h = take(w, 8);
    unsigned field;

    if (h.n == 0)
        return STEP_BAD;
    w->out->proto = span_at(h, 0);
    field = be16(h, 2) & 0xfff9U;
    if (field == 0)
        return STEP_IP6;
    set_fragment(w, head, be32(h, 4), field);
    return STEP_FRAGMENT;
}

static enum step
ip6_chain(struct walk *w, struct span head)
{
    for (unsigned i = 0; i < DECODE_EXT; i++) {
        enum step next;

        switch (w->out->proto) {
        case 0:   /* hop by hop */
        case 43:  /* routing */
        case 60:  /* destination */
        case 135: /* mobility */
        case 139: /* HIP */
        case 140: /* shim6 */ next = step_ext(w); break;
        case 51: next = skip_ah(w); break;
        case 44: next = step_ip6_fragment(w, head); break;
        default: return step_of_proto(w->out->proto);
        }
        if (next != STEP_IP6)
            return next;
    }
    return STEP_OTHER;
}

static enum step
step_ip6(struct walk *w)
{
    struct span h = take(w, 40);
    struct decoded *d = w->out;

    if (h.n == 0 || span_at(h, 0) >> 4 != 6)
        return STEP_BAD;
    if (be16(h, 4) != 0) /* else a jumbogram, RFC 2675 */
        shorten(w, be16(h, 4));
    d->src = addr_v6(span_tail(h, 8).p);
    d->dst = addr_v6(span_tail(h, 24).p);
    d->ip_id = 0;
    d->ttl = span_at(h, 7);
    d->proto = span_at(h, 6);
    if (LIKELY(d->proto == 6))
        return STEP_TCP;
    return ip6_chain(w, h);
}

/* AH over IPv4; an AH that follows an AH takes another turn. */
static enum step
step_ah(struct walk *w)
{
    enum step next = skip_ah(w);

    return next == STEP_IP6 ? step_of_proto(w->out->proto) : next;
}

static inline __attribute__((always_inline)) void
set_tcp(struct decoded *d, struct span h, struct span payload, uint32_t len)
{
    uint8_t flags = span_at(h, 13) & 0x3f;

    d->sport = be16(h, 0);
    d->dport = be16(h, 2);
    d->seq = be32(h, 4);
    d->ack = be32(h, 8);
    d->window = be16(h, 14);
    d->flags = flags;
    d->urgent = (flags & TCP_URG) && be16(h, 18) != 0;
    d->payload = payload;
    d->payload_len = len;
}

static enum step
step_tcp(struct walk *w)
{
    struct span h = take(w, 20);
    uint32_t head = (span_at(h, 12) >> 4) * 4U;

    if (h.n == 0 || head < 20 || !skip(w, head - 20))
        return STEP_BAD;
    set_tcp(w->out, h, w->in, w->len);
    return STEP_DONE_TCP;
}

static enum step
step_ipip4(struct walk *w)
{
    push_tunnel(w, TUNNEL_IPIP);
    return STEP_IP4;
}

static enum step
step_ipip6(struct walk *w)
{
    push_tunnel(w, TUNNEL_IPIP);
    return STEP_IP6;
}

/* --------------------------------------------------------------------- GRE */

/* RFC 1701 source routes: a list that ends with one of no length. STEP_GRE
 * when it does. */
static enum step
skip_routes(struct walk *w)
{
    for (unsigned i = 0; i < DECODE_SRE; i++) {
        struct span h = take(w, 4);

        if (h.n == 0 || !skip(w, span_at(h, 3)))
            return STEP_BAD;
        if (span_at(h, 3) == 0)
            return STEP_GRE;
    }
    return STEP_OTHER;
}

/* The 8 or 12 bytes, draft-foschiano-erspan; type I has none, which is told
 * by the missing sequence number. */
static enum step
step_erspan(struct walk *w, bool three, bool sequenced)
{
    struct span h;
    unsigned last;

    push_tunnel(w, TUNNEL_ERSPAN);
    if (!three)
        return !sequenced || take(w, 8).n == 8 ? STEP_ETHER : STEP_BAD;
    h = take(w, 12);
    last = be16(h, 10);
    if (h.n == 0 || ((last & 1) != 0 && !skip(w, 8)))
        return STEP_BAD;
    switch ((last >> 10) & 31) {
    case 0: return STEP_ETHER;
    case 2: return STEP_IP;
    default: return STEP_OTHER;
    }
}

/* RFC 2784, 2890, 1701; version 1 is PPTP, mostly encrypted. */
static enum step
step_gre(struct walk *w)
{
    struct span h = take(w, 4);
    unsigned bits = be16(h, 0);
    uint16_t type = be16(h, 2);
    enum step next;
    size_t n = 0;

    if (h.n == 0)
        return STEP_BAD;
    if ((bits & 7) != 0)
        return STEP_OTHER;
    n += bits & 0xc000 ? 4 : 0; /* checksum and offset come together */
    n += bits & 0x2000 ? 4 : 0;
    n += bits & 0x1000 ? 4 : 0;
    if (!skip(w, n))
        return STEP_BAD;
    next = bits & 0x4000 ? skip_routes(w) : STEP_GRE;
    if (next != STEP_GRE)
        return next;
    if (type == 0x88be || type == 0x22eb)
        return step_erspan(w, type == 0x22eb, bits & 0x1000);
    push_tunnel(w, TUNNEL_GRE);
    next = step_of_type(type);
    return next == STEP_LLC ? STEP_OTHER : next;
}

/* --------------------------------------------------------------- UDP tunnels
 * Each gives the step inside, or STEP_OTHER when it is not this tunnel after
 * all. They change nothing but w->in, w->len and the tunnel list, which
 * step_udp puts back. */

/* RFC 7348; other bits are extensions (GBP) that leave the layout alone. */
static enum step
udp_vxlan(struct walk *w)
{
    struct span h = take(w, 8);

    if (h.n == 0 || (span_at(h, 0) & 0x08) == 0)
        return STEP_OTHER;
    push_tunnel(w, TUNNEL_VXLAN);
    return STEP_ETHER;
}

/* RFC 8926 */
static enum step
udp_geneve(struct walk *w)
{
    struct span h = take(w, 8);
    enum step next = step_of_type(be16(h, 2));

    if (h.n == 0 || span_at(h, 0) >> 6 != 0 || next == STEP_LLC ||
        !skip(w, (span_at(h, 0) & 0x3fU) * 4U))
        return STEP_OTHER;
    push_tunnel(w, TUNNEL_GENEVE);
    return next;
}

/* 3GPP TS 29.281 5.2: the last byte of each extension names the next. */
static bool
skip_gtp_extensions(struct walk *w, uint8_t next)
{
    for (unsigned i = 0; next != 0; i++) {
        size_t n = span_at(w->in, 0) * 4U;
        struct span ext;

        if (n == 0 || i == DECODE_GTP_EXT)
            return false;
        ext = take(w, n);
        if (ext.n == 0)
            return false;
        next = span_at(ext, n - 1);
    }
    return true;
}

static enum step
udp_gtp(struct walk *w)
{
    struct span h = take(w, 8);
    unsigned bits = span_at(h, 0);

    if (h.n == 0 || (bits & 0xf0) != 0x30 || span_at(h, 1) != 255 ||
        be16(h, 2) > w->len)
        return STEP_OTHER;
    shorten(w, be16(h, 2));
    if (bits & 7) {
        struct span opt = take(w, 4);
        uint8_t next = bits & 4 ? span_at(opt, 3) : 0;

        if (opt.n == 0 || !skip_gtp_extensions(w, next))
            return STEP_OTHER;
    }
    push_tunnel(w, TUNNEL_GTP);
    return is_ip(w->in, w->len) ? STEP_IP : STEP_OTHER;
}

/* RFC 4380 5.1.1: authentication, then origin, then IPv6. */
static enum step
udp_teredo(struct walk *w)
{
    if (be16(w->in, 0) == 1) {
        struct span h = take(w, 4);

        /* identifier, value, nonce, confirmation */
        if (h.n == 0 || !skip(w, span_at(h, 2) + span_at(h, 3) + 9U))
            return STEP_OTHER;
    }
    if (w->in.n >= 8 && be16(w->in, 0) == 0)
        (void)skip(w, 8);
    push_tunnel(w, TUNNEL_TEREDO);
    if (span_at(w->in, 0) >> 4 != 6 || !is_ip(w->in, w->len))
        return STEP_OTHER;
    return STEP_IP6;
}

static const struct {
    uint16_t port;
    bool either; /* the source port will do as well */
    enum step (*open)(struct walk *w);
} udp_tunnels[] = {
    {4789, false, udp_vxlan },
    {8472, false, udp_vxlan },
    {6081, false, udp_geneve},
    {2152, false, udp_gtp   },
    {3544, true,  udp_teredo},
};

static enum step
set_udp(const struct walk *w, uint16_t sport, uint16_t dport)
{
    struct decoded *d = w->out;

    d->sport = sport;
    d->dport = dport;
    d->payload = w->in;
    d->payload_len = w->len;
    return STEP_DONE_UDP;
}

static enum step
step_udp(struct walk *w)
{
    struct span h = take(w, 8);
    uint32_t len = be16(h, 4);
    enum step next;

    if (h.n == 0)
        return STEP_OTHER;
    if (len >= 8 && len - 8 < w->len)
        shorten(w, len - 8);
    if (be16(h, 0) == PORT_DNS) /* whatever port its client took */
        return set_udp(w, PORT_DNS, be16(h, 2));
    for (size_t i = 0; i < ARRAY_LEN(udp_tunnels); i++) {
        uint16_t port = udp_tunnels[i].port;

        if (be16(h, 2) != port &&
            !(udp_tunnels[i].either && be16(h, 0) == port))
            continue;
        w->saved = *w->out;
        next = udp_tunnels[i].open(w);
        if (next != STEP_OTHER)
            w->guessed = true;
        else
            *w->out = w->saved;
        return next;
    }
    return set_udp(w, be16(h, 0), be16(h, 2));
}

/* -------------------------------------------------------------------- loop */

static void
walk(struct walk *w, enum step step)
{
    static enum step (*const steps[STEP_END])(struct walk *) = {
        [STEP_ETHER] = step_ether, [STEP_VLAN] = step_vlan,
        [STEP_LLC] = step_llc,     [STEP_IP] = step_ip,
        [STEP_IP4] = step_ip4,     [STEP_IP6] = step_ip6,
        [STEP_AH] = step_ah,       [STEP_TCP] = step_tcp,
        [STEP_UDP] = step_udp,     [STEP_GRE] = step_gre,
        [STEP_IPIP4] = step_ipip4, [STEP_IPIP6] = step_ipip6,
        [STEP_MPLS] = step_mpls,   [STEP_PPPOE] = step_pppoe,
        [STEP_PPP] = step_ppp,     [STEP_SLL] = step_sll,
        [STEP_SLL2] = step_sll2,   [STEP_LOOPBACK] = step_loopback,
    };
    static const uint8_t kinds[] = {
        [STEP_DONE_TCP - STEP_END] = PACKET_TCP,
        [STEP_DONE_UDP - STEP_END] = PACKET_UDP,
        [STEP_FRAGMENT - STEP_END] = PACKET_FRAGMENT,
        [STEP_OTHER - STEP_END] = PACKET_OTHER,
        [STEP_BAD - STEP_END] = PACKET_BAD,
    };
    struct decoded *d = w->out;

    d->src = d->dst = (struct addr){{0}};
    d->ttl = d->proto = 0;
    d->ip_id = 0;
    d->payload = SPAN_NONE;
    d->payload_len = 0;
    w->guessed = false;
    for (unsigned i = 0; i < DECODE_STEPS && step < STEP_END; i++)
        step = steps[step](w);
    if (step < STEP_END)
        step = STEP_OTHER;
    if (UNLIKELY(step == STEP_BAD && w->guessed)) {
        *d = w->saved;
        step = STEP_OTHER;
    }
    d->kind = kinds[step - STEP_END];
}

static inline void
clear_way(struct decoded *d)
{
    memset(d->vlan, 0, sizeof(d->vlan));
    memset(d->tunnel, 0, sizeof(d->tunnel));
    d->n_vlan = d->n_tunnel = 0;
}

/* Nearly all frames are Ethernet, IPv4 without options, TCP: one look at fixed
 * places, a third of the instructions. False: take the long way, which would
 * come to the same result. */
static inline bool
decode_common(const struct packet *p, struct decoded *d)
{
    struct span f = p->data;
    uint32_t total, head;

    if (p->link != 1 || f.n < 54 || be16(f, 12) != 0x0800 ||
        span_at(f, 14) != 0x45 || span_at(f, 23) != 6 ||
        (be16(f, 20) & 0x3fff) != 0)
        return false;
    total = be16(f, 16);
    head = 20 + (span_at(f, 46) >> 4) * 4U;
    if (head < 40 || total < head || f.n < 14 + head)
        return false;
    clear_way(d);
    memcpy(d->mac_dst, f.p, 6);
    memcpy(d->mac_src, span_tail(f, 6).p, 6);
    d->has_mac = true;
    set_ip4(d, span_tail(f, 14));
    set_tcp(d, span_tail(f, 34),
            span_head(span_tail(f, 14 + head), total - head), total - head);
    d->kind = PACKET_TCP;
    return true;
}

static __attribute__((noinline)) void
decode_any(const struct packet *p, struct decoded *out)
{
    struct walk w;
    enum step step = STEP_OTHER;

    w.in = span_head(p->data, UINT32_MAX);
    w.len = p->wire_len > w.in.n ? p->wire_len : (uint32_t)w.in.n;
    w.out = out;
    clear_way(out);
    memset(out->mac_src, 0, sizeof(out->mac_src));
    memset(out->mac_dst, 0, sizeof(out->mac_dst));
    out->has_mac = false;
    for (size_t i = 0; i < ARRAY_LEN(links); i++) {
        if (links[i].link == p->link) {
            step = links[i].step;
            break;
        }
    }
    walk(&w, step);
}

void
decode_packet(const struct packet *p, struct decoded *out)
{
    if (!decode_common(p, out))
        decode_any(p, out);
}

void
decode_ip(struct span ip, struct decoded *inout)
{
    struct walk w;

    w.in = span_head(ip, UINT32_MAX);
    w.len = (uint32_t)w.in.n;
    w.out = inout;
    walk(&w, STEP_IP);
}
