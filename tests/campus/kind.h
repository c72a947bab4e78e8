#ifndef SPAN25_TESTS_CAMPUS_KIND_H
#define SPAN25_TESTS_CAMPUS_KIND_H
/* kind - what sorts of hosts a campus has, and how many of each
 *
 * Ordinary ones are rows of kind.def; bots, hosts that are abused, NATs and
 * forgery are those of scenario.def, all of them. */
#include "tests/evaluate/scenario.h"

#define KINDS_MAX 128U
#define KIND_DAYS 10000 /* longer than any window: see campus.h */

struct kind {
    struct scenario row;
    double weight;
    double tls, inbound, late;
    double own;       /* ordinary messages an hour beside abuse; 0: none */
    uint32_t behind;  /* other users of the address */
    const char *pool; /* or NULL */
    bool drawn;       /* may be in a cast that is drawn by weight */
};

struct kinds {
    struct kind v[KINDS_MAX];
    unsigned n;
};

/* scale: of how much busy hosts send, and of the length of bots' campaigns. */
void kinds_init(struct kinds *k, double scale);

/* May it be drawn, and is it one that abuses (or not)? */
static inline bool
kind_drawn(const struct kind *k, bool abuses)
{
    return k->drawn && (k->row.label != LABEL_LEGIT) == abuses;
}

/* How many of hosts are of each kind: by weight, and at least one each where
 * there is room. of has KINDS_MAX places. */
void kinds_share(const struct kinds *k, uint32_t hosts, uint32_t *of);

#endif
