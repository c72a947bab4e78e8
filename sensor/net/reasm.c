#include "sensor/net/reasm.h"

#include "sensor/event/anomaly.h"
#include "sensor/net/reasm_sent.h"

/* A hint that is farther off than this was about something else. */
#define HINT_MAX (INT32_C(1) << 16)

static uint64_t
early_end(const struct early *s)
{
    return s->off + s->len;
}

static struct early *
head_of(const struct reasm *r)
{
    return r->work != NULL ? r->work->head : NULL;
}

/* ---- the busy part ---- */

struct reasm_work *
reasm_work_new(struct reasm *r, struct net_mem *m)
{
    struct reasm_work *w = net_mem_get(m, sizeof(*w));

    if (w == NULL)
        return NULL;
    *w = (struct reasm_work){.noticed = 0};
    r->work = w;
    return w;
}

struct reasm_work *
reasm_work(struct reasm *r, const struct reasm_env *e)
{
    return reasm_sent_work(r, e->mem, e->pool);
}

static void
work_release_idle(struct reasm *r, const struct reasm_env *e)
{
    struct reasm_work *w = r->work;

    if (w != NULL && w->noticed == 0 && w->n_sent == 0 && w->n_wild == 0 &&
        w->head == NULL)
        reasm_sent_release(r, e->mem, e->pool);
}

/* ---- segments delivered and not yet acknowledged ---- */

/* A segment all of whose bytes were delivered before. */
static unsigned
compare_sent(struct reasm *r, const struct reasm_env *e,
             const struct reasm_seg *s)
{
    const struct reasm_work *w = r->work;

    if (w == NULL || s->data.n != s->len || s->off + s->len <= e->acked)
        return 0;
    for (uint8_t i = 1; i <= w->n_sent; i++) {
        const struct reasm_sent *was =
            &w->sent[(uint8_t)(w->at_sent - i) % REASM_SENT];

        if (was->off != (uint32_t)s->off || was->len != s->len)
            continue;
        if (was->hash == reasm_sent_hash(s->data, e->seed))
            return 0;
        e->ops->odd(e->ctx, ANOM_OVERLAP_DIFFERS, s->off, s->data);
        return REASM_DIFFERS;
    }
    return 0;
}

/* ---- moving on ---- */

static void
advance(struct reasm *r, uint64_t n)
{
    r->next += n;
    r->ahead = r->ahead > n ? r->ahead - (uint32_t)n : 0;
}

static void
give_gap(struct reasm *r, const struct reasm_env *e, uint64_t lost)
{
    r->flags &= (uint8_t)~REASM_GUESS;
    advance(r, lost);
    e->ops->gap(e->ctx, lost);
}

static void
give_data(struct reasm *r, const struct reasm_env *e, struct span s,
          uint64_t acked, ns_t seen)
{
    uint64_t off = r->next;

    r->flags &= (uint8_t)~REASM_GUESS;
    advance(r, s.n);
    e->ops->data(e->ctx, s, off, acked, seen);
}

static void
drop_head(struct reasm_work *w, struct net_mem *m)
{
    struct early *s = w->head;
    size_t n = sizeof(*s) + s->n;

    w->head = s->next;
    if (w->head == NULL)
        w->tail = NULL;
    w->bytes -= (uint32_t)n;
    w->n_early--;
    net_mem_put(m, s, n);
}

/* Delivers the early segments that are next now. */
static void
drain(struct reasm *r, const struct reasm_env *e)
{
    struct early *s;

    while ((s = head_of(r)) != NULL && s->off <= r->next) {
        REQUIRE(s->off == r->next);
        if (s->n > 0) {
            give_data(r, e, span_of(s->data, s->n), s->acked, s->seen);
            reasm_sent_put(r, e, s->off, span_of(s->data, s->n));
        }
        if (s->len > s->n)
            give_gap(r, e, s->len - s->n);
        drop_head(r->work, e->mem);
    }
}

uint64_t
reasm_hole_end(const struct reasm *r, uint64_t acked)
{
    const struct early *h = head_of(r);
    uint64_t high = reasm_high(r);

    if (h != NULL)
        return h->off;
    return acked > high ? acked : high;
}

/* When the wait for a hole begins. What the peer acknowledged will not be sent:
 * at the arrival of what is behind it. What it did not is, but each hole in its
 * turn and with growing timeouts: now. A hole only an acknowledgement tells of:
 * now, for bytes that still come are a sign that it may be wrong. */
static ns_t
wait_begins(const struct reasm_work *w, const struct reasm_env *e)
{
    if (w->head != NULL && (e->blind || w->head->off <= e->acked))
        return w->head->since;
    return e->now;
}

