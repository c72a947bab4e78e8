#include "sensor/app/study_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "sensor/app/study_plan_load.h"
#include "sensor/app/whole_file.h"
#include "tests/support/tempdir.h"

#define ROOM     sizeof(struct tempdir_name)
#define P        "policies:\n  - name: A\n    kind: none\n"
#define ALERTS   "policies:\n  - name: A\n    kind: alerts\n"
#define DETECTOR "policies:\n  - name: A\n    kind: detector\n"
#define CRIT     "proposed: P4\ncriteria:\n  - name: c\n"

/* want: all messages; "" when the text is valid. */
static const struct {
    const char *why, *in, *want;
} rows[] = {
    {"empty",                              "",                                               ""                                                                },
    {"comments only",                      "# nothing\n",                                    ""                                                                },
    {"empty sections",                     "policies:\ncosts:\ncriteria:\n",                 ""                                                                },
    {"a policy",                           P,                                                ""                                                                },
    {"unknown key",                        "policie: []\n",
     "f:1:1: unknown key 'policie'; did you mean 'policies'?\n"                                                                                                },
    {"nothing close",                      "zzzzzzzz: 1\n",                                  "f:1:1: unknown key 'zzzzzzzz'\n"                                 },
    {"root is a list",                     "- a\n",                                          "f:1:1: the file must hold keys and values\n"                     },
    {"not YAML",                           "policies: [\n",
     "f:2:1: not valid YAML: did not find expected node content\n"                                                                                             },
    {"anchor",                             "rollback: &a b\n",
     "f:1:11: anchors, aliases and tags are not allowed, write it out\n"                                                                                       },
    {"key twice",                          "rollback: a\nrollback: b\n",
     "f:2:1: this key is there twice, first in line 1; keep one\n"                                                                                             },
    {"policies are no list",               "policies: P4\n",
     "f:1:11: 'policies': is a list: each item begins with -\n"                                                                                                },
    {"a word for a policy",                "policies: [P4]\n",
     "f:1:12: 'policies': an item is a section of keys, such as name\n"                                                                                        },
    {"no name, no kind",                   "policies:\n  - title: t\n",
     "f:2:5: the policy has no 'name'\nf:2:5: the policy has no 'kind'\n"                                                                                      },
    {"unknown kind",                       "policies:\n  - name: A\n    kind: detectr\n",
     "f:3:11: 'policies[].kind': 'detectr' is no kind of policy; did you mean "
     "'detector'?\n"                                                                                                                                           },
    {"kind, nothing close",                "policies:\n  - name: A\n    kind: magic wand\n",
     "f:3:11: 'policies[].kind': 'magic wand' is no kind of policy; it is one "
     "of none, unregistered, rate, alerts, detector, grace\n"                                                                                                  },
    {"unknown key of a policy",            ALERTS "    alert: 1\n",
     "f:4:5: unknown key 'policies[].alert'; did you mean "
     "'policies[].alerts'?\n"                                                                                                                                  },
    {"not a number",                       ALERTS "    alerts: many\n",
     "f:4:13: 'policies[].alerts': 'many' is not a number\n"                                                                                                   },
    {"out of range",                       ALERTS "    alerts: 1001\n",
     "f:4:13: 'policies[].alerts': '1001' is out of range: 1..1000\n"                                                                                          },
    {"below zero",                         ALERTS "    alerts: -1\n",
     "f:4:13: 'policies[].alerts': '-1' is not a number\n"                                                                                                     },
    {"not a time",                         ALERTS "    ttl: 4\n",
     "f:4:10: 'policies[].ttl': '4' is not a time such as 500ms, 30s, 10m, 4h "
     "or 7d\n"                                                                                                                                                 },
    {"time out of range",                  ALERTS "    latency: 25h\n",
     "f:4:14: 'policies[].latency': '25h' is out of range: 0s..1d\n"                                                                                           },
    {"share out of range",
     "policies:\n  - name: A\n    kind: grace\n    answer: 1.01\n",                          "f:4:13: 'policies[].answer': '1.01' is out of range: 0..1\n"     },
    {"not finite",                         "costs:\n  alert-minutes: .inf\n",
     "f:2:18: 'costs.alert-minutes': '.inf' is not a number\n"                                                                                                 },
    {"no value",                           ALERTS "    ttl:\n",
     "f:4:5: 'policies[].ttl': has no value\n"                                                                                                                 },
    {"a list for a value",                 ALERTS "    ttl: [4h]\n",
     "f:4:10: 'policies[].ttl': takes one value\n"                                                                                                             },
    {"not of this kind",                   P "    ttl: 4h\n",
     "f:4:5: 'policies[].ttl': does nothing in a policy of kind none; it is of "
     "kind alerts\n"                                                                                                                                           },
    {"of many kinds, not this one",        P "    give-up: 4d\n",
     "f:4:5: 'policies[].give-up': does nothing in a policy of kind none; it "
     "is of kind unregistered, rate, alerts, detector, grace\n"                                                                                                },
    {"block, not of this kind",            P "    block: {sessions: 1}\n",
     "f:4:5: 'policies[].block': does nothing in a policy of kind none; it is "
     "of kind detector, grace\n"                                                                                                                               },
    {"block without detector",
     "policies:\n  - name: A\n    kind: grace\n    block: {sessions: 1}\n",                  "f:4:5: 'policies[].block': does nothing without detector: true\n"},
    {"unknown limit",                      DETECTOR "    block:\n      session: 1\n",
     "f:5:7: unknown key 'policies[].block.session'; did you mean "
     "'policies[].block.sessions'?\n"                                                                                                                          },
    {"limit out of range",                 DETECTOR "    block:\n      networks: 9\n",
     "f:5:17: 'policies[].block.networks': '9' is out of range: 1..8\n"                                                                                        },
    {"block is a word",                    DETECTOR "    block: all\n",
     "f:4:12: 'policies[].block': is a section of keys, such as sessions\n"                                                                                    },
    {"a name that is none",                "policies:\n  - name: ../x\n    kind: none\n",
     "f:2:11: 'policies[].name': '../x' is no name: letters, digits, - _ and . "
     "only\n"                                                                                                                                                  },
    {"a long name",
     "policies:\n  - name: A23456789012345678901234567890123\n    kind: none\n",             "f:2:11: 'policies[].name': 'A23456789012345678901234567890123' is out of "
     "range: its length is 1..32\n"                                            },
    {"one name twice",                     P "  - name: A\n    kind: rate\n",
     "f:4:5: policy 'A' is there twice, first in f:2\n"                                                                                                        },
    {"no day",                             P "    from: 2026-02-30\n",
     "f:4:11: 'policies[].from': '2026-02-30' is no day or time such as "
     "2027-01-11 or 2027-01-11T08:00:00Z\n"                                                                                                                    },
    {"a length is no day",                 "effective: 48h\n",
     "f:1:12: 'effective': '48h' is no day or time such as 2027-01-11 or "
     "2027-01-11T08:00:00Z\n"                                                                                                                                  },
    {"unknown cost",                       "costs:\n  alert-minute: 6\n",
     "f:2:3: unknown key 'costs.alert-minute'; did you mean "
     "'costs.alert-minutes'?\n"                                                                                                                                },
    {"proposed is not there",              "proposed: P9\n" P,
     "f:1:1: there is no policy 'P9'\n"                                                                                                                        },
    {"proposed is almost there",           "proposed: P7\n",
     "f:1:1: there is no policy 'P7'; did you mean 'P0'?\n"                                                                                                    },
    {"a criterion",                        CRIT "    measure: lost-most\n    at-most: 0\n",  ""                                                                },
    {"unknown measure",                    CRIT "    measure: lost-mots\n    at-most: 0\n",
     "f:4:14: 'criteria[].measure': 'lost-mots' is no measure; did you mean "
     "'lost-most'?\n"                                                                                                                                          },
    {"no measure, no limit",               CRIT,
     "f:3:5: the criterion has no 'measure'\nf:3:5: the criterion has no "
     "limit: 'at-most' or 'at-least'\n"                                                                                                                        },
    {"two limits",
     CRIT "    measure: lost-most\n    at-most: 0\n    at-least: 1\n",
     "f:6:5: 'criteria[].at-least': there is at-most too; make two criteria of "
     "it\n"                                                                                                                                                    },
    {"policy of a criterion is not there",
     CRIT "    measure: lost-most\n    at-most: 0\n    policy: P44\n",
     "f:6:13: there is no policy 'P44'; did you mean 'P4'?\n"                                                                                                  },
    {"a policy for all of the study",
     CRIT "    measure: coverage\n    at-least: 1\n    policy: P4\n",
     "f:6:5: 'criteria[].policy': the measure is of the whole study, not of a "
     "policy: leave it out\n"                                                                                                                                  },
    {"of a policy, and none is there",
     "criteria:\n  - {name: c, measure: lost-most, at-most: 0}\n",                           "f:2:5: 'lost-most' is measured of a policy: name one with 'policy', or a "
     "proposed one\n"                                                                        },
    {"one criterion twice",
     CRIT "    measure: lost-most\n    at-most: 0\n"
          "  - {name: c, measure: loss, at-most: 0}\n",                                      "f:6:5: criterion 'c' is there twice, first in f:3\n"             },
    {"everything that is wrong is told",
     "costs:\n  lost-message: -1\npolicies:\n  - kind: none\n    tittle: x\n"
     "criteria:\n  - measure: x\n    at-most: y\nproposed: Q\n",                             "f:2:17: 'costs.lost-message': '-1' is out of range: 0..1000000000\n"
     "f:4:5: the policy has no 'name'\n"
     "f:5:5: unknown key 'policies[].tittle'; did you mean "
     "'policies[].title'?\n"
     "f:7:5: the criterion has no 'name'\n"
     "f:8:14: 'criteria[].at-most': 'y' is not a number\n"
     "f:7:14: 'criteria[].measure': 'x' is no measure; it is one of "
     "registered-stopped, legitimate-stopped, wrong-share-high, "
     "bots-stopped-share, spared-share-low, lost-most, lost-rate, "
     "stopped-day-most, time-to-stop-median, staff-hours, owners-unknown, "
     "coverage, week-covered, loss, clear, kappa, precision-low, within-48h, "
     "decisions-same\n"
     "f:9:1: there is no policy 'Q'\n"                                                         },
    {"escapes are shown",                  "\"\\e[2J\": 1\n",                                "f:1:1: unknown key '\\x1b[2J'\n"                                 },
};

