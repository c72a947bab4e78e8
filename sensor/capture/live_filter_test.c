#include "sensor/capture/live_filter.h"

#include <pcap/pcap.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Frames are made of these: an Ethernet header's addresses, tags, then IP. */
#define MAC  "\x02\0\0\0\0\1\x02\0\0\0\0\2"
#define TAG  "\x81\0\0\x0a"
#define QTAG "\x88\xa8\0\x14"
#define IP4  "\x08\0\x45\0\0\x28\0\1"
#define IP4F "\x40\x06\0\0\xc0\0\2\1\xc6\x33\x64\2" /* TCP */
#define IP4U "\x40\x11\0\0\xc0\0\2\1\xc6\x33\x64\2" /* UDP */
#define IP6  "\x86\xdd\x60\0\0\0\0\x14"
#define ADDR6                                                                  \
    "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"                                   \
    "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2"
#define REST       "\0\0\0\1\0\0\0\1\x50\x10\0\xff\0\0\0\0"
#define TO(a, b)   "\xc0\0" a b REST
#define FROM(a, b) a b "\xc0\0" REST

#define FRAME(s)                                                               \
    {                                                                          \
        (const uint8_t *)(s), sizeof(s) - 1                                    \
    }
#define WHOLE IP4 "\0\0" IP4F

static const uint16_t mail_ports[] = {25, 465, 587, 2525};

static bool
passes(const struct live_filter *f, struct span frame)
{
    pcap_t *p = pcap_open_dead(DLT_EN10MB, 262144);
    struct bpf_program code;
    struct buf text;
    bool good;

    buf_init(&text, 1 << 20);
    live_filter_text(f, false, &text);
    buf_putc(&text, '\0');
    assert_false(text.cut || text.failed);
    if (pcap_compile(p, &code, (const char *)text.p, 1, PCAP_NETMASK_UNKNOWN) !=
        0)
        fail_msg("%s: %s", pcap_geterr(p), text.p);
    good = bpf_filter(code.bf_insns, frame.p, (unsigned)frame.n,
                      (unsigned)frame.n) != 0;
    pcap_freecode(&code);
    pcap_close(p);
    buf_free(&text);
    return good;
}

enum want { MAIL = 1, ANY = 2, DNS = 4, TUNNEL = 8, ALL = 15 };

