#include "sensor/app/live_publish.h"

#include "sensor/app/clock.h"
#include "sensor/app/confine.h"
#include "sensor/app/log.h"
#include "sensor/app/publish.h"

#include <stdio.h>
#include <time.h>

#define SHOW_NS (100 * NS_PER_MS)

struct live_publish {
    struct live *live;
    struct live_board *board;
    struct publish *sinks[OPTIONS_SINKS_MAX]; /* NULL: see again */
    enum err why[OPTIONS_SINKS_MAX];          /* it is; told last */
    size_t n, n_open;
    ns_t again; /* mono; when those that are NULL are tried again */
    struct journal_reader *reader; /* NULL: there is no journal yet */
    struct journal_line line;
    bool has;       /* line is not shown yet */
    uint64_t loads; /* configurations that had taken force */
    ns_t mono, utc, shown, saved, until;
    struct buf messages;
};

void
live_publish_prepare(struct live_board *b, const struct config_sinks *s)
{
    b->n_sinks = (uint32_t)s->n;
    for (size_t i = 0; i < s->n; i++)
        (void)snprintf(b->sink_name[i], sizeof(b->sink_name[i]), "%s",
                       s->v[i].name);
}

static uint64_t
journaled(const struct live_publish *p)
{
    return atomic_load(&p->board->core.journal_flushed);
}

/* May others know of it? */
static bool
is_ripe(const struct live_publish *p, const struct journal_line *line)
{
    return keep_of_json(line->json) != KEEP_ALERTS ||
           line->seq <= atomic_load(&p->board->core.journal_seq);
}

static void
beat(struct live_publish *p)
{
    p->mono = clock_of(CLOCK_MONOTONIC);
    p->utc = clock_of(CLOCK_REALTIME);
    atomic_store(&p->board->publish.process.beat_mono_ns, p->mono);
}

static void
nap(void)
{
    static const struct timespec t = {.tv_nsec = LIVE_PUBLISH_NAP_NS};

    (void)nanosleep(&t, NULL);
}

/* The core has ended for good. */
static bool
is_last(const struct live_publish *p)
{
    return *p->live->stop != 0 && atomic_load(&p->board->core.process.pid) == 0;
}

/* ---- the board ---- */

static void
show_lane(struct live_lane *to, const struct spool_counts *n)
{
    atomic_store(&to->journaled, n->journaled);
    atomic_store(&to->acknowledged, n->acknowledged);
    atomic_store(&to->lost, n->lost);
}

/* Of one that is not open stands what the process before showed. */
static void
show_sink(struct live_sink *to, const struct publish *s)
{
    struct publish_counts n;

    if (s == NULL) {
        atomic_store(&to->state, PUBLISH_CLOSED);
        return;
    }
    n = publish_counts(s);
    for (unsigned k = 0; k < KEEP_KINDS; k++)
        show_lane(&to->lane[k], &n.lane[k]);
    atomic_store(&to->unread, n.unread);
    atomic_store(&to->state, n.state);
    atomic_store(&to->since_utc_ns, n.since);
}

static void
show(struct live_publish *p)
{
    for (size_t i = 0; i < p->n; i++)
        show_sink(&p->board->publish.sink[i], p->sinks[i]);
    p->shown = p->mono;
}

static void
save(struct live_publish *p)
{
    for (size_t i = 0; i < p->n; i++) {
        if (p->sinks[i] != NULL &&
            publish_save(p->sinks[i], &p->messages) != ERR_OK)
            continue; /* told; the next turn tries again */
    }
    p->saved = p->mono;
}

/* ---- the journal ---- */

static uint64_t
next_seq(const struct live_publish *p)
{
    uint64_t least = journaled(p);

    for (size_t i = 0; i < p->n; i++) {
        const uint64_t at =
            p->sinks[i] != NULL ? publish_scanned(p->sinks[i]) : least;

        least = at < least ? at : least;
    }
    return least + 1;
}

static bool
has_line(struct live_publish *p)
{
    struct buf message;

    /* The reader would look for files each time it is asked. */
    if (!p->has && next_seq(p) > journaled(p))
        return false;
    if (p->reader == NULL) {
        buf_init(&message, 4096);
        if (journal_reader_open(p->live->state, next_seq(p), &p->reader,
                                &message) != ERR_OK)
            p->reader = NULL;
        buf_free(&message);
    }
    while (p->reader != NULL && !p->has) {
        const enum journal_read r = journal_read(p->reader, &p->line);

        if (r != JOURNAL_READ_LINE && r != JOURNAL_READ_DAMAGED)
            break;
        p->has = r == JOURNAL_READ_LINE;
    }
    return p->has && p->line.seq <= journaled(p) && is_ripe(p, &p->line);
}

