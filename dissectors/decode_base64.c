#include "dissectors/decode_base64.h"

#include "dissectors/decode_kinds.h"

#define STAGE      4096 /* values of one pass: stays in the first cache */
#define SHORT_LINE 16   /* see DECODE_FORK_LINE */
#define SLOW_RUN   24   /* bytes of the slow path before the fast one again */
#define PADS_MAX   8    /* counted; more say nothing new */

#define PD BASE64_PAD
#define WS BASE64_BLANK
#define LF BASE64_LF
#define JK BASE64_JUNK
#define BN BASE64_BINARY

/* clang-format off */
const uint8_t base64_digits[256] = {
    BN, BN, BN, BN, BN, BN, BN, BN, BN, WS, LF, BN, BN, WS, BN, BN,
    BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN,
    WS, JK, JK, JK, JK, JK, JK, JK, JK, JK, JK, 62, JK, JK, JK, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, JK, JK, JK, PD, JK, JK,
    JK, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, JK, JK, JK, JK, JK,
    JK, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, JK, JK, JK, JK, BN,
    BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN,
    BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN,
    BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN,
    BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN,
    BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN,
    BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN,
    BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN,
    BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN, BN,
};
/* clang-format on */

enum state { OPEN, ENDED };

/* ---- the portable kernel ---- */

/* Length of the line end at p: 2, 1, or 0 for none, or one that is cut. */
static size_t
line_end(const uint8_t *p, const uint8_t *end)
{
    if (*p == '\n')
        return 1;
    return *p == '\r' && end - p > 1 && p[1] == '\n' ? 2 : 0;
}

size_t
base64_values(const uint8_t **p, const uint8_t *end, bool *after_lf,
              uint8_t *to, size_t max)
{
    const uint8_t *at = *p;
    size_t n = 0;

    while (at < end && n < max) {
        uint8_t v = base64_digits[*at];

        if (LIKELY(v < 64)) {
            to[n++] = v;
            at++;
            *after_lf = false;
        } else {
            size_t k = *after_lf ? 0 : line_end(at, end);

            if (k == 0)
                break;
            at += k;
            *after_lf = true;
        }
    }
    *p = at;
    return n;
}

void
base64_pack(const uint8_t *v, size_t groups, uint8_t *to)
{
    for (size_t i = 0; i < groups; i++, v += 4, to += 3) {
        to[0] = (uint8_t)(v[0] << 2 | v[1] >> 4);
        to[1] = (uint8_t)(v[1] << 4 | v[2] >> 2);
        to[2] = (uint8_t)(v[2] << 6 | v[3]);
    }
}

static bool
always(void)
{
    return true;
}

static const struct base64_kernel kernels[] = {
    {"portable",    always,           base64_values,      base64_pack     },
#if defined(__x86_64__)
    {"avx2",        base64_avx2_runs, base64_avx2_values, base64_avx2_pack},
    {"avx512-vbmi", base64_vbmi_runs, base64_vbmi_values, base64_vbmi_pack},
#endif
};

unsigned
decode_base64_best(void)
{
    unsigned best = ARRAY_LEN(kernels) - 1;

    while (!kernels[best].runs())
        best--;
    return best;
}

const char *
decode_kernel(unsigned i)
{
    return i < ARRAY_LEN(kernels) ? kernels[i].name : NULL;
}

bool
decode_use(struct decode *d, unsigned kernel)
{
    if (kernel >= ARRAY_LEN(kernels) || !kernels[kernel].runs())
        return false;
    d->kernel = (uint8_t)kernel;
    return true;
}

/* ---- the fast path ---- */

/* Nothing is pending that a digit or a line end would settle. */
static bool
may_run(const struct decode *d)
{
    return d->state == OPEN && d->pads == 0 && d->run == 0 &&
           d->line >= SHORT_LINE && d->line_ends < 2 &&
           !decode_chose(d, DECODE_FORK_LINE, 1);
}

/* Clean bytes from the head of *in, as many as fit. */
static void
run_clean(struct decode *d, struct span *in, struct decode_out *out)
{
    const struct base64_kernel *k = &kernels[d->kernel];
    const uint8_t *p = in->p;
    const uint8_t *end = in->p + in->n;
    uint8_t stage[4 + STAGE + BASE64_SLACK];
    bool after_lf = d->line_ends != 0;
    size_t max = (out->room - out->n) / 3 * 4;
    size_t n = d->n_group;

    memcpy(stage, d->group, sizeof(d->group));
    max = max < STAGE ? max : STAGE;
    n += k->values(&p, end, &after_lf, stage + n, max - n);
    n += base64_values(&p, end, &after_lf, stage + n, max - n);
    k->pack(stage, n / 4, out->p + out->n);
    out->n += n / 4 * 3;
    d->n_group = (uint8_t)(n % 4);
    memset(d->group, 0, sizeof(d->group));
    memcpy(d->group, stage + n / 4 * 4, n % 4);
    d->line_ends = after_lf;
    *in = span_tail(*in, (size_t)(p - in->p));
}

/* ---- the slow path: one byte ---- */

static void
clear_group(struct decode *d)
{
    d->n_group = 0;
    memset(d->group, 0, sizeof(d->group));
}

/* The whole bytes of a group that is not complete. */
static void
flush_group(struct decode *d, struct decode_out *out)
{
    uint8_t bytes[3];

    base64_pack(d->group, 1, bytes);
    if (d->n_group > 1)
        decode_out_bytes(out, bytes, d->n_group - 1U);
    clear_group(d);
}

