#include "sensor/app/registry_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sensor/base/attr.h"

static const struct registry_column columns[] = {
    {"NAME", "name"},
    {"",     "raw" },
    {"N",    "n"   },
    {"WHEN", "when"},
    {"YES",  "yes" },
};

static const struct {
    const char *why;
    bool json, csv, rows;
    const char *want;
} ways[] = {
    {"people",          false, false, true,
     "NAME      N    WHEN                  YES\n"
     "\xc3\xa9=1       7    1970-01-01 00:00 UTC  yes\n"
     "a\\x1b[1m  100                        no\n"                              },
    {"nobody",          false, false, false, "nothing\n"                       },
    {"CSV",             false, true,  true,
     "name,raw,n,when,yes\n"
     "\xc3\xa9=1,'=2,7,1970-01-01T00:00:03Z,yes\n"
     "a\x1b[1m,,100,,no\n"                                                     },
    {"JSON",            true,  false, true,
     "{\"schema\":\"s\",\"rows\":[{\"name\":\"\xc3\xa9=1\",\"raw\":\"=2\","
     "\"n\":7,\"when\":\"1970-01-01T00:00:03Z\",\"yes\":true},"
     "{\"name\":\"a\\u001b[1m\",\"raw\":null,\"n\":100,\"when\":null,"
     "\"yes\":false}]}\n"                                                      },
    {"JSON of nothing", true,  false, false, "{\"schema\":\"s\",\"rows\":[]}\n"},
};

static void
add_rows(struct registry_table *t)
{
    registry_table_text(t, "\xc3\xa9=1");
    registry_table_text(t, "=2");
    registry_table_number(t, 7);
    registry_table_time(t, 3 * NS_PER_S);
    registry_table_bool(t, true);
    registry_table_text(t, "a\x1b[1m");
    registry_table_text(t, NULL);
    registry_table_number(t, 100);
    registry_table_time(t, 0);
    registry_table_bool(t, false);
}

static void
writes_for_each_reader(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct config c = {
            .json = ways[i].json, .csv = ways[i].csv, .utc = true};
        struct registry_table t;
        struct buf out;

        buf_init(&out, 1 << 16);
        registry_table_init(&t, columns, ARRAY_LEN(columns));
        if (ways[i].rows)
            add_rows(&t);
        assert_int_equal(registry_table_rows(&t), ways[i].rows ? 2 : 0);
        assert_true(registry_table_write(&t, &c, "s", "nothing", &out));
        if (!span_eq(buf_view(&out), span_str(ways[i].want)))
            fail_msg("%s:\n%.*s", ways[i].why, (int)out.n, (const char *)out.p);
        registry_table_fini(&t);
        buf_free(&out);
    }
}

/* 35, 1, 20 and 3 characters, with blanks between them 65. */
static const struct {
    const char *why;
    size_t room;
    const char *want;
} rooms[] = {
    {"any length",                  0,
     "NAME                                 N  WHEN                  YES\n"
     "abcdefghijklmnopqrstuvwxyz\xc3\xa9 1234567  7  1970-01-01 00:00 UTC  "
     "yes\n"                                                              },
    {"one more than it takes",      66,
     "NAME                                 N  WHEN                  YES\n"
     "abcdefghijklmnopqrstuvwxyz\xc3\xa9 1234567  7  1970-01-01 00:00 UTC  "
     "yes\n"                                                              },
    {"as much as it takes",         65,
     "NAME                                 N  WHEN                  YES\n"
     "abcdefghijklmnopqrstuvwxyz\xc3\xa9 1234567  7  1970-01-01 00:00 UTC  "
     "yes\n"                                                              },
    {"one less",                    64,
     "NAME                                N  WHEN                  YES\n"
     "abcdefghijklmnopqrstuvwxyz\xc3\xa9 12345\xe2\x80\xa6  7  1970-01-01 "
     "00:00 UTC  yes\n"                                                   },
    {"the least text",              54,
     "NAME                      N  WHEN                  YES\n"
     "abcdefghijklmnopqrstuvw\xe2\x80\xa6  7  1970-01-01 00:00 UTC  yes\n"},
    {"and one less: further lines", 53,
     "NAME                      N  WHEN\n"
     "    YES\n"
     "abcdefghijklmnopqrstuvw\xe2\x80\xa6  7  1970-01-01 00:00 UTC\n"
     "    yes\n"                                                          },
};

static void
fits_a_terminal(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rooms); i++) {
        struct registry_table t;
        struct buf out;

        buf_init(&out, 1 << 16);
        registry_table_init(&t, columns, ARRAY_LEN(columns));
        registry_table_text(&t, "abcdefghijklmnopqrstuvwxyz\xc3\xa9 1234567");
        registry_table_text(&t, "not for people");
        registry_table_number(&t, 7);
        registry_table_time(&t, 3 * NS_PER_S);
        registry_table_bool(&t, true);
        assert_true(registry_table_people(&t, true, "", rooms[i].room, &out));
        if (!span_eq(buf_view(&out), span_str(rooms[i].want)))
            fail_msg("%s:\n%.*s", rooms[i].why, (int)out.n,
                     (const char *)out.p);
        registry_table_fini(&t);
        buf_free(&out);
    }
}

static void
test_page(void **state)
{
    static const struct {
        struct registry_page page;
        const char *want;
    } rows[] = {
        {{"9.1", 7, false}, "\"next\":\"9.1\",\"total\":7,\"exact\":false}\n"},
        {{"", 0, true},     "\"next\":null,\"total\":0,\"exact\":true}\n"    },
    };
    const struct config c = {.json = true};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct registry_table t;
        struct buf out;

        buf_init(&out, 4096);
        registry_table_init(&t, columns, ARRAY_LEN(columns));
        t.page = &rows[i].page;
        assert_true(registry_table_write(&t, &c, "s", "nothing", &out));
        assert_true(span_search(buf_view(&out), span_str(rows[i].want)) <
                    out.n);
        registry_table_fini(&t);
        buf_free(&out);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page),
        cmocka_unit_test(fits_a_terminal),
        cmocka_unit_test(writes_for_each_reader),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
