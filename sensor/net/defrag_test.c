#include "sensor/net/defrag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sensor/net/decode.h"
#include "sensor/net/decode_test_pcap.h"

#define ROOM ((size_t)4 << 20)

/* One fragment: TCP over IPv4 (or IPv6), bytes made of place and variant. */
struct frag {
    unsigned id;
    uint32_t at, len;
    bool more;
    unsigned variant;
    bool v6;
    uint32_t captured; /* 0: all */
    unsigned head;     /* IPv4 header, 0: 20 */
};

#define ROW(id, at, len, ...)                                                  \
    {                                                                          \
        id, at, len, .more = __VA_ARGS__                                       \
    }
#define FRAG(...) ((struct frag)ROW(__VA_ARGS__))

static uint8_t
byte_of(uint32_t at, unsigned variant)
{
    return (uint8_t)(at * 7 + (at >> 8) * 13 + variant * 101);
}

static struct decoded
decoded_of(const struct frag *f, uint8_t *room)
{
    static const uint8_t v4[4] = {192, 0, 2, 1};
    static const uint8_t v6[16] = {0x20, 1, 0x0d, 0xb8, [15] = 1};
    struct decoded d;
    size_t head = f->v6 ? 40 : f->head != 0 ? f->head : 20;

    memset(&d, 0, sizeof(d));
    memset(room, 1, head); /* IPv4 options: no operation */
    memset(room, 0, 20);
    room[0] = (uint8_t)(f->v6 ? 0x60 : 0x40 | head / 4);
    room[f->v6 ? 6 : 9] = f->v6 ? 44 : 6;
    room[f->v6 ? 7 : 8] = 64;
    memcpy(room + (f->v6 ? 8 : 12), f->v6 ? v6 : v4, f->v6 ? 16 : 4);
    memcpy(room + (f->v6 ? 24 : 16), f->v6 ? v6 : v4, f->v6 ? 16 : 4);
    if (!f->v6)
        room[6] = 0x60 | 0; /* both bits that are not part of the offset */
    for (uint32_t i = 0; i < f->len; i++)
        room[head + i] = byte_of(f->at + i, f->variant);
    d.kind = PACKET_FRAGMENT;
    d.src = d.dst = f->v6 ? addr_v6(v6) : addr_v4(v4);
    d.proto = 6;
    d.frag_id = f->id;
    d.frag_offset = f->at;
    d.frag_more = f->more;
    d.frag_head = span_of(room, head);
    d.frag_data = span_of(room + head, f->captured ? f->captured : f->len);
    d.frag_len = f->len;
    return d;
}

/* The fragment's bytes are gone after the call. */
static enum defrag_answer
put(struct defrag *d, struct frag f, ns_t when, struct span *out)
{
    uint8_t *room = malloc(60 + (size_t)f.len);
    struct decoded dec;
    enum defrag_answer r;

    assert_non_null(room);
    dec = decoded_of(&f, room);
    *out = SPAN_NONE;
    r = defrag_put(d, &dec, when, out);
    free(room);
    assert_true((r == DEFRAG_DONE) == (out->n > 0));
    return r;
}

static void
check_bytes(struct span ip, size_t head, size_t n, unsigned variant)
{
    assert_int_equal(ip.n, head + n);
    for (size_t i = 0; i < n; i++) {
        if (ip.p[head + i] != byte_of((uint32_t)i, variant))
            fail_msg("byte %zu", i);
    }
}

#define W DEFRAG_WAIT
#define D DEFRAG_DONE
#define B DEFRAG_BAD

/* clang-format off */
/* Sequences of one or a few datagrams, 1 us apart; the end of each is checked
 * to be `total` bytes of variant 0 unless mixed. */
