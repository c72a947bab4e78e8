#include "sensor/app/study_reviewed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "sensor/app/csv_table.h"
#include "tests/support/tempdir.h"

#define HEAD "host,class\n"

/* want: all messages; "" when the text is valid. */
static const struct {
    const char *why, *in, *want;
} rows[] = {
    {"nothing judged",         HEAD,                                               ""                                           },
    {"a host",                 HEAD "192.0.2.7,bot\n",                             ""                                           },
    {"IPv6",                   HEAD "2001:db8::7,mixed\n",                         ""                                           },
    {"columns of others",      "note;class;host\r\n\"a;b\";Unknown;192.0.2.7\r\n",
     ""                                                                                                                         },
    {"not judged",             HEAD "192.0.2.7,\n",                                ""                                           },
    {"twice alike",            HEAD "192.0.2.7,bot\n192.0.2.7,bot\n",              ""                                           },
    {"empty",                  "",                                                 "f:1:1: there is no first line: host,class\n"},
    {"no column",              "address,class\n192.0.2.7,bot\n",
     "f:1:1: the first line names no column 'host'\n"                                                                           },
    {"no columns",             "192.0.2.7,bot\n",
     "f:1:1: the first line names no column 'host'\n"
     "f:1:1: the first line names no column 'class'\n"                                                                          },
    {"no address",             HEAD "192.0.2.300,bot\n",
     "f:2:1: '192.0.2.300' is not an address, such as 192.0.2.7\n"                                                              },
    {"no class",               HEAD "192.0.2.7,legit\n",
     "f:2:11: 'legit' is no class; it is one of bot, mixed, legitimate, "
     "unknown\n"                                                                                                                },
    {"almost a class",         HEAD "192.0.2.7,legitimat\n",
     "f:2:11: 'legitimat' is no class; did you mean 'legitimate'?\n"                                                            },
    {"both are wrong",         HEAD "x,y\n",
     "f:2:1: 'x' is not an address, such as 192.0.2.7\n"
     "f:2:3: 'y' is no class; it is one of bot, mixed, legitimate, unknown\n"                                                   },
    {"a short row",            HEAD "192.0.2.7\n",                                 "f:2:1: the row has no 'class'\n"            },
    {"judged in two ways",     HEAD "192.0.2.7,bot\n\n::1,bot\n192.0.2.7,mixed\n",
     "f:5:1: 192.0.2.7 is mixed here, and bot in line 2\n"                                                                      },
    {"goes on behind a fault", HEAD "a,bot\n192.0.2.7,bot\nb,bot\n",
     "f:2:1: 'a' is not an address, such as 192.0.2.7\n"
     "f:4:1: 'b' is not an address, such as 192.0.2.7\n"                                                                        },
    {"escapes are shown",      HEAD "\x1b[2J,bot\n",
     "f:2:1: '\\x1b[2J' is not an address, such as 192.0.2.7\n"                                                                 },
};

static void
test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct study_reviewed r;
        struct buf messages;
        enum err e;

        buf_init(&messages, 1 << 16);
        e = study_reviewed_parse(span_str(rows[i].in), "f", &r, &messages);
        if (!span_eq(buf_view(&messages), span_str(rows[i].want)))
            fail_msg("%s:\n%.*s", rows[i].why, (int)messages.n,
                     (const char *)messages.p);
        assert_int_equal(e, rows[i].want[0] == 0 ? ERR_OK : ERR_CONFIG);
        if (e != ERR_OK)
            assert_true(r.v == NULL && r.n == 0);
        study_reviewed_free(&r);
        buf_free(&messages);
    }
}

static struct addr
addr_of(const char *text)
{
    struct addr a;

    assert_true(addr_parse(span_str(text), &a));
    return a;
}

/* Every host of many is found, and none beside them. */
static void
test_find(void **state)
{
    struct study_reviewed r;
    struct buf text, messages;
    struct addr a;

    (void)state;
    buf_init(&text, 1 << 20);
    buf_init(&messages, 1 << 16);
    buf_str(&text, HEAD);
    for (unsigned i = 0; i < 1000; i++) {
        const unsigned host = i * 7919 % 1000;

        buf_printf(&text, "10.0.%u.%u,%s\n", host / 250, host % 250 + 2,
                   host % 3 == 0 ? "bot" : "legitimate");
    }
    assert_int_equal(study_reviewed_parse(buf_view(&text), "f", &r, &messages),
                     ERR_OK);
    assert_int_equal(r.n, 1000);
    for (unsigned host = 0; host < 1000; host++) {
        char name[32];
        const struct study_label *l;

        (void)snprintf(name, sizeof(name), "10.0.%u.%u", host / 250,
                       host % 250 + 2);
        a = addr_of(name);
        l = study_reviewed_find(&r, &a);
        assert_non_null(l);
        assert_int_equal(l->class,
                         host % 3 == 0 ? STUDY_BOT : STUDY_LEGITIMATE);
    }
    a = addr_of("10.0.0.1");
    assert_null(study_reviewed_find(&r, &a));
    a = addr_of("10.0.3.252");
    assert_null(study_reviewed_find(&r, &a));
    study_reviewed_free(&r);
    assert_null(study_reviewed_find(&r, &a));
    buf_free(&text);
    buf_free(&messages);
}

static void
test_file(void **state)
{
    struct study_reviewed r;
    struct buf messages;
    struct tempdir t;

    (void)state;
    tempdir_make(&t);
    buf_init(&messages, 1 << 16);
    tempdir_store(t.path, "hosts.csv", HEAD "192.0.2.7,bot\n",
                  sizeof(HEAD "192.0.2.7,bot\n") - 1);
    assert_int_equal(
        study_reviewed_read(tempdir_name(t.path, "hosts.csv").s, &r, &messages),
        ERR_OK);
    assert_int_equal(r.n, 1);
    study_reviewed_free(&r);
    assert_int_equal(
        study_reviewed_read(tempdir_name(t.path, "none").s, &r, &messages),
        ERR_NOENT);
    assert_true(span_search(buf_view(&messages),
                            SPAN_LIT("none: No such file or directory\n")) <
                messages.n);
    buf_free(&messages);
    tempdir_remove(&t);
}

static void
test_bounds(void **state)
{
    struct study_reviewed r;
    struct buf text, messages;

    (void)state;
    buf_init(&text, 1 << 24);
    buf_init(&messages, 1 << 16);
    buf_str(&text, HEAD);
    for (unsigned i = 0; i < CSV_TABLE_FAULTS + 3; i++)
        buf_str(&text, "x,bot\n");
    assert_int_equal(study_reviewed_parse(buf_view(&text), "f", &r, &messages),
                     ERR_CONFIG);
    assert_true(span_search(buf_view(&messages),
                            SPAN_LIT("f: 3 more faults\n")) < messages.n);
    buf_reset(&text);
    buf_str(&text, HEAD);
    for (unsigned i = 0; i < STUDY_REVIEWED_HOSTS; i++)
        buf_printf(&text, "10.%u.%u.%u,bot\n", i >> 16, i >> 8 & 255, i & 255);
    assert_int_equal(study_reviewed_parse(buf_view(&text), "f", &r, &messages),
                     ERR_OK);
    assert_int_equal(r.n, STUDY_REVIEWED_HOSTS);
    study_reviewed_free(&r);
    buf_str(&text, "::1,bot\n");
    assert_int_equal(study_reviewed_parse(buf_view(&text), "f", &r, &messages),
                     ERR_CONFIG);
    buf_free(&text);
    buf_free(&messages);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
