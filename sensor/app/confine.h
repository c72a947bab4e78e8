#ifndef SPAN25_APP_CONFINE_H
#define SPAN25_APP_CONFINE_H
/* confine - what a process of the live sensor gives up before it works
 *
 * All of them: every capability, core dumps, being traced, new privileges.
 * Besides a seccomp filter by role, from confine_calls.def:
 *
 *   worker  an allow-list, as measured: time, memory, waiting, its open
 *           sockets. No file, no socket, no process. Anything else kills it
 *   core    a deny-list: no socket but of the Unix domain, no program, nothing
 *           that reaches into another process or the kernel
 *   index   the same
 *   web     an allow-list: to take, read and write connections of the socket it
 *           has, time, memory. No file, no new socket, no process
 *   recorder  what a worker may, and to make, write, rename and delete files
 *           relative to one open folder
 *
 * Sanitizers need system calls of their own: such builds have no filter. */
#include "sensor/base/attr.h"
#include "sensor/base/buf.h"
#include "sensor/base/err.h"

enum confine_role { CONFINE_WORKER, CONFINE_CORE, CONFINE_INDEX, CONFINE_WEB };

/* Of the recorder: files are named relative to this open folder alone. */
MUST_USE enum err confine_recorder(int folder);

/* ERR_PERM: the system does not do that; the process must not go on. */
MUST_USE enum err confine(enum confine_role role);

/* Started as root: gives the state directory to the user, becomes the user and
 * keeps CAP_NET_RAW only. Otherwise nothing but that the other capabilities
 * go. user NULL or "root": stays. message: one line. */
MUST_USE enum err confine_user(const char *user, const char *state,
                               struct buf *message);

/* Every capability of the calling process; false: not possible. */
MUST_USE bool confine_capabilities(void);

#endif
