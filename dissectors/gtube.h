#ifndef SPAN25_DISSECTORS_GTUBE_H
#define SPAN25_DISSECTORS_GTUBE_H
/* gtube - the GTUBE test string (SpamAssassin) in text, streaming
 *
 * Bytes go in cut anywhere. For texts that are not kept; in files the search of
 * dissectors/content finds it. */
#include "sensor/base/span.h"

struct gtube {
    uint8_t matched; /* bytes of the string, at the end of what came */
    bool found;
};

void gtube_push(struct gtube *g, struct span in);

#endif
