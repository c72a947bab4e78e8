#include "sensor/sinks/sink_kafka.h"

#include "sensor/sinks/auth.h"
#include "sensor/sinks/sink_test_kit.h"
#include "sensor/sinks/sink_test_mock.h"
#include "tempdir.h"

/* ---- another client, that reads ---- */

#define GOT_MAX 4000U

struct got {
    char topic[40], key[80], id[20], schema[8], content[24];
    char hmac[AUTH_HEADER_MAX]; /* "": it has none */
    bool is_empty;
    int partition;
    char line[300];
};

struct reader {
    rd_kafka_t *rk;
    struct got *got;
    size_t n;
};

static void
reader_init(struct reader *r, const char *address, const char *prefix)
{
    static const char *const topics[] = {"smtp.tx", "alert", "decision",
                                         "stats", "deadletter"};
    const char *const set[][2] = {
        {"bootstrap.servers",        address   },
        {"group.id",                 "test"    },
        {"auto.offset.reset",        "earliest"},
        {"allow.auto.create.topics", "true"    }
    };
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(8);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[200];

    for (size_t i = 0; i < ARRAY_LEN(set); i++)
        assert_int_equal(
            rd_kafka_conf_set(conf, set[i][0], set[i][1], text, sizeof(text)),
            RD_KAFKA_CONF_OK);
    r->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text));
    assert_non_null(r->rk);
    for (size_t i = 0; i < ARRAY_LEN(topics); i++) {
        (void)snprintf(text, sizeof(text), "%s.%s", prefix, topics[i]);
        for (int p = 0; p < 4; p++)
            rd_kafka_topic_partition_list_add(list, text, p)->offset =
                RD_KAFKA_OFFSET_BEGINNING;
    }
    assert_int_equal(rd_kafka_assign(r->rk, list), 0);
    rd_kafka_topic_partition_list_destroy(list);
    r->got = calloc(GOT_MAX, sizeof(*r->got));
    assert_non_null(r->got);
    r->n = 0;
}

static void
copy(char *to, size_t room, const void *p, size_t n)
{
    assert_true(n < room);
    if (n > 0)
        memcpy(to, p, n);
    to[n] = '\0';
}

static void
read_header(const rd_kafka_message_t *m, const char *name, char *to,
            size_t room)
{
    rd_kafka_headers_t *headers;
    const void *p;
    size_t n;

    assert_int_equal(rd_kafka_message_headers(m, &headers), 0);
    assert_int_equal(rd_kafka_header_get_last(headers, name, &p, &n), 0);
    copy(to, room, p, n);
}

static void
read_hmac(const rd_kafka_message_t *m, struct got *g)
{
    rd_kafka_headers_t *headers;
    const void *p;
    size_t n;

    g->hmac[0] = '\0';
    assert_int_equal(rd_kafka_message_headers(m, &headers), 0);
    if (rd_kafka_header_get_last(headers, AUTH_HEADER, &p, &n) == 0)
        copy(g->hmac, sizeof(g->hmac), p, n);
}

static void
take(struct reader *r, const rd_kafka_message_t *m)
{
    struct got *g = &r->got[r->n++];
    const char *topic = rd_kafka_topic_name(m->rkt);

    assert_true(r->n < GOT_MAX);
    copy(g->topic, sizeof(g->topic), topic, strlen(topic));
    copy(g->key, sizeof(g->key), m->key, m->key_len);
    copy(g->line, sizeof(g->line), m->payload, m->len);
    g->is_empty = m->payload == NULL;
    g->partition = m->partition;
    read_hmac(m, g);
    read_header(m, "event_id", g->id, sizeof(g->id));
    read_header(m, "schema_version", g->schema, sizeof(g->schema));
    read_header(m, "content-type", g->content, sizeof(g->content));
}

