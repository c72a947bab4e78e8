#include "rules/decide/decide_test_kit.h"

#define N "normal"
#define A "alert"
#define B "block"

/* s1 s1t s2 s3 s4 s5 s6 s7 */
static const struct {
    const char *why;
    const char *level[DECIDE_STATS];
    bool want;
} rules[] = {
    {"nothing",                          {N, N, N, N, N, N, N, N},        false},
    {"nothing is observable",            {NULL},                          false},
    {"S1 alone",                         {B, N, N, N, N, N, N, N},        false},
    {"S1 and fan-out",                   {B, N, N, A, N, N, N, N},        true },
    {"S1 not at block level",            {A, N, N, B, N, N, N, N},        false},
    {"S1 raised only",                   {"raised", N, N, B, N, N, N, N}, false},
    {"S1 and S1T are of one nature",     {B, A, N, N, N, N, N, N},        false},
    {"S1 and content",                   {B, N, A, N, N, N, N, N},        true },
    {"S1 and cluster",                   {B, N, N, N, A, N, N, N},        true },
    {"S1 and block lists",               {B, N, N, N, N, N, A, N},        true },
    {"S1 and no retries",                {B, N, N, N, N, N, N, A},        true },
    {"S2 alone",                         {N, N, B, N, N, N, N, N},        false},
    {"S2 and cluster are both content",  {N, N, B, N, A, N, N, N},        false},
    {"S2 and S5 are both content",       {N, N, B, N, N, B, N, N},        false},
    {"S2 and fan-out",                   {N, N, B, A, N, N, N, N},        true },
    {"S5 and fan-out",                   {N, N, N, A, N, B, N, N},        true },
    {"S5 at alert level",                {N, N, N, A, N, A, N, N},        false},
    {"S5 alone",                         {N, N, N, N, N, B, N, N},        false},
    {"S1T and S3 at block level",        {N, B, N, B, N, N, N, N},        true },
    {"S1T with S3 at alert level only",  {N, B, N, A, N, N, N, N},        false},
    {"S1T and others, but not S3",       {N, B, N, N, N, N, A, A},        false},
    {"corroborating ones carry nothing", {N, N, N, B, B, N, B, B},        false},
    {"all",                              {B, B, B, B, A, B, A, A},        true },
};

static void
test_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        struct decide_options o = {.limits = decide_limits_default};
        struct kit_host h = kit_bot("10.2.3.4", 0);
        struct decide_facts f;
        struct kit k;

        memcpy(h.level, rules[i].level, sizeof(h.level));
        kit_open(&k, &o);
        assert_true(decide_facts(kit_host_event(&k, &h), &o.limits, &f));
        if (f.holds != rules[i].want)
            fail_msg("%s", rules[i].why);
        kit_close(&k);
    }
}

