#include "sensor/app/publish.h"

#include "sensor/app/config.h"
#include "sensor/journal/journal.h"
#include "sensor/journal/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/tempdir.h"

#define NOW (1000 * NS_PER_S)

/* A journal, and a sink that is a file. */
struct rig {
    struct tempdir dir;
    char state[TEMPDIR_PATH + 32], target[TEMPDIR_PATH + 32];
    struct config config;
    struct journal *journal;
    struct journal_reader *reader;
    struct publish *publish;
    struct buf messages;
    uint64_t n; /* events so far */
    ns_t mono;
};

static void
configure(struct rig *r, const char *more)
{
    struct buf text;

    buf_init(&text, 4096);
    buf_printf(&text, "sinks: [{name: f, kind: file, target: %s%s}]\n",
               r->target, more);
    assert_int_equal(options_init(&r->config), ERR_OK);
    assert_int_equal(
        config_parse(buf_view(&text), "f", &r->config, &r->messages), ERR_OK);
    buf_free(&text);
}

static void
begin(struct rig *r, const char *more)
{
    struct journal_recovery recovery;

    *r = (struct rig){.mono = NOW};
    buf_init(&r->messages, 1 << 16);
    tempdir_make(&r->dir);
    (void)snprintf(r->state, sizeof(r->state), "%s/state", r->dir.path);
    (void)snprintf(r->target, sizeof(r->target), "%s/out", r->dir.path);
    configure(r, more);
    assert_int_equal(state_open(r->state, STATE_LIVE, &r->messages), ERR_OK);
    assert_int_equal(
        journal_open(r->state, NULL, &r->journal, &recovery, &r->messages),
        ERR_OK);
}

static void
end(struct rig *r)
{
    publish_free(r->publish);
    journal_reader_close(r->reader);
    assert_int_equal(journal_close(r->journal), ERR_OK);
    options_fini(&r->config);
    buf_free(&r->messages);
    tempdir_remove(&r->dir);
}

static uint64_t
add(struct rig *r, const char *type)
{
    struct buf json;
    uint64_t seq;

    buf_init(&json, 1024);
    buf_printf(&json,
               "{\"timestamp\":\"2026-11-23T00:00:00.000000+0000\","
               "\"event_type\":\"%s\",\"event_id\":\"%016u\"}",
               type, (unsigned)++r->n);
    assert_int_equal(journal_append(r->journal, buf_view(&json), &seq), ERR_OK);
    assert_int_equal(journal_sync(r->journal), ERR_OK);
    buf_free(&json);
    return seq;
}

/* As the process does at its start; the one before is gone as by kill -9. */
static void
start(struct rig *r)
{
    const struct publish_plan plan = {r->state, &r->config.sinks.v[0],
                                      journal_durable(r->journal)};

    publish_free(r->publish);
    journal_reader_close(r->reader);
    buf_reset(&r->messages);
    assert_int_equal(publish_new(&plan, &r->publish, &r->messages), ERR_OK);
    assert_int_equal(journal_reader_open(r->state,
                                         publish_scanned(r->publish) + 1,
                                         &r->reader, &r->messages),
                     ERR_OK);
}

/* As the process does while the sensor runs. */
static void
steps(struct rig *r, unsigned n)
{
    struct journal_line line;

    for (; n > 0; n--) {
        while (journal_read(r->reader, &line) == JOURNAL_READ_LINE)
            publish_line(r->publish, &line);
        r->mono += NS_PER_S;
        (void)publish_step(r->publish, r->mono, r->mono, &r->messages);
    }
}

/* As at the end. */
static void
turns(struct rig *r, unsigned n)
{
    for (; n > 0; n--) {
        steps(r, 1);
        publish_flush(r->publish);
    }
}

static unsigned
lines_of(const char *path)
{
    FILE *f = fopen(path, "re");
    unsigned n = 0;
    int c;

    while (f != NULL && (c = fgetc(f)) != EOF)
        n += c == '\n';
    if (f != NULL)
        (void)fclose(f);
    return n;
}

static void
assert_lane(const struct rig *r, enum keep_kind k, uint64_t journaled,
            uint64_t acknowledged, uint64_t lost)
{
    const struct publish_counts n = publish_counts(r->publish);

    assert_int_equal(n.lane[k].journaled, journaled);
    assert_int_equal(n.lane[k].acknowledged, acknowledged);
    assert_int_equal(n.lane[k].lost, lost);
    assert_int_equal(n.lane[k].waiting, journaled - acknowledged - lost);
}

