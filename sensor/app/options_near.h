#ifndef SPAN25_APP_OPTIONS_NEAR_H
#define SPAN25_APP_OPTIONS_NEAR_H
/* options_near - "did you mean": the closest of some words
 *
 * Edit distance with swapped neighbours as one edit. A third of the letters
 * may differ; words over OPTIONS_NEAR_MAX bytes are never close. */
#include "sensor/base/span.h"

#define OPTIONS_NEAR_MAX 64

/* At most OPTIONS_NEAR_MAX + 1, which stands for "far". */
unsigned options_near_distance(struct span a, struct span b);

/* Start, offer each word, then look at best: empty when none is close. */
struct options_near {
    struct span typed;
    struct span best;
    unsigned distance;
};

struct options_near options_near_start(struct span typed);
void options_near_offer(struct options_near *n, struct span word);

#endif