static const struct {
    const char *why;
    struct {
        struct frag f;
        enum defrag_answer want;
    } steps[9];
    size_t n;
    uint32_t total;
} sequences[] = {
    {"in order", {{ROW(1, 0, 16, true), W}, {ROW(1, 16, 8, true), W},
     {ROW(1, 24, 5, false), D}}, 3, 29},
    {"backwards", {{ROW(1, 24, 5, false), W}, {ROW(1, 16, 8, true), W},
     {ROW(1, 0, 16, true), D}}, 3, 29},
    {"IPv6", {{ROW(1, 0, 16, true, .v6 = true), W},
     {ROW(1, 16, 3, false, .v6 = true), D}}, 2, 19},
    {"each twice at once", {{ROW(1, 0, 16, true), W}, {ROW(1, 0, 16, true), W},
     {ROW(1, 16, 8, false), D}, {ROW(1, 16, 8, false), W}}, 4, 24},
    {"the whole twice", {{ROW(1, 0, 16, true), W}, {ROW(1, 16, 8, false), D},
     {ROW(1, 0, 16, true), W}, {ROW(1, 16, 8, false), W},
     {ROW(1, 0, 16, true), W},
     {ROW(1, 16, 8, false), W}}, 6, 24},
    {"overlap, same bytes", {{ROW(1, 0, 16, true), W},
     {ROW(1, 8, 16, false), D}}, 2, 24},
    {"overlap, first bytes stay", {{ROW(1, 0, 16, true), W},
     {ROW(1, 8, 8, true, .variant = 1), W}, {ROW(1, 16, 8, false), D}}, 3, 24},
    {"teardrop: the second lies inside the first", {{ROW(1, 0, 40, true), W},
     {ROW(1, 24, 8, true, .variant = 1), W}, {ROW(1, 40, 4, false), D}}, 3, 44},
    {"teardrop: its end contradicts", {{ROW(1, 0, 40, true), W},
     {ROW(1, 24, 4, false), B}, {ROW(1, 40, 4, false), D}}, 3, 44},
    {"a first fragment of 8 bytes", {{ROW(1, 0, 8, true), W},
     {ROW(1, 8, 32, false), D}}, 2, 40},
    {"empty", {{ROW(1, 0, 16, true), W}, {ROW(1, 16, 0, false), B},
     {ROW(1, 16, 1, false), D}}, 3, 17},
    {"IPv4 length not a multiple of 8 is trimmed", {{ROW(1, 0, 21, true), W},
     {ROW(1, 16, 8, false), D}}, 2, 24},
    {"trimmed to nothing", {{ROW(1, 0, 7, true), B}}, 1, 0},
    {"IPv6 length not a multiple of 8",
     {{ROW(1, 0, 21, true, .v6 = true), B}}, 1, 0},
    {"past 65535", {{ROW(1, 65528, 8, false), B}, {ROW(1, 65528, 7, false), B},
     {ROW(1, 65512, 8, true), B}}, 3, 0},
    {"IPv6 past 65535", {{ROW(1, 65528, 8, true, .v6 = true), B},
     {ROW(1, 65528, 7, false, .v6 = true), W}}, 2, 0},
    {"header of the first makes it too long", {{ROW(1, 65504, 8, false), W},
     {ROW(1, 0, 65504, true, .head = 60), B}}, 2, 0},
    {"two ends", {{ROW(1, 16, 8, false), W}, {ROW(1, 24, 8, false), B},
     {ROW(1, 8, 8, false), B}, {ROW(1, 0, 16, true), D}}, 4, 24},
    {"beyond the end", {{ROW(1, 8, 8, false), W}, {ROW(1, 16, 8, true), B},
     {ROW(1, 0, 8, true), D}}, 3, 16},
    {"across the end: trimmed", {{ROW(1, 32, 8, true), W},
     {ROW(1, 40, 4, false), W}, {ROW(1, 0, 320, true), D}}, 3, 44},
    {"two datagrams at once", {{ROW(1, 0, 16, true), W},
     {ROW(2, 0, 24, true), W},
     {ROW(2, 24, 8, true), W}, {ROW(1, 16, 8, false), D}}, 4, 24},
    {"IPv4 and IPv6 do not mix", {{ROW(1, 0, 16, true), W},
     {ROW(1, 16, 8, false, .v6 = true), W}, {ROW(1, 16, 8, false), D}}, 3, 24},
    {"offset not of 8", {{ROW(1, 4, 8, false), B}}, 1, 0},
    {"longest", {{ROW(1, 0, 65512, true), W}, {ROW(1, 65512, 3, false), D}}, 2,
     65515},
};
/* clang-format on */

