#include "sensor/app/config.h"
#include "sensor/app/options_sinks.h"

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

/* The list of sites. */
static const struct {
    const char *why, *in, *want;
} site_rows[] = {
    {"no site",                       "sites: []\n",                                           ""                                                                },
    {"all keys commented out",        "sites:\n",                                              ""                                                                },
    {"a site",                        "sites:\n  - code: TU\n",                                ""                                                                },
    {"all keys",
     "sites:\n  - code: TU\n    name: \"a, b\"\n    prefixes: [10.0.0.0/8]\n"
     "    vlans: [1, 4094]\n    owner: x\n    contact: y\n    zone: z\n",                      ""                                                                },
    {"two, the same keys",            "sites:\n  - code: A\n  - {code: B, vlans: 7}\n",
     ""                                                                                                                                                          },
    {"other keys behind",             "sites:\n  - code: A\nsensor:\n  name: a\n",             ""                                                                },
    {"unknown key",                   "sites:\n  - code: A\n    prefixs: [10.0.0.0/8]\n",
     "f:3:5: unknown key 'sites[].prefixs'; did you mean "
     "'sites[].prefixes'?\n"                                                                                                                                     },
    {"unknown key, nothing close",    "sites:\n  - code: A\n    qqqqqqqqq: 1\n",
     "f:3:5: unknown key 'sites[].qqqqqqqqq'\n"                                                                                                                  },
    {"unknown key with keys",         "sites:\n  - code: A\n    cod: {a: 1}\n",
     "f:3:5: unknown key 'sites[].cod'; did you mean 'sites[].code'?\n"                                                                                          },
    {"unknown key of the second",
     "sites:\n  - code: A\n  - code: B\n    nam: x\n",                                         "f:4:5: unknown key 'sites[].nam'; did you mean 'sites[].name'?\n"},
    {"an option is no key of a site", "sites:\n  - code: A\n    sensor: x\n",
     "f:3:5: unknown key 'sites[].sensor'\n"                                                                                                                     },
    {"key twice",                     "sites:\n  - code: A\n    code: B\n",
     "f:3:5: 'sites[].code' is there twice, first in line 2\n"                                                                                                   },
    {"no code",                       "sites:\n  - name: A\n",                                 "f:2:5: the site has no 'code'\n"                                 },
    {"empty site",                    "sites:\n  - {}\n",                                      "f:2:5: the site has no 'code'\n"                                 },
    {"code too long",                 "sites:\n  - code: a12345678901234567890123456789012\n",
     "f:2:11: 'sites[].code': 'a12345678901234567890123456789012' is out of "
     "range: its length is 1..32\nf:2:5: the site has no 'code'\n"                                                                                               },
    {"not a network",                 "sites:\n  - code: A\n    prefixes: [10.0.0.1/8]\n",
     "f:3:16: 'sites[].prefixes': '10.0.0.1/8' is not a network such as "
     "192.0.2.0/24 or 2001:db8::/32\n"                                                                                                                           },
    {"not a VLAN",                    "sites:\n  - code: A\n    vlans: [4095]\n",
     "f:3:13: 'sites[].vlans': '4095' is not a VLAN: 1..4094\n"                                                                                                  },
    {"list for a text",               "sites:\n  - code: [A]\n",
     "f:2:11: 'sites[].code' takes a text, not a list\nf:2:5: the site has no "
     "'code'\n"                                                                                                                                                  },
    {"null value",                    "sites:\n  - code: A\n    name:\n",
     "f:3:5: 'sites[].name': has no value\n"                                                                                                                     },
    {"a word for the sites",          "sites: A\n",
     "f:1:8: 'sites': is a list of sites\n"                                                                                                                      },
    {"keys for the sites",            "sites:\n  code: A\n",
     "f:2:3: 'sites': is a list of sites\n"                                                                                                                      },
    {"a word for a site",             "sites: [A]\n",
     "f:1:9: 'sites': a site is a section of keys, such as code\n"                                                                                               },
    {"a list for a site",             "sites: [[A]]\n",
     "f:1:9: 'sites': a site is a section of keys, such as code\n"                                                                                               },
    {"a site outside the list",       "\"sites[].code\": A\n",
     "f:1:1: unknown key 'sites[].code'\n"                                                                                                                       },
    {"one code twice",                "sites:\n  - code: A\n  - code: A\n",
     "f:3:1: there are two sites with the code 'A'\n"                                                                                                            },
    {"one prefix twice",
     "sites:\n  - {code: A, prefixes: 10.0.0.0/8}\n"
     "  - {code: B, prefixes: 10.0.0.0/8}\n",                                                  "f:2:1: 10.0.0.0/8 belongs to site A and to site B\n"             },
    {"one VLAN twice",
     "sites:\n  - {code: A, vlans: 7}\n"
     "  - {code: B, vlans: 7}\n",                                                              "f:2:1: VLAN 7 belongs to site A and to site B\n"                 },
    {"a pool of two kinds",
     "network:\n  nat: 10.0.0.0/24\n  vpn: 10.0.0.0/24\n",                                     "f:1:1: 10.0.0.0/24 is a pool of two kinds\n"                     },
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
    for (size_t i = 0; i < ARRAY_LEN(site_rows); i++)
        check(site_rows[i].why, site_rows[i].in, site_rows[i].want);
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
test_sites(void **state)
{
    static const char text[] =
        "sites:\n  - code: A\n    name: \"x: y\"\n    prefixes: [10.0.0.0/8,"
        " \"2001:db8::/32\"]\n  - {vlans: [7, 9], code: B}\nnetwork.leases:"
        " [\"a,b\", c]\n";
    struct config c;
    struct buf messages;

    (void)state;
    assert_int_equal(options_init(&c), ERR_OK);
    buf_init(&messages, 1024);
    assert_int_equal(config_parse(span_str(text), "f", &c, &messages), ERR_OK);
    assert_int_equal(c.sites.n, 2);
    assert_string_equal(c.sites.v[0].code, "A");
    assert_string_equal(c.sites.v[0].name, "x: y");
    assert_int_equal(c.sites.v[0].prefixes.n, 2);
    assert_null(c.sites.v[0].owner);
    assert_int_equal(c.sites.v[0].line, 2);
    assert_string_equal(c.sites.v[1].code, "B");
    assert_null(c.sites.v[1].name);
    assert_int_equal(c.sites.v[1].vlans.n, 2);
    assert_int_equal(c.sites.v[1].vlans.v[1], 9);
    assert_int_equal(c.leases.n, 2);
    assert_string_equal(c.leases.v[0], "a,b");
    options_fini(&c);
    buf_free(&messages);
}

static void
test_sinks(void **state)
{
    static const char text[] =
        "sinks:\n  - {name: a, kind: kafka, target: \"b:1\", linger-ms: 9,"
        " prefix: \"x: y\"}\n  - {name: b-1, kind: file, target: /x, events:"
        " [alert, stats]}\n";
    struct sink_value values[2];
    struct sink_settings settings;
    struct config c;
    struct buf messages;

    (void)state;
    assert_int_equal(options_init(&c), ERR_OK);
    buf_init(&messages, 1024);
    assert_int_equal(config_parse(span_str(text), "f", &c, &messages), ERR_OK);
    assert_int_equal(c.sinks.n, 2);
    settings = options_sinks_settings(&c.sinks.v[0], values);
    assert_int_equal(settings.n_values, 2);
    assert_string_equal(values[1].name, "prefix");
    assert_string_equal(values[1].value, "x: y");
    assert_true(options_sinks_events(&c.sinks.v[0]) & 1U << EVENT_SMTP);
    assert_int_equal(options_sinks_events(&c.sinks.v[1]),
                     1U << EVENT_ALERT | 1U << EVENT_STATS);
    options_fini(&c);
    buf_free(&messages);
}

static void
test_sink_faults(void **state)
{
    static const struct {
        const char *item, *message;
    } faults[] = {
        {"{name: a, kind: kafka, target: b, linger-ms: 60001}",
         "f:1:10: kafka: linger-ms: 60001 is not a number from 0 to 60000\n"                                                                   },
        {"{name: A, kind: file, target: /x}",
         "f:1:10: a name has small letters, digits, - and _ only: A\n"                                                                         },
        {"{name: a, kind: file}",                                                "f:1:10: the sink has no 'target'\n"                          },
        {"{name: a, kind: file, target: /x, events: [tick]}",
         "f:1:10: events: there is no type tick; span25-events(7) has "
         "them\n"                                                                                                                              },
        {"{name: a, kind: file, target: /x}, {name: a, kind: file, target: /y}",
         "f:1:45: there are two sinks called 'a'\n"                                                                                            },
        {"{name: a, kind: file, target: /x, colour: red}",
         "f:1:10: file: no setting colour"                                                                                                     },
        {"a",                                                                    "f:1:10: 'sinks': a sink is a section of keys, such as name\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        struct config c;
        struct buf text, messages;

        assert_int_equal(options_init(&c), ERR_OK);
        buf_init(&messages, 1024);
        buf_init(&text, 1024);
        buf_printf(&text, "sinks: [ %s]\n", faults[i].item);
        assert_int_equal(config_parse(buf_view(&text), "f", &c, &messages),
                         ERR_CONFIG);
        buf_putc(&messages, '\0');
        if (strncmp((char *)messages.p, faults[i].message,
                    strlen(faults[i].message)) != 0)
            fail_msg("%s: %s", faults[i].item, (char *)messages.p);
        options_fini(&c);
        buf_free(&messages);
        buf_free(&text);
    }
}

/* More sites than keys are allowed elsewhere. */
static void
test_many_sites(void **state)
{
    struct config c;
    struct buf text, messages;

    (void)state;
    assert_int_equal(options_init(&c), ERR_OK);
    buf_init(&messages, 1024);
    buf_init(&text, CONFIG_FILE_MAX);
    buf_str(&text, "sites:\n");
    for (unsigned i = 0; i < 3 * CONFIG_KEYS; i++)
        buf_printf(&text,
                   "- {code: s%u, name: n, vlans: [], prefixes: "
                   "[10.%u.%u.0/24]}\n",
                   i, i / 256, i % 256);
    assert_int_equal(config_parse(buf_view(&text), "f", &c, &messages), ERR_OK);
    assert_int_equal(c.sites.n, 3 * CONFIG_KEYS);
    options_fini(&c);
    buf_free(&messages);
    buf_free(&text);
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
        cmocka_unit_test(test_sites),
        cmocka_unit_test(test_sinks),
        cmocka_unit_test(test_sink_faults),
        cmocka_unit_test(test_many_sites),
        cmocka_unit_test(test_flag_stays),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_many_keys),
        cmocka_unit_test(test_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