static const struct {
    const char *why;
    struct span frame;
    unsigned want; /* the filters that take it */
} frames[] = {
    {"to 25",                               FRAME(MAC WHOLE TO("\0",                                           "\x19")),ALL},
    {"from 25",                                     FRAME(MAC WHOLE FROM("\0",                                                                                              "\x19")),ALL},
    {"to 465",                                  FRAME(MAC WHOLE TO("\1",                                                                                                   "\xd1")),                                                            ALL},
    {"to 587",                             FRAME(MAC WHOLE TO("\2","\x4b")),ALL},
    {"to 2525",FRAME(MAC WHOLE TO("\x09",                                                   "\xdd")),                                                                                                                   ALL},
    {"to 80",                             FRAME(MAC WHOLE TO("\0",                                                                                    "\x50")),ANY},
    {"tagged",                                     FRAME(MAC TAG WHOLE TO("\0",                                                                                                "\x19")),ALL},
    {"tagged, from 587",                                  FRAME(MAC TAG WHOLE FROM("\2",                                                                                                   "\x4b")),                                                                   ALL},
    {"tagged, to 80",                             FRAME(MAC TAG WHOLE TO("\0","\x50")),ANY},
    {"double-tagged",FRAME(MAC QTAG TAG WHOLE TO("\0","\x19")),ALL},
    {"the same tag twice",                       FRAME(MAC TAG TAG WHOLE FROM("\0",                                 "\x19")),ALL},
    {"double-tagged, to 80",                                     FRAME(MAC QTAG TAG WHOLE TO("\0",                                                                                        "\x50")),ANY},
    {"IPv6",                                  FRAME(MAC IP6 "\6\x40" ADDR6 TO("\0",                                                                                                   "\x19")),                                                                                                                                                                                                                        ALL},
    {"IPv6, tagged",                             FRAME(MAC TAG IP6 "\6\x40" ADDR6 TO("\0",                                                           "\x19")),                              ALL},
    {"IPv6, double-tagged",
     FRAME(MAC QTAG TAG IP6 "\6\x40" ADDR6 FROM("\0","\x19")),ALL},
    {"IPv6, to 80",                                FRAME(MAC IP6 "\6\x40" ADDR6 TO("\0",                            "\x50")),ANY},
    {"IPv6, hop-by-hop",                                     FRAME(MAC IP6 "\0\x40" ADDR6 "\6\0\1\4\0\0\0\0"),                                                                                         ALL},
    {"IPv6 fragment",                                  FRAME(MAC IP6 "\x2c\x40" ADDR6 "\6\0\0\1\0\0\0\1"),                                                                                                   ALL},
    {"IPv6 UDP fragment",                             FRAME(MAC IP6 "\x2c\x40" ADDR6 "\x11\0\0\1\0\0\0\1"),
     DNS | TUNNEL                                                                                                                                                  },
    {"DNS answer",FRAME(MAC IP4 "\0\0" IP4U FROM("\0","\x35")),                                                                            DNS},
    {"DNS question",                    FRAME(MAC IP4 "\0\0" IP4U TO("\0", "\x35")),0},
    {"DNS answer, tagged",                       FRAME(MAC TAG IP4 "\0\0" IP4U FROM("\0",     "\x35")),
     DNS},
    {"first fragment",                   FRAME(MAC IP4 "\x20\0" IP4F TO("\0",    "\x50")),ALL},
    {"later fragment",                          FRAME(MAC IP4 "\0\7" IP4F "\1\2\3\4\5\6\7\10"),                                                                                       ALL},
    {"later fragment, tagged",                                     FRAME(MAC TAG IP4 "\0\7" IP4F "\1\2\3\4"),                                                                                         ALL},
    {"UDP fragment",                                    FRAME(MAC IP4 "\0\7" IP4U "\1\2\3\4"),                                                                                                     DNS | TUNNEL                                                                                                                                                                            },
    {"VXLAN",                             FRAME(MAC IP4 "\0\0" IP4U TO("\x12",                                                                                                      "\xb5")),TUNNEL},
    {"GRE",
     FRAME(MAC IP4 "\0\0"
                   "\x40\x2f\0\0\xc0\0\2\1\xc6\x33\x64\2"
                   "\0\0\x65\x58"),
     TUNNEL},
    {"MPLS",                      FRAME(MAC "\x88\x47\0\1\1\xff\x45\0"),                TUNNEL},
    {"MPLS, tagged",              FRAME(MAC TAG "\x88\x47\0\1\1\xff\x45\0"),  TUNNEL},
    {"ARP",                        FRAME(MAC "\x08\6\0\1\x08\0\6\4"),                 0},
};

static struct live_filter
filter_of(enum want kind)
{
    return (struct live_filter){
        .ports = mail_ports,
        .n_ports = ARRAY_LEN(mail_ports),
        .any_port = kind == ANY,
        .dns = kind == DNS,
        .tunnels = kind == TUNNEL,
        .share = {.n_workers = 1},
    };
}

static void
takes_what_it_should(void **state)
{
    static const enum want kinds[] = {MAIL, ANY, DNS, TUNNEL};

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        const struct live_filter f = filter_of(kinds[k]);

        for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
            const bool want = (frames[i].want & kinds[k]) != 0;

            if (passes(&f, frames[i].frame) != want)
                fail_msg("%s, filter %d: want %d", frames[i].why, kinds[k],
                         want);
        }
    }
}

