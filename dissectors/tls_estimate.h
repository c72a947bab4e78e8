#ifndef SPAN25_DISSECTORS_TLS_ESTIMATE_H
#define SPAN25_DISSECTORS_TLS_ESTIMATE_H
/* tls_estimate - how many messages went under TLS, by the sizes of its records
 *
 * Fed by tls.c with each record's header, both directions, in the order of
 * cause and effect. Records of one side without one of the other between them
 * are a burst; a client's burst and the server's answer are an exchange. The
 * length of what was written is that of the record less what version and cipher
 * add, which for CBC is a range. Everything before the client's Finished is
 * left out (RFC 8446 4.4.4: known by its length), as are tickets and the
 * greeting, which come before the client speaks; the first exchange is EHLO.
 *
 * An exchange may be a message when the burst is longer than limit `small` and
 * the answer not longer than it by `answer_more`: an envelope of many refused
 * recipients gets more than it gave. It is one for sure when it is longer than
 * `body` and answered in less than `answer` bytes and a quarter of its own. Of
 * neighbours that may be messages at least one is: an envelope and its message,
 * or the chunks of BDAT (RFC 3030). So:
 *
 *     messages_min   runs of such neighbours that have a sure one
 *     messages_max   exchanges that may be a message
 *     no_payload     commands went, and messages_max is 0
 *     rcpt_max       exchanges that are neither a message nor of 6 bytes (DATA,
 *                    RSET, QUIT), less one MAIL for each message; only where
 *                    each message came behind 6 bytes, which is DATA alone: in
 *                    lock-step
 *
 * With AUTH (ports 465 and 587, TLS from the first byte) the second and third
 * exchange may be a large token: they count for messages_max only.
 *
 * Not in the interval: a message shorter than `small`; several messages in one
 * burst (BDAT pipelined over transactions); a short message refused with a long
 * text; one whose end was pipelined with all of the next one. Padded records
 * (RFC 8446 5.4) make it an overestimate. A client can imitate anything: the
 * estimate is never enough for a block alone (DETECTION 1.9). */
#include <stdbool.h>
#include <stdint.h>

#include "sensor/event/stream.h"

struct tls_estimate {
    uint32_t bytes[2]; /* of the records of this exchange, by enum dir */
    uint16_t records[2];
    uint32_t messages_min;
    uint32_t messages_max;
    uint32_t commands;  /* exchanges that are no message, not of 6 bytes */
    uint8_t least;      /* bytes that a record adds */
    uint8_t most;       /* the same */
    uint8_t exchanges;  /* closed, up to 255 */
    bool auth : 1;      /* exchanges 1 and 2 may be AUTH */
    bool begun : 1;     /* the client's handshake is over */
    bool hopeless : 1;  /* cipher or place are not known */
    bool closed : 1;    /* an alert was seen, as at the end */
    bool in_run : 1;    /* the last exchange may be a message */
    bool run_sure : 1;  /* and one of its run is */
    bool six : 1;       /* the last exchange was of 6 bytes */
    bool pipelined : 1; /* a message came behind other than 6 bytes */
};

struct tls_estimate_result {
    uint32_t messages_min;
    uint32_t messages_max;
    uint32_t rcpt_max; /* of has_rcpt */
    bool has_rcpt;
    bool no_payload;
};

/* X(name, value, unit, why) */
#define TLS_ESTIMATE_LIMITS(X)                                                 \
    X(body, 700, "bytes", "DETECTION 1.9: a mail with its header; no command") \
    X(answer, 600, "bytes", "one reply; RFC 5321 4.5.3.1.5: lines of 512")     \
    X(small, 150, "bytes", "From, To, Date and Subject; MAIL is shorter")      \
    X(answer_more, 200, "bytes", "the longest reply met to a short message")

void tls_estimate_init(struct tls_estimate *e, bool auth);

/* A record's header: its type and length (RFC 8446 5.1), with what was
 * negotiated by then. */
void tls_estimate_record(struct tls_estimate *e, enum dir d, uint8_t type,
                         uint16_t length, uint16_t version, uint16_t cipher);

/* One direction's place is lost: no record of it will come. Nothing can be said
 * then, but behind an alert, where some servers write plaintext. */
void tls_estimate_lose(struct tls_estimate *e);

/* False when nothing can be said: no exchange, or a cipher that is not known.
 * May be asked at any time, with the exchange under way as if it ended. */
bool tls_estimate_result(const struct tls_estimate *e,
                         struct tls_estimate_result *out);

#endif
