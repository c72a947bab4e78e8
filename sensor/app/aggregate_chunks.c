#include "sensor/app/aggregate_chunks.h"

#include "sensor/base/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

#define LEVEL  1
#define DIGITS 16U
#define PIECES ((size_t)(CHUNKS_MAX / CHUNKS_BYTES) + 1)
#define WHOLE  "whole"

/* ---- writing ---- */

static void
put_u64(uint8_t *at, uint64_t v)
{
    for (unsigned i = 0; i < 8; i++)
        at[i] = (uint8_t)(v >> (8 * i));
}

void
chunks_key(struct chunks_id id, size_t i, size_t n, char key[CHUNKS_KEY])
{
    int at = snprintf(key, CHUNKS_KEY, "%016" PRIx64 "-%016" PRIx64 "/",
                      id.offset, id.writer);

    if (i + 1 < n)
        (void)snprintf(key + at, CHUNKS_KEY - (size_t)at, "%016zx", i);
    else
        (void)snprintf(key + at, CHUNKS_KEY - (size_t)at, WHOLE);
}

enum err
chunks_pack(struct chunks_out *c, struct chunks_id id, struct span state)
{
    size_t bound = ZSTD_compressBound(state.n);
    size_t n;

    *c = (struct chunks_out){.id = id};
    if (state.n > CHUNKS_MAX || bound > CHUNKS_MAX)
        return ERR_LIMIT;
    buf_init(&c->packed, bound);
    if (!buf_grow(&c->packed, bound))
        return ERR_NOMEM;
    n = ZSTD_compress(c->packed.p, bound, state.p, state.n, LEVEL);
    if (ZSTD_isError(n))
        return ERR_NOMEM;
    c->packed.n = n;
    c->n = (n + CHUNKS_BYTES - 1) / CHUNKS_BYTES + 1;
    put_u64(c->whole, c->n);
    put_u64(c->whole + 8, n);
    put_u64(c->whole + 16, hash_span(buf_view(&c->packed), id.offset));
    return ERR_OK;
}

void
chunks_message(const struct chunks_out *c, size_t i, char key[CHUNKS_KEY],
               struct span *value)
{
    chunks_key(c->id, i, c->n, key);
    *value = i + 1 < c->n ? span_head(span_tail(buf_view(&c->packed),
                                                i * (size_t)CHUNKS_BYTES),
                                      CHUNKS_BYTES)
                          : span_of(c->whole, sizeof(c->whole));
}

void
chunks_out_free(struct chunks_out *c)
{
    buf_free(&c->packed);
    *c = (struct chunks_out){.n = 0};
}

/* ---- reading ---- */

struct state {
    struct chunks_id id;
    struct buf *piece; /* n of them; one that is not there is empty */
    size_t n;
    uint8_t whole[24];
    bool is_whole, used;
};

struct chunks_in {
    struct state states[CHUNKS_STATES];
};

enum err
chunks_in_new(struct chunks_in **out)
{
    struct chunks_in *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return ERR_NOMEM;
    *out = c;
    return ERR_OK;
}

static void
state_free(struct state *s)
{
    for (size_t i = 0; i < s->n; i++)
        buf_free(&s->piece[i]);
    free(s->piece);
    *s = (struct state){.used = false};
}

void
chunks_in_free(struct chunks_in *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < CHUNKS_STATES; i++)
        state_free(&c->states[i]);
    free(c);
}

static bool
read_hex(struct span s, uint64_t *out)
{
    uint64_t v = 0;

    if (s.n != DIGITS)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = span_at(s, i);

        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
            return false;
        v = v << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    *out = v;
    return true;
}

/* number is SIZE_MAX for the last message. */
static bool
read_key(struct span key, struct chunks_id *id, size_t *number)
{
    struct span writer = span_head(span_tail(key, DIGITS + 1), DIGITS);
    struct span rest = span_tail(key, 2 * DIGITS + 2);
    uint64_t n;

    if (!read_hex(span_head(key, DIGITS), &id->offset) ||
        span_at(key, DIGITS) != '-' || !read_hex(writer, &id->writer) ||
        span_at(key, 2 * DIGITS + 1) != '/')
        return false;
    *number = SIZE_MAX;
    if (span_eq(rest, SPAN_LIT(WHOLE)))
        return true;
    if (!read_hex(rest, &n) || n >= PIECES)
        return false;
    *number = (size_t)n;
    return true;
}

static bool
is_same(struct chunks_id a, struct chunks_id b)
{
    return a.offset == b.offset && a.writer == b.writer;
}

/* Which of two offers less? */
static bool
is_lower(const struct state *a, const struct state *b)
{
    if (a->used != b->used)
        return !a->used;
    return a->id.offset < b->id.offset;
}

