#ifndef SPAN25_RULES_DECIDE_DECIDE_STATE_H
#define SPAN25_RULES_DECIDE_DECIDE_STATE_H
/* decide_state - what decide.c and decide_save.c share */
#include "rules/decide/decide_caps.h"
#include "rules/decide/decide_guard.h"
#include "rules/decide/decide_notes.h"

struct decide {
    struct decide_options options;
    struct table table;
    struct caps caps;
    struct guard guard;   /* of the registry */
    struct guard servers; /* that behave like mail servers */
    struct guard others;  /* of a /64, with nothing to be stopped for */
    struct notes notes;
    ns_t now; /* whole microseconds, as in records */
    uint32_t seq;
    bool disabled;
    struct rollout policy;
    enum rollout_mode mode; /* that what is in force has been made to fit */
    ns_t mistake;           /* when a block was last lifted as one */
    struct decide_counts counts;
    struct record_out out;
    struct buf reason;
};

#endif