static void
put_value(struct decode *d, uint8_t v, struct decode_out *out)
{
    uint8_t bytes[3];

    d->group[d->n_group++] = v;
    if (d->n_group < 4)
        return;
    base64_pack(d->group, 1, bytes);
    decode_out_bytes(out, bytes, 3);
    clear_group(d);
}

/* '=' as the readings of DECODE_FORK_PAD have it. */
static void
pad_group(struct decode *d, struct decode_out *out)
{
    if (d->n_group >= 2)
        flush_group(d, out);
}

static void
pad_body(struct decode *d, struct decode_out *out)
{
    pad_group(d, out);
    clear_group(d);
    d->state = ENDED;
}

static void
pad_complete(struct decode *d, struct decode_out *out)
{
    if (d->n_group >= 2 && d->n_group + d->pads >= 4)
        pad_body(d, out);
}

static void
pad_zero(struct decode *d, struct decode_out *out)
{
    for (unsigned i = 0; i < d->pads; i++)
        put_value(d, 0, out);
}

static void (*const pad_readings[])(struct decode *, struct decode_out *) = {
    pad_group, pad_body, pad_complete, pad_zero};

/* The '=' seen, now that a digit follows; false when a fork comes first. */
static bool
settle_pads(struct decode *d, struct decode_out *out)
{
    if (d->pads == 0)
        return true;
    decode_note(d, DECODE_ODD_AFTER_PAD);
    if (decode_forks(d, DECODE_FORK_PAD))
        return false;
    pad_readings[d->choice[DECODE_FORK_PAD] - 1](d, out);
    d->pads = 0;
    return true;
}

/* Does a line end within a group leave a question? Only a blank line does, and
 * a short first line: other programs write lines of any length. */
static bool
settle_group(struct decode *d)
{
    enum decode_fork f =
        d->line_ends > 1 ? DECODE_FORK_RESTART : DECODE_FORK_LINE;

    if (decode_chose(d, DECODE_FORK_LINE, 1))
        f = DECODE_FORK_LINE;
    else if (f == DECODE_FORK_LINE && d->line >= SHORT_LINE)
        return true;
    if (decode_forks(d, f))
        return false;
    if (decode_chose(d, f, 1))
        clear_group(d);
    return true;
}

/* The line ends seen, now that a digit follows; false as above. */
static bool
settle_lines(struct decode *d)
{
    if (d->line_ends == 0)
        return true;
    if (d->line > 0) {
        if (d->line_ends > 1)
            decode_note(d, DECODE_ODD_BLANK_LINE);
        if (d->n_group > 0 && !settle_group(d))
            return false;
        d->line = SHORT_LINE; /* the first line is over */
    }
    d->line_ends = 0;
    return true;
}

static bool
take_digit(struct decode *d, uint8_t v, struct decode_out *out)
{
    if (!settle_pads(d, out))
        return false;
    if (d->state == ENDED)
        return true;
    if (!settle_lines(d))
        return false;
    put_value(d, v, out);
    if (d->line < SHORT_LINE)
        d->line++;
    return true;
}

static void
take_pad(struct decode *d)
{
    if (d->n_group < 2 || d->n_group + d->pads >= 4)
        decode_note(d, DECODE_ODD_BAD_PAD);
    if (d->pads < PADS_MAX)
        d->pads++;
    d->line_ends = 0;
}

static bool
take_junk(struct decode *d)
{
    decode_note(d, DECODE_ODD_JUNK);
    if (d->pads > 0)
        return true;
    if (decode_forks(d, DECODE_FORK_JUNK))
        return false;
    d->run = decode_chose(d, DECODE_FORK_JUNK, 1); /* until the line ends */
    return true;
}

static void
take_line_end(struct decode *d)
{
    d->run = 0;
    if (d->line_ends < 2)
        d->line_ends++;
}

/* False when a fork has to be settled before c. */
static bool
take(struct decode *d, uint8_t c, struct decode_out *out)
{
    uint8_t v = base64_digits[c];

    if (d->run != 0 && v != BASE64_LF)
        return true;
    if (v == BASE64_PAD && decode_chose(d, DECODE_FORK_PAD, 3))
        v = 0;
    switch (v) {
    case BASE64_PAD: take_pad(d); break;
    case BASE64_BLANK: break;
    case BASE64_LF: take_line_end(d); break;
    case BASE64_JUNK: return take_junk(d);
    case BASE64_BINARY: decode_note(d, DECODE_ODD_JUNK); break;
    default: return take_digit(d, v, out);
    }
    return true;
}

void
decode_base64_push(struct decode *d, struct span *in, struct decode_out *out)
{
    while (in->n > 0 && d->state != ENDED && !decode_out_full(out)) {
        if (may_run(d))
            run_clean(d, in, out);
        for (size_t i = 0; i < SLOW_RUN && in->n > 0; i++) {
            if (decode_out_full(out) || d->state == ENDED)
                break;
            if (!take(d, in->p[0], out))
                return;
            *in = span_tail(*in, 1);
        }
    }
    if (d->state == ENDED)
        *in = span_tail(*in, in->n);
}

void
decode_base64_end(struct decode *d, struct decode_out *out)
{
    if (d->n_group > 0 && d->pads == 0)
        decode_note(d, DECODE_ODD_NO_PAD);
    if (d->n_group > 0 && d->pads > 0 && d->n_group + d->pads < 4)
        decode_note(d, DECODE_ODD_BAD_PAD);
    if (d->pads == 0 && decode_chose(d, DECODE_FORK_LINE, 1))
        clear_group(d); /* as at the end of every line */
    flush_group(d, out);
    d->state = ENDED;
}
