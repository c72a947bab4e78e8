#include "sensor/sinks/http_reply.h"

#include "sensor/base/attr.h"
#include "sensor/sinks/date.h"

void
http_reply_init(struct http_reply *r)
{
    *r = (struct http_reply){.state = HTTP_STATUS};
}

static bool
is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* ---- the head ---- */

/* "HTTP/1.1 200 OK". */
static enum http_state
take_status(struct http_reply *r, struct span line)
{
    static const struct span name = SPAN_INIT("HTTP/1.");
    uint64_t code = 0;

    if (!span_starts(line, name) || !is_digit(span_at(line, name.n)) ||
        span_at(line, name.n + 1) != ' ' ||
        !span_to_u64(span_head(span_tail(line, name.n + 2), 3), &code) ||
        code < 100 || code > 599 || is_digit(span_at(line, name.n + 5)))
        return HTTP_BAD;
    r->code = (unsigned)code;
    r->keeps = span_at(line, name.n) != '0';
    r->is_chunked = r->has_length = r->has_retry = false;
    r->length = r->retry_s = r->retry_at = 0;
    return code == 101 ? HTTP_BAD : HTTP_FIELD; /* nobody asked for that */
}

static bool
take_length(struct http_reply *r, struct span value)
{
    uint64_t n;

    if (!span_to_u64(value, &n) || (r->has_length && n != r->length))
        return false;
    r->has_length = true;
    r->length = n;
    return true;
}

/* Chunked is last, or there is no end but that of the connection. */
static bool
take_coding(struct http_reply *r, struct span value)
{
    static const struct span chunked = SPAN_INIT("chunked");

    r->is_chunked =
        value.n >= chunked.n &&
        span_eq_nocase(span_tail(value, value.n - chunked.n), chunked);
    r->keeps = r->keeps && r->is_chunked;
    return true;
}

static bool
take_connection(struct http_reply *r, struct span value)
{
    if (span_contains_nocase(value, SPAN_LIT("close")))
        r->keeps = false;
    return true;
}

static bool
take_retry(struct http_reply *r, struct span value)
{
    r->retry_s = r->retry_at = 0;
    r->has_retry =
        span_to_u64(value, &r->retry_s) || date_parse(value, &r->retry_at);
    return true; /* neither: as if it were not there */
}

static const struct {
    struct span name;
    bool (*take)(struct http_reply *r, struct span value);
} fields[] = {
    {SPAN_INIT("content-length"),    take_length    },
    {SPAN_INIT("transfer-encoding"), take_coding    },
    {SPAN_INIT("connection"),        take_connection},
    {SPAN_INIT("retry-after"),       take_retry     },
};

static enum http_state
take_field(struct http_reply *r, struct span line)
{
    size_t colon = span_find(line, ':');
    struct span value = span_trim(span_tail(line, colon + 1));

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (span_eq_nocase(span_head(line, colon), fields[i].name) &&
            !fields[i].take(r, value))
            return HTTP_BAD;
    }
    return colon < line.n ? HTTP_FIELD : HTTP_BAD;
}

/* The head is over (RFC 9112 6.3). */
static enum http_state
begin_body(struct http_reply *r)
{
    if (r->code < 200)
        return HTTP_STATUS;
    if (r->code == 204 || r->code == 304)
        return HTTP_DONE;
    if (r->is_chunked && !r->has_length)
        return HTTP_CHUNK_SIZE;
    r->left = r->length;
    if (r->is_chunked || !r->has_length || r->length > HTTP_BODY_MAX) {
        r->keeps = false;
        return HTTP_DONE;
    }
    return r->left > 0 ? HTTP_BODY : HTTP_DONE;
}

/* ---- chunks ---- */

static enum http_state
take_chunk_size(struct http_reply *r, struct span line)
{
    uint64_t n = 0;
    size_t i = 0;

    for (; i < line.n && i < 8; i++) {
        uint8_t c = line.p[i] | 0x20;

        if (!is_digit(line.p[i]) && (c < 'a' || c > 'f'))
            break;
        n = n << 4 | (uint64_t)(is_digit(line.p[i]) ? c - '0' : c - 'a' + 10);
    }
    if (i == 0 || (i < line.n && line.p[i] != ';' && line.p[i] != ' '))
        return HTTP_BAD;
    r->left = n;
    return n > 0 ? HTTP_CHUNK : HTTP_TRAILER;
}

/* ---- lines and bytes ---- */

static enum http_state
take_line(struct http_reply *r, struct span line)
{
    switch (r->state) {
    case HTTP_STATUS: return take_status(r, line);
    case HTTP_FIELD: return line.n > 0 ? take_field(r, line) : begin_body(r);
    case HTTP_CHUNK_SIZE: return take_chunk_size(r, line);
    case HTTP_CHUNK_END: return line.n == 0 ? HTTP_CHUNK_SIZE : HTTP_BAD;
    case HTTP_TRAILER: return line.n > 0 ? HTTP_TRAILER : HTTP_DONE;
    case HTTP_BODY:
    case HTTP_CHUNK:
    case HTTP_DONE:
    case HTTP_BAD: break;
    }
    return r->state;
}

/* Bytes up to a line's end; the line is taken when it is there. */
static size_t
feed_line(struct http_reply *r, struct span bytes)
{
    size_t at = span_find(bytes, '\n');
    size_t room = HTTP_LINE_MAX - r->n_line;
    size_t keep = at < room ? at : room;
    struct span line;

    if (keep > 0)
        memcpy(r->line + r->n_line, bytes.p, keep);
    r->n_line += keep;
    r->head += at < bytes.n ? at + 1 : at;
    if (r->head > HTTP_HEAD_MAX)
        r->state = HTTP_BAD;
    else if (at < bytes.n) {
        line = span_of(r->line, r->n_line);
        if (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        r->n_line = 0;
        r->state = take_line(r, line);
    }
    return at < bytes.n ? at + 1 : at;
}

static size_t
feed_body(struct http_reply *r, struct span bytes)
{
    size_t n = bytes.n < r->left ? bytes.n : (size_t)r->left;

    r->left -= n;
    r->body += n;
    if (r->body > HTTP_BODY_MAX) {
        r->keeps = false;
        r->state = HTTP_DONE;
    } else if (r->left == 0) {
        r->state = r->state == HTTP_CHUNK ? HTTP_CHUNK_END : HTTP_DONE;
    }
    return n;
}

size_t
http_reply_feed(struct http_reply *r, struct span bytes)
{
    size_t at = 0;

    while (at < bytes.n && r->state < HTTP_DONE) {
        struct span rest = span_tail(bytes, at);

        at += r->state == HTTP_BODY || r->state == HTTP_CHUNK
                  ? feed_body(r, rest)
                  : feed_line(r, rest);
    }
    return at;
}
