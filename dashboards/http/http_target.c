#include "dashboards/http/http_target.h"

static int
digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Room was made before: decoding makes nothing longer, so that spans into it
 * stay. */
static bool
decode(struct span in, bool plus, struct buf *room, struct span *out)
{
    const size_t start = room->n;

    for (size_t i = 0; i < in.n; i++) {
        uint8_t c = span_at(in, i);

        if (c == '%') {
            const int high = digit(span_at(in, i + 1));
            const int low = digit(span_at(in, i + 2));

            if (high < 0 || low < 0)
                return false;
            c = (uint8_t)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        if (c == 0)
            return false;
        buf_putc(room, c);
    }
    *out = span_tail(buf_view(room), start);
    return true;
}

static bool
is_dots(struct span part)
{
    return span_eq(part, SPAN_LIT(".")) || span_eq(part, SPAN_LIT(".."));
}

static bool
is_plain(struct span path)
{
    if (span_find(path, '\\') < path.n || span_find(path, 0x7f) < path.n ||
        span_find_control(path, 0) < path.n)
        return false;
    while (path.n > 0) {
        const size_t slash = span_find(path, '/');

        if (is_dots(span_head(path, slash)))
            return false;
        path = span_tail(path, slash + 1);
    }
    return true;
}

static const char *
read_query(struct span query, struct buf *room, struct http_request *r)
{
    while (query.n > 0) {
        const struct span pair = span_head(query, span_find(query, '&'));
        const size_t equals = span_find(pair, '=');
        struct http_pair *p = &r->query[r->n_query];

        query = span_tail(query, pair.n + 1);
        if (pair.n == 0)
            continue;
        if (r->n_query == HTTP_QUERY)
            return "there are too many parameters";
        if (!decode(span_head(pair, equals), true, room, &p->name) ||
            !decode(span_tail(pair, equals + 1), true, room, &p->value))
            return "a parameter is not well formed";
        r->n_query++;
    }
    return NULL;
}

const char *
http_target_read(struct span raw, struct buf *room, struct http_request *r)
{
    const size_t mark = span_find(raw, '?');

    r->path = SPAN_NONE;
    r->n_query = 0;
    if (span_at(raw, 0) != '/')
        return "the address does not begin with a slash";
    if (!buf_grow(room, raw.n))
        return "the address is too long";
    if (!decode(span_head(raw, mark), false, room, &r->path) ||
        !is_plain(r->path)) {
        r->path = SPAN_NONE;
        return "the path is not well formed";
    }
    return read_query(span_tail(raw, mark + 1), room, r);
}