static void
read_until(struct reader *r, size_t n)
{
    for (unsigned i = 0; r->n < n && i < KIT_PATIENCE; i++) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(r->rk, 10);

        if (m == NULL)
            continue;
        if (m->err == 0)
            take(r, m);
        rd_kafka_message_destroy(m);
    }
    assert_true(r->n >= n);
}

/* n different events. */
static void
read_events(struct reader *r, unsigned n)
{
    bool *seen = calloc(n, sizeof(*seen));
    unsigned different = 0;
    size_t at = 0;

    assert_non_null(seen);
    while (different < n) {
        read_until(r, at + 1);
        for (; at < r->n; at++) {
            unsigned id = (unsigned)strtoul(r->got[at].id, NULL, 16);

            assert_true(id < n);
            different += !seen[id];
            seen[id] = true;
        }
    }
    free(seen);
}

static void
reader_fini(struct reader *r)
{
    rd_kafka_destroy_flags(r->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    free(r->got);
}

static struct sink *
open_small(const char *address, const char *prefix, const char *lines)
{
    const struct sink_value values[] = {
        {"prefix",      prefix},
        {"queue-lines", lines },
        {"linger-ms",   "1"   }
    };

    return kit_open("kafka", address, values, ARRAY_LEN(values));
}

/* ---- tests ---- */

static void
test_as_every_kind(void **state)
{
    const struct mock *m = *state;

    kit_check_kind(&sink_kafka, m->address);
}

static const struct {
    const char *why;
    struct kit_event event;
    const char *topic, *key;
    unsigned messages;
} kinds[] = {
    {"mail",
     {.type = EVENT_SMTP, .src = "192.0.2.7"},
     "m.smtp.tx",                                                                  "192.0.2.7",
     1                                                                                                       },
    {"a file",
     {.type = EVENT_FILEINFO, .src = "2001:db8::7"},
     "m.smtp.tx",                                                                  "2001:db8::7",
     1                                                                                                       },
    {"an alert",
     {.type = EVENT_ALERT, .src = "192.0.2.7"},
     "m.alert",                                                                    "192.0.2.7",
     1                                                                                                       },
    {"statistics",               {.type = EVENT_STATS, .sensor = "s1"}, "m.stats", "s1",                    1},
    {"a block",
     {.type = EVENT_DECISION,
      .action = "block",
      .mode = "enforce",
      .subject = "192.0.2.7/32"},
     "m.decision",                                                                 "192.0.2.7/32",
     1                                                                                                       },
    {"a lift and its tombstone",
     {.type = EVENT_DECISION,
      .action = "lift",
      .mode = "enforce",
      .subject = "192.0.2.7/32"},
     "m.decision",                                                                 "192.0.2.7/32",
     2                                                                                                       },
    {"a simulated block",
     {.type = EVENT_DECISION,
      .action = "block",
      .mode = "simulate",
      .subject = "192.0.2.7/32"},
     "m.decision",                                                                 "simulate:192.0.2.7/32",
     1                                                                                                       },
};

static void
check_message(const struct reader *r, size_t row, const char *id)
{
    unsigned n = 0;

    for (size_t i = 0; i < r->n; i++) {
        const struct got *g = &r->got[i];

        if (strcmp(g->id, id) != 0)
            continue;
        assert_string_equal(g->topic, kinds[row].topic);
        assert_string_equal(g->key, kinds[row].key);
        assert_string_equal(g->schema, "1");
        assert_string_equal(g->content, "application/json");
        assert_string_equal(g->hmac, "");
        assert_int_equal(g->is_empty, n == 1);
        if (n == 0)
            assert_true(span_search(span_str(g->line), span_str(id)) <
                        strlen(g->line));
        n++;
    }
    if (n != kinds[row].messages)
        fail_msg("%s: %u messages", kinds[row].why, n);
}

static void
test_messages(void **state)
{
    const struct mock *m = *state;
    struct reader r;
    struct kit k;
    struct sink *s;
    size_t messages = 0;

    kit_init(&k);
    s = open_small(m->address, "m", "100");
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct kit_event e = kinds[i].event;

        e.id = (unsigned)i;
        assert_int_equal(kit_put(&k, s, &e), PUT_DONE);
        messages += kinds[i].messages;
    }
    assert_int_equal(kit_flush(&k, s), PUT_DONE);
    kit_check_counts(s, ARRAY_LEN(kinds), ARRAY_LEN(kinds), 0);
    assert_true(kit_why_has(s, "no error"));
    reader_init(&r, m->address, "m");
    read_until(&r, messages);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        char id[17];

        kit_id((unsigned)i, id);
        check_message(&r, i, id);
    }
    reader_fini(&r);
    s->ops->close(s);
    kit_fini(&k);
}

