#ifndef SPAN25_APP_WORKER_PLAN_H
#define SPAN25_APP_WORKER_PLAN_H
/* worker_plan - what the configuration asks of the workers, read or live */
#include "sensor/app/options.h"
#include "sensor/app/worker.h"

/* Borrows from c. Files, home, inspectors, carving and the stop word are left
 * out: they differ, or are made later. */
struct worker_plan worker_plan_of(const struct config *c);

#endif
