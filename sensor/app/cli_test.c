#include "sensor/app/cli.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "sensor/app/config.h"
#include "tests/support/tempdir.h"

#define WORDS_MAX 16

struct words {
    char room[1024];
    char *v[WORDS_MAX + 2];
    int n;
};

/* Splits at spaces; v[0] is the program. */
static void
split(const char *line, struct words *w)
{
    (void)snprintf(w->room, sizeof(w->room), "span25 %s", line);
    w->n = 0;
    for (char *p = w->room; *p != 0 && w->n <= WORDS_MAX;) {
        w->v[w->n++] = p;
        p += strcspn(p, " ");
        if (*p != 0)
            *p++ = 0;
    }
    w->v[w->n] = NULL;
}

static enum err
parse(const char *line, struct words *w, struct cli *c, struct buf *messages)
{
    split(line, w);
    return cli_parse(w->n, w->v, c, messages);
}

static const struct {
    const char *why, *line, *says;
} faults[] = {
    {"nothing",                     "",                      "no verb; span25 --help"                     },
    {"unknown verb",                "raed x",                "unknown verb 'raed'; did you mean 'read'?\n"},
    {"unknown noun",                "confg show",            "'confg'; did you mean 'config'?"            },
    {"unknown second word",         "config sohw",           "'sohw'; did you mean 'show'?"               },
    {"second word missing",         "config",
     "'config' needs one of: init, check, show, default\n"                                                },
    {"no abbreviation",             "rea x",                 "unknown verb 'rea'"                         },
    {"flag before the verb",        "--utc read x",          "the verb comes first"                       },
    {"unknown flag",                "read --evnts x",        "'--evnts'; did you mean '--events'?"        },
    {"flag of another verb",        "read --origin x",
     "--origin is a flag of 'config show', not of 'read'\n"                                               },
    {"abbreviated flag",            "read --event=x y",      "unknown flag '--event'"                     },
    {"unknown letter",              "read -z x",             "unknown flag '-z'"                          },
    {"unknown letter in a row",     "read -qz x",            "unknown flag '-z'"                          },
    {"value missing at the end",    "read x --events",
     "--events needs a value: PATH"                                                                       },
    {"value missing before a flag", "read --events --utc x", "needs a value"                              },
    {"letter's value missing",      "read x -f",             "--filter needs a value: BPF"                },
    {"bad value",                   "read --workers 0 x",
     "--workers: '0' is out of range: 1..64\n"                                                            },
    {"bad choice",                  "read --color=blue x",   "not one of auto|always|never"               },
    {"switch with a wrong value",   "read --utc=maybe x",    "not true or false"                          },
    {"ending",                      "read -o report.pdf x",  "none of the endings .html|.json|.csv"       },
    {"no argument",                 "read",                  "'read' needs an argument: FILE"             },
    {"too many arguments",          "config check a b",      "needs fewer arguments: FILE"                },
    {"argument to none",            "config default x",      "takes no argument: 'x'"                     },
    {"standard input twice",        "read - -",
     "standard input can be read only once"                                                               },
    {"input and configuration",     "read -c - -",           "read only once"                             },
    {"help of nothing",             "help nothing",          "unknown verb 'nothing'"                     },
    {"no -n where state changes",   "config init -n",        "unknown flag '-n'"                          },
    {"escapes are shown",           "read --\x1b[2J x",      "'--\\x1b[2J'"                               },
};

static void
test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        struct words w;
        struct cli c;
        struct buf messages;
        enum err e;

        buf_init(&messages, 1U << 16);
        e = parse(faults[i].line, &w, &c, &messages);
        buf_putc(&messages, 0);
        if (e != ERR_USAGE ||
            strstr((const char *)messages.p, faults[i].says) == NULL)
            fail_msg("%s: %s", faults[i].why, (const char *)messages.p);
        buf_free(&messages);
    }
}

/* Parses a line that is right. */
static void
good(const char *line, struct words *w, struct cli *c)
{
    struct buf messages;

    buf_init(&messages, 1U << 16);
    if (parse(line, w, c, &messages) != ERR_OK)
        fail_msg("%s: %.*s", line, (int)messages.n, (const char *)messages.p);
    assert_int_equal(messages.n, 0);
    buf_free(&messages);
}

