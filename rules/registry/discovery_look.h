#ifndef SPAN25_RULES_REGISTRY_DISCOVERY_LOOK_H
#define SPAN25_RULES_REGISTRY_DISCOVERY_LOOK_H
/* discovery_look - what a host looks like, by the figures of a row
 *
 * The signs are rows of discovery_signs.def, nothing else decides. */
#include "rules/registry/discovery.h"

enum discovery_measure {
#define MEASURE(id, kind, phrase) MEASURE_##id,
#include "rules/registry/discovery_signs.def"
    MEASURE_COUNT
};

/* n of d; where nothing is known, d is 0. */
struct discovery_figure {
    uint64_t n, d;
};

struct discovery_figures {
    struct discovery_figure of[MEASURE_COUNT];
};

/* Fills look and why of a row: the signs that speak for it, in the order of the
 * table, as many as fit. */
void discovery_look_judge(const struct discovery_figures *f,
                          struct discovery_row *row);

#endif
