#ifndef SPAN25_NET_FLOW_PROBE_H
#define SPAN25_NET_FLOW_PROBE_H
/* flow_probe - the first bytes of a flow on an unlisted port
 *
 * Keeps up to max bytes of each direction with the boundaries they came in,
 * so that what was kept can be told to a session as it was. Bytes that have no
 * boundary of their own any more join the direction's last. */
#include "sensor/event/stream.h"
#include "sensor/net/net_mem.h"

#define FLOW_PROBE_MAX    512
#define FLOW_PROBE_PIECES 16

struct probe_piece {
    uint64_t acked;
    ns_t seen; /* of its last bytes: a line is there with its end */
    uint16_t n;
    uint8_t dir;
};

struct probe {
    void *second;     /* state of the second opinion (stream.h) */
    bool second_over; /* it said no */
    uint16_t n[2];
    uint8_t n_piece;
    struct probe_piece piece[FLOW_PROBE_PIECES];
    uint8_t data[2][FLOW_PROBE_MAX];
};

/* Keeps what fits below max; gives how much of k that was. */
size_t flow_probe_add(struct probe *p, const struct chunk *k, size_t max);

/* The kept bytes as chunks, without the first skip[] of each direction. */
void flow_probe_replay(const struct probe *p, const size_t skip[2], ns_t when,
                       void (*data)(void *session, const struct chunk *c),
                       void *session);

static inline struct span
flow_probe_view(const struct probe *p, enum dir d)
{
    return span_of(p->data[d], p->n[d]);
}

#endif
