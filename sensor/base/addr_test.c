#include "sensor/base/addr.h"

#include "sensor/base/attr.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
addresses(void **state)
{
    /* want: how it is written back; NULL: refused. */
    static const struct {
        const char *why, *in, *want;
    } rows[] = {
        {"IPv4",                  "192.0.2.1",                                       "192.0.2.1"           },
        {"zeros",                 "0.0.0.0",                                         "0.0.0.0"             },
        {"ones",                  "255.255.255.255",                                 "255.255.255.255"     },
        {"two digits",            "10.20.30.40",                                     "10.20.30.40"         },
        {"mapped reads as IPv4",  "::ffff:192.0.2.1",                                "192.0.2.1"           },
        {"mapped in hexadecimal", "::ffff:c000:201",                                 "192.0.2.1"           },
        {"IPv6",                  "2001:db8::1",                                     "2001:db8::1"         },
        {"upper case",            "2001:DB8::A",                                     "2001:db8::a"         },
        {"leading zeros",         "2001:0db8::0001",                                 "2001:db8::1"         },
        {"unspecified",           "::",                                              "::"                  },
        {"loopback",              "::1",                                             "::1"                 },
        {"the longest run",       "2001:0:0:1:0:0:0:1",                              "2001:0:0:1::1"       },
        {"the first of two runs", "2001:db8:0:0:1:0:0:1",                            "2001:db8::1:0:0:1"   },
        {"one zero stays",        "2001:db8:0:1:1:1:1:1",                            "2001:db8:0:1:1:1:1:1"},
        {"at the end",            "fe80::",                                          "fe80::"              },
        {"octet 256",             "192.0.2.256",                                     NULL                  },
        {"three octets",          "192.0.2",                                         NULL                  },
        {"five octets",           "192.0.2.1.1",                                     NULL                  },
        {"octal",                 "192.0.2.010",                                     NULL                  },
        {"blank before",          " 192.0.2.1",                                      NULL                  },
        {"blank behind",          "192.0.2.1 ",                                      NULL                  },
        {"hexadecimal",           "0xc0000201",                                      NULL                  },
        {"one number",            "3221225985",                                      NULL                  },
        {"zone",                  "fe80::1%eth0",                                    NULL                  },
        {"brackets",              "[::1]",                                           NULL                  },
        {"two runs",              "1::2::3",                                         NULL                  },
        {"nine groups",           "1:2:3:4:5:6:7:8:9",                               NULL                  },
        {"nothing",               "",                                                NULL                  },
        {"too long for any",      "0000:0000:0000:0000:0000:0000:0000:0000:0000:00",
         NULL                                                                                              },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[ADDR_TEXT_MAX];
        struct addr a;
        bool ok = addr_parse(span_str(rows[i].in), &a);

        print_message("%s\n", rows[i].why);
        assert_int_equal(ok, rows[i].want != NULL);
        if (ok)
            assert_true(span_eq(span_of(text, addr_format(&a, text)),
                                span_str(rows[i].want)));
    }
    assert_false(addr_parse(SPAN_LIT("192.0.2.1\0x"), &(struct addr){{0}}));
}

/* Every byte pattern is some text that reads back as the same bytes. */
static void
round_trip(void **state)
{
    uint64_t x = 88172645463325252;

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        struct addr a;
        struct addr b;
        char text[ADDR_TEXT_MAX];

        for (unsigned k = 0; k < 16; k++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            a.b[k] = (x >> 40) % (1 + i % 3) == 0 ? 0 : (uint8_t)x;
        }
        if (i % 5 == 0)
            a = addr_v4(a.b);
        if (i % 7 == 0)
            memset(a.b, 0, 12);
        assert_true(addr_parse(span_of(text, addr_format(&a, text)), &b));
        assert_int_equal(addr_cmp(&a, &b), 0);
    }
}

/* Each pattern of zero and other groups, wide and narrow, as the C library
 * writes it. */
static void
formats_as_the_library(void **state)
{
    static const uint16_t values[] = {1, 0x10, 0x203, 0xfffe, 0xffff};

    (void)state;
    for (unsigned mask = 0; mask < 256; mask++) {
        for (size_t v = 0; v < ARRAY_LEN(values); v++) {
            struct addr a = {{0}};
            char want[INET6_ADDRSTRLEN];
            char got[ADDR_TEXT_MAX];
            struct span text;

            for (unsigned i = 0; i < 8; i++) {
                a.b[2 * i] = (uint8_t)(mask >> i & 1 ? values[v] >> 8 : 0);
                a.b[2 * i + 1] = (uint8_t)(mask >> i & 1 ? values[v] : 0);
            }
            if (addr_is_v4(&a))
                continue;
            text = span_of(got, addr_format(&a, got));
            assert_non_null(inet_ntop(AF_INET6, a.b, want, sizeof(want)));
            if (!span_eq(text, span_str(want)))
                fail_msg("%s: %.*s", want, (int)text.n, got);
        }
    }
}

