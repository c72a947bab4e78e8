#include "dissectors/content/pdf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>
#include <zlib.h>

#include "dissectors/content/inspect_test.h"
#include "dissectors/content/pdf_filter.h"

#define HEAD "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
#define TAIL "trailer<</Root 1 0 R>>\n%%EOF\n"

static void
deflate_into(struct span in, struct buf *out)
{
    uint8_t room[8192];
    uLongf n = sizeof(room);

    assert_int_equal(compress(room, &n, in.p, (uLong)in.n), Z_OK);
    buf_put(out, room, n);
}

/* {text} in a row becomes a compressed stream of it, with its dictionary's
 * rest before: "{/Type/ObjStm|1 0 <<...>>}". */
static void
expand(const char *in, struct buf *out)
{
    buf_reset(out);
    while (*in != '\0') {
        struct span s = span_str(in);
        const size_t bar = span_find(s, '|');
        const size_t end = span_find(s, '}');
        struct buf packed;

        if (*in != '{') {
            buf_putc(out, (uint8_t)*in++);
            continue;
        }
        buf_init(&packed, 8192);
        deflate_into(span_of(in + bar + 1, end - bar - 1), &packed);
        buf_str(out, "<<");
        buf_put(out, in + 1, bar - 1);
        buf_printf(out, "/Filter/FlateDecode/Length %zu>>stream\n", packed.n);
        buf_span(out, buf_view(&packed));
        buf_str(out, "\nendstream");
        buf_free(&packed);
        in += end + 1;
    }
}

