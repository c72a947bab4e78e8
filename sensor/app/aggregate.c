#include "sensor/app/aggregate.h"

#include "sensor/app/aggregate_bus.h"
#include "sensor/app/aggregate_chunks.h"
#include "sensor/app/aggregate_people.h"
#include "sensor/app/clock.h"
#include "sensor/app/log.h"
#include "sensor/app/options_sinks.h"
#include "sensor/app/options_sites.h"
#include "sensor/app/read_detect.h"
#include "sensor/app/read_registry.h"
#include "sensor/base/hash.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define POLL_MS   50U
#define TELL_NS   (60 * NS_PER_S)
#define STOP_NS   (20 * NS_PER_S) /* for the last states */
#define PATH_MAX_ 4096U
#define TASKS_MAX 1024U /* partitions of a stage, as aggregate.partitions */

/* A partition that is ours. */
struct owned {
    struct aggregate_task *task;
    struct chunks_id saved; /* the state that stands for it */
    size_t n_saved;         /* messages of that; 0: none */
};

struct aggregate {
    const struct config *config;
    struct sink_value *values;
    struct sink_settings settings; /* of the brokers */
    struct gate_keys *keys;
    struct read_detect *detect;
    struct read_registry *registry;
    struct sites *sites;
    struct people *people;
    struct aggregate_parts parts;
    struct aggregate_sink sink;
    struct bus *bus;
    struct sink *world;
    char key_file[PATH_MAX_];
    struct owned owned[AGGREGATE_STAGE_COUNT][TASKS_MAX];
    struct aggregate_counts gone; /* of partitions that were ours */
    uint64_t people_counts[GATE_VERDICT_COUNT];
    uint64_t writer;             /* this run, in the keys of states */
    uint64_t sequence;           /* of what is no task's */
    struct aggregate_task *task; /* at work: whose messages come out */
    ns_t saved, told, stop_since;
    bool failed;
    bool untimed; /* told: a topic has no broker's time */
    bool unknown; /* told: what people entered is not known whole */
};

/* ---- the operator ---- */

static void
say(enum log_level level, const char *event, const char *key, struct span text)
{
    struct log_line l;

    log_begin(&l, level, event);
    log_string(&l, key, text);
    log_end(&l, STDERR_FILENO);
}

static void
say_task(enum log_level level, const char *event, const struct owned *o)
{
    struct log_line l;

    log_begin(&l, level, event);
    log_string(&l, "task", span_str(aggregate_task_name(o->task)));
    log_number(&l, "offset", aggregate_task_offset(o->task));
    log_end(&l, STDERR_FILENO);
}

static void
add_counts(struct aggregate_counts *sum, const struct aggregate_counts *c)
{
    for (enum gate_verdict v = 0; v < GATE_VERDICT_COUNT; v++)
        sum->verdicts[v] += c->verdicts[v];
    sum->skipped += c->skipped;
    sum->unjudged += c->unjudged;
    sum->failed += c->failed;
    sum->alerts += c->alerts;
    sum->decisions += c->decisions;
}

/* Messages of what people entered that were not let in. */
static uint64_t
not_entered(const struct aggregate *a)
{
    uint64_t n = 0;

    for (enum gate_verdict v = GATE_OK + 1; v < GATE_VERDICT_COUNT; v++)
        n += a->people_counts[v];
    return n;
}

static void
tell_counts(const struct aggregate *a)
{
    struct aggregate_counts sum = a->gone;
    struct log_line l;
    uint64_t tasks = 0;

    for (enum aggregate_stage s = 0; s < AGGREGATE_STAGE_COUNT; s++) {
        for (size_t i = 0; i < TASKS_MAX; i++) {
            struct aggregate_counts c;

            if (a->owned[s][i].task == NULL)
                continue;
            c = aggregate_task_counts(a->owned[s][i].task);
            add_counts(&sum, &c);
            tasks++;
        }
    }
    log_begin(&l, LOG_AT_INFO, "aggregate");
    log_number(&l, "partitions", tasks);
    for (enum gate_verdict v = 0; v < GATE_VERDICT_COUNT; v++)
        log_number(&l, gate_word(v), sum.verdicts[v]);
    log_number(&l, "skipped", sum.skipped);
    log_number(&l, "unjudged", sum.unjudged);
    log_number(&l, "failed", sum.failed);
    log_number(&l, "too_long", bus_too_long(a->bus));
    log_number(&l, "alerts", sum.alerts);
    log_number(&l, "decisions", sum.decisions);
    log_number(&l, "entered", a->people_counts[GATE_OK]);
    log_number(&l, "not_entered", not_entered(a));
    log_end(&l, STDERR_FILENO);
}

