#include "sensor/app/live_core.h"

#include "rules/registry/requirements.h"
#include "sensor/app/clock.h"
#include "sensor/app/evidence_store.h"
#include "sensor/app/live_keep.h"
#include "sensor/app/live_report.h"
#include "sensor/app/live_socket.h"
#include "sensor/app/log.h"
#include "sensor/app/policy_config.h"
#include "sensor/app/read_detect.h"
#include "sensor/app/read_registry.h"
#include "sensor/app/read_total.h"
#include "sensor/app/test_alert.h"
#include "sensor/base/hash.h"
#include "sensor/core/core.h"
#include "sensor/core/geo.h"
#include "sensor/core/merge.h"
#include "sensor/journal/journal.h"
#include "sensor/journal/state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STATS_MOST 1000U            /* STATS records of workers in a second */
#define ASKED_NS   (10 * NS_PER_MS) /* how often the socket is looked at */
#define TICK_LAG   NS_PER_S /* behind the workers' time: theirs come first */

/* Everything of the process; freed whatever happens. */
struct live_core {
    struct live *live;
    struct live_core_board *board;
    struct merge *merge;
    struct journal *journal;
    struct read_registry *registry;
    struct geo *geo;
    struct requirements *requirements;
    struct read_detect *detect;
    struct core *core;
    struct live_report *report;
    struct live_keep *keep;
    struct live_socket *socket; /* or NULL: it could not be made */
    struct record_out out;
    struct buf start_text;
    struct buf messages;
    bool urgent;      /* an alert or decision was journaled */
    uint64_t events;  /* told by the core so far */
    uint64_t written; /* of them, given to the kernel */
    uint64_t ticked;  /* events when the last tick was made */
    uint32_t n_own;   /* records of the core about itself */
    unsigned n_stats;
    pid_t saver;            /* the child that writes a snapshot, or 0 */
    uint64_t snapshot;      /* lines of the journal in the one being saved, */
    uint64_t snapshot_kept; /* and in the last good one */
    ns_t now, flushed, synced, second, told, saved, tick, asked;
};

/* Lines for the operator; each is one event of the log. */
static void
say(struct live_core *c, enum log_level level)
{
    struct span rest = buf_view(&c->messages);

    while (rest.n > 0) {
        const size_t end = span_find(rest, '\n');
        struct log_line l;

        log_begin(&l, level, "core");
        log_string(&l, "text", span_head(rest, end));
        log_end(&l, STDERR_FILENO);
        rest = span_tail(rest, end < rest.n ? end + 1 : rest.n);
    }
    buf_reset(&c->messages);
}

/* ---- start ---- */

static void
on_line(void *ctx, struct span record, struct span line)
{
    struct live_core *c = ctx;
    const enum event_type type = record_head_of(record).type;

    c->urgent |= type == EVENT_ALERT || type == EVENT_DECISION;
    c->events++;
    live_report_event(c->report, record);
    if (line.n == 0) /* there is no room for it */
        return;
    atomic_fetch_add_explicit(&c->board->events, 1, memory_order_relaxed);
}

static enum err
open_journal(struct live_core *c)
{
    struct journal_recovery r;
    enum err e =
        journal_open(c->live->state, NULL, &c->journal, &r, &c->messages);

    if (e == ERR_OK && r.moved_bytes > 0)
        buf_printf(&c->messages,
                   "journal recovered: %" PRIu64
                   " bytes of a torn line were moved aside\n",
                   r.moved_bytes);
    return e;
}

/* What a decision rests on is on disk before it is told. */
static bool
keep_evidence(void *ctx, const char *hash, struct span object)
{
    struct live_core *c = ctx;

    if (evidence_store_put(c->live->state, hash, object) == ERR_OK)
        return true;
    buf_str(&c->messages, "evidence of a decision could not be written: it is "
                          "withheld\n");
    return false;
}