static void
prefixes(void **state)
{
    static const struct {
        const char *why, *in, *want;
    } rows[] = {
        {"IPv4",                  "192.0.2.0/24",            "192.0.2.0/24" },
        {"a single address",      "192.0.2.1",               "192.0.2.1/32" },
        {"all of IPv4",           "0.0.0.0/0",               "0.0.0.0/0"    },
        {"odd bits",              "10.128.0.0/9",            "10.128.0.0/9" },
        {"IPv6",                  "2001:db8::/32",           "2001:db8::/32"},
        {"a single IPv6 address", "::1",                     "::1/128"      },
        {"all of IPv6",           "::/0",                    "::/0"         },
        {"host bits",             "192.0.2.1/24",            NULL           },
        {"host bits of IPv6",     "2001:db8::1/32",          NULL           },
        {"the last host bit",     "192.0.2.1/31",            NULL           },
        {"33",                    "192.0.2.0/33",            NULL           },
        {"129",                   "2001:db8::/129",          NULL           },
        {"256",                   "192.0.2.0/256",           NULL           },
        {"no length",             "192.0.2.0/",              NULL           },
        {"sign",                  "192.0.2.0/+24",           NULL           },
        {"a mask",                "192.0.2.0/255.255.255.0", NULL           },
        {"two slashes",           "192.0.2.0/24/24",         NULL           },
        {"no address",            "/24",                     NULL           },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct prefix p;
        struct buf b;
        bool ok = prefix_parse(span_str(rows[i].in), &p);

        print_message("%s\n", rows[i].why);
        assert_int_equal(ok, rows[i].want != NULL);
        if (!ok)
            continue;
        buf_init(&b, 100);
        prefix_format(&p, &b);
        assert_true(span_eq(buf_view(&b), span_str(rows[i].want)));
        buf_free(&b);
    }
}

static void
loose_prefixes(void **state)
{
    static const struct {
        const char *why, *in, *want; /* NULL: refused */
    } rows[] = {
        {"as it is",               "192.0.2.0/24",   "192.0.2.0/24" },
        {"bits behind the length", "192.0.2.77/24",  "192.0.2.0/24" },
        {"within a byte",          "192.0.2.77/31",  "192.0.2.76/31"},
        {"the whole address",      "192.0.2.77",     "192.0.2.77/32"},
        {"none left",              "192.0.2.77/0",   "0.0.0.0/0"    },
        {"IPv6",                   "2001:db8::1/47", "2001:db8::/47"},
        {"too long",               "192.0.2.77/33",  NULL           },
        {"no length",              "192.0.2.77/",    NULL           },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct prefix p;
        struct buf b;
        bool ok = prefix_parse_loose(span_str(rows[i].in), &p);

        buf_init(&b, 100);
        if (ok)
            prefix_format(&p, &b);
        if (ok != (rows[i].want != NULL) ||
            (ok && !span_eq(buf_view(&b), span_str(rows[i].want))))
            fail_msg("%s", rows[i].why);
        buf_free(&b);
    }
}

static void
membership(void **state)
{
    static const struct {
        const char *prefix, *addr;
        bool want;
    } rows[] = {
        {"192.0.2.0/24",   "192.0.2.255",     true },
        {"192.0.2.0/24",   "192.0.3.0",       false},
        {"192.0.2.128/25", "192.0.2.127",     false},
        {"192.0.2.128/25", "192.0.2.128",     true },
        {"192.0.2.7",      "192.0.2.7",       true },
        {"192.0.2.7",      "192.0.2.6",       false},
        {"0.0.0.0/0",      "255.255.255.255", true },
        {"0.0.0.0/0",      "2001:db8::1",     false},
        {"::/0",           "2001:db8::1",     true },
        {"::/0",           "192.0.2.1",       false},
        {"2001:db8::/32",  "2001:db8:ffff::", true },
        {"2001:db8::/33",  "2001:db8:8000::", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct prefix p;
        struct addr a;

        print_message("%s in %s\n", rows[i].addr, rows[i].prefix);
        assert_true(prefix_parse(span_str(rows[i].prefix), &p));
        assert_true(addr_parse(span_str(rows[i].addr), &a));
        assert_int_equal(prefix_has(&p, &a), rows[i].want);
    }
}

static void
private_addresses(void **state)
{
    static const struct {
        const char *addr;
        bool want;
    } rows[] = {
        {"9.255.255.255",   false},
        {"10.0.0.0",        true },
        {"10.255.255.255",  true },
        {"11.0.0.0",        false},
        {"172.15.255.255",  false},
        {"172.16.0.0",      true },
        {"172.31.255.255",  true },
        {"172.32.0.0",      false},
        {"192.168.0.0",     true },
        {"192.169.0.0",     false},
        {"100.63.255.255",  false},
        {"100.64.0.0",      true },
        {"100.127.255.255", true },
        {"100.128.0.0",     false},
        {"169.254.1.1",     true },
        {"127.0.0.1",       true },
        {"8.8.8.8",         false},
        {"fbff::",          false},
        {"fc00::",          true },
        {"fdff::1",         true },
        {"fe00::",          false},
        {"fe80::1",         true },
        {"febf::",          true },
        {"fec0::",          false},
        {"::1",             true },
        {"::2",             false},
        {"2001:db8::1",     false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct addr a;

        print_message("%s\n", rows[i].addr);
        assert_true(addr_parse(span_str(rows[i].addr), &a));
        assert_int_equal(addr_is_private(&a), rows[i].want);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(formats_as_the_library),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(loose_prefixes),
        cmocka_unit_test(membership),
        cmocka_unit_test(private_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