static void
takes_a_users_filter(void **state)
{
    static const struct {
        const char *why, *user;
        struct span frame;
        bool want;
    } rows[] = {
        {"none",                     "",                                   FRAME(MAC WHOLE TO("\0", "\x19")), true },
        {"a net",                    "net 192.0.2.0/24",                   FRAME(MAC WHOLE TO("\0", "\x19")), true },
        {"another net",              "net 10.0.0.0/8",                     FRAME(MAC WHOLE TO("\0", "\x19")),
         false                                                                                                     },
        {"a net, tagged",            "net 192.0.2.0/24",
         FRAME(MAC TAG WHOLE TO("\0",                                                               "\x19")), true },
        {"a net, double-tagged",     "net 192.0.2.0/24",
         FRAME(MAC QTAG TAG WHOLE TO("\0",                                                          "\x19")), true },
        {"or binds within it",       "net 10.0.0.0/8 or net 192.0.2.0/24",
         FRAME(MAC QTAG TAG WHOLE TO("\0",                                                          "\x50")), false},
        {"of VLANs it stands alone", "vlan and tcp port 80",
         FRAME(MAC TAG WHOLE TO("\0",                                                               "\x50")), true },
        {"and is not nested",        "vlan and tcp port 80",
         FRAME(MAC WHOLE TO("\0",                                                                   "\x19")), false},
    };
    struct live_filter f = filter_of(MAIL);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        f.user = rows[i].user;
        if (passes(&f, rows[i].frame) != rows[i].want)
            fail_msg("%s", rows[i].why);
    }
}

/* ---- shares ---- */

static uint64_t
next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

struct made {
    uint8_t bytes[128];
    size_t n;
    struct decoded decoded;
};

/* One of TCP or an answer, IPv4 or IPv6, with none to two tags. */
static void
make(struct made *m, uint64_t x, bool back)
{
    static const uint8_t ip4[] = {0x08, 0, 0x45, 0, 0, 0x28, 0, 1, 0, 0, 64};
    const bool six = (x & 1) != 0, udp = (x & 2) != 0;
    const size_t n = six ? 16 : 4;
    uint8_t a[2][16] = {{0}}, port[2][2];
    uint64_t y = x;

    *m = (struct made){.n = 12};
    for (uint64_t tags = (x >> 2) % 3; tags > 0; tags--) {
        memcpy(m->bytes + m->n, TAG, 4);
        m->n += 4;
    }
    for (size_t i = 0; i < 16; i++) {
        a[0][i] = (uint8_t)next_random(&y);
        a[1][i] = (uint8_t)next_random(&y);
    }
    memcpy(port[0], udp ? "\0\x35" : "\0\x19", 2);
    port[1][0] = 0xc0 | (uint8_t)(y >> 40);
    port[1][1] = (uint8_t)(y >> 48);
    if (six) {
        memcpy(m->bytes + m->n, IP6, 8);
        m->bytes[m->n + 8] = udp ? 17 : 6;
        m->n += 10;
    } else {
        memcpy(m->bytes + m->n, ip4, sizeof(ip4));
        m->bytes[m->n + 11] = udp ? 17 : 6;
        m->n += 14;
    }
    for (size_t i = 0; i < 2; i++, m->n += n)
        memcpy(m->bytes + m->n, a[i ^ back], n);
    for (size_t i = 0; i < 2; i++, m->n += 2)
        memcpy(m->bytes + m->n, port[i ^ back], 2);
    m->n += 16;
    m->decoded.src = six ? addr_v6(a[back]) : addr_v4(a[back]);
    m->decoded.dst = six ? addr_v6(a[!back]) : addr_v4(a[!back]);
    m->decoded.sport = (uint16_t)(port[back][0] << 8 | port[back][1]);
    m->decoded.dport = (uint16_t)(port[!back][0] << 8 | port[!back][1]);
}

/* The kernel's arithmetic and ours agree, both directions go to one worker, to
 * one only, and no worker is left out. */
