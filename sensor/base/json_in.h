#ifndef SPAN25_BASE_JSON_IN_H
#define SPAN25_BASE_JSON_IN_H
/* json_in - the tokens of JSON text (RFC 8259), strictly
 *
 * Valid UTF-8, no lone surrogates, no control characters in strings, numbers as
 * the RFC has them. Who reads holds the structure: what may stand where. On
 * false, why and why_at (an offset into in) say what is wrong; the text itself
 * is not in it. */
#include "sensor/base/buf.h"

struct json_in {
    struct span in;
    size_t at;
    struct buf *text; /* strings that had escapes are put together here */
    const char *why;
    size_t why_at;
};

static inline struct json_in
json_in_open(struct span in, struct buf *text)
{
    return (struct json_in){.in = in, .text = text};
}

/* The next byte that is not space, or 0 at the end. */
static inline uint8_t
json_in_look(struct json_in *j)
{
    uint8_t c = span_at(j->in, j->at);

    if (LIKELY(c > ' '))
        return c;
    while (c == ' ' || c == '\t' || c == '\n' || c == '\r')
        c = span_at(j->in, ++j->at);
    return c;
}

/* From the opening quote to behind the closing one. A string without escapes
 * stays in `in`; others are appended to text and are good until that moves. */
MUST_USE bool json_in_string(struct json_in *j, struct span *out);

/* A number, as it stands there. */
MUST_USE bool json_in_number(struct json_in *j, struct span *out);

/* This word and no other: true, false, null. */
MUST_USE bool json_in_word(struct json_in *j, struct span word);

#endif