static void
a_new_sink_begins_with_what_comes(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "");
    (void)add(&r, "smtp");
    start(&r);
    (void)add(&r, "alert");
    (void)add(&r, "smtp");
    (void)add(&r, "control"); /* is not asked for */
    turns(&r, 3);
    assert_int_equal(lines_of(r.target), 2);
    assert_lane(&r, KEEP_ALERTS, 1, 1, 0);
    assert_lane(&r, KEEP_TRANSACTIONS, 1, 1, 0);
    assert_true(publish_idle(r.publish));
    end(&r);
}

static void
a_restart_goes_on_from_the_cursor(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "");
    (void)add(&r, "smtp");
    start(&r);
    (void)add(&r, "smtp");
    turns(&r, 3);
    assert_int_equal(publish_save(r.publish, &r.messages), ERR_OK);
    (void)add(&r, "smtp");
    turns(&r, 3); /* delivered, and not saved: a double */
    start(&r);
    (void)add(&r, "smtp");
    turns(&r, 3);
    assert_int_equal(lines_of(r.target), 4);
    assert_lane(&r, KEEP_TRANSACTIONS, 3, 3, 0);
    end(&r);
}

static void
what_came_while_nobody_ran_is_sent(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "");
    (void)add(&r, "smtp");
    start(&r);
    publish_free(r.publish);
    r.publish = NULL;
    for (unsigned i = 0; i < 3 * PUBLISH_TURN; i++)
        (void)add(&r, i % 100 == 0 ? "alert" : "smtp");
    start(&r);
    turns(&r, 8);
    assert_int_equal(lines_of(r.target), 3 * PUBLISH_TURN);
    assert_true(publish_idle(r.publish));
    end(&r);
}

/* The target is a folder for a time: it cannot be opened. */
static void
a_sink_that_fails_is_opened_again(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "");
    (void)add(&r, "smtp");
    assert_int_equal(mkdir(r.target, 0700), 0);
    start(&r);
    (void)add(&r, "alert");
    (void)add(&r, "smtp");
    turns(&r, 3);
    assert_int_equal(publish_counts(r.publish).state, PUBLISH_CLOSED);
    assert_true(publish_counts(r.publish).since > 0);
    assert_true(r.messages.n > 0);
    assert_lane(&r, KEEP_ALERTS, 1, 0, 0);
    assert_int_equal(rmdir(r.target), 0);
    turns(&r, 40);
    assert_int_equal(lines_of(r.target), 2);
    assert_lane(&r, KEEP_ALERTS, 1, 1, 0);
    assert_int_equal(publish_counts(r.publish).since, 0);
    end(&r);
}

/* The disk is full when the last line goes out: no further one tells of it. */
static void
a_sink_that_dies_between_lines(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "");
    (void)add(&r, "smtp");
    assert_int_equal(symlink("/dev/full", r.target), 0);
    start(&r);
    (void)add(&r, "alert");
    steps(&r, 3);
    assert_int_equal(publish_counts(r.publish).state, PUBLISH_FAILED);
    assert_lane(&r, KEEP_ALERTS, 1, 0, 0);
    assert_true(r.messages.n > 0);
    assert_int_equal(unlink(r.target), 0);
    steps(&r, 40);
    assert_int_equal(lines_of(r.target), 1);
    assert_lane(&r, KEEP_ALERTS, 1, 1, 0);
    end(&r);
}

static unsigned
lines_in(const struct buf *b)
{
    unsigned n = 0;

    for (size_t i = 0; i < b->n; i++)
        n += b->p[i] == '\n';
    return n;
}

/* A full disk is one for the sink and for its cursor; neither is told of anew
 * because the other was. */
static void
two_that_fail_are_told_of_once(void **state)
{
    struct rig r;
    char beside[TEMPDIR_PATH + 64];

    (void)state;
    begin(&r, "");
    (void)add(&r, "smtp");
    assert_int_equal(symlink("/dev/full", r.target), 0);
    start(&r);
    (void)snprintf(beside, sizeof(beside), "%s/publish/f.new", r.state);
    assert_int_equal(mkdir(beside, 0700), 0);
    (void)add(&r, "alert");
    for (unsigned i = 0; i < 20; i++) {
        steps(&r, 2);
        assert_int_not_equal(publish_save(r.publish, &r.messages), ERR_OK);
    }
    assert_int_equal(lines_in(&r.messages), 2);
    end(&r);
}

