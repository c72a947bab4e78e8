#ifndef SPAN25_CAPTURE_RECORDER_H
#define SPAN25_CAPTURE_RECORDER_H
/* recorder - a rolling ring of packets on disk, in pcapng segments
 *
 *     recorder_open(dir, &options, &r);
 *     recorder_packet(r, &packet, is_tcp ? &key : NULL);   packet after packet
 *     recorder_turn(r, now);                 several times a second
 *     recorder_close(r);
 *
 * dir is a descriptor of the folder (evidence.h has its files); after open the
 * recorder uses openat, write, fsync, renameat, unlinkat and fstatfs relative
 * to it, and close. Files are made anew, with mode 0600; links are not
 * followed. What was there before is kept and counts.
 *
 * Rolling. A segment is closed at limits.segment bytes, or when its index has
 * RECORDER_FLOWS connections; then it is synced, and its index written. Before
 * closed ones and one more would pass limits.bytes, and when the last packet of
 * one is older than limits.keep, the oldest closed one is deleted. A packet
 * waits in memory for RECORDER_FLUSH_NS at most; what was written survives kill
 * -9.
 *
 * When the file system is used by limits.disk_percent of a hundred, nothing is
 * written, packets are counted as skipped, and the oldest closed segments are
 * deleted, one each RECORDER_LOOK_NS, until it is used two of a hundred less:
 * other files of the sensor need the room more. A write that fails ends the
 * segment; after RECORDER_LOOK_NS another is begun. */
#include "sensor/base/attr.h"
#include "sensor/base/err.h"
#include "sensor/capture/evidence.h"
#include "sensor/event/packet.h"

enum {
    RECORDER_FLOWS = 1 << 16,    /* connections of a segment */
    RECORDER_SEGMENTS = 1 << 16, /* of the ring; then the oldest goes */
    RECORDER_IFACES = 16,
    RECORDER_BUFFER = 1 << 20, /* written when so much waits */
};

#define RECORDER_FLUSH_NS NS_PER_S
#define RECORDER_LOOK_NS  NS_PER_S

struct recorder_iface {
    const char *name;
    uint16_t link;
};

struct recorder_options {
    uint64_t bytes;        /* of all segments and indexes */
    uint64_t segment;      /* bytes of one */
    ns_t keep;             /* after its last packet */
    unsigned disk_percent; /* 1..100; 100: never stops for it */
    uint32_t snaplen;
    uint64_t seed; /* of the table of connections */
    const struct recorder_iface *ifaces;
    size_t n_ifaces; /* at most RECORDER_IFACES; copied, names are borrowed */
    /* For tests: how much of a hundred is used. NULL: fstatvfs. */
    unsigned (*used)(void *ctx);
    void *used_ctx;
};

enum recorder_state {
    RECORDER_RUNS,
    RECORDER_FULL,   /* the file system is */
    RECORDER_FAILED, /* a file could not be made or written */
};

/* Since open, but what is on disk. */
struct recorder_counts {
    uint64_t packets; /* recorded */
    uint64_t skipped; /* not, while it did not run */
    uint64_t deleted; /* segments */
    uint64_t bytes;   /* on disk now, as far as it knows */
    uint64_t segments;
    ns_t oldest; /* time of the oldest packet held; 0: none */
    enum recorder_state state;
};

struct recorder;

/* ERR_NOMEM; ERR_IO, ERR_PERM: the folder cannot be read. */
MUST_USE enum err recorder_open(int dir, const struct recorder_options *o,
                                struct recorder **out);
/* key: of the connection, NULL where it has none. p->iface is an index into
 * the interfaces. */
void recorder_packet(struct recorder *r, const struct packet *p,
                     const struct evidence_key *key);
/* now: UTC, of the clock that packets go by. */
void recorder_turn(struct recorder *r, ns_t now);
struct recorder_counts recorder_counts(const struct recorder *r);
/* Ends the segment. NULL is fine. */
void recorder_close(struct recorder *r);

#endif
