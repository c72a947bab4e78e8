#ifndef SPAN25_APP_LIVE_WATCH_H
#define SPAN25_APP_LIVE_WATCH_H
/* live_watch - what the core counts of its own work, for the page of numbers
 *
 * Fed with every event that is journaled and with the workers' records of
 * counts, whose numbers run from a worker's start: what falls is a new start.
 * Pure; of fixed size: alerts are counted for at most LIVE_WATCH_RULES rules,
 * the others under "other". All counts run from the start of the core. */
#include "rules/registry/policy.h"
#include "sensor/app/live_health.h"
#include "sensor/event/anomaly.h"
#include "sensor/event/record.h"

#define LIVE_WATCH_RULES   512U
#define LIVE_WATCH_CLOSED  128U /* pairs of a rule and a reason */
#define LIVE_WATCH_RULE    64U  /* bytes of a rule's id; more are cut */
#define LIVE_WATCH_SAMPLES 30U  /* every ten seconds: LIVE_WINDOW_NS */

/* Directions of sessions, as in the events. */
#define LIVE_DIRECTION_MAP(X)                                                  \
    X(OUTBOUND, "outbound")                                                    \
    X(INBOUND, "inbound")                                                      \
    X(INTERNAL, "internal")                                                    \
    X(EXTERNAL, "external")                                                    \
    X(UNKNOWN, "unknown")

/* How much of a session was there to be seen; the worst that holds. */
#define LIVE_EVIDENCE_MAP(X)                                                   \
    X(WHOLE, "whole")                                                          \
    X(MIDSTREAM, "midstream")                                                  \
    X(GAPS, "gaps")                                                            \
    X(ONEWAY, "oneway")

#define LIVE_SEVERITY_MAP(X)                                                   \
    X(HIGH, "high")                                                            \
    X(MEDIUM, "medium") X(LOW, "low") X(INFORMATIONAL, "informational")

/* What became of mail transactions, as in the events. */
#define LIVE_OUTCOME_MAP(X)                                                    \
    X(ACCEPTED, "accepted")                                                    \
    X(REJECTED, "rejected")                                                    \
    X(DEFERRED, "deferred")                                                    \
    X(ABORTED, "aborted")                                                      \
    X(NO_DATA, "no-data")                                                      \
    X(UNKNOWN, "unknown")

/* Strongest class of what was found in files. */
#define LIVE_CLASS_MAP(X)                                                      \
    X(A, "A") X(B, "B") X(C, "C") X(D, "D") X(NONE, "none")

/* Actions of decisions, and who is behind them. */
#define LIVE_ACTION_MAP(X)                                                     \
    X(BLOCK, "block")                                                          \
    X(HOLD, "hold")                                                            \
    X(WITHHELD, "withheld")                                                    \
    X(EXPIRE, "expire")                                                        \
    X(LIFT, "lift")
#define LIVE_ORIGIN_MAP(X)                                                     \
    X(DETECTOR, "detector") X(HUMAN, "human") X(POLICY, "policy")

/* Why people close alerts: the words of alerts close --reason. */
#define LIVE_CLOSE_MAP(X)                                                      \
    X(COMPROMISED, "compromised-host")                                         \
    X(MISUSE, "misuse")                                                        \
    X(MISCONFIGURATION, "misconfiguration")                                    \
    X(BULK, "legitimate-bulk")                                                 \
    X(TEST, "test")                                                            \
    X(NOT_OURS, "not-ours")                                                    \
    X(DUPLICATE, "duplicate")                                                  \
    X(EVIDENCE, "not-enough-evidence")

