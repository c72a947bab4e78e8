#ifndef SPAN25_NET_REASM_H
#define SPAN25_NET_REASM_H
/* reasm - one direction of a TCP connection put in order, RFC 9293 3.4
 *
 * Sequence numbers become 64-bit offsets around the next byte expected, so they
 * may wrap as often as they like. In-order bytes are given on as they lie in
 * the packet; early ones are copied into one sorted list without overlaps. The
 * first reading of a byte wins; other readings are told by odd().
 *
 * A hole is open while bytes before others (or before an acknowledgement, or a
 * FIN) are missing. The caller's clock decides when to give it up; then gap()
 * tells how much is lost and what waited behind it follows. The cut tail of a
 * packet is given up at once: who captures with a snap length does so always.
 *
 * Life: zeros, then reasm_base; reasm_clear frees. Calls back while it works,
 * and must not be called from there.
 *
 * Known gaps: a retransmission of delivered bytes is compared only when it has
 * the boundaries of one of the last REASM_SENT segments not yet acknowledged;
 * 32 bits of hash are compared, so one in 2^32 differences is missed. */
#include "sensor/base/ns.h"
#include "sensor/net/net_mem.h"

#define REASM_SENT 4
#define REASM_POOL 32 /* idle blocks kept */

/* reasm.flags */
#define REASM_BASE 0x01U /* base is known from a SYN or a byte seen */
#define REASM_HINT 0x02U /* base is the first acknowledgement by the peer */
#define REASM_FIN  0x04U /* mark is the FIN's offset, low 32 bits */
#define REASM_GUESS                                                            \
    0x08U /* mark is the length of a gap told on the word of an                \
           * acknowledgement alone; nothing came since */

struct early {
    struct early *next;
    uint64_t off;
    uint64_t acked; /* the segment's own word on the other direction */
    ns_t since;     /* when it was put here */
    ns_t seen;
    uint32_t len; /* on the wire */
    uint32_t n;   /* captured */
    uint8_t data[];
};

/* A delivered segment that the peer has not acknowledged yet. */
struct reasm_sent {
    uint32_t off;
    uint32_t len;
    uint32_t hash;
};

/* What only a busy direction needs. */
struct reasm_work {
    union {
        struct early *head;
        struct reasm_work *free; /* next in the pool */
    };
    struct early *tail;
    ns_t noticed;   /* when the first hole was, 0: there is none */
    uint32_t bytes; /* early ones, bookkeeping included */
    uint16_t n_early;
    uint8_t n_sent;
    uint8_t at_sent; /* the next one's place in the ring */
    uint8_t n_wild;  /* wild segments that followed each other */
    uint32_t wild_end;
    struct reasm_sent sent[REASM_SENT];
};

struct reasm {
    uint64_t next; /* offset of the next byte to deliver */
    struct reasm_work *work;
    uint32_t base;  /* sequence number of offset 0 */
    uint32_t ahead; /* the highest byte seen is next + ahead */
    uint32_t mark;
    uint8_t flags;
};

struct reasm_pool {
    struct reasm_work *free;
    uint32_t n;
};

struct reasm_ops {
    void (*data)(void *ctx, struct span s, uint64_t off, uint64_t acked,
                 ns_t seen);
    void (*gap)(void *ctx, uint64_t lost);
    void (*odd)(void *ctx, unsigned kind, uint64_t off, struct span other);
};

struct reasm_env {
    const struct reasm_ops *ops;
    void *ctx;
    struct net_mem *mem;
    struct reasm_pool *pool;
    ns_t now;
    uint64_t acked; /* how far the peer has acknowledged this direction */
    uint64_t seed;
    bool blind; /* the peer is not seen: it would acknowledge, but not to us */
};

struct reasm_seg {
    struct span data;
    uint64_t off;
    uint32_t len; /* at least data.n */
    uint64_t acked;
    ns_t seen; /* its capture time, as stream.h has it */
};

/* What reasm_put met; bits. */
#define REASM_OLD     0x01U /* some of it had come before */
#define REASM_EARLY   0x02U /* some of it waits */
#define REASM_FILLED  0x04U /* it closed (the head of) a hole */
#define REASM_DIFFERS 0x08U /* another reading of old bytes */
#define REASM_DROPPED 0x10U /* holes given up for want of memory */

/* Offset of a sequence number; negative is before the base. */
static inline int64_t
reasm_off(const struct reasm *r, uint32_t seq)
{
    return (int64_t)r->next + (int32_t)(seq - (r->base + (uint32_t)r->next));
}

static inline uint64_t
reasm_high(const struct reasm *r)
{
    return r->next + r->ahead;
}

static inline bool
reasm_has_hole(const struct reasm *r)
{
    return r->work != NULL && r->work->noticed != 0;
}

/* Nothing waits and nothing is missing: the next byte may be delivered as it
 * comes (reasm_sent.h). */
static inline bool
reasm_is_plain(const struct reasm *r)
{
    return (r->flags & (REASM_BASE | REASM_FIN)) == REASM_BASE &&
           r->ahead == 0 && !reasm_has_hole(r);
}

/* Offset 0 is at seq. With a base that was only a hint, *acked moves along. */
void reasm_base(struct reasm *r, uint32_t seq, unsigned flag, uint64_t *acked);

/* A segment within the wild bound. Its FIN was taken off before. */
unsigned reasm_put(struct reasm *r, const struct reasm_env *e,
                   const struct reasm_seg *s);

/* A FIN at off (at least next): bytes before it may be missing now. */
void reasm_fin(struct reasm *r, const struct reasm_env *e, uint64_t off);

/* env's acked grew: forgets what needs no comparing, may notice a hole. */
void reasm_acked(struct reasm *r, const struct reasm_env *e);

/* Where the first hole ends; next when there is none. */
uint64_t reasm_hole_end(const struct reasm *r, uint64_t acked);

/* Tells bytes up to upto (within the first hole) lost and goes on behind. */
void reasm_give_up(struct reasm *r, const struct reasm_env *e, uint64_t upto);
void reasm_flush(struct reasm *r, const struct reasm_env *e); /* all holes */

/* All waiting bytes are behind a capture outage: seq is the next byte. */
void reasm_resync(struct reasm *r, const struct reasm_env *e, uint32_t seq);

/* All delivered and the FIN reached. */
static inline bool
reasm_done(const struct reasm *r)
{
    return (r->flags & REASM_FIN) != 0 && r->mark == (uint32_t)r->next &&
           r->ahead == 0;
}

/* The busy part, made when it is not there; NULL without memory. */
struct reasm_work *reasm_work(struct reasm *r, const struct reasm_env *e);

/* The same for reasm_sent.h: none is there, nor in the pool. */
struct reasm_work *reasm_work_new(struct reasm *r, struct net_mem *m);

void reasm_clear(struct reasm *r, struct net_mem *m, struct reasm_pool *p);
void reasm_pool_fini(struct reasm_pool *p);

#endif
