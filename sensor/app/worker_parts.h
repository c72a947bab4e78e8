#ifndef SPAN25_APP_WORKER_PARTS_H
#define SPAN25_APP_WORKER_PARTS_H
/* worker_parts - what a worker is made of, wherever its packets come from
 *
 * Internal to sensor/app: shared by worker (capture files) and worker_live
 * (interfaces). The owner says where packets come from and where records go;
 * here are the stages between, made and ended, and the record of counts. */
#include "dissectors/content/memo.h"
#include "dissectors/dns_tell.h"
#include "dissectors/smtp.h"
#include "sensor/app/worker.h"
#include "sensor/net/community_id.h"
#include "sensor/net/net.h"

#define WORKER_DESCRIBED 1024U /* flows whose Community ID is remembered */

/* The Community ID of a flow: a hash of two blocks, the same for each of the
 * flow's events. */
struct worker_described {
    uint64_t flow;
    char id[COMMUNITY_ID_LEN];
};

struct worker_late;

struct worker {
    const struct worker_plan *plan;
    unsigned number;
    uint64_t ones; /* 0: another worker counts the same packets; or 1 */
    /* set by the owner before worker_parts_start */
    struct record_sink sink;
    struct span (*iface_name)(void *ctx, uint16_t iface); /* empty: unknown */
    void *iface_ctx;

    struct net *net;
    struct smtp_ctx *smtp;
    struct dns_tell *dns; /* or NULL */
    struct community_id_ctx *community;
    struct record_out out;
    struct worker_described described[WORKER_DESCRIBED];
    struct content_memo *memo;
    uint64_t memo_hashes;         /* the list of hashes that it knows by */
    uint64_t n_known;             /* files that it knew */
    struct hashlist_name listed;  /* found last */
    struct content_result second; /* of an outside engine */
    uint64_t n_clamd, n_clamd_failed;
    unsigned clamd_failures;  /* in a row */
    unsigned clamd_rest;      /* parts not asked about yet */
    uint32_t seq;             /* of records about itself */
    struct worker_late *late; /* NULL: inspections are waited for */
};

/* How the flows are divided, and what a worker may use. */
struct worker_share {
    unsigned worker, n_workers; /* of net_options */
    uint64_t memory_max;
    uint32_t flows_max;
    uint64_t seed;
    bool (*is_mine)(void *ctx, const struct decoded *d); /* or NULL */
    void *mine_ctx;
};

/* worker_parts_end also after this has failed. */
MUST_USE enum err worker_parts_start(struct worker *w,
                                     const struct worker_share *share);
void worker_parts_end(struct worker *w);

/* Begins a record about the worker itself: of no time, of no flow. */
void worker_parts_begin(struct worker *w, enum event_type type);
void worker_parts_put(struct worker *w);

/* What only a live worker has to tell of itself. */
struct worker_live_counts {
    uint64_t dropped, missed, clock_steps, records_lost;
};

/* One STATS record with all its counts up to now. live is NULL of files. */
void worker_parts_tell(struct worker *w, const struct worker_live_counts *live);

/* What worker_late does of an inspection in its own time. known: it was found
 * before; list is for learn, which keeps what was found in whole. */
bool worker_parts_known(struct worker *w, const struct content_job *job,
                        struct content_result *result, uint64_t *list);
void worker_parts_learn(struct worker *w, const struct content_job *job,
                        const struct content_result *result, uint64_t list);
/* True: clamd is not asked about this part. said: its answer is in w->second.
 */
bool worker_parts_clamd_rests(struct worker *w, struct content_result *result);
void worker_parts_clamd_said(struct worker *w, bool whole,
                             struct content_result *result);

/* A tick with a time, or the one that says: sorted from now on (for
 * net_finish). */
void worker_parts_tick(struct worker *w, ns_t tick);
void worker_parts_sorted(void *worker);

#endif
