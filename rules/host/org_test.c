#include "rules/host/org.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rules/host/record_kit.h"

static struct org *
fresh(uint64_t seed)
{
    struct org *o;

    assert_int_equal(org_new(seed, &o), ERR_OK);
    return o;
}

#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* same: the domain or address whose organisation it is; NULL: none. */
/* clang-format off */
static const struct { const char *why, *path, *same; } rows[] = {
    {"registrable domain", "<a@mail.example.org>", "example.org"},
    {"itself", "<a@example.org>", "example.org"},
    {"suffix of two labels", "<a@mx.sub.example.co.uk>", "example.co.uk"},
    {"private suffix: customers differ", "<a@shop.github.io>", "shop.github.io"},
    {"case", "<A@MAIL.Example.ORG>", "example.org"},
    {"trailing dot", "<a@example.org.>", "example.org"},
    {"no brackets", "a@example.org", "example.org"},
    {"bracket lost", "<a@example.org", "example.org"},
    {"quoted local part with @", "<\"b@c\"@example.org>", "example.org"},
    {"source route", "<@relay.test,@b.test:a@example.org>", "example.org"},
    {"percent hack goes to the relay", "<a%b.test@example.org>", "example.org"},
    {"a public suffix alone", "<a@co.uk>", "co.uk"},
    {"one label", "<a@localhost>", "localhost"},
    {"punycode as it is", "<a@www.XN--bcher-kva.example>", "xn--bcher-kva.example"},
    {"UTF-8", "<a@www.b\xc3\xbc" "cher.example>", "b\xc3\xbc" "cher.example"},
    {"broken UTF-8 is a name too", "<a@\xff\xfe.example>", "\xff\xfe.example"},
    {"underscore", "<a@_x.example.org>", "example.org"},
    {"literal", "<a@[192.0.2.1]>", "192.0.2.77"},
    {"literal of IPv6", "<a@[IPv6:2001:db8:1:2::3]>", "[IPv6:2001:db8:1::]"},
    {"its tag in any case", "<a@[ipv6:2001:DB8:1:2::3]>", "[IPv6:2001:db8:1::]"},
    {"address without brackets", "<a@192.0.2.9>", "[192.0.2.1]"},
    {"literal without its end", "<a@[192.0.2.9>", "[192.0.2.1]"},
    {"number at the end is no address", "<a@1.2.3.4.5>", "4.5"},
    {"other tag", "<a@[x400:c=de]>", NULL},
    {"literal with rubbish", "<a@[]>", NULL},
    {"null path", "<>", NULL},
    {"empty", "", NULL},
    {"postmaster", "<postmaster>", NULL},
    {"nothing behind @", "<a@>", NULL},
    {"a dot alone", "<a@.>", NULL},
    {"two dots at the end", "<a@example.org..>", NULL},
    {"begins with a dot", "<a@.example.org>", NULL},
    {"empty label", "<a@a..org>", NULL},
    {"a space", "<a@exam ple.org>", NULL},
    {"a control character", "<a@example\x01.org>", NULL},
    {"@ in quotes only", "<\"a@b\">", NULL},
    {"label of 63", "<a@" L63 ".org>", L63 ".org"},
    {"labels of 255 in all", "<a@" L63 "." L63 "." L63 "." L63 ">", NULL},
    {"eight labels and more", "<a@a.b.c.d.e.f.g.h.i.j.example.org>", "example.org"},
};
/* clang-format on */

static void
finds_organisations(void **state)
{
    struct org *o = fresh(7);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t got = org_of_path(o, span_str(rows[i].path));
        uint64_t want = 0;

        if (rows[i].same != NULL)
            want = org_of_domain(o, span_str(rows[i].same));
        if (got != want || (want == 0) != (rows[i].same == NULL))
            fail_msg("%s", rows[i].why);
        /* the second look is into the cache */
        if (org_of_path(o, span_str(rows[i].path)) != got)
            fail_msg("%s: again", rows[i].why);
    }
    org_free(o);
}

static void
tells_organisations_apart(void **state)
{
    static const char *const all[] = {
        "example.org",
        "example.com",
        "a.co.uk",
        "b.co.uk",
        "a.github.io",
        "b.github.io",
        "192.0.2.1",
        "192.0.3.1",
        "localhost",
        "[IPv6:2001:db8::1]",
        "[IPv6:2001:db8:1::1]",
    };
    struct org *o = fresh(7);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        for (size_t k = 0; k < i; k++)
            assert_true(org_of_domain(o, span_str(all[i])) !=
                        org_of_domain(o, span_str(all[k])));
    }
    org_free(o);
}

