#include "sensor/capture/capture_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* ---- merge ---- */

static void
make_times(struct made *m, const uint32_t *when, size_t n, uint32_t len)
{
    made_init(m, false);
    pcap_head(m, 0xa1b23c4d, 1);
    for (size_t i = 0; i < n; i++)
        pcap_packet(m, 0xa1b23c4d, when[i], len);
}

static void
test_merge(void **state)
{
    static const uint32_t a[] = {10, 30, 20, 50, 50};
    static const uint32_t b[] = {5, 10, 50, 60};
    static const struct {
        ns_t when;
        size_t file;
    } want[] = {
        {5,  1},
        {10, 0},
        {10, 1},
        {30, 0},
        {20, 0}, /* a's own order is kept */
        {50, 0},
        {50, 0},
        {50, 1},
        {60, 1},
    };
    struct made m[2];

    (void)state;
    make_times(&m[0], a, ARRAY_LEN(a), 60);
    make_times(&m[1], b, ARRAY_LEN(b), 61);
    for (unsigned how = CAPTURE_PLAIN; how <= CAPTURE_ZSTD; how++) {
        struct buf p0 = pack((enum capture_coding)how, buf_view(&m[0].b));
        struct buf p1 = pack((enum capture_coding)how, buf_view(&m[1].b));
        struct span in[2] = {buf_view(&p0), buf_view(&p1)};
        struct capture *c = open_in(in, 2, 0, NULL);

        for (size_t i = 0; i < ARRAY_LEN(want); i++)
            expect(c, want[i].when, 1, (uint16_t)want[i].file,
                   60 + want[i].file);
        assert_int_equal(drain(c), 0);
        assert_int_equal(capture_n_faults(c), 0);
        assert_int_equal(capture_facts(c, 0).packets, 5);
        assert_int_equal(capture_facts(c, 1).packets, 4);
        assert_int_equal(capture_facts(c, 0).first, 10);
        assert_int_equal(capture_facts(c, 0).last, 50);
        assert_int_equal(capture_position(c), p0.n + p1.n);
        capture_close(c);
        buf_free(&p0);
        buf_free(&p1);
    }
    buf_free(&m[0].b);
    buf_free(&m[1].b);
}

/* Many files, one in three compressed, one in five damaged, one empty. */
static void
test_merge_many(void **state)
{
    enum { FILES = 41, EACH = 7 };
    struct buf packed[FILES];
    struct span in[FILES];
    struct capture *c;
    struct packet k;
    ns_t last = 0;
    size_t n = 0;

    (void)state;
    for (uint32_t i = 0; i < FILES; i++) {
        uint32_t when[EACH];
        struct made m;

        for (uint32_t j = 0; j < EACH; j++)
            when[j] = 1 + (i * 7919) % 97 + j * (1 + i % 5);
        make_times(&m, when, EACH, 60);
        if (i % 5 == 0)
            m.b.n -= 10;
        if (i == 3)
            m.b.n = 0;
        packed[i] = pack(i % 3 == 0 && i != 3 ? CAPTURE_GZIP : CAPTURE_PLAIN,
                         buf_view(&m.b));
        in[i] = buf_view(&packed[i]);
        buf_free(&m.b);
    }
    c = open_in(in, FILES, 0, NULL);
    while (capture_next(c, &k) == CAPTURE_PACKET) {
        assert_true(k.when >= last);
        last = k.when;
        n++;
    }
    assert_int_equal(n, FILES * EACH - 9 - EACH);
    assert_int_equal(capture_n_faults(c), 9 + 1);
    assert_int_equal(capture_position(c), capture_size(c));
    capture_close(c);
    for (size_t i = 0; i < FILES; i++)
        buf_free(&packed[i]);
}

/* ---- filter ---- */

