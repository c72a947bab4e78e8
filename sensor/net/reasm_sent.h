#ifndef SPAN25_NET_REASM_SENT_H
#define SPAN25_NET_REASM_SENT_H
/* reasm_sent - segments delivered and not yet acknowledged
 *
 * Nearly every segment is remembered when it is delivered and forgotten with
 * the next packet of its peer, so this is inlined into both reasm.c and the
 * measured path of flow.c. For these two only. */
#include "sensor/base/hash.h"
#include "sensor/net/reasm.h"

/* The busy part is idle when it is made and whenever it is in the pool: nothing
 * in it is set but, there, the link. */
static inline struct reasm_work *
reasm_sent_work(struct reasm *r, struct net_mem *m, struct reasm_pool *p)
{
    struct reasm_work *w = r->work;

    if (w != NULL)
        return w;
    w = p->free;
    if (UNLIKELY(w == NULL) || UNLIKELY(!net_mem_has(m, sizeof(*w))))
        return reasm_work_new(r, m);
    p->free = w->free;
    p->n--;
    m->used += sizeof(*w);
    w->head = NULL;
    r->work = w;
    return w;
}

/* Gives an idle busy part back. */
static inline void
reasm_sent_release(struct reasm *r, struct net_mem *m, struct reasm_pool *p)
{
    struct reasm_work *w = r->work;

    r->work = NULL;
    if (UNLIKELY(p->n >= REASM_POOL)) {
        net_mem_put(m, w, sizeof(*w));
        return;
    }
    m->used -= sizeof(*w);
    w->free = p->free;
    p->free = w;
    p->n++;
}

static inline void
reasm_sent_forget(struct reasm_work *w, uint64_t acked)
{
    while (w->n_sent > 0) {
        const struct reasm_sent *s =
            &w->sent[(uint8_t)(w->at_sent - w->n_sent) % REASM_SENT];

        if ((int32_t)(s->off + s->len - (uint32_t)acked) > 0)
            return;
        w->n_sent--;
    }
}

static inline uint32_t
reasm_sent_hash(struct span s, uint64_t seed)
{
    return (uint32_t)hash_span(s, seed);
}

/* Of many in flight the oldest are kept: they are what a sender repeats, and
 * the others need no hash. Without the peer's word none is ever acknowledged,
 * so then the newest are. */
static inline void
reasm_sent_put(struct reasm *r, const struct reasm_env *e, uint64_t off,
               struct span s)
{
    struct reasm_work *w;

    if (off + s.n <= e->acked)
        return;
    w = reasm_sent_work(r, e->mem, e->pool);
    if (w == NULL)
        return;
    reasm_sent_forget(w, e->acked);
    if (w->n_sent == REASM_SENT && !e->blind)
        return;
    w->n_sent = (uint8_t)(w->n_sent + (w->n_sent < REASM_SENT));
    w->sent[w->at_sent++ % REASM_SENT] = (struct reasm_sent){
        (uint32_t)off, (uint32_t)s.n, reasm_sent_hash(s, e->seed)};
}

/* The caller delivers s at r->next on its own; see reasm_is_plain. */
static inline void
reasm_sent_delivered(struct reasm *r, const struct reasm_env *e, struct span s)
{
    uint64_t off = r->next;

    r->flags &= (uint8_t)~REASM_GUESS;
    r->next += s.n;
    reasm_sent_put(r, e, off, s);
}

/* reasm_acked of a plain direction with a busy part, acked at most next. */
static inline void
reasm_sent_acked(struct reasm *r, struct net_mem *m, struct reasm_pool *p,
                 uint64_t acked)
{
    reasm_sent_forget(r->work, acked);
    if (r->work->n_sent == 0 && r->work->n_wild == 0)
        reasm_sent_release(r, m, p);
}

#endif
