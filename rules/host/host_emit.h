#ifndef SPAN25_RULES_HOST_HOST_EMIT_H
#define SPAN25_RULES_HOST_HOST_EMIT_H
/* host_emit - the host event */
#include "rules/host/state.h"

/* why: change, interval or end; changes are bits of stat.h. */
void host_emit(struct hosts *h, uint32_t i, const char *why, uint32_t changes,
               ns_t when, const struct record_sink *sink);

#endif
