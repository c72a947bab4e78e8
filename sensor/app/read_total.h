#ifndef SPAN25_APP_READ_TOTAL_H
#define SPAN25_APP_READ_TOTAL_H
/* read_total - the workers' farewells summed up
 *
 * Sums the counts of STATS records, keeps what CONTROL records tell of inputs
 * and their faults, gives both as the last events, and as the coverage part of
 * the summary. A worker that was taken over may tell without end: what comes
 * after READ_TOTAL_MAX bytes is refused. */
#include "sensor/base/err.h"
#include "sensor/event/record.h"
#include "sensor/event/summary.h"

#define READ_TOTAL_MAX (16U << 20)

struct read_total;

MUST_USE enum err read_total_new(struct read_total **out);
void read_total_free(struct read_total *t);

/* As a record_sink; total is a struct read_total. */
void read_total_put(void *total, struct span record);
void read_total_set(struct read_total *t, enum field f, uint64_t v);

/* One CONTROL event an input and a fault, then one STATS event. */
void read_total_emit(struct read_total *t, ns_t when,
                     const struct record_sink *sink);

/* Records that were refused. */
uint64_t read_total_refused(const struct read_total *t);

size_t read_total_n_faults(const struct read_total *t);

/* Files, faults and coverage; they belong to t. */
void read_total_summary(struct read_total *t, struct summary *s);

#endif