static void
test_sequences(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sequences); i++) {
        struct defrag *d = defrag_new(ROOM, 100);
        struct span out;

        assert_non_null(d);
        for (size_t k = 0; k < sequences[i].n; k++) {
            enum defrag_answer r =
                put(d, sequences[i].steps[k].f, k * NS_PER_US, &out);

            if (r != sequences[i].steps[k].want)
                fail_msg("%s: step %zu gives %d", sequences[i].why, k, r);
            if (r == DEFRAG_DONE)
                check_bytes(out, out.p[0] >> 4 == 4 ? 20 : 40,
                            sequences[i].total, 0);
        }
        defrag_free(d);
    }
}

/* The identification comes again with other bytes: nothing of it is lost. */
static void
test_id_used_again(void **state)
{
    struct defrag *d = defrag_new(ROOM, 100);
    struct span out;

    (void)state;
    assert_int_equal(put(d, FRAG(1, 0, 16, true), 0, &out), W);
    assert_int_equal(put(d, FRAG(1, 16, 8, false), 0, &out), D);
    assert_int_equal(put(d, FRAG(1, 0, 16, true, 1), 1, &out), W);
    assert_int_equal(put(d, FRAG(1, 16, 8, false, 1), 1, &out), D);
    check_bytes(out, 20, 24, 1);
    /* the first fragment alike, the second not */
    assert_int_equal(put(d, FRAG(1, 0, 16, true, 1), 2, &out), W);
    assert_int_equal(put(d, FRAG(1, 16, 8, false, 2), 2, &out), D);
    assert_int_equal(out.n, 44);
    assert_int_equal(out.p[20], byte_of(0, 1));
    assert_int_equal(out.p[36], byte_of(16, 2));
    /* the same bytes, but shorter and longer */
    assert_int_equal(put(d, FRAG(2, 0, 16, true), 3, &out), W);
    assert_int_equal(put(d, FRAG(2, 16, 8, false), 3, &out), D);
    assert_int_equal(put(d, FRAG(2, 0, 16, true), 3, &out), W);
    assert_int_equal(put(d, FRAG(2, 16, 4, false), 3, &out), D);
    check_bytes(out, 20, 20, 0);
    assert_int_equal(put(d, FRAG(2, 16, 32, false), 3, &out), W);
    assert_int_equal(put(d, FRAG(2, 0, 16, true), 3, &out), D);
    check_bytes(out, 20, 48, 0);
    /* late: an echo is kept a second only */
    assert_int_equal(put(d, FRAG(3, 0, 16, true), 4, &out), W);
    assert_int_equal(put(d, FRAG(3, 16, 8, false), 4, &out), D);
    assert_int_equal(put(d, FRAG(3, 0, 16, true), 3 + DEFRAG_ECHO_NS, &out), W);
    assert_int_equal(
        put(d, FRAG(3, 16, 8, false), 4 + 2 * DEFRAG_ECHO_NS, &out), W);
    assert_int_equal(put(d, FRAG(3, 0, 16, true), 4 + 2 * DEFRAG_ECHO_NS, &out),
                     D);
    defrag_free(d);
}

static void
test_header(void **state)
{
    struct defrag *d = defrag_new(ROOM, 100);
    struct decoded dec = {0};
    struct span out;

    (void)state;
    /* the first fragment's header counts, with its options */
    assert_int_equal(put(d, FRAG(1, 32, 8, false), 0, &out), W);
    assert_int_equal(put(d, FRAG(1, 0, 32, true, .head = 24), 0, &out), D);
    assert_int_equal(out.n, 64);
    assert_int_equal(out.p[0], 0x46);
    assert_int_equal(out.p[2] << 8 | out.p[3], 64);
    assert_int_equal(out.p[6], 0x40);
    assert_int_equal(out.p[7], 0);
    decode_ip(out, &dec);
    assert_int_not_equal(dec.kind, PACKET_FRAGMENT);
    assert_int_equal(dec.proto, 6);
    assert_int_equal(put(d, FRAG(1, 32, 8, false, .v6 = true), 0, &out), W);
    assert_int_equal(put(d, FRAG(1, 0, 32, true, .v6 = true), 0, &out), D);
    assert_int_equal(out.n, 80);
    assert_int_equal(out.p[4] << 8 | out.p[5], 40);
    assert_int_equal(out.p[6], 6);
    defrag_free(d);
}

