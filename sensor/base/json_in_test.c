#include "sensor/base/json_in.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
strings(void **state)
{
    static const struct {
        const char *why, *in, *want; /* NULL: refused */
    } rows[] = {
        {"plain",               "\"abc\"",              "abc"             },
        {"empty",               "\"\"",                 ""                },
        {"escapes",             "\"a\\n\\\"\\\\\\/b\"", "a\n\"\\/b"       },
        {"two bytes",           "\"\\u00e9\"",          "\xc3\xa9"        },
        {"a pair",              "\"\\ud83d\\ude00\"",   "\xf0\x9f\x98\x80"},
        {"half a pair",         "\"\\ud83d\"",          NULL              },
        {"the other half",      "\"\\ude00\"",          NULL              },
        {"no end",              "\"abc",                NULL              },
        {"no such escape",      "\"\\x41\"",            NULL              },
        {"a control character", "\"a\tb\"",             NULL              },
        {"not UTF-8",           "\"\xff\"",             NULL              },
        {"short",               "\"\\u12\"",            NULL              },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span out = SPAN_NONE;
        struct json_in j;
        struct buf text;
        bool ok;

        buf_init(&text, 64);
        j = json_in_open(span_str(rows[i].in), &text);
        ok = json_in_string(&j, &out);
        if (ok != (rows[i].want != NULL) ||
            (ok && !span_eq(out, span_str(rows[i].want))))
            fail_msg("%s", rows[i].why);
        assert_true(ok ? j.at == j.in.n : j.why != NULL);
        buf_free(&text);
    }
}

/* With escapes a string needs room, and says when there is none. */
static void
no_room(void **state)
{
    for (size_t max = 0; max <= 4; max++) {
        struct span out = SPAN_NONE;
        struct json_in j;
        struct buf text;

        (void)state;
        buf_init(&text, max);
        j = json_in_open(SPAN_LIT("\"ab\\n\""), &text);
        assert_int_equal(json_in_string(&j, &out), max >= 3);
        buf_free(&text);
    }
}

static void
numbers(void **state)
{
    static const struct {
        const char *in, *want; /* NULL: refused */
    } rows[] = {
        {"0",        "0"      },
        {"-1.5e+3,", "-1.5e+3"},
        {"120]",     "120"    },
        {"01",       NULL     },
        {"-",        NULL     },
        {"1.",       NULL     },
        {"1e",       NULL     },
        {"+1",       NULL     },
        {".5",       NULL     },
        {"2E7",      "2E7"    },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct json_in j = json_in_open(span_str(rows[i].in), NULL);
        struct span out = SPAN_NONE;
        bool ok = json_in_number(&j, &out);

        if (ok != (rows[i].want != NULL) ||
            (ok && !span_eq(out, span_str(rows[i].want))))
            fail_msg("%s", rows[i].in);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings),
        cmocka_unit_test(no_room),
        cmocka_unit_test(numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
