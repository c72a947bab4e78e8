#ifndef SPAN25_DISSECTORS_CONTENT_PAYLOAD_H
#define SPAN25_DISSECTORS_CONTENT_PAYLOAD_H
/* payload - files that text carries in letters: base64 or hexadecimal
 *
 *     s = payload_open(text);
 *     while (payload_next(&s, &p))
 *         payload_decode(&p, &room, SIZE_MAX);
 *
 * A payload is a run of at least PAYLOAD_RUN letters of the alphabet (base64 of
 * RFC 4648 sections 4 and 5), and what is joined to it as scripts do: the next
 * line, a backslash at the line's end, "..." + "...", "...", "..." of a list,
 * x += "...", x.push("..."). A piece that begins as a known file begins a new
 * payload. Backwards text (== at the head) is turned around.
 *
 * Linear: each byte is seen at most three times. Known gaps: alphabets of the
 * sender's own, numbers in lists, pieces out of order. */
#include "sensor/base/buf.h"

#define PAYLOAD_RUN 48 /* letters; as many are 36 bytes */

enum payload_coding {
    PAYLOAD_BASE64,
    PAYLOAD_BASE64_BACKWARDS,
    PAYLOAD_HEX,
};

struct payload {
    struct span text; /* from the first letter to the last, with the joints */
    size_t n_letters; /* without them */
    enum payload_coding coding;
    bool data_url; /* "base64," stands before it */
};

struct payload_scan {
    struct span in;
    size_t at;
};

struct payload_scan payload_open(struct span in);
bool payload_next(struct payload_scan *s, struct payload *out);

/* Appends what it decodes to, until out has `enough` bytes or is full. */
void payload_decode(const struct payload *p, struct buf *out, size_t enough);

/* About how many bytes it decodes to. */
size_t payload_size(const struct payload *p);

#endif
