#include "sensor/base/json_in.h"

#include "sensor/base/json_out.h"
#include "sensor/base/text.h"

static bool
fail(struct json_in *j, size_t at, const char *why)
{
    j->why = why;
    j->why_at = at;
    return false;
}

static bool
take_hex4(struct json_in *j, uint32_t *out)
{
    uint32_t v = 0;

    for (int i = 0; i < 4; i++) {
        uint8_t c = span_at(j->in, j->at);
        uint8_t low = c | 0x20;

        if (c >= '0' && c <= '9')
            v = v * 16 + c - '0';
        else if (low >= 'a' && low <= 'f')
            v = v * 16 + low - 'a' + 10;
        else
            return fail(j, j->at, "four hexadecimal digits follow \\u");
        j->at++;
    }
    *out = v;
    return true;
}

static void
put_utf8(struct buf *b, uint32_t c)
{
    uint8_t u[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (size_t i = n - 1; i > 0; i--) {
        u[i] = (uint8_t)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    u[0] = (uint8_t)(lead[n] | c);
    buf_put(b, u, n);
}

/* After "\u". */
static bool
take_unicode(struct json_in *j)
{
    size_t at = j->at - 2;
    uint32_t c;
    uint32_t low;

    if (!take_hex4(j, &c))
        return false;
    if (c >= 0xd800 && c < 0xdc00) {
        if (span_at(j->in, j->at) != '\\' || span_at(j->in, j->at + 1) != 'u')
            return fail(j, at, "half of a surrogate pair");
        j->at += 2;
        if (!take_hex4(j, &low))
            return false;
        if (low < 0xdc00 || low > 0xdfff)
            return fail(j, at, "half of a surrogate pair");
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    } else if (c >= 0xdc00 && c <= 0xdfff) {
        return fail(j, at, "half of a surrogate pair");
    }
    put_utf8(j->text, c);
    return true;
}

/* At the backslash. */
static bool
take_escape(struct json_in *j)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    uint8_t c = span_at(j->in, j->at + 1);
    const char *hit = c != 0 ? strchr(from, c) : NULL;

    j->at += 2;
    if (hit != NULL) {
        buf_putc(j->text, (uint8_t)to[hit - from]);
        return true;
    }
    if (c == 'u')
        return take_unicode(j);
    return fail(j, j->at - 2, "no such escape in JSON");
}

/* One character that plain runs leave out, but neither quote nor backslash. */
static bool
take_other(struct json_in *j)
{
    struct span rest = span_tail(j->in, j->at);
    size_t n = utf8_len(rest);

    if (rest.n == 0)
        return fail(j, j->at, "the string does not end");
    if (n == 0)
        return fail(j, j->at, "not UTF-8");
    if (rest.p[0] < 0x20)
        return fail(j, j->at, "a control character in a string");
    j->at += n;
    return true;
}

/* What is not plain to its end: copied is where what was not copied begins. */
static bool
string_rest(struct json_in *j, size_t copied, struct span *out)
{
    struct buf *b = j->text;
    size_t begin = b->n;
    bool escaped = false;
    uint8_t c;

    while ((c = span_at(j->in, j->at)) != '"') {
        if (c == '\\') {
            buf_put(b, j->in.p + copied, j->at - copied);
            escaped = true;
            if (!take_escape(j))
                return false;
            copied = j->at;
        } else if (!take_other(j)) {
            return false;
        }
        j->at += json_plain_run(span_tail(j->in, j->at));
    }
    *out = span_of(j->in.p + copied, j->at - copied);
    j->at++;
    if (!escaped)
        return true;
    buf_span(b, *out);
    if (b->cut || b->failed)
        return fail(j, j->at, "no room for the string");
    *out = span_of(b->p + begin, b->n - begin);
    return true;
}

bool
json_in_string(struct json_in *j, struct span *out)
{
    struct span rest = span_tail(j->in, ++j->at);
    size_t begin = j->at;
    size_t n = json_plain_run(rest);

    j->at += n;
    if (UNLIKELY(span_at(rest, n) != '"'))
        return string_rest(j, begin, out);
    j->at++;
    *out = span_head(rest, n);
    return true;
}

static size_t
digits(struct json_in *j)
{
    size_t begin = j->at;
    uint8_t c = span_at(j->in, j->at);

    while (c >= '0' && c <= '9')
        c = span_at(j->in, ++j->at);
    return j->at - begin;
}

bool
json_in_number(struct json_in *j, struct span *out)
{
    size_t begin = j->at;
    bool zero;
    size_t n;

    if (span_at(j->in, j->at) == '-')
        j->at++;
    zero = span_at(j->in, j->at) == '0';
    n = digits(j);
    if (n == 0 || (zero && n > 1))
        return fail(j, begin, "not a number");
    if (span_at(j->in, j->at) == '.') {
        j->at++;
        if (digits(j) == 0)
            return fail(j, begin, "not a number");
    }
    if ((span_at(j->in, j->at) | 0x20) == 'e') {
        uint8_t sign = span_at(j->in, ++j->at);

        j->at += sign == '+' || sign == '-';
        if (digits(j) == 0)
            return fail(j, begin, "not a number");
    }
    *out = span_head(span_tail(j->in, begin), j->at - begin);
    return true;
}

bool
json_in_word(struct json_in *j, struct span word)
{
    if (!span_starts(span_tail(j->in, j->at), word))
        return fail(j, j->at, "not a JSON value");
    j->at += word.n;
    return true;
}
