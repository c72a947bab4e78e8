#include "sensor/net/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sensor/base/attr.h"
#include "sensor/net/decode_test_pcap.h"

/* ------------------------------------------------- frames from a line of words
 * "eth:0800 ip4:06 tcp 61626364": each word is a layer of the table below with
 * its argument, or plain hex. Lengths are filled in. */
#define FRAME_MAX 70000

struct frame {
    uint8_t b[FRAME_MAX];
    size_t n;
};

/* clang-format off */
static const struct layer {
    const char *name;
    const char *hex;
    int arg_at;  /* where the argument goes, or -1 */
    int len_at;  /* where the 16-bit length goes, or -1 */
    int len_add; /* added to the bytes that follow */
} layers[] = {
    {"eth", "0200000000aa0200000000bb0000", 12, -1, 0},
    {"vlan", "00640000", 2, -1, 0},
    {"llc", "aaaa030000000000", 6, -1, 0},
    {"sll", "0000000100060200000000bb00000000", 14, -1, 0},
    {"sll2", "00000000000000020001000602000000" "00bb0000", 0, -1, 0},
    {"ppp", "ff030000", 2, -1, 0},
    {"pppoe", "110000110000", -1, 4, 0},
    {"label", "00010040", -1, -1, 0},
    {"bottom", "00011140", -1, -1, 0},
    {"control", "00000000", -1, -1, 0},
    {"out4", "4500000012340000400000000a0000010a000002", 9, 2, 20},
    {"ip4", "450000001234400040000000c0000201c6336402", 9, 2, 20},
    {"ip4opt", "46000000123440004000000" "0c0000201c633640201010100", 9, 2, 24},
    {"frag4", "450000001234200040000000c0000201c6336402", 9, 2, 20},
    {"out6",
     "6000000000000040" "20010db8000000000000000000000aaa"
     "20010db8000000000000000000000bbb", 6, 4, 0},
    {"ip6",
     "6000000000000040" "20010db8000000000000000000000001"
     "20010db8000000000000000000000002", 6, 4, 0},
    {"ext", "0000010400000000", 0, -1, 0},
    {"ah", "000400000000000100000001000000000000000000000000", 0, -1, 0},
    {"atomic6", "0000000000000007", 0, -1, 0},
    {"frag6", "0000000100000007", 0, -1, 0},
    {"next6", "0000001000000007", 0, -1, 0},
    {"gre", "00000000", 2, -1, 0},
    {"gre_all", "b00000001111000022222222" "33333333", 2, -1, 0},
    {"gre_key", "200000000000002a", 2, -1, 0},
    {"gre_seq", "1000000000000001", 2, -1, 0},
    {"gre_route", "4000000011110000" "08000004c0000201" "00000000", 2, -1,
     0},
    {"erspan2", "1001000100000000", -1, -1, 0},
    {"erspan3", "200100010000000000000000", -1, -1, 0},
    {"erspan3sub", "200100010000000000000001" "0000000000000000", -1, -1, 0},
    {"erspan3ip", "200100010000000000000800", -1, -1, 0},
    {"udp", "c000000000000000", 2, 4, 8},
    {"vxlan", "0800000000002a00", -1, -1, 0},
    {"geneve", "0000000000002a00", 2, -1, 0},
    {"geneve_opt", "0200000000002a00" "0103000111223344", 2, -1, 0},
    {"gtp", "30ff000000000001", -1, 2, 0},
    {"gtp_seq", "32ff000000000001" "00010000", -1, 2, 4},
    {"gtp_ext", "34ff000000000001" "00010085" "01001000", -1, 2, 8},
    {"teredo_auth", "00010000" "0000000000000000" "00", -1, -1, 0},
    {"teredo_origin", "00001111c0000201", -1, -1, 0},
    {"tcp", "1234001901020304111213145018040000000000", -1, -1, 0},
    {"tcpopt",
     "123400190102030411121314801804000000000001010402" "00000000"
     "00000000", -1, -1, 0},
};
/* clang-format on */

