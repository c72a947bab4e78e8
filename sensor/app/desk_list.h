#ifndef SPAN25_APP_DESK_LIST_H
#define SPAN25_APP_DESK_LIST_H
/* desk_list - alerts list and hosts list in parts, chosen by the index
 *
 * Only the records of the rows that are printed are read, so a part costs the
 * same however many alerts and hosts there are. */
#include "sensor/app/desk.h"

/* A part is asked for, or what only the index can choose by. */
bool desk_list_asked(const struct desk *d);

enum cli_exit desk_list_alerts(struct desk *d);
enum cli_exit desk_list_hosts(struct desk *d);

#endif
