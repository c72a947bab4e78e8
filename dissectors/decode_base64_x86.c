/* decode_base64_x86 - base64 with AVX2 and with AVX-512 VBMI
 *
 * Both look at a block of 32 or 64 bytes, write the value of every digit, and
 * go on behind the block when all are digits; else behind the line end that
 * stands there: blocks are not aligned, so each line begins a block, and what
 * was written behind its last digit is written again. A line of 76 takes 3 and
 * 2 blocks.
 *
 * AVX2, digits to values: the two nibbles of a byte select bits from two tables
 * that have one in common only for what is no digit; the high nibble also
 * selects what to add, '/' has a place of its own. VBMI looks all 128 up at
 * once. Packing: two multiply-adds join 6 and 6 bits, then 12 and 12; then the
 * bytes that hold something are put together. */
#include "dissectors/decode_base64.h"

#if defined(__x86_64__)
#include "sensor/base/attr.h"

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,bmi")))
#define VBMI __attribute__((target("avx512f,avx512bw,avx512vbmi,bmi")))

/* What stands in front of a kernel. */
struct run {
    const uint8_t *at;
    const uint8_t *end;
    uint8_t *to;
    bool after_lf;
};

/* After k digits of a block is something else: goes past it when it is one line
 * end. */
static inline bool
next_line(struct run *r, unsigned k)
{
    const uint8_t *at = r->at + k;

    r->at = at;
    r->to += k;
    r->after_lf = r->after_lf && k == 0;
    if (r->after_lf)
        return false;
    if (*at == '\r' && r->end - at > 1)
        at++;
    if (*at != '\n')
        return false;
    r->at = at + 1;
    r->after_lf = true;
    return true;
}

/* ---- AVX2 ---- */

bool
base64_avx2_runs(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi");
}

/* Values of 32 bytes; bits of those that are no digit. */
AVX2 static inline uint32_t
avx2_block(const uint8_t *p, uint8_t *to)
{
    const __m256i low_bits = _mm256_setr_epi8(
        0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, 0x1a,
        0x1b, 0x1b, 0x1b, 0x1a, 0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
        0x11, 0x11, 0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a);
    const __m256i high_bits = _mm256_setr_epi8(
        0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10, 0x10, 0x10,
        0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08,
        0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10);
    const __m256i add = _mm256_setr_epi8(0, 16, 19, 4, -65, -65, -71, -71, 0, 0,
                                         0, 0, 0, 0, 0, 0, 0, 16, 19, 4, -65,
                                         -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m256i slash = _mm256_set1_epi8('/');
    __m256i in = _mm256_loadu_si256((const __m256i *)(const void *)p);
    __m256i high =
        _mm256_and_si256(_mm256_srli_epi32(in, 4), _mm256_set1_epi8(0x0f));
    __m256i low = _mm256_and_si256(in, _mm256_set1_epi8(0x0f));
    __m256i bad = _mm256_and_si256(_mm256_shuffle_epi8(low_bits, low),
                                   _mm256_shuffle_epi8(high_bits, high));
    __m256i row = _mm256_add_epi8(high, _mm256_cmpeq_epi8(in, slash));
    __m256i v = _mm256_add_epi8(in, _mm256_shuffle_epi8(add, row));

    _mm256_storeu_si256((__m256i *)(void *)to, v);
    return (uint32_t)_mm256_movemask_epi8(
        _mm256_cmpgt_epi8(bad, _mm256_setzero_si256()));
}

AVX2 size_t
base64_avx2_values(const uint8_t **p, const uint8_t *end, bool *after_lf,
                   uint8_t *to, size_t max)
{
    struct run r = {*p, end, to, *after_lf};
    const uint8_t *last = to + max;

    while (r.end - r.at >= 32 && last - r.to >= 32) {
        uint32_t others = avx2_block(r.at, r.to);

        if (others == 0) {
            r.at += 32;
            r.to += 32;
            r.after_lf = false;
        } else if (!next_line(&r, _tzcnt_u32(others))) {
            break;
        }
    }
    *p = r.at;
    *after_lf = r.after_lf;
    return (size_t)(r.to - to);
}

AVX2 void
base64_avx2_pack(const uint8_t *values, size_t groups, uint8_t *to)
{
    const __m256i order = _mm256_setr_epi8(
        2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1, 2, 1, 0, 6, 5,
        4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
    const __m256i together = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7);

    /* 32 bytes are stored, of which 24 count: three groups more have room */
    for (; groups >= 8 + 3; groups -= 8, values += 32, to += 24) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)values);

        v = _mm256_maddubs_epi16(v, _mm256_set1_epi32(0x01400140));
        v = _mm256_madd_epi16(v, _mm256_set1_epi32(0x00011000));
        v = _mm256_shuffle_epi8(v, order);
        v = _mm256_permutevar8x32_epi32(v, together);
        _mm256_storeu_si256((__m256i *)(void *)to, v);
    }
    base64_pack(values, groups, to);
}

/* ---- AVX-512 VBMI ---- */

bool
base64_vbmi_runs(void)
{
    return __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vbmi") &&
           __builtin_cpu_supports("bmi");
}

/* Values of 64 bytes; bits of those that are no digit: those of 64 and more,
 * and what has the eighth bit, which the table does not know. */
VBMI static inline uint64_t
vbmi_block(const uint8_t *p, uint8_t *to, __m512i table_low, __m512i table_high)
{
    __m512i in = _mm512_loadu_si512(p);
    __m512i v = _mm512_permutex2var_epi8(table_low, in, table_high);

    _mm512_storeu_si512(to, v);
    return _mm512_movepi8_mask(_mm512_or_si512(in, _mm512_add_epi8(v, v)));
}

VBMI size_t
base64_vbmi_values(const uint8_t **p, const uint8_t *end, bool *after_lf,
                   uint8_t *to, size_t max)
{
    struct run r = {*p, end, to, *after_lf};
    const uint8_t *last = to + max;
    __m512i low = _mm512_loadu_si512(base64_digits);
    __m512i high = _mm512_loadu_si512(base64_digits + 64);

    while (r.end - r.at >= 64 && last - r.to >= 64) {
        uint64_t others = vbmi_block(r.at, r.to, low, high);

        if (others == 0) {
            r.at += 64;
            r.to += 64;
            r.after_lf = false;
        } else if (!next_line(&r, (unsigned)_tzcnt_u64(others))) {
            break;
        }
    }
    *p = r.at;
    *after_lf = r.after_lf;
    return (size_t)(r.to - to);
}

VBMI void
base64_vbmi_pack(const uint8_t *values, size_t groups, uint8_t *to)
{
    static const uint8_t order[64] = {
        2,  1,  0,  6,  5,  4,  10, 9,  8,  14, 13, 12, 18, 17, 16, 22,
        21, 20, 26, 25, 24, 30, 29, 28, 34, 33, 32, 38, 37, 36, 42, 41,
        40, 46, 45, 44, 50, 49, 48, 54, 53, 52, 58, 57, 56, 62, 61, 60};
    const __m512i index = _mm512_loadu_si512(order);

    for (; groups >= 16; groups -= 16, values += 64, to += 48) {
        __m512i v = _mm512_loadu_si512(values);

        v = _mm512_maddubs_epi16(v, _mm512_set1_epi32(0x01400140));
        v = _mm512_madd_epi16(v, _mm512_set1_epi32(0x00011000));
        v = _mm512_permutexvar_epi8(index, v);
        _mm512_mask_storeu_epi8(to, UINT64_C(0xffffffffffff), v);
    }
    base64_pack(values, groups, to);
}

#endif