static void
test_defaults(void **state)
{
    struct words w;
    struct cli c;

    (void)state;
    good("read a.pcap", &w, &c);
    assert_int_equal(c.verb, VERB_READ);
    assert_int_equal(c.n_arguments, 1);
    assert_string_equal(c.arguments[0], "a.pcap");
    assert_string_equal(c.config.name, "span25");
    assert_int_equal(c.config.workers, 1);
    assert_int_equal(c.config.ports.n, 4);
    assert_int_equal(c.config.ports.v[3], 2525);
    assert_int_equal(c.config.memory, UINT64_C(1) << 30);
    assert_int_equal(c.config.flows, 1000000);
    assert_int_equal(c.config.ring, 4U << 20);
    assert_int_equal(c.config.color, COLOR_AUTO);
    assert_null(c.config.events);
    assert_null(c.config.filter);
    assert_int_equal(cli_report_of(&c.config), CLI_REPORT_NONE);
    cli_free(&c);
}

static void
test_flags(void **state)
{
    struct words w;
    struct cli c;

    (void)state;
    good("read -nq --events=- a -o r.json --home 192.0.2.0/24 b "
         "--home 2001:db8::/32 -fport -- --utc -",
         &w, &c);
    assert_true(c.config.quiet);
    assert_true(c.config.numeric);
    assert_false(c.config.utc);
    assert_string_equal(c.config.events, "-");
    assert_string_equal(c.config.filter, "port");
    assert_int_equal(cli_report_of(&c.config), CLI_REPORT_JSON);
    assert_int_equal(c.config.home.n, 2);
    assert_int_equal(c.n_arguments, 4);
    assert_string_equal(c.arguments[2], "--utc");
    assert_string_equal(c.arguments[3], "-");
    assert_int_equal(c.config.origin[OPTION_ID_home].kind, ORIGIN_FLAG);
    cli_free(&c);
}

static void
test_repeated_flags(void **state)
{
    struct words w;
    struct cli c;

    (void)state;
    good("read --workers 2 --workers 3 --utc --utc=false --ports 1 "
         "--ports 2,3 x",
         &w, &c);
    assert_int_equal(c.config.workers, 3);
    assert_false(c.config.utc);
    assert_int_equal(c.config.ports.n, 3);
    cli_free(&c);
}

static const struct {
    const char *line, *topic;
} helps[] = {
    {"--help",               ""           },
    {"-h",                   ""           },
    {"help",                 ""           },
    {"help read",            "read"       },
    {"help config",          "config"     },
    {"help config show",     "config show"},
    {"read --help",          "read"       },
    {"read -h x --events y", "read"       },
    {"config --help",        "config"     },
    {"config show --help",   "config show"},
    {"help --help",          "help"       },
};

static void
test_help(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(helps); i++) {
        struct words w;
        struct cli c;
        struct buf out, messages;

        good(helps[i].line, &w, &c);
        buf_init(&out, 1U << 16);
        buf_init(&messages, 1024);
        assert_int_equal(c.verb, VERB_HELP);
        assert_string_equal(c.topic, helps[i].topic);
        assert_int_equal(cli_run(&c, &out, &messages), CLI_EXIT_DONE);
        assert_true(out.n > 0);
        assert_int_equal(messages.n, 0);
        buf_free(&out);
        buf_free(&messages);
        cli_free(&c);
    }
}

/* Runs a line; gives standard output as a string that is freed with out. */
static enum cli_exit
run(const char *line, struct buf *out, struct buf *messages)
{
    struct words w;
    struct cli c;
    enum cli_exit e;

    buf_init(out, 1U << 16);
    buf_init(messages, 1U << 16);
    e = cli_exit_of(parse(line, &w, &c, messages));
    if (e != CLI_EXIT_DONE)
        return e;
    e = cli_run(&c, out, messages);
    cli_free(&c);
    return e;
}

static void
test_version(void **state)
{
    static const char *const lines[] = {"version", "--version",
                                        "read --version"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct buf out, messages;

        assert_int_equal(run(lines[i], &out, &messages), CLI_EXIT_DONE);
        assert_true(span_starts(buf_view(&out), SPAN_LIT("span25 ")));
        buf_free(&out);
        buf_free(&messages);
    }
}

