/* mime_param_test - parameters as mail clients read them */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dissectors/mime_param.h"
#include "sensor/base/attr.h"

/* A row of a table; braces would be laid out in columns. */
#define ROW(...)                                                               \
    {                                                                          \
        __VA_ARGS__                                                            \
    }

/* Values are joined by " | ". */
static const struct {
    const char *why;
    const char *in;
    const char *key;
    const char *want;
} rows[] = {
    ROW("token", "text/plain; name=a.txt", "name", "a.txt"),
    ROW("quoted", "text/plain; name=\"a b.txt\"", "name", "a b.txt"),
    ROW("the last of three", "x/y; a=1; b=\"2;3\"; name=n", "name", "n"),
    ROW("key in capitals", "x/y; NAME=n", "name", "n"),
    ROW("no such key", "x/y; filename=n", "name", ""),
    ROW("no parameters", "x/y", "name", ""),
    ROW("nothing", "", "name", ""),
    ROW("empty value", "x/y; name=", "name", ""),
    ROW("empty quotes", "x/y; name=\"\"", "name", ""),
    ROW("a token with '='", "x/y; boundary=----=_a=b", "boundary", "----=_a=b"),
    ROW("blanks around '='", "x/y; name = n", "name", "n"),
    ROW("folds", "x/y;\n\tname=\n n", "name", "n"),
    ROW("a fold within quotes", "x/y; name=\"a\r\n b\"", "name", "a b"),
    ROW("escapes in quotes", "x/y; name=\"a\\\"b\\\\c\"", "name",
        "a\"b\\c | \"a\"b\\c\" | \"a\\\"b\\\\c\" | a\\b\\\\c | a\\ | a"),
    ROW("raw 8-bit", "x/y; name=\"\xc3\xa4\"", "name", "\xc3\xa4"),
    ROW("encoded word", "x/y; name=\"=?utf-8?q?=C3=A4?=\"", "name", "\xc3\xa4"),
    ROW("encoded word, no quotes", "x/y; name==?utf-8?q?=C3=A4?=", "name",
        "\xc3\xa4"),
    ROW("two words in a fold",
        "x/y; name=\"=?utf-8?b?YQ==?=\n =?utf-8?b?Yg==?=\"", "name", "ab"),
    ROW("UTF-16 big endian in a word", "x/y; name=\"=?utf-16?b?AGEALgBi?=\"",
        "name", "a.b"),
    ROW("UTF-16 little endian in a word", "x/y; name=\"=?utf-16?b?YQAuAGIA?=\"",
        "name", "a.b"),
    ROW("RFC 2231", "x/y; name*=utf-8'en'%C3%A4.txt", "name", "\xc3\xa4.txt"),
    ROW("RFC 2231, latin1", "x/y; name*=iso-8859-1''%e4.txt", "name",
        "\xc3\xa4.txt"),
    ROW("RFC 2231, UTF-16", "x/y; name*=utf-16''%00a%00.%00b", "name", "a.b"),
    ROW("RFC 2231 without quotes", "x/y; name*=%41b", "name", "Ab"),
    ROW("RFC 2231 goes before plain", "x/y; name=p; name*=''e", "name",
        "e | p"),
    ROW("both the same", "x/y; name=e; name*=''e", "name", "e"),
    ROW("continuation", "x/y; name*0=a.; name*1=txt", "name", "a.txt"),
    ROW("continuation, encoded", "x/y; name*0*=utf-8''%C3; name*1*=%A4", "name",
        "\xc3\xa4"),
    ROW("continuation, mixed", "x/y; name*0*=''%41; name*1=\"%42\"", "name",
        "A%42 | AB"),
    ROW("continuation, out of order", "x/y; name*1=txt; name*0=a.", "name",
        "a.txt | txta."),
    ROW("continuation with a hole", "x/y; name*0=a.; name*2=txt", "name",
        "a.txt"),
    ROW("continuation from 1", "x/y; name*2=txt; name*1=a.", "name",
        "a.txt | txta."),
    ROW("continuation, one number twice", "x/y; name*0=a; name*0=b; name*1=c",
        "name", "ac | bc"),
    ROW("charset in the wrong segment", "x/y; name*1*=''a.; name*0*=txt",
        "name", "txt''a. | txta. | a.txt"),
    ROW("a number that is none", "x/y; name*x=a; name*999999999=b", "name", ""),
    ROW("twice", "x/y; name=a; name=b", "name", "a | b"),
    ROW("comment behind the value", "x/y; name=a.txt(b)", "name",
        "a.txt(b) | a.txt"),
    ROW("comment in the value", "x/y; name=a.(x)txt", "name",
        "a.(x)txt | a.txt | a."),
    ROW("comment in the key", "x/y; na(x)me=a", "name", "a"),
    ROW("comment before the key", "x/y; (x) name=a", "name", "a"),
    ROW("comment around it", "x/y; ( name=a )", "name", "a ) | a"),
    ROW("nested comments", "x/y; (a(b)c) name=n", "name", "n"),
    ROW("parentheses in quotes", "x/y; name=\"a(1).txt\"", "name", "a(1).txt"),
    ROW("blanks, no quotes", "x/y; name=a b.txt", "name", "a b.txt | a"),
    ROW("semicolon, no quotes", "x/y; name=a;.txt", "name", "a | a;.txt"),
    ROW("quote within", "x/y; name=a\".txt", "name",
        "a\".txt | a.txt | a | .txt"),
    ROW("quote ends early", "x/y; name=\"a\".txt", "name",
        "a | \"a\".txt | a.txt"),
    ROW("quote never ends", "x/y; name=\"a.txt", "name", "a.txt | \"a.txt"),
    ROW("single quotes", "x/y; name='a b'", "name", "'a b' | a b | a"),
    ROW("in another's quotes", "x/y; foo=\"x;name=a", "name", "a"),
    ROW("without a semicolon", "x/y; foo=x name=a", "name", "a"),
    ROW("without a type", "name=a", "name", "a"),
    ROW("key as value", "x/y; boundary=boundary=b", "boundary",
        "boundary=b | boundary | b"),
    ROW("blanks at the end", "x/y; boundary=\"b \"", "boundary",
        "b  | b | \"b \""),
    ROW("CR at the end", "x/y; boundary=\"b\r\"", "boundary",
        "b\r | b | \"b\r\""),
    ROW("encoded word in a boundary", "x/y; boundary=\"=?us-ascii?b?YWI=?=\"",
        "boundary", "=?us-ascii?b?YWI=?= | ab | \"=?us-ascii?b?YWI=?=\""),
    ROW("backslash, no quotes", "x/y; boundary=\\b_c", "boundary",
        "\\b_c | b_c"),
    ROW("escaped semicolon", "x/y; boundary=b\\;c", "boundary",
        "b\\ | b;c | b | b\\;c"),
};