static uint8_t
nibble(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static size_t
unhex(const char *hex, size_t n, uint8_t *out)
{
    for (size_t i = 0; i + 1 < n; i += 2)
        out[i / 2] = (uint8_t)(nibble(hex[i]) << 4 | nibble(hex[i + 1]));
    return n / 2;
}

static void
prepend(struct frame *f, const uint8_t *p, size_t n)
{
    assert_true(f->n + n <= sizeof(f->b));
    memmove(f->b + n, f->b, f->n);
    memcpy(f->b, p, n);
    f->n += n;
}

static void
prepend_word(struct frame *f, const char *word, size_t n)
{
    uint8_t b[256];
    size_t name = 0;

    while (name < n && word[name] != ':')
        name++;
    for (size_t i = 0; i < ARRAY_LEN(layers); i++) {
        const struct layer *l = &layers[i];
        size_t k;

        if (strlen(l->name) != name || memcmp(l->name, word, name) != 0)
            continue;
        k = unhex(l->hex, strlen(l->hex), b);
        if (l->arg_at >= 0)
            (void)unhex(word + name + 1, n - name - 1, b + l->arg_at);
        if (l->len_at >= 0) {
            size_t len = f->n + (size_t)l->len_add;

            b[l->len_at] = (uint8_t)(len >> 8);
            b[l->len_at + 1] = (uint8_t)len;
        }
        prepend(f, b, k);
        return;
    }
    assert_int_equal(name, n);
    prepend(f, b, unhex(word, n, b));
}

static void
build(const char *words, struct frame *f)
{
    size_t end = strlen(words);

    f->n = 0;
    while (end > 0) {
        size_t at = end;

        while (at > 0 && words[at - 1] != ' ')
            at--;
        if (at < end)
            prepend_word(f, words + at, end - at);
        end = at > 0 ? at - 1 : 0;
    }
}

/* Decodes a copy in a block of exactly n bytes; spans of the result are given
 * as lengths only, since the block is gone. */
static void
decode_exact(const uint8_t *b, size_t n, size_t wire, uint16_t link,
             struct decoded *d)
{
    uint8_t *copy = malloc(n > 0 ? n : 1);
    struct packet p = {
        {copy, n},
        (uint32_t)wire, link, 0, 0
    };

    assert_non_null(copy);
    if (n > 0)
        memcpy(copy, b, n);
    memset(d, 0xa5, sizeof(*d));
    decode_packet(&p, d);
    if (d->kind == PACKET_TCP || d->kind == PACKET_UDP) {
        assert_true(d->payload.n <= d->payload_len);
        assert_true(
            d->payload.n == 0 ||
            (d->payload.p >= copy && d->payload.p + d->payload.n <= copy + n));
    } else {
        assert_int_equal(d->payload.n, 0);
    }
    if (d->kind == PACKET_FRAGMENT) {
        assert_true(d->frag_data.n <= d->frag_len);
        assert_true(d->frag_head.n >= 20);
        assert_true(d->frag_head.p >= copy &&
                    d->frag_head.p + d->frag_head.n <= copy + n);
    }
    assert_true(d->n_vlan <= FLOW_VLANS && d->n_tunnel <= FLOW_TUNNELS);
    free(copy);
}

static void
tunnels_text(const struct decoded *d, char *out, size_t max)
{
    static const char *const names[] = {
#define NAME(id, name) name,
        TUNNEL_MAP(NAME)
#undef NAME
    };
    size_t n = 0;

    out[0] = '\0';
    for (size_t i = 0; i < d->n_tunnel; i++)
        n += (size_t)snprintf(out + n, max - n, "%s%s", i > 0 ? "," : "",
                              names[d->tunnel[i]]);
    for (size_t i = d->n_tunnel; i < FLOW_TUNNELS; i++)
        assert_int_equal(d->tunnel[i], 0);
}

#define T4  "ip4:06 tcp 61626364"
#define T6  "ip6:06 tcp 61626364"
#define E4  "eth:0800 " T4
#define TCP PACKET_TCP

/* clang-format off */
static const struct frame_case {
    const char *why;
    uint16_t link;
    const char *words;
    enum packet_kind kind;
    unsigned n_vlan;
    const char *tunnels;
} cases[] = {
    {"plain", 1, E4, TCP, 0, ""},
    {"plain IPv6", 1, "eth:86dd " T6, TCP, 0, ""},
    {"TCP options", 1, "eth:0800 ip4:06 tcpopt 61626364", TCP, 0, ""},
    {"IPv4 options", 1, "eth:0800 ip4opt:06 tcp 61626364", TCP, 0, ""},
    {"Ethernet padding", 1, E4 " ", TCP, 0, ""},
    {"raw 101", 101, T4, TCP, 0, ""},
    {"raw 101, IPv6", 101, T6, TCP, 0, ""},
    {"raw 12", 12, T4, TCP, 0, ""},
    {"raw 14", 14, T6, TCP, 0, ""},
    {"IPv4 only", 228, T4, TCP, 0, ""},
    {"IPv4 only, but is IPv6", 228, T6, PACKET_BAD, 0, ""},
    {"IPv6 only", 229, T6, TCP, 0, ""},
    {"raw, neither", 101, "00112233", PACKET_BAD, 0, ""},
    {"cooked", 113, "sll:0800 " T4, TCP, 0, ""},
    {"cooked, tagged", 113, "sll:8100 vlan:86dd " T6, TCP, 1, ""},
    {"cooked 2", 276, "sll2:86dd " T6, TCP, 0, ""},
    {"loopback, little-endian", 0, "02000000 " T4, TCP, 0, ""},
    {"loopback, big-endian", 0, "00000002 " T4, TCP, 0, ""},
    {"loopback, Darwin's IPv6", 0, "1e000000 " T6, TCP, 0, ""},
    {"loopback, FreeBSD's IPv6", 0, "1c000000 " T6, TCP, 0, ""},
    {"loopback, OpenBSD", 108, "00000018 " T6, TCP, 0, ""},
    {"loopback, AppleTalk", 0, "05000000 " T4, PACKET_OTHER, 0, ""},
    {"PPP, framed", 9, "ppp:0021 " T4, TCP, 0, ""},
    {"PPP, bare", 9, "0057 " T6, TCP, 0, ""},
    {"PPP, protocol in one byte", 9, "ff0321 " T4, TCP, 0, ""},
    {"PPP, LCP", 9, "ppp:c021 01010004", PACKET_OTHER, 0, ""},
    {"PPP, MPLS", 9, "ppp:0281 bottom " T4, TCP, 0, "mpls"},
    {"unknown link type", 147, T4, PACKET_OTHER, 0, ""},
    {"VLAN", 1, "eth:8100 vlan:0800 " T4, TCP, 1, ""},
    {"QinQ", 1, "eth:88a8 vlan:8100 vlan:86dd " T6, TCP, 2, ""},
    {"old QinQ", 1, "eth:9100 vlan:8100 vlan:0800 " T4, TCP, 2, ""},
    {"six tags", 1,
     "eth:8100 vlan:8100 vlan:8100 vlan:8100 vlan:8100 vlan:8100 vlan:0800 " T4,
     TCP, 4, ""},
    {"SNAP", 1, "eth:0034 llc:0800 " T4, TCP, 0, ""},
    {"LLC, spanning tree", 1, "eth:0026 42420300000000000000", PACKET_OTHER, 0,
     ""},
    {"ARP", 1, "eth:0806 0001080006040001", PACKET_OTHER, 0, ""},
    {"MPLS", 1, "eth:8847 bottom " T4, TCP, 0, "mpls"},
    {"MPLS, three labels, IPv6", 1, "eth:8848 label label bottom " T6, TCP, 0,
     "mpls"},
    {"MPLS in VLAN", 1, "eth:8100 vlan:8847 label bottom " T4, TCP, 1, "mpls"},
    {"pseudowire, control word", 1, "eth:8847 bottom control " E4, TCP, 0,
     "mpls"},
    {"pseudowire, none", 1, "eth:8847 bottom " E4, TCP, 0, "mpls"},
    {"pseudowire, MAC that begins with 4", 1,
     "eth:8847 bottom 4400000000aa4400000000bb0800 " T4, TCP, 0, "mpls"},
    {"pseudowire, MAC that begins with 6, VLAN", 1,
     "eth:8847 bottom 6400000000aa6400000000bb8100 vlan:0800 " T4, TCP, 1,
     "mpls"},
    {"MPLS, no bottom", 1, "eth:8847 label label label", PACKET_BAD, 0, "mpls"},
    {"PPPoE", 1, "eth:8864 pppoe 0021 " T4, TCP, 0, "pppoe"},
    {"PPPoE in VLAN, IPv6", 1, "eth:8100 vlan:8864 pppoe 0057 " T6, TCP, 1,
     "pppoe"},
    {"PPPoE, LCP", 1, "eth:8864 pppoe c021 01010004", PACKET_OTHER, 0,
     "pppoe"},
    {"PPPoE link type", 51, "pppoe 0021 " T4, TCP, 0, "pppoe"},
    {"GRE", 1, "eth:0800 out4:2f gre:0800 " T4, TCP, 0, "gre"},
    {"GRE over IPv6", 1, "eth:86dd out6:2f gre:86dd " T6, TCP, 0, "gre"},
    {"GRE, checksum, key, sequence", 1,
     "eth:0800 out4:2f gre_all:0800 " T4, TCP, 0, "gre"},
    {"GRE, routing", 1, "eth:0800 out4:2f gre_route:0800 " T4, TCP, 0, "gre"},
    {"GRE, bridged", 1, "eth:0800 out4:2f gre_key:6558 " E4, TCP, 0, "gre"},
    {"GRE, MPLS", 1, "eth:0800 out4:2f gre:8847 bottom " T4, TCP, 0,
     "gre,mpls"},
    {"GRE version 1", 1, "eth:0800 out4:2f 3001880b000000000000", PACKET_OTHER,
     0, ""},
    {"GRE keepalive", 1, "eth:0800 out4:2f gre:0000", PACKET_OTHER, 0, "gre"},
    {"ERSPAN I", 1, "eth:0800 out4:2f gre:88be " E4, TCP, 0, "erspan"},
    {"ERSPAN II", 1, "eth:0800 out4:2f gre_seq:88be erspan2 " E4, TCP, 0,
     "erspan"},
    {"ERSPAN II, tagged inside", 1,
     "eth:0800 out4:2f gre_seq:88be erspan2 eth:8100 vlan:0800 " T4, TCP, 1,
     "erspan"},
    {"ERSPAN III", 1, "eth:0800 out4:2f gre_seq:22eb erspan3 " E4, TCP, 0,
     "erspan"},
    {"ERSPAN III, subheader", 1,
     "eth:0800 out4:2f gre_seq:22eb erspan3sub " E4, TCP, 0, "erspan"},
    {"ERSPAN III, IP inside", 1,
     "eth:0800 out4:2f gre_seq:22eb erspan3ip " T4, TCP, 0, "erspan"},
    {"4in4", 1, "eth:0800 out4:04 " T4, TCP, 0, "ipip"},
    {"6in4", 1, "eth:0800 out4:29 " T6, TCP, 0, "ipip"},
    {"4in6", 1, "eth:86dd out6:04 " T4, TCP, 0, "ipip"},
    {"6in6", 1, "eth:86dd out6:29 " T6, TCP, 0, "ipip"},
    {"MPLS in IP", 1, "eth:0800 out4:89 bottom " T4, TCP, 0, "mpls"},
    {"VXLAN", 1, "eth:0800 out4:11 udp:12b5 vxlan " E4, TCP, 0, "vxlan"},
    {"VXLAN, Linux's port, IPv6", 1,
     "eth:86dd out6:11 udp:2118 vxlan eth:86dd " T6, TCP, 0, "vxlan"},
    {"VXLAN, tagged on both sides", 1,
     "eth:8100 vlan:0800 out4:11 udp:12b5 vxlan eth:8100 vlan:0800 " T4, TCP, 2,
     "vxlan"},
    {"Geneve, Ethernet", 1, "eth:0800 out4:11 udp:17c1 geneve:6558 " E4, TCP,
     0, "geneve"},
    {"Geneve, IP and options", 1,
     "eth:0800 out4:11 udp:17c1 geneve_opt:86dd " T6, TCP, 0, "geneve"},
    {"GTP-U", 1, "eth:0800 out4:11 udp:0868 gtp " T4, TCP, 0, "gtp"},
    {"GTP-U, sequence", 1, "eth:0800 out4:11 udp:0868 gtp_seq " T6, TCP, 0,
     "gtp"},
    {"GTP-U, extension", 1, "eth:0800 out4:11 udp:0868 gtp_ext " T4, TCP, 0,
     "gtp"},
    {"GTP-U, echo", 1, "eth:0800 out4:11 udp:0868 3201000400000000" "00010000",
     PACKET_OTHER, 0, ""},
    {"Teredo", 1, "eth:0800 out4:11 udp:0dd8 " T6, TCP, 0, "teredo"},
    {"Teredo, authentication and origin", 1,
     "eth:0800 out4:11 udp:0dd8 teredo_auth teredo_origin " T6, TCP, 0,
     "teredo"},
    {"Teredo holds no IPv4", 1, "eth:0800 out4:11 udp:0dd8 " T4, PACKET_OTHER,
     0, ""},
    {"no VXLAN at all", 1, "eth:0800 out4:11 udp:12b5 00112233445566778899aabb",
     PACKET_OTHER, 0, ""},
    {"VXLAN that breaks inside", 1,
     "eth:0800 out4:11 udp:12b5 vxlan eth:0800 45000014", PACKET_OTHER, 0, ""},
    {"VXLAN is fine, Geneve in it breaks", 1,
     "eth:0800 out4:11 udp:12b5 vxlan eth:0800 ip4:11 udp:17c1 geneve:0800 45",
     PACKET_OTHER, 0, "vxlan"},
    {"tunnels in tunnels", 1,
     "eth:0800 out4:04 out4:29 out6:2f gre:0800 out4:11 udp:12b5 vxlan " E4,
     TCP, 0, "ipip,ipip,gre,vxlan"},
    {"five tunnels, four recorded", 1,
     "eth:0800 out4:04 out4:04 out4:04 out4:04 out4:04 " T4, TCP, 0,
     "ipip,ipip,ipip,ipip"},
    {"DNS", 1, "eth:0800 ip4:11 udp:0035 001122334455", PACKET_UDP, 0, ""},
    {"DNS over IPv6", 1, "eth:86dd ip6:11 udp:0035 0011", PACKET_UDP, 0, ""},
    {"DNS in VLAN, VXLAN, VLAN", 1,
     "eth:8100 vlan:0800 out4:11 udp:12b5 vxlan eth:8100 vlan:0800 ip4:11 "
     "udp:0035 0011", PACKET_UDP, 2, "vxlan"},
    {"UDP of nothing", 1, "eth:0800 ip4:11 udp:0035", PACKET_UDP, 0, ""},
    {"UDP, header cut", 1, "eth:0800 ip4:11 00350035", PACKET_OTHER, 0, ""},
    {"DNS to the port of VXLAN", 1,
     "eth:0800 ip4:11 003512b5000b0000 0800000000002a00", PACKET_UDP, 0, ""},
    {"DNS to the port of Teredo", 1,
     "eth:0800 ip4:11 00350dd800080000 60", PACKET_UDP, 0, ""},
    {"ICMP", 1, "eth:0800 ip4:01 08000000", PACKET_OTHER, 0, ""},
    {"ESP", 1, "eth:0800 ip4:32 0000000100000001", PACKET_OTHER, 0, ""},
    {"AH over IPv4", 1, "eth:0800 ip4:33 ah:06 tcp 61626364", TCP, 0, ""},
    {"IPv6, all extension headers", 1,
     "eth:86dd ip6:00 ext:3c ext:2b ext:33 ah:3c ext:06 tcp 61626364", TCP, 0,
     ""},
    {"IPv6, no next header", 1, "eth:86dd ip6:3b 0000", PACKET_OTHER, 0, ""},
    {"IPv6, atomic fragment", 1, "eth:86dd ip6:2c atomic6:06 tcp 61626364", TCP,
     0, ""},
    {"IPv6, first fragment", 1, "eth:86dd ip6:2c frag6:06 tcp 61626364",
     PACKET_FRAGMENT, 0, ""},
    {"IPv6, fragment after a route", 1,
     "eth:86dd ip6:2b ext:2c next6:06 61626364", PACKET_FRAGMENT, 0, ""},
    {"IPv4, fragment", 1, "eth:0800 frag4:06 tcp 61626364", PACKET_FRAGMENT, 0,
     ""},
    {"fragment in VXLAN", 1,
     "eth:0800 out4:11 udp:12b5 vxlan eth:0800 frag4:06 tcp 61626364",
     PACKET_FRAGMENT, 0, "vxlan"},
    {"IHL 4", 1,
     "eth:0800 440000281234400040060000c0000201c6336402 tcp", PACKET_BAD, 0,
     ""},
    {"IHL 15, not there", 1,
     "eth:0800 4f0000281234400040060000c0000201c6336402 tcp", PACKET_BAD, 0,
     ""},
    {"total length below the header", 1,
     "eth:0800 450000131234400040060000c0000201c6336402 tcp", PACKET_BAD, 0,
     ""},
    {"total length cuts the TCP header", 1,
     "eth:0800 450000271234400040060000c0000201c6336402 tcp", PACKET_BAD, 0,
     ""},
    {"TCP offset 4", 1,
     "eth:0800 ip4:06 1234001901020304111213144018040000000000", PACKET_BAD, 0,
     ""},
    {"TCP offset 15, not there", 1,
     "eth:0800 ip4:06 123400190102030411121314f018040000000000", PACKET_BAD, 0,
     ""},
    {"total length 0, from the frame", 1,
     "eth:0800 450000001234400040060000c0000201c6336402 tcp 61626364", TCP, 0,
     ""},
    {"Ethernet says IPv4, is not", 1, "eth:0800 " T6, PACKET_BAD, 0, ""},
};
/* clang-format on */

static void
check_tcp(const struct decoded *d, uint32_t payload)
{
    static const uint8_t src4[] = {192, 0, 2, 1}, dst4[] = {198, 51, 100, 2};
    static const uint8_t v6[16] = {0x20, 1, 0x0d, 0xb8, [15] = 1};
    struct addr src = addr_v4(src4), dst = addr_v4(dst4);

    if (!addr_is_v4(&d->src)) {
        src = dst = addr_v6(v6);
        dst.b[15] = 2;
        assert_int_equal(d->ip_id, 0);
    } else {
        assert_int_equal(d->ip_id, 0x1234);
    }
    assert_int_equal(addr_cmp(&d->src, &src), 0);
    assert_int_equal(addr_cmp(&d->dst, &dst), 0);
    assert_int_equal(d->ttl, 64);
    assert_int_equal(d->proto, 6);
    assert_int_equal(d->sport, 0x1234);
    assert_int_equal(d->dport, 25);
    assert_int_equal(d->seq, 0x01020304);
    assert_int_equal(d->ack, 0x11121314);
    assert_int_equal(d->window, 0x400);
    assert_int_equal(d->flags, TCP_PSH | TCP_ACK);
    assert_false(d->urgent);
    assert_int_equal(d->payload_len, payload);
}

static void
test_table(void **state)
{
    static struct frame f;
    struct decoded d;
    char tunnels[64];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct frame_case *c = &cases[i];

        build(c->words, &f);
        decode_exact(f.b, f.n, f.n, c->link, &d);
        tunnels_text(&d, tunnels, sizeof(tunnels));
        if (d.kind != c->kind || d.n_vlan != c->n_vlan ||
            strcmp(tunnels, c->tunnels) != 0)
            fail_msg("%s: kind %d, vlans %d, tunnels \"%s\"", c->why, d.kind,
                     d.n_vlan, tunnels);
        if (d.n_vlan > 0)
            assert_int_equal(d.vlan[0], 100);
        if (d.kind == PACKET_TCP)
            check_tcp(&d, 4);
        if (d.kind != PACKET_BAD)
            assert_int_equal(d.has_mac, c->link == 1);
    }
}

