#ifndef SPAN25_RULES_REGISTRY_LEASES_H
#define SPAN25_RULES_REGISTRY_LEASES_H
/* leases - who had a DHCP address when
 *
 * Read from CSV (address,start,end,hardware,name), from Kea's memfile (its CSV
 * head is known; expire and valid_lifetime give the start), and from ISC
 * dhcpd.leases. Several files add up. Overlapping leases of an address are cut:
 * the later one ends the earlier. A renewal by the same hardware address (or
 * client id or DUID) within LEASES_GAP is the same lease, not a new one.
 *
 * A lease has an identity (hash of address, start and holder); what was decided
 * about an address holds for that identity only. */
#include "sensor/base/addr.h"
#include "sensor/base/err.h"
#include "sensor/base/ns.h"

#define LEASES_MAX (1U << 24)
#define LEASES_GAP (300 * NS_PER_S)

struct lease {
    struct addr addr;
    ns_t start;
    ns_t end;        /* UINT64_MAX: open */
    uint64_t id;     /* never 0 */
    char holder[40]; /* hardware address, client id or DUID in hexadecimal with
                      * colons, cut; "" unknown */
    char name[64];   /* host name given, made printable; "" unknown */
};

struct leases;

MUST_USE enum err leases_new(struct leases **out);
void leases_free(struct leases *l);

/* Format by the look of it. Faulty entries are left out, each with a line in
 * messages ("NAME:7: ..."), at most 100; *faulty counts all. ERR_FORMAT when
 * nothing in it is understood: then l is as before. */
MUST_USE enum err leases_read(struct leases *l, struct span text,
                              const char *name, size_t *faulty,
                              struct buf *messages);
/* Sorts; to be called after the last file, before look-ups. */
MUST_USE enum err leases_done(struct leases *l);
size_t leases_n(const struct leases *l);

/* The lease in force, or NULL. */
const struct lease *leases_find(const struct leases *l, const struct addr *a,
                                ns_t when);

#endif
