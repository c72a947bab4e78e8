#include "dissectors/decode_test_kit.h"
#include "sensor/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define ODD(id)  (1U << DECODE_ODD_##id)
#define FORK(id) (1U << DECODE_FORK_##id)

static const struct {
    const char *why, *in;
    uint8_t fork, choice; /* other forks: choice 0 */
    const char *want;
    uint32_t odd;
    unsigned forks;
} rows[] = {
  /* clang-format off */
    {"nothing", "", 0, 0, "", 0, 0},
    {"one group", "QUJD", 0, 0, "ABC", 0, 0},
    {"two pads", "QQ==", 0, 0, "A", 0, 0},
    {"one pad", "QUI=", 0, 0, "AB", 0, 0},
    {"RFC 4648 10", "Zm9vYmFy", 0, 0, "foobar", 0, 0},
    {"line ends", "Zm9v\r\nYmFy\r\n", 0, 0, "foobar", 0, 0},
    {"line ends in a long line's group", "QUJDREVGR0hJSktMTU\n5PUFFS\r\nU1RVVldYWVo=\r\n", 0, 0, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", 0, 0},
    {"blanks are no junk", "Zm 9v\tYm\rFy", 0, 0, "foobar", 0, 0},
    {"blank lines at both ends", "\r\n\r\nQUJD\r\n\r\n", 0, 0, "ABC", 0, 0},
    {"blank line between groups", "QUJD\r\n\r\nREVG", 0, 0, "ABCDEF", ODD(BLANK_LINE), 0},
    {"no padding, two digits", "QUJDQQ", 0, 0, "ABCA", ODD(NO_PAD), 0},
    {"no padding, three digits", "QUI", 0, 0, "AB", ODD(NO_PAD), 0},
    {"one digit too many", "QUJDQ", 0, 0, "ABC", ODD(NO_PAD), 0},
    {"one of two pads", "QQ=", 0, 0, "A", ODD(BAD_PAD), 0},
    {"three pads", "QQ===", 0, 0, "A", ODD(BAD_PAD), 0},
    {"pad and nothing else", "=", 0, 0, "", ODD(BAD_PAD), 0},
    {"pad behind a group", "QUJD=\r\n", 0, 0, "ABC", ODD(BAD_PAD), 0},
    {"control bytes are skipped and fork not", "QU\x01J\x80\x0b" "D", 0, 0, "ABC", ODD(JUNK), 0},
    {"junk behind the padding", "QQ==\r\n--_!", 0, 0, "A", ODD(JUNK), 0},

    {"data behind padding goes on", "QQ==QUJD", DECODE_FORK_PAD, 0, "AABC", ODD(AFTER_PAD), FORK(PAD)},
    {"or is nothing", "QQ==QUJD", DECODE_FORK_PAD, 1, "A", ODD(AFTER_PAD), FORK(PAD)},
    {"nothing for the strict", "QQ==QUJD", DECODE_FORK_PAD, 2, "A", ODD(AFTER_PAD), FORK(PAD)},
    {"or it is zero", "QEB=QUJDQEB=", DECODE_FORK_PAD, 3, "@@@ABC@@@", ODD(AFTER_PAD), FORK(PAD)},
    {"pad behind each group", "QUJD=REVG=", DECODE_FORK_PAD, 0, "ABCDEF", ODD(AFTER_PAD) | ODD(BAD_PAD), FORK(PAD)},
    {"which ends the body for some", "QUJD=REVG=", DECODE_FORK_PAD, 1, "ABC", ODD(AFTER_PAD) | ODD(BAD_PAD), FORK(PAD)},
    {"not for the strict", "QUJD=REVG=", DECODE_FORK_PAD, 2, "ABCDEF", ODD(AFTER_PAD) | ODD(BAD_PAD), FORK(PAD)},
    {"half a pad ends its group", "QQ=Qg=Qw=", DECODE_FORK_PAD, 0, "ABC", ODD(AFTER_PAD) | ODD(BAD_PAD), FORK(PAD)},
    {"half a pad is nothing", "QU=JD", DECODE_FORK_PAD, 2, "ABC", ODD(AFTER_PAD), FORK(PAD)},
    {"zero within a group", "Q=EAQEBA", DECODE_FORK_PAD, 3, NULL, ODD(AFTER_PAD) | ODD(BAD_PAD), FORK(PAD)},
    {"pad within a group, then in front", "Q=UJ=D", DECODE_FORK_PAD, 0, "AB", ODD(AFTER_PAD) | ODD(BAD_PAD) | ODD(NO_PAD), FORK(PAD)},

    {"junk is skipped", "Q#UJD*\r\nREVG", DECODE_FORK_JUNK, 0, "ABCDEF", ODD(JUNK), FORK(JUNK)},
    {"with its line", "QUJD#UJD*\r\nREVG", DECODE_FORK_JUNK, 1, "ABCDEF", ODD(JUNK), FORK(JUNK)},
    {"with its line, LF in the next piece", "QUJD#\rQUJD\nREVG#", DECODE_FORK_JUNK, 1, "ABCDEF", ODD(JUNK), FORK(JUNK)},

    {"blank line in a group, on", "QU\r\n\r\nJD", DECODE_FORK_RESTART, 0, "ABC", ODD(BLANK_LINE), FORK(RESTART)},
    {"blank line in a group, anew", "QU\r\n\r\nREVG", DECODE_FORK_RESTART, 1, "DEF", ODD(BLANK_LINE), FORK(RESTART)},
    {"blank line with blanks", "QU\r\n \t\r\nREVG", DECODE_FORK_RESTART, 1, "DEF", ODD(BLANK_LINE), FORK(RESTART)},
    {"blank line behind a long line, anew", "QUJDREVGR0hJSktMTU\r\n\r\nREVG", DECODE_FORK_RESTART, 1, "ABCDEFGHIJKLDEF", ODD(BLANK_LINE), FORK(RESTART)},
    {"blank line of LF behind a long line, on", "QUJDREVGR0hJSktMTU\n\nVG", DECODE_FORK_RESTART, 0, "ABCDEFGHIJKLMEF", ODD(BLANK_LINE), FORK(RESTART)},
    {"short line, on", "QU\r\nJD", DECODE_FORK_LINE, 0, "ABC", 0, FORK(LINE)},
    {"short line, anew", "QUJDx\r\nREVGx\r\nQUJD", DECODE_FORK_LINE, 1, "ABCDEFABC", 0, FORK(LINE)},
    {"short line, anew, at the end too", "QUJDxx\r\nREVGxx", DECODE_FORK_LINE, 1, "ABCDEF", ODD(NO_PAD), FORK(LINE)},
    {"short line, anew, blank line too", "QUJDx\r\nREVGx\r\n\r\nQUJD", DECODE_FORK_LINE, 1, "ABCDEFABC", ODD(BLANK_LINE), FORK(LINE)},
    {"only the first line counts", "QUJD\r\nRE\r\nVG", 0, 0, "ABCDEF", 0, 0},
    {"15 digits are short", "QUJDREVGR0hJSkt\r\nM", 0, 0, "ABCDEFGHIJKL", 0, FORK(LINE)},
    {"16 are not", "QUJDREVGR0hJSktMQ\r\nUJD", 0, 0, "ABCDEFGHIJKLABC", 0, 0},
  /* clang-format on */
};

static void
test_rows(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t choices[DECODE_FORK_COUNT] = {0};
        struct decode_run r = {.kind = DECODE_BASE64, .choices = choices};
        struct buf out;

        choices[rows[i].fork] = rows[i].choice;
        buf_init(&out, 1U << 16);
        decode_run_all_cuts(&r, span_str(rows[i].in), &out);
        if (rows[i].want != NULL &&
            !span_eq(buf_view(&out), span_str(rows[i].want)))
            fail_msg("%s: got '%.*s'", rows[i].why, (int)out.n, (char *)out.p);
        if (r.odd != rows[i].odd || r.forks != rows[i].forks)
            fail_msg("%s: odd %x, forks %x", rows[i].why, r.odd, r.forks);
        buf_free(&out);
    }
}

