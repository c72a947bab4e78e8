#ifndef SPAN25_SINKS_VEIL_H
#define SPAN25_SINKS_VEIL_H
/* veil - pseudonyms in place of what an event tells of people and hosts
 *
 * A record goes in, a record comes out in which every value that fields.def
 * marks is another one. With the same key, equal values have equal pseudonyms,
 * in every field and every event; with another key they are others. From a
 * pseudonym nobody finds the value without the key (HMAC-SHA-256; addresses:
 * AES-128, keyed by it).
 *
 *     level    what is veiled
 *     PERSON   PERSON and CONTENT: mailboxes, what people wrote, names of
 *              files, digests; and mail addresses in all other text
 *     NETWORK  and NETWORK: addresses, names of hosts, MAC addresses; and
 *              addresses in all other text
 *
 *     how        becomes
 *     KEEP       itself
 *     SCRUB      the same text; in it mail addresses, and with NETWORK IP
 *                addresses, are pseudonyms
 *     ADDRESS    an address: two that share their first n bits share n bits
 *                (Xu et al., Prefix-preserving IP address anonymization, 2002);
 *                IPv4 stays IPv4. Text that is no address: a WORD
 *     MAILBOX    local part of 16 digits, domain as it was unless told; without
 *                display name. <> stays. Case of letters does not matter
 *     NAME       "nDIGITS.invalid" (RFC 2606); an address is an ADDRESS
 *     SUBJECT    address or prefix, and a lease behind it as a WORD
 *     DECISION   the same behind "pseudonym:", so that nobody who reads
 *                decisions stops the host whose address the pseudonym happens
 *                to be
 *     MAC        a locally administered one
 *     COMMUNITY  "1:" and 20 bytes in base64
 *     HEX        as many hexadecimal digits, at most 64
 *     WORD       16 hexadecimal digits
 *     DROP       nothing: the field is left out
 *
 * Which field is veiled how: veil.def, else by its class. A field that is new
 * in fields.def is so never shown in the clear by mistake.
 *
 * At level NETWORK flow_id is another number below 2^51, for it is a hash of
 * addresses. event_id, alert.id and decision.id stay, to find the event again
 * on the sensor; ports, times and sizes stay: who has other records of the same
 * traffic can tell events apart by them. That is what pseudonyms cannot hide.
 *
 * One thread for one veil. No clock. */
#include "sensor/base/err.h"
#include "sensor/event/record.h"

enum veil_level { VEIL_NONE, VEIL_PERSON, VEIL_NETWORK };

enum veil_how {
    VEIL_KEEP,
    VEIL_SCRUB,
    VEIL_ADDRESS,
    VEIL_MAILBOX,
    VEIL_NAME,
    VEIL_SUBJECT,
    VEIL_DECISION,
    VEIL_MAC,
    VEIL_COMMUNITY,
    VEIL_HEX,
    VEIL_WORD,
    VEIL_DROP,
};

#define VEIL_KEY_MIN 16U /* bytes of a key */
#define VEIL_KEY_MAX 4096U

struct veil;

/* The key is not kept. keep_domains: of mailboxes. ERR_CONFIG: a key that is
 * too short or too long. */
MUST_USE enum err veil_new(enum veil_level level, struct span key,
                           bool keep_domains, struct veil **out);
void veil_free(struct veil *v); /* NULL is fine */

/* How a field is veiled at a level. */
enum veil_how veil_how_of(enum veil_level level, enum field f);

/* Begins out anew with what may be shown of a record that passed the check; so
 * does what is in out, unless out->buf.failed. Entries for which a record has
 * no room are left out and counted there. */
void veil_record(struct veil *v, struct span record, struct record_out *out);

/* Of one value; out is appended to. Not for DROP. */
void veil_text(struct veil *v, enum veil_how how, struct span text,
               struct buf *out);
struct addr veil_address(struct veil *v, const struct addr *a);

#endif
