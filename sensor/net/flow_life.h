#ifndef SPAN25_NET_FLOW_LIFE_H
#define SPAN25_NET_FLOW_LIFE_H
/* flow_life - birth, session, deadlines and end of a connection
 *
 * What flow.c finds in a segment is turned into the calls of struct stream_ops
 * here. A step is one connection at work in one direction; it lives on the
 * stack for one segment or timer. */
#include "sensor/event/anomaly.h"
#include "sensor/net/flow_key.h"
#include "sensor/net/net.h"
#include "sensor/net/shard.h"

struct flow_env {
    struct net_limits limits;
    const struct stream_ops *ops;
    void *ops_ctx;
    struct net_stats *stats;
    struct flow_key_seed key;
    uint64_t seed;
    ns_t now;
    bool ending; /* of the capture: who ends is chosen already */
    ns_t seen;   /* capture time of the packet at hand, at most now */
    uint8_t ports[65536 / 8]; /* listed */
};

struct flow_step {
    struct flow_env *e;
    struct shard *s;
    struct conn *c;
    enum dir d;
};

static inline bool
flow_life_is_listed(const struct flow_env *e, uint16_t port)
{
    return (e->ports[port / 8] & (1U << (port % 8))) != 0;
}

static inline struct flow_half *
flow_life_half(const struct flow_step *st)
{
    return &st->c->flow.half[st->d];
}

static inline struct reasm *
flow_life_reasm(const struct flow_step *st)
{
    return &st->c->r[st->d];
}

static inline struct flow_step
flow_life_other(const struct flow_step *st)
{
    return (struct flow_step){st->e, st->s, st->c, dir_other(st->d)};
}

/* Packets of the direction were seen: what is missing is loss, not blindness.
 */
static inline bool
flow_life_is_seen(const struct conn *c, enum dir d)
{
    return c->flow.half[d].packets > 0;
}

/* For calls into reasm; st must outlive it. */
struct reasm_env flow_life_env(struct flow_step *st);

/* A connection for the segment, after making room; NULL when it is to have
 * none. *d is the direction of the segment. */
struct conn *flow_life_new(struct flow_env *e, struct shard *s,
                           const struct decoded *p, uint16_t iface,
                           uint32_t tag, enum dir *d);

/* The first payload of either direction is about to come. */
void flow_life_start(struct flow_step *st);

/* Reports to the session, when there is one. */
void flow_life_odd(struct flow_step *st, unsigned kind, uint64_t off,
                   struct span other);

/* Gives up holes of this and other connections until n more bytes may wait. */
void flow_life_room(struct flow_step *st, size_t n, uint64_t off);

/* Tells the end. The connection stays, closed. */
void flow_life_close(struct flow_env *e, struct shard *s, struct conn *c,
                     enum end_why why);
void flow_life_drop(struct flow_env *e, struct shard *s, struct conn *c,
                    enum end_why why); /* and it is gone */

/* After a segment: ends what is done, puts the connection in its list, sets its
 * timer. */
void flow_life_settle(struct flow_env *e, struct shard *s, struct conn *c);

/* The session may have changed its mind about wants_tick. */
void flow_life_wants(struct flow_env *e, struct shard *s, struct conn *c);

/* The connection's timer is due at e->now, a tick. */
void flow_life_timer(struct flow_env *e, struct shard *s, struct conn *c);

/* Its end at the capture's end. */
void flow_life_finish(struct flow_env *e, struct shard *s, struct conn *c);

/* Frees what it holds and tells nobody. */
void flow_life_forget(struct flow_env *e, struct shard *s, struct conn *c);

#endif
