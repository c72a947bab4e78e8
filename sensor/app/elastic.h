#ifndef SPAN25_APP_ELASTIC_H
#define SPAN25_APP_ELASTIC_H
/* elastic - index templates for Elasticsearch and OpenSearch
 *
 * From the same tables that make the events, so that they never differ: one for
 * the events as they are journaled (EVE), one for those of ecs.h. Only types
 * that both servers know. An event is never refused:
 *
 *     a string longer than ELASTIC_KEYWORD characters is kept, not indexed
 *     a number that does not fit a long is kept, not indexed
 *     a key that is in no table (such as _raw_b64) is kept, not indexed
 *
 * for what is said on the wire must not decide what is seen. Objects of lists
 * are nested: what is said of one recipient stays together. */
#include "sensor/base/buf.h"

#define ELASTIC_KEYWORD 1024U /* at most 4 KiB of UTF-8; Lucene's limit: 32 */

/* Appends a composable index template, one line. */
void elastic_eve(struct buf *out);
/* False: no memory. */
MUST_USE bool elastic_ecs(struct buf *out);

#endif
