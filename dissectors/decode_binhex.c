/* decode_binhex - BinHex 4.0, RFC 1741: six bits a character between two
 * colons, repetitions packed, then a header, the data fork and the resource
 * fork with a checksum each. Only the data fork is given out. */
#include "dissectors/decode_kinds.h"

#define MARK     0x90 /* introduces a repetition */
#define NAME_MAX 63
#define HEAD_MAX (1 + NAME_MAX + 1 + 4 + 4 + 2 + 4 + 4 + 2)

_Static_assert(HEAD_MAX <= DECODE_HELD, "a header is held whole");

enum state {
    SEARCH, /* held: the line so far */
    HEAD,   /* held: the header so far */
    DATA,   /* left: bytes of the data fork */
    CRC,    /* held: its checksum so far */
    REST,   /* the resource fork, up to the colon */
    DONE,
};

/* The comment that must stand before: RFC 1741 3. */
static const char comment[] = "(This file must be converted with BinHex";

enum { CO = 64, WS, JK };

/* clang-format off */
static const uint8_t digits[128] = {
    JK, JK, JK, JK, JK, JK, JK, JK, JK, WS, WS, JK, JK, WS, JK, JK,
    JK, JK, JK, JK, JK, JK, JK, JK, JK, JK, JK, JK, JK, JK, JK, JK,
    WS, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, JK, JK,
    13, 14, 15, 16, 17, 18, 19, JK, 20, 21, CO, JK, JK, JK, JK, JK,
    22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, JK,
    37, 38, 39, 40, 41, 42, 43, JK, 44, 45, 46, 47, JK, JK, JK, JK,
    48, 49, 50, 51, 52, 53, 54, JK, 55, 56, 57, 58, 59, 60, JK, JK,
    61, 62, 63, JK, JK, JK, JK, JK, JK, JK, JK, JK, JK, JK, JK, JK,
};
/* clang-format on */

static void
set_state(struct decode *d, enum state s)
{
    memset(d->held, 0, d->n_held);
    d->n_held = 0;
    d->state = (uint8_t)s;
}

/* CRC of CCITT, polynomial 0x1021, from zero. */
static uint16_t
crc_byte(uint16_t crc, uint8_t b)
{
    static const uint16_t table[16] = {
        0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5, 0x60c6, 0x70e7,
        0x8108, 0x9129, 0xa14a, 0xb16b, 0xc18c, 0xd1ad, 0xe1ce, 0xf1ef,
    };

    crc = (uint16_t)(crc << 4 ^ table[crc >> 12 ^ b >> 4]);
    return (uint16_t)(crc << 4 ^ table[(crc >> 12 ^ b) & 15]);
}

/* ---- the forks ---- */

static void
check_crc(struct decode *d, uint16_t want)
{
    if (d->crc != want)
        decode_note(d, DECODE_ODD_CHECKSUM);
    d->crc = 0;
}

static void
head_done(struct decode *d)
{
    struct span head = span_of(d->held, d->n_held - 2U);
    struct cursor c = cur_open(span_of(d->held, d->n_held));

    d->crc = 0;
    for (size_t i = 0; i < head.n; i++)
        d->crc = crc_byte(d->crc, head.p[i]);
    cur_skip(&c, cur_u8(&c));
    cur_skip(&c, 1 + 4 + 4 + 2); /* version, type, creator, flags */
    d->left = cur_be32(&c);
    cur_skip(&c, 4);
    check_crc(d, cur_be16(&c));
    set_state(d, d->left > 0 ? DATA : CRC);
}

static void
head_byte(struct decode *d, uint8_t b)
{
    d->held[d->n_held++] = b;
    if (d->held[0] > NAME_MAX) {
        decode_note(d, DECODE_ODD_JUNK);
        set_state(d, REST);
    } else if (d->n_held == d->held[0] + 1U + 21U) {
        head_done(d);
    }
}

