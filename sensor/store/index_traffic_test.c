#include "sensor/store/index_traffic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sensor/base/hash.h"
#include "sensor/store/index.h"
#include "tempdir.h"

#define HOUR_NS (3600 * NS_PER_S)
#define BEGIN   (UINT64_C(400000) * HOUR_NS)
#define HOSTS   5U
#define HOURS   300U /* more than are kept */
#define EVENTS  2000U

/* What happened, one by one. */
struct model {
    struct {
        ns_t when;
        unsigned host;
        bool session, out, counts, unregistered;
        uint64_t rcpt, refused;
    } v[EVENTS];
    size_t n;
};

static struct addr
address(unsigned n)
{
    uint8_t b[4] = {10, 0, 0, (uint8_t)n};

    return addr_v4(b);
}

static void
add(struct index *x, uint64_t seq, uint64_t rng, struct model *m)
{
    const ns_t when = BEGIN + seq * HOURS * HOUR_NS / EVENTS;
    const unsigned host = (unsigned)(rng % HOSTS);
    const bool session = (rng >> 8) % 2 == 0, out = (rng >> 16) % 3 != 0;
    const bool has_last = (rng >> 24) % 3 == 0, last = (rng >> 28) % 2 == 0;
    const bool registered = (rng >> 32) % 3 == 0;
    const struct addr a = address(host);
    const struct record_head head = {.when = when,
                                     .flow_id = seq,
                                     .seq = 1,
                                     .type = session ? EVENT_SMTP_SESSION
                                                     : EVENT_SMTP};
    struct record_out r;

    record_init(&r);
    record_begin(&r, &head);
    record_addr(&r, FIELD_SRC_IP, &a);
    record_text(&r, FIELD_DIRECTION, out ? "outbound" : "inbound");
    record_text(&r, FIELD_SRC_REG_STATE,
                registered ? "registered" : "unregistered");
    if (!session) {
        record_u64(&r, FIELD_SMTP_RCPT_OFFERED, rng % 7);
        record_u64(&r, FIELD_SMTP_RCPT_REFUSED, rng % 3);
        if (has_last)
            record_bool(&r, FIELD_SMTP_LAST, last);
    }
    assert_int_equal(index_add(x, buf_view(&r.buf), seq), ERR_OK);
    record_free(&r);
    m->v[m->n].when = when;
    m->v[m->n].host = host;
    m->v[m->n].session = session;
    m->v[m->n].out = out;
    m->v[m->n].counts = session || !has_last || last;
    m->v[m->n].unregistered = !registered;
    m->v[m->n].rcpt = session ? 0 : rng % 7;
    m->v[m->n++].refused = session ? 0 : rng % 3;
}

struct got {
    const struct model *m;
    ns_t from, to; /* of whole hours */
    size_t n;
    uint64_t before, total;
};

static void
compare_sender(void *ctx, const struct index_sender *s)
{
    struct got *g = ctx;
    uint64_t sessions = 0, rcpt = 0, refused = 0;

    for (size_t i = 0; i < g->m->n; i++) {
        if (g->m->v[i].when < g->from || g->m->v[i].when >= g->to ||
            !g->m->v[i].out || !g->m->v[i].counts ||
            g->m->v[i].host != s->host.b[15])
            continue;
        sessions += g->m->v[i].session;
        rcpt += g->m->v[i].rcpt;
        refused += g->m->v[i].refused;
    }
    assert_int_equal(s->sessions, sessions);
    assert_int_equal(s->rcpt, rcpt);
    assert_int_equal(s->refused, refused);
    assert_true(s->sessions <= g->before);
    g->before = s->sessions;
    g->n++;
}

/* Who sent in that time, and whose last word was that it is unregistered. */
static size_t
senders(const struct got *g, size_t *unregistered)
{
    int last[HOSTS];
    size_t n = 0;

    memset(last, -1, sizeof(last));
    for (size_t i = 0; i < g->m->n; i++) {
        if (g->m->v[i].when >= g->from && g->m->v[i].when < g->to &&
            g->m->v[i].out && g->m->v[i].counts)
            last[g->m->v[i].host] = g->m->v[i].unregistered;
    }
    *unregistered = 0;
    for (size_t h = 0; h < HOSTS; h++) {
        n += last[h] >= 0;
        *unregistered += last[h] == 1;
    }
    return n;
}

static void
compare_slot(void *ctx, ns_t slot, enum index_traffic_class c, uint64_t n)
{
    struct got *g = ctx;
    uint64_t want = 0;

    for (size_t i = 0; i < g->m->n; i++)
        want += g->m->v[i].session && g->m->v[i].when >= slot &&
                g->m->v[i].when < slot + INDEX_TRAFFIC_STEP &&
                (!g->m->v[i].out           ? c == INDEX_TRAFFIC_INBOUND
                 : g->m->v[i].unregistered ? c == INDEX_TRAFFIC_UNREGISTERED
                                           : c == INDEX_TRAFFIC_REGISTERED);
    assert_int_equal(n, want);
    g->total += n;
}