/* Ethernet, perhaps a VLAN tag, IPv4, TCP from port 1025 to the given. */
static void
put_tcp(struct made *m, ns_t when, bool eth, bool tag, uint16_t port)
{
    struct made p;

    made_init(&p, true);
    if (eth)
        put_fill(&p, 2, 12);
    if (tag) {
        put16(&p, 0x8100);
        put16(&p, 7);
    }
    if (eth)
        put16(&p, 0x0800);
    put32(&p, 0x45000028);
    put32(&p, 0);
    put32(&p, 0x40060000);
    put32(&p, 0x0a000001);
    put32(&p, 0x0a000002);
    put16(&p, 1025);
    put16(&p, port);
    put_fill(&p, 0, 16);
    put32(m, (uint32_t)(when / NS_PER_S));
    put32(m, 0);
    put32(m, (uint32_t)p.b.n);
    put32(m, (uint32_t)p.b.n);
    buf_span(&m->b, buf_view(&p.b));
    buf_free(&p.b);
}

static void
make_ports(struct made *m, uint32_t link)
{
    made_init(m, false);
    pcap_head(m, 0xa1b2c3d4, link);
    put_tcp(m, NS_PER_S, link == 1, false, 25);
    put_tcp(m, 2 * NS_PER_S, link == 1, false, 80);
    put_tcp(m, 3 * NS_PER_S, link == 1, link == 1, 25);
    put_tcp(m, 4 * NS_PER_S, link == 1, false, 587);
}

static void
test_filter(void **state)
{
    static const struct {
        const char *filter;
        uint32_t link;
        size_t want;
        size_t faults;
    } rows[] = {
        {NULL,                                    1,   4, 0},
        {"tcp port 25",                           1,   1, 0},
        {"tcp port 25 or (vlan and tcp port 25)", 1,   2, 0},
        {"vlan 7",                                1,   1, 0},
        {"vlan 8",                                1,   0, 0},
        {"tcp port 25",                           101, 2, 0},
        {"tcp port 25",                           12,  2, 0},
        {"udp",                                   1,   0, 0},
        {"ether host 02:02:02:02:02:02",          101, 0, 1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct made m;
        struct span in;
        struct capture *c;

        make_ports(&m, rows[i].link);
        in = buf_view(&m.b);
        c = open_in(&in, 1, 0, rows[i].filter);
        if (drain(c) != rows[i].want)
            fail_msg("%s on %u", rows[i].filter, rows[i].link);
        assert_int_equal(capture_n_faults(c), rows[i].faults);
        if (rows[i].faults > 0)
            assert_int_equal(capture_fault(c, 0)->kind, CAPTURE_FAULT_FILTER);
        assert_int_equal(capture_facts(c, 0).packets, 4);
        assert_int_equal(capture_facts(c, 0).filtered, 4 - rows[i].want);
        capture_close(c);
        buf_free(&m.b);
    }
}

static void
test_filter_many_links(void **state)
{
    struct made m;
    struct span in;
    struct capture *c;

    (void)state;
    made_init(&m, false);
    ng_section(&m, false);
    for (uint32_t i = 0; i <= CAPTURE_FILTER_LINKS_MAX; i++) {
        ng_iface(&m, (struct ng_iface){(uint16_t)(147 + i), 0, NULL, -1, 0});
        ng_enhanced(&m, i, 1, 60);
    }
    ng_iface(&m, (struct ng_iface){147, 0, NULL, -1, 0});
    ng_enhanced(&m, CAPTURE_FILTER_LINKS_MAX + 1, 1, 60);
    in = buf_view(&m.b);
    c = open_in(&in, 1, 0, "greater 10");
    /* libpcap takes a length on any link type it knows; the 17th is one too
     * many. */
    assert_int_equal(drain(c), CAPTURE_FILTER_LINKS_MAX + 1);
    assert_int_equal(capture_n_faults(c), 1);
    capture_close(c);
    buf_free(&m.b);
}

/* ---- opening ---- */

static const struct {
    const char *why;
    const char *files[2];
    size_t n;
    const char *filter;
    enum err want;
    const char *message;
} opens[] = {
    {"no file",            {NULL, NULL},        0, NULL,          ERR_USAGE, "no capture file is named"                          },
    {"missing",
     {"/nowhere/x.pcap", NULL},
     1,                                            NULL,
     ERR_NOENT,                                                              "/nowhere/x.pcap: no such file; check the path"     },
    {"folder",
     {"/tmp", NULL},
     1,                                            NULL,
     ERR_USAGE,                                                              "/tmp: is a directory; name the capture files in it"},
    {"second is bad",
     {"/dev/null", "/nowhere/\x1b[31m"},
     2,                                            NULL,
     ERR_NOENT,                                                              "/nowhere/\\x1b[31m: no such file; check the path"  },
    {"stdin twice",
     {"-", "-"},
     2,                                            NULL,
     ERR_USAGE,                                                              "standard input: named twice; it can be read once"  },
    {"bad filter",         {"/dev/null", NULL}, 1, "tcp prot 25", ERR_USAGE, NULL                                                },
    {"bad filter name",    {"/dev/null", NULL}, 1, "",            ERR_OK,    ""                                                  },
    {"/dev/null is empty", {"/dev/null", NULL}, 1, NULL,          ERR_OK,    ""                                                  },
};

static void
test_open(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(opens); i++) {
        const struct capture_options options = {.filter = opens[i].filter};
        struct capture *c = NULL;
        struct buf m;
        enum err e;

        buf_init(&m, 512);
        e = capture_open(opens[i].files, opens[i].n, &options, &c, &m);
        if (e != opens[i].want)
            fail_msg("%s: %s", opens[i].why, err_text(e));
        assert_true((c != NULL) == (e == ERR_OK));
        if (opens[i].message != NULL &&
            !span_eq(buf_view(&m), span_str(opens[i].message)))
            fail_msg("%s: %.*s", opens[i].why, (int)m.n, (const char *)m.p);
        if (opens[i].message == NULL)
            assert_true(m.n > 0);
        if (c != NULL) {
            assert_int_equal(drain(c), 0);
            assert_int_equal(capture_fault(c, 0)->kind, CAPTURE_FAULT_EMPTY);
        }
        capture_close(c);
        buf_free(&m);
    }
}

