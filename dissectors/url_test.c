#include "dissectors/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void
scan_pieces(struct url_set *set, struct span in, size_t cut, size_t piece,
            bool html)
{
    struct url_scan u;

    url_set_init(set);
    url_scan_init(&u, set, html);
    url_scan_push(&u, span_head(in, cut));
    in = span_tail(in, cut);
    while (in.n > 0) {
        url_scan_push(&u, span_head(in, piece));
        in = span_tail(in, piece);
    }
    url_scan_end(&u);
}

/* The URLs found, a line each; every cut must find the same. */
static void
find_all(struct span in, bool html, struct buf *out)
{
    struct url_set whole;
    struct cursor c;
    struct span url;

    scan_pieces(&whole, in, SIZE_MAX, SIZE_MAX, html);
    for (size_t cut = 0; cut <= in.n; cut++) {
        struct url_set other;

        scan_pieces(&other, in, cut, cut % 3 == 0 ? 1 : SIZE_MAX, html);
        assert_true(span_eq(buf_view(&whole.text), buf_view(&other.text)));
        assert_int_equal(whole.n_more, other.n_more);
        url_set_free(&other);
    }
    c = cur_open(buf_view(&whole.text));
    while (url_next(&c, &url)) {
        buf_span(out, url);
        buf_putc(out, '\n');
    }
    assert_false(c.bad);
    url_set_free(&whole);
}

#define TEXT false
#define HTML true

