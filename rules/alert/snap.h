#ifndef SPAN25_RULES_ALERT_SNAP_H
#define SPAN25_RULES_ALERT_SNAP_H
/* snap - texts, addresses and counts of a snapshot
 *
 * Within an envelope of sensor/base/frame.h. Numbers are little-endian, texts
 * have their length in front. */
#include "sensor/base/addr.h"
#include "sensor/base/err.h"

#define SNAP_TEXT_MAX 65536U

void snap_u64(struct buf *out, uint64_t v);
void snap_text(struct buf *out, struct span s);
void snap_addr(struct buf *out, const struct addr *a);

/* A text longer than SNAP_TEXT_MAX makes the cursor bad. */
struct span snap_take_text(struct cursor *c);
struct addr snap_take_addr(struct cursor *c);
/* At most max, else the cursor is bad. */
uint64_t snap_take_count(struct cursor *c, uint64_t max);

#endif
