#include "rules/host/hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/host/hosts_test_kit.h"
#include "tests/support/random_record.h"

#define BOT "10.1.2.3"

static const struct kit_speaker bot = {
    .src = BOT,
    .dest = "192.0.2.25",
    .direction = "outbound",
    .helo = "pc17",
    .from = "<a@spam.example>",
    .port = 25,
};

/* One recipient a mail and a connection of its own, another organisation each
 * time. */
static void
send_one(struct kit_run *k, const struct kit_speaker *s, unsigned i,
         uint64_t code, const char *class)
{
    char rcpt[64];
    char dest[32];
    struct kit_speaker one = *s;
    struct kit_rcpt r = {rcpt, code, class, NULL};

    (void)snprintf(rcpt, sizeof(rcpt), "<u%u@org%u.example>", i, i);
    (void)snprintf(dest, sizeof(dest), "198.%u.%u.25", 18 + i % 2, i / 2 % 250);
    one.dest = dest;
    k->flow++;
    kit_mail(k, &one, &r, 1, code / 100 == 2 ? 250 : 554, 0, true);
    kit_session(k, &one);
}

static void
test_bot_rises(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    for (unsigned i = 0; i < 40; i++) {
        bool bad = i % 5 < 2;

        kit_time(&k, k.now + 10 * NS_PER_S);
        send_one(&k, &bot, i, bad ? 550 : 250,
                 bad ? "unknown_user" : "accepted");
    }
    kit_time(&k, k.now + 2 * KIT_HOUR);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_SESSIONS), 40);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S1_N), 40);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S1_BAD), 16);
    /* 16 failures and 24 successes in groups of 2 and 3, never below 0 */
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S1_SCORE),
                     16 * 2079 - 24 * 460);
    assert_true(kit_is(&k, BOT, FIELD_HOST_S1_LEVEL, "block"));
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S3_N), 40);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_EVIDENCE_SESSIONS), 40);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_EVIDENCE_SECONDS), 390);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_EVIDENCE_NETWORKS), 2);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_EVIDENCE_REPLIES), 1000);
    kit_close(&k);
}

/* Every interval while it is active, in whole minutes; none while it is not. */
static void
test_intervals(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    kit_session(&k, &bot);
    kit_time(&k, k.now + KIT_HOUR - 60 * NS_PER_S);
    assert_int_equal(k.n, 0);
    kit_time(&k, k.now + 120 * NS_PER_S);
    assert_int_equal(k.n, 1);
    assert_true(kit_is(&k, BOT, FIELD_HOST_WHY, "interval"));
    assert_int_equal(
        record_head_of(kit_last(&k, BOT)->record).when % (60 * NS_PER_S), 0);
    kit_time(&k, k.now + 30 * KIT_DAY);
    assert_int_equal(k.n, 1);
    for (unsigned i = 0; i < 5; i++) {
        kit_session(&k, &bot);
        kit_time(&k, k.now + KIT_HOUR);
    }
    assert_int_equal(k.n, 6);
    kit_end(&k);
    assert_int_equal(k.n, 6);
    kit_close(&k);
}

/* What counts for S1, and what does not. */
static const struct {
    const char *why;
    uint64_t code;
    const char *class;
    uint64_t n, bad;
} verdicts[] = {
    {"accepted",              250, "accepted",     1, 0},
    {"will forward",          251, "accepted",     1, 0},
    {"unknown user",          550, "unknown_user", 1, 1},
    {"unknown user, for now", 450, "unknown_user", 0, 0},
    {"greylisted",            451, "greylisting",  0, 0},
    {"full mailbox",          552, "mailbox_full", 0, 0},
    {"policy",                550, "policy",       0, 0},
    {"block list",            554, "blocklist",    0, 0},
    {"too many",              452, "rate",         0, 0},
    {"relaying denied",       554, "relay_denied", 0, 0},
    {"something else",        550, "other",        0, 0},
    {"no reply seen",         0,   NULL,           0, 0},
};

static void
test_verdicts(void **state)
{
    struct hosts_options o = kit_options();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(verdicts); i++) {
        struct kit_run k;
        struct kit_rcpt r = {"<u@org.example>", verdicts[i].code,
                             verdicts[i].class, NULL};

        kit_open(&k, &o);
        kit_mail(&k, &bot, &r, 1, 250, 0, true);
        /* again: known now, if it was a verdict */
        kit_mail(&k, &bot, &r, 1, 250, 0, true);
        kit_end(&k);
        if (kit_u64(&k, BOT, FIELD_HOST_S1_N) != verdicts[i].n ||
            kit_u64(&k, BOT, FIELD_HOST_S1_BAD) != verdicts[i].bad)
            fail_msg("%s", verdicts[i].why);
        kit_close(&k);
    }
}

/* A first contact is used up by a verdict only. */
static void
test_greylisted_then_unknown(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_rcpt later = {"<u@org.example>", 451, "greylisting", NULL};
    struct kit_rcpt never = {"<U@ORG.example>", 550, "unknown_user", NULL};
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    kit_mail(&k, &bot, &later, 1, 0, 0, true);
    kit_mail(&k, &bot, &never, 1, 0, 0, true);
    kit_mail(&k, &bot, &later, 1, 0, 0, true);
    kit_end(&k);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S1_N), 1);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S1_BAD), 1);
    kit_close(&k);
}

/* The first four verdicts of each organisation and hour. */
static void
test_four_of_each_an_hour(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_run k;
    char rcpt[64];
    struct kit_rcpt r = {rcpt, 550, "unknown_user", NULL};

    (void)state;
    kit_open(&k, &o);
    k.now = KIT_START - KIT_START % KIT_HOUR;
    for (unsigned i = 0; i < 200; i++) {
        bool bad = i % 2 == 0;

        r.code = bad ? 550 : 250;
        r.class = bad ? "unknown_user" : "accepted";
        (void)snprintf(rcpt, sizeof(rcpt), "<u%u@Mx%u.org.co.uk>", i, i % 7);
        kit_mail(&k, &bot, &r, 1, 250, 0, true);
        if (i == 99)
            kit_time(&k, k.now + KIT_HOUR);
    }
    kit_end(&k);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S1_N), 8);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S1_BAD), 4);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S3_N), 1);
    kit_close(&k);
}

