#ifndef SPAN25_RULES_REGISTRY_PERMITS_H
#define SPAN25_RULES_REGISTRY_PERMITS_H
/* permits - what a firewall may let through, by the registry at a time
 *
 * Ranges of addresses that do not overlap, each decided by one registered
 * prefix, as book_judge decides: where a longer prefix is registered otherwise
 * (suspended, ended, for another port), its addresses are cut out of the
 * shorter one. Writers for nftables, ipset, address lists (EDL) and CSV, each
 * entry with the number of its form; no text of a form goes into the first
 * three. Pure; at most PERMITS_MAX ranges. */
#include "rules/registry/book.h"

#define PERMITS_MAX     1000000U
#define PERMITS_CIDRS   254U /* prefixes that a range may need */
#define PERMITS_COMMENT 128U /* bytes that nftables and ipset take */

/* X(id, word): how they are written */
#define PERMITS_FORMATS(X)                                                     \
    X(NFT, "nft")                                                              \
    X(IPSET, "ipset")                                                          \
    X(EDL, "edl")                                                              \
    X(CSV, "csv")

enum permits_format {
#define PERMITS_ENUM(id, word) PERMITS_##id,
    PERMITS_FORMATS(PERMITS_ENUM)
#undef PERMITS_ENUM
};

struct permit {
    struct addr first, last;
    struct prefix prefix; /* that decides; wider where others are cut out */
    uint16_t port;        /* 0: any */
    enum form_use use;
    const struct book_line *line; /* the first that says so */
    size_t more;                  /* others that say the same */
};

struct permits {
    struct permit *v; /* by port, address and use */
    size_t n, cap;
    uint16_t *ports; /* every port that any line ever had, ascending */
    size_t n_ports;
};

/* To be freed by permits_fini, whatever comes of it. ERR_LIMIT: more than
 * PERMITS_MAX. Only those for `use` (FORM_BOTH: all). */
MUST_USE enum err permits_collect(const struct book *b, ns_t when,
                                  enum form_use use, struct permits *out);
void permits_fini(struct permits *p);

/* What permits every address of a family one way on some port: no list should
 * say that. Alone, or with others, such as two halves; addresses that are cut
 * out of a prefix do not count. */
struct permits_all {
    const struct permit *permit; /* or, with others, one of them; NULL: none */
    bool alone;
};
/* Before permits_write. ERR_NOMEM only. */
MUST_USE enum err permits_find_all(const struct permits *p,
                                   struct permits_all *out);

/* Lists of addresses stand in their order; p is sorted anew for it. */
void permits_write(struct permits *p, enum permits_format format, ns_t when,
                   struct buf *out);

/* ---- ranges, for who compares lists ---- */

struct permits_range {
    struct addr first, last;
};

struct permits_range permits_range_of(const struct prefix *p);

/* Calls put for each of the fewest prefixes that make up the range. */
void permits_cidrs(const struct permits_range *r,
                   void (*put)(void *ctx, const struct prefix *p), void *ctx);

/* Sorts, and joins what overlaps or touches; gives how many are left. */
size_t permits_join(struct permits_range *v, size_t n);
/* Is all of r within joined ranges? any: is any address of it? */
bool permits_covers(const struct permits_range *v, size_t n,
                    const struct permits_range *r);
/* The same of two lists together. */
bool permits_cover(const struct permits_range *v, size_t n,
                   const struct permits_range *w, size_t m,
                   const struct permits_range *r);
bool permits_touches(const struct permits_range *v, size_t n,
                     const struct permits_range *r);

#endif
