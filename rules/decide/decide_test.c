#include "rules/decide/decide_test_kit.h"
#include "sensor/base/hash.h"

static struct decide_options
options(void)
{
    return (struct decide_options){.seed = 7, .limits = decide_limits_default};
}

/* So many active hosts that the cap of a share does not matter. */
static struct decide_options
wide(void)
{
    struct decide_options o = options();

    o.limits.active_permille = 1000;
    return o;
}

static void
show_many(struct kit *k, size_t n, double at)
{
    for (size_t i = 0; i < n; i++) {
        struct kit_host h;
        char ip[64];

        snprintf(ip, sizeof(ip), "10.%zu.%zu.9", i / 250, i % 250);
        h = kit_bot(ip, at);
        h.level[0] = "normal";
        kit_show(k, &h);
    }
}

static void
test_blocks_once_and_ends(void **state)
{
    struct decide_options o = options();
    struct kit_host h = kit_bot("10.2.3.4", 0);
    struct kit k;

    (void)state;
    kit_open(&k, &o);
    kit_show(&k, &h);
    kit_expect(&k, "block 10.2.3.4/32");
    assert_int_equal(decide_counts(k.d).active, 1);
    assert_int_equal(decide_counts(k.d).enforced, 0);
    h.at = 60;
    kit_show(&k, &h);
    kit_time(&k, 3599.999999);
    kit_expect(&k, "");
    kit_time(&k, 3600);
    kit_expect(&k, "expire 10.2.3.4/32");
    kit_time(&k, 3601);
    kit_expect(&k, "");
    assert_int_equal(decide_counts(k.d).active, 0);
    kit_close(&k);
}

static void
test_event_says_it_all(void **state)
{
    struct decide_options o = options();
    struct kit_host h = kit_bot("10.2.3.4", 0);
    struct kit k;
    struct span r;
    struct span reason;

    (void)state;
    h.site = "PHY";
    kit_open(&k, &o);
    kit_show(&k, &h);
    r = kit_at(&k, 0);
    reason = record_find(r, FIELD_DECISION_REASON);
    assert_true(span_eq(
        reason,
        SPAN_LIT("10.2.3.4/32 would be stopped: 9 of 18 first contacts refused "
                 "as unknown users; 0 organisations written to for the first "
                 "time; 10 whole sessions with servers of 5 organisations in "
                 "120 s")));
    h.ip = "10.2.3.5";
    h.volume = 3;
    kit_show(&k, &h);
    reason = record_find(kit_at(&k, 1), FIELD_DECISION_REASON);
    assert_true(span_contains_nocase(
        reason,
        SPAN_LIT("10.2.3.5/32 would not be stopped (evidence:volume)")));
    assert_true(span_contains_nocase(
        reason, SPAN_LIT("120 s; 3 in the last hour (least 10)")));
    r = kit_at(&k, 0);
    assert_true(
        span_eq(record_find(r, FIELD_DECISION_MODE), SPAN_LIT("simulate")));
    assert_true(
        span_eq(record_find(r, FIELD_DECISION_ORIGIN), SPAN_LIT("detector")));
    assert_true(span_eq(record_find(r, FIELD_DECISION_SITE), SPAN_LIT("PHY")));
    assert_true(span_eq(record_find(r, FIELD_DECISION_SHOWN), SPAN_LIT("s1")));
    assert_true(span_eq(record_find(r, FIELD_DECISION_EVIDENCE),
                        SPAN_LIT("0000000000000001")));
    assert_int_equal(record_find(r, FIELD_DECISION_ID).n, 16);
    assert_int_equal(record_find(r, FIELD_DECISION_EVIDENCE_HASH).n, 64);
    assert_int_equal(record_find_u64(r, FIELD_DECISION_COLLATERAL, 0), 3);
    assert_int_equal(record_find_u64(r, FIELD_DECISION_STEP, 0), 1);
    assert_int_equal(record_find_u64(r, FIELD_DECISION_TTL, 0), 3600);
    assert_true(record_find_u64(r, FIELD_DECISION_UNTIL, 0) == kit_ns(3600));
    kit_close(&k);
}

/* ---- the evidence object ---- */

struct kept {
    char hash[EVIDENCE_HEX];
    struct buf object;
    size_t n;
    bool full;
};

static bool
keep_object(void *ctx, const char *hash, struct span object)
{
    struct kept *k = ctx;

    memcpy(k->hash, hash, sizeof(k->hash));
    buf_reset(&k->object);
    buf_span(&k->object, object);
    k->n++;
    return !k->full;
}

static void
keep_in(struct kit *k, struct kept *kept)
{
    const struct decide_store store = {keep_object, kept};

    *kept = (struct kept){.n = 0};
    buf_init(&kept->object, EVIDENCE_MAX);
    decide_keep_evidence(k->d, &store);
}

static void
assert_holds(const struct kept *kept, const char *text)
{
    const struct span s = buf_view(&kept->object);

    if (span_search(s, span_str(text)) == s.n)
        fail_msg("no %s in %.*s", text, (int)s.n, (const char *)s.p);
}

static void
assert_names(const struct kept *kept, const uint8_t hash[DECIDE_HASH])
{
    char hex[EVIDENCE_HEX];

    decide_evidence_hex(hash, hex);
    assert_holds(kept, hex);
}

static size_t
times(const struct kept *kept, const char *text)
{
    struct span rest = buf_view(&kept->object);
    size_t n = 0;

    for (size_t at; (at = span_search(rest, span_str(text))) < rest.n; n++)
        rest = span_tail(rest, at + 1);
    return n;
}

/* What the sensor measured of its clock. */
static void
show_clock(struct kit *k, double at, uint64_t offset_us)
{
    const struct record_head head = {kit_ns(at), 0, 1, EVENT_STATS};
    const struct record_sink sink = kit_to(k);

    record_begin(&k->out, &head);
    record_u64(&k->out, FIELD_SIGHT_OFFSET, offset_us);
    decide_event(k->d, kit_map(k), &sink);
}

/* A mail of that host, by number. */
static void
show_mail(struct kit *k, const char *ip, unsigned n, const char *outcome,
          uint8_t hash[DECIDE_HASH])
{
    const struct record_head head = {kit_ns(1 + n / 100.0), 9, n, EVENT_SMTP};
    const struct record_sink sink = kit_to(k);
    char id[17];
    struct addr a;

    snprintf(id, sizeof(id), "%016x", 0xa0000000U + n);
    assert_true(addr_parse(span_str(ip), &a));
    record_begin(&k->out, &head);
    record_text(&k->out, FIELD_EVENT_ID, id);
    record_addr(&k->out, FIELD_SRC_IP, &a);
    record_text(&k->out, FIELD_DIRECTION, "outbound");
    record_text(&k->out, FIELD_SMTP_OUTCOME, outcome);
    assert_true(decide_sha256(record_view(&k->out), hash));
    decide_event(k->d, kit_map(k), &sink);
}