static void
takes_the_length_of_a_domain(void **state)
{
    uint8_t text[ORG_DOMAIN_MAX + 2];
    struct org *o = fresh(7);

    (void)state;
    for (size_t n = ORG_DOMAIN_MAX - 1; n <= ORG_DOMAIN_MAX + 1; n++) {
        for (size_t i = 0; i < n; i++)
            text[i] = i % 2 == 1 && i + 1 < n ? '.' : 'a';
        assert_int_equal(org_of_domain(o, span_of(text, n)) != 0,
                         n <= ORG_DOMAIN_MAX);
    }
    org_free(o);
}

static void
takes_hostile_paths(void **state)
{
    static const uint8_t nul[] = "<a@exam\0ple.org>";
    struct org *o = fresh(7);
    uint8_t *big = malloc(65535);

    (void)state;
    assert_non_null(big);
    assert_int_equal(org_of_path(o, span_of(nul, sizeof(nul) - 1)), 0);
    for (unsigned c = 0; c < 256; c++) {
        memset(big, (int)c, 65535);
        assert_int_equal(org_of_path(o, span_of(big, 65535)), 0);
        big[0] = '@';
        assert_int_equal(org_of_path(o, span_of(big, 65535)), 0);
        memcpy(big + 65535 - 13, "@example.org>", 13);
        assert_true(org_of_path(o, span_of(big, 65535)) ==
                    org_of_domain(o, SPAN_LIT("example.org")));
    }
    free(big);
    org_free(o);
}

static void
takes_the_server_under_tls(void **state)
{
    struct org *o = fresh(7);
    uint64_t with_as, other_as, net, same_net;
    struct kit k;

    (void)state;
    kit_init(&k);
    with_as = org_of_server(o, kit_event(&k, EVENT_SMTP_SESSION, 1,
                                         "dest_ip=192.0.2.1;"
                                         "dest_as.number=64500"));
    other_as = org_of_server(o, kit_event(&k, EVENT_SMTP_SESSION, 1,
                                          "dest_ip=192.0.2.1;"
                                          "dest_as.number=64501"));
    net = org_of_server(
        o, kit_event(&k, EVENT_SMTP_SESSION, 1, "dest_ip=192.0.2.1"));
    same_net = org_of_server(
        o, kit_event(&k, EVENT_SMTP_SESSION, 1, "dest_ip=192.0.2.254"));
    assert_true(with_as != other_as && with_as != net);
    assert_true(net == same_net && net != 0);
    assert_true(net == org_of_domain(o, SPAN_LIT("[192.0.2.3]")));
    assert_int_equal(org_of_server(o, kit_event(&k, EVENT_SMTP, 1, "")), 0);
    kit_free(&k);
    org_free(o);
}

static void
depends_on_the_seed_alone(void **state)
{
    struct org *a = fresh(7), *b = fresh(7), *c = fresh(8);

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        char text[40];

        (void)snprintf(text, sizeof(text), "h%u.d%u.example", i, i % 5000);
        assert_true(org_of_domain(a, span_str(text)) != 0);
    }
    for (unsigned i = 0; i < 5000; i++) {
        char text[40];

        (void)snprintf(text, sizeof(text), "d%u.example", i);
        assert_true(org_of_domain(a, span_str(text)) ==
                    org_of_domain(b, span_str(text)));
        assert_true(org_of_domain(a, span_str(text)) !=
                    org_of_domain(c, span_str(text)));
    }
    org_free(a);
    org_free(b);
    org_free(c);
}

static void
cuts_registrable_domains(void **state)
{
    static const struct {
        const char *why, *in, *want;
    } cuts[] = {
        {"below one label",            "mx.School.Example",               "School.Example"    },
        {"the domain itself",          "school.example",                  "school.example"    },
        {"third labels are given out", "mx.a.ac.uk.",                     "a.ac.uk"           },
        {"a public suffix",            "ac.uk",                           "ac.uk"             },
        {"one label",                  "localhost",                       "localhost"         },
        {"of a hosting firm",          "x.customer.github.io",            "customer.github.io"},
        {"an address",                 "192.0.2.1",                       ""                  },
        {"a literal",                  "[192.0.2.1]",                     ""                  },
        {"nothing",                    "",                                ""                  },
        {"an empty label",             "a..example",                      ""                  },
        {"dots alone",                 "...",                             ""                  },
        {"many labels",                "a.b.c.d.e.f.g.h.i.j.k.a.example", "a.example"         },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        struct span in = span_str(cuts[i].in);
        struct span got = org_registrable(in);

        if (!span_eq(got, span_str(cuts[i].want)))
            fail_msg("%s: %.*s", cuts[i].why, (int)got.n, (const char *)got.p);
        assert_true(got.n == 0 || (got.p >= in.p && got.p < in.p + in.n));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_organisations),
        cmocka_unit_test(tells_organisations_apart),
        cmocka_unit_test(takes_the_length_of_a_domain),
        cmocka_unit_test(takes_hostile_paths),
        cmocka_unit_test(cuts_registrable_domains),
        cmocka_unit_test(takes_the_server_under_tls),
        cmocka_unit_test(depends_on_the_seed_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