static enum err
load(struct live_core *c)
{
    const struct config *config = &c->live->cli->config;
    enum err e = read_registry_open(config, &c->registry, &c->messages);

    if (e == ERR_OK)
        e = read_place_geo(config, &c->geo, &c->messages);
    buf_span(&c->start_text, buf_view(&c->live->place_text));
    if (e == ERR_OK && c->geo != NULL) {
        buf_str(&c->start_text, "; ");
        geo_describe(c->geo, &c->start_text);
    }
    buf_printf(&c->start_text, "; key of this installation %016" PRIx64,
               hash_span(span_of(&c->live->seed, sizeof(c->live->seed)), 0));
    if (e == ERR_OK)
        e = read_detect_open(
            config,
            &(struct read_detect_who){.seed = c->live->seed, .live = true},
            &c->detect, &c->start_text, &c->messages);
    buf_putc(&c->start_text, '\0');
    if (e == ERR_OK)
        e = open_journal(c);
    if (e == ERR_OK)
        e = read_detect_restore(c->detect, c->journal, &c->messages);
    if (e == ERR_OK)
        detect_keep_evidence(read_detect_get(c->detect),
                             &(struct decide_store){keep_evidence, c});
    if (e == ERR_OK)
        e = requirements_new(&c->requirements);
    return e;
}

static enum err
start_core(struct live_core *c)
{
    const struct live *l = c->live;
    const struct core_options o = {
        .sensor = l->cli->config.name,
        .start_text = (const char *)c->start_text.p,
        .place = {l->place.sites, l->place.leases,
                  read_registry_book(c->registry)},
        .geo = c->geo,
        .requirements = c->requirements,
        .detect = read_detect_get(c->detect),
        .journal = c->journal,
        .lines = {on_line,              c                      },
    };
    enum err e = core_new(&o, &c->core);

    if (e == ERR_OK)
        e = read_registry_start(c->registry, c->core, c->journal, &c->messages);
    read_registry_last(c->registry, &c->messages);
    return e;
}

/* Whoever read before may have died in the middle. */
static enum err
attach(struct live_core *c)
{
    struct live *l = c->live;
    enum err e = ring_attach_reader(&l->orders);

    for (unsigned i = 0; e == ERR_OK && i < l->plan.n_workers; i++)
        e = ring_attach_reader(&l->rings[i]);
    if (e == ERR_OK)
        e = merge_new(l->rings, l->plan.n_workers, l->bell, &c->merge);
    return e;
}

static enum err
start(struct live_core *c)
{
    enum err e = live_report_new(c->live, &c->report);

    if (e == ERR_OK)
        e = load(c);
    if (e == ERR_OK)
        e = start_core(c);
    if (e == ERR_OK)
        e = attach(c);
    return e;
}

/* ---- records of and about the sensor ---- */

/* As an event of now: theirs have no time. */
static void
publish_own(struct live_core *c, struct span record)
{
    const struct record_head head = {.when = clock_of(CLOCK_REALTIME),
                                     .seq = c->n_own++,
                                     .type = record_head_of(record).type};
    const struct cursor entries = record_entries_of(record);

    record_begin(&c->out, &head);
    record_entries(&c->out, span_tail(entries.in, entries.at));
    core_tell(c->core, record_view(&c->out));
}

static void
on_farewell(void *ctx, struct span record)
{
    struct live_core *c = ctx;

    if (record_head_of(record).type == EVENT_STATS &&
        c->n_stats++ < STATS_MOST) {
        live_report_stats(c->report, record);
        publish_own(c, record);
    } else {
        atomic_fetch_add(&c->board->refused, 1);
    }
}

static void
tell_one(void *ctx, struct span record)
{
    publish_own(ctx, record);
}

static enum err
begin_keeping(struct live_core *c)
{
    const struct live_keep_parts parts = {
        .live = c->live,
        .core = c->core,
        .journal = c->journal,
        .detect = read_detect_get(c->detect),
        .tell = {tell_one, c},
    };

    c->snapshot_kept = read_detect_saved(c->detect);
    return live_keep_new(&parts, &c->keep);
}

/* What detection holds and has forgotten, and records refused. */
static void
tell_own(struct live_core *c)
{
    struct record_sink sink = {tell_one, c};
    struct read_total *t;

    if (read_total_new(&t) != ERR_OK)
        return;
    read_detect_count(c->detect, t);
    read_total_set(t, FIELD_STATS_RECORDS_REFUSED, merge_refused(c->merge));
    read_total_emit(t, 0, &sink);
    read_total_free(t);
}

/* Whether it is quiet or blind, as an event. */
static void
tell_sight(struct live_core *c)
{
    const struct record_head head = {.when = clock_of(CLOCK_REALTIME),
                                     .seq = c->n_own++,
                                     .type = EVENT_STATS};

    record_begin(&c->out, &head);
    live_report_facts(c->report, &c->out);
    core_tell(c->core, record_view(&c->out));
}

