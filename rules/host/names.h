#ifndef SPAN25_RULES_HOST_NAMES_H
#define SPAN25_RULES_HOST_NAMES_H
/* names - what mirrored DNS answers tell of hosts: their names, and who asks
 * for mail servers (DETECTION 1.7)
 *
 * From events of type dns. A name is FORWARD-CONFIRMED when a PTR answer for
 * the address said it and an A or AAAA answer of the name said the address,
 * both within NAMES_DAYS; the order does not matter. Answers can be forged by
 * who sits on the path: a name is a hint and a veto, never evidence against
 * anybody.
 *
 * MX LOOKUPS are counted per client as different domains within an hour: the
 * hour that runs and, weighted by what is left of it, the one before. Up to
 * NAMES_MX_EXACT in an hour are exact; beyond, an estimate of 64 registers
 * (HyperLogLog, standard error 13 %). Resolvers ask for others: a client that
 * was seen to answer queries in NAMES_RESOLVER_DAYS has no figure. A bot that
 * serves DNS evades this one.
 *
 * MEMORY: tables of fixed size, 8 ways, the one unused longest goes and is
 * counted: NAMES_FACTS pairs of address and name each for PTR and for A,
 * NAMES_HOSTS confirmed names, NAMES_CLIENTS counts of lookups,
 * NAMES_RESOLVERS. A flood of reverse lookups of outside addresses drives out
 * facts of PTR only; confirmed names stay while their answers are repeated.
 * Names above NAMES_TEXT bytes are confirmed but not shown. Keyed hashes. Pure:
 * no clock; stream time may stand but does not go back (a step back counts as
 * no time).
 */
#include "sensor/base/err.h"
#include "sensor/event/record.h"

#define NAMES_DAYS          30U
#define NAMES_RESOLVER_DAYS 7U
#define NAMES_FACTS         131072U
#define NAMES_HOSTS         32768U
#define NAMES_CLIENTS       32768U
#define NAMES_RESOLVERS     4096U
#define NAMES_MX_EXACT      16U
#define NAMES_TEXT          103U

struct names;

MUST_USE enum err names_new(uint64_t seed, struct names **out);
void names_free(struct names *n); /* NULL is fine */

/* An event; others than dns are passed over. */
void names_event(struct names *n, const struct record_map *event);

/* Has any DNS answer been seen? Else no figure from here is observable. */
bool names_observed(const struct names *n);

/* The name confirmed last, borrowed until the next event; empty: none. */
struct span names_of(const struct names *n, const struct addr *a, ns_t now);
/* Is this a confirmed name of it? Without case, a last dot does not count. */
bool names_is(const struct names *n, const struct addr *a, struct span name,
              ns_t now);

/* Different domains whose MX it asked for within an hour. False when there is
 * no such figure: nothing observed, or a resolver. */
MUST_USE bool names_mx(const struct names *n, const struct addr *client,
                       ns_t now, uint32_t *out);

/* ---- snapshots: same seed needed ---- */

MUST_USE enum err names_save(const struct names *n, struct buf *out);
/* Into a new one. ERR_FORMAT: another version or seed; ERR_CORRUPT. Nothing was
 * taken over then. */
MUST_USE enum err names_load(struct names *n, struct span snapshot);

struct names_counts {
    uint64_t answers;   /* dns events taken */
    uint64_t evicted;   /* entries that left before their time */
    uint64_t too_long;  /* confirmed names that cannot be shown */
    uint64_t confirmed; /* names held */
    uint64_t memory_bytes;
};
struct names_counts names_counts(const struct names *n);

#endif
