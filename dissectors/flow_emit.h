#ifndef SPAN25_DISSECTORS_FLOW_EMIT_H
#define SPAN25_DISSECTORS_FLOW_EMIT_H
/* flow_emit - the common keys of an event that a flow has: VLANs, tunnels,
 * addresses, ports, protocol ("TCP", "UDP") */
#include "sensor/event/stream.h"

void flow_emit(const struct flow *f, const char *proto, struct record_out *r);

#endif
