#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dissectors/content/office_test.h"
#include "dissectors/content/rtf.h"

/* OLE 1.0: version, embedded, class, no topic, no item */
#define OLE1_PACKAGE                                                           \
    "0105000002000000"                                                         \
    "08000000"                                                                 \
    "5061636b61676500"                                                         \
    "00000000"                                                                 \
    "00000000"
/* a Package that holds a.exe, "hi": 41 bytes */
#define PACKAGE                                                                \
    "0200"                                                                     \
    "612e65786500"                                                             \
    "433a5c612e65786500"                                                       \
    "0000"                                                                     \
    "0300"                                                                     \
    "04000000"                                                                 \
    "543a5c00"                                                                 \
    "02000000"                                                                 \
    "6869"
#define PROGRAM   OLE1_PACKAGE "23000000" PACKAGE
#define OBJECT(x) "{\\rtf1{\\object\\objemb{\\*\\objdata " x "}}}"

static const struct {
    const char *why, *content, *findings;
} rows[] = {
    {"a plain text",                      "{\\rtf1 text {\\b bold} \\'e9 \\u233?}",              ""                  },
    {"a program",                         OBJECT(PROGRAM),
     "forbidden_member embedded_file embedded_executable"                                                            },
    {"capitals and lines",
     OBJECT("01050000\r\n 02000000\t"
            "08000000"
            "5061636B61676500"
            "00000000"
            "00000000"
            "23000000" PACKAGE),
     "forbidden_member embedded_file embedded_executable"                                                            },
    {"a control word between the digits",
     OBJECT("0105\\par 0000"
            "02000000"
            "08000000"
            "5061636b61676500"
            "00000000"
            "00000000"
            "23000000" PACKAGE),
     "forbidden_member embedded_file embedded_executable rtf_obfuscated"                                             },
    {"a group to be stepped over",
     OBJECT("0105{\\*\\junk 123}0000"
            "02000000"
            "08000000"
            "5061636b61676500"
            "00000000"
            "00000000"
            "23000000" PACKAGE),
     "forbidden_member embedded_file embedded_executable rtf_obfuscated"                                             },
    {"a group that counts",
     OBJECT("0105{0000}"
            "02000000"
            "08000000"
            "5061636b61676500"
            "00000000"
            "00000000"
            "23000000" PACKAGE),
     "forbidden_member embedded_file embedded_executable rtf_obfuscated"                                             },
    {"\\'xx between the digits",
     OBJECT("0105\\'ff0000"
            "02000000"
            "08000000"
            "5061636b61676500"
            "00000000"
            "00000000"
            "23000000" PACKAGE),
     "forbidden_member embedded_file embedded_executable rtf_obfuscated"                                             },
    {"bytes instead of digits",
     OBJECT("01050000\\bin4 \x02\x02\x02\x02"
            "08000000"
            "5061636b61676500"
            "00000000"
            "00000000"
            "23000000" PACKAGE),
     "rtf_obfuscated"                                                                                                },
    {"the file ends within",              "{\\rtf1{\\object{\\*\\objdata " PROGRAM,
     "forbidden_member embedded_file embedded_executable"                                                            },
    {"no \\rtf1",                         "{\\rt{\\object{\\*\\objdata " PROGRAM "}}}",
     "forbidden_member embedded_file embedded_executable"                                                            },
    {"loaded without a click",            "{\\rtf1{\\object\\objautlink\\objupdate}}",
     "object_update"                                                                                                 },
    {"an equation by its class",          "{\\rtf1{\\object{\\*\\objclass Equation.3}}}",
     "equation_object"                                                                                               },
    {"a link by its class",               "{\\rtf1{\\object{\\*\\objclass OLE2Link}}}",
     "ole_link"                                                                                                      },
    {"a template of the web",             "{\\rtf1{\\*\\template http://host/a}}",
     "template_injection"                                                                                            },
    {"a template of this disk",           "{\\rtf1{\\*\\template C:\\\\a.dot}}",                 ""                  },
    {"a share",                           "{\\rtf1{\\*\\template \\\\\\\\host\\\\a.dot}}",
     "template_injection"                                                                                            },
    {"written as numbers",
     "{\\rtf1{\\*\\template \\u104?\\u116?\\'74\\u112?://host/a}}",                              "template_injection"},
    {"DDE",                               "{\\rtf1{\\field{\\*\\fldinst DDEAUTO c:\\\\a.exe}}}", "dde"               },
    {"DDE in a group",                    "{\\rtf1{\\field{\\*\\fldinst {\\b DDE a b}}}}",       "dde"               },
    {"a hyperlink",                       "{\\rtf1{\\field{\\*\\fldinst HYPERLINK \"a\"}}}",     ""                  },
    {"a linked object",
     OBJECT("01050000"
            "01000000"
            "0400000057314100"
            "09000000"
            "5c5c686f73745c6100"
            "00000000"),
     "ole_link remote_object"                                                                                        },
    {"what \\bin covers is no group",
     "{\\rtf1{\\bin23 {\\*\\template http://}}}}}}",                                             ""                  },
};

static void
test_rows(void **state)
{
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (size_t k = 0; k < ARRAY_LEN(rows); k++)
        office_check(&t, span_str(rows[k].content), "a.rtf", rows[k].why,
                     rows[k].findings);
    inspected_end(&t);
}

static void
test_cuts(void **state)
{
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (size_t k = 0; k < ARRAY_LEN(rows); k++)
        for (size_t n = 0; n < strlen(rows[k].content); n++)
            inspected_run(&t, span_of(rows[k].content, n), "a.rtf");
    inspected_end(&t);
}

/* The file within is handed on as it was. */
static void
test_member(void **state)
{
    struct inspected t;
    struct content_member m = {0};

    (void)state;
    inspected_begin(&t);
    inspected_run(&t, SPAN_LIT(OBJECT(PROGRAM)), "a.rtf");
    assert_true(inspected_member(&t, "a.exe", &m));
    assert_int_equal(m.size, 2);
    assert_true(inspected_names(&t, FIND_EMBEDDED_EXECUTABLE, "a.exe"));
    inspected_end(&t);
}

/* A million groups and objects: bounded, whatever is nested. */
static void
test_many(void **state)
{
    struct inspected t;
    struct buf b;

    (void)state;
    inspected_begin(&t);
    buf_init(&b, 64U << 20);
    buf_str(&b, "{\\rtf1");
    for (unsigned k = 0; k < 1000000; k++)
        buf_str(&b, "{");
    for (unsigned k = 0; k < 20000; k++)
        buf_str(&b, "{\\*\\objdata " PROGRAM "}");
    inspected_run(&t, buf_view(&b), "a.rtf");
    assert_true(inspected_has(&t, FIND_BOMB_COUNT));
    buf_free(&b);
    inspected_end(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_member),
        cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