/* ---- signatures ---- */

#define SECRET "0123456789abcdef0123456789abcdef"

/* Each of another sequence than the one before it; a tombstone too. */
static void
check_signed(const struct got *g, uint64_t *last)
{
    const struct auth_message message = {
        .topic = span_str(g->topic),
        .key = span_str(g->key),
        .value = g->is_empty ? SPAN_NONE : span_str(g->line),
    };
    struct auth_mark mark;

    assert_true(auth_read(span_str(g->hmac), &mark));
    assert_true(span_eq(mark.writer, SPAN_LIT("north gate")));
    assert_true(auth_verify(SPAN_LIT(SECRET), &mark, &message));
    assert_true(mark.sequence > *last);
    *last = mark.sequence;
}

static void
test_signed(void **state)
{
    const struct mock *m = *state;
    const struct kit_event lift = {.type = EVENT_DECISION,
                                   .action = "lift",
                                   .mode = "enforce",
                                   .sensor = "north gate",
                                   .subject = "192.0.2.7/32"};
    struct tempdir dir;
    struct tempdir_name key;
    uint64_t last = 41;
    struct reader r;
    struct kit k;
    struct sink *s;

    tempdir_make(&dir);
    tempdir_store(dir.path, "key", SECRET "\n", sizeof(SECRET));
    key = tempdir_name(dir.path, "key");
    kit_init(&k);
    k.now = 42 * NS_PER_US;
    {
        const struct sink_value values[] = {
            {"prefix",        "h"  },
            {"hmac-key-file", key.s},
            {"linger-ms",     "1"  }
        };

        s = kit_open("kafka", m->address, values, ARRAY_LEN(values));
    }
    s->ops->tick(s, k.now);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(kit_put(&k, s, &lift), PUT_DONE);
    assert_int_equal(kit_flush(&k, s), PUT_DONE);
    reader_init(&r, m->address, "h");
    read_until(&r, 6);
    for (size_t i = 0; i < 6; i++)
        check_signed(&r.got[i], &last);
    assert_true(last >= 47);
    reader_fini(&r);
    s->ops->close(s);
    kit_fini(&k);
    tempdir_remove(&dir);
}

/* Those of a key come in their order when doubles are left out. */
static void
check_order(const struct reader *r, unsigned n, unsigned keys)
{
    unsigned *seen = calloc(n, sizeof(*seen));
    unsigned last[16] = {0};

    assert_non_null(seen);
    for (size_t i = 0; i < r->n; i++) {
        unsigned id = (unsigned)strtoul(r->got[i].id, NULL, 16);

        if (seen[id]++ > 0)
            continue;
        assert_true(id >= last[id % keys]);
        last[id % keys] = id;
    }
    free(seen);
}

static struct kit_event
event_of(unsigned id)
{
    static const char *const hosts[] = {"10.0.0.0", "10.0.0.1", "10.0.0.2",
                                        "10.0.0.3", "10.0.0.4"};

    return (struct kit_event){
        .type = EVENT_SMTP, .id = id, .src = hosts[id % ARRAY_LEN(hosts)]};
}

#define HOSTS 5U

