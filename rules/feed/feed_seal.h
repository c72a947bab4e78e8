#ifndef SPAN25_RULES_FEED_FEED_SEAL_H
#define SPAN25_RULES_FEED_FEED_SEAL_H
/* feed_seal - the texts, ends, digest and serial of a set whose elements are
 * chosen. False: no memory. */
#include "rules/feed/feed.h"

MUST_USE bool feed_seal(const struct feed_in *in, struct feed *f);

#endif
