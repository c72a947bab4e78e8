#ifndef SPAN25_APP_REGISTRY_SEEN_H
#define SPAN25_APP_REGISTRY_SEEN_H
/* registry_seen - hosts seen to use mail ports without a permit
 *
 * From the events of the journal or of a file, judged by the registry of now:
 * who has a permit by then is not among them. By site, those of no site last,
 * then by address. */
#include "rules/registry/discovery.h"
#include "sensor/app/registry.h"

/* Looks at an event; of the call's journal, or of its --events. */
typedef void registry_seen_take(void *ctx, const struct record_map *event);

/* Gives every event; exits as registry_seen_find. */
MUST_USE enum cli_exit registry_seen_events(struct registry_call *c,
                                            registry_seen_take *take,
                                            void *ctx);

struct registry_seen {
    struct discovery *discovery;
    const struct discovery_row **rows;
    size_t n;
    struct kept *kept; /* locked: the discovery is its own; NULL: ours */
};

/* CLI_EXIT_DONE, or CLI_EXIT_PARTIAL after damaged lines, which are told; else
 * out is empty. To be freed by registry_seen_fini, whatever comes of it. */
MUST_USE enum cli_exit registry_seen_find(struct registry_call *c,
                                          struct registry_seen *out);
void registry_seen_fini(struct registry_seen *s);

/* Reads the journal into c->kept, so that the first who asks does not wait. */
void registry_seen_warm(const struct cli *c);

/* How many rows from the i-th on belong together: to one site, or without one
 * to one host. */
size_t registry_seen_group(const struct registry_seen *s, size_t i);

/* A form for n rows from the i-th on. Nobody is asked to register a spam bot:
 * those are left out, and added to *bots; a form of nothing else has no lines.
 * To be freed by form_fini, whatever comes of it. */
MUST_USE enum err registry_seen_form(const struct registry_seen *s, size_t i,
                                     size_t n, struct form *out, size_t *bots);

#endif