/* The workers have reached this time, and nothing came: episodes end by it. */
static void
make_tick(struct live_core *c)
{
    const struct live *l = c->live;
    struct record_head head = {.when = clock_of(CLOCK_REALTIME),
                               .type = EVENT_CONTROL};

    for (unsigned i = 0; i < l->plan.n_workers; i++) {
        const ns_t at = atomic_load(&l->board->worker[i].stream_ns);

        if (at != 0 && at < head.when)
            head.when = at;
    }
    /* Records move the time by themselves. Then it tells that all before it is
     * there: who has a copy of what people entered asks how old that is. */
    if (head.when < core_time(c->core) + TICK_LAG)
        head.when = core_time(c->core);
    else
        head.when -= TICK_LAG;
    head.seq = c->n_own++;
    record_begin(&c->out, &head);
    record_text(&c->out, FIELD_CONTROL_KIND, "tick");
    core_put(c->core, record_view(&c->out));
    c->ticked = c->events;
}

/* ---- a new configuration ---- */

/* At the time of the clock: there may be no record yet. */
static void
took_force(struct live_core *c, const char *kind, struct buf *text)
{
    const struct record_head head = {.when = clock_of(CLOCK_REALTIME),
                                     .seq = c->n_own++,
                                     .type = EVENT_CONTROL};

    record_begin(&c->out, &head);
    record_text(&c->out, FIELD_CONTROL_KIND, kind);
    record_str(&c->out, FIELD_CONTROL_TEXT, buf_view(text));
    core_tell(c->core, record_view(&c->out));
    buf_reset(text);
}

/* What the configuration says of the policy, where it said something else. */
static void
tell_policy(struct live_core *c, const struct config *config)
{
    struct policy_config p;

    if (policy_config_read(config, &p, &c->messages) != ERR_OK)
        return;
    for (unsigned i = 0; i < POLICY_CONFIG_TELLS; i++) {
        const struct record_head head = {.when = clock_of(CLOCK_REALTIME),
                                         .seq = c->n_own++,
                                         .type = EVENT_CONTROL};

        record_begin(&c->out, &head);
        if (policy_config_tell(&p, detect_policy(read_detect_get(c->detect)), i,
                               &c->out))
            core_tell(c->core, record_view(&c->out));
    }
}

static void
reload_rules(struct live_core *c, const struct config *config, struct buf *text)
{
    if (read_detect_reload(c->detect, config, text, &c->messages) == ERR_OK)
        took_force(c, "rules", text);
    else
        buf_str(&c->messages, "the rules before stay in force\n");
    buf_reset(text);
}

static void
reload_leases(struct live_core *c, const struct config *config,
              struct buf *text)
{
    struct leases *old;

    if (!read_place_refresh(config, &c->live->place, &old, text, &c->messages))
        return;
    core_leases(c->core, c->live->place.leases);
    leases_free(old);
    took_force(c, "leases", text);
}

static void
reload_lists(struct live_core *c, struct buf *text)
{
    struct hashlist *hashes = c->live->inspection.hashes;

    if (c->geo != NULL && geo_refresh(c->geo, &c->messages)) {
        geo_describe(c->geo, text);
        took_force(c, "geo", text);
    }
    if (hashes != NULL && hashlist_refresh(hashes, &c->messages)) {
        hashlist_describe(hashes, text);
        took_force(c, "hash_list", text);
        hashlist_publish(hashes);
    }
}

/* The supervisor has found it good, or there would be no order. */
static void
reload(struct live_core *c)
{
    struct cli cli;
    struct buf text;

    if (cli_parse(c->live->argc, c->live->argv, &cli, &c->messages) != ERR_OK) {
        atomic_fetch_add(&c->board->config_refused, 1);
        return;
    }
    buf_init(&text, 1 << 16);
    reload_rules(c, &cli.config, &text);
    reload_lists(c, &text);
    reload_leases(c, &cli.config, &text);
    tell_policy(c, &cli.config);
    buf_free(&text);
    cli_free(&cli);
    atomic_fetch_add(&c->board->config_loads, 1);
}