static const struct {
    const char *why;
    bool html;
    const char *in, *want;
} rows[] = {
  /* clang-format off */
    {"nothing", TEXT, "", ""},
    {"prose", TEXT, "Time: 10:30. See also: the end. a\\b c:\\d", ""},
    {"one", TEXT, "see http://example.com/a", "http://example.com/a\n"},
    {"at the beginning", TEXT, "https://example.com", "https://example.com\n"},
    {"any case", TEXT, "HtTpS://Example.com/A", "HtTpS://Example.com/A\n"},
    {"once", TEXT, "http://a.de http://a.de http://b.de", "http://a.de\nhttp://b.de\n"},
    {"ftp", TEXT, "ftp://host/file", "ftp://host/file\n"},
    {"mail addresses are none", TEXT, "mailto:a@b.de a@b.de", ""},
    {"www", TEXT, "go to www.example.com/x now", "www.example.com/x\n"},
    {"www in capitals", TEXT, "WWW.Example.com", "www.Example.com\n"},
    {"www of a sentence", TEXT, "the www. It is big. www.x", ""},
    {"www within a word", TEXT, "awww.example.com x@www.example.com x_www.a.de \xc3\xa4www.a.de", ""},
    {"end of a sentence", TEXT, "at http://a.de/x. And http://b.de/y, or http://c.de/z!?", "http://a.de/x\nhttp://b.de/y\nhttp://c.de/z\n"},
    {"in brackets", TEXT, "(http://a.de/x) [http://b.de/y] <http://c.de/z>", "http://a.de/x\nhttp://b.de/y\nhttp://c.de/z\n"},
    {"brackets of its own", TEXT, "http://a.de/x_(y) (http://a.de/(z)).", "http://a.de/x_(y)\nhttp://a.de/(z)\n"},
    {"IPv6", TEXT, "http://[2001:db8::1]:80/x", "http://[2001:db8::1]:80/x\n"},
    {"in quotes", TEXT, "\"http://a.de/x\" 'http://b.de/y' s", "http://a.de/x\nhttp://b.de/y\n"},
    {"no host", TEXT, "http:// http:/// http: //x.de http://?x", ""},
    {"part of another scheme", TEXT, "xhttp://a.de", ""},
    {"behind a hyphen and a colon", TEXT, "x-http://a.de feed:http://b.de", "http://a.de\nhttp://b.de\n"},
    {"UTF-8 quotes", TEXT, "\xe2\x80\x9ehttp://a.de/x\xe2\x80\x9c", "http://a.de/x\n"},
    {"full-width comma", TEXT, "http://a.de/x\xef\xbc\x8cy", "http://a.de/x\n"},
    {"IDN", TEXT, "http://m\xc3\xbcller.de/", "http://m\xc3\xbcller.de/\n"},
    {"escaped slashes of a script", TEXT, "u=\"https:\\/\\/a.de\\/x\"", "https://a.de/x\n"},
    {"query", TEXT, "http://a.de/?x=http://b.de&y=1#z", "http://a.de/?x=http://b.de&y=1#z\n"},

    {"file", TEXT, "file://host/share/x file:///c:/x", "file://host/share/x\nfile:///c:/x\n"},
    {"file of prose", TEXT, "file: a file:b", ""},
    {"file with backslashes", TEXT, "file:\\\\host\\share", "file:\\\\host\\share\n"},
    {"smb", TEXT, "smb://host/share", "smb://host/share\n"},
    {"ms-", TEXT, "ms-msdt:/id ms-word:ofe|u|http://a.de/x", "ms-msdt:/id\nms-word:ofe\nhttp://a.de/x\n"},
    {"MS-DOS", TEXT, "MS-DOS: old", ""},
    {"search-ms", TEXT, "search-ms:query=x&crumb=location:\\\\host\\x", "search-ms:query=x&crumb=location:\\\\host\\x\n"},
    {"UNC", TEXT, "open \\\\host.de\\share\\file.doc now", "\\\\host.de\\share\\file.doc\n"},
    {"UNC of WebDAV", TEXT, "\\\\host@SSL@443\\DavWWWRoot", "\\\\host@SSL@443\\DavWWWRoot\n"},
    {"no share", TEXT, "\\\\host \\\\host\\ \\\\", ""},
    {"escaped path", TEXT, "C:\\\\Windows\\\\System \\\\\\\\a\\\\b", ""},
    {"TeX", TEXT, "a & b \\\\ \\hline c \\\\[2pt]", ""},

    {"attribute", HTML, "<a href=\"http://a.de/x\">http://b.de</a>", "http://a.de/x\nhttp://b.de\n"},
    {"attribute without quotes", HTML, "<a href=http://a.de/x>", "http://a.de/x\n"},
    {"line ends within", HTML, "<a href=\"http://a.\r\n\tde/x\">", "http://a.de/x\n"},
    {"blanks within", HTML, "<a href='http://a.de/x y  '>", "http://a.de/x y\n"},
    {"one slash, backslashes, none", HTML, "<a href=\"http:/a.de\"><a href=\"http:\\\\b.de\"><a href=\"https:c.de\">", "http:/a.de\nhttp:\\\\b.de\nhttps:c.de\n"},
    {"references", HTML, "<a href=\"&#104;ttp&colon;&#x2f;&#x2F;a.de&period;x?a=1&amp;b=2\">", "http://a.de.x?a=1&b=2\n"},
    {"references without their end", HTML, "<a href=\"&#104ttp&#58//a.de\">", "http://a.de\n"},
    {"zeros in front", HTML, "<a href=\"http&#000000000000000058;//a.de\">", "http://a.de\n"},
    {"what is no reference", HTML, "<a href=\"http://a.de/?a=1&b=2&copy;=3&;&#;&#x;\">", "http://a.de/?a=1&b=2&copy;=3&;&#;&#x;\n"},
    {"reference to a quote", HTML, "&quot;http://a.de/x&quot; &lt;http://b.de&gt; http://c.de&nbsp;x", "http://a.de/x\nhttp://b.de\nhttp://c.de\n"},
    {"UTF-8 of a reference", HTML, "http://m&#252;ller.de/", "http://m\xc3\xbcller.de/\n"},
    {"style", HTML, "<p style=\"color:red;background:url(http://a.de/x.png)\">", "http://a.de/x.png\n"},
    {"UNC in an attribute", HTML, "<img src=\"\\\\host\\x y.png\">", "\\\\host\\x y.png\n"},
    {"names of vocabularies", HTML, "<html xmlns=\"http://www.w3.org/1999/xhtml\">", ""},
    {"references mean nothing in text", TEXT, "http&#58;//a.de", ""},
  /* clang-format on */
};