static const struct {
    const char *why;
    struct kit_speaker who;
} silent[] = {
    {"heard from one side",
     {BOT, "192.0.2.25", "outbound", "x", "<a@b.example>", NULL, NULL, NULL,
      NULL, NULL, 25, true, false, false, false, false, 0, false, false} },
    {"begun before the capture",
     {BOT, "192.0.2.25", "outbound", "x", "<a@b.example>", NULL, NULL, NULL,
      NULL, NULL, 25, false, true, false, false, true, 0, false, false}  },
    {"between outside hosts",
     {BOT, "192.0.2.25", "external", "x", "<a@b.example>", NULL, NULL, NULL,
      NULL, NULL, 25, false, false, false, false, false, 0, false, false}},
    {"no handshake",
     {BOT, "192.0.2.25", "outbound", "x", "<a@b.example>", NULL, NULL, NULL,
      NULL, NULL, 25, false, true, true, true, true, 0, false, false}    },
};

static void
test_nothing_of_what_cannot_be_sure(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_rcpt r = {"<u@org.example>", 550, "unknown_user", NULL};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(silent); i++) {
        struct kit_run k;

        kit_open(&k, &o);
        kit_mail(&k, &silent[i].who, &r, 1, 0, 0, true);
        kit_session(&k, &silent[i].who);
        kit_end(&k);
        if (k.n != 0 || hosts_counts(k.h).hosts != 0)
            fail_msg("%s", silent[i].why);
        kit_close(&k);
    }
}

static void
test_null_sender(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_speaker s = bot;
    struct kit_run k;

    (void)state;
    s.from = "<>";
    kit_open(&k, &o);
    for (unsigned i = 0; i < 50; i++)
        send_one(&k, &s, i, 550, "unknown_user");
    kit_end(&k);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_NULL_SENDER), 50);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S1_N), 0);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S3_N), 0);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_TRANSACTIONS), 0);
    kit_close(&k);
}

/* Parts are one transaction; each recipient stands in one part. */
static void
test_parts(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_rcpt a = {"<a@a.example>", 250, "accepted", NULL};
    struct kit_rcpt b = {"<b@b.example>", 550, "unknown_user", NULL};
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    kit_mail(&k, &bot, &a, 1, 0, 1, false);
    kit_mail(&k, &bot, &b, 1, 0, 2, false);
    kit_mail(&k, &bot, NULL, 0, 250, 3, true);
    kit_end(&k);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_TRANSACTIONS), 1);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_ACCEPTED), 1);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_RCPT_OFFERED), 2);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S1_N), 2);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_HOUR_MESSAGES), 1);
    kit_close(&k);
}

/* ---- TLS ---- */

static void
tls_one(struct kit_run *k, unsigned org, bool none)
{
    struct kit_speaker s = bot;
    char dest[32];

    (void)snprintf(dest, sizeof(dest), "203.%u.113.25", org % 250);
    s.dest = dest;
    s.tls = true;
    s.no_payload = none;
    s.messages = none ? 0 : 1;
    kit_session(k, &s);
}

static void
test_hidden_sessions(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    tls_one(&k, 1, false); /* good at once */
    tls_one(&k, 2, true);  /* waits, made good */
    tls_one(&k, 3, true);  /* waits in vain */
    tls_one(&k, 1, true);  /* not a first session */
    kit_time(&k, k.now + KIT_HOUR);
    tls_one(&k, 2, false);
    kit_time(&k, KIT_START + 4 * KIT_HOUR - 60 * NS_PER_S);
    tls_one(&k, 4, false);
    kit_end(&k);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S1T_N), 3);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S1T_BAD), 0);
    kit_time(&k, KIT_START + 4 * KIT_HOUR + 60 * NS_PER_S);
    tls_one(&k, 3, false); /* too late */
    kit_end(&k);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S1T_N), 4);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S1T_BAD), 1);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S3_N), 4);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_SESSIONS_TLS), 7);
    kit_close(&k);
}

static void
test_hidden_alert_comes_by_itself(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    for (unsigned i = 0; i < 9; i++)
        tls_one(&k, i, true);
    kit_time(&k, k.now + 5 * KIT_HOUR);
    assert_true(kit_is(&k, BOT, FIELD_HOST_S1T_LEVEL, "block"));
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S1T_SCORE), 9 * 1609);
    assert_true(
        kit_is(&k, BOT, FIELD_HOST_UNOBSERVABLE, "s1: all sessions under TLS"));
    kit_close(&k);
}

/* ---- time ---- */

/* S3 falls by 18 nats an hour, whatever comes between. */
static void
test_fan_out_falls(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    for (unsigned i = 0; i < 10; i++)
        send_one(&k, &bot, i, 250, "accepted");
    kit_end(&k);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S3_SCORE), 23030);
    for (unsigned i = 0; i < 30; i++) { /* in half-minutes: 4,500 */
        kit_time(&k, k.now + 30 * NS_PER_S);
        kit_session(&k, &bot);
    }
    kit_end(&k);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S3_SCORE), 23030 - 4500);
    kit_time(&k, k.now + KIT_HOUR + 18 * 60 * NS_PER_S);
    kit_session(&k, &bot);
    kit_end(&k);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S3_SCORE), 0);
    assert_true(kit_is(&k, BOT, FIELD_HOST_S3_LEVEL, "normal"));
    kit_close(&k);
}

