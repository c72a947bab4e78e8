/* The generator against what its rows promise: valid records in order of time,
 * the same for the same seed, shares as drawn. */
#include "tests/evaluate/play.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "sensor/base/hash.h"

#define DAY (24 * 3600 * NS_PER_S)

struct tally {
    uint64_t n, bytes, hash;
    ns_t last;
    uint64_t of[EVENT_TYPE_COUNT];
    uint64_t rcpts, unknown, deferred, tls, oneway, gaps, midstream, listed;
    uint64_t v6, null_sender, foreign_mac, inbound, seen;
};

static void
count_rcpts(struct tally *t, struct span record)
{
    struct cursor c = record_entries_of(record), in;
    struct record_entry e, f;

    while (record_next(&c, &e)) {
        if (e.field != FIELD_SMTP_RCPT)
            continue;
        t->rcpts++;
        in = cur_open(e.value);
        while (record_next(&in, &f)) {
            if (f.field != FIELD_SMTP_RCPT_CLASS)
                continue;
            t->seen++;
            t->unknown += span_eq(f.value, span_str("unknown_user"));
            t->deferred += span_eq(f.value, span_str("greylisting"));
            t->listed += span_eq(f.value, span_str("blocklist"));
        }
    }
}

static void
look(void *ctx, struct span record)
{
    struct tally *t = ctx;
    struct record_head h;
    struct addr a;

    assert_true(record_check(record));
    h = record_head_of(record);
    assert_true(h.when >= t->last);
    t->last = h.when;
    t->n++;
    t->bytes += record.n;
    t->hash = hash_mix(t->hash, hash_span(record, 1));
    t->of[h.type]++;
    t->tls += h.type == EVENT_SMTP_SESSION &&
              record_find_bool(record, FIELD_SMTP_STARTTLS_USED);
    t->oneway += h.type == EVENT_SMTP_SESSION &&
                 record_find_bool(record, FIELD_QUALITY_ONEWAY);
    t->midstream += h.type == EVENT_SMTP_SESSION &&
                    record_find_bool(record, FIELD_QUALITY_MIDSTREAM);
    t->gaps += h.type == EVENT_SMTP &&
               record_find_bool(record, FIELD_QUALITY_TRUNCATED);
    t->null_sender += record_find_bool(record, FIELD_SMTP_NULL_SENDER);
    t->inbound +=
        span_eq(record_find(record, FIELD_DIRECTION), span_str("inbound"));
    t->foreign_mac += span_eq(record_find(record, FIELD_ETHER_SRC_MAC),
                              span_str("02:00:00:00:66:66"));
    if (entry_addr(record_find(record, FIELD_SRC_IP), &a))
        t->v6 += !addr_is_v4(&a);
    if (h.type == EVENT_SMTP)
        count_rcpts(t, record);
}

static struct tally
run(struct play_options o)
{
    struct tally t = {0};
    struct record_sink sink = {look, &t};
    struct play *p;

    if (o.scale <= 0)
        o.scale = 1;
    assert_int_equal(play_new(&o, &p), ERR_OK);
    play_run(p, &sink);
    assert_int_equal(p->n_events, t.n);
    play_free(p);
    return t;
}

static struct tally
run_only(enum scenario_id id, struct conditions c, double days)
{
    struct scenario_set only = {{0}};

    scenario_add(&only, id);
    return run((struct play_options){.seed = 5,
                                     .cond = c,
                                     .half = PLAY_BOTH,
                                     .only = only,
                                     .days_most = days});
}

static void
is_share(const char *why, uint64_t k, uint64_t n, double want)
{
    double got = n > 0 ? (double)k / (double)n : 0;
    double error = 5 * sqrt((want * (1 - want) + .01) / (double)(n + 1));

    if (fabs(got - want) > error)
        fail_msg("%s: %.3f of %u, not %.3f", why, got, (unsigned)n, want);
}

