#include "sensor/app/live_keep.h"

#include "dashboards/words.h"
#include "rules/detect.h"
#include "sensor/app/clock.h"
#include "sensor/app/evidence_store.h"
#include "sensor/app/live_room.h"
#include "sensor/capture/recorder.h"
#include "sensor/core/core.h"
#include "sensor/core/follow.h"
#include "sensor/journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define INDEX_TURNS 50U /* of index_expire, one after the other */

struct live_keep {
    struct live_keep_parts p;
    struct live_board *board;
    struct live_room room;
    struct core_unkept base;   /* of the cores before this one */
    struct core_unkept before; /* when there was plenty the last time */
    ns_t less_since;           /* UTC; 0: all is journaled */
    ns_t next;                 /* retention, mono */
    DIR *evidence;             /* looked at so far; NULL: not now */
    ns_t next_evidence;        /* mono */
    uint64_t evidence_removed; /* not told yet */
    uint64_t index_told[KEEP_KINDS];
    bool failed_told;
    uint64_t recorder_told; /* enum recorder_state */
    ns_t recorder_since;    /* UTC; 0: it records */
    struct record_out out;
    struct buf text;
};

/* ---- telling ---- */

static void
begin(struct live_keep *k, const char *kind)
{
    const struct record_head head = {.type = EVENT_CONTROL};

    record_begin(&k->out, &head);
    record_text(&k->out, FIELD_CONTROL_KIND, kind);
    record_str(&k->out, FIELD_CONTROL_TEXT, buf_view(&k->text));
    buf_reset(&k->text);
}

static void
tell(struct live_keep *k)
{
    k->p.tell.put(k->p.tell.ctx, record_view(&k->out));
}

/* "12 alerts, 3,000 statistics"; false: none at all. */
static bool
put_kinds(struct buf *out, const uint64_t n[KEEP_KINDS])
{
    bool any = false;

    for (unsigned i = 0; i < KEEP_KINDS; i++) {
        if (n[i] == 0)
            continue;
        buf_str(out, any ? ", " : "");
        words_number(out, n[i]);
        buf_printf(out, " %s", keep_word((enum keep_kind)i));
        any = true;
    }
    return any;
}

/* ---- room ---- */

static void
put_room(struct live_keep *k)
{
    words_size(&k->text, k->room.free);
    buf_str(&k->text, " free on the disk of the state, from ");
    words_size(&k->text, k->room.mark);
    buf_str(&k->text, " down less is journaled: ");
}

static void
put_unkept(struct live_keep *k, const struct core_unkept *now)
{
    uint64_t shed[KEEP_KINDS];

    for (unsigned i = 0; i < KEEP_KINDS; i++)
        shed[i] = now->shed[i] - k->before.shed[i];
    buf_str(&k->text, "all is journaled again; meanwhile it was not: ");
    if (!put_kinds(&k->text, shed))
        buf_str(&k->text, "nothing came");
    if (now->failed > k->before.failed)
        buf_printf(&k->text, ", and %" PRIu64 " events that did not fit",
                   now->failed - k->before.failed);
}

static void
tell_step(struct live_keep *k, ns_t utc)
{
    static const char *const texts[] = {
        [LIVE_ROOM_PLENTY] = "",
        [LIVE_ROOM_STATISTICS] = "no statistics and no dns",
        [LIVE_ROOM_TRANSACTIONS] =
            "no transactions and no statistics, only alerts, decisions and "
            "what people do",
        [LIVE_ROOM_RESERVE] =
            "only alerts, decisions and what people do, and they in the room "
            "that was kept for them",
    };
    const struct core_unkept now = core_unkept(k->p.core);
    const bool over = k->room.step == LIVE_ROOM_PLENTY;

    put_room(k);
    if (over)
        put_unkept(k, &now);
    else
        buf_str(&k->text, texts[k->room.step]);
    begin(k, "disk");
    record_u64(&k->out, FIELD_CONTROL_NUMBER, k->room.step);
    if (k->less_since == 0)
        k->less_since = utc;
    record_time(&k->out, FIELD_CONTROL_TIME, k->less_since);
    if (over) {
        record_time(&k->out, FIELD_CONTROL_UNTIL, utc);
        k->less_since = 0;
        k->before = now;
    }
    tell(k);
}

static void
show_room(const struct live_keep *k)
{
    struct live_core_board *b = &k->board->core;
    const struct core_unkept n = core_unkept(k->p.core);

    atomic_store(&b->room_step, k->room.step);
    atomic_store(&b->room_free, k->room.free);
    atomic_store(&b->room_mark, k->room.mark);
    atomic_store(&b->unjournaled, k->base.failed + n.failed);
    for (unsigned i = 0; i < KEEP_KINDS; i++)
        atomic_store(&b->shed[i], k->base.shed[i] + n.shed[i]);
}

