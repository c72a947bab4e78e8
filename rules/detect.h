#ifndef SPAN25_RULES_DETECT_H
#define SPAN25_RULES_DETECT_H
/* detect - from events to host statistics, alerts and decisions, in one place
 *
 * Shown every published event in order; what it concludes are events again
 * (host, alert, decision), which it keeps until the caller takes, publishes and
 * shows them to it in turn:
 *
 *     detect_event(d, &map);
 *     while ((r = detect_take(d)).n > 0)
 *         publish(r);                  ... which ends in detect_event
 *
 * So conclusions stand in the journal behind what they rest on, and a replay of
 * the same events concludes the same. Control events do not move the time, but
 * for those of kind tick: what
 * people do is journaled when they do it, and a capture may be older. Pure: no
 * clock, no I/O. One thread. */
#include "rules/alert/alerts.h"
#include "rules/decide/decide.h"
#include "rules/host/hosts.h"
#include "rules/sigma/sigma.h"

/* How much of the traffic it sees: all, or as span25 aggregate divides it. */
enum detect_part {
    DETECT_ALL,
    DETECT_CLIENTS, /* all of some clients: clusters and correlations of several
                     * clients (sigma_set_is_spread) are judged elsewhere */
    DETECT_SPREAD,  /* those correlations alone, by detect_spread */
};

/* An event belongs to that group of a correlation that is judged elsewhere;
 * rule is its id, or its name. All borrowed during the call. */
struct detect_spread {
    void (*put)(void *ctx, const struct record_map *event, struct span rule,
                const struct span *group, uint32_t n_group);
    void *ctx;
};

struct detect_options {
    enum detect_part part;
    struct detect_spread spread; /* of DETECT_CLIENTS; put may be NULL */
    struct hosts_options hosts;
    struct decide_options decide;  /* its exceptions are filled in here */
    const struct sigma_set *rules; /* or NULL; outlives it or the next reload */
};

struct detect;

MUST_USE enum err detect_new(const struct detect_options *o,
                             struct detect **out);
void detect_free(struct detect *d);

/* Rules from now on; windows of unchanged correlations stay. */
MUST_USE enum err detect_rules(struct detect *d, const struct sigma_set *rules);

void detect_event(struct detect *d, const struct record_map *event);
/* Of DETECT_CLIENTS: who saw all mail found this cluster for a message of the
 * event's source; see hosts_joined. */
void detect_joined(struct detect *d, const struct record_map *event,
                   const struct campaign_join *joined);
/* Of DETECT_SPREAD, in place of detect_event: an event that detect_spread.put
 * was given, for that rule alone. False: there is no such rule. */
bool detect_spread(struct detect *d, const struct record_map *event,
                   struct span rule);
/* Stream time has come to now. */
void detect_time(struct detect *d, ns_t now);
/* No more events of flows. */
void detect_end(struct detect *d, ns_t now);

/* The next conclusion, or an empty span; borrowed until the next call. */
struct span detect_take(struct detect *d);

/* All state. Windows of correlations are kept by rule id and hash: those of a
 * rule that is not in force, or not the same, are left out. Loaded into one
 * that has seen nothing. After a failed load the detect is half old, half new:
 * only to be freed. */
MUST_USE enum err detect_save(const struct detect *d, struct buf *out);
MUST_USE enum err detect_load(struct detect *d, struct span snapshot);

struct detect_counts {
    struct hosts_counts hosts;
    struct campaigns_counts campaigns;
    struct sigma_counts sigma;
    struct alerts_counts alerts;
    struct decide_counts decide;
    uint64_t dropped;           /* conclusions for which there was no memory */
    uint64_t exceptions_unread; /* that say nothing usable, or one too many */
};
struct detect_counts detect_counts(const struct detect *d);
/* As decide_keep_evidence. */
void detect_keep_evidence(struct detect *d, const struct decide_store *store);
/* The policy, of all control events so far. */
const struct rollout *detect_policy(const struct detect *d);
/* Open episodes by alert.severity less 1. */
void detect_open_by(const struct detect *d, uint64_t by[ALERTS_SEVERITIES]);
/* Open episodes that began at t or before. */
uint64_t detect_open_since(const struct detect *d, ns_t t);

#endif
