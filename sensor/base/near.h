#ifndef SPAN25_BASE_NEAR_H
#define SPAN25_BASE_NEAR_H
/* near - "did you mean": the closest of some words
 *
 * Edit distance with swapped neighbours as one edit. A third of the letters
 * may differ; words over NEAR_MAX bytes are never close. */
#include "sensor/base/span.h"

#define NEAR_MAX 64

/* At most NEAR_MAX + 1, which stands for "far". */
unsigned near_distance(struct span a, struct span b);

/* Start, offer each word, then look at best: empty when none is close. */
struct near {
    struct span typed;
    struct span best;
    unsigned distance;
};

struct near near_start(struct span typed);
void near_offer(struct near *n, struct span word);

#endif
