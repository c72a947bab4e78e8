#ifndef SPAN25_RULES_REGISTRY_LEASES_H
#define SPAN25_RULES_REGISTRY_LEASES_H
/* leases - who had a DHCP address when
 *
 * Read from
 *   CSV, whose head names address, start, end, hardware, name (the first two
 *     must be there); times as RFC 3339 or seconds since 1970, an end that is
 *     empty or "never" is open;
 *   Kea's memfile for IPv4 or IPv6, known by its CSV head, whatever columns a
 *     version adds; the start is expire less valid_lifetime. A delegated prefix
 *     is nobody's address and passed over. A row with valid_lifetime 0 (given
 *     back) ends the lease when its time is later than the lease's start;
 *   ISC dhcpd.leases, dhcpd6.leases. A block without holder (free, backup) is
 *     no lease.
 * Declined and abandoned addresses end the lease before. Several files (such as
 * rotated ones) add up, the older before the newer: of two entries with one
 * address and start the last read counts.
 *
 * Overlapping leases of an address are cut: the later one ends the earlier. A
 * renewal by the same holder, begun at most LEASES_GAP after the end, is the
 * same lease, not a new one; it ends when the last renewal says.
 *
 * A lease has an identity (hash of address, start and holder); what was decided
 * about an address holds for that identity only. Its start is the first that
 * the files tell of: without the older files a lease is another.
 *
 * Known gap: times of ISC dhcpd with a zone of their own ("db-time-format
 * local" writes "epoch", which is read). */
#include "sensor/base/addr.h"
#include "sensor/base/err.h"
#include "sensor/base/ns.h"

#define LEASES_MAX        (1U << 22) /* entries read; half a GiB */
#define LEASES_GAP        (300 * NS_PER_S)
#define LEASES_HOLDER_MAX 120
#define LEASES_NAME_MAX   64
#define LEASES_LINE_MAX   (1U << 16)
#define LEASES_FAULTS     100
#define LEASES_OPEN       UINT64_MAX

struct lease {
    struct addr addr;
    ns_t start;
    ns_t end;           /* LEASES_OPEN: open */
    uint64_t id;        /* never 0 */
    const char *holder; /* hardware address, client id or DUID, hexadecimal in
                         * lower case with colons; one over LEASES_HOLDER_MAX
                         * ends in its hash; "" unknown */
    const char *name;   /* host name given, printable, cut at LEASES_NAME_MAX
                         * bytes; "" unknown */
};

struct leases;

MUST_USE enum err leases_new(struct leases **out);
void leases_free(struct leases *l);

/* Format by the look of it; an empty file has no leases. Faulty entries are
 * left out, each with a line in messages ("NAME:7: ..."), at most
 * LEASES_FAULTS; *faulty counts all. ERR_FORMAT when nothing in it is
 * understood, ERR_LIMIT past LEASES_MAX: then l is as before. */
MUST_USE enum err leases_read(struct leases *l, struct span text,
                              const char *name, size_t *faulty,
                              struct buf *messages);
/* Sorts; to be called once, after the last file, before look-ups. */
MUST_USE enum err leases_done(struct leases *l);
size_t leases_n(const struct leases *l);
/* By address, then by start. */
const struct lease *leases_at(const struct leases *l, size_t i);

/* The lease in force, or NULL. */
const struct lease *leases_find(const struct leases *l, const struct addr *a,
                                ns_t when);

#endif
