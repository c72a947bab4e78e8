#ifndef SPAN25_RULES_FEED_FEED_H
#define SPAN25_RULES_FEED_FEED_H
/* feed - the one decision set that every block list is rendered from
 *
 * PEERS 4.4 in code. Decisions go in, with what must never be listed; a set
 * comes out that is safe to load: sorted, no two of its prefixes overlap, none
 * wider than configured, none holds an address that is registered, permitted,
 * excepted or protected, each has an end, and all of it has one (the dead man's
 * end: the writer is gone, the list empties itself).
 *
 *   each entry   malformed, everything, too wide, no host's address, without
 *                end, over, not begun, without evidence: refused
 *   overlaps     an address belongs to the longest prefix that holds it; an
 *                entry within one that lasts as long is a double
 *   never        cut out: the rest is split; past `pieces` the whole is refused
 *   caps         what was listed before stays first, then the older decision;
 *                an entry is in with all of its pieces or not at all. `hour`
 *                counts entries with an address that the last set did not list,
 *                also when they have left since
 *
 * Every entry that was refused, cut or shortened is named in notes and counted.
 * An address that a cap or a limit keeps out of it is not stopped by another
 * entry around it either: in doubt nothing is stopped.
 *
 * THE WHOLE SET IS REFUSED (feed_make gives a verdict, and no set) when the
 * capture saw too little, when time went back behind the last set, when a list
 * of what is never blocked is said to be missing, or when nothing is left and
 * the caller does not allow it. Then the last good one stays, until its end.
 *
 * TEXTS are copied and cut at FEED_TEXT bytes. They may hold anything; each
 * renderer makes them safe for its readers.
 *
 * Pure: time is an argument. At most FEED_ENTRIES entries, FEED_NEVER ranges;
 * time n log n. One thread. */
#include "rules/feed/carve.h"
#include "sensor/base/ns.h"

#define FEED_ENTRIES 262144U
#define FEED_NEVER   2000000U
#define FEED_TEXT    256U            /* bytes of each text */
#define FEED_HASH    64U             /* hexadecimal digits of a SHA-256 */
#define FEED_DIGEST  (FEED_HASH + 1) /* bytes of them with a NUL */

/* X(name, default, least, most, unit, why) */
struct feed_limits {
#define X(name, value, least, most, unit, why) uint64_t name;
#include "rules/feed/feed.def"
#undef X
};
extern const struct feed_limits feed_limits_default;
/* The name of the first limit out of its range, or NULL. */
const char *feed_limits_bad(const struct feed_limits *l);

/* X(id, word) */
#define FEED_ORIGINS(X)                                                        \
    X(DETECTOR, "detector")                                                    \
    X(HUMAN, "human")                                                          \
    X(POLICY, "policy")

enum feed_origin {
#define FEED_ENUM(id, word) FEED_##id,
    FEED_ORIGINS(FEED_ENUM)
#undef FEED_ENUM
        FEED_ORIGIN_COUNT
};
const char *feed_origin_word(enum feed_origin o);

/* A decision in force. Texts are borrowed; empty: none. */
struct feed_entry {
    struct prefix prefix;
    ns_t since, until; /* until 0: none, which is refused */
    enum feed_origin origin;
    struct span reason, rule, evidence, site; /* evidence: FEED_HASH digits */
};

/* X(id, word, doc): what is never listed */
#define FEED_NEVERS(X)                                                         \
    X(REGISTERED, "registered", "in the registry")                             \
    X(PERMITTED, "permitted", "permitted, or asked for and protected")         \
    X(EXCEPTED, "excepted", "an exception from blocking")                      \
    X(PROTECTED, "protected", "own servers, resolvers, gateways, monitoring")

struct feed_never {
    struct permits_range range; /* of one family */
    uint8_t kind;               /* of FEED_NEVERS, from 0 */
};

/* X(id, word, doc) */
#define FEED_WHYS(X)                                                           \
    FEED_NEVERS(X)                                                             \
    X(MALFORMED, "malformed", "no prefix: its length, or bits behind it")      \
    X(EVERYTHING, "everything", "every address of a family")                   \
    X(TOO_WIDE, "too_wide", "wider than configured")                           \
    X(NO_HOST, "no_host", "loopback, multicast and the like: no host's")       \
    X(NO_END, "no_end", "without an expiry")                                   \
    X(OVER, "over", "its end is past")                                         \
    X(NOT_BEGUN, "not_begun", "decided in the future")                         \
    X(NO_EVIDENCE, "no_evidence", "a detector's, without an evidence hash")    \
    X(DOUBLE, "double", "another one holds it and lasts as long")              \
    X(PIECES, "pieces", "split into more pieces than allowed")                 \
    X(CAP_TOTAL, "cap_total", "the list is full")                              \
    X(CAP_HOUR, "cap_hour", "enough came in within the hour")                  \
    X(SHORTENED, "shortened", "its end was brought nearer")

