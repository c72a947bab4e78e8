/* decode_qp - quoted-printable, RFC 2045 6.7
 *
 * Blanks are held back until it is known whether the line ends behind them
 * (rule 3), so is the CR of that line end, and what follows a '=' until it is
 * known to be an escape. More blanks than fit into held are no line of RFC 2045
 * and are let go. */
#include "dissectors/decode_kinds.h"

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

/* Value of a hexadecimal digit, or 16. */
static uint8_t
hex(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return (uint8_t)(c - '0');
    if (c >= 'A' && c <= 'F')
        return (uint8_t)(c - 'A' + 10);
    return c >= 'a' && c <= 'f' ? (uint8_t)(c - 'a' + 10) : 16;
}

static unsigned
letters(uint8_t c)
{
    if (hex(c) < 10)
        return 0;
    return c >= 'a' ? LOWER : UPPER;
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

/* ---- lines without escapes ---- */

static bool
has_8bit(struct span s)
{
    uint64_t all = 0;
    size_t i = 0;

    for (; i + 8 <= s.n; i += 8) {
        uint64_t word;

        memcpy(&word, s.p + i, 8);
        all |= word;
    }
    for (; i < s.n; i++)
        all |= s.p[i];
    return (all & UINT64_C(0x8080808080808080)) != 0;
}

static void
put_text(struct decode *d, struct span s, struct decode_out *out)
{
    if (has_8bit(s))
        decode_note(d, DECODE_ODD_RAW_8BIT);
    count_line(d, s.n);
    decode_out_bytes(out, s.p, s.n);
}

/* s without the blanks at its end. */
static struct span
without_blanks(struct span s)
{
    while (s.n > 0 && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* A line with its LF. False when it has too many blanks to be held. */
static bool
whole_line(struct decode *d, struct span line, struct decode_out *out)
{
    size_t ends = line.n > 1 && line.p[line.n - 2] == '\r' ? 2 : 1;
    struct span all = span_head(line, line.n - ends);
    struct span text = without_blanks(all);

    if (all.n - text.n > HELD_MAX)
        return false;
    put_text(d, text, out);
    count_line(d, line.n - text.n - 1);
    decode_out_bytes(out, line.p + line.n - ends, ends);
    d->line = 0;
    return true;
}

/* What stands before a '=' or the end of the window, less what may have to be
 * held; gives the bytes taken. */
static size_t
part_line(struct decode *d, struct span s, struct decode_out *out)
{
    while (s.n > 0 && (is_blank(s.p[s.n - 1]) || s.p[s.n - 1] == '\r'))
        s.n--;
    put_text(d, s, out);
    return s.n;
}

/* An escape in capitals, or a soft line break, at the head of s; gives the
 * bytes taken, 0 when it is neither. */
static size_t
plain_escape(struct decode *d, struct span s, struct decode_out *out)
{
    uint8_t a = span_at(s, 1), b = span_at(s, 2);
    unsigned had;

    if ((s.n == 3 && a == '\r' && b == '\n') || (s.n == 2 && a == '\n')) {
        count_line(d, s.n - 1);
        return s.n;
    }
    if (hex(a) == 16 || hex(b) == 16)
        return 0;
    had = letters(a) | letters(b);
    if (((had | d->pads) & LOWER) != 0)
        return 0;
    d->pads |= (uint8_t)had;
    decode_out_byte(out, (uint8_t)(hex(a) << 4 | hex(b)));
    count_line(d, 3);
    return 3;
}

/* A line with its LF; gives the bytes taken: all, or what
 * stands before something that is not plain. */
static size_t
escaped_line(struct decode *d, struct span line, struct decode_out *out)
{
    size_t at = 0;

    for (;;) {
        struct span rest = span_tail(line, at);
        size_t escape = span_find(rest, '=');
        size_t n;

        if (escape == rest.n)
            return whole_line(d, rest, out)
                       ? line.n
                       : at + part_line(d, span_head(rest, rest.n - 1), out);
        put_text(d, span_head(rest, escape), out);
        at += escape;
        n = plain_escape(d, span_tail(line, at), out);
        at += n;
        if (n == 0)
            return at;
        if (at == line.n) {
            d->line = 0;
            return at;
        }
    }
}

/* From the head of in in state TEXT; gives the bytes taken. */
static size_t
take_lines(struct decode *d, struct span in, struct decode_out *out)
{
    size_t room = out->room - out->n;
    struct span w = span_head(in, room < WINDOW ? room : WINDOW);
    size_t at = 0;

    while (at < w.n) {
        struct span rest = span_tail(w, at);
        size_t n = span_find(rest, '\n');
        struct span line = span_head(rest, n < rest.n ? n + 1 : n);
        size_t taken;

        if (n == rest.n)
            return at +
                   part_line(d, span_head(line, span_find(line, '=')), out);
        taken = escaped_line(d, line, out);
        at += taken;
        if (taken < line.n)
            break;
    }
    return at;
}

void
decode_qp_push(struct decode *d, struct span *in, struct decode_out *out)
{
    while (in->n > 0 && !decode_out_full(out)) {
        uint8_t c = in->p[0];

        if (d->state == TEXT && c != '=' && c != '\r' && !is_blank(c)) {
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
