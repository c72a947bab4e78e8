#ifndef SPAN25_APP_READ_PLACE_H
#define SPAN25_APP_READ_PLACE_H
/* read_place - sites, pools and leases of a reading, from its configuration
 *
 * Home networks are those of sites and of network.home; without any they are
 * guessed from the captures. Faulty lines of a file of leases are told and left
 * out; a file of which nothing is understood stops the start. */
#include "rules/home.h"
#include "sensor/app/options.h"
#include "sensor/app/worker.h"
#include "sensor/core/place.h"

#include <sys/stat.h>

#define READ_PLACE_LEASES_MAX (512U << 20) /* bytes of a file of leases */

struct read_place {
    struct sites *sites;
    struct leases *leases; /* NULL: no file is named */
    struct stat *were;     /* files of leases, as they were when looked at */
    size_t n_were;
    bool home_guessed;
};

/* said: what took force, with numbers and digests (SHA-256) of what was read.
 * On an error p is fit for read_place_free. */
MUST_USE enum err read_place_load(const struct config *c,
                                  const struct worker_plan *plan,
                                  struct read_place *p, struct buf *said,
                                  struct buf *messages);

/* Reads the files of leases anew when one of them, or their list, is another
 * than at the last look. True: p->leases is another; the caller takes it into
 * use and then frees *old. A file that is not there now, or of which nothing is
 * understood: told, the leases before stay. said is appended to. */
MUST_USE bool read_place_refresh(const struct config *c, struct read_place *p,
                                 struct leases **old, struct buf *said,
                                 struct buf *messages);
void read_place_free(struct read_place *p); /* also of a zeroed one */

/* The databases of geo.country and geo.as; *out stays NULL without any. */
struct geo;
MUST_USE enum err read_place_geo(const struct config *c, struct geo **out,
                                 struct buf *messages);

#endif
