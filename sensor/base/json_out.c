#include "sensor/base/json_out.h"

#include "sensor/base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define DOUBLE_TEXT 32

static void
separate(struct json_out *j)
{
    uint32_t bit = 1U << j->depth;

    if (j->comma & bit)
        buf_putc(j->out, ',');
    j->comma |= bit;
}

void
json_begin(struct json_out *j, char bracket)
{
    separate(j);
    REQUIRE(j->depth < JSON_DEPTH);
    j->depth++;
    j->comma &= ~(1U << j->depth);
    buf_putc(j->out, (uint8_t)bracket);
}

void
json_end(struct json_out *j, char bracket)
{
    REQUIRE(j->depth > 0);
    j->depth--;
    buf_putc(j->out, (uint8_t)bracket);
}

void
json_key(struct json_out *j, const char *key)
{
    separate(j);
    buf_putc(j->out, '"');
    buf_str(j->out, key);
    buf_put(j->out, "\":", 2);
    j->comma &= ~(1U << j->depth);
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
#define TOP        EACH(0x80)
#define WORD       sizeof(uint64_t)

/* Index of the first byte of the word that needs care, or WORD: below 0x20,
 * above 0x7e, quote or backslash. A top bit says so, of the byte itself or of a
 * difference that went below zero; what is borrowed spoils only bytes above the
 * first. Little-endian, as are all our targets. */
static inline size_t
plain_in_word(uint64_t x)
{
    uint64_t odd =
        (x | (x + EACH(1)) | (x - EACH(0x20)) | ((x ^ EACH('"')) - EACH(1)) |
         ((x ^ EACH('\\')) - EACH(1))) &
        TOP;

    return odd == 0 ? WORD : (size_t)__builtin_ctzll(odd) / 8;
}

static bool
is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static uint8_t *
append(uint8_t *at, const char *text, size_t n)
{
    memcpy(at, text, n);
    return at + n;
}

static uint8_t *
escape_ascii(uint8_t *at, uint8_t c)
{
    static const char set[] = "0123456789abcdef";

    switch (c) {
    case '"': return append(at, "\\\"", 2);
    case '\\': return append(at, "\\\\", 2);
    case '\n': return append(at, "\\n", 2);
    case '\r': return append(at, "\\r", 2);
    case '\t': return append(at, "\\t", 2);
    default: break;
    }
    at = append(at, "\\u00", 4);
    *at++ = (uint8_t)set[c >> 4];
    *at++ = (uint8_t)set[c & 15];
    return at;
}

/* The first character of s, which is not plain; *used bytes of s. */
static uint8_t *
escape_first(uint8_t *at, struct span s, size_t *used, bool *replaced)
{
    size_t n = utf8_len(s);

    *used = n > 0 ? n : 1;
    if (n == 1)
        return escape_ascii(at, s.p[0]);
    if (n > 1)
        return append(at, (const char *)s.p, n);
    *replaced = true;
    return append(at, "\xef\xbf\xbd", 3);
}

/* Copies the plain head of s, of less than a word, and gives its length. */
static size_t
copy_part(uint8_t *at, struct span s)
{
    size_t n = 0;

    if (s.n >= WORD / 2) {
        uint32_t first;
        uint32_t last; /* overlaps first */

        memcpy(&first, s.p, WORD / 2);
        memcpy(&last, s.p + s.n - WORD / 2, WORD / 2);
        if (plain_in_word(first | (uint64_t)last << 32) == WORD) {
            memcpy(at, &first, WORD / 2);
            memcpy(at + s.n - WORD / 2, &last, WORD / 2);
            return s.n;
        }
    }
    for (; n < s.n && is_plain(s.p[n]); n++)
        at[n] = s.p[n];
    return n;
}

/* Copies the plain head of s and gives its length. A word at a time; the last
 * one overlaps the one before. */
static size_t
copy_words(uint8_t *at, struct span s)
{
    size_t n = 0;
    uint64_t x;

    if (s.n < WORD)
        return copy_part(at, s);
    for (;;) {
        size_t k;

        memcpy(&x, s.p + n, WORD);
        memcpy(at + n, &x, WORD);
        k = plain_in_word(x);
        if (k < WORD)
            return n + k;
        if (n + WORD == s.n)
            return s.n;
        n = s.n - n < 2 * WORD ? s.n - WORD : n + WORD;
    }
}

static size_t
plain_words(struct span s)
{
    size_t n = 0;

    while (s.n - n >= WORD) {
        uint64_t x;
        size_t k;

        memcpy(&x, s.p + n, WORD);
        k = plain_in_word(x);
        n += k;
        if (k < WORD)
            return n;
    }
    while (n < s.n && is_plain(s.p[n]))
        n++;
    return n;
}

#if defined(__SSE2__)
#define STEP ((size_t)16)

/* A bit for each byte that needs care; those above 0x7f are negative. */
static inline unsigned
odd_in_step(__m128i x)
{
    __m128i odd = _mm_cmplt_epi8(x, _mm_set1_epi8(0x20));

    odd = _mm_or_si128(odd, _mm_cmpeq_epi8(x, _mm_set1_epi8(0x7f)));
    odd = _mm_or_si128(odd, _mm_cmpeq_epi8(x, _mm_set1_epi8('"')));
    odd = _mm_or_si128(odd, _mm_cmpeq_epi8(x, _mm_set1_epi8('\\')));
    return (unsigned)_mm_movemask_epi8(odd);
}

size_t
json_plain_run(struct span s)
{
    size_t n = 0;

    while (s.n - n >= STEP) {
        unsigned odd = odd_in_step(_mm_loadu_si128((const void *)(s.p + n)));

        if (odd != 0)
            return n + (unsigned)__builtin_ctz(odd);
        n += STEP;
    }
    return n + plain_words(span_tail(s, n));
}

/* As copy_words, sixteen bytes at a time. */
static size_t
copy_plain(uint8_t *at, struct span s)
{
    size_t n = 0;

    if (s.n < STEP)
        return copy_words(at, s);
    for (;;) {
        __m128i x = _mm_loadu_si128((const void *)(s.p + n));
        unsigned odd = odd_in_step(x);

        _mm_storeu_si128((void *)(at + n), x);
        if (odd != 0)
            return n + (unsigned)__builtin_ctz(odd);
        if (n + STEP == s.n)
            return s.n;
        n = s.n - n < 2 * STEP ? s.n - STEP : n + STEP;
    }
}
#else
size_t
json_plain_run(struct span s)
{
    return plain_words(s);
}

static size_t
copy_plain(uint8_t *at, struct span s)
{
    return copy_words(at, s);
}
#endif

/* The first character of s is not plain. Out of line, as most texts are plain
 * and json_escape then saves no registers. */
static NOINLINE uint8_t *
escape_rest(uint8_t *at, struct span s, bool *replaced)
{
    for (;;) {
        size_t n;

        at = escape_first(at, s, &n, replaced);
        s = span_tail(s, n);
        n = copy_plain(at, s);
        at += n;
        if (n == s.n)
            return at;
        s = span_tail(s, n);
    }
}

uint8_t *
json_escape(uint8_t *at, struct span s, bool *replaced)
{
    size_t n = copy_plain(at, s);

    if (LIKELY(n == s.n))
        return at + n;
    return escape_rest(at + n, span_tail(s, n), replaced);
}

/* Character by character, for a buffer that is nearly full. */
static void
str_tight(struct buf *out, struct span s, bool *replaced)
{
    uint8_t room[4 * JSON_ESCAPE_MAX];

    while (s.n > 0) {
        size_t n = utf8_len(s);
        struct span one = span_head(s, n > 0 ? n : 1);

        buf_put(out, room, (size_t)(json_escape(room, one, replaced) - room));
        s = span_tail(s, one.n);
    }
}

bool
json_str(struct json_out *j, struct span s)
{
    struct buf *out = j->out;
    bool replaced = false;

    separate(j);
    buf_putc(out, '"');
    if (s.n > (out->max - out->n) / JSON_ESCAPE_MAX)
        str_tight(out, s, &replaced);
    else if (buf_grow(out, s.n * JSON_ESCAPE_MAX))
        out->n = (size_t)(json_escape(out->p + out->n, s, &replaced) - out->p);
    buf_putc(out, '"');
    return replaced;
}

void
json_u64(struct json_out *j, uint64_t v)
{
    separate(j);
    buf_u64(j->out, v);
}

void
json_i64(struct json_out *j, int64_t v)
{
    separate(j);
    if (v < 0)
        buf_putc(j->out, '-');
    buf_u64(j->out, v < 0 ? (uint64_t) - (v + 1) + 1 : (uint64_t)v);
}

void
json_double(struct json_out *j, double v)
{
    char text[DOUBLE_TEXT];
    int n = 0;

    if (isnan(v)) {
        json_null(j);
        return;
    }
    if (isinf(v)) {
        (void)json_str(j, v > 0 ? SPAN_LIT("inf") : SPAN_LIT("-inf"));
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(text, sizeof(text), "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    json_raw(j, span_of(text, n > 0 ? (size_t)n : 0));
}

void
json_bool(struct json_out *j, bool v)
{
    separate(j);
    buf_str(j->out, v ? "true" : "false");
}

void
json_null(struct json_out *j)
{
    separate(j);
    buf_str(j->out, "null");
}

void
json_raw(struct json_out *j, struct span s)
{
    separate(j);
    buf_span(j->out, s);
}
