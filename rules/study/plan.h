#ifndef SPAN25_RULES_STUDY_PLAN_H
#define SPAN25_RULES_STUDY_PLAN_H
/* plan - what a study is to weigh: policies, costs, and what was agreed on
 *
 * Of files written by people (sensor/app/study_plan.h), or the shipped P0 to
 * P6 of DETECTION 4.7. Plain data; texts are the plan's and end with it. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/base/ns.h"

/* X(id, word, what it does) */
#define STUDY_KINDS(X)                                                         \
    X(NONE, "none", "nothing is stopped")                                      \
    X(UNREGISTERED, "unregistered", "whoever is not registered is stopped")    \
    X(RATE, "rate",                                                            \
      "whoever is not registered has so many messages an hour "                \
      "and a day; what is beyond is stopped")                                  \
    X(ALERTS, "alerts", "a host is stopped after so many alerts")              \
    X(DETECTOR, "detector",                                                    \
      "a host is stopped when enough speaks against it and nothing for "       \
      "it: the sensor's decision table")                                       \
    X(GRACE, "grace",                                                          \
      "as unregistered, after days of grace in which those "                   \
      "who were written to may register")

enum study_kind {
#define X(id, word, what) STUDY_KIND_##id,
    STUDY_KINDS(X)
#undef X
        STUDY_KIND_COUNT
};

/* What a policy is, in the words of its file. X(member, key, type, default,
 * least, most, unit, why): type U64, DOUBLE, NS or BOOL; times in the file as
 * in the configuration (60s, 4d). */
#define STUDY_POLICY_KEYS(X)                                                   \
    X(latency, "latency", NS, 60 * NS_PER_S, 0, 86400 * NS_PER_S, "time",      \
      "from a decision to the firewall that acts on it")                       \
    X(per_hour, "per-hour", DOUBLE, 20, 1, 1e6, "messages",                    \
      "rate: what a bucket regains in an hour, and at most holds")             \
    X(per_day, "per-day", DOUBLE, 100, 1, 1e7, "messages",                     \
      "rate: the same of a day")                                               \
    X(alerts, "alerts", U64, 1, 1, 1000, "alerts",                             \
      "alerts: episodes after which a host is stopped")                        \
    X(severity, "severity", U64, 2, 1, 3, "level",                             \
      "alerts: 1 only high ones, 2 medium ones too, 3 low ones too")           \
    X(ttl, "ttl", NS, 14400 * NS_PER_S, 60 * NS_PER_S, 31536000 * NS_PER_S,    \
      "time", "alerts: how long a host is stopped")                            \
    X(grace, "grace", U64, 14, 0, 365, "days", "grace: days of grace")         \
    X(answer, "answer", DOUBLE, 0.9, 0, 1, "share",                            \
      "grace: share of hosts that look legitimate, or of which too little is " \
      "known, and whose owners register in the days of grace")                 \
    X(detector, "detector", BOOL, 0, 0, 1, "yes or no",                        \
      "grace: the decision table stops hosts besides, from the first day")     \
    X(registry, "registry", DOUBLE, 1, 0, 1, "share",                          \
      "share of the registered hosts that the registry really has: the "       \
      "others "                                                                \
      "are drawn and taken for unregistered")                                  \
    X(give_up, "give-up", NS, 345600 * NS_PER_S, 3600 * NS_PER_S,              \
      2592000 * NS_PER_S, "time",                                              \
      "a mail server gives up after so long (RFC 5321 4.5.4.1: 4 to 5 days)")  \
    X(retry, "retry", NS, 1800 * NS_PER_S, 60 * NS_PER_S, 86400 * NS_PER_S,    \
      "time", "and tries again each so often (the same: 30 minutes)")

typedef uint64_t study_U64_t;
typedef double study_DOUBLE_t;
typedef ns_t study_NS_t;
typedef bool study_BOOL_t;

struct study_limit { /* of decide.def, by its name */
    char *name;
    uint64_t value;
};

struct study_policy_plan {
    char *name;  /* P4; unique */
    char *title; /* a sentence */
    enum study_kind kind;
    ns_t from; /* it takes force; 0: the window's begin */
#define X(member, key, type, ...) study_##type##_t member;
    STUDY_POLICY_KEYS(X)
#undef X
    struct study_limit *limits; /* detector: others than those of the
                                 * configuration */
    size_t n_limits;
};

/* X(member, key, default, least, most, unit, why) */
#define STUDY_COST_KEYS(X)                                                     \
    X(alert_min, "alert-minutes", 6, 0, 1000, "minutes",                       \
      "an analyst's work for an alert of high or medium level")                \
    X(hold_min, "hold-minutes", 10, 0, 1000, "minutes",                        \
      "the same for a case that a human is asked about")                       \
    X(ticket_min, "ticket-minutes", 45, 0, 10000, "minutes",                   \
      "a host stopped that should not be: call, search, lift")                 \
    X(form_min, "form-minutes", 25, 0, 1000, "minutes", "a form entered")      \
    X(rework, "form-rework", 0.15, 0, 1, "share", "forms that come back once") \
    X(lost, "lost-message", 1, 0, 1e9, "malicious recipients",                 \
      "what a lost ordinary message costs, in malicious recipients spared")

struct study_costs {
#define X(member, ...) double member;
    STUDY_COST_KEYS(X)
#undef X
};

/* measure: a word of study_measure_words. */
struct study_criterion_plan {
    char *name;
    char *measure;
    char *policy;  /* of which policy; NULL: the proposed one, or none's */
    bool at_least; /* else at most */
    double limit;
};

struct study_plan {
    struct study_policy_plan *policies;
    size_t n_policies;
    struct study_costs costs;
    struct study_criterion_plan *criteria;
    size_t n_criteria;
    char *proposed; /* name of a policy, or NULL */
    ns_t effective; /* or 0 */
    char *rollback; /* in words, or NULL */
};

extern const struct study_costs study_costs_default;
const char *study_kind_word(enum study_kind k);
const char *study_kind_what(enum study_kind k);
/* All defaults; name and title are NULL. */
void study_policy_plan_init(struct study_policy_plan *p, enum study_kind k);
void study_plan_init(struct study_plan *p);
void study_plan_free(struct study_plan *p);

#endif
