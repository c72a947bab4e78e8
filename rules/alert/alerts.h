#ifndef SPAN25_RULES_ALERT_ALERTS_H
#define SPAN25_RULES_ALERT_ALERTS_H
/* alerts - matches of rules become episodes that explain themselves, UX 4
 *
 * An episode is a rule and a subject. It opens with the first match, is ongoing
 * while matches come, and ends after ALERTS_QUIET without one. Events of type
 * alert: when it opens; when it became ten times as large, its level rose or a
 * worse event came, at most one each ALERTS_REPEAT; when it ends. Each tells
 * the whole: reason, checks, evidence, related subjects, what a block would
 * stop. What is to be told within ALERTS_REPEAT of the last telling is told
 * when that is over. Pure: no clock, no I/O.
 *
 * WORSE is, of a correlation, a larger figure; of a host event a larger sum
 * over those statistics that the rule asked for and met, each counted in
 * multiples of its limit (s4 to s7: of the count at which they fire); of mail
 * more points (email.score), then more refused recipients; of a file a stronger
 * class. The reason sentence and alert.matched are those of the worst event: of
 * equal host events the latest, whose counts are the most, of others the first.
 *
 * SUBJECT: the end of the event that the rule's `span25.subject` names: client
 * (default), server, or the group of a correlation where that is an address. A
 * host in a lease is "10.2.3.4 lease 0123456789abcdef", an IPv6 client outside
 * its /64; an event without addresses is about "unknown".
 *
 * REASON: subject (site, registered or not), then the template of the rule's
 * `span25.reason`, whose {field} are values of the event, {count}, {limit} and
 * {timespan} those of a correlation; escaped, cut, never a guess: an absent
 * value is "(not observed)". See reason.h.
 *
 * CHECKS: the latest host event of the subject. Without one, all of them are
 * not observable.
 *
 * EXCEPTIONS (exceptions.h) do not stop an episode: it is journaled with
 * alert.silenced and not shown unless asked for. */
#include "rules/alert/exceptions.h"
#include "sensor/base/err.h"
#include "sensor/event/record.h"

#define ALERTS_QUIET   (4ULL * 3600 * NS_PER_S)
#define ALERTS_REPEAT  (600ULL * NS_PER_S)
#define ALERTS_OPEN    100000U /* episodes at once; the idlest one ends early */
#define ALERTS_HOSTS   100000U /* latest host events kept; the oldest go */
#define ALERTS_RELATED 16U
#define ALERTS_LOOKED  512U /* episodes looked at for each thing in common */
#define ALERTS_MATCHED 32U  /* lines told, of 256 bytes, 2 KiB in all */

struct alerts;

/* What a rule says of itself; all borrowed, during the call. */
struct alert_rule {
    struct span id, title, level; /* "high" */
    struct span pack;             /* "policy"; "local" for others */
    struct span subject;          /* span25.subject, or empty */
    struct span reason;           /* span25.reason, or empty */
    const struct span *tags;
    size_t n_tags;
    uint64_t hash;
};

/* One match of an alerting rule. */
struct alert_match {
    struct alert_rule rule;
    const struct record_map *event; /* published; that it matched, or that
                                     * completed a correlation */
    ns_t when;
    struct span matched; /* lines of sigma_explain; see alerts_wants_words */
    /* of a correlation: */
    bool correlation;
    double figure;
    struct span timespan;      /* "10m" */
    struct span limit;         /* "60" */
    struct span group_subject; /* value of the group-by that is an address */
};

struct alerts_options {
    uint64_t seed;
    const struct exceptions *exceptions; /* or NULL; may change meanwhile */
};

MUST_USE enum err alerts_new(const struct alerts_options *o,
                             struct alerts **out);
void alerts_free(struct alerts *a);

/* Host events, for the checks; other types are passed over. To be shown before
 * the matches of the same event. */
void alerts_event(struct alerts *a, const struct record_map *event);
void alerts_match(struct alerts *a, const struct alert_match *m,
                  const struct record_sink *sink);
/* Would `matched` of this match be told or looked at? To make it costs more
 * than all the rest; most matches only add to an episode that has worse. */
bool alerts_wants_words(const struct alerts *a, const struct alert_match *m);
/* Stream time has come to now: what became quiet ends. Also done by
 * alerts_match, so an episode ends before the next one begins. */
void alerts_time(struct alerts *a, ns_t now, const struct record_sink *sink);
/* The input is over: open episodes stay open, and those with matches that
 * nobody heard of are told, so that the counts in the journal are exact. */
void alerts_end(struct alerts *a, ns_t now, const struct record_sink *sink);

/* Snapshots: all state. Into a new one with the same seed; ERR_FORMAT (another
 * version or seed), ERR_CORRUPT: nothing was taken over. */
MUST_USE enum err alerts_save(const struct alerts *a, struct buf *out);
MUST_USE enum err alerts_load(struct alerts *a, struct span snapshot);

struct alerts_counts {
    uint64_t open, opened, ended;
    uint64_t evicted;  /* ended early, because ALERTS_OPEN were open */
    uint64_t silenced; /* events told with alert.silenced */
    uint64_t failed;   /* matches and hosts for which there was no memory */
    uint64_t hosts;    /* latest host events kept */
};
struct alerts_counts alerts_counts(const struct alerts *a);
/* Open episodes by alert.severity less 1. */
#define ALERTS_SEVERITIES 4U
void alerts_open_by(const struct alerts *a, uint64_t by[ALERTS_SEVERITIES]);
/* Open episodes whose first event was at t or before. */
uint64_t alerts_open_since(const struct alerts *a, ns_t t);

#endif