/* Where the TCP header is cut there is no TCP; else all but the captured part
 * of the payload is as in the whole frame. */
static void
test_every_cut(void **state)
{
    static struct frame f;
    struct decoded whole, d;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct frame_case *c = &cases[i];

        build(c->words, &f);
        decode_exact(f.b, f.n, f.n, c->link, &whole);
        for (size_t cut = 0; cut < f.n; cut++) {
            decode_exact(f.b, cut, f.n, c->link, &d);
            if (d.kind != PACKET_TCP)
                continue;
            if (c->kind != PACKET_TCP || cut + 4 < f.n)
                fail_msg("%s: TCP out of %zu of %zu bytes", c->why, cut, f.n);
            check_tcp(&d, 4);
            assert_int_equal(d.payload.n, 4 - (f.n - cut));
        }
    }
}

/* Cut on the wire too, as by a mirror that truncates. */
static void
test_every_short_frame(void **state)
{
    static struct frame f;
    struct decoded d;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        build(cases[i].words, &f);
        for (size_t cut = 0; cut < f.n; cut++) {
            decode_exact(f.b, cut, cut, cases[i].link, &d);
            if (d.kind == PACKET_TCP && cases[i].kind != PACKET_TCP)
                fail_msg("%s: TCP at %zu", cases[i].why, cut);
        }
    }
}