/* A fragment that the capture cut: as far as the bytes go. */
static void
test_cut(void **state)
{
    struct defrag *d = defrag_new(ROOM, 100);
    struct span out;

    (void)state;
    assert_int_equal(put(d, FRAG(1, 0, 32, true, .captured = 21), 0, &out), W);
    assert_int_equal(put(d, FRAG(1, 32, 8, false), 0, &out), D);
    check_bytes(out, 20, 21, 0);
    assert_int_equal(out.p[3], 60);
    assert_int_equal(defrag_counts(d)->cut, 1);
    assert_int_equal(defrag_bytes(d), 0);
    defrag_free(d);
}

static void
test_counts(void **state)
{
    struct defrag *d = defrag_new(ROOM, 100);
    const struct defrag_counts *c = defrag_counts(d);
    struct span out;

    (void)state;
    assert_int_equal(put(d, FRAG(1, 0, 16, true), 0, &out), W);
    assert_int_equal(c->tiny, 1);
    assert_int_equal(put(d, FRAG(1, 0, 16, true), 0, &out), W);
    assert_int_equal(c->duplicates, 1);
    assert_int_equal(put(d, FRAG(1, 8, 16, true), 0, &out), W);
    assert_int_equal(c->overlaps, 1);
    assert_int_equal(c->overlaps_differ, 0);
    assert_int_equal(put(d, FRAG(1, 0, 24, true, 1), 0, &out), W);
    assert_int_equal(c->overlaps, 2);
    assert_int_equal(c->overlaps_differ, 1);
    assert_int_equal(put(d, FRAG(1, 24, 8, false), 0, &out), D);
    assert_int_equal(c->datagrams, 1);
    assert_int_equal(put(d, FRAG(1, 24, 8, false), 0, &out), W);
    assert_int_equal(c->duplicates, 2);
    assert_int_equal(c->fragments, 6);
    assert_int_equal(c->bad + c->too_long + c->timeouts + c->evicted, 0);
    defrag_free(d);
}

static void
test_timeout(void **state)
{
    struct defrag *d = defrag_new(ROOM, 100);
    const struct defrag_counts *c = defrag_counts(d);
    struct span out;

    (void)state;
    assert_int_equal(put(d, FRAG(1, 0, 16, true), 7, &out), W);
    assert_int_equal(put(d, FRAG(2, 0, 16, true), 8, &out), W);
    /* one nanosecond before, and at it */
    assert_int_equal(put(d, FRAG(1, 16, 8, true), 6 + DEFRAG_TIMEOUT_NS, &out),
                     W);
    assert_int_equal(put(d, FRAG(1, 24, 8, false), 7 + DEFRAG_TIMEOUT_NS, &out),
                     W);
    assert_int_equal(c->timeouts, 1);
    /* time that goes back does not */
    assert_int_equal(put(d, FRAG(2, 16, 8, false), 0, &out), D);
    assert_int_equal(defrag_waiting(d), 1);
    defrag_expire(d, 100 * NS_PER_S);
    assert_int_equal(c->timeouts, 2);
    assert_int_equal(defrag_waiting(d), 0);
    assert_int_equal(defrag_bytes(d), 0);
    defrag_free(d);
}

static void
test_caps(void **state)
{
    struct defrag *d = defrag_new(0, 3);
    const struct defrag_counts *c = defrag_counts(d);
    struct span out;

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(put(d, FRAG(i, 0, 8, true), i, &out), W);
    assert_int_equal(c->evicted, 0);
    assert_int_equal(put(d, FRAG(3, 0, 8, true), 3, &out), W);
    assert_int_equal(c->evicted, 1);
    assert_int_equal(put(d, FRAG(1, 8, 8, false), 4, &out), D);
    /* a finished one goes before one that waits */
    assert_int_equal(put(d, FRAG(4, 0, 8, true), 5, &out), W);
    assert_int_equal(c->evicted, 1);
    /* the biggest datagram fits whatever the cap, all others go */
    assert_int_equal(put(d, FRAG(4, 8, 65504, true), 6, &out), W);
    assert_int_equal(c->evicted, 3);
    assert_int_equal(put(d, FRAG(4, 65512, 3, false), 7, &out), D);
    check_bytes(out, 20, 65515, 0);
    defrag_free(d);
    defrag_free(NULL);
}

