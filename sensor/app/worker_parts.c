#include "sensor/app/worker_parts.h"

#include "sensor/app/worker_late.h"

#define CLAMD_FAILURES 3U    /* in a row, then it rests */
#define CLAMD_REST     1000U /* parts */
#define PORT_DNS       53U
#define PROTO_TCP      6U
#define PROTO_UDP      17U

static void
put(struct worker *w, struct span record)
{
    w->sink.put(w->sink.ctx, record);
}

void
worker_parts_tick(struct worker *w, ns_t tick)
{
    struct record_head head = {.when = tick, .type = EVENT_TICK};

    record_begin(&w->out, &head);
    put(w, record_view(&w->out));
}

static void
on_tick(void *ctx, ns_t tick)
{
    worker_parts_tick(ctx, tick);
}

/* From now on records of this time come in the order of their flows, which the
 * merge is told by a tick with a number. */
void
worker_parts_sorted(void *worker)
{
    struct worker *w = worker;
    struct record_head head = {
        .when = net_now(w->net), .seq = TICK_SORTED, .type = EVENT_TICK};

    record_begin(&w->out, &head);
    put(w, record_view(&w->out));
}

static void
put_community_id(const struct worker *w, uint8_t proto, const struct flow *f,
                 char out[COMMUNITY_ID_LEN])
{
    const struct community_id_end client = {&f->client, f->client_port};
    const struct community_id_end server = {&f->server, f->server_port};

    community_id(w->community, proto, client, server, out);
}

static void
put_iface(const struct worker *w, const struct flow *f, struct record_out *r)
{
    const struct span name = w->iface_name(w->iface_ctx, f->iface);

    if (name.n > 0)
        record_str(r, FIELD_IN_IFACE, name);
}

static void
describe(void *ctx, const struct flow *f, struct record_out *r)
{
    struct worker *w = ctx;
    struct worker_described *d = &w->described[f->id % WORKER_DESCRIBED];

    if (d->flow != f->id || f->id == 0) {
        put_community_id(w, PROTO_TCP, f, d->id);
        d->flow = f->id;
    }
    record_str(r, FIELD_COMMUNITY_ID, span_of(d->id, sizeof(d->id)));
    put_iface(w, f, r);
}

/* One event each: nothing to remember. */
static void
describe_datagram(void *ctx, const struct flow *f, struct record_out *r)
{
    struct worker *w = ctx;
    char id[COMMUNITY_ID_LEN];

    put_community_id(w, PROTO_UDP, f, id);
    record_str(r, FIELD_COMMUNITY_ID, span_of(id, sizeof(id)));
    put_iface(w, f, r);
}

static bool
is_home(void *ctx, const struct addr *a)
{
    const struct worker *w = ctx;

    return sites_find(w->plan->home, a, 0).home;
}

/* A daemon that does not answer is left alone for a while: counted in parts, so
 * that no clock is asked. */
bool
worker_parts_clamd_rests(struct worker *w, struct content_result *result)
{
    result->nondeterministic = true;
    w->n_clamd++;
    if (w->clamd_rest == 0)
        return false;
    w->clamd_rest--;
    w->n_clamd_failed++;
    findings_add(&result->findings, FIND_CLAMD_FAILED);
    return true;
}

void
worker_parts_clamd_said(struct worker *w, bool whole,
                        struct content_result *result)
{
    const struct content_result *r = &w->second;
    const bool failed = !whole || findings_has(&r->findings, FIND_CLAMD_FAILED);

    findings_merge(&result->findings, &r->findings);
    w->n_clamd_failed += failed;
    w->clamd_failures = failed ? w->clamd_failures + 1 : 0;
    if (w->clamd_failures >= CLAMD_FAILURES) {
        w->clamd_failures = 0;
        w->clamd_rest = CLAMD_REST;
    }
}

static void
ask_clamd(struct worker *w, const struct content_job *job,
          struct content_result *result)
{
    if (worker_parts_clamd_rests(w, result))
        return;
    worker_parts_clamd_said(
        w, deep_inspect(w->plan->clamd, w->number, job, &w->second), result);
}

/* What is known depends on the list of hashes: on the one returned. */
static uint64_t
follow_hashes(struct worker *w)
{
    const uint64_t now = hashlist_generation(w->plan->hashes);

    if (now != w->memo_hashes)
        content_memo_forget(w->memo);
    w->memo_hashes = now;
    return now;
}

bool
worker_parts_known(struct worker *w, const struct content_job *job,
                   struct content_result *result, uint64_t *list)
{
    *list = follow_hashes(w);
    if (!content_memo_find(w->memo, job, result))
        return false;
    w->n_known++;
    return true;
}

void
worker_parts_learn(struct worker *w, const struct content_job *job,
                   const struct content_result *result, uint64_t list)
{
    if (list == hashlist_generation(w->plan->hashes))
        content_memo_keep(w->memo, job, result);
}

static bool
look_into(struct worker *w, const struct content_job *job,
          struct content_result *result)
{
    uint64_t list;
    bool whole;

