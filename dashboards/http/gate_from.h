#ifndef SPAN25_DASHBOARDS_GATE_FROM_H
#define SPAN25_DASHBOARDS_GATE_FROM_H
/* gate_from - which site a request comes from
 *
 * A page of another site can make a browser ask us, and a name of its own can
 * lead to our address (DNS rebinding). Host, Origin (RFC 6454) and
 * Sec-Fetch-Site (W3C Fetch Metadata) tell; a script cannot set them. */
#include "dashboards/http/gate.h"

bool gate_from_is_proxy(const struct gate_options *o,
                        const struct http_request *r);

/* The name under which we are asked is ours. */
bool gate_from_knows_host(const struct gate_options *o,
                          const struct http_request *r);

/* A page of ours asks. Without Origin and Sec-Fetch-Site nobody does. */
bool gate_from_us(const struct gate_options *o, const struct http_request *r);

/* Browsers speak TLS with us, or with a proxy before us. */
bool gate_from_tls(const struct gate_options *o, const struct http_request *r);

#endif