/* What waits does so since the clock that there is now. */
static void
a_clock_that_is_set_back(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "");
    (void)add(&r, "smtp");
    assert_int_equal(mkdir(r.target, 0700), 0);
    start(&r);
    (void)add(&r, "alert");
    steps(&r, 2);
    assert_true(publish_counts(r.publish).since > NOW);
    (void)publish_step(r.publish, r.mono + 1, NS_PER_S, &r.messages);
    assert_int_equal(publish_counts(r.publish).since, NS_PER_S);
    end(&r);
}

/* Nobody listens: the sink takes lines, and it is told that none arrives. */
static void
a_sink_that_only_gathers_is_told_of(void **state)
{
    struct rig r;
    char text[TEMPDIR_PATH + 128];

    (void)state;
    begin(&r, "");
    options_fini(&r.config);
    assert_int_equal(options_init(&r.config), ERR_OK);
    (void)snprintf(text, sizeof(text),
                   "sinks: [{name: u, kind: unix, target: %s}]\n", r.target);
    assert_int_equal(config_parse(span_str(text), "u", &r.config, &r.messages),
                     ERR_OK);
    (void)add(&r, "smtp");
    start(&r);
    (void)add(&r, "alert");
    steps(&r, 3);
    assert_int_equal(r.messages.n, 0);
    steps(&r, 6);
    assert_true(r.messages.n > 0);
    assert_int_equal(publish_counts(r.publish).state, PUBLISH_OPEN);
    assert_lane(&r, KEEP_ALERTS, 1, 0, 0);
    end(&r);
}

static void
write_cursor(const struct rig *r, const char *text)
{
    char path[TEMPDIR_PATH + 64];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/publish/f.cursor", r->state);
    f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void
a_damaged_cursor_sends_all_again(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "");
    (void)add(&r, "smtp");
    (void)add(&r, "smtp");
    start(&r);
    write_cursor(&r, "span25 spool 1\njournal 2");
    start(&r);
    assert_true(r.messages.n > 0);
    turns(&r, 3);
    assert_int_equal(lines_of(r.target), 2);
    end(&r);
}

/* What was told behind the journal's end is told again, and what waited there
 * is lost; what waits before it is not. */
static void
a_cursor_ahead_of_the_journal(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "");
    (void)add(&r, "smtp");
    start(&r);
    (void)add(&r, "alert"); /* line 2, waits */
    write_cursor(&r, "span25 spool 1\njournal 9 0\nalerts 1 2 0 0\n"
                     "transactions 9 3 3 0\nstatistics 9 0 0 0\nend\n");
    start(&r);
    assert_true(r.messages.n > 0);
    assert_int_equal(publish_scanned(r.publish), 2);
    (void)add(&r, "smtp");
    turns(&r, 3);
    assert_int_equal(lines_of(r.target), 2);
    assert_lane(&r, KEEP_ALERTS, 2, 1, 1);
    assert_lane(&r, KEEP_TRANSACTIONS, 4, 4, 0);
    end(&r);
}

static void
the_filter_chooses(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, ", events: [alert, smtp], filter: \"{s: {event_id|endswith: '2'},"
              " condition: s}\"");
    (void)add(&r, "smtp");
    start(&r);
    for (unsigned i = 0; i < 12; i++) /* numbers 2 to 13 */
        (void)add(&r, "smtp");
    turns(&r, 3);
    assert_int_equal(lines_of(r.target), 2);
    assert_lane(&r, KEEP_TRANSACTIONS, 2, 2, 0);
    end(&r);
}

static void
restart_with(struct rig *r, const char *more)
{
    publish_free(r->publish);
    r->publish = NULL;
    options_fini(&r->config);
    configure(r, more);
    start(r);
}

#define FILTER_2 ", filter: \"{s: {event_id|endswith: '2'}, condition: s}\""

