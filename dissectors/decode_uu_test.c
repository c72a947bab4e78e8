#include "dissectors/decode_test_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define ODD(id)  (1U << DECODE_ODD_##id)
#define FORK(id) (1U << DECODE_FORK_##id)

#define BEGIN "begin 644 a.bin\r\n"

static const struct {
    const char *why, *in, *want;
    uint32_t odd;
} rows[] = {
  /* clang-format off */
    {"nothing", "", "", ODD(NO_END)},
    {"a file", BEGIN "#0V%T\r\n`\r\nend\r\n", "Cat", 0},
    {"with LF", "begin 644 a\n#0V%T\n`\nend\n", "Cat", 0},
    {"two lines", BEGIN "#0V%T\r\n#0V%T\r\n \r\nend\r\n", "CatCat", 0},
    {"two bytes", BEGIN "\"0V$\r\n`\r\nend", "Ca", 0},
    {"one byte", BEGIN "!0P\r\n`\r\nend", "C", 0},
    {"one byte, whole group", BEGIN "!0P  \r\n`\r\nend", "C", 0},
    {"checksum digit", BEGIN "#0V%T*\r\n`\r\nend", "Cat", 0},
    {"text before and behind", "Dear\r\n\r\n" BEGIN "#0V%T\r\nend\r\nM0V%T\r\n", "Cat", ODD(JUNK)},
    {"blanks cut off at the end", BEGIN "#0P\r\n`\r\nend", NULL, ODD(BAD_LENGTH)},
    {"no end", BEGIN "#0V%T\r\n", "Cat", ODD(NO_END)},
    {"last line without its end", BEGIN "#0V%T", "Cat", ODD(NO_END)},
    {"no begin", "#0V%T\r\n`\r\nend\r\n", "Cat", ODD(NO_BEGIN)},
    {"no begin, checksum digit", "#0V%T*\r\n`\r\nend\r\n", "Cat", ODD(NO_BEGIN)},
    {"no begin, a line too long", "#0V%T**\r\n", "", ODD(JUNK) | ODD(NO_END)},
    {"no begin after text", "Cats\r\n#0V%T\r\n", "", ODD(JUNK) | ODD(NO_END)},
    {"not quite begin", "begin 6 a\r\n#0V%T\r\n", "", ODD(JUNK) | ODD(NO_END)},
    {"digits outside the alphabet", BEGIN "#0V%\x7f\r\n`\r\nend", "Ca_", ODD(JUNK)},
    {"line of another alphabet", BEGIN "abc\r\n#0V%T\r\nend", "Cat", ODD(JUNK)},
    {"line too long", BEGIN "#0V%T0V%T\r\nend", "Cat", ODD(BAD_LENGTH)},
    {"line too short", BEGIN "&0V%T\r\nend", NULL, ODD(BAD_LENGTH)},
    {"line much too long", BEGIN "#0V%T0000000000000000000000000000000000000000000000000000000000000000000000"
     "00000000000000000000000000000000000000000000\r\nend", "Cat", ODD(BAD_LENGTH)},
    {"blank lines", BEGIN "\r\n#0V%T\r\n  \r\n#0V%T\r\n\r\nend", "CatCat", 0},
  /* clang-format on */
};

static void
test_rows(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct decode_run r = {.kind = DECODE_UU};
        struct buf out;

        buf_init(&out, 1U << 16);
        decode_run_all_cuts(&r, span_str(rows[i].in), &out);
        if (rows[i].want != NULL &&
            !span_eq(buf_view(&out), span_str(rows[i].want)))
            fail_msg("%s: got '%.*s'", rows[i].why, (int)out.n, (char *)out.p);
        if (r.odd != rows[i].odd || r.forks != 0)
            fail_msg("%s: odd %x, forks %x", rows[i].why, r.odd, r.forks);
        buf_free(&out);
    }
}

/* As uuencode writes them, or with blanks for zeros and those cut off. */
static void
encode(struct buf *out, struct span in, bool cut_blanks)
{
    buf_str(out, "begin 600 x\n");
    while (in.n > 0) {
        struct span line = span_head(in, 45);

        buf_putc(out, (uint8_t)(' ' + line.n));
        for (size_t i = 0; i < line.n; i += 3) {
            uint32_t v = (uint32_t)span_at(line, i) << 16 |
                         (uint32_t)span_at(line, i + 1) << 8 |
                         span_at(line, i + 2);

            for (unsigned k = 0; k < 4; k++) {
                uint8_t six = v >> (18 - 6 * k) & 63;

                buf_putc(out,
                         six == 0 && !cut_blanks ? '`' : (uint8_t)(' ' + six));
            }
        }
        while (cut_blanks && out->p[out->n - 1] == ' ')
            out->n--;
        buf_putc(out, '\n');
        in = span_tail(in, line.n);
    }
    buf_str(out, "`\nend\n");
}

static void
test_every_length(void **unused)
{
    uint8_t plain[200];

    (void)unused;
    for (size_t i = 0; i < sizeof(plain); i++)
        plain[i] = i % 5 < 3 ? 0 : (uint8_t)(i * 89);
    for (size_t n = 0; n <= sizeof(plain); n++) {
        struct decode_run r = {.kind = DECODE_UU};
        struct buf in, out;

        buf_init(&in, 4096);
        buf_init(&out, 4096);
        encode(&in, span_of(plain, n), false);
        decode_run_all_cuts(&r, buf_view(&in), &out);
        assert_true(span_eq(buf_view(&out), span_of(plain, n)));
        assert_int_equal(r.odd, 0);
        buf_reset(&in);
        buf_reset(&out);
        encode(&in, span_of(plain, n), true);
        decode_run_all_cuts(&r, buf_view(&in), &out);
        assert_true(span_eq(buf_view(&out), span_of(plain, n)));
        buf_free(&in);
        buf_free(&out);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_every_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
