#ifndef SPAN25_BASE_SPAN_H
#define SPAN25_BASE_SPAN_H
/* span - borrowed bytes, and the cursor that reads them
 *
 * A span never owns its bytes and is never NUL-terminated. A cursor that runs
 * past the end turns bad, stays bad and yields zeros, so a parser reads all its
 * fields and checks c.bad once. Captured bytes are indexed only here. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const uint8_t *p;
    size_t n;
};

struct cursor {
    struct span in;
    size_t at;
    bool bad;
};

#define SPAN_NONE ((struct span){NULL, 0})
/* A span over a string literal, without its NUL; SPAN_INIT for initialisers. */
#define SPAN_INIT(s)                                                           \
    {                                                                          \
        (const uint8_t *)(s), sizeof(s) - 1                                    \
    }
#define SPAN_LIT(s) ((struct span){(const uint8_t *)(s), sizeof(s) - 1})

static inline struct span
span_of(const void *p, size_t n)
{
    return (struct span){p, n};
}

static inline struct span
span_str(const char *s)
{
    return (struct span){(const uint8_t *)s, strlen(s)};
}

/* The first n bytes, or all when there are fewer. */
static inline struct span
span_head(struct span s, size_t n)
{
    return (struct span){s.p, n < s.n ? n : s.n};
}

/* What follows the first n bytes; empty when there are fewer. */
static inline struct span
span_tail(struct span s, size_t n)
{
    size_t k = n < s.n ? n : s.n;

    return (struct span){s.n > 0 ? s.p + k : s.p, s.n - k};
}

/* The byte at i, or 0 past the end. */
static inline uint8_t
span_at(struct span s, size_t i)
{
    return i < s.n ? s.p[i] : 0;
}

static inline bool
span_eq(struct span a, struct span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool
span_starts(struct span s, struct span head)
{
    return s.n >= head.n && (head.n == 0 || memcmp(s.p, head.p, head.n) == 0);
}

bool span_eq_nocase_slow(struct span a, struct span b);

/* ASCII letters compare without case; other bytes exactly. */
static inline bool
span_eq_nocase(struct span a, struct span b)
{
    if (a.n != b.n || a.n == 0)
        return a.n == b.n;
    /* Letters of both cases differ in this bit: most others are told here. */
    return ((a.p[0] ^ b.p[0]) & 0xdf) == 0 && span_eq_nocase_slow(a, b);
}

static inline bool
span_starts_nocase(struct span s, struct span head)
{
    return s.n >= head.n && span_eq_nocase((struct span){s.p, head.n}, head);
}

/* Index of the first byte c, or s.n when there is none. */
static inline size_t
span_find(struct span s, uint8_t c)
{
    const uint8_t *hit = s.n > 0 ? memchr(s.p, c, s.n) : NULL;

    return hit != NULL ? (size_t)(hit - s.p) : s.n;
}

/* Index of the first occurrence of want, or s.n. */
size_t span_search(struct span s, struct span want);
bool span_contains_nocase(struct span s, struct span want);

/* Index of the first byte below 0x20 whose bit is not in fine, or s.n. */
size_t span_find_control(struct span s, uint32_t fine);

/* Without spaces and tabs at both ends. */
struct span span_trim(struct span s);

/* Decimal digits only, at least one; false on anything else or overflow. */
bool span_to_u64(struct span s, uint64_t *out);

static inline struct cursor
cur_open(struct span in)
{
    return (struct cursor){in, 0, false};
}

static inline size_t
cur_left(const struct cursor *c)
{
    return c->bad ? 0 : c->in.n - c->at;
}

/* The next n bytes, or an empty span and a bad cursor. */
static inline struct span
cur_take(struct cursor *c, size_t n)
{
    struct span s;

    if (c->bad || n > c->in.n - c->at) {
        c->bad = true;
        return SPAN_NONE;
    }
    s = (struct span){c->in.n > 0 ? c->in.p + c->at : c->in.p, n};
    c->at += n;
    return s;
}

static inline void
cur_skip(struct cursor *c, size_t n)
{
    (void)cur_take(c, n);
}

/* All that is left; never bad. */
static inline struct span
cur_rest(struct cursor *c)
{
    return cur_take(c, cur_left(c));
}

static inline uint8_t
cur_u8(struct cursor *c)
{
    struct span s = cur_take(c, 1);

    return s.n == 1 ? s.p[0] : 0;
}

static inline uint16_t
cur_be16(struct cursor *c)
{
    struct span s = cur_take(c, 2);
    uint16_t v = 0;

    if (s.n == 2)
        memcpy(&v, s.p, 2);
    return __builtin_bswap16(v);
}

static inline uint32_t
cur_be24(struct cursor *c)
{
    struct span s = cur_take(c, 3);

    return s.n == 3
               ? ((uint32_t)s.p[0] << 16) | ((uint32_t)s.p[1] << 8) | s.p[2]
               : 0;
}

static inline uint32_t
cur_be32(struct cursor *c)
{
    struct span s = cur_take(c, 4);
    uint32_t v = 0;

    if (s.n == 4)
        memcpy(&v, s.p, 4);
    return __builtin_bswap32(v);
}

static inline uint16_t
cur_le16(struct cursor *c)
{
    uint16_t v = 0;
    struct span s = cur_take(c, 2);

    if (s.n == 2)
        memcpy(&v, s.p, 2);
    return v;
}

static inline uint32_t
cur_le32(struct cursor *c)
{
    uint32_t v = 0;
    struct span s = cur_take(c, 4);

    if (s.n == 4)
        memcpy(&v, s.p, 4);
    return v;
}

static inline uint64_t
cur_le64(struct cursor *c)
{
    uint64_t v = 0;
    struct span s = cur_take(c, 8);

    if (s.n == 8)
        memcpy(&v, s.p, 8);
    return v;
}

#endif
