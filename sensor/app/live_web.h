#ifndef SPAN25_APP_LIVE_WEB_H
#define SPAN25_APP_LIVE_WEB_H
/* live_web - the numbers and the health of a live sensor over HTTP
 *
 *     GET /metrics   the page that the core puts on the board (live_metrics.h)
 *     GET /healthz   200 "ok", or 503 and a line for each thing that makes the
 *                    sensor blind (live_health.h)
 *     GET /readyz    200 once core and workers take events, else 503
 *
 * A process of its own, without files and with no socket but the one it was
 * born with. A server of three fixed answers that reads one line of a request
 * needs no library: each of its at most LIVE_WEB_CONNECTIONS has
 * LIVE_WEB_REQUEST bytes and LIVE_WEB_NS to ask and be answered, the next ones
 * wait in the kernel. HTTP/1.1 (RFC 9112), an answer a connection. It asks
 * nobody who they are: live.metrics_listen is best a local address. */
#include "sensor/app/live.h"
#include "sensor/app/live_health.h"

#define LIVE_WEB_CONNECTIONS 16U
#define LIVE_WEB_REQUEST     2048U
#define LIVE_WEB_NS          (3 * NS_PER_S)

/* What is answered: the state of a sensor at a time. */
struct live_web_state {
    const struct live_board *board;
    const struct live_limits *limits;
    ns_t mono, utc;
};

/* Pure. A whole answer to the head of a request, which ends with an empty line;
 * one that was cut is answered 400. */
void live_web_answer(const struct live_web_state *s, struct span request,
                     struct buf *out);

/* Until the sensor is stopped. */
MUST_USE enum err live_web_run(struct live *l);

#endif
