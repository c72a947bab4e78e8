#include "sensor/app/worker_late.h"

#include "sensor/app/clock.h"

#include <stdlib.h>

#define NO_ANSWER "no answer came in time"
#define NO_ROOM   "too many parts waited"
#define REST_MS   1U

/* Where the job under way is. */
enum stage { STAGE_NONE, STAGE_DEEP, STAGE_CLAMD };

struct waiting {
    struct part *part; /* NULL: given up */
    ns_t since_mono;
    size_t bytes;
};

struct worker_late {
    struct worker *w;
    struct waiting queue[WORKER_LATE_PARTS];
    unsigned first, n;
    size_t bytes; /* of all in the queue */
    enum stage stage;
    struct part *part; /* under way; NULL: nobody wants the answer any more */
    ns_t since_mono;   /* when it ended */
    struct content_job job;
    struct content_result result;
    uint64_t list; /* of hashes, when it was begun */
    bool whole;
    bool closed;
    ns_t now_mono; /* of the last turn */
    uint64_t refused;
};

/* ---- what becomes of a part ---- */

static void
tell(struct worker_late *l, struct part *p)
{
    smtp_part_settled(l->w->smtp, p, net_now(l->w->net));
}

static void
refuse(struct worker_late *l, struct part *p, const char *why)
{
    l->refused++;
    part_refuse(p, why);
    tell(l, p);
}

static void
answer(struct worker_late *l)
{
    struct part *p = l->part;

    l->stage = STAGE_NONE;
    l->part = NULL;
    if (p == NULL)
        return;
    part_answer(p, l->whole, &l->result);
    tell(l, p);
}

/* ---- one job ---- */

static void
clamd_said(struct worker_late *l, enum deep_answer a)
{
    if (a == DEEP_PENDING)
        return;
    worker_parts_clamd_said(l->w, a == DEEP_WHOLE, &l->result);
    answer(l);
}

static void
ask_clamd(struct worker_late *l)
{
    struct worker *w = l->w;

    if (w->plan->clamd == NULL || l->part == NULL ||
        worker_parts_clamd_rests(w, &l->result)) {
        answer(l);
        return;
    }
    l->stage = STAGE_CLAMD;
    clamd_said(l, deep_begin(w->plan->clamd, w->number, &l->job, &w->second));
}

static void
deep_said(struct worker_late *l, enum deep_answer a)
{
    if (a == DEEP_PENDING)
        return;
    l->whole = a == DEEP_WHOLE;
    if (l->whole && l->part != NULL)
        worker_parts_learn(l->w, &l->job, &l->result, l->list);
    ask_clamd(l);
}

static void
begin(struct worker_late *l)
{
    struct worker *w = l->w;

    if (!part_ask(l->part, &l->job)) {
        struct part *p = l->part;

        l->part = NULL;
        part_answer(p, false, NULL);
        tell(l, p);
        return;
    }
    content_result_reset(&l->result);
    l->whole = true;
    if (w->plan->deep == NULL ||
        worker_parts_known(w, &l->job, &l->result, &l->list)) {
        ask_clamd(l);
        return;
    }
    l->stage = STAGE_DEEP;
    deep_said(l, deep_begin(w->plan->deep, w->number, &l->job, &l->result));
}

static void
poll(struct worker_late *l)
{
    struct worker *w = l->w;
    const struct content_job *job = l->part != NULL ? &l->job : NULL;

    if (l->stage == STAGE_DEEP)
        deep_said(l, deep_poll(w->plan->deep, w->number, job, &l->result));
    else if (l->stage == STAGE_CLAMD)
        clamd_said(l, deep_poll(w->plan->clamd, w->number, job, &w->second));
}

/* ---- the queue ---- */

static struct waiting
take_first(struct worker_late *l)
{
    const struct waiting q = l->queue[l->first];

    l->first = (l->first + 1) % WORKER_LATE_PARTS;
    l->n--;
    l->bytes -= q.bytes;
    return q;
}