/* Each minimum at n - 1, n, n + 1. */
static const struct {
    const char *why;
    size_t at; /* of the number in struct kit_host */
    uint64_t value;
    uint64_t organisations; /* 0: as it is */
    uint32_t want;
} minima[] = {
#define ROW(name) offsetof(struct kit_host, name)
    {"9 sessions",             ROW(sessions),      9,   0,  AGAINST(SESSIONS)     },
    {"10 sessions",            ROW(sessions),      10,  0,  0                     },
    {"11 sessions",            ROW(sessions),      11,  0,  0                     },
    {"4 organisations",        ROW(organisations), 4,   0,  AGAINST(ORGANISATIONS)},
    {"5 organisations",        ROW(organisations), 5,   0,  0                     },
    {"6 organisations",        ROW(organisations), 6,   0,  0                     },
    {"2 networks",             ROW(networks),      2,   0,  AGAINST(NETWORKS)     },
    {"3 networks",             ROW(networks),      3,   0,  0                     },
    {"4 networks",             ROW(networks),      4,   0,  0                     },
    {"119 s",                  ROW(seconds),       119, 0,  AGAINST(SECONDS)      },
    {"120 s",                  ROW(seconds),       120, 0,  0                     },
    {"121 s",                  ROW(seconds),       121, 0,  0                     },
    {"30 s, 49 organisations", ROW(seconds),       30,  49, AGAINST(SECONDS)      },
    {"29 s, 50 organisations", ROW(seconds),       29,  50, AGAINST(SECONDS)      },
    {"30 s, 50 organisations", ROW(seconds),       30,  50, 0                     },
    {"31 s, 51 organisations", ROW(seconds),       31,  51, 0                     },
    {"9 in the last hour",     ROW(volume),        9,   0,  AGAINST(VOLUME)       },
    {"10 in the last hour",    ROW(volume),        10,  0,  0                     },
    {"11 in the last hour",    ROW(volume),        11,  0,  0                     },
    {"799 of 1000 replies",    ROW(replies),       799, 0,  AGAINST(REPLIES)      },
    {"800 of 1000 replies",    ROW(replies),       800, 0,  0                     },
    {"801 of 1000 replies",    ROW(replies),       801, 0,  0                     },
    {"4.9 % lost",             ROW(loss),          49,  0,  0                     },
    {"5 % lost",               ROW(loss),          50,  0,  AGAINST(LOSS)         },
    {"5.1 % lost",             ROW(loss),          51,  0,  AGAINST(LOSS)         },
    {"9 by a router",          ROW(bound),         9,   0,  AGAINST(PATH)         },
    {"10 by a router",         ROW(bound),         10,  0,  0                     },
    {"11 by a router",         ROW(bound),         11,  0,  0                     },
    {"1 of 11 by another way", ROW(unbound),       1,   0,  0                     },
    {"2 of 12 by another way", ROW(unbound),       2,   0,  AGAINST(PATH)         },
};

static void
test_minima(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(minima); i++) {
        struct decide_options o = {.limits = decide_limits_default};
        struct kit_host h = kit_bot("10.2.3.4", 0);
        struct decide_facts f;
        struct kit k;

        memcpy((char *)&h + minima[i].at, &minima[i].value, sizeof(uint64_t));
        if (minima[i].organisations > 0)
            h.organisations = minima[i].organisations;
        kit_open(&k, &o);
        assert_true(decide_facts(kit_host_event(&k, &h), &o.limits, &f));
        if (f.against != minima[i].want)
            fail_msg("%s: %x", minima[i].why, f.against);
        kit_close(&k);
    }
}

/* What looks like a list waits, unless more than refusals and fan-out speaks
 * against it. */
static const struct {
    const char *why;
    bool open;
    const char *level[DECIDE_STATS];
    uint32_t want;
} chances[] = {
    {"refusals and fan-out",        true,  {B, N, N, A, N, N, N, N},        AGAINST(RETRIES)},
    {"it had its chance",           false, {B, N, N, A, N, N, N, N},        0               },
    {"the same under TLS",          true,  {N, B, N, B, N, N, N, N},        AGAINST(RETRIES)},
    {"content too",                 true,  {B, N, A, A, N, N, N, N},        0               },
    {"content raised only",
     true,                                 {B, N, "raised", A, N, N, N, N},
     AGAINST(RETRIES)                                                                       },
    {"a cluster too",               true,  {B, N, N, A, A, N, N, N},        0               },
    {"a malicious file too",        true,  {B, N, N, A, N, A, N, N},        0               },
    {"block lists too",             true,  {B, N, N, A, N, N, A, N},        0               },
    {"none of ten was tried again", true,  {B, N, N, A, N, N, N, A},        0               },
};

static void
test_chance(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(chances); i++) {
        struct decide_options o = {.limits = decide_limits_default};
        struct kit_host h = kit_bot("10.2.3.4", 0);
        struct decide_facts f;
        struct kit k;

        h.open = chances[i].open;
        memcpy(h.level, chances[i].level, sizeof(h.level));
        kit_open(&k, &o);
        assert_true(decide_facts(kit_host_event(&k, &h), &o.limits, &f));
        if (f.against != chances[i].want || !f.holds)
            fail_msg("%s: %x", chances[i].why, f.against);
        kit_close(&k);
    }
}

