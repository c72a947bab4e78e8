#ifndef SPAN25_TESTS_EVALUATE_PLAY_H
#define SPAN25_TESTS_EVALUATE_PLAY_H
/* play - a cast of subjects and actors, and their events in order of time
 *
 * The cast of a seed is the same under all conditions; only what is seen of it
 * differs. Events come out in the order of the core: by time. */
#include "sensor/base/err.h"
#include "sensor/event/record.h"
#include "tests/evaluate/render.h"

#define PLAY_START (UINT64_C(1793577600) * NS_PER_S) /* Mon 2 Nov 2026 */

enum play_half { PLAY_TUNING, PLAY_REPORTING, PLAY_BOTH };

struct play_options {
    uint64_t seed;
    struct conditions cond;
    enum play_half half;
    double scale;     /* of the numbers of hosts; 1: as in the rows */
    double days_most; /* nobody is watched longer; 0: no limit */
    uint64_t cap;     /* messages of an actor, at most; 0: no limit */
    double warm;      /* days that the innocent are known before: a dry run */
    struct scenario_set only; /* none: all */
};

struct play {
    struct play_options options;
    struct subject *subjects;
    uint32_t n_subjects;
    struct actor *actors;
    uint32_t n_actors;
    struct actor **heap;
    uint32_t n_heap;
    uint32_t *index; /* of subjects by address; open addressing */
    uint32_t index_mask;
    struct render render;
    /* shown each stage before its events; NULL: nobody */
    void (*hook)(void *ctx, const struct actor *a);
    void *hook_ctx;
    uint64_t n_events;
    ns_t now;
};

/* Who is in it: at most so many, put into p->subjects and p->actors by fill.
 * Subjects' numbers are their places. */
struct play_cast {
    uint32_t subjects, actors;
    void (*fill)(void *ctx, struct play *p);
    void *ctx;
};
MUST_USE enum err play_new_of(const struct play_options *o,
                              const struct play_cast *c, struct play **out);

/* The rows of scenario.def. */
MUST_USE enum err play_new(const struct play_options *o, struct play **out);
void play_free(struct play *p);

/* All events from now on, in order; ends when everybody has fallen silent. */
void play_run(struct play *p, const struct record_sink *sink);
/* The same for at most n stages of actors; false when there are no more. */
bool play_some(struct play *p, uint64_t n, const struct record_sink *sink);

/* End of the dry run. */
ns_t play_counts_from(const struct play *p);

/* Who has this address, or NULL. */
struct subject *play_find(const struct play *p, const struct addr *a);

#endif
