#include "sensor/app/options_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the above */
#include <cmocka.h>

union value {
#define X(type, c, list, what) option_##type##_t type;
    OPTION_TYPES(X)
#undef X
};

/* want: the value written again; NULL: refused. says: part of the phrase. */
static const struct {
    const char *why;
    enum option_type type;
    const char *range, *in, *want, *says;
} rows[] = {
    {"number",                    OPTION_UINT,     "",           "17",                         "17",             ""                         },
    {"zero",                      OPTION_UINT,     "",           "0",                          "0",              ""                         },
    {"no number",                 OPTION_UINT,     "",           "many",                       NULL,             "'many' is not a number"   },
    {"nothing",                   OPTION_UINT,     "",           "",                           NULL,             "'' is not a number"       },
    {"sign",                      OPTION_UINT,     "",           "-1",                         NULL,             "not a number"             },
    {"a number has no unit",      OPTION_UINT,     "",           "1k",                         NULL,             "not a number"             },
    {"overflow",                  OPTION_UINT,     "",           "18446744073709551616",       NULL,             "not a number"             },
    {"at least",                  OPTION_UINT,     "2..4",       "2",                          "2",              ""                         },
    {"at most",                   OPTION_UINT,     "2..4",       "4",                          "4",              ""                         },
    {"below",                     OPTION_UINT,     "2..4",       "1",                          NULL,             "'1' is out of range: 2..4"},
    {"above",                     OPTION_UINT,     "2..4",       "5",                          NULL,             "out of range"             },
    {"bytes",                     OPTION_SIZE,     "",           "1000",                       "1000",           ""                         },
    {"mebibytes",                 OPTION_SIZE,     "",           "4MiB",                       "4MiB",           ""                         },
    {"case and space",            OPTION_SIZE,     "",           "4 mib",                      "4MiB",           ""                         },
    {"largest unit that divides", OPTION_SIZE,     "",           "2048KiB",                    "2MiB",           ""                         },
    {"one more byte",             OPTION_SIZE,     "",           "1025",                       "1025",           ""                         },
    {"size zero",                 OPTION_SIZE,     "",           "0",                          "0",              ""                         },
    {"decimal unit",              OPTION_SIZE,     "",           "4MB",                        NULL,             "not a size such as"       },
    {"unit alone",                OPTION_SIZE,     "",           "MiB",                        NULL,             "not a size"               },
    {"size overflow",             OPTION_SIZE,     "",           "16777216TiB",                NULL,             "not a size"               },
    {"size range",                OPTION_SIZE,     "1KiB..1MiB", "1025KiB",                    NULL,             "out of range"             },
    {"size at most",              OPTION_SIZE,     "1KiB..1MiB", "1024KiB",                    "1MiB",           ""                         },
    {"seconds",                   OPTION_DURATION, "",           "90s",                        "90s",            ""                         },
    {"minutes",                   OPTION_DURATION, "",           "120s",                       "2m",             ""                         },
    {"milliseconds",              OPTION_DURATION, "",           "500ms",                      "500ms",          ""                         },
    {"a day",                     OPTION_DURATION, "",           "24h",                        "1d",             ""                         },
    {"a time needs a unit",       OPTION_DURATION, "",           "5",                          NULL,             "not a time"               },
    {"time zero",                 OPTION_DURATION, "",           "0s",                         "0ns",            ""                         },
    {"true",                      OPTION_BOOL,     "",           "true",                       "true",           ""                         },
    {"on",                        OPTION_BOOL,     "",           "ON",                         "true",           ""                         },
    {"no",                        OPTION_BOOL,     "",           "no",                         "false",          ""                         },
    {"not a bool",                OPTION_BOOL,     "",           "1",                          NULL,             "not true or false"        },
    {"choice",                    OPTION_CHOICE,   "a|bb|c",     "bb",                         "bb",             ""                         },
    {"last choice",               OPTION_CHOICE,   "a|bb|c",     "c",                          "c",              ""                         },
    {"part of a choice",          OPTION_CHOICE,   "a|bb|c",     "b",                          NULL,             "not one of a|bb"          },
    {"empty choice",              OPTION_CHOICE,   "a|bb",       "",                           NULL,             "not one of"               },
    {"text",                      OPTION_TEXT,     "1..4",       "abcd",                       "\"abcd\"",       ""                         },
    {"text too long",             OPTION_TEXT,     "1..4",       "abcde",                      NULL,             "its length is 1..4"       },
    {"text empty",                OPTION_TEXT,     "1..4",       "",                           NULL,             "its length is"            },
    {"text with quotes",          OPTION_TEXT,     "",           "a\"b\\",                     "\"a\\\"b\\\\\"", ""                         },
    {"control byte",              OPTION_TEXT,     "",           "a\nb",                       NULL,             "not text"                 },
    {"lines",                     OPTION_LINES,    "1..4",       "a\nb",                       "\"a\\nb\"",      ""                         },
    {"control byte in lines",     OPTION_LINES,    "",           "a\rb",                       NULL,             "not text"                 },
    {"too many of them",          OPTION_LINES,    "1..2",       "a\nb",                       NULL,             "its length is"            },
    {"escape byte is shown",      OPTION_TEXT,     "",           "\x1b[2J",                    NULL,             "\\x1b"                    },
    {"not UTF-8",                 OPTION_PATH,     "",           "a\xff",                      NULL,             "not text"                 },
    {"path",                      OPTION_PATH,     "",           "/a b",                       "\"/a b\"",       ""                         },
    {"empty path",                OPTION_PATH,     "",           "",                           NULL,             "the name is empty"        },
    {"ending",                    OPTION_OUTPUT,   ".html|.csv", "x.csv",                      "\"x.csv\"",      ""                         },
    {"ending case",               OPTION_OUTPUT,   ".html|.csv", "x.HTML",                     "\"x.HTML\"",     ""                         },
    {"ending only",               OPTION_OUTPUT,   ".html|.csv", ".csv",                       NULL,             "endings"                  },
    {"no ending",                 OPTION_OUTPUT,   ".html|.csv", "x",                          NULL,             "endings .html|.csv"       },
    {"port",                      OPTION_PORTS,    "",           "25",                         "[25]",           ""                         },
    {"ports",                     OPTION_PORTS,    "",           "25, 587",                    "[25, 587]",      ""                         },
    {"last port",                 OPTION_PORTS,    "",           "65535",                      "[65535]",        ""                         },
    {"port zero",                 OPTION_PORTS,    "",           "0",                          NULL,             "'0' is not a port"        },
    {"port too large",            OPTION_PORTS,    "",           "25,65536",                   NULL,             "'65536' is not"           },
    {"empty item",                OPTION_PORTS,    "",           "25,",                        NULL,             "'' is not a port"         },
    {"twice",                     OPTION_PORTS,    "",           "25,25",                      NULL,             "'25' is there twice"      },
    {"two at most",               OPTION_PORTS,    "1..2",       "1,2",                        "[1, 2]",         ""                         },
    {"too many",                  OPTION_PORTS,    "1..2",       "1,2,3",                      NULL,             "more than 2 items"        },
    {"networks",                  OPTION_PREFIXES, "",           "192.0.2.0/24,2001:db8::/32",
     "[\"192.0.2.0/24\", \"2001:db8::/32\"]",                                                                    ""                         },
    {"host bits",                 OPTION_PREFIXES, "",           "192.0.2.1/24",               NULL,             "not a network"            },
    {"texts keep commas",         OPTION_TEXTS,    "",           "a,b",                        "[\"a,b\"]",      ""                         },
};

