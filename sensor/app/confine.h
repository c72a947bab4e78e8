#ifndef SPAN25_APP_CONFINE_H
#define SPAN25_APP_CONFINE_H
/* confine - what a process of the live sensor gives up before it works
 *
 * All of them: core dumps, being traced, new privileges; and every capability,
 * but the supervisor, which keeps CAP_NET_RAW for the workers to come. Then all
 * system calls but those that confine_calls.def lists for its role: any other
 * one ends the process, and the supervisor starts it anew.
 *
 *     supervisor  what all of them need as they begin; no program is executed
 *     worker      time, memory, waiting, its open sockets, a line on standard
 *                 error. No file, no socket, no process
 *     core        files, its Unix socket, threads. No other socket, no program
 *     index       files. No socket, no process
 *     recorder    what a worker may, files relative to one open folder; it
 *                 cannot write to its packet sockets
 *     publish     files, threads, connections to others. No packet, no process
 *     feeds       files, of its state alone where the kernel has Landlock;
 *                 connections of the socket it has. No new socket, no process
 *     web         connections of the socket it has. No file, no new socket
 *     keeper      processes; no file. What it forks may ask a Unix socket
 *     inspector   memory; an asker also a Unix socket (deep.h)
 *
 *     page        span25 serve: files, and to write to of its state alone where
 *                 the kernel has Landlock; threads, connections of the sockets
 *                 it has, the sockets of the core and of systemd. No process
 *
 * No one but the supervisor, those that it has just forked, and publish, which
 * looks up names by modules of the C library, may map code. The
 * kernel cannot see whether a path is absolute: whoever opens files may open
 * what the user of the sensor may.
 *
 * Sanitizers need system calls of their own: such builds have no filter. */
#include "sensor/base/attr.h"
#include "sensor/base/buf.h"
#include "sensor/base/err.h"

enum confine_role {
    CONFINE_SUPERVISOR,
    CONFINE_WORKER,
    CONFINE_CORE,
    CONFINE_INDEX,
    CONFINE_RECORDER,
    CONFINE_PUBLISH,
    CONFINE_FEEDS,
    CONFINE_WEB,
    CONFINE_KEEPER,
    CONFINE_INSPECTOR,
    CONFINE_ASKER,
    CONFINE_PAGE,
};

/* On what condition a call is allowed. */
enum confine_how {
    CONFINE_ANY,
    CONFINE_DATA,    /* memory that is not code */
    CONFINE_CODE,    /* memory that is code or may be written, not both */
    CONFINE_OWN,     /* to this process */
    CONFINE_PLAIN,   /* no new namespace */
    CONFINE_LINK,    /* whether an interface is up */
    CONFINE_QUEUE,   /* how much is to be read or sent; not to wait */
    CONFINE_STDERR,  /* to standard error */
    CONFINE_LOCAL,   /* of the Unix domain */
    CONFINE_PRIVATE, /* the same; another one fails with EPERM */
    CONFINE_PEERS,  /* of the Unix domain, the Internet, or to ask for routes */
    CONFINE_THREAD, /* a thread, no process */
    CONFINE_FOLDER, /* relative to one open folder */
    CONFINE_REFUSE, /* never; fails with EPERM */
    CONFINE_ABSENT, /* never; fails with ENOSYS */
};

/* ERR_PERM: the system does not do that; the process must not go on. Of the
 * recorder: confine_recorder. */
MUST_USE enum err confine(enum confine_role role);

/* Files are named relative to this open folder alone. */
MUST_USE enum err confine_recorder(int folder);

/* Of feeds: from now on only files below this folder can be used (Landlock).
 * False: the kernel has it and did not do it; one that does not have it leaves
 * things as they are. */
MUST_USE bool confine_files(const char *folder);

/* Of the page, in the same way: it can write below this folder alone, and
 * execute nothing. It reads what its user may: configured files are anywhere.
 */
MUST_USE bool confine_writes(const char *folder);

/* The system calls only. False: not possible. */
MUST_USE bool confine_calls(enum confine_role role);

/* Started as root: gives the state directory to the user, becomes the user and
 * keeps CAP_NET_RAW only. Otherwise nothing but that the other capabilities
 * go. user NULL or "root": stays. message: one line. */
MUST_USE enum err confine_user(const char *user, const char *state,
                               struct buf *message);

/* Every capability of the calling process; false: not possible. */
MUST_USE bool confine_capabilities(void);

#endif
