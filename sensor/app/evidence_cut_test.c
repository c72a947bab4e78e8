/* A connection made of frames, sent in ways that a mask may miss. */
#include "sensor/app/evidence_cut.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sensor/base/attr.h"

enum { ISN_S = 7000, HEADERS = 54, FRAME_MAX = 4096 };

#define ISN_C 0xfffffff0U /* it wraps */

#define T0     (UINT64_C(1767600000) * NS_PER_S)
#define SECRET "c2VjcmV0UEFTU1dPUkQ="
#define BODY   "Zebra-body-of-the-letter"

#define TALK                                                                   \
    "EHLO pc\r\nAUTH LOGIN " SECRET "\r\n" SECRET "\r\nMAIL FROM:<a@b>\r\n"    \
    "RCPT TO:<c@d>\r\nDATA\r\nSubject: hello\r\n\r\n" BODY "\r\n" BODY         \
    "\r\n.\r\nQUIT\r\n"
#define ANSWERS                                                                \
    "220 mx\r\n250 mx\r\n334 VXNlcg==\r\n535 no " SECRET "\r\n250 ok\r\n"      \
    "250 ok\r\n354 go\r\n250 ok\r\n221 bye\r\n"

struct lab {
    struct evidence_cut *cut;
    ns_t when;
    unsigned tunnel;   /* bytes of an outer IP header */
    const char *after; /* in the frame, behind the IP packet */
};

static void
put16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static size_t
put_ip(uint8_t *p, uint8_t proto, size_t payload, bool from_server)
{
    static const uint8_t ends[2][4] = {
        {10,  0, 0, 1 },
        {192, 0, 2, 25},
    };

    memset(p, 0, 20);
    p[0] = 0x45;
    put16(p + 2, 20 + payload);
    p[8] = 64;
    p[9] = proto;
    memcpy(p + 12, ends[from_server], 4);
    memcpy(p + 16, ends[!from_server], 4);
    return 20;
}

static void
put_tcp(uint8_t *p, bool from_server, uint32_t seq, uint8_t flags)
{
    memset(p, 0, 20);
    put16(p, from_server ? 25 : 40000);
    put16(p + 2, from_server ? 40000 : 25);
    put16(p + 4, seq >> 16);
    put16(p + 6, seq & 0xffff);
    p[12] = 0x50;
    p[13] = flags;
    put16(p + 16, 0x5a5a); /* the checksum is not looked at */
}

static void
send_frame(struct lab *l, bool from_server, uint32_t seq, uint8_t flags,
           struct span payload)
{
    uint8_t f[FRAME_MAX] = {0};
    struct packet p = {.link = 1, .when = l->when};
    size_t at = 14;

    assert_true(payload.n + 128 < sizeof(f));
    put16(f + 12, 0x0800);
    if (l->tunnel > 0)
        at += put_ip(f + at, 4, 40 + payload.n, from_server);
    at += put_ip(f + at, 6, 20 + payload.n, from_server);
    put_tcp(f + at, from_server, seq, flags);
    at += 20;
    if (payload.n > 0)
        memcpy(f + at, payload.p, payload.n);
    at += payload.n;
    if (l->after != NULL) {
        memcpy(f + at, l->after, strlen(l->after));
        at += strlen(l->after);
    }
    p.data = span_of(f, at);
    p.wire_len = (uint32_t)at;
    l->when += NS_PER_MS;
    evidence_cut_take(l->cut, &p, SPAN_LIT("eth0"));
}

static void
open_lab(struct lab *l)
{
    const struct addr a = addr_v4((const uint8_t[]){10, 0, 0, 1});
    const struct addr b = addr_v4((const uint8_t[]){192, 0, 2, 25});
    const struct evidence_wanted w = {evidence_key(&a, 40000, &b, 25), T0,
                                      T0 + 100 * NS_PER_S};

    l->when = T0;
    assert_int_equal(evidence_cut_new(&w, 1, &l->cut), ERR_OK);
}

static void
shake_hands(struct lab *l)
{
    send_frame(l, false, ISN_C, TCP_SYN, SPAN_NONE);
    send_frame(l, true, ISN_S, TCP_SYN | TCP_ACK, SPAN_NONE);
}

static void
send_bytes(struct lab *l, bool from_server, size_t off, struct span s)
{
    send_frame(l, from_server,
               (from_server ? (uint32_t)ISN_S : ISN_C) + 1 + (uint32_t)off,
               TCP_ACK | TCP_PSH, s);
}

/* In pieces of n. */
static void
send_pieces(struct lab *l, bool from_server, struct span s, size_t n)
{
    for (size_t at = 0; at < s.n; at += n)
        send_bytes(l, from_server, at, span_head(span_tail(s, at), n));
}

