#include "dissectors/tls.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* ---- made bytes ---- */

static void
put16(struct buf *b, size_t v)
{
    buf_putc(b, (uint8_t)(v >> 8));
    buf_putc(b, (uint8_t)v);
}

/* Puts n, in width bytes, in the place kept for it before. */
static void
set_length(struct buf *b, size_t at, size_t width)
{
    size_t n = b->n - at - width;

    for (size_t i = 0; i < width; i++)
        b->p[at + i] = (uint8_t)(n >> (8 * (width - 1 - i)));
}

static size_t
hold(struct buf *b, size_t width)
{
    size_t at = b->n;

    for (size_t i = 0; i < width; i++)
        buf_putc(b, 0);
    return at;
}

static void
put_random(struct buf *b)
{
    for (uint8_t i = 0; i < 32; i++)
        buf_putc(b, i);
}

struct client {
    uint16_t legacy;
    uint16_t offered[5];
    size_t n_offered;
    struct span sni;
    size_t padding;
};

static void
put_client_hello(struct buf *b, const struct client *c)
{
    size_t body, ext, one, list, name;

    buf_putc(b, 1);
    body = hold(b, 3);
    put16(b, c->legacy);
    put_random(b);
    buf_putc(b, 0);
    put16(b, 4);
    put16(b, 0x1301);
    put16(b, 0xc02f);
    put16(b, 0x0100); /* compression: one, null */
    ext = hold(b, 2);
    put16(b, 21); /* padding, RFC 7685 */
    one = hold(b, 2);
    for (size_t i = 0; i < c->padding; i++)
        buf_putc(b, 0);
    set_length(b, one, 2);
    if (c->sni.n > 0) {
        put16(b, 0);
        one = hold(b, 2);
        list = hold(b, 2);
        buf_putc(b, 0);
        name = hold(b, 2);
        buf_span(b, c->sni);
        set_length(b, name, 2);
        set_length(b, list, 2);
        set_length(b, one, 2);
    }
    if (c->n_offered > 0) {
        put16(b, 43);
        one = hold(b, 2);
        list = hold(b, 1);
        for (size_t i = 0; i < c->n_offered; i++)
            put16(b, c->offered[i]);
        set_length(b, list, 1);
        set_length(b, one, 2);
    }
    set_length(b, ext, 2);
    set_length(b, body, 3);
}

static void
put_server_hello(struct buf *b, uint16_t legacy, uint16_t version,
                 uint16_t cipher)
{
    size_t body, ext;

    buf_putc(b, 2);
    body = hold(b, 3);
    put16(b, legacy);
    put_random(b);
    buf_putc(b, 0);
    put16(b, cipher);
    buf_putc(b, 0);
    if (version != 0) {
        ext = hold(b, 2);
        put16(b, 43);
        put16(b, 2);
        put16(b, version);
        set_length(b, ext, 2);
    }
    set_length(b, body, 3);
}

static void
put_record(struct buf *b, uint8_t type, struct span body)
{
    buf_putc(b, type);
    put16(b, 0x0301);
    put16(b, body.n);
    buf_span(b, body);
}

/* body in records of at most size bytes each. */
static void
put_records(struct buf *b, uint8_t type, struct span body, size_t size)
{
    while (body.n > 0) {
        put_record(b, type, span_head(body, size));
        body = span_tail(body, size);
    }
}

static void
put_zeros(struct buf *b, uint8_t type, size_t n)
{
    struct buf zeros;

    buf_init(&zeros, 1U << 16);
    (void)hold(&zeros, n);
    put_record(b, type, buf_view(&zeros));
    buf_free(&zeros);
}

/* ---- reading ---- */

static void
describe(const struct tls *t, struct buf *out)
{
    struct record_head head = {.type = EVENT_TLS};
    struct record_out r;
    struct record_entry e;
    struct cursor c;

    record_init(&r);
    record_begin(&r, &head);
    tls_emit(t, &r);
    assert_true(record_check(record_view(&r)));
    c = record_entries_of(record_view(&r));
    while (record_next(&c, &e)) {
        buf_str(out, field_table[e.field].path + strlen("tls."));
        buf_putc(out, '=');
        if (field_table[e.field].type == FT_U64)
            buf_u64(out, entry_u64(e.value));
        else
            buf_span(out, e.value);
        buf_putc(out, '\n');
    }
    for (size_t d = 0; d < 2; d++) {
        buf_printf(out, "%" PRIu64 " %" PRIu64 " %u %d\n", t->half[d].app_bytes,
                   t->half[d].lost_bytes, t->half[d].handshake_bytes,
                   t->half[d].lost);
    }
    record_free(&r);
}