static void
test_every_byte_changed(void **state)
{
    static const uint8_t values[] = {0x00, 0x01, 0x40, 0x45, 0x46,
                                     0x4f, 0x60, 0x7f, 0x80, 0xff};
    static struct frame f;
    struct decoded d;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        build(cases[i].words, &f);
        for (size_t at = 0; at < f.n; at++) {
            uint8_t was = f.b[at];

            for (size_t v = 0; v < ARRAY_LEN(values); v++) {
                f.b[at] = values[v];
                decode_exact(f.b, f.n, f.n, cases[i].link, &d);
            }
            for (unsigned bit = 0; bit < 8; bit++) {
                f.b[at] = (uint8_t)(was ^ (1U << bit));
                decode_exact(f.b, f.n, f.n, cases[i].link, &d);
            }
            f.b[at] = was;
        }
    }
}

/* Ethernet with plain TCP over IPv4 has a short way through decode_packet; the
 * same datagram behind a cooked header takes the long one. */
static void
test_both_ways_agree(void **state)
{
    static struct frame f, cooked;
    struct decoded a, b;

    (void)state;
    build("eth:0800 ip4:06 tcpopt 61626364", &f);
    build("sll:0800 ip4:06 tcpopt 61626364", &cooked);
    for (size_t at = 0; at < f.n - 14; at++) {
        for (unsigned v = 0; v < 256; v++) {
            uint8_t was = f.b[14 + at];

            f.b[14 + at] = cooked.b[16 + at] = (uint8_t)v;
            decode_exact(f.b, f.n, f.n, 1, &a);
            decode_exact(cooked.b, cooked.n, cooked.n, 113, &b);
            f.b[14 + at] = cooked.b[16 + at] = was;
            assert_int_equal(a.kind, b.kind);
            assert_memory_equal(&a.src, &b.src, 16);
            assert_memory_equal(&a.dst, &b.dst, 16);
            assert_int_equal(a.proto, b.proto);
            assert_int_equal(a.payload_len, b.payload_len);
            assert_int_equal(a.payload.n, b.payload.n);
            if (a.kind == PACKET_TCP) {
                assert_int_equal(a.sport, b.sport);
                assert_int_equal(a.seq, b.seq);
                assert_int_equal(a.ack, b.ack);
                assert_int_equal(a.flags, b.flags);
                assert_int_equal(a.urgent, b.urgent);
            }
        }
    }
}

