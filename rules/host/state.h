#ifndef SPAN25_RULES_HOST_STATE_H
#define SPAN25_RULES_HOST_STATE_H
/* state - what is kept of hosts; for the files of this folder only
 *
 * A base record for each host, a detail block for those that send from home or
 * were refused here, further blocks for what few have. Blocks name each other
 * by numbers of pools and hold no pointers and no padding: a snapshot is their
 * bytes. Times are stream time. */
#include "rules/host/cusum.h"
#include "rules/host/dialect.h"
#include "rules/host/sketch.h"
#include "rules/host/filter.h"
#include "rules/host/hosts.h"
#include "rules/host/judge.h"
#include "rules/host/names.h"
#include "rules/host/org.h"
#include "rules/host/paths.h"
#include "rules/host/pool.h"

#define HOST_CUSUMS    4U /* S1, S1T, S2, S3 */
#define HOST_MINUTES   2048U
#define HOST_PENDING   65536U /* first sessions under TLS that wait */
#define HOST_BUCKETS   32768U
#define HOST_SUBKEYS   8U
#define HOST_SUBSUMS   4U /* of those that had to go; the last: all others */
#define HOST_SUBFLOWS  4U /* connections whose dialect is not told yet */
#define HOST_PAIRS     64U
#define HOST_DIALECTS  4U
#define HOST_NETS      8U
#define HOST_MACS      4U
#define HOST_TTLS      16U /* latest connections whose hop limit is kept */
#define HOST_LISTINGS  8U
#define HOST_DAYS      14U
#define HOST_WEEK      7U
#define HOST_MESSAGES  4U
#define HOST_HELO      63U /* bytes of a name that are kept */
#define HOST_COUNTERS  65536U
#define HOST_DETAIL_MB 32U

enum host_limit {
#define X(name, value, unit, why) HOST_LIMIT_##name,
#include "rules/host/limits.def"
#undef X
    HOST_LIMIT_COUNT
};
extern const uint64_t host_limits[HOST_LIMIT_COUNT];
#define HOST_LIMIT(name)    (host_limits[HOST_LIMIT_##name])
#define HOST_LIMIT_NS(name) (HOST_LIMIT(name) * NS_PER_S)

enum host_level { LEVEL_NORMAL, LEVEL_RAISED, LEVEL_ALERT, LEVEL_BLOCK };

/* Bits of host.flags. */
#define HOST_IS_HOME    1U
#define HOST_IS_FOLDED  2U /* a /64 at home with too many addresses */
#define HOST_HAS_REG    4U /* the registry was asked about it */
#define HOST_IS_ACTIVE  8U /* since its last event */
#define HOST_IN_USE     16U
#define HOST_IS_OUTWARD 32U /* sent from home */

struct host {
    struct addr addr;
    uint64_t key;   /* keyed hash of address and lease */
    uint64_t lease; /* hash of it; 0: none */
    ns_t first, last;
    ns_t s3_at; /* up to which time has lowered s3 */
    int32_t score[HOST_CUSUMS];
    uint32_t s3_rest;
    uint32_t detail;
    uint32_t prev, next; /* of those due in the same minute */
    uint32_t sessions, sessions_tls, sessions_oneway;
    uint32_t transactions, accepted;
    uint32_t s1_n, s1_bad;
    uint16_t due; /* slot + 1; 0: not waiting */
    uint16_t flags;
    uint8_t told_score[HOST_CUSUMS]; /* steps, stat.h */
    uint32_t told_level;             /* two bits a statistic */
};

enum hour_count {
    HOUR_SESSIONS,
    HOUR_MESSAGES,
    HOUR_RCPT,
    HOUR_REFUSED,
    HOUR_ORGS,
    HOUR_COUNTS
};

struct listing {
    uint64_t org;
    ns_t last;
};

struct day {
    uint32_t rcpt, rcpt_hour, orgs_hour;
};

/* Bits of detail.flags. */
#define DETAIL_QUEUEING 1U   /* as told last */
#define DETAIL_CONFLICT 2U   /* as told last */
#define DETAIL_ONE_MAC  4U   /* both ends spoke from one */
#define DETAIL_TAINTED  8U   /* the day is no baseline */
#define DETAIL_ASK      16U  /* something may speak for a queue now */
#define DETAIL_FOREIGN  32U  /* a server's packets came by no router */
#define DETAIL_ONE_TTL  64U  /* all servers' packets had the same hop limit */
#define DETAIL_ODD_TTL  128U /* not the hop limits that others see */
#define DETAIL_OBJECTS  256U /* its own RST to what was said in its name */
#define DETAIL_FORGED                                                          \
    (DETAIL_ONE_MAC | DETAIL_FOREIGN | DETAIL_ONE_TTL | DETAIL_ODD_TTL |       \
     DETAIL_OBJECTS)

struct detail {
    uint32_t owner;
    uint32_t subkeys, pairs; /* blocks */
    uint32_t flags;

    uint64_t rcpt_offered, rcpt_accepted, rcpt_unknown;
    uint32_t null_sender, triangular;
    struct sketch senders, helos, orgs;
    uint64_t helo_hash;
    uint8_t helo_n;
    char helo[HOST_HELO];

    uint64_t dialect[HOST_DIALECTS];
    uint32_t dialect_n[HOST_DIALECTS];
    uint16_t odd;        /* of all its sessions */
    uint16_t odd_latest; /* of the latest alone */

