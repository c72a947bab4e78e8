#include "dissectors/charset.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct {
    const char *why, *name;
    enum charset_id want;
} names[] = {
    {"as registered",                  "ISO-8859-1",                               CHARSET_ISO_8859_1},
    {"lower case, underscores",        "iso_8859_1",                               CHARSET_ISO_8859_1},
    {"other name",                     "latin1",                                   CHARSET_ISO_8859_1},
    {"order of bytes does not matter", "iso-8859-8-i",                             CHARSET_ISO_8859_8},
    {"wider charset",                  "EUC-KR",                                   CHARSET_UHC       },
    {"wider charset",                  "gb2312",                                   CHARSET_GB18030   },
    {"quoted with blanks",             " UTF-8 ",                                  CHARSET_UTF_8     },
    {"empty",                          "",                                         CHARSET_COUNT     },
    {"only dashes",                    "--",                                       CHARSET_COUNT     },
    {"a path",                         "../../tmp/x",                              CHARSET_COUNT     },
    {"glibc's suffixes",               "utf-16//TRANSLIT",                         CHARSET_COUNT     },
    {"prefix of a name",               "koi8-",                                    CHARSET_KOI8_R    },
    {"prefix of a name",               "windows-125",                              CHARSET_COUNT     },
    {"very long",                      "utf-8utf-8utf-8utf-8utf-8utf-8utf-8utf-8", CHARSET_COUNT     },
};

static const struct {
    const char *name, *in, *want;
    enum charset_result result;
} texts[] = {
    {"utf-8",        "\xc3\xa9\xff",    "\xc3\xa9\xff",   CHARSET_OK      },
    {"us-ascii",     "a\xe9",           "a\xe9",          CHARSET_OK      },
    {"windows-1252", "\x80",            "\xe2\x82\xac",   CHARSET_OK      },
    {"windows-1251", "\xcf",            "\xd0\x9f",       CHARSET_OK      },
    {"big5",         "\xb4\xfa",        "\xe6\xb8\xac",   CHARSET_OK      },
    {"euc-kr",       "\xc7\xd1",        "\xed\x95\x9c",   CHARSET_OK      },
    {"iso-2022-jp",  "\x1b$B%F\x1b(B!", "\xe3\x83\x86!",  CHARSET_OK      },
    {"shift_jis",    "\x83\x65",        "\xe3\x83\x86",   CHARSET_OK      },
    {"utf-7",        "+AOk-",           "\xc3\xa9",       CHARSET_OK      },
    {"iso-8859-8-i", "\xe0",            "\xd7\x90",       CHARSET_OK      },
    {"gbk",          "a\xffz",          "a\xef\xbf\xbdz", CHARSET_REPLACED},
    {"gbk",          "a\x81",           "a\xef\xbf\xbd",  CHARSET_REPLACED},
    {"klingon",      "\x81",            "\x81",           CHARSET_UNKNOWN },
};

static void
test_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (charset_find(span_str(names[i].name)) != names[i].want)
            fail_msg("%s: %s", names[i].why, names[i].name);
    }
}

static void
test_texts(void **state)
{
    struct charset cs;

    (void)state;
    charset_init(&cs);
    for (size_t i = 0; i < ARRAY_LEN(texts) * 2; i++) {
        size_t k = i % ARRAY_LEN(texts); /* twice: converters are reused */
        struct buf out;

        buf_init(&out, 64);
        if (charset_to_utf8(&cs, span_str(texts[k].name), span_str(texts[k].in),
                            &out) != texts[k].result ||
            !span_eq(buf_view(&out), span_str(texts[k].want)))
            fail_msg("%s: \"%.*s\"", texts[k].name, (int)out.n,
                     (const char *)out.p);
        buf_free(&out);
    }
    charset_fini(&cs);
}

static void
test_preload(void **state)
{
    struct charset cs;

    (void)state;
    charset_init(&cs);
    assert_int_equal(charset_preload(&cs), 0);
    for (unsigned i = CHARSET_ISO_8859_1; i < CHARSET_COUNT; i++)
        assert_non_null(cs.open[i]);
    charset_fini(&cs);
    charset_fini(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_preload),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
