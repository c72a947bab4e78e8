/* hosts_fuzz - the input is a list of steps of five bytes: what, and a seed
 *
 * Steps are runs of events made from the table of fields (likely values for
 * those that statistics read, any for others), jumps of time, lifts, ends and
 * snapshots. Tables are small, so that hosts are evicted all the time. Every
 * host event is a record that holds, bounds hold, and a hosts that was restored
 * from a snapshot says the same from then on as the one that went on. */
#include <stdlib.h>

#include "rules/host/hosts.h"
#include "sensor/base/hash.h"
#include "tests/support/random_event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define STEPS_MAX 64U
#define HOSTS     80U
#define DETAIL    40U
#define START     (UINT64_C(1780000020) * NS_PER_S)
#define SECOND    ((ns_t)NS_PER_S)

struct said {
    uint64_t hash;
    uint64_t n;
};

struct run {
    struct hosts *h;
    struct hosts *twin; /* restored, or NULL */
    struct said said, twin_said;
    struct events_kit kit;
    struct record_map map;
};

static void
hear(void *ctx, struct span record)
{
    struct said *s = ctx;

    REQUIRE(record_check(record));
    REQUIRE(record_head_of(record).type == EVENT_HOST);
    s->hash = hash_span(record, s->hash);
    s->n++;
}

static struct hosts_options
options(void)
{
    struct hosts_options o = hosts_options_default;

    o.seed = 7;
    o.hosts = HOSTS;
    o.detail = DETAIL;
    o.filter = 1U << 12;
    o.interval = 600 * SECOND;
    return o;
}

static struct hosts *
fresh(void)
{
    struct hosts_options o = options();
    struct hosts *h;

    REQUIRE(hosts_new(&o, &h) == ERR_OK);
    return h;
}

static struct campaign_join
make_join(struct run *r)
{
    return (struct campaign_join){
        .cluster = random_next(&r->kit.x) % 3,
        .kind =
            (enum campaign_kind)(random_next(&r->kit.x) % CAMPAIGN_KIND_COUNT),
        .sources = (uint32_t)random_next(&r->kit.x) % 6,
        .messages = (uint32_t)random_next(&r->kit.x) % 40,
        .duplicate = random_next(&r->kit.x) % 2 == 0,
    };
}

/* ---- steps ---- */

static void
give(struct run *r)
{
    struct record_sink sink = {hear, &r->said};
    struct record_sink twin = {hear, &r->twin_said};
    struct campaign_join j = make_join(r);

    if (!record_check(record_view(&r->kit.out)))
        return;
    record_map_init(&r->map, record_view(&r->kit.out));
    hosts_event(r->h, &r->map, j.cluster > 0 ? &j : NULL, &sink);
    if (r->twin != NULL)
        hosts_event(r->twin, &r->map, j.cluster > 0 ? &j : NULL, &twin);
}

static void
events(struct run *r)
{
    for (unsigned i = 0; i < 100; i++) {
        r->kit.now += random_next(&r->kit.x) % 20000 * (SECOND / 1000);
        if (random_next(&r->kit.x) % 10 == 0)
            random_record(&r->kit.out, &r->kit.x, 2);
        else
            events_make_event(&r->kit);
        /* any record's time is any: it comes as what has come by now */
        if (record_head_of(record_view(&r->kit.out)).when == r->kit.now)
            give(r);
    }
}

static void
pass_time(struct run *r)
{
    static const ns_t jumps[] = {
        SECOND,         60 * SECOND,        3600 * SECOND,
        86400 * SECOND, 8 * 86400 * SECOND, 40 * 86400 * SECOND};
    struct record_sink sink = {hear, &r->said};
    struct record_sink twin = {hear, &r->twin_said};

    r->kit.now += jumps[random_next(&r->kit.x) % ARRAY_LEN(jumps)];
    hosts_time(r->h, r->kit.now, &sink);
    if (r->twin != NULL)
        hosts_time(r->twin, r->kit.now, &twin);
}

static void
end(struct run *r)
{
    struct record_sink sink = {hear, &r->said};
    struct record_sink twin = {hear, &r->twin_said};

    hosts_end(r->h, r->kit.now, &sink);
    if (r->twin != NULL)
        hosts_end(r->twin, r->kit.now, &twin);
}

static void
lift(struct run *r)
{
    struct addr a;

    REQUIRE(addr_parse(span_str(events_word_for(&r->kit, FIELD_SRC_IP)), &a));
    hosts_reset(r->h, &a);
    if (r->twin != NULL)
        hosts_reset(r->twin, &a);
}

static void
restore(struct run *r)
{
    struct buf b;

    hosts_free(r->twin);
    r->twin = fresh();
    buf_init(&b, SIZE_MAX / 2);
    REQUIRE(hosts_save(r->h, &b) == ERR_OK);
    REQUIRE(hosts_load(r->twin, buf_view(&b)) == ERR_OK);
    r->twin_said = r->said;
    buf_free(&b);
}

static void
check(const struct run *r)
{
    struct hosts_counts c = hosts_counts(r->h);

    REQUIRE(c.hosts <= HOSTS && c.detailed <= DETAIL);
    REQUIRE(c.memory_bytes < 64U << 20);
    REQUIRE(r->twin == NULL ||
            (r->said.n == r->twin_said.n && r->said.hash == r->twin_said.hash));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static void (*const steps[])(struct run *) = {
        events, events, events, pass_time, lift, restore, end,
    };
    struct cursor c = cur_open(span_of(data, n));
    struct run r = {.h = fresh(), .kit.now = START};

    record_init(&r.kit.out);
    for (unsigned i = 0; i < STEPS_MAX && cur_left(&c) >= 5; i++) {
        uint8_t what = cur_u8(&c);

        r.kit.x = hash_mix(1, cur_le32(&c)) | 1;
        steps[what % ARRAY_LEN(steps)](&r);
        check(&r);
    }
    hosts_free(r.h);
    hosts_free(r.twin);
    record_free(&r.kit.out);
    return 0;
}
