#include "dissectors/content/unescape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "sensor/base/attr.h"

static const struct {
    const char *why;
    const char *in;
    uint32_t want;
    size_t n;
} rows[] = {
    {"a byte is itself",                 "j",          'j',     1 },
    {"decimal reference",                "&#106;a",    'j',     6 },
    {"hexadecimal reference",            "&#x6A;",     'j',     6 },
    {"capital X",                        "&#X6a;",     'j',     6 },
    {"no semicolon, as browsers do",     "&#106a",     'j',     5 },
    {"leading zeros",                    "&#0000106;", 'j',     10},
    {"reference without digits",         "&#;",        '&',     1 },
    {"beyond Unicode",                   "&#9999999;", 0xfffd,  10},
    {"named",                            "&colon;",    ':',     7 },
    {"name in another case is another",  "&COLON;",    '&',     1 },
    {"unknown name",                     "&nope;",     '&',     1 },
    {"percent",                          "%6a",        'j',     3 },
    {"percent without digits",           "%zz",        '%',     1 },
    {"percent at the end",               "%6",         '%',     1 },
    {"percent u",                        "%u006A",     'j',     6 },
    {"backslash x",                      "\\x6a",      'j',     4 },
    {"backslash u",                      "\\u006a",    'j',     6 },
    {"backslash u with braces",          "\\u{6a}",    'j',     6 },
    {"braces left open",                 "\\u{6a",     '\\',    1 },
    {"octal",                            "\\152",      'j',     4 },
    {"one digit is no character of use", "\\1z",       '\\',    1 },
    {"backslash and letter",             "\\n",        '\\',    1 },
    {"above the first plane",            "\\u{1f600}", 0x1f600, 9 },
};

static void
test_rows(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        uint32_t c = 0;
        size_t n = unescape_one(span_str(rows[k].in), 0, &c);

        if (n != rows[k].n || c != rows[k].want)
            fail_msg("%s: %zu bytes, U+%04X", rows[k].why, n, c);
    }
}

/* Every prefix of every row is read within its bounds, and goes on. */
static void
test_cut(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(rows); k++)
        for (size_t cut = 1; cut <= strlen(rows[k].in); cut++) {
            struct span s = span_head(span_str(rows[k].in), cut);
            uint32_t c;
            size_t n = unescape_one(s, 0, &c);

            assert_in_range(n, 1, s.n);
            assert_in_range(n, 1, UNESCAPE_MAX);
        }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
