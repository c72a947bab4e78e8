#ifndef SPAN25_APP_READ_REGISTRY_H
#define SPAN25_APP_READ_REGISTRY_H
/* read_registry - the registry of a reading, and what becomes of it meanwhile
 *
 * From the file of --registry (forms as CSV or YAML: all permitted; or a
 * registry.db), or with --state from DIR/registry.db. The latter is looked at
 * while the reading goes on: what another process has entered there is put into
 * the journal, and holds for the events behind it. */
#include "sensor/app/options.h"
#include "sensor/core/core.h"

#define READ_REGISTRY_POLL  (100 * NS_PER_MS)
#define READ_REGISTRY_RETRY NS_PER_S /* after a failure */

struct read_registry;
struct requirements;

/* Failures are told. */
MUST_USE enum err read_registry_open(const struct config *c,
                                     struct read_registry **out,
                                     struct buf *messages);
void read_registry_close(struct read_registry *r);

/* NULL: none, so far. */
const struct book *read_registry_book(const struct read_registry *r);

/* Carries what was entered before; to be called once, before the first
 * record. */
MUST_USE enum err read_registry_start(struct read_registry *r,
                                      struct core *core,
                                      struct journal *journal,
                                      struct buf *messages);

/* From now on a registry that cannot be followed ends nothing: what was known
 * holds, each failure is told in messages once, and it is tried again. */
void read_registry_last(struct read_registry *r, struct buf *messages);

/* Looks, when it is time to, whether something was entered. To be called also
 * while nothing is read: a quiet link has no records. */
void read_registry_look(struct read_registry *r);

/* As a record_sink, in the place of the core's: ctx is the read_registry. */
void read_registry_put(void *ctx, struct span record);

/* The flows are at their end: lines that were used for the first time, and
 * permitted, get the date of it ("first mail seen"), in registry.db and in the
 * journal. Nothing when the registry is not that of --state. */
void read_registry_see(struct read_registry *r,
                       const struct requirements *seen);

/* What went wrong on the way; told in messages. */
enum err read_registry_error(const struct read_registry *r,
                             struct buf *messages);

#endif
