/* decode_uu - uuencode, POSIX: a line at a time
 *
 * Dirt: blanks at line ends were cut by gateways (missing digits are zeros),
 * some encoders add a checksum digit, no "begin" where the transfer encoding
 * says uuencode, no "end". */
#include "dissectors/decode_kinds.h"

#include "dissectors/decode_base64.h"

enum state { SEARCH, DATA, DONE };

/* A line without its end, cut at DECODE_HELD. */
struct line {
    struct span s;
    bool cut;
};

static bool
is_begin(struct span s)
{
    size_t digits = 0;

    if (!span_starts(s, SPAN_LIT("begin ")))
        return false;
    s = span_tail(s, 6);
    while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '7')
        digits++;
    return digits >= 3 && digits <= 5 && span_at(s, digits) == ' ';
}

static bool
is_digit(uint8_t c)
{
    return c >= ' ' && c <= '`';
}

static uint8_t
value(uint8_t c)
{
    return (uint8_t)((c - ' ') & 63);
}

/* Digits that n bytes need. */
static size_t
digits_of(size_t n)
{
    return (n + 2) / 3 * 4;
}

/* Would one read it as data without a "begin"? */
static bool
is_data(struct line l)
{
    size_t n = value(span_at(l.s, 0));
    size_t digits = l.s.n - 1;

    if (l.cut || n == 0 || digits < digits_of(n) || digits > digits_of(n) + 1)
        return false;
    for (size_t i = 0; i < l.s.n; i++)
        if (!is_digit(l.s.p[i]))
            return false;
    return true;
}

static void
data_line(struct decode *d, struct line l, struct decode_out *out)
{
    size_t n = value(l.s.p[0]);
    size_t digits = span_trim(l.s).n - 1;
    uint8_t values[4 * 21];
    uint8_t bytes[63];

    for (size_t i = 0; i < digits_of(n); i++) {
        uint8_t c = i + 1 < l.s.n ? l.s.p[i + 1] : ' ';

        if (!is_digit(c))
            decode_note(d, DECODE_ODD_JUNK);
        values[i] = value(c);
    }
    if (l.cut || l.s.n - 1 < (n * 4 + 2) / 3 || digits > digits_of(n) + 1)
        decode_note(d, DECODE_ODD_BAD_LENGTH);
    base64_pack(values, digits_of(n) / 4, bytes);
    decode_out_bytes(out, bytes, n);
}

static void
in_search(struct decode *d, struct line l, struct decode_out *out)
{
    if (is_begin(l.s)) {
        d->state = DATA;
    } else if (d->run == 0 && is_data(l)) {
        decode_note(d, DECODE_ODD_NO_BEGIN);
        d->state = DATA;
        data_line(d, l, out);
    } else {
        decode_note(d, DECODE_ODD_JUNK);
        d->run = 1;
    }
}

static void
in_data(struct decode *d, struct line l, struct decode_out *out)
{
    if (span_eq(span_trim(l.s), SPAN_LIT("end")))
        d->state = DONE;
    else if (!is_digit(l.s.p[0]))
        decode_note(d, DECODE_ODD_JUNK);
    else if (value(l.s.p[0]) > 0)
        data_line(d, l, out);
}

static void
take_line(struct decode *d, struct span s, struct decode_out *out)
{
    struct line l = {span_head(s, DECODE_HELD), s.n >= DECODE_HELD};

    if (!l.cut && span_at(l.s, l.s.n - 1) == '\r')
        l.s.n--;
    if (span_trim(l.s).n == 0)
        return;
    if (d->state == SEARCH)
        in_search(d, l, out);
    else if (d->state == DATA)
        in_data(d, l, out);
}

/* The beginning of a line: as much of it as is ever looked at. */
static void
hold(struct decode *d, struct span s)
{
    s = span_head(s, DECODE_HELD - (size_t)d->n_held);
    if (s.n > 0)
        memcpy(d->held + d->n_held, s.p, s.n);
    d->n_held = (uint8_t)(d->n_held + s.n);
}

static void
take_held(struct decode *d, struct decode_out *out)
{
    take_line(d, span_of(d->held, d->n_held), out);
    memset(d->held, 0, d->n_held);
    d->n_held = 0;
}

void
decode_uu_push(struct decode *d, struct span *in, struct decode_out *out)
{
    while (in->n > 0 && d->state != DONE) {
        size_t n = span_find(*in, '\n');

        if (n == in->n) {
            hold(d, *in);
            *in = span_tail(*in, n);
            return;
        }
        if (decode_out_full(out))
            return;
        if (d->n_held == 0) {
            take_line(d, span_head(*in, n), out);
        } else {
            hold(d, span_head(*in, n));
            take_held(d, out);
        }
        *in = span_tail(*in, n + 1);
    }
    if (d->state == DONE)
        *in = span_tail(*in, in->n);
}

void
decode_uu_end(struct decode *d, struct decode_out *out)
{
    if (d->n_held > 0)
        take_held(d, out);
    if (d->state != DONE)
        decode_note(d, DECODE_ODD_NO_END);
    d->state = DONE;
}
