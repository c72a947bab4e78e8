/* smtp_line_test - lines at the limit, in every cut */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "dissectors/smtp_line.h"

#define MAX 10

static const struct {
    const char *why;
    struct span in;
    const char *text;
    enum eol eol;
    bool cut;
} rows[] = {
    {"empty, CRLF",     SPAN_INIT("\r\n"),                   "",            EOL_CRLF, false},
    {"empty, LF",       SPAN_INIT("\n"),                     "",            EOL_LF,   false},
    {"plain",           SPAN_INIT("abc\r\n"),                "abc",         EOL_CRLF, false},
    {"bare LF",         SPAN_INIT("abc\n"),                  "abc",         EOL_LF,   false},
    {"CR inside",       SPAN_INIT("a\rc\r\r\n"),             "a\rc\r",      EOL_CRLF, false},
    {"one less",        SPAN_INIT("123456789\r\n"),          "123456789",   EOL_CRLF, false},
    {"the limit",       SPAN_INIT("1234567890\r\n"),         "1234567890",  EOL_CRLF, false},
    {"the limit, LF",   SPAN_INIT("1234567890\n"),           "1234567890",  EOL_LF,   false},
    {"one more",        SPAN_INIT("1234567890x\r\n"),        "1234567890",  EOL_CRLF, true },
    {"one more, LF",    SPAN_INIT("1234567890x\n"),          "1234567890",  EOL_LF,   true },
    {"long",            SPAN_INIT("1234567890xxxxxxxx\r\n"), "1234567890",  EOL_CRLF, true },
    {"long, LF",        SPAN_INIT("1234567890xxxxxxx\n"),    "1234567890",  EOL_LF,   true },
    {"CR at the limit", SPAN_INIT("123456789\rx\r\n"),       "123456789\r", EOL_CRLF,
     true                                                                                  },
};

static void
check(size_t i, const struct line *line, const char *how)
{
    if (!span_eq(line->text, span_str(rows[i].text)) ||
        line->eol != rows[i].eol || line->cut != rows[i].cut)
        fail_msg("%s, %s: \"%.*s\" eol %d cut %d", rows[i].why, how,
                 (int)line->text.n, (const char *)line->text.p, line->eol,
                 line->cut);
}

static void
run(size_t i, size_t a, size_t b)
{
    struct mem m = {.max = 1U << 20};
    struct line_in l = {0};
    struct line line;
    struct span all = rows[i].in;
    struct span parts[4] = {span_head(all, a), span_tail(span_head(all, b), a),
                            span_tail(all, b), SPAN_LIT("next\n")};
    unsigned n = 0;

    for (size_t k = 0; k < 4; k++) {
        while (line_take(&l, &m, &parts[k], MAX, &line)) {
            if (n++ == 0)
                check(i, &line, "cut");
            else
                assert_true(span_eq(line.text, SPAN_LIT("next")) && !line.cut);
        }
        assert_int_equal(parts[k].n, 0);
    }
    assert_int_equal(n, 2);
    line_reset(&l, &m);
    assert_int_equal(m.used, 0);
}

static void
test_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t a = 0; a <= rows[i].in.n; a++) {
            for (size_t b = a; b <= rows[i].in.n; b++)
                run(i, a, b);
        }
    }
}

static void
test_no_memory(void **state)
{
    struct mem m = {.max = 0};
    struct line_in l = {0};
    struct line line;
    struct span in = SPAN_LIT("abc");

    (void)state;
    assert_false(line_take(&l, &m, &in, MAX, &line));
    in = SPAN_LIT("d\r\nnext\r\n");
    assert_true(line_take(&l, &m, &in, MAX, &line));
    assert_true(line.cut && line.eol == EOL_CRLF && line.text.n == 0);
    assert_true(line_take(&l, &m, &in, MAX, &line));
    assert_true(!line.cut && span_eq(line.text, SPAN_LIT("next")));
    line_reset(&l, &m);
}

static void
test_begun(void **state)
{
    struct mem m = {.max = 1000};
    struct line_in l = {0};
    struct line line;
    struct span in = SPAN_LIT("ab");

    (void)state;
    assert_false(line_take(&l, &m, &in, MAX, &line));
    assert_true(span_eq(line_begun(&l), SPAN_LIT("ab")));
    in = SPAN_LIT("c\n");
    assert_true(line_take(&l, &m, &in, MAX, &line));
    assert_int_equal(line_begun(&l).n, 0);
    line_done(&l, &m);
    assert_int_equal(m.used, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_begun),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
