#include "dissectors/content/unescape.h"

#include "sensor/base/attr.h"

#define DIGITS_MAX 10 /* of a number in a reference; more is not one */
#define HIGHEST    0x10ffffU

static const struct {
    struct span name;
    uint8_t is;
} references[] = {
    {SPAN_INIT("amp;"),     '&' },
    {SPAN_INIT("lt;"),      '<' },
    {SPAN_INIT("gt;"),      '>' },
    {SPAN_INIT("quot;"),    '"' },
    {SPAN_INIT("apos;"),    '\''},
    {SPAN_INIT("nbsp;"),    ' ' },
    {SPAN_INIT("Tab;"),     '\t'},
    {SPAN_INIT("NewLine;"), '\n'},
    {SPAN_INIT("colon;"),   ':' },
    {SPAN_INIT("semi;"),    ';' },
    {SPAN_INIT("comma;"),   ',' },
    {SPAN_INIT("period;"),  '.' },
    {SPAN_INIT("lpar;"),    '(' },
    {SPAN_INIT("rpar;"),    ')' },
    {SPAN_INIT("lsqb;"),    '[' },
    {SPAN_INIT("rsqb;"),    ']' },
    {SPAN_INIT("sol;"),     '/' },
    {SPAN_INIT("bsol;"),    '\\'},
    {SPAN_INIT("equals;"),  '=' },
    {SPAN_INIT("plus;"),    '+' },
    {SPAN_INIT("quest;"),   '?' },
    {SPAN_INIT("num;"),     '#' },
    {SPAN_INIT("percnt;"),  '%' },
    {SPAN_INIT("lowbar;"),  '_' },
    {SPAN_INIT("grave;"),   '`' },
};

static unsigned
digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - (unsigned)'0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - (unsigned)'a' + 10U : 99;
}

/* Digits of the base, as many as there are up to max; how many. */
static size_t
number(struct span s, unsigned base, size_t max, uint32_t *out)
{
    uint32_t v = 0;
    size_t k = 0;

    for (; k < s.n && k < max && digit(s.p[k]) < base; k++)
        if (v <= HIGHEST)
            v = v * base + digit(s.p[k]);
    *out = v <= HIGHEST ? v : 0xfffd;
    return k;
}

static size_t
reference(struct span s, uint32_t *out)
{
    const bool hex = (span_at(s, 2) | 0x20) == 'x';
    const size_t from = hex ? 3 : 2;
    size_t n;

    if (span_at(s, 1) == '#') {
        n = number(span_tail(s, from), hex ? 16 : 10, DIGITS_MAX, out);
        if (n == 0)
            return 0;
        return from + n + (span_at(s, from + n) == ';' ? 1 : 0);
    }
    for (size_t k = 0; k < ARRAY_LEN(references); k++)
        if (span_starts(span_tail(s, 1), references[k].name)) {
            *out = references[k].is;
            return references[k].name.n + 1;
        }
    return 0;
}

/* Exactly n hexadecimal digits behind a prefix of `from` bytes. */
static size_t
fixed(struct span s, size_t from, size_t n, uint32_t *out)
{
    return number(span_tail(s, from), 16, n, out) == n ? from + n : 0;
}

static size_t
percent(struct span s, uint32_t *out)
{
    return (span_at(s, 1) | 0x20) == 'u' ? fixed(s, 2, 4, out)
                                         : fixed(s, 1, 2, out);
}

static size_t
backslash(struct span s, uint32_t *out)
{
    size_t n;

    switch (span_at(s, 1)) {
    case 'x': return fixed(s, 2, 2, out);
    case 'u': break;
    default: n = number(span_tail(s, 1), 8, 3, out); return n > 1 ? n + 1 : 0;
    }
    if (span_at(s, 2) != '{')
        return fixed(s, 2, 4, out);
    n = number(span_tail(s, 3), 16, DIGITS_MAX, out);
    return n > 0 && span_at(s, 3 + n) == '}' ? n + 4 : 0;
}

size_t
unescape_one(struct span s, size_t at, uint32_t *out)
{
    struct span in = span_tail(s, at);
    size_t n = 0;

    switch (span_at(in, 0)) {
    case '&': n = reference(in, out); break;
    case '%': n = percent(in, out); break;
    case '\\': n = backslash(in, out); break;
    default: break;
    }
    if (n > 0)
        return n;
    *out = span_at(in, 0);
    return 1;
}
