#include "dissectors/decode_test_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define ODD(id)  (1U << DECODE_ODD_##id)
#define FORK(id) (1U << DECODE_FORK_##id)

#define E   DECODE_FORK_ESCAPE
#define C   DECODE_FORK_CASE
#define S10 "          "
#define S50 S10 S10 S10 S10 S10

static const struct {
    const char *why, *in;
    uint8_t fork, choice; /* other forks: choice 0 */
    const char *want;
    uint32_t odd;
    unsigned forks;
} rows[] = {
  /* clang-format off */
    {"nothing", "", 0, 0, "", 0, 0},
    {"plain lines", "a b\r\nc\r\n", 0, 0, "a b\r\nc\r\n", 0, 0},
    {"LF stays LF", "a\nb", 0, 0, "a\nb", 0, 0},
    {"RFC 2045 6.7 example", "Now's the time =\r\nfor all folk to come=\r\n to the aid of their country.", 0, 0,
     "Now's the time for all folk to come to the aid of their country.", 0, 0},
    {"escapes", "=41=3D=0D=0A=20", 0, 0, "A=\r\n ", 0, 0},
    {"soft break with LF only", "a=\nb", 0, 0, "ab", 0, 0},
    {"soft break with blanks", "a= \t \r\nb=\t\nc", 0, 0, "abc", 0, 0},
    {"blanks before a soft break stay", "a \t=\r\nb", 0, 0, "a \tb", 0, 0},
    {"rule 3: blanks before a line end go", "a \t\r\nb  \nc", 0, 0, "a\r\nb\nc", 0, 0},
    {"a line of blanks", "  \r\n\t\n", 0, 0, "\r\n\n", 0, 0},
    {"blanks within a line stay", "a  b\tc", 0, 0, "a  b\tc", 0, 0},
    {"blanks at the body's end go", "ab \t", 0, 0, "ab", 0, 0},
    {"soft break at the body's end", "ab=", 0, 0, "ab", 0, 0},
    {"with blanks and CR", "ab= \r", 0, 0, "ab", 0, 0},
    {"CR that ends no line", "a \rb\r\r\n c", 0, 0, "a \rb\r\r\n c", 0, 0},
    {"CR at the end", "a \r", 0, 0, "a \r", 0, 0},
    {"encoded blank stays", "a=20\r\n", 0, 0, "a \r\n", 0, 0},
    {"lower case", "=3d=e4", 0, 0, "=\xe4", ODD(LOWER_ESCAPE), 0},
    {"8-bit", "a\xe4 b", 0, 0, "a\xe4 b", ODD(RAW_8BIT), 0},
    {"76 in a line", S50 S10 "1234567890abcd=\r\n", 0, 0, S50 S10 "1234567890abcd", 0, 0},
    {"76 and a CR", S50 S10 "1234567890abcde=\r\n", 0, 0, S50 S10 "1234567890abcde", 0, 0},
    {"78 in a line", S50 S10 "1234567890abcdefg=\n", 0, 0, S50 S10 "1234567890abcdefg", ODD(LONG_LINE), 0},
    {"60 blanks are held", "a" S50 S10 "\r\n", 0, 0, "a\r\n", 0, 0},
    {"61 are let go but the last", "a" S50 S10 " \r\n", 0, 0, "a" S50 S10 "\r\n", 0, 0},

    {"bad escape stays", "a=g b", E, 0, "a=g b", ODD(BAD_ESCAPE), FORK(ESCAPE)},
    {"its '=' goes", "=P=K=03=", E, 1, "PK\x03", ODD(BAD_ESCAPE), FORK(ESCAPE)},
    {"all of it goes", "=XX=50", E, 2, "P", ODD(BAD_ESCAPE), FORK(ESCAPE)},
    {"digit and junk", "=0X=50", E, 0, "=0XP", ODD(BAD_ESCAPE), FORK(ESCAPE)},
    {"digit and junk, gone", "=0X=50", E, 2, "P", ODD(BAD_ESCAPE), FORK(ESCAPE)},
    {"digit alone, gone", "=0=50", E, 2, "P", ODD(BAD_ESCAPE), FORK(ESCAPE)},
    {"blanks, gone", "=  =50=   x", E, 2, "P x", ODD(BAD_ESCAPE), FORK(ESCAPE)},
    {"blank, gone with what follows", "= a=50", E, 2, "P", ODD(BAD_ESCAPE), FORK(ESCAPE)},
    {"'==', one gone", "==50", E, 2, "P", ODD(BAD_ESCAPE), FORK(ESCAPE)},
    {"'==' stays", "==50", E, 0, "=P", ODD(BAD_ESCAPE), FORK(ESCAPE)},
    {"line end is not left out", "=0\r\nb", E, 2, "\r\nb", ODD(BAD_ESCAPE), FORK(ESCAPE)},
    {"nor after one", "=x\nb", E, 2, "\nb", ODD(BAD_ESCAPE), FORK(ESCAPE)},
    {"CR that ends nothing", "=\rx", E, 0, "=\rx", ODD(BAD_ESCAPE), FORK(ESCAPE)},
    {"the same, left out", "=\rxy", E, 2, "\rxy", ODD(BAD_ESCAPE), FORK(ESCAPE)},
    {"digit at the end", "a=4", 0, 0, "a=4", ODD(BAD_ESCAPE), 0},
    {"61 blanks behind '='", "=" S50 S10 " \r\nb", E, 0, "=" S50 S10 "\r\nb", ODD(BAD_ESCAPE), FORK(ESCAPE)},

    {"both cases: digits", "=4B=3d=4C", C, 0, "K=L", ODD(LOWER_ESCAPE), FORK(CASE)},
    {"both cases: only upper", "=4B=0a=4C", C, 1, "KL", ODD(LOWER_ESCAPE), FORK(CASE)},
    {"both in one", "=aB", C, 1, "", ODD(LOWER_ESCAPE), FORK(CASE)},
    {"digits have no case", "=31=e4", 0, 0, "1\xe4", ODD(LOWER_ESCAPE), 0},
  /* clang-format on */
};