static const struct {
    const char *why;
    const char *in;
    const char *want;
    const char *detail; /* of the last one */
} rows[] = {
    {"nothing",                                                  HEAD TAIL,                                                "",                             NULL            },
    {"a page with a start and links",
     HEAD
     "1 0 obj<</Type/Catalog/OpenAction[3 0 R/Fit]>>endobj "
     "4 0 obj<</Type/Annot/A<</S/URI/URI(https://a.example/)>>>>endobj" TAIL,
     "",                                                                                                                                                   NULL            },
    {"a name that only looks like it",
     HEAD "1 0 obj<</Title(/S /JavaScript)/JavaScriptX 1>>endobj" TAIL,                                                    "",
     NULL                                                                                                                                                                  },
    {"JavaScript",
     HEAD "1 0 obj<</S/JavaScript/JS(app.alert\\(1\\))>>endobj" TAIL,
     "pdf_javascript",                                                                                                                                     NULL            },
    {"with blanks, comments and lines",
     HEAD "1 0 obj\n<< /S %x\n /JavaScript /JS 2 0 R >>" TAIL,                                                             "pdf_javascript",
     NULL                                                                                                                                                                  },
    {"escaped names",                                            HEAD "1 0 obj<</#53/J#61vaScr#69pt/#4aS(x)>>" TAIL,
     "pdf_javascript",                                                                                                                                     NULL            },
    {"it begins by itself",
     HEAD "1 0 obj<</OpenAction<</S/JavaScript/JS(x)>>>>" TAIL,
     "pdf_javascript pdf_openaction",                                                                                                                      NULL            },
    {"with a page",
     HEAD "1 0 obj<</AA<</O 2 0 R>>>>endobj "
          "2 0 obj<</S/JavaScript/JS(x)>>" TAIL,
     "pdf_javascript pdf_openaction",                                                                                                                      NULL            },
    {"launch",                                                   HEAD "1 0 obj<</S/Launch/F(cmd.exe)>>" TAIL,              "pdf_launch",
     "cmd.exe"                                                                                                                                                             },
    {"launch, the way of Windows",
     HEAD "1 0 obj<</S/Launch/Win<</F(powershell.exe)/P(-e x)>>>>" TAIL,
     "pdf_launch",                                                                                                                                         "powershell.exe"},
    {"launch of a document, as typesetting systems write links",
     HEAD "1 0 obj<</S/Launch/F(chapter2.pdf)>>" TAIL,                                                                     "pdf_launch_file",
     "chapter2.pdf"                                                                                                                                                        },
    {"launch of something",                                      HEAD "1 0 obj<</S/Launch/NewWindow true>>" TAIL,
     "pdf_launch",                                                                                                                                         NULL            },
    {"launch with the name in hexadecimal",
     HEAD "1 0 obj<</F<636d 642e 657865>/S/Launch>>" TAIL,                                                                 "pdf_launch",
     "cmd.exe"                                                                                                                                                             },
    {"launch of a file specification",
     HEAD "1 0 obj<</S/Launch/F<</Type/Filespec/F(a.exe)>>>>" TAIL,
     "pdf_launch",                                                                                                                                         "a.exe"         },
    {"launch in a stream of objects",
     HEAD
     "1 0 obj{/Type/ObjStm/N 1/First 4|2 0 <</S/Launch/F(a.exe)>>}endobj" TAIL,
     "pdf_launch",                                                                                                                                         "a.exe"         },
    {"the type of the stream escaped",
     HEAD "1 0 obj{/Type/Obj#53tm|2 0 <</S/JavaScript>>}endobj" TAIL,
     "pdf_javascript",                                                                                                                                     NULL            },
    {"words in another stream are none",
     HEAD "1 0 obj<</Length 18>>stream\n<</S/JavaScript>> \nendstream" TAIL,                                               "",
     NULL                                                                                                                                                                  },
    {"a length that lies is not believed",
     HEAD "1 0 obj<</Length 1000>>stream\nabc\nendstream endobj "
          "2 0 obj<</S/JavaScript>>endobj" TAIL,
     "pdf_javascript",                                                                                                                                     NULL            },
    {"a length that hides an object is not believed",
     HEAD "1 0 obj<</Length 3>>stream\nabc\nendstream endobj "
          "2 0 obj<</S/JavaScript>>endobj endstream" TAIL,
     "pdf_javascript",                                                                                                                                     NULL            },
    {"a stream without an end",                                  HEAD "1 0 obj<</Length 9>>stream\nabc",                   "",
     NULL                                                                                                                                                                  },
    {"an attached file",
     HEAD "1 0 obj<</Type/Filespec/F(a.txt)/UF(b.txt)/EF<</F 2 0 R>>>>endobj "
          "2 0 obj{/Type/EmbeddedFile|hello}endobj" TAIL,
     "pdf_embedded_file",                                                                                                                                  "b.txt"         },
    {"its name in UTF-16",
     HEAD "1 0 obj<</UF<FEFF0062002E007400780074>/EF<</UF 2 0 R>>>>endobj "
          "2 0 obj{/Type/EmbeddedFile|hello}endobj" TAIL,
     "pdf_embedded_file",                                                                                                                                  "b.txt"         },
    {"without its type",
     HEAD "2 0 obj{/X 1|hello}endobj "
          "1 0 obj<</F(a.txt)/EF<</F 2 0 R>>>>endobj" TAIL,
     "pdf_embedded_file",                                                                                                                                  "a.txt"         },
    {"goes to a file server",
     HEAD "1 0 obj<</S/GoToR/F(\\\\\\\\Evil.example\\\\x\\\\a.pdf)>>" TAIL,
     "unc_target",                                                                                                                                         "evil.example"  },
    {"in the words of PDF",                                      HEAD "1 0 obj<</S/GoToE/F(//evil.example/x)>>" TAIL,
     "unc_target",                                                                                                                                         "evil.example"  },
    {"by an address",                                            HEAD "1 0 obj<</S/URI/URI(file://evil.example/x)>>" TAIL,
     "unc_target",                                                                                                                                         "evil.example"  },
    {"to a neighbour",                                           HEAD "1 0 obj<</S/GoToR/F(chapter2.pdf)>>" TAIL,          "",
     NULL                                                                                                                                                                  },
    {"XFA",                                                      HEAD "1 0 obj<</AcroForm<</XFA 2 0 R>>>>" TAIL,           "pdf_xfa",                      NULL            },
    {"rich media",                                               HEAD "1 0 obj<</Subtype/RichMedia>>" TAIL,                "pdf_rich_media",
     NULL                                                                                                                                                                  },
    {"encrypted, and all can be seen",
     HEAD "1 0 obj<</Type/Catalog>>endobj trailer<</Encrypt 5 0 R>>",                                                      "",                             NULL            },
    {"encrypted, and objects are hidden",
     HEAD "1 0 obj{/Type/ObjStm|x}endobj trailer<</Encrypt 5 0 R>>",
     "pdf_encrypted",                                                                                                                                      NULL            },
    {"encrypted by nothing",
     HEAD "1 0 obj{/Type/ObjStm|2 0 <</S/JavaScript>>}endobj "
          "trailer<</Encrypt 5 0 R>>",                                                                                     "pdf_javascript pdf_encrypted", NULL            },
    {"brackets that do not close",                               HEAD "1 0 obj<</A((((( /S/JavaScript>>",
     "pdf_javascript",                                                                                                                                     NULL            },
    {"an array of names as a value",
     HEAD "1 0 obj<</Filter[/A85/Fl]/S/JavaScript>>" TAIL,                                                                 "pdf_javascript",
     NULL                                                                                                                                                                  },
};

