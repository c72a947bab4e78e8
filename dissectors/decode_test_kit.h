#ifndef SPAN25_DISSECTORS_DECODE_TEST_KIT_H
#define SPAN25_DISSECTORS_DECODE_TEST_KIT_H
/* decode_test_kit - runs a decoder over pieces, for its tests and its fuzzer */
#include "dissectors/decode.h"
#include "sensor/base/buf.h"

struct decode_run {
    enum decode_kind kind;
    unsigned kernel;
    size_t cut;   /* first piece; the rest in pieces of `piece` */
    size_t piece; /* SIZE_MAX: one */
    size_t room;
    const uint8_t *choices; /* by fork, may be NULL: all 0 */
    /* out */
    uint32_t odd;
    unsigned forks; /* bits 1 << fork that came up */
    struct decode end;
};

static inline void
decode_run_piece(struct decode_run *r, struct span in, uint8_t *room,
                 struct buf *out)
{
    struct decode *d = &r->end;

    while (in.n > 0) {
        size_t before = in.n;
        size_t n = decode_push(d, &in, room, r->room);

        REQUIRE(n <= r->room);
        REQUIRE(in.n < before || n > 0 || d->fork != DECODE_FORK_NONE);
        REQUIRE(in.n == 0 || d->fork != DECODE_FORK_NONE ||
                r->room - n < DECODE_ROOM_MIN);
        buf_put(out, room, n);
        if (d->fork == DECODE_FORK_NONE)
            continue;
        REQUIRE(in.n > 0 && (r->forks >> d->fork & 1U) == 0);
        r->forks |= 1U << d->fork;
        decode_choose(d, r->choices != NULL ? r->choices[d->fork] : 0);
    }
}

/* Appends to out. */
static inline void
decode_run(struct decode_run *r, struct span in, struct buf *out)
{
    struct decode *d = &r->end;
    uint8_t *room = malloc(r->room); /* exact, so that a sanitizer sees */
    size_t n;

    REQUIRE(room != NULL);
    decode_init(d, r->kind);
    REQUIRE(decode_use(d, r->kernel));
    r->forks = 0;
    decode_run_piece(r, span_head(in, r->cut), room, out);
    in = span_tail(in, r->cut);
    while (in.n > 0) {
        decode_run_piece(r, span_head(in, r->piece), room, out);
        in = span_tail(in, r->piece);
    }
    n = decode_end(d, room, DECODE_ROOM_MIN);
    REQUIRE(n <= DECODE_ROOM_MIN);
    buf_put(out, room, n);
    r->odd = d->odd;
    free(room);
}

/* Runs in one piece and by every first cut, with small and large rooms and with
 * every kernel: all must give the same. The result is in out and *r. */
static inline void
decode_run_all_cuts(struct decode_run *r, struct span in, struct buf *out)
{
    static const size_t pieces[] = {SIZE_MAX, 1, 7};
    struct buf other;

    r->kernel = 0;
    r->cut = r->piece = SIZE_MAX;
    r->room = 4096;
    decode_run(r, in, out);
    buf_init(&other, SIZE_MAX);
    for (size_t i = 0; i <= in.n; i++) {
        struct decode_run o = *r;

        o.cut = i;
        o.piece = pieces[i % ARRAY_LEN(pieces)];
        o.room = i % 2 == 0 ? DECODE_ROOM_MIN : DECODE_ROOM_MIN + i;
        o.kernel = (unsigned)i % 4;
        while (!decode_use(&o.end, o.kernel))
            o.kernel--;
        buf_reset(&other);
        decode_run(&o, in, &other);
        REQUIRE(span_eq(buf_view(&other), buf_view(out)));
        REQUIRE(o.odd == r->odd && o.forks == r->forks);
        REQUIRE(decode_same(&o.end, &r->end));
    }
    buf_free(&other);
}

#endif
