#include "sensor/app/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "tests/support/tempdir.h"

/* want: all messages; "" when the text is valid. */
static const struct {
    const char *why, *in, *want;
} rows[] = {
    {"empty",                 "",                                                 ""                                           },
    {"comments only",         "# nothing\n",                                      ""                                           },
    {"a key",                 "sensor:\n  name: a\n",                             ""                                           },
    {"dotted key",            "sensor.name: a\n",                                 ""                                           },
    {"null section",          "capture:\nsensor:\n  name: a\n",                   ""                                           },
    {"list over lines",       "capture:\n  ports:\n    - 25\n    - 26\n",         ""                                           },
    {"one value for a list",  "capture:\n  ports: 25\n",                          ""                                           },
    {"empty list",            "network: {home: []}\n",                            ""                                           },
    {"unknown key",           "capture:\n  prots: [25]\n",
     "f:2:3: unknown key 'capture.prots'; did you mean 'capture.ports'?\n"                                                     },
    {"unknown section",       "captur:\n  ports: [25]\n",
     "f:2:3: unknown key 'captur.ports'; did you mean 'capture.ports'?\n"                                                      },
    {"unknown empty section", "zzzzzzzz: {}\n",
     "f:1:11: unknown key 'zzzzzzzz'\n"                                                                                        },
    {"unknown null key",      "zzzzzzzz:\n",                                      "f:1:1: unknown key 'zzzzzzzz'\n"            },
    {"not a number",          "capture:\n  workers: many\n",
     "f:2:12: 'capture.workers': 'many' is not a number\n"                                                                     },
    {"range",                 "capture:\n  workers: 65\n",
     "f:2:12: 'capture.workers': '65' is out of range: 1..64\n"                                                                },
    {"list for a number",     "capture:\n  workers: [1]\n",
     "f:2:12: 'capture.workers' takes a number, not a list\n"                                                                  },
    {"section for a number",  "capture:\n  workers: {a: 1}\n",
     "f:2:12: 'capture.workers' takes a number, not a section of keys\n"                                                       },
    {"value for a section",   "capture: 1\n",
     "f:1:10: 'capture': is a section of keys, not a value\n"                                                                  },
    {"list for a section",    "capture: [a]\n",
     "f:1:10: 'capture': is a section of keys, not a list\n"                                                                   },
    {"list in a list",        "capture:\n  ports: [25, [26]]\n",
     "f:2:15: 'capture.ports': a list holds single values\n"                                                                   },
    {"null value",            "capture:\n  workers:\n",
     "f:2:3: 'capture.workers': has no value\n"                                                                                },
    {"empty list of ports",   "capture:\n  ports: []\n",
     "f:2:10: 'capture.ports': the list needs 1 or more items\n"                                                               },
    {"key twice",             "sensor:\n  name: a\n  name: b\n",
     "f:3:3: 'sensor.name' is there twice, first in line 2\n"                                                                  },
    {"section twice",         "sensor:\n  name: a\nsensor:\n",
     "f:3:1: 'sensor' is there twice, first in line 1\n"                                                                       },
    {"nested and dotted",     "sensor:\n  name: a\nsensor.name: b\n",
     "f:3:1: 'sensor.name' is there twice, first in line 2\n"                                                                  },
    {"several faults",        "a: 1\ncapture:\n  workers: 0\n  ports: [x, 25]\n",
     "f:1:1: unknown key 'a'\n"
     "f:3:12: 'capture.workers': '0' is out of range: 1..64\n"
     "f:4:11: 'capture.ports': 'x' is not a port: 1..65535\n"                                                                  },
    {"anchor",                "sensor: &a\n  name: b\n",
     "f:1:9: anchors, aliases and tags are not allowed\n"                                                                      },
    {"alias",                 "sensor: *a\n",
     "f:1:9: anchors, aliases and tags are not allowed\n"                                                                      },
    {"tag",                   "sensor:\n  name: !!str b\n",
     "f:2:9: anchors, aliases and tags are not allowed\n"                                                                      },
    {"second document",       "---\nsensor:\n---\n",
     "f:3:1: a second document begins\n"                                                                                       },
    {"root is a word",        "hello\n",
     "f:1:1: the file must hold keys and values\n"                                                                             },
    {"root is a list",        "- a\n",                                            "f:1:1: the file must hold keys and values\n"},
    {"key is a list",         "[a]: b\n",                                         "f:1:1: a key must be a word\n"              },
    {"tab",                   "sensor:\n\tname: a\n",
     "f:2:1: not valid YAML: found character that cannot start any token\n"                                                    },
    {"control byte",          "sensor:\n  name: \x01\n",
     "f:2:9: not valid YAML: control characters are not allowed\n"                                                             },
    {"escapes are shown",     "\"\\e[2J\": 1\n",                                  "f:1:1: unknown key '\\x1b[2J'\n"            },
};

static void
check(const char *why, const char *in, const char *want)
{
    struct config c;
    struct buf messages;
    enum err e;

    assert_int_equal(options_init(&c), ERR_OK);
    buf_init(&messages, 1U << 16);
    e = config_parse(span_str(in), "f", &c, &messages);
    if (!span_eq(buf_view(&messages), span_str(want)) ||
        e != (want[0] != 0 ? ERR_CONFIG : ERR_OK))
        fail_msg("%s: %.*s", why, (int)messages.n,
                 messages.n > 0 ? (const char *)messages.p : "");
    buf_free(&messages);
    options_fini(&c);
}