static void
test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct study_plan plan = {.effective = 7};
        struct buf messages;
        enum err e;

        buf_init(&messages, 1 << 16);
        e = study_plan_parse(span_str(rows[i].in), "f", &plan, &messages);
        if (!span_eq(buf_view(&messages), span_str(rows[i].want)))
            fail_msg("%s:\n%.*s", rows[i].why, (int)messages.n,
                     (const char *)messages.p);
        assert_int_equal(e, rows[i].want[0] == 0 ? ERR_OK : ERR_CONFIG);
        if (e == ERR_OK)
            study_plan_free(&plan);
        else
            assert_int_equal(plan.effective, 7);
        buf_free(&messages);
    }
}

static struct study_plan
parse(const char *text)
{
    struct study_plan plan;
    struct buf messages;

    buf_init(&messages, 1 << 16);
    if (study_plan_parse(span_str(text), "f", &plan, &messages) != ERR_OK)
        fail_msg("%.*s", (int)messages.n, (const char *)messages.p);
    buf_free(&messages);
    return plan;
}

static void
test_values(void **state)
{
    struct study_plan plan = parse(
        "policies:\n"
        "  - name: P4\n    title: \"it's: me\"\n    kind: detector\n"
        "    latency: 5s\n    from: 2026-10-01\n    registry: 0.8\n"
        "    block:\n      sessions: 20\n      step1_s: 7200\n"
        "  - {name: R, kind: rate, per-hour: 2.5, from: "
        "\"2026-10-01T02:00:00+02:00\"}\n"
        "  - {name: G, kind: grace, grace: 30, detector: yes, block: {bound: "
        "0}}\n"
        "costs: {lost-message: 12.5}\n"
        "proposed: G\neffective: 2027-01-11\nrollback: \"line: end\"\n"
        "criteria:\n"
        "  - {name: none, measure: registered-stopped, at-most: 0}\n"
        "  - {name: seen, measure: coverage, at-least: 0.98}\n"
        "  - {name: lost, measure: lost-most, at-most: 1e3, policy: R}\n");
    const struct study_policy_plan *p = plan.policies;

    (void)state;
    assert_int_equal(plan.n_policies, 3);
    assert_string_equal(p->title, "it's: me");
    assert_int_equal(p->kind, STUDY_KIND_DETECTOR);
    assert_int_equal(p->latency, 5 * NS_PER_S);
    assert_int_equal(p->from, 1790812800 * NS_PER_S);
    assert_true(p->registry == 0.8);
    assert_int_equal(p->n_limits, 2);
    assert_string_equal(p->limits[1].name, "step1_s");
    assert_int_equal(p->limits[1].value, 7200);
    assert_true(p[1].per_hour == 2.5 && p[1].per_day == 100);
    assert_int_equal(p[1].from, p->from);
    assert_string_equal(p[1].title, study_kind_what(STUDY_KIND_RATE));
    assert_true(p[2].detector && p[2].grace == 30 && p[2].n_limits == 1);
    assert_true(plan.costs.lost == 12.5 && plan.costs.alert_min == 6);
    assert_string_equal(plan.proposed, "G");
    assert_int_equal(plan.effective, 1799625600 * NS_PER_S);
    assert_string_equal(plan.rollback, "line: end");
    assert_int_equal(plan.n_criteria, 3);
    assert_false(plan.criteria[0].at_least);
    assert_null(plan.criteria[0].policy);
    assert_true(plan.criteria[1].at_least && plan.criteria[1].limit == 0.98);
    assert_true(plan.criteria[2].limit == 1000);
    assert_string_equal(plan.criteria[2].policy, "R");
    study_plan_free(&plan);
}