/* What rose, fell and rises again is told again, an interval later. */
static void
test_told_again(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_run k;
    uint64_t n = 0;

    (void)state;
    kit_open(&k, &o);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 3; i++)
            send_one(&k, &bot, round * 10 + i, 250, "accepted");
        /* 6.9: raised and alert, on one step of the score each */
        assert_true(kit_is(&k, BOT, FIELD_HOST_S3_LEVEL, "alert"));
        assert_true(kit_is(&k, BOT, FIELD_HOST_WHY, "change"));
        assert_true(k.n > n);
        n = k.n;
        kit_time(&k, k.now + 2 * KIT_HOUR);
        kit_session(&k, &bot);
        kit_time(&k, k.now + 2 * KIT_HOUR);
        assert_true(kit_is(&k, BOT, FIELD_HOST_S3_LEVEL, "normal"));
        n = k.n;
    }
    kit_close(&k);
}

/* Of the hour before, what is left of it counts. */
static void
test_hours(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_run k;

    (void)state;
    o.interval = KIT_DAY; /* so that nothing looks at it between */
    kit_open(&k, &o);
    k.now = KIT_START - KIT_START % KIT_HOUR;
    for (unsigned i = 0; i < 40; i++)
        kit_session(&k, &bot);
    kit_end(&k);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_HOUR_SESSIONS), 40);
    kit_time(&k, k.now + KIT_HOUR + KIT_HOUR / 4);
    kit_session(&k, &bot);
    kit_end(&k);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_HOUR_SESSIONS), 31);
    for (unsigned i = 0; i < 40; i++)
        kit_session(&k, &bot);
    kit_time(&k, k.now + 2 * KIT_HOUR);
    kit_session(&k, &bot);
    kit_end(&k);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_HOUR_SESSIONS), 1);
    kit_close(&k);
}

static void
test_a_week_of_ordinary_mail(void **state)
{
    static const struct {
        unsigned day;
        uint64_t want;
    } steps[] = {
        {1,  3},
        {6,  4},
        {7,  3},
        {8,  3},
        {12, 4},
        {14, 3},
        {40, 1}
    };
    struct hosts_options o = kit_options();
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    k.now = KIT_START - KIT_START % KIT_DAY;
    send_one(&k, &bot, 0, 250, "accepted");
    send_one(&k, &bot, 0, 250, "accepted");
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        kit_time(&k, KIT_START - KIT_START % KIT_DAY + steps[i].day * KIT_DAY);
        send_one(&k, &bot, 0, 250, "accepted");
        kit_end(&k);
        assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_ORDINARY), steps[i].want);
    }
    kit_close(&k);
}

/* Verdicts of an organisation count again in the next hour, and the filter of
 * hours forgets. */
static void
test_an_organisation_every_hour(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_run k;
    char rcpt[64];
    struct kit_rcpt r = {rcpt, 250, "accepted", NULL};

    (void)state;
    o.filter = 256; /* one block a generation: full at once */
    kit_open(&k, &o);
    for (unsigned i = 0; i < 300; i++) {
        (void)snprintf(rcpt, sizeof(rcpt), "<u%u@org.example>", i);
        kit_time(&k, k.now + 8 * KIT_DAY);
        kit_mail(&k, &bot, &r, 1, 250, 0, true);
    }
    kit_end(&k);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S1_N), 300);
    kit_close(&k);
}

/* ---- S5, S6, P, S4 ---- */

static void
give_file(struct kit_run *k, const char *class)
{
    kit_begin(k, &bot, EVENT_FILEINFO);
    record_u64(&k->out, FIELD_FILEINFO_TX_ID, k->tx);
    record_text(&k->out, FIELD_FILEINFO_CLASS, class);
    kit_give(k);
}

/* ---- S2 ---- */

static void
give_judged(struct kit_run *k, const char *symbol, uint64_t points)
{
    struct record_out *r = &k->out;

    k->flow++;
    kit_begin(k, &bot, EVENT_SMTP);
    record_text(r, FIELD_SMTP_MAIL_FROM, "<a@x.example>");
    record_text(r, FIELD_SMTP_VIA, "DATA");
    record_text(r, FIELD_SMTP_OUTCOME, "accepted");
    record_u64(r, FIELD_EMAIL_SCORE, points);
    record_object_begin(r, FIELD_EMAIL_SYMBOLS);
    record_text(r, FIELD_EMAIL_SYMBOLS_NAME, symbol);
    record_u64(r, FIELD_EMAIL_SYMBOLS_POINTS, points);
    record_object_end(r);
    kit_give(k);
}

static void
give_dialect(struct kit_run *k, bool pregreet)
{
    struct record_out *r = &k->out;

    kit_begin(k, &bot, EVENT_SMTP_SESSION);
    record_text(r, FIELD_SMTP_BANNER, "220 mx.example");
    record_text(r, FIELD_SMTP_HELO, bot.helo);
    record_bool(r, FIELD_SMTP_PREGREET, pregreet);
    record_text(r, FIELD_SMTP_DIALECT_HELLO, "EHLO");
    record_text(r, FIELD_SMTP_DIALECT_ORDER, "EMRDQ");
    record_u64(r, FIELD_FLOW_BYTES_TOCLIENT, 300);
    record_bool(r, FIELD_TCP_HANDSHAKE, true);
    kit_give(k);
}

static void
test_messages_judged(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    for (unsigned i = 0; i < 5; i++)
        give_judged(&k, "class_b", 6);
    kit_end(&k);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S2_N), 5);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S2_BAD), 5);
    assert_true(kit_is(&k, BOT, FIELD_HOST_S2_LEVEL, "alert"));
    assert_true(kit_is(&k, BOT, FIELD_HOST_S2_WHY, "score"));
    kit_close(&k);
}

/* One session that was odd: its neighbours behind the address are not. */
static void
test_an_odd_session_passes(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    give_dialect(&k, true);
    give_judged(&k, "no_date", 1);
    kit_end(&k);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S2_BAD), 1);
    assert_true(kit_is(&k, BOT, FIELD_HOST_S2_WHY, "dialect"));
    give_dialect(&k, false);
    for (unsigned i = 0; i < 20; i++)
        give_judged(&k, "no_date", 1);
    kit_end(&k);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S2_N), 21);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S2_BAD), 1);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S2_SCORE), 0);
    /* what was seen stays told */
    assert_true(kit_is(&k, BOT, FIELD_HOST_DIALECT_ODD, "pregreet"));
    kit_close(&k);
}

