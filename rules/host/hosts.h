#ifndef SPAN25_RULES_HOST_HOSTS_H
#define SPAN25_RULES_HOST_HOSTS_H
/* hosts - statistics of every source that speaks SMTP, DETECTION 1.10 and 2
 *
 * Events in, as the core publishes them (placed and judged by the registry);
 * events of type host out, which Sigma rules and decisions read. Nothing else
 * leaves: whoever wants to know about a host reads its events, so a replay of
 * the journal knows the same.
 *
 * SOURCES are the clients (src_ip) of smtp, smtp_session, fileinfo, anomaly and
 * dns events: at home one address (a lease, where src_host.lease names one, is
 * a host of its own), outside the /64 of IPv6. Only what crossed the border or
 * went between hosts at home counts; direction says which.
 *
 * WHAT COUNTS. S1, S1T, S2 and S3 are CUSUMs with the designs of design.def, in
 * thousandths of a nat, floored at 0. S1 counts the first four verdicts of each
 * organisation and hour, whatever they are. (One success and one failure of
 * each, as DETECTION 1.2 has it, make a large sender of whose recipients a
 * twentieth are stale look as if half of them were: tools/evaluate showed it
 * with mailing-list servers.) S1T and S3 take an organisation once, S2 each
 * message. First contacts are used up by a verdict, and looked up in a blocked
 * Bloom filter of four generations; a false "seen" hides one, which errs on the
 * safe side. Nothing counts before a handshake was complete and the server
 * spoke. After seven days with traffic S3 expects 1.5 times the host's own 95th
 * percentile, at least the default.
 *
 * EVENTS are written when a level of a statistic rises, when a score passes
 * another whole nat from 4 on (from 16 on, a quarter more), when evidence,
 * queueing, identity, cluster, lookups of MX, guessed passwords or unknown
 * users change (host.changes), and every hosts_options.interval while the host
 * was active; and at the end. A rule with a limit between whole nats sees the
 * next event. Intervals and waits end in whole minutes, and their events bear
 * that minute, whenever the next event or hosts_time comes: the same events
 * give the same host events in the same order, however time is told. Of an
 * outside client that nothing speaks against there are none.
 *
 * MEMORY. hosts_options.hosts base records (table at most 0.8 full), detail for
 * those that sent from home or failed here, sketches of fixed size. When full,
 * of the next few (table.h) the host with the lowest score that was idle
 * longest goes; one at half an alert level or more never does (then the
 * newcomer is not taken, and counted). Attempts without data, and connections
 * heard from one side only, make no record. A /64 at home with more than 1,024
 * addresses is one host from then on, its identity in conflict, for no
 * automatic decision can mean it; of one /48 outside 256 /64 are taken. All
 * hashes are keyed. Pure: no clock, no I/O. One thread. */
#include "rules/campaign/campaigns.h"
#include "sensor/base/err.h"
#include "sensor/event/record.h"

struct hosts;

/* X(id, word) of statistics that are a CUSUM or a count with levels */
#define HOST_STATS(X)                                                          \
    X(S1, "s1")                                                                \
    X(S1T, "s1t")                                                              \
    X(S2, "s2")                                                                \
    X(S3, "s3") X(S4, "s4") X(S5, "s5") X(S6, "s6") X(S7, "s7") X(P, "p")

enum host_stat {
#define HOST_STAT_ENUM(id, word) HOST_##id,
    HOST_STATS(HOST_STAT_ENUM)
#undef HOST_STAT_ENUM
        HOST_STAT_COUNT
};

/* theta0 and theta1 of a Bernoulli CUSUM; of S3 events an hour; of the others
 * unused. Levels in nats; of S5 to S7 counts. */
struct host_design {
    double normal, bad;
    double alert, block;
};

/* Who is told what S2 says of each message of a host at home (judge.h), during
 * the event that brings it; put may be NULL. */
struct hosts_judged {
    void (*put)(void *ctx, bool judged, bool bad);
    void *ctx;
};

struct hosts_options {
    uint64_t seed; /* keys of all hashes; a fixed one in read */
    struct host_design design[HOST_STAT_COUNT];
    uint32_t hosts;  /* base records */
    uint32_t detail; /* of them with detail */
    uint64_t filter; /* bytes of the first-contact filter */
    ns_t interval;   /* between events of an active host, one minute to a day */
    struct hosts_judged judged;
};
/* The designs of design.def, 1,000,000 hosts, and DESIGN 7's memory. The tables
 * grow to that; they do not begin there. */
extern const struct hosts_options hosts_options_default;

MUST_USE enum err hosts_new(const struct hosts_options *o, struct hosts **out);
void hosts_free(struct hosts *h);

/* An event, in published order. joined is what campaigns_event said of it, or
 * NULL. Events of type host are given to sink, complete but for what the core
 * adds (event_id, sensor, place, registry, geography): flow_id 0, seq
 * ascending, when that of the event, or the minute of a wait that ended before
 * it. Types that are nobody's are passed over.
 */
void hosts_event(struct hosts *h, const struct record_map *event,
                 const struct campaign_join *joined,
                 const struct record_sink *sink);

/* For who judges clusters elsewhere (span25 aggregate), and so later than
 * hosts_event: a message of this event's source, home and away by its src_ip,
 * src_host.lease and direction, belongs to that cluster. Nothing else of it is
 * looked at. Of a source that is not known, or has no detail, nothing is kept.
 */
void hosts_joined(struct hosts *h, const struct record_map *event,
                  const struct campaign_join *joined,
                  const struct record_sink *sink);

/* Stream time has come to now: intervals, windows, four-hour and day waits. */
void hosts_time(struct hosts *h, ns_t now, const struct record_sink *sink);

/* A last event of every host that was active since its last one, by address. */
void hosts_end(struct hosts *h, ns_t now, const struct record_sink *sink);

/* Lift of a block (DETECTION 6.3): scores of this subject begin at 0 again. */
void hosts_reset(struct hosts *h, const struct addr *a);

/* ---- snapshots: all state, versioned, checked; same seed needed ---- */

MUST_USE enum err hosts_save(const struct hosts *h, struct buf *out);
/* Into a new one of the same options. ERR_FORMAT (another version or seed),
 * ERR_CORRUPT: nothing was taken over. */
MUST_USE enum err hosts_load(struct hosts *h, struct span snapshot);

/* What bounds cost, and how full sketches are. */
struct hosts_counts {
    uint64_t hosts, detailed;
    uint64_t evicted, refused; /* hosts; refused: all others are suspects */
    uint64_t detail_evicted;
    uint64_t waits_refused;   /* sessions under TLS for which S1T had no room */
    uint64_t events;          /* host events written */
    uint32_t filter_permille; /* bits set in the fullest generation */
    uint64_t memory_bytes;
    uint64_t table_bytes, detail_bytes, sketch_bytes; /* of it, DESIGN 7 */
};
struct hosts_counts hosts_counts(const struct hosts *h);

#endif
