#define ZLIB_CONST
#include "sensor/capture/capture_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

void
made_init(struct made *m, bool big)
{
    *m = (struct made){.big = big};
    buf_init(&m->b, MADE_MAX);
}

void
put16(struct made *m, uint16_t v)
{
    buf_putc(&m->b, (uint8_t)(m->big ? v >> 8 : v & 0xff));
    buf_putc(&m->b, (uint8_t)(m->big ? v & 0xff : v >> 8));
}

void
put32(struct made *m, uint32_t v)
{
    put16(m, (uint16_t)(m->big ? v >> 16 : v & 0xffff));
    put16(m, (uint16_t)(m->big ? v & 0xffff : v >> 16));
}

void
put_fill(struct made *m, uint8_t c, size_t n)
{
    while (n-- > 0)
        buf_putc(&m->b, c);
}

void
made_end(struct made *m)
{
    if (m->n < ARRAY_LEN(m->ends))
        m->ends[m->n] = m->b.n;
    m->n++;
}

void
pcap_head(struct made *m, uint32_t magic, uint32_t link)
{
    put32(m, magic);
    put16(m, 2);
    put16(m, 4);
    put32(m, 0);
    put32(m, 0);
    put32(m, 65535);
    put32(m, link);
}

void
pcap_packet(struct made *m, uint32_t magic, ns_t when, uint32_t n)
{
    put32(m, (uint32_t)(when / NS_PER_S));
    put32(m, (uint32_t)(when % NS_PER_S / (magic == 0xa1b23c4d ? 1 : 1000)));
    put32(m, n);
    put32(m, n + 4);
    if (magic == 0xa1b2cd34)
        put_fill(m, 9, 8);
    put_fill(m, (uint8_t)n, n);
    made_end(m);
}

ns_t
made_when(size_t i)
{
    return MADE_START + i * 1001 * NS_PER_MS + i * 1000;
}

uint32_t
made_len(size_t i)
{
    return 60 + (uint32_t)i * 7;
}

void
make_pcap(struct made *m, uint32_t magic, bool big)
{
    made_init(m, big);
    pcap_head(m, magic, 0x14000001); /* FCS of 2 words, Ethernet */
    for (size_t i = 0; i < N_MADE; i++)
        pcap_packet(m, magic, made_when(i), made_len(i));
}

void
ng_block(struct made *m, uint32_t type, struct span body)
{
    uint32_t n = (uint32_t)(12 + ((body.n + 3) & ~(size_t)3));

    put32(m, type);
    put32(m, n);
    buf_span(&m->b, body);
    put_fill(m, 0, n - 12 - body.n);
    put32(m, n);
}

void
ng_section(struct made *m, bool big)
{
    struct made s;

    m->big = big;
    made_init(&s, big);
    put32(&s, 0x1a2b3c4d);
    put16(&s, 1);
    put16(&s, 0);
    put_fill(&s, 0xff, 8);
    ng_block(m, 0x0a0d0d0a, buf_view(&s.b));
    buf_free(&s.b);
}

static void
ng_option(struct made *s, uint16_t code, struct span value)
{
    put16(s, code);
    put16(s, (uint16_t)value.n);
    buf_span(&s->b, value);
    put_fill(s, 0, (4 - value.n % 4) % 4);
}

void
ng_iface(struct made *m, struct ng_iface i)
{
    struct made s;
    struct made v;
    uint8_t resol = (uint8_t)i.tsresol;

    made_init(&s, m->big);
    put16(&s, i.link);
    put16(&s, 0);
    put32(&s, i.snaplen);
    if (i.name != NULL)
        ng_option(&s, 2, span_str(i.name));
    if (i.tsresol >= 0)
        ng_option(&s, 9, span_of(&resol, 1));
    if (i.tsoffset != 0) {
        uint64_t u = (uint64_t)i.tsoffset;

        made_init(&v, m->big);
        put32(&v, (uint32_t)(m->big ? u >> 32 : u));
        put32(&v, (uint32_t)(m->big ? u : u >> 32));
        ng_option(&s, 14, buf_view(&v.b));
        buf_free(&v.b);
    }
    ng_option(&s, 0, SPAN_NONE);
    ng_block(m, 1, buf_view(&s.b));
    buf_free(&s.b);
}

