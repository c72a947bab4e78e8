#ifndef SPAN25_RULES_FEED_READBACK_H
#define SPAN25_RULES_FEED_READBACK_H
/* readback - what a kernel holds, compared with the set that was loaded
 *
 * A load that was half refused, a table that somebody flushed, an element
 * without an end: all that a firewall said nothing about. Texts are what
 * `nft -j list table inet span25_feed` and `ipset save` print, each whole; of
 * ipset the sets of other names are passed over. Pure; linear but for sorting.
 */
#include "rules/feed/feed.h"

enum readback_kind { READBACK_NFT, READBACK_IPSET };

struct readback {
    size_t want;    /* elements of the set that are not about to end */
    size_t found;   /* elements there */
    size_t missing; /* of want, not wholly there */
    size_t extra;   /* there, and not in the set */
    size_t endless; /* there without an end */
};

struct readback_in {
    enum readback_kind kind;
    struct span text;
    ns_t now;
    uint64_t slack_s; /* what ends within it may be there or not */
};

/* ERR_FORMAT, told
 * in messages: the text is not understood, or cut; ERR_NOMEM. */
MUST_USE enum err readback(const struct feed *f, const struct readback_in *in,
                           struct readback *out, struct buf *messages);

/* Is the set there, all of it, and nothing else? */
static inline bool
readback_good(const struct readback *r)
{
    return r->missing == 0 && r->extra == 0 && r->endless == 0;
}

#endif