/* The shorter of the lengths counts; what neither has is no payload. */
static void
test_udp_lengths(void **state)
{
    static const struct {
        const char *why, *words;
        size_t n;
        uint32_t len;
    } rows[] = {
        {"both agree",                   "eth:0800 ip4:11 00351234000b0000 616263", 3, 3 },
        {"UDP is shorter",               "eth:0800 ip4:11 0035123400090000 616263", 1, 1 },
        {"UDP says more",                "eth:0800 ip4:11 00351234ffff0000 616263", 3, 3 },
        {"UDP says less than its head",  "eth:0800 ip4:11 0035123400070000 6162",
         2,                                                                            2 },
        {"IPv4 says more than there is",
         "eth:0800 450000301234400040110000c0000201c6336402 00351234001c0000 "
         "61",                                                                      1, 20},
    };
    static struct frame f;
    struct decoded d;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        build(rows[i].words, &f);
        decode_exact(f.b, f.n, f.n, 1, &d);
        if (d.kind != PACKET_UDP || d.payload.n != rows[i].n ||
            d.payload_len != rows[i].len || d.sport != 53 || d.dport != 0x1234)
            fail_msg("%s: %zu of %u", rows[i].why, d.payload.n, d.payload_len);
    }
}

static void
test_lengths(void **state)
{
    static struct frame f;
    struct decoded d;

    (void)state;
    /* the frame's trailer is not payload */
    build(E4, &f);
    memset(f.b + f.n, 0xee, 40);
    decode_exact(f.b, f.n + 40, f.n + 40, 1, &d);
    check_tcp(&d, 4);
    assert_int_equal(d.payload.n, 4);
    /* TSO: 100,000 bytes, total length 0, no end but the frame's */
    build("eth:0800 450000001234400040060000c0000201c6336402 tcp", &f);
    memset(f.b + f.n, 'x', 10000);
    decode_exact(f.b, f.n + 10000, f.n + 100000, 1, &d);
    check_tcp(&d, 100000);
    assert_int_equal(d.payload.n, 10000);
    /* BIG TCP over IPv6 */
    build("eth:86dd " T6, &f);
    f.b[18] = f.b[19] = 0;
    memset(f.b + f.n, 'x', 60000);
    f.n += 60000;
    decode_exact(f.b, f.n, f.n + 40000, 1, &d);
    check_tcp(&d, 100004);
    assert_int_equal(d.payload.n, 60004);
    /* the biggest that IPv4 can say, with a frame above 64 KiB */
    build("eth:8100 vlan:0800 450000001234400040060000c0000201c6336402 tcp",
          &f);
    f.b[20] = f.b[21] = 0xff;
    decode_exact(f.b, f.n + 65495, f.n + 65495, 1, &d);
    check_tcp(&d, 65495);
    assert_int_equal(d.payload.n, 65495);
    /* a wire length below the captured one is nonsense, the bytes count */
    build(E4, &f);
    decode_exact(f.b, f.n, 0, 1, &d);
    check_tcp(&d, 4);
}