/* ---- ways to send ---- */

static void
in_one(struct lab *l)
{
    shake_hands(l);
    send_pieces(l, true, SPAN_LIT(ANSWERS), 4000);
    send_pieces(l, false, SPAN_LIT(TALK), 4000);
}

static void
byte_by_byte(struct lab *l)
{
    shake_hands(l);
    send_pieces(l, true, SPAN_LIT(ANSWERS), 1);
    send_pieces(l, false, SPAN_LIT(TALK), 1);
}

static void
backwards(struct lab *l)
{
    const struct span s = SPAN_LIT(TALK);

    shake_hands(l);
    for (size_t at = s.n; at > 0; at -= at < 7 ? at : 7) {
        const size_t from = at < 7 ? 0 : at - 7;

        send_bytes(l, false, from, span_head(span_tail(s, from), at - from));
    }
}

static void
again_and_again(struct lab *l)
{
    in_one(l);
    send_pieces(l, false, SPAN_LIT(TALK), 5);
    send_pieces(l, false, SPAN_LIT(TALK), 11);
}

static void
with_another_reading(struct lab *l)
{
    struct span s = SPAN_LIT(TALK);
    const size_t at = span_search(s, SPAN_LIT("MAIL"));

    in_one(l);
    send_bytes(l, false, at, SPAN_LIT(SECRET BODY));
}

/* The server may have taken either: then the rest is a body, or commands. */
static void
with_data_as_another_reading(struct lab *l)
{
    shake_hands(l);
    send_bytes(l, false, 0, SPAN_LIT("EHLO a\r\nNOOP\r\nEHLO Zebra\r\n"));
    send_bytes(l, false, 8, SPAN_LIT("DATA"));
}

static void
with_a_hole(struct lab *l)
{
    const struct span s = SPAN_LIT(TALK);

    shake_hands(l);
    send_bytes(l, false, 0, span_head(s, 5));
    send_bytes(l, false, 6, span_tail(s, 6));
}

static void
without_a_syn(struct lab *l)
{
    send_pieces(l, true, SPAN_LIT(ANSWERS), 10);
    send_pieces(l, false, SPAN_LIT(TALK), 10);
}

static void
without_the_client_s_syn(struct lab *l)
{
    send_frame(l, true, ISN_S, TCP_SYN | TCP_ACK, SPAN_NONE);
    send_pieces(l, true, SPAN_LIT(ANSWERS), 10);
    send_pieces(l, false, SPAN_LIT(TALK), 10);
}

static void
before_the_syn(struct lab *l)
{
    send_pieces(l, false, SPAN_LIT(TALK), 100);
    in_one(l);
}

static void
in_the_syn(struct lab *l)
{
    send_frame(l, false, ISN_C, TCP_SYN, SPAN_LIT(TALK));
    send_frame(l, true, ISN_S, TCP_SYN | TCP_ACK, SPAN_LIT(ANSWERS));
}

static void
out_of_the_window(struct lab *l)
{
    in_one(l);
    send_bytes(l, false, 1U << 30, SPAN_LIT(SECRET BODY));
    send_bytes(l, false, (size_t)0 - 20, SPAN_LIT(SECRET));
}

static void
behind_the_packet(struct lab *l)
{
    l->after = SECRET BODY;
    in_one(l);
}

static void
in_a_tunnel(struct lab *l)
{
    l->tunnel = 20;
    in_one(l);
}

static void
on_used_ports(struct lab *l)
{
    const struct span s = SPAN_LIT(TALK);

    in_one(l);
    send_frame(l, false, 99, TCP_SYN, SPAN_NONE);
    send_frame(l, true, 5, TCP_SYN | TCP_ACK, SPAN_NONE);
    send_frame(l, false, 100, TCP_ACK, s);
    send_bytes(l, false, 3, span_tail(s, 3)); /* of the old one */
}

/* auth and header: what is shown at least, where everything is known. */
static const struct {
    const char *why;
    void (*send)(struct lab *l);
    bool shows, body_too;
} ways[] = {
    {"in one segment",                  in_one,                       true,  true },
    {"byte by byte",                    byte_by_byte,                 false, false},
    {"the last byte first",             backwards,                    false, false},
    {"sent again, cut differently",     again_and_again,              true,  true },
    {"with another reading of a part",  with_another_reading,         false, false},
    {"with DATA as another reading",    with_data_as_another_reading, false,
     false                                                                        },
    {"a byte is missing",               with_a_hole,                  false, false},
    {"no SYN at all",                   without_a_syn,                false, false},
    {"no SYN of the client",            without_the_client_s_syn,     false, false},
    {"bytes before the SYN",            before_the_syn,               true,  true },
    {"bytes in the SYN",                in_the_syn,                   true,  true },
    {"far outside",                     out_of_the_window,            true,  true },
    {"behind the IP packet",            behind_the_packet,            true,  true },
    {"in a tunnel",                     in_a_tunnel,                  true,  true },
    {"a second connection on the ends", on_used_ports,                true,  true },
};

