#include "sensor/app/test_alert.h"

#include "sensor/app/caller.h"
#include "sensor/app/clock.h"
#include "sensor/app/live.h"
#include "sensor/app/live_socket.h"
#include "sensor/app/publish.h"
#include "sensor/base/text.h"
#include "sensor/journal/journal_reader.h"
#include "sensor/store/index_query.h"

#include <inttypes.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define ID_HEX     16U
#define LOWEST     4U /* informational */
#define ACTOR_MOST 64U

/* ---- in the core ---- */

static bool
is_id(struct span s)
{
    if (s.n != ID_HEX)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        const uint8_t c = span_at(s, i);

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}

static void
put_reason(struct record_out *out, struct span actor)
{
    struct buf text;

    buf_init(&text, 1024);
    text_plain(&text, actor.n > 0 ? actor : SPAN_LIT("somebody"), ACTOR_MOST);
    buf_str(&text, " tries whether alerts arrive: nothing happened, and nobody "
                   "is meant");
    record_str(out, FIELD_ALERT_REASON, buf_view(&text));
    buf_free(&text);
}

bool
test_alert_of(struct span control, struct record_out *out)
{
    const struct record_head head = {.when = record_head_of(control).when,
                                     .type = EVENT_ALERT};
    const struct span id = record_find(control, FIELD_CONTROL_ALERT);

    if (!span_eq(record_find(control, FIELD_CONTROL_KIND), SPAN_LIT("test")) ||
        !is_id(id))
        return false;
    record_begin(out, &head);
    record_str(out, FIELD_ALERT_ID, id);
    record_text(out, FIELD_ALERT_STATE, "ended");
    record_text(out, FIELD_ALERT_SIGNATURE, "Test alert: nothing happened");
    record_u64(out, FIELD_ALERT_SEVERITY, LOWEST);
    record_text(out, FIELD_ALERT_CATEGORY, "test");
    record_text(out, FIELD_ALERT_RULE, TEST_ALERT_RULE);
    record_text(out, FIELD_ALERT_LEVEL, "informational");
    record_text(out, FIELD_ALERT_SUBJECT, "test");
    put_reason(out, record_find(control, FIELD_CONTROL_ACTOR));
    record_time(out, FIELD_ALERT_FIRST, head.when);
    record_time(out, FIELD_ALERT_LAST, head.when);
    record_u64(out, FIELD_ALERT_COUNT, 0);
    record_bool(out, FIELD_ALERT_TEST, true);
    return true;
}

/* ---- the verb ---- */

/* X(id, name, what is well, what is not) */
#define STEPS(X)                                                               \
    X(SENSOR, "sensor", "the sensor took it", "the sensor did not take it")    \
    X(JOURNAL, "journal", "on disk in the journal, line ",                     \
      "it does not stand in the journal")                                      \
    X(INDEX, "index", "in the index, alerts list shows it",                    \
      "it is not in the index: does its process run? see span25 doctor")

enum step {
#define X(id, name, well, ill) STEP_##id,
    STEPS(X)
#undef X
        STEP_COUNT
};

struct trial_sink {
    char name[64];
    uint64_t lost;       /* in the lane of alerts, before */
    ns_t after;          /* begin; 0: it does not have it */
    uint64_t scanned[2]; /* then, and last */
    bool refused;
    bool old;    /* configured no more: its cursor does not move */
    bool unread; /* its cursor could not be read so far */
};

struct trial {
    const char *state;
    ns_t begin;             /* mono */
    ns_t after[STEP_COUNT]; /* begin; 0: it did not come so far */
    uint64_t from;          /* the index had so many lines before */
    uint64_t line;          /* of the alert in the journal */
    char id[ID_HEX + 1];
    struct buf why;
    bool found;
    struct trial_sink sinks[OPTIONS_SINKS_MAX];
    size_t n_sinks;
};

static void
reached(struct trial *t, enum step s)
{
    t->after[s] = clock_of(CLOCK_MONOTONIC) - t->begin;
}

static bool
has_time(const struct trial *t)
{
    static const struct timespec nap = {.tv_nsec = 10000000};

    (void)nanosleep(&nap, NULL);
    return clock_of(CLOCK_MONOTONIC) - t->begin < TEST_ALERT_NS;
}

static bool
make_id(char id[ID_HEX + 1])
{
    struct buf hex = {(uint8_t *)id, 0, ID_HEX, ID_HEX, false, false};
    uint64_t v;

    if (getrandom(&v, sizeof(v), 0) != sizeof(v))
        return false;
    text_hex(&hex, span_of(&v, sizeof(v)));
    id[ID_HEX] = '\0';
    return true;
}

