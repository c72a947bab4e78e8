/* decode_qp - quoted-printable, RFC 2045 6.7
 *
 * Blanks are held back until it is known whether the line ends behind them
 * (rule 3), so is the CR of that line end, and what follows a '=' until it is
 * known to be an escape. More blanks than fit into held are no line of RFC 2045
 * and are let go. */
#include "dissectors/decode_kinds.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define LINE_MOST 77  /* 76 and the CR */
#define HELD_MAX  60  /* blanks; with a CR they fit into one step of output */
#define WINDOW    512 /* looked through at once, so no search is repeated */

#define UPPER 1U /* letters seen in escapes: bits in d->pads */
#define LOWER 2U

enum state {
    TEXT,
    TEXT_BLANK, /* held: blanks */
    TEXT_CR,    /* and a CR */
    ESC,        /* '=' */
    ESC_DIGIT,  /* '=' and held: one digit */
    ESC_BLANK,  /* '=' and held: blanks */
    ESC_CR,     /* and a CR */
    LEAVE_OUT,  /* left: bytes of a bad escape that are left out */
};

static void
set_state(struct decode *d, enum state s)
{
    d->state = (uint8_t)s;
}

static void
hold(struct decode *d, uint8_t c, enum state s)
{
    d->held[d->n_held++] = c;
    set_state(d, s);
}

static void
drop_held(struct decode *d, enum state s)
{
    memset(d->held, 0, d->n_held);
    d->n_held = 0;
    set_state(d, s);
}

static void
release_held(struct decode *d, size_t from, struct decode_out *out)
{
    decode_out_bytes(out, d->held + from, d->n_held - from);
    drop_held(d, TEXT);
}

static bool
is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* Of hexadecimal digits: the value, and what letter it is. */
#define DIGIT 16U
#define CASE  5 /* from this bit on UPPER and LOWER */

static const uint8_t digits[256] = {
#define NUMBER(c) [(c)] = DIGIT | ((c) - '0')
#define LETTER(c, v)                                                           \
    [(c)] = DIGIT | (v) | UPPER << CASE,                                       \
    [(c) + 32] = DIGIT | (v) | LOWER << CASE
    NUMBER('0'),     NUMBER('1'),     NUMBER('2'),     NUMBER('3'),
    NUMBER('4'),     NUMBER('5'),     NUMBER('6'),     NUMBER('7'),
    NUMBER('8'),     NUMBER('9'),     LETTER('A', 10), LETTER('B', 11),
    LETTER('C', 12), LETTER('D', 13), LETTER('E', 14), LETTER('F', 15),
#undef NUMBER
#undef LETTER
};

/* Value of a hexadecimal digit, or 16. */
static uint8_t
hex(uint8_t c)
{
    return (digits[c] & DIGIT) != 0 ? digits[c] & 15 : 16;
}

static unsigned
letters(uint8_t c)
{
    return digits[c] >> CASE;
}

/* ---- one byte in each state: what became of it ---- */

enum step {
    TAKEN,
    AGAIN, /* the state is another one now */
    FORKS,
};

static enum step
in_text(struct decode *d, uint8_t c, struct decode_out *out)
{
    if (c == '=')
        set_state(d, ESC);
    else if (is_blank(c))
        hold(d, c, TEXT_BLANK);
    else if (c == '\r')
        hold(d, c, TEXT_CR);
    else
        decode_out_byte(out, c);
    if (c >= 0x80)
        decode_note(d, DECODE_ODD_RAW_8BIT);
    return TAKEN;
}

static enum step
in_text_blank(struct decode *d, uint8_t c, struct decode_out *out)
{
    if (is_blank(c)) {
        if (d->n_held == HELD_MAX)
            release_held(d, 0, out);
        hold(d, c, TEXT_BLANK);
        return TAKEN;
    }
    if (c == '\r') {
        hold(d, c, TEXT_CR);
        return TAKEN;
    }
    if (c == '\n')
        drop_held(d, TEXT);
    else
        release_held(d, 0, out);
    return AGAIN;
}

static enum step
in_text_cr(struct decode *d, uint8_t c, struct decode_out *out)
{
    if (c != '\n') {
        release_held(d, 0, out);
        return AGAIN;
    }
    drop_held(d, TEXT);
    decode_out_byte(out, '\r');
    return AGAIN;
}

/* Leaves out two bytes of held and of what follows, but no '=' or line end. */
static void
leave_out(struct decode *d, struct decode_out *out)
{
    uint8_t n = 0;

    while (n < 2 && n < d->n_held && d->held[n] != '\r')
        n++;
    if (n < d->n_held || n == 2) {
        release_held(d, n, out);
        return;
    }
    d->left = 2U - n;
    drop_held(d, LEAVE_OUT);
}

