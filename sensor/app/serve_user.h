#ifndef SPAN25_APP_SERVE_USER_H
#define SPAN25_APP_SERVE_USER_H
/* serve_user - the verb that says who may log in to the page
 *
 * Writes the file that users.h reads, whole or not at all. */
#include "sensor/app/cli.h"

MUST_USE enum cli_exit serve_user_run(const struct cli *c, struct buf *out,
                                      struct buf *messages);

#endif
