/* detect_fuzz - the input is a list of steps of five bytes: what, and a seed
 *
 * Events as tests/support/random_event.h makes them go through statistics,
 * campaigns, the shipped rules, alerts and decisions; what is concluded goes
 * through them again, as the core does it. It must come to an end, each
 * conclusion must be a record that holds, and nothing may be dropped. */
#include "rules/detect.h"

#include <stdlib.h>

#include "tests/support/random_event.h"
#include "rules/packs/packs.h"
#include "sensor/base/hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define STEPS_MAX 16U
#define EVENTS    60U
#define LOOPS_MAX 100000U
#define START     (UINT64_C(1780000020) * NS_PER_S)
#define SECOND    ((ns_t)NS_PER_S)

struct run {
    struct detect *d;
    struct events_kit kit;
};

static struct sigma_set *
shipped(void)
{
    struct sigma_set *set;
    struct buf messages;

    buf_init(&messages, 1U << 20);
    REQUIRE(sigma_set_new(&set) == ERR_OK);
    for (const struct pack_file *f = packs; f->name != NULL; f++) {
        struct span name = span_str(f->name);
        size_t tail = name.n > 5 ? name.n - 5 : 0;

        if (span_eq(span_tail(name, tail), SPAN_LIT(".yaml")))
            REQUIRE(sigma_load(set, f->text, name, &messages) == ERR_OK);
    }
    REQUIRE(sigma_set_compile(set, &messages) == ERR_OK);
    buf_free(&messages);
    return set;
}

static struct detect *
fresh(const struct sigma_set *set)
{
    struct detect_options o = {
        .hosts = hosts_options_default,
        .decide = {.limits = decide_limits_default},
        .rules = set,
    };
    struct detect *d;

    o.hosts.hosts = 80;
    o.hosts.detail = 40;
    o.hosts.filter = 1U << 12;
    o.hosts.interval = 600 * SECOND;
    REQUIRE(detect_new(&o, &d) == ERR_OK);
    return d;
}

/* Conclusions, and what is concluded of them. */
static void
take(struct run *r)
{
    struct buf copy;
    struct span s;
    unsigned n = 0;

    buf_init(&copy, RECORD_MAX);
    while ((s = detect_take(r->d)).n > 0) {
        struct record_map m;

        REQUIRE(record_check(s));
        REQUIRE(n++ < LOOPS_MAX);
        buf_reset(&copy); /* lent until the next call */
        buf_span(&copy, s);
        record_map_init(&m, buf_view(&copy));
        detect_event(r->d, &m);
    }
    buf_free(&copy);
}

static void
events(struct run *r)
{
    for (unsigned i = 0; i < EVENTS; i++) {
        struct record_map m;

        r->kit.now += random_next(&r->kit.x) % 20000 * (SECOND / 1000);
        events_make_event(&r->kit);
        if (!record_check(record_view(&r->kit.out)))
            continue;
        record_map_init(&m, record_view(&r->kit.out));
        detect_event(r->d, &m);
        take(r);
    }
}

static void
pass_time(struct run *r)
{
    static const ns_t jumps[] = {SECOND, 3600 * SECOND, 86400 * SECOND,
                                 8 * 86400 * SECOND};

    r->kit.now += jumps[random_next(&r->kit.x) % ARRAY_LEN(jumps)];
    detect_time(r->d, r->kit.now);
    take(r);
}

static void
end(struct run *r)
{
    detect_end(r->d, r->kit.now);
    take(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static void (*const steps[])(struct run *) = {events, events, events,
                                                  pass_time, end};
    struct sigma_set *set = shipped();
    struct cursor c = cur_open(span_of(data, n));
    struct run r = {.d = fresh(set), .kit.now = START};

    record_init(&r.kit.out);
    for (unsigned i = 0; i < STEPS_MAX && cur_left(&c) >= 5; i++) {
        uint8_t what = cur_u8(&c);

        r.kit.x = hash_mix(1, cur_le32(&c)) | 1;
        steps[what % ARRAY_LEN(steps)](&r);
        REQUIRE(detect_counts(r.d).dropped == 0);
    }
    detect_free(r.d);
    sigma_set_free(set);
    record_free(&r.kit.out);
    return 0;
}
