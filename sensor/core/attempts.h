#ifndef SPAN25_CORE_ATTEMPTS_H
#define SPAN25_CORE_ATTEMPTS_H
/* attempts - connections that never carried a byte, per client and minute
 *
 * Workers tell each; here they become one smtp_session event a client,
 * direction and minute of stream time, given out when the minute is over, in
 * order of address and direction. Past ATTEMPTS_HOSTS clients in a minute the
 * others are one event without an address. */
#include "sensor/base/err.h"
#include "sensor/event/record.h"

#define ATTEMPTS_HOSTS 65536U
#define ATTEMPTS_PEERS 64U

struct attempts;

MUST_USE enum err attempts_new(struct attempts **out);
void attempts_free(struct attempts *a);

/* record is of type ATTEMPT, with its direction where that is known. Minutes
 * that are over by its time are given to sink before. */
void attempts_add(struct attempts *a, struct span record,
                  const struct record_sink *sink);
/* Stream time has come to when. */
void attempts_time(struct attempts *a, ns_t when,
                   const struct record_sink *sink);
/* The minute that is open ends early, at when. */
void attempts_end(struct attempts *a, ns_t when,
                  const struct record_sink *sink);

#endif