static const struct {
    const char *why, *prefix;
    size_t n;
    rd_kafka_resp_err_t errors[4];
    bool is_fatal;
} faults[] = {
    {"leaders move and replicas are few",
     "moves",   4,
     {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
      RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT},
     false},
    {"a topic is refused",
     "refused", 1,
     {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED},
     true },
    {"the broker takes smaller messages",
     "small",   1,
     {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE},
     true },
};

/* Lines over faults of the broker; gives the reopens that it took. */
static unsigned
run_over(struct kit *k, struct sink *s, unsigned n)
{
    unsigned reopens = 0;
    unsigned i = 0;

    while (i < n || s->ops->flush(s) != PUT_DONE) {
        struct kit_event e = event_of(i);
        enum put p = i < n ? kit_put_wait(k, s, &e) : kit_flush(k, s);

        assert_true(p == PUT_DONE || p == PUT_DEAD);
        i += p == PUT_DONE && i < n;
        if (p == PUT_DEAD) {
            assert_true(reopens++ < 10);
            assert_int_equal(s->ops->put(s, SPAN_NONE, SPAN_NONE), PUT_DEAD);
            assert_int_equal(s->ops->reopen(s), ERR_OK);
        }
    }
    return reopens;
}

static void
test_faults(void **state)
{
    const struct mock *m = *state;
    const unsigned n = 1000;

    for (size_t f = 0; f < ARRAY_LEN(faults); f++) {
        struct reader r;
        struct kit k;
        struct sink *s;
        unsigned reopens;

        kit_init(&k);
        rd_kafka_mock_push_request_errors_array(m->cluster, API_PRODUCE,
                                                faults[f].n, faults[f].errors);
        s = open_small(m->address, faults[f].prefix, "300");
        reopens = run_over(&k, s, n);
        if ((reopens > 0) != faults[f].is_fatal)
            fail_msg("%s: %u reopens", faults[f].why, reopens);
        kit_check_counts(s, n, n, 0);
        reader_init(&r, m->address, faults[f].prefix);
        read_events(&r, n);
        check_order(&r, n, HOSTS);
        reader_fini(&r);
        s->ops->close(s);
        kit_fini(&k);
    }
}

/* Away: the queue fills to its last place and waits; then all of it goes. */
static void
test_outage(void **state)
{
    const struct mock *m = *state;
    struct reader r;
    struct kit k;
    struct sink *s;

    kit_init(&k);
    s = open_small(m->address, "outage", "50");
    assert_int_equal(rd_kafka_mock_broker_set_down(m->cluster, 1), 0);
    for (unsigned i = 0; i < 50; i++) {
        struct kit_event e = event_of(i);

        assert_int_equal(kit_put(&k, s, &e), PUT_DONE);
    }
    for (unsigned i = 0; i < 30; i++) {
        struct kit_event e = event_of(50);

        assert_int_equal(kit_put(&k, s, &e), PUT_BUSY);
        assert_int_equal(s->ops->flush(s), PUT_BUSY);
        kit_turn(&k, s);
    }
    kit_check_counts(s, 50, 0, 0);
    assert_true(kit_why_has(s, m->address));
    assert_int_equal(rd_kafka_mock_broker_set_up(m->cluster, 1), 0);
    assert_int_equal(kit_flush(&k, s), PUT_DONE);
    kit_check_counts(s, 50, 50, 0);
    reader_init(&r, m->address, "outage");
    read_events(&r, 50);
    check_order(&r, 50, HOSTS);
    reader_fini(&r);
    s->ops->close(s);
    kit_fini(&k);
}

