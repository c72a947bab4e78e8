#ifndef SPAN25_BASE_NS_H
#define SPAN25_BASE_NS_H
/* ns - points in time and durations, nanoseconds, UTC since 1970
 *
 * No function here reads a clock; time is always an argument. */
#include "sensor/base/span.h"

typedef uint64_t ns_t;

#define NS_PER_US   UINT64_C(1000)
#define NS_PER_MS   UINT64_C(1000000)
#define NS_PER_S    UINT64_C(1000000000)
#define NS_TEXT_MAX 40

/* RFC 3339, microseconds, "2026-11-22T10:55:18.000001+0000" (the form of
 * Suricata's EVE); nanoseconds are dropped. Writes at most NS_TEXT_MAX bytes,
 * no NUL; gives the length. 64 bits end in the year 2554. */
size_t ns_format(ns_t t, char out[NS_TEXT_MAX]);

/* Reads what ns_format writes, and "Z" or "+hh:mm" as the zone, and 1 to 9
 * digits of fraction. False on days that no calendar has, and outside ns_t. */
bool ns_parse(struct span text, ns_t *out);

#endif
