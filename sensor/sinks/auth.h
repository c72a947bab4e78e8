#ifndef SPAN25_SINKS_AUTH_H
#define SPAN25_SINKS_AUTH_H
/* auth - who wrote a message of the bus, and in which order
 *
 * A message carries the name of its writer, a sequence and an HMAC-SHA-256
 * (RFC 2104) over topic, writer, sequence, key and value, with a key that only
 * the writer and those who read it have (DETECTION 6.2). The value is the line
 * as it was published, byte for byte: json_write has one form for a record, so
 * nothing is to be made canonical again.
 *
 * SEQUENCE is the microsecond of UTC at which the message was signed, or one
 * more than that of the message before, whichever is later: it rises over
 * restarts, as long as the clock is not set back, and says how old the message
 * is. Two writers of one name at once would each make the other's sequence go
 * backward: a name is one process's.
 *
 * HEADER "hmac": "1 SEQUENCE HEX WRITER", HEX 64 digits. Pure. */
#include "sensor/base/buf.h"
#include "sensor/base/err.h"

#define AUTH_HEADER     "hmac"
#define AUTH_MAC        32U
#define AUTH_KEY_LEAST  32U /* bytes of a key; less can be guessed */
#define AUTH_WRITER_MAX 128U
#define AUTH_HEADER_MAX (AUTH_WRITER_MAX + 2 * AUTH_MAC + 24U)

/* All borrowed. value.p NULL: a tombstone, which is not an empty value. */
struct auth_message {
    struct span topic, key, value;
};

struct auth_mark {
    struct span writer; /* within the header */
    uint64_t sequence;
    uint8_t mac[AUTH_MAC];
};

/* Appends the header's value. False: the writer has no name or a longer one, or
 * there is no memory. */
MUST_USE bool auth_sign(struct span key, struct span writer, uint64_t sequence,
                        const struct auth_message *m, struct buf *header);

/* What a header says; false: it is none. Nothing is proved yet. */
MUST_USE bool auth_read(struct span header, struct auth_mark *out);

/* Takes the same time whatever differs. */
MUST_USE bool auth_verify(struct span key, const struct auth_mark *mark,
                          const struct auth_message *m);

/* The sequence behind `last` at this time. */
static inline uint64_t
auth_next(uint64_t last, uint64_t now_ns)
{
    uint64_t now = now_ns / 1000;

    return now > last ? now : last + 1;
}

#endif
