/* metrics_page - the page of numbers of sensors that nobody has, for tests
 *
 *     metrics_page healthy|sick|full STEP
 *
 * By the code of the live sensor, with every metric on it. Counters grow with
 * STEP. healthy: no alert rule may fire but the watchdog. sick: all is wrong
 * that may be wrong at once; full: the rest. */
#include "sensor/app/live_metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PAGE (512U << 10)
#define MIB  (1ULL << 20)

struct made {
    struct live_board *b;
    struct live_watch *w;
    struct live_numbers n;
    ns_t now;
    uint64_t step;
    bool sick, full;
};

static uint64_t
ago(const struct made *m, uint64_t seconds)
{
    return m->now - seconds * NS_PER_S;
}

static void
make_capture(struct made *m)
{
    struct live_worker *w = &m->b->worker[0];

    m->b->n_ifaces = 3;
    m->b->n_workers = m->b->n_vlans = m->b->n_prefixes = 1;
    m->b->vlan[0] = 214;
    for (unsigned i = 0; i < m->b->n_ifaces; i++) {
        struct live_iface *f = &w->iface[i];

        memcpy(m->b->iface_name[i], "mirror0", 8);
        m->b->iface_name[i][6] = (char)('0' + i);
        atomic_store(&f->packets, m->step * 1000);
        atomic_store(&f->bytes, m->step * 1000000);
        atomic_store(&f->dropped, m->sick ? m->step * 7 : 1);
        atomic_store(&f->missed, 1);
        atomic_store(&f->up, !m->sick || i != 1);
        if (!m->sick || i != 2) /* never a packet there */
            atomic_store(&f->last_utc_ns, ago(m, m->sick ? 900 : 0));
    }
    atomic_store(&w->vlan_utc_ns[0], ago(m, 5));
    atomic_store(&w->prefix_utc_ns[0], ago(m, 6));
    atomic_store(&w->records, m->step * 50);
    atomic_store(&w->records_lost, m->sick ? m->step : 0);
    atomic_store(&w->behind_ns, NS_PER_S / 100);
    atomic_store(&w->pause_ns, NS_PER_S / 20);
    atomic_store(&w->memory_bytes, 80 * MIB);
    atomic_store(&w->connections, 400);
}

static void
make_processes(struct made *m)
{
    for (unsigned r = 0; r < LIVE_ROLES; r++) {
        /* the board is ours: what it gives for reading may be written */
        struct live_process *p =
            (struct live_process *)(uintptr_t)live_board_process(
                m->b, (enum live_role)r, 0);
        struct live_usage *u =
            &m->b->core.usage[live_board_usage((enum live_role)r, 0)];

        atomic_store(&p->pid, m->sick && r == LIVE_INDEX ? 0 : 7);
        atomic_store(&p->since_utc_ns, ago(m, 3600));
        atomic_store(&p->beat_mono_ns, 9 * NS_PER_S);
        atomic_store(&p->restarts, 0);
        atomic_store(&u->cpu_ns, m->step * NS_PER_S / 50);
        atomic_store(&u->resident_bytes, 40 * MIB);
    }
}

static void
make_core(struct made *m)
{
    struct live_core_board *c = &m->b->core;

    atomic_store(&c->events, m->step * 40);
    atomic_store(&c->journal_seq, m->step * 40 + 200000);
    atomic_store(&m->b->index_seq, m->sick ? 5 : m->step * 40 + 199000);
    atomic_store(&c->stream_ns, ago(m, 1));
    atomic_store(&c->ready, 1);
    atomic_store(&c->config_loads, 1);
    atomic_store(&c->journal_failed, m->sick);
    atomic_store(&c->room_step, m->sick ? 2 : m->full ? 1 : 0);
    atomic_store(&c->room_mark, 100 * MIB);
    atomic_store(&c->unjournaled, m->sick ? m->step : 0);
    atomic_store(&c->clock.known, 1);
    atomic_store(&c->clock.synchronised, !m->sick);
    atomic_store(&c->clock.offset_ns, NS_PER_S / 1000);
    atomic_store(&m->b->recorder_bytes, 3 * MIB);
}

static void
make_outward(struct made *m)
{
    struct live_sink *s = &m->b->publish.sink[0];
    struct live_feeds_board *f = &m->b->feeds;

    m->b->n_sinks = m->b->n_consumers = 1;
    (void)snprintf(m->b->sink_name[0], LIVE_SINK_NAME_MAX, "soc");
    for (unsigned k = 0; k < KEEP_KINDS; k++) {
        atomic_store(&s->lane[k].journaled, m->step * 9 + 1);
        atomic_store(&s->lane[k].acknowledged, m->step * 7);
        atomic_store(&s->lane[k].lost, m->sick ? m->step : 0);
    }
    atomic_store(&s->since_utc_ns, ago(m, m->sick ? 4000 : 2));
    (void)snprintf(m->b->consumer_name[0], LIVE_CONSUMER_NAME_MAX, "fw-edge");
    m->b->consumer_late_ns[0] = 900 * NS_PER_S;
    atomic_store(&f->consumer[0].last_utc_ns, ago(m, m->sick ? 5000 : 60));
    atomic_store(&f->consumer[0].fetches, m->step);
    atomic_store(&f->serial, 4);
    atomic_store(&f->elements, 12);
    atomic_store(&f->made_utc_ns, ago(m, 60));
    atomic_store(&f->expires_utc_ns,
                 m->sick ? ago(m, 1) : m->now + 3000 * NS_PER_S);
    atomic_store(&f->verdict, m->sick);
    atomic_store(&f->kept_out, 3);
    atomic_store(&f->waiting, m->sick ? 2 : 0);
}

