#include "dissectors/content/xml.h"

#include "dissectors/content/utf16.h"

#define REFERENCE_MAX 12 /* bytes between & and ; */

static bool
is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct span
skip_blank(struct span s)
{
    size_t n = 0;

    while (n < s.n && is_blank(span_at(s, n)))
        n++;
    return span_tail(s, n);
}

/* ---- encodings ---- */

static const struct {
    struct span head;
    size_t skip;
    bool big_endian;
} wide[] = {
    {SPAN_INIT("\xff\xfe"), 2, false},
    {SPAN_INIT("\xfe\xff"), 2, true },
    {SPAN_INIT("<\0?\0"),   0, false},
    {SPAN_INIT("\0<\0?"),   0, true },
};

bool
xml_is(struct span bytes)
{
    for (size_t k = 0; k < ARRAY_LEN(wide); k++)
        if (span_starts(bytes, wide[k].head))
            return span_at(bytes, wide[k].skip + wide[k].big_endian) == '<';
    if (span_starts(bytes, SPAN_LIT("\xef\xbb\xbf")))
        bytes = span_tail(bytes, 3);
    return span_at(skip_blank(span_head(bytes, 256)), 0) == '<';
}

void
xml_open(struct span bytes, struct xml *x)
{
    *x = (struct xml){.in = bytes};
    buf_init(&x->converted, bytes.n / 2 * 3 + 4);
    for (size_t k = 0; k < ARRAY_LEN(wide); k++)
        if (span_starts(bytes, wide[k].head)) {
            utf16_text(&x->converted, span_tail(bytes, wide[k].skip),
                       wide[k].big_endian);
            x->in = buf_view(&x->converted);
            return;
        }
}

void
xml_close(struct xml *x)
{
    buf_free(&x->converted);
}

/* ---- tags ---- */

/* Behind the mark, or the end. */
static size_t
skip_to(struct span s, struct span mark)
{
    size_t hit = span_search(s, mark);

    return hit < s.n ? hit + mark.n : s.n;
}

/* Index of the '>' that ends a tag: quotes may hold others. */
static size_t
tag_end(struct span s)
{
    size_t at = 0;

    while (at < s.n) {
        uint8_t c = span_at(s, at);

        if (c == '>')
            return at;
        at++;
        if (c == '"' || c == '\'')
            at += span_find(span_tail(s, at), c) + 1;
    }
    return s.n;
}

/* <!DOCTYPE ... [ ... ]>: declarations in it have their own quotes. */
static size_t
skip_declaration(struct span s)
{
    size_t depth = 0;
    size_t at = 0;

    for (; at < s.n; at++) {
        uint8_t c = span_at(s, at);

        if (c == '"' || c == '\'')
            at += span_find(span_tail(s, at + 1), c) + 1;
        else if (c == '[')
            depth++;
        else if (c == ']' && depth > 0)
            depth--;
        else if (c == '>' && depth == 0)
            return at + 1;
    }
    return s.n;
}

static struct span
local_name(struct span tag)
{
    size_t n = 0;
    size_t colon;

    while (n < tag.n && !is_blank(span_at(tag, n)) && span_at(tag, n) != '/')
        n++;
    tag = span_head(tag, n);
    colon = span_find(tag, ':');
    return colon < tag.n ? span_tail(tag, colon + 1) : tag;
}

static void
read_tag(struct span tag, struct xml_item *out)
{
    *out = (struct xml_item){.kind = XML_START};
    if (span_at(tag, 0) == '/') {
        out->kind = XML_STOP;
        tag = span_tail(tag, 1);
    } else if (tag.n > 0 && span_at(tag, tag.n - 1) == '/') {
        out->empty = true;
        tag = span_head(tag, tag.n - 1);
    }
    out->name = local_name(tag);
    if (out->name.n > 0)
        out->attrs =
            span_tail(tag, (size_t)(out->name.p - tag.p) + out->name.n);
}

