#ifndef SPAN25_TESTS_EVALUATE_STRESS_H
#define SPAN25_TESTS_EVALUATE_STRESS_H
/* stress - memory of the host statistics under who wants to exhaust it
 *
 * A million hosts at home that each send a message, and more that come after
 * them; one source with ten million different recipients. What DESIGN 7
 * promises is compared with what hosts_counts tells. */
#include "sensor/base/buf.h"

/* Lines as Markdown into out; how many promises were broken. scale: of the
 * numbers of hosts and recipients, 1: as above. */
unsigned stress_run(double scale, struct buf *out);

#endif
