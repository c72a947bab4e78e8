#ifndef SPAN25_CAPTURE_EVIDENCE_H
#define SPAN25_CAPTURE_EVIDENCE_H
/* evidence - the files of the packet ring: names, and the index of a segment
 *
 * DIR/evidence/NNNNNNNN.pcapng are segments, numbered from 1 on without going
 * back. Beside a closed one lies NNNNNNNN.index: a head of 32 bytes, then one
 * row of fixed size for each connection that the segment has packets of. All
 * numbers are little-endian:
 *
 *     head  "s25evix1", number of rows (8), first and last time (8, 8)
 *     row   lower end: address (16), port (2); higher end: the same;
 *           packets (4), first time (8), last time (8)
 *
 * Ends are ordered by address, then port. Fragments, which have no ports, and
 * what is not TCP are not in it. A segment without an index (the one that is
 * written now, or that was when the recorder was killed) may have anything. */
#include "sensor/base/addr.h"
#include "sensor/base/ns.h"

#define EVIDENCE_NAME_MAX 32U
#define EVIDENCE_HEAD     32U
#define EVIDENCE_ROW      56U

struct evidence_key {
    struct addr addr[2];
    uint16_t port[2];
};

struct evidence_row {
    struct evidence_key key;
    uint32_t packets;
    ns_t first, last;
};

struct evidence_head {
    uint64_t rows;
    ns_t first, last; /* of all packets of the segment */
};

/* Either way round gives the same. */
struct evidence_key evidence_key(const struct addr *a, uint16_t a_port,
                                 const struct addr *b, uint16_t b_port);

/* "00000007.pcapng" or "00000007.index", NUL-terminated. */
void evidence_name(uint32_t number, bool index, char out[EVIDENCE_NAME_MAX]);
/* False: it is neither. */
bool evidence_name_read(const char *name, uint32_t *number, bool *index);

void evidence_put_head(struct buf *b, const struct evidence_head *h);
void evidence_put_row(struct buf *b, const struct evidence_row *r);

/* False: it is no index, or not whole. */
bool evidence_read_head(struct span file, struct evidence_head *out);
/* Whether packets of it between the two times are in the segment. file has a
 * good head. */
bool evidence_has(struct span file, const struct evidence_key *key, ns_t from,
                  ns_t to);

#endif
