#ifndef SPAN25_RULES_DECIDE_DECIDE_STATE_H
#define SPAN25_RULES_DECIDE_DECIDE_STATE_H
/* decide_state - what decide.c and decide_save.c share */
#include "rules/decide/decide_caps.h"
#include "rules/decide/decide_guard.h"
#include "rules/decide/decide_notes.h"
#include "rules/decide/decide_trace.h"
#include "sensor/event/json_write.h"

#define DECIDE_VERSION 32U  /* bytes with a NUL */
#define DECIDE_RULES   512U /* of what took force last */

struct decide {
    struct decide_options options;
    struct table table;
    struct caps caps;
    struct guard guard;   /* of the registry */
    struct guard servers; /* that behave like mail servers */
    struct guard others;  /* of a /64, with nothing to be stopped for */
    struct notes notes;
    struct traces traces;
    char version[DECIDE_VERSION], rules[DECIDE_RULES];
    uint64_t clock_us; /* offset and 1; 0: not measured */
    struct decide_store store;
    struct json_writer json; /* from the first decision on */
    bool has_json;
    struct buf object, line; /* of evidence */
    ns_t now;                /* whole microseconds, as in records */
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
