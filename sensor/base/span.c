#include "sensor/base/span.h"

static uint8_t
lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

bool
span_eq_nocase_slow(struct span a, struct span b)
{
    for (size_t i = 0; i < a.n; i++) {
        if (a.p[i] != b.p[i] && lower(a.p[i]) != lower(b.p[i]))
            return false;
    }
    return true;
}

/* ---- search ---- */

/* A text of this length is compared as often as it may begin; for longer ones
 * that would be too often where much of it repeats. */
#define WANT_MAX 32U

/* What is set in both cases of a letter, as far as letters are alike. */
static uint8_t
fold_of(uint8_t c, bool nocase)
{
    c = lower(c);
    return nocase && c >= 'a' && c <= 'z' ? 0x20 : 0;
}

static bool
is_at(struct span s, size_t i, struct span want, bool nocase)
{
    const uint8_t *p = s.p + i;

    return nocase ? span_eq_nocase(span_of(p, want.n), want)
                  : memcmp(p, want.p, want.n) == 0;
}

static size_t
search_from(struct span s, size_t i, struct span want, bool nocase)
{
    for (; i + want.n <= s.n; i++) {
        if (is_at(s, i, want, nocase))
            return i;
    }
    return s.n;
}

#if defined(__SSE2__)
#include <emmintrin.h>

/* Where the first and the last byte fit, sixteen places at a time. want has 1
 * to WANT_MAX bytes. */
static size_t
search(struct span s, struct span want, bool nocase)
{
    uint8_t a = want.p[0], b = want.p[want.n - 1];
    uint8_t fold_a = fold_of(a, nocase), fold_b = fold_of(b, nocase);
    const __m128i first = _mm_set1_epi8((char)(a | fold_a));
    const __m128i last = _mm_set1_epi8((char)(b | fold_b));
    const __m128i or_first = _mm_set1_epi8((char)fold_a);
    const __m128i or_last = _mm_set1_epi8((char)fold_b);
    size_t i = 0;

    for (; i + want.n + 15 <= s.n; i += 16) {
        __m128i x = _mm_loadu_si128((const void *)(s.p + i));
        __m128i y = _mm_loadu_si128((const void *)(s.p + i + want.n - 1));
        __m128i fit =
            _mm_and_si128(_mm_cmpeq_epi8(_mm_or_si128(x, or_first), first),
                          _mm_cmpeq_epi8(_mm_or_si128(y, or_last), last));
        unsigned mask = (unsigned)_mm_movemask_epi8(fit);

        for (; mask != 0; mask &= mask - 1) {
            size_t at = i + (unsigned)__builtin_ctz(mask);

            if (is_at(s, at, want, nocase))
                return at;
        }
    }
    return search_from(s, i, want, nocase);
}

size_t
span_find_control(struct span s, uint32_t fine)
{
    const __m128i most = _mm_set1_epi8(0x1f);
    size_t i = 0;

    for (; i + 16 <= s.n; i += 16) {
        __m128i x = _mm_loadu_si128((const void *)(s.p + i));
        __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(x, most), x);
        unsigned mask = (unsigned)_mm_movemask_epi8(low);

        for (; mask != 0; mask &= mask - 1) {
            size_t at = i + (unsigned)__builtin_ctz(mask);

            if ((fine >> s.p[at] & 1) == 0)
                return at;
        }
    }
    while (i < s.n && (s.p[i] > 0x1f || (fine >> s.p[i] & 1) != 0))
        i++;
    return i;
}
#else
static size_t
search(struct span s, struct span want, bool nocase)
{
    return search_from(s, 0, want, nocase);
}

size_t
span_find_control(struct span s, uint32_t fine)
{
    size_t i = 0;

    while (i < s.n && (s.p[i] > 0x1f || (fine >> s.p[i] & 1) != 0))
        i++;
    return i;
}
#endif

size_t
span_search(struct span s, struct span want)
{
    const uint8_t *hit;

    if (want.n == 0 || s.n < want.n)
        return want.n == 0 ? 0 : s.n;
    if (want.n <= WANT_MAX)
        return search(s, want, false);
    hit = memmem(s.p, s.n, want.p, want.n);
    return hit != NULL ? (size_t)(hit - s.p) : s.n;
}

bool
span_contains_nocase(struct span s, struct span want)
{
    if (want.n == 0 || s.n < want.n)
        return want.n == 0;
    if (want.n <= WANT_MAX)
        return search(s, want, true) < s.n;
    return search_from(s, 0, want, true) < s.n;
}

struct span
span_trim(struct span s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = span_tail(s, 1);
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

bool
span_to_u64(struct span s, uint64_t *out)
{
    uint64_t v = 0;

    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned d = (unsigned)s.p[i] - '0';

        if (d > 9 || v > (UINT64_MAX - d) / 10)
            return false;
        v = v * 10 + d;
    }
    *out = v;
    return true;
}
