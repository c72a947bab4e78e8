#include "tests/evaluate/play.h"

#include "sensor/base/hash.h"
#include "tests/evaluate/cast.h"

#define DAY    (24 * 3600 * NS_PER_S)
#define NOBODY UINT32_MAX

/* ---- who has an address ---- */

static uint64_t
addr_hash(const struct addr *a)
{
    return hash_span(span_of(a->b, sizeof(a->b)), 7);
}

static void
index_subjects(struct play *p)
{
    for (uint32_t i = 0; i <= p->index_mask; i++)
        p->index[i] = NOBODY;
    for (uint32_t i = 0; i < p->n_subjects; i++) {
        uint64_t at = addr_hash(&p->subjects[i].addr);

        while (p->index[at & p->index_mask] != NOBODY)
            at++;
        p->index[at & p->index_mask] = i;
    }
}

struct subject *
play_find(const struct play *p, const struct addr *a)
{
    for (uint64_t at = addr_hash(a);; at++) {
        uint32_t i = p->index[at & p->index_mask];

        if (i == NOBODY)
            return NULL;
        if (addr_cmp(&p->subjects[i].addr, a) == 0)
            return &p->subjects[i];
    }
}

/* ---- the order of time ---- */

static bool
is_before(const struct actor *a, const struct actor *b)
{
    return a->next != b->next ? a->next < b->next : a < b;
}

static void
sift_down(struct actor **heap, uint32_t n, uint32_t at)
{
    for (uint32_t child = 2 * at + 1; child < n; child = 2 * at + 1) {
        struct actor *swap;

        if (child + 1 < n && is_before(heap[child + 1], heap[child]))
            child++;
        if (!is_before(heap[child], heap[at]))
            return;
        swap = heap[at];
        heap[at] = heap[child];
        heap[child] = swap;
        at = child;
    }
}

static void
line_up(struct play *p)
{
    for (uint32_t i = 0; i < p->n_actors; i++) {
        if (p->actors[i].stage != STAGE_OVER)
            p->heap[p->n_heap++] = &p->actors[i];
    }
    for (uint32_t at = p->n_heap / 2; at-- > 0;)
        sift_down(p->heap, p->n_heap, at);
}

static enum err
make_room(struct play *p, const struct play_cast *c)
{
    uint32_t slots = 16;

    while (slots < 2 * c->subjects)
        slots *= 2;
    p->subjects = calloc(c->subjects + 1, sizeof(*p->subjects));
    p->actors = calloc(c->actors + 1, sizeof(*p->actors));
    p->heap = calloc(c->actors + 1, sizeof(struct actor *));
    p->index = calloc(slots, sizeof(*p->index));
    p->index_mask = slots - 1;
    return p->subjects != NULL && p->actors != NULL && p->heap != NULL &&
                   p->index != NULL
               ? ERR_OK
               : ERR_NOMEM;
}

enum err
play_new_of(const struct play_options *o, const struct play_cast *c,
            struct play **out)
{
    struct play *p = calloc(1, sizeof(*p));

    if (p == NULL)
        return ERR_NOMEM;
    p->options = *o;
    p->now = PLAY_START;
    render_init(&p->render);
    if (make_room(p, c) != ERR_OK) {
        play_free(p);
        return ERR_NOMEM;
    }
    c->fill(c->ctx, p);
    index_subjects(p);
    line_up(p);
    *out = p;
    return ERR_OK;
}

enum err
play_new(const struct play_options *o, struct play **out)
{
    struct play_cast c = cast_of(o);

    return play_new_of(o, &c, out);
}

void
play_free(struct play *p)
{
    if (p == NULL)
        return;
    render_free(&p->render);
    free(p->subjects);
    free(p->actors);
    free(p->heap);
    free(p->index);
    free(p);
}

/* ---- the play ---- */

ns_t
play_counts_from(const struct play *p)
{
    return PLAY_START + (ns_t)(p->options.warm * (double)DAY);
}

static void
count_day(struct subject *t, ns_t when, ns_t from)
{
    uint64_t day = (when - PLAY_START) / DAY + 1;

    t->days_on += day != t->last_day && when >= from;
    t->last_day = day;
}

/* The truth goes on before anybody hears of it. */
static void
count(const struct play *p, const struct actor *a)
{
    struct subject *t = a->subject;

    if (a->scenario->syn_only)
        t->forged += a->stage == STAGE_END ? render_syns(a->scenario) : 0;
    if (a->stage != STAGE_MAIL)
        return;
    t->last = a->next;
    if (!actor_is_bad(a)) {
        t->good++;
        count_day(t, a->next, play_counts_from(p));
        return;
    }
    if (t->onset == 0)
        t->onset = a->session.start;
    t->bad++;
    t->forged += t->label == LABEL_VICTIM;
}

struct counted {
    struct play *play;
    const struct record_sink *sink;
};

static void
count_event(void *ctx, struct span record)
{
    struct counted *c = ctx;

    c->play->n_events++;
    c->sink->put(c->sink->ctx, record);
}

static void
play_one(struct play *p, const struct record_sink *sink)
{
    struct actor *a = p->heap[0];
    struct counted c = {p, sink};
    struct record_sink counting = {count_event, &c};

    p->now = a->next;
    if (a->n_sessions == 0 && a->cond->dns && a->scenario->named)
        render_name(&p->render, a->subject, a->next, &counting);
    actor_draw(a);
    count(p, a);
    if (p->hook != NULL)
        p->hook(p->hook_ctx, a);
    render_stage(&p->render, a, &counting);
    actor_step(a);
    if (a->stage == STAGE_OVER)
        p->heap[0] = p->heap[--p->n_heap];
    sift_down(p->heap, p->n_heap, 0);
}

bool
play_some(struct play *p, uint64_t n, const struct record_sink *sink)
{
    for (; n > 0 && p->n_heap > 0; n--)
        play_one(p, sink);
    return p->n_heap > 0;
}

void
play_run(struct play *p, const struct record_sink *sink)
{
    while (p->n_heap > 0)
        play_one(p, sink);
}
