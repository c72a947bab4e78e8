#ifndef SPAN25_RULES_HOST_TABLE_H
#define SPAN25_RULES_HOST_TABLE_H
/* table - which host is whose: look-up, growth, eviction
 *
 * Open addressing over a pool, 8 bytes a slot, at most 0.8 full. When all
 * records are taken a hand goes on over them: of TABLE_LOOKS records the one
 * with the lowest score, then idle longest, makes room; when all of those are
 * suspects, up to TABLE_LOOKS_MAX are looked at, and then the newcomer is
 * refused. So no step takes longer because of what others sent. Hashes are
 * keyed; a chain longer than TABLE_PROBES refuses the newcomer too. */
#include "rules/host/state.h"

#define TABLE_FOLDED    UINT64_MAX /* in the place of a lease: a whole /64 */
#define TABLE_LOOKS     16U
#define TABLE_LOOKS_MAX 128U
#define TABLE_PROBES    512U

/* POOL_NONE when it is not known. */
uint32_t table_find(const struct hosts *h, const struct table_who *who);
/* As found, else new; POOL_NONE when there is no room. */
uint32_t table_get(struct hosts *h, const struct table_who *who);
/* Gives a new detail block where there is none yet; NULL without room. */
struct detail *table_detail(struct hosts *h, uint32_t i);
/* Of hosts that were loaded: slots and counters anew. */
MUST_USE enum err table_rebuild(struct hosts *h);

/* ---- who is due ---- */

/* The host gets its turn in the first whole minute at or behind when. */
void table_due(struct hosts *h, uint32_t i, ns_t when);
/* Takes the first of those due in that minute, or POOL_NONE. */
uint32_t table_due_take(struct hosts *h, uint64_t minute);

#endif
