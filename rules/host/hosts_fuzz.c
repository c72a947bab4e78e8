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
#include "tests/support/random_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define STEPS_MAX 64U
#define HOSTS     80U
#define DETAIL    40U
#define START     (UINT64_C(1780000020) * NS_PER_S)
#define SECOND    ((ns_t)NS_PER_S)

/* Values by which the code under test decides; of lists one to three. */
static const struct {
    enum field field;
    const char *words[9];
} likely[] = {
    {FIELD_SRC_IP,
     {"10.20.1.1", "10.20.1.2", "10.20.1.3", "fd25:20::1", "fd25:20::2",
      "198.51.100.7", "2001:db8:1:2::3", "2001:db8:1:3::4"}                       },
    {FIELD_DEST_IP,
     {"198.51.100.1", "203.0.113.9", "192.0.2.3", "2001:db8:9::1", "10.20.0.25",
      "10.20.1.1", "fd25:20::1"}                                                  },
    {FIELD_DIRECTION,
     {"outbound", "outbound", "outbound", "internal", "inbound", "external"}      },
    {FIELD_SRC_REG_STATE,      {"registered", "unregistered"}                     },
    {FIELD_POLICY_FINDINGS,    {"unregistered_sender", "helo_mismatch"}           },
    {FIELD_SMTP_BANNER,        {"220 mx.example ESMTP", "220 b.example", "554 no"}},
    {FIELD_SMTP_HELO,          {"a.example", "b.example", "", "c.example"}        },
    {FIELD_SMTP_MAIL_FROM,     {"<a@x.example>", "<b@y.example>", "<>"}           },
    {FIELD_SMTP_RCPT_TO,
     {"<u1@a.example>", "<u2@b.example>", "<u3@c.co.uk>", "<u4@[192.0.2.9]>"}     },
    {FIELD_SMTP_RCPT_ADDR,
     {"<u1@a.example>", "<u2@b.example>", "<u3@c.co.uk>", "<u4@d.example>",
      "<u5@e.example>", "<u6@f.example>", "<u7@[192.0.2.9]>"}                     },
    {FIELD_SMTP_RCPT_CLASS,
     {"accepted", "unknown_user", "unknown_user", "greylisting", "blocklist"}     },
    {FIELD_SMTP_FINAL_LIST,    {"zen.spamhaus.org", "multi.surbl.org"}            },
    {FIELD_SMTP_VIA,           {"DATA", "BDAT"}                                   },
    {FIELD_SMTP_OUTCOME,       {"accepted", "rejected", "deferred"}               },
    {FIELD_SMTP_AUTH_OUTCOME,  {"failure", "success"}                             },
    {FIELD_SMTP_DIALECT_HELLO, {"EHLO", "HELO"}                                   },
    {FIELD_SMTP_DIALECT_ORDER, {"EMRDQ", "HMRDQ", "ES"}                           },
    {FIELD_EMAIL_SIMHASH,      {"0123456789abcdef", "0123456789abcdee"}           },
    {FIELD_FILEINFO_CLASS,     {"A", "B"}                                         },
    {FIELD_ETHER_SRC_MAC,      {"02:00:00:00:00:01", "02:00:00:00:00:02"}         },
    {FIELD_ETHER_DEST_MAC,     {"02:00:00:00:00:fe", "02:00:00:00:00:01"}         },
    {FIELD_DNS_RRNAME,
     {"a.example", "b.example", "1.1.20.10.in-addr.arpa", "c.example",
      "d.example", "e.example"}                                                   },
    {FIELD_DNS_RRTYPE,         {"MX", "PTR", "A"}                                 },
    {FIELD_DNS_ANSWERS,        {"a.example", "10.20.1.1", "b.example"}            },
};

static const enum event_type types[] = {
    EVENT_SMTP, EVENT_SMTP,     EVENT_SMTP_SESSION, EVENT_SMTP_SESSION,
    EVENT_DNS,  EVENT_FILEINFO, EVENT_ANOMALY,      EVENT_HOST,
};

struct said {
    uint64_t hash;
    uint64_t n;
};