void
ng_enhanced(struct made *m, uint32_t iface, uint64_t ticks, uint32_t n)
{
    struct made s;

    made_init(&s, m->big);
    put32(&s, iface);
    put32(&s, (uint32_t)(ticks >> 32));
    put32(&s, (uint32_t)ticks);
    put32(&s, n);
    put32(&s, n + 4);
    put_fill(&s, (uint8_t)n, n);
    put_fill(&s, 0, (4 - n % 4) % 4);
    ng_option(&s, 1, SPAN_LIT("a comment"));
    ng_option(&s, 0, SPAN_NONE);
    ng_block(m, 6, buf_view(&s.b));
    buf_free(&s.b);
    made_end(m);
}

void
ng_obsolete(struct made *m, uint16_t iface, uint64_t ticks, uint32_t n)
{
    struct made s;

    made_init(&s, m->big);
    put16(&s, iface);
    put16(&s, 3);
    put32(&s, (uint32_t)(ticks >> 32));
    put32(&s, (uint32_t)ticks);
    put32(&s, n);
    put32(&s, n + 4);
    put_fill(&s, (uint8_t)n, n);
    ng_block(m, 2, buf_view(&s.b));
    buf_free(&s.b);
    made_end(m);
}

void
ng_simple(struct made *m, uint32_t wire, uint32_t n)
{
    struct made s;

    made_init(&s, m->big);
    put32(&s, wire);
    put_fill(&s, (uint8_t)n, n);
    ng_block(m, 3, buf_view(&s.b));
    buf_free(&s.b);
    made_end(m);
}

void
make_ng(struct made *m, bool big)
{
    made_init(m, big);
    ng_section(m, big);
    ng_iface(m, (struct ng_iface){1, 262144, "eth0", -1, 0});
    for (size_t i = 0; i < N_MADE; i++)
        ng_enhanced(m, 0, made_when(i) / 1000, made_len(i));
}

