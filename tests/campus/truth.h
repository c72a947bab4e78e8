#ifndef SPAN25_TESTS_CAMPUS_TRUTH_H
#define SPAN25_TESTS_CAMPUS_TRUTH_H
/* truth - what really happened, and how much of it was there to be seen
 *
 * Of hosts at home outward on port 25, and of what came in from outside.
 * Stages: sent; watched, while the sensor was on; clear, of all that was sent
 * what was not under TLS; seen, in an event; complete, and nothing of it
 * missing. Files: hosts.csv, a row a host; shares.csv, by group, stage
 * and what; sizes.csv; faults.csv; window.csv. */
#include "sensor/base/err.h"
#include "sensor/event/study_result.h"
#include "tests/campus/faults.h"

/* X(name, what) */
#define TRUTH_COUNTS(X)                                                        \
    X(transactions, "MAIL commands outward on port 25; so is all below")       \
    X(messages, "messages sent")                                               \
    X(delivered, "of them accepted")                                           \
    X(recipients, "recipients of those that were accepted too")                \
    X(bytes, "of the messages")                                                \
    X(clear, "messages not under TLS")                                         \
    X(seen, "messages in events")                                              \
    X(complete, "of them those of which nothing is missing")                   \
    X(class_a, "messages with a part of class A")                              \
    X(class_a_clear, "the same, not under TLS")                                \
    X(class_a_seen, "the same, in events")                                     \
    X(class_a_complete, "the same, nothing missing")                           \
    X(bad, "messages of abuse")                                                \
    X(bad_seen, "of them in events")                                           \
    X(bad_recipients, "recipients accepted, of those that were delivered")     \
    X(forged, "messages that somebody else sent in its name")                  \
    X(sessions, "connections with a byte of mail")                             \
    X(sessions_tls, "of them under TLS")                                       \
    X(sessions_seen, "of them in events")                                      \
    X(days, "days with one in events")                                         \
    X(attempts, "connections without a byte")                                  \
    X(inbound, "messages that it took")                                        \
    X(submitted, "messages sent on port 587")

struct truth_host {
#define X(name, what) uint64_t name;
    TRUTH_COUNTS(X)
#undef X
    uint64_t last_day;
    ns_t first_bad, first_bad_seen; /* 0: none */
};

enum truth_stage {
    TRUTH_SENT,
    TRUTH_WATCHED,
    TRUTH_CLEAR,
    TRUTH_SEEN,
    TRUTH_COMPLETE,
};
#define TRUTH_STAGES 5U

struct truth_share {
    uint64_t messages, class_a, bad, bad_class_a;
};

struct truth {
    const struct campus *campus;
    const struct faults *faults;
    struct truth_host *hosts;
    struct truth_share shares[STUDY_GROUP_COUNT][TRUTH_STAGES];
    uint64_t sizes[8], sizes_complete[8];
    uint64_t events;
};

MUST_USE enum err truth_init(struct truth *t, const struct campus *c,
                             const struct faults *f);
void truth_fini(struct truth *t);

/* A stage of an actor, before its events. */
void truth_stage(struct truth *t, const struct actor *a);
/* An event of it that was seen. */
void truth_event(struct truth *t, const struct actor *a, enum event_type type);

/* All files into the folder, which is there. */
MUST_USE enum err truth_write(const struct truth *t, const char *folder);

#endif
