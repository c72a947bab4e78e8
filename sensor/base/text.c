#include "sensor/base/text.h"

size_t
utf8_len(struct span s)
{
    uint8_t a = span_at(s, 0);
    uint8_t b = span_at(s, 1);
    size_t n;

    if (s.n == 0)
        return 0;
    if (a < 0x80)
        return 1;
    if (a < 0xc2 || a > 0xf4)
        return 0;
    n = a < 0xe0 ? 2 : a < 0xf0 ? 3 : 4;
    if (s.n < n || (b & 0xc0) != 0x80)
        return 0;
    if ((a == 0xe0 && b < 0xa0) || (a == 0xed && b > 0x9f) ||
        (a == 0xf0 && b < 0x90) || (a == 0xf4 && b > 0x8f))
        return 0;
    for (size_t i = 2; i < n; i++) {
        if ((s.p[i] & 0xc0) != 0x80)
            return 0;
    }
    return n;
}

bool
utf8_valid(struct span s)
{
    while (s.n > 0) {
        size_t n = utf8_len(s);

        if (n == 0)
            return false;
        s = span_tail(s, n);
    }
    return true;
}

bool
text_utf8(struct buf *out, struct span s)
{
    bool replaced = false;

    while (s.n > 0) {
        size_t n = utf8_len(s);

        if (n > 0) {
            buf_put(out, s.p, n);
        } else {
            buf_put(out, "\xef\xbf\xbd", 3);
            replaced = true;
            n = 1;
        }
        s = span_tail(s, n);
    }
    return replaced;
}

static uint32_t
utf8_value(struct span s, size_t n)
{
    uint32_t v;

    if (n == 1)
        return s.p[0];
    v = s.p[0] & (0xffU >> (n + 1));
    for (size_t i = 1; i < n; i++)
        v = (v << 6) | (s.p[i] & 0x3fU);
    return v;
}

/* Characters that change how their neighbours look, or cannot be seen. */
static bool
is_hidden(uint32_t c)
{
    return (c >= 0x80 && c < 0xa0) || c == 0xad || c == 0x34f || c == 0x61c ||
           c == 0x115f || c == 0x1160 || c == 0x17b4 || c == 0x17b5 ||
           (c >= 0x180b && c <= 0x180f) || c == 0x3164 || c == 0xffa0 ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
           (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

void
text_term(struct buf *out, struct span s)
{
    while (s.n > 0) {
        size_t n = utf8_len(s);
        uint32_t c = n > 0 ? utf8_value(s, n) : 0;

        if (n == 0 || c < 0x20 || c == 0x7f)
            buf_printf(out, "\\x%02x", s.p[0]);
        else if (c == '\\')
            buf_put(out, "\\\\", 2);
        else if (is_hidden(c))
            buf_printf(out, "<U+%04X>", (unsigned)c);
        else
            buf_put(out, s.p, n);
        s = span_tail(s, n > 0 ? n : 1);
    }
}

static void
plain_char(struct buf *out, struct span s, size_t n, size_t begin)
{
    uint32_t c = n > 0 ? utf8_value(s, n) : 0xfffd;

    if (n == 0)
        buf_put(out, "\xef\xbf\xbd", 3);
    else if (c > 0x20 && c != 0x7f && !is_hidden(c))
        buf_put(out, s.p, n);
    else if (c <= 0x20 && out->n > begin && out->p[out->n - 1] != ' ')
        buf_putc(out, ' ');
}

void
text_plain(struct buf *out, struct span s, size_t max)
{
    size_t begin = out->n;
    size_t used = 0;

    while (s.n > 0) {
        size_t n = utf8_len(s);
        size_t step = n > 0 ? n : 1;

        if (step > max - used) {
            buf_str(out, "\xe2\x80\xa6");
            return;
        }
        plain_char(out, s, n, begin);
        used += step;
        s = span_tail(s, step);
    }
    if (out->n > begin && out->p[out->n - 1] == ' ')
        out->n--;
}

void
text_html(struct buf *out, struct span s)
{
    while (s.n > 0) {
        size_t n = utf8_len(s);
        uint32_t c = n > 0 ? utf8_value(s, n) : 0xfffd;

        switch (c) {
        case '&': buf_str(out, "&amp;"); break;
        case '<': buf_str(out, "&lt;"); break;
        case '>': buf_str(out, "&gt;"); break;
        case '"': buf_str(out, "&quot;"); break;
        case '\'': buf_str(out, "&#39;"); break;
        default:
            if (n == 0 || c < 0x20 || c == 0x7f)
                buf_printf(out, "\\x%02x", s.p[0]);
            else if (is_hidden(c))
                buf_printf(out, "&lt;U+%04X&gt;", (unsigned)c);
            else
                buf_put(out, s.p, n);
        }
        s = span_tail(s, n > 0 ? n : 1);
    }
}

static bool
is_formula(struct span s)
{
    return s.n > 0 && strchr("=+-@\t\r", s.p[0]) != NULL && s.p[0] != 0;
}

/* Also the semicolon: it separates fields where the comma is decimal. */
static bool
needs_quotes(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];

        if (c == ',' || c == ';' || c == '"' || c < 0x20)
            return true;
    }
    return false;
}