/* It can be made again from the journal, names each event by its hash, and its
 * own is in the decision. */
static void
test_evidence_object(void **state)
{
    struct decide_options o = options();
    struct kit_host h = kit_bot("10.2.3.4", 10);
    struct record_head head = {kit_ns(5), 9, 1, EVENT_ALERT};
    uint8_t mail[12][DECIDE_HASH], other[DECIDE_HASH], good[DECIDE_HASH];
    uint8_t alert[DECIDE_HASH], host[DECIDE_HASH], all[DECIDE_HASH];
    struct record_sink sink;
    char hex[EVIDENCE_HEX];
    struct kept kept;
    struct kit k;

    (void)state;
    kit_open(&k, &o);
    keep_in(&k, &kept);
    sink = kit_to(&k);
    show_clock(&k, 1, 1234);
    for (unsigned i = 0; i < 12; i++)
        show_mail(&k, "10.2.3.4", i, "rejected", mail[i]);
    show_mail(&k, "10.2.3.5", 20, "rejected", other);
    show_mail(&k, "10.2.3.4", 21, "accepted", good);
    record_begin(&k.out, &head);
    record_text(&k.out, FIELD_EVENT_ID, "00000000000000aa");
    record_text(&k.out, FIELD_ALERT_SUBJECT, "10.2.3.4 lease 0123456789abcdef");
    assert_true(decide_sha256(record_view(&k.out), alert));
    decide_event(k.d, kit_map(&k), &sink);
    assert_true(decide_sha256(kit_host_event(&k, &h)->record, host));
    decide_event(k.d, &k.map, &sink);
    kit_expect(&k, "block 10.2.3.4/32");
    assert_int_equal(kept.n, 1);
    assert_names(&kept, host);
    assert_names(&kept, alert);
    for (unsigned i = 2; i < 12; i++)
        assert_names(&kept, mail[i]);
    assert_int_equal(times(&kept, "\"event_id\":\"00000000a00000"), 10);
    assert_holds(&kept, "\"clock_offset_us\":1234,");
    assert_holds(&kept, "\"trajectory\":[{");
    assert_holds(&kept, "\"subject\":\"10.2.3.4/32\"");
    decide_evidence_hex(mail[1], hex);
    assert_int_equal(span_search(buf_view(&kept.object), span_str(hex)),
                     kept.object.n);
    decide_evidence_hex(other, hex);
    assert_int_equal(span_search(buf_view(&kept.object), span_str(hex)),
                     kept.object.n);
    decide_evidence_hex(good, hex);
    assert_int_equal(span_search(buf_view(&kept.object), span_str(hex)),
                     kept.object.n);
    assert_true(decide_sha256(buf_view(&kept.object), all));
    decide_evidence_hex(all, hex);
    assert_string_equal(hex, kept.hash);
    assert_true(
        span_eq(record_find(kit_at(&k, 0), FIELD_DECISION_EVIDENCE_HASH),
                span_str(hex)));
    buf_free(&kept.object);
    kit_close(&k);
}

/* Nobody is stopped on evidence that is nowhere; it is told once. */
static void
test_evidence_not_kept(void **state)
{
    struct decide_options o = options();
    struct kit_host h = kit_bot("10.2.3.4", 10);
    struct decide_counts n;
    struct kept kept;
    struct kit k;

    (void)state;
    kit_open(&k, &o);
    keep_in(&k, &kept);
    kept.full = true;
    kit_show(&k, &h);
    kit_expect(&k, "withheld 10.2.3.4/32 evidence:store");
    h.at = 11;
    kit_show(&k, &h);
    kit_expect(&k, "");
    n = decide_counts(k.d);
    assert_int_equal(n.active, 0);
    kept.full = false;
    h.at = 12;
    kit_show(&k, &h);
    kit_expect(&k, "block 10.2.3.4/32");
    buf_free(&kept.object);
    kit_close(&k);
}

/* When the journal is lived again, what could not be kept is not in force. */
static void
test_evidence_lived_again(void **state)
{
    struct decide_options o = options();
    struct kit_host h = kit_bot("10.2.3.4", 10);
    struct record_map told;
    struct decide_counts n;
    struct kept kept;
    struct kit k, again;
    struct record_sink sink;

    (void)state;
    kit_open(&k, &o);
    keep_in(&k, &kept);
    kept.full = true;
    kit_show(&k, &h);
    kit_open(&again, &o);
    sink = kit_to(&again);
    kit_show(&again, &h);
    kit_expect(&again, "block 10.2.3.4/32");
    record_map_init(&told, kit_at(&k, 0));
    decide_event(again.d, &told, &sink);
    n = decide_counts(again.d);
    assert_int_equal(n.active, 0);
    h.at = 11;
    kit_show(&again, &h);
    kit_expect(&again, "block 10.2.3.4/32");
    assert_int_equal(record_find_u64(kit_at(&again, 1), FIELD_DECISION_STEP, 0),
                     1);
    buf_free(&kept.object);
    kit_close(&again);
    kit_close(&k);
}

/* ---- what stands against it ---- */

static void
set_registered(struct kit_host *h)
{
    h->reg = "registered";
}
static void
set_permitted(struct kit_host *h)
{
    h->line = "permitted";
}
static void
set_requested(struct kit_host *h)
{
    h->line = "requested";
}
static void
set_suspended(struct kit_host *h)
{
    h->line = "suspended";
}
static void
set_protected(struct kit_host *h)
{
    h->protected = true;
}
static void
set_queueing(struct kit_host *h)
{
    h->queueing = true;
}
static void
set_nat(struct kit_host *h)
{
    h->pool = "nat";
}
static void
set_dhcp(struct kit_host *h)
{
    h->pool = "dhcp";
}
static void
set_lease(struct kit_host *h)
{
    h->pool = "dhcp";
    h->lease = "0123456789abcdef";
}
static void
set_nat_lease(struct kit_host *h)
{
    h->pool = "nat";
    h->lease = "0123456789abcdef";
}
static void
set_conflict(struct kit_host *h)
{
    h->conflict = true;
}
static void
set_no_registry(struct kit_host *h)
{
    h->reg = NULL;
}
static void
set_away(struct kit_host *h)
{
    h->away = true;
}
static void
set_no_home(struct kit_host *h)
{
    h->no_home = true;
}
static void
set_registered_queueing(struct kit_host *h)
{
    h->reg = "registered";
    h->queueing = true;
    h->sessions = 9;
}
static void
set_shared(struct kit_host *h)
{
    h->speakers[0] = (struct kit_speaker){79, 50, 40, 14000};
    h->speakers[1] = (struct kit_speaker){21, 10, 0, 0};
    h->n_speakers = 2;
}
static void
set_hardly_shared(struct kit_host *h)
{
    set_shared(h);
    h->speakers[0].accepted = 80;
    h->speakers[1].accepted = 20;
}
static void
set_many_names(struct kit_host *h)
{
    set_shared(h);
    h->speakers[1].n = 9; /* too few to look ordinary */
}