/* ---- stopping ---- */

static void
look_for_signals(struct aggregate *a)
{
    static const struct timespec none = {.tv_sec = 0};
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    if (a->stop_since == 0 && sigtimedwait(&set, NULL, &none) > 0)
        a->stop_since = clock_of(CLOCK_MONOTONIC);
}

static void
block_signals(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

/* Nothing is waited for any more. */
static bool
stopped(void *ctx)
{
    struct aggregate *a = ctx;

    look_for_signals(a);
    return a->stop_since != 0 &&
           clock_of(CLOCK_MONOTONIC) - a->stop_since > STOP_NS;
}

static void
fail(struct aggregate *a, const char *why)
{
    if (!a->failed)
        say(LOG_AT_ERROR, "aggregate_failed", "why", span_str(why));
    a->failed = true;
}

/* ---- what goes out ---- */

static bool
sign(const struct aggregate *a, const char *writer, uint64_t sequence,
     const struct auth_message *m, struct buf *header)
{
    return auth_sign(gate_key(a->keys, span_str(writer)), span_str(writer),
                     sequence, m, header);
}

static void
on_out(void *ctx, const struct aggregate_out *out)
{
    struct aggregate *a = ctx;
    const struct auth_message m = {
        .topic = span_str(bus_topic(a->bus, out->to)),
        .key = out->key,
        .value = out->line,
    };
    uint8_t room[AUTH_HEADER_MAX];
    struct buf header = {room, 0, sizeof(room), sizeof(room), false, false};

    if (sign(a, aggregate_task_name(a->task), out->sequence, &m, &header))
        bus_put(a->bus, out->to, out->key, out->line, buf_view(&header));
    else
        fail(a, "a message cannot be signed");
}

/* ---- states ---- */

static void
state_writer(enum aggregate_stage s, unsigned partition,
             char out[AUTH_WRITER_MAX])
{
    (void)snprintf(out, AUTH_WRITER_MAX, GATE_OURS "/state/%s/%u",
                   aggregate_stage_word(s), partition);
}

/* value.p NULL: a tombstone. */
static void
put_state(struct aggregate *a, enum aggregate_stage s, unsigned partition,
          const char *key, struct span value)
{
    const struct auth_message m = {
        .topic = span_str(bus_state_topic(a->bus, s)),
        .key = span_str(key),
        .value = value,
    };
    char writer[AUTH_WRITER_MAX];
    uint8_t room[AUTH_HEADER_MAX];
    struct buf header = {room, 0, sizeof(room), sizeof(room), false, false};

    state_writer(s, partition, writer);
    a->sequence = auth_next(a->sequence, clock_of(CLOCK_REALTIME));
    if (sign(a, writer, a->sequence, &m, &header))
        bus_put_state(a->bus, s, partition, m.key, value, buf_view(&header));
    else
        fail(a, "a state cannot be signed");
}

static void
end_state(struct aggregate *a, enum aggregate_stage s, unsigned partition,
          struct chunks_id id, size_t n)
{
    for (size_t i = n; i > 0; i--) {
        char key[CHUNKS_KEY];

        chunks_key(id, i - 1, n, key);
        put_state(a, s, partition, key, SPAN_NONE);
    }
}

static enum err
put_chunks(struct aggregate *a, enum aggregate_stage s, unsigned partition,
           const struct chunks_out *c)
{
    enum err e = ERR_OK;

    for (size_t i = 0; e == ERR_OK && i < c->n; i++) {
        char key[CHUNKS_KEY];
        struct span value;

        chunks_message(c, i, key, &value);
        if (i + 1 == c->n)
            e = bus_flush(a->bus);
        if (e == ERR_OK)
            put_state(a, s, partition, key, value);
    }
    return e == ERR_OK ? bus_flush(a->bus) : e;
}

/* What the task put out before is acknowledged with the pieces. */
static enum err
save(struct aggregate *a, enum aggregate_stage s, unsigned partition)
{
    struct owned *o = &a->owned[s][partition];
    const struct chunks_id id = {aggregate_task_offset(o->task), a->writer};
    struct chunks_out c = {.n = 0};
    struct buf state;
    enum err e;

    buf_init(&state, CHUNKS_MAX);
    e = aggregate_task_save(o->task, &state);
    if (e == ERR_OK)
        e = chunks_pack(&c, id, buf_view(&state));
    if (e == ERR_OK)
        e = put_chunks(a, s, partition, &c);
    if (e == ERR_OK) {
        if (o->n_saved > 0 &&
            (o->saved.offset != id.offset || o->saved.writer != id.writer))
            end_state(a, s, partition, o->saved, o->n_saved);
        o->saved = id;
        o->n_saved = c.n;
        bus_commit(a->bus, s, partition, id.offset);
    }
    chunks_out_free(&c);
    buf_free(&state);
    return e;
}

/* Has it come further than its state? */
static bool
is_dirty(const struct owned *o)
{
    return o->task != NULL &&
           (o->n_saved == 0 ||
            o->saved.offset != aggregate_task_offset(o->task)) &&
           aggregate_task_offset(o->task) > 0;
}

struct restoring {
    struct aggregate *a;
    struct chunks_in *in;
    char writer[AUTH_WRITER_MAX];
    enum err err;
};

/* Pieces that nobody of ours wrote for this partition are not looked at. */
static void
take_state(void *ctx, const struct gate_message *m)
{
    struct restoring *r = ctx;
    struct auth_mark mark;
    enum err e;

    if (!auth_read(m->header, &mark) ||
        !span_eq(mark.writer, span_str(r->writer)) ||
        !auth_verify(gate_key(r->a->keys, mark.writer), &mark, &m->message))
        return;
    e = chunks_take(r->in, m->message.key, m->message.value);
    if (r->err == ERR_OK)
        r->err = e;
}

/* With nothing but the offset where to go on: what a state that could not be
 * read has left is half old, half new. */
static enum err
begin(struct aggregate *a, enum aggregate_stage s, unsigned partition)
{
    struct owned *o = &a->owned[s][partition];
    enum err e;

    aggregate_task_free(o->task);
    o->task = NULL;
    e = aggregate_task_new(&a->parts, s, partition, &a->sink, &o->task);
    if (e == ERR_OK)
        aggregate_task_begin(o->task, o->saved.offset);
    return e;
}

/* One that cannot be used is told. found: what became of reading it. */
static enum err
load(struct aggregate *a, enum aggregate_stage s, unsigned partition,
     enum err found, struct span state)
{
    struct owned *o = &a->owned[s][partition];
    enum err e = found == ERR_OK ? aggregate_task_load(o->task, state) : found;

    if (e == ERR_OK || e == ERR_NOMEM)
        return e;
    if (e != ERR_FORMAT)
        e = begin(a, s, partition);
    if (e == ERR_OK || e == ERR_FORMAT)
        say_task(LOG_AT_ERROR, "state_unusable", o);
    return e == ERR_FORMAT ? ERR_OK : e;
}

static enum err
restore(struct aggregate *a, enum aggregate_stage s, unsigned partition)
{
    struct owned *o = &a->owned[s][partition];
    struct restoring r = {.a = a};
    struct chunks_id id;
    struct buf state;
    size_t n;
    enum err e = chunks_in_new(&r.in);

    buf_init(&state, CHUNKS_MAX);
    state_writer(s, partition, r.writer);
    if (e == ERR_OK)
        e = bus_read_state(a->bus, s, partition, take_state, &r);
    if (e == ERR_OK)
        e = r.err;
    if (e == ERR_OK) {
        e = chunks_best(r.in, &o->saved, &o->n_saved, &state);
        e = e == ERR_NOENT ? ERR_OK
                           : load(a, s, partition, e, buf_view(&state));
    }
    for (size_t i = 0; e == ERR_OK && o->n_saved > 0 &&
                       chunks_other(r.in, &o->saved, i, &id, &n);
         i++)
        end_state(a, s, partition, id, n);
    chunks_in_free(r.in);
    buf_free(&state);
    return e;
}

/* ---- what the bus calls ---- */

static void
forget(struct aggregate *a, struct owned *o)
{
    if (o->task != NULL) {
        struct aggregate_counts c = aggregate_task_counts(o->task);

        add_counts(&a->gone, &c);
    }
    aggregate_task_free(o->task);
    *o = (struct owned){.task = NULL};
}

static void
at_work(struct aggregate *a, struct owned *o)
{
    const struct aggregate_copy copy = people_copy(a->people);

    a->task = o->task;
    aggregate_task_copy(o->task, &copy, clock_of(CLOCK_REALTIME));
}

static enum err
assigned(void *ctx, enum aggregate_stage s, unsigned partition, int64_t *offset)
{
    struct aggregate *a = ctx;
    struct owned *o;
    enum err e;

    if (partition >= TASKS_MAX)
        return ERR_LIMIT;
    o = &a->owned[s][partition];
    forget(a, o);
    a->parts.sources = bus_sources(a->bus);
    e = aggregate_task_new(&a->parts, s, partition, &a->sink, &o->task);
    if (e == ERR_OK)
        e = restore(a, s, partition);
    if (e != ERR_OK) {
        fail(a, err_text(e));
        forget(a, o);
        return e;
    }
    at_work(a, o);
    people_show(a->people, o->task);
    say_task(LOG_AT_INFO, "assigned", o);
    *offset = aggregate_task_offset(o->task) > 0
                  ? (int64_t)aggregate_task_offset(o->task)
                  : -1;
    return ERR_OK;
}

static void
revoked(void *ctx, enum aggregate_stage s, unsigned partition, bool lost)
{
    struct aggregate *a = ctx;
    struct owned *o = partition < TASKS_MAX ? &a->owned[s][partition] : NULL;

    if (o == NULL || o->task == NULL)
        return;
    if (!lost && is_dirty(o) && save(a, s, partition) != ERR_OK)
        say_task(LOG_AT_WARN, "state_not_saved", o);
    say_task(LOG_AT_INFO, lost ? "lost" : "revoked", o);
    forget(a, o);
}

static void
look_at_time(struct aggregate *a, const struct gate_message *m)
{
    if (m->appended == 0 && !a->untimed) {
        a->untimed = true;
        say(LOG_AT_ERROR, "set_log_append_time", "topic", m->message.topic);
    }
}

static void
on_message(void *ctx, enum aggregate_stage s, unsigned partition,
           const struct aggregate_in *in)
{
    struct aggregate *a = ctx;
    struct owned *o = partition < TASKS_MAX ? &a->owned[s][partition] : NULL;

    if (o == NULL || o->task == NULL)
        return;
    look_at_time(a, &in->message);
    at_work(a, o);
    aggregate_task_message(o->task, in);
}

static void
show_tasks(struct aggregate *a, const struct record_map *act, uint64_t offset)
{
    for (enum aggregate_stage s = 0; s < AGGREGATE_STAGE_COUNT; s++) {
        for (size_t i = 0; i < TASKS_MAX; i++) {
            if (a->owned[s][i].task == NULL)
                continue;
            at_work(a, &a->owned[s][i]);
            aggregate_task_control(a->owned[s][i].task, act, offset);
        }
    }
}

static void
on_control(void *ctx, const struct gate_message *m, uint64_t offset)
{
    struct aggregate *a = ctx;
    struct people_told told;

    look_at_time(a, m);
    people_take(a->people, m, offset, &told);
    a->people_counts[told.verdict]++;
    if (people_why(a->people).n > 0 && !a->unknown) {
        a->unknown = true;
        say(LOG_AT_ERROR, "registry_unusable", "why", people_why(a->people));
    }
    if (told.has_act)
        show_tasks(a, &told.act, offset);
}

/* ---- the world ---- */

static void
insist(struct aggregate *a, struct span record, struct span line)
{
    enum put p = PUT_BUSY;

    while (p == PUT_BUSY && !stopped(a)) {
        a->world->ops->tick(a->world, clock_of(CLOCK_REALTIME));
        p = record.n > 0 ? a->world->ops->put(a->world, record, line)
                         : a->world->ops->flush(a->world);
        if (p == PUT_BUSY)
            sink_wait(a->world, POLL_MS / 10);
    }
    if (p != PUT_DONE)
        fail(a, "alerts and decisions cannot be published");
}

static void
put_world(void *ctx, struct span record, struct span line)
{
    insist(ctx, record, line);
}

/* First its state, then the world. */
static void
tell_world(struct aggregate *a)
{
    struct owned *o = &a->owned[AGGREGATE_DECIDE][0];

    if (o->task == NULL || !aggregate_task_waits(o->task))
        return;
    if (save(a, AGGREGATE_DECIDE, 0) != ERR_OK) {
        fail(a, "a state cannot be saved");
        return;
    }
    aggregate_task_tell(o->task, put_world, a);
    insist(a, SPAN_NONE, SPAN_NONE);
    if (!a->failed)
        aggregate_task_told(o->task);
}

static void
save_all(struct aggregate *a)
{
    for (enum aggregate_stage s = 0; s < AGGREGATE_STAGE_COUNT; s++) {
        for (unsigned i = 0; i < TASKS_MAX; i++) {
            if (is_dirty(&a->owned[s][i]) && save(a, s, i) != ERR_OK)
                fail(a, "a state cannot be saved");
        }
    }
}

static void
walk(struct aggregate *a)
{
    while (a->stop_since == 0 && !a->failed && bus_bad(a->bus).n == 0) {
        ns_t now = clock_of(CLOCK_MONOTONIC);

        bus_poll(a->bus, POLL_MS);
        tell_world(a);
        look_for_signals(a);
        if (now - a->saved >= a->config->agg_snapshot) {
            a->saved = now;
            save_all(a);
        }
        if (now - a->told >= TELL_NS) {
            a->told = now;
            tell_counts(a);
        }
    }
    if (bus_bad(a->bus).n > 0)
        say(LOG_AT_ERROR, "aggregate_failed", "why", bus_bad(a->bus));
}

/* ---- life ---- */

static const struct config_sink *
find_sink(const struct config *c)
{
    const struct config_sink *found = NULL;

    for (size_t i = 0; i < c->sinks.n; i++) {
        const struct config_sink *s = &c->sinks.v[i];

        if (strcmp(s->kind, "kafka") != 0 ||
            (c->agg_sink != NULL && strcmp(s->name, c->agg_sink) != 0))
            continue;
        if (found != NULL)
            return NULL;
        found = s;
    }
    return found;
}

static enum err
complain(struct buf *messages, const char *what)
{
    buf_printf(messages, "span25: aggregate: %s\n", what);
    return ERR_CONFIG;
}

/* The brokers' settings, with our key in place of a sensor's. */
static enum err
load_sink(struct aggregate *a, struct buf *messages)
{
    const struct config_sink *s = find_sink(a->config);
    size_t n;

    if (s == NULL)
        return complain(messages, "needs one of sinks that is of kind kafka; "
                                  "of several, aggregate.sink names it");
    if (a->config->agg_keys == NULL)
        return complain(messages, "aggregate.keys is not set");
    (void)snprintf(a->key_file, sizeof(a->key_file), "%s/" GATE_OURS,
                   a->config->agg_keys);
    a->values = calloc(s->n_settings + 1, sizeof(*a->values));
    if (a->values == NULL)
        return ERR_NOMEM;
    a->settings = options_sinks_settings(s, a->values);
    n = a->settings.n_values;
    a->values[n] = (struct sink_value){"hmac-key-file", a->key_file};
    a->settings.n_values = n + 1;
    return ERR_OK;
}

static enum err
load_place(struct aggregate *a, struct buf *messages)
{
    uint32_t line;
    enum err e =
        options_sites_make(a->config, NULL, 0, &a->sites, &line, messages);

    if (e == ERR_OK && sites_n_home(a->sites) == 0)
        e = complain(messages, "needs to know the home networks: set "
                               "network.home or sites");
    if (e == ERR_OK)
        e = read_registry_open(a->config, &a->registry, messages);
    a->parts.place.sites = a->sites;
    if (e == ERR_OK)
        a->parts.place.book = read_registry_book(a->registry);
    if (e == ERR_OK && a->config->agg_registry != NULL &&
        a->parts.place.book != NULL)
        e = complain(messages, "network.registry and aggregate.registry: the "
                               "registry comes from one of them");
    return e;
}

/* Sketch keys are those of all aggregators together: states move. */
static uint64_t
seed_of(const struct aggregate *a)
{
    return hash_span(gate_key(a->keys, SPAN_LIT(GATE_OURS "/")),
                     READ_DETECT_SEED);
}

static enum err
load_parts(struct aggregate *a, struct buf *messages)
{
    struct buf text;
    enum err e = gate_keys_load(a->config->agg_keys, &a->keys, messages);

    buf_init(&text, 1 << 20);
    a->parts.keys = a->keys;
    a->parts.max_age = a->config->agg_max_age;
    if (e == ERR_OK)
        e = load_place(a, messages);
    if (e == ERR_OK)
        e = read_detect_open(
            a->config,
            &(struct read_detect_who){.seed = seed_of(a), .live = false},
            &a->detect, &text, messages);
    if (e == ERR_OK)
        a->parts.detect = *read_detect_options(a->detect);
    if (e == ERR_OK)
        e = people_new(a->keys, a->config->agg_registry, &a->people);
    if (e == ERR_OK && a->config->agg_registry != NULL)
        a->parts.place.book = people_book(a->people);
    buf_free(&text);
    return e;
}

static enum err
connect(struct aggregate *a, struct buf *messages)
{
    struct bus_options o = {
        .sink = &a->settings,
        .calls = {assigned, revoked, on_message, on_control, stopped, a},
    };
    enum err e =
        sink_open(SPAN_LIT("kafka"), &a->settings, &a->world, messages);

    for (enum aggregate_stage s = 0; s < AGGREGATE_STAGE_COUNT; s++)
        o.partitions[s] =
            s == AGGREGATE_DECIDE ? 1 : (unsigned)a->config->agg_partitions;
    if (getrandom(&a->writer, sizeof(a->writer), 0) !=
        (ssize_t)sizeof(a->writer))
        e = ERR_IO;
    a->sink = (struct aggregate_sink){on_out, a};
    return e == ERR_OK ? bus_open(&o, &a->bus, messages) : e;
}

/* The partitions are given back with their states. */
static void
aggregate_close(struct aggregate *a)
{
    bus_close(a->bus);
    for (enum aggregate_stage s = 0; s < AGGREGATE_STAGE_COUNT; s++) {
        for (size_t i = 0; i < TASKS_MAX; i++)
            forget(a, &a->owned[s][i]);
    }
    if (a->world != NULL)
        a->world->ops->close(a->world);
    people_free(a->people);
    read_detect_close(a->detect);
    read_registry_close(a->registry);
    sites_free(a->sites);
    gate_keys_free(a->keys);
    free(a->values);
    free(a);
}

enum cli_exit
aggregate_run(const struct cli *c, struct buf *messages)
{
    struct aggregate *a = calloc(1, sizeof(*a));
    bool failed;
    enum err e;

    if (a == NULL)
        return CLI_EXIT_FAILED;
    a->config = &c->config;
    block_signals();
    e = load_sink(a, messages);
    if (e == ERR_OK)
        e = load_parts(a, messages);
    if (e == ERR_OK)
        e = connect(a, messages);
    log_lines(messages);
    if (e == ERR_OK) {
        a->saved = a->told = clock_of(CLOCK_MONOTONIC);
        walk(a);
    }
    failed = a->failed || (a->bus != NULL && bus_bad(a->bus).n > 0);
    if (e == ERR_OK)
        tell_counts(a);
    aggregate_close(a);
    return e != ERR_OK ? cli_exit_of(e)
           : failed    ? CLI_EXIT_FAILED
                       : CLI_EXIT_DONE;
}
