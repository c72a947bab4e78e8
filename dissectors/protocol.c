#include "dissectors/protocol.h"

#define PACKETS 16U /* that nDPI is given at most */

/* The first line, or what there is. */
static struct span
take_line(struct span *s)
{
    const size_t end = span_find(*s, '\n');
    const struct span line = span_head(*s, end < s->n ? end + 1 : s->n);

    *s = span_tail(*s, line.n);
    return line;
}

/* A line of each in turn, the server first: as such protocols go. */
static void
converse(struct ndpi_talk *t, struct span c2s, struct span s2c)
{
    for (unsigned i = 0; i < PACKETS && ndpi_talk_is_open(t); i++) {
        const bool server = i % 2 == 0;
        const struct span line = take_line(server ? &s2c : &c2s);

        if (line.n > 0)
            ndpi_talk_say(t, server, line);
    }
    ndpi_talk_end(t);
}

static const char *
ask(struct ndpi_lines *n, struct span c2s, struct span s2c)
{
    struct mem m = {.max = UINT64_MAX}; /* one talk, for this call */
    struct ndpi_talk *t = ndpi_talk_new(n, NDPI_LOOK_OTHERS, &m);
    const char *name;

    if (t == NULL)
        return NULL;
    converse(t, c2s, s2c);
    name = ndpi_talk_name(t);
    ndpi_talk_free(t, &m);
    return name;
}

/* "GET /x HTTP/1.1" or "HTTP/1.1 400 Bad Request" */
static bool
is_http(struct span c2s, struct span s2c)
{
    const struct span line = span_head(c2s, span_find(c2s, '\n'));

    return span_starts(s2c, SPAN_LIT("HTTP/")) ||
           span_contains_nocase(line, SPAN_LIT(" HTTP/1."));
}

const char *
protocol_name(struct ndpi_lines *n, struct span c2s, struct span s2c)
{
    c2s = span_head(c2s, PROTOCOL_BYTES);
    s2c = span_head(s2c, PROTOCOL_BYTES);
    if (is_http(c2s, s2c))
        return "http";
    return n != NULL ? ask(n, c2s, s2c) : NULL;
}