enum feed_why {
#define FEED_ENUM(id, word, doc) FEED_WHY_##id,
    FEED_WHYS(FEED_ENUM)
#undef FEED_ENUM
        FEED_WHY_COUNT
};
const char *feed_why_word(enum feed_why w);
const char *feed_why_doc(enum feed_why w);

struct feed_note {
    size_t entry; /* of the caller's array */
    struct prefix prefix;
    uint32_t why; /* bits 1 << enum feed_why */
    bool listed;  /* a part of it, or for a shorter time */
};

/* One element of every list. */
struct feed_item {
    struct prefix prefix;
    ns_t since, until; /* until is the decision's, not the dead man's */
    enum feed_origin origin;
    struct span reason, rule, evidence, site; /* the set's */
    size_t entry;                             /* of the caller's array */
};

struct feed {
    uint64_t serial; /* from 1; one more whenever the digest differs */
    ns_t made;
    ns_t expires; /* the dead man's end */
    char
        digest[FEED_DIGEST]; /* SHA-256 of what is listed, its ends and texts */
    uint64_t widest[2];      /* bits, IPv4 and IPv6, that it was made with */
    struct feed_item *v;     /* by address */
    size_t n;
    struct feed_note *notes; /* by entry */
    size_t n_notes;
    uint64_t counts[FEED_WHY_COUNT]; /* entries */
    uint64_t added;                  /* entries that came in with this set */
    ns_t *came; /* when entries came in, in the last hour, ascending */
    size_t n_came;
    char *texts;
};

/* X(id, doc) */
#define FEED_VERDICTS(X)                                                       \
    X(DONE, "made")                                                            \
    X(QUALITY, "the capture saw less than it must have seen")                  \
    X(EMPTY, "nothing is left to list, and an empty list is not allowed")      \
    X(UNKNOWN, "what must never be listed is not known")                       \
    X(BACKWARD, "the last set was made later than now")                        \
    X(LIMITS, "a limit is out of its range")                                   \
    X(MANY, "more entries or ranges than can be taken")                        \
    X(MEMORY, "out of memory")

enum feed_verdict {
#define FEED_ENUM(id, doc) FEED_##id,
    FEED_VERDICTS(FEED_ENUM)
#undef FEED_ENUM
};
const char *feed_verdict_doc(enum feed_verdict v);

struct feed_in {
    const struct feed_entry *entries;
    size_t n;
    const struct feed_never *never;
    size_t n_never;
    bool never_known; /* the registry and the exceptions were there to read */
    uint64_t quality_permille; /* of the capture, in the last interval */
    bool allow_empty;
    const struct feed_limits *limits;
    const struct feed *last; /* or NULL: the first one ever */
    ns_t now;
};

/* To be freed by feed_fini, whatever comes of it. When it is not FEED_DONE
 * there are notes and counts, as far as it came, and no set. */
MUST_USE enum feed_verdict feed_make(const struct feed_in *in,
                                     struct feed *out);
void feed_fini(struct feed *f);

/* A set for the next start, without its notes: what must not be forgotten is
 * who was listed, and how many came within the hour. */
MUST_USE enum err feed_save(const struct feed *f, struct buf *out);
/* ERR_FORMAT (another version), ERR_CORRUPT (also a set that feed_make would
 * not have made), ERR_NOMEM: *out is empty. To be freed by feed_fini. */
MUST_USE enum err feed_load(struct span saved, struct feed *out);

/* When an element must have gone from a consumer's list. */
static inline ns_t
feed_end(const struct feed *f, const struct feed_item *i)
{
    return i->until < f->expires ? i->until : f->expires;
}
/* Whole seconds until then; 0: not to be written any more. */
uint64_t feed_left(const struct feed *f, const struct feed_item *i, ns_t now);

/* What changed. kind: + in now only, - in last only, ~ another end. last may
 * be NULL. In the order of addresses. */
typedef void feed_change(void *ctx, char kind, const struct feed_item *i);
void feed_diff(const struct feed *last, const struct feed *now,
               feed_change *tell, void *ctx);

#endif
