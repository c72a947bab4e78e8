#ifndef SPAN25_DISSECTORS_TLS_H
#define SPAN25_DISSECTORS_TLS_H
/* tls - TLS from outside: records counted, hellos read
 *
 * For what follows STARTTLS and for connections that are TLS from the first
 * byte. tls_init, then tls_data and tls_gap per direction as net gives them,
 * tls_emit when asked, tls_free. Reads the record layer (RFC 8446 5.1), the
 * ClientHello (4.1.2: versions, server name) and the ServerHello (4.1.3:
 * version, cipher), also when they are spread over records; a HelloRetryRequest
 * counts as the ServerHello, its version and cipher are final. Of TLS 1.2 and
 * older the server's certificate is read too (tls_cert.h). Alerts and other
 * handshake messages are only counted.
 *
 * Idle state is this struct. A hello is buffered up to TLS_HELLO_MAX and given
 * back when it is read; the answers stay in one small block until tls_free.
 *
 * A gap that ends inside the record it began in is stepped over. After any
 * other, and after bytes that are no record header, the direction is lost: its
 * bytes are counted, records no more.
 *
 * What the records say of mail is estimated (tls_estimate.h); only of
 * handshakes seen whole, in both directions and without a loss of the place.
 *
 * Known gaps: a certificate behind TLS_HELLO_MAX bytes is not read; SSL 2.0
 * (RFC 5246 E.2) ClientHello is passed over; after a gap no new record header
 * is searched for. */
#include "dissectors/tls_estimate.h"
#include "sensor/base/vec.h"
#include "sensor/event/record.h"
#include "sensor/event/stream.h"

#define TLS_HELLO_MAX    16384 /* larger hellos are read as far as this */
#define TLS_SNI_MAX      255   /* RFC 1035 2.3.4; the prefix is kept */
#define TLS_VERSIONS_MAX 16    /* offered versions kept, first ones first */

struct tls_answers; /* names, lists, a certificate: with the first hello */
struct tls_hello;   /* a hello not yet whole */

/* One direction. */
struct tls_half {
    uint64_t app_bytes;       /* application data, encrypted handshake too */
    uint64_t lost_bytes;      /* in gaps, and all bytes once lost is set */
    uint32_t handshake_bytes; /* in records of type handshake */
    uint32_t records;
    uint16_t left;       /* bytes of the record's body still to come */
    uint8_t head[5];     /* the record's header; [0] is its type */
    uint8_t n_head : 3;  /* bytes of it seen; 5: in the body */
    bool lost : 1;       /* where records begin is not known */
    bool hello_done : 1; /* hello and certificate read, or not to be had */
};

struct tls {
    struct tls_half half[2]; /* by enum dir */
    struct tls_hello *hello; /* NULL unless one is under way */
    struct tls_answers *answers;
    struct mem *mem;  /* all of it is charged there */
    uint16_t version; /* negotiated, 0 unknown */
    uint16_t cipher;  /* chosen, with version */
    bool after_starttls;
    struct tls_estimate estimate;
};

/* mem is borrowed until tls_free. Where it is full the hello is not read. */
void tls_init(struct tls *t, struct mem *mem, bool after_starttls);
void tls_free(struct tls *t); /* NULL-safe */

void tls_data(struct tls *t, enum dir d, struct span data);
void tls_gap(struct tls *t, enum dir d, uint64_t lost);

/* Could a direction's TLS begin like this? Also true for a mere beginning of a
 * record header; false for an empty span. No SMTP line begins so. */
bool tls_looks_like(struct span s);

/* Server name as sent, or an empty span. */
struct span tls_sni(const struct tls *t);

/* Suricata's words: "TLS 1.3", "TLS 1.2", "TLS 1.1", "TLSv1", "SSLv3", "SSLv2",
 * "TLS 1.3 draft-28"; else the number, "0x0305". Appends to out. */
void tls_version_name(uint16_t version, struct buf *out);

/* AUTH is to be expected: a port of submission, or TLS from the first byte. */
void tls_expect_auth(struct tls *t);

/* What tls_estimate has; false where it is not to be trusted. */
MUST_USE bool tls_messages(const struct tls *t,
                           struct tls_estimate_result *out);

/* Appends the tls.* fields in order; what is not known is left out. */
void tls_emit(const struct tls *t, struct record_out *out);

#endif
