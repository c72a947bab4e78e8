#ifndef SPAN25_APP_STUDY_SWEEP_H
#define SPAN25_APP_STUDY_SWEEP_H
/* study_sweep - limits from low to high, in the same pass
 *
 * A point is the policy with one key changed. Points stand behind the plan's
 * own policies during the pass, and are taken out of the result afterwards. */
#include "rules/study/plan.h"
#include "sensor/base/buf.h"
#include "sensor/base/err.h"
#include "sensor/event/study_result.h"

#define SWEEPS_MAX         8U
#define STUDY_SWEEP_POINTS 64U

struct study_sweep_plan {
    size_t policy;    /* index */
    const char *what; /* the key, in words */
    const char *unit;
    double chosen;
    size_t first, n; /* its points among the policies */
    double values[STUDY_SWEEP_POINTS];
};

struct study_sweeps {
    size_t own; /* policies of the plan itself */
    struct study_sweep_plan v[SWEEPS_MAX];
    size_t n;
    struct study_sweep result[SWEEPS_MAX];
};

/* What every study has: of each policy the limit that matters most and costs no
 * detector of its own, from a quarter to four times what is chosen. */
MUST_USE enum err study_sweeps_usual(struct study_plan *plan,
                                     struct study_sweeps *out);

/* One that was asked for: key as in the file, or block.KEY; n values from low
 * to high, equal ratios apart (whole numbers where the key has them, each
 * once). ERR_USAGE: told. */
struct study_sweep_ask {
    const char *key, *low, *high;
    size_t n;
};
MUST_USE enum err study_sweeps_asked(struct study_plan *plan,
                                     const struct study_sweep_ask *ask,
                                     struct study_sweeps *out,
                                     struct buf *messages);

/* Takes the points out of the result; to be freed by study_sweeps_free. */
MUST_USE enum err study_sweeps_collect(struct study_sweeps *s,
                                       struct study_result *r);
void study_sweeps_free(struct study_sweeps *s);

/* A row a point: for a terminal (width 0: as wide as it is), and RFC 4180. */
void study_sweep_text(const struct study_sweep *s, unsigned width,
                      struct buf *out);
void study_sweep_csv(const struct study_sweep *s, struct buf *out);

#endif
