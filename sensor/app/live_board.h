#ifndef SPAN25_APP_LIVE_BOARD_H
#define SPAN25_APP_LIVE_BOARD_H
/* live_board - what the processes of a live sensor tell each other in numbers
 *
 *     live_board_new(&b);                    in the supervisor
 *     live_board_own(b, LIVE_WORKER, 3);     in the process, before it works
 *
 * Shared memory made by the supervisor before the first fork and mapped by all
 * but the inspectors. Each word has one writer, named beside it; everybody
 * reads. The words of one process are a part of the board, in a file of memory
 * of its own: live_board_own leaves a process that part to write, and all
 * others to read only, for good (memfd_create(2), F_SEAL_FUTURE_WRITE). The
 * supervisor may write all. So a process that was taken over misreports itself
 * and no other, and nothing here is trusted by who decides or kills.
 *
 * Words only grow, unless it says otherwise. They outlive the process that
 * writes them: one that comes back goes on from what stands there, so that a
 * rate never jumps back.
 *
 * Times are nanoseconds of CLOCK_MONOTONIC (..._mono_ns, the same in all
 * processes) or of UTC (..._utc_ns); 0 means never. */
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sensor/base/attr.h"
#include "sensor/base/err.h"
#include "sensor/event/keep.h"

enum {
    LIVE_WORKERS_MAX = 64,
    LIVE_IFACES_MAX = 16,
    LIVE_IFACE_NAME_MAX = 16, /* IFNAMSIZ */
    LIVE_METRICS_BYTES = 256 << 10,
    LIVE_EXPECT_MAX = 32, /* VLANs, and prefixes, that must not fall silent */
    LIVE_EXPECT_NAME_MAX = 48,
    LIVE_SINKS_MAX = 16,
    LIVE_SINK_NAME_MAX = 33,
    LIVE_CONSUMERS_MAX = 32,
    LIVE_CONSUMER_NAME_MAX = 32,
    LIVE_PART = 64 << 10, /* parts begin at its multiples: the largest page */
};

/* The processes. X(id, name, more than one) */
#define LIVE_ROLE_MAP(X)                                                       \
    X(SUPERVISOR, "supervisor", false)                                         \
    X(WORKER, "worker", true)                                                  \
    X(CORE, "core", false)                                                     \
    X(CONTENT, "content", false) /* the keeper of the inspectors */            \
    X(INDEX, "index", false)                                                   \
    X(RECORDER, "recorder", false)                                             \
    X(WEB, "web", false)                                                       \
    X(PUBLISH, "publish", false)                                               \
    X(FEEDS, "feeds", false)

enum live_role {
#define LIVE_ROLE_ENUM(id, name, many) LIVE_##id,
    LIVE_ROLE_MAP(LIVE_ROLE_ENUM)
#undef LIVE_ROLE_ENUM
        LIVE_ROLES
};

/* One running process. Written by the supervisor, but the beat. */
struct live_process {
    _Atomic int32_t pid;       /* 0: not running now; goes up and down */
    _Atomic uint32_t restarts; /* since the supervisor came up */
    _Atomic uint64_t since_utc_ns;
    _Atomic uint64_t beat_mono_ns; /* by the process itself: it is alive */
};

/* One socket of one worker; by that worker, but bound. */
struct live_iface {
    _Atomic uint32_t bound;   /* times the supervisor bound it anew */
    _Atomic uint64_t packets; /* taken from the kernel */
    _Atomic uint64_t bytes;   /* of them, as captured */
    _Atomic uint64_t dropped; /* by the kernel for want of room in its ring */
    _Atomic uint64_t missed;  /* by the driver or the card (ps_ifdrop) */
    _Atomic uint64_t last_utc_ns; /* time of the last packet */
    _Atomic uint32_t up;          /* 1: open and delivering; 0: down, gone */
};