void
text_csv(struct buf *out, struct span s)
{
    bool quoted = needs_quotes(s);

    if (quoted)
        buf_putc(out, '"');
    if (is_formula(s))
        buf_putc(out, '\'');
    while (s.n > 0) {
        size_t n = utf8_len(s);

        if (n == 0)
            buf_printf(out, "\\x%02x", s.p[0]);
        else if (s.p[0] == '"')
            buf_put(out, "\"\"", 2);
        else if (s.p[0] < 0x20)
            buf_printf(out, "\\x%02x", s.p[0]);
        else
            buf_put(out, s.p, n);
        s = span_tail(s, n > 0 ? n : 1);
    }
    if (quoted)
        buf_putc(out, '"');
}

void
text_base64(struct buf *out, struct span s)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "abcdefghijklmnopqrstuvwxyz0123456789+/";

    for (; s.n > 0; s = span_tail(s, 3)) {
        uint32_t v = ((uint32_t)span_at(s, 0) << 16) |
                     ((uint32_t)span_at(s, 1) << 8) | span_at(s, 2);
        char quad[4] = {set[v >> 18], set[(v >> 12) & 63], '=', '='};

        if (s.n > 1)
            quad[2] = set[(v >> 6) & 63];
        if (s.n > 2)
            quad[3] = set[v & 63];
        buf_put(out, quad, 4);
    }
}

static uint32_t
sextet(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return (uint32_t)c - 'A';
    if (c >= 'a' && c <= 'z')
        return (uint32_t)c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return (uint32_t)c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : UINT32_MAX;
}

static bool
unbase64_quad(struct buf *out, struct span quad, bool last)
{
    size_t pad = !last || quad.p[3] != '=' ? 0 : quad.p[2] == '=' ? 2 : 1;
    uint32_t v = 0;
    uint8_t b[3];

    for (size_t i = 0; i < 4; i++) {
        uint32_t six = i >= 4 - pad ? 0 : sextet(quad.p[i]);

        if (six > 63)
            return false;
        v = (v << 6) | six;
    }
    b[0] = (uint8_t)(v >> 16);
    b[1] = (uint8_t)(v >> 8);
    b[2] = (uint8_t)v;
    if ((pad > 0 && b[2] != 0) || (pad > 1 && b[1] != 0))
        return false;
    buf_put(out, b, 3 - pad);
    return true;
}

bool
text_unbase64(struct buf *out, struct span s)
{
    if (s.n % 4 != 0)
        return false;
    for (; s.n > 0; s = span_tail(s, 4)) {
        if (!unbase64_quad(out, span_head(s, 4), s.n == 4))
            return false;
    }
    return true;
}

void
text_hex(struct buf *out, struct span s)
{
    static const char set[] = "0123456789abcdef";

    for (size_t i = 0; i < s.n; i++) {
        uint8_t pair[2] = {(uint8_t)set[s.p[i] >> 4],
                           (uint8_t)set[s.p[i] & 15]};

        buf_put(out, pair, sizeof(pair));
    }
}