static void
test_rows(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf out;

        buf_init(&out, 1U << 16);
        find_all(span_str(rows[i].in), rows[i].html, &out);
        if (!span_eq(buf_view(&out), span_str(rows[i].want)))
            fail_msg("%s: %.*s", rows[i].why, (int)out.n, (char *)out.p);
        buf_free(&out);
    }
}

/* ---- limits ---- */

static void
test_many(void **unused)
{
    (void)unused;
    for (unsigned n = URL_MAX - 1; n <= URL_MAX + 1; n++) {
        struct url_set set;
        struct buf in;

        buf_init(&in, 1U << 16);
        for (unsigned i = 0; i < n; i++)
            buf_printf(&in, "http://a.de/%u ", i);
        scan_pieces(&set, buf_view(&in), SIZE_MAX, SIZE_MAX, false);
        assert_int_equal(set.n, n < URL_MAX ? n : URL_MAX);
        assert_int_equal(set.n_more, n > URL_MAX);
        url_set_free(&set);
        buf_free(&in);
    }
    url_set_free(NULL);
}

static void
test_long(void **unused)
{
    (void)unused;
    for (size_t n = URL_LEN - 1; n <= URL_LEN + 1; n++) {
        struct url_set set;
        struct buf in;
        struct cursor c;
        struct span url;

        buf_init(&in, (size_t)2 * URL_LEN);
        buf_str(&in, "http://a.de/");
        while (in.n < n)
            buf_putc(&in, 'x');
        buf_str(&in, " http://b.de");
        scan_pieces(&set, buf_view(&in), 100, 100, false);
        c = cur_open(buf_view(&set.text));
        assert_true(url_next(&c, &url));
        assert_int_equal(url.n, n < URL_LEN ? n : URL_LEN);
        assert_true(url_next(&c, &url));
        assert_true(span_eq(url, SPAN_LIT("http://b.de")));
        url_set_free(&set);
        buf_free(&in);
    }
}

static void
test_set(void **unused)
{
    uint8_t text[URL_LEN + 1];
    struct url_set set;
    struct cursor c;
    struct span url;

    (void)unused;
    memset(text, 'a', sizeof(text));
    url_set_init(&set);
    url_set_add(&set, SPAN_NONE);
    assert_int_equal(set.n, 0);
    url_set_add(&set, span_of(text, sizeof(text)));
    url_set_add(&set, span_of(text, URL_LEN));
    assert_int_equal(set.n, 1);
    c = cur_open(span_of(set.text.p, set.text.n - 1));
    assert_false(url_next(&c, &url));
    assert_true(c.bad);
    url_set_free(&set);
}

/* Signs without end: linear, and nothing found. */
static void
test_hostile(void **unused)
{
    static const char *const words[] = {
        ":",   ".",  "\\",    "www.", "http:",    "&",
        "&#x", "((", "\\\\a", "ms-:", "http://(", "&#104;ttp:"};

    (void)unused;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) * 2; i++) {
        struct url_set set;
        struct buf in;

        buf_init(&in, 1U << 21);
        while (!in.cut)
            buf_str(&in, words[i / 2]);
        scan_pieces(&set, buf_view(&in), 1000, 1460, i % 2 != 0);
        assert_true(set.n <= URL_MAX);
        url_set_free(&set);
        buf_free(&in);
    }
}

/* Bytes that come one by one are looked at one by one: what is taken together
 * when it comes together must be the same. */