/* line-max at n and n + 1; what is too long leaves a note and is counted. */
static void
test_too_long(void **state)
{
    const struct sink_value values[] = {
        {"prefix",   "long"},
        {"line-max", "1000"}
    };
    static char line[1002];
    const struct mock *m = *state;
    struct reader r;
    struct kit k;
    struct sink *s;

    kit_init(&k);
    s = kit_open("kafka", m->address, values, 2);
    memset(line, 'x', sizeof(line));
    for (unsigned i = 0; i < 3; i++) {
        struct kit_event e = event_of(i);

        kit_make(&k, &e);
        assert_int_equal(
            s->ops->put(s, record_view(&k.record),
                        i == 1 ? span_of(line, 1001) : span_of(line, 299)),
            PUT_DONE);
    }
    kit_make(&k, &(struct kit_event){.type = EVENT_SMTP, .id = 3});
    assert_int_equal(
        s->ops->put(s, record_view(&k.record), span_of(line, 1000)), PUT_DONE);
    assert_int_equal(kit_flush(&k, s), PUT_DONE);
    kit_check_counts(s, 4, 3, 1);
    reader_init(&r, m->address, "long");
    for (unsigned i = 0; r.n == 0 && i < KIT_PATIENCE; i++) {
        rd_kafka_message_t *got = rd_kafka_consumer_poll(r.rk, 10);

        if (got != NULL && got->err == 0 &&
            strcmp(rd_kafka_topic_name(got->rkt), "long.deadletter") == 0)
            take(&r, got);
        if (got != NULL)
            rd_kafka_message_destroy(got);
    }
    assert_string_equal(
        r.got[0].line,
        "{\"event_id\":\"0000000000000001\",\"event_type\":\"smtp\","
        "\"bytes\":1001,\"reason\":\"longer than line-max\"}");
    reader_fini(&r);
    s->ops->close(s);
    kit_fini(&k);
}

static const struct {
    const char *why;
    struct sink_value value;
    const char *message;
} wrong[] = {
    {"a file of the sensor's key that is not there",
     {"hmac-key-file", "/nowhere/at/all"},
     "hmac-key-file"                                                                                                     },
    {"no such setting",                              {"colour", "red"},                   "no setting colour; there are:"},
    {"a text for a number",                          {"queue-lines", "many"},             "not a number from 1"          },
    {"below the range",                              {"queue-lines", "0"},                "not a number from 1"          },
    {"above it",                                     {"queue-lines", "1000001"},          "to 1000000"                   },
    {"neither yes nor no",                           {"tls", "maybe"},                    "yes or no"                    },
    {"librdkafka's own check",                       {"compression", "rar"},              "compression.codec"            },
    {"no such file",                                 {"password-file", "/nonexistent/p"}, "No such file"                 },
    {"an empty file",                                {"password-file", "/dev/null"},      "has no line of text"          },
    {"a mechanism without a name",                   {"sasl", "NONSENSE"},                "mechanism"                    },
};

static void
test_wrong_settings(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct sink_settings settings = {
            .target = "127.0.0.1:1", .values = &wrong[i].value, .n_values = 1};
        struct sink *s = NULL;
        struct buf message;

        buf_init(&message, 4096);
        if (sink_open(SPAN_LIT("kafka"), &settings, &s, &message) !=
                ERR_CONFIG ||
            span_search(buf_view(&message), span_str(wrong[i].message)) ==
                message.n)
            fail_msg("%s: %.*s", wrong[i].why, (int)message.n,
                     (const char *)message.p);
        assert_null(s);
        buf_free(&message);
    }
}

static int
begin(void **state)
{
    struct mock *m = calloc(1, sizeof(*m));

    assert_non_null(m);
    mock_init(m);
    *state = m;
    return 0;
}

static int
end(void **state)
{
    mock_fini(*state);
    free(*state);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_every_kind),  cmocka_unit_test(test_messages),
        cmocka_unit_test(test_signed),         cmocka_unit_test(test_faults),
        cmocka_unit_test(test_outage),         cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_wrong_settings),
    };

#ifdef __SANITIZE_THREAD__
    print_message("skipped: the sanitizer does not see C11 threads begin\n");
    return 77;
#endif
    return cmocka_run_group_tests(tests, begin, end);
}
