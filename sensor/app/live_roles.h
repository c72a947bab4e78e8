#ifndef SPAN25_APP_LIVE_ROLES_H
#define SPAN25_APP_LIVE_ROLES_H
/* live_roles - what a process of the live sensor is, from its fork on
 *
 * The first thing it does is to leave what is not its own; then it opens what
 * it needs, gives up its rights (confine.h) and works until it is stopped. */
#include "sensor/app/live.h"

#include <sys/types.h>

/* In the child that supervisor forked for the role; number counts workers.
 * unblock: signals that the supervisor waits for. */
_Noreturn void live_roles_be(struct live *l, enum live_role role,
                             unsigned number, pid_t supervisor,
                             const sigset_t *unblock);

/* For deep_restart: inspectors have nothing in common with the rest but their
 * slots. ctx: struct live. */
void live_roles_leave(void *ctx);

#endif
