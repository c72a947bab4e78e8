/* own_packs - host statistics and all shipped rules, nothing else
 *
 * What issue 5 asks to be fast: each record is counted, then shown to the rules
 * with their correlations; so is each event of a host, published as the core
 * publishes it. No campaigns, alerts or decisions. Says nothing of anybody. */
#include "rules/host/hosts.h"
#include "tests/evaluate/own.h"
#include "tests/evaluate/publish.h"

#define SEED     UINT64_C(0x5eed)
#define HOSTS    100000U
#define TICK_NS  (NS_PER_S / 10)
#define WAIT_MAX (16U << 20)

struct fed {
    struct hosts *hosts;
    struct sigma_set *rules;
    struct sigma_run *run;
    struct publisher publisher;
    struct buf waiting; /* lengths and host events, to be published */
    ns_t tick;
};

static void
fed_free(void *d)
{
    struct fed *f = d;

    sigma_run_free(f->run);
    sigma_set_free(f->rules);
    hosts_free(f->hosts);
    publisher_fini(&f->publisher);
    buf_free(&f->waiting);
    free(f);
}

static enum err
fed_make(const struct play *p, void **out)
{
    struct hosts_options o = hosts_options_default;
    struct fed *f = calloc(1, sizeof(*f));
    enum err e;

    if (f == NULL)
        return ERR_NOMEM;
    publisher_init(&f->publisher, p);
    buf_init(&f->waiting, WAIT_MAX);
    o.seed = SEED;
    o.hosts = HOSTS;
    e = hosts_new(&o, &f->hosts);
    if (e == ERR_OK)
        e = publish_rules(&f->rules);
    if (e == ERR_OK)
        e = sigma_run_new(f->rules, SEED, NULL, &f->run);
    if (e != ERR_OK)
        fed_free(f);
    else
        *out = f;
    return e;
}

static void
wait(void *ctx, struct span record)
{
    struct fed *f = ctx;
    uint32_t n = (uint32_t)record.n;

    buf_put(&f->waiting, &n, sizeof(n));
    buf_span(&f->waiting, record);
}

static void
show_rules(struct fed *f, const struct record_map *m, ns_t when)
{
    size_t n;

    (void)sigma_eval_map(f->run, m, &n);
    (void)sigma_correlate(f->run, when, &n);
}

static void
publish(struct fed *f, const struct verdicts *v)
{
    struct span rest = buf_view(&f->waiting);

    while (rest.n > 0) {
        struct record_map m;
        uint32_t n;

        memcpy(&n, rest.p, sizeof(n));
        publisher_place(&f->publisher, span_of(rest.p + sizeof(n), n), &m);
        if (v->heard != NULL)
            v->heard(v->ctx, m.record);
        show_rules(f, &m, record_head_of(m.record).when);
        rest = span_tail(rest, sizeof(n) + n);
    }
    buf_reset(&f->waiting);
}

static void
pass_time(struct fed *f, ns_t now, const struct record_sink *sink)
{
    ns_t tick = now - now % TICK_NS;
    size_t n;

    if (tick <= f->tick)
        return;
    f->tick = tick;
    hosts_time(f->hosts, tick, sink);
    (void)sigma_tick(f->run, tick, &n);
}

static void
fed_event(void *d, struct subject *subject, const struct record_map *m,
          const struct verdicts *v)
{
    struct fed *f = d;
    struct record_sink sink = {wait, f};
    ns_t when = record_head_of(m->record).when;

    (void)subject;
    pass_time(f, when, &sink);
    hosts_event(f->hosts, m, NULL, &sink);
    show_rules(f, m, when);
    if (f->waiting.n > 0)
        publish(f, v);
}

const struct detector_ops detector_packs = {"statistics, packs",
                                            "host statistics and shipped rules",
                                            fed_make,
                                            fed_event,
                                            NULL,
                                            fed_free};