/* Runs a line for its exit code; says: part of the messages, "" for none. */
static void
expect(const char *line, enum cli_exit code, const char *says)
{
    struct buf out, messages;

    if (run(line, &out, &messages) != code)
        fail_msg("%s: not exit code %d", line, (int)code);
    if (says[0] == 0)
        assert_int_equal(messages.n, 0);
    else
        assert_true(span_search(buf_view(&messages), span_str(says)) <
                    messages.n);
    buf_free(&out);
    buf_free(&messages);
}

static void
test_config_verbs(void **state)
{
    struct tempdir t;
    char line[2048];

    (void)state;
    tempdir_make(&t);
    tempdir_store(t.path, "bad.yaml", "a: 1\n", 5);
    (void)snprintf(line, sizeof(line), "config init -o %s/c.yaml", t.path);
    expect(line, CLI_EXIT_DONE, "");
    assert_true(tempdir_has(t.path, "c.yaml"));
    /* a file that exists is kept */
    expect(line, CLI_EXIT_FAILED, "c.yaml: exists already");
    (void)snprintf(line, sizeof(line), "config check %s/c.yaml", t.path);
    expect(line, CLI_EXIT_DONE, "");
    (void)snprintf(line, sizeof(line), "config check %s/bad.yaml", t.path);
    expect(line, CLI_EXIT_USAGE, "bad.yaml:1:1: unknown key 'a'");
    (void)snprintf(line, sizeof(line), "read -c %s/bad.yaml x", t.path);
    expect(line, CLI_EXIT_USAGE, "bad.yaml:1:1: unknown key 'a'");
    (void)snprintf(line, sizeof(line), "config check %s/none", t.path);
    expect(line, CLI_EXIT_FAILED, "none: no such file");
    tempdir_remove(&t);
}

static bool
has_line(const struct buf *b, const char *line)
{
    return span_search(buf_view(b), span_str(line)) < b->n;
}

static void
test_show_origin(void **state)
{
    static const char text[] = "capture:\n  workers: 4\n  ports: [1]\n";
    struct tempdir t;
    struct buf out, messages;
    struct config c;
    char line[2048];

    (void)state;
    tempdir_make(&t);
    tempdir_store(t.path, "c.yaml", text, sizeof(text) - 1);
    (void)snprintf(line, sizeof(line),
                   "config show --origin -c %s/c.yaml --ports 2", t.path);
    assert_int_equal(run(line, &out, &messages), CLI_EXIT_DONE);
    assert_true(has_line(&out, "\n  ports: [2]  # flag --ports\n"));
    assert_true(has_line(&out, "\n  workers: 4  # "));
    assert_true(has_line(&out, "/c.yaml:2\n"));
    assert_true(has_line(&out, "\n  memory: 1GiB  # default\n"));
    /* what it prints can be read again */
    assert_int_equal(options_init(&c), ERR_OK);
    assert_int_equal(config_parse(buf_view(&out), "f", &c, &messages), ERR_OK);
    assert_int_equal(c.ports.v[0], 2);
    options_fini(&c);
    buf_free(&out);
    buf_free(&messages);
    tempdir_remove(&t);
}

static void
test_completion(void **state)
{
    static const char *const shells[] = {"bash", "zsh", "fish"};
    struct buf out, messages;
    char line[64];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(shells); i++) {
        (void)snprintf(line, sizeof(line), "completion %s", shells[i]);
        assert_int_equal(run(line, &out, &messages), CLI_EXIT_DONE);
        assert_true(has_line(&out, "body-digest"));
        buf_free(&out);
        buf_free(&messages);
    }
    expect("completion csh", CLI_EXIT_USAGE, "unknown shell 'csh'");
}

static void
test_color(void **state)
{
    (void)state;
    assert_true(cli_color(COLOR_AUTO, true, NULL, "xterm"));
    assert_true(cli_color(COLOR_AUTO, true, "", NULL));
    assert_false(cli_color(COLOR_AUTO, false, NULL, "xterm"));
    assert_false(cli_color(COLOR_AUTO, true, "1", "xterm"));
    assert_false(cli_color(COLOR_AUTO, true, NULL, "dumb"));
    assert_true(cli_color(COLOR_ALWAYS, false, "1", "dumb"));
    assert_false(cli_color(COLOR_NEVER, true, NULL, "xterm"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_repeated_flags),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_config_verbs),
        cmocka_unit_test(test_show_origin),
        cmocka_unit_test(test_completion),
        cmocka_unit_test(test_color),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
