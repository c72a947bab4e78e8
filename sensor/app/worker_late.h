#ifndef SPAN25_APP_WORKER_LATE_H
#define SPAN25_APP_WORKER_LATE_H
/* worker_late - inspections beside the packets of a live worker
 *
 *     worker_late_new(parts);          then parts end without a verdict
 *     worker_late_turn(l, now_mono);       often: answers are taken, jobs given
 *     worker_late_finish(l);               the rest is inspected at once
 *
 * Parts of mail wait here for the worker's one inspector (deep.h, then clamd)
 * in the order in which they ended, so inspections, budgets and what is
 * remembered are the same as in a reading that waits for each. Nothing here
 * waits but worker_late_rest. The records behind a part wait in the dissector
 * (smtp.h), those of other flows do not.
 *
 * A part for which there is no answer WORKER_LATE_NS after it ended is given
 * out as not inspected, and so is one that ends while WORKER_LATE_PARTS or
 * WORKER_LATE_BYTES wait: FIND_NOT_INSPECTED with why, counted. Its inspector,
 * if it had one, is busy until it answers or its keeper ends it. */
#include "sensor/app/worker_parts.h"

#define WORKER_LATE_NS    (3 * NS_PER_S)
#define WORKER_LATE_PARTS 1024U
#define WORKER_LATE_BYTES (64U << 20)

struct worker_late;

/* w has been started; it is w->late from now on. */
MUST_USE enum err worker_late_new(struct worker *w);
void worker_late_free(struct worker_late *l); /* NULL is fine */

/* False: there is no room, or all is inspected at once. */
bool worker_late_take(struct worker_late *l, struct part *p);
/* Of a part that was not taken: may it not be inspected at once either? Then r
 * says why. */
bool worker_late_refuses(struct worker_late *l, struct content_result *r);
void worker_late_forget(struct worker_late *l, const struct part *p);

/* Is there anything that a turn could do? Cheap. */
bool worker_late_is_idle(const struct worker_late *l);
/* now_mono 0: since the last turn time stood still. */
void worker_late_turn(struct worker_late *l, ns_t now_mono);
/* Until there may be an answer, or for so long. */
void worker_late_rest(struct worker_late *l, unsigned most_ms);
/* No part is taken any more; what waits is answered for until then. */
void worker_late_finish(struct worker_late *l, ns_t until_mono);

/* Parts given out without an answer. */
uint64_t worker_late_refused(const struct worker_late *l);

#endif