/* Names of the findings of this inspector; the last in *last. */
static void
list_ours(const struct inspected *t, struct buf *out, enum finding *last)
{
    buf_reset(out);
    *last = FINDING_COUNT;
    for (unsigned f = FIND_PDF_JAVASCRIPT; f < FINDING_COUNT; f++) {
        if (!inspected_has(t, (enum finding)f))
            continue;
        if (out->n > 0)
            buf_putc(out, ' ');
        buf_str(out, finding_name((enum finding)f));
        *last = (enum finding)f;
    }
}

static void
test_rows(void **state)
{
    struct inspected t;
    struct buf in;
    struct buf got;

    (void)state;
    inspected_begin(&t);
    buf_init(&in, 1 << 20);
    buf_init(&got, 1 << 12);
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        enum finding last;

        expand(rows[k].in, &in);
        inspected_run(&t, buf_view(&in), "");
        list_ours(&t, &got, &last);
        if (!span_eq(buf_view(&got), span_str(rows[k].want)))
            fail_msg("%s: %.*s", rows[k].why, (int)got.n, (char *)got.p);
        if (rows[k].detail != NULL &&
            !inspected_names(&t, last, rows[k].detail))
            fail_msg("%s: not %s", rows[k].why, rows[k].detail);
    }
    buf_free(&in);
    buf_free(&got);
    inspected_end(&t);
}

static void
test_attached(void **state)
{
    struct inspected t;
    struct buf in;
    struct content_member m = {0};

    (void)state;
    inspected_begin(&t);
    buf_init(&in, 1 << 16);
    expand(HEAD "1 0 obj<</F(invoice.pdf.exe)/EF<</F 2 0 R>>>>endobj "
                "2 0 obj{/Type/EmbeddedFile|hello, world}endobj "
                "3 0 obj<</S/URI/URI(https://a.example/x)>>" TAIL,
           &in);
    inspected_run(&t, buf_view(&in), "a.pdf");
    assert_true(inspected_member(&t, "invoice.pdf.exe", &m));
    assert_int_equal(m.size, 12);
    assert_false(m.truncated);
    assert_true(inspected_names(&t, FIND_FORBIDDEN_MEMBER, "invoice.pdf.exe"));
    assert_int_equal(t.r.urls.n, 1);
    buf_free(&in);
    inspected_end(&t);
}

/* The header may be up to 1,024 bytes in. */
static void
test_header(void **state)
{
    struct inspected t;
    struct buf in;

    (void)state;
    inspected_begin(&t);
    buf_init(&in, 4096);
    for (size_t pad = 1018; pad <= 1020; pad++) {
        buf_reset(&in);
        while (in.n < pad)
            buf_putc(&in, 1);
        buf_str(&in, HEAD "1 0 obj<</S/JavaScript>>" TAIL);
        inspected_run(&t, buf_view(&in), "a.bin");
        assert_int_equal(inspected_has(&t, FIND_PDF_JAVASCRIPT), pad <= 1019);
    }
    buf_free(&in);
    inspected_end(&t);
}

static void
test_cut(void **state)
{
    struct inspected t;
    struct buf in;

    (void)state;
    inspected_begin(&t);
    buf_init(&in, 1 << 16);
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        expand(rows[k].in, &in);
        for (size_t cut = 0; cut <= in.n; cut++)
            inspected_run(&t, span_head(buf_view(&in), cut), "x.pdf");
    }
    buf_free(&in);
    inspected_end(&t);
}