static void
assert_text(const struct buf *got, const char *want, const char *why)
{
    if (!span_eq(buf_view(got), span_str(want)))
        fail_msg("%s:\n%.*s", why, (int)got->n, (const char *)got->p);
}

static const struct client modern = {
    .legacy = 0x0303,
    .offered = {0x2a2a, 0x0304,                      0x0303},
    .n_offered = 3,
    .sni = {(const uint8_t *)"mx.example.net",      14},
};

/* A TLS 1.3 client: hello in two records, change of cipher, data. */
static void
modern_client(struct buf *out, size_t record)
{
    struct buf hello;

    buf_init(&hello, 1U << 16);
    put_client_hello(&hello, &modern);
    put_records(out, 22, buf_view(&hello), record);
    put_record(out, 20, SPAN_LIT("\1"));
    put_zeros(out, 23, 53);
    put_zeros(out, 23, 1000);
    buf_free(&hello);
}

static void
modern_server(struct buf *out, size_t record)
{
    struct buf hello;

    buf_init(&hello, 1U << 16);
    put_server_hello(&hello, 0x0303, 0x0304, 0x1302);
    put_records(out, 22, buf_view(&hello), record);
    put_zeros(out, 23, 2000);
    buf_free(&hello);
}

#define MODERN                                                                 \
    "version=TLS 1.3\nsni=mx.example.net\nfrom_proto=smtp\ncipher=4866\n"      \
    "versions_offered=TLS 1.3\nversions_offered=TLS 1.2\n"

/* digests of "1301,c02f" and "0015,002b" by sha256sum */
#define MODERN_JA4 "ja4=t13d020300_c1929292aa6b_7418e7913c75\n"

static void
test_any_cut_same_result(void **state)
{
    static const char whole[] =
        MODERN "records_toserver=4\nrecords_toclient=2\n" MODERN_JA4
               "1053 0 87 0\n2000 0 50 0\n";
    struct buf c, s;

    (void)state;
    buf_init(&c, 1U << 16);
    buf_init(&s, 1U << 16);
    modern_client(&c, 1000);
    modern_server(&s, 1000);
    for (size_t cut = 0; cut <= s.n; cut++) {
        struct buf got;
        struct tls t;
        struct mem mem = {.max = 1U << 20};

        buf_init(&got, 4096);
        tls_init(&t, &mem, true);
        tls_data(&t, DIR_C2S, span_head(buf_view(&c), cut));
        tls_data(&t, DIR_S2C, span_head(buf_view(&s), cut));
        tls_data(&t, DIR_C2S, span_tail(buf_view(&c), cut));
        tls_data(&t, DIR_S2C, span_tail(buf_view(&s), cut));
        assert_null(t.hello);
        describe(&t, &got);
        assert_text(&got, whole, "cut");
        tls_free(&t);
        assert_int_equal(mem.used, 0);
        buf_free(&got);
    }
    buf_free(&c);
    buf_free(&s);
}

static void
test_hello_over_records(void **state)
{
    (void)state;
    for (size_t size = 1; size < 100; size++) {
        struct buf c, s, got, want;
        struct tls t;
        struct mem mem = {.max = 1U << 20};

        buf_init(&c, 1U << 16);
        buf_init(&s, 1U << 16);
        buf_init(&got, 4096);
        buf_init(&want, 4096);
        modern_client(&c, size);
        modern_server(&s, size);
        tls_init(&t, &mem, true);
        for (size_t i = 0; i < c.n; i++)
            tls_data(&t, DIR_C2S, span_head(span_tail(buf_view(&c), i), 1));
        tls_data(&t, DIR_S2C, buf_view(&s));
        describe(&t, &got);
        buf_printf(&want,
                   MODERN
                   "records_toserver=%zu\nrecords_toclient=%zu\n" MODERN_JA4
                   "1053 0 87 0\n2000 0 50 0\n",
                   (87 + size - 1) / size + 3, (50 + size - 1) / size + 1);
        buf_putc(&want, 0);
        assert_text(&got, (const char *)want.p, "records");
        tls_free(&t);
        assert_int_equal(mem.used, 0);
        buf_free(&c);
        buf_free(&s);
        buf_free(&got);
        buf_free(&want);
    }
}

/* A server of TLS 1.2: hello and a certificate that cannot be read; what it
 * says is tls_cert_test's. Any cut, and no memory is kept behind it. */
