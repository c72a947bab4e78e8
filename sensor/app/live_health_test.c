#include "sensor/app/live_health.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>

#include <cmocka.h>

#define NOW  (1000000 * NS_PER_S)
#define MONO (50000 * NS_PER_S)

static const struct live_limits limits = {
    .quiet = 300 * NS_PER_S,
    .expected = 86400 * NS_PER_S,
    .silent = 5 * NS_PER_S,
    .drop_permille = 1,
};

/* The first row of a name that is not ok, or the last one. */
struct found {
    const char *name;
    unsigned n, blind;
    enum live_level level;
    char text[256];
};

static void
on_row(void *ctx, const struct live_check *c)
{
    struct found *f = ctx;

    f->blind += c->blind;
    assert_true(c->text.n > 0);
    assert_true((c->todo[0] == '\0') == (c->level == LIVE_LEVEL_OK));
    if (!span_eq(span_str(f->name), span_str(c->name)) ||
        f->level != LIVE_LEVEL_OK)
        return;
    f->n++;
    f->level = c->level;
    (void)snprintf(f->text, sizeof(f->text), "%.*s", (int)c->text.n,
                   (const char *)c->text.p);
}

static struct found
look(const struct live_board *b, const char *name)
{
    struct found f = {.name = name};

    live_health(b, &limits, MONO, NOW, on_row, &f);
    return f;
}

static void
run_process(struct live_process *p)
{
    atomic_store(&p->pid, 7);
    atomic_store(&p->since_utc_ns, NOW - 7 * 86400 * NS_PER_S);
    atomic_store(&p->beat_mono_ns, MONO - NS_PER_S);
}

/* A sensor that sees. */
static struct live_board *
healthy(void)
{
    struct live_board *b;
    struct live_window *w;

    assert_int_equal(live_board_new(&b), ERR_OK);
    b->n_workers = 2;
    b->n_ifaces = 1;
    memcpy(b->iface_name[0], "span0", 6);
    run_process(&b->supervisor);
    run_process(&b->core.process);
    for (unsigned i = 0; i < 2; i++) {
        run_process(&b->worker[i].process);
        atomic_store(&b->worker[i].iface[0].up, 1);
        atomic_store(&b->worker[i].iface[0].last_utc_ns, NOW - NS_PER_S);
    }
    w = &b->core.window;
    atomic_store(&w->length_ns, LIVE_WINDOW_NS);
    atomic_store(&w->packets, 99900);
    atomic_store(&w->bytes_seen, 980);
    atomic_store(&w->sessions, 20);
    atomic_store(&b->core.clock.known, 1);
    atomic_store(&b->core.clock.synchronised, 1);
    b->n_vlans = b->n_prefixes = b->n_sinks = 1;
    memcpy(b->sink_name[0], "soc", 4);
    b->vlan[0] = 214;
    memcpy(b->prefix[0], "10.1.0.0/16", 12);
    atomic_store(&b->worker[1].vlan_utc_ns[0], NOW - NS_PER_S);
    atomic_store(&b->worker[0].prefix_utc_ns[0], NOW - NS_PER_S);
    return b;
}

/* Where a word stands; clang-format 14 cannot align calls in a table. */
enum {
    DROPPED = offsetof(struct live_board, core.window.dropped),
    MISSED = offsetof(struct live_board, core.window.missed),
    LOST = offsetof(struct live_board, core.window.records_lost),
    UNSEEN = offsetof(struct live_board, core.window.bytes_unseen),
    ONEWAY = offsetof(struct live_board, core.window.sessions_oneway),
    JOURNAL = offsetof(struct live_board, core.journal_failed),
    OFFSET = offsetof(struct live_board, core.clock.offset_ns),
    IN_TIME = offsetof(struct live_board, core.clock.synchronised),
    CORE_BEAT = offsetof(struct live_board, core.process.beat_mono_ns),
    BEHIND = offsetof(struct live_board, worker[1].behind_ns),
    BEAT = offsetof(struct live_board, worker[1].process.beat_mono_ns),
    SINK = offsetof(struct live_board, publish.sink[0].state),
    STALLED = offsetof(struct live_board, publish.sink[0].since_utc_ns),
    GONE = offsetof(struct live_board, publish.sink[0].lane[1].lost),
    VLAN = offsetof(struct live_board, worker[1].vlan_utc_ns[0]),
    PREFIX = offsetof(struct live_board, worker[0].prefix_utc_ns[0]),
};

#define SILENT (MONO - 5 * NS_PER_S)
#define DAY    (NOW - 86400 * NS_PER_S)