static enum err
ask(struct trial *t, const struct config *c)
{
    const struct record_head head = {.when = clock_of(CLOCK_REALTIME) /
                                             NS_PER_US * NS_PER_US,
                                     .type = EVENT_CONTROL};
    struct record_out r;
    int fd;
    enum err e = live_socket_dial(t->state, &fd);

    if (e != ERR_OK)
        return e;
    record_init(&r);
    record_begin(&r, &head);
    record_text(&r, FIELD_CONTROL_KIND, "test");
    record_text(&r, FIELD_CONTROL_ACTOR, caller_name(c));
    record_text(&r, FIELD_CONTROL_ALERT, t->id);
    e = live_socket_ask(fd, record_view(&r), &t->why);
    record_free(&r);
    (void)close(fd);
    return e;
}

/* ---- how far it came ---- */

static void
note_position(struct trial *t)
{
    struct index_reader *r;

    if (index_reader_open(t->state, &r, &t->why) == ERR_OK) {
        if (index_reader_position(r, &t->from) != ERR_OK)
            t->from = 0;
        index_reader_close(r);
    }
    buf_reset(&t->why);
}

/* Its number stands in both records; the alert is the one behind. */
static bool
is_ours(const struct trial *t, struct span json)
{
    return span_search(json, SPAN_LIT("\"event_type\":\"alert\"")) < json.n &&
           span_search(json, span_str(t->id)) < json.n;
}

static void
seek_in_journal(struct trial *t)
{
    struct journal_reader *r;
    struct journal_line line;
    enum journal_read got = JOURNAL_READ_WAIT;

    if (journal_reader_open(t->state, t->from + 1, &r, &t->why) != ERR_OK)
        return;
    do {
        got = journal_read(r, &line);
        if (got == JOURNAL_READ_LINE && is_ours(t, line.json)) {
            t->line = line.seq;
            reached(t, STEP_JOURNAL);
        }
    } while (t->line == 0 && got != JOURNAL_READ_FAILED &&
             (got != JOURNAL_READ_WAIT || has_time(t)));
    journal_reader_close(r);
}

static void
on_row(void *ctx, uint64_t seq, struct span record)
{
    struct trial *t = ctx;

    (void)seq;
    t->found |= record_find_bool(record, FIELD_ALERT_TEST);
}

static void
seek_in_index(struct trial *t)
{
    struct index_reader *r;

    if (index_reader_open(t->state, &r, &t->why) != ERR_OK)
        return;
    do {
        if (index_latest_key(r, "alert", span_str(t->id), 1, on_row, t) !=
            ERR_OK)
            break;
    } while (!t->found && has_time(t));
    if (t->found)
        reached(t, STEP_INDEX);
    index_reader_close(r);
}

static struct trial_sink *
sink_of(struct trial *t, const char *name)
{
    for (size_t i = 0; i < t->n_sinks; i++) {
        if (strcmp(t->sinks[i].name, name) == 0)
            return &t->sinks[i];
    }
    return NULL;
}

static void
note_counts(struct trial_sink *s, const struct publish_counts *n)
{
    if (!s->unread || n == NULL)
        return;
    s->unread = false;
    s->lost = n->lane[KEEP_ALERTS].lost;
    s->scanned[0] = n->scanned;
}

/* Before the test: which there are, and what they had. */
static void
note_sink(void *ctx, const char *name, const struct publish_counts *n)
{
    struct trial *t = ctx;
    struct trial_sink *s = &t->sinks[t->n_sinks];

    if (t->n_sinks == OPTIONS_SINKS_MAX || strlen(name) >= sizeof(s->name))
        return;
    *s = (struct trial_sink){.unread = true};
    note_counts(s, n);
    memcpy(s->name, name, strlen(name) + 1);
    t->n_sinks++;
}

static void
look_at_sink(void *ctx, const char *name, const struct publish_counts *n)
{
    struct trial *t = ctx;
    struct trial_sink *s = sink_of(t, name);

    if (s == NULL || n == NULL || s->after != 0)
        return;
    note_counts(s, n);
    s->scanned[1] = n->scanned;
    if (n->scanned < t->line)
        return;
    if (n->cursor[KEEP_ALERTS] < t->line)
        return;
    s->refused = n->lane[KEEP_ALERTS].lost > s->lost;
    s->after = clock_of(CLOCK_MONOTONIC) - t->begin;
}

static bool
all_have_it(const struct trial *t)
{
    bool all = true;

    for (size_t i = 0; i < t->n_sinks; i++)
        all &= t->sinks[i].after != 0 || t->sinks[i].old;
    return all;
}

/* The cursor of one that is configured no more does not move. */
static bool
is_old(const struct trial_sink *s)
{
    return s->after == 0 && !s->unread && s->scanned[0] == s->scanned[1];
}

/* Cursors are written by and by: it takes seconds. */
static bool
seek_in_sinks(struct trial *t)
{
    while (!all_have_it(t) && has_time(t)) {
        if (publish_saved(t->state, look_at_sink, t) != ERR_OK)
            return t->n_sinks == 0;
    }
    for (size_t i = 0; i < t->n_sinks; i++)
        t->sinks[i].old = is_old(&t->sinks[i]);
    return all_have_it(t);
}