/* Copied before it is judged, as merge does: the ring is shared memory. */
static void
obey(struct live_core *c)
{
    struct span order;
    struct buf copy;

    buf_init(&copy, RECORD_MAX);
    while (ring_peek(&c->live->orders, &order)) {
        struct span kind = SPAN_NONE;

        buf_reset(&copy);
        buf_span(&copy, order);
        if (record_check(buf_view(&copy)))
            kind = record_find(buf_view(&copy), FIELD_CONTROL_KIND);
        if (span_eq(kind, SPAN_LIT("reload")))
            reload(c);
        else if (span_eq(kind, SPAN_LIT("gap")))
            core_tell(c->core, buf_view(&copy));
        ring_next(&c->live->orders);
    }
    buf_free(&copy);
}

/* ---- to disk ---- */

static void
note_journal(struct live_core *c, enum err e)
{
    const uint64_t failed = e != ERR_OK;

    if (failed != atomic_load(&c->board->journal_failed)) {
        buf_str(&c->messages, failed ? "cannot write the journal: "
                                     : "the journal is written again");
        if (failed)
            journal_why(c->journal, &c->messages);
        buf_putc(&c->messages, '\n');
    }
    atomic_store(&c->board->journal_failed, failed);
    atomic_store(&c->board->journal_seq, journal_durable(c->journal));
    atomic_store(&c->board->journal_flushed,
                 journal_position(c->journal).flushed);
}

/* A mail of a quiet link goes at once, those of a busy one together. */
static void
to_disk(struct live_core *c)
{
    enum err e;

    if (c->urgent || c->now - c->synced >= LIVE_SYNC_NS) {
        e = journal_sync(c->journal);
        c->urgent = false;
        c->synced = c->now;
    } else if (c->events != c->written &&
               c->now - c->flushed >= LIVE_FLUSH_NS) {
        e = journal_flush(c->journal);
    } else {
        return;
    }
    note_journal(c, e);
    c->flushed = c->now;
    c->written = e == ERR_OK ? c->events : c->written;
}

/* ---- what people do, through the socket ---- */

/* The number makes an event_id of its own, as in desk.c. */
static void
tell_asked(struct live_core *c, struct span record)
{
    const struct cursor entries = record_entries_of(record);
    struct record_head head = record_head_of(record);

    head.seq = (uint32_t)journal_position(c->journal).next_seq;
    record_begin(&c->out, &head);
    record_entries(&c->out, span_tail(entries.in, entries.at));
    core_tell(c->core, record_view(&c->out));
}

/* Somebody tries whether alerts arrive. */
static void
tell_test(struct live_core *c, struct span record)
{
    struct record_out alert;

    record_init(&alert);
    if (test_alert_of(record, &alert))
        tell_asked(c, record_view(&alert));
    record_free(&alert);
}

static enum err
take_asked(void *ctx, struct span record, struct buf *why)
{
    struct live_core *c = ctx;
    enum err e;

    if (!live_socket_check(record, clock_of(CLOCK_REALTIME), why))
        return ERR_FORMAT;
    tell_asked(c, record);
    tell_test(c, record);
    e = journal_sync(c->journal);
    note_journal(c, e);
    if (e != ERR_OK)
        journal_why(c->journal, why);
    return e;
}

static void
open_socket(struct live_core *c)
{
    const struct live_socket_taker taker = {take_asked, c};
    const enum err e = live_socket_new(c->live->state, &taker, &c->socket);

    if (e != ERR_OK)
        buf_printf(&c->messages,
                   "nobody can acknowledge alerts while this runs: the socket "
                   "%s: %s\n",
                   LIVE_SOCKET_FILE, err_text(e));
}

static void
bury_saver(struct live_core *c, int options)
{
    int status;

    if (c->saver == 0 || waitpid(c->saver, &status, options) == 0)
        return;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        c->snapshot_kept = c->snapshot;
    else
        buf_str(&c->messages, "a snapshot could not be written\n");
    c->saver = 0;
}

/* A copy of the process writes while this one goes on reading. */
static void
save(struct live_core *c)
{
    const pid_t me = getpid();

    if (c->saver != 0 || live_keep_is_full(c->keep) ||
        journal_sync(c->journal) != ERR_OK)
        return;
    c->snapshot = journal_durable(c->journal);
    c->saver = fork();
    if (c->saver == 0) {
        /* It must not hold the journal's lock when this process is gone. */
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != me || close_range(3, UINT_MAX, 0) != 0)
            _exit(1);
        _exit(read_detect_save(c->detect, c->journal, &c->messages) != ERR_OK);
    }
    c->saver = c->saver > 0 ? c->saver : 0;
}

