#include "sensor/app/worker.h"

#include "dissectors/content/memo.h"
#include "dissectors/dns_tell.h"
#include "dissectors/smtp.h"
#include "sensor/capture/capture.h"
#include "sensor/net/community_id.h"
#include "sensor/net/net.h"

#include <stdio.h>

#define TABLE_SEED     UINT64_C(0x7370616e3235) /* read: a fixed one */
#define CLAMD_FAILURES 3U                       /* in a row, then it rests */
#define CLAMD_REST     1000U                    /* parts */
#define PORT_DNS       53U
#define PROTO_TCP      6U
#define PROTO_UDP      17U
#define PROGRESS_MASK  0xfffU
#define DESCRIBED      1024U /* flows whose Community ID is remembered */

/* The Community ID of a flow: a hash of two blocks, the same for each of the
 * flow's events. */
struct described {
    uint64_t flow;
    char id[COMMUNITY_ID_LEN];
};

struct worker {
    const struct worker_plan *plan;
    unsigned number;
    struct ring *ring;
    struct capture *capture;
    struct net *net;
    struct smtp_ctx *smtp;
    struct dns_tell *dns; /* or NULL */
    struct community_id_ctx *community;
    struct record_out out;
    struct described described[DESCRIBED];
    struct content_memo *memo;
    uint64_t memo_hashes;         /* the list of hashes that it knows by */
    uint64_t n_known;             /* files that it knew */
    struct hashlist_name listed;  /* found last */
    struct content_result second; /* of an outside engine */
    uint64_t n_clamd, n_clamd_failed;
    unsigned clamd_failures; /* in a row */
    unsigned clamd_rest;     /* parts not asked about yet */
    uint32_t seq;            /* of farewell records */
};

static void
put(void *ctx, struct span record)
{
    struct worker *w = ctx;

    ring_put_wait(w->ring, record);
}

static void
on_tick(void *ctx, ns_t tick)
{
    struct worker *w = ctx;
    struct record_head head = {.when = tick, .type = EVENT_TICK};

    record_begin(&w->out, &head);
    put(w, record_view(&w->out));
}

/* From now on records of this time come in the order of their flows, which the
 * merge is told by a tick with a number. */
static void
on_sorted(void *ctx)
{
    struct worker *w = ctx;
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
    if (f->iface < capture_n_ifaces(w->capture))
        record_str(r, FIELD_IN_IFACE,
                   capture_iface(w->capture, f->iface)->name);
}

