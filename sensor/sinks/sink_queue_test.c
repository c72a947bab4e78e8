#include "sensor/sinks/sink_queue.h"

#include "sensor/sinks/sink_test_kit.h"

static const struct kit_event mail = {
    .type = EVENT_SMTP, .id = 1, .src = "10.0.0.1"};

static const struct sink_settings none = {.target = ""};

static struct sink_item *
put(struct kit *k, struct sink_queue *q, const struct kit_event *e)
{
    kit_make(k, e);
    return sink_queue_put(q, record_view(&k->record), buf_view(&k->line));
}

static const struct {
    const char *why;
    struct kit_event event;
    const char *key;
    enum sink_topic topic;
    bool enforced, ends;
} keys[] = {
    {"mail goes by its client",
     {.type = EVENT_SMTP, .src = "192.0.2.7"},
     "192.0.2.7",               SINK_TOPIC_MAIL,
     false, false},
    {"as text of RFC 5952",
     {.type = EVENT_SMTP_SESSION, .src = "2001:DB8:0:0::7"},
     "2001:db8::7",             SINK_TOPIC_MAIL,
     false, false},
    {"hosts are statistics",
     {.type = EVENT_HOST, .src = "192.0.2.7"},
     "192.0.2.7",               SINK_TOPIC_STATS,
     false, false},
    {"what has no host goes by its sensor",
     {.type = EVENT_STATS, .sensor = "span25"},
     "span25",                  SINK_TOPIC_STATS,
     false, false},
    {"nothing to go by",
     {.type = EVENT_CONTROL},
     "",                        SINK_TOPIC_STATS,
     false, false},
    {"a start",
     {.type = EVENT_CONTROL, .sensor = "s1", .kind = "start"},
     "s1",                      SINK_TOPIC_STATS,
     false, false},
    {"a record of the registry",
     {.type = EVENT_CONTROL, .sensor = "s1", .kind = "registry", .audit = 12},
     "registry/12/",            SINK_TOPIC_CONTROL,
     false, false},
    {"a part of one",
     {.type = EVENT_CONTROL, .kind = "registry", .audit = 12, .part = 2},
     "registry/12/2",           SINK_TOPIC_CONTROL,
     false, false},
    {"an exception and its end are two things",
     {.type = EVENT_CONTROL,
      .kind = "exception",
      .done = "add",
      .exception = "00e1"},
     "exception/00e1/add",      SINK_TOPIC_CONTROL,
     false, false},
    {"a lift",
     {.type = EVENT_CONTROL,
      .kind = "block",
      .done = "lift",
      .about = "192.0.2.7/32"},
     "block/192.0.2.7/32/lift", SINK_TOPIC_CONTROL,
     false, false},
    {"each change of the policy by itself",
     {.type = EVENT_CONTROL, .id = 10, .kind = "policy"},
     "policy/000000000000000a", SINK_TOPIC_CONTROL,
     false, false},
    {"a tick",
     {.type = EVENT_CONTROL, .sensor = "s1", .kind = "tick"},
     "tick/s1",                 SINK_TOPIC_CONTROL,
     false, false},
    {"an alert",
     {.type = EVENT_ALERT, .src = "192.0.2.7"},
     "192.0.2.7",               SINK_TOPIC_ALERT,
     false, false},
    {"a block that is in force",
     {.type = EVENT_DECISION,
      .src = "192.0.2.7",
      .action = "block",
      .mode = "enforce",
      .subject = "192.0.2.7/32"},
     "192.0.2.7/32",            SINK_TOPIC_DECISION,
     true,  false},
    {"its lift",
     {.type = EVENT_DECISION,
      .action = "lift",
      .mode = "enforce",
      .subject = "192.0.2.7/32"},
     "192.0.2.7/32",            SINK_TOPIC_DECISION,
     true,  true },
    {"its end",
     {.type = EVENT_DECISION,
      .action = "expire",
      .mode = "enforce",
      .subject = "2001:db8::/64"},
     "2001:db8::/64",           SINK_TOPIC_DECISION,
     true,  true },
    {"simulated: nobody's key",
     {.type = EVENT_DECISION,
      .action = "block",
      .mode = "simulate",
      .subject = "192.0.2.7/32"},
     "simulate:192.0.2.7/32",   SINK_TOPIC_DECISION,
     false, false},
    {"its simulated lift",
     {.type = EVENT_DECISION,
      .action = "lift",
      .mode = "simulate",
      .subject = "192.0.2.7/32"},
     "simulate:192.0.2.7/32",   SINK_TOPIC_DECISION,
     false, true },
    {"no mode is not enforced",
     {.type = EVENT_DECISION, .action = "block", .subject = "192.0.2.7/32"},
     "simulate:192.0.2.7/32",   SINK_TOPIC_DECISION,
     false, false},
    {"a human is asked",
     {.type = EVENT_DECISION,
      .action = "hold",
      .mode = "enforce",
      .subject = "192.0.2.7/32"},
     "hold:192.0.2.7/32",       SINK_TOPIC_DECISION,
     false, false},
    {"a cap was met",
     {.type = EVENT_DECISION,
      .action = "withheld",
      .mode = "enforce",
      .subject = "192.0.2.7/32"},
     "withheld:192.0.2.7/32",   SINK_TOPIC_DECISION,
     false, false},
    {"of another time",
     {.type = EVENT_DECISION,
      .action = "ponder",
      .mode = "enforce",
      .subject = "192.0.2.7/32"},
     "other:192.0.2.7/32",      SINK_TOPIC_DECISION,
     false, false},
};

