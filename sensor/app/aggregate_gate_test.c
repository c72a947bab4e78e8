#include "sensor/app/aggregate_gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tempdir.h"

#define AGE   (600 * NS_PER_S)
#define NORTH "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
#define SOUTH "ssssssssssssssssssssssssssssssss"
#define OURS  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NOW   (UINT64_C(1800000000) * NS_PER_S)

struct rig {
    struct tempdir dir;
    struct gate_keys *keys;
    struct gate *gate;
    struct buf header;
};

static void
store(const struct rig *r, const char *name, const char *text)
{
    tempdir_store(r->dir.path, name, text, strlen(text));
}

static enum err
load(const struct rig *r, struct gate_keys **out, const char *want)
{
    struct buf messages;
    enum err e;

    buf_init(&messages, 4096);
    e = gate_keys_load(r->dir.path, out, &messages);
    if (span_search(buf_view(&messages), span_str(want)) == messages.n &&
        want[0] != '\0')
        fail_msg("%.*s", (int)messages.n, (const char *)messages.p);
    buf_free(&messages);
    return e;
}

static struct gate *
new_gate(const struct rig *r)
{
    struct gate *g;

    assert_int_equal(aggregate_gate_new(r->keys, AGE, &g), ERR_OK);
    return g;
}

static void
open_rig(struct rig *r)
{
    tempdir_make(&r->dir);
    store(r, "north", NORTH "\nmore\n");
    store(r, "south", SOUTH);
    store(r, "aggregate", OURS "\r\n");
    store(r, ".hidden", "short");
    assert_int_equal(load(r, &r->keys, ""), ERR_OK);
    r->gate = new_gate(r);
    buf_init(&r->header, AUTH_HEADER_MAX);
}

static void
close_rig(struct rig *r)
{
    aggregate_gate_free(r->gate);
    gate_keys_free(r->keys);
    buf_free(&r->header);
    tempdir_remove(&r->dir);
}

/* A message as `writer` with this key would sign it, appended at this time. */
static struct gate_message
message(struct rig *r, const char *writer, const char *key, uint64_t sequence,
        ns_t appended)
{
    struct gate_message m = {
        .message = {SPAN_LIT("t"), SPAN_LIT("k"), SPAN_LIT("v")},
        .appended = appended,
    };

    buf_reset(&r->header);
    assert_true(auth_sign(span_str(key), span_str(writer), sequence, &m.message,
                          &r->header));
    m.header = buf_view(&r->header);
    return m;
}

static const struct {
    const char *why, *writer, *key;
    int64_t signed_ago; /* before the broker took it, in microseconds */
    bool untimed;
    enum gate_verdict want;
} rows[] = {
    {"of a sensor",                   "north",              NORTH, 5,          false, GATE_OK    },
    {"with the key of another",       "north",              SOUTH, 5,          false, GATE_FORGED},
    {"of nobody known",               "west",               NORTH, 5,          false, GATE_FORGED},
    {"of a file that is hidden",      ".hidden",            NORTH, 5,          false, GATE_FORGED},
    {"as old as may be",              "north",              NORTH, 600000000,  false, GATE_OK    },
    {"older by a microsecond",        "north",              NORTH, 600000001,  false, GATE_STALE },
    {"as far ahead as may be",        "north",              NORTH, -60000000,  false, GATE_OK    },
    {"further by a microsecond",      "north",              NORTH, -60000001,  false, GATE_STALE },
    {"without the broker's time",     "north",              NORTH, 5,          true,  GATE_STALE },
    {"ours has no age",               "aggregate/source/3", OURS,  1000000000, false, GATE_OK    },
    {"ours, without a time",          "aggregate/source/3", OURS,  5,          true,  GATE_OK    },
    {"a sensor that says it is ours", "aggregate/source/3", NORTH, 5,          false,
     GATE_FORGED                                                                                 },
    {"ours that says it is a sensor", "north",              OURS,  5,          false, GATE_FORGED},
    {"the name of all of ours",       "aggregate",          OURS,  5,          false, GATE_FORGED},
};

static void
test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t now = NOW / NS_PER_US;
        struct auth_mark mark;
        struct gate_message m;
        struct rig r;

        open_rig(&r);
        m = message(&r, rows[i].writer, rows[i].key,
                    now - (uint64_t)rows[i].signed_ago,
                    rows[i].untimed ? 0 : NOW);
        if (gate_admit(r.gate, &m, &mark) != rows[i].want)
            fail_msg("%s", rows[i].why);
        /* what is let in is not let in again; the rest was not noted */
        if (gate_admit(r.gate, &m, &mark) !=
            (rows[i].want == GATE_OK ? GATE_REPLAYED : rows[i].want))
            fail_msg("%s, again", rows[i].why);
        close_rig(&r);
    }
}