/* The one of this id; else room for it, in place of the lowest one. NULL: all
 * there are, are higher. */
static struct state *
find_state(struct chunks_in *c, struct chunks_id id)
{
    struct state *low = &c->states[0];

    for (size_t i = 0; i < CHUNKS_STATES; i++) {
        struct state *s = &c->states[i];

        if (s->used && is_same(s->id, id))
            return s;
        if (is_lower(s, low))
            low = s;
    }
    if (low->used && low->id.offset > id.offset)
        return NULL;
    state_free(low);
    low->used = true;
    low->id = id;
    return low;
}

static enum err
keep_piece(struct state *s, size_t number, struct span value)
{
    struct buf *b;

    if (number >= s->n) {
        struct buf *grown = reallocarray(s->piece, number + 1, sizeof(*grown));

        if (grown == NULL)
            return ERR_NOMEM;
        s->piece = grown;
        for (; s->n <= number; s->n++)
            buf_init(&s->piece[s->n], CHUNKS_BYTES);
    }
    b = &s->piece[number];
    buf_reset(b);
    buf_span(b, value);
    return b->failed ? ERR_NOMEM : ERR_OK;
}

enum err
chunks_take(struct chunks_in *c, struct span key, struct span value)
{
    struct chunks_id id;
    size_t number;
    struct state *s;

    if (!read_key(key, &id, &number))
        return ERR_OK;
    s = find_state(c, id);
    if (s == NULL)
        return ERR_OK;
    if (number < SIZE_MAX)
        return keep_piece(s, number, value);
    s->is_whole = value.n == sizeof(s->whole);
    if (s->is_whole)
        memcpy(s->whole, value.p, sizeof(s->whole));
    return ERR_OK;
}

/* All pieces, one behind the other; false: not as its last message says. */
static bool
join(const struct state *s, struct buf *packed)
{
    struct cursor c = cur_open(span_of(s->whole, sizeof(s->whole)));
    uint64_t n = cur_le64(&c), bytes = cur_le64(&c), hash = cur_le64(&c);

    if (!s->is_whole || n == 0 || n - 1 > s->n || bytes > CHUNKS_MAX)
        return false;
    for (size_t i = 0; i + 1 < n; i++)
        buf_span(packed, buf_view(&s->piece[i]));
    return packed->n == bytes && !packed->failed &&
           hash_span(buf_view(packed), s->id.offset) == hash;
}

static enum err
unpack(struct span packed, struct buf *state)
{
    unsigned long long size = ZSTD_getFrameContentSize(packed.p, packed.n);
    size_t n;

    if (size > CHUNKS_MAX) /* also: not known, or no frame */
        return ERR_CORRUPT;
    if (size > 0 && !buf_grow(state, (size_t)size))
        return ERR_NOMEM;
    n = ZSTD_decompress(state->p + state->n, (size_t)size, packed.p, packed.n);
    if (ZSTD_isError(n) || n != size)
        return ERR_CORRUPT;
    state->n += n;
    return ERR_OK;
}

/* The highest that was not tried. */
static const struct state *
highest(const struct chunks_in *c, unsigned tried)
{
    const struct state *best = NULL;

    for (size_t i = 0; i < CHUNKS_STATES; i++) {
        const struct state *s = &c->states[i];

        if (s->is_whole && (tried >> i & 1) == 0 &&
            (best == NULL || s->id.offset > best->id.offset))
            best = s;
    }
    return best;
}

static enum err
read_state(const struct state *s, struct buf *state)
{
    struct buf packed;
    enum err e = ERR_CORRUPT;

    buf_init(&packed, CHUNKS_MAX);
    buf_reset(state);
    if (join(s, &packed))
        e = unpack(buf_view(&packed), state);
    else if (packed.failed)
        e = ERR_NOMEM;
    buf_free(&packed);
    return e;
}

enum err
chunks_best(const struct chunks_in *c, struct chunks_id *id, size_t *n,
            struct buf *state)
{
    const struct state *s;
    enum err e = ERR_NOENT;
    unsigned tried = 0;

    while (e != ERR_OK && e != ERR_NOMEM && (s = highest(c, tried)) != NULL) {
        tried |= 1U << (s - c->states);
        e = read_state(s, state);
        *id = s->id;
        *n = s->n + 1;
    }
    return e;
}

bool
chunks_other(const struct chunks_in *c, const struct chunks_id *keep, size_t i,
             struct chunks_id *id, size_t *n)
{
    size_t at = 0;

    for (size_t k = 0; k < CHUNKS_STATES; k++) {
        const struct state *s = &c->states[k];

        if (!s->used || (keep != NULL && is_same(s->id, *keep)) || at++ != i)
            continue;
        *id = s->id;
        *n = s->n + 1;
        return true;
    }
    return false;
}