static void
test_fragment_fields(void **state)
{
    static struct frame f;
    struct decoded d;

    (void)state;
    build("eth:0800 4600002c12342003ff060000c0000201c6336402"
          "01010100"
          " 0102030405060708090a0b0c0d0e0f1011121314",
          &f);
    decode_exact(f.b, f.n, f.n, 1, &d);
    assert_int_equal(d.kind, PACKET_FRAGMENT);
    assert_int_equal(d.frag_id, 0x1234);
    assert_int_equal(d.frag_offset, 24);
    assert_true(d.frag_more);
    assert_int_equal(d.frag_head.n, 24);
    assert_int_equal(d.frag_data.n, 20);
    assert_int_equal(d.frag_len, 20);
    assert_int_equal(d.proto, 6);
    decode_exact(f.b, f.n - 5, f.n, 1, &d);
    assert_int_equal(d.frag_data.n, 15);
    assert_int_equal(d.frag_len, 20);
    build("eth:86dd ip6:3c ext:2c 06000ff8deadbeef 61626364", &f);
    decode_exact(f.b, f.n, f.n, 1, &d);
    assert_int_equal(d.kind, PACKET_FRAGMENT);
    assert_int_equal(d.frag_id, 0xdeadbeef);
    assert_int_equal(d.frag_offset, 0xff8);
    assert_false(d.frag_more);
    assert_int_equal(d.frag_head.n, 40);
    assert_int_equal(d.frag_len, 4);
    assert_int_equal(d.proto, 6);
}