    if (worker_parts_known(w, job, result, &list))
        return true;
    whole = deep_inspect(w->plan->deep, w->number, job, result);
    if (whole)
        worker_parts_learn(w, job, result, list);
    return whole;
}

static bool
inspect(void *ctx, const struct content_job *job, struct content_result *result)
{
    struct worker *w = ctx;
    bool whole = true;

    if (w->late != NULL && worker_late_refuses(w->late, result))
        return false;
    if (w->plan->deep != NULL)
        whole = look_into(w, job, result);
    if (w->plan->clamd != NULL)
        ask_clamd(w, job, result);
    return whole;
}

/* Live, where packets do not wait for inspections. */
static bool
inspect_later(void *ctx, struct part *p)
{
    const struct worker *w = ctx;

    return w->late != NULL && worker_late_take(w->late, p);
}

static void
forget(void *ctx, struct part *p)
{
    const struct worker *w = ctx;

    worker_late_forget(w->late, p);
}

static bool
listed(void *ctx, const uint8_t sha256[32], struct span *name)
{
    struct worker *w = ctx;

    if (!hashlist_find(w->plan->hashes, sha256, &w->listed))
        return false;
    *name = span_of(w->listed.bytes, w->listed.n);
    return true;
}

/* ---- counts ---- */

void
worker_parts_begin(struct worker *w, enum event_type type)
{
    struct record_head head = {.seq = w->seq++, .type = type};

    record_begin(&w->out, &head);
}

void
worker_parts_put(struct worker *w)
{
    put(w, record_view(&w->out));
}

static void
tell_content(struct worker *w, const struct smtp_stats *s)
{
    struct deep_counts d = {0};
    struct record_out *r = &w->out;

    if (w->plan->deep != NULL)
        d = deep_counts_of(w->plan->deep, w->number);
    record_u64(r, FIELD_STATS_PARTS, s->parts);
    record_u64(r, FIELD_STATS_PART_BYTES, s->part_bytes);
    record_u64(r, FIELD_STATS_INSPECTED, d.jobs + w->n_known);
    record_u64(r, FIELD_STATS_INSPECTION_FAULTS, d.faults);
    record_u64(r, FIELD_STATS_INSPECTION_TIMEOUTS, d.timeouts);
    record_u64(r, FIELD_STATS_INSPECTION_REFUSED, d.refused);
    record_u64(r, FIELD_STATS_INSPECTION_LATE,
               s->late_refused +
                   (w->late != NULL ? worker_late_refused(w->late) : 0));
    record_u64(r, FIELD_STATS_CLAMD, w->n_clamd);
    record_u64(r, FIELD_STATS_CLAMD_FAILED, w->n_clamd_failed);
}

static void
tell_dns(struct worker *w, uint64_t answers)
{
    struct record_out *r = &w->out;

    if (w->dns == NULL)
        return;
    record_u64(r, FIELD_STATS_DNS_ANSWERS, answers);
    record_u64(r, FIELD_STATS_DNS_TOLD, dns_tell_stats_of(w->dns)->told);
    record_u64(r, FIELD_STATS_DNS_DUPLICATES,
               dns_tell_stats_of(w->dns)->duplicates);
    record_u64(r, FIELD_STATS_DNS_MALFORMED,
               dns_tell_stats_of(w->dns)->malformed);
}

static void
tell_decode(struct worker *w, const struct net_stats *n)
{
    const uint64_t one = w->ones;
    struct record_out *r = &w->out;

    record_u64(r, FIELD_STATS_DECODE_BAD, one * n->malformed);
    record_u64(r, FIELD_STATS_DECODE_OTHER, one * n->other);
    record_u64(r, FIELD_STATS_FRAGMENTS, one * n->fragments);
    record_u64(r, FIELD_STATS_REASSEMBLED, one * n->defragmented);
    record_u64(r, FIELD_STATS_FRAGMENTS_BAD, one * n->fragments_bad);
    record_u64(r, FIELD_STATS_FRAGMENTS_DIFFER, one * n->fragments_differ);
    record_u64(r, FIELD_STATS_DATAGRAMS_LATE, one * n->datagrams_late);
    record_u64(r, FIELD_STATS_DATAGRAMS_EVICTED, one * n->datagrams_evicted);
}

