#ifndef SPAN25_RULES_DECIDE_DECIDE_H
#define SPAN25_RULES_DECIDE_DECIDE_H
/* decide - what may be stopped: the decision table of DETECTION 6
 *
 * Host events in, decision events out. Every input is in the journal: the
 * statistics and evidence of a host event, its registry state and pool as the
 * core placed them, exceptions, what people did. Pure: (state, event, now). The
 * figures are rows of decide.def, all of them settings.
 *
 * WHEN. The rule of 1.10 (decide_rule.h) holds for a host at home. Then what
 * stands against it is named in decision.against, each thing, in the order of
 * 6.3, and the first one says what becomes of it:
 *
 *   never     disabled, mode, exception:ID, registered, permitted,
 *             permit_requested, protected, neighbour, immunity
 *                                                         withheld, always
 *   not yet   evidence:... (6.1)                          withheld
 *   a human   queueing, pool, identity, shared, approval  hold
 *   too many  breaker, cap:...                            withheld
 *   nothing                                               block
 *
 * Any doubt: not stopped. Withheld is told once for a kind, again when less
 * stands against it, and again after an hour in which it was not so for a time.
 * A decision in force ends (lift) as soon as an event shows something of the
 * first or third kind, or another lease or MAC address; the host may have
 * changed hands.
 *
 * MODE is that of the policy (rollout.h), but enforce only where `may_enforce`
 * says that this is a live sensor's: a capture stops nobody whatever was said.
 * A rule's own mode is the most that it leads to: decided is with the rules
 * that may simulate, and enforced when those that may enforce suffice. What is
 * in force and may not be any more ends at once (lift, mode); so does what was
 * simulated when the mode goes up: it does not become a block by itself, and
 * nothing that was simulated counts for ladder and caps. Off: nothing new is
 * decided.
 *
 * ROLLBACK, DETECTION 6.4: a second enforced block within a day that a person
 * lifts as a mistake, or one of a host that turns out to be protected, makes
 * enforce simulate. That, and an opened breaker, it tells as control events of
 * kind policy too.
 *
 * WITHOUT A REGISTRY (no src_reg in the event) nobody can be known to be
 * registered. Enforcing, registry:none is of the first kind: nothing is
 * stopped. Simulating, it is named and does not count, for to see what would be
 * stopped before there is a registry is what simulating is for.
 *
 * WITHOUT A KNOWN ROUTER (host.evidence.bound, rules/host/paths.h), in the
 * first hours, or where the mirror has no link layer, somebody inside may have
 * spoken for both ends: evidence:path. So it is when more of the evidence than
 * one in `unbound_part` came otherwise: what is known of a host's own mail
 * convicts nobody for another's. Simulating, it is named and does not count.
 * Enforcing, `bound` 0 leaves it out, for who mirrors tunnels or raw IP and has
 * other reasons to trust them.
 *
 * SCOPE is one IPv4 address or one IPv6 /64, port 25 both ways; never a wider
 * prefix, never another port (DETECTION 6.3). The /64 though one address was
 * seen: its host takes another within it whenever it likes (RFC 8981). The
 * event names that one as src_ip. neighbour: another address of the same /64
 * was seen registered, permitted, requested or protected, or is excepted; one
 * that behaves like a mail server makes it queueing, and one for which the rule
 * does not hold makes it shared: who stops a /64 stops all of its hosts. A dhcp
 * pool stands against it only where no lease names the host. shared: ordinary
 * senders carry more than a fifth of what was accepted from the address. It
 * stands for `shared_s` after it was last seen so, with or without an answer to
 * a hold.
 *
 * LADDER 1 h, 6 h, 24 h, 7 days. The next step, and a second hold, only on
 * `fresh` further sessions and further bad ones of one host, counted from the
 * first host event behind the end of the last one at which the rule holds: what
 * came while it was in force counts for nothing. Steps are forgotten after 30
 * days without the rule holding.
 *
 * CAPS count blocks by detector only. Active hosts are those at home with a
 * host event in this UTC day or the one before, whichever has more; sites are
 * those of the events, and hosts without one have no cap of a site. A cap of
 * the whole network (cap:minute, cap:active) opens the breaker.
 *
 * PEOPLE: control events of kind block, control.action lift (immunity for a
 * day, a step less; with control.mistake it counts for the rollback), add
 * (until control.until, else the first step; stands behind all of the first
 * kind but immunity), approve (of a hold: until control.until, else the next
 * step; refused is by lift), disable and enable (everything), resume (the
 * breaker). With `approvals` 2 it takes two different people: the first add or
 * approve makes or leaves a hold, and leaves a block as it is. They are told
 * apart by control.actor alone. Subjects wider than the scope are refused. All
 * are idempotent.
 *
 * MEMORY is bounded: DECIDE_SUBJECTS remembered; when they are full a newcomer
 * is not stopped (counted). Keyed hashes. One thread. */
