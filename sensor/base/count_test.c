#include "sensor/base/count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
in_words(void **state)
{
    static const struct {
        const char *why;
        uint64_t n;
        const char *one, *many, *want;
    } rows[] = {
        {"none is many",             0,          "host",  NULL,      "0 hosts"        },
        {"one",                      1,          "host",  NULL,      "1 host"         },
        {"two",                      2,          "host",  NULL,      "2 hosts"        },
        {"a plural of its own, one", 1,          "reply", "replies", "1 reply"        },
        {"a plural of its own",      3,          "reply", "replies", "3 replies"      },
        {"no comma yet",             999,        "host",  NULL,      "999 hosts"      },
        {"a comma",                  1000,       "host",  NULL,      "1,000 hosts"    },
        {"two commas",               1234567,    "host",  NULL,      "1,234,567 hosts"},
        {"the largest",              UINT64_MAX, "host",  NULL,
         "18,446,744,073,709,551,615 hosts"                                           },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf b;

        buf_init(&b, 128);
        count_put(&b, rows[i].n, rows[i].one, rows[i].many);
        buf_putc(&b, 0);
        if (strcmp((const char *)b.p, rows[i].want) != 0)
            fail_msg("%s: %s", rows[i].why, (const char *)b.p);
        buf_free(&b);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(in_words)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
