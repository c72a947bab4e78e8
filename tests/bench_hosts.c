/* bench_hosts - what a million hosts cost, and how fast events are taken
 *
 *     bench_hosts [--hosts N] [--events N]
 *
 * Memory: N hosts at home, each with a connection and a refused recipient, then
 * one source with ten million recipients. Speed: a mixed stream of 1,000
 * sources made beforehand; maps are made beforehand too, as detect is given
 * them. Prints figures; fails when DESIGN 7's memory is passed. */
#include <inttypes.h>
#include <time.h>

#include "rules/host/hosts_stream_kit.h"

#define MIB 1048576.0

static uint64_t
number(int argc, char **argv, const char *name, uint64_t otherwise)
{
    for (int i = 1; i + 1 < argc; i++) {
        if (span_eq(span_str(argv[i]), span_str(name)))
            (void)span_to_u64(span_str(argv[i + 1]), &otherwise);
    }
    return otherwise;
}

static double
seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
drop(void *ctx, struct span record)
{
    uint64_t *n = ctx;

    *n += record.n > 0;
#ifdef HIST
    struct cursor c = record_entries_of(record);
    struct record_entry e;
    bool any = false;
    while (record_next(&c, &e))
        if (e.field == FIELD_HOST_CHANGES) {
            any = true;
            fprintf(stderr, "%.*s ", (int)e.value.n, (const char *)e.value.p);
        }
    fprintf(stderr, any ? "\n" : "interval\n");
#endif
}

static void
print_memory(const char *what, const struct hosts *h)
{
    struct hosts_counts c = hosts_counts(h);

    printf("%-28s %8" PRIu64 " hosts, %6" PRIu64 " detailed; MiB: table "
           "%.1f, promoted %.1f, sketches %.1f, all %.1f; evicted %" PRIu64
           ", refused %" PRIu64 ", filter %" PRIu32 " permille\n",
           what, c.hosts, c.detailed, (double)c.table_bytes / MIB,
           (double)c.detail_bytes / MIB, (double)c.sketch_bytes / MIB,
           (double)c.memory_bytes / MIB, c.evicted, c.refused,
           c.filter_permille);
}

static bool
fits(const struct hosts *h)
{
    struct hosts_counts c = hosts_counts(h);

    return (double)c.table_bytes <= 160 * MIB &&
           (double)c.detail_bytes <= 32 * MIB &&
           (double)c.sketch_bytes <= 224 * MIB;
}

static void
one_refused(struct kit_run *k, const struct kit_speaker *w, uint64_t i)
{
    char rcpt[64];
    struct kit_rcpt r = {rcpt, 550, "unknown_user", NULL};

    (void)snprintf(rcpt, sizeof(rcpt), "<u%" PRIu64 "@org%" PRIu64 ".example>",
                   i, i % 50000);
    kit_mail(k, w, &r, 1, 0, 0, true);
}

static bool
bench_memory(uint64_t hosts)
{
    struct hosts_options o = hosts_options_default;
    struct kit_speaker w = {.dest = "192.0.2.25",
                            .direction = "outbound",
                            .helo = "pc",
                            .from = "<a@b.example>",
                            .port = 25};
    struct kit_run k;
    char src[64];
    bool good;

    o.seed = 1;
    kit_open(&k, &o);
    w.src = src;
    for (uint64_t i = 0; i < hosts + hosts / 10; i++) {
        (void)snprintf(src, sizeof(src), "10.%u.%u.%u",
                       (unsigned)(i >> 16 & 255), (unsigned)(i >> 8 & 255),
                       (unsigned)(i & 255));
        one_refused(&k, &w, i);
        kit_session(&k, &w);
        k.text.n = 0;
    }
    print_memory("hosts that sent once", k.h);
    good = fits(k.h);
    (void)snprintf(src, sizeof(src), "172.16.1.1");
    for (uint64_t i = 0; i < 10 * hosts; i++) {
        one_refused(&k, &w, i);
        k.text.n = 0;
    }
    print_memory("and one to 10 per host", k.h);
    good = good && fits(k.h);
    kit_close(&k);
    return good;
}

struct made {
    struct buf bytes;
    uint64_t n;
};

static struct made
make_events(uint64_t n)
{
    struct hosts_options o = kit_options();
    struct kit_stream s = {.x = UINT64_C(0xabcdef12345),
                           .homes = 1000,
                           .step = 40 * NS_PER_MS,
                           .bots = 50};
    struct made m = {.n = n};
    struct kit_run k;

    buf_init(&m.bytes, SIZE_MAX / 2);
    kit_open(&k, &o);
    hosts_free(k.h);
    k.h = NULL;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t size;
        struct span r;

        stream_next(&k, &s);
        r = record_view(&k.out);
        size = r.n;
        buf_put(&m.bytes, &size, sizeof(size));
        buf_span(&m.bytes, r);
    }
    kit_close(&k);
    return m;
}

static double
run(const struct made *m, bool with_hosts, uint64_t *told)
{
    struct hosts_options o = hosts_options_default;
    struct record_sink sink = {drop, told};
    struct cursor c = cur_open(buf_view(&m->bytes));
    static struct record_map map;
    struct hosts *h;
    double from;

    o.seed = 1;
    REQUIRE(hosts_new(&o, &h) == ERR_OK);
    from = seconds();
    while (cur_left(&c) > 0) {
        struct span r = cur_take(&c, cur_le64(&c));

        record_map_init(&map, r);
        if (with_hosts)
            hosts_event(h, &map, NULL, &sink);
    }
    from = seconds() - from;
    hosts_free(h);
    return from;
}

static void
bench_speed(uint64_t n)
{
    struct made m = make_events(n);
    uint64_t told = 0;
    double maps = run(&m, false, &told);
    double all = run(&m, true, &told);

    printf("%" PRIu64 " events, %.0f bytes each: maps %.0f ns, hosts %.0f ns "
           "an event; %" PRIu64 " host events; %.0f events/s\n",
           n, (double)m.bytes.n / (double)n, maps / (double)n * 1e9,
           (all - maps) / (double)n * 1e9, told, (double)n / (all - maps));
    buf_free(&m.bytes);
}

int
main(int argc, char **argv)
{
    uint64_t hosts = number(argc, argv, "--hosts", 1000000);
    bool good = hosts == 0 || bench_memory(hosts);

    bench_speed(number(argc, argv, "--events", 500000));
    if (!good)
        printf("more memory than DESIGN 7 promises\n");
    return good ? 0 : 1;
}
