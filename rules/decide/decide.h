#ifndef SPAN25_RULES_DECIDE_DECIDE_H
#define SPAN25_RULES_DECIDE_DECIDE_H
/* decide - what may be stopped: the decision table of DETECTION 6
 *
 * Host events in, decision events out. Every input is in the journal: the
 * statistics and evidence of a host event, its registry state and pool as the
 * core placed them, exceptions, earlier decisions. Pure: (state, event, now).
 *
 * BLOCK is decided when the rule of 1.10 holds (one statistic at its block
 * level, another one at alert level, S1T only with S3 at block level), every
 * minimum of 6.1 is met, and nothing of 6.3 stands against it. What stands
 * against it is named, each thing (decision.against): with only the queueing
 * veto, a pool or an identity conflict against it the action is hold: a human
 * is asked; with only a cap or the breaker it is withheld. Registered,
 * permitted, requested and excepted hosts: nothing is decided, ever.
 *
 * The figures are rows of decide.def, all of them settings. Scope is one IPv4
 * address or one IPv6 /64, port 25 both ways; never a prefix of the network,
 * never another port. Ladder 1 h, 6 h, 24 h, 7 days: the next step only on
 * evidence fresh since the end of the last one; steps are forgotten after 30
 * clean days. A lift gives immunity for a day. A lease that ends, ends the
 * decision. Any doubt: not stopped.
 *
 * The same code runs in simulate and in enforce; here only the word differs. */
#include "rules/alert/exceptions.h"
#include "sensor/base/err.h"
#include "sensor/event/record.h"

/* X(name, default, least, most, unit, why) */
struct decide_limits {
#define X(name, value, least, most, unit, why) uint64_t name;
#include "rules/decide/decide.def"
#undef X
};
extern const struct decide_limits decide_limits_default;

struct decide_options {
    uint64_t seed;
    bool enforce;
    struct decide_limits limits;
    const struct exceptions *exceptions; /* or NULL */
};

struct decide;

MUST_USE enum err decide_new(const struct decide_options *o,
                             struct decide **out);
void decide_free(struct decide *d);

/* Host events; alert events of the subject become evidence; control events of
 * kind block (lift); others are passed over. */
void decide_event(struct decide *d, const struct record_map *event,
                  const struct record_sink *sink);
void decide_time(struct decide *d, ns_t now, const struct record_sink *sink);

/* What would be stopped now, for summaries; each once. */
struct decide_entry {
    struct prefix subject;
    ns_t since, until;
    uint64_t collateral;
    bool hold;        /* a human is asked: not stopped */
    const char *site; /* or NULL */
};
size_t decide_count(const struct decide *d); /* all that were ever decided */
struct decide_entry decide_get(const struct decide *d, size_t i);

MUST_USE enum err decide_save(const struct decide *d, struct buf *out);
MUST_USE enum err decide_load(struct decide *d, struct span snapshot);

#endif
