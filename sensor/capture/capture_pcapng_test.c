#include "sensor/capture/capture_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* ---- times ---- */

static const struct {
    const char *why;
    int tsresol;
    int64_t tsoffset;
    uint64_t ticks;
    ns_t want;
} times[] = {
    {"default is microseconds",            -1,        0,         1767600000123456,                          1767600000123456000},
    {"seconds",                            0,         0,         1767600000,                                1767600000000000000},
    {"milliseconds",                       3,         0,         1767600000123,                             1767600000123000000},
    {"nanoseconds",                        9,         0,         1767600000123456789,                       1767600000123456789},
    {"tenths of a nanosecond",             10,        0,         12345678909,                               1234567890         },
    {"the smallest unit that can be told", 28,        0,         UINT64_MAX,                                1                  },
    {"a unit too small to be told",        29,        0,         UINT64_MAX,                                0                  },
    {"10^-127",                            127,       0,         UINT64_MAX,                                0                  },
    {"halves",                             0x81,      0,         3,                                         1500000000         },
    {"2^-10",                              0x80 + 10, 0,         1024 + 512,                                1500000000         },
    {"2^-32",                              0x80 + 32, 0,         (UINT64_C(1767600000) << 32) + (1U << 31),
     1767600000500000000                                                                                                       },
    {"2^-127",                             0xff,      0,         UINT64_MAX,                                0                  },
    {"offset forward",                     6,         1000,      5,                                         1000000005000      },
    {"offset back",                        6,         -10,       15000001,                                  5000001000         },
    {"offset back past 1970",              6,         -10,       9000000,                                   0                  },
    {"offset of all ages",                 6,         INT64_MAX, 1,                                         CAPTURE_TIME_MAX   },
    {"offset before all ages",             6,         INT64_MIN, 1767600000000000,                          0                  },
    {"time past the limit",                6,         0,         UINT64_MAX,                                CAPTURE_TIME_MAX   },
};

static void
test_times(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_LEN(times); i++) {
        size_t row = i / 2;
        struct made m;
        struct capture *c;
        struct packet k;

        made_init(&m, false);
        ng_section(&m, i % 2 == 1);
        ng_iface(&m, (struct ng_iface){1, 0, NULL, times[row].tsresol,
                                       times[row].tsoffset});
        ng_enhanced(&m, 0, times[row].ticks, 60);
        c = open_one(buf_view(&m.b), 0);
        assert_int_equal(capture_next(c, &k), CAPTURE_PACKET);
        if (k.when != times[row].want)
            fail_msg("%s: %llu", times[row].why, (unsigned long long)k.when);
        capture_close(c);
        buf_free(&m.b);
    }
}

/* ---- sections and interfaces ---- */

static void
expect_name(const struct capture *c, size_t i, const char *name, uint32_t index,
            uint16_t link)
{
    const struct capture_iface *f = capture_iface(c, i);

    assert_true(span_eq(f->name, span_str(name)));
    assert_int_equal(f->index, index);
    assert_int_equal(f->link, link);
    assert_int_equal(f->file, 0);
}

static void
test_sections(void **state)
{
    struct made m;

    (void)state;
    make_sections(&m);
    for (size_t chunk = 0; chunk < 9; chunk += 4) {
        struct capture *c = open_one(buf_view(&m.b), chunk);
        struct packet k;

        expect(c, 1000000000, 1, 0, 60);
        expect(c, 2000000001, 101, 1, 61);
        expect(c, 2000000001, 1, 0, 96);
        expect(c, 2000000001, 1, 0, 50);
        expect(c, 3000000000, 101, 1, 62);
        expect(c, 3000000000, 1, 0, 40);
        expect(c, 4000000000, 113, 2, 63);
        expect(c, 5000000000, 1, 0, 64);
        assert_int_equal(capture_next(c, &k), CAPTURE_END);
        assert_int_equal(capture_n_faults(c), 0);
        assert_int_equal(capture_n_ifaces(c), 3);
        expect_name(c, 0, "eth0", 0, 1);
        expect_name(c, 1, "tun0", 1, 101);
        expect_name(c, 2, "memory", 1, 113);
        capture_close(c);
    }
    buf_free(&m.b);
}