static void
make_watch(struct made *m)
{
    struct live_watch *w = m->w;

    w->counted = true;
    w->sum[LIVE_SUM_BYTES_SEEN] = m->step * 100000;
    w->sum[LIVE_SUM_BYTES_UNSEEN] = m->step * (m->sick ? 9000 : 90);
    w->sum[LIVE_SUM_MESSAGES] = m->step * 3;
    w->sum[LIVE_SUM_NO_MEMORY] = m->sick ? m->step : 0;
    for (unsigned d = 0; d < LIVE_DIRECTIONS; d++) {
        w->sessions[d][0][LIVE_EVIDENCE_WHOLE] = m->step * 2;
        w->sessions[d][1][LIVE_EVIDENCE_GAPS] = m->step;
        w->sessions[d][0][LIVE_EVIDENCE_ONEWAY] = m->sick ? m->step * 9 : 1;
        w->transactions[d][LIVE_OUTCOME_ACCEPTED] = m->step * 2;
        w->transactions[d][LIVE_OUTCOME_REJECTED] = m->step;
    }
    w->files[LIVE_CLASS_B] = w->files[LIVE_CLASS_NONE] = m->step;
    w->findings[POLICY_SENDER] = m->step;
    w->anomalies[ANOM_RESYNC] = m->step;
    w->decisions[LIVE_ACTION_BLOCK][LIVE_ORIGIN_DETECTOR] = m->step;
    (void)snprintf(w->rules[0].rule, LIVE_WATCH_RULE, "span25.many_refused");
    w->rules[0].opened[LIVE_SEVERITY_HIGH] = m->step;
    (void)snprintf(w->closed[0].rule, LIVE_WATCH_RULE, "span25.many_refused");
    w->closed[0].reason = LIVE_CLOSE_EVIDENCE;
    w->closed[0].n = m->step;
}

static void
make_numbers(struct made *m)
{
    static const struct live_named lines[] = {
        {"requested", 2 },
        {"permitted", 58},
    };
    struct live_numbers *n = &m->n;

    n->version = "1";
    n->mode = "enforce";
    n->made_utc = ago(m, m->sick ? 300 : 0);
    for (unsigned i = 0; i < LIVE_BLOCKS; i++)
        n->blocks[i] = (struct live_number){true, i};
    for (unsigned i = 0; i < LIVE_SEVERITIES; i++)
        n->open[i] = (struct live_number){true, i};
    memcpy(n->lines, lines, sizeof(lines));
    n->overdue_forms = (struct live_number){true, 0};
    n->oldest_pending_s = (struct live_number){true, m->sick ? 155000 : 60};
    n->next_due = m->now + (m->sick ? 1U : 40U) * 3600 * NS_PER_S;
    for (unsigned i = 0; i < LIVE_STORES; i++)
        n->store[i] = (struct live_number){true, (i + 1) * MIB};
    n->store_free = (struct live_number){true, 9000 * MIB - m->step};
    n->store_size = (struct live_number){true, 10000 * MIB};
}

int
main(int argc, char **argv)
{
    struct made m = {.w = calloc(1, sizeof(*m.w))};
    struct timespec t;
    struct buf page;
    size_t n;

    if (argc != 3 || m.w == NULL || live_board_new(&m.b) != ERR_OK)
        return 2;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    m.now = (ns_t)t.tv_sec * NS_PER_S;
    m.step = strtoull(argv[2], NULL, 10);
    m.sick = span_eq(span_str(argv[1]), SPAN_LIT("sick"));
    m.full = span_eq(span_str(argv[1]), SPAN_LIT("full"));
    (void)snprintf(m.b->sensor, sizeof(m.b->sensor), "%s", argv[1]);
    make_capture(&m);
    make_processes(&m);
    make_core(&m);
    make_outward(&m);
    make_watch(&m);
    make_numbers(&m);
    buf_init(&page, PAGE);
    live_metrics_write(m.b, m.w, &m.n, 10 * NS_PER_S, &page);
    n = fwrite(page.p, 1, page.n, stdout);
    n = n == page.n && !page.cut && !page.failed;
    buf_free(&page);
    live_board_free(m.b);
    free(m.w);
    return n ? 0 : 1;
}
