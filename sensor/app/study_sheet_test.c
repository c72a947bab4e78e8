#include "sensor/app/study_sheet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "sensor/event/json_read.h"

#define FROM (UINT64_C(1790812800) * NS_PER_S) /* 2026-10-01, a Thursday */
#define DAY  (86400 * NS_PER_S)

/* A study of some hosts, events as lines of JSON, and what came of it. */
struct bench {
    struct study_host_row rows[64];
    struct study_result study;
    struct study_sheet *sheet;
    struct json_reader reader;
    struct record_out record;
    struct buf line, message, out, key;
    unsigned n; /* events so far */
};

static int
open_bench(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));

    assert_non_null(b);
    b->study = (struct study_result){
        .from = FROM, .to = FROM + 28 * DAY, .hosts = b->rows};
    json_reader_init(&b->reader);
    record_init(&b->record);
    buf_init(&b->line, 1 << 20);
    buf_init(&b->message, 4096);
    buf_init(&b->out, 1 << 20);
    buf_init(&b->key, 1 << 20);
    *state = b;
    return 0;
}

static int
close_bench(void **state)
{
    struct bench *b = *state;

    study_sheet_free(b->sheet);
    json_reader_free(&b->reader);
    record_free(&b->record);
    buf_free(&b->line);
    buf_free(&b->message);
    buf_free(&b->out);
    buf_free(&b->key);
    free(b);
    return 0;
}

static struct study_host_row *
host(struct bench *b, const char *addr, enum study_class class)
{
    struct study_host_row *h = &b->rows[b->study.n_hosts++];

    *h =
        (struct study_host_row){.class = class, .messages = 10, .sessions = 10};
    assert_true(addr_parse(span_str(addr), &h->addr));
    return h;
}

static void
begin(struct bench *b)
{
    assert_int_equal(study_sheet_new(&b->study, &b->sheet), ERR_OK);
}

/* more: members of the event, from a comma on. */
static void
event(struct bench *b, const char *type, const char *addr, const char *more)
{
    struct record_map m;

    buf_reset(&b->line);
    buf_printf(&b->line,
               "{\"timestamp\":\"2026-10-05T14:%02u:%02u.000000+0000\","
               "\"event_type\":\"%s\",\"flow_id\":%u,\"event_id\":"
               "\"%016x\",\"src_ip\":\"%s\",\"dest_ip\":\"198.51.100.9\","
               "\"dest_port\":25,\"direction\":\"outbound\"",
               b->n / 60 % 60, b->n % 60, type, b->n + 1, b->n + 1, addr);
    buf_str(&b->line, more);
    buf_putc(&b->line, '}');
    b->n++;
    if (json_read(&b->reader, buf_view(&b->line), &b->record, &b->message) !=
        ERR_OK)
        fail_msg("%.*s: %.*s", (int)b->line.n, (const char *)b->line.p,
                 (int)b->message.n, (const char *)b->message.p);
    record_map_init(&m, record_view(&b->record));
    assert_int_equal(study_sheet_event(b->sheet, &m), ERR_OK);
}

#define MAIL(subject)                                                          \
    ",\"smtp\":{\"mail_from\":\"<a@example.org>\",\"rcpt_to\":[\"<b@c.test>"   \
    "\"],\"rcpt\":[{\"addr\":\"<b@c.test>\",\"class\":\"accepted\"}],"         \
    "\"rcpt_offered\":1,\"rcpt_refused\":0,\"helo\":\"host-7.campus.test\","   \
    "\"via\":\"DATA\",\"outcome\":\"accepted\",\"message_bytes\":1234},"       \
    "\"email\":{\"from\":\"A <a@example.org>\",\"subject\":\"" subject         \
    "\",\"score\":999,\"symbols\":[{\"name\":\"SYMBOL\",\"points\":999}]}"

static struct review_drawn
draw(struct bench *b, size_t sample)
{
    struct review_drawn d;

    assert_int_equal(study_sheet_draw(b->sheet, sample, &d), ERR_OK);
    buf_reset(&b->out);
    buf_reset(&b->key);
    assert_int_equal(study_sheet_put(b->sheet, &b->out, &b->key), ERR_OK);
    return d;
}

static bool
has(const struct buf *b, const char *text)
{
    return span_search(buf_view(b), span_str(text)) < b->n;
}

/* ---- */

static void
what_is_shown(void **state)
{
    struct bench *b = *state;

    (void)host(b, "10.1.2.3", STUDY_BOT);
    begin(b);
    event(b, "smtp", "10.1.2.3", MAIL("Hello"));
    assert_int_equal(draw(b, 10).messages, 1);
    assert_true(has(&b->out, "\n1,message,Mon,14:00,1234,<a@example.org>,"
                             "A <a@example.org>,Hello,fqdn,1,0,"
                             "\"1 accepted; message accepted\",,,,\n"));
    assert_true(has(&b->out, "destroyed"));
    assert_true(has(&b->key, "\n1,10.1.2.3,16,no,yes,no,largest,bot,1,1,,"
                             "0000000000000001\n"));
}