static void
test_malware(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    for (unsigned i = 0; i < 3; i++) {
        k.flow++;
        give_file(&k, "B");
        give_file(&k, "A");
        give_file(&k, "A"); /* of the same message */
        k.flow--;           /* which send_one raises again */
        send_one(&k, &bot, i, 250, "accepted");
        kit_end(&k);
        assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S5_MESSAGES), i + 1);
        assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S5_ORGANISATIONS), i + 1);
        assert_true(
            kit_is(&k, BOT, FIELD_HOST_S5_LEVEL, i < 2 ? "alert" : "block"));
    }
    kit_close(&k);
}

static void
test_listed(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_run k;
    char rcpt[64];
    struct kit_rcpt r = {rcpt, 554, "blocklist", "zen"};

    (void)state;
    kit_open(&k, &o);
    for (unsigned i = 0; i < 4; i++) {
        (void)snprintf(rcpt, sizeof(rcpt), "<u@org%u.example>", i < 2 ? 0 : i);
        kit_mail(&k, &bot, &r, 1, 0, 0, true);
    }
    kit_end(&k);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S6_ORGANISATIONS), 3);
    assert_true(kit_is(&k, BOT, FIELD_HOST_S6_LEVEL, "alert"));
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S1_N), 0);
    kit_time(&k, k.now + KIT_DAY + KIT_HOUR);
    kit_session(&k, &bot);
    kit_end(&k);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S6_ORGANISATIONS), 0);
    kit_close(&k);
}

static void
test_policy(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_speaker s = bot;
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    kit_session(&k, &s);
    kit_end(&k);
    assert_true(!record_map_has(kit_last(&k, BOT), FIELD_HOST_P_LEVEL));
    s.unregistered = "yes";
    kit_session(&k, &s);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_P_SESSIONS), 1);
    assert_true(kit_is(&k, BOT, FIELD_HOST_P_LEVEL, "alert"));
    assert_true(kit_is(&k, BOT, FIELD_HOST_WHY, "change"));
    kit_close(&k);
}

static void
test_cluster(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    k.join =
        (struct campaign_join){.cluster = 0xabc, .sources = 3, .messages = 19};
    send_one(&k, &bot, 0, 250, "accepted");
    kit_end(&k);
    assert_true(kit_is(&k, BOT, FIELD_HOST_S4_LEVEL, "normal"));
    k.join.messages = 20;
    send_one(&k, &bot, 1, 250, "accepted");
    assert_true(kit_is(&k, BOT, FIELD_HOST_S4_LEVEL, "alert"));
    assert_true(kit_is(&k, BOT, FIELD_HOST_S4_CLUSTER, "0000000000000abc"));
    k.join.cluster = 0;
    kit_time(&k, k.now + 2 * KIT_HOUR);
    kit_session(&k, &bot);
    kit_end(&k);
    assert_true(kit_is(&k, BOT, FIELD_HOST_S4_LEVEL, "normal"));
    assert_true(!record_map_has(kit_last(&k, BOT), FIELD_HOST_S4_CLUSTER));
    kit_close(&k);
}

/* Found where all mail is seen, and so later than the mail. */
static void
clusters_found_elsewhere(void **state)
{
    const struct campaign_join j = {
        .cluster = 0xabc, .sources = 3, .messages = 20};
    struct hosts_options o = kit_options();
    struct record_sink sink;
    struct record_map map;
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    sink = kit_sink(&k);
    send_one(&k, &bot, 0, 250, "accepted");
    record_map_init(&map, record_view(&k.out));
    hosts_joined(k.h, &map, &j, &sink);
    assert_true(kit_is(&k, BOT, FIELD_HOST_S4_LEVEL, "alert"));
    assert_true(kit_is(&k, BOT, FIELD_HOST_S4_CLUSTER, "0000000000000abc"));
    kit_close(&k);
}

/* ---- queueing ---- */

static void
defer_of(struct kit_run *k, const struct kit_speaker *s, unsigned from,
         unsigned to, uint64_t code)
{
    char rcpt[64];
    struct kit_rcpt r = {rcpt, code, code == 250 ? "accepted" : "greylisting",
                         NULL};

    for (unsigned i = from; i < to; i++) {
        (void)snprintf(rcpt, sizeof(rcpt), "<u%u@org%u.example>", i, i);
        k->flow++;
        kit_mail(k, s, &r, 1, 250, 0, true);
    }
    kit_session(k, s);
}

static void
defer(struct kit_run *k, unsigned from, unsigned to, uint64_t code)
{
    defer_of(k, &bot, from, to, code);
}

/* Deferred at once, some of them tried again after ten minutes; looked at when
 * so many seconds have passed. */
static const struct {
    const char *why;
    bool bulk;
    unsigned deferred, retried;
    uint64_t seconds;
    bool open, queueing;
} chances[] = {
    {"its first minute",                  true,  5,  0, 60,   true,  false},
    {"no list",                           false, 5,  0, 60,   false, false},
    {"before they settle",                true,  5,  0, 3599, true,  false},
    {"three settled, none tried again",   true,  3,  0, 3600, false, false},
    {"two settled",                       true,  2,  0, 3600, true,  false},
    {"nothing deferred, before its time", true,  0,  0, 7199, true,  false},
    {"nothing deferred, after it",        true,  0,  0, 7200, false, false},
    {"two settled, after it",             true,  2,  0, 7200, false, false},
    {"a fifth of them tried again",       true,  15, 3, 7200, true,  false},
    {"less than a fifth",                 true,  16, 3, 7200, false, false},
    {"a fifth, but two",                  true,  10, 2, 7200, false, false},
    {"it queues",                         true,  5,  3, 3600, false, true },
};