static struct buf
pack_gzip(struct span in)
{
    z_stream z = {0};
    struct buf out;
    int e;

    buf_init(&out, MADE_MAX);
    assert_int_equal(
        deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_true(buf_grow(&out, deflateBound(&z, in.n) + 64));
    z.next_in = in.p;
    z.avail_in = (uInt)in.n;
    z.next_out = out.p;
    z.avail_out = (uInt)out.cap;
    e = deflate(&z, Z_FINISH);
    assert_int_equal(e, Z_STREAM_END);
    out.n = out.cap - z.avail_out;
    deflateEnd(&z);
    return out;
}

static struct buf
pack_zstd(struct span in)
{
    ZSTD_CCtx *z = ZSTD_createCCtx();
    struct buf out;

    buf_init(&out, MADE_MAX);
    assert_non_null(z);
    assert_true(buf_grow(&out, ZSTD_compressBound(in.n) + 64));
    ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
    out.n = ZSTD_compress2(z, out.p, out.cap, in.p, in.n);
    assert_false(ZSTD_isError(out.n));
    ZSTD_freeCCtx(z);
    return out;
}

struct buf
pack(enum capture_coding how, struct span in)
{
    struct buf out;

    switch (how) {
    case CAPTURE_GZIP: return pack_gzip(in);
    case CAPTURE_ZSTD: return pack_zstd(in);
    case CAPTURE_PLAIN: break;
    }
    buf_init(&out, MADE_MAX);
    buf_span(&out, in);
    return out;
}

void
write_file(char path[32], struct span in)
{
    int fd;

    (void)snprintf(path, 32, "/tmp/capture_test_XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, in.p, in.n), in.n);
    (void)close(fd);
}

/* ---- reading ---- */

struct capture *
open_in(const struct span *in, size_t n, size_t chunk, const char *filter)
{
    const struct capture_options options = {.filter = filter};
    struct capture *c = NULL;
    struct buf message;

    buf_init(&message, 512);
    if (capture_open_memory(in, n, chunk, &options, &c, &message) != ERR_OK)
        fail_msg("%.*s", (int)message.n, (const char *)message.p);
    assert_int_equal(message.n, 0);
    buf_free(&message);
    return c;
}

struct capture *
open_one(struct span in, size_t chunk)
{
    return open_in(&in, 1, chunk, NULL);
}

size_t
drain(struct capture *c)
{
    struct packet k;
    size_t n = 0;

    while (capture_next(c, &k) == CAPTURE_PACKET)
        n++;
    assert_int_equal(capture_next(c, &k), CAPTURE_END);
    return n;
}

/* The packets of make_pcap and make_ng, in whatever wrapping. */
void
expect_made(struct capture *c, const char *why)
{
    struct packet k;

    for (size_t i = 0; i < N_MADE; i++) {
        if (capture_next(c, &k) != CAPTURE_PACKET)
            fail_msg("%s: no packet %zu", why, i);
        assert_int_equal(k.data.n, made_len(i));
        assert_int_equal(k.wire_len, made_len(i) + 4);
        assert_int_equal(k.when, made_when(i));
        assert_int_equal(k.link, 1);
        assert_int_equal(k.iface, 0);
        for (size_t j = 0; j < k.data.n; j++)
            assert_int_equal(span_at(k.data, j), (uint8_t)made_len(i));
    }
    if (capture_next(c, &k) != CAPTURE_END || capture_n_faults(c) != 0)
        fail_msg("%s: no clean end", why);
    assert_int_equal(capture_facts(c, 0).packets, N_MADE);
    assert_int_equal(capture_facts(c, 0).first, made_when(0));
    assert_int_equal(capture_facts(c, 0).last, made_when(N_MADE - 1));
}

const struct flavour flavours[N_FLAVOURS] = {
    {"microseconds, little", 0xa1b2c3d4, false},
    {"microseconds, big",    0xa1b2c3d4, true },
    {"nanoseconds, little",  0xa1b23c4d, false},
    {"nanoseconds, big",     0xa1b23c4d, true },
    {"modified, little",     0xa1b2cd34, false},
    {"modified, big",        0xa1b2cd34, true },
    {"pcapng, little",       0,          false},
    {"pcapng, big",          0,          true },
};

void
make_flavour(struct made *m, const struct flavour *f)
{
    if (f->magic != 0)
        make_pcap(m, f->magic, f->big);
    else
        make_ng(m, f->big);
}

void
through_memory(struct span in, const char *why)
{
    static const size_t chunks[] = {0, 1, 2, 3, 5, 24, 100, 100000};

    for (size_t i = 0; i < ARRAY_LEN(chunks); i++) {
        struct capture *c = open_one(in, chunks[i]);

        expect_made(c, why);
        assert_int_equal(capture_position(c), in.n);
        assert_int_equal(capture_size(c), chunks[i] == 0 ? in.n : 0);
        capture_close(c);
    }
}

void
expect(struct capture *c, ns_t when, uint16_t link, uint16_t iface, size_t n)
{
    struct packet k;

    assert_int_equal(capture_next(c, &k), CAPTURE_PACKET);
    assert_int_equal(k.when, when);
    assert_int_equal(k.link, link);
    assert_int_equal(k.iface, iface);
    assert_int_equal(k.data.n, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(span_at(k.data, i), (uint8_t)n);
}

void
make_sections(struct made *m)
{
    made_init(m, false);
    ng_section(m, false);
    ng_iface(m, (struct ng_iface){1, 96, "eth0", 6, 0});
    ng_block(m, 4, SPAN_LIT("name resolution"));
    ng_iface(m, (struct ng_iface){101, 0, "tun0", 9, 0});
    ng_enhanced(m, 0, 1000000, 60);
    ng_enhanced(m, 1, 2000000001, 61);
    ng_simple(m, 500, 96); /* cut by the snapshot length */
    ng_simple(m, 50, 50);
    ng_block(m, 0x80000bad, SPAN_LIT("a block of someone's own"));
    ng_obsolete(m, 1, 3000000000, 62);
    ng_section(m, true); /* other byte order, interfaces anew */
    ng_iface(m, (struct ng_iface){1, 0, "eth0", 6, 0});
    ng_iface(m, (struct ng_iface){113, 0, NULL, 6, 0});
    ng_simple(m, 40, 40);
    ng_enhanced(m, 1, 4000000, 63);
    ng_obsolete(m, 0, 5000000, 64);
}