static void
test_changed(void **state)
{
    struct auth_mark mark;
    struct gate_message m;
    struct rig r;

    (void)state;
    open_rig(&r);
    m = message(&r, "north", NORTH, NOW / NS_PER_US, NOW);
    m.message.value = SPAN_LIT("w");
    assert_int_equal(gate_admit(r.gate, &m, &mark), GATE_FORGED);
    m.header = SPAN_NONE;
    assert_int_equal(gate_admit(r.gate, &m, &mark), GATE_FORGED);
    close_rig(&r);
}

static enum gate_verdict
admit(struct rig *r, const char *writer, const char *key, uint64_t sequence)
{
    struct gate_message m =
        message(r, writer, key, NOW / NS_PER_US + sequence, NOW);
    struct auth_mark mark;

    return gate_admit(r->gate, &m, &mark);
}

/* Each writer has a sequence of its own, which a snapshot keeps. */
static void
test_sequences(void **state)
{
    struct rig r;
    struct buf b;

    (void)state;
    open_rig(&r);
    assert_int_equal(admit(&r, "north", NORTH, 5), GATE_OK);
    assert_int_equal(admit(&r, "south", SOUTH, 4), GATE_OK);
    assert_int_equal(admit(&r, "north", NORTH, 4), GATE_REPLAYED);
    assert_int_equal(admit(&r, "south", SOUTH, 5), GATE_OK);
    buf_init(&b, 1 << 20);
    assert_int_equal(gate_save(r.gate, &b), ERR_OK);
    aggregate_gate_free(r.gate);
    r.gate = new_gate(&r);
    assert_int_equal(gate_load(r.gate, buf_view(&b)), ERR_OK);
    assert_int_equal(admit(&r, "north", NORTH, 5), GATE_REPLAYED);
    assert_int_equal(admit(&r, "north", NORTH, 6), GATE_OK);
    assert_int_equal(gate_sequence(r.gate, SPAN_LIT("south")),
                     NOW / NS_PER_US + 5);
    assert_int_equal(gate_sequence(r.gate, SPAN_LIT("west")), 0);
    for (size_t n = 0; n < b.n; n++) {
        struct gate *g = new_gate(&r);

        assert_int_not_equal(gate_load(g, span_head(buf_view(&b), n)), ERR_OK);
        aggregate_gate_free(g);
    }
    buf_free(&b);
    close_rig(&r);
}

static bool
first(struct gate *g, unsigned id)
{
    char text[17];

    (void)snprintf(text, sizeof(text), "%016x", id);
    return gate_first(g, SPAN_LIT("north"), span_str(text));
}

#define LATEST (3 * GATE_SEEN + 100) /* the latest are in both sets */

static void
test_doubles(void **state)
{
    struct rig r;
    struct buf b;

    (void)state;
    open_rig(&r);
    for (unsigned i = 0; i < LATEST; i++)
        assert_true(first(r.gate, i));
    buf_init(&b, 8 << 20);
    assert_int_equal(gate_save(r.gate, &b), ERR_OK);
    assert_true(b.n < 8 * GATE_SEEN + 100);
    aggregate_gate_free(r.gate);
    r.gate = new_gate(&r);
    assert_int_equal(gate_load(r.gate, buf_view(&b)), ERR_OK);
    for (unsigned i = LATEST - GATE_SEEN / 2; i < LATEST; i++)
        assert_false(first(r.gate, i));
    assert_true(gate_first(r.gate, SPAN_LIT("south"), /* another's event */
                           SPAN_LIT("0000000000017fff")));
    buf_free(&b);
    close_rig(&r);
}

static const struct {
    const char *why, *name, *text, *message;
} faults[] = {
    {"a key that is too short", "east", "0123456789012345678901234567890\n",
     "east: its first line is no key"                                                                          },
    {"an empty file",           "east", "",                                  "east: its first line is no key"  },
    {"no key of ours",          NULL,   "",                                  "aggregate: is not there: the key"},
};

static void
test_folder(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        struct gate_keys *keys = NULL;
        struct rig r;

        tempdir_make(&r.dir);
        store(&r, "north", NORTH);
        if (faults[i].name != NULL) {
            store(&r, "aggregate", OURS);
            store(&r, faults[i].name, faults[i].text);
        }
        if (load(&r, &keys, faults[i].message) != ERR_CONFIG)
            fail_msg("%s", faults[i].why);
        assert_null(keys);
        tempdir_remove(&r.dir);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),      cmocka_unit_test(test_changed),
        cmocka_unit_test(test_sequences), cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