static void
test_chance_to_be_seen(void **state)
{
    struct hosts_options o = kit_options();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(chances); i++) {
        struct kit_rcpt one = {"<a@first.example>", 250, "accepted", NULL};
        struct kit_speaker s = bot;
        struct kit_run k;
        ns_t start;

        s.read = true;
        s.bulk = chances[i].bulk;
        kit_open(&k, &o);
        start = k.now;
        kit_mail(&k, &s, &one, 1, 250, 0, true);
        defer_of(&k, &s, 0, chances[i].deferred, 451);
        if (chances[i].retried > 0) {
            kit_time(&k, start + 600 * NS_PER_S);
            defer_of(&k, &s, 0, chances[i].retried, 250);
        }
        kit_time(&k, start + chances[i].seconds * NS_PER_S);
        kit_mail(&k, &s, &one, 1, 250, 0, true); /* else nothing is told */
        kit_end(&k);
        if (record_map_bool(kit_last(&k, BOT), FIELD_HOST_QUEUEING_OPEN) !=
                chances[i].open ||
            record_map_bool(kit_last(&k, BOT), FIELD_HOST_QUEUEING) !=
                chances[i].queueing)
            fail_msg("%s", chances[i].why);
        kit_close(&k);
    }
}

/* Half of what was read must be of lists. */
static void
test_half_of_it_is_of_lists(void **state)
{
    struct hosts_options o = kit_options();

    (void)state;
    for (unsigned plain = 1; plain <= 3; plain++) {
        struct kit_rcpt one = {"<a@first.example>", 250, "accepted", NULL};
        struct kit_speaker s = bot;
        struct kit_run k;

        s.read = true;
        kit_open(&k, &o);
        for (unsigned i = 0; i < plain + 2; i++) {
            s.bulk = i >= plain;
            kit_mail(&k, &s, &one, 1, 250, 0, true);
        }
        kit_end(&k);
        if (record_map_bool(kit_last(&k, BOT), FIELD_HOST_QUEUEING_OPEN) !=
            (plain <= 2))
            fail_msg("2 of lists, %u plain", plain);
        kit_close(&k);
    }
}

static void
test_never_retried(void **state)
{
    struct hosts_options o = kit_options();

    (void)state;
    for (unsigned n = 9; n <= 10; n++) {
        struct kit_run k;

        kit_open(&k, &o);
        defer(&k, 0, n, 451);
        kit_time(&k, k.now + 23 * KIT_HOUR);
        assert_true(kit_is(&k, BOT, FIELD_HOST_S7_LEVEL, "normal"));
        kit_time(&k, k.now + 3 * KIT_HOUR); /* told though it is quiet */
        assert_true(
            kit_is(&k, BOT, FIELD_HOST_S7_LEVEL, n < 10 ? "normal" : "alert"));
        assert_false(record_map_bool(kit_last(&k, BOT), FIELD_HOST_QUEUEING));
        kit_close(&k);
    }
}

static void
test_retries_are_a_queue(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    defer(&k, 0, 5, 451);
    kit_time(&k, k.now + 59 * NS_PER_S);
    defer(&k, 0, 5, 250); /* too soon to be a queue's */
    kit_end(&k);
    assert_false(record_map_bool(kit_last(&k, BOT), FIELD_HOST_QUEUEING));
    kit_time(&k, k.now + 600 * NS_PER_S);
    defer(&k, 0, 2, 250);
    kit_end(&k);
    assert_false(record_map_bool(kit_last(&k, BOT), FIELD_HOST_QUEUEING));
    defer(&k, 2, 3, 250);
    kit_end(&k);
    assert_true(record_map_bool(kit_last(&k, BOT), FIELD_HOST_QUEUEING));
    assert_true(kit_is(&k, BOT, FIELD_HOST_QUEUEING_WHY, "retries"));
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S7_RETRIED), 3);
    kit_close(&k);
}

/* Half of them is enough, less is not. */
static void
test_half_of_them_retried(void **state)
{
    struct hosts_options o = kit_options();

    (void)state;
    for (unsigned n = 4; n <= 5; n++) {
        struct kit_run k;

        kit_open(&k, &o);
        defer(&k, 0, n, 451);
        kit_time(&k, k.now + KIT_HOUR);
        defer(&k, 0, 2, 250);
        kit_end(&k);
        if (record_map_bool(kit_last(&k, BOT), FIELD_HOST_QUEUEING) != (n == 4))
            fail_msg("2 of %u", n);
        kit_close(&k);
    }
}

/* Offered again in the same connection: no retry, however late. */
static void
test_same_connection_is_no_retry(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_rcpt r = {"<u@org.example>", 451, "greylisting", NULL};
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    for (unsigned i = 0; i < 4; i++) {
        kit_mail(&k, &bot, &r, 1, 0, 0, true);
        kit_time(&k, k.now + 1200 * NS_PER_S);
    }
    kit_end(&k);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S7_DEFERRED), 1);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S7_RETRIED), 0);
    k.flow++;
    kit_mail(&k, &bot, &r, 1, 0, 0, true);
    kit_end(&k);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S7_RETRIED), 1);
    kit_time(&k, k.now + 8 * KIT_DAY);
    kit_session(&k, &bot);
    kit_end(&k);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S7_DEFERRED), 0);
    kit_close(&k);
}

static void
test_serves_mail(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_speaker in = bot;
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    in.src = "192.0.2.9";
    in.dest = BOT;
    in.direction = "inbound";
    in.banner = "220 mx.home.example ESMTP 1";
    kit_session(&k, &in);
    in.banner = "220 other.home.example ESMTP";
    kit_session(&k, &in);
    kit_session(&k, &in);
    assert_null(kit_last(&k, BOT));
    in.banner = "220 other.home.example ESMTP id 77";
    kit_session(&k, &in);
    assert_true(record_map_bool(kit_last(&k, BOT), FIELD_HOST_QUEUEING));
    assert_true(kit_is(&k, BOT, FIELD_HOST_QUEUEING_WHY, "serves_mail"));
    kit_close(&k);
}

/* ---- who it is ---- */