/* What begins with '<' and is no tag; true when *out is text. */
static bool
special(struct xml *x, struct span s, struct xml_item *out)
{
    static const struct span cdata = SPAN_INIT("<![CDATA[");

    if (span_starts(s, SPAN_LIT("<?")))
        x->at += skip_to(s, SPAN_LIT("?>"));
    else if (span_starts(s, SPAN_LIT("<!--")))
        x->at += skip_to(s, SPAN_LIT("-->"));
    else if (span_starts(s, cdata)) {
        struct span body = span_tail(s, cdata.n);
        size_t n = span_search(body, SPAN_LIT("]]>"));

        x->at += cdata.n + (n < body.n ? n + 3 : n);
        *out = (struct xml_item){
            .kind = XML_TEXT, .text = span_head(body, n), .verbatim = true};
        return true;
    } else {
        x->at += skip_declaration(s);
    }
    return false;
}

bool
xml_next(struct xml *x, struct xml_item *out)
{
    while (x->at < x->in.n) {
        struct span s = span_tail(x->in, x->at);
        size_t n = span_find(s, '<');

        if (n > 0) {
            *out = (struct xml_item){.kind = XML_TEXT, .text = span_head(s, n)};
            x->at += n;
            return true;
        }
        if (span_at(s, 1) != '?' && span_at(s, 1) != '!') {
            s = span_tail(s, 1);
            n = tag_end(s);
            x->at += n + 2;
            if (n >= s.n)
                break;
            read_tag(span_head(s, n), out);
            return true;
        }
        if (special(x, s, out))
            return true;
    }
    x->at = x->in.n;
    return false;
}

/* ---- attributes and text ---- */

bool
xml_attribute(struct span *attrs, struct span *name, struct span *value)
{
    struct span s = skip_blank(*attrs);
    size_t n = span_find(s, '=');
    uint8_t quote;

    if (n >= s.n)
        return false;
    *name = local_name(span_head(s, n));
    s = skip_blank(span_tail(s, n + 1));
    quote = span_at(s, 0);
    if (quote != '"' && quote != '\'')
        return false;
    s = span_tail(s, 1);
    n = span_find(s, quote);
    *value = span_head(s, n);
    *attrs = span_tail(s, n + 1);
    return true;
}

struct span
xml_get(struct span attrs, const char *name)
{
    struct span want = span_str(name);
    struct span have;
    struct span value;

    while (xml_attribute(&attrs, &have, &value))
        if (span_eq(have, want))
            return value;
    return SPAN_NONE;
}

static uint32_t
digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0');
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10 : 16;
}

/* "#65", "#x41" */
static bool
numeric(struct span s, uint32_t *out)
{
    const uint32_t base = (span_at(s, 1) | 0x20) == 'x' ? 16 : 10;
    uint32_t v = 0;
    size_t k = base == 16 ? 2 : 1;

    if (span_at(s, 0) != '#' || k >= s.n)
        return false;
    for (; k < s.n; k++) {
        uint32_t d = digit(span_at(s, k));

        if (d >= base || v > 0x10ffff)
            return false;
        v = v * base + d;
    }
    *out = v;
    return true;
}

static bool
reference(struct span s, uint32_t *out)
{
    static const struct {
        struct span name;
        uint8_t is;
    } named[] = {
        {SPAN_INIT("amp"),  '&' },
        {SPAN_INIT("lt"),   '<' },
        {SPAN_INIT("gt"),   '>' },
        {SPAN_INIT("quot"), '"' },
        {SPAN_INIT("apos"), '\''},
    };

    for (size_t k = 0; k < ARRAY_LEN(named); k++)
        if (span_eq(s, named[k].name)) {
            *out = named[k].is;
            return true;
        }
    return numeric(s, out);
}

void
xml_decode(struct buf *out, struct span raw)
{
    while (raw.n > 0) {
        size_t n = span_find(raw, '&');
        struct span rest = span_tail(raw, n + 1);
        size_t end = span_find(span_head(rest, REFERENCE_MAX), ';');
        uint32_t c;

        buf_span(out, span_head(raw, n));
        if (n >= raw.n)
            return;
        if (end < rest.n && reference(span_head(rest, end), &c)) {
            utf16_put(out, c);
            raw = span_tail(rest, end + 1);
        } else {
            buf_putc(out, '&');
            raw = rest;
        }
    }
}
