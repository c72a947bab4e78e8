#ifndef SPAN25_RULES_FEED_FEED_SEAL_H
#define SPAN25_RULES_FEED_FEED_SEAL_H
/* feed_seal - the texts, ends, digest and serial of a set whose elements are
 * chosen. False: no memory. */
#include "rules/feed/feed.h"

/* What the digest is of, and what is saved of an element. */
void feed_put_item(struct buf *b, const struct feed_item *i);
MUST_USE bool feed_digest(const struct feed *f, char out[FEED_DIGEST]);
MUST_USE bool feed_seal(const struct feed_in *in, struct feed *f);

#endif
