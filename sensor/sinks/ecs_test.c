#include "sensor/sinks/ecs.h"

#include "sensor/event/json_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

struct kit {
    struct json_reader reader;
    struct ecs *ecs;
    struct record_out record;
    struct buf line, message;
};

static void
kit_init(struct kit *k)
{
    json_reader_init(&k->reader);
    assert_true(ecs_new(&k->ecs));
    record_init(&k->record);
    buf_init(&k->line, SIZE_MAX);
    buf_init(&k->message, 4096);
}

static void
kit_fini(struct kit *k)
{
    json_reader_free(&k->reader);
    ecs_free(k->ecs);
    ecs_free(NULL);
    record_free(&k->record);
    buf_free(&k->line);
    buf_free(&k->message);
}

/* The journal's line, as Elastic shall see it. */
static void
convert(struct kit *k, const char *eve)
{
    if (json_read(&k->reader, span_str(eve), &k->record, &k->message) != ERR_OK)
        fail_msg("%.*s: %s", (int)k->message.n, (const char *)k->message.p,
                 eve);
    buf_reset(&k->line);
    assert_true(ecs_write(k->ecs, record_view(&k->record), &k->line));
}

#define COMMON                                                                 \
    "{\"timestamp\":\"2026-11-22T10:55:18.000001+0000\",\"event_type\":"
#define STAMP "{\"@timestamp\":\"2026-11-22T10:55:18.000001Z\","
#define OBSERVER                                                               \
    "\"observer\":{\"product\":\"span25\",\"type\":\"ids\",\"vendor\":"        \
    "\"span25\"}"
#define ECS "\"ecs\":{\"version\":\"9.0.0\"},"