static void
joined(const struct mime_values *v, struct buf *out)
{
    for (unsigned i = 0; i < v->n; i++) {
        buf_str(out, i > 0 ? " | " : "");
        buf_span(out, mime_value_text(v, i));
    }
}

static void
test_rows(void **state)
{
    struct charset cs;
    struct mime_values v;
    struct buf out;
    unsigned bad = 0;

    (void)state;
    charset_init(&cs);
    mime_values_init(&v);
    buf_init(&out, 1U << 20);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool words = strcmp(rows[i].key, "boundary") != 0;

        mime_values_reset(&v);
        buf_reset(&out);
        mime_param_find(&cs, span_str(rows[i].in), span_str(rows[i].key), words,
                        &v);
        joined(&v, &out);
        if (!span_eq(buf_view(&out), span_str(rows[i].want))) {
            fprintf(stderr, "%s: %s\n  got  %.*s\n  want %s\n", rows[i].why,
                    rows[i].in, (int)out.n, (const char *)out.p, rows[i].want);
            bad++;
        }
    }
    buf_free(&out);
    mime_values_free(&v);
    charset_fini(&cs);
    assert_int_equal(bad, 0);
}

/* n times "; name=<i>", each value different. */
static void
many(struct buf *b, unsigned n)
{
    buf_str(b, "x/y");
    for (unsigned i = 0; i < n; i++)
        buf_printf(b, "; name*%u*=v%u", i % 97, i);
}