static void
set_no_router(struct kit_host *h)
{
    h->bound = 0;
    h->unbound = 10;
}

static const struct {
    const char *why;
    void (*set)(struct kit_host *);
    const char *simulate, *enforce;
} againsts[] = {
    {"registered",                         set_registered,          "withheld 10.2.3.4/32 registered", NULL},
    {"a line is permitted",                set_permitted,           "withheld 10.2.3.4/32 permitted",
     NULL                                                                                                  },
    {"a line is requested",                set_requested,
     "withheld 10.2.3.4/32 permit_requested",                                                          NULL},
    {"a suspended line protects nobody",   set_suspended,           "block 10.2.3.4/32",
     NULL                                                                                                  },
    {"protected",                          set_protected,           "withheld 10.2.3.4/32 protected",  NULL},
    {"behaves like a server",              set_queueing,            "hold 10.2.3.4/32 queueing",       NULL},
    {"many behind one address",            set_nat,                 "hold 10.2.3.4/32 pool",           NULL},
    {"which of many is not known",         set_dhcp,                "hold 10.2.3.4/32 pool",           NULL},
    {"a lease names the host",             set_lease,               "block 10.2.3.4/32",               NULL},
    {"a lease behind nat names nobody",    set_nat_lease,           "hold 10.2.3.4/32 pool",
     NULL                                                                                                  },
    {"two MAC addresses",                  set_conflict,            "hold 10.2.3.4/32 identity",       NULL},
    {"an ordinary speaker behind it",      set_shared,              "hold 10.2.3.4/32 shared",
     NULL                                                                                                  },
    {"a fifth is not more than a fifth",   set_hardly_shared,       "block 10.2.3.4/32",
     NULL                                                                                                  },
    {"a speaker with few contacts",        set_many_names,          "block 10.2.3.4/32",               NULL},
    {"no registry",                        set_no_registry,         "block 10.2.3.4/32 registry:none",
     "withheld 10.2.3.4/32 registry:none"                                                                  },
    {"no router is known",                 set_no_router,           "block 10.2.3.4/32 evidence:path",
     "withheld 10.2.3.4/32 evidence:path"                                                                  },
    {"outside",                            set_away,                "",                                NULL},
    {"not known where",                    set_no_home,             "",                                NULL},
    {"all that stands is named, in order", set_registered_queueing,
     "withheld 10.2.3.4/32 registered,evidence:sessions,queueing",                                     NULL},
};

static void
test_againsts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(againsts) * 2; i++) {
        struct decide_options o = options();
        struct kit_host h = kit_bot("10.2.3.4", 0);
        const char *want = againsts[i / 2].simulate;
        struct kit k;

        o.may_enforce = i % 2;
        o.start = (enum rollout_mode)(i % 2);
        if (o.may_enforce && againsts[i / 2].enforce != NULL)
            want = againsts[i / 2].enforce;
        againsts[i / 2].set(&h);
        kit_open(&k, &o);
        kit_show(&k, &h);
        if (strcmp(kit_told(&k), want) != 0) {
            k.told = 0;
            fail_msg("%s: %s", againsts[i / 2].why, kit_told(&k));
        }
        h.at = 1;
        kit_show(&k, &h); /* told once */
        kit_expect(&k, "");
        kit_close(&k);
    }
}

/* A score around its level: told again when an hour has gone by. */
static void
test_withheld_flaps(void **state)
{
    static const struct {
        double at;
        const char *level, *want;
    } rows[] = {
        {0,      "block", "withheld 10.2.3.4/32 registered"},
        {10,     "alert", ""                               },
        {20,     "block", ""                               },
        {3000,   "alert", ""                               },
        {3599.9, "block", ""                               },
        {3600,   "block", ""                               },
        {3601,   "alert", ""                               },
        {3602,   "block", "withheld 10.2.3.4/32 registered"},
    };
    struct decide_options o = options();
    struct kit k;

    (void)state;
    kit_open(&k, &o);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct kit_host h = kit_bot("10.2.3.4", rows[i].at);

        h.reg = "registered";
        h.level[0] = rows[i].level;
        kit_show(&k, &h);
        kit_expect(&k, rows[i].want);
    }
    kit_close(&k);
}

static void
test_becomes_registered(void **state)
{
    struct decide_options o = options();
    struct kit_host h = kit_bot("10.2.3.4", 0);
    struct record_head head = {kit_ns(5), 9, 1, EVENT_SMTP_SESSION};
    struct record_sink sink;
    struct addr a;
    struct kit k;

    (void)state;
    kit_open(&k, &o);
    sink = kit_to(&k);
    kit_show(&k, &h);
    kit_expect(&k, "block 10.2.3.4/32");
    /* any event of the host says so, the server's end as well */
    assert_true(addr_parse(SPAN_LIT("10.2.3.4"), &a));
    record_begin(&k.out, &head);
    record_addr(&k.out, FIELD_DEST_IP, &a);
    record_text(&k.out, FIELD_DEST_REG_STATE, "registered");
    decide_event(k.d, kit_map(&k), &sink);
    kit_expect(&k, "lift 10.2.3.4/32 registered");
    kit_close(&k);
}

/* Who stops a /64 stops all of it: an ordinary host beside the bot, seen
 * before or after, leaves it to a human. */
static void
test_v6_shared(void **state)
{
    struct decide_options o = options();
    struct kit_host bot = kit_bot("2001:db8::bad", 1);
    struct kit_host good = kit_bot("2001:db8::1", 0);
    struct kit k;

    (void)state;
    good.level[0] = "normal";
    kit_open(&k, &o);
    kit_show(&k, &good);
    kit_show(&k, &bot);
    kit_expect(&k, "hold 2001:db8::/64 shared");
    kit_close(&k);
    good.at = 2;
    kit_open(&k, &o);
    kit_show(&k, &bot);
    kit_expect(&k, "block 2001:db8::/64");
    kit_show(&k, &good);
    kit_expect(&k, "lift 2001:db8::/64 shared");
    kit_close(&k);
}

static void
test_v6_neighbours(void **state)
{
    struct decide_options o = options();
    struct kit_host h = kit_bot("2001:db8::bad", 0);
    struct kit_host good = kit_bot("2001:db8::25", 1);
    struct kit k;

    (void)state;
    good.reg = "registered";
    good.level[0] = "normal";
    kit_open(&k, &o);
    kit_show(&k, &h);
    kit_expect(&k, "block 2001:db8::/64");
    kit_show(&k, &good);
    kit_expect(&k, "lift 2001:db8::/64 registered");
    h.at = 2;
    kit_show(&k, &h);
    kit_expect(&k, "");
    h.at = 3;
    h.sessions += 10;
    h.bad++;
    kit_show(&k, &h);
    kit_expect(&k, "withheld 2001:db8::/64 neighbour,shared");
    /* No longer registered: but still an ordinary host beside it. */
    good.reg = "unregistered";
    good.at = 4;
    kit_show(&k, &good);
    h.at = 5;
    kit_show(&k, &h);
    kit_expect(&k, "hold 2001:db8::/64 shared");
    kit_close(&k);
}

