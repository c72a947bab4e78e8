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

struct got {
    struct buf out;
    const struct span *in; /* not yet consumed */
    size_t end;            /* of it, in the whole */
    long odd[SMTP_DATA_ODDS];
};

static void
on_content(void *ctx, struct span s)
{
    struct got *g = ctx;

    buf_span(&g->out, s);
}

static void
on_variant(void *ctx, enum smtp_eod e)
{
    struct got *g = ctx;

    buf_putc(&g->out, '{');
    buf_str(&g->out, smtp_eod_name(e));
    buf_putc(&g->out, '}');
}

static void
on_odd(void *ctx, enum smtp_data_odd what, ptrdiff_t at)
{
    struct got *g = ctx;

    assert_int_equal(g->odd[what], -1);
    g->odd[what] = (long)(g->end - g->in->n) + at;
}

static const struct smtp_data_ops ops = {on_content, on_variant, on_odd};

static void
got_init(struct got *g)
{
    *g = (struct got){
        .odd = {-1, -1, -1}
    };
    buf_init(&g->out, 1000);
}

static bool
push(struct got *g, struct smtp_data *d, smtp_scan_fn scan, struct span *in)
{
    g->in = in;
    g->end += in->n;
    return smtp_data_push(d, scan, in, &ops, g);
}

static void
run(size_t i, smtp_scan_fn scan, size_t a, size_t b)
{
    struct span all = rows[i].in;
    struct span parts[3] = {span_head(all, a), span_tail(span_head(all, b), a),
                            span_tail(all, b)};
    struct smtp_data d;
    struct got g;
    bool ended = false;
    size_t left = 0;

    got_init(&g);
    smtp_data_init(&d);
    for (size_t k = 0; k < 3; k++) {
        if (!ended)
            ended = push(&g, &d, scan, &parts[k]);
        left += parts[k].n;
    }
    if (!span_eq(buf_view(&g.out), rows[i].content) ||
        ended != (rows[i].rest.p != NULL) || left != rows[i].rest.n)
        fail_msg("%s, cut at %zu and %zu: \"%.*s\", %s, %zu left", rows[i].why,
                 a, b, (int)g.out.n, (const char *)g.out.p,
                 ended ? "ended" : "open", left);
    buf_free(&g.out);
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
        struct got g;
        struct span in = lost[i].in;

        got_init(&g);
        smtp_data_init(&d);
        smtp_data_lost(&d);
        if (push(&g, &d, smtp_scan_best(), &in) != lost[i].ended ||
            d.facts.bare_lf != lost[i].bare)
            fail_msg("%s", lost[i].why);
        buf_free(&g.out);
    }
}

/* Where the first bare LF, bare CR and NUL are, whatever the cut. */
static void
test_places(void **state)
{
    static const struct {
        const char *why;
        struct span in;
        long odd[SMTP_DATA_ODDS];
    } places[] = {
        {"nothing odd",      X("a\r\n..\r\n.\r\n"),        {-1, -1, -1}},
        {"LF first of all",  X("\na\nb\r\n.\r\n"),         {0, -1, -1} },
        {"LF in text",       X("ab\r\nc\nd\n\r\n.\r\n"),   {5, -1, -1} },
        {"CR in text",       X("ab\rc\r\n.\r\n"),          {-1, 2, -1} },
        {"CR CR LF",         X("ab\r\r\n.\r\n"),           {-1, 2, -1} },
        {"NUL twice",        X("\r\n\0\0\r\n.\r\n"),       {-1, -1, 2} },
        {"all, first ones",  X("\0\ra\n\0\ra\n\r\n.\r\n"), {3, 1, 0}   },
        {"dot LF",           X("a\r\n.\nb\r\n.\r\n"),      {4, -1, -1} },
        {"dot CR",           X("a\r\n.\rb\r\n.\r\n"),      {-1, 4, -1} },
        {"dot CR CR LF",     X("a\r\n.\r\r\nb\r\n.\r\n"),  {-1, 4, -1} },
        {"CR before a dot",  X("a\r.\r\nb\r\n.\r\n"),      {-1, 1, -1} },
        {"NUL before a dot", X("a\r\n\0.\r\nb\r\n.\r\n"),  {-1, -1, 3} },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        for (size_t cut = 0; cut <= places[i].in.n; cut++) {
            struct span head = span_head(places[i].in, cut);
            struct span tail = span_tail(places[i].in, cut);
            struct smtp_data d;
            struct got g;

            got_init(&g);
            smtp_data_init(&d);
            if (!push(&g, &d, smtp_scan_best(), &head))
                (void)push(&g, &d, smtp_scan_best(), &tail);
            for (size_t k = 0; k < SMTP_DATA_ODDS; k++) {
                if (g.odd[k] != places[i].odd[k])
                    fail_msg("%s, cut at %zu: %zu is at %ld", places[i].why,
                             cut, k, g.odd[k]);
            }
            buf_free(&g.out);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_lost),
        cmocka_unit_test(test_places),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
