#include "sensor/core/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
    const char *client, *server, *want;
} ways[] = {
    {"10.0.0.1",        "203.0.113.5",    "outbound"},
    {"203.0.113.5",     "10.255.255.255", "inbound" },
    {"10.0.0.1",        "10.0.0.2",       "internal"},
    {"10.0.0.1",        "2001:db8::25",   "internal"},
    {"203.0.113.5",     "203.0.113.6",    "external"},
    {"2001:db8::1",     "2001:db9::1",    "outbound"},
    {"11.0.0.1",        "9.255.255.255",  "external"},
    {"::ffff:10.0.0.1", "203.0.113.5",    "outbound"},
};

static struct addr
addr(const char *text)
{
    struct addr a;

    assert_true(addr_parse(span_str(text), &a));
    return a;
}

static struct prefix
prefix(const char *text)
{
    struct prefix p;

    assert_true(prefix_parse(span_str(text), &p));
    return p;
}

static struct sites *
make_sites(void)
{
    static const char *const home[] = {"10.0.0.0/8", "2001:db8::/32"};
    struct site tu = {"TU", "Technical University", NULL, NULL, NULL};
    struct prefix of_tu = prefix("10.1.0.0/16"), dhcp = prefix("10.1.7.0/24");
    struct prefix nat = prefix("10.1.8.0/24");
    struct sites *s = NULL;
    struct buf why;
    uint32_t index;

    buf_init(&why, 100);
    assert_int_equal(sites_new(&s), ERR_OK);
    assert_int_equal(sites_add(s, &tu, &index), ERR_OK);
    assert_int_equal(sites_add_prefix(s, index, &of_tu), ERR_OK);
    assert_int_equal(sites_add_vlan(s, index, 12), ERR_OK);
    assert_int_equal(sites_add_pool(s, &dhcp, SITES_POOL_DHCP), ERR_OK);
    assert_int_equal(sites_add_pool(s, &nat, SITES_POOL_NAT), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(home); i++) {
        struct prefix p = prefix(home[i]);

        assert_int_equal(sites_add_home(s, &p), ERR_OK);
    }
    assert_int_equal(sites_done(s, &why), ERR_OK);
    buf_free(&why);
    return s;
}

static void
tells_the_direction(void **state)
{
    struct sites *sites = make_sites();
    struct place p = {sites, NULL, NULL};
    struct place nowhere = {NULL, NULL, NULL};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct addr client = addr(ways[i].client);
        struct addr server = addr(ways[i].server);
        struct place_host c = place_find(&p, &client, 0, 0);
        struct place_host s = place_find(&p, &server, 0, 0);
        const char *got = place_direction(&p, &c, &s);

        if (strcmp(got, ways[i].want) != 0)
            fail_msg("%s to %s: %s", ways[i].client, ways[i].server, got);
        c = place_find(&nowhere, &client, 0, 0);
        assert_false(c.home);
        assert_null(place_direction(&nowhere, &c, &c));
    }
    sites_free(sites);
}

static struct leases *
make_leases(void)
{
    static const char csv[] = "address,start,end,hardware,name\n"
                              "10.1.7.5,100,200,00:01,\n"
                              "10.2.0.5,100,200,00:01,\n"
                              "10.1.8.5,100,200,00:01,\n"
                              "192.0.2.5,100,200,00:01,\n";
    struct leases *l = NULL;
    struct buf messages;
    size_t faulty;

    buf_init(&messages, 1000);
    assert_int_equal(leases_new(&l), ERR_OK);
    assert_int_equal(leases_read(l, SPAN_LIT(csv), "f", &faulty, &messages),
                     ERR_OK);
    assert_int_equal(leases_done(l), ERR_OK);
    buf_free(&messages);
    return l;
}

static const struct {
    const char *why, *addr;
    uint16_t vlan;
    unsigned second;
    bool home;
    const char *site, *pool;
    bool lease;
} hosts[] = {
    {"of a site",            "10.1.0.1",  0,  150, true,  "TU", NULL,   false},
    {"by VLAN",              "10.2.0.1",  12, 150, true,  "TU", NULL,   false},
    {"of no site",           "10.2.0.1",  0,  150, true,  NULL, NULL,   false},
    {"in a lease",           "10.1.7.5",  0,  150, true,  "TU", "dhcp", true },
    {"before the lease",     "10.1.7.5",  0,  99,  true,  "TU", "dhcp", false},
    {"after the lease",      "10.1.7.5",  0,  200, true,  "TU", "dhcp", false},
    {"a lease, but no pool", "10.2.0.5",  0,  150, true,  NULL, NULL,   true },
    {"no lease behind nat",  "10.1.8.5",  0,  150, true,  "TU", "nat",  false},
    {"no lease abroad",      "192.0.2.5", 0,  150, false, NULL, NULL,   false},
};

static void
finds_site_pool_and_lease(void **state)
{
    struct sites *sites = make_sites();
    struct leases *leases = make_leases();
    struct place p = {sites, leases, NULL};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        struct addr a = addr(hosts[i].addr);
        struct place_host h =
            place_find(&p, &a, hosts[i].vlan, hosts[i].second * NS_PER_S);
        const char *site = h.site != NULL ? h.site->code : "";
        const char *pool = h.pool != NULL ? h.pool : "";

        if (h.home != hosts[i].home || (h.lease != NULL) != hosts[i].lease ||
            strcmp(site, hosts[i].site != NULL ? hosts[i].site : "") != 0 ||
            strcmp(pool, hosts[i].pool != NULL ? hosts[i].pool : "") != 0)
            fail_msg("%s: home %d, site %s, pool %s, lease %d", hosts[i].why,
                     h.home, site, pool, h.lease != NULL);
    }
    leases_free(leases);
    sites_free(sites);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_the_direction),
        cmocka_unit_test(finds_site_pool_and_lease),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
