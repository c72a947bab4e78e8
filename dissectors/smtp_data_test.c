/* smtp_data_test - strict end, lenient variants, content, in every cut */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "dissectors/smtp_data.h"
#include "sensor/base/buf.h"

#define X(s) SPAN_INIT(s)

/* content: what comes out, a variant as its name in braces; rest: what is left
 * behind the end, p == NULL when there is no end. */
static const struct {
    const char *why;
    struct span in, content, rest;
} rows[] = {
    {"empty",         X(".\r\n"),                    X(""),                          X("")        },
    {"a line",        X("a\r\n.\r\nQUIT\r\n"),       X("a\r\n"),                     X("QUIT\r\n")},
    {"stuffed",       X("..\r\n...\r\n.a\r\n.\r\n"), X(".\r\n..\r\na\r\n"),          X("")        },
    {"no end",        X("a\r\n"),                    X("a\r\n"),                     {NULL, 0}    },
    {"no line end",   X("a.\r\n"),                   X("a.\r\n"),                    {NULL, 0}    },
    {"dot and blank", X(". \r\n.\r\n"),              X(" \r\n"),                     X("")        },
    {"CRCRLF before", X("a\r\r\n.\r\nb"),            X("a\r\r\n"),                   X("b")       },
    {"LF LF",         X("a\n.\nb\r\n.\r\n"),         X("a\n.\n{\\n.\\n}b\r\n"),      X("")        },
    {"LF CR",         X("a\n.\rb\r\n.\r\n"),         X("a\n.\r{\\n.\\r}b\r\n"),      X("")        },
    {"LF CRLF",       X("a\n.\r\nb\r\n.\r\n"),       X("a\n.\r\n{\\n.\\r\\n}b\r\n"), X("")        },
    {"CR LF",         X("a\r.\nb\r\n.\r\n"),         X("a\r.\n{\\r.\\n}b\r\n"),      X("")        },
    {"CR CR",         X("a\r.\rb\r\n.\r\n"),         X("a\r.\r{\\r.\\r}b\r\n"),      X("")        },
    {"CR CRLF",       X("a\r.\r\nb\r\n.\r\n"),       X("a\r.\r\n{\\r.\\r\\n}b\r\n"), X("")        },
    {"NUL",           X("a\r\n\0.\r\nb\r\n.\r\n"),
     X("a\r\n\0.\r\n{\\r\\n\\x00.\\r\\n}b\r\n"),                                     X("")        },
    {"CRLF LF",       X("a\r\n.\nb\r\n.\r\n"),       X("a\r\n\n{\\r\\n.\\n}b\r\n"),  X("")        },
    {"CRLF CR",       X("a\r\n.\rb\r\n.\r\n"),       X("a\r\n\r{\\r\\n.\\r}b\r\n"),  X("")        },
    {"CRLF CRCRLF",   X("a\r\n.\r\r\nb\r\n.\r\n"),
     X("a\r\n\r\r\n{\\r\\n.\\r\\r\\n}b\r\n"),                                        X("")        },
    {"CRCRLF CRCRLF", X("a\r\r\n.\r\r\nb\r\n.\r\n"),
     X("a\r\r\n\r\r\n{\\r\\r\\n.\\r\\r\\n}b\r\n"),                                   X("")        },
    {"NUL elsewhere", X("a\0.\r\n.\r\n"),            X("a\0.\r\n"),                  X("")        },
    {"dot dot",       X("a\n..\n.\r\r\n.\r\n"),      X("a\n..\n.\r\r\n{\\n.\\r}"),   X("")        },
};

static void
on_content(void *ctx, struct span s)
{
    buf_span(ctx, s);
}

static void
on_variant(void *ctx, enum smtp_eod e)
{
    buf_putc(ctx, '{');
    buf_str(ctx, smtp_eod_name(e));
    buf_putc(ctx, '}');
}

static const struct smtp_data_ops ops = {on_content, on_variant};

static void
run(size_t i, smtp_scan_fn scan, size_t a, size_t b)
{
    struct span all = rows[i].in;
    struct span parts[3] = {span_head(all, a), span_tail(span_head(all, b), a),
                            span_tail(all, b)};
    struct smtp_data d;
    struct buf out;
    bool ended = false;
    size_t left = 0;

    buf_init(&out, 1000);
    smtp_data_init(&d);
    for (size_t k = 0; k < 3; k++) {
        if (!ended)
            ended = smtp_data_push(&d, scan, &parts[k], &ops, &out);
        left += parts[k].n;
    }
    if (!span_eq(buf_view(&out), rows[i].content) ||
        ended != (rows[i].rest.p != NULL) || left != rows[i].rest.n)
        fail_msg("%s, cut at %zu and %zu: \"%.*s\", %s, %zu left", rows[i].why,
                 a, b, (int)out.n, (const char *)out.p,
                 ended ? "ended" : "open", left);
    buf_free(&out);
}

static void
test_rows(void **state)
{
    struct smtp_scan_variant v[SMTP_SCAN_VARIANTS];

    (void)state;
    smtp_scan_list(v);
    for (size_t k = 0; k < SMTP_SCAN_VARIANTS && v[k].name != NULL; k++) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            for (size_t a = 0; v[k].fn != NULL && a <= rows[i].in.n; a++) {
                for (size_t b = a; b <= rows[i].in.n; b++)
                    run(i, v[k].fn, a, b);
            }
        }
    }
}

/* A line end cut by a gap is no bare one, and the end is found behind it. */
static void
test_lost(void **state)
{
    static const struct {
        const char *why;
        struct span in;
        bool ended;
        bool bare;
    } lost[] = {
        {"LF behind a gap",   X("\n.\r\n"),    true,  false},
        {"CRLF behind a gap", X("\r\n.\r\n"),  true,  false},
        {"text, CRLF",        X("x\r\n.\r\n"), true,  false},
        {"text, LF",          X("x\n.\r\n"),   false, true },
        {"dot behind a gap",  X(".\r\n"),      false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++) {
        struct smtp_data d;
        struct buf out;
        struct span in = lost[i].in;

        buf_init(&out, 1000);
        smtp_data_init(&d);
        smtp_data_lost(&d);
        if (smtp_data_push(&d, smtp_scan_best(), &in, &ops, &out) !=
                lost[i].ended ||
            d.facts.bare_lf != lost[i].bare)
            fail_msg("%s", lost[i].why);
        buf_free(&out);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
