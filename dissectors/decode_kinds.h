#ifndef SPAN25_DISSECTORS_DECODE_KINDS_H
#define SPAN25_DISSECTORS_DECODE_KINDS_H
/* decode_kinds - the decoders behind decode.h; included by them only
 *
 * push takes bytes and gives as many as fit into out, and returns with input
 * left only when decode_out_full() or a fork was set. end writes what is left.
 * What a fork means is settled by push when it comes by again. */
#include "dissectors/decode.h"
#include "sensor/base/attr.h"

struct decode_out {
    uint8_t *p;
    size_t n;
    size_t room;
};

/* What is left of the room; a step of a decoder that writes at most STEP bytes
 * may go ahead while it is not full. */
#define DECODE_STEP DECODE_ROOM_MIN

static inline bool
decode_out_full(const struct decode_out *o)
{
    return o->room - o->n < DECODE_STEP;
}

static inline void
decode_out_byte(struct decode_out *o, uint8_t c)
{
    REQUIRE(o->n < o->room);
    o->p[o->n++] = c;
}

static inline void
decode_out_bytes(struct decode_out *o, const uint8_t *p, size_t n)
{
    REQUIRE(n <= o->room - o->n);
    if (n > 0)
        memcpy(o->p + o->n, p, n);
    o->n += n;
}

static inline void
decode_note(struct decode *d, enum decode_odd odd)
{
    d->odd |= 1U << odd;
}

/* True when the fork has to be settled first; it is set then. */
static inline bool
decode_forks(struct decode *d, enum decode_fork f)
{
    if (d->choice[f] == 0)
        d->fork = (uint8_t)f;
    return d->choice[f] == 0;
}

static inline bool
decode_chose(const struct decode *d, enum decode_fork f, unsigned choice)
{
    return d->choice[f] == choice + 1;
}

void decode_base64_push(struct decode *d, struct span *in,
                        struct decode_out *out);
void decode_base64_end(struct decode *d, struct decode_out *out);
void decode_qp_push(struct decode *d, struct span *in, struct decode_out *out);
void decode_qp_end(struct decode *d, struct decode_out *out);
void decode_uu_push(struct decode *d, struct span *in, struct decode_out *out);
void decode_uu_end(struct decode *d, struct decode_out *out);
void decode_binhex_push(struct decode *d, struct span *in,
                        struct decode_out *out);
void decode_binhex_end(struct decode *d, struct decode_out *out);

#endif
