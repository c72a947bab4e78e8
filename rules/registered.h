#ifndef SPAN25_RULES_REGISTERED_H
#define SPAN25_RULES_REGISTERED_H
/* registered - what a summary says of the registry: requirements, unseen lines
 *
 * Hosts that a permitted line held at the time of the last event, with every
 * requirement; lines that were permitted then and that nobody was seen to use.
 * At most REGISTERED_HOSTS hosts and REGISTERED_LINES lines are listed, the
 * others are counted. Pure. */
#include "rules/registry/requirements.h"
#include "sensor/event/summary.h"

#define REGISTERED_HOSTS 10000U
#define REGISTERED_LINES 10000U

struct registered;

/* r and book live as long as what is made of them. ERR_NOMEM. */
MUST_USE enum err registered_new(const struct requirements *r,
                                 const struct book *book,
                                 struct registered **out);
void registered_free(struct registered *g);

/* Fills its lists in s; they belong to g. g NULL: there is no registry. */
void registered_summary(const struct registered *g, struct summary *s);

#endif
