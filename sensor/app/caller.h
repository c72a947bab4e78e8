#ifndef SPAN25_APP_CALLER_H
#define SPAN25_APP_CALLER_H
/* caller - who calls a verb that keeps what people do, and when */
#include "sensor/app/options.h"

ns_t caller_clock(void);

/* The time of --at, else the clock. False: --at is no time, which is told. */
MUST_USE bool caller_now(const struct config *c, struct buf *messages,
                         ns_t *now);

/* --actor, else the name of the user; borrowed. */
const char *caller_name(const struct config *c);

/* Columns of the terminal on standard output: COLUMNS when that is a number
 * from CALLER_COLUMNS_LEAST to CALLER_COLUMNS_MOST, else what the terminal
 * says, else 100. 0: it is no terminal, and nothing is to be cut. */
#define CALLER_COLUMNS_LEAST 40U
#define CALLER_COLUMNS_MOST  1000U
size_t caller_columns(void);

#endif