static void
test_not_a_capture(void **state)
{
    static const struct {
        struct span in;
        const char *word;
    } rows[] = {
        {LIT("hello world, this is text"), "not a pcap or pcapng"},
        {LIT("\xfd"
             "7zXZ\0\0"),
         "xz -dc"                                                },
        {LIT("BZh91AY"),                   "bzip2 -dc"           },
        {LIT("PK\3\4...."),                "zip archive"         },
        {LIT("snoop\0\0\0"),               "snoop"               },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t chunk = 0; chunk < 2; chunk++) {
            struct capture *c = NULL;
            struct buf m;

            buf_init(&m, 512);
            assert_int_equal(
                capture_open_memory(&rows[i].in, 1, chunk, NULL, &c, &m),
                ERR_FORMAT);
            assert_null(c);
            assert_true(span_search(buf_view(&m), span_str(rows[i].word)) <
                        m.n);
            buf_free(&m);
        }
    }
}

/* ---- memory ---- */

/* The linker chooses these names. NOLINTBEGIN */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static long fail_at = -1; /* this many more succeed; -1: all do */

static bool
alloc_fails(void)
{
    if (fail_at < 0)
        return false;
    return fail_at == 0 || fail_at-- == 0;
}

void *
__wrap_malloc(size_t n)
{
    return alloc_fails() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
    return alloc_fails() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
    return alloc_fails() ? NULL : __real_realloc(p, n);
}
/* NOLINTEND */

/* Every allocation fails in turn: an error at open, or a fault, never more
 * packets, nothing leaks (the address sanitizer looks). */