static void
describe(void *ctx, const struct flow *f, struct record_out *r)
{
    struct worker *w = ctx;
    struct described *d = &w->described[f->id % DESCRIBED];

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
static void
ask_clamd(struct worker *w, const struct content_job *job,
          struct content_result *result)
{
    struct content_result *r = &w->second;
    bool failed;

    result->nondeterministic = true;
    w->n_clamd++;
    if (w->clamd_rest > 0) {
        w->clamd_rest--;
        w->n_clamd_failed++;
        findings_add(&result->findings, FIND_CLAMD_FAILED);
        return;
    }
    failed = !deep_inspect(w->plan->clamd, w->number, job, r) ||
             findings_has(&r->findings, FIND_CLAMD_FAILED);
    findings_merge(&result->findings, &r->findings);
    w->n_clamd_failed += failed;
    w->clamd_failures = failed ? w->clamd_failures + 1 : 0;
    if (w->clamd_failures >= CLAMD_FAILURES) {
        w->clamd_failures = 0;
        w->clamd_rest = CLAMD_REST;
    }
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

static bool
look_into(struct worker *w, const struct content_job *job,
          struct content_result *result)
{
    const uint64_t list = follow_hashes(w);
    bool whole;

    if (content_memo_find(w->memo, job, result)) {
        w->n_known++;
        return true;
    }
    whole = deep_inspect(w->plan->deep, w->number, job, result);
    if (whole && list == hashlist_generation(w->plan->hashes))
        content_memo_keep(w->memo, job, result);
    return whole;
}

static bool
inspect(void *ctx, const struct content_job *job, struct content_result *result)
{
    struct worker *w = ctx;
    bool whole = true;

    if (w->plan->deep != NULL)
        whole = look_into(w, job, result);
    if (w->plan->clamd != NULL)
        ask_clamd(w, job, result);
    return whole;
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

/* ---- farewell ---- */

static void
begin_farewell(struct worker *w, enum event_type type)
{
    struct record_head head = {.seq = w->seq++, .type = type};

    record_begin(&w->out, &head);
}

static void
tell_inputs(struct worker *w)
{
    struct record_out *r = &w->out;

    for (size_t i = 0; i < capture_n_files(w->capture); i++) {
        const struct capture_facts facts = capture_facts(w->capture, i);
        const struct capture_facts *f = &facts;

        begin_farewell(w, EVENT_CONTROL);
        record_text(r, FIELD_CONTROL_KIND, "input");
        record_text(r, FIELD_CONTROL_TEXT, f->name);
        record_u64(r, FIELD_CONTROL_NUMBER, f->size);
        record_u64(r, FIELD_STATS_PACKETS, f->packets);
        record_u64(r, FIELD_STATS_BYTES, f->bytes);
        if (f->packets > 0) {
            record_time(r, FIELD_STATS_FIRST, f->first);
            record_time(r, FIELD_STATS_LAST, f->last);
        }
        put(w, record_view(r));
    }
}

static void
tell_faults(struct worker *w)
{
    struct record_out *r = &w->out;

    for (size_t i = 0; i < capture_n_faults(w->capture); i++) {
        const struct capture_fault *f = capture_fault(w->capture, i);
        struct buf text;

        buf_init(&text, 8192);
        buf_str(&text, capture_facts(w->capture, f->file).name);
        buf_str(&text, ": ");
        buf_str(&text, f->text);
        begin_farewell(w, EVENT_CONTROL);
        record_text(r, FIELD_CONTROL_KIND, "fault");
        record_str(r, FIELD_CONTROL_TEXT, buf_view(&text));
        record_u64(r, FIELD_CONTROL_NUMBER, f->offset);
        put(w, record_view(r));
        buf_free(&text);
    }
}

/* Counts of the whole capture are the same in all workers: one tells them. */
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
tell_stats(struct worker *w)
{
    const struct net_stats *n = net_stats(w->net);
    const struct smtp_stats *s = smtp_stats_of(w->smtp);
    uint64_t one = w->number == 0;
    struct record_out *r = &w->out;

    begin_farewell(w, EVENT_STATS);
    record_u64(r, FIELD_STATS_PACKETS, one * n->packets);
    record_u64(r, FIELD_STATS_BYTES, one * n->bytes);
    record_u64(r, FIELD_STATS_CUT, one * n->cut);
    record_u64(r, FIELD_STATS_BACKWARD, one * n->time_backward);
    record_u64(r, FIELD_STATS_DECODE_BAD, one * n->malformed);
    record_u64(r, FIELD_STATS_DECODE_OTHER, one * n->other);
    record_u64(r, FIELD_STATS_FRAGMENTS, one * n->fragments);
    record_u64(r, FIELD_STATS_REASSEMBLED, one * n->defragmented);
    record_u64(r, FIELD_STATS_TCP, one * n->segments);
    record_u64(r, FIELD_STATS_FLOWS, n->flows);
    record_u64(r, FIELD_STATS_FLOWS_EVICTED, n->evicted);
    record_u64(r, FIELD_STATS_BYTES_SEEN, n->bytes_seen);
    record_u64(r, FIELD_STATS_BYTES_LOST, n->lost);
    record_u64(r, FIELD_STATS_GAPS, n->gaps);
    record_u64(r, FIELD_STATS_DUPLICATES, n->duplicates);
    record_u64(r, FIELD_STATS_REASSEMBLY_DROPPED, n->reassembly_dropped);
    record_u64(r, FIELD_STATS_SESSIONS, s->sessions);
    record_u64(r, FIELD_STATS_SESSIONS_TLS, s->sessions_tls);
    record_u64(r, FIELD_STATS_SESSIONS_ONEWAY, s->sessions_oneway);
    record_u64(r, FIELD_STATS_SESSIONS_GAPS, s->sessions_gaps);
    record_u64(r, FIELD_STATS_TRANSACTIONS, s->transactions);
    record_u64(r, FIELD_STATS_MESSAGES, s->messages);
    tell_content(w, s);
    record_u64(r, FIELD_STATS_CUT_RECORDS, s->records_cut);
    tell_dns(w, one * n->datagrams);
    put(w, record_view(r));
}

/* ---- life ---- */

static enum err
start_dns(struct worker *w)
{
    const struct dns_tell_options o = {
        .sink = {put,                                    w},
        .home = {w->plan->home != NULL ? is_home : NULL, w},
        .describe = describe_datagram,
        .describe_ctx = w,
    };

    return w->plan->dns ? dns_tell_new(&o, &w->dns) : ERR_OK;
}

static enum err
start(struct worker *w, struct buf *message)
{
    const struct worker_plan *p = w->plan;
    struct capture_options co = {.filter = p->filter, .stop = p->stop};
    struct smtp_options so = {
        .sink = {put,                                         w},
        .memory_max = p->memory_max / 2,
        .body_digest = p->body_digest,
        .content_max = p->content_max,
        .carve_parts = p->carve_parts,
        .save_mail = p->save_mail,
        .part = { .md5 = p->all_hashes,
                 .sha1 = p->all_hashes,
                 .inspect =
                     p->deep != NULL || p->clamd != NULL ? inspect : NULL,
                 .keep_all = p->keep_all,
                 .inspect_ctx = w,
                 .listed = p->hashes != NULL ? listed : NULL,
                 .listed_ctx = w},
        .describe = describe,
        .describe_ctx = w,
    };
    struct net_options no = {
        .worker = w->number,
        .n_workers = p->n_workers,
        .ports = p->ports,
        .n_ports = p->n_ports,
        .memory_max = p->memory_max / 2,
        .flows_max = p->flows_max,
        .seed = TABLE_SEED,
        .ops = &smtp_ops,
        .datagram_port = PORT_DNS,
        .on_tick = on_tick,
        .tick_ctx = w,
    };
    enum err e = capture_open(p->files, p->n_files, &co, &w->capture, message);

    if (e == ERR_OK)
        e = community_id_new(&w->community);
    if (e == ERR_OK)
        e = content_memo_new(&w->memo);
    if (e == ERR_OK)
        e = smtp_new(&so, &w->smtp);
    if (e == ERR_OK)
        e = start_dns(w);
    no.ops_ctx = w->smtp;
    no.datagram_ops = w->dns != NULL ? &dns_tell_ops : NULL;
    no.datagram_ctx = w->dns;
    if (e == ERR_OK)
        e = net_new(&no, &w->net);
    return e;
}

static void
walk(struct worker *w, struct worker_progress *progress)
{
    const volatile sig_atomic_t *stop = w->plan->stop;
    struct packet p;
    uint64_t n = 0;

    while (capture_next(w->capture, &p) == CAPTURE_PACKET && *stop == 0) {
        (void)net_packet(w->net, &p);
        if ((++n & PROGRESS_MASK) == 0) {
            atomic_store_explicit(&progress->position,
                                  capture_position(w->capture),
                                  memory_order_relaxed);
            atomic_store_explicit(&progress->packets, n, memory_order_relaxed);
        }
    }
    (void)net_finish(w->net, on_sorted, w);
}

void
worker_run(const struct worker_plan *plan, unsigned worker, struct ring *ring,
           struct worker_progress *progress)
{
    struct worker w = {.plan = plan, .number = worker, .ring = ring};
    struct buf message;
    enum err e;

    ring_be_quiet(ring);
    buf_init(&message, 1024);
    record_init(&w.out);
    content_result_init(&w.second);
    e = start(&w, &message);
    if (e == ERR_OK) {
        walk(&w, progress);
        if (worker == 0) {
            tell_inputs(&w);
            tell_faults(&w);
        }
        tell_stats(&w);
    }
    atomic_store(&progress->failed, (uint32_t)e);
    net_free(w.net);
    smtp_free(w.smtp);
    dns_tell_free(w.dns);
    community_id_free(w.community);
    capture_close(w.capture);
    record_free(&w.out);
    content_result_free(&w.second);
    content_memo_free(w.memo);
    buf_free(&message);
    ring_close(ring);
}