static void
everything_is_valid_and_repeats(void **state)
{
    struct play_options o = {
        .seed = 3,
        .half = PLAY_BOTH,
        .scale = .1,
        .days_most = .3,
        .cond = {.3, true, .02, .1, .1, false}
    };
    struct tally a = run(o), b = run(o);

    (void)state;
    assert_int_equal(a.n, b.n);
    assert_int_equal(a.hash, b.hash);
    o.seed = 4;
    b = run(o);
    assert_true(a.hash != b.hash);
    assert_true(a.of[EVENT_SMTP] > 0 && a.of[EVENT_SMTP_SESSION] > 0);
    assert_true(a.of[EVENT_TLS] > 0 && a.of[EVENT_DNS] > 0);
    assert_true(a.of[EVENT_FILEINFO] > 0);
    is_share("TLS", a.tls, a.of[EVENT_SMTP_SESSION], .3);
}

static void
shares_are_as_drawn(void **state)
{
    struct conditions clear = {0};
    struct tally t = run_only(SCENARIO_DAY400_A, clear, 0);

    (void)state;
    /* 6 hosts, 400 a day for two days */
    assert_true(t.of[EVENT_SMTP] > 4450 && t.of[EVENT_SMTP] < 5200);
    t = run_only(SCENARIO_TRICKLE_A, clear, 0);
    assert_int_equal(t.of[EVENT_SMTP], 6 * scenarios[SCENARIO_TRICKLE_A].cap);
    assert_int_equal(t.of[EVENT_DNS], 0);
    is_share("list of dead addresses", t.unknown, t.rcpts - t.listed, .37);
    is_share("greylisting, a fifth of what lives", t.deferred,
             t.rcpts - t.listed - t.unknown, .2);
    t = run_only(SCENARIO_TRICKLE_A, (struct conditions){.tls = .9}, 0);
    is_share("TLS 90 %", t.tls, t.of[EVENT_SMTP_SESSION], .9);
    t = run_only(SCENARIO_TRICKLE_A, (struct conditions){.oneway = 1}, 0);
    assert_int_equal(t.oneway, t.of[EVENT_SMTP_SESSION]);
    assert_int_equal(t.seen, 0);
    t = run_only(SCENARIO_TRICKLE_A, (struct conditions){.midstream = .1}, 0);
    is_share("mid-stream", t.midstream, t.of[EVENT_SMTP_SESSION], .1);
    t = run_only(SCENARIO_TRICKLE_A, (struct conditions){.loss = .2}, 0);
    is_share("replies that went missing", t.rcpts - t.seen, t.rcpts, .2);
    assert_true(t.gaps * 2 > t.of[EVENT_SMTP]);
}

static void
rows_are_what_they_say(void **state)
{
    struct conditions dns = {.dns = true};
    struct tally t = run_only(SCENARIO_BACKSCATTER, dns, .5);

    (void)state;
    assert_int_equal(t.null_sender, t.of[EVENT_SMTP]);
    assert_true(t.inbound > 0);
    t = run_only(SCENARIO_BOT_V6, dns, .1);
    assert_int_equal(t.v6, t.n);
    t = run_only(SCENARIO_SYN_FLOOD, (struct conditions){0}, .1);
    assert_true(t.of[EVENT_SMTP_SESSION] > 1000);
    t = run_only(SCENARIO_FORGED_BOTH, dns, .1);
    assert_true(t.foreign_mac > 1000);
    t = run_only(SCENARIO_FORGED_ONE, dns, .1);
    assert_true(t.oneway > 1000);
    t = run_only(SCENARIO_NEW_SERVER, dns, 3);
    /* of organisations, of which each host has its favourites */
    assert_true(t.listed * 2 > t.rcpts && t.listed * 10 < t.rcpts * 7);
}

static void
retries_come(void **state)
{
    struct tally server =
        run_only(SCENARIO_NEW_SERVER, (struct conditions){0}, 7);
    struct tally bot = run_only(SCENARIO_DAY400_A, (struct conditions){0}, 0);

    (void)state;
    /* who comes again is known from then on, who does not is not */
    assert_true(server.deferred * 20 < server.rcpts);
    is_share("of a bot, a fifth", bot.deferred, bot.rcpts - bot.unknown, .2);
}