static struct exception
exception(const char *prefix, unsigned from, double since, double until)
{
    struct exception x = {.id = "00000000000000ee", .from = from};

    assert_true(prefix_parse(span_str(prefix), &x.prefix));
    x.since = kit_ns(since);
    x.until = until > 0 ? kit_ns(until) : 0;
    return x;
}

static const struct {
    const char *why, *host, *prefix;
    unsigned from;
    double since, until;
    const char *want;
} excepts[] = {
    {"its address",             "10.2.3.4",    "10.2.3.4",        EXCEPT_BLOCK, 0,  0,
     "withheld 10.2.3.4/32 exception:00000000000000ee"                                                                                     },
    {"its network",             "10.2.3.4",    "10.2.0.0/16",     EXCEPT_BOTH,  0,  0,
     "withheld 10.2.3.4/32 exception:00000000000000ee"                                                                                     },
    {"another network",         "10.2.3.4",    "10.3.0.0/16",     EXCEPT_BOTH,  0,  0,
     "block 10.2.3.4/32"                                                                                                                   },
    {"from alerts only",        "10.2.3.4",    "10.2.3.4",        EXCEPT_ALERT, 0,  0,
     "block 10.2.3.4/32"                                                                                                                   },
    {"over",                    "10.2.3.4",    "10.2.3.4",        EXCEPT_BLOCK, 0,  9,  "block 10.2.3.4/32"                                },
    {"ends now",                "10.2.3.4",    "10.2.3.4",        EXCEPT_BLOCK, 0,  10,
     "block 10.2.3.4/32"                                                                                                                   },
    {"ends later",              "10.2.3.4",    "10.2.3.4",        EXCEPT_BLOCK, 0,  11,
     "withheld 10.2.3.4/32 exception:00000000000000ee"                                                                                     },
    {"not yet",                 "10.2.3.4",    "10.2.3.4",        EXCEPT_BLOCK, 11, 0,
     "block 10.2.3.4/32"                                                                                                                   },
    {"another host of its /64", "2001:db8::1", "2001:db8::2",     EXCEPT_BLOCK, 0,
     0,                                                                                 "withheld 2001:db8::/64 exception:00000000000000ee"},
    {"around its /64",          "2001:db8::1", "2001:db8::/48",   EXCEPT_BLOCK, 0,  0,
     "withheld 2001:db8::/64 exception:00000000000000ee"                                                                                   },
    {"another /64",             "2001:db8::1", "2001:db8:0:1::2", EXCEPT_BLOCK, 0,  0,
     "block 2001:db8::/64"                                                                                                                 },
    {"inside, but over",        "2001:db8::1", "2001:db8::2",     EXCEPT_BLOCK, 0,  9,
     "block 2001:db8::/64"                                                                                                                 },
    {"inside, from alerts",     "2001:db8::1", "2001:db8::2",     EXCEPT_ALERT, 0,  0,
     "block 2001:db8::/64"                                                                                                                 },
};

static void
test_exceptions(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(excepts); i++) {
        struct exception x = exception(excepts[i].prefix, excepts[i].from,
                                       excepts[i].since, excepts[i].until);
        struct exceptions all = {&x, 1};
        struct decide_options o = options();
        struct kit_host h = kit_bot(excepts[i].host, 10);
        struct kit k;

        o.exceptions = &all;
        kit_open(&k, &o);
        kit_show(&k, &h);
        if (strcmp(kit_told(&k), excepts[i].want) != 0) {
            k.told = 0;
            fail_msg("%s: %s", excepts[i].why, kit_told(&k));
        }
        kit_close(&k);
    }
}

static void
test_exception_lifts_at_once(void **state)
{
    struct exception x = exception("2001:db8::25", EXCEPT_BLOCK, 5, 0);
    struct exceptions all = {&x, 0};
    struct decide_options o = wide();
    struct kit_host h = kit_bot("2001:db8::bad", 0);
    struct kit_host other = kit_bot("10.2.3.4", 1);
    struct kit k;

    (void)state;
    o.exceptions = &all;
    kit_open(&k, &o);
    kit_show(&k, &h);
    kit_show(&k, &other);
    kit_expect(&k, "block 2001:db8::/64; block 10.2.3.4/32");
    all.n = 1;
    kit_control(&k, 5, "exception", "add", "2001:db8::25", 0);
    kit_expect(&k, "lift 2001:db8::/64 exception:00000000000000ee");
    kit_close(&k);
}

/* ---- the ladder ---- */

static void
test_ladder(void **state)
{
    static const uint64_t seconds[] = {3600, 21600, 86400, 604800, 604800};
    struct decide_options o = options();
    struct kit_host h = kit_bot("10.2.3.4", 0);
    struct kit k;

    (void)state;
    kit_open(&k, &o);
    for (size_t i = 0; i < ARRAY_LEN(seconds); i++) {
        kit_show(&k, &h);
        kit_expect(&k, "block 10.2.3.4/32");
        assert_int_equal(
            record_find_u64(kit_at(&k, k.n - 1), FIELD_DECISION_TTL, 0),
            seconds[i]);
        h.at += 100;
        h.sessions += 1000; /* while it is in force: counts for nothing */
        h.bad += 1000;
        kit_show(&k, &h);
        h.at += (double)seconds[i];
        kit_show(&k, &h); /* ends, and what came before is noted */
        kit_expect(&k, "expire 10.2.3.4/32");
        h.at += 1;
        h.sessions += 9;
        h.bad += 9;
        kit_show(&k, &h);
        kit_expect(&k, "");
        h.at += 1;
        h.sessions += 1; /* ten fresh ones; next round shows them */
    }
    kit_close(&k);
}

/* A hold without an answer ends, those behind the address do not: for a day
 * after they were last seen it is for humans. */
static void
test_shared_stays(void **state)
{
    static const struct {
        const char *why;
        double at;
        const char *want;
    } rows[] = {
        {"the hold ran out",        14400,  "hold 10.2.3.4/32 shared"},
        {"the day but a moment",    86390,  "hold 10.2.3.4/32 shared"},
        {"nobody seen for the day", 100800, "block 10.2.3.4/32"      },
    };
    struct decide_options o = options();
    struct kit_host h = kit_bot("10.2.3.4", 0);
    struct kit k;

    (void)state;
    kit_open(&k, &o);
    set_shared(&h);
    kit_show(&k, &h);
    kit_expect(&k, "hold 10.2.3.4/32 shared");
    h.n_speakers = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        print_message("%s\n", rows[i].why);
        h.at = rows[i].at;
        kit_show(&k, &h);
        kit_expect(&k, "expire 10.2.3.4/32");
        h.at += 1;
        h.sessions += 10;
        h.bad += 10;
        kit_show(&k, &h);
        kit_expect(&k, rows[i].want);
    }
    kit_close(&k);
}