static enum step
bad_escape(struct decode *d, struct decode_out *out)
{
    decode_note(d, DECODE_ODD_BAD_ESCAPE);
    if (decode_forks(d, DECODE_FORK_ESCAPE))
        return FORKS;
    if (decode_chose(d, DECODE_FORK_ESCAPE, 2)) {
        leave_out(d, out);
        return AGAIN;
    }
    if (decode_chose(d, DECODE_FORK_ESCAPE, 0))
        decode_out_byte(out, '=');
    release_held(d, 0, out);
    return AGAIN;
}

static enum step
in_esc(struct decode *d, uint8_t c, struct decode_out *out)
{
    if (hex(c) < 16)
        hold(d, c, ESC_DIGIT);
    else if (is_blank(c))
        hold(d, c, ESC_BLANK);
    else if (c == '\r')
        hold(d, c, ESC_CR);
    else if (c == '\n')
        set_state(d, TEXT); /* a soft line break */
    else
        return bad_escape(d, out);
    return TAKEN;
}

static enum step
in_esc_digit(struct decode *d, uint8_t c, struct decode_out *out)
{
    unsigned had = letters(d->held[0]) | letters(c);

    if (hex(c) == 16)
        return bad_escape(d, out);
    if ((had & LOWER) != 0)
        decode_note(d, DECODE_ODD_LOWER_ESCAPE);
    if ((had | d->pads) == (UPPER | LOWER) && decode_forks(d, DECODE_FORK_CASE))
        return FORKS;
    d->pads |= (uint8_t)had;
    if ((had & LOWER) == 0 || !decode_chose(d, DECODE_FORK_CASE, 1))
        decode_out_byte(out, (uint8_t)(hex(d->held[0]) << 4 | hex(c)));
    drop_held(d, TEXT);
    return TAKEN;
}

static enum step
in_esc_blank(struct decode *d, uint8_t c, struct decode_out *out)
{
    if (is_blank(c) && d->n_held < HELD_MAX)
        hold(d, c, ESC_BLANK);
    else if (c == '\r')
        hold(d, c, ESC_CR);
    else if (c == '\n')
        drop_held(d, TEXT);
    else
        return bad_escape(d, out);
    return TAKEN;
}

static enum step
in_esc_cr(struct decode *d, uint8_t c, struct decode_out *out)
{
    if (c != '\n')
        return bad_escape(d, out);
    drop_held(d, TEXT);
    return TAKEN;
}

static enum step
in_leave_out(struct decode *d, uint8_t c, struct decode_out *out)
{
    (void)out;
    if (c == '=' || c == '\r' || c == '\n') {
        d->left = 0;
        set_state(d, TEXT);
        return AGAIN;
    }
    if (--d->left == 0)
        set_state(d, TEXT);
    return TAKEN;
}

static enum step (*const steps[])(struct decode *, uint8_t,
                                  struct decode_out *) = {
    [TEXT] = in_text,           [TEXT_BLANK] = in_text_blank,
    [TEXT_CR] = in_text_cr,     [ESC] = in_esc,
    [ESC_DIGIT] = in_esc_digit, [ESC_BLANK] = in_esc_blank,
    [ESC_CR] = in_esc_cr,       [LEAVE_OUT] = in_leave_out,
};

static void
count_line(struct decode *d, size_t n)
{
    d->line += (uint32_t)(n < WINDOW ? n : WINDOW);
    if (d->line > LINE_MOST) {
        decode_note(d, DECODE_ODD_LONG_LINE);
        d->line = LINE_MOST + 1;
    }
}

static bool
take(struct decode *d, uint8_t c, struct decode_out *out)
{
    enum step s;

    do
        s = steps[d->state](d, c, out);
    while (s == AGAIN);
    if (s == FORKS)
        return false;
    if (c == '\n')
        d->line = 0;
    else
        count_line(d, 1);
    return true;
}

/* ---- many bytes at once ---- */

/* Copies what stands before the first '=' or LF; gives its length. At to there
 * is room for all of s. */
static size_t
copy_plain(struct span s, uint8_t *to, bool *has_8bit)
{
    unsigned high = 0;
    size_t i = 0;

#if defined(__SSE2__)
    for (; i + 16 <= s.n; i += 16) {
        __m128i x = _mm_loadu_si128((const void *)(s.p + i));
        __m128i end = _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('=')),
                                   _mm_cmpeq_epi8(x, _mm_set1_epi8('\n')));
        unsigned mask = (unsigned)_mm_movemask_epi8(end);
        unsigned some = (unsigned)_mm_movemask_epi8(x);

        _mm_storeu_si128((void *)(to + i), x);
        if (mask != 0) {
            /* what comes before the lowest bit */
            *has_8bit = (high | (some & (mask - 1) & ~mask)) != 0;
            return i + (unsigned)__builtin_ctz(mask);
        }
        high |= some;
    }
#endif
    for (; i < s.n && s.p[i] != '=' && s.p[i] != '\n'; i++) {
        high |= s.p[i] & 0x80U;
        to[i] = s.p[i];
    }
    *has_8bit = high != 0;
    return i;
}