static void
test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct option_row row = {.type = rows[i].type, .range = rows[i].range};
        union value v;
        struct buf why, text;
        bool good;

        memset(&v, 0, sizeof(v));
        buf_init(&why, 1024);
        buf_init(&text, 1024);
        good = options_value_set(&row, span_str(rows[i].in), &v, &why);
        if (good)
            options_value_format(&row, &v, &text);
        buf_putc(&why, 0);
        if (good != (rows[i].want != NULL) ||
            (good && !span_eq(buf_view(&text), span_str(rows[i].want))) ||
            strstr((const char *)why.p, rows[i].says) == NULL)
            fail_msg("%s: got %.*s, says %s", rows[i].why, (int)text.n,
                     text.n > 0 ? (const char *)text.p : "",
                     (const char *)why.p);
        options_value_free(&row, &v);
        options_value_free(&row, &v); /* twice is fine */
        buf_free(&why);
        buf_free(&text);
    }
}

static void
test_long_value_is_cut_in_the_message(void **state)
{
    struct option_row row = {.type = OPTION_UINT, .range = ""};
    char in[300];
    uint64_t v = 7;
    struct buf why;

    (void)state;
    memset(in, 'x', sizeof(in));
    buf_init(&why, 1024);
    assert_false(options_value_set(&row, span_of(in, sizeof(in)), &v, &why));
    assert_true(why.n < 150);
    assert_int_equal(v, 7);
    buf_free(&why);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_long_value_is_cut_in_the_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