static void
test_flags(void **state)
{
    static struct frame f;
    struct decoded d;

    (void)state;
    build(E4, &f);
    f.b[47] = 0xff;
    f.b[53] = 1;
    decode_exact(f.b, f.n, f.n, 1, &d);
    assert_int_equal(d.flags, 0x3f);
    assert_true(d.urgent);
    f.b[53] = 0;
    decode_exact(f.b, f.n, f.n, 1, &d);
    assert_false(d.urgent);
}

/* n words of one kind before the rest. */
static enum packet_kind
kind_of_stack(const char *head, const char *word, size_t n, const char *tail)
{
    static struct frame f;
    static char words[8192];
    struct decoded d;
    size_t at = (size_t)snprintf(words, sizeof(words), "%s", head);

    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(words + at, sizeof(words) - at, " %s", word);
    (void)snprintf(words + at, sizeof(words) - at, " %s", tail);
    build(words, &f);
    decode_exact(f.b, f.n, f.n, 1, &d);
    return d.kind;
}

static void
test_limits(void **state)
{
    (void)state;
    /* Ethernet, the tags, IP and TCP */
    assert_int_equal(kind_of_stack("eth:8100", "vlan:8100", DECODE_STEPS - 4,
                                   "vlan:0800 " T4),
                     TCP);
    assert_int_equal(kind_of_stack("eth:8100", "vlan:8100", DECODE_STEPS - 3,
                                   "vlan:0800 " T4),
                     PACKET_OTHER);
    assert_int_equal(
        kind_of_stack("eth:8847", "label", DECODE_LABELS - 1, "bottom " T4),
        TCP);
    assert_int_equal(
        kind_of_stack("eth:8847", "label", DECODE_LABELS, "bottom " T4),
        PACKET_OTHER);
    assert_int_equal(kind_of_stack("eth:86dd ip6:3c", "ext:3c", DECODE_EXT - 2,
                                   "ext:06 tcp 61626364"),
                     TCP);
    assert_int_equal(kind_of_stack("eth:86dd ip6:3c", "ext:3c", DECODE_EXT,
                                   "ext:06 tcp 61626364"),
                     PACKET_OTHER);
    assert_int_equal(kind_of_stack("eth:0800 out4:2f 4000080011110000",
                                   "0800000401020304", DECODE_SRE - 1,
                                   "00000000 " T4),
                     TCP);
    assert_int_equal(kind_of_stack("eth:0800 out4:2f 4000080011110000",
                                   "0800000401020304", DECODE_SRE,
                                   "00000000 " T4),
                     PACKET_OTHER);
    assert_int_equal(kind_of_stack("eth:0800 out4:04", "out4:04", 40, T4),
                     PACKET_OTHER);
}