static void
one_owner(unsigned n_workers)
{
    enum { FLOWS = 60 };
    struct live_filter f = filter_of(DNS);
    uint64_t x = 88172645463325252;
    unsigned owned[8] = {0};

    for (unsigned i = 0; i < FLOWS; i++) {
        const uint64_t which = next_random(&x);
        struct made there, back;
        unsigned owners = 0;

        make(&there, which, false);
        make(&back, which, true);
        for (unsigned w = 0; w < n_workers; w++) {
            bool mine;

            f.share = (struct live_share){w, n_workers, 0xdeadbeef};
            mine = live_filter_is_mine(&f.share, &there.decoded);
            assert_int_equal(live_filter_is_mine(&f.share, &back.decoded),
                             mine);
            assert_int_equal(passes(&f, span_of(there.bytes, there.n)), mine);
            if ((which & 2) == 0) /* the question is not asked for */
                assert_int_equal(passes(&f, span_of(back.bytes, back.n)), mine);
            owners += mine;
            owned[w] += mine;
        }
        assert_int_equal(owners, 1);
    }
    for (unsigned w = 0; w < n_workers; w++)
        assert_true(owned[w] > FLOWS / n_workers / 4);
}

static void
each_flow_has_one_owner(void **state)
{
    (void)state;
    one_owner(1);
    one_owner(2);
    one_owner(3);
    one_owner(4);
}

/* Addresses and ports that count up together, as those of a scanner do. */
static void
neighbours_are_divided_evenly(void **state)
{
    enum { FLOWS = 4096, N = 4 };
    static const uint32_t keys[] = {0, 1, 0x9e3779b1, 0x12345678, UINT32_MAX};

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
        unsigned owned[N] = {0};

        for (unsigned i = 0; i < FLOWS; i++) {
            const uint8_t a[] = {10, 0, (uint8_t)(i >> 8), (uint8_t)i};
            const uint8_t b[] = {192, 0, 2, 25};
            const struct decoded d = {.src = addr_v4(a),
                                      .dst = addr_v4(b),
                                      .sport = (uint16_t)(40000 + i),
                                      .dport = 25};

            for (unsigned w = 0; w < N; w++)
                owned[w] += live_filter_is_mine(
                    &(struct live_share){w, N, keys[k]}, &d);
        }
        for (unsigned w = 0; w < N; w++) {
            if (owned[w] < FLOWS / N / 2)
                fail_msg("key %08x: worker %u has %u", keys[k], w, owned[w]);
        }
    }
}

/* 64 ports, steering, tunnels, a user's filter: what the kernel takes. */
static void
fits_into_the_kernel(void **state)
{
    struct live_filter f = filter_of(TUNNEL);
    pcap_t *p = pcap_open_dead(DLT_EN10MB, 262144);
    struct bpf_program code;
    uint16_t ports[64];
    struct buf text;

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(ports); i++)
        ports[i] = (uint16_t)(1000 + i * 7);
    f.ports = ports;
    f.n_ports = ARRAY_LEN(ports);
    f.dns = true;
    f.user = "net 192.0.2.0/24 or net 10.0.0.0/8";
    f.share = (struct live_share){1, 4, 12345};
    buf_init(&text, 1 << 20);
    live_filter_text(&f, false, &text);
    buf_putc(&text, '\0');
    assert_int_equal(
        pcap_compile(p, &code, (const char *)text.p, 1, PCAP_NETMASK_UNKNOWN),
        0);
    assert_true(code.bf_len < 4096); /* BPF_MAXINSNS */
    print_message("%u instructions\n", code.bf_len);
    pcap_freecode(&code);
    pcap_close(p);
    buf_free(&text);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_it_should),
        cmocka_unit_test(takes_a_users_filter),
        cmocka_unit_test(each_flow_has_one_owner),
        cmocka_unit_test(neighbours_are_divided_evenly),
        cmocka_unit_test(fits_into_the_kernel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
