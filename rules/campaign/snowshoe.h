#ifndef SPAN25_RULES_CAMPAIGN_SNOWSHOE_H
#define SPAN25_RULES_CAMPAIGN_SNOWSHOE_H
/* snowshoe - many sources of one prefix that each send little of the same
 *
 * A mark is the host of a link (the first SNOWSHOE_LINKS of a message) or the
 * domain of the envelope sender. SNOWSHOE_MARKS of them are remembered, to know
 * which are new, and SNOWSHOE_GROUPS pairs of prefix and mark. */
#include "rules/campaign/clusters.h"
#include "rules/campaign/mail.h"

#define SNOWSHOE_LINKS  8U
#define SNOWSHOE_MARKS  131072U
#define SNOWSHOE_GROUPS 32768U
#define SNOWSHOE_WHO    12U /* sources of a group before it is a cluster */

struct snowshoe;

MUST_USE enum err snowshoe_new(struct snowshoe **out);
void snowshoe_free(struct snowshoe *s); /* NULL is fine */

/* A mail that goes out and was made by its source. */
struct cluster_ref snowshoe_mail(struct snowshoe *s, struct clusters *c,
                                 const struct mail *m);
/* A mail that tells what is the site's own: of a registered source, or one that
 * came in. */
void snowshoe_own(struct snowshoe *s, const struct mail *m);

uint64_t snowshoe_memory(const struct snowshoe *s);
uint64_t snowshoe_evicted(const struct snowshoe *s);
void snowshoe_save(const struct snowshoe *s, struct buf *out);
MUST_USE bool snowshoe_load(struct snowshoe *s, struct cursor *in);

#endif
