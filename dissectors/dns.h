#ifndef SPAN25_DISSECTORS_DNS_H
#define SPAN25_DISSECTORS_DNS_H
/* dns - what one mirrored answer tells of mail and of names, RFC 1035 4.1
 *
 * Reads the payload of one UDP datagram that came from port 53. Told are
 * answers to MX questions (whoever asks delivers mail, whatever the answer
 * was), to PTR questions about an address (its name in in-addr.arpa or ip6.arpa
 * in full), and to A and AAAA questions where an address at home is in the
 * answer. Queries are never read, so what nobody answered is never told.
 *
 * Strict: one question (RFC 9619) of class IN, opcode QUERY; names of at most
 * 255 bytes, labels of at most 63, pointers only backward, to before all that
 * was read of this name; counts that say what is there, and nothing behind the
 * last record; at most one OPT (RFC 6891 6.1.1). Any other message tells
 * nothing. The exception is a message cut by its sender (TC) or by the capture:
 * records are read up to the cut, and it says so. Answers count when they are
 * of the type and name that was asked for, or of the name to which CNAMEs
 * before them lead.
 *
 * Names as text: lower case, labels joined by dots, none at the end ("." is the
 * root, which as an MX says "no mail", RFC 7505); a dot or backslash within a
 * label is \. or \\, and all but printable ASCII is \DDD (RFC 1035 5.1), so one
 * text is one name.
 *
 * Known gaps: DNS over TCP, TLS (DoT), HTTPS (DoH) and QUIC, multicast DNS and
 * other ports are not seen. An answer may be forged: UDP proves no sender, and
 * whether somebody asked is not looked at. */
#include "sensor/base/addr.h"
#include "sensor/base/attr.h"

/* name               limit  why                                              */
#define DNS_ANSWERS_MAX 16  /* kept; of mail exchangers 13 fit 512 bytes */
#define DNS_RECORDS_MAX 64  /* of the answer section looked at: CNAMEs too */
#define DNS_NAME_MAX    255 /* bytes on the wire, RFC 1035 2.3.4 */
#define DNS_JUMPS_MAX   32  /* pointers in a name; servers write one or two */
#define DNS_TEXT_MAX    (4 * DNS_NAME_MAX)

/* X(id, name, number) */
#define DNS_TYPES(X)                                                           \
    X(A, "A", 1)                                                               \
    X(PTR, "PTR", 12)                                                          \
    X(MX, "MX", 15)                                                            \
    X(AAAA, "AAAA", 28)

enum dns_type {
#define DNS_TYPE_ENUM(id, name, number) DNS_##id = (number),
    DNS_TYPES(DNS_TYPE_ENUM)
#undef DNS_TYPE_ENUM
};

/* Which addresses are at home; has is NULL when none is known. */
struct dns_home {
    bool (*has)(void *ctx, const struct addr *a);
    void *ctx;
};

struct dns_text {
    uint16_t n;
    uint8_t b[DNS_TEXT_MAX];
};

struct dns_answer {
    enum dns_type type;
    uint16_t rcode; /* with the upper bits of OPT, RFC 6891 6.1.3 */
    bool cut;       /* there may have been more answers */
    unsigned n_answers;
    struct dns_text name; /* asked for */
    /* Of A and AAAA only those at home. */
    struct dns_text answers[DNS_ANSWERS_MAX];
};

/* A quick look: false when dns_read would be. */
bool dns_wants(struct span payload, const struct dns_home *home);

/* whole: the capture has all of it. out (about 17 KiB) is only written, and on
 * false holds nothing of use. */
MUST_USE bool dns_read(struct span payload, bool whole,
                       const struct dns_home *home, struct dns_answer *out);

const char *dns_type_name(enum dns_type t);

#endif
