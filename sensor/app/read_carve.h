#ifndef SPAN25_APP_READ_CARVE_H
#define SPAN25_APP_READ_CARVE_H
/* read_carve - the files that --extract and --save-mail of a reading write
 *
 * Off unless one of them is given. */
#include "sensor/app/options.h"
#include "sensor/core/core.h"

struct read_carve;

/* Opens the folders. *out is NULL when neither was asked for. A failure has its
 * text in messages. */
MUST_USE enum err read_carve_open(const struct config *c,
                                  struct read_carve **out,
                                  struct buf *messages);
void read_carve_close(struct read_carve *r); /* NULL is fine */

/* For the core; of NULL: none. */
struct carve_sink read_carve_sink(struct read_carve *r);
/* What is on, with its limits; NULL of NULL. */
const char *read_carve_text(const struct read_carve *r);

/* After the last record: a control event for each folder at this time, and in
 * messages what was written and what was left out. A failure to write is
 * given. */
MUST_USE enum err read_carve_end(struct read_carve *r, ns_t when,
                                 const struct record_sink *sink,
                                 struct buf *messages);

#endif
