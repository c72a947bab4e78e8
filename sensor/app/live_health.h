#ifndef SPAN25_APP_LIVE_HEALTH_H
#define SPAN25_APP_LIVE_HEALTH_H
/* live_health - quiet or blind: what the board says of a sensor's own sight
 *
 * A row for each thing that is looked at. Pure: (board, limits, now) to rows.
 * A board that one of the processes writes at this moment gives numbers of
 * slightly different times, which is good enough for a judgement.
 *
 * BLIND are rows because of which "no alert" says nothing: no packets for
 * `quiet` on an interface, an interface or process that is not there, a journal
 * that cannot be written or has no room for mail, records or too many packets
 * lost, a VLAN or network that is expected and silent. What has not run for as
 * long as a row needs is not judged by it: the row is ok and says so. */
#include "sensor/app/live_board.h"
#include "sensor/base/buf.h"
#include "sensor/base/ns.h"

#define LIVE_WINDOW_NS (300 * NS_PER_S)

/* Where limits have no option of their own. */
#define LIVE_HEALTH_BEHIND  (10 * NS_PER_S) /* stream time behind the clock */
#define LIVE_HEALTH_OFFSET  NS_PER_S        /* UX 11: data is not labelled */
#define LIVE_HEALTH_UNSEEN  20U  /* of a thousand bytes, as the alert rule */
#define LIVE_HEALTH_ONEWAY  500U /* of a thousand sessions */
#define LIVE_HEALTH_STALLED (60 * NS_PER_S) /* a sink takes nothing */
#define LIVE_HEALTH_COUNTED 20U /* sessions from which a share is judged */

struct live_limits {
    ns_t quiet;             /* live.quiet */
    ns_t expected;          /* live.expect_within */
    ns_t silent;            /* of a process: no beat */
    uint64_t drop_permille; /* live.drop_permille */
};

/* X(id, word) */
#define LIVE_LEVEL_MAP(X) X(OK, "ok") X(WARN, "warn") X(FAIL, "fail")

enum live_level {
#define LIVE_LEVEL_ENUM(id, word) LIVE_LEVEL_##id,
    LIVE_LEVEL_MAP(LIVE_LEVEL_ENUM)
#undef LIVE_LEVEL_ENUM
};

/* Borrowed during the call. */
struct live_check {
    const char *name; /* a word of our own, such as "interface" */
    struct span text; /* one line, names of interfaces as they are */
    const char *todo; /* what to do about it; "" where it is ok */
    enum live_level level;
    bool blind;
};

typedef void live_check_row(void *ctx, const struct live_check *c);

/* mono and utc: now. */
void live_health(const struct live_board *b, const struct live_limits *limits,
                 ns_t mono, ns_t utc, live_check_row *row, void *ctx);

const char *live_level_word(enum live_level l);

/* "3 min", "2 h": of a time that has passed. */
void live_health_time(struct buf *out, ns_t t);

#endif