/* 10,000 datagrams that never end, within 64 of them and 128 KiB. */
static void
test_flood(void **state)
{
    struct defrag *d = defrag_new(128 << 10, 64);
    struct span out;

    (void)state;
    for (unsigned i = 0; i < 10000; i++) {
        assert_int_equal(put(d, FRAG(i, (i % 30) * 2048, 1480, true), i, &out),
                         W);
        assert_true(defrag_waiting(d) <= 64);
        assert_true(defrag_bytes(d) <= 128 << 10);
    }
    assert_int_equal(defrag_counts(d)->evicted, 10000 - 64);
    defrag_free(d);
}

static bool
deny_nth(void *ctx)
{
    size_t *left = ctx;

    return (*left)-- == 0;
}

static void
test_no_memory(void **state)
{
    struct span out;

    (void)state;
    for (size_t n = 0; n < 2; n++) {
        struct defrag *d = defrag_new(ROOM, 100);
        size_t left = n;

        defrag_deny(d, deny_nth, &left);
        assert_int_equal(put(d, FRAG(1, 0, 16, true), 0, &out), B);
        assert_int_equal(defrag_counts(d)->no_memory, 1);
        assert_int_equal(defrag_waiting(d), 0);
        assert_int_equal(put(d, FRAG(1, 0, 16, true), 0, &out), W);
        assert_int_equal(put(d, FRAG(1, 16, 8, false), 0, &out), D);
        defrag_free(d);
    }
}

/* Both halves of a datagram came through a tunnel whose packets were fragments
 * in turn, so the inner fragment lies in what defrag gave back last. */
static void
test_fragments_in_fragments(void **state)
{
    struct defrag *d = defrag_new(ROOM, 100);
    enum defrag_answer r = DEFRAG_WAIT;
    struct span out = SPAN_NONE;
    struct decoded inner;

    (void)state;
    for (unsigned half = 0; half < 2; half++) {
        uint8_t ip[64], outer[20] = {0x45, [9] = 4};
        struct frag f = FRAG(9, half * 24, 24, half == 0);
        struct decoded dec = decoded_of(&f, ip);

        ip[3] = 44; /* 20 and 24 bytes, identification 9 */
        ip[5] = 9;
        ip[6] = half == 0 ? 0x20 : 0;
        ip[7] = half == 0 ? 0 : 3;
        dec.proto = 4;
        dec.frag_id = half;
        dec.frag_head = span_of(outer, sizeof(outer));
        for (unsigned k = 0; k < 2; k++) {
            dec.frag_offset = k * 24;
            dec.frag_more = k == 0;
            dec.frag_data = span_of(ip + k * 24, k == 0 ? 24 : 20);
            dec.frag_len = (uint32_t)dec.frag_data.n;
            r = defrag_put(d, &dec, 0, &out);
        }
        assert_int_equal(r, D);
        memset(&inner, 0, sizeof(inner));
        decode_ip(out, &inner);
        assert_int_equal(inner.kind, PACKET_FRAGMENT);
        assert_int_equal(inner.n_tunnel, 1);
        r = defrag_put(d, &inner, 0, &out);
    }
    assert_int_equal(r, D);
    check_bytes(out, 20, 48, 0);
    defrag_free(d);
}

/* Any order of the pieces of a datagram gives the same bytes. */
static void
test_any_order(void **state)
{
    (void)state;
    for (unsigned order = 0; order < 120; order++) {
        struct frag pieces[] = {
            FRAG(1, 0, 1480, true), FRAG(1, 1480, 1480, true),
            FRAG(1, 2960, 1480, true), FRAG(1, 4440, 1480, true),
            FRAG(1, 5920, 100, false)};
        struct defrag *d = defrag_new(ROOM, 100);
        struct span out;
        unsigned rest = order;

        for (size_t i = 0; i < 5; i++) {
            size_t k = i + rest % (5 - i);
            struct frag f = pieces[k];

            rest /= (unsigned)(5 - i);
            pieces[k] = pieces[i];
            assert_int_equal(put(d, f, i, &out), i < 4 ? W : D);
        }
        check_bytes(out, 20, 6020, 0);
        defrag_free(d);
    }
}