/* A datagram from defrag keeps the way of its last fragment. */
static void
test_decode_ip(void **state)
{
    static struct frame f;
    struct decoded d;

    (void)state;
    build("eth:8100 vlan:0800 out4:2f gre:0800 frag4:06 tcp 61626364", &f);
    decode_exact(f.b, f.n, f.n, 1, &d);
    assert_int_equal(d.kind, PACKET_FRAGMENT);
    build("ip4:29 ip6:06 tcp 61626364", &f);
    decode_ip(span_of(f.b, f.n), &d);
    assert_int_equal(d.kind, PACKET_TCP);
    check_tcp(&d, 4);
    assert_int_equal(d.n_vlan, 1);
    assert_int_equal(d.n_tunnel, 2);
    assert_int_equal(d.tunnel[0], TUNNEL_GRE);
    assert_int_equal(d.tunnel[1], TUNNEL_IPIP);
    assert_true(d.has_mac);
    decode_ip(SPAN_NONE, &d);
    assert_int_equal(d.kind, PACKET_BAD);
}

/* --------------------------------------------------------------- real files */

struct seen {
    size_t packets, kinds[PACKET_BAD + 1], tcp, vlans, tunnels[16];
    struct tuple {
        struct addr a, b;
        uint16_t ap, bp;
    } flows[64];
};

static void
see_tcp(struct seen *s, const struct decoded *d)
{
    bool swap = addr_cmp(&d->src, &d->dst) > 0 ||
                (addr_cmp(&d->src, &d->dst) == 0 && d->sport > d->dport);
    struct tuple t;

    memset(&t, 0, sizeof(t));
    t.a = swap ? d->dst : d->src;
    t.b = swap ? d->src : d->dst;
    t.ap = swap ? d->dport : d->sport;
    t.bp = swap ? d->sport : d->dport;
    for (size_t i = 0; i < s->tcp; i++) {
        if (memcmp(&s->flows[i], &t, sizeof(t)) == 0)
            return;
    }
    assert_true(s->tcp < ARRAY_LEN(s->flows));
    s->flows[s->tcp++] = t;
}

static void
see(void *ctx, const struct packet *p)
{
    struct seen *s = ctx;
    struct decoded d;

    decode_exact(p->data.p, p->data.n, p->wire_len, p->link, &d);
    s->packets++;
    s->kinds[d.kind]++;
    s->vlans += d.n_vlan > 0;
    for (size_t i = 0; i < d.n_tunnel; i++)
        s->tunnels[d.tunnel[i]]++;
    if (d.kind == PACKET_TCP)
        see_tcp(s, &d);
}

/* What tshark says (facts.json): packets, TCP sessions, and the layers. Where
 * sessions differ the comment says why; fragments are the business of
 * defrag_test.c. */
static const struct {
    const char *file;
    size_t packets, tcp, fragments, bad, vlans;
    enum tunnel tunnel;
    size_t tunnelled;
} files[] = {
#include "sensor/net/decode_files.def"
};

static void
test_files(void **state)
{
    static struct seen s;
    char path[512];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        memset(&s, 0, sizeof(s));
        (void)snprintf(path, sizeof(path), "../shared/captures/%s",
                       files[i].file);
        if (!pcap_for_test(path, see, &s)) {
            printf("%s not there, skipped\n", path);
            skip();
        }
        if (s.packets != files[i].packets || s.tcp != files[i].tcp ||
            s.kinds[PACKET_FRAGMENT] != files[i].fragments ||
            s.kinds[PACKET_BAD] != files[i].bad || s.vlans != files[i].vlans ||
            s.tunnels[files[i].tunnel] != files[i].tunnelled)
            fail_msg("%s: packets %zu tcp %zu fragments %zu bad %zu vlans %zu "
                     "tunnelled %zu",
                     files[i].file, s.packets, s.tcp, s.kinds[PACKET_FRAGMENT],
                     s.kinds[PACKET_BAD], s.vlans, s.tunnels[files[i].tunnel]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_every_short_frame),
        cmocka_unit_test(test_every_byte_changed),
        cmocka_unit_test(test_both_ways_agree),
        cmocka_unit_test(test_udp_lengths),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_fragment_fields),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_decode_ip),
        cmocka_unit_test(test_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
