#include "sensor/base/json_out.h"

#include "sensor/base/text.h"

static void
separate(struct json_out *j)
{
    uint32_t bit = 1U << j->depth;

    if (j->comma & bit)
        buf_putc(j->out, ',');
    j->comma |= bit;
}

void
json_begin(struct json_out *j, char bracket)
{
    separate(j);
    REQUIRE(j->depth < JSON_DEPTH);
    j->depth++;
    j->comma &= ~(1U << j->depth);
    buf_putc(j->out, (uint8_t)bracket);
}

void
json_end(struct json_out *j, char bracket)
{
    REQUIRE(j->depth > 0);
    j->depth--;
    buf_putc(j->out, (uint8_t)bracket);
}

void
json_key(struct json_out *j, const char *key)
{
    separate(j);
    buf_putc(j->out, '"');
    buf_str(j->out, key);
    buf_put(j->out, "\":", 2);
    j->comma &= ~(1U << j->depth);
}

static void
escape(struct buf *out, uint8_t c)
{
    static const char set[] = "0123456789abcdef";

    switch (c) {
    case '"': buf_put(out, "\\\"", 2); break;
    case '\\': buf_put(out, "\\\\", 2); break;
    case '\n': buf_put(out, "\\n", 2); break;
    case '\r': buf_put(out, "\\r", 2); break;
    case '\t': buf_put(out, "\\t", 2); break;
    default:
        buf_put(out, "\\u00", 4);
        buf_putc(out, (uint8_t)set[c >> 4]);
        buf_putc(out, (uint8_t)set[c & 15]);
    }
}

/* 1: passes as it is. */
static bool
is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static size_t
plain_run(struct span s)
{
    size_t n = 0;

    while (n < s.n && is_plain(s.p[n]))
        n++;
    return n;
}

bool
json_str(struct json_out *j, struct span s)
{
    bool replaced = false;

    separate(j);
    buf_putc(j->out, '"');
    while (s.n > 0) {
        size_t n = plain_run(s);

        buf_put(j->out, s.p, n);
        s = span_tail(s, n);
        if (s.n == 0)
            break;
        n = utf8_len(s);
        if (n > 1) {
            buf_put(j->out, s.p, n);
        } else if (n == 1) {
            escape(j->out, s.p[0]);
        } else {
            buf_put(j->out, "\xef\xbf\xbd", 3);
            replaced = true;
            n = 1;
        }
        s = span_tail(s, n);
    }
    buf_putc(j->out, '"');
    return replaced;
}

void
json_u64(struct json_out *j, uint64_t v)
{
    separate(j);
    buf_u64(j->out, v);
}

void
json_i64(struct json_out *j, int64_t v)
{
    separate(j);
    if (v < 0)
        buf_putc(j->out, '-');
    buf_u64(j->out, v < 0 ? (uint64_t) - (v + 1) + 1 : (uint64_t)v);
}

void
json_bool(struct json_out *j, bool v)
{
    separate(j);
    buf_str(j->out, v ? "true" : "false");
}

void
json_null(struct json_out *j)
{
    separate(j);
    buf_str(j->out, "null");
}

void
json_raw(struct json_out *j, struct span s)
{
    separate(j);
    buf_span(j->out, s);
}
