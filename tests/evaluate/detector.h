#ifndef SPAN25_TESTS_EVALUATE_DETECTOR_H
#define SPAN25_TESTS_EVALUATE_DETECTOR_H
/* detector - whoever judges hosts from events; each a table of functions
 *
 * Baselines are told which subject an event is of and keep an exact record of
 * each, with no bound of memory: they are what their papers describe, not what
 * could be run. No detector accuses registered hosts. The project's own sees
 * events alone. */
#include "sensor/event/record.h"
#include "tests/evaluate/play.h"

/* What may be said of a host, the weakest first. */
enum level {
    LEVEL_TOLD,    /* any alert, also that it is not registered */
    LEVEL_NOTICE,  /* any alert about what it does, informational ones too */
    LEVEL_ALERT,   /* of medium level or above: to be looked at */
    LEVEL_ACCUSED, /* of high level: it behaves like a spam bot */
    LEVEL_HOLD,    /* a human is asked whether to stop it */
    LEVEL_BLOCK,   /* would be stopped */
    LEVEL_COUNT
};

struct verdicts {
    void (*put)(void *ctx, struct subject *s, enum level level, ns_t when);
    void *ctx;
    /* each conclusion of the project's own detectors; NULL: nobody listens */
    void (*heard)(void *ctx, struct span record);
};

struct detector_ops {
    const char *name, *what;
    enum err (*make)(const struct play *p, void **out);
    void (*event)(void *d, struct subject *s, const struct record_map *m,
                  const struct verdicts *v);
    void (*end)(void *d, ns_t now, const struct verdicts *v); /* or NULL */
    void (*free)(void *d);
};

/* The project's own first, where it is built in. */
extern const struct detector_ops *const detectors[];
extern const size_t n_detectors;

/* A message is bad to the baselines from this score on: what SpamAssassin's
 * required_score is (5.0), in the points of mail_score.def. */
#define SPAM_SCORE 5U

#endif
