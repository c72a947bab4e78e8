#include "dissectors/dns_tell.h"

#include "dissectors/dns_test_kit.h"
#include "sensor/event/json_write.h"

#define MX_ANSWER                                                              \
    "head:8180:1:1:0:0 name:example.org 000f0001 c00c 000f0001 00000e10 "      \
    "[ 000a part:mx c00c ]"

struct got {
    struct buf text; /* events as JSON Lines */
    struct json_writer writer;
    unsigned n;
};

static void
put(void *ctx, struct span record)
{
    struct got *g = ctx;

    assert_true(record_check(record));
    assert_true(json_write(&g->writer, record, &g->text));
    g->n++;
}

static struct flow
flow_of(uint16_t port, uint8_t shard)
{
    struct flow f = {.client_port = port,
                     .server_port = 53,
                     .shard = shard,
                     .id = 4711,
                     .n_vlan = 1,
                     .vlan = {7}};

    assert_true(addr_parse(span_str("10.0.0.1"), &f.client));
    assert_true(addr_parse(span_str("192.0.2.53"), &f.server));
    return f;
}

static struct dns_tell *
new_tell(struct got *g)
{
    struct dns_tell_options o = {
        .sink = {put, g},
          .home = dns_kit_home
    };
    struct dns_tell *t;

    *g = (struct got){.n = 0};
    buf_init(&g->text, 1 << 20);
    json_writer_init(&g->writer);
    assert_int_equal(dns_tell_new(&o, &t), ERR_OK);
    return t;
}

static void
end(struct got *g, struct dns_tell *t)
{
    dns_tell_free(t);
    dns_tell_free(NULL);
    buf_free(&g->text);
}

static struct dns_kit kit;

static void
send(struct dns_tell *t, const char *words, struct flow f, ns_t when)
{
    struct span m = dns_kit_build(&kit, words);

    if (dns_tell_ops.wants(t, m))
        dns_tell_ops.data(t, &f, m, true, when);
}

static void
test_event(void **state)
{
    static const char want[] =
        "{\"timestamp\":\"1970-01-01T00:00:01.000000+0000\",\"flow_id\":4711,"
        "\"flow_seq\":0,\"event_type\":\"dns\",\"vlan\":[7],\"src_ip\":\"10.0."
        "0.1\","
        "\"src_port\":40000,\"dest_ip\":\"192.0.2.53\",\"dest_port\":53,"
        "\"proto\":\"UDP\",\"app_proto\":\"dns\","
        "\"quality\":{\"truncated\":false},"
        "\"dns\":{\"rrname\":\"example.org\",\"rrtype\":\"MX\","
        "\"rcode\":\"NOERROR\",\"answers\":[\"mx.example.org\"]}}";
    struct got g;
    struct dns_tell *t = new_tell(&g);

    (void)state;
    send(t, MX_ANSWER, flow_of(40000, 0), NS_PER_S);
    assert_int_equal(g.n, 1);
    if (!span_eq(span_trim(buf_view(&g.text)), span_str(want)))
        print_message("%.*s\n", (int)g.text.n, g.text.p);
    assert_true(span_starts(buf_view(&g.text), span_str(want)));
    end(&g, t);
}

static void
test_rcodes(void **state)
{
    static const struct {
        const char *message, *want;
    } rows[] = {
        {"head:8180:1:0:0:0 00 000f0001",                           "\"NOERROR\"" },
        {"head:8181:1:0:0:0 00 000f0001",                           "\"1\""       },
        {"head:8182:1:0:0:0 00 000f0001",                           "\"SERVFAIL\""},
        {"head:8183:1:0:0:0 00 000f0001",                           "\"NXDOMAIN\""},
        {"head:8184:1:0:0:0 00 000f0001",                           "\"4\""       },
        {"head:8185:1:0:0:0 00 000f0001",                           "\"REFUSED\"" },
        {"head:818f:1:0:0:1 00 000f0001 00 0029 1000 ff000000 [ ]", "\"4095\""    },
    };
    struct got g;
    struct dns_tell *t = new_tell(&g);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        buf_reset(&g.text);
        send(t, rows[i].message, flow_of((uint16_t)(1024 + i), 0), NS_PER_S);
        if (!span_contains_nocase(buf_view(&g.text), span_str(rows[i].want)))
            fail_msg("%s", rows[i].want);
    }
    end(&g, t);
}

/* A copy by the mirror is the same bytes between the same ends, soon. */
static void
test_copies(void **state)
{
    static const struct {
        const char *why;
        uint16_t port;
        uint8_t shard;
        ns_t when;
        unsigned told;
    } rows[] = {
        {"the first",        40000, 3, NS_PER_S,                         1},
        {"a copy",           40000, 3, NS_PER_S + 1,                     1},
        {"just in time",     40000, 3, NS_PER_S + DNS_TELL_AGAIN_NS,     1},
        {"too late for one", 40000, 3, NS_PER_S + DNS_TELL_AGAIN_NS + 1, 2},
        {"to another port",  40001, 3, NS_PER_S + DNS_TELL_AGAIN_NS + 1, 3},
        {"in another shard", 40000, 4, NS_PER_S + DNS_TELL_AGAIN_NS + 1, 4},
    };
    struct got g;
    struct dns_tell *t = new_tell(&g);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        send(t, MX_ANSWER, flow_of(rows[i].port, rows[i].shard), rows[i].when);
        if (g.n != rows[i].told)
            fail_msg("%s: %u", rows[i].why, g.n);
    }
    assert_int_equal(dns_tell_stats_of(t)->told, 4);
    assert_int_equal(dns_tell_stats_of(t)->duplicates, 2);
    send(t, "head:8180:1:2:0:0 00 000f0001", flow_of(1, 0), NS_PER_S);
    assert_int_equal(dns_tell_stats_of(t)->malformed, 1);
    assert_int_equal(g.n, 4);
    end(&g, t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_event),
        cmocka_unit_test(test_rcodes),
        cmocka_unit_test(test_copies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