static void
look_at_room(struct live_keep *k, ns_t utc, struct buf *messages)
{
    if (live_room_look(&k->room)) {
        core_shed(k->p.core, live_room_kinds(k->room.step));
        tell_step(k, utc);
        buf_str(messages, "room on the disk of the state: ");
        buf_str(messages, live_room_word(k->room.step));
        buf_putc(messages, '\n');
    }
    show_room(k);
}

bool
live_keep_is_full(const struct live_keep *k)
{
    return k->room.step == LIVE_ROOM_RESERVE;
}

/* ---- retention ---- */

static void
tell_index(struct live_keep *k)
{
    uint64_t rows[KEEP_KINDS];

    for (unsigned i = 0; i < KEEP_KINDS; i++) {
        const uint64_t now = atomic_load(&k->board->index_retained[i]);

        rows[i] = now - k->index_told[i];
        k->index_told[i] = now;
    }
    buf_str(&k->text, "; from the index: ");
    if (!put_kinds(&k->text, rows))
        buf_str(&k->text, "nothing");
}

static void
put_evidence(struct live_keep *k, ns_t upto)
{
    const uint64_t open = detect_open_since(k->p.detect, upto);

    if (open > 0)
        buf_printf(&k->text,
                   "; %" PRIu64 " open alerts began before that, and their "
                   "first evidence may be gone",
                   open);
}

static void
put_journal(struct live_keep *k, const struct journal_kept *did)
{
    buf_str(&k->text, "removed from the journal: ");
    if (!put_kinds(&k->text, did->lines))
        buf_str(&k->text, "nothing");
    if (did->segments + did->thinned > 0) {
        buf_printf(&k->text,
                   " in %" PRIu64 " deleted and %" PRIu64 " rewritten files, ",
                   did->segments, did->thinned);
        words_size(&k->text, did->bytes);
        buf_str(&k->text, ", up to ");
        words_rfc3339(&k->text, did->upto);
        put_evidence(k, did->upto);
    }
}

static bool
index_has_news(const struct live_keep *k)
{
    bool news = false;

    for (unsigned i = 0; i < KEEP_KINDS; i++)
        news |= atomic_load(&k->board->index_retained[i]) != k->index_told[i];
    return news;
}

static void
count_kept(const struct live_keep *k, const struct journal_kept *did)
{
    struct live_core_board *b = &k->board->core;

    for (unsigned i = 0; i < KEEP_KINDS; i++)
        atomic_fetch_add(&b->retained_lines[i], did->lines[i]);
    atomic_fetch_add(&b->retained_segments, did->segments);
    atomic_fetch_add(&b->retained_bytes, did->bytes);
}

static void
note_kept(struct live_keep *k, const struct journal_kept *did,
          struct buf *messages)
{
    const bool failed = did->failed > 0;

    count_kept(k, did);
    if (failed && !k->failed_told)
        buf_printf(messages,
                   "%" PRIu64 " files of the journal are too old and cannot be "
                   "removed or rewritten\n",
                   did->failed);
    k->failed_told = failed;
    if (did->segments + did->thinned + k->evidence_removed == 0 &&
        !index_has_news(k))
        return;
    put_journal(k, did);
    tell_index(k);
    if (k->evidence_removed > 0)
        buf_printf(&k->text, "; of decisions the evidence: %" PRIu64 " objects",
                   k->evidence_removed);
    k->evidence_removed = 0;
    begin(k, "retention");
    record_u64(&k->out, FIELD_CONTROL_NUMBER, did->segments);
    tell(k);
}

/* What neither index nor snapshot is in need of. 0: not known. */
static uint64_t
needed_from(const struct live_keep *k, uint64_t saved)
{
    const uint64_t indexed = atomic_load(&k->board->index_seq);
    const uint64_t both = saved < indexed ? saved : indexed;

    return both > 0 ? both + 1 : 0;
}

static void
retain(struct live_keep *k, ns_t mono, ns_t utc, uint64_t saved)
{
    const struct config *c = &k->p.live->cli->config;
    const struct journal_keep keep = {
        .age = {[KEEP_ALERTS] = c->keep_alerts,
                [KEEP_TRANSACTIONS] = c->keep_transactions,
                [KEEP_STATISTICS] = c->keep_statistics},
        .bytes = c->keep_bytes,
        .needed = needed_from(k, saved),
    };

    if (mono < k->next || keep.needed == 0)
        return;
    if (journal_retain_start(k->p.journal, &keep, utc))
        k->next = mono + LIVE_KEEP_NS;
}

static void
look_at_journal(struct live_keep *k, ns_t mono, ns_t utc, uint64_t saved,
                struct buf *messages)
{
    struct journal_kept did = {0};
    enum err e;