/* By that worker; the process part by the supervisor. */
struct live_worker {
    _Alignas(LIVE_PART) struct live_process process;
    struct live_iface iface[LIVE_IFACES_MAX];
    _Atomic uint64_t records;      /* put into the ring */
    _Atomic uint64_t records_lost; /* there was no room: the packet path never
                                    * waits */
    _Atomic uint64_t stream_ns;    /* stream time, UTC */
    _Atomic uint64_t behind_ns;    /* clock less stream time; up and down */
    _Atomic uint64_t pause_ns;     /* the longest between two looks at the
                                    * interfaces */
    _Atomic uint64_t memory_bytes; /* of connections; up and down */
    _Atomic uint64_t connections;  /* followed now; up and down */
    _Atomic uint64_t failed;       /* enum err it ended with last */
    _Atomic uint32_t leave; /* 1: the supervisor asks it to end, for another to
                             * open its interfaces */
    /* when a packet of it was there last; in the order of the board's lists */
    _Atomic uint64_t vlan_utc_ns[LIVE_EXPECT_MAX];
    _Atomic uint64_t prefix_utc_ns[LIVE_EXPECT_MAX];
};

/* What happened within the last LIVE_WINDOW_NS, as far as the core has run for
 * so long; up and down. By the core, each ten seconds. */
struct live_window {
    _Atomic uint64_t length_ns; /* 0: nothing is known yet */
    _Atomic uint64_t packets, dropped, missed;
    _Atomic uint64_t records_lost;
    _Atomic uint64_t bytes_seen, bytes_unseen; /* of mail: acknowledged, or
                                                * followed by others */
    _Atomic uint64_t sessions, sessions_oneway;
    _Atomic uint64_t resyncs; /* a parser lost its place and found it */
};

/* The system clock, as adjtimex(2) tells. By the core, each ten seconds. */
struct live_clock {
    _Atomic uint64_t known; /* 1: asked */
    _Atomic uint64_t synchronised;
    _Atomic uint64_t offset_ns; /* from the reference, either way */
};

/* What a process uses, each ten seconds; 0: not known. */
struct live_usage {
    _Atomic uint64_t cpu_ns;         /* of the pid that runs now */
    _Atomic uint64_t resident_bytes; /* up and down */
};

/* By the core. */
struct live_core_board {
    _Alignas(LIVE_PART) struct live_process process;
    _Atomic uint64_t events;          /* journaled */
    _Atomic uint64_t refused;         /* records that did not pass the check */
    _Atomic uint64_t alerts_open;     /* up and down */
    _Atomic uint64_t journal_seq;     /* durable */
    _Atomic uint64_t journal_flushed; /* readers can see it */
    _Atomic uint64_t stream_ns;       /* time of the latest event, UTC */
    _Atomic uint64_t ready;           /* 1: state restored, events are taken */
    _Atomic uint64_t config_loads;    /* configurations that took force */
    _Atomic uint64_t config_refused;
    _Atomic uint64_t journal_failed; /* 1: it cannot be written now */
    /* What is not journaled for want of room. */
    _Atomic uint64_t room_step; /* enum live_room_step; up and down */
    _Atomic uint64_t room_free; /* bytes of the disk; up and down */
    _Atomic uint64_t room_mark; /* from there on down; 0: not known yet */
    _Atomic uint64_t shed[KEEP_KINDS]; /* events not journaled */
    _Atomic uint64_t unjournaled; /* events that the journal did not take */
    /* What was removed because of its age. */
    _Atomic uint64_t retained_lines[KEEP_KINDS];
    _Atomic uint64_t retained_segments;
    _Atomic uint64_t retained_bytes;
    struct live_window window;
    struct live_clock clock;
    struct live_usage usage[LIVE_ROLES + LIVE_WORKERS_MAX];
    /* A page in the text format of Prometheus, made anew each second. odd:
     * being written; a reader takes it between two equal even readings. */
    _Atomic uint32_t metrics_version;
    _Atomic uint32_t metrics_bytes;
    char metrics[LIVE_METRICS_BYTES];
};

/* A lane of a sink; what waits is the rest (spool.h). */
struct live_lane {
    _Atomic uint64_t journaled, acknowledged, lost;
};

struct live_sink {
    struct live_lane lane[KEEP_KINDS];
    _Atomic uint64_t unread;
    _Atomic uint64_t state;        /* enum publish_state; up and down */
    _Atomic uint64_t since_utc_ns; /* since then something waits, and nothing
                                    * is acknowledged; up and down */
};

/* By the process publish. */
struct live_publish_board {
    _Alignas(LIVE_PART) struct live_process process;
    struct live_sink sink[LIVE_SINKS_MAX];
};