static void
old_server(struct buf *out, size_t certificate, size_t record)
{
    struct buf hello;
    size_t body;

    buf_init(&hello, 1U << 16);
    put_server_hello(&hello, 0x0303, 0, 0xc02f);
    buf_putc(&hello, 11);
    body = hold(&hello, 3);
    (void)hold(&hello, certificate);
    set_length(&hello, body, 3);
    put_records(out, 22, buf_view(&hello), record);
    put_record(out, 20, SPAN_LIT("\1"));
    buf_free(&hello);
}

static void
test_certificate_is_awaited(void **state)
{
    static const size_t sizes[] = {0, 1, 4000, TLS_HELLO_MAX, 40000};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct buf s;
        struct tls t;
        struct mem mem = {.max = 1U << 20};
        bool waited = false;

        buf_init(&s, 1U << 17);
        old_server(&s, sizes[i], 700);
        tls_init(&t, &mem, true);
        for (size_t at = 0; at < s.n; at++) {
            tls_data(&t, DIR_S2C, span_head(span_tail(buf_view(&s), at), 1));
            waited |= t.version != 0 && !t.half[DIR_S2C].hello_done;
            assert_true(mem.used <= 2 * TLS_HELLO_MAX); /* it grows in steps */
        }
        assert_true(waited);
        assert_true(t.half[DIR_S2C].hello_done);
        assert_null(t.hello);
        tls_free(&t);
        assert_int_equal(mem.used, 0);
        buf_free(&s);
    }
}

/* RFC 5246 7.3: the change of cipher follows the hello at once. */
static void
test_resumed_has_no_certificate(void **state)
{
    struct buf hello, s;
    struct tls t;
    struct mem mem = {.max = 1U << 20};

    (void)state;
    buf_init(&hello, 1U << 16);
    buf_init(&s, 1U << 16);
    put_server_hello(&hello, 0x0303, 0, 0xc02f);
    put_record(&s, 22, buf_view(&hello));
    tls_init(&t, &mem, true);
    tls_data(&t, DIR_S2C, buf_view(&s));
    assert_false(t.half[DIR_S2C].hello_done);
    buf_reset(&s);
    put_record(&s, 20, SPAN_LIT("\1"));
    put_zeros(&s, 22, 40); /* Finished, encrypted */
    tls_data(&t, DIR_S2C, buf_view(&s));
    assert_true(t.half[DIR_S2C].hello_done);
    assert_null(t.hello);
    tls_free(&t);
    assert_int_equal(mem.used, 0);
    buf_free(&hello);
    buf_free(&s);
}

static void
test_old_versions(void **state)
{
    static const struct {
        const char *why;
        uint16_t client, server;
        const char *want;
    } rows[] = {
        {"TLS 1.2",  0x0303, 0x0303,
         "version=TLS 1.2\ncipher=47\nversions_offered=TLS 1.2\n"},
        {"TLS 1.1",  0x0303, 0x0302,
         "version=TLS 1.1\ncipher=47\nversions_offered=TLS 1.2\n"},
        {"TLS 1.0",  0x0301, 0x0301,
         "version=TLSv1\ncipher=47\nversions_offered=TLSv1\n"    },
        {"SSL 3",    0x0300, 0x0300,
         "version=SSLv3\ncipher=47\nversions_offered=SSLv3\n"    },
        {"draft",    0x7f1c, 0x7f1c,
         "version=TLS 1.3 draft-28\ncipher=47\n"
         "versions_offered=TLS 1.3 draft-28\n"                   },
        {"a number", 0x0305, 0x0305,
         "version=0x0305\ncipher=47\nversions_offered=0x0305\n"  },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct client client = {.legacy = rows[i].client};
        struct buf hello, c, s, got, want;
        struct tls t;
        struct mem mem = {.max = 1U << 20};

        buf_init(&hello, 4096);
        buf_init(&c, 4096);
        buf_init(&s, 4096);
        buf_init(&got, 4096);
        buf_init(&want, 4096);
        put_client_hello(&hello, &client);
        put_record(&c, 22, buf_view(&hello));
        buf_reset(&hello);
        put_server_hello(&hello, rows[i].server, 0, 47);
        buf_str(&hello, "\x0b certificate follows in the same record");
        put_record(&s, 22, buf_view(&hello));
        tls_init(&t, &mem, false);
        tls_data(&t, DIR_C2S, buf_view(&c));
        tls_data(&t, DIR_S2C, buf_view(&s));
        describe(&t, &got);
        buf_str(&want, rows[i].want);
        buf_str(&want, "records_toserver=1\nrecords_toclient=1\n");
        assert_true(span_starts(buf_view(&got), buf_view(&want)));
        tls_free(&t);
        assert_int_equal(mem.used, 0);
        buf_free(&hello);
        buf_free(&c);
        buf_free(&s);
        buf_free(&got);
        buf_free(&want);
    }
}

