#include "dissectors/rfc2047.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct {
    const char *why, *in, *want;
    unsigned seen;
} words[] = {
    {"no word",                       "plain = ?text?=",                "plain = ?text?=",          0                          },
    {"empty",                         "",                               "",                         0                          },
    {"Q",                             "=?ISO-8859-1?Q?a=E9_b?=",        "a\xc3\xa9 b",              RFC2047_WORDS              },
    {"lower-case letters",            "=?iso-8859-1?q?=e9?=",           "\xc3\xa9",                 RFC2047_WORDS              },
    {"B",                             "=?utf-8?B?w6k=?=",               "\xc3\xa9",                 RFC2047_WORDS              },
    {"B without padding",             "=?utf-8?b?w6k?=",                "\xc3\xa9",                 RFC2047_WORDS              },
    {"B joined after padding",        "=?utf-8?B?YQ==YmM=?=",           "abc",                      RFC2047_WORDS              },
    {"B with blanks",                 "=?utf-8?B?w 6k=?=",              "\xc3\xa9",
     RFC2047_WORDS | RFC2047_BAD                                                                                               },
    {"text around",                   "x =?utf-8?q?y?= z",              "x y z",                    RFC2047_WORDS              },
    {"blanks between words go",       "=?utf-8?q?a?= \t =?utf-8?q?b?=", "ab",
     RFC2047_WORDS                                                                                                             },
    {"words that touch",              "=?utf-8?q?a?==?utf-8?q?b?=",     "ab",                       RFC2047_WORDS              },
    {"text between words stays",      "=?utf-8?q?a?= x =?utf-8?q?b?=",  "a x b",
     RFC2047_WORDS                                                                                                             },
    {"character split between words",
     "=?UTF-8?Q?=C3?= =?utf-8?Q?=A9?=",                                 "\xc3\xa9",                 RFC2047_WORDS              },
    {"other charset between",         "=?utf-8?Q?a?= =?koi8-r?Q?=C1?=", "a\xd0\xb0",
     RFC2047_WORDS                                                                                                             },
    {"language, RFC 2231",            "=?us-ascii*en?q?hi?=",           "hi",                       RFC2047_WORDS              },
    {"gb2312 reads GBK",              "=?GB2312?B?suLK1A==?=",          "\xe6\xb5\x8b\xe8\xaf\x95",
     RFC2047_WORDS                                                                                                             },
    {"empty word",
     "=?utf-8?Q?"
     "?= a",                                                            " a",                       RFC2047_WORDS              },
    {"question mark that is data",    "=?utf-8?Q?=41?=",                "A",                        RFC2047_WORDS              },
    {"spaces in Q",                   "=?utf-8?q?a b?=",                "a b",                      RFC2047_WORDS | RFC2047_BAD},
    {"broken hexadecimal",
     "=?utf-8?q?=4G=?=",                                                "=4G=",                     RFC2047_WORDS | RFC2047_BAD},
    {"in quotes",                     "\"=?utf-8?q?a?=\" <x@y>",        "\"a\" <x@y>",              RFC2047_WORDS              },
    {"no end",                        "=?utf-8?q?abc",                  "=?utf-8?q?abc",            0                          },
    {"unknown encoding",              "=?utf-8?x?abc?=",                "=?utf-8?x?abc?=",          0                          },
    {"unknown charset keeps bytes",   "=?x-none?q?=E9?=",               "\xe9",
     RFC2047_WORDS | RFC2047_UNKNOWN_CHARSET                                                                                   },
    {"no charset",                    "=??q?a?=",                       "=??q?a?=",                 0                          },
    {"start within a start",          "=?=?utf-8?q?a?=",                "=?a",                      RFC2047_WORDS              },
    {"not of the charset",            "=?shift_jis?q?=80?=",            "\xef\xbf\xbd",
     RFC2047_WORDS | RFC2047_BAD                                                                                               },
    {"cut in a character",            "=?gb2312?q?=B2?=",               "\xef\xbf\xbd",
     RFC2047_WORDS | RFC2047_BAD                                                                                               },
};

static void
test_words(void **state)
{
    struct charset cs;

    (void)state;
    charset_init(&cs);
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        struct buf out;
        unsigned seen;

        buf_init(&out, 1024);
        seen = rfc2047_decode(&cs, span_str(words[i].in), &out);
        if (seen != words[i].seen ||
            !span_eq(buf_view(&out), span_str(words[i].want)))
            fail_msg("%s: %u \"%.*s\"", words[i].why, seen, (int)out.n,
                     (const char *)out.p);
        buf_free(&out);
    }
    charset_fini(&cs);
}

/* Time must not grow with the square of the length: this takes seconds if it
 * does, and milliseconds if not. */
static void
test_hostile_length(void **state)
{
    static const char *const units[] = {"=?", "=?a?q?", "=?utf-8?q?x?= "};
    enum { N = 1 << 18 };
    char *in = malloc(N);
    struct charset cs;

    (void)state;
    assert_non_null(in);
    charset_init(&cs);
    for (size_t u = 0; u < ARRAY_LEN(units); u++) {
        size_t k = strlen(units[u]);
        struct buf out;

        for (size_t i = 0; i < N; i++)
            in[i] = units[u][i % k];
        buf_init(&out, (size_t)N * 3);
        (void)rfc2047_decode(&cs, span_of(in, N), &out);
        assert_true(out.n <= N);
        buf_free(&out);
    }
    charset_fini(&cs);
    free(in);
}

static void
test_output_bound(void **state)
{
    struct charset cs;
    struct buf out;

    (void)state;
    charset_init(&cs);
    for (size_t max = 0; max < 8; max++) {
        buf_init(&out, max);
        (void)rfc2047_decode(&cs, SPAN_LIT("=?koi8-r?q?=C1=C1=C1?="), &out);
        assert_true(out.n <= max && out.cut == (max < 6));
        buf_free(&out);
    }
    charset_fini(&cs);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_hostile_length),
        cmocka_unit_test(test_output_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
