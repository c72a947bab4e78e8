#ifndef SPAN25_TESTS_EVALUATE_PUBLISH_H
#define SPAN25_TESTS_EVALUATE_PUBLISH_H
/* publish - the shipped rules, and conclusions placed as the core places them
 *
 * What the project's own detectors share. */
#include "rules/sigma/sigma.h"
#include "tests/evaluate/play.h"

/* All rules of the shipped packs; *out is freed by the caller. */
MUST_USE enum err publish_rules(struct sigma_set **out);

struct publisher {
    const struct play *play;
    struct record_out out, more;
    uint64_t n;
};

void publisher_init(struct publisher *p, const struct play *play);
void publisher_fini(struct publisher *p);

/* The conclusion with its number and what the registry says of its host,
 * mapped; borrowed until the next one. */
void publisher_place(struct publisher *p, struct span conclusion,
                     struct record_map *out);

#endif
