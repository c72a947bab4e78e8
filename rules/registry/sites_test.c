#include "rules/registry/sites.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TU, LIB, NOT_A_SITE };

/* pool NONE with no site: a home network. vlan > 0: of the site. */
struct said {
    int site;
    const char *prefix;
    enum sites_pool pool;
    uint16_t vlan;
};

static const struct site codes[] = {
    {"TU",  "Technical University", "P. Maier", "noc@tu.example",
     "Europe/Berlin"                                                  },
    {"LIB", "Library",              NULL,       NULL,             NULL},
};

static enum err
say(struct sites *s, const struct said *said)
{
    struct prefix p;

    if (said->vlan > 0)
        return sites_add_vlan(s, (uint32_t)said->site, said->vlan);
    assert_true(prefix_parse(span_str(said->prefix), &p));
    if (said->site != NOT_A_SITE)
        return sites_add_prefix(s, (uint32_t)said->site, &p);
    if (said->pool != SITES_POOL_NONE)
        return sites_add_pool(s, &p, said->pool);
    return sites_add_home(s, &p);
}

static struct sites *
make(const struct said *said, size_t n)
{
    struct sites *s = NULL;

    assert_int_equal(sites_new(&s), ERR_OK);
    for (uint32_t i = 0; i < ARRAY_LEN(codes); i++) {
        uint32_t index = 99;

        assert_int_equal(sites_add(s, &codes[i], &index), ERR_OK);
        assert_int_equal(index, i);
    }
    for (size_t i = 0; i < n; i++)
        assert_int_equal(say(s, &said[i]), ERR_OK);
    return s;
}

static enum err
done(struct sites *s, char why[256])
{
    struct buf b;
    enum err e;

    buf_init(&b, 255);
    e = sites_done(s, &b);
    if (b.n > 0)
        memcpy(why, b.p, b.n);
    why[b.n] = '\0';
    buf_free(&b);
    return e;
}

static const struct said plan[] = {
    {TU,         "10.1.0.0/16",       SITES_POOL_NONE, 0             },
    {LIB,        "10.1.7.0/24",       SITES_POOL_NONE, 0             },
    {LIB,        "2001:db8:7::/48",   SITES_POOL_NONE, 0             },
    {TU,         "10.1.7.128/25",     SITES_POOL_NONE, 0             },
    {NOT_A_SITE, "10.0.0.0/8",        SITES_POOL_NONE, 0             },
    {NOT_A_SITE, "10.1.7.64/26",      SITES_POOL_DHCP, 0             },
    {NOT_A_SITE, "10.1.7.64/28",      SITES_POOL_NAT,  0             },
    {NOT_A_SITE, "10.1.7.200",        SITES_POOL_VPN,  0             },
    {NOT_A_SITE, "192.0.2.0/24",      SITES_POOL_NAT,  0             },
    {NOT_A_SITE, "10.1.7.0/24",       SITES_POOL_NONE, 0             },
    {LIB,        NULL,                SITES_POOL_NONE, 12            },
    {TU,         NULL,                SITES_POOL_NONE, SITES_VLAN_MAX},
    {TU,         "2001:db8:7:8::/64", SITES_POOL_NONE, 0             },
};

static const struct {
    const char *why, *addr;
    uint16_t vlan;
    bool home;
    const char *site;
    enum sites_pool pool;
} finds[] = {
    {"in one prefix",            "10.1.2.3",        0,     true,  "TU",  SITES_POOL_NONE},
    {"the longest counts",       "10.1.7.3",        0,     true,  "LIB", SITES_POOL_NONE},
    {"longer again",             "10.1.7.129",      0,     true,  "TU",  SITES_POOL_NONE},
    {"a pool has its site",      "10.1.7.90",       0,     true,  "LIB", SITES_POOL_DHCP},
    {"a pool in a pool",         "10.1.7.65",       0,     true,  "LIB", SITES_POOL_NAT },
    {"a pool of one",            "10.1.7.200",      0,     true,  "TU",  SITES_POOL_VPN },
    {"home of no site",          "10.2.0.1",        0,     true,  NULL,  SITES_POOL_NONE},
    {"home, site by VLAN",       "10.2.0.1",        12,    true,  "LIB", SITES_POOL_NONE},
    {"the last VLAN",            "10.2.0.1",        4094,  true,  "TU",  SITES_POOL_NONE},
    {"VLAN of nobody",           "10.2.0.1",        13,    true,  NULL,  SITES_POOL_NONE},
    {"no such VLAN",             "10.2.0.1",        65535, true,  NULL,  SITES_POOL_NONE},
    {"a prefix before the VLAN", "10.1.2.3",        12,    true,  "TU",  SITES_POOL_NONE},
    {"abroad has no site",       "198.51.100.1",    12,    false, NULL,  SITES_POOL_NONE},
    {"a pool is no home",        "192.0.2.1",       12,    false, NULL,  SITES_POOL_NAT },
    {"IPv6",                     "2001:db8:7::1",   0,     true,  "LIB", SITES_POOL_NONE},
    {"IPv6, longer",             "2001:db8:7:8::1", 0,     true,  "TU",  SITES_POOL_NONE},
    {"IPv6 abroad",              "2001:db8:8::1",   0,     false, NULL,  SITES_POOL_NONE},
};