static void
test_identity(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_speaker s = bot;
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    kit_session(&k, &s);
    kit_time(&k, k.now + 25 * KIT_HOUR);
    s.mac = "02:00:00:00:00:02"; /* a new one a day later is a new card */
    kit_session(&k, &s);
    kit_end(&k);
    assert_false(
        record_map_bool(kit_last(&k, BOT), FIELD_HOST_IDENTITY_CONFLICT));
    s.mac = "00:00:00:00:00:00"; /* loopback has none */
    kit_session(&k, &s);
    kit_end(&k);
    assert_false(
        record_map_bool(kit_last(&k, BOT), FIELD_HOST_IDENTITY_CONFLICT));
    s.mac = "02:00:00:00:00:03";
    kit_session(&k, &s);
    assert_true(
        record_map_bool(kit_last(&k, BOT), FIELD_HOST_IDENTITY_CONFLICT));
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_IDENTITY_MACS), 2);
    kit_close(&k);
}

/* Somebody forged mail in its name until it stood at block level: a day of its
 * own good conduct does not make it look like one host. */
static void
test_forged_and_a_day_later(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_speaker s = bot;
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    kit_session(&k, &s);
    s.mac = "02:00:00:00:66:66";
    for (unsigned i = 0; i < 20; i++)
        send_one(&k, &s, i, 550, "unknown_user");
    kit_end(&k);
    assert_true(kit_is(&k, BOT, FIELD_HOST_S1_LEVEL, "block"));
    kit_time(&k, k.now + 25 * KIT_HOUR);
    s.mac = NULL;
    kit_session(&k, &s);
    kit_end(&k);
    assert_true(
        record_map_bool(kit_last(&k, BOT), FIELD_HOST_IDENTITY_CONFLICT));
    kit_close(&k);
}

/* Both ends of a connection from one card; a day later that is past. */
static void
test_one_card_for_both(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_speaker s = bot;
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    s.mac = "02:00:00:00:00:fe"; /* that of the router, in the kit */
    kit_session(&k, &s);
    assert_true(
        record_map_bool(kit_last(&k, BOT), FIELD_HOST_IDENTITY_CONFLICT));
    kit_time(&k, k.now + KIT_DAY);
    s.mac = NULL;
    kit_session(&k, &s);
    kit_end(&k);
    assert_false(
        record_map_bool(kit_last(&k, BOT), FIELD_HOST_IDENTITY_CONFLICT));
    kit_close(&k);
}

/* Evidence is what an off-path sender cannot forge: an acknowledgement of more
 * than the greeting. */
static void
test_evidence_needs_an_acknowledgement(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_speaker s = bot;
    struct kit_run k;
    char banner[400];

    (void)state;
    kit_open(&k, &o);
    s.banner = banner;
    for (size_t n = 297; n <= 299; n++) { /* 300 are acknowledged */
        memset(banner, 'x', n);
        banner[n] = '\0';
        kit_session(&k, &s);
    }
    kit_end(&k);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_SESSIONS), 3);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_EVIDENCE_SESSIONS), 1);
    kit_close(&k);
}

/* Statistics are of a lease, and say of which: when they are told another one
 * may be in force. */
static void
test_leases(void **state)
{
    static const struct {
        const char *why, *lease, *told;
        uint64_t sessions;
    } rows[] = {
        {"a lease",           "0123456789abcdef", "0123456789abcdef", 1},
        {"it again",          "0123456789abcdef", "0123456789abcdef", 2},
        {"the next one",      "fedcba9876543210", "fedcba9876543210", 1},
        {"nobody's",          NULL,               "",                 1},
        {"no id of a lease",  "0123456789ABCDEF", "",                 2},
        {"not of its length", "0123",             "",                 3},
        {"that of a /64",     "ffffffffffffffff", "",                 4},
    };
    struct hosts_options o = kit_options();
    struct kit_speaker s = bot;
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        print_message("%s\n", rows[i].why);
        s.lease = rows[i].lease;
        kit_session(&k, &s);
        kit_end(&k);
        assert_true(kit_is(&k, BOT, FIELD_SRC_HOST_LEASE, rows[i].told));
        assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_SESSIONS),
                         rows[i].sessions);
    }
    kit_close(&k);
}

static void
test_subkeys(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_speaker good = bot;
    struct kit_run k;
    const struct record_map *m;

    (void)state;
    kit_open(&k, &o);
    good.helo = "mx.good.example";
    for (unsigned i = 0; i < 30; i++)
        send_one(&k, &good, i, 250, "accepted");
    for (unsigned i = 100; i < 110; i++)
        send_one(&k, &bot, i, 550, "unknown_user");
    kit_end(&k);
    m = kit_last(&k, BOT);
    assert_int_equal(record_map_u64(m, FIELD_HOST_SUBKEYS, 0), 2);
    assert_int_equal(record_map_u64(m, FIELD_HOST_HELO_NAMES, 0), 2);
    /* the first of them is the good one: 30 accepted, none bad */
    assert_true(record_map_has(m, FIELD_HOST_SUBKEY));
    {
        struct cursor c = cur_open(record_map_find(m, FIELD_HOST_SUBKEY));
        struct record_entry e;

        while (record_next(&c, &e)) {
            if (e.field == FIELD_HOST_SUBKEY_ACCEPTED)
                assert_int_equal(entry_u64(e.value), 30);
            if (e.field == FIELD_HOST_SUBKEY_N)
                assert_int_equal(entry_u64(e.value), 30);
            if (e.field == FIELD_HOST_SUBKEY_BAD)
                assert_int_equal(entry_u64(e.value), 0);
        }
    }
    kit_close(&k);
}