struct run {
    struct hosts *h;
    struct hosts *twin; /* restored, or NULL */
    struct said said, twin_said;
    struct record_out out;
    struct record_map map;
    ns_t now;
    uint64_t x;
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

/* ---- events ---- */

static const char *
word_for(struct run *r, enum field f)
{
    for (size_t i = 0; i < ARRAY_LEN(likely); i++) {
        size_t n = 0;

        if (likely[i].field != f)
            continue;
        while (n < ARRAY_LEN(likely[i].words) && likely[i].words[n] != NULL)
            n++;
        return likely[i].words[random_next(&r->x) % n];
    }
    return NULL;
}

static uint64_t
small_number(struct run *r, enum field f)
{
    static const uint64_t ports[] = {25, 25, 25, 587, 465};
    static const uint64_t codes[] = {0, 220, 250, 250, 451, 550, 550};

    if (f == FIELD_DEST_PORT)
        return ports[random_next(&r->x) % ARRAY_LEN(ports)];
    if (f == FIELD_SMTP_RCPT_CODE || f == FIELD_SMTP_FINAL_CODE ||
        f == FIELD_SMTP_BANNER_CODE)
        return codes[random_next(&r->x) % ARRAY_LEN(codes)];
    if (random_next(&r->x) % 64 == 0)
        return random_number(&r->x);
    return random_next(&r->x) % 4 == 0 ? 0 : random_next(&r->x) % 300;
}

static void
put_one(struct run *r, enum field f)
{
    const char *word = word_for(r, f);
    struct addr a;

    if (word == NULL && field_table[f].type == FT_U64)
        record_u64(&r->out, f, small_number(r, f));
    else if (word == NULL || random_next(&r->x) % 40 == 0)
        random_entry(&r->out, &r->x, f);
    else if (field_table[f].type != FT_ADDR)
        record_text(&r->out, f, word);
    else if (addr_parse(span_str(word), &a))
        record_addr(&r->out, f, &a);
}

static void
put_object(struct run *r, enum field list)
{
    record_object_begin(&r->out, list);
    for (unsigned f = list; f < FIELD_COUNT; f++) {
        if (field_parent_of((enum field)f) == list &&
            random_next(&r->x) % 8 != 0)
            put_one(r, (enum field)f);
    }
    record_object_end(&r->out);
}

/* Would the field be there? Flags that take an event out of the count are
 * rare, addresses are not. */
static bool
is_there(struct run *r, enum field f)
{
    switch (f) {
    case FIELD_QUALITY_ONEWAY:
    case FIELD_QUALITY_MIDSTREAM:
    case FIELD_SMTP_NULL_SENDER:
    case FIELD_ATTEMPTS_COUNT:
    case FIELD_SMTP_PART: return random_next(&r->x) % 8 == 0;
    case FIELD_SRC_IP:
    case FIELD_DEST_IP:
    case FIELD_DEST_PORT:
    case FIELD_DIRECTION:
    case FIELD_SMTP_MAIL_FROM:
    case FIELD_SMTP_RCPT: return random_next(&r->x) % 16 != 0;
    default: break;
    }
    return random_next(&r->x) % 3 == 0;
}

static void
make_event(struct run *r)
{
    struct record_head head = {
        .when = r->now,
        .flow_id = random_next(&r->x) % 50,
        .seq = (uint32_t)random_next(&r->x),
        .type = types[random_next(&r->x) % ARRAY_LEN(types)],
    };

    record_begin(&r->out, &head);
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        enum field f = (enum field)i;
        uint64_t n = field_is_list(f) ? 1 + random_next(&r->x) % 3 : 1;

        if (field_is_header(f) || field_parent_of(f) != FIELD_COUNT ||
            !is_there(r, f))
            continue;
        for (; n > 0; n--) {
            if (field_table[f].type == FT_OBJS)
                put_object(r, f);
            else
                put_one(r, f);
        }
    }
}

static struct campaign_join
make_join(struct run *r)
{
    return (struct campaign_join){
        .cluster = random_next(&r->x) % 3,
        .kind = (enum campaign_kind)(random_next(&r->x) % CAMPAIGN_KIND_COUNT),
        .sources = (uint32_t)random_next(&r->x) % 6,
        .messages = (uint32_t)random_next(&r->x) % 40,
        .duplicate = random_next(&r->x) % 2 == 0,
    };
}

/* ---- steps ---- */

static void
give(struct run *r)
{
    struct record_sink sink = {hear, &r->said};
    struct record_sink twin = {hear, &r->twin_said};
    struct campaign_join j = make_join(r);

    if (!record_check(record_view(&r->out)))
        return;
    record_map_init(&r->map, record_view(&r->out));
    hosts_event(r->h, &r->map, j.cluster > 0 ? &j : NULL, &sink);
    if (r->twin != NULL)
        hosts_event(r->twin, &r->map, j.cluster > 0 ? &j : NULL, &twin);
}

static void
events(struct run *r)
{
    for (unsigned i = 0; i < 100; i++) {
        r->now += random_next(&r->x) % 20000 * (SECOND / 1000);
        if (random_next(&r->x) % 10 == 0)
            random_record(&r->out, &r->x, 2);
        else
            make_event(r);
        /* any record's time is any: it comes as what has come by now */
        if (record_head_of(record_view(&r->out)).when == r->now)
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

    r->now += jumps[random_next(&r->x) % ARRAY_LEN(jumps)];
    hosts_time(r->h, r->now, &sink);
    if (r->twin != NULL)
        hosts_time(r->twin, r->now, &twin);
}

static void
end(struct run *r)
{
    struct record_sink sink = {hear, &r->said};
    struct record_sink twin = {hear, &r->twin_said};

    hosts_end(r->h, r->now, &sink);
    if (r->twin != NULL)
        hosts_end(r->twin, r->now, &twin);
}

static void
lift(struct run *r)
{
    struct addr a;

    REQUIRE(addr_parse(span_str(word_for(r, FIELD_SRC_IP)), &a));
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
    struct run r = {.h = fresh(), .now = START};

    record_init(&r.out);
    for (unsigned i = 0; i < STEPS_MAX && cur_left(&c) >= 5; i++) {
        uint8_t what = cur_u8(&c);

        r.x = hash_mix(1, cur_le32(&c)) | 1;
        steps[what % ARRAY_LEN(steps)](&r);
        check(&r);
    }
    hosts_free(r.h);
    hosts_free(r.twin);
    record_free(&r.out);
    return 0;
}
