#ifndef SPAN25_RULES_STUDY_STUDY_H
#define SPAN25_RULES_STUDY_STUDY_H
/* study - events once through, what policies would have made of them
 *
 * For every event of the input, in order:
 *
 *     study_begin(s, &event);
 *     ... detection is shown the event; study_judged and study_conclude are
 *     called with what it says ...
 *     study_event(s, &event);
 *
 * and study_finish at the end. Events of types host, alert and decision in the
 * input are what was concluded then: they go to study_journaled alone, and are
 * compared with what is concluded now.
 *
 * A MESSAGE is a mail transaction outward on port 25 with a recipient, told to
 * its end, in the clear; delivered when its outcome is accepted. HOSTS are
 * addresses at home, or their leases; what stops an address stops an IPv6 /64.
 * All figures are of the window, or of its last part, the holdout; policies run
 * from the window's begin. What is before it is warm-up: statistics, and whom
 * the detector would have stopped when the policy takes force.
 *
 * POLICIES see what was seen: nobody reacts to a stop that did not happen. What
 * a stop does to a message that was delivered in truth is behaviour, said as
 * least and most (DETECTION 4.7): who is seen to try again delays it until the
 * first retry behind the stop, and loses it when that is past give-up; who is
 * seen to give up loses it; of others it is not known. Of malicious messages
 * those within stops are stopped if a bot tries for ever, and all since the
 * first stop if it gives up.
 *   rate    two buckets an address, an hour's and a day's, full at first,
 *           refilled all the time; a message takes one of both, or is stopped
 *           where either has less than one. Messages under TLS take none: a
 *           border does not see them
 *   alerts  an episode counts once, when it opens; while stopped none counts
 *   grace   who answers is drawn by address; bots do not
 *
 * MEMORY: STUDY_HOME hosts and STUDY_OUTSIDE senders, about 700 + 100 bytes a
 * policy and 300 bytes each; beyond, events are counted and left out. A window
 * of at most STUDY_DAYS. Keyed hashes. Pure; one thread. */
#include "rules/study/plan.h"
#include "sensor/base/err.h"
#include "sensor/event/record.h"
#include "sensor/event/study_result.h"

#define STUDY_HOME      131072U
#define STUDY_OUTSIDE   262144U
#define STUDY_DAYS      400U
#define STUDY_POLICIES  64U
#define STUDY_DETECTORS 16U
#define STUDY_UNSEEN_PERMILLE                                                  \
    50 /* of an hour's bytes; beyond, its messages are in no share */
#define STUDY_JUDGED                                                           \
    10U /* messages from which on a host can look legitimate                   \
         */

struct study_label {
    struct addr addr;
    enum study_class class;
};

struct study_options {
    const struct study_plan *plan; /* outlives it */
    const uint8_t *detectors; /* of each policy, which detector's decisions; the
                               * first one says what hosts are held for */
    size_t points; /* of the plan's policies the last so many are points of a
                    * sweep: counted, without intervals */
    ns_t from, to; /* 0: from the first event, to the last */
    ns_t holdout;  /* length of the last part; needs `to` */
    uint64_t seed;
    uint32_t home, outside;           /* bounds; 0: as above */
    const struct study_label *labels; /* by address; outlive it */
    size_t n_labels;
};

struct study;

/* ERR_LIMIT: a window longer than STUDY_DAYS, or too many policies. */
MUST_USE enum err study_new(const struct study_options *o, struct study **out);
void study_free(struct study *s);

void study_begin(struct study *s, const struct record_map *event);
void study_judged(void *study, bool judged, bool bad);
/* A host, alert or decision event of that detector. */
void study_conclude(struct study *s, unsigned detector,
                    const struct record_map *event);
void study_event(struct study *s, const struct record_map *event);
void study_journaled(struct study *s, const struct record_map *event);

/* Who stands at a site: fills name and contact, which are borrowed until the
 * result is freed. */
struct study_places {
    void (*find)(void *ctx, struct study_site *site);
    void *ctx;
};

/* What the study can say; the caller adds what it knows besides (cover, inputs,
 * review). The result borrows from the study and the plan. */
MUST_USE enum err study_finish(struct study *s,
                               const struct study_places *places,
                               struct study_result *out);
/* The first n policies; the others, which were points of a sweep, are freed. */
void study_result_keep(struct study_result *r, size_t n);
void study_result_free(struct study_result *r);

/* For going on later; into a new one of the same options. ERR_FORMAT: of
 * another study or build. */
MUST_USE enum err study_save(const struct study *s, struct buf *out);
MUST_USE enum err study_load(struct study *s, struct span saved);

#endif
