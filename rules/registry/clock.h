#ifndef SPAN25_RULES_REGISTRY_CLOCK_H
#define SPAN25_RULES_REGISTRY_CLOCK_H
/* clock - the 48 hours within which a permit is entered
 *
 * Elapsed time, UTC, between journaled times: nights, week-ends and days on
 * which the local clock changes count like any others. It starts when a
 * complete form arrives, pauses while the form is returned, stops when the
 * permit is found in the firewall's list (or the line ends), and starts anew
 * when it is lost from there. Pure. */
#include "sensor/base/ns.h"

#define CLOCK_HOURS (UINT64_C(3600) * NS_PER_S)
#define CLOCK_LIMIT (48 * CLOCK_HOURS)

/* X(id, hours from the start, word): the marks */
#define CLOCK_MARKS(X)                                                         \
    X(QUIET, 0, "in time")                                                     \
    X(SOON, 36, "due in 12 h")                                                 \
    X(LAST, 44, "due in 4 h")                                                  \
    X(OVERDUE, 48, "overdue")

enum clock_mark {
#define CLOCK_ENUM(id, hours, word) CLOCK_##id,
    CLOCK_MARKS(CLOCK_ENUM)
#undef CLOCK_ENUM
};

enum clock_state { CLOCK_IDLE, CLOCK_RUNNING, CLOCK_PAUSED, CLOCK_STOPPED };

struct clock {
    enum clock_state state;
    ns_t began; /* first start, total time counts from here */
    ns_t since; /* when it came into its state */
    ns_t net;   /* run before that */
};

/* Each is without effect where it makes no sense (pause of a clock that does
 * not run). when never goes back; one that does counts as the last. */
void clock_start(struct clock *c, ns_t when); /* anew, or out of a pause */
void clock_pause(struct clock *c, ns_t when);
void clock_stop(struct clock *c, ns_t when);

ns_t clock_net(const struct clock *c, ns_t now);   /* without pauses */
ns_t clock_total(const struct clock *c, ns_t now); /* with them */
/* When the limit is reached if it runs on (at the latest: reached before it was
 * paused, it is when it went on); 0: it does not run. */
ns_t clock_due(const struct clock *c);
/* Of the time run so far; a stopped clock keeps the mark it stopped with. */
enum clock_mark clock_mark_at(const struct clock *c, ns_t now);
const char *clock_word(enum clock_mark m);

#endif
