#ifndef SPAN25_RULES_ALERT_ALERTS_EVENT_H
#define SPAN25_RULES_ALERT_ALERTS_EVENT_H
/* alerts_event - what alerts read of an event, and the events they write */
#include "rules/alert/episodes.h"

struct alerts_telling {
    struct record_head head;
    const char *state;    /* opened, ongoing, ended */
    const char *silenced; /* id of the exception, or "" */
    bool unblockable;     /* an exception keeps it from being stopped */
    struct span host;     /* latest host event, as checks_keep; or empty */
};

/* The event of an episode, begun anew in out. */
void alerts_write(struct record_out *out, const struct episodes *s,
                  uint32_t slot, const struct alerts_telling *t);

/* 1 high and critical, 2 medium, 3 low, 4 the rest. */
unsigned alerts_severity(struct span level);

/* How bad an event is, beside others of the same type: see alerts.h. Matched:
 * lines of sigma_explain. */
uint64_t alerts_worth(const struct record_map *event, struct span matched);

/* How much of what the event tells of was seen. */
enum sight alerts_sight(const struct record_map *event);

/* Lines of sigma_explain, cut to what is kept. */
void alerts_matched(struct buf *out, struct span lines);

#endif
