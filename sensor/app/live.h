#ifndef SPAN25_APP_LIVE_H
#define SPAN25_APP_LIVE_H
/* live - a sensor on network interfaces: the supervisor and its processes
 *
 *     supervisor   makes what is shared, forks the others and keeps them alive;
 *                  keeps CAP_NET_RAW, reads no packet, no record, no file but
 *                  the configuration
 *     worker       packets to records, one or more (worker_live.h); its sockets
 *                  are opened before it gives up its rights
 *     core         records to journal, detection, decisions (live_core.h)
 *     content      the keeper of the inspectors (deep.h)
 *     recorder     packets to the ring on disk, when it is wanted
 *                  (live_recorder.h); reads no payload
 *     index        follows the journal into index.db
 *     publish      follows the journal to the configured sinks
 *                  (live_publish.h)
 *     feeds        block lists, to files and to who fetches them (live_feeds.h)
 *     web          /metrics, /healthz and /readyz (live_web.h)
 *
 * Started as root, all of them become the user live.user and keep no capability
 * but CAP_NET_RAW, which only the supervisor has from then on (confine.h).
 *
 * A process that ends is started again: at once, or after a pause when it does
 * not live for a second. One that is silent for LIVE_SILENT_NS is killed. Every
 * time in which one was not there is told to the core, which journals it: an
 * event of type control, kind gap, with control.time and control.until as its
 * begin and end, as far as the beats on the board tell.
 *
 * SIGTERM or SIGINT ends all in order: workers end their flows, the core writes
 * what is left, syncs and saves its state, the index is brought up. SIGHUP
 * reads the configuration again: one with a fault leaves the old in force,
 * which is said; of a good one rules, geography, hash lists and leases take
 * force at a control record, everything else at the next start. */
#include "sensor/app/cli.h"
#include "sensor/app/inspection.h"
#include "sensor/app/live_board.h"
#include "sensor/app/read_place.h"
#include "sensor/app/worker_live.h"

#define LIVE_STATE     "/var/lib/span25"
#define LIVE_SILENT_NS (5 * NS_PER_S)
#define LIVE_STOP_NS   (75 * NS_PER_S) /* then what is left is killed */

struct live_links;

/* Made by the supervisor, the same in all processes. */
struct live {
    const struct cli *cli; /* own */
    struct cli own;        /* with the state that is used */
    char default_state[sizeof(LIVE_STATE)];
    int argc; /* to read the configuration again */
    char **argv;
    const char *state;
    struct live_board *board;
    struct ring_bell *bell;
    struct ring *rings;          /* of the workers */
    struct ring orders;          /* of the supervisor, to the core */
    volatile sig_atomic_t *stop; /* on the board */
    struct worker_plan plan;
    struct worker_live_plan capture;
    struct inspection inspection;
    struct read_place place;
    struct buf place_text; /* what took force */
    uint64_t seed;         /* of this installation */
    struct live_links *links;
    int hand_over; /* of a worker that is being forked, see live_links.h */
};

/* Until the sensor is stopped. */
MUST_USE enum cli_exit live_main(const struct cli *cli, int argc, char **argv);

#endif