static void
test_references(void **unused)
{
    static const char *const words[] = {"&",
                                        "&&",
                                        "&;",
                                        "&#",
                                        "&#;",
                                        "&#x",
                                        "&#58",
                                        "&#58;",
                                        "&#x3a",
                                        "&#x3A;",
                                        "&amp;",
                                        "&amp",
                                        "&colon;",
                                        "&sol;",
                                        "&quot;",
                                        "&nbsp;",
                                        "&a",
                                        "&a=",
                                        ";",
                                        "#",
                                        "x",
                                        "http",
                                        "http:",
                                        "http://a.de/",
                                        "//b",
                                        " ",
                                        "=\"",
                                        "\"",
                                        "www.c.de",
                                        "&#000000000000000000058;",
                                        "&#00000000000000000000058;",
                                        "&#000000000000000000000058;",
                                        "&abcdefghijklmnopqrstuvwxyz;"};
    uint32_t seed = 1;

    (void)unused;
    for (unsigned round = 0; round < 20000; round++) {
        struct url_set whole, bytes;
        struct buf in;

        buf_init(&in, 1U << 12);
        for (unsigned k = 0; k < 12; k++) {
            seed = seed * 1664525U + 1013904223U;
            buf_str(&in, words[(seed >> 16) % ARRAY_LEN(words)]);
        }
        scan_pieces(&whole, buf_view(&in), SIZE_MAX, SIZE_MAX, true);
        scan_pieces(&bytes, buf_view(&in), 1, 1, true);
        if (!span_eq(buf_view(&whole.text), buf_view(&bytes.text)))
            fail_msg("%.*s", (int)in.n, (char *)in.p);
        url_set_free(&whole);
        url_set_free(&bytes);
        buf_free(&in);
    }
}

/* ---- hosts, defanged ---- */

static const struct {
    const char *url, *host, *defanged;
} hosts[] = {
    {"http://Example.COM/x",                     "example.com", "hxxp://Example[.]COM/x"   },
    {"https://a.b.de:8080?x",                    "a.b.de",      "hxxps://a[.]b[.]de:8080?x"},
    {"ftp://u:p@a.de/x.y",                       "a.de",        "fxp://u:p@a[.]de/x.y"     },
    {"http://a.de@evil.de/",                     "evil.de",     "hxxp://a[.]de@evil[.]de/" },
    {"http://a.de\\@evil.de/",                   "a.de",        "hxxp://a[.]de\\@evil.de/" },
    {"http://[2001:DB8::1]:80/",                 "2001:db8::1", "hxxp://[2001:DB8::1]:80/" },
    {"http://%65vil%2ede./",                     "evil.de",     "hxxp://%65vil%2ede[.]/"   },
    {"http://10.0.0.1",                          "10.0.0.1",    "hxxp://10[.]0[.]0[.]1"    },
    {"https:c.de",                               "c.de",        "hxxps:c[.]de"             },
    {"http:\\\\b.de\\x",                         "b.de",        "hxxp:\\\\b[.]de\\x"       },
    {"www.a.de/x?u=http://www.b.de",             "www.a.de",
     "www[.]a[.]de/x?u=http[://]www[.]b.de"                                                },
    {"www.a.de:81/",                             "www.a.de",    "www[.]a[.]de:81/"         },
    {"file://host/x",                            "host",        "file[:]//host/x"          },
    {"file:///c:/x",                             NULL,          "file[:]///c:/x"           },
    {"file:\\\\h.de\\x",                         "h.de",        "file[:]\\\\h[.]de\\x"     },
    {"\\\\Host.de@SSL\\x",                       "host.de",     "[\\\\]Host[.]de@SSL\\x"   },
    {"search-ms:q=x&crumb=location:\\\\h.de\\x", "h.de",
     "search-ms[:]q=x&crumb=location:\\\\h[.]de\\x"                                        },
    {"ms-msdt:/id",                              NULL,          "ms-msdt[:]/id"            },
    {"",                                         NULL,          ""                         },
    {"http:",                                    NULL,          "hxxp:"                    },
};

static void
test_hosts(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct span url = span_str(hosts[i].url);
        struct buf host, text;
        bool has;

        buf_init(&host, 256);
        buf_init(&text, 256);
        has = url_host(url, &host);
        url_defang(url, &text);
        if (has != (hosts[i].host != NULL) ||
            (has && !span_eq(buf_view(&host), span_str(hosts[i].host))))
            fail_msg("%s: host %.*s", hosts[i].url, (int)host.n,
                     (char *)host.p);
        if (!span_eq(buf_view(&text), span_str(hosts[i].defanged)))
            fail_msg("%s: %.*s", hosts[i].url, (int)text.n, (char *)text.p);
        buf_free(&host);
        buf_free(&text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),    cmocka_unit_test(test_many),
        cmocka_unit_test(test_long),    cmocka_unit_test(test_set),
        cmocka_unit_test(test_hostile), cmocka_unit_test(test_references),
        cmocka_unit_test(test_hosts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