    uint32_t hour; /* number of the hour that runs */
    uint32_t day;
    uint32_t now[HOUR_COUNTS], before[HOUR_COUNTS];
    uint32_t ordinary[HOST_WEEK + 1];
    struct day today;
    struct day days[HOST_DAYS];
    uint32_t n_days;      /* ever; the last HOST_DAYS are kept */
    uint32_t s3_expected; /* thousandths an hour; 0: the design's */

    uint32_t s1t_n, s1t_bad;
    uint32_t s2_n, s2_bad, s2_why;
    uint32_t s3_n;

    uint64_t s4_cluster;
    ns_t s4_at;
    uint64_t s4_told;
    uint32_t s4_kind, s4_sources, s4_messages;

    uint32_t s5_messages;
    uint64_t s5_orgs[HOST_NETS];
    uint64_t s5_keys[HOST_MESSAGES]; /* the latest such messages */
    uint64_t tx_keys[HOST_MESSAGES]; /* the latest transactions */
    uint64_t tx_orgs[HOST_MESSAGES]; /* and whom they went to */
    uint32_t s5_at, tx_at;
    struct listing s6[HOST_LISTINGS];
    uint32_t p_sessions;

    uint32_t ev_sessions;
    ns_t ev_first, ev_last;
    uint64_t ev_nets[HOST_NETS];
    uint64_t commands, unanswered, bytes, lost;
    uint32_t told_evidence[5]; /* steps */

    uint64_t macs[HOST_MACS];
    ns_t macs_since; /* and of all that follows but ev_bound */
    uint32_t ev_bound, ev_unbound;
    uint32_t id_sessions, objected; /* by a RST of its own */
    uint32_t ttl_odd, ttl_usual, ttl_at;
    uint16_t ttl_org[HOST_TTLS];
    uint8_t ttl[HOST_TTLS];

    ns_t name_since; /* its HELO is its confirmed name; 0: is not */
    uint64_t banner;
    uint32_t banner_n;
    uint32_t told_mx; /* steps */

    uint32_t auth_failures, auth_successes;
    uint64_t auth_servers[HOST_NETS];
    uint32_t harvest_offered, harvest_unknown;
    uint32_t told_auth, told_harvest, told_triangular; /* steps */
    uint32_t unused;
    uint32_t n_read, n_bulk; /* messages read, of them of lists */
    ns_t like_since;         /* it looked like a server first; 0: never */
    ns_t daily_since;        /* of auth and harvest */
};

struct subkey {
    uint64_t helo_hash;
    uint64_t dialect; /* 0: not yet known */
    ns_t last;
    uint64_t flow; /* of a connection that is open; else 0 */
    uint32_t accepted, n, bad;
    int32_t score;
    int32_t moved; /* the sum of its steps, without the floor */
    uint8_t helo_n;
    char helo[HOST_HELO];
};

struct subsum {
    uint64_t dialect;
    uint32_t accepted, n, bad;
    uint32_t speakers; /* 0: free */
};

struct subkeys {
    struct subkey v[HOST_SUBKEYS];
    struct subkey open[HOST_SUBFLOWS];
    struct subsum sums[HOST_SUBSUMS];
    uint32_t n, n_open;
    uint32_t n_sums; /* all but the last */
};

struct pairs {
    uint64_t key[HOST_PAIRS]; /* 0: free, and all behind it */
    uint64_t flow[HOST_PAIRS];
    ns_t first[HOST_PAIRS];
    ns_t retried[HOST_PAIRS]; /* 0: not */
};

struct pending {
    uint64_t key; /* of the host */
    uint64_t org; /* 0: decided */
    uint64_t minute;
    uint32_t host;
    uint32_t next; /* place + 1 of the next of its bucket */
};

struct slot {
    uint32_t tag;
    uint32_t host; /* 0: free */
};

struct minute {
    uint32_t head, tail;
};

_Static_assert(sizeof(struct detail) % 8 == 0, "no padding");

/* An event as all handlers see it. */
struct scene {
    const struct record_map *event;
    const struct campaign_join *joined; /* or NULL */
    uint64_t flow;
    ns_t now;
    bool outbound, inbound, internal;
    struct table_who {
        struct addr addr;
        uint64_t lease;
        bool home;
    } src, dest;
};

struct hosts {
    struct hosts_options o;
    uint64_t seed;
    struct cusum_steps steps[HOST_CUSUMS];
    int32_t usual_up; /* of S3 where a baseline is used */

    struct slot *slots;
    uint32_t n_slots; /* a power of two, or 0 */
    struct pool hosts, details, subkeys, pairs, large;
    uint32_t hand, detail_hand; /* where looks for a victim go on */
    uint16_t *nets;             /* HOST_COUNTERS counts of IPv6 hosts */

    struct filter seen;      /* first contacts */
    struct filter hours;     /* observations of this hour */
    struct pending *pending; /* a ring */
    uint32_t *buckets;       /* place + 1 of the first of each */
    uint32_t pending_at, pending_n;

    struct minute due[HOST_MINUTES];
    uint32_t n_due;
    uint64_t minute; /* done up to here */
    ns_t now;
    ns_t both_sides; /* when a connection was last heard from both */
    uint32_t seq;

    struct org *org;
    struct names *names;
    struct paths *paths;
    struct record_out out;
    struct hosts_counts counts;
};

static inline struct host *
host_at(const struct hosts *h, uint32_t i)
{
    return pool_at(&h->hosts, i);
}

static inline struct detail *
detail_of(const struct hosts *h, const struct host *host)
{
    return host->detail != POOL_NONE ? pool_at(&h->details, host->detail)
                                     : NULL;
}

#endif