static const struct {
    const char *why;
    const char *piece;
} costly[] = {
    {"brackets that open",        "("                                                 },
    {"backslashes in brackets",   "(\\"                                               },
    {"dictionaries that open",    "<<"                                                },
    {"dictionaries that close",   ">>"                                                },
    {"arrays",                    "["                                                 },
    {"names",                     "/"                                                 },
    {"streams without an end",    "1 0 obj<<>>stream\n"                               },
    {"streams with a bad length", "1 0 obj<</Length 9>>stream\nendstream "            },
    {"files that are one",        "1 0 obj<</F(a)/EF<</F 1 0 R>>>>"                   },
    {"streams of objects",
     "1 0 obj<</Type/ObjStm/Filter/Fl>>stream\nx\nendstream "                         },
    {"attached files",            "1 0 obj<</Type/EmbeddedFile>>stream\nx\nendstream "},
};

static void
test_costly(void **state)
{
    struct inspected t;
    struct buf in;

    (void)state;
    inspected_begin(&t);
    buf_init(&in, 1U << 20);
    for (size_t k = 0; k < ARRAY_LEN(costly); k++) {
        const clock_t from = clock();

        buf_reset(&in);
        buf_str(&in, HEAD);
        while (!in.cut)
            buf_str(&in, costly[k].piece);
        inspected_run(&t, buf_view(&in), "x.pdf");
        if (clock() - from > 20 * CLOCKS_PER_SEC)
            fail_msg("%s: too long", costly[k].why);
    }
    buf_free(&in);
    inspected_end(&t);
}

/* A stream of a thousand times its size stops at the budget. */
static void
test_bomb(void **state)
{
    struct inspected t;
    struct buf zeros;
    struct buf in;
    uint8_t *room = malloc(200000);
    uLongf n = 200000;

    (void)state;
    buf_init(&zeros, 32U << 20);
    buf_init(&in, 4U << 20);
    while (zeros.n < 28U << 20)
        buf_put(&zeros, "                                ", 32);
    assert_int_equal(compress(room, &n, zeros.p, zeros.n), Z_OK);
    buf_str(&in, HEAD);
    for (unsigned k = 0; k < 20; k++) {
        buf_printf(&in, "%u 0 obj<</Type/ObjStm/Filter/Fl/Length %lu>>stream\n",
                   k, n);
        buf_put(&in, room, n);
        buf_str(&in, "\nendstream\n");
    }
    inspected_begin(&t);
    inspected_run(&t, buf_view(&in), "bomb.pdf");
    assert_true(inspected_has(&t, FIND_INSPECTION_LIMIT));
    assert_true(t.r.bytes_unpacked <= CONTENT_MAX_unpacked);
    inspected_end(&t);
    buf_free(&zeros);
    buf_free(&in);
    free(room);
}

/* ---- filters ---- */

static const struct {
    const char *why;
    enum pdf_filter filter;
    struct span in;
    const char *want;
} filtered[] = {
    {"hexadecimal",             PDF_FILTER_HEX,   SPAN_INIT("68 656C\n6c6F>zz"),                     "hello"},
    {"half a byte",             PDF_FILTER_HEX,   SPAN_INIT("687>"),                                 "hp"   },
    {"base 85",                 PDF_FILTER_85,    SPAN_INIT("87cUR\nDZ~>"),                          "Hello"},
    {"base 85 without its end", PDF_FILTER_85,    SPAN_INIT("87cURDZ"),                              "Hello"},
    {"base 85 of whole groups", PDF_FILTER_85,    SPAN_INIT("87cUR~>"),                              "Hell" },
    {"runs",                    PDF_FILTER_RUN,
     SPAN_INIT("\2abc\xfdz\x80"
               "x"),
     "abczzzz"                                                                                              },
    {"a run cut",               PDF_FILTER_RUN,   SPAN_INIT("\2abc\xfd"),                            "abc"  },
 /* the example of ISO 32000-1 7.4.4.2 */
    {"LZW",                     PDF_FILTER_LZW,   SPAN_INIT("\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01"),
     "-----A---B"                                                                                           },
    {"damaged deflate",         PDF_FILTER_FLATE, SPAN_INIT("\x78\x9c\xff\xff"),                     ""     },
};

