#include "rules/host/paths.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/host/state.h"

#define START  (UINT64_C(1780000000) * NS_PER_S)
#define ROUTER "02:00:00:00:00:01"
#define SECOND "02:00:00:00:00:02"
#define FORGER "02:00:00:00:66:66"
#define HOST   "02:01:00:00:00:05"
#define NOBODY "00:00:00:00:00:00"

/* One connection of home host n to the server of network m. */
static struct path_flow
flow(const char *home, const char *away, unsigned n, unsigned m, uint64_t at)
{
    uint8_t inside[4] = {10, 0, (uint8_t)(n >> 8), (uint8_t)n};
    uint8_t outside[4] = {30, (uint8_t)m, 1, 25};

    return (struct path_flow){
        .sensor = SPAN_LIT("here"),
        .home_mac = span_str(home),
        .away_mac = span_str(away),
        .home = addr_v4(inside),
        .away = addr_v4(outside),
        .ttl = (uint8_t)(40 + m % 16),
        .away_serves = true,
        .now = START + at * NS_PER_S,
    };
}

static enum path
see(struct paths *p, struct path_flow f)
{
    return paths_see(p, &f);
}

/* n connections of so many hosts and networks, evenly over seconds. */
static void
bring(struct paths *p, const char *away, unsigned n, unsigned hosts,
      unsigned nets, uint64_t from, uint64_t seconds)
{
    for (unsigned i = 0; i < n; i++)
        (void)see(p, flow(HOST, away, i % hosts, i % nets,
                          from + seconds * i / (n - 1)));
}

static struct paths *
made(void)
{
    struct paths *p;

    assert_int_equal(paths_new(7, &p), ERR_OK);
    return p;
}

static struct paths *
taught(void)
{
    struct paths *p = made();

    bring(p, ROUTER, 60, 12, 12, 0, 7300);
    return p;
}

static const struct {
    const char *why;
    unsigned n, hosts, nets;
    uint64_t seconds;
    enum path want;
} firsts[] = {
    {"all that is asked for", 30, 3, 3, 7200, PATH_BOUND   },
    {"more of all",           31, 4, 4, 7201, PATH_BOUND   },
    {"a connection too few",  29, 3, 3, 7200, PATH_LEARNING},
    {"a host too few",        30, 2, 3, 7200, PATH_LEARNING},
    {"a network too few",     30, 3, 2, 7200, PATH_LEARNING},
    {"a second too early",    30, 3, 3, 7199, PATH_LEARNING},
};

static void
test_first_router(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(firsts); i++) {
        struct paths *p = made();
        uint64_t to = firsts[i].seconds;

        bring(p, ROUTER, firsts[i].n, firsts[i].hosts, firsts[i].nets, 0, to);
        if (see(p, flow(HOST, ROUTER, 0, 0, to)) != firsts[i].want)
            fail_msg("%s", firsts[i].why);
        paths_free(p);
    }
}

static const struct {
    const char *why, *home, *away, *sensor;
    enum path want;
} ways[] = {
    {"as usual",                     HOST,   ROUTER, "here",  PATH_BOUND   },
    {"another machine in its name",  FORGER, ROUTER, "here",  PATH_BOUND   },
    {"servers by a stranger",        HOST,   FORGER, "here",  PATH_FOREIGN },
    {"both ends by one",             FORGER, FORGER, "here",  PATH_ONE     },
    {"both ends by the router",      ROUTER, ROUTER, "here",  PATH_ONE     },
    {"home by the router, back not", ROUTER, FORGER, "here",  PATH_FOREIGN },
    {"no link layer",                "",     "",     "here",  PATH_UNSEEN  },
    {"the server's end alone",       "",     ROUTER, "here",  PATH_UNSEEN  },
    {"loopback",                     NOBODY, NOBODY, "here",  PATH_UNSEEN  },
    {"a sensor that knows nobody",   HOST,   ROUTER, "there", PATH_LEARNING},
};

static void
test_ways(void **state)
{
    struct paths *p = taught();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct path_flow f = flow(ways[i].home, ways[i].away, 1, 1, 7400);

        f.sensor = span_str(ways[i].sensor);
        if (see(p, f) != ways[i].want)
            fail_msg("%s", ways[i].why);
    }
    paths_free(p);
}

/* A second one needs a day, and a fair part of the hosts. */
static void
test_second_router(void **state)
{
    struct paths *p = taught();

    (void)state;
    bring(p, SECOND, 60, 12, 12, 7300, 86399);
    assert_int_equal(see(p, flow(HOST, SECOND, 1, 1, 93699)), PATH_FOREIGN);
    assert_int_equal(see(p, flow(HOST, SECOND, 1, 1, 93700)), PATH_FOREIGN);
    assert_int_equal(see(p, flow(HOST, SECOND, 1, 1, 93701)), PATH_BOUND);
    assert_int_equal(see(p, flow(SECOND, ROUTER, 1, 1, 93702)), PATH_UNPROVEN);
    paths_free(p);
}