static void
settle(struct reasm *r, const struct reasm_env *e, bool moved)
{
    bool hole = reasm_hole_end(r, e->acked) > r->next;
    struct reasm_work *w = r->work;

    if (!hole) {
        if (w != NULL)
            w->noticed = 0;
        work_release_idle(r, e);
        return;
    }
    w = reasm_work(r, e);
    if (w == NULL) { /* cannot wait without memory */
        reasm_flush(r, e);
        return;
    }
    if (moved || w->noticed == 0)
        w->noticed = wait_begins(w, e);
}

/* ---- base ---- */

void
reasm_base(struct reasm *r, uint32_t seq, unsigned flag, uint64_t *acked)
{
    int32_t moved = (int32_t)(r->base - seq);

    if ((r->flags & REASM_HINT) != 0 && moved >= -HINT_MAX &&
        moved <= HINT_MAX && (int64_t)*acked + moved >= 0)
        *acked = (uint64_t)((int64_t)*acked + moved);
    else
        *acked = 0;
    r->base = seq;
    r->flags = (uint8_t)((r->flags & ~(REASM_BASE | REASM_HINT)) | flag);
}

/* ---- early segments ---- */

/* The link to the first early segment that ends after off. */
static struct early **
find(struct reasm_work *w, uint64_t off)
{
    struct early **link = &w->head;

    if (w->tail != NULL && early_end(w->tail) <= off)
        return &w->tail->next;
    while (*link != NULL && early_end(*link) <= off)
        link = &(*link)->next;
    return link;
}

/* The part of a segment's captured bytes in [from, to). */
static struct span
part(const struct reasm_seg *s, uint64_t from, uint64_t to)
{
    return span_head(span_tail(s->data, (size_t)(from - s->off)),
                     (size_t)(to - from));
}

/* Compares with what waits already: the first reading wins. */
static unsigned
compare_early(struct reasm *r, const struct reasm_env *e,
              const struct reasm_seg *s)
{
    uint64_t end = s->off + s->len;
    unsigned met = 0;

    if (r->work == NULL)
        return 0;
    for (const struct early *h = *find(r->work, s->off);
         h != NULL && h->off < end; h = h->next) {
        uint64_t from = h->off > s->off ? h->off : s->off;
        uint64_t to = early_end(h) < end ? early_end(h) : end;
        struct span now = part(s, from, to);
        struct span was = span_head(
            span_tail(span_of(h->data, h->n), (size_t)(from - h->off)), now.n);

        met |= REASM_OLD;
        now = span_head(now, was.n);
        if (span_eq(now, was))
            continue;
        met |= REASM_DIFFERS;
        e->ops->odd(e->ctx, ANOM_OVERLAP_DIFFERS, from, now);
    }
    return met;
}

/* Copies [from, to) of a segment to the list, before *link. */
static bool
store(struct reasm *r, const struct reasm_env *e, const struct reasm_seg *s,
      uint64_t from, uint64_t to)
{
    struct span d = part(s, from, to);
    struct reasm_work *w = reasm_work(r, e);
    struct early *n;
    struct early **link;

    if (w == NULL)
        return false;
    n = net_mem_get(e->mem, sizeof(*n) + d.n);
    if (n == NULL)
        return false;
    link = find(w, from);
    *n = (struct early){.next = *link,
                        .off = from,
                        .acked = s->acked,
                        .since = e->now,
                        .seen = s->seen,
                        .len = (uint32_t)(to - from),
                        .n = (uint32_t)d.n};
    if (d.n > 0)
        memcpy(n->data, d.p, d.n);
    *link = n;
    if (n->next == NULL)
        w->tail = n;
    w->bytes += (uint32_t)(sizeof(*n) + d.n);
    w->n_early++;
    if (to > reasm_high(r))
        r->ahead = (uint32_t)(to - r->next);
    return true;
}

/* Delivers [next, to) of a segment; what was cut off is a gap. */
static void
give_part(struct reasm *r, const struct reasm_env *e, const struct reasm_seg *s,
          uint64_t to)
{
    uint64_t from = r->next;
    struct span d = part(s, from, to);
    uint64_t lost = to - from - d.n;

    if (d.n > 0) {
        give_data(r, e, d, s->acked, s->seen);
        if (d.n == s->len)
            reasm_sent_put(r, e, from, d);
    }
    if (lost > 0)
        give_gap(r, e, lost);
}

static void
fill(struct reasm *r, const struct reasm_env *e, const struct reasm_seg *s)
{
    uint64_t end = s->off + s->len;

    while (r->next < end) {
        const struct early *h = head_of(r);

        give_part(r, e, s, h != NULL && h->off < end ? h->off : end);
        drain(r, e);
    }
}