static void
test_fresh_needs_both(void **state)
{
    struct decide_options o = options();
    struct kit_host h = kit_bot("10.2.3.4", 0);
    struct kit k;

    (void)state;
    kit_open(&k, &o);
    kit_show(&k, &h);
    h.at = 4000;
    kit_show(&k, &h);
    kit_expect(&k, "block 10.2.3.4/32; expire 10.2.3.4/32");
    h.at = 4001;
    h.sessions += 50; /* nothing bad among them */
    kit_show(&k, &h);
    kit_expect(&k, "");
    /* Counts that went back are another life of the host: noted anew. */
    h.at = 4002;
    h.sessions = 5;
    kit_show(&k, &h);
    h.at = 4003;
    h.sessions = 14;
    h.bad++;
    kit_show(&k, &h);
    kit_expect(&k, "");
    h.at = 4004;
    h.sessions = 15;
    kit_show(&k, &h);
    kit_expect(&k, "block 10.2.3.4/32");
    kit_close(&k);
}

static void
test_steps_are_forgotten(void **state)
{
    static const struct {
        double clean;
        uint64_t step;
    } rows[] = {
        {2591999, 2},
        {2592000, 1}
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct decide_options o = options();
        struct kit_host h = kit_bot("10.2.3.4", 0);
        struct kit k;

        kit_open(&k, &o);
        kit_show(&k, &h);
        h.at = 3600;
        h.level[0] = "normal";
        kit_show(&k, &h); /* ends; the rule does not hold */
        h.at = 3600 + rows[i].clean;
        h.level[0] = "block";
        h.sessions += 20;
        h.bad++;
        kit_show(&k, &h); /* noted */
        h.at += 1;
        h.sessions += 10;
        h.bad++;
        kit_show(&k, &h);
        kit_expect(&k,
                   "block 10.2.3.4/32; expire 10.2.3.4/32; block 10.2.3.4/32");
        assert_int_equal(record_find_u64(kit_at(&k, 2), FIELD_DECISION_STEP, 0),
                         rows[i].step);
        kit_close(&k);
    }
}

/* ---- in force, and then ---- */

static void
test_changes_hands(void **state)
{
    struct decide_options o = options();
    struct kit_host h = kit_bot("10.2.3.4", 0);
    struct kit k;

    (void)state;
    set_lease(&h);
    kit_open(&k, &o);
    kit_show(&k, &h);
    h.at = 1;
    h.lease = "fedcba9876543210";
    h.level[0] = "normal";
    kit_show(&k, &h);
    kit_expect(&k, "block 10.2.3.4/32; lift 10.2.3.4/32 identity");
    kit_close(&k);
}

static void
test_new_mac(void **state)
{
    struct decide_options o = options();
    struct kit_host h = kit_bot("10.2.3.4", 0);
    struct kit k;

    (void)state;
    kit_open(&k, &o);
    kit_show(&k, &h);
    h.at = 1;
    h.macs = 2;
    kit_show(&k, &h);
    kit_expect(&k, "block 10.2.3.4/32; lift 10.2.3.4/32 identity");
    kit_close(&k);
}

static void
test_begins_to_queue(void **state)
{
    struct decide_options o = options();
    struct kit_host h = kit_bot("10.2.3.4", 0);
    struct kit k;

    (void)state;
    kit_open(&k, &o);
    kit_show(&k, &h);
    h.at = 1;
    h.queueing = true;
    kit_show(&k, &h);
    kit_expect(&k, "block 10.2.3.4/32; lift 10.2.3.4/32 queueing; hold "
                   "10.2.3.4/32 queueing");
    h.at = 2;
    h.queueing = false; /* the question was put: a human answers */
    kit_show(&k, &h);
    kit_time(&k, 14401);
    kit_expect(&k, "expire 10.2.3.4/32");
    kit_close(&k);
}

/* ---- people ---- */

static void
test_lift_is_immunity(void **state)
{
    struct decide_options o = options();
    struct kit_host h = kit_bot("10.2.3.4", 0);
    struct kit k;

    (void)state;
    kit_open(&k, &o);
    kit_show(&k, &h);
    kit_control(&k, 10, "block", "lift", "10.2.3.4", 0);
    kit_expect(&k, "block 10.2.3.4/32; lift 10.2.3.4/32");
    kit_control(&k, 11, "block", "lift", "10.2.3.4/32", 0);
    kit_expect(&k, "");
    h.at = 12;
    kit_show(&k, &h);
    h.at = 86409.999999;
    h.sessions += 10;
    h.bad++;
    kit_show(&k, &h);
    kit_expect(&k, "withheld 10.2.3.4/32 immunity");
    h.at = 86410;
    kit_show(&k, &h);
    kit_expect(&k, "block 10.2.3.4/32");
    /* a lifted one was none: the first step again */
    assert_int_equal(
        record_find_u64(kit_at(&k, k.n - 1), FIELD_DECISION_STEP, 0), 1);
    kit_close(&k);
}

static void
test_lift_before(void **state)
{
    struct decide_options o = options();
    struct kit_host h = kit_bot("10.2.3.4", 10);
    struct kit k;

    (void)state;
    kit_open(&k, &o);
    kit_control(&k, 0, "block", "lift", "10.2.3.4", 0);
    kit_show(&k, &h);
    kit_expect(&k, "lift 10.2.3.4/32; withheld 10.2.3.4/32 immunity");
    kit_close(&k);
}

static const struct {
    const char *why, *action, *subject, *want;
} people[] = {
    {"an address",                 "add",  "10.9.9.9",                        "block 10.9.9.9/32"    },
    {"a /64",                      "add",  "2001:db8:9::/64",                 "block 2001:db8:9::/64"},
    {"an IPv6 address is its /64", "add",  "2001:db8:9::1",
     "block 2001:db8:9::/64"                                                                         },
    {"a lease",                    "add",  "10.9.9.9 lease 0123456789abcdef", "block 10.9.9.9/32"    },
    {"a network",                  "add",  "10.9.9.0/24",                     ""                     },
    {"a wide IPv6 network",        "add",  "2001:db8::/63",                   ""                     },
    {"everything",                 "add",  "0.0.0.0/0",                       ""                     },
    {"no address",                 "add",  "localhost",                       ""                     },
    {"nothing",                    "add",  NULL,                              ""                     },
    {"no such action",             "drop", "10.9.9.9",                        ""                     },
    {"lift a network",             "lift", "10.9.9.0/24",                     ""                     },
};