static void
crc_held(struct decode *d, uint8_t b)
{
    d->held[d->n_held++] = b;
    if (d->n_held < 2)
        return;
    check_crc(d, (uint16_t)(d->held[0] << 8 | d->held[1]));
    set_state(d, REST);
}

static void
fork_byte(struct decode *d, uint8_t b, struct decode_out *out)
{
    if (d->state == HEAD) {
        head_byte(d, b);
    } else if (d->state == DATA) {
        decode_out_byte(out, b);
        d->crc = crc_byte(d->crc, b);
        if (--d->left == 0)
            set_state(d, CRC);
    } else if (d->state == CRC) {
        crc_held(d, b);
    }
}

/* ---- repetitions: group[1] is the last byte, group[2] says MARK was ---- */

static void
packed_byte(struct decode *d, uint8_t b, struct decode_out *out)
{
    if (d->group[2] != 0) {
        d->group[2] = 0;
        if (b != 0) {
            d->run = (uint8_t)(b - 1);
            return;
        }
        b = MARK;
    } else if (b == MARK) {
        d->group[2] = 1;
        return;
    }
    d->group[1] = b;
    fork_byte(d, b, out);
}

static void
run_on(struct decode *d, struct decode_out *out)
{
    while (d->run > 0 && !decode_out_full(out)) {
        fork_byte(d, d->group[1], out);
        d->run--;
    }
}

/* ---- characters: group[0] has the bits left of the ones before ---- */

static void
digit(struct decode *d, uint8_t v, struct decode_out *out)
{
    unsigned bits = (unsigned)d->group[0] << 6 | v;
    unsigned rest; /* bits of v behind the byte */

    if (d->n_group == 0) {
        d->group[0] = v;
        d->n_group = 1;
        return;
    }
    rest = 6 - 2U * d->n_group;
    d->group[0] = (uint8_t)(bits & ((1U << rest) - 1));
    d->n_group = (uint8_t)((d->n_group + 1) % 4);
    packed_byte(d, (uint8_t)(bits >> rest), out);
}

static void
in_body(struct decode *d, uint8_t c, struct decode_out *out)
{
    uint8_t v = c < 128 ? digits[c] : JK;

    if (v < 64) {
        if (d->state != REST)
            digit(d, v, out);
    } else if (v == CO) {
        if (d->state != REST)
            decode_note(d, DECODE_ODD_NO_END);
        set_state(d, DONE);
    } else if (v == JK) {
        decode_note(d, DECODE_ODD_JUNK);
    }
}

/* Before the first colon; pads: the comment was seen, or nothing yet. */
static void
in_search(struct decode *d, uint8_t c)
{
    struct span want = span_of(comment, sizeof(comment) - 1);
    struct span line = span_of(d->held, d->n_held);

    if (c == ':' && line.n == 0 && d->pads != 1) {
        set_state(d, HEAD);
    } else if (c == '\n') {
        if (span_starts_nocase(line, want))
            d->pads = 2;
        else if (line.n > 0 && d->pads == 0)
            d->pads = 1;
        set_state(d, SEARCH);
    } else if (c != '\r' && d->n_held < want.n) {
        d->held[d->n_held++] = c;
    }
}

/* A byte stays in the input until the repetition that it began is out. */
void
decode_binhex_push(struct decode *d, struct span *in, struct decode_out *out)
{
    while (in->n > 0 && d->state != DONE) {
        if (d->run == 0) {
            if (decode_out_full(out))
                return;
            if (d->state == SEARCH)
                in_search(d, in->p[0]);
            else
                in_body(d, in->p[0], out);
        }
        run_on(d, out);
        if (d->run > 0)
            return;
        *in = span_tail(*in, 1);
    }
    if (d->state == DONE)
        *in = span_tail(*in, in->n);
}

void
decode_binhex_end(struct decode *d, struct decode_out *out)
{
    (void)out;
    if (d->state != DONE)
        decode_note(d, DECODE_ODD_NO_END);
    d->state = DONE;
}
