#ifndef SPAN25_APP_LIVE_PREPARE_H
#define SPAN25_APP_LIVE_PREPARE_H
/* live_prepare - all that a live sensor has before its first process
 *
 * From the configuration to struct live: the plans of the workers, the state
 * directory and its key, the user, inspectors, shared memory, home networks.
 * What is wrong is told in messages, a line each. */
#include "sensor/app/live.h"

/* Fills l from cli, which must outlive it; argc and argv stay as they are. */
void live_plan(struct live *l, const struct cli *cli);

/* After live_plan, with signals blocked: here the first processes are forked,
 * the inspectors. ERR_USAGE, ERR_CONFIG: the operator must change something. */
MUST_USE enum err live_prepare(struct live *l, struct buf *messages);

/* Also of one that was not prepared whole. */
void live_release(struct live *l);

#endif