/* One word set in two healthy boards: at the limit and past it. */
static const struct {
    const char *why, *name;
    size_t at;
    uint64_t good, bad;
    enum live_level level;
    bool blind;
} words[] = {
    {"drops of a thousand",      "drops",      DROPPED,   99,                        102,          LIVE_LEVEL_WARN, true },
    {"drops by the card",        "drops",      MISSED,    99,                        102,          LIVE_LEVEL_WARN, true },
    {"a record lost",            "records",    LOST,      0,                         1,            LIVE_LEVEL_FAIL, true },
    {"journal failing",          "journal",    JOURNAL,   0,                         1,            LIVE_LEVEL_FAIL, true },
    {"bytes unseen",             "unseen",     UNSEEN,    20,                        21,           LIVE_LEVEL_WARN, false},
    {"one direction",            "directions", ONEWAY,    10,                        11,           LIVE_LEVEL_WARN, false},
    {"clock off by a second",    "clock",      OFFSET,    NS_PER_S,                  NS_PER_S + 1,
     LIVE_LEVEL_FAIL,                                                                                               false},
    {"clock not synchronised",   "clock",      IN_TIME,   1,                         0,            LIVE_LEVEL_WARN, false},
    {"a worker behind",          "behind",     BEHIND,    LIVE_HEALTH_BEHIND,
     LIVE_HEALTH_BEHIND + 1,                                                                       LIVE_LEVEL_WARN, false},
    {"a worker silent",          "process",    BEAT,      SILENT,                    SILENT - 1,   LIVE_LEVEL_FAIL,
     true                                                                                                                },
    {"the core silent",          "process",    CORE_BEAT, SILENT,                    SILENT - 1,
     LIVE_LEVEL_FAIL,                                                                                               true },
    {"a sink that failed",       "sink",       SINK,      1,                         2,            LIVE_LEVEL_FAIL, false},
    {"a sink that is slow",      "sink",       STALLED,   NOW - LIVE_HEALTH_STALLED,
     NOW - LIVE_HEALTH_STALLED - 1,                                                                LIVE_LEVEL_WARN, false},
    {"lines lost to a sink",     "sink",       GONE,      0,                         1,            LIVE_LEVEL_WARN, false},
    {"VLAN silent for a day",    "expected",   VLAN,      DAY,                       DAY - 1,      LIVE_LEVEL_FAIL,
     true                                                                                                                },
    {"VLAN never seen",          "expected",   VLAN,      1 + DAY,                   0,            LIVE_LEVEL_FAIL, true },
    {"network silent for a day", "expected",   PREFIX,    DAY,                       DAY - 1,
     LIVE_LEVEL_FAIL,                                                                                               true },
};

static void
test_limits(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        struct live_board *b = healthy();
        _Atomic uint64_t *word = (void *)((char *)b + words[i].at);
        struct found f;

        atomic_store(word, words[i].good);
        f = look(b, words[i].name);
        if (f.n == 0 || f.level != LIVE_LEVEL_OK || f.blind != 0)
            fail_msg("%s, good: %u rows, %s", words[i].why, f.n, f.text);
        atomic_store(word, words[i].bad);
        f = look(b, words[i].name);
        if (f.level != words[i].level || f.blind != words[i].blind)
            fail_msg("%s, bad: level %d, %s", words[i].why, (int)f.level,
                     f.text);
        live_board_free(b);
    }
}

static void
test_quiet(void **state)
{
    struct live_board *b = healthy();
    _Atomic uint64_t *first = &b->worker[0].iface[0].last_utc_ns;
    _Atomic uint64_t *last = &b->worker[1].iface[0].last_utc_ns;

    (void)state;
    assert_int_equal(look(b, "packets").level, LIVE_LEVEL_OK);
    /* One worker that sees is enough: it may own all the flows. */
    atomic_store(first, 0);
    assert_int_equal(look(b, "packets").level, LIVE_LEVEL_OK);
    atomic_store(last, NOW - 300 * NS_PER_S);
    assert_int_equal(look(b, "packets").blind, 0);
    atomic_store(last, NOW - 300 * NS_PER_S - 1);
    assert_int_equal(look(b, "packets").blind, 1);
    atomic_store(last, 0);
    assert_int_equal(look(b, "packets").blind, 1);
    /* It has just begun: nobody can say. */
    atomic_store(&b->supervisor.since_utc_ns, NOW - 300 * NS_PER_S);
    assert_int_equal(look(b, "packets").blind, 0);
    live_board_free(b);
}

static void
test_gone(void **state)
{
    struct live_board *b = healthy();

    (void)state;
    assert_int_equal(look(b, "interface").blind, 0);
    atomic_store(&b->worker[0].iface[0].up, 0);
    assert_int_equal(look(b, "interface").blind, 0);
    atomic_store(&b->worker[1].iface[0].up, 0);
    assert_int_equal(look(b, "interface").blind, 1);
    atomic_store(&b->worker[1].process.pid, 0);
    assert_int_equal(look(b, "process").level, LIVE_LEVEL_FAIL);
    /* A role that was never started is not missed. */
    assert_int_equal(atomic_load(&b->web.pid), 0);
    live_board_free(b);
}

/* A board in which nothing is known, or all is past every bound. */
static void
test_any_board(void **state)
{
    struct live_board *b;

    (void)state;
    assert_int_equal(live_board_new(&b), ERR_OK);
    assert_int_equal(look(b, "drops").n, 0);
    b->n_workers = b->n_ifaces = b->n_vlans = b->n_prefixes = UINT32_MAX;
    assert_true(look(b, "expected").n > 0);
    live_board_free(b);
}

static void
test_time(void **state)
{
    static const struct {
        ns_t t;
        const char *want;
    } rows[] = {
        {0,                       "0 s"    },
        {119 * NS_PER_S,          "119 s"  },
        {120 * NS_PER_S,          "2 min"  },
        {7199 * NS_PER_S,         "119 min"},
        {7200 * NS_PER_S,         "2 h"    },
        {48ULL * 3600 * NS_PER_S, "2 d"    },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b;

        buf_init(&b, 64);
        live_health_time(&b, rows[i].t);
        assert_true(span_eq(buf_view(&b), span_str(rows[i].want)));
        buf_free(&b);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits), cmocka_unit_test(test_quiet),
        cmocka_unit_test(test_gone),   cmocka_unit_test(test_any_board),
        cmocka_unit_test(test_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