/* DETECTION 4.7 */
static void
test_shipped(void **state)
{
    static const enum study_kind kinds[] = {
        STUDY_KIND_NONE,   STUDY_KIND_UNREGISTERED, STUDY_KIND_RATE,
        STUDY_KIND_ALERTS, STUDY_KIND_DETECTOR,     STUDY_KIND_GRACE,
        STUDY_KIND_GRACE,
    };
    struct study_plan plan = parse("");
    const struct study_policy_plan *p = plan.policies;

    (void)state;
    assert_int_equal(plan.n_policies, ARRAY_LEN(kinds));
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
        char name[8];

        (void)snprintf(name, sizeof(name), "P%u", i);
        assert_string_equal(p[i].name, name);
        assert_int_equal(p[i].kind, kinds[i]);
    }
    assert_true(p[2].per_hour == 20 && p[2].per_day == 100);
    assert_true(p[3].alerts == 1 && p[3].ttl == 14400 * NS_PER_S);
    assert_true(p[5].grace == 14 && !p[5].detector);
    assert_true(p[6].grace == 14 && p[6].detector);
    assert_null(plan.proposed);
    assert_int_equal(plan.n_criteria, 0);
    study_plan_free(&plan);
}

static void
expect_same(const struct study_plan *a, const struct study_plan *b)
{
    assert_int_equal(a->n_policies, b->n_policies);
    for (size_t i = 0; i < a->n_policies; i++) {
        const struct study_policy_plan *p = &a->policies[i];
        const struct study_policy_plan *q = &b->policies[i];

        assert_string_equal(p->name, q->name);
        assert_string_equal(p->title, q->title);
        assert_int_equal(p->kind, q->kind);
        assert_int_equal(p->from, q->from);
#define X(member, ...) assert_true(p->member == q->member);
        STUDY_POLICY_KEYS(X)
#undef X
    }
#define X(member, ...) assert_true(a->costs.member == b->costs.member);
    STUDY_COST_KEYS(X)
#undef X
}

