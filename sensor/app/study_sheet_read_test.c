#include "sensor/app/study_sheet_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "tests/support/tempdir.h"

#define HEAD "number,host,stratum,class,weight,nth\n"
#define TWO                                                                    \
    HEAD "1,10.1.2.4,0,legitimate,12.5,1\n"                                    \
         "3,10.1.2.3,12,bot,1,2\n"                                             \
         "2,10.1.2.3,12,bot,1,1\n"

static const struct {
    const char *why, *in, *want;
} keys[] = {
    {"two hosts",                TWO,                                                 ""},
    {"nothing",                  "",
     "f:1:1: there is no first line: number,host,stratum,class,weight,nth\n"            },
    {"no rows",                  HEAD,                                                ""},
    {"no host",                  HEAD "1,x,0,bot,1,1\n",
     "f:2:3: 'x' is not an address, such as 192.0.2.7\n"                                },
    {"no such stratum",          HEAD "1,10.1.2.3,24,bot,1,1\n",
     "f:2:12: '24' is no number that can stand here\n"                                  },
    {"no number",                HEAD "0,10.1.2.3,1,bot,1,1\n",
     "f:2:1: '0' is no number that can stand here\n"                                    },
    {"too many of a host",       HEAD "1,10.1.2.3,1,bot,1,6\n",
     "f:2:20: '6' is no number that can stand here\n"                                   },
    {"no weight",                HEAD "1,10.1.2.3,1,bot,-1,1\n",
     "f:2:18: '-1' is no weight, such as 12.5\n"                                        },
    {"no weight again",          HEAD "1,10.1.2.3,1,bot,0x1,1\n",
     "f:2:18: '0x1' is no weight, such as 12.5\n"                                       },
    {"weight of nought",         HEAD "1,10.1.2.3,1,bot,0,1\n",
     "f:2:18: '0' is no weight, such as 12.5\n"                                         },
    {"two points",               HEAD "1,10.1.2.3,1,bot,1.1.1,1\n",
     "f:2:18: '1.1.1' is no weight, such as 12.5\n"                                     },
    {"no class",                 HEAD "1,10.1.2.3,1,bots,1,1\n",
     "f:2:14: 'bots' is no class; did you mean 'bot'?\n"                                },
    {"a number behind the last", HEAD "2,10.1.2.3,1,bot,1,1\n",
     "f:2:1: number 2, and there are 1 rows\n"                                          },
    {"a number twice",           HEAD "1,10.1.2.3,1,bot,1,1\n1,10.1.2.4,1,bot,1,1\n",
     "f:3:1: 10.1.2.4 has the same number as another in line 2\n"                       },
    {"nth twice",                HEAD "1,10.1.2.3,1,bot,1,1\n2,10.1.2.3,1,bot,1,1\n",
     "f:3:1: 10.1.2.3 has the same nth in line 2\n"                                     },
    {"two strata",               HEAD "1,10.1.2.3,1,bot,1,1\n2,10.1.2.3,2,bot,1,2\n",
     "f:3:1: 10.1.2.3 is of another stratum, class or weight in line 2\n"               },
};

static void
the_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct study_sheets s;
        struct buf messages;
        enum err e;

        buf_init(&messages, 1 << 16);
        e = study_sheets_key_text(span_str(keys[i].in), "f", &s, &messages);
        if (!span_eq(buf_view(&messages), span_str(keys[i].want)))
            fail_msg("%s:\n%.*s", keys[i].why, (int)messages.n,
                     (const char *)messages.p);
        assert_int_equal(e, keys[i].want[0] == '\0' ? ERR_OK : ERR_CONFIG);
        study_sheets_free(&s);
        buf_free(&messages);
    }
}

/* want: what is said of rows in order of host and nth, "moun" by letter, then
 * messages. */
static const struct {
    const char *why, *in, *want;
} sheets[] = {
    {"in any order",               "number,verdict\n2,malicious\n1,ordinary\n3,UNCLEAR\n",
     "muo"                                                                                      },
    {"as a spreadsheet leaves it",
     "Personal: text\r\nnumber;from;verdict;notes\r\n1;a;Ordinary "
     ";x\r\n3;b;;\r\n",                                                                    "nno"},
    {"not all",                    "number,verdict\n2,malicious\n",                        "mnn"},
    {"another word",               "number,verdict\n2,malicous\n",
     "nnnf:2:3: 'malicous' is no verdict; did you mean 'malicious'?\n"                          },
    {"a class",                    "number,verdict\n2,bot\n",
     "nnnf:2:3: 'bot' is no verdict; it is one of malicious, ordinary, "
     "unclear\n"                                                                                },
    {"no such number",             "number,verdict\n4,ordinary\n",
     "nnnf:2:1: '4' is no number that can stand here\n"                                         },
    {"twice",                      "t\nnumber,verdict\n2,ordinary\n2,malicious\n",
     "onnf:4:1: number 2 is in line 3 too\n"                                                    },
    {"no verdicts",                "number,from\n2,a\n",
     "nnnf:1:1: the first line names no column 'verdict'\n"                                     },
};

static void
a_sheet(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sheets); i++) {
        struct study_sheets s;
        struct buf messages;
        const size_t n = 3;
        enum err e;

        buf_init(&messages, 1 << 16);
        assert_int_equal(
            study_sheets_key_text(SPAN_LIT(TWO), "k", &s, &messages), ERR_OK);
        assert_true(s.n == n && s.n_hosts == 2);
        assert_true(s.rows[0].host == 0 && s.rows[1].host == 0);
        assert_true(s.rows[2].host == 1 && s.rows[2].weight == 12.5);
        assert_true(s.rows[0].held == STUDY_BOT && s.rows[0].stratum == 12);
        e = study_sheets_said_text(span_str(sheets[i].in), "f", 1, &s,
                                   &messages);
        assert_int_equal(e, messages.n == 0 ? ERR_OK : ERR_CONFIG);
        for (size_t k = 0; k < n; k++) {
            assert_int_equal(s.rows[k].said[0], REVIEW_NOTHING);
            if ("nmou"[s.rows[k].said[1]] != sheets[i].want[k])
                fail_msg("%s: row %zu", sheets[i].why, k);
        }
        if (!span_eq(buf_view(&messages), span_str(sheets[i].want + n)))
            fail_msg("%s:\n%.*s", sheets[i].why, (int)messages.n,
                     (const char *)messages.p);
        study_sheets_free(&s);
        buf_free(&messages);
    }
}

static void
files(void **state)
{
    struct study_sheets s;
    struct buf messages;
    struct tempdir t;

    (void)state;
    tempdir_make(&t);
    buf_init(&messages, 1 << 16);
    tempdir_store(t.path, "key.csv", TWO, sizeof(TWO) - 1);
    assert_int_equal(
        study_sheets_key(tempdir_name(t.path, "key.csv").s, &s, &messages),
        ERR_OK);
    assert_int_equal(
        study_sheets_said(tempdir_name(t.path, "none").s, 0, &s, &messages),
        ERR_NOENT);
    assert_true(span_search(buf_view(&messages),
                            SPAN_LIT("none: No such file or directory\n")) <
                messages.n);
    study_sheets_free(&s);
    buf_free(&messages);
    tempdir_remove(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key),
        cmocka_unit_test(a_sheet),
        cmocka_unit_test(files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
