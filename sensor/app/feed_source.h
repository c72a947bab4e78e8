#ifndef SPAN25_APP_FEED_SOURCE_H
#define SPAN25_APP_FEED_SOURCE_H
/* feed_source - what a state says of the lists: entries and what is never on
 * one
 *
 * A subject is an entry iff the newest decision event about it is a block that
 * was made in mode enforce and is not over yet, and the policy in force
 * (policy_fold.h) is enforce. A preview takes those of mode simulate too: it
 * shows what would be listed, and is given to nobody.
 *
 *   never   what the registry permits now, on any port; what was asked for and
 *           is not answered; exceptions from blocking, also of one rule; what
 *           the configuration protects
 *
 * Without a registry, never_known is false: nobody can be known to be
 * registered, and feed_make refuses (FEED_UNKNOWN). */
#include "rules/alert/exceptions.h"
#include "rules/feed/feed.h"
#include "rules/registry/book.h"
#include "sensor/app/desk_decisions.h"
#include "sensor/app/options.h"

/* A capture that was not measured so long says nothing. */
#define FEED_SOURCE_SIGHT_NS (600 * NS_PER_S)

struct feed_source_in {
    struct index_reader *index;
    const struct book *book; /* NULL: there is no registry */
    const struct exceptions *exceptions;
    const struct prefixes *keep; /* the configuration's */
    ns_t now;
    bool preview;
};

struct feed_source {
    struct desk_decisions decisions, acts;
    struct feed_entry *entries;        /* texts are of the decisions */
    const struct desk_decision **from; /* by entry */
    size_t n;
    struct feed_never *never;
    size_t n_never, cap_never;
    bool never_known;
    bool enforce;  /* the mode in force */
    size_t before; /* in force but of mode simulate: on no live list */
};

/* To be freed by feed_source_fini, whatever comes of it. ERR_LIMIT: more than
 * feed_make takes; ERR_NOMEM; else what the index says. */
MUST_USE enum err feed_source_read(const struct feed_source_in *in,
                                   struct feed_source *out);
void feed_source_fini(struct feed_source *s);

/* The newest decision about an element of a set, which may be a piece of its
 * subject; NULL: none. */
const struct desk_decision *feed_source_about(const struct feed_source *s,
                                              const struct prefix *element);

/* All that is listed in last, and no more, has an answer in the decisions: it
 * was lifted, is over, or is never listed. Then a list without an element is
 * what was decided, and no fault. */
MUST_USE bool feed_source_explains(const struct feed_source *s,
                                   const struct feed *last, ns_t now);

/* ---- how good the capture is ---- */

struct feed_sight {
    uint64_t seen, unseen;     /* bytes of mail connections */
    uint64_t packets, dropped; /* by the kernel, driver or card */
    bool blind;                /* what is told says nothing */
};

/* Of a thousand: the smaller of both shares; 1000 where there was nothing. */
uint64_t feed_sight_permille(const struct feed_sight *s);
/* Of a stats event. False: it says nothing of it. */
MUST_USE bool feed_sight_of(const struct record_map *stats,
                            struct feed_sight *out);

#endif
