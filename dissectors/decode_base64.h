#ifndef SPAN25_DISSECTORS_DECODE_BASE64_H
#define SPAN25_DISSECTORS_DECODE_BASE64_H
/* decode_base64 - the kernels of base64; for decode_base64.c and its kernels
 *
 * Clean base64 goes in two passes: digits become their values, without line
 * ends, in a stage that stays in the first cache; four values become three
 * bytes. So lines may have any length. Whatever is not a digit or a single line
 * end stops the first pass and is left to the slow path.
 *
 * values reads digits and single line ends (CRLF, LF) from p up to end, writes
 * at most max values and may write BASE64_SLACK bytes of anything behind them.
 * *after_lf: the byte before is a LF; a line end there is a blank line and
 * stops. A kernel may stop early, at any byte but between CR and LF; the
 * portable one stops only where it has to.
 *
 * pack writes 3 * groups bytes exactly. */
#include "sensor/base/span.h"

#define BASE64_SLACK 64

struct base64_kernel {
    const char *name;
    bool (*runs)(void); /* on this machine */
    size_t (*values)(const uint8_t **p, const uint8_t *end, bool *after_lf,
                     uint8_t *to, size_t max);
    void (*pack)(const uint8_t *values, size_t groups, uint8_t *to);
};

/* What is not a digit. */
enum base64_class {
    BASE64_PAD = 64,
    BASE64_BLANK, /* CR, space, tab */
    BASE64_LF,
    BASE64_JUNK,   /* other printable ones */
    BASE64_BINARY, /* control and 8-bit */
};

extern const uint8_t base64_digits[256];

size_t base64_values(const uint8_t **p, const uint8_t *end, bool *after_lf,
                     uint8_t *to, size_t max);
void base64_pack(const uint8_t *values, size_t groups, uint8_t *to);

#if defined(__x86_64__)
bool base64_avx2_runs(void);
size_t base64_avx2_values(const uint8_t **p, const uint8_t *end, bool *after_lf,
                          uint8_t *to, size_t max);
void base64_avx2_pack(const uint8_t *values, size_t groups, uint8_t *to);
bool base64_vbmi_runs(void);
size_t base64_vbmi_values(const uint8_t **p, const uint8_t *end, bool *after_lf,
                          uint8_t *to, size_t max);
void base64_vbmi_pack(const uint8_t *values, size_t groups, uint8_t *to);
#endif

/* Number of the best kernel that this machine runs. */
unsigned decode_base64_best(void);

#endif