/* A hole within a record's body is stepped over; any other loses the place. No
 * hole makes up facts. */
static void
test_gap_anywhere(void **state)
{
    struct buf c;

    (void)state;
    buf_init(&c, 1U << 16);
    modern_client(&c, 60);
    for (size_t at = 0; at < c.n; at++) {
        for (size_t n = 1; n <= 70 && at + n <= c.n; n += 23) {
            struct tls t;
            struct mem mem = {.max = 1U << 20};
            uint64_t sum;

            tls_init(&t, &mem, true);
            tls_data(&t, DIR_C2S, span_head(buf_view(&c), at));
            tls_gap(&t, DIR_C2S, n);
            tls_data(&t, DIR_C2S, span_tail(buf_view(&c), at + n));
            assert_true(t.half[0].records <= 5);
            assert_true(t.half[0].lost_bytes >= n);
            assert_true(t.half[0].app_bytes <= 1053);
            sum = t.half[0].app_bytes + t.half[0].lost_bytes;
            assert_true(sum <= c.n + n);
            if (!t.half[0].lost)
                assert_int_equal(t.half[0].records, 5);
            if (tls_sni(&t).n > 0)
                assert_true(span_eq(tls_sni(&t), modern.sni));
            assert_null(t.hello);
            tls_free(&t);
            assert_int_equal(mem.used, 0);
        }
    }
    buf_free(&c);
}

static void
test_gap_in_data(void **state)
{
    struct buf c;
    struct tls t;
    struct mem mem = {.max = 1U << 20};

    (void)state;
    buf_init(&c, 1U << 16);
    modern_client(&c, 1000);
    tls_init(&t, &mem, true);
    tls_data(&t, DIR_C2S, span_head(buf_view(&c), c.n - 900));
    tls_gap(&t, DIR_C2S, 900);
    tls_gap(&t, DIR_C2S, 0);
    put_zeros(&c, 23, 10);
    tls_data(&t, DIR_C2S, span_tail(buf_view(&c), c.n - 15));
    assert_false(t.half[0].lost);
    assert_int_equal(t.half[0].records, 5);
    assert_int_equal(t.half[0].app_bytes, 1063);
    tls_gap(&t, DIR_C2S, 1);
    assert_true(t.half[0].lost);
    tls_data(&t, DIR_C2S, span_tail(buf_view(&c), c.n - 15));
    assert_int_equal(t.half[0].records, 5);
    assert_int_equal(t.half[0].lost_bytes, 900 + 1 + 15);
    tls_free(&t);
    tls_free(&t);
    assert_int_equal(mem.used, 0);
    tls_free(NULL);
    buf_free(&c);
}

/* Not TLS, or no longer: bytes are counted. */
static void
test_not_records(void **state)
{
    struct tls t;
    struct mem mem = {.max = 1U << 20};

    (void)state;
    tls_init(&t, &mem, false);
    tls_data(&t, DIR_S2C, SPAN_LIT("220 mx.example.net ESMTP\r\n"));
    assert_true(t.half[1].lost);
    assert_int_equal(t.half[1].records, 0);
    assert_int_equal(t.half[1].lost_bytes, 26 - 5);
    tls_free(&t);
    assert_int_equal(mem.used, 0);
}

static void
test_sni_and_hello_limits(void **state)
{
    uint8_t name[TLS_SNI_MAX + 1];

    (void)state;
    memset(name, 'n', sizeof(name));
    for (size_t n = TLS_SNI_MAX - 1; n <= TLS_SNI_MAX + 1; n++) {
        struct client client = modern;
        struct buf hello, c;
        struct tls t;
        struct mem mem = {.max = 1U << 20};

        client.sni = span_of(name, n);
        buf_init(&hello, 1U << 16);
        buf_init(&c, 1U << 17);
        put_client_hello(&hello, &client);
        put_records(&c, 22, buf_view(&hello), 99);
        tls_init(&t, &mem, false);
        tls_data(&t, DIR_C2S, buf_view(&c));
        assert_int_equal(tls_sni(&t).n, n < TLS_SNI_MAX ? n : TLS_SNI_MAX);
        tls_free(&t);
        assert_int_equal(mem.used, 0);
        buf_free(&hello);
        buf_free(&c);
    }
    /* the names stand behind the padding: up to TLS_HELLO_MAX they are read */
    for (size_t pad = 16000; pad < 17000; pad += 20) {
        struct client client = modern;
        struct buf hello, c;
        struct tls t;
        struct mem mem = {.max = 1U << 20};

        client.padding = pad;
        buf_init(&hello, 1U << 16);
        buf_init(&c, 1U << 17);
        put_client_hello(&hello, &client);
        put_records(&c, 22, buf_view(&hello), 16384);
        tls_init(&t, &mem, false);
        tls_data(&t, DIR_C2S, buf_view(&c));
        assert_null(t.hello);
        if (hello.n <= TLS_HELLO_MAX)
            assert_true(span_eq(tls_sni(&t), modern.sni));
        assert_true(tls_sni(&t).n <= modern.sni.n);
        tls_free(&t);
        assert_int_equal(mem.used, 0);
        buf_free(&hello);
        buf_free(&c);
    }
}

