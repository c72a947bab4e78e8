#ifndef SPAN25_RULES_FEED_RENDER_H
#define SPAN25_RULES_FEED_RENDER_H
/* render - one feed as text for each of its consumers
 *
 * A row of the table of formats each. None of them can say more than the set:
 * an element that has less than a second left is left out, and where a format
 * knows expiry every element has one, the nearer of its own and the dead man's.
 * Comments are made of letters, digits and a few marks only (render_safe), so
 * no text of a reason, rule or site means anything to who reads the list.
 *
 *   nft         sets blk4 and blk6 of table inet span25_feed: emptied and
 *               filled in one transaction, RENDER_CHUNK elements a command
 *   nft-rules   what stops packets by these sets; to be loaded once
 *   ipset       filled beside and swapped: ipset -exist restore
 *   list        addresses and prefixes, one a line, as vendors.def says
 *   json        the whole set
 *   crowdsec    what changed, in the form of the local API's decision stream
 *   rbldnsd4    ip4set zone data; rbldnsd6: ip6trie
 *
 * The texts carry durations from `now` on: they are for loading at once.
 * A consumer reads them back through readback.h. Pure. */
#include "rules/feed/feed.h"

#define RENDER_CHUNK     1000U   /* elements of a command: netlink has limits */
#define RENDER_SIZE      524288U /* of kernel sets: a range may count twice */
#define RENDER_IPSET_TTL 2147483U /* seconds; ipset refuses more */
#define RENDER_IPSET_OWN 3600U    /* of an element that says nothing */
#define RENDER_COMMENT   120U     /* bytes; nft takes 127, ipset 255 */
#define RENDER_BACKDATE                                                        \
    5U                 /* seconds that a zone's stamp lies back: one in        \
                        * the future stops rbldnsd */
#define RENDER_ETAG 36 /* bytes with quotes and NUL */

/* X(id, word, type, doc): type is the media type it is served as */
#define RENDER_FORMATS(X)                                                      \
    X(NFT, "nft", "text/plain", "nftables sets")                               \
    X(NFT_RULES, "nft-rules", "text/plain", "nftables rules for these sets")   \
    X(IPSET, "ipset", "text/plain", "ipset restore")                           \
    X(LIST, "list", "text/plain", "addresses, one a line")                     \
    X(JSON, "json", "application/json", "everything")                          \
    X(CROWDSEC, "crowdsec", "application/json", "CrowdSec decision stream")    \
    X(RBLDNSD4, "rbldnsd4", "text/plain", "rbldnsd ip4set")                    \
    X(RBLDNSD6, "rbldnsd6", "text/plain", "rbldnsd ip6trie")

enum render_format {
#define RENDER_ENUM(id, word, type, doc) RENDER_##id,
    RENDER_FORMATS(RENDER_ENUM)
#undef RENDER_ENUM
        RENDER_FORMAT_COUNT
};
const char *render_format_word(enum render_format f);
const char *render_format_type(enum render_format f);

enum render_vendor {
#define X(id, word, elements, bytes, comment, doc) RENDER_##id,
#include "rules/feed/vendors.def"
#undef X
    RENDER_VENDOR_COUNT
};
const char *render_vendor_word(enum render_vendor v);

struct render_options {
    enum render_vendor vendor; /* of list */
    const struct feed *last;   /* of crowdsec: what the consumer has; NULL: it
                                * starts up */
    struct span zone; /* of rbldnsd: name of the server; empty: localhost */
    bool preview;     /* of json: says that nobody is to load it */
    ns_t now;         /* not before the set was made */
};

/* ERR_LIMIT: more than the consumer takes; ERR_TRUNCATED: the set is over (its
 * dead man's end is past), it must not be given to anybody any more; ERR_NOMEM:
 * out is cut or failed. In all of them nothing of out may be used. */
MUST_USE enum err render(const struct feed *f, enum render_format format,
                         const struct render_options *o, struct buf *out);

/* A strong HTTP entity tag of a rendered text. False: no digest. */
MUST_USE bool render_etag(struct span text, char out[RENDER_ETAG]);

/* ---- for the renderers ---- */

/* At most max bytes of it; letters, digits and ._:/+-=@ stay, others are _ */
void render_safe(struct buf *out, struct span s, size_t max);
/* "ev:HASH rule", the part that fits in RENDER_COMMENT bytes, all of it safe.
 */
void render_comment(struct buf *out, const struct feed_item *i);
void render_time(struct buf *out, ns_t when); /* 2026-11-23T05:00:00Z */
bool render_is_v4(const struct feed_item *i);
/* Address without a length where it is a single one. */
void render_prefix(struct buf *out, const struct prefix *p);
/* "span25 serial 3, 12 elements, made TIME, ends TIME, sha256 HEX" */
void render_head(struct buf *out, const struct feed *f);

typedef void render_put(const struct feed *f, const struct render_options *o,
                        struct buf *out);
render_put render_nft, render_nft_rules, render_ipset, render_list, render_json,
    render_crowdsec, render_rbldnsd4, render_rbldnsd6;

/* How much a vendor takes. */
size_t render_vendor_elements(enum render_vendor v);
size_t render_vendor_bytes(enum render_vendor v);

#endif
