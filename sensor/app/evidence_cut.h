#ifndef SPAN25_APP_EVIDENCE_CUT_H
#define SPAN25_APP_EVIDENCE_CUT_H
/* evidence_cut - packets of connections, fit to be shown to people
 *
 *     evidence_cut_new(keys, n, &c);
 *     evidence_cut_take(c, &packet, iface_name);        packet after packet
 *     evidence_cut_mask(c, redact);
 *     evidence_cut_write(c, &out);
 *
 * Packets are copied, up to EVIDENCE_CUT_BYTES; later ones are counted. Each
 * direction of a connection is put together from its SYN on, without timers:
 * what smtp_mask.h lets be shown of that stream is shown. A byte of a packet is
 * replaced by 'x' unless it lies there and is the same byte: so another reading
 * of a segment (an overlap, a retransmission) shows nothing that was not
 * judged. From the first hole on, or the first place where two readings differ,
 * and in connections whose SYN is missing, the whole payload is masked.
 *
 * The TCP checksum of a packet with a byte masked is 0, and what follows the IP
 * packet in its frame is zeroed: both could give bytes away. Of a packet in a
 * tunnel the inner IP packet alone is kept, as raw IP, for the checksums of the
 * outer headers could too. IP fragments and tunnels whose inner headers cannot
 * be cut are left out, and counted. */
#include "sensor/base/err.h"
#include "sensor/capture/evidence.h"
#include "sensor/event/packet.h"

#define EVIDENCE_CUT_BYTES (UINT64_C(256) << 20)

enum {
    EVIDENCE_CUT_KEYS = 12,
    EVIDENCE_CUT_IFACES = 64,
    EVIDENCE_CUT_CONNECTIONS = 64, /* of one key; later ones are masked whole */
};

struct evidence_wanted {
    struct evidence_key key;
    ns_t from, to;
};

struct evidence_cut_counts {
    uint64_t packets;
    uint64_t masked;    /* bytes */
    uint64_t fragments; /* left out */
    uint64_t tunnelled; /* left out */
    uint64_t too_many;  /* packets past EVIDENCE_CUT_BYTES, or no memory */
    uint64_t dark;      /* directions of which not all could be judged */
};

struct evidence_cut;

MUST_USE enum err evidence_cut_new(const struct evidence_wanted *wanted,
                                   size_t n, struct evidence_cut **out);
void evidence_cut_take(struct evidence_cut *c, const struct packet *p,
                       struct span iface);
MUST_USE enum err evidence_cut_mask(struct evidence_cut *c, bool redact);
/* A pcapng file. */
void evidence_cut_write(const struct evidence_cut *c, struct buf *out);
struct evidence_cut_counts evidence_cut_counts(const struct evidence_cut *c);
void evidence_cut_free(struct evidence_cut *c); /* NULL is fine */

#endif