/* "#key: value" is a setting that may be set, "# word" is a comment. */
static void
uncomment(struct span in, struct buf *out)
{
    for (size_t i = 0; i < in.n; i++) {
        const bool begins = i == 0 || in.p[i - 1] == '\n';
        const struct span line = span_tail(in, i);

        if (begins && line.p[0] == '#' && span_at(line, 1) > ' ')
            continue;
        buf_putc(out, in.p[i]);
    }
}

static void
test_text(void **state)
{
    struct study_plan plan = parse(""), again, set;
    struct buf text, other;

    (void)state;
    buf_init(&text, STUDY_PLAN_FILE);
    buf_init(&other, STUDY_PLAN_FILE);
    study_plan_text(&text);
    assert_false(text.failed || text.cut);
    buf_putc(&text, 0);
    again = parse((const char *)text.p);
    expect_same(&plan, &again);
    assert_null(again.proposed);
    text.n--;

    uncomment(buf_view(&text), &other);
    buf_putc(&other, 0);
    set = parse((const char *)other.p);
    expect_same(&plan, &set);
    assert_string_equal(set.proposed, "P6");
    assert_int_equal(set.n_criteria, 2);
    assert_true(set.effective > 0 && set.rollback != NULL);
    study_plan_free(&plan);
    study_plan_free(&again);
    study_plan_free(&set);
    buf_free(&text);
    buf_free(&other);
}

