#ifndef SPAN25_RULES_DECIDE_ROLLOUT_H
#define SPAN25_RULES_DECIDE_ROLLOUT_H
/* rollout - is anything stopped at all: off, simulate or enforce
 *
 * A fold of the journal's control events of kind policy, in their order; the
 * same for the core, for feeds and for policy show, each from the journal (the
 * index has them as acts of type "policy"). Pure: time is an argument.
 *
 *   off       nothing is decided by itself, and nothing stays in force
 *   simulate  it is told what would be stopped; nothing is
 *   enforce   it is stopped
 *
 * control.action:
 *
 *   start     control.mode is the configuration's. It is in force until
 *             somebody says a mode; after that only when it is changed to a
 *             lower one: a configuration never turns on what people turned off
 *   mode      a person says control.mode
 *   (both)    with control.rule (a statistic of DETECTION 1.10: s1 s1t s2 ...
 *             s7) it is the most that this one may lead to, whatever the mode;
 *             with nothing told: enforce
 *   pause     off until control.until
 *   resume    no longer paused; the breaker is closed
 *   rollback  enforce becomes simulate: hosts were stopped that should not be
 *   breaker   nothing is added until control.until, DETECTION 6.3
 *
 * What is not of this form changes nothing. With nothing told: simulate. Who
 * publishes a list has an empty one unless rollout_now is ROLLOUT_ENFORCE. */
#include "sensor/base/buf.h"
#include "sensor/base/ns.h"
#include "sensor/event/record.h"

/* From the least to the most; simulate is 0, so that what is all zeros
 * enforces nothing. */
enum rollout_mode {
    ROLLOUT_OFF = -1,
    ROLLOUT_SIMULATE = 0,
    ROLLOUT_ENFORCE = 1,
};

#define ROLLOUT_RULES  8U   /* as DECIDE_STATS */
#define ROLLOUT_ACTOR  64U  /* bytes with a NUL; longer ones are cut */
#define ROLLOUT_REASON 256U /* the same */

/* Who did it, when, and why; when 0: nobody did. */
struct rollout_act {
    ns_t when;
    char actor[ROLLOUT_ACTOR], reason[ROLLOUT_REASON];
};

struct rollout_setting {
    enum rollout_mode mode;  /* without a pause */
    enum rollout_mode start; /* of the configuration */
    bool said;               /* mode is a person's, or a rollback's */
    bool started;            /* start was told */
    struct rollout_act by;
};

struct rollout {
    struct rollout_setting all,
        rule[ROLLOUT_RULES]; /* the most; by statistic */
    ns_t paused;             /* until then; 0: not */
    ns_t breaker;            /* until then; 0: closed */
    struct rollout_act paused_by, breaker_by;
};

const char *rollout_mode_word(enum rollout_mode m);
MUST_USE bool rollout_mode_parse(struct span word, enum rollout_mode *out);
/* Of a statistic's word, such as s1t; ROLLOUT_RULES: of none. */
unsigned rollout_rule_find(struct span word);
const char *rollout_rule_word(unsigned rule);

/* As the configuration has it; rules: ROLLOUT_RULES of them, or NULL: enforce.
 */
void rollout_init(struct rollout *p, enum rollout_mode start,
                  const enum rollout_mode *rules);
/* The same for settings about which nobody has said anything. */
void rollout_configure(struct rollout *p, enum rollout_mode start,
                       const enum rollout_mode *rules);
/* A control event. True: of kind policy, and understood. */
bool rollout_event(struct rollout *p, const struct record_map *event);

/* What is in force. */
enum rollout_mode rollout_now(const struct rollout *p, ns_t now);
/* The most that this statistic may lead to. */
enum rollout_mode rollout_rule(const struct rollout *p, unsigned rule,
                               ns_t now);
static inline bool
rollout_is_paused(const struct rollout *p, ns_t now)
{
    return now < p->paused;
}

/* For snapshots, of a fixed length. False: cut, or not one; *p is undefined. */
void rollout_save(const struct rollout *p, struct buf *out);
MUST_USE bool rollout_load(struct rollout *p, struct cursor *c);

#endif
