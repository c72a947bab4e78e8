#ifndef SPAN25_DISSECTORS_CONTENT_BYTE_IN_H
#define SPAN25_DISSECTORS_CONTENT_BYTE_IN_H
/* byte_in - is a byte one of a few? byte_in(c, SPAN_LIT("\r\n")) */
#include "sensor/base/span.h"

static inline bool
byte_in(uint8_t c, struct span set)
{
    return span_find(set, c) < set.n;
}

#endif
