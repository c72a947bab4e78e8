#ifndef SPAN25_APP_LIVE_CHILDREN_H
#define SPAN25_APP_LIVE_CHILDREN_H
/* live_children - the processes that the supervisor keeps alive
 *
 * One that ends is started again: at once, or after a pause that doubles when
 * it did not live for a second. One that is silent is killed. The time in which
 * one was not there goes to the core as a gap, once its successor beats. */
#include "sensor/app/live_orders.h"

#include <sys/types.h>

struct live_child {
    enum live_role role;
    unsigned number; /* of a worker */
    struct live_process *process;
    struct deep *keeper; /* or NULL; that of these inspectors */
    pid_t pid;     /* 0: not running. Not the board's: whom to kill is nobody's
                    * to write but ours */
    uint64_t born; /* mono ns */
    uint64_t next; /* not to be started before */
    uint64_t pause;
    ns_t gone_since; /* UTC; 0: no gap is open */
    bool done;       /* ended as it should */
    char why[64];
};

struct live_children {
    struct live *live;
    struct live_orders *orders;
    const sigset_t *signals; /* blocked in the supervisor, not in them */
    struct live_child v[LIVE_WORKERS_MAX + LIVE_ROLES];
    struct live_process clamd; /* beside the board's content */
    size_t n;
    bool stopping; /* set by the supervisor: only who is needed then starts */
    bool killed;   /* who did not end was made to; nobody starts any more */
};

/* All that the configuration wants; none runs yet but the inspectors. */
void live_children_make(struct live_children *c);

/* To be called in turn, at least each 100 ms. */
void live_children_start(struct live_children *c); /* who is due */
void live_children_reap(struct live_children *c);  /* who has ended */
void live_children_check(struct live_children *c); /* silent ones, gaps */

/* Keepers do not know the board: this beats for them. */
void live_children_beat(struct live_children *c, uint64_t mono);

/* Who does not end is made to. */
void live_children_kill(struct live_children *c);
/* By what the supervisor itself knows: the board may lie. */
bool live_children_runs(const struct live_children *c, enum live_role role,
                        unsigned number);
bool live_children_ended(const struct live_children *c);

#endif
