#ifndef SPAN25_APP_WORKER_LIVE_H
#define SPAN25_APP_WORKER_LIVE_H
/* worker_live - packets of network interfaces to records in a ring
 *
 *     worker_live_open(&plan, &live, number, board, &w, &message);
 *     ... the process gives up its rights ...
 *     why = worker_live_run(w, ring);
 *     worker_live_free(w);
 *
 * Open needs CAP_NET_RAW and takes all memory that it can. Run needs: reading
 * clocks, poll, getsockopt, ioctl (SIOCGIFFLAGS), pread, futex, memory; and
 * with content inspection what deep_inspect needs.
 *
 * Each worker owns the flows that live_filter gives it, on all interfaces, and
 * has its part of memory_max and flows_max. The packet path waits for nobody: a
 * record for which the ring has no room is counted and lost; parts of mail are
 * inspected beside it (worker_late.h). board->worker[number].pause_ns is the
 * longest time between two looks at the kernel's rings.
 *
 * Time. Packets move it; when all rings of the kernel are empty the clock less
 * lag does. A tick that carries it goes to the core at most every
 * WORKER_LIVE_TICK_NS, besides those at multiples of 100 ms. It never goes back
 * behind board->worker[number].stream_ns of the worker before.
 *
 * Records about itself, each stats_interval and at the end: one STATS record
 * for each interface (stats.capture.iface) and one of the worker, all with
 * stats.capture.worker and counts since this worker's start.
 *
 * The end. What had come when the stop came is read, for five seconds at most;
 * what is left then is counted as dropped, so that packets and dropped of the
 * last STATS records are together all that the filters took. Now room in the
 * ring is waited for: ten seconds for records of flows, then as long for the
 * counts, which no slow reader shall miss.
 *
 * An interface that is gone is told by its up on the board; the others go on.
 * When none is left, run ends with ERR_GONE, unless plan->kept: somebody else
 * binds sockets anew when there is an interface again (live_links.h) and says
 * so by bound on the board, or asks by leave that another worker begins. */
#include "sensor/app/live_board.h"
#include "sensor/app/worker.h"

#define WORKER_LIVE_TICK_NS (10 * NS_PER_MS)
#define WORKER_LIVE_LAG_NS  (20 * NS_PER_MS)

struct worker_live_plan {
    const char *const *ifaces;
    size_t n_ifaces;
    size_t buffer_bytes; /* of the kernel, for each interface and worker */
    bool absent_ok;      /* an interface may be missing, or down, at open */
    bool kept;           /* see above */
    bool any_port;       /* see live_filter.h */
    bool tunnels;
    uint64_t seed; /* of the installation */
    ns_t lag;      /* 0: WORKER_LIVE_LAG_NS */
    ns_t stats_interval;
    const uint16_t *vlans; /* that are expected; told on the board */
    size_t n_vlans;
    const struct prefix *prefixes; /* the same */
    size_t n_prefixes;
};

struct worker_live;

/* plan: files and n_files are not looked at; n_workers is at most
 * LIVE_WORKERS_MAX; *stop lies in shared memory. plans and board must outlive
 * the worker. message gets one line; errors as of live_capture_open. */
MUST_USE enum err worker_live_open(const struct worker_plan *plan,
                                   const struct worker_live_plan *live,
                                   unsigned number, struct live_board *board,
                                   struct worker_live **out,
                                   struct buf *message);

/* Gives copies of its sockets to who binds them anew; closes to. Before the
 * process gives up its rights. */
void worker_live_hand_over(const struct worker_live *w, int to);

/* Attaches to the ring, runs until *plan->stop is not 0 (ERR_OK) or it cannot
 * go on, ends all flows, says farewell and closes the ring. board->...failed
 * has the error as well. */
MUST_USE enum err worker_live_run(struct worker_live *w, struct ring *ring);

void worker_live_free(struct worker_live *w); /* NULL is fine */

#endif