/* ---- the loop ---- */

static void
each_second(struct live_core *c)
{
    const struct detect_counts n = detect_counts(read_detect_get(c->detect));

    c->n_stats = 0;
    atomic_store(&c->board->alerts_open, n.alerts.open);
    atomic_store(&c->board->refused, merge_refused(c->merge));
    if (live_report_second(c->report, read_detect_get(c->detect),
                           read_registry_book(c->registry), &c->messages))
        tell_sight(c);
    bury_saver(c, WNOHANG);
    live_keep_second(c->keep, c->now, clock_of(CLOCK_REALTIME),
                     c->snapshot_kept, &c->messages);
    say(c, LOG_AT_WARN);
}

static void
on_clock(struct live_core *c)
{
    c->now = clock_of(CLOCK_MONOTONIC);
    atomic_store(&c->board->process.beat_mono_ns, c->now);
    atomic_store(&c->board->stream_ns, core_time(c->core));
    read_registry_look(c->registry);
    if (c->socket != NULL && c->now - c->asked >= ASKED_NS) {
        c->asked = c->now;
        live_socket_step(c->socket, c->now);
    }
    to_disk(c);
    if (c->now - c->second >= NS_PER_S) {
        c->second = c->now;
        each_second(c);
    }
    if (c->now - c->told >= LIVE_STATS_NS) {
        c->told = c->now;
        tell_own(c);
    }
    if (c->now - c->tick >= LIVE_TICK_NS) {
        c->tick = c->now;
        make_tick(c);
    }
    if (c->now - c->saved >= LIVE_SNAPSHOT_NS) {
        c->saved = c->now;
        save(c);
    }
}

static void
walk(struct live_core *c)
{
    static const struct timespec nap = {.tv_nsec = 10000000};
    const struct record_sink sink = {read_registry_put, c->registry};
    const struct record_sink farewell = {on_farewell, c};

    c->now = clock_of(CLOCK_MONOTONIC);
    c->flushed = c->synced = c->second = c->told = c->saved = c->tick = c->now;
    core_begin(c->core, clock_of(CLOCK_REALTIME));
    tell_policy(c, &c->live->cli->config);
    open_socket(c);
    atomic_store(&c->board->ready, 1);
    for (;;) {
        const bool more = merge_step(c->merge, &sink, &farewell);

        obey(c);
        on_clock(c);
        if (!more && *c->live->stop != 0)
            break;
        if (!more) /* no worker is there now */
            (void)nanosleep(&nap, NULL);
    }
}

static enum err
finish(struct live_core *c)
{
    enum err e, written;

    obey(c);
    core_pause(c->core);
    tell_own(c);
    bury_saver(c, 0);
    read_registry_see(c->registry, c->requirements);
    e = read_registry_error(c->registry, &c->messages);
    written = journal_sync(c->journal);
    note_journal(c, written);
    /* What did not fit for a time was counted and told. */
    if (e == ERR_OK && (written != ERR_OK || core_error(c->core) != ERR_IO))
        e = core_error(c->core);
    if (e == ERR_OK)
        e = read_detect_save(c->detect, c->journal, &c->messages);
    return e;
}

static void
release(struct live_core *c)
{
    live_socket_free(c->socket);
    merge_free(c->merge);
    core_free(c->core);
    (void)journal_close(c->journal);
    read_detect_close(c->detect);
    requirements_free(c->requirements);
    read_registry_close(c->registry);
    live_report_free(c->report);
    live_keep_free(c->keep);
    geo_free(c->geo);
    record_free(&c->out);
    buf_free(&c->start_text);
    buf_free(&c->messages);
}

enum err
live_core_run(struct live *l)
{
    struct live_core c = {.live = l, .board = &l->board->core};
    enum err e;

    buf_init(&c.start_text, 1 << 15);
    buf_init(&c.messages, 1 << 20);
    record_init(&c.out);
    atomic_store(&c.board->ready, 0);
    e = start(&c);
    if (e == ERR_OK)
        e = begin_keeping(&c);
    say(&c, e == ERR_OK ? LOG_AT_WARN : LOG_AT_ERROR);
    if (e == ERR_OK) {
        walk(&c);
        e = finish(&c);
        say(&c, LOG_AT_ERROR);
    }
    release(&c);
    return e;
}
