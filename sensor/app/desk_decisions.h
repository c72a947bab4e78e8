#ifndef SPAN25_APP_DESK_DECISIONS_H
#define SPAN25_APP_DESK_DECISIONS_H
/* desk_decisions - the newest decision of each subject, from an index
 *
 * What is in force at a time is what its newest decision event says (DETECTION
 * 6.3); and what people said of a subject last is the newest control event of
 * kind block. At most DESK_DECISIONS_MAX subjects. */
#include "sensor/base/addr.h"
#include "sensor/base/attr.h"
#include "sensor/store/index_query.h"

#define DESK_DECISIONS_MAX (1U << 19)

struct desk_decision {
    struct prefix subject;
    uint64_t seq; /* in the journal */
    ns_t when;
    ns_t until;         /* 0: none */
    struct span record; /* own copy */
};

struct desk_decisions {
    struct desk_decision *v;
    size_t n;
    uint32_t *slots; /* index into v + 1; 0: free */
    size_t cap;      /* of slots and v, a power of two */
    uint64_t seed;
    ns_t upto;      /* later ones are not looked at */
    uint32_t about; /* enum field: where the subject stands */
    enum err failed;
};

/* Both to be freed by desk_decisions_fini, whatever comes of it. ERR_LIMIT,
 * ERR_NOMEM; else what the index says, whose index_reader_why tells more. */
MUST_USE enum err desk_decisions_read(struct index_reader *r, ns_t upto,
                                      struct desk_decisions *out);
MUST_USE enum err desk_decisions_acts(struct index_reader *r, ns_t upto,
                                      struct desk_decisions *out);
void desk_decisions_fini(struct desk_decisions *d);

/* NULL: none. */
const struct desk_decision *desk_decisions_find(const struct desk_decisions *d,
                                                const struct prefix *subject);

/* X(id, word): what has become of it */
#define DESK_STANDINGS(X)                                                      \
    X(IN_FORCE, "in force")                                                    \
    X(ASKED, "asked")                                                          \
    X(WITHHELD, "withheld")                                                    \
    X(OVER, "over")

enum desk_standing {
#define DESK_STANDING_ENUM(id, word) DESK_##id,
    DESK_STANDINGS(DESK_STANDING_ENUM)
#undef DESK_STANDING_ENUM
        DESK_STANDING_COUNT
};

const char *desk_standing_word(enum desk_standing s);
enum desk_standing desk_standing_of(const struct desk_decision *d, ns_t now);

#endif
