#ifndef SPAN25_RULES_FEED_FEED_SCREEN_H
#define SPAN25_RULES_FEED_FEED_SCREEN_H
/* feed_screen - which entries may be in a feed at all, each looked at alone and
 * then beside those around it; and the notes on what became of each */
#include "rules/feed/feed.h"

#define FEED_WHY(id)       (UINT32_C(1) << FEED_WHY_##id)
#define FEED_WHY_ALL       ((UINT32_C(1) << FEED_WHY_COUNT) - 1)
#define FEED_WHY_NONE_LEFT (UINT32_C(1) << 31) /* all of it was cut out */

#define FEED_NEVER_KINDS                                                       \
    FEED_WHY_MALFORMED /* the first ones are of FEED_NEVERS */

struct feed_screen {
    /* by the caller's entries */
    uint32_t *why;
    bool *out;
    ns_t *until;
    /* what may stay, by address, without doubles; id is the entry */
    struct carve_item *kept;
    size_t n_kept;
    /* joined: of all kinds, and of each */
    struct permits_range *never;
    size_t n_never;
    struct permits_range *kinds;
    size_t kind_from[FEED_NEVER_KINDS + 1];
    size_t kind_n[FEED_NEVER_KINDS];
};

/* To be freed by feed_screen_fini, whatever comes of it. False: no memory. */
MUST_USE bool feed_screen(const struct feed_in *in, struct feed_screen *s);
void feed_screen_fini(struct feed_screen *s);

/* Into notes and counts of f. */
MUST_USE bool feed_screen_notes(const struct feed_screen *s,
                                const struct feed_in *in, struct feed *f);

/* Lower case hexadecimal digits of a SHA-256. */
bool feed_is_hash(struct span s);

#endif