static const struct {
    const char *why, *eve, *want;
} lines[] = {
    {"mail",
     COMMON
     "\"smtp\",\"flow_id\":7,\"flow_seq\":2,\"event_id\":\"00ab\",\"sensor\":"
     "\"s1\",\"vlan\":[10,20],\"src_ip\":\"192.0.2.7\",\"src_port\":4711,"
     "\"dest_ip\":\"2001:db8::1\",\"dest_port\":25,\"proto\":\"TCP\","
     "\"tx_id\":3,\"direction\":\"outbound\",\"smtp\":{\"helo\":\"h\","
     "\"mail_from\":\"<a@b>\",\"rcpt_to\":[\"<c@d>\",\"<c@d>\"],\"rcpt\":[{"
     "\"addr\":\"<c@d>\",\"code\":250}],\"outcome\":\"deferred\"},\"email\":{"
     "\"from\":\"A <a@b>\",\"to\":[\"<c@d>\",\"e@f\"],\"date\":"
     "\"Sun, 22 Nov 2026 11:55:17 +0100\",\"message_id\":\"<1@b>\","
     "\"attachment\":[\"x.pdf\"]}}",                                                             STAMP
     "\"client\":{\"ip\":\"192.0.2.7\",\"port\":4711},"
     "\"destination\":{\"ip\":\"2001:db8::1\",\"port\":25}," ECS
     "\"email\":{\"attachments\":[{\"file\":{\"name\":\"x.pdf\"}}],\"date\":"
     "\"Sun, 22 Nov 2026 11:55:17 +0100\",\"from\":{\"address\":\"a@b\"},"
     "\"message_id\":\"1@b\",\"origination_timestamp\":"
     "\"2026-11-22T10:55:17.000000Z\",\"to\":{\"address\":[\"c@d\",\"e@f\"]}},"
     "\"event\":{\"category\":[\"email\",\"network\"],\"dataset\":"
     "\"span25.smtp\",\"id\":\"00ab\",\"kind\":\"event\",\"module\":"
     "\"span25\",\"outcome\":\"failure\",\"sequence\":2,\"type\":[\"info\","
     "\"protocol\"]},\"network\":{\"direction\":\"outbound\",\"transport\":"
     "\"tcp\",\"type\":\"ipv4\",\"vlan\":{\"id\":[10,20]}},\"observer\":{"
     "\"name\":\"s1\",\"product\":\"span25\",\"type\":\"ids\",\"vendor\":"
     "\"span25\"},\"related\":{\"hosts\":[\"h\"],\"ip\":[\"192.0.2.7\","
     "\"2001:db8::1\"],\"user\":[\"a@b\",\"c@d\"]},\"server\":{\"ip\":"
     "\"2001:db8::1\",\"port\":25},\"smtp\":{\"helo\":\"h\",\"mail_from\":"
     "\"<a@b>\",\"outcome\":\"deferred\",\"rcpt\":[{\"addr\":\"<c@d>\","
     "\"code\":250}],\"rcpt_to\":[\"<c@d>\",\"<c@d>\"]},\"source\":{\"ip\":"
     "\"192.0.2.7\",\"port\":4711},\"span25\":{\"flow_id\":7,\"tx_id\":3}}"},
    {"an alert",
     COMMON "\"alert\",\"alert\":{\"signature_id\":9,\"signature\":\"t\","
            "\"severity\":2,\"metadata\":{\"attack\":[\"T1071.003\"]},"
            "\"subject\":\"192.0.2.7 lease 00\",\"reason\":\"r\","
            "\"first\":\"2026-11-22T10:55:17.000000+0000\"}}",                                   STAMP
     "\"alert\":{\"severity\":2,\"subject\":\"192.0.2.7 lease 00\"}," ECS
     "\"event\":{\"category\":[\"intrusion_detection\",\"network\"],"
     "\"dataset\":\"span25.alert\",\"kind\":\"alert\",\"module\":\"span25\","
     "\"reason\":\"r\",\"severity\":47,\"start\":"
     "\"2026-11-22T10:55:17.000000Z\",\"type\":[\"info\"]},\"message\":"
     "\"r\"," OBSERVER
     ",\"related\":{\"ip\":[\"192.0.2.7\"]},\"rule\":{\"id\":9,\"name\":\"t\"},"
     "\"threat\":{\"framework\":\"MITRE ATT&CK\",\"technique\":{\"id\":["
     "\"T1071.003\"]}}}"                         },
    {"one place is taken once",
     COMMON
     "\"alert\",\"flow\":{\"start\":\"2026-11-22T10:55:16.000000+0000\"},"
     "\"alert\":{\"first\":\"2026-11-22T10:55:17.000000+0000\"}}",                               STAMP ECS
     "\"event\":{\"category\":[\"intrusion_detection\",\"network\"],"
     "\"dataset\":\"span25.alert\",\"kind\":\"alert\",\"module\":\"span25\","
     "\"start\":\"2026-11-22T10:55:16.000000Z\",\"type\":[\"info\"]}," OBSERVER
     "}"                                     },
    {"a control",                        COMMON "\"control\",\"control\":{\"kind\":\"start\"}}",
     STAMP ECS
     "\"event\":{\"action\":\"start\",\"category\":[\"configuration\"],"
     "\"dataset\":\"span25.control\",\"kind\":\"event\",\"module\":\"span25\","
     "\"type\":[\"change\"]}," OBSERVER "}"                                                                    },
    {"MAC addresses, digests and names",
     COMMON
     "\"fileinfo\",\"fileinfo\":{\"filename\":\"a\\u0000\\\"\",\"sha256\":"
     "\"00\",\"member\":[{\"sha256\":\"00\"},{\"sha256\":\"01\"}]},"
     "\"ether\":{\"src_mac\":\"00:00:5e:00:53:23\"}}",                                           STAMP ECS
     "\"event\":{\"category\":[\"email\",\"file\"],\"dataset\":"
     "\"span25.fileinfo\",\"kind\":\"event\",\"module\":\"span25\",\"type\":["
     "\"info\"]},\"file\":{\"hash\":{\"sha256\":\"00\"},\"name\":"
     "\"a\\u0000\\\"\"},\"fileinfo\":{\"member\":[{\"sha256\":\"00\"},{"
     "\"sha256\":\"01\"}]}," OBSERVER
     ",\"related\":{\"hash\":[\"00\",\"01\"]},\"source\":{\"mac\":"
     "\"00-00-5E-00-53-23\"}}"                           },
};

static void
test_lines(void **state)
{
    struct kit k;

    (void)state;
    kit_init(&k);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        convert(&k, lines[i].eve);
        if (!span_eq(buf_view(&k.line), span_str(lines[i].want)))
            fail_msg("%s:\n%.*s\n%s", lines[i].why, (int)k.line.n,
                     (const char *)k.line.p, lines[i].want);
    }
    kit_fini(&k);
}