static void
test_keys(void **state)
{
    struct kit k;

    (void)state;
    kit_init(&k);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct sink_queue q;
        struct sink_item *item;

        assert_int_equal(sink_queue_init(&q, 1, 1000, &none), ERR_OK);
        item = put(&k, &q, &keys[i].event);
        assert_non_null(item);
        if (!span_eq(item->key, span_str(keys[i].key)) ||
            item->topic != keys[i].topic ||
            item->enforced != keys[i].enforced || item->ends != keys[i].ends)
            fail_msg("%s: %.*s", keys[i].why, (int)item->key.n,
                     (const char *)item->key.p);
        assert_true(span_eq(item->line, buf_view(&k.line)));
        assert_int_equal(item->event_id.n, 16);
        sink_queue_fini(&q);
    }
    kit_fini(&k);
}

static void
test_lines_at_the_limit(void **state)
{
    struct sink_queue q;
    struct kit k;

    (void)state;
    kit_init(&k);
    assert_int_equal(sink_queue_init(&q, 3, 1 << 20, &none), ERR_OK);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(sink_queue_has_room(&q, 1));
        assert_non_null(put(&k, &q, &mail));
    }
    assert_false(sink_queue_has_room(&q, 1));
    sink_queue_at(&q, 0)->part[0].done = true;
    sink_queue_settle(&q);
    assert_true(sink_queue_has_room(&q, 1));
    sink_queue_fini(&q);
    kit_fini(&k);
}

static void
test_bytes_at_the_limit(void **state)
{
    struct sink_queue q;
    struct kit k;
    size_t n;

    (void)state;
    kit_init(&k);
    kit_make(&k, &mail);
    n = k.line.n;
    assert_int_equal(sink_queue_init(&q, 10, n + 10, &none), ERR_OK);
    assert_true(sink_queue_has_room(&q, 100 * n)); /* alone, any */
    assert_non_null(put(&k, &q, &mail));
    assert_true(sink_queue_has_room(&q, 9));
    assert_true(sink_queue_has_room(&q, 10));
    assert_false(sink_queue_has_room(&q, 11));
    sink_queue_fini(&q);
    kit_fini(&k);
}

static void
note(void *ctx, bool delivered)
{
    char *told = ctx;
    size_t n = strlen(told);

    assert_true(n < 20);
    told[n] = delivered ? 'd' : 'r';
}

/* Reports come in any order; what is counted, and told, is the front. */
static void
test_the_front_only(void **state)
{
    char told[21] = "";
    const struct sink_settings settings = {.settled = note, .ctx = told};
    struct sink_queue q;
    struct kit k;

    (void)state;
    kit_init(&k);
    assert_int_equal(sink_queue_init(&q, 4, 1 << 20, &settings), ERR_OK);
    for (unsigned round = 0; round < 5; round++) {
        for (unsigned i = 0; i < 4; i++)
            assert_non_null(put(&k, &q, &mail));
        q.next = q.tail;
        sink_queue_at(&q, q.head + 1)->refused = true;
        sink_queue_at(&q, q.head + 2)->parts = 2;
        sink_queue_at(&q, q.head + 3)->part[0].done = true;
        sink_queue_at(&q, q.head + 1)->part[0].done = true;
        sink_queue_settle(&q);
        assert_int_equal(q.counts.delivered, 3 * round);
        sink_queue_at(&q, q.head)->part[0].done = true;
        sink_queue_settle(&q); /* the first one, and the refused one */
        assert_int_equal(q.counts.delivered, 3 * round + 1);
        assert_int_equal(q.counts.refused, round + 1);
        sink_queue_at(&q, q.head)->part[1].done = true;
        sink_queue_settle(&q); /* one of two parts is not enough */
        assert_int_equal(q.counts.delivered, 3 * round + 1);
        sink_queue_at(&q, q.head)->part[0].done = true;
        sink_queue_settle(&q);
        assert_int_equal(q.counts.delivered, 3 * round + 3);
        assert_true(sink_queue_is_empty(&q));
        assert_int_equal(q.bytes, 0);
    }
    assert_int_equal(q.counts.taken, 20);
    assert_string_equal(told, "drdddrdddrdddrdddrdd");
    sink_queue_fini(&q);
    kit_fini(&k);
}

static void
test_again(void **state)
{
    struct sink_queue q;
    struct kit k;

    (void)state;
    kit_init(&k);
    assert_int_equal(sink_queue_init(&q, 4, 1 << 20, &none), ERR_OK);
    for (unsigned i = 0; i < 3; i++)
        put(&k, &q, &mail)->part[0].sent = i < 2;
    q.next = 2;
    sink_queue_at(&q, 1)->part[0].done = true;
    sink_queue_again(&q);
    assert_int_equal(q.next, 0);
    assert_false(sink_queue_at(&q, 0)->part[0].sent);
    assert_true(sink_queue_at(&q, 1)->part[0].sent); /* not twice */
    assert_false(sink_queue_at(&q, 2)->part[0].sent);
    sink_queue_fini(&q);
    kit_fini(&k);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_lines_at_the_limit),
        cmocka_unit_test(test_bytes_at_the_limit),
        cmocka_unit_test(test_the_front_only),
        cmocka_unit_test(test_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