/* True: something was read. */
static bool
scan(struct live_publish *p)
{
    unsigned i = 0;

    for (; i < LIVE_PUBLISH_STEP && has_line(p); i++) {
        for (size_t s = 0; s < p->n; s++) {
            if (p->sinks[s] != NULL)
                publish_line(p->sinks[s], &p->line);
        }
        p->has = false;
    }
    return i > 0;
}

/* ---- opening ---- */

/* As open_one does, and each reason once. */
static void
tell_not_open(struct live_publish *p, size_t i, enum err e, size_t told)
{
    if (e == p->why[i])
        p->messages.n = told;
    else
        buf_printf(&p->messages,
                   "sink %s: how far it is cannot be kept, so nothing is sent: "
                   "%s\n",
                   p->live->cli->config.sinks.v[i].name, err_text(e));
    p->why[i] = e;
}

static void
open_one(struct live_publish *p, size_t i)
{
    const struct publish_plan plan = {
        p->live->state, &p->live->cli->config.sinks.v[i], journaled(p)};
    const size_t told = p->messages.n;
    const enum err e = publish_new(&plan, &p->sinks[i], &p->messages);

    if (e != ERR_OK) {
        tell_not_open(p, i, e, told);
        return;
    }
    p->n_open++;
    /* It may be behind the others, who pass over what they were shown. */
    journal_reader_close(p->reader);
    p->reader = NULL;
    p->has = false;
}

/* Those that are not open yet. */
static void
open_all(struct live_publish *p)
{
    if (p->n_open == p->n || p->mono < p->again)
        return;
    for (size_t i = 0; i < p->n; i++) {
        if (p->sinks[i] == NULL)
            open_one(p, i);
    }
    p->again = p->mono + LIVE_PUBLISH_AGAIN_NS;
}

/* ---- the loop ---- */

static void
look_at_reload(struct live_publish *p)
{
    const uint64_t loads = atomic_load(&p->board->core.config_loads);

    if (loads == p->loads)
        return;
    p->loads = loads;
    for (size_t i = 0; i < p->n; i++) {
        if (p->sinks[i] != NULL)
            publish_reopen(p->sinks[i]);
    }
}

/* Nothing is left, or time is over. */
static bool
is_done(struct live_publish *p, bool did)
{
    bool idle = true;

    if (!is_last(p))
        return false;
    p->until = p->until == 0 ? p->mono + LIVE_PUBLISH_LAST_NS : p->until;
    if (did && p->mono < p->until)
        return false;
    for (size_t i = 0; i < p->n; i++) {
        if (p->sinks[i] == NULL)
            continue;
        publish_flush(p->sinks[i]);
        idle &= publish_idle(p->sinks[i]);
    }
    return idle || p->mono >= p->until;
}

static bool
turn(struct live_publish *p)
{
    bool did;

    open_all(p);
    did = scan(p);
    for (size_t i = 0; i < p->n; i++)
        did |= p->sinks[i] != NULL &&
               publish_step(p->sinks[i], p->mono, p->utc, &p->messages);
    look_at_reload(p);
    if (p->mono - p->shown >= SHOW_NS)
        show(p);
    if (p->mono - p->saved >= LIVE_PUBLISH_SAVE_NS)
        save(p);
    log_lines(&p->messages);
    return did;
}

static void
loop(struct live_publish *p)
{
    bool did = true;

    p->loads = atomic_load(&p->board->core.config_loads);
    while (!is_done(p, did)) {
        if (!did)
            nap();
        beat(p);
        did = turn(p);
    }
    save(p);
    show(p);
    log_lines(&p->messages);
}

/* A new sink begins behind the last line there is: that must be known. */
static bool
wait_for_core(struct live_publish *p)
{
    beat(p);
    while (journaled(p) == 0 && !is_last(p)) {
        nap();
        beat(p);
    }
    return journaled(p) > 0;
}

enum err
live_publish_run(struct live *l)
{
    struct live_publish p = {
        .live = l, .board = l->board, .n = l->cli->config.sinks.n};
    enum err e = confine(CONFINE_PUBLISH);

    buf_init(&p.messages, 1 << 16);
    if (e == ERR_OK && wait_for_core(&p))
        loop(&p);
    for (size_t i = 0; i < p.n; i++)
        publish_free(p.sinks[i]);
    journal_reader_close(p.reader);
    buf_free(&p.messages);
    return e;
}