/* What is noted of many bytes at their end. */
struct notes {
    size_t line; /* bytes of the line so far */
    bool has_8bit, is_long;
};

static void
end_line(struct notes *k)
{
    k->is_long = k->is_long || k->line > LINE_MOST;
    k->line = 0;
}

/* s without the blanks at its end. */
static struct span
without_blanks(struct span s)
{
    while (s.n > 0 && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* s without what may have to be held. */
static struct span
without_held(struct span s)
{
    while (s.n > 0 && (is_blank(s.p[s.n - 1]) || s.p[s.n - 1] == '\r'))
        s.n--;
    return s;
}

/* The end of a line, whose text was copied, with its LF. False when it has too
 * many blanks to be held. */
static bool
whole_line(struct span line, struct notes *k, struct decode_out *out)
{
    size_t ends = line.n > 1 && line.p[line.n - 2] == '\r' ? 2 : 1;
    struct span all = span_head(line, line.n - ends);
    struct span text = without_blanks(all);

    if (all.n - text.n > HELD_MAX)
        return false;
    out->n += text.n;
    decode_out_bytes(out, line.p + line.n - ends, ends);
    k->line += line.n - 1;
    end_line(k);
    return true;
}

/* An escape in capitals, or a soft line break, at the head of s; gives the
 * bytes taken, 0 when it is neither. */
static size_t
plain_escape(struct decode *d, struct span s, struct notes *k,
             struct decode_out *out)
{
    uint8_t a = span_at(s, 1), b = span_at(s, 2);
    unsigned both = digits[a] & digits[b];
    unsigned any = digits[a] | digits[b];

    if ((both & DIGIT) != 0) {
        if (((any >> CASE | d->pads) & LOWER) != 0)
            return 0;
        d->pads |= (uint8_t)(any >> CASE);
        decode_out_byte(out, (uint8_t)(digits[a] << 4 | (digits[b] & 15)));
        k->line += 3;
        return 3;
    }
    if (a != '\n' && (a != '\r' || b != '\n'))
        return 0;
    k->line += a == '\n' ? 1 : 2;
    end_line(k);
    return a == '\n' ? 2 : 3;
}

/* From the head of w in state TEXT, for all of which there is room; gives the
 * bytes taken: up to something that is not plain. */
static size_t
take_plain(struct decode *d, struct span w, struct notes *k,
           struct decode_out *out)
{
    size_t at = 0;

    while (at < w.n) {
        struct span rest = span_tail(w, at);
        bool has_8bit;
        size_t n;

        if (rest.p[0] == '=') {
            n = plain_escape(d, rest, k, out);
            if (n == 0)
                return at;
            at += n;
            continue;
        }
        n = copy_plain(rest, out->p + out->n, &has_8bit);
        k->has_8bit = k->has_8bit || has_8bit;
        if (span_at(rest, n) == '=') {
            out->n += n;
            k->line += n;
            at += n;
        } else if (n < rest.n && whole_line(span_head(rest, n + 1), k, out)) {
            at += n + 1;
        } else {
            n = without_held(span_head(rest, n)).n;
            out->n += n;
            k->line += n;
            return at + n;
        }
    }
    return at;
}

static size_t
take_lines(struct decode *d, struct span in, struct decode_out *out)
{
    size_t room = out->room - out->n;
    struct span w = span_head(in, room < WINDOW ? room : WINDOW);
    struct notes k = {.line = d->line};
    size_t n = take_plain(d, w, &k, out);

    d->line = (uint32_t)(k.line > LINE_MOST ? LINE_MOST + 1 : k.line);
    if (k.is_long || k.line > LINE_MOST)
        decode_note(d, DECODE_ODD_LONG_LINE);
    if (k.has_8bit)
        decode_note(d, DECODE_ODD_RAW_8BIT);
    return n;
}

void
decode_qp_push(struct decode *d, struct span *in, struct decode_out *out)
{
    while (in->n > 0 && !decode_out_full(out)) {
        uint8_t c = in->p[0];

        if (d->state == TEXT && c != '\r' && !is_blank(c)) {
            *in = span_tail(*in, take_lines(d, *in, out));
            if (in->n == 0 || decode_out_full(out))
                return;
            c = in->p[0];
        }
        if (!take(d, c, out))
            return;
        *in = span_tail(*in, 1);
    }
}

/* The body's last line end was the boundary's: blanks before it go, and a '='
 * was a soft line break. */
void
decode_qp_end(struct decode *d, struct decode_out *out)
{
    if (d->state == TEXT_CR)
        release_held(d, 0, out);
    if (d->state == ESC_DIGIT) {
        decode_note(d, DECODE_ODD_BAD_ESCAPE);
        if (d->choice[DECODE_FORK_ESCAPE] <= 1)
            decode_out_byte(out, '=');
        if (d->choice[DECODE_FORK_ESCAPE] <= 2)
            release_held(d, 0, out);
    }
    drop_held(d, TEXT);
}
