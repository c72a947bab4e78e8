#include "dissectors/smtp_scan.h"

size_t
smtp_scan_portable(struct span s, struct smtp_scan_facts *f)
{
    uint8_t prev = f->prev;

    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];

        if (prev == '\r' && c != '\n')
            f->bare_cr = true;
        if (c == '.' && (prev == '\n' || prev == '\r' || prev == 0)) {
            f->prev = prev;
            return i;
        }
        if (c == '\n' && prev != '\r')
            f->bare_lf = true;
        if (c == 0)
            f->nul = true;
        if (c & 0x80)
            f->high = true;
        prev = c;
    }
    f->prev = prev;
    return s.n;
}

#if defined(__x86_64__)
#include <immintrin.h>

/* What one block says, as bit masks: bit i is byte i. */
struct masks {
    uint64_t lf, cr, nul, dot, high;
};

/* Takes the block's facts up to limit bits; true when a dot stopped it. */
static inline bool
fold(const struct masks *m, struct smtp_scan_facts *f, unsigned width,
     unsigned *stop)
{
    uint64_t first_cr = f->prev == '\r';
    uint64_t first_lf = f->prev == '\n';
    uint64_t first_nul = f->prev == 0;
    uint64_t after_cr = (m->cr << 1) | first_cr;
    uint64_t after =
        after_cr | (m->lf << 1) | first_lf | (m->nul << 1) | first_nul;
    uint64_t all = width == 64 ? ~UINT64_C(0) : (UINT64_C(1) << width) - 1;
    uint64_t hit = m->dot & after & all;
    uint64_t keep = all;
    uint64_t at_hit = all;

    if (hit != 0) {
        *stop = (unsigned)__builtin_ctzll(hit);
        keep = (UINT64_C(1) << *stop) - 1;
        at_hit = keep | (UINT64_C(1) << *stop);
    }
    /* The dot itself shows that a CR before it was bare. */
    f->bare_cr |= (after_cr & ~m->lf & at_hit) != 0;
    f->bare_lf |= (m->lf & ~after_cr & keep) != 0;
    f->nul |= (m->nul & keep) != 0;
    f->high |= (m->high & keep) != 0;
    return hit != 0;
}

static size_t
scan_sse2(struct span s, struct smtp_scan_facts *f)
{
    const __m128i lf = _mm_set1_epi8('\n');
    const __m128i cr = _mm_set1_epi8('\r');
    const __m128i dot = _mm_set1_epi8('.');
    const __m128i zero = _mm_setzero_si128();
    size_t i = 0;

    for (; i + 16 <= s.n; i += 16) {
        __m128i a = _mm_loadu_si128((const void *)(s.p + i));
        struct masks m;
        unsigned stop;

        m.lf = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(a, lf));
        m.cr = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(a, cr));
        m.dot = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(a, dot));
        m.nul = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(a, zero));
        m.high = (uint32_t)_mm_movemask_epi8(a);
        if (fold(&m, f, 16, &stop)) {
            if (stop > 0)
                f->prev = s.p[i + stop - 1];
            return i + stop;
        }
        f->prev = s.p[i + 15];
    }
    return i + smtp_scan_portable(span_tail(s, i), f);
}

#define MASK2(a, b, v)                                                         \
    ((uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, v)) |                 \
     (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, v)) << 32)

/* Blocks without dot and NUL, nearly all in encoded mail, take a short way. */
__attribute__((target("avx2"))) static size_t
scan_avx2(struct span s, struct smtp_scan_facts *f)
{
    const __m256i lf = _mm256_set1_epi8('\n');
    const __m256i cr = _mm256_set1_epi8('\r');
    const __m256i dot = _mm256_set1_epi8('.');
    const __m256i zero = _mm256_setzero_si256();
    __m256i high = zero;
    uint64_t bare_cr = 0;
    uint64_t bare_lf = 0;
    uint64_t after_cr = f->prev == '\r';
    unsigned stop = 0;
    bool hit = false;
    size_t i = 0;

    for (; !hit && i + 64 <= s.n; i += 64) {
        __m256i a = _mm256_loadu_si256((const void *)(s.p + i));
        __m256i b = _mm256_loadu_si256((const void *)(s.p + i + 32));
        __m256i odd =
            _mm256_or_si256(_mm256_or_si256(_mm256_cmpeq_epi8(a, dot),
                                            _mm256_cmpeq_epi8(b, dot)),
                            _mm256_cmpeq_epi8(_mm256_min_epu8(a, b), zero));
        struct masks m = {.lf = MASK2(a, b, lf), .cr = MASK2(a, b, cr)};

        if (_mm256_movemask_epi8(odd) == 0) {
            after_cr |= m.cr << 1;
            bare_cr |= after_cr & ~m.lf;
            bare_lf |= m.lf & ~after_cr;
            high = _mm256_or_si256(high, _mm256_or_si256(a, b));
        } else {
            m.dot = MASK2(a, b, dot);
            m.nul = MASK2(a, b, zero);
            m.high = (uint32_t)_mm256_movemask_epi8(a) |
                     (uint64_t)(uint32_t)_mm256_movemask_epi8(b) << 32;
            if (i > 0)
                f->prev = s.p[i - 1];
            hit = fold(&m, f, 64, &stop);
        }
        after_cr = m.cr >> 63;
    }
    f->bare_cr |= bare_cr != 0;
    f->bare_lf |= bare_lf != 0;
    f->high |= _mm256_movemask_epi8(high) != 0;
    if (hit)
        i = i - 64 + stop;
    if (i > 0)
        f->prev = s.p[i - 1];
    return hit ? i : i + scan_sse2(span_tail(s, i), f);
}

#define VECTOR_VARIANTS                                                        \
    {"avx2", __builtin_cpu_supports("avx2") ? scan_avx2 : NULL},               \
        {"sse2", scan_sse2},
#else
#define VECTOR_VARIANTS
#endif

void
smtp_scan_list(struct smtp_scan_variant out[SMTP_SCAN_VARIANTS])
{
    const struct smtp_scan_variant all[SMTP_SCAN_VARIANTS] = {
        VECTOR_VARIANTS{"portable", smtp_scan_portable}
    };

    memcpy(out, all, sizeof(all));
}

smtp_scan_fn
smtp_scan_best(void)
{
    struct smtp_scan_variant v[SMTP_SCAN_VARIANTS];
    size_t i = 0;

    smtp_scan_list(v);
    while (v[i].fn == NULL)
        i++;
    return v[i].fn;
}