static void
test_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check(rows[i].why, rows[i].in, rows[i].want);
}

static void
test_values_and_origin(void **state)
{
    static const char text[] = "capture:\n  workers: 4\n  ports: [26, 27]\n"
                               "network.home: 192.0.2.0/24\n";
    struct config c;
    struct buf messages;

    (void)state;
    assert_int_equal(options_init(&c), ERR_OK);
    buf_init(&messages, 1024);
    assert_int_equal(config_parse(span_str(text), "f", &c, &messages), ERR_OK);
    assert_int_equal(c.workers, 4);
    assert_int_equal(c.ports.n, 2); /* not added to the default */
    assert_int_equal(c.ports.v[1], 27);
    assert_int_equal(c.home.n, 1);
    assert_int_equal(c.origin[OPTION_ID_workers].kind, ORIGIN_FILE);
    assert_int_equal(c.origin[OPTION_ID_workers].line, 2);
    assert_int_equal(c.origin[OPTION_ID_memory].kind, ORIGIN_DEFAULT);
    assert_int_equal(c.memory, UINT64_C(1) << 30);
    options_fini(&c);
    buf_free(&messages);
}

static void
test_flag_stays(void **state)
{
    struct origin flag = {ORIGIN_FLAG, 0};
    struct config c;
    struct buf messages;

    (void)state;
    assert_int_equal(options_init(&c), ERR_OK);
    buf_init(&messages, 1024);
    assert_true(
        options_set(&c, OPTION_ID_ports, SPAN_LIT("99"), flag, &messages));
    assert_int_equal(
        config_parse(SPAN_LIT("capture.ports: [1, 2]\n"), "f", &c, &messages),
        ERR_OK);
    assert_int_equal(c.ports.n, 1);
    assert_int_equal(c.ports.v[0], 99);
    /* what is overridden is checked all the same */
    assert_int_equal(
        config_parse(SPAN_LIT("capture.ports: [x]\n"), "f", &c, &messages),
        ERR_CONFIG);
    options_fini(&c);
    buf_free(&messages);
}

static void
test_depth(void **state)
{
    struct buf in;

    (void)state;
    for (unsigned depth = CONFIG_DEPTH - 1; depth <= CONFIG_DEPTH + 1;
         depth++) {
        struct config c;
        struct buf messages;

        buf_init(&in, 1024);
        buf_init(&messages, 1024);
        assert_int_equal(options_init(&c), ERR_OK);
        for (unsigned i = 0; i < depth; i++)
            buf_str(&in, "{a: ");
        buf_str(&in, "1");
        for (unsigned i = 0; i < depth; i++)
            buf_str(&in, "}");
        assert_int_equal(config_parse(buf_view(&in), "f", &c, &messages),
                         ERR_CONFIG);
        buf_putc(&messages, 0);
        assert_int_equal(
            strstr((const char *)messages.p, "nested too deeply") != NULL,
            depth > CONFIG_DEPTH);
        buf_free(&in);
        buf_free(&messages);
        options_fini(&c);
    }
}

static size_t
lines(const struct buf *b)
{
    size_t n = 0;

    for (size_t i = 0; i < b->n; i++)
        n += b->p[i] == '\n';
    return n;
}

static void
test_many_keys(void **state)
{
    struct config c;
    struct buf in, messages;

    (void)state;
    buf_init(&in, CONFIG_FILE_MAX);
    buf_init(&messages, 1U << 16);
    assert_int_equal(options_init(&c), ERR_OK);
    for (unsigned i = 0; i < CONFIG_KEYS + 10; i++)
        buf_printf(&in, "key%u: 1\n", i);
    assert_int_equal(config_parse(buf_view(&in), "f", &c, &messages),
                     ERR_CONFIG);
    assert_int_equal(lines(&messages), CONFIG_FAULTS + 1);
    buf_reset(&messages);
    assert_int_equal(
        config_parse(span_of(in.p, CONFIG_FILE_MAX + 1), "f", &c, &messages),
        ERR_CONFIG);
    assert_int_equal(lines(&messages), 1);
    buf_free(&in);
    buf_free(&messages);
    options_fini(&c);
}

static void
test_files(void **state)
{
    struct tempdir t;
    struct config c;
    struct buf messages;

    (void)state;
    tempdir_make(&t);
    tempdir_store(t.path, "a.yaml", "capture.workers: 3\n", 19);
    assert_int_equal(options_init(&c), ERR_OK);
    buf_init(&messages, 4096);
    assert_int_equal(
        config_load(tempdir_name(t.path, "a.yaml").s, &c, &messages), ERR_OK);
    assert_int_equal(c.workers, 3);
    assert_int_equal(messages.n, 0);
    assert_int_equal(config_load(tempdir_name(t.path, "none").s, &c, &messages),
                     ERR_NOENT);
    assert_int_equal(lines(&messages), 1);
    assert_int_not_equal(config_load(t.path, &c, &messages), ERR_OK);
    assert_int_equal(lines(&messages), 2);
    options_fini(&c);
    buf_free(&messages);
    tempdir_remove(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_values_and_origin),
        cmocka_unit_test(test_flag_stays),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_many_keys),
        cmocka_unit_test(test_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