static void
begin_next(struct worker_late *l)
{
    while (l->stage == STAGE_NONE && l->n > 0) {
        const struct waiting q = take_first(l);

        l->part = q.part;
        l->since_mono = q.since_mono;
        if (q.part != NULL)
            begin(l);
    }
}

static bool
is_over(const struct worker_late *l, ns_t since)
{
    return l->now_mono > since && l->now_mono - since > WORKER_LATE_NS;
}

/* The first has waited the longest. */
static void
refuse_late(struct worker_late *l)
{
    struct part *p = l->part;

    if (p != NULL && is_over(l, l->since_mono)) {
        l->part = NULL;
        refuse(l, p, NO_ANSWER);
    }
    while (l->n > 0 && is_over(l, l->queue[l->first].since_mono)) {
        const struct waiting q = take_first(l);

        if (q.part != NULL)
            refuse(l, q.part, NO_ANSWER);
    }
}

void
worker_late_turn(struct worker_late *l, ns_t now_mono)
{
    if (now_mono != 0)
        l->now_mono = now_mono;
    poll(l);
    begin_next(l);
    refuse_late(l);
}

bool
worker_late_take(struct worker_late *l, struct part *p)
{
    const size_t n = part_kept(p);

    if (l->closed || l->n == WORKER_LATE_PARTS ||
        n > WORKER_LATE_BYTES - l->bytes)
        return false;
    l->queue[(l->first + l->n++) % WORKER_LATE_PARTS] =
        (struct waiting){.part = p, .since_mono = l->now_mono, .bytes = n};
    l->bytes += n;
    return true;
}

void
worker_late_forget(struct worker_late *l, const struct part *p)
{
    if (l->part == p)
        l->part = NULL;
    for (unsigned i = 0; i < l->n; i++) {
        struct waiting *q = &l->queue[(l->first + i) % WORKER_LATE_PARTS];

        if (q->part == p)
            q->part = NULL;
    }
}

bool
worker_late_refuses(struct worker_late *l, struct content_result *r)
{
    if (l->closed && l->stage == STAGE_NONE)
        return false;
    l->refused++;
    findings_add_detail(&r->findings, FIND_NOT_INSPECTED,
                        span_str(l->closed ? NO_ANSWER : NO_ROOM));
    return true;
}

bool
worker_late_is_idle(const struct worker_late *l)
{
    return l->stage == STAGE_NONE && l->n == 0;
}

void
worker_late_rest(struct worker_late *l, unsigned most_ms)
{
    struct worker *w = l->w;

    if (l->stage == STAGE_DEEP)
        deep_rest(w->plan->deep, w->number, most_ms);
    else if (l->stage == STAGE_CLAMD)
        deep_rest(w->plan->clamd, w->number, most_ms);
}

uint64_t
worker_late_refused(const struct worker_late *l)
{
    return l->refused;
}

/* ---- life ---- */

static void
refuse_all(struct worker_late *l)
{
    struct part *p = l->part;

    l->part = NULL;
    if (p != NULL)
        refuse(l, p, NO_ANSWER);
    while (l->n > 0) {
        const struct waiting q = take_first(l);

        if (q.part != NULL)
            refuse(l, q.part, NO_ANSWER);
    }
}

void
worker_late_finish(struct worker_late *l, ns_t until_mono)
{
    ns_t now = clock_of(CLOCK_MONOTONIC);

    l->closed = true;
    while (!worker_late_is_idle(l) && now < until_mono) {
        worker_late_turn(l, now);
        worker_late_rest(l, REST_MS);
        now = clock_of(CLOCK_MONOTONIC);
    }
    refuse_all(l);
}

enum err
worker_late_new(struct worker *w)
{
    struct worker_late *l = calloc(1, sizeof(*l));

    if (l == NULL)
        return ERR_NOMEM;
    l->w = w;
    l->now_mono = clock_of(CLOCK_MONOTONIC);
    content_result_init(&l->result);
    w->late = l;
    return ERR_OK;
}

void
worker_late_free(struct worker_late *l)
{
    if (l == NULL)
        return;
    content_result_free(&l->result);
    free(l);
}