static bool
has(const struct buf *b, const char *text)
{
    return span_search(buf_view(b), span_str(text)) < b->n;
}

/* One byte in each frame: joined, they must not say it either. */
static struct buf
joined(const struct buf *file)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    for (size_t at = 0; at + 32 + HEADERS < file->n; at++) {
        struct cursor c = cur_open(span_tail(buf_view(file), at));

        if (cur_le32(&c) == 6 && cur_le32(&c) == 32 + 56)
            buf_putc(&b, file->p[at + 28 + HEADERS]);
    }
    return b;
}

static void
try_way(size_t i, bool redact)
{
    struct lab l = {0};
    struct buf file, bytes;

    open_lab(&l);
    ways[i].send(&l);
    assert_int_equal(evidence_cut_mask(l.cut, redact), ERR_OK);
    buf_init(&file, 64 << 20);
    evidence_cut_write(l.cut, &file);
    bytes = joined(&file);
    if (has(&file, "c2VjcmV0") || has(&bytes, "c2VjcmV0") ||
        has(&file, "UEFTU1dP"))
        fail_msg("%s (%d): AUTH is shown", ways[i].why, redact);
    if (redact && (has(&file, "Zebra") || has(&bytes, "Zebra")))
        fail_msg("%s: the body is shown", ways[i].why);
    if (ways[i].shows && (!has(&file, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>") ||
                          !has(&file, "Subject: hello\r\n") ||
                          !has(&file, "\r\n334 ") || !has(&file, "QUIT\r\n")))
        fail_msg("%s (%d): nothing is shown", ways[i].why, redact);
    if (!redact && ways[i].body_too && !has(&file, BODY))
        fail_msg("%s: the body is not shown", ways[i].why);
    buf_free(&bytes);
    buf_free(&file);
    evidence_cut_free(l.cut);
}

static void
hides_in_all_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        try_way(i, false);
        try_way(i, true);
    }
}

/* One byte, and the checksum over it: it would be known. */
static void
leaves_no_checksum(void **state)
{
    struct lab l = {0};
    struct buf file;
    size_t zeros = 0, kept = 0;

    (void)state;
    open_lab(&l);
    byte_by_byte(&l);
    assert_int_equal(evidence_cut_mask(l.cut, false), ERR_OK);
    buf_init(&file, 64 << 20);
    evidence_cut_write(l.cut, &file);
    for (size_t at = 0; at + 32 + HEADERS < file.n; at++) {
        struct cursor c = cur_open(span_tail(buf_view(&file), at));
        const uint8_t *f = file.p + at + 28;

        if (cur_le32(&c) != 6 || cur_le32(&c) != 32 + 56)
            continue;
        zeros += f[50] == 0 && f[51] == 0;
        kept += f[50] == 0x5a && f[51] == 0x5a;
        assert_true(f[50] == 0x5a || f[HEADERS] == 'x');
    }
    assert_true(zeros >= 2 * strlen(SECRET));
    assert_true(kept > 100);
    buf_free(&file);
    evidence_cut_free(l.cut);
}

/* Checksums of outer headers could tell what is masked. */
static void
takes_tunnels_off(void **state)
{
    struct lab l = {0};
    struct buf file;

    (void)state;
    open_lab(&l);
    in_a_tunnel(&l);
    assert_int_equal(evidence_cut_mask(l.cut, true), ERR_OK);
    buf_init(&file, 64 << 20);
    evidence_cut_write(l.cut, &file);
    assert_int_equal(evidence_cut_counts(l.cut).packets, 4);
    assert_int_equal(file.p[28 + 8], 101); /* the one interface: raw IP */
    buf_free(&file);
    evidence_cut_free(l.cut);
}

static void
takes_what_is_wanted(void **state)
{
    struct lab l = {0};
    struct evidence_cut_counts n;

    (void)state;
    open_lab(&l);
    shake_hands(&l);
    l.when = T0 - 1;
    shake_hands(&l); /* the first of them is before */
    l.when = T0 + 100 * NS_PER_S;
    shake_hands(&l); /* the second is after */
    n = evidence_cut_counts(l.cut);
    assert_int_equal(n.packets, 4);
    evidence_cut_free(l.cut);
    evidence_cut_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hides_in_all_ways),
        cmocka_unit_test(leaves_no_checksum),
        cmocka_unit_test(takes_tunnels_off),
        cmocka_unit_test(takes_what_is_wanted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
