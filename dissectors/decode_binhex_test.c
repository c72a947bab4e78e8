#include "dissectors/decode_test_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define ODD(id)  (1U << DECODE_ODD_##id)
#define FORK(id) (1U << DECODE_FORK_##id)

#define MARK    0x90
#define COMMENT "(This file must be converted with BinHex 4.0)\r\n\r\n"

/* An encoder from RFC 1741, for what the tests feed. */
struct enc {
    struct buf packed, text;
    uint16_t crc;
};

static void
enc_open(struct enc *e)
{
    buf_init(&e->packed, 1U << 20);
    buf_init(&e->text, 1U << 20);
    e->crc = 0;
}

static void
enc_close(struct enc *e)
{
    buf_free(&e->packed);
    buf_free(&e->text);
}

static void
enc_byte(struct enc *e, uint8_t b)
{
    e->crc ^= (uint16_t)(b << 8);
    for (unsigned i = 0; i < 8; i++)
        e->crc = (uint16_t)(e->crc << 1 ^ (e->crc & 0x8000 ? 0x1021 : 0));
    buf_putc(&e->packed, b);
    if (b == MARK)
        buf_putc(&e->packed, 0);
}

static void
enc_number(struct enc *e, uint32_t v, unsigned bytes)
{
    for (unsigned i = bytes; i > 0; i--)
        enc_byte(e, (uint8_t)(v >> (8 * (i - 1))));
}

static void
enc_crc(struct enc *e, uint16_t wrong)
{
    enc_number(e, e->crc ^ wrong, 2);
    e->crc = 0;
}

static void
enc_head(struct enc *e, const char *name, uint32_t size)
{
    enc_number(e, (uint32_t)strlen(name), 1);
    for (const char *p = name; *p != '\0'; p++)
        enc_byte(e, (uint8_t)*p);
    enc_number(e, 0, 1);
    enc_number(e, 0x54455854, 4);
    enc_number(e, 0x3f3f3f3f, 4);
    enc_number(e, 0, 2);
    enc_number(e, size, 4);
    enc_number(e, 0, 4);
    enc_crc(e, 0);
}

static void
enc_text(struct enc *e)
{
    static const char digits[] = "!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUV"
                                 "XYZ[`abcdefhijklmpqr";
    struct span in = buf_view(&e->packed);
    size_t column = 1;

    buf_str(&e->text, ":");
    for (size_t i = 0; i * 6 < in.n * 8; i++) {
        size_t at = i * 6 / 8;
        uint32_t two = (uint32_t)span_at(in, at) << 8 | span_at(in, at + 1);

        buf_putc(&e->text, (uint8_t)digits[two >> (10 - i * 6 % 8) & 63]);
        if (++column % 64 == 0)
            buf_str(&e->text, "\r\n");
    }
    buf_str(&e->text, ":\r\n");
}

static void
check(const char *why, struct enc *e, const char *before, struct span want,
      uint32_t odd)
{
    struct decode_run r = {.kind = DECODE_BINHEX};
    struct buf in, out;

    enc_text(e);
    buf_init(&in, 1U << 20);
    buf_init(&out, 1U << 20);
    buf_str(&in, before);
    buf_span(&in, buf_view(&e->text));
    decode_run_all_cuts(&r, buf_view(&in), &out);
    if (!span_eq(buf_view(&out), want))
        fail_msg("%s: %zu bytes", why, out.n);
    if (r.odd != odd)
        fail_msg("%s: odd %x", why, r.odd);
    buf_free(&in);
    buf_free(&out);
}

static void
test_every_length(void **unused)
{
    uint8_t plain[100];

    (void)unused;
    for (size_t i = 0; i < sizeof(plain); i++)
        plain[i] = (uint8_t)(0x90 + i * 16);
    for (size_t n = 0; n <= sizeof(plain); n++) {
        struct enc e;

        enc_open(&e);
        enc_head(&e, "name.bin", (uint32_t)n);
        for (size_t i = 0; i < n; i++)
            enc_byte(&e, plain[i]);
        enc_crc(&e, 0);
        enc_crc(&e, 0);
        check("any length", &e, COMMENT, span_of(plain, n), 0);
        enc_close(&e);
    }
}

static void
test_repetitions(void **unused)
{
    uint8_t want[2 + 254 + 254 + 2];
    struct enc e;
    uint16_t crc;

    (void)unused;
    memset(want, 'a', sizeof(want));
    want[1] = MARK;
    memset(want + 2, MARK, 254 + 254);
    want[sizeof(want) - 1] = 'b';
    enc_open(&e);
    for (size_t i = 0; i < sizeof(want); i++)
        enc_byte(&e, want[i]);
    crc = e.crc;
    e.crc = 0;
    buf_reset(&e.packed);
    enc_head(&e, "x", sizeof(want));
    buf_put(&e.packed,
            "a\x90\x00\x90\xff\x90\xff"
            "a\x90\x01"
            "b",
            11);
    e.crc = crc;
    enc_crc(&e, 0);
    enc_crc(&e, 0);
    check("two repetitions of a mark, one of one", &e, COMMENT,
          span_of(want, sizeof(want)), 0);
    enc_close(&e);
}

static void
test_dirt(void **unused)
{
    static const struct {
        const char *why, *before;
        uint32_t size;
        uint16_t wrong;
        const char *want;
        uint32_t odd;
    } rows[] = {
        {"no comment",              "",                           3,   0, "Cat",         0            },
        {"blank lines",             "\r\n\n",                     3,   0, "Cat",         0            },
        {"text before the comment", "Hi: all\r\n:-)\r\n" COMMENT, 3,   0, "Cat",
         0                                                                                            },
        {"text and no comment",     "Hi\r\n",                     3,   0, "",            ODD(NO_END)  },
        {"wrong checksum",          COMMENT,                      3,   1, "Cat",         ODD(CHECKSUM)},
        {"shorter than it says",    COMMENT,                      300, 0, "Cat\x85\xab", ODD(NO_END)  },
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct enc e;
        struct span want = span_str(rows[i].want);

        enc_open(&e);
        enc_head(&e, "cat", rows[i].size);
        for (const char *p = "Cat"; *p != '\0'; p++)
            enc_byte(&e, (uint8_t)*p);
        if (rows[i].size == 300)
            want = span_of("Cat", 3);
        else
            enc_crc(&e, rows[i].wrong);
        check(rows[i].why, &e, rows[i].before, want, rows[i].odd);
        enc_close(&e);
    }
}

static void
test_hostile(void **unused)
{
    static const char *const ins[] = {
        "::",
        ":",
        ":!",
        ":!!!!:",
        COMMENT ":rrrrrrrrrrrrrrrr:",
        COMMENT ":\x80\xff()*+ ~~~~:",
        COMMENT,
        "(((((((",
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(ins); i++) {
        struct decode_run r = {.kind = DECODE_BINHEX};
        struct buf out;

        buf_init(&out, 4096);
        decode_run_all_cuts(&r, span_str(ins[i]), &out);
        assert_int_equal(out.n, 0);
        buf_free(&out);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_repetitions),
        cmocka_unit_test(test_dirt),
        cmocka_unit_test(test_hostile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
