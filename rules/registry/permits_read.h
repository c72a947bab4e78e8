#ifndef SPAN25_RULES_REGISTRY_PERMITS_READ_H
#define SPAN25_RULES_REGISTRY_PERMITS_READ_H
/* permits_read - a firewall's list, read back
 *
 * What nft list, nft -j list and ipset save print, a list with an address,
 * prefix or first-last at the head of each line (# begins a comment), or CSV
 * with a column "address" ("port" and "direction" when they are there). By the
 * look of it. The names of our own sets say direction and port; where there are
 * such, other sets are passed over, else an entry stands for every port and
 * way. Entries that are no addresses are counted, the first PERMITS_FAULTS are
 * told. Never recurses; linear. */
#include "rules/registry/permits.h"

#define PERMITS_FAULTS   20U
#define PERMITS_ANY_PORT 0x10000U /* nothing is said of the port */
#define PERMITS_NO_PORT  0x10001U /* what is said is none */

struct permits_found {
    struct permits_range range;
    enum form_use use; /* BOTH also when nothing is said */
    uint32_t port;     /* 0: the set of any port; or PERMITS_ANY_PORT */
    bool ours;
};

struct permits_list {
    struct permits_found *v;
    size_t n, cap;
    size_t faulty;
    bool full; /* more than PERMITS_MAX: the rest is missing */
};

/* ERR_FORMAT, told in messages: nothing of it is understood, or its end is
 * missing (where it can be seen: nft and JSON). An empty list is
 * one. To be freed by permits_list_fini, whatever comes of it. */
MUST_USE enum err permits_read(struct span text, const char *name,
                               struct permits_list *out, struct buf *messages);
void permits_list_fini(struct permits_list *l);

#endif