static void
skip_hole(struct reasm *r, const struct reasm_env *e, uint64_t upto)
{
    uint64_t end = reasm_hole_end(r, e->acked);
    uint64_t to = end < upto ? end : upto;
    uint64_t lost = to > r->next ? to - r->next : 0;
    uint64_t guess = lost;

    if (lost == 0)
        return;
    if ((r->flags & REASM_GUESS) != 0)
        guess += r->mark;
    if ((r->flags & REASM_FIN) != 0 || reasm_high(r) > r->next ||
        guess > INT32_MAX)
        guess = 0;
    give_gap(r, e, lost);
    if (guess > 0) {
        r->mark = (uint32_t)guess;
        r->flags |= REASM_GUESS;
    }
    drain(r, e);
}

/* Gives up every hole before at. */
static void
skip_to(struct reasm *r, const struct reasm_env *e, uint64_t at)
{
    while (r->next < at) {
        const struct early *h = head_of(r);

        give_gap(r, e, (h != NULL && h->off < at ? h->off : at) - r->next);
        drain(r, e);
    }
}

/* Puts what is missing in the list aside for later; where there is no memory
 * for it, everything before it is given up and it is delivered at once. */
static unsigned
keep(struct reasm *r, const struct reasm_env *e, const struct reasm_seg *s)
{
    uint64_t end = s->off + s->len;
    uint64_t at = s->off;
    unsigned met = REASM_EARLY;

    while (at < end) {
        const struct early *h = r->work != NULL ? *find(r->work, at) : NULL;
        uint64_t to = h != NULL && h->off < end ? h->off : end;

        if (to <= at) { /* it is there */
            at = early_end(h);
            continue;
        }
        if (!store(r, e, s, at, to)) {
            skip_to(r, e, at);
            fill(r, e, s);
            return met | REASM_DROPPED;
        }
        at = to;
    }
    return met;
}

/* A gap that was told on the word of an acknowledgement, and now its bytes come
 * after all: the word was false, or they were sent again. Go on from here. */
static void
take_back_guess(struct reasm *r, struct reasm_seg *s)
{
    uint64_t from = r->next - r->mark;

    if ((r->flags & REASM_GUESS) == 0 || s->off > from ||
        s->off + s->len <= from)
        return;
    r->base -= r->mark;
    s->off += r->mark;
    r->flags &= (uint8_t)~REASM_GUESS;
}

unsigned
reasm_put(struct reasm *r, const struct reasm_env *e,
          const struct reasm_seg *seg)
{
    struct reasm_seg s = *seg;
    uint64_t was = r->next;
    unsigned met;

    take_back_guess(r, &s);
    if (s.off + s.len <= r->next)
        return REASM_OLD | compare_sent(r, e, &s);
    met = s.off < r->next ? REASM_OLD : 0;
    met |= compare_early(r, e, &s);
    if (s.off <= r->next) {
        met |= reasm_has_hole(r) ? REASM_FILLED : 0;
        fill(r, e, &s);
    } else {
        met |= keep(r, e, &s);
    }
    settle(r, e, r->next != was);
    return met;
}

void
reasm_fin(struct reasm *r, const struct reasm_env *e, uint64_t off)
{
    r->mark = (uint32_t)off;
    r->flags = (uint8_t)((r->flags & ~REASM_GUESS) | REASM_FIN);
    if (off > reasm_high(r))
        r->ahead = (uint32_t)(off - r->next);
    settle(r, e, false);
}

void
reasm_acked(struct reasm *r, const struct reasm_env *e)
{
    if (r->work != NULL)
        reasm_sent_forget(r->work, e->acked);
    if (r->work != NULL || e->acked > r->next)
        settle(r, e, false);
}

void
reasm_give_up(struct reasm *r, const struct reasm_env *e, uint64_t upto)
{
    uint64_t was = r->next;

    skip_hole(r, e, upto);
    settle(r, e, r->next != was);
}

void
reasm_flush(struct reasm *r, const struct reasm_env *e)
{
    while (reasm_hole_end(r, e->acked) > r->next)
        skip_hole(r, e, UINT64_MAX);
    if (r->work != NULL)
        r->work->noticed = 0;
    work_release_idle(r, e);
}

void
reasm_resync(struct reasm *r, const struct reasm_env *e, uint32_t seq)
{
    uint32_t lost;

    reasm_flush(r, e);
    lost = seq - (r->base + (uint32_t)r->next);
    if (r->work != NULL)
        r->work->n_wild = 0;
    r->flags &= (uint8_t)~REASM_GUESS;
    if (lost > 0)
        give_gap(r, e, lost);
    settle(r, e, true);
}

void
reasm_clear(struct reasm *r, struct net_mem *m, struct reasm_pool *p)
{
    if (r->work == NULL)
        return;
    while (r->work->head != NULL)
        drop_head(r->work, m);
    *r->work = (struct reasm_work){.noticed = 0};
    reasm_sent_release(r, m, p);
    r->ahead = 0;
}

void
reasm_pool_fini(struct reasm_pool *p)
{
    while (p->free != NULL) {
        struct reasm_work *w = p->free;

        p->free = w->free;
        free(w);
    }
    p->n = 0;
}