static bool
follow(struct trial *t)
{
    seek_in_journal(t);
    if (t->after[STEP_JOURNAL] != 0)
        seek_in_index(t);
    return t->after[STEP_INDEX] != 0 && seek_in_sinks(t);
}

/* ---- what is said ---- */

static void
put_sinks(const struct trial *t, struct buf *out)
{
    for (size_t i = 0; t->after[STEP_INDEX] != 0 && i < t->n_sinks; i++) {
        const struct trial_sink *s = &t->sinks[i];

        if (s->old)
            buf_printf(out, "-     sink %s is not configured any more\n",
                       s->name);
        else if (s->unread)
            buf_printf(out,
                       "fail  sink %s: its cursor cannot be read: see the log, "
                       "and remove STATE/" PUBLISH_DIR "/%s" PUBLISH_CURSOR
                       " if it is configured no more\n",
                       s->name, s->name);
        else if (s->after == 0)
            buf_printf(out,
                       "fail  sink %s does not have it: see span25 doctor\n",
                       s->name);
        else if (s->refused)
            buf_printf(out, "fail  sink %s refused it\n", s->name);
        else
            buf_printf(
                out,
                "ok    sink %s has what it wants up to there, within %.1f s\n",
                s->name, (double)s->after / NS_PER_S);
    }
}

static void
put_text(const struct trial *t, bool all, struct buf *out)
{
    static const char *const texts[][2] = {
#define X(id, name, well, ill) {well, ill},
        STEPS(X)
#undef X
    };

    for (unsigned s = 0; s < STEP_COUNT; s++) {
        const bool well = t->after[s] != 0;

        buf_printf(out, "%-5s %s", well ? "ok" : "fail", texts[s][!well]);
        if (well && s == STEP_JOURNAL)
            buf_u64(out, t->line);
        if (well)
            buf_printf(out, ", after %.1f ms", (double)t->after[s] / NS_PER_MS);
        buf_putc(out, '\n');
        if (!well)
            break;
    }
    put_sinks(t, out);
    buf_printf(out,
               "alert %s is marked as a test: it counts for no host and "
               "leads to no decision\n",
               t->id);
    if (!all)
        buf_printf(out, "it did not get through within %u s\n",
                   (unsigned)(TEST_ALERT_NS / NS_PER_S));
}

static void
put_json(const struct trial *t, bool all, struct buf *out)
{
    static const char *const names[] = {
#define X(id, name, well, ill) name,
        STEPS(X)
#undef X
    };

    buf_printf(out, "{\"alert\":\"%s\",\"passed\":%s", t->id,
               all ? "true" : "false");
    if (t->line != 0)
        buf_printf(out, ",\"line\":%" PRIu64, t->line);
    for (unsigned s = 0; s < STEP_COUNT && t->after[s] != 0; s++)
        buf_printf(out, ",\"%s_ms\":%.3f", names[s],
                   (double)t->after[s] / NS_PER_MS);
    for (size_t i = 0; i < t->n_sinks; i++)
        buf_printf(out, "%s\"%s\":%s%s", i == 0 ? ",\"sinks\":{" : ",",
                   t->sinks[i].name,
                   t->sinks[i].old                                  ? "null"
                   : t->sinks[i].after != 0 && !t->sinks[i].refused ? "true"
                                                                    : "false",
                   i + 1 == t->n_sinks ? "}" : "");
    buf_str(out, "}\n");
}

static enum cli_exit
refused(const struct trial *t, enum err e, struct buf *messages)
{
    buf_str(messages, e == ERR_NOENT ? "span25: no sensor runs with the state "
                                     : "span25: the sensor with the state ");
    text_term(messages, span_str(t->state));
    if (e == ERR_NOENT) {
        buf_str(messages, "; see span25 doctor\n");
        return CLI_EXIT_STORE;
    }
    buf_str(messages, " did not take a test alert: ");
    text_term(messages,
              t->why.n > 0 ? buf_view(&t->why) : span_str(err_text(e)));
    buf_putc(messages, '\n');
    return CLI_EXIT_FAILED;
}

enum cli_exit
test_alert_run(const struct cli *c, struct buf *out, struct buf *messages)
{
    struct trial t = {.state = c->config.state != NULL ? c->config.state
                                                       : LIVE_STATE};
    enum cli_exit code = CLI_EXIT_DONE;
    bool all = false;
    enum err e;

    buf_init(&t.why, 4096);
    note_position(&t);
    if (publish_saved(t.state, note_sink, &t) != ERR_OK)
        t.n_sinks = 0;
    t.begin = clock_of(CLOCK_MONOTONIC);
    e = make_id(t.id) ? ask(&t, &c->config) : ERR_IO;
    if (e == ERR_OK) {
        reached(&t, STEP_SENSOR);
        all = follow(&t);
        (c->config.json ? put_json : put_text)(&t, all, out);
        code = all ? CLI_EXIT_DONE : CLI_EXIT_PARTIAL;
    } else {
        code = refused(&t, e, messages);
    }
    buf_free(&t.why);
    return code;
}