static void
finds_site_and_pool(void **state)
{
    struct sites *s = make(plan, ARRAY_LEN(plan));
    char why[256];

    (void)state;
    assert_int_equal(done(s, why), ERR_OK);
    assert_string_equal(why, "");
    for (size_t i = 0; i < ARRAY_LEN(finds); i++) {
        struct addr a;
        struct sites_place p;
        const char *code;

        assert_true(addr_parse(span_str(finds[i].addr), &a));
        p = sites_find(s, &a, finds[i].vlan);
        code = p.site != NULL ? p.site->code : "none";
        if (p.home != finds[i].home || p.pool != finds[i].pool ||
            strcmp(code, finds[i].site != NULL ? finds[i].site : "none") != 0)
            fail_msg("%s: home %d, site %s, pool %d", finds[i].why, p.home,
                     code, (int)p.pool);
    }
    sites_free(s);
}

static void
tells_home_networks(void **state)
{
    static const char *const want[] = {"10.0.0.0/8", "2001:db8:7::/48"};
    struct sites *s = make(plan, ARRAY_LEN(plan));
    char why[256];

    (void)state;
    assert_int_equal(done(s, why), ERR_OK);
    assert_int_equal(sites_n_home(s), ARRAY_LEN(want));
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        struct prefix p;
        bool there = false;

        assert_true(prefix_parse(span_str(want[i]), &p));
        for (size_t k = 0; k < sites_n_home(s); k++)
            there |= sites_home(s)[k].bits == p.bits &&
                     addr_cmp(&sites_home(s)[k].addr, &p.addr) == 0;
        assert_true(there);
    }
    sites_free(s);
}

static const struct {
    const char *why;
    struct said said[2];
    const char *want; /* NULL: no clash */
} clashes[] = {
    {"two sites, one prefix",
     {{TU, "10.1.0.0/16", SITES_POOL_NONE, 0},
      {LIB, "10.1.0.0/16", SITES_POOL_NONE, 0}},
     "10.1.0.0/16 belongs to site TU and to site LIB"},
    {"one site, twice the same",
     {{TU, "10.1.0.0/16", SITES_POOL_NONE, 0},
      {TU, "10.1.0.0/16", SITES_POOL_NONE, 0}},
     NULL                                            },
    {"two sites, one VLAN",
     {{LIB, NULL, SITES_POOL_NONE, 7}, {TU, NULL, SITES_POOL_NONE, 7}},
     "VLAN 7 belongs to site LIB and to site TU"     },
    {"one site, twice the same VLAN",
     {{LIB, NULL, SITES_POOL_NONE, 7}, {LIB, NULL, SITES_POOL_NONE, 7}},
     NULL                                            },
    {"a pool of two kinds",
     {{NOT_A_SITE, "10.1.0.0/16", SITES_POOL_NAT, 0},
      {NOT_A_SITE, "10.1.0.0/16", SITES_POOL_VPN, 0}},
     "10.1.0.0/16 is a pool of two kinds"            },
    {"a site whose prefix is a pool",
     {{TU, "10.1.0.0/16", SITES_POOL_NONE, 0},
      {NOT_A_SITE, "10.1.0.0/16", SITES_POOL_VPN, 0}},
     NULL                                            },
    {"a prefix within another",
     {{TU, "10.1.0.0/16", SITES_POOL_NONE, 0},
      {LIB, "10.1.0.0/17", SITES_POOL_NONE, 0}},
     NULL                                            },
};

static void
names_what_clashes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(clashes); i++) {
        struct sites *s = make(clashes[i].said, 2);
        const char *want = clashes[i].want;
        char why[256];
        enum err e = done(s, why);

        if (e != (want != NULL ? ERR_EXISTS : ERR_OK) ||
            strcmp(why, want != NULL ? want : "") != 0)
            fail_msg("%s: %s, %s", clashes[i].why, err_text(e), why);
        sites_free(s);
    }
}

static void
copies_texts_and_refuses_a_code_twice(void **state)
{
    char code[] = "TU", name[] = "Technical University";
    struct site site = {code, name, NULL, NULL, NULL};
    struct sites *s = NULL;
    uint32_t index = 7;
    char why[256];

    (void)state;
    assert_int_equal(sites_new(&s), ERR_OK);
    assert_int_equal(sites_add(s, &site, &index), ERR_OK);
    assert_int_equal(sites_add(s, &site, &index), ERR_EXISTS);
    memset(code, 'x', sizeof(code) - 1);
    memset(name, 'x', sizeof(name) - 1);
    assert_int_equal(sites_n(s), 1);
    assert_string_equal(sites_at(s, 0)->code, "TU");
    assert_string_equal(sites_at(s, 0)->name, "Technical University");
    assert_null(sites_at(s, 0)->owner);
    assert_int_equal(sites_add_vlan(s, 0, 0), ERR_USAGE);
    assert_int_equal(sites_add_vlan(s, 0, 4095), ERR_USAGE);
    assert_int_equal(done(s, why), ERR_OK);
    sites_free(s);
    sites_free(NULL);
}

static void
takes_as_many_sites_as_said(void **state)
{
    struct sites *s = NULL;
    uint32_t index;
    enum err e = ERR_OK;

    (void)state;
    assert_int_equal(sites_new(&s), ERR_OK);
    for (unsigned i = 0; i <= SITES_MAX; i++) {
        char code[16];
        struct site site = {code, NULL, NULL, NULL, NULL};

        (void)snprintf(code, sizeof(code), "s%u", i);
        assert_int_equal(e, ERR_OK);
        e = sites_add(s, &site, &index);
    }
    assert_int_equal(e, ERR_LIMIT);
    assert_int_equal(sites_n(s), SITES_MAX);
    sites_free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_site_and_pool),
        cmocka_unit_test(tells_home_networks),
        cmocka_unit_test(names_what_clashes),
        cmocka_unit_test(copies_texts_and_refuses_a_code_twice),
        cmocka_unit_test(takes_as_many_sites_as_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