static void
put_file(const char *dir, const char *name, const char *text, char path[ROOM])
{
    (void)snprintf(path, ROOM, "%s/%s", dir, name);
    assert_int_equal(whole_file_save(path, span_str(text)), 0);
}

static enum err
read_files(char **policies, size_t n, const char *criteria,
           struct study_plan *plan, char hash[65], struct buf *messages)
{
    const struct study_plan_files files = {policies, n, criteria};

    buf_init(messages, 1 << 16);
    return study_plan_read(&files, plan, hash, messages);
}

static void
expect_told(const struct buf *messages, const char *want)
{
    if (span_search(buf_view(messages), span_str(want)) == messages->n)
        fail_msg("%.*s", (int)messages->n, (const char *)messages->p);
}

static void
test_files(void **state)
{
    static char p1[] = "P1", p4[] = "P4", p7[] = "P7";
    char own[ROOM], criteria[ROOM], hash[65];
    struct study_plan plan;
    struct buf messages;
    struct tempdir t;
    const char *dir = t.path;

    (void)state;
    tempdir_make(&t);

    put_file(dir, "own", "policies: [{name: O, kind: none}]\n", own);
    put_file(dir, "criteria",
             "proposed: P4\n"
             "criteria: [{name: c, measure: lost-most, at-most: 0}]\n",
             criteria);
    char *names[] = {p4, own, p1};

    assert_int_equal(read_files(names, 3, criteria, &plan, hash, &messages),
                     ERR_OK);
    assert_int_equal(plan.n_policies, 3);
    assert_string_equal(plan.policies[0].name, "P4");
    assert_string_equal(plan.policies[1].name, "O");
    assert_string_equal(plan.policies[2].name, "P1");
    /* sha256sum of the text above */
    assert_string_equal(
        hash,
        "28f022bd94b75d874799f323897e4783555202848460a3d65946436f0a33330f");
    study_plan_free(&plan);
    buf_free(&messages);

    assert_int_equal(read_files(NULL, 0, criteria, &plan, hash, &messages),
                     ERR_OK);
    assert_int_equal(plan.n_policies, 7);
    study_plan_free(&plan);
    buf_free(&messages);

    assert_int_equal(read_files(NULL, 0, NULL, &plan, hash, &messages), ERR_OK);
    assert_string_equal(hash, "");
    study_plan_free(&plan);
    buf_free(&messages);

    assert_int_equal(read_files(names + 2, 1, criteria, &plan, hash, &messages),
                     ERR_CONFIG);
    expect_told(&messages, "criteria:1:1: there is no policy 'P4'; did you "
                           "mean 'P1'?\n");
    buf_free(&messages);

    names[0] = p1;
    assert_int_equal(read_files(names, 3, NULL, &plan, hash, &messages),
                     ERR_CONFIG);
    expect_told(&messages, "policy P1 is named twice");
    buf_free(&messages);

    names[0] = own;
    assert_int_equal(read_files(names, 2, criteria, &plan, hash, &messages),
                     ERR_CONFIG);
    expect_told(&messages, "own:1:12: policy 'O' is there twice, first in ");
    buf_free(&messages);

    names[0] = p7;
    assert_int_equal(read_files(names, 2, NULL, &plan, hash, &messages),
                     ERR_NOENT);
    expect_told(&messages, "span25: cannot read P7: No such file or directory; "
                           "shipped policies are P0, P1, P2, P3, P4, P5, P6\n");
    buf_free(&messages);

    names[0] = own;
    assert_int_equal(read_files(names, 1, p7, &plan, hash, &messages),
                     ERR_NOENT);
    expect_told(&messages, "cannot read P7: No such file or directory\n");
    buf_free(&messages);
    tempdir_remove(&t);
}