static void
test_rows(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t choices[DECODE_FORK_COUNT] = {0};
        struct decode_run r = {.kind = DECODE_QP, .choices = choices};
        struct buf out;

        choices[rows[i].fork] = rows[i].choice;
        buf_init(&out, 1U << 16);
        decode_run_all_cuts(&r, span_str(rows[i].in), &out);
        if (!span_eq(buf_view(&out), span_str(rows[i].want)))
            fail_msg("%s: got '%.*s'", rows[i].why, (int)out.n, (char *)out.p);
        if (r.odd != rows[i].odd || r.forks != rows[i].forks)
            fail_msg("%s: odd %x, forks %x", rows[i].why, r.odd, r.forks);
        buf_free(&out);
    }
}

static uint32_t
noise(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (uint32_t)(*state >> 33);
}

/* The pieces that matter, in any order: the fast path and the slow one, which
 * a first cut and small rooms call for, must agree. */
static void
test_random_text(void **unused)
{
    static const char *const words[] = {
        "word ", "=\r\n", "=41",   "=e4",    "\r\n", "\n",
        " ",     "\t",    "\r",    "=",      "=4",   "=G",
        "\xe4",  "a",     " \r\n", "= \r\n", S50,    "x\r\n"};
    uint64_t state = 3;

    (void)unused;
    for (size_t round = 0; round < 60; round++) {
        uint8_t choices[DECODE_FORK_COUNT] = {0};
        struct decode_run r = {.kind = DECODE_QP, .choices = choices};
        struct buf in, out;

        choices[E] = (uint8_t)(noise(&state) % 3);
        choices[C] = (uint8_t)(noise(&state) % 2);
        buf_init(&in, 1U << 16);
        buf_init(&out, 1U << 16);
        for (size_t i = 0; i < 100; i++)
            buf_str(&in, words[noise(&state) % ARRAY_LEN(words)]);
        decode_run_all_cuts(&r, buf_view(&in), &out);
        buf_free(&in);
        buf_free(&out);
    }
}

/* What would take quadratic time if a search were repeated. */
static void
test_hostile_repetitions(void **unused)
{
    static const char *const words[] = {
        "=41a", " ", "\r", "a\r", "a ", "\r \r", "=\r", "= ", "a" S50 S50 "\n"};

    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        struct decode_run r = {.kind = DECODE_QP, .room = 4096};
        struct buf in, out;

        r.cut = r.piece = SIZE_MAX;
        buf_init(&in, 8U << 20);
        buf_init(&out, 8U << 20);
        while (!in.cut)
            buf_str(&in, words[i]);
        decode_run(&r, buf_view(&in), &out);
        assert_true(out.n <= in.n);
        buf_free(&in);
        buf_free(&out);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_random_text),
        cmocka_unit_test(test_hostile_repetitions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