/* Counts of the whole capture are the same in all workers: one tells them. */
void
worker_parts_tell(struct worker *w, const struct worker_live_counts *live)
{
    const struct net_stats *n = net_stats(w->net);
    const struct smtp_stats *s = smtp_stats_of(w->smtp);
    const struct smtp_suspect_stats *q = smtp_suspects_of(w->smtp);
    const uint64_t one = w->ones;
    struct record_out *r = &w->out;

    worker_parts_begin(w, EVENT_STATS);
    record_u64(r, FIELD_STATS_PACKETS, one * n->packets);
    record_u64(r, FIELD_STATS_BYTES, one * n->bytes);
    record_u64(r, FIELD_STATS_CUT, one * n->cut);
    record_u64(r, FIELD_STATS_BACKWARD, one * n->time_backward);
    if (live != NULL) {
        record_u64(r, FIELD_STATS_DROPPED, live->dropped);
        record_u64(r, FIELD_STATS_MISSED, live->missed);
        record_u64(r, FIELD_STATS_CLOCK_STEPS, live->clock_steps);
        record_u64(r, FIELD_STATS_WORKER, w->number);
    }
    tell_decode(w, n);
    record_u64(r, FIELD_STATS_TCP, one * n->segments);
    record_u64(r, FIELD_STATS_FLOWS, n->flows);
    record_u64(r, FIELD_STATS_FLOWS_EVICTED, n->evicted);
    record_u64(r, FIELD_STATS_NO_MEMORY, n->no_memory);
    record_u64(r, FIELD_STATS_BYTES_SEEN, n->bytes_seen);
    record_u64(r, FIELD_STATS_BYTES_LOST, n->lost);
    record_u64(r, FIELD_STATS_GAPS, n->gaps);
    record_u64(r, FIELD_STATS_DUPLICATES, n->duplicates);
    record_u64(r, FIELD_STATS_REASSEMBLY_DROPPED, n->reassembly_dropped);
    record_u64(r, FIELD_STATS_SUSPECTS, q->shown);
    record_u64(r, FIELD_STATS_SUSPECTS_FOUND, q->found);
    record_u64(r, FIELD_STATS_SUSPECTS_REFUSED, q->refused);
    record_u64(r, FIELD_STATS_SESSIONS, s->sessions);
    record_u64(r, FIELD_STATS_SESSIONS_TLS, s->sessions_tls);
    record_u64(r, FIELD_STATS_SESSIONS_ONEWAY, s->sessions_oneway);
    record_u64(r, FIELD_STATS_SESSIONS_GAPS, s->sessions_gaps);
    record_u64(r, FIELD_STATS_TRANSACTIONS, s->transactions);
    record_u64(r, FIELD_STATS_MESSAGES, s->messages);
    tell_content(w, s);
    record_u64(r, FIELD_STATS_CUT_RECORDS, s->records_cut);
    if (live != NULL)
        record_u64(r, FIELD_STATS_RECORDS_LOST, live->records_lost);
    tell_dns(w, one * n->datagrams);
    worker_parts_put(w);
}

/* ---- life ---- */

static enum err
start_dns(struct worker *w)
{
    const struct dns_tell_options o = {
        .sink = w->sink,
        .home = {w->plan->home != NULL ? is_home : NULL, w},
        .describe = describe_datagram,
        .describe_ctx = w,
    };

    return w->plan->dns ? dns_tell_new(&o, &w->dns) : ERR_OK;
}

static enum err
start_smtp(struct worker *w, const struct worker_share *share)
{
    const struct worker_plan *p = w->plan;
    const struct smtp_options o = {
        .sink = w->sink,
        .memory_max = share->memory_max / 2,
        .body_digest = p->body_digest,
        .name_others = p->name_others,
        .ask_ndpi = p->ask_ndpi,
        .locked = p->locked,
        .content_max = p->content_max,
        .carve_parts = p->carve_parts,
        .save_mail = p->save_mail,
        .part = {.md5 = p->all_hashes,
                 .sha1 = p->all_hashes,
                 .inspect =
                     p->deep != NULL || p->clamd != NULL ? inspect : NULL,
                 .keep_all = p->keep_all,
                 .inspect_ctx = w,
                 .later = inspect_later,
                 .forget = forget,
                 .listed = p->hashes != NULL ? listed : NULL,
                 .listed_ctx = w},
        .describe = describe,
        .describe_ctx = w,
    };

    return smtp_new(&o, &w->smtp);
}

static enum err
start_net(struct worker *w, const struct worker_share *share)
{
    const struct worker_plan *p = w->plan;
    const struct net_options o = {
        .worker = share->worker,
        .n_workers = share->n_workers,
        .ports = p->ports,
        .n_ports = p->n_ports,
        .memory_max = share->memory_max / 2,
        .flows_max = share->flows_max,
        .seed = share->seed,
        .ops = &smtp_ops,
        .ops_ctx = w->smtp,
        .datagram_port = PORT_DNS,
        .datagram_ops = w->dns != NULL ? &dns_tell_ops : NULL,
        .datagram_ctx = w->dns,
        .on_tick = on_tick,
        .tick_ctx = w,
        .is_mine = share->is_mine,
        .mine_ctx = share->mine_ctx,
    };

    return net_new(&o, &w->net);
}

enum err
worker_parts_start(struct worker *w, const struct worker_share *share)
{
    enum err e;

    record_init(&w->out);
    content_result_init(&w->second);
    e = community_id_new(&w->community);
    if (e == ERR_OK)
        e = content_memo_new(&w->memo);
    if (e == ERR_OK)
        e = start_smtp(w, share);
    if (e == ERR_OK)
        e = start_dns(w);
    if (e == ERR_OK)
        e = start_net(w, share);
    return e;
}

void
worker_parts_end(struct worker *w)
{
    net_free(w->net);
    smtp_free(w->smtp);
    worker_late_free(w->late);
    dns_tell_free(w->dns);
    community_id_free(w->community);
    record_free(&w->out);
    content_result_free(&w->second);
    content_memo_free(w->memo);
}