/* The one idle longest goes. */
static void
test_oldest_name_goes(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_speaker s = bot;
    struct kit_run k;
    struct cursor c;
    struct record_entry e;
    char helo[20];
    unsigned stayed = 0;

    (void)state;
    kit_open(&k, &o);
    s.helo = helo;
    for (unsigned i = 0; i < 20; i++) {
        kit_time(&k, k.now + NS_PER_S);
        (void)snprintf(helo, sizeof(helo), "h%u", i);
        kit_session(&k, &s);
        kit_time(&k, k.now + NS_PER_S);
        (void)snprintf(helo, sizeof(helo), "stays");
        kit_session(&k, &s);
    }
    kit_end(&k);
    c = record_entries_of(kit_last(&k, BOT)->record);
    while (record_next(&c, &e)) {
        if (e.field == FIELD_HOST_SUBKEY)
            stayed += span_search(e.value, SPAN_LIT("stays")) < e.value.n ||
                      span_search(e.value, SPAN_LIT("h1")) < e.value.n;
    }
    assert_int_equal(stayed, 8); /* "stays" and h13 to h19 */
    kit_close(&k);
}

static void
test_many_names(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_speaker s = bot;
    struct kit_run k;
    char helo[300];
    uint64_t n;

    (void)state;
    kit_open(&k, &o);
    s.helo = helo;
    for (unsigned i = 0; i < 1000; i++) {
        memset(helo, 'x', sizeof(helo) - 1);
        helo[sizeof(helo) - 1] = '\0';
        helo[snprintf(helo, 20, "h%u", i)] = i % 2 == 0 ? '\0' : '-';
        kit_session(&k, &s);
    }
    kit_end(&k);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_SUBKEYS), 8);
    n = kit_u64(&k, BOT, FIELD_HOST_HELO_NAMES);
    assert_true(n > 750 && n < 1250);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_ERROR), 65);
    kit_close(&k);
}

struct sum {
    uint64_t accepted, n, bad, score;
    bool named;
};

static struct sum
sum_at(struct span object)
{
    struct cursor c = cur_open(object);
    struct record_entry e;
    struct sum s = {0};

    while (record_next(&c, &e)) {
        if (e.field == FIELD_HOST_SUBKEY_HELO)
            s.named = true;
        else if (e.field == FIELD_HOST_SUBKEY_ACCEPTED)
            s.accepted = entry_u64(e.value);
        else if (e.field == FIELD_HOST_SUBKEY_N)
            s.n = entry_u64(e.value);
        else if (e.field == FIELD_HOST_SUBKEY_BAD)
            s.bad = entry_u64(e.value);
        else if (e.field == FIELD_HOST_SUBKEY_SCORE)
            s.score = entry_u64(e.value);
    }
    return s;
}

/* A bot that gives another name each time does not push out those beside whom
 * it sends: they stay in the sum of their dialect. More dialects than sums
 * share the last one. */
static void
test_users_beside_a_bot(void **state)
{
    static const char *const hellos[] = {"EHLO", "HELO", "X1", "X2", "X3"};
    static const struct sum want[] = {
        {52,  52,  0,   0, false},
        {100, 200, 100, 1, false},
        {10,  10,  0,   0, false},
        {20,  20,  0,   0, false}
    };
    static const unsigned from[] = {0, 60, 260, 270, 280};
    static const unsigned to[] = {52, 260, 270, 280, 290};
    struct hosts_options o = kit_options();
    struct kit_speaker s = bot;
    struct kit_run k;
    struct cursor c;
    struct record_entry e;
    char helo[20];
    unsigned n = 0;

    (void)state;
    kit_open(&k, &o);
    s.helo = helo;
    for (size_t p = 0; p < ARRAY_LEN(hellos); p++) {
        s.hello = hellos[p];
        for (unsigned i = from[p]; i < to[p]; i++) {
            bool bad = p == 1 && i % 2 != 0;

            (void)snprintf(helo, sizeof(helo), "h%u", i);
            send_one(&k, &s, i, bad ? 550 : 250,
                     bad ? "unknown_user" : "accepted");
            kit_time(&k, k.now + NS_PER_S);
        }
    }
    for (unsigned i = 300; i < 308; i++) { /* all before have to go */
        (void)snprintf(helo, sizeof(helo), "h%u", i);
        kit_session(&k, &s);
        kit_time(&k, k.now + NS_PER_S);
    }
    kit_end(&k);
    c = record_entries_of(kit_last(&k, BOT)->record);
    while (record_next(&c, &e)) {
        struct sum got;

        if (e.field != FIELD_HOST_SUBKEY || (got = sum_at(e.value)).named)
            continue;
        assert_true(n < ARRAY_LEN(want));
        assert_int_equal(got.accepted, want[n].accepted);
        assert_int_equal(got.n, want[n].n);
        assert_int_equal(got.bad, want[n].bad);
        assert_int_equal(got.score > 9200, want[n].score);
        n++;
    }
    assert_int_equal(n, ARRAY_LEN(want));
    kit_close(&k);
}

static void
test_triangular(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_speaker half = bot;
    struct kit_speaker other = bot;
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    half.oneway = true;
    kit_session(&k, &half); /* nobody was heard from both sides */
    assert_int_equal(hosts_counts(k.h).hosts, 0);
    other.src = "10.9.9.9";
    kit_session(&k, &other);
    kit_session(&k, &half); /* told at once */
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_TRIANGULAR), 1);
    assert_true(kit_is(&k, BOT, FIELD_HOST_CHANGES, "triangular"));
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_SESSIONS_ONEWAY), 1);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_SESSIONS), 0);
    kit_time(&k, k.now + 301 * NS_PER_S);
    half.src = "10.1.2.4";
    kit_session(&k, &half);
    assert_int_equal(hosts_counts(k.h).hosts, 2);
    kit_close(&k);
}

/* ---- outside clients ---- */