#define X(id, word) LIVE_DIRECTION_##id,
enum live_direction { LIVE_DIRECTION_MAP(X) LIVE_DIRECTIONS };
#undef X
#define X(id, word) LIVE_EVIDENCE_##id,
enum live_evidence { LIVE_EVIDENCE_MAP(X) LIVE_EVIDENCES };
#undef X
#define X(id, word) LIVE_OUTCOME_##id,
enum live_outcome { LIVE_OUTCOME_MAP(X) LIVE_OUTCOMES };
#undef X
#define X(id, word) LIVE_CLASS_##id,
enum live_class { LIVE_CLASS_MAP(X) LIVE_CLASSES };
#undef X
#define X(id, word) LIVE_SEVERITY_##id,
enum live_severity { LIVE_SEVERITY_MAP(X) LIVE_SEVERITIES };
#undef X
#define X(id, word) LIVE_ACTION_##id,
enum live_action { LIVE_ACTION_MAP(X) LIVE_ACTIONS };
#undef X
#define X(id, word) LIVE_CLOSE_##id,
enum live_close { LIVE_CLOSE_MAP(X) LIVE_CLOSES };
#undef X
#define X(id, word) LIVE_ORIGIN_##id,
enum live_origin { LIVE_ORIGIN_MAP(X) LIVE_ORIGINS };
#undef X

/* Counts of workers, summed over restarts. X(id, field of a stats record) */
#define LIVE_SUM_MAP(X)                                                        \
    X(BYTES_SEEN, STATS_BYTES_SEEN)                                            \
    X(BYTES_UNSEEN, STATS_BYTES_LOST)                                          \
    X(SESSIONS, STATS_SESSIONS)                                                \
    X(ONEWAY, STATS_SESSIONS_ONEWAY)                                           \
    X(MESSAGES, STATS_MESSAGES)                                                \
    X(FLOWS_EVICTED, STATS_FLOWS_EVICTED)                                      \
    X(NO_MEMORY, STATS_NO_MEMORY)                                              \
    X(MALFORMED, STATS_DECODE_BAD)

#define X(id, field) LIVE_SUM_##id,
enum live_sum { LIVE_SUM_MAP(X) LIVE_SUMS };
#undef X

struct live_rule_count {
    char rule[LIVE_WATCH_RULE]; /* empty: a free row */
    uint64_t opened[LIVE_SEVERITIES];
};

/* Alerts of a rule that people closed for one reason. */
struct live_closed {
    char rule[LIVE_WATCH_RULE];
    enum live_close reason;
    uint64_t n; /* 0: a free row */
};

/* Sums at one moment. */
struct live_sample {
    ns_t mono;
    uint64_t packets, dropped, missed, records_lost, resyncs;
    uint64_t sum[LIVE_SUMS];
};

struct live_watch {
    uint64_t sessions[LIVE_DIRECTIONS][2][LIVE_EVIDENCES]; /* [1]: under TLS */
    uint64_t transactions[LIVE_DIRECTIONS][LIVE_OUTCOMES]; /* that ended */
    uint64_t findings[POLICY_COUNT]; /* sessions that the registry is against */
    uint64_t files[LIVE_CLASSES];
    uint64_t anomalies[ANOM_COUNT];
    uint64_t decisions[LIVE_ACTIONS][LIVE_ORIGINS];
    struct live_rule_count rules[LIVE_WATCH_RULES];
    struct live_rule_count other;
    struct live_closed closed[LIVE_WATCH_CLOSED];
    uint64_t closed_other[LIVE_CLOSES]; /* by reason, where no row is free */
    uint64_t sum[LIVE_SUMS];
    uint64_t latest[LIVE_WORKERS_MAX][LIVE_SUMS]; /* as the worker told */
    bool counted;                                 /* a worker has told */
    struct live_sample samples[LIVE_WATCH_SAMPLES];
    unsigned n_samples, next_sample;
};

/* A record as it was journaled. Test alerts are passed over. */
void live_watch_event(struct live_watch *w, struct span record);
/* A worker's STATS record; those of one interface are passed over. */
void live_watch_stats(struct live_watch *w, struct span record);
/* Every ten seconds: keeps the sums of now, and tells the board's window. */
void live_watch_sample(struct live_watch *w, struct live_board *b, ns_t mono);

#endif