/* Neither whose it is nor what the program thinks of it. */
static void
it_is_blind(void **state)
{
    static const char *const secrets[] = {"10.1.2.3", "198.51.100.9", "host-7",
                                          "2026",     "10-05",        "999",
                                          "SYMBOL",   "bot",          "c.test"};
    struct bench *b = *state;

    (void)host(b, "10.1.2.3", STUDY_BOT);
    begin(b);
    event(b, "smtp", "10.1.2.3", MAIL("Hello"));
    (void)draw(b, 10);
    for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
        if (has(&b->out, secrets[i]))
            fail_msg("%s in %.*s", secrets[i], (int)b->out.n,
                     (const char *)b->out.p);
    }
}

static void
hostile_text(void **state)
{
    struct bench *b = *state;
    unsigned quotes = 0;

    (void)host(b, "10.1.2.3", STUDY_BOT);
    begin(b);
    event(b, "smtp", "10.1.2.3",
          MAIL("=cmd|' /C calc'!A0\\n\\u001b[2J,\\u202e\\\",+1"));
    (void)draw(b, 10);
    assert_true(has(&b->out, "\"'=cmd|' /C calc'!A0\\x0a\\x1b[2J,<U+202E>"
                             "\"\",'+1\""));
    for (size_t i = 0; i < b->out.n; i++)
        quotes += b->out.p[i] == '"';
    assert_true(quotes % 2 == 0);
}

/* A long text is cut between characters. */
static void
long_text(void **state)
{
    struct bench *b = *state;
    struct buf more;

    buf_init(&more, 1 << 16);
    buf_str(&more, ",\"smtp\":{\"rcpt_offered\":1,\"via\":\"DATA\"},"
                   "\"email\":{\"subject\":\"x");
    for (unsigned i = 0; i < 3000; i++)
        buf_str(&more, "\xc3\xa4");
    buf_put(&more, "\"}", 3);
    (void)host(b, "10.1.2.3", STUDY_BOT);
    begin(b);
    event(b, "smtp", "10.1.2.3", (const char *)more.p);
    (void)draw(b, 10);
    assert_true(has(&b->out, "\xc3\xa4\xc3\xa4...,"));
    assert_false(has(&b->out, "\\x"));
    assert_true(b->out.n < 1000);
    buf_free(&more);
}

static void
attachments(void **state)
{
    struct bench *b = *state;

    (void)host(b, "10.1.2.3", STUDY_BOT);
    begin(b);
    event(b, "fileinfo", "10.1.2.3",
          ",\"fileinfo\":{\"tx_id\":3,\"filename\":\"bill.zip\",\"type\":"
          "\"zip\",\"class\":\"A\",\"member\":[{\"name\":\"bill.exe\"}]}");
    b->n--; /* of the same connection */
    event(b, "fileinfo", "10.1.2.3",
          ",\"fileinfo\":{\"tx_id\":3,\"disposition\":\"attachment\","
          "\"mime_declared\":\"image/png\"}");
    b->n--;
    event(b, "fileinfo", "10.1.2.3",
          ",\"fileinfo\":{\"tx_id\":3,\"type\":\"text\"}");
    b->n--;
    event(b, "smtp", "10.1.2.3",
          ",\"tx_id\":3,\"smtp\":{\"rcpt_offered\":2,\"via\":\"DATA\"},"
          "\"email\":{\"attachment\":[\"other\"]}");
    (void)draw(b, 1);
    assert_true(has(&b->out, "\"bill.zip (zip: bill.exe), without a name "
                             "(image/png)\""));
    assert_false(has(&b->out, "other"));
    event(b, "smtp", "10.1.2.3",
          ",\"tx_id\":3,\"smtp\":{\"rcpt_offered\":2,\"via\":\"DATA\"},"
          "\"email\":{\"attachment\":[\"a.pdf\",\"b.pdf\"]}");
    assert_int_equal(draw(b, 2).messages, 2);
    assert_true(has(&b->out, "\"a.pdf, b.pdf\""));
}

/* What was sent before what was refused, and that before what none could see.
 */
