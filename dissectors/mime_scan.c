#include "dissectors/mime_scan.h"

static bool
is_end(uint8_t c)
{
    return c == '\n' || c == '\r';
}

/* Is there a hot place at i, when a line begins there? */
static bool
is_hot(struct span s, size_t i, bool uu)
{
    uint8_t c = span_at(s, i);
    bool last = i + 1 == s.n;

    if (c == '-')
        return last || span_at(s, i + 1) == '-';
    return uu && c == 'b' && (last || span_at(s, i + 1) == 'e');
}

size_t
mime_scan_portable(struct span s, uint8_t before, bool uu)
{
    size_t i = 0;

    if (s.n == 0 || (is_end(before) && is_hot(s, 0, uu)))
        return 0;
    for (i = 1; i < s.n; i++) {
        if (is_end(s.p[i - 1]) && is_hot(s, i, uu))
            return i;
    }
    return s.n;
}

#if defined(__x86_64__)
#include <immintrin.h>

/* The first hot place at or behind i; mask: bit k says that a line may begin
 * at i + k with a byte that may be hot. */
static inline size_t
settle(struct span s, size_t i, uint32_t mask, bool uu)
{
    for (; mask != 0; mask &= mask - 1) {
        size_t at = i + (size_t)__builtin_ctz(mask);

        if (is_hot(s, at, uu))
            return at;
    }
    return s.n;
}

static size_t
scan_sse2(struct span s, uint8_t before, bool uu)
{
    const __m128i lf = _mm_set1_epi8('\n');
    const __m128i cr = _mm_set1_epi8('\r');
    const __m128i dash = _mm_set1_epi8('-');
    const __m128i other = _mm_set1_epi8(uu ? 'b' : '-');
    size_t i = 1;

    if (s.n == 0 || (is_end(before) && is_hot(s, 0, uu)))
        return 0;
    for (; i + 16 <= s.n; i += 16) {
        __m128i a = _mm_loadu_si128((const void *)(s.p + i - 1));
        __m128i b = _mm_loadu_si128((const void *)(s.p + i));
        __m128i end =
            _mm_or_si128(_mm_cmpeq_epi8(a, lf), _mm_cmpeq_epi8(a, cr));
        __m128i hot =
            _mm_or_si128(_mm_cmpeq_epi8(b, dash), _mm_cmpeq_epi8(b, other));
        uint32_t mask = (uint32_t)_mm_movemask_epi8(_mm_and_si128(end, hot));
        size_t at = settle(s, i, mask, uu);

        if (at < s.n)
            return at;
    }
    return i - 1 + mime_scan_portable(span_tail(s, i - 1), 0, uu);
}

__attribute__((target("avx2"))) static inline __m256i
hot_avx2(const uint8_t *p, uint8_t other)
{
    const __m256i lf = _mm256_set1_epi8('\n');
    const __m256i cr = _mm256_set1_epi8('\r');
    const __m256i dash = _mm256_set1_epi8('-');
    __m256i a = _mm256_loadu_si256((const void *)(p - 1));
    __m256i b = _mm256_loadu_si256((const void *)p);
    __m256i end =
        _mm256_or_si256(_mm256_cmpeq_epi8(a, lf), _mm256_cmpeq_epi8(a, cr));
    __m256i hot =
        _mm256_or_si256(_mm256_cmpeq_epi8(b, dash),
                        _mm256_cmpeq_epi8(b, _mm256_set1_epi8((char)other)));

    return _mm256_and_si256(end, hot);
}

__attribute__((target("avx2"))) static size_t
scan_avx2(struct span s, uint8_t before, bool uu)
{
    uint8_t other = uu ? 'b' : '-';
    size_t i = 1;

    if (s.n == 0 || (is_end(before) && is_hot(s, 0, uu)))
        return 0;
    for (; i + 64 <= s.n; i += 64) {
        __m256i a = hot_avx2(s.p + i, other);
        __m256i b = hot_avx2(s.p + i + 32, other);
        size_t at;

        if (_mm256_testz_si256(_mm256_or_si256(a, b), _mm256_or_si256(a, b)))
            continue;
        at = settle(s, i, (uint32_t)_mm256_movemask_epi8(a), uu);
        if (at < s.n)
            return at;
        at = settle(s, i + 32, (uint32_t)_mm256_movemask_epi8(b), uu);
        if (at < s.n)
            return at;
    }
    return i - 1 + scan_sse2(span_tail(s, i - 1), 0, uu);
}

#define VECTOR_VARIANTS                                                        \
    {"avx2", __builtin_cpu_supports("avx2") ? scan_avx2 : NULL},               \
        {"sse2", scan_sse2},
#else
#define VECTOR_VARIANTS
#endif

void
mime_scan_list(struct mime_scan_variant out[MIME_SCAN_VARIANTS])
{
    const struct mime_scan_variant all[MIME_SCAN_VARIANTS] = {
        VECTOR_VARIANTS{"portable", mime_scan_portable}
    };

    memcpy(out, all, sizeof(all));
}

mime_scan_fn
mime_scan_best(void)
{
    struct mime_scan_variant v[MIME_SCAN_VARIANTS];
    size_t i = 0;

    mime_scan_list(v);
    while (v[i].fn == NULL)
        i++;
    return v[i].fn;
}
