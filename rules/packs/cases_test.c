/* cases_test - blocks of events beside rules: what they say, and their faults
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rules/packs/cases.h"
#include "rules/packs/packs.h"

#define ONE                                                                    \
    "title: one\nid: 11111111-1111-4111-8111-111111111111\n"                   \
    "logsource: {product: span25, service: smtp}\n"                            \
    "detection: {s: {smtp.helo: a}, condition: s}\n"
#define TWO                                                                    \
    ONE "---\ntitle: two\nname: second\n"                                      \
        "logsource: {product: span25, service: smtp}\n"                        \
        "detection: {s: {smtp.helo: b}, condition: s}\n"
#define MANY                                                                   \
    "title: base\nname: base\nlogsource: {product: span25, service: smtp}\n"   \
    "detection: {s: {smtp.helo: a}, condition: s}\n---\n"                      \
    "title: many\ncorrelation: {type: event_count, rules: [base], "            \
    "timespan: 10s, condition: {gte: 2}}\n"
#define FEW                                                                    \
    "title: base\nname: base\nlogsource: {product: span25, service: smtp}\n"   \
    "detection: {s: {smtp.helo: a}, condition: s}\n---\n"                      \
    "title: few\ncorrelation: {type: event_count, rules: [base], "             \
    "timespan: 10s, condition: {lt: 2}}\n"
#define AT(s, helo)                                                            \
    "{\"timestamp\":\"2026-11-22T10:00:" s "Z\",\"event_type\":\"smtp\","      \
    "\"smtp\":{\"helo\":\"" helo "\"}}\n"

/* clang-format off */
static const struct row {
    const char *why, *rules, *cases, *want;
    struct cases_row row; /* of the last rule */
} rows[] = {
    {"it fires, and is quiet", ONE, "# fires: y\n" AT("00", "a") "# quiet: n\n" AT("00", "b"), "", {1, 1, 0}},
    {"comments and empty lines", ONE, "## c\n\n# fires: y\n  \n## c\n" AT("00", "a") "\n", "", {1, 0, 0}},
    {"CR LF", ONE, "# fires: y\r\n" AT("00", "a"), "", {1, 0, 0}},
    {"no line end", ONE, "#fires:y\n{\"timestamp\":\"2026-11-22T10:00:00Z\",\"event_type\":\"smtp\",\"smtp\":{\"helo\":\"a\"}}", "", {1, 0, 0}},
    {"one event of several is enough", ONE, "# fires: y\n" AT("00", "a") AT("01", "b"), "", {1, 0, 0}},
    {"nothing", ONE, "", "", {0, 0, 0}},
    {"it should have fired", ONE, "# fires: y\n" AT("00", "b"), "c:1:1: 'one' did not fire: y\n    s: smtp.helo: a: no, has 'b'\n", {1, 0, 1}},
    {"it should have been quiet", ONE, "# fires: y\n" AT("00", "a") "# quiet: n\n" AT("00", "a"), "c:3:1: 'one' fired: n\n", {1, 1, 1}},
    {"a rule by title, name and id", TWO,
     "# fires[two]: y\n" AT("00", "b") "# fires[second]: y\n" AT("00", "b") "# quiet[11111111-1111-4111-8111-111111111111]: n\n" AT("00", "b"), "", {2, 0, 0}},
    {"an event of another rule does not count", TWO, "# quiet[two]: n\n" AT("00", "a"), "", {0, 1, 0}},
    {"a correlation", MANY, "# fires: y\n" AT("00", "a") AT("01", "a") "# quiet: n\n" AT("00", "a"), "", {1, 1, 0}},
    {"windows begin anew", MANY, "# quiet: n\n" AT("00", "a") "# quiet: n\n" AT("01", "a"), "", {0, 2, 0}},
    {"a correlation that did not fire", MANY, "# fires: y\n" AT("00", "a") AT("01", "b"), "c:1:1: 'many' did not fire: y\n    'base' matched 1 of 2 events\n", {1, 0, 1}},
    {"a tick ends a window", FEW, "# fires: y\n" AT("00", "a") "tick: 2026-11-22T10:00:11Z\n", "", {1, 0, 0}},
    {"without it nothing is known", FEW, "# quiet: n\n" AT("00", "a") "tick: 2026-11-22T10:00:09Z\n", "", {0, 1, 0}},
    {"the rule in brackets is none", TWO, "# fires[three]: y\n", "c:1:3: no rule beside this file is 'three', write its id, name or title\n", {0, 0, 0}},
    {"which rule", TWO, "# fires: y\n", "c:1:3: which rule? The file has not just one that alerts; write # fires[id, name or title]: why\n", {0, 0, 0}},
    {"neither word", ONE, "# fire: y\n", "c:1:3: a case begins with '# fires: why' or '# quiet: why', a comment with ##\n", {0, 0, 0}},
    {"no colon", ONE, "# fires y\n", "c:1:3: a case begins with '# fires: why' or '# quiet: why', a comment with ##\n", {0, 0, 0}},
    {"a bracket that stays open", TWO, "# fires[two: y\n", "c:1:3: a case begins with '# fires: why' or '# quiet: why', a comment with ##\n", {0, 0, 0}},
    {"no why", ONE, "# fires: \n", "c:1:3: say behind the colon why\n", {0, 0, 0}},
    {"a case without an event", ONE, "# fires: y\n# quiet: n\n", "c:1:1: this case has no event, write one below it\n", {0, 0, 0}},
    {"an event in no case", ONE, AT("00", "a"), "c:1:1: this line is in no case, write '# fires: why' or '# quiet: why' above it\n", {0, 0, 0}},
    {"another line", ONE, "# fires: y\nx\n", "c:2:1: neither a case (# fires: why), an event ({...}), a tick (tick: TIME) nor a comment (##)\n", {0, 0, 0}},
    {"no JSON", ONE, "# fires: y\n{\"timestamp\"=1}\n", "c:2:13: a colon is missing; write one event of JSON a line\n", {0, 0, 0}},
    {"a key that no event has", ONE, "# quiet: n\n{\"timestamp\":\"2026-11-22T10:00:00Z\",\"event_type\":\"smtp\",\"smtp\":{\"hello\":\"a\"}}\n", "c:2:1: no event has 'hello' at that place, see events(7)\n", {0, 0, 0}},
    {"a type that no event has", ONE, "# quiet: n\n{\"timestamp\":\"2026-11-22T10:00:00Z\",\"event_type\":\"stmp\"}\n", "c:2:1: no event has 'stmp' at that place, see events(7)\n", {0, 0, 0}},
    {"a tick that is no time", ONE, "# fires: y\ntick: now\n", "c:2:6: is no time, write tick: 2026-11-22T10:10:00Z\n", {0, 0, 0}},
    {"a tick that goes back", ONE, "# fires: y\n" AT("05", "a") "tick: 2026-11-22T10:00:04Z\n", "c:3:6: time does not go back, write a later one\n", {0, 0, 0}},
    {"what stands before a fault was run", ONE, "# fires: y\n" AT("00", "a") "# quiet: n\n{\n", "c:4:2: a key is missing; write one event of JSON a line\n", {1, 0, 0}},
};
/* clang-format on */

