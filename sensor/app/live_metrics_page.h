#ifndef SPAN25_APP_LIVE_METRICS_PAGE_H
#define SPAN25_APP_LIVE_METRICS_PAGE_H
/* live_metrics_page - what the files of live_metrics share, and nobody else
 *
 * A function of live_metrics.def writes the lines of its metric; HELP and TYPE
 * come before the first one by themselves. */
#include "sensor/app/live_metrics.h"

struct metrics_page;

struct metrics_family {
    const char *name, *type, *help;
    void (*rows)(struct metrics_page *p);
};

struct metrics_page {
    const struct live_board *b;
    const struct live_watch *w; /* or NULL */
    const struct live_numbers *n;
    ns_t mono;
    struct buf *out;
    const struct metrics_family *family;
    const struct live_usage *usage; /* of the process at hand */
    bool headed; /* HELP and TYPE of the family are written */
};

/* The value is escaped. */
struct metrics_label {
    const char *key, *value;
};

/* One line. */
void metrics_put(struct metrics_page *p, const struct metrics_label *labels,
                 size_t n, uint64_t v);
/* With one label. */
void metrics_one(struct metrics_page *p, const char *key, const char *value,
                 uint64_t v);
/* Nanoseconds as seconds. */
void metrics_seconds(struct metrics_page *p, const struct metrics_label *labels,
                     size_t n, ns_t t);
/* Nothing when it is not known. */
void metrics_known(struct metrics_page *p, const char *key, const char *value,
                   const struct live_number *n);

/* Of live_metrics_seen.c: what the core counts and looks at. */
void seen_BYTES_SEEN(struct metrics_page *p);
void seen_BYTES_UNSEEN(struct metrics_page *p);
void seen_MESSAGES(struct metrics_page *p);
void seen_FLOWS_EVICTED(struct metrics_page *p);
void seen_NO_MEMORY(struct metrics_page *p);
void seen_MALFORMED(struct metrics_page *p);
void seen_sessions(struct metrics_page *p);
void seen_transactions(struct metrics_page *p);
void seen_files(struct metrics_page *p);
void seen_findings(struct metrics_page *p);
void seen_parse_errors(struct metrics_page *p);
void seen_alerts(struct metrics_page *p);
void seen_alert_close(struct metrics_page *p);
void seen_alerts_open(struct metrics_page *p);
void seen_block_states(struct metrics_page *p);
void seen_block_changes(struct metrics_page *p);
void seen_registry_lines(struct metrics_page *p);
void seen_overdue(struct metrics_page *p);
void seen_oldest_pending(struct metrics_page *p);
void seen_next_due(struct metrics_page *p);
void seen_policy_mode(struct metrics_page *p);
void seen_store_bytes(struct metrics_page *p);
void seen_store_free(struct metrics_page *p);
void seen_store_size(struct metrics_page *p);

#endif
