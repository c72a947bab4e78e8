#ifndef SPAN25_APP_DESK_CARD_H
#define SPAN25_APP_DESK_CARD_H
/* desk_card - parts of what is told of an alert or a host, UX 4 */
#include "sensor/app/desk_alerts.h"

/* The checks of a record with alert.checks: those that fired as a table, the
 * others in a line each kind; all: every one in the table. */
void desk_card_checks(struct desk *d, struct span record, bool all);

/* Every check, as an array; words: what its name says to people. */
void desk_card_checks_json(struct span record, struct buf *out);

/* Who answers for an address or a site, by the registry of the state. */
void desk_card_owner(struct desk *d, const struct addr *a, struct span site);
/* The same as {"text":...,"mail":...}; mail null: not known. */
void desk_card_owner_json(struct desk *d, const struct addr *a,
                          struct span site);

/* Where to write to about it: the abuse contact of its form, else that of the
 * site, else the technical one, else the site's of the configuration. NULL: not
 * known. */
const char *desk_card_mail(struct desk *d, const struct addr *a,
                           struct span site);

/* One alert, whole: as text, or as JSON. id is all of its id. */
MUST_USE enum cli_exit desk_card_alert(struct desk *d,
                                       const struct desk_alert *a);

/* Every event that its card shows and that the journal still has, sessions
 * among them; each is borrowed for the call. */
MUST_USE enum cli_exit
desk_card_each(struct desk *d, const struct desk_alert *a,
               void (*take)(void *ctx, struct span record), void *ctx);

/* Rows of the alerts about an address, with any lease, or about a prefix that
 * it is in: the newest ones, with how many there are. */
MUST_USE enum cli_exit desk_card_alerts(struct desk *d,
                                        const struct addr *subject);

/* What was said, as desk_lines_said_json; session may be empty. */
void desk_card_said_json(struct span record, struct span session,
                         struct buf *out);

/* A record as JSON, without its line end. */
MUST_USE bool desk_card_json(struct span record, struct buf *out);

#endif
