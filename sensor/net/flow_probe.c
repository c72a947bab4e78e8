#include "sensor/net/flow_probe.h"

/* The piece that bytes of direction d join, or NULL when there is none yet and
 * no room for one. However they were cut, bytes that know the same of the other
 * side are one piece. */
static struct probe_piece *
piece_for(struct probe *p, enum dir d, uint64_t acked)
{
    struct probe_piece *last =
        p->n_piece > 0 ? &p->piece[p->n_piece - 1] : NULL;

    if (last != NULL && last->dir == (uint8_t)d && last->acked == acked)
        return last;
    if (p->n_piece < FLOW_PROBE_PIECES) {
        p->piece[p->n_piece] =
            (struct probe_piece){.acked = acked, .dir = (uint8_t)d};
        return &p->piece[p->n_piece++];
    }
    for (unsigned i = p->n_piece; i-- > 0;) {
        if (p->piece[i].dir == d)
            return &p->piece[i];
    }
    return NULL;
}

size_t
flow_probe_add(struct probe *p, const struct chunk *k, size_t max)
{
    enum dir d = k->dir;
    size_t room = max < FLOW_PROBE_MAX ? max : FLOW_PROBE_MAX;
    struct probe_piece *piece;
    size_t n;

    room = room > p->n[d] ? room - p->n[d] : 0;
    n = k->data.n < room ? k->data.n : room;
    piece = n > 0 ? piece_for(p, d, k->peer_acked) : NULL;
    if (piece == NULL)
        return 0;
    memcpy(p->data[d] + p->n[d], k->data.p, n);
    p->n[d] = (uint16_t)(p->n[d] + n);
    piece->n = (uint16_t)(piece->n + n);
    piece->seen = k->seen;
    return n;
}

void
flow_probe_replay(const struct probe *p, const size_t skip[2], ns_t when,
                  void (*data)(void *session, const struct chunk *c),
                  void *session)
{
    size_t at[2] = {0, 0};

    for (unsigned i = 0; i < p->n_piece; i++) {
        const struct probe_piece *q = &p->piece[i];
        size_t cut = skip[q->dir] > at[q->dir] ? skip[q->dir] - at[q->dir] : 0;
        struct chunk c = {
            span_tail(span_of(p->data[q->dir] + at[q->dir], q->n), cut),
            (enum dir)q->dir,
            when,
            at[q->dir] + (cut < q->n ? cut : q->n),
            q->acked,
            q->seen};

        at[q->dir] += q->n;
        if (c.data.n > 0)
            data(session, &c);
    }
}