static void
what_can_be_judged(void **state)
{
    struct bench *b = *state;

    (void)host(b, "10.1.2.3", STUDY_BOT);
    host(b, "10.1.2.4", STUDY_UNKNOWN)->sessions_tls = 10;
    (void)host(b, "10.1.2.5", STUDY_UNKNOWN);
    begin(b);
    for (unsigned i = 0; i < 20; i++) {
        event(b, "smtp", "10.1.2.3",
              ",\"smtp\":{\"rcpt_offered\":1,\"rcpt_refused\":1,"
              "\"outcome\":\"rejected\",\"final_class\":\"policy\"}");
        event(b, "smtp_session", "10.1.2.4",
              ",\"flow\":{\"bytes_toserver\":777},\"smtp\":{\"starttls\":"
              "{\"used\":true}},\"tls\":{\"estimate\":{\"messages_min\":1,"
              "\"messages_max\":2}}");
        /* no message, no session under TLS, too early, inward */
        event(b, "smtp", "10.1.2.5", ",\"smtp\":{\"rcpt_offered\":0}");
        event(b, "smtp", "10.1.2.5",
              ",\"smtp\":{\"rcpt_offered\":9,\"part\":1}");
        event(b, "smtp_session", "10.1.2.5", ",\"smtp\":{\"commands\":1}");
        event(b, "alert", "10.1.2.5", "");
    }
    assert_int_equal(draw(b, 2).hosts, 2);
    assert_true(has(&b->out, "message rejected: policy"));
    assert_true(has(&b->out, ",session under TLS,Mon,14:"));
    assert_true(has(&b->out, ",777,") &&
                has(&b->out, "by size 1 to 2 messages"));
    assert_true(has(&b->key, ",10.1.2.4,10,no,no,yes,"));
    assert_int_equal(study_sheet_told(b->sheet).nothing, 1);
    assert_int_equal(study_sheet_told(b->sheet).refused, 1);
    assert_int_equal(study_sheet_told(b->sheet).under_tls, 1);
    event(b, "smtp", "10.1.2.3", MAIL("the only one"));
    (void)draw(b, 2);
    assert_true(has(&b->out, "the only one"));
    assert_false(has(&b->out, "rejected"));
}

/* The frame: leases are one host, judged ones and strangers are none. */
static void
who_is_drawn(void **state)
{
    struct bench *b = *state;

    (void)host(b, "10.1.2.3", STUDY_LEGITIMATE);
    (void)host(b, "10.1.2.3", STUDY_MIXED);
    host(b, "10.1.2.4", STUDY_BOT)->reviewed = true;
    host(b, "10.1.2.5", STUDY_LEGITIMATE)->registered = true;
    begin(b);
    event(b, "smtp", "10.1.2.3", MAIL("one"));
    event(b, "smtp", "10.1.2.4", MAIL("two"));
    event(b, "smtp", "10.1.2.5", MAIL("three"));
    event(b, "smtp", "10.1.2.6", MAIL("four"));
    assert_int_equal(draw(b, 10).frame, 2);
    assert_int_equal(study_sheet_told(b->sheet).hosts, 3);
    assert_int_equal(study_sheet_told(b->sheet).judged, 1);
    assert_true(has(&b->key, ",10.1.2.3,16,no,yes,no,largest,mixed,"));
    assert_true(has(&b->key, ",10.1.2.5,3,yes,no,no,middle,legitimate,"));
}

static void
before_the_window(void **state)
{
    struct bench *b = *state;

    (void)host(b, "10.1.2.3", STUDY_BOT);
    b->study.from = FROM + 5 * DAY;
    begin(b);
    event(b, "smtp", "10.1.2.3", MAIL("early"));
    assert_int_equal(draw(b, 10).messages, 0);
}

static size_t
lines(const struct buf *b)
{
    size_t n = 0;

    for (size_t i = 0; i < b->n; i++)
        n += b->p[i] == '\n';
    return n;
}

/* In another order, and twice: the same sheet. */
static void
the_same_sheet(void **state)
{
    struct bench *b = *state;
    struct buf first;

    buf_init(&first, 1 << 20);
    for (unsigned i = 0; i < 9; i++) {
        char addr[16];

        (void)snprintf(addr, sizeof(addr), "10.1.2.%u", i);
        (void)host(b, addr, i < 3 ? STUDY_BOT : STUDY_LEGITIMATE);
    }
    begin(b);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 270; i++) {
            char addr[16];

            b->n = round == 1 ? 269 - i : i;
            (void)snprintf(addr, sizeof(addr), "10.1.2.%u", b->n % 9);
            event(b, "smtp", addr, MAIL("mail"));
        }
        assert_int_equal(draw(b, 30).messages, 30);
        if (round == 0) {
            buf_span(&first, buf_view(&b->out));
            buf_span(&first, buf_view(&b->key));
            study_sheet_free(b->sheet);
            begin(b);
        }
    }
    buf_span(&b->out, buf_view(&b->key));
    assert_true(span_eq(buf_view(&first), buf_view(&b->out)));
    assert_int_equal(lines(&b->out), 2 + 30 + 1 + 30);
    buf_free(&first);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_bench, close_bench)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_shown), TEST(it_is_blind),       TEST(hostile_text),
        TEST(long_text),     TEST(attachments),       TEST(what_can_be_judged),
        TEST(who_is_drawn),  TEST(before_the_window), TEST(the_same_sheet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