/* Deterministic noise. */
static uint32_t
noise(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (uint32_t)(*state >> 33);
}

/* Lines of `width` digits (0: all in one) with their ends. */
static void
fold(struct buf *out, struct span digits, size_t width, const char *end)
{
    if (width == 0)
        width = digits.n;
    while (digits.n > 0) {
        buf_span(out, span_head(digits, width));
        buf_str(out, end);
        digits = span_tail(digits, width);
    }
}

static void
test_lines_of_any_length(void **unused)
{
    static const char *const ends[] = {"\r\n", "\n"};
    static const size_t widths[] = {0,  16, 19, 60, 63, 64,  65,  70,
                                    72, 75, 76, 77, 78, 127, 128, 998};
    uint64_t state = 1;
    struct buf plain, digits;

    (void)unused;
    buf_init(&plain, 1U << 20);
    buf_init(&digits, 1U << 20);
    for (size_t i = 0; i < 20000; i++)
        buf_putc(&plain, (uint8_t)noise(&state));
    text_base64(&digits, buf_view(&plain));
    for (size_t i = 0; i < ARRAY_LEN(widths) * 2; i++) {
        struct buf folded, out;

        buf_init(&folded, 1U << 20);
        buf_init(&out, 1U << 20);
        fold(&folded, buf_view(&digits), widths[i / 2], ends[i % 2]);
        for (unsigned k = 0; decode_kernel(k) != NULL; k++) {
            struct decode_run r = {.kind = DECODE_BASE64, .kernel = k};

            r.cut = 1000 + i;
            r.piece = 1460;
            r.room = 2048;
            if (!decode_use(&r.end, k))
                continue;
            buf_reset(&out);
            decode_run(&r, buf_view(&folded), &out);
            assert_true(span_eq(buf_view(&out), buf_view(&plain)));
            assert_int_equal(r.odd, 0);
            assert_int_equal(r.forks, 0);
        }
        buf_free(&folded);
        buf_free(&out);
    }
    buf_free(&plain);
    buf_free(&digits);
}