struct kit {
    struct sigma_set *set;
    struct cases_row rows[8];
    struct buf messages;
};

static void
open_kit(struct kit *k, const char *rules)
{
    *k = (struct kit){.set = NULL};
    buf_init(&k->messages, 1U << 20);
    assert_int_equal(sigma_set_new(&k->set), ERR_OK);
    assert_int_equal(
        sigma_load(k->set, span_str(rules), SPAN_LIT("r"), &k->messages),
        ERR_OK);
    assert_int_equal(sigma_set_compile(k->set, &k->messages), ERR_OK);
}

static void
close_kit(struct kit *k)
{
    sigma_set_free(k->set);
    buf_free(&k->messages);
}

/* From a heap block of exactly its size. */
static enum err
run(struct kit *k, struct span text)
{
    uint8_t *room = malloc(text.n + (text.n == 0));
    enum err e;

    assert_non_null(room);
    if (text.n > 0)
        memcpy(room, text.p, text.n);
    e = cases_run(k->set, span_of(room, text.n), SPAN_LIT("c"), k->rows,
                  &k->messages);
    free(room);
    return e;
}

static void
test_rows(void **state)
{
    unsigned bad = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *r = &rows[i];
        const struct cases_row *got;
        struct kit k;

        open_kit(&k, r->rules);
        (void)run(&k, span_str(r->cases));
        got = &k.rows[sigma_set_count(k.set) - 1];
        if (!span_eq(buf_view(&k.messages), span_str(r->want)) ||
            memcmp(got, &r->row, sizeof(*got)) != 0) {
            print_error("%s: %u %u %u, '%.*s'\n", r->why, got->fires,
                        got->quiet, got->failed, (int)k.messages.n,
                        (const char *)k.messages.p);
            bad++;
        }
        close_kit(&k);
    }
    assert_int_equal(bad, 0);
}

/* Every beginning of a good text: no fault of memory, and at most one line. */
static void
test_cuts(void **state)
{
    struct span all = span_str("## c\n# fires: y\n" AT(
        "00", "a") "tick: 2026-11-22T10:00:11Z\n# quiet[one]: n\n" AT("00",
                                                                      "b"));
    struct kit k;

    (void)state;
    open_kit(&k, ONE);
    for (size_t cut = 0; cut <= all.n; cut++) {
        enum err e = run(&k, span_head(all, cut));

        assert_true(e == ERR_OK || e == ERR_FORMAT);
    }
    close_kit(&k);
}

static void
test_limits(void **state)
{
    static const uint32_t n[] = {CASES_MAX - 1, CASES_MAX, CASES_MAX + 1};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(n); i++) {
        struct kit k;
        struct buf text;

        open_kit(&k, ONE);
        buf_init(&text, 1U << 24);
        for (uint32_t c = 0; c < n[i]; c++)
            buf_str(&text, "# fires: y\n" AT("00", "a"));
        assert_int_equal(run(&k, buf_view(&text)),
                         n[i] <= CASES_MAX ? ERR_OK : ERR_FORMAT);
        assert_int_equal(k.rows[0].fires, n[i] < CASES_MAX ? n[i] : CASES_MAX);
        buf_free(&text);
        close_kit(&k);
    }
}

/* By name, no name twice, each rule with its cases. */
static void
test_packs(void **state)
{
    size_t n = 0;

    (void)state;
    for (; packs[n].name != NULL; n++) {
        assert_true(packs[n].text.n > 0);
        if (n > 0)
            assert_true(strcmp(packs[n - 1].name, packs[n].name) < 0);
    }
    assert_true(n >= 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_packs),
    };

    return cmocka_run_group_tests_name("cases", tests, NULL, NULL);
}