static void
test_few_hosts_of_many(void **state)
{
    struct paths *p = made();

    (void)state;
    /* a forger with five victims, beside a router with forty hosts */
    for (unsigned i = 0; i < 400; i++) {
        (void)see(p, flow(HOST, ROUTER, i % 40, i % 20, i * 20));
        (void)see(p, flow(HOST, FORGER, 50 + i % 5, i % 20, i * 20));
    }
    assert_int_equal(see(p, flow(HOST, ROUTER, 1, 1, 8001)), PATH_BOUND);
    assert_int_equal(see(p, flow(HOST, FORGER, 50, 1, 8001)), PATH_FOREIGN);
    bring(p, FORGER, 400, 5, 20, 8001, 300000);
    assert_int_equal(see(p, flow(HOST, FORGER, 50, 1, 310000)), PATH_FOREIGN);
    paths_free(p);
}

/* Made-up addresses push nobody out who was seen more than once. */
static void
test_flood(void **state)
{
    struct paths *p = taught();
    char mac[18];

    (void)state;
    bring(p, SECOND, 20, 12, 12, 7300, 100);
    for (unsigned i = 0; i < 50000; i++) {
        (void)snprintf(mac, sizeof(mac), "02:77:00:%02x:%02x:%02x",
                       i >> 16 & 255, i >> 8 & 255, i & 255);
        assert_int_equal(see(p, flow(HOST, mac, i % 9, i % 200, 7400)),
                         PATH_FOREIGN);
    }
    assert_int_equal(see(p, flow(HOST, ROUTER, 1, 1, 7400)), PATH_BOUND);
    paths_free(p);
}

static void
test_forgotten(void **state)
{
    uint64_t kept = 7300 + HOST_LIMIT(path_kept_s);
    struct paths *p = taught();

    (void)state;
    assert_int_equal(see(p, flow(HOST, FORGER, 1, 1, kept)), PATH_FOREIGN);
    assert_int_equal(see(p, flow(HOST, FORGER, 1, 1, kept + 1)), PATH_LEARNING);
    paths_free(p);
}

static enum path_ttl
fits(struct paths *p, uint8_t ttl)
{
    struct path_flow f = flow(HOST, ROUTER, 9, 200, 7400);

    f.ttl = ttl;
    return paths_ttl(p, &f);
}

static void
teach_ttl(struct paths *p, const char *away, unsigned host, uint8_t ttl)
{
    struct path_flow f = flow(HOST, away, host, 200, 7400);

    f.ttl = ttl;
    (void)see(p, f);
}

static void
test_hop_limits(void **state)
{
    struct paths *p = taught();

    (void)state;
    teach_ttl(p, ROUTER, 1, 50);
    teach_ttl(p, ROUTER, 1, 50);
    assert_int_equal(fits(p, 50), TTL_UNKNOWN); /* one host is no witness */
    teach_ttl(p, FORGER, 2, 50);
    assert_int_equal(fits(p, 50), TTL_UNKNOWN); /* nor one by no router */
    teach_ttl(p, ROUTER, 2, 51);
    assert_int_equal(fits(p, 50), TTL_AS_OTHERS);
    assert_int_equal(fits(p, 53), TTL_AS_OTHERS);
    assert_int_equal(fits(p, 47), TTL_AS_OTHERS);
    assert_int_equal(fits(p, 54), TTL_ODD);
    assert_int_equal(fits(p, 46), TTL_ODD);
    assert_int_equal(fits(p, 0), TTL_UNKNOWN);
    teach_ttl(p, ROUTER, 3, 64); /* does not move what is known */
    assert_int_equal(fits(p, 64), TTL_ODD);
    paths_free(p);
}

static void
test_varied(void **state)
{
    struct paths *p = taught();

    (void)state;
    assert_false(paths_varied(p, SPAN_LIT("here")));
    for (uint8_t i = 0; i < 4; i++) {
        assert_false(paths_varied(p, SPAN_LIT("here")));
        teach_ttl(p, ROUTER, 1, (uint8_t)(200 + i));
    }
    assert_true(paths_varied(p, SPAN_LIT("here")));
    assert_false(paths_varied(p, SPAN_LIT("there")));
    paths_free(p);
}

static void
test_snapshot(void **state)
{
    struct paths *p = taught();
    struct paths *q = made();
    struct cursor c;
    struct buf b;

    (void)state;
    buf_init(&b, SIZE_MAX / 2);
    paths_save(p, &b);
    c = cur_open(span_head(buf_view(&b), b.n - 1));
    assert_int_equal(paths_load(q, &c), ERR_CORRUPT);
    assert_int_equal(see(q, flow(HOST, ROUTER, 1, 1, 7400)), PATH_LEARNING);
    c = cur_open(buf_view(&b));
    assert_int_equal(paths_load(q, &c), ERR_OK);
    assert_int_equal(see(q, flow(HOST, ROUTER, 1, 1, 7400)), PATH_BOUND);
    buf_free(&b);
    paths_free(p);
    paths_free(q);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_router),
        cmocka_unit_test(test_ways),
        cmocka_unit_test(test_second_router),
        cmocka_unit_test(test_few_hosts_of_many),
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_forgotten),
        cmocka_unit_test(test_hop_limits),
        cmocka_unit_test(test_varied),
        cmocka_unit_test(test_snapshot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