static void
test_people(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(people); i++) {
        struct decide_options o = options();
        struct kit k;

        kit_open(&k, &o);
        kit_control(&k, 0, "block", people[i].action, people[i].subject, 0);
        if (strcmp(kit_told(&k), people[i].want) != 0) {
            k.told = 0;
            fail_msg("%s: %s", people[i].why, kit_told(&k));
        }
        assert_int_equal(decide_counts(k.d).controls_unread,
                         people[i].want[0] == '\0');
        kit_time(&k, 3600);
        assert_int_equal(decide_counts(k.d).active, 0);
        kit_close(&k);
    }
}

static void
test_person_adds(void **state)
{
    struct exception x = exception("10.2.3.9", EXCEPT_BLOCK, 0, 0);
    struct exceptions all = {&x, 1};
    struct decide_options o = options();
    struct kit_host h = kit_bot("10.2.3.4", 0);
    struct kit_host good = kit_bot("10.2.3.5", 0);
    struct kit k;

    (void)state;
    o.exceptions = &all;
    good.reg = "registered";
    good.level[0] = "normal";
    kit_open(&k, &o);
    kit_show(&k, &h);
    kit_show(&k, &good);
    kit_control(&k, 1, "block", "add", "10.2.3.4", 100);
    kit_control(&k, 2, "block", "add", "10.2.3.4", 100); /* idempotent */
    kit_control(&k, 3, "block", "add", "10.2.3.5", 100);
    kit_control(&k, 4, "block", "add", "10.2.3.9", 100);
    kit_control(&k, 5, "block", "add", "10.2.3.6", 5); /* over */
    kit_expect(
        &k,
        "block 10.2.3.4/32; block 10.2.3.4/32; withheld 10.2.3.5/32 protected; "
        "withheld 10.2.3.9/32 exception:00000000000000ee");
    h.at = 50;
    h.queueing = true; /* a person has answered already */
    kit_show(&k, &h);
    kit_expect(&k, "");
    h.at = 60;
    h.line = "requested";
    kit_show(&k, &h);
    kit_expect(&k, "lift 10.2.3.4/32 permit_requested");
    kit_close(&k);
}

/* With two people to agree. A block of the detector is in force for the second
 * host, and goes on whatever one person says. */
static const struct {
    const char *why;
    struct {
        const char *action, *subject, *actor;
    } said[3];
    const char *told;
} agreed[] = {
    {"one alone",               {{"add", "10.2.3.9", "ann"}},      "hold 10.2.3.9/32 approval"},
    {"the same one again",
     {{"add", "10.2.3.9", "ann"}, {"approve", "10.2.3.9", "ann"}},
     "hold 10.2.3.9/32 approval"                                                              },
    {"another",
     {{"add", "10.2.3.9", "ann"}, {"approve", "10.2.3.9", "bob"}},
     "hold 10.2.3.9/32 approval; block 10.2.3.9/32"                                           },
    {"one of a block in force",
     {{"add", "10.2.3.4", "ann"}, {"add", "10.2.3.4", "ann"}},
     ""                                                                                       },
    {"two of it",
     {{"add", "10.2.3.4", "ann"}, {"add", "10.2.3.4", "bob"}},
     "block 10.2.3.4/32"                                                                      },
};

static void
test_two_people(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(agreed); i++) {
        struct decide_options o = options();
        struct kit_host h = kit_bot("10.2.3.4", 0);
        struct kit k;

        o.approvals = 2;
        kit_open(&k, &o);
        kit_show(&k, &h);
        kit_expect(&k, "block 10.2.3.4/32");
        for (size_t j = 0; j < 3 && agreed[i].said[j].action != NULL; j++) {
            const char *const words[4] = {"block", agreed[i].said[j].action,
                                          agreed[i].said[j].actor,
                                          agreed[i].said[j].subject};

            kit_said(&k, 1 + (double)j, words, 5000);
        }
        if (strcmp(kit_told(&k), agreed[i].told) != 0) {
            k.told = 1;
            fail_msg("%s: %s", agreed[i].why, kit_told(&k));
        }
        kit_close(&k);
    }
}

static void
test_emergency(void **state)
{
    struct decide_options o = wide();
    struct kit_host h = kit_bot("10.2.3.4", 0);
    struct kit_host other = kit_bot("10.2.4.4", 20);
    struct kit k;

    (void)state;
    kit_open(&k, &o);
    kit_show(&k, &h);
    kit_control(&k, 10, "block", "disable", NULL, 0);
    kit_expect(&k, "block 10.2.3.4/32; lift 10.2.3.4/32 disabled");
    kit_show(&k, &other);
    kit_control(&k, 21, "block", "add", "10.9.9.9", 0);
    kit_expect(&k,
               "withheld 10.2.4.4/32 disabled; withheld 10.9.9.9/32 disabled");
    kit_control(&k, 30, "block", "enable", NULL, 0);
    other.at = 31;
    kit_show(&k, &other);
    kit_expect(&k, "block 10.2.4.4/32");
    kit_close(&k);
}

/* ---- caps ---- */

static void
show_bots(struct kit *k, unsigned net, size_t n, double at, const char *site)
{
    for (size_t i = 0; i < n; i++) {
        struct kit_host h;
        char ip[64];

        snprintf(ip, sizeof(ip), "172.%u.%zu.%zu", net, i, i + 1);
        h = kit_bot(ip, at);
        h.site = site;
        kit_show(k, &h);
    }
}

static void
test_cap_of_a_minute(void **state)
{
    struct decide_options o = wide();
    struct kit_host h = kit_bot("10.200.3.4", 59.999999);
    struct kit k;

    (void)state;
    o.limits.breaker_s = 600;
    kit_open(&k, &o);
    show_many(&k, 1000, 0);
    show_bots(&k, 16, 20, 0, NULL);
    assert_int_equal(decide_counts(k.d).active, 20);
    (void)kit_told(&k);
    kit_show(&k, &h);
    kit_expect(&k, "withheld 10.200.3.4/32 cap:minute");
    h.at = 60; /* the minute is over, the breaker is not */
    kit_show(&k, &h);
    kit_expect(&k, "");
    h.at = 659.9;
    kit_show(&k, &h);
    kit_expect(&k, "");
    h.at = 660;
    kit_show(&k, &h);
    kit_expect(&k, "block 10.200.3.4/32");
    kit_close(&k);
}

static void
test_breaker_resumes(void **state)
{
    struct decide_options o = wide();
    struct kit_host h = kit_bot("10.200.3.4", 1);
    struct kit_host other = kit_bot("10.201.3.4", 61);
    struct kit k;

    (void)state;
    o.limits.per_minute = 1;
    kit_open(&k, &o);
    show_many(&k, 100, 0);
    show_bots(&k, 16, 1, 0, NULL);
    kit_show(&k, &h);
    (void)kit_told(&k);
    kit_show(&k, &other);
    kit_expect(&k, "withheld 10.201.3.4/32 breaker");
    kit_control(&k, 62, "block", "resume", NULL, 0);
    h.at = 63;
    kit_show(&k, &h);
    kit_expect(&k, "block 10.200.3.4/32");
    kit_close(&k);
}