#include "rules/alert/exceptions.h"
#include "rules/decide/rollout.h"
#include "sensor/base/err.h"
#include "sensor/event/record.h"

#define DECIDE_SUBJECTS 65536U
#define DECIDE_REPEAT   (3600ULL * NS_PER_S)

/* X(name, default, least, most, unit, why) */
struct decide_limits {
#define X(name, value, least, most, unit, why) uint64_t name;
#include "rules/decide/decide.def"
#undef X
};
extern const struct decide_limits decide_limits_default;

struct decide_options {
    uint64_t seed;
    enum rollout_mode start;        /* of the configuration */
    const enum rollout_mode *rules; /* the same, ROLLOUT_RULES of them; or NULL:
                                     * enforce. Outlives the decide */
    bool may_enforce;
    bool approve_all;   /* enforcing, every block is a person's to approve */
    unsigned approvals; /* 2: by two people; else one */
    struct decide_limits limits;
    const struct exceptions *exceptions; /* or NULL; has seen each event before
                                          * decide_event does */
};

/* Where evidence objects are kept (decide_evidence.h). False: it could not be,
 * and nobody is stopped on it: the decision is withheld, evidence:store. */
struct decide_store {
    bool (*keep)(void *ctx, const char *hash, struct span object);
    void *ctx;
};

struct decide;

MUST_USE enum err decide_new(const struct decide_options *o,
                             struct decide **out);
void decide_free(struct decide *d);

/* Host events; alert events of the subject become evidence; control events of
 * kind block and exception; of all others the registry state of both ends.
 * Decision events are its own: when a log is lived again they say which id it
 * was given, and whether its evidence could be kept. Those it writes have
 * flow_id 0, ascending seq, and lack what the core adds. */
void decide_event(struct decide *d, const struct record_map *event,
                  const struct record_sink *sink);
void decide_time(struct decide *d, ns_t now, const struct record_sink *sink);

/* From now on; before, and in readings, evidence is hashed and not kept. */
void decide_keep_evidence(struct decide *d, const struct decide_store *store);

/* Into a new one, decision events of a log in order, and control events of kind
 * policy: what is in force, the steps, immunity and caps afterwards are those
 * of who wrote it, whatever else was lost (of holds, who approved them). */
void decide_replay(struct decide *d, const struct record_map *decision);
/* That was all of the log; it is now. */
void decide_replayed(struct decide *d, ns_t now);

/* What would be stopped now, for summaries; each once. */
struct decide_entry {
    struct prefix subject;
    ns_t since, until; /* until 0: not in force */
    uint64_t collateral;
    bool hold;        /* a human is asked: not stopped */
    bool withheld;    /* not stopped either */
    const char *site; /* or NULL */
};
size_t decide_count(const struct decide *d); /* all that are remembered */
struct decide_entry decide_get(const struct decide *d, size_t i);

struct decide_counts {
    uint64_t active, holds;   /* in force now */
    uint64_t enforced;        /* of the active ones: published */
    uint64_t decided;         /* events written */
    uint64_t refused;         /* hosts not remembered: the table was full */
    uint64_t controls_unread; /* control events that say nothing usable */
    uint64_t lost;            /* not decided for want of memory */
};
struct decide_counts decide_counts(const struct decide *d);

/* What the policy is; and what of it is in force here. */
const struct rollout *decide_policy(const struct decide *d);
enum rollout_mode decide_mode(const struct decide *d);

/* All state, versioned and checked. Load into a new one of the same options;
 * ERR_FORMAT (another version or seed), ERR_CORRUPT, ERR_NOMEM: nothing was
 * taken over. */
MUST_USE enum err decide_save(const struct decide *d, struct buf *out);
MUST_USE enum err decide_load(struct decide *d, struct span snapshot);

#endif