static void
test_limits(void **state)
{
    struct charset cs;
    struct mime_values v;
    struct buf in;

    (void)state;
    charset_init(&cs);
    mime_values_init(&v);
    buf_init(&in, 1U << 24);
    many(&in, 50000);
    mime_param_find(&cs, buf_view(&in), SPAN_LIT("name"), true, &v);
    assert_true(v.n > 0 && v.n <= MIME_VALUES);
    for (unsigned n = MIME_VALUE_MAX - 1; n <= MIME_VALUE_MAX + 1; n++) {
        buf_reset(&in);
        mime_values_reset(&v);
        buf_str(&in, "x/y; name=\"");
        for (unsigned i = 0; i < n; i++)
            buf_putc(&in, 'a');
        buf_str(&in, "\"");
        mime_param_find(&cs, buf_view(&in), SPAN_LIT("name"), true, &v);
        assert_int_equal(v.n, 1);
        assert_int_equal(mime_value_text(&v, 0).n,
                         n < MIME_VALUE_MAX ? n : MIME_VALUE_MAX);
    }
    buf_free(&in);
    mime_values_free(&v);
    charset_fini(&cs);
}

/* A name's end says what it is: that much of a long one is kept. */
static void
test_ends(void **state)
{
    static const struct {
        const char *why, *before, *behind;
    } ways[] = {
        {"quoted",        "x/y; name=\"",       ".exe\""              },
        {"a token",       "x/y; name=",         ".exe"                },
        {"RFC 2231",      "x/y; name*=utf-8''", "%2eexe"              },
        {"continued",     "x/y; name*0=",       "; name*1=\".exe\""   },
        {"encoded words", "x/y; name=\"",       "=?utf-8?q?=2Eexe?=\""},
        {"escaped",       "x/y; name=\"",       "\\.\\exe\""          },
    };
    struct charset cs;
    struct mime_values v;
    struct buf in;

    (void)state;
    charset_init(&cs);
    mime_values_init(&v);
    buf_init(&in, 1U << 24);
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        for (size_t n = 1000; n < 64000; n = n < 5000 ? n + 997 : n * 3) {
            struct span name;

            buf_reset(&in);
            mime_values_reset(&v);
            buf_str(&in, ways[i].before);
            for (size_t k = 0; k < n; k++)
                buf_putc(&in, 'a');
            buf_str(&in, ways[i].behind);
            mime_param_find(&cs, buf_view(&in), SPAN_LIT("name"), true, &v);
            assert_true(v.n > 0);
            name = mime_value_text(&v, 0);
            if (!span_eq(span_tail(name, name.n - 4), SPAN_LIT(".exe")) ||
                name.n > MIME_VALUE_MAX)
                fail_msg("%s: %zu bytes", ways[i].why, n);
        }
    }
    buf_free(&in);
    mime_values_free(&v);
    charset_fini(&cs);
}

/* Long fields of what costs most: must end at once. */
static void
test_cost(void **state)
{
    static const char *const units[] = {
        "\\",      "\"", "(",      ")",       ";",      "=",
        "'",       " ",  "\r",     "name=",   "name",   "*",
        "name*0=", "=?", "=?a?b?", "name=\"", "(name=", "\\\"",
    };
    struct charset cs;
    struct mime_values v;
    struct buf in;

    (void)state;
    charset_init(&cs);
    mime_values_init(&v);
    buf_init(&in, 1U << 24);
    for (size_t i = 0; i < ARRAY_LEN(units) * ARRAY_LEN(units); i++) {
        buf_reset(&in);
        mime_values_reset(&v);
        buf_str(&in, "x/y; ");
        while (in.n < 65536) {
            buf_str(&in, units[i % ARRAY_LEN(units)]);
            buf_str(&in, units[i / ARRAY_LEN(units)]);
        }
        mime_param_find(&cs, buf_view(&in), SPAN_LIT("name"), true, &v);
        assert_true(v.n <= MIME_VALUES);
    }
    buf_free(&in);
    mime_values_free(&v);
    charset_fini(&cs);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_cost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