/* Who fetches block lists. */
struct live_consumer {
    _Atomic uint64_t fetches; /* answered with a list, or that it has it */
    _Atomic uint64_t serial;  /* of the set that it fetched last */
    _Atomic uint64_t last_utc_ns;
};

/* By the process feeds. */
struct live_feeds_board {
    _Alignas(LIVE_PART) struct live_process process;
    _Atomic uint64_t serial;         /* of the last set */
    _Atomic uint64_t elements;       /* up and down */
    _Atomic uint64_t made_utc_ns;    /* up and down */
    _Atomic uint64_t expires_utc_ns; /* up and down */
    _Atomic uint64_t refused;        /* times that no set was made */
    _Atomic uint64_t verdict;        /* enum feed_verdict; up and down */
    _Atomic uint64_t kept_out;  /* entries refused or cut now; up and down */
    _Atomic uint64_t waiting;   /* of them for want of room; up and down */
    _Atomic uint64_t strangers; /* requests without a token that is known */
    struct live_consumer consumer[LIVE_CONSUMERS_MAX];
};

struct live_board {
    char sensor[64]; /* all of this by the supervisor */
    uint32_t n_workers;
    uint32_t n_ifaces;
    char iface_name[LIVE_IFACES_MAX][LIVE_IFACE_NAME_MAX];
    uint32_t n_vlans;
    uint32_t n_prefixes;
    uint16_t vlan[LIVE_EXPECT_MAX];
    char prefix[LIVE_EXPECT_MAX][LIVE_EXPECT_NAME_MAX];
    uint32_t n_sinks;
    char sink_name[LIVE_SINKS_MAX][LIVE_SINK_NAME_MAX];
    uint32_t n_consumers;
    char consumer_name[LIVE_CONSUMERS_MAX][LIVE_CONSUMER_NAME_MAX];
    uint64_t consumer_late_ns[LIVE_CONSUMERS_MAX];
    volatile sig_atomic_t stop; /* not 0: the sensor ends */
    struct live_process supervisor;
    struct live_process content; /* the keeper does not know the board */
    struct live_core_board core;
    _Alignas(LIVE_PART) struct live_process index;
    /* by the index too */
    _Atomic uint64_t index_seq; /* of the journal, that it has */
    _Atomic uint64_t index_retained[KEEP_KINDS]; /* rows removed, by kind */
    _Alignas(LIVE_PART) struct live_process web;
    _Alignas(LIVE_PART) struct live_process recorder;
    /* by the recorder too */
    _Atomic uint64_t recorder_bytes; /* on disk now; up and down */
    _Atomic uint64_t recorder_packets,
        recorder_dropped; /* dropped: by the
                           * kernel, or not written because the disk is full or
                           * failing */
    _Atomic uint64_t recorder_oldest_utc_ns;
    _Atomic uint64_t recorder_stopped; /* enum recorder_state; 0: it records */
    struct live_publish_board publish;
    struct live_feeds_board feeds;
    struct live_worker worker[LIVE_WORKERS_MAX];
};

/* The process of a role; number counts workers. */
const struct live_process *live_board_process(const struct live_board *b,
                                              enum live_role role,
                                              unsigned number);
/* Its place in the core's list of what processes use. */
unsigned live_board_usage(enum live_role role, unsigned number);
const char *live_role_name(enum live_role role);
bool live_role_many(enum live_role role);

MUST_USE enum err live_board_new(struct live_board **out);
void live_board_free(struct live_board *b); /* NULL is fine */

/* In the process of a role. ERR_PERM: the system does not do that; the process
 * must not go on. */
MUST_USE enum err live_board_own(struct live_board *b, enum live_role role,
                                 unsigned number);

/* Sums over the workers. */
struct live_iface_sum {
    uint64_t packets, bytes, dropped, missed, last_utc_ns;
    unsigned n_up;
};
struct live_iface_sum live_board_iface(const struct live_board *b,
                                       unsigned iface);
/* When one of them was seen last by any worker. */
uint64_t live_board_vlan(const struct live_board *b, unsigned i);
uint64_t live_board_prefix(const struct live_board *b, unsigned i);

#endif
