#include "dissectors/smtp_caps.h"

/* First bytes from CODE on stand for a word; PLAIN precedes a line that would
 * begin with such a byte by itself. */
#define CODE  0x80U
#define PLAIN 0xffU

/* A word stands before those it begins with. New ones go to the end. */
static const struct span words[] = {
    SPAN_INIT("SIZE 10240000"),
    SPAN_INIT("SIZE 0"),
    SPAN_INIT("SIZE "),
    SPAN_INIT("SIZE"),
    SPAN_INIT("PIPELINING"),
    SPAN_INIT("ENHANCEDSTATUSCODES"),
    SPAN_INIT("8BITMIME"),
    SPAN_INIT("STARTTLS"),
    SPAN_INIT("SMTPUTF8"),
    SPAN_INIT("CHUNKING"),
    SPAN_INIT("BINARYMIME"),
    SPAN_INIT("DSN"),
    SPAN_INIT("VRFY"),
    SPAN_INIT("EXPN"),
    SPAN_INIT("ETRN"),
    SPAN_INIT("HELP"),
    SPAN_INIT("AUTH PLAIN LOGIN"),
    SPAN_INIT("AUTH LOGIN PLAIN"),
    SPAN_INIT("AUTH PLAIN"),
    SPAN_INIT("AUTH LOGIN"),
    SPAN_INIT("AUTH="),
    SPAN_INIT("AUTH "),
    SPAN_INIT("DELIVERBY"),
    SPAN_INIT("REQUIRETLS"),
    SPAN_INIT("LIMITS "),
    SPAN_INIT("XCLIENT"),
    SPAN_INIT("XFORWARD"),
    SPAN_INIT("X-ANONYMOUSTLS"),
    SPAN_INIT("X-EXPS"),
    SPAN_INIT("XRDST"),
    SPAN_INIT("PIPE_CONNECT"),
    SPAN_INIT("PIPECONNECT"),
    SPAN_INIT("MT-PRIORITY"),
    SPAN_INIT("FUTURERELEASE"),
    SPAN_INIT("BURL"),
    SPAN_INIT("NO-SOLICITING"),
};
_Static_assert(ARRAY_LEN(words) < PLAIN - CODE, "codes are one byte");

void
smtp_caps_pack(struct span line, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        struct span word = words[i];

        if (span_at(line, 0) == word.p[0] && span_starts(line, word)) {
            buf_putc(out, (uint8_t)(CODE + i));
            buf_span(out, span_tail(line, word.n));
            return;
        }
    }
    if (span_at(line, 0) >= CODE)
        buf_putc(out, PLAIN);
    buf_span(out, line);
}

void
smtp_caps_unpack(struct span packed, struct buf *out)
{
    uint8_t c = span_at(packed, 0);

    if (c < CODE) {
        buf_span(out, packed);
        return;
    }
    if (c - CODE < ARRAY_LEN(words))
        buf_span(out, words[c - CODE]);
    buf_span(out, span_tail(packed, 1));
}