static const struct {
    const char *why, *in, *want; /* NULL: no date */
} dates[] = {
    {"as written today",  "Sun, 22 Nov 2026 11:55:17 +0100",
     "2026-11-22T10:55:17"                                                         },
    {"without a day",     "2 Nov 2026 11:55:17 -0000",        "2026-11-02T11:55:17"},
    {"without seconds",   "22 nov 2026 11:55 GMT",            "2026-11-22T11:55:00"},
    {"with a comment",    "22 Nov 2026 11:55:17 +0000 (UTC)",
     "2026-11-22T11:55:17"                                                         },
    {"many spaces",       "Sun,  22  Nov\\t2026 11:55:17 UT", "2026-11-22T11:55:17"},
    {"no day of a month", "31 Feb 2026 11:55:17 +0000",       NULL                 },
    {"no such month",     "22 Foo 2026 11:55:17 +0000",       NULL                 },
    {"two digits",        "22 Nov 26 11:55:17 +0000",         NULL                 },
    {"no zone",           "22 Nov 2026 11:55:17",             NULL                 },
    {"no clock",          "22 Nov 2026 ab:cd:ef +0000",       NULL                 },
    {"quotes",            "22 Nov 2026 11:55:1\\\" +0000",    NULL                 },
    {"nothing",           "",                                 NULL                 },
    {"a comma",           ",",                                NULL                 },
};

static void
test_dates(void **state)
{
    struct kit k;

    (void)state;
    kit_init(&k);
    for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
        static const struct span key =
            SPAN_INIT("\"origination_timestamp\":\"");
        struct span got;
        char eve[300];

        (void)snprintf(eve, sizeof(eve),
                       COMMON "\"smtp\",\"email\":{\"date\":\"%s\"}}",
                       dates[i].in);
        convert(&k, eve);
        got = buf_view(&k.line);
        got = span_tail(got, span_search(got, key));
        if (dates[i].want == NULL
                ? got.n > 0
                : !span_starts(span_tail(got, key.n), span_str(dates[i].want)))
            fail_msg("%s: %.*s", dates[i].why, (int)got.n, (const char *)got.p);
    }
    kit_fini(&k);
}

/* The bound on what belongs together, at n - 1, n and n + 1. */
static void
test_related_is_bounded(void **state)
{
    const struct record_head head = {.when = NS_PER_S, .type = EVENT_SMTP};
    struct kit k;

    (void)state;
    kit_init(&k);
    for (unsigned n = ECS_RELATED_MAX - 1; n <= ECS_RELATED_MAX + 1; n++) {
        struct span got;
        unsigned commas = 0;

        record_begin(&k.record, &head);
        for (unsigned i = 0; i < n; i++) {
            char text[32];

            (void)snprintf(text, sizeof(text), "<u%u@ex.org>", i);
            record_text(&k.record, FIELD_SMTP_RCPT_TO, text);
        }
        buf_reset(&k.line);
        assert_true(ecs_write(k.ecs, record_view(&k.record), &k.line));
        got = buf_view(&k.line);
        got = span_tail(got, span_search(got, SPAN_LIT("\"user\":[")));
        got = span_head(got, span_find(got, ']'));
        for (size_t i = 0; i < got.n; i++)
            commas += got.p[i] == ',';
        assert_int_equal(commas + 1, n < ECS_RELATED_MAX ? n : ECS_RELATED_MAX);
    }
    kit_fini(&k);
}

/* A line that does not fit leaves the buffer as it was. */
static void
test_no_room(void **state)
{
    struct buf small;
    struct kit k;

    (void)state;
    kit_init(&k);
    convert(&k, lines[0].eve);
    for (size_t max = 0; max <= k.line.n; max++) {
        buf_init(&small, max + 1);
        buf_putc(&small, 'x');
        assert_int_equal(ecs_write(k.ecs, record_view(&k.record), &small),
                         max == k.line.n);
        assert_int_equal(small.n, max == k.line.n ? max + 1 : 1);
        buf_free(&small);
    }
    kit_fini(&k);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_related_is_bounded),
        cmocka_unit_test(test_no_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