static void
test_harvest_and_guessing(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_speaker in = bot;
    struct kit_rcpt r[20];
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    in.src = "2001:db8:1:2:3::9";
    in.dest = "10.0.0.25";
    in.direction = "inbound";
    for (size_t i = 0; i < 20; i++)
        r[i] = (struct kit_rcpt){"<nobody@home.example>", 550, "unknown_user",
                                 NULL};
    kit_mail(&k, &in, r, 20, 0, 0, true);
    assert_int_equal(kit_u64(&k, "2001:db8:1:2::", FIELD_HOST_HARVEST_UNKNOWN),
                     20);
    kit_begin(&k, &in, EVENT_SMTP_SESSION);
    for (unsigned i = 0; i < 9; i++) {
        record_object_begin(&k.out, FIELD_SMTP_AUTH);
        record_text(&k.out, FIELD_SMTP_AUTH_OUTCOME,
                    i < 8 ? "failure" : "success");
        record_object_end(&k.out);
    }
    record_u64(&k.out, FIELD_FLOW_BYTES_TOCLIENT, 300);
    record_bool(&k.out, FIELD_TCP_HANDSHAKE, true);
    kit_give(&k);
    assert_int_equal(kit_u64(&k, "2001:db8:1:2::", FIELD_HOST_AUTH_FAILURES),
                     8);
    assert_int_equal(kit_u64(&k, "2001:db8:1:2::", FIELD_HOST_AUTH_SUCCESSES),
                     1);
    assert_int_equal(kit_u64(&k, "2001:db8:1:2::", FIELD_HOST_AUTH_SERVERS), 1);
    assert_false(
        record_map_bool(kit_last(&k, "2001:db8:1:2::"), FIELD_HOST_HOME));
    kit_close(&k);
}

/* ---- baseline ---- */

/* n new organisations in one hour of each day. */
static void
days(struct kit_run *k, unsigned from, unsigned to, unsigned n)
{
    char rcpt[64];
    struct kit_rcpt r = {rcpt, 250, "accepted", NULL};

    for (unsigned d = from; d < to; d++) {
        kit_time(k, KIT_START + d * KIT_DAY);
        for (unsigned i = 0; i < n; i++) {
            (void)snprintf(rcpt, sizeof(rcpt), "<u@d%u-%u.example>", d, i);
            kit_mail(k, &bot, &r, 1, 250, 0, true);
        }
    }
}

static void
test_baseline(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    days(&k, 0, 7, 40);
    kit_end(&k);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_BASELINE_DAYS), 6);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S3_EXPECTED), 2000);
    days(&k, 7, 8, 40);
    kit_end(&k);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_BASELINE_DAYS), 7);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_BASELINE_ORGS_HOUR), 40);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_BASELINE_RCPT_DAY), 40);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S3_EXPECTED), 60000);
    kit_close(&k);
}

/* Days on which it was a bot teach nothing. */
static void
test_poisoned_baseline(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    for (unsigned d = 0; d < 10; d++) {
        kit_time(&k, KIT_START + d * KIT_DAY);
        for (unsigned i = 0; i < 10; i++)
            send_one(&k, &bot, d * 100 + i, 550, "unknown_user");
    }
    kit_end(&k);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_BASELINE_DAYS), 0);
    assert_int_equal(kit_u64(&k, BOT, FIELD_HOST_S3_EXPECTED), 2000);
    kit_close(&k);
}

/* Unknown users of an outside client count for a day. */
static void
test_harvest_ends(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_speaker in = bot;
    struct kit_rcpt r = {"<nobody@home.example>", 550, "unknown_user", NULL};
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    in.src = "192.0.2.77";
    in.dest = "10.0.0.25";
    in.direction = "inbound";
    kit_mail(&k, &in, &r, 1, 0, 0, true);
    kit_time(&k, k.now + KIT_DAY - NS_PER_S);
    kit_mail(&k, &in, &r, 1, 0, 0, true);
    kit_end(&k);
    assert_int_equal(kit_u64(&k, "192.0.2.77", FIELD_HOST_HARVEST_UNKNOWN), 2);
    kit_time(&k, k.now + NS_PER_S);
    kit_mail(&k, &in, &r, 1, 0, 0, true);
    kit_end(&k);
    assert_int_equal(kit_u64(&k, "192.0.2.77", FIELD_HOST_HARVEST_UNKNOWN), 1);
    kit_close(&k);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bot_rises),
        cmocka_unit_test(test_intervals),
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_greylisted_then_unknown),
        cmocka_unit_test(test_four_of_each_an_hour),
        cmocka_unit_test(test_nothing_of_what_cannot_be_sure),
        cmocka_unit_test(test_null_sender),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_hidden_sessions),
        cmocka_unit_test(test_hidden_alert_comes_by_itself),
        cmocka_unit_test(test_messages_judged),
        cmocka_unit_test(test_an_odd_session_passes),
        cmocka_unit_test(test_malware),
        cmocka_unit_test(test_listed),
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_cluster),
        cmocka_unit_test(clusters_found_elsewhere),
        cmocka_unit_test(test_never_retried),
        cmocka_unit_test(test_retries_are_a_queue),
        cmocka_unit_test(test_chance_to_be_seen),
        cmocka_unit_test(test_half_of_it_is_of_lists),
        cmocka_unit_test(test_serves_mail),
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_forged_and_a_day_later),
        cmocka_unit_test(test_leases),
        cmocka_unit_test(test_subkeys),
        cmocka_unit_test(test_users_beside_a_bot),
        cmocka_unit_test(test_many_names),
        cmocka_unit_test(test_triangular),
        cmocka_unit_test(test_harvest_and_guessing),
        cmocka_unit_test(test_baseline),
        cmocka_unit_test(test_fan_out_falls),
        cmocka_unit_test(test_told_again),
        cmocka_unit_test(test_hours),
        cmocka_unit_test(test_a_week_of_ordinary_mail),
        cmocka_unit_test(test_an_organisation_every_hour),
        cmocka_unit_test(test_half_of_them_retried),
        cmocka_unit_test(test_same_connection_is_no_retry),
        cmocka_unit_test(test_one_card_for_both),
        cmocka_unit_test(test_evidence_needs_an_acknowledgement),
        cmocka_unit_test(test_oldest_name_goes),
        cmocka_unit_test(test_poisoned_baseline),
        cmocka_unit_test(test_harvest_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
