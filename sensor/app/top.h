#ifndef SPAN25_APP_TOP_H
#define SPAN25_APP_TOP_H
/* top - the verb that shows what a running sensor does now
 *
 * Rates are differences of two pages that the core wrote (live_report.h), at
 * least TOP_TURN_NS apart; the hosts that send most are those of index.db. */
#include "sensor/app/cli.h"

#define TOP_TURN_NS (2 * NS_PER_S)
#define TOP_HOSTS   10U

MUST_USE enum cli_exit top_run(const struct cli *c, struct buf *out,
                               struct buf *messages);

/* Pure. Sum of the values of all lines of a metric, named without "span25_",
 * whose labels contain `label` (NULL: all of them). False: there is none. */
bool top_sum(struct span page, const char *name, const char *label,
             double *out);

/* Pure. What two pages say of the time between them. */
void top_write(struct span before, struct span now, struct buf *out);

#endif