    if (journal_retain_done(k->p.journal, &did, &e)) {
        did.failed += e != ERR_OK;
        note_kept(k, &did, messages);
        if (did.more)
            k->next = mono;
    }
    retain(k, mono, utc, saved);
}

/* Evidence of decisions is kept as long as they are. A piece in each call. */
static void
look_at_evidence(struct live_keep *k, ns_t mono, ns_t utc)
{
    const ns_t age = k->p.live->cli->config.keep_alerts;

    if (k->evidence == NULL && mono < k->next_evidence)
        return;
    k->next_evidence = mono + LIVE_KEEP_EVIDENCE_NS;
    k->evidence_removed += evidence_store_sweep(k->p.live->state, &k->evidence,
                                                utc > age ? utc - age : 0);
}

/* In turns, so that readers of the index and its writer come between. */
enum err
live_keep_index(const struct live *l, struct buf *messages)
{
    const struct config *c = &l->cli->config;
    const ns_t age[KEEP_KINDS] = {c->keep_alerts, c->keep_transactions,
                                  c->keep_statistics};
    uint64_t rows[KEEP_KINDS] = {0};
    ns_t before[KEEP_KINDS];
    const ns_t utc = clock_of(CLOCK_REALTIME);
    uint64_t removed = 1;
    enum err e = ERR_OK;

    for (unsigned i = 0; i < KEEP_KINDS; i++)
        before[i] = utc > age[i] ? utc - age[i] : 0;
    for (unsigned i = 0; i < INDEX_TURNS && e == ERR_OK && removed > 0; i++)
        e = follow_expire(l->state, before, rows, &removed, messages);
    for (unsigned i = 0; i < KEEP_KINDS; i++)
        atomic_fetch_add(&l->board->index_retained[i], rows[i]);
    return e;
}

/* ---- the packet ring ---- */

static void
tell_recorder(struct live_keep *k, ns_t utc, uint64_t state)
{
    static const char *const texts[] = {
        [RECORDER_RUNS] = "recorder: packets are kept again",
        [RECORDER_FULL] = "recorder: no packets are kept: limits.disk_percent "
                          "is reached",
        [RECORDER_FAILED] = "recorder: no packets are kept: they cannot be "
                            "written",
    };
    const bool over = state == RECORDER_RUNS;

    if (state >= ARRAY_LEN(texts))
        return;
    buf_str(&k->text, texts[state]);
    begin(k, "gap");
    if (k->recorder_since == 0)
        k->recorder_since = utc;
    record_time(&k->out, FIELD_CONTROL_TIME, k->recorder_since);
    if (over)
        record_time(&k->out, FIELD_CONTROL_UNTIL, utc);
    k->recorder_since = over ? 0 : k->recorder_since;
    tell(k);
}

static void
look_at_recorder(struct live_keep *k, ns_t utc)
{
    const uint64_t state = atomic_load(&k->board->recorder_stopped);

    if (state == k->recorder_told)
        return;
    k->recorder_told = state;
    tell_recorder(k, utc, state);
}

/* ---- life ---- */

void
live_keep_second(struct live_keep *k, ns_t mono, ns_t utc, uint64_t saved,
                 struct buf *messages)
{
    if (k->next == 0)
        k->next = k->next_evidence = mono + LIVE_KEEP_FIRST_NS;
    look_at_room(k, utc, messages);
    look_at_recorder(k, utc);
    look_at_evidence(k, mono, utc);
    look_at_journal(k, mono, utc, saved, messages);
}

enum err
live_keep_new(const struct live_keep_parts *p, struct live_keep **out)
{
    const struct config *c = &p->live->cli->config;
    struct live_keep *k = calloc(1, sizeof(*k));
    int number;

    if (k == NULL)
        return ERR_NOMEM;
    k->p = *p;
    k->board = p->live->board;
    k->room.limits = (struct live_room_limits){c->high_water,
                                               (unsigned)c->high_water_percent};
    k->base.failed = atomic_load(&k->board->core.unjournaled);
    for (unsigned i = 0; i < KEEP_KINDS; i++) {
        k->base.shed[i] = atomic_load(&k->board->core.shed[i]);
        k->index_told[i] = atomic_load(&k->board->index_retained[i]);
    }
    record_init(&k->out);
    buf_init(&k->text, 4096);
    k->room.dir = open(p->live->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    number = errno;
    if (k->room.dir < 0) {
        live_keep_free(k);
        return err_from_errno(number);
    }
    *out = k;
    return ERR_OK;
}

void
live_keep_free(struct live_keep *k)
{
    if (k == NULL)
        return;
    if (k->room.dir >= 0)
        (void)close(k->room.dir);
    if (k->evidence != NULL)
        (void)closedir(k->evidence);
    record_free(&k->out);
    buf_free(&k->text);
    free(k);
}