static void
test_cap_of_active(void **state)
{
    static const struct {
        const char *why;
        size_t hosts; /* besides the bots */
        uint64_t active, permille, want;
    } rows[] = {
        {"one of few hosts",       5,    500, 5,    1},
        {"399 hosts",              379,  500, 5,    1},
        {"400 hosts, two of them", 380,  500, 5,    2},
        {"599 hosts",              579,  500, 5,    2},
        {"600 hosts",              580,  500, 5,    3},
        {"the number is less",     1000, 7,   1000, 7},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct decide_options o = options();
        struct kit k;

        o.limits.active = rows[i].active;
        o.limits.active_permille = rows[i].permille;
        o.limits.breaker_s = 0;
        kit_open(&k, &o);
        show_many(&k, rows[i].hosts, 0);
        show_bots(&k, 16, 20, 1, NULL); /* seen; each is then a host as well */
        show_bots(&k, 16, 20, 2, NULL);
        if (decide_counts(k.d).active != rows[i].want)
            fail_msg("%s: %llu", rows[i].why,
                     (unsigned long long)decide_counts(k.d).active);
        kit_close(&k);
    }
}

static void
test_cap_of_a_network(void **state)
{
    static const char *const ips[] = {"10.2.3.1", "10.2.3.2", "10.2.3.3",
                                      "10.2.3.4", "10.2.3.5", "10.2.4.1"};
    static const char *const v6[] = {"2001:db8:0:1::1", "2001:db8:0:2::1",
                                     "2001:db8:0:3::1", "2001:db8:0:4::1",
                                     "2001:db8:0:5::1", "2001:db8:0:100::1"};
    struct decide_options o = wide();

    (void)state;
    for (size_t family = 0; family < 2; family++) {
        struct kit k;

        kit_open(&k, &o);
        show_many(&k, 100, 0);
        for (size_t i = 0; i < 6; i++) {
            struct kit_host h = kit_bot((family ? v6 : ips)[i], 1);

            kit_show(&k, &h);
        }
        kit_expect(
            &k,
            family ? "block 2001:db8:0:1::/64; block 2001:db8:0:2::/64; "
                     "block 2001:db8:0:3::/64; block 2001:db8:0:4::/64; "
                     "withheld 2001:db8:0:5::/64 cap:net; block "
                     "2001:db8:0:100::/64"
                   : "block 10.2.3.1/32; block 10.2.3.2/32; block 10.2.3.3/32; "
                     "block 10.2.3.4/32; withheld 10.2.3.5/32 cap:net; block "
                     "10.2.4.1/32");
        kit_close(&k);
    }
}

static void
test_cap_of_a_site(void **state)
{
    static const struct {
        const char *why;
        size_t hosts; /* of the site, with the bots */
        uint64_t want;
    } rows[] = {
        {"at least one", 20,  1},
        {"149 hosts",    149, 2},
        {"150 hosts",    150, 3},
        {"151 hosts",    151, 3},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct decide_options o = wide();
        struct kit k;

        kit_open(&k, &o);
        for (size_t n = 0; n + 20 < rows[i].hosts; n++) {
            struct kit_host h;
            char ip[64];

            snprintf(ip, sizeof(ip), "10.9.%zu.%zu", n / 250, n % 250);
            h = kit_bot(ip, 0);
            h.level[0] = "normal";
            h.site = "PHY";
            kit_show(&k, &h);
        }
        show_bots(&k, 16, 20, 1, "PHY");
        show_bots(&k, 16, 20, 2, "PHY");
        if (decide_counts(k.d).active != rows[i].want)
            fail_msg("%s: %llu", rows[i].why,
                     (unsigned long long)decide_counts(k.d).active);
        kit_close(&k);
    }
}

/* Other hosts the next day, though the first ones have ended. */
static void
test_site_has_a_day(void **state)
{
    struct decide_options o = wide();
    struct kit_host h = kit_bot("10.2.3.4", 0);
    struct kit_host other = kit_bot("10.2.4.4", 86399.999999);
    struct kit k;

    (void)state;
    h.site = other.site = "PHY";
    kit_open(&k, &o);
    kit_show(&k, &h);
    kit_show(&k, &other);
    kit_expect(
        &k,
        "block 10.2.3.4/32; expire 10.2.3.4/32; withheld 10.2.4.4/32 cap:site");
    other.at = 86400;
    kit_show(&k, &other);
    kit_expect(&k, "block 10.2.4.4/32");
    kit_close(&k);
}

/* ---- state ---- */

static void
assert_same(const struct decide *a, const struct decide *b)
{
    assert_int_equal(decide_count(a), decide_count(b));
    for (size_t i = 0; i < decide_count(a); i++) {
        struct decide_entry x = decide_get(a, i);
        struct decide_entry y = decide_get(b, i);

        assert_memory_equal(x.subject.addr.b, y.subject.addr.b, 16);
        assert_int_equal(x.subject.bits, y.subject.bits);
        assert_true(x.since == y.since && x.until == y.until);
        assert_true(x.collateral == y.collateral && x.hold == y.hold);
    }
}

static void
test_save_and_load(void **state)
{
    struct decide_options o = wide();
    struct kit_host h = kit_bot("10.2.3.4", 0);
    struct kit_host v6 = kit_bot("2001:db8::1", 1);
    struct kit k;
    struct kit k2;
    struct buf saved;

    (void)state;
    h.site = "PHY";
    kit_open(&k, &o);
    kit_open(&k2, &o);
    show_many(&k, 300, 0);
    kit_show(&k, &h);
    kit_show(&k, &v6);
    kit_control(&k, 2, "block", "lift", "10.9.9.9", 0);
    buf_init(&saved, 1U << 20);
    assert_int_equal(decide_save(k.d, &saved), ERR_OK);
    for (size_t n = 0; n < saved.n; n += 7) /* nothing of a part */
        assert_int_not_equal(decide_load(k2.d, span_of(saved.p, n)), ERR_OK);
    saved.p[saved.n / 2] ^= 1;
    assert_int_equal(decide_load(k2.d, buf_view(&saved)), ERR_CORRUPT);
    saved.p[saved.n / 2] ^= 1;
    assert_int_equal(decide_count(k2.d), 0);
    assert_int_equal(decide_load(k2.d, buf_view(&saved)), ERR_OK);
    assert_same(k.d, k2.d);
    (void)kit_told(&k);
    kit_time(&k2, 4000);
    kit_expect(&k2, "expire 10.2.3.4/32; expire 2001:db8::/64");
    o.seed++;
    decide_free(k2.d);
    assert_int_equal(decide_new(&o, &k2.d), ERR_OK);
    assert_int_equal(decide_load(k2.d, buf_view(&saved)), ERR_FORMAT);
    buf_free(&saved);
    kit_close(&k);
    kit_close(&k2);
}

