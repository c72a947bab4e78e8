#include "dissectors/ja4.h"

#include "sensor/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define MAX_VALUES 600

/* What a hello is made of: numbers in hexadecimal, parted by commas. */
struct made {
    const char *why;
    const char *version, *ciphers;
    const char *extensions; /* in this order; contents are made as needed */
    const char *signatures, *versions;
    const char *alpn;
    const char *want; /* NULL: none */
};

static void
put16(struct buf *b, size_t v)
{
    buf_putc(b, (uint8_t)(v >> 8));
    buf_putc(b, (uint8_t)v);
}

static size_t
numbers(const char *text, uint16_t out[MAX_VALUES])
{
    char *end;
    size_t n = 0;

    while (*text != '\0' && n < MAX_VALUES) {
        out[n++] = (uint16_t)strtoul(text, &end, 16);
        text = *end == ',' ? end + 1 : end;
    }
    return n;
}

static void
put_numbers(struct buf *b, const char *text)
{
    uint16_t v[MAX_VALUES];
    const size_t n = numbers(text, v);

    for (size_t i = 0; i < n; i++)
        put16(b, v[i]);
}

static void
put_extension(struct buf *out, const struct made *m, uint16_t type)
{
    struct buf body;

    buf_init(&body, 65536);
    if (type == 13) {
        uint16_t v[MAX_VALUES];

        put16(&body, 2 * numbers(m->signatures, v));
        put_numbers(&body, m->signatures);
    } else if (type == 16) {
        put16(&body, strlen(m->alpn) + 1);
        buf_putc(&body, (uint8_t)strlen(m->alpn));
        buf_str(&body, m->alpn);
    } else if (type == 43) {
        uint16_t v[MAX_VALUES];

        buf_putc(&body, (uint8_t)(2 * numbers(m->versions, v)));
        put_numbers(&body, m->versions);
    }
    put16(out, type);
    put16(out, body.n);
    buf_span(out, buf_view(&body));
    buf_free(&body);
}

static void
make(struct buf *b, const struct made *m)
{
    uint16_t v[MAX_VALUES];
    struct buf ext;
    size_t n = numbers(m->version, v);

    put_numbers(b, m->version);
    for (size_t i = 0; i < 32; i++)
        buf_putc(b, (uint8_t)i);
    buf_putc(b, 0);
    n = numbers(m->ciphers, v);
    put16(b, 2 * n);
    put_numbers(b, m->ciphers);
    put16(b, 0x0100);
    if (m->extensions == NULL)
        return;
    buf_init(&ext, 65536);
    n = numbers(m->extensions, v);
    for (size_t i = 0; i < n; i++)
        put_extension(&ext, m, v[i]);
    put16(b, ext.n);
    buf_span(b, buf_view(&ext));
    buf_free(&ext);
}

/* Chrome 112, the example of FoxIO's description; the two digests were made
 * with sha256sum over the lists that it prints. */
#define CHROME_CIPHERS                                                         \
    "1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,"   \
    "0035"
#define CHROME_EXTENSIONS                                                      \
    "001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,"   \
    "000a,0015"
#define CHROME_SIGNATURES "0403,0804,0401,0503,0805,0501,0806,0601"

static const struct made example = {
    .why = "the example",
    .version = "303",
    .ciphers = CHROME_CIPHERS,
    .extensions = CHROME_EXTENSIONS,
    .signatures = CHROME_SIGNATURES,
    .versions = "304,303",
    .alpn = "h2",
    .want = "t13d1516h2_8daaf6152771_e5627efa2ab1",
};
static const struct made grease = {
    .why = "GREASE changes nothing",
    .version = "303",
    .ciphers = "1a1a," CHROME_CIPHERS,
    .extensions = "2a2a," CHROME_EXTENSIONS ",fafa",
    .signatures = CHROME_SIGNATURES ",8a8a",
    .versions = "baba,304,303",
    .alpn = "h2",
    .want = "t13d1516h2_8daaf6152771_e5627efa2ab1",
};
static const struct made bare = {
    .why = "no extensions, as TLS 1.1 may",
    .version = "302",
    .ciphers = "002f",
    .signatures = "",
    .versions = "",
    .alpn = "",
    .want = "t11i010000_ba72b8082249_000000000000",
};
static const struct made no_ciphers = {
    .why = "no ciphers",
    .version = "303",
    .ciphers = "",
    .extensions = "0017",
    .signatures = "",
    .versions = "",
    .alpn = "",
    .want = "t12i000100_000000000000_1ca028f07214",
};
static const struct made unknown = {
    .why = "a version unknown",
    .version = "305",
    .ciphers = "",
    .signatures = "",
    .versions = "",
    .alpn = "",
    .want = "t00i000000_000000000000_000000000000",
};
static const struct made ssl3 = {
    .why = "SSL 3",
    .version = "300",
    .ciphers = "",
    .signatures = "",
    .versions = "",
    .alpn = "",
    .want = "ts3i000000_000000000000_000000000000",
};
static const struct made odd_alpn = {
    .why = "ALPN with other bytes at its ends",
    .version = "303",
    .ciphers = "",
    .extensions = "0010",
    .signatures = "",
    .versions = "",
    .alpn = "\xab-\xcd",
    .want = "t12i0001ad_000000000000_000000000000",
};
static const struct made short_alpn = {
    .why = "ALPN of one character",
    .version = "303",
    .ciphers = "",
    .extensions = "0010",
    .signatures = "",
    .versions = "",
    .alpn = "h",
    .want = "t12i0001hh_000000000000_000000000000",
};
static const struct made *const rows[] = {&example,    &grease,    &bare,
                                          &no_ciphers, &unknown,   &ssl3,
                                          &odd_alpn,   &short_alpn};

static void
test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char got[JA4_LEN + 1] = "none";
        struct buf b;

        buf_init(&b, 65536);
        make(&b, rows[i]);
        if (!ja4_client(buf_view(&b), got) || strcmp(got, rows[i]->want) != 0)
            fail_msg("%s: %s", rows[i]->why, got);
        buf_free(&b);
    }
}

/* A hello cut anywhere but where extensions may be missing has none. */
static void
test_cut(void **state)
{
    char got[JA4_LEN + 1];
    struct buf b;
    unsigned with = 0;

    (void)state;
    buf_init(&b, 65536);
    make(&b, &example);
    for (size_t n = 0; n < b.n; n++) {
        uint8_t *exact = malloc(n + 1); /* so that reading past it is seen */

        assert_non_null(exact);
        memcpy(exact, b.p, n);
        with += ja4_client(span_of(exact, n), got);
        free(exact);
    }
    assert_int_equal(with, 1);
    buf_free(&b);
}

static void
test_limits(void **state)
{
    (void)state;
    for (size_t n = JA4_LIST_MAX - 1; n <= JA4_LIST_MAX + 1; n++) {
        char got[JA4_LEN + 1];
        struct buf b;

        buf_init(&b, 65536);
        put16(&b, 0x0303);
        for (size_t i = 0; i < 33; i++)
            buf_putc(&b, 0);
        put16(&b, 2 * n);
        for (size_t i = 0; i < n; i++)
            put16(&b, i);
        put16(&b, 0x0100);
        assert_int_equal(ja4_client(buf_view(&b), got), n <= JA4_LIST_MAX);
        if (n <= JA4_LIST_MAX)
            assert_memory_equal(got, "t12i990000_", 11);
        buf_free(&b);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
