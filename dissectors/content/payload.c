#include "dissectors/content/payload.h"

#include "dissectors/content/byte_in.h"

#define JOINT_MAX 80 /* bytes between two quotes that join */
#define PIECE_MIN 16 /* letters of a piece that a comma joins */
#define NO_PIECE  SIZE_MAX

/* Letters: value + 1; 0 for what is none. */
static const uint8_t letters[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,
    ['G'] = 7,  ['H'] = 8,  ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12,
    ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18,
    ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30,
    ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36,
    ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42,
    ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54,
    ['2'] = 55, ['3'] = 56, ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60,
    ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64, ['-'] = 63, ['_'] = 64,
};

/* How files begin that are worth beginning anew for. */
static const struct span beginnings[] = {
    SPAN_INIT("TV"),     /* MZ, MSCF, MSWIM */
    SPAN_INIT("UEs"),    /* PK */
    SPAN_INIT("UmFyI"),  /* Rar! */
    SPAN_INIT("N3q8"),   /* 7z */
    SPAN_INIT("0M8R4"),  /* OLE2 */
    SPAN_INIT("f0VMR"),  /* ELF */
    SPAN_INIT("TAAAA"),  /* LNK */
    SPAN_INIT("5FJce"),  /* OneNote */
    SPAN_INIT("H4sI"),   /* gzip */
    SPAN_INIT("PCFET0"), /* <!DO */
    SPAN_INIT("PGh0bW"), /* <htm */
    SPAN_INIT("4d5a"),     SPAN_INIT("4D5A"),
    SPAN_INIT("504b0304"), SPAN_INIT("504B0304"),
};

static bool
is_letter(uint8_t c)
{
    return letters[c] != 0;
}

static bool
is_quote(uint8_t c)
{
    return c == '"' || c == '\'' || c == '`';
}

static bool
is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Letters from here on. */
static size_t
run(struct span s, size_t at)
{
    size_t k = at;

    while (k < s.n && is_letter(s.p[k]))
        k++;
    return k - at;
}

static size_t
skip_pad(struct span s, size_t at)
{
    while (span_at(s, at) == '=')
        at++;
    return at;
}

/* ---- joints ---- */

/* The line goes on in the next: with a backslash, as an escape, or as it is. */
static size_t
join_line(struct span s, size_t at)
{
    static const struct span breaks[] = {
        SPAN_INIT("\\r\\n"), SPAN_INIT("\\n"),    SPAN_INIT("\\\r\n"),
        SPAN_INIT("\\\n"),   SPAN_INIT("&#13;"),  SPAN_INIT("&#10;"),
        SPAN_INIT("&#xA;"),  SPAN_INIT("%0D%0A"), SPAN_INIT("%0A"),
    };
    size_t k = at;
    bool broken = false;

    for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++)
        if (span_starts(span_tail(s, k), breaks[i])) {
            k += breaks[i].n;
            broken = true;
        }
    while (k < s.n && k - at < JOINT_MAX && is_space(s.p[k])) {
        broken = broken || s.p[k] == '\n' || s.p[k] == '\r';
        k++;
    }
    return broken && is_letter(span_at(s, k)) ? k : NO_PIECE;
}

static bool
may_join(uint8_t c)
{
    return is_space(c) || (is_letter(c) && c != '/') ||
           (c != 0 && byte_in(c, SPAN_LIT(",.;=$()[]")));
}

/* From a quote to the next quote with nothing but what joins in between. */
static size_t
join_quotes(struct span s, size_t at)
{
    size_t k = at + 1;
    bool plus = false;
    bool call = false;
    size_t next;

    if (!is_quote(span_at(s, at)))
        return NO_PIECE;
    for (; k < s.n && k - at < JOINT_MAX && may_join(s.p[k]); k++) {
        plus = plus || s.p[k] == '+';
        call = call || s.p[k] == ',' || s.p[k] == '(';
    }
    if (!is_quote(span_at(s, k)) || !(plus || call))
        return NO_PIECE;
    next = run(s, k + 1);
    if (next == 0 || (!plus && next < PIECE_MIN))
        return NO_PIECE;
    return k + 1;
}

static bool
begins_file(struct span s)
{
    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
        if (span_starts(s, beginnings[i]))
            return true;
    return false;
}

/* Where the piece goes on that ended at `at`, or NO_PIECE. */
static size_t
join(struct span s, size_t at)
{
    size_t next;

    if (span_at(s, at) == '\\' && span_at(s, at + 1) == '/')
        return at + 1; /* as JSON writes it */
    next = join_line(s, at);
    if (next == NO_PIECE)
        next = join_quotes(s, at);
    return next;
}

/* ---- finding ---- */