/* The cast of a seed does not depend on what is seen of it. */
static void
cast_is_the_same_under_all_conditions(void **state)
{
    struct play_options o = {.seed = 9, .half = PLAY_BOTH, .scale = 1};
    struct play *a, *b;

    (void)state;
    assert_int_equal(play_new(&o, &a), ERR_OK);
    o.cond = (struct conditions){
        .tls = .9, .dns = true, .loss = .1, .oneway = .1, .midstream = .1};
    assert_int_equal(play_new(&o, &b), ERR_OK);
    assert_int_equal(a->n_subjects, b->n_subjects);
    for (uint32_t i = 0; i < a->n_subjects; i++) {
        const struct subject *s = &a->subjects[i];

        assert_memory_equal(&s->addr, &b->subjects[i].addr, sizeof(s->addr));
        assert_int_equal(s->registered, b->subjects[i].registered);
        assert_ptr_equal(play_find(a, &s->addr), s);
    }
    for (uint32_t i = 0; i < a->n_actors; i++)
        assert_true(a->actors[i].rate == b->actors[i].rate);
    play_free(a);
    play_free(b);
}

static void
halves_are_disjoint_and_whole(void **state)
{
    unsigned tuning = 0, reporting = 0;

    (void)state;
    for (unsigned i = 0; i < SCENARIO_COUNT; i++) {
        if (scenarios[i].family == NULL || scenarios[i].label != LABEL_BOT)
            continue;
        if (scenario_is_tuning(&scenarios[i]))
            tuning++;
        else
            reporting++;
    }
    assert_true(tuning >= 8 && reporting >= 8);
}

#define IN(id) scenario_is_tuning(&scenarios[SCENARIO_##id])

/* Each row of DETECTION 5.1 that has families: one in each half. */
static void
rows_are_in_both_halves(void **state)
{
    const struct {
        const char *why;
        bool one, other;
    } rows[] = {
        {"Rustock, Xarvester",      IN(RUSTOCK),  IN(RUSTOCK_B) },
        {"Cutwail",                 IN(CUTWAIL),  IN(CUTWAIL_D) },
        {"Lethic, by rate",         IN(LETHIC),   IN(WALEDAC)   },
        {"Grum, Kraken",            IN(GRUM),     IN(KRAKEN)    },
        {"Bobax, Waledac, Kelihos", IN(BOBAX),    IN(WALEDAC)   },
        {"Phorpiex",                IN(PHORPIEX), IN(PHORPIEX_C)},
        {"ProxyM",                  IN(PROXYM),   IN(PROXYM_C)  },
        {"cracked account",         IN(CRACKED),  IN(CRACKED_B) },
        {"low and slow",            IN(SLOW_15),  IN(SLOW_15_H) },
        {"snowshoe",                IN(SNOWSHOE), IN(SNOWSHOE_B)},
        {"NAT",                     IN(NAT),      IN(NAT_B)     },
        {"banked successes",        IN(BANKED),   IN(BANKED_B)  },
        {"web form",                IN(WEB_FORM), IN(WEB_FORM_C)},
        {"poisoned baseline",       IN(POISONER), IN(POISONER_C)},
        {"IPv6",                    IN(BOT_V6),   IN(BOT_V6_B)  },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].one == rows[i].other)
            fail_msg("%s: both in one half", rows[i].why);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_valid_and_repeats),
        cmocka_unit_test(shares_are_as_drawn),
        cmocka_unit_test(rows_are_what_they_say),
        cmocka_unit_test(retries_come),
        cmocka_unit_test(cast_is_the_same_under_all_conditions),
        cmocka_unit_test(halves_are_disjoint_and_whole),
        cmocka_unit_test(rows_are_in_both_halves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
