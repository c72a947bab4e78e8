#ifndef SPAN25_NET_SHARD_H
#define SPAN25_NET_SHARD_H
/* shard - one of the FLOW_SHARDS flow tables
 *
 * A shard has its own slab, hash table, lists, timers and account, and nothing
 * in it depends on another shard: what happens to a flow is the same whichever
 * worker owns the shard and whatever else that worker owns.
 *
 * Connections stay where they are in memory until shard_remove. The table is
 * open addressing by a 32-bit tag with linear probing; removal shifts back. */
#include "sensor/net/flow_conn.h"
#include "sensor/net/timer.h"

#define SHARD_CHUNK 64U /* connections allocated at once */

struct shard_slot {
    uint32_t tag;
    uint32_t conn; /* from 1; 0: empty */
};

struct shard_list {
    uint32_t head;
    uint32_t tail;
};

struct shard {
    struct net_mem mem;
    struct reasm_pool pool;
    struct timer timer;
    struct conn **chunk;
    uint32_t n_chunk;
    uint32_t room_chunk;
    uint32_t free;
    uint32_t n;
    uint32_t n_max;
    uint32_t hand; /* of the eviction's walk over the slab */
    struct shard_slot *slot;
    uint32_t mask; /* slots - 1 */
    struct shard_list list[CONN_LIST_COUNT];
    uint8_t number;
};

void shard_init(struct shard *s, uint8_t number, uint64_t mem_max,
                uint32_t n_max);
void shard_fini(struct shard *s); /* connections must have been cleared */

/* One more connection is within n_max and mem.max. */
bool shard_has_room(const struct shard *s);

/* A cleared connection in the table, in no list, without timer; NULL when
 * memory is out (n_max and mem.max are the caller's to keep). */
struct conn *shard_add(struct shard *s, uint32_t tag);
void shard_remove(struct shard *s, struct conn *c);

static inline struct conn *
shard_at(const struct shard *s, uint32_t slot)
{
    return &s->chunk[slot / SHARD_CHUNK][slot % SHARD_CHUNK];
}

/* For a walk: slots are 0..n-1, some of them CONN_FREE. */
static inline uint32_t
shard_slots(const struct shard *s)
{
    return s->n_chunk * SHARD_CHUNK;
}

/* The timer of a connection; its tick is in due, as every segment asks for it
 * and the heap lies elsewhere. */
static inline void
shard_timer_set(struct shard *s, struct conn *c, uint64_t tick)
{
    timer_set(&s->timer, c->slot, tick);
    c->due = tick;
}

static inline void
shard_timer_drop(struct shard *s, struct conn *c)
{
    timer_drop(&s->timer, c->slot);
    c->due = TIMER_NEVER;
}

/* Moves to the end of a list, or to none. */
void shard_list_set(struct shard *s, struct conn *c, enum conn_list list);

/* The one to evict next; NULL when there is none. The spare list, the embryos,
 * then the idlest of the next sample of the slab. */
struct conn *shard_victim(struct shard *s, uint32_t sample);

/* Of the next sample of the slab the one with a session that has been idle
 * longest, since before that time and without a RST; NULL: none. */
struct conn *shard_idle(struct shard *s, uint32_t sample, ns_t before);

#endif
