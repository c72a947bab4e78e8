#include "dissectors/gtube.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sensor/base/attr.h"

#define HEAD "XJS*C4JDBQADN1.NSBN3*2IDNEN*"
#define REST "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"

static const struct {
    const char *why;
    struct span text;
    bool want;
} rows[] = {
    {"nothing",               SPAN_INIT(""),                              false},
    {"alone",                 SPAN_INIT(HEAD REST),                       true },
    {"in a text",             SPAN_INIT("XX hello\r\n" HEAD REST " bye"), true },
    {"begun again",           SPAN_INIT("XJS*C4J" HEAD REST),             true },
    {"begun within its end",  SPAN_INIT("XJS*XXJS*X" HEAD REST "X"),      true },
    {"without its last byte",
     SPAN_INIT(HEAD "GTUBE-STANDARD-ANTI-UBE-TEST-"
                    "EMAIL*C.34"),
     false                                                                     },
    {"in lower case",         SPAN_INIT("xjs*c4jdbqadn1.nsbn3*2idnen*"),  false},
    {"broken by a line end",  SPAN_INIT(HEAD "\r\n" REST),                false},
};

static void
finds_it_at_every_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t cut = 0; cut <= rows[i].text.n; cut++) {
            struct gtube g = {0};

            gtube_push(&g, span_head(rows[i].text, cut));
            gtube_push(&g, span_tail(rows[i].text, cut));
            if (g.found != rows[i].want)
                fail_msg("%s, cut at %zu", rows[i].why, cut);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_it_at_every_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
