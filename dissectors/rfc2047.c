#include "dissectors/rfc2047.h"

#define CHARSET_NAME_MAX 64

/* A run of neighbouring words in one charset, decoded to bytes. */
struct run {
    struct charset *cs;
    struct buf *out;
    struct span charset;
    struct buf bytes;
    unsigned seen;
};

static uint8_t
hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return (uint8_t)(c - '0');
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? (uint8_t)(c - 'a' + 10) : 0xff;
}

static uint8_t
base64_digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return (uint8_t)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (uint8_t)(c - 'a' + 26);
    if (c >= '0' && c <= '9')
        return (uint8_t)(c - '0' + 52);
    return c == '+' ? 62 : c == '/' ? 63 : 0xff;
}

/* Both decoders return true when they met what does not belong there. */
static bool
decode_q(struct span s, struct buf *out)
{
    bool bad = false;

    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = span_at(s, i);
        uint8_t hi = hex_digit(span_at(s, i + 1));
        uint8_t lo = hex_digit(span_at(s, i + 2));

        if (c == '=' && hi < 16 && lo < 16) {
            buf_putc(out, (uint8_t)(hi << 4 | lo));
            i += 2;
        } else {
            bad = bad || c == '=' || c == ' ' || c == '\t';
            buf_putc(out, c == '_' ? ' ' : c);
        }
    }
    return bad;
}

static bool
decode_b(struct span s, struct buf *out)
{
    uint32_t bits = 0;
    unsigned n = 0;
    bool bad = false;

    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = span_at(s, i);
        uint8_t v = base64_digit(c);

        if (c == '=') {
            n = 0;
        } else if (v == 0xff) {
            bad = true;
        } else {
            bits = bits << 6 | v;
            n += 6;
            if (n >= 8) {
                n -= 8;
                buf_putc(out, (uint8_t)(bits >> n));
            }
        }
    }
    return bad;
}

static void
run_flush(struct run *r)
{
    enum charset_result got;

    if (r->bytes.n == 0)
        return;
    got = charset_to_utf8(r->cs, r->charset, buf_view(&r->bytes), r->out);
    if (got == CHARSET_UNKNOWN)
        r->seen |= RFC2047_UNKNOWN_CHARSET;
    if (got == CHARSET_REPLACED)
        r->seen |= RFC2047_BAD;
    buf_reset(&r->bytes);
}

static void
run_add(struct run *r, const struct encoded_word *w)
{
    bool bad;

    if (!span_eq_nocase(r->charset, w->charset))
        run_flush(r);
    r->charset = w->charset;
    bad = w->encoding == 'q' ? decode_q(w->text, &r->bytes)
                             : decode_b(w->text, &r->bytes);
    r->seen |= RFC2047_WORDS | (bad ? RFC2047_BAD : 0);
}

static size_t
blanks(struct span s)
{
    size_t n = 0;

    while (span_at(s, n) == ' ' || span_at(s, n) == '\t')
        n++;
    return n;
}

size_t
rfc2047_find(struct span s)
{
    size_t at = span_find(s, '=');

    while (at < s.n && span_at(s, at + 1) != '?')
        at += 1 + span_find(span_tail(s, at + 1), '=');
    return at;
}

/* Text outside of words; between two words it counts unless it is blank. */
static void
put_literal(struct run *r, struct span s)
{
    if (s.n == 0)
        return;
    run_flush(r);
    buf_span(r->out, s);
}

bool
rfc2047_word(struct span s, struct encoded_word *out, bool *no_end)
{
    struct span rest = span_tail(s, 2);
    size_t name = span_find(span_head(rest, CHARSET_NAME_MAX), '?');
    uint8_t encoding = span_at(rest, name + 1) | 0x20;
    size_t end;

    if (!span_starts(s, SPAN_LIT("=?")) || name == 0 ||
        span_at(rest, name) != '?' || (encoding != 'b' && encoding != 'q') ||
        span_at(rest, name + 2) != '?')
        return false;
    out->charset = span_head(rest, span_find(span_head(rest, name), '*'));
    out->encoding = encoding;
    rest = span_tail(rest, name + 3);
    end = span_search(rest, SPAN_LIT("?="));
    if (end == rest.n) {
        *no_end = true;
        return false;
    }
    out->text = span_head(rest, end);
    out->n = 2 + name + 3 + end + 2;
    return true;
}

unsigned
rfc2047_decode(struct charset *cs, struct span in, struct buf *out)
{
    struct run r = {.cs = cs, .out = out};
    struct encoded_word w;
    bool no_end = false;
    bool after_word = false;
    size_t literal = 0; /* where text not yet written begins */
    size_t at = rfc2047_find(in);

    buf_init(&r.bytes, in.n);
    while (at < in.n && !no_end) {
        struct span before = span_head(span_tail(in, literal), at - literal);

        if (!rfc2047_word(span_tail(in, at), &w, &no_end)) {
            at += 2;
        } else {
            if (!after_word || blanks(before) < before.n)
                put_literal(&r, before);
            run_add(&r, &w);
            after_word = true;
            at += w.n;
            literal = at;
        }
        at += rfc2047_find(span_tail(in, at));
    }
    put_literal(&r, span_tail(in, literal));
    run_flush(&r);
    if (r.bytes.failed)
        out->failed = true;
    buf_free(&r.bytes);
    return r.seen;
}