static void
test_section_ifaces_limit(void **state)
{
    (void)state;
    for (uint32_t n = CAPTURE_SECTION_IFACES_MAX - 1;
         n <= CAPTURE_SECTION_IFACES_MAX + 1; n++) {
        bool over = n > CAPTURE_SECTION_IFACES_MAX;
        struct made m;
        struct capture *c;

        made_init(&m, false);
        ng_section(&m, false);
        for (uint32_t i = 0; i < n; i++)
            ng_iface(&m, (struct ng_iface){1, 0, NULL, -1, 0});
        ng_enhanced(&m, n - 1, 1, 60);
        c = open_one(buf_view(&m.b), 0);
        assert_int_equal(drain(c), over ? 0 : 1);
        assert_int_equal(capture_n_faults(c), over ? 1 : 0);
        capture_close(c);
        buf_free(&m.b);
    }
}

static void
test_ifaces_limit(void **state)
{
    struct made m;
    struct capture *c;
    struct packet k;
    char name[16];

    (void)state;
    made_init(&m, false);
    for (unsigned i = 0; i < CAPTURE_IFACES_MAX + 1; i++) {
        (void)snprintf(name, sizeof(name), "if%u", i);
        ng_section(&m, false);
        ng_iface(&m, (struct ng_iface){1, 0, name, -1, 0});
        ng_enhanced(&m, 0, i, 60);
    }
    c = open_one(buf_view(&m.b), 0);
    for (unsigned i = 0; i < CAPTURE_IFACES_MAX + 1; i++) {
        unsigned want = i < CAPTURE_IFACES_MAX ? i : CAPTURE_IFACES_MAX - 1;

        assert_int_equal(capture_next(c, &k), CAPTURE_PACKET);
        assert_int_equal(k.iface, want);
    }
    assert_int_equal(capture_next(c, &k), CAPTURE_END);
    assert_int_equal(capture_n_ifaces(c), CAPTURE_IFACES_MAX);
    assert_true(span_eq(capture_iface(c, CAPTURE_IFACES_MAX - 1)->name,
                        SPAN_LIT("(others)")));
    capture_close(c);
    buf_free(&m.b);
}

static void
test_iface_names(void **state)
{
    static const struct {
        size_t in, want;
    } rows[] = {
        {255,  255},
        {256,  256},
        {257,  256},
        {1000, 256}
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char name[1001] = {0};
        struct made m;
        struct capture *c;

        memset(name, 'x', rows[i].in);
        made_init(&m, false);
        ng_section(&m, false);
        ng_iface(&m, (struct ng_iface){1, 0, name, -1, 0});
        c = open_one(buf_view(&m.b), 0);
        assert_int_equal(drain(c), 0);
        assert_int_equal(capture_iface(c, 0)->name.n, rows[i].want);
        capture_close(c);
        buf_free(&m.b);
    }
}

/* Options that make no sense leave the interface as it is without them. */
static void
test_bad_options(void **state)
{
    static const struct {
        const char *why;
        struct span body;
    } rows[] = {
        {"option past the block", LIT("\1\0\0\0\0\0\0\0\2\0\377\0eth0")   },
        {"half an option",        LIT("\1\0\0\0\0\0\0\0\2\0")             },
        {"empty tsresol",         LIT("\1\0\0\0\0\0\0\0\11\0\0\0")        },
        {"short tsoffset",        LIT("\1\0\0\0\0\0\0\0\16\0\4\0\1\0\0\0")},
        {"empty name",            LIT("\1\0\0\0\0\0\0\0\2\0\0\0")         },
        {"name of a NUL",         LIT("\1\0\0\0\0\0\0\0\2\0\1\0\0\0\0\0") },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct made m;
        struct capture *c;

        made_init(&m, false);
        ng_section(&m, false);
        ng_block(&m, 1, rows[i].body);
        ng_enhanced(&m, 0, 1000000, 60);
        c = open_one(buf_view(&m.b), 0);
        expect(c, NS_PER_S, 1, 0, 60);
        assert_int_equal(drain(c), 0);
        if (capture_n_faults(c) != 0)
            fail_msg("%s: %s", rows[i].why, capture_fault(c, 0)->text);
        expect_name(c, 0, "memory", 0, 1);
        capture_close(c);
        buf_free(&m.b);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_sections),
        cmocka_unit_test(test_section_ifaces_limit),
        cmocka_unit_test(test_ifaces_limit),
        cmocka_unit_test(test_iface_names),
        cmocka_unit_test(test_bad_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
