#ifndef SPAN25_RULES_REGISTRY_H
#define SPAN25_RULES_REGISTRY_H
/* registry - which addresses may speak on port 25, and whose they are
 *
 * First form: a list of prefixes, each of a site, read from CSV with a header
 * line that names the columns "address" and "site"; others are kept out of the
 * way. A look-up takes the longest prefix; ::/0 holds no IPv4 address. Pure:
 * the caller reads the file. */
#include "sensor/base/addr.h"
#include "sensor/base/err.h"

struct registry;

/* Faulty lines are left out, each with one line in messages ("NAME:7: ..."),
 * the rest is taken; *faulty counts them. So is a prefix that stood before with
 * another site. ERR_FORMAT when the header is not
 * there. */
MUST_USE enum err registry_parse(struct span csv, const char *name,
                                 struct registry **out, size_t *faulty,
                                 struct buf *messages);
void registry_free(struct registry *r);

size_t registry_size(const struct registry *r);

/* The site of the longest prefix that holds a, or NULL when it is not
 * registered. Lives as long as the registry. */
const char *registry_site(const struct registry *r, const struct addr *a);

#endif