static void
test_filters(void **state)
{
    struct buf out;
    struct buf other;

    (void)state;
    buf_init(&out, 4096);
    buf_init(&other, 4096);
    for (size_t k = 0; k < ARRAY_LEN(filtered); k++) {
        struct pdf_filters f = {.list = {(uint8_t)filtered[k].filter}, .n = 1};

        assert_true(pdf_filter_undo(&f, filtered[k].in, &out, &other));
        if (!span_eq(buf_view(&out), span_str(filtered[k].want)))
            fail_msg("%s: %.*s", filtered[k].why, (int)out.n, (char *)out.p);
    }
    buf_free(&out);
    buf_free(&other);
}

static void
test_filters_in_a_row(void **state)
{
    const struct pdf_filters f = {
        .list = {PDF_FILTER_HEX, PDF_FILTER_RUN},
          .n = 2
    };
    const struct pdf_filters unknown = {.list = {PDF_FILTER_OTHER}, .n = 1};
    struct buf out;
    struct buf other;

    (void)state;
    buf_init(&out, 4096);
    buf_init(&other, 4096);
    assert_true(pdf_filter_undo(&f, SPAN_LIT("02616263FD7A80>"), &out, &other));
    assert_true(span_eq(buf_view(&out), SPAN_LIT("abczzzz")));
    assert_false(pdf_filter_undo(&unknown, SPAN_LIT("x"), &out, &other));
    assert_int_equal(out.n, 0);
    buf_free(&out);
    buf_free(&other);
}

/* Rows of three bytes with each of the five predictors. */
static void
test_predictors(void **state)
{
    const struct pdf_filters f = {.predicted = true, .columns = 3};
    static const uint8_t in[] = {0, 1, 2, 3, 1, 1, 1, 1, 2, 1,
                                 1, 1, 3, 1, 1, 1, 4, 1, 1, 1};
    static const uint8_t want[] = {1, 2, 3, 1, 2, 3, 2, 3, 4, 2, 3, 4, 3, 4, 5};
    struct buf out;
    struct buf other;

    (void)state;
    buf_init(&out, 4096);
    buf_init(&other, 4096);
    assert_true(pdf_filter_undo(&f, span_of(in, sizeof(in)), &out, &other));
    assert_int_equal(out.n, sizeof(want));
    assert_memory_equal(out.p, want, sizeof(want));
    buf_free(&out);
    buf_free(&other);
}

/* A long LZW text by the plainest packer: a code for each byte, the table
 * cleared before it is full. Codes get longer after the entries 510, 1022 and
 * 2046 (early change, ISO 32000-1 7.4.4.2). */
static void
test_lzw_long(void **state)
{
    const struct pdf_filters f = {.list = {PDF_FILTER_LZW}, .n = 1};
    struct buf in;
    struct buf out;
    struct buf other;
    uint64_t bits = 0;
    unsigned n_bits = 0;
    unsigned width = 9;

    (void)state;
    buf_init(&in, 1 << 16);
    buf_init(&out, 1 << 16);
    buf_init(&other, 1 << 16);
    for (unsigned k = 0; k < 20000; k++) {
        const unsigned at = k % 3500; /* codes since the table was cleared */
        const unsigned entry = 257 + at;

        if (at == 0) {
            bits = bits << width | 256;
            n_bits += width;
            width = 9;
        }
        bits = bits << width | ('a' + k % 26);
        n_bits += width;
        if (at > 0 && (entry == 510 || entry == 1022 || entry == 2046))
            width++;
        for (; n_bits >= 8; n_bits -= 8)
            buf_putc(&in, (uint8_t)(bits >> (n_bits - 8)));
    }
    buf_putc(&in, (uint8_t)(bits << (8 - n_bits)));
    assert_true(pdf_filter_undo(&f, buf_view(&in), &out, &other));
    assert_in_range(out.n, 20000, 20001);
    for (unsigned k = 0; k < 20000; k++)
        assert_int_equal(out.p[k], 'a' + k % 26);
    buf_free(&in);
    buf_free(&out);
    buf_free(&other);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_attached),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_costly),
        cmocka_unit_test(test_bomb),
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_predictors),
        cmocka_unit_test(test_lzw_long),
        cmocka_unit_test(test_filters_in_a_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