static void
lift_as_mistake(struct kit *k, double at, const char *subject)
{
    const struct record_head head = {kit_ns(at), 0, 1, EVENT_CONTROL};
    const struct record_sink sink = kit_to(k);

    record_begin(&k->out, &head);
    record_text(&k->out, FIELD_CONTROL_KIND, "block");
    record_text(&k->out, FIELD_CONTROL_ACTION, "lift");
    record_text(&k->out, FIELD_CONTROL_SUBJECT, subject);
    record_bool(&k->out, FIELD_CONTROL_MISTAKE, true);
    decide_event(k->d, kit_map(k), &sink);
}

/* The second within a day, one without force, and one a day later; a snapshot
 * in between forgets none. */
static const struct {
    const char *why, *second;
    double at;
    enum rollout_mode mode;
} mistakes[] = {
    {"two hosts",          "10.2.3.5", 20,    ROLLOUT_SIMULATE},
    {"at the last moment", "10.2.3.5", 86409, ROLLOUT_SIMULATE},
    {"a day later",        "10.2.3.5", 86410, ROLLOUT_ENFORCE },
    {"one twice",          "10.2.3.4", 20,    ROLLOUT_ENFORCE },
    {"nobody was stopped", "10.2.3.6", 20,    ROLLOUT_ENFORCE },
};

static void
test_mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
        struct decide_options o = wide();
        struct kit_host h = kit_bot("10.2.3.4", 0);
        struct kit_host other = kit_bot("10.2.3.5", 1);
        struct buf saved;
        struct kit k;

        o.may_enforce = true;
        o.start = ROLLOUT_ENFORCE;
        kit_open(&k, &o);
        buf_init(&saved, 1U << 20);
        kit_show(&k, &h);
        kit_show(&k, &other);
        assert_int_equal(decide_counts(k.d).enforced, 2);
        lift_as_mistake(&k, 10, "10.2.3.4");
        assert_int_equal(decide_counts(k.d).enforced, 1);
        assert_int_equal(decide_mode(k.d), ROLLOUT_ENFORCE);
        assert_int_equal(decide_save(k.d, &saved), ERR_OK);
        assert_int_equal(decide_load(k.d, buf_view(&saved)), ERR_OK);
        lift_as_mistake(&k, mistakes[i].at, mistakes[i].second);
        if (decide_mode(k.d) != mistakes[i].mode ||
            k.doings != (mistakes[i].mode == ROLLOUT_SIMULATE))
            fail_msg("%s: %s, told %zu times", mistakes[i].why,
                     rollout_mode_word(decide_mode(k.d)), k.doings);
        buf_free(&saved);
        kit_close(&k);
    }
}

/* Changed bytes under a right checksum: taken or not, nothing breaks. */
static void
test_changed_snapshots(void **state)
{
    struct decide_options o = wide();
    struct kit_host h = kit_bot("2001:db8::1", 0);
    struct buf saved;
    struct kit k;

    (void)state;
    kit_open(&k, &o);
    show_many(&k, 20, 0);
    kit_show(&k, &h);
    buf_init(&saved, 1U << 20);
    assert_int_equal(decide_save(k.d, &saved), ERR_OK);
    for (size_t at = 16; at < saved.n; at += at < 4096 ? 1 : 11) {
        struct span body = span_tail(buf_view(&saved), 16);
        uint8_t was = saved.p[at];
        uint64_t sum;
        struct decide *d;

        saved.p[at] = (uint8_t)(was ^ (1U << at % 8));
        sum = hash_span(body, 0);
        memcpy(saved.p + 8, &sum, 8);
        assert_int_equal(decide_new(&o, &d), ERR_OK);
        if (decide_load(d, buf_view(&saved)) == ERR_OK) {
            struct record_sink sink = kit_to(&k);

            h.at = 90000;
            h.level[0] = at % 2 ? "block" : "normal";
            decide_event(d, kit_host_event(&k, &h), &sink);
        }
        decide_free(d);
        saved.p[at] = was;
    }
    buf_free(&saved);
    kit_close(&k);
}

static void
test_bound_of_subjects(void **state)
{
    struct decide_options o = options();
    struct kit_host h = kit_bot("10.2.3.4", 2);
    struct kit k;

    (void)state;
    kit_open(&k, &o);
    for (unsigned i = 0; i < DECIDE_SUBJECTS; i++) {
        struct kit_host each;
        char ip[64];

        snprintf(ip, sizeof(ip), "11.%u.%u.1", i >> 8, i & 255);
        each = kit_bot(ip, 1);
        each.reg = "registered";
        kit_show(&k, &each);
    }
    assert_int_equal(decide_counts(k.d).refused, 0);
    assert_int_equal(decide_count(k.d), DECIDE_SUBJECTS);
    kit_show(&k, &h);
    assert_int_equal(decide_counts(k.d).refused, 1);
    assert_int_equal(decide_counts(k.d).active, 0);
    h.at = 86402; /* a day later nothing need be known of the others */
    kit_show(&k, &h);
    assert_int_equal(decide_counts(k.d).active, 1);
    assert_int_equal(decide_count(k.d), 1);
    kit_close(&k);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_once_and_ends),
        cmocka_unit_test(test_event_says_it_all),
        cmocka_unit_test(test_evidence_object),
        cmocka_unit_test(test_evidence_not_kept),
        cmocka_unit_test(test_evidence_lived_again),
        cmocka_unit_test(test_againsts),
        cmocka_unit_test(test_withheld_flaps),
        cmocka_unit_test(test_becomes_registered),
        cmocka_unit_test(test_v6_shared),
        cmocka_unit_test(test_v6_neighbours),
        cmocka_unit_test(test_exceptions),
        cmocka_unit_test(test_exception_lifts_at_once),
        cmocka_unit_test(test_ladder),
        cmocka_unit_test(test_shared_stays),
        cmocka_unit_test(test_fresh_needs_both),
        cmocka_unit_test(test_steps_are_forgotten),
        cmocka_unit_test(test_changes_hands),
        cmocka_unit_test(test_new_mac),
        cmocka_unit_test(test_begins_to_queue),
        cmocka_unit_test(test_lift_is_immunity),
        cmocka_unit_test(test_lift_before),
        cmocka_unit_test(test_people),
        cmocka_unit_test(test_person_adds),
        cmocka_unit_test(test_two_people),
        cmocka_unit_test(test_emergency),
        cmocka_unit_test(test_cap_of_a_minute),
        cmocka_unit_test(test_breaker_resumes),
        cmocka_unit_test(test_cap_of_active),
        cmocka_unit_test(test_cap_of_a_network),
        cmocka_unit_test(test_cap_of_a_site),
        cmocka_unit_test(test_site_has_a_day),
        cmocka_unit_test(test_save_and_load),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_changed_snapshots),
        cmocka_unit_test(test_bound_of_subjects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