/* Whichever is most of what was counted in the hour. */
static void
test_volume(void **state)
{
    static const enum field fields[] = {FIELD_HOST_HOUR_SESSIONS,
                                        FIELD_HOST_HOUR_MESSAGES,
                                        FIELD_HOST_HOUR_RCPT};
    struct record_head head = {kit_ns(0), 0, 1, EVENT_HOST};
    struct decide_limits l = decide_limits_default;
    struct decide_facts f;
    struct addr a;
    struct kit k;

    (void)state;
    kit_open(&k, &(struct decide_options){.limits = l});
    assert_true(addr_parse(SPAN_LIT("10.2.3.4"), &a));
    for (size_t one = 0; one < ARRAY_LEN(fields); one++) {
        record_begin(&k.out, &head);
        record_addr(&k.out, FIELD_SRC_IP, &a);
        record_bool(&k.out, FIELD_HOST_HOME, true);
        for (size_t i = 0; i < ARRAY_LEN(fields); i++)
            record_u64(&k.out, fields[i], i == one ? 10 : 1);
        assert_true(decide_facts(kit_map(&k), &l, &f));
        assert_int_equal(f.volume, 10);
        assert_int_equal(f.against & AGAINST(VOLUME), 0);
        l.volume = 11;
        assert_true(decide_facts(kit_map(&k), &l, &f));
        assert_int_equal(f.against & AGAINST(VOLUME), AGAINST(VOLUME));
        l.volume = decide_limits_default.volume;
    }
    kit_close(&k);
}

/* A spoofed source has none: no session counts without a handshake. */
static void
test_absent_is_not_met(void **state)
{
    struct record_head head = {kit_ns(0), 0, 1, EVENT_HOST};
    uint32_t all = AGAINST(SESSIONS) | AGAINST(ORGANISATIONS) |
                   AGAINST(NETWORKS) | AGAINST(SECONDS) | AGAINST(VOLUME) |
                   AGAINST(REPLIES) | AGAINST(LOSS) | AGAINST(PATH) |
                   AGAINST(NO_REGISTRY);
    struct decide_options o = {.limits = decide_limits_default};
    struct decide_facts f;
    struct addr a;
    struct kit k;

    (void)state;
    kit_open(&k, &o);
    assert_true(addr_parse(SPAN_LIT("10.2.3.4"), &a));
    record_begin(&k.out, &head);
    record_addr(&k.out, FIELD_SRC_IP, &a);
    record_bool(&k.out, FIELD_HOST_HOME, true);
    assert_true(decide_facts(kit_map(&k), &o.limits, &f));
    assert_int_equal(f.against, all);
    assert_false(f.holds);
    kit_close(&k);
}

static void
test_strongest_first(void **state)
{
    struct decide_options o = {.limits = decide_limits_default};
    struct kit_host h = kit_bot("10.2.3.4", 0);
    struct decide_facts f;
    struct kit k;

    (void)state;
    h.level[2] = B;
    h.score[2] = 69000; /* ten times its level; S1 one and a half */
    h.level[6] = A;
    kit_open(&k, &o);
    assert_true(decide_facts(kit_host_event(&k, &h), &o.limits, &f));
    assert_int_equal(f.n_shown, 4);
    assert_string_equal(decide_stat_word(f.shown[0]), "s2");
    assert_string_equal(decide_stat_word(f.shown[1]), "s1");
    assert_string_equal(decide_stat_word(f.shown[2]), "s3");
    assert_string_equal(decide_stat_word(f.shown[3]), "s6");
    kit_close(&k);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule),
        cmocka_unit_test(test_minima),
        cmocka_unit_test(test_chance),
        cmocka_unit_test(test_volume),
        cmocka_unit_test(test_absent_is_not_met),
        cmocka_unit_test(test_strongest_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