/* What waits is judged as the configuration says now. */
static void
another_choice_counts_anew(void **state)
{
    static const struct {
        const char *why, *before, *after;
        unsigned arrive; /* alerts 2, mails 4, control 3, of that */
        uint64_t alerts, mails;
    } rows[] = {
        {"the same",                        "",                  "",                           6, 2, 4},
        {"wider",                           ", events: [alert]", ", events: [alert, control]", 5, 5, 0},
        {"its lane has nothing that waits", ", events: [alert]", "",                           2, 2, 0},
        {"narrower",                        "",                  ", events: [alert]",          2, 2, 0},
        {"others",                          ", events: [alert]", ", events: [control]",        3, 3, 0},
        {"a filter",                        "",                  FILTER_2,                     1, 0, 1},
        {"no filter",                       FILTER_2,            "",                           4, 0, 4},
    };
    static const char *const types[] = {"smtp",    "alert",   "smtp",
                                        "control", "control", "alert",
                                        "smtp",    "control", "smtp"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig r;

        begin(&r, rows[i].before);
        (void)add(&r, "stats");
        assert_int_equal(mkdir(r.target, 0700), 0);
        start(&r);
        for (size_t t = 0; t < ARRAY_LEN(types); t++)
            (void)add(&r, types[t]);
        turns(&r, 2);
        assert_int_equal(publish_save(r.publish, &r.messages), ERR_OK);
        restart_with(&r, rows[i].after);
        turns(&r, 1);
        assert_int_equal(publish_save(r.publish, &r.messages), ERR_OK);
        assert_int_equal(rmdir(r.target), 0);
        turns(&r, 40);
        if (lines_of(r.target) != rows[i].arrive)
            print_message("%s\n", rows[i].why);
        assert_int_equal(lines_of(r.target), rows[i].arrive);
        assert_lane(&r, KEEP_ALERTS, rows[i].alerts, rows[i].alerts, 0);
        assert_lane(&r, KEEP_TRANSACTIONS, rows[i].mails, rows[i].mails, 0);
        assert_true(publish_idle(r.publish));
        assert_int_equal(publish_save(r.publish, &r.messages), ERR_OK);
        start(&r);
        assert_int_equal(r.messages.n, 0); /* the cursor is a good one */
        end(&r);
    }
}

/* One lane has sent all, and another has not: nothing is sent or counted twice.
 */
static void
another_choice_with_a_lane_that_is_level(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "");
    (void)add(&r, "stats");
    start(&r);
    (void)add(&r, "smtp");
    (void)add(&r, "smtp"); /* lines 2 and 3; alerts begin behind line 1 */
    turns(&r, 3);
    write_cursor(&r, "wants 1\nspan25 spool 1\njournal 3 0\nalerts 1 0 0 0\n"
                     "transactions 3 2 2 0\nstatistics 3 0 0 0\nend\n");
    start(&r);
    assert_int_equal(publish_scanned(r.publish), 1);
    turns(&r, 1);
    assert_int_equal(publish_save(r.publish, &r.messages), ERR_OK);
    start(&r);
    assert_int_equal(r.messages.n, 0);
    (void)add(&r, "smtp");
    (void)add(&r, "alert");
    turns(&r, 3);
    assert_int_equal(lines_of(r.target), 4);
    assert_lane(&r, KEEP_TRANSACTIONS, 3, 3, 0);
    assert_lane(&r, KEEP_ALERTS, 1, 1, 0);
    end(&r);
}

static void
count_row(void *ctx, const char *name, const struct publish_counts *n)
{
    uint64_t *sum = ctx;

    assert_string_equal(name, "f");
    *sum += n != NULL ? n->lane[KEEP_TRANSACTIONS].acknowledged : 1000;
}

static void
who_looks_from_outside(void **state)
{
    uint64_t sum = 0;
    struct rig r;

    (void)state;
    begin(&r, "");
    assert_int_equal(publish_saved(r.state, count_row, &sum), ERR_NOENT);
    (void)add(&r, "smtp");
    start(&r);
    (void)add(&r, "smtp");
    turns(&r, 3);
    assert_int_equal(publish_save(r.publish, &r.messages), ERR_OK);
    assert_int_equal(publish_saved(r.state, count_row, &sum), ERR_OK);
    assert_int_equal(sum, 1);
    write_cursor(&r, "");
    assert_int_equal(publish_saved(r.state, count_row, &sum), ERR_OK);
    assert_int_equal(sum, 1001);
    end(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_sink_begins_with_what_comes),
        cmocka_unit_test(a_restart_goes_on_from_the_cursor),
        cmocka_unit_test(what_came_while_nobody_ran_is_sent),
        cmocka_unit_test(a_sink_that_fails_is_opened_again),
        cmocka_unit_test(a_sink_that_dies_between_lines),
        cmocka_unit_test(two_that_fail_are_told_of_once),
        cmocka_unit_test(a_clock_that_is_set_back),
        cmocka_unit_test(a_sink_that_only_gathers_is_told_of),
        cmocka_unit_test(a_damaged_cursor_sends_all_again),
        cmocka_unit_test(a_cursor_ahead_of_the_journal),
        cmocka_unit_test(the_filter_chooses),
        cmocka_unit_test(another_choice_counts_anew),
        cmocka_unit_test(another_choice_with_a_lane_that_is_level),
        cmocka_unit_test(who_looks_from_outside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