/* The same key in two files. */
static void
test_twice(void **state)
{
    char a[ROOM], b[ROOM], hash[65];
    struct study_plan plan;
    struct buf messages;
    struct tempdir t;
    const char *dir = t.path;

    (void)state;
    tempdir_make(&t);

    put_file(dir, "a", "proposed: P1\ncosts: {form-minutes: 5}\ncriteria: []\n",
             a);
    put_file(dir, "b", "proposed: P1\ncosts: {form-minutes: 6}\ncriteria: []\n",
             b);
    char *names[] = {a};

    assert_int_equal(read_files(names, 1, b, &plan, hash, &messages),
                     ERR_CONFIG);
    expect_told(&messages, "b:1:1: 'proposed' is there twice, first in ");
    expect_told(&messages, "b:2:9: 'costs.form-minutes' is there twice, first");
    buf_free(&messages);
    tempdir_remove(&t);
}

static void
put_many(struct buf *out, const char *head, const char *item, unsigned n)
{
    buf_str(out, head);
    for (unsigned i = 0; i < n; i++)
        buf_printf(out, "  - {name: N%u, %s}\n", i, item);
}

static void
expect_most(const char *head, const char *item, unsigned most, const char *told)
{
    struct study_plan plan;
    struct buf text, messages;

    buf_init(&text, 1 << 20);
    buf_init(&messages, 1 << 16);
    put_many(&text, head, item, most);
    assert_int_equal(study_plan_parse(buf_view(&text), "f", &plan, &messages),
                     ERR_OK);
    study_plan_free(&plan);
    buf_reset(&text);
    put_many(&text, head, item, most + 1);
    assert_int_equal(study_plan_parse(buf_view(&text), "f", &plan, &messages),
                     ERR_CONFIG);
    expect_told(&messages, told);
    buf_free(&text);
    buf_free(&messages);
}

static void
test_bounds(void **state)
{
    struct study_plan plan;
    struct buf text, messages;

    (void)state;
    expect_most("policies:\n", "kind: none", STUDY_PLAN_POLICIES,
                "f:66:5: more than 64 policies\n");
    expect_most("criteria:\n", "measure: loss, at-most: 0", STUDY_PLAN_CRITERIA,
                "f:258:5: more than 256 criteria\n");
    buf_init(&text, 1 << 20);
    buf_init(&messages, 1 << 16);
    put_many(&text, "policies:\n", "kind: none, x: 1", STUDY_PLAN_FAULTS + 5);
    assert_int_equal(study_plan_parse(buf_view(&text), "f", &plan, &messages),
                     ERR_CONFIG);
    expect_told(&messages, "f:22:29: more faults follow\n");
    buf_free(&text);
    buf_free(&messages);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),  cmocka_unit_test(test_values),
        cmocka_unit_test(test_shipped), cmocka_unit_test(test_text),
        cmocka_unit_test(test_files),   cmocka_unit_test(test_twice),
        cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