static uint64_t
sessions_of(const struct got *g)
{
    uint64_t n = 0;

    for (size_t i = 0; i < g->m->n; i++)
        n += g->m->v[i].session && g->m->v[i].when >= g->from &&
             g->m->v[i].when < g->to;
    return n;
}

static void
check(struct index_reader *r, const struct model *m, ns_t end, unsigned hours)
{
    const ns_t last = end / HOUR_NS * HOUR_NS;
    struct got g = {.m = m,
                    .from = last - (hours - 1) * HOUR_NS,
                    .to = last + HOUR_NS,
                    .before = UINT64_MAX};
    struct got few = g;
    struct index_senders all;
    size_t unregistered;

    assert_int_equal(
        index_traffic_senders(r, end, hours, 100, compare_sender, &g, &all),
        ERR_OK);
    assert_int_equal(g.n, senders(&g, &unregistered));
    assert_int_equal(all.total, g.n);
    assert_int_equal(all.unregistered, unregistered);
    assert_true(all.exact);
    assert_int_equal(
        index_traffic_senders(r, end, hours, 1, compare_sender, &few, &all),
        ERR_OK);
    assert_int_equal(few.n, g.n > 0);
    assert_int_equal(all.total, g.n);
    assert_int_equal(index_traffic_slots(r, g.from, g.to, compare_slot, &g),
                     ERR_OK);
    assert_int_equal(g.total, sessions_of(&g));
}

static struct index_reader *
look(const char *dir)
{
    struct index_reader *r = NULL;
    struct buf why;

    buf_init(&why, 256);
    assert_int_equal(index_reader_open(dir, &r, &why), ERR_OK);
    buf_free(&why);
    return r;
}

static void
counts_who_sent(void **state)
{
    struct tempdir t;
    struct index *x = NULL;
    struct index_reader *r;
    struct model *m = calloc(1, sizeof(*m));
    struct buf why;
    uint64_t rng = 25, high;

    (void)state;
    assert_non_null(m);
    tempdir_make(&t);
    buf_init(&why, 256);
    assert_int_equal(index_open(t.path, &x, &why), ERR_OK);
    for (uint64_t seq = 1; seq <= EVENTS; seq++) {
        rng = hash_mix(rng, seq);
        add(x, seq, rng, m);
        if (seq != EVENTS / 2)
            continue;
        index_close(x); /* and what was counted is gone on from */
        assert_int_equal(index_open(t.path, &x, &why), ERR_OK);
    }
    assert_int_equal(index_commit(x), ERR_OK);
    r = look(t.path);
    for (unsigned back = 0; back < 190; back += 7)
        check(r, m, BEGIN + (HOURS - back) * HOUR_NS, 24);
    check(r, m, BEGIN + HOURS * HOUR_NS, 1);
    /* What is older than is kept went; an hour without events was not seen. */
    assert_int_equal(
        index_traffic_open_high(r, BEGIN + (HOURS - 210) * HOUR_NS, &high),
        ERR_OK);
    assert_int_equal(
        index_traffic_open_high(r, BEGIN + (HOURS - 220) * HOUR_NS, &high),
        ERR_NOENT);
    assert_int_equal(
        index_traffic_open_high(r, BEGIN + (HOURS + 1) * HOUR_NS, &high),
        ERR_NOENT);
    index_reader_close(r);
    index_close(x);
    buf_free(&why);
    free(m);
    tempdir_remove(&t);
}

static void
alert(struct index *x, uint64_t seq, ns_t when, uint64_t severity)
{
    const struct record_head head = {
        .when = when, .flow_id = seq, .seq = 1, .type = EVENT_ALERT};
    char id[17] = "000000000000000a";
    struct record_out r;

    id[14] = (char)('0' + seq % 10);
    record_init(&r);
    record_begin(&r, &head);
    record_text(&r, FIELD_ALERT_ID, id);
    record_text(&r, FIELD_ALERT_SIGNATURE, "a rule");
    record_u64(&r, FIELD_ALERT_SEVERITY, severity);
    record_text(&r, FIELD_ALERT_RULE, "r");
    record_text(&r, FIELD_ALERT_SUBJECT, "10.0.0.1");
    record_time(&r, FIELD_ALERT_FIRST, when);
    record_time(&r, FIELD_ALERT_LAST, when);
    record_u64(&r, FIELD_ALERT_COUNT, 1);
    assert_int_equal(index_add(x, buf_view(&r.buf), seq), ERR_OK);
    record_free(&r);
}

