#ifndef SPAN25_RULES_ALERT_SNAP_H
#define SPAN25_RULES_ALERT_SNAP_H
/* snap - the envelope of a snapshot: what it is, which version, a checksum
 *
 * "NAME VERSION\n", the seed, the body, XXH3-64 over all before. Numbers are
 * little-endian, texts have their length in front. This finds damage; who can
 * write the state directory is trusted. */
#include "sensor/base/addr.h"
#include "sensor/base/err.h"

#define SNAP_TEXT_MAX 65536U

void snap_begin(struct buf *out, const char *name, uint64_t seed);
/* Over the bytes from `at` on, where snap_begin began. */
void snap_end(struct buf *out, size_t at);

/* The body. ERR_FORMAT: another thing, version or seed; ERR_CORRUPT. */
MUST_USE enum err snap_open(struct span in, const char *name, uint64_t seed,
                            struct cursor *body);

void snap_u64(struct buf *out, uint64_t v);
void snap_text(struct buf *out, struct span s);
void snap_addr(struct buf *out, const struct addr *a);

/* A text longer than SNAP_TEXT_MAX makes the cursor bad. */
struct span snap_take_text(struct cursor *c);
struct addr snap_take_addr(struct cursor *c);
/* At most max, else the cursor is bad. */
uint64_t snap_take_count(struct cursor *c, uint64_t max);

#endif