struct payload_scan
payload_open(struct span in)
{
    return (struct payload_scan){in, 0};
}

/* The next place where PAYLOAD_RUN letters stand in a row, or in.n. Looks at
 * the last letter that a run would have, so that text costs little. */
static size_t
find_run(struct span in, size_t at)
{
    while (in.n - at >= PAYLOAD_RUN) {
        size_t k = PAYLOAD_RUN;

        while (k > 0 && is_letter(in.p[at + k - 1]))
            k--;
        if (k == 0)
            return at;
        at += k;
    }
    return in.n;
}

static bool
has_data_url(struct span in, size_t at)
{
    static const struct span want = SPAN_INIT("base64,");

    return at >= want.n &&
           span_eq_nocase(span_of(in.p + at - want.n, want.n), want);
}

/* With a digit among them: AAAA is the base64 of nothing. */
static bool
is_hex(struct span s)
{
    bool digit = false;

    for (size_t k = 0; k < s.n; k++) {
        if (!byte_in(s.p[k], SPAN_LIT("0123456789abcdefABCDEF")))
            return false;
        digit = digit || s.p[k] <= '9';
    }
    return digit;
}

static bool
ends_backwards(struct span s)
{
    uint8_t head[8];

    if (s.n < sizeof(head))
        return false;
    for (size_t k = 0; k < sizeof(head); k++)
        head[k] = s.p[s.n - 1 - k];
    return begins_file(span_of(head, sizeof(head)));
}

static enum payload_coding
coding_of(const struct payload *p)
{
    struct span head = span_head(p->text, PAYLOAD_RUN);

    if (is_hex(head))
        return PAYLOAD_HEX;
    if (!begins_file(head) && ends_backwards(p->text))
        return PAYLOAD_BASE64_BACKWARDS;
    return PAYLOAD_BASE64;
}

bool
payload_next(struct payload_scan *s, struct payload *out)
{
    const struct span in = s->in;
    size_t start = s->at < in.n ? find_run(in, s->at) : in.n;
    size_t end;
    size_t piece = start;

    if (start == in.n)
        return false;
    *out = (struct payload){.data_url = has_data_url(in, start)};
    do {
        size_t n = run(in, piece);

        out->n_letters += n;
        end = piece + n;
        piece = join(in, skip_pad(in, end));
    } while (piece != NO_PIECE && !begins_file(span_tail(in, piece)));
    out->text = span_of(in.p + start, end - start);
    out->coding = coding_of(out);
    s->at = skip_pad(in, end);
    return true;
}

/* ---- decoding ---- */

struct decoder {
    struct buf *out;
    size_t enough;
    uint32_t bits;
    unsigned n_bits;
};

static bool
take(struct decoder *d, unsigned bits, uint32_t value)
{
    d->bits = d->bits << bits | value;
    d->n_bits += bits;
    if (d->n_bits >= 8) {
        d->n_bits -= 8;
        buf_putc(d->out, (uint8_t)(d->bits >> d->n_bits));
    }
    return d->out->n < d->enough && !d->out->cut && !d->out->failed;
}

static bool
take_letters(struct decoder *d, struct span piece, bool hex)
{
    for (size_t k = 0; k < piece.n; k++) {
        uint32_t v = letters[piece.p[k]] - 1U;

        if (hex) /* the value of 'A' is 0, of 'a' 26, of '0' 52 */
            v = v >= 52 ? v - 52 : v % 26 + 10;
        if (!take(d, hex ? 4 : 6, hex ? v & 15 : v))
            return false;
    }
    return true;
}

static void
decode_pieces(struct decoder *d, const struct payload *p)
{
    const bool hex = p->coding == PAYLOAD_HEX;
    size_t at = 0;

    while (at < p->text.n) {
        size_t n = run(p->text, at);

        if (!take_letters(d, span_of(p->text.p + at, n), hex))
            return;
        at += n;
        if (span_at(p->text, at) == '=')
            d->n_bits = 0;
        at = join(p->text, skip_pad(p->text, at));
    }
}

static void
decode_backwards(struct decoder *d, struct span s)
{
    for (size_t k = s.n; k > 0; k--)
        if (is_letter(s.p[k - 1]) &&
            !take_letters(d, span_of(s.p + k - 1, 1), false))
            return;
}

void
payload_decode(const struct payload *p, struct buf *out, size_t enough)
{
    struct decoder d = {.out = out, .enough = enough};

    if (p->coding == PAYLOAD_BASE64_BACKWARDS)
        decode_backwards(&d, p->text);
    else
        decode_pieces(&d, p);
}

size_t
payload_size(const struct payload *p)
{
    return p->coding == PAYLOAD_HEX ? p->n_letters / 2 : p->n_letters / 4 * 3;
}
