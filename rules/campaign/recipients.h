#ifndef SPAN25_RULES_CAMPAIGN_RECIPIENTS_H
#define SPAN25_RULES_CAMPAIGN_RECIPIENTS_H
/* recipients - who is written to by several sources for the first time
 *
 * A table of RECIPIENTS_MAX recipients, each with its first three sources of
 * the hour in which it was new; a table of sources leads to their cluster. */
#include "rules/campaign/clusters.h"
#include "rules/campaign/mail.h"

#define RECIPIENTS_MAX     262144U
#define RECIPIENTS_SOURCES 65536U
#define RECIPIENTS_TIES    3U /* sources */

struct recipients;

MUST_USE enum err recipients_new(struct recipients **out);
void recipients_free(struct recipients *r); /* NULL is fine */

/* Takes the recipients of a mail; the cluster it belongs to, if any is to be
 * told of. */
struct cluster_ref recipients_mail(struct recipients *r, struct clusters *c,
                                   const struct mail *m);

uint64_t recipients_memory(const struct recipients *r);
uint64_t recipients_evicted(const struct recipients *r);
void recipients_save(const struct recipients *r, struct buf *out);
MUST_USE bool recipients_load(struct recipients *r, struct cursor *in);

#endif
