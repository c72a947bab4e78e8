#ifndef SPAN25_APP_SERVE_H
#define SPAN25_APP_SERVE_H
/* serve - the verb that shows a state to people with a browser
 *
 * A process of its own beside a sensor, or alone on a state made by read. It
 * listens, gives up what it need not be allowed, and answers until SIGTERM or
 * SIGINT. The API is serve_call.h, which calls the verbs. */
#include "sensor/app/cli.h"

/* Does `span25 serve`; messages go to standard error. */
MUST_USE enum cli_exit serve_main(const struct cli *c);

#endif