static void
test_no_memory(void **state)
{
    struct made m;
    struct buf packed;
    struct span in[2];
    size_t n = 0;

    (void)state;
    make_sections(&m);
    packed = pack(CAPTURE_GZIP, buf_view(&m.b));
    in[0] = buf_view(&m.b);
    in[1] = buf_view(&packed);
    for (long k = 0; n < 2 * m.n; k++) {
        struct capture *c = NULL;
        struct packet p;
        struct buf message;
        uint8_t room[256];
        enum err e;

        assert_true(k < 100);
        message = (struct buf){.p = room, .cap = 256, .max = 256};
        n = 0;
        fail_at = k;
        e = capture_open_memory(in, 2, 64, NULL, &c, &message);
        while (e == ERR_OK && capture_next(c, &p) == CAPTURE_PACKET)
            n++;
        fail_at = -1;
        assert_true(e == ERR_OK || (e == ERR_NOMEM && message.n > 0));
        if (e == ERR_OK && n < 2 * m.n)
            assert_int_equal(capture_fault(c, 0)->kind, CAPTURE_FAULT_MEMORY);
        capture_close(c);
    }
    buf_free(&packed);
    buf_free(&m.b);
}

/* ---- real captures ---- */

#define REAL "../shared/captures/"

static struct buf
load(const char *path)
{
    struct buf b;
    FILE *f = fopen(path, "rb");
    size_t n = 1;

    buf_init(&b, MADE_MAX);
    while (f != NULL && n > 0 && buf_grow(&b, 65536)) {
        n = fread(b.p + b.n, 1, 65536, f);
        b.n += n;
    }
    if (f != NULL)
        (void)fclose(f);
    return b;
}

/* One CSV field, RFC 4180; false at the end of the line. */
static bool
csv_field(struct cursor *c, struct buf *out)
{
    bool quoted = false;
    uint8_t b = 0;

    buf_reset(out);
    while (cur_left(c) > 0) {
        b = cur_u8(c);
        if (b == '"') {
            quoted = !quoted;
            if (quoted && out->n > 0)
                buf_putc(out, b); /* a doubled quote */
        } else if (!quoted && (b == ',' || b == '\n')) {
            break;
        } else {
            buf_putc(out, b);
        }
    }
    return b == ',';
}

static uint64_t
count_real(const char *file)
{
    char path[512];
    const char *names[] = {path};
    struct capture *c;
    struct buf message;
    uint64_t n;

    buf_init(&message, 512);
    (void)snprintf(path, sizeof(path), REAL "%s", file);
    if (capture_open(names, 1, NULL, &c, &message) != ERR_OK)
        fail_msg("%.*s", (int)message.n, (const char *)message.p);
    n = drain(c);
    for (size_t i = 0; i < capture_n_faults(c); i++)
        print_message("%s: %s\n", file, capture_fault(c, i)->text);
    capture_close(c);
    return n;
}

static void
check_row(const char *file, uint64_t want)
{
    uint64_t n = count_real(file);

    if (n != want)
        fail_msg("%s: %llu packets, not %llu", file, (unsigned long long)n,
                 (unsigned long long)want);
}

static void
test_real(void **state)
{
    struct buf all = load(REAL "MANIFEST.csv");
    struct cursor c = cur_open(buf_view(&all));
    size_t column = SIZE_MAX;
    size_t rows = 0;
    struct buf field;

    (void)state;
    if (all.n == 0) {
        print_message("skipped: no " REAL "MANIFEST.csv\n");
        buf_free(&all);
        skip();
    }
    buf_init(&field, 1 << 20);
    for (bool header = true; cur_left(&c) > 0; header = false) {
        char file[256] = "";
        uint64_t packets = 0;
        bool more = true;

        for (size_t i = 0; more; i++) {
            more = csv_field(&c, &field);
            if (header && span_eq(buf_view(&field), SPAN_LIT("packets")))
                column = i;
            if (i == 0)
                (void)snprintf(file, sizeof(file), "%.*s", (int)field.n,
                               (const char *)field.p);
            if (i == column && !header)
                assert_true(span_to_u64(buf_view(&field), &packets));
        }
        if (header || file[0] == '\0')
            continue;
        check_row(file, packets);
        rows++;
    }
    print_message("%zu real captures\n", rows);
    assert_true(rows > 0);
    buf_free(&field);
    buf_free(&all);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_merge_many),
        cmocka_unit_test(test_filter),
        cmocka_unit_test(test_filter_many_links),
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_not_a_capture),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_real),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
