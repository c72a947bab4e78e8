#ifndef SPAN25_APP_DOCTOR_H
#define SPAN25_APP_DOCTOR_H
/* doctor - the verb that says whether a sensor can see, and what to do
 *
 * A line for each check: ok, warn or fail, and what to do about it. What a
 * running sensor knows of itself it takes from the file that its core writes
 * (live_report.h); one older than DOCTOR_FRESH is of a sensor that does not run
 * any more. Interfaces, rights, state, disk and clock it looks at itself, so
 * that they can be put right before the first start. Exit code 1 with a
 * failure, 6 when no sensor runs. */
#include "sensor/app/cli.h"

#define DOCTOR_FRESH (10 * NS_PER_S)

MUST_USE enum cli_exit doctor_run(const struct cli *c, struct buf *out,
                                  struct buf *messages);

/* BLIND: a sensor does not see, or one was there and is gone. NO_SENSOR: none
 * ever ran with the state; what is there was read from captures. */
enum doctor_sight { DOCTOR_SEES, DOCTOR_BLIND, DOCTOR_NO_SENSOR };

/* What the checks come to, without printing them. since: of BLIND, when
 * something was seen last; 0: not known. */
enum doctor_sight doctor_look(const char *state, ns_t *since);
/* "seeing", "blind", "no sensor" */
const char *doctor_sight_word(enum doctor_sight s);

/* Pure. Prints the checks of a page of live_metrics, adds to n_warn and n_fail.
 * What is not as live_metrics_checks writes it is passed over. */
void doctor_page(struct span page, struct buf *out, unsigned *n_warn,
                 unsigned *n_fail);

/* Pure. Text behind a level, folded between words so that it fits into so many
 * columns, with its newline; 0: it is not folded. */
void doctor_fold(struct span text, size_t columns, struct buf *out);

#endif
