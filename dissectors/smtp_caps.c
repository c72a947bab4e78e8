#include "dissectors/smtp_caps.h"

/* First bytes from CODE on stand for a word; PLAIN precedes a line that would
 * begin with such a byte by itself. */
#define CODE  0x80U
#define PLAIN 0xffU

/* A word stands before those it begins with. New ones go to the end. */
static const char *const words[] = {
    "SIZE 10240000",
    "SIZE 0",
    "SIZE ",
    "SIZE",
    "PIPELINING",
    "ENHANCEDSTATUSCODES",
    "8BITMIME",
    "STARTTLS",
    "SMTPUTF8",
    "CHUNKING",
    "BINARYMIME",
    "DSN",
    "VRFY",
    "EXPN",
    "ETRN",
    "HELP",
    "AUTH PLAIN LOGIN",
    "AUTH LOGIN PLAIN",
    "AUTH PLAIN",
    "AUTH LOGIN",
    "AUTH=",
    "AUTH ",
    "DELIVERBY",
    "REQUIRETLS",
    "LIMITS ",
    "XCLIENT",
    "XFORWARD",
    "X-ANONYMOUSTLS",
    "X-EXPS",
    "XRDST",
    "PIPE_CONNECT",
    "PIPECONNECT",
    "MT-PRIORITY",
    "FUTURERELEASE",
    "BURL",
    "NO-SOLICITING",
};
_Static_assert(ARRAY_LEN(words) < PLAIN - CODE, "codes are one byte");

void
smtp_caps_pack(struct span line, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        struct span word = span_str(words[i]);

        if (span_starts(line, word)) {
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
        buf_str(out, words[c - CODE]);
    buf_span(out, span_tail(packed, 1));
}
