#ifndef SPAN25_RULES_PACKS_PACKS_H
#define SPAN25_RULES_PACKS_PACKS_H
/* packs - the rules that the program ships, within the program
 *
 * rules/packs/PACK/NAME.yaml and the cases beside it, NAME.cases, as files of
 * their own; packs_embed.c makes the table when the program is built. */
#include "sensor/base/span.h"

struct pack_file {
    const char *name; /* "policy/unregistered.yaml" */
    struct span text;
};

/* By name, ascending; a row without a name ends it. */
extern const struct pack_file packs[];

/* The four packs: the words of alert.category and of rules.packs. */
#define PACKS(X)                                                               \
    X(policy)                                                                  \
    X(behaviour)                                                               \
    X(content)                                                                 \
    X(protocol)

#endif
