#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dissectors/content/dde.h"
#include "dissectors/content/office_test.h"
#include "dissectors/content/reference.h"

static const struct {
    const char *why, *name, *content, *findings;
} rows[] = {
    {"numbers",                       "a.csv", "1,2,-3\r\n+4,5\r\n",                   ""         },
    {"a formula",                     "a.csv", "=SUM(A1:A2)|1",                        ""         },
    {"a program",                     "a.csv", "a,=cmd|'/c calc'!A0,b\n",              "dde"      },
    {"with a plus",                   "a.csv", "+cmd|'/c calc'!A0",                    "dde"      },
    {"with a minus, in quotes",       "a.csv", "1,\"-2+cmd|'/c calc'!A0\"",            "dde"      },
    {"with an at, behind blanks",     "a.csv", "  @SUM(1)*cmd|'/c'!A0",                "dde"      },
    {"a separator within the quotes", "a.csv", "\"=A(1,cmd|'/c'!A0)\"",                "dde"      },
    {"a plain topic",                 "a.csv", "=winword|doc!item",                    "dde"      },
    {"semicolons",                    "a.csv", "x;=cmd|'/c calc'!A0",                  "dde"      },
    {"no formula",                    "a.csv", "cmd|'/c calc'!A0",                     ""         },
    {"a dash and a table",            "a.csv", "- foo|bar! baz\n-a|b|c!\n",            ""         },
    {"a line of a table",             "a.csv", "+---+---+\n|a|b!|\n",                  ""         },
    {"LibreOffice's function",        "a.csv", "=DDE(\"soffice\";\"a\";\"b\")",        "dde"      },
    {"a longer function is another",  "a.csv", "=ADDE(\"a\")",                         ""         },
    {"a text file is no table",       "a.txt", "=cmd|'/c calc'!A0",                    ""         },
    {"a text called .xls is one",     "a.xls", "=cmd|'/c calc'!A0",                    "dde"      },
    {"SYLK",                          "a.slk", "ID;PWXL;N\r\nC;Y1;X1;K1\r\nE\r\n",     ""         },
    {"SYLK with macros",              "a.slk", "ID;PWXL;N;E\r\nE\r\n",                 "xlm_macro"},
    {"SYLK that starts by itself",    "a.txt",
     "ID;P\nNN;NAuto_open;ER1C1;KOut Flank;F\nE\n",                                    "xlm_macro"},
    {"SYLK with DDE",                 "a.slk", "ID;P\nC;X1;K0;Ecmd|'/c calc'!A0\nE\n", "dde"      },
    {"SYLK with a formula",           "a.slk", "ID;P\nC;X1;K0;ER1C1+1\nE\n",           ""         },
};

static void
test_rows(void **state)
{
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (size_t k = 0; k < ARRAY_LEN(rows); k++)
        office_check(&t, span_str(rows[k].content), rows[k].name, rows[k].why,
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
            inspected_run(&t, span_of(rows[k].content, n), rows[k].name);
    inspected_end(&t);
}

static void
test_targets(void **state)
{
    static const struct {
        const char *target;
        enum reference want;
    } targets[] = {
        {"a.doc",              REFERENCE_LOCAL  },
        {"",                   REFERENCE_LOCAL  },
        {"/a/b",               REFERENCE_LOCAL  },
        {"C:\\a",              REFERENCE_LOCAL  },
        {"\\\\?\\C:\\a",       REFERENCE_LOCAL  },
        {"file:///C:/a",       REFERENCE_LOCAL  },
        {"file:///C|/a",       REFERENCE_LOCAL  },
        {"file:C:\\a",         REFERENCE_LOCAL  },
        {"file://localhost/a", REFERENCE_LOCAL  },
        {"file:///a",          REFERENCE_LOCAL  },
        {"mailto:a@b",         REFERENCE_LOCAL  },
        {"http://h/",          REFERENCE_REMOTE },
        {" HTTPS://h/",        REFERENCE_REMOTE },
        {"ftp://h/",           REFERENCE_REMOTE },
        {"\\\\h\\a",           REFERENCE_UNC    },
        {"//h/a",              REFERENCE_UNC    },
        {"\\/h/a",             REFERENCE_UNC    },
        {"file://h/a",         REFERENCE_UNC    },
        {"file:////h/a",       REFERENCE_UNC    },
        {"file:///\\\\h\\a",   REFERENCE_UNC    },
        {"mhtml:http://h",     REFERENCE_HANDLER},
        {"ms-msdt:/id",        REFERENCE_HANDLER},
        {"search-ms:query=a",  REFERENCE_HANDLER},
    };

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(targets); k++)
        if (reference_of(span_str(targets[k].target)) != targets[k].want)
            fail_msg("%s", targets[k].target);
}

/* A table of ten million cells is one pass. */
static void
test_large(void **state)
{
    struct inspected t;
    struct buf b;

    (void)state;
    inspected_begin(&t);
    buf_init(&b, 24U << 20);
    while (!b.cut)
        buf_str(&b, "=a|'");
    inspected_run(&t, buf_view(&b), "a.csv");
    buf_reset(&b);
    while (!b.cut)
        buf_str(&b, "=aa|");
    inspected_run(&t, buf_view(&b), "a.csv");
    buf_free(&b);
    inspected_end(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