static void
close_alert(struct index *x, uint64_t seq, ns_t when, const char *id)
{
    const struct record_head head = {.when = when, .type = EVENT_CONTROL};
    struct record_out r;

    record_init(&r);
    record_begin(&r, &head);
    record_text(&r, FIELD_CONTROL_KIND, "alert");
    record_text(&r, FIELD_CONTROL_ACTION, "close");
    record_text(&r, FIELD_CONTROL_ALERT, id);
    assert_int_equal(index_add(x, buf_view(&r.buf), seq), ERR_OK);
    record_free(&r);
}

static void
knows_what_was_open(void **state)
{
    static const uint64_t want[] = {0, 2, 1};
    struct tempdir t;
    struct index *x = NULL;
    struct index_reader *r;
    struct buf why;

    (void)state;
    tempdir_make(&t);
    buf_init(&why, 256);
    assert_int_equal(index_open(t.path, &x, &why), ERR_OK);
    alert(x, 1, BEGIN, 1);
    alert(x, 2, BEGIN, 1);
    alert(x, 3, BEGIN, 2);
    alert(x, 4, BEGIN + HOUR_NS, 3);
    close_alert(x, 5, BEGIN + HOUR_NS, "000000000000001a");
    alert(x, 6, BEGIN + 2 * HOUR_NS, 3);
    assert_int_equal(index_commit(x), ERR_OK);
    r = look(t.path);
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        uint64_t high = 99;

        assert_int_equal(
            index_traffic_open_high(r, BEGIN + i * HOUR_NS + 1, &high), ERR_OK);
        assert_int_equal(high, want[i]);
    }
    index_reader_close(r);
    index_close(x);
    buf_free(&why);
    tempdir_remove(&t);
}

enum said { SIGHT, CAPTURE, WORKER };

static void
stats(struct index *x, uint64_t seq, ns_t when, enum said said, uint64_t seen,
      uint64_t unseen)
{
    const struct record_head head = {.when = when, .type = EVENT_STATS};
    struct record_out r;

    record_init(&r);
    record_begin(&r, &head);
    if (said == SIGHT) {
        record_u64(&r, FIELD_SIGHT_WINDOW, 300);
        record_u64(&r, FIELD_SIGHT_SEEN, seen);
        record_u64(&r, FIELD_SIGHT_UNSEEN, unseen);
    } else {
        if (said == WORKER)
            record_u64(&r, FIELD_STATS_WORKER, 0);
        record_u64(&r, FIELD_STATS_BYTES_SEEN, seen);
        record_u64(&r, FIELD_STATS_BYTES_LOST, unseen);
    }
    assert_int_equal(index_add(x, buf_view(&r.buf), seq), ERR_OK);
    record_free(&r);
}

static void
knows_how_much_was_seen(void **state)
{
    static const struct {
        const char *why;
        unsigned end, hours;
        uint64_t want[3];
    } looks[] = {
        {"the last word of an hour",            0, 1,    {1, 90, 10} },
        {"a capture; workers tell nothing",     1, 1,    {1, 70, 30} },
        {"both",                                1, 2,    {2, 160, 40}},
        {"an hour of which nothing is told",    2, 1,    {1, 0, 0}   },
        {"an hour that was not seen",           3, 1,    {0, 0, 0}   },
        {"a number that nobody saw is bounded",
         4,                                        1,
         {1, UINT64_C(1) << 48, 0}                                   },
        {"more hours than there were",          2, 9999, {3, 160, 40}},
    };
    struct tempdir t;
    struct index *x = NULL;
    struct index_reader *r;
    struct buf why;

    (void)state;
    tempdir_make(&t);
    buf_init(&why, 256);
    assert_int_equal(index_open(t.path, &x, &why), ERR_OK);
    stats(x, 1, BEGIN, SIGHT, 1, 2);
    stats(x, 2, BEGIN + 1, SIGHT, 90, 10);
    stats(x, 3, BEGIN + HOUR_NS, CAPTURE, 70, 30);
    stats(x, 4, BEGIN + HOUR_NS, WORKER, 5, 6);
    alert(x, 5, BEGIN + 2 * HOUR_NS, 3);
    stats(x, 6, BEGIN + 4 * HOUR_NS, SIGHT, UINT64_MAX, 0);
    assert_int_equal(index_commit(x), ERR_OK);
    r = look(t.path);
    for (size_t i = 0; i < ARRAY_LEN(looks); i++) {
        struct index_sight got = {0};

        assert_int_equal(index_traffic_sight(r, BEGIN + looks[i].end * HOUR_NS,
                                             looks[i].hours, &got),
                         ERR_OK);
        if (got.hours != looks[i].want[0] || got.seen != looks[i].want[1] ||
            got.unseen != looks[i].want[2])
            fail_msg("%s: %llu hours, %llu, %llu", looks[i].why,
                     (unsigned long long)got.hours,
                     (unsigned long long)got.seen,
                     (unsigned long long)got.unseen);
    }
    index_reader_close(r);
    index_close(x);
    buf_free(&why);
    tempdir_remove(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_who_sent),
        cmocka_unit_test(knows_what_was_open),
        cmocka_unit_test(knows_how_much_was_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