/* Mostly clean lines with a byte of dirt here and there: what the fast path
 * leaves to the slow one, at every place within a block. */
static void
make_dirty(struct buf *out, uint64_t *state)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqr"
                                 "stuvwxyz0123456789+/";
    static const char dirt[] = "\r\n\n\r =-#\t\x01\xff\x80=_:";
    size_t width = 20 + noise(state) % 120;
    uint32_t rate = 1U << (4 + noise(state) % 6);

    for (size_t i = 0; i < 400; i++) {
        if (noise(state) % rate == 0)
            buf_putc(out, (uint8_t)dirt[noise(state) % (sizeof(dirt) - 1)]);
        buf_putc(out, (uint8_t)digits[noise(state) % 64]);
        if (i % width == width - 1)
            buf_str(out, "\r\n");
    }
}

static void
test_kernels_agree_on_dirt(void **unused)
{
    uint64_t state = 7;
    uint8_t choices[DECODE_FORK_COUNT];

    (void)unused;
    for (size_t round = 0; round < 40; round++) {
        struct decode_run r = {.kind = DECODE_BASE64, .choices = choices};
        struct buf in, out;

        for (unsigned f = 0; f < DECODE_FORK_COUNT; f++)
            choices[f] =
                (uint8_t)(f == 0 ? 0
                                 : noise(&state) %
                                       decode_choices((enum decode_fork)f));
        buf_init(&in, 1U << 16);
        buf_init(&out, 1U << 16);
        make_dirty(&in, &state);
        decode_run_all_cuts(&r, buf_view(&in), &out);
        buf_free(&in);
        buf_free(&out);
    }
}

static void
compare_kernels(struct span in)
{
    struct buf first, out;
    uint32_t odd = 0;

    buf_init(&first, 1024);
    buf_init(&out, 1024);
    for (unsigned k = 0; decode_kernel(k) != NULL; k++) {
        struct decode_run r = {.kind = DECODE_BASE64, .kernel = k};

        if (!decode_use(&r.end, k))
            continue;
        r.cut = r.piece = SIZE_MAX;
        r.room = 256;
        buf_reset(&out);
        decode_run(&r, in, &out);
        if (k == 0) {
            buf_span(&first, buf_view(&out));
            odd = r.odd;
        }
        assert_true(span_eq(buf_view(&out), buf_view(&first)));
        assert_int_equal(r.odd, odd);
    }
    buf_free(&first);
    buf_free(&out);
}

/* Every byte value at every place of a block, in every kernel. */
static void
test_every_byte_everywhere(void **unused)
{
    uint8_t in[200];

    (void)unused;
    for (unsigned c = 0; c < 256; c++) {
        for (size_t at = 40; at < 40 + 64; at++) {
            memset(in, 'Q', sizeof(in));
            in[at] = (uint8_t)c;
            compare_kernels(span_of(in, sizeof(in)));
        }
    }
}

static void
test_kernels(void **unused)
{
    struct decode d;
    unsigned n = 0;

    (void)unused;
    decode_init(&d, DECODE_BASE64);
    while (decode_kernel(n) != NULL)
        n++;
    assert_true(n >= 1);
    assert_true(d.kernel < n);
    print_message("best kernel: %s\n", decode_kernel(d.kernel));
    assert_string_equal(decode_kernel(0), "portable");
    assert_true(decode_use(&d, 0));
    assert_false(decode_use(&d, n));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_lines_of_any_length),
        cmocka_unit_test(test_kernels_agree_on_dirt),
        cmocka_unit_test(test_every_byte_everywhere),
        cmocka_unit_test(test_kernels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
