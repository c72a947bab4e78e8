#ifndef SPAN25_APP_DESK_EXCEPTIONS_H
#define SPAN25_APP_DESK_EXCEPTIONS_H
/* desk_exceptions - the exceptions of a state, for the verbs of the desk */
#include "rules/alert/exceptions.h"
#include "sensor/app/desk.h"

/* All that were ever added; to be freed whatever comes of it. */
MUST_USE enum cli_exit desk_exceptions_read(struct desk *d,
                                            struct exceptions **out);

/* Lines of a history, each with its time: what exceptions have to say of an
 * alert of this rule about this address, opened at `since`. */
MUST_USE enum cli_exit desk_exceptions_history(struct desk *d,
                                               const struct addr *a,
                                               struct span rule, ns_t since);

/* As a table; only: those that hold this address, NULL: all. */
void desk_exceptions_table(struct desk *d, const struct exceptions *x,
                           const struct addr *only);

#endif
