#ifndef SPAN25_APP_LIVE_METRICS_H
#define SPAN25_APP_LIVE_METRICS_H
/* live_metrics - the numbers of a sensor in the text format of Prometheus
 *
 * A row of a table for each metric, names of UX 6.1: "span25_" and the row's.
 * Pure. What is not known is not there; it is never 0. No address and no domain
 * is in a label, so that the number of series is bounded: interfaces, workers
 * and processes, rules, and fixed words. Label values are escaped as the format
 * asks. Behind the metrics follow the rows of live_health as comments,
 *
 *     # check fail blind packets<TAB>text<TAB>what to do
 *
 * which Prometheus passes over and `span25 doctor` prints. */
#include "sensor/app/live_watch.h"

/* The states of lines of the registry, and of what is stopped. */
#define LIVE_BLOCK_MAP(X)                                                      \
    X(ENFORCED, "enforced") X(SIMULATED, "simulated") X(PENDING, "pending")
#define X(id, word) LIVE_BLOCK_##id,
enum live_block { LIVE_BLOCK_MAP(X) LIVE_BLOCKS };
#undef X

#define LIVE_STORE_MAP(X)                                                      \
    X(JOURNAL, "journal")                                                      \
    X(INDEX, "index")                                                          \
    X(REGISTRY, "registry")                                                    \
    X(SNAPSHOTS, "snapshots") X(EVIDENCE, "evidence")
#define X(id, word) LIVE_STORE_##id,
enum live_store { LIVE_STORE_MAP(X) LIVE_STORES };
#undef X

#define LIVE_LINE_STATES 5U

/* What a counter of something else says, and whether it is known. */
struct live_number {
    bool known;
    uint64_t v;
};

/* Behind the word: how many there are. */
struct live_named {
    const char *name; /* borrowed; NULL: no more */
    uint64_t v;
};

/* What the core knows besides board and watch. */
struct live_numbers {
    const char *version;
    struct live_number blocks[LIVE_BLOCKS];
    struct live_number open[LIVE_SEVERITIES];
    struct live_named lines[LIVE_LINE_STATES + 1]; /* of the registry */
    struct live_number overdue_forms;
    struct live_number oldest_pending_s;
    ns_t next_due;    /* of the forms whose clock runs, 0: of none */
    const char *mode; /* of the policy; NULL: not known */
    struct live_number store[LIVE_STORES]; /* bytes */
    struct live_number store_free, store_size;
    ns_t made_utc;
};

/* watch NULL: the core has not counted. */
void live_metrics_write(const struct live_board *b, const struct live_watch *w,
                        const struct live_numbers *n, ns_t mono,
                        struct buf *out);

/* The rows of live_health, as comments. */
void live_metrics_checks(const struct live_board *b,
                         const struct live_limits *limits, ns_t mono, ns_t utc,
                         struct buf *out);

#endif
