#include "sensor/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define S(lit)                                                                 \
    {                                                                          \
        (const uint8_t *)(lit), sizeof(lit) - 1                                \
    }

struct row {
    const char *why;
    struct span in, want;
};

static void
check(const struct row *rows, size_t n, void (*f)(struct buf *, struct span))
{
    struct buf b;

    buf_init(&b, 10000);
    for (size_t i = 0; i < n; i++) {
        print_message("%s\n", rows[i].why);
        buf_reset(&b);
        f(&b, rows[i].in);
        assert_int_equal(b.n, rows[i].want.n);
        if (b.n > 0)
            assert_memory_equal(b.p, rows[i].want.p, b.n);
    }
    buf_free(&b);
}

static void
utf8(void **state)
{
    static const struct {
        const char *why;
        struct span in;
        size_t want;
    } rows[] = {
        {"nothing",               S(""),                 0},
        {"NUL",                   S("\0"),               1},
        {"DEL",                   S("\x7f"),             1},
        {"two",                   S("\xc2\x80"),         2},
        {"three",                 S("\xe0\xa0\x80"),     3},
        {"before the surrogates", S("\xed\x9f\xbf"),     3},
        {"after the surrogates",  S("\xee\x80\x80"),     3},
        {"U+FFFF",                S("\xef\xbf\xbf"),     3},
        {"four",                  S("\xf0\x90\x80\x80"), 4},
        {"the last",              S("\xf4\x8f\xbf\xbf"), 4},
        {"a trail alone",         S("\x80"),             0},
        {"overlong NUL",          S("\xc0\x80"),         0},
        {"overlong slash",        S("\xc1\xaf"),         0},
        {"overlong three",        S("\xe0\x9f\xbf"),     0},
        {"overlong four",         S("\xf0\x8f\xbf\xbf"), 0},
        {"surrogate",             S("\xed\xa0\x80"),     0},
        {"past the last",         S("\xf4\x90\x80\x80"), 0},
        {"f5",                    S("\xf5\x80\x80\x80"), 0},
        {"ff",                    S("\xff"),             0},
        {"cut two",               S("\xc2"),             0},
        {"cut three",             S("\xe2\x82"),         0},
        {"cut four",              S("\xf0\x9f\x98"),     0},
        {"broken off",
         S("\xe2\x82"
           "a"),
         0                                                },
        {"new lead within",       S("\xf0\x9f\xc3\xa4"), 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        print_message("%s\n", rows[i].why);
        assert_int_equal(utf8_len(rows[i].in), rows[i].want);
        assert_int_equal(utf8_valid(rows[i].in),
                         rows[i].want > 0 || rows[i].in.n == 0);
    }
}

static void
replace(struct buf *b, struct span s)
{
    assert_int_equal(text_utf8(b, s), !utf8_valid(s));
}

static void
replaces(void **state)
{
    static const struct row rows[] = {
        {"text",              S("a\xc3\xa4"),    S("a\xc3\xa4")               },
        {"each bad byte",     S("\xff\xfe"),     S("\xef\xbf\xbd\xef\xbf\xbd")},
        {"then goes on",      S("\xc3(x"),       S("\xef\xbf\xbd(x")          },
        {"U+FFFD is not bad", S("\xef\xbf\xbd"), S("\xef\xbf\xbd")            },
    };

    (void)state;
    check(rows, ARRAY_LEN(rows), replace);
}

static void
terminal(void **state)
{
    static const struct row rows[] = {
        {"text",
         S("Gr\xc3\xbc\xc3\x9f"
           "e"),
         S("Gr\xc3\xbc\xc3\x9f"
           "e")                                                          },
        {"clear the screen",   S("\x1b[2J"),          S("\\x1b[2J")      },
        {"set the title",      S("\x1b]0;x\x07"),     S("\\x1b]0;x\\x07")},
        {"CSI in one byte",
         S("\x9b"
           "2J"),
         S("\\x9b2J")                                                    },
        {"CSI as UTF-8",
         S("\xc2\x9b"
           "2J"),
         S("<U+009B>2J")                                                 },
        {"line ends",          S("a\r\nb"),           S("a\\x0d\\x0ab")  },
        {"back space",         S("a\x08\x7f"),        S("a\\x08\\x7f")   },
        {"NUL",                S("a\0b"),             S("a\\x00b")       },
        {"a forged escape",    S("\\x41"),            S("\\\\x41")       },
        {"right to left",
         S("a\xe2\x80\xae"
           "b"),
         S("a<U+202E>b")                                                 },
        {"isolate",            S("\xe2\x81\xa6"),     S("<U+2066>")      },
        {"Arabic letter mark", S("\xd8\x9c"),         S("<U+061C>")      },
        {"zero width",         S("\xe2\x80\x8b"),     S("<U+200B>")      },
        {"Hangul filler",      S("\xe3\x85\xa4"),     S("<U+3164>")      },
        {"line separator",     S("\xe2\x80\xa8"),     S("<U+2028>")      },
        {"tag",                S("\xf3\xa0\x81\x81"), S("<U+E0041>")     },
        {"byte order mark",    S("\xef\xbb\xbf"),     S("<U+FEFF>")      },
        {"soft hyphen",        S("\xc2\xad"),         S("<U+00AD>")      },
    };

    (void)state;
    check(rows, ARRAY_LEN(rows), text_term);
}

static void
plain_ten(struct buf *b, struct span s)
{
    text_plain(b, s, 10);
}

static void
plain(void **state)
{
    static const struct row rows[] = {
        {"text",               S("a b"),               S("a b")                   },
        {"ten bytes",          S("0123456789"),        S("0123456789")            },
        {"eleven",             S("01234567890"),       S("0123456789\xe2\x80\xa6")},
        {"cut at a character", S("012345678\xc3\xa4"),
         S("012345678\xe2\x80\xa6")                                               },
        {"runs of control",    S("a\r\n\t\0b"),        S("a b")                   },
        {"at the ends",        S("\x1b a \x7f\n"),     S("a")                     },
        {"only control",       S("\r\n"),              S("")                      },
        {"bidirectional",      S("a\xe2\x80\xaeX"),    S("aX")                    },
        {"bad bytes",          S("a\xff"),             S("a\xef\xbf\xbd")         },
        {"nothing",            S(""),                  S("")                      },
    };

    (void)state;
    check(rows, ARRAY_LEN(rows), plain_ten);
}

static void
html(void **state)
{
    static const struct row rows[] = {
        {"text",          S("a b"),          S("a b")           },
        {"script",        S("<script>"),     S("&lt;script&gt;")},
        {"attribute",     S("\"'"),          S("&quot;&#39;")   },
        {"entity",        S("&lt;"),         S("&amp;lt;")      },
        {"overlong <",    S("\xc0\xbc"),     S("\\xc0\\xbc")    },
        {"NUL in a tag",  S("<\0b>"),        S("&lt;\\x00b&gt;")},
        {"right to left", S("\xe2\x80\xae"), S("&lt;U+202E&gt;")},
    };

    (void)state;
    check(rows, ARRAY_LEN(rows), text_html);
}

static void
csv(void **state)
{
    static const struct row rows[] = {
        {"text",               S("abc"),      S("abc")         },
        {"nothing",            S(""),         S("")            },
        {"comma",              S("a,b"),      S("\"a,b\"")     },
        {"semicolon",          S("a;=1+1"),   S("\"a;=1+1\"")  },
        {"quote",              S("a\"b"),     S("\"a\"\"b\"")  },
        {"formula",            S("=1+1"),     S("'=1+1")       },
        {"plus",               S("+1"),       S("'+1")         },
        {"minus",              S("-1"),       S("'-1")         },
        {"at",                 S("@SUM(A1)"), S("'@SUM(A1)")   },
        {"formula with comma", S("=A(1,2)"),  S("\"'=A(1,2)\"")},
        {"tab first",          S("\t=1"),     S("\"'\\x09=1\"")},
        {"CR first",           S("\r=1"),     S("\"'\\x0d=1\"")},
        {"a new row",          S("a\n=1"),    S("\"a\\x0a=1\"")},
        {"invalid",            S("\xff"),     S("\\xff")       },
        {"NUL first",          S("\0=1"),     S("\"\\x00=1\"") },
    };

    (void)state;
    check(rows, ARRAY_LEN(rows), text_csv);
}

static void
base64(void **state)
{
    /* RFC 4648 section 10, and the two letters outside the alphanumerics. */
    static const struct row rows[] = {
        {"0",       S(""),             S("")        },
        {"1",       S("f"),            S("Zg==")    },
        {"2",       S("fo"),           S("Zm8=")    },
        {"3",       S("foo"),          S("Zm9v")    },
        {"4",       S("foob"),         S("Zm9vYg==")},
        {"6",       S("foobar"),       S("Zm9vYmFy")},
        {"+ and /", S("\xfb\xff\xbf"), S("+/+/")    },
    };
    static const char *const bad[] = {
        "A",    "AB",   "ABC",      "====",     "A===", "Zh==",   "Zm9=",
        "Zg=a", "Zg =", "Zg==Zg==", "Zm9v\nZg", "-_-_", "Zg==\n", "Z=g=",
    };
    struct buf b;

    (void)state;
    check(rows, ARRAY_LEN(rows), text_base64);
    buf_init(&b, 100);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        buf_reset(&b);
        assert_true(text_unbase64(&b, rows[i].want));
        assert_true(span_eq(buf_view(&b), rows[i].in));
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        print_message("%s\n", bad[i]);
        assert_false(text_unbase64(&b, span_str(bad[i])));
    }
    buf_reset(&b);
    text_hex(&b, SPAN_LIT("\x00\xaf"));
    assert_true(span_eq(buf_view(&b), SPAN_LIT("00af")));
    buf_free(&b);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8),     cmocka_unit_test(replaces),
        cmocka_unit_test(terminal), cmocka_unit_test(plain),
        cmocka_unit_test(html),     cmocka_unit_test(csv),
        cmocka_unit_test(base64),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