/* --------------------------------------------------------------- real files */

struct seen {
    struct defrag *d;
    size_t packets, datagrams, tcp;
    unsigned tunnel_tcp; /* bit per tunnel */
    uint8_t flows[64][36];
};

static void
see_tcp(struct seen *s, const struct decoded *d)
{
    uint8_t a[18], b[18], key[36];

    memcpy(a, d->src.b, 16);
    memcpy(a + 16, &d->sport, 2);
    memcpy(b, d->dst.b, 16);
    memcpy(b + 16, &d->dport, 2);
    memcpy(key, memcmp(a, b, 18) <= 0 ? a : b, 18);
    memcpy(key + 18, memcmp(a, b, 18) <= 0 ? b : a, 18);
    for (size_t i = 0; i < d->n_tunnel; i++)
        s->tunnel_tcp |= 1U << d->tunnel[i];
    for (size_t i = 0; i < s->tcp; i++) {
        if (memcmp(s->flows[i], key, 36) == 0)
            return;
    }
    assert_true(s->tcp < ARRAY_LEN(s->flows));
    memcpy(s->flows[s->tcp++], key, 36);
}

static void
see(void *ctx, const struct packet *p)
{
    struct seen *s = ctx;
    struct decoded d;
    struct span ip;

    s->packets++;
    decode_packet(p, &d);
    while (d.kind == PACKET_FRAGMENT &&
           defrag_put(s->d, &d, p->when, &ip) == DEFRAG_DONE) {
        s->datagrams++;
        decode_ip(ip, &d);
    }
    if (d.kind == PACKET_TCP)
        see_tcp(s, &d);
}

/* clang-format off */
/* Packets, TCP sessions and datagrams put together again, as in facts.json;
 * that counts only those of IPv4, so IPv6's are from tshark's packet list. */
static const struct {
    const char *file;
    size_t packets, tcp, datagrams;
} files[] = {
    {"suricata-verify/lower-layers_bug-3286-01-no-evasion.pcap", 7, 1, 0},
    {"suricata-verify/"
     "lower-layers_defrag_bug-6887-defrag-eth-vlan-ipv6-tcp.pcap", 3, 1, 1},
    {"zeek/lower-layers_erspan.pcap", 287, 5, 16},
    {"zeek/lower-layers_ipv4_fragmented-1.pcap", 3, 0, 1},
    {"zeek/lower-layers_ipv4_fragmented-2.pcap", 3, 0, 0},
    {"zeek/lower-layers_ipv4_fragmented-3.pcap", 5, 0, 0},
    {"zeek/lower-layers_ipv6-fragmented-dns.pcap", 8, 0, 1},
    {"zeek/lower-layers_mixed-vlan-mpls.pcap", 47, 3, 0},
    {"zeek/lower-layers_tunnels_4in6.pcap", 1, 1, 0},
    {"zeek/lower-layers_tunnels_geneve-many-options.pcap", 10, 1, 0},
    {"zeek/lower-layers_tunnels_gtp_gtp_ext_header.pcap", 2, 1, 1},
    {"zeek/lower-layers_tunnels_vxlan.pcap", 10, 0, 0},
};
/* clang-format on */

static void
test_files(void **state)
{
    static struct seen s;
    char path[512];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        bool there;

        memset(&s, 0, sizeof(s));
        s.d = defrag_new(ROOM, 100);
        (void)snprintf(path, sizeof(path), "../shared/captures/%s",
                       files[i].file);
        there = pcap_for_test(path, see, &s);
        defrag_free(s.d);
        if (!there) {
            printf("%s not there, skipped\n", path);
            skip();
        }
        if (s.packets != files[i].packets || s.tcp != files[i].tcp ||
            s.datagrams != files[i].datagrams)
            fail_msg("%s: packets %zu tcp %zu datagrams %zu", files[i].file,
                     s.packets, s.tcp, s.datagrams);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequences),
        cmocka_unit_test(test_id_used_again),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_caps),
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_fragments_in_fragments),
        cmocka_unit_test(test_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