static void
test_looks_like(void **state)
{
    static const struct {
        const char *why;
        struct span in;
        bool want;
    } rows[] = {
        {"empty",       {NULL, 0},                              false},
        {"one byte",    {(const uint8_t *)"\x16", 1},           true },
        {"handshake",   {(const uint8_t *)"\x16\3\1\1\0\1", 6}, true },
        {"alert",       {(const uint8_t *)"\x15\3\3\0\2", 5},   true },
        {"data",        {(const uint8_t *)"\x17\3\3\x40\0", 5}, true },
        {"length 0",    {(const uint8_t *)"\x16\3\3\0\0", 5},   false},
        {"too long",    {(const uint8_t *)"\x17\3\3\x60\0", 5}, false},
        {"version",     {(const uint8_t *)"\x16\2\3", 3},       false},
        {"SSL 2 hello", {(const uint8_t *)"\x80\x2e\1\3\1", 5}, true },
        {"8 bit",       {(const uint8_t *)"\xc3\xa9", 2},       false},
        {"SMTP",        {(const uint8_t *)"EHLO x", 6},         false},
        {"a reply",     {(const uint8_t *)"220 x", 5},          false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (tls_looks_like(rows[i].in) != rows[i].want)
            fail_msg("%s", rows[i].why);
    }
}

static void
test_sslv2_hello(void **state)
{
    struct buf c;
    struct tls t;
    struct mem mem = {.max = 1U << 20};

    (void)state;
    buf_init(&c, 4096);
    buf_put(&c, "\x80\x10\1\3\1", 5);
    (void)hold(&c, 13);
    put_zeros(&c, 22, 20);
    tls_init(&t, &mem, false);
    tls_data(&t, DIR_C2S, buf_view(&c));
    assert_false(t.half[0].lost);
    assert_int_equal(t.half[0].records, 2);
    assert_int_equal(t.half[0].handshake_bytes, 20);
    tls_free(&t);
    assert_int_equal(mem.used, 0);
    buf_free(&c);
}

/* All that is kept is charged; where there is no room the hello is given up and
 * records are counted all the same. */
static void
test_memory(void **state)
{
    struct buf c;

    (void)state;
    buf_init(&c, 1U << 16);
    modern_client(&c, 60);
    for (uint64_t max = 0; max < 1000; max += 8) {
        struct tls t;
        struct mem mem = {.max = max};
        bool held = false;

        tls_init(&t, &mem, true);
        for (size_t i = 0; i < c.n; i++) {
            tls_data(&t, DIR_C2S, span_head(span_tail(buf_view(&c), i), 1));
            assert_true(mem.used <= max);
            assert_true(t.hello == NULL || mem.used > 0);
            held |= t.hello != NULL;
        }
        assert_int_equal(t.half[0].records, 5);
        assert_true(max < 200 || held);
        assert_true(max < 600 || span_eq(tls_sni(&t), modern.sni));
        tls_free(&t);
        assert_int_equal(mem.used, 0);
    }
    buf_free(&c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_cut_same_result),
        cmocka_unit_test(test_hello_over_records),
        cmocka_unit_test(test_certificate_is_awaited),
        cmocka_unit_test(test_resumed_has_no_certificate),
        cmocka_unit_test(test_old_versions),
        cmocka_unit_test(test_gap_anywhere),
        cmocka_unit_test(test_gap_in_data),
        cmocka_unit_test(test_not_records),
        cmocka_unit_test(test_sni_and_hello_limits),
        cmocka_unit_test(test_looks_like),
        cmocka_unit_test(test_sslv2_hello),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
