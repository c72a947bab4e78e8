#include "rules/answers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* An event as the core publishes it. Texts that are NULL are left out. */
struct ev {
    enum event_type type;
    const char *src, *dst;
    unsigned port; /* 0: left out */
    const char *direction, *line_state;
    const char *src_state, *src_site, *dst_state, *dst_site;
    const char *helo;
    const char *outcome;
    const char *rcpt[4];  /* "class" or "class list" */
    const char *reply[3]; /* the same; "" has no class */
    unsigned offered, accepted, refused;
    unsigned final_code;
    const char *final_class, *final_list, *via;
    unsigned bytes;
    bool not_last; /* a part that others follow */
    bool tls, oneway;
    const char *app_proto;
    unsigned gaps, attempts;
    const char *anomaly;
    uint64_t flow;
    unsigned tx;
    ns_t when;
    /* of a part, and of a message that has some */
    const char *file, *classes, *mime, *state, *cut;
    unsigned size, parts, beyond, reading;
    bool inspected, truncated;
};

static void
text(struct record_out *r, enum field f, const char *s)
{
    if (s != NULL)
        record_text(r, f, s);
}

static void
number(struct record_out *r, enum field f, uint64_t n)
{
    if (n > 0)
        record_u64(r, f, n);
}

static void
address(struct record_out *r, enum field f, const char *s)
{
    struct addr a;

    if (s == NULL)
        return;
    assert_true(addr_parse(span_str(s), &a));
    record_addr(r, f, &a);
}

static void
verdict(struct record_out *r, enum field object, enum field class,
        enum field list, const char *s)
{
    struct span words = span_str(s);
    size_t space = span_find(words, ' ');

    record_object_begin(r, object);
    if (words.n > 0)
        record_str(r, class, span_head(words, space));
    if (space < words.n)
        record_str(r, list, span_tail(words, space + 1));
    record_object_end(r);
}

static void
put_smtp(struct record_out *r, const struct ev *e)
{
    for (size_t i = 0; i < ARRAY_LEN(e->rcpt) && e->rcpt[i] != NULL; i++)
        verdict(r, FIELD_SMTP_RCPT, FIELD_SMTP_RCPT_CLASS, FIELD_SMTP_RCPT_LIST,
                e->rcpt[i]);
    for (size_t i = 0; i < ARRAY_LEN(e->reply) && e->reply[i] != NULL; i++)
        verdict(r, FIELD_SMTP_REPLIES, FIELD_SMTP_REPLIES_CLASS,
                FIELD_SMTP_REPLIES_LIST, e->reply[i]);
    number(r, FIELD_SMTP_RCPT_OFFERED, e->offered);
    number(r, FIELD_SMTP_RCPT_ACCEPTED, e->accepted);
    number(r, FIELD_SMTP_RCPT_REFUSED, e->refused);
    number(r, FIELD_SMTP_FINAL_CODE, e->final_code);
    text(r, FIELD_SMTP_FINAL_CLASS, e->final_class);
    text(r, FIELD_SMTP_FINAL_LIST, e->final_list);
    text(r, FIELD_SMTP_VIA, e->via);
    text(r, FIELD_SMTP_OUTCOME, e->outcome);
    number(r, FIELD_SMTP_MESSAGE_BYTES, e->bytes);
    text(r, FIELD_SMTP_CUT, e->cut);
    if (e->not_last)
        record_bool(r, FIELD_SMTP_LAST, false);
}

/* classes: a letter each. */
static void
put_part(struct record_out *r, const struct ev *e)
{
    text(r, FIELD_FILEINFO_FILENAME, e->file);
    record_u64(r, FIELD_FILEINFO_SIZE, e->size);
    text(r, FIELD_FILEINFO_MIME_TYPE, e->mime);
    text(r, FIELD_FILEINFO_STATE, e->state);
    number(r, FIELD_FILEINFO_READING, e->reading);
    record_bool(r, FIELD_FILEINFO_INSPECTED, e->inspected);
    for (const char *c = e->classes; c != NULL && *c != '\0'; c++)
        record_str(r, FIELD_FILEINFO_CLASSES, span_of(c, 1));
}

static void
show(struct answers *a, struct span record)
{
    struct record_map map;

    record_map_init(&map, record);
    answers_event(a, &map);
}

static void
put_event(struct answers *a, struct ev e)
{
    struct record_head head = {.when = e.when != 0 ? e.when : NS_PER_S,
                               .flow_id = 1 + e.flow,
                               .type = e.type};
    struct record_out r;

    record_init(&r);
    record_begin(&r, &head);
    address(&r, FIELD_SRC_IP, e.src);
    address(&r, FIELD_DEST_IP, e.dst);
    number(&r, FIELD_DEST_PORT, e.port);
    text(&r, FIELD_APP_PROTO, e.app_proto);
    record_u64(&r, FIELD_TX_ID, e.tx);
    text(&r, FIELD_DIRECTION, e.direction);
    text(&r, FIELD_SRC_REG_STATE, e.src_state);
    text(&r, FIELD_SRC_REG_SITE, e.src_site);
    text(&r, FIELD_SRC_REG_LINE_STATE, e.line_state);
    text(&r, FIELD_DEST_REG_STATE, e.dst_state);
    text(&r, FIELD_DEST_REG_SITE, e.dst_site);
    if (e.truncated)
        record_bool(&r, FIELD_QUALITY_TRUNCATED, true);
    if (e.oneway)
        record_bool(&r, FIELD_QUALITY_ONEWAY, true);
    text(&r, FIELD_SMTP_HELO, e.helo);
    put_smtp(&r, &e);
    if (e.tls)
        record_bool(&r, FIELD_SMTP_STARTTLS_USED, true);
    number(&r, FIELD_EMAIL_PARTS, e.parts);
    number(&r, FIELD_EMAIL_PARTS_MORE, e.beyond);
    if (e.type == EVENT_FILEINFO)
        put_part(&r, &e);
    number(&r, FIELD_TCP_GAPS, e.gaps);
    number(&r, FIELD_ATTEMPTS_COUNT, e.attempts);
    text(&r, FIELD_ANOMALY_EVENT, e.anomaly);
    assert_true(record_check(record_view(&r)));
    show(a, record_view(&r));
    record_free(&r);
}

#define SMTP(...)                                                              \
    {                                                                          \
        .type = EVENT_SMTP, __VA_ARGS__                                        \
    }
#define SESSION(...)                                                           \
    {                                                                          \
        .type = EVENT_SMTP_SESSION, __VA_ARGS__                                \
    }
#define ANOMALY(...)                                                           \
    {                                                                          \
        .type = EVENT_ANOMALY, __VA_ARGS__                                     \
    }
#define PART(...)                                                              \
    {                                                                          \
        .type = EVENT_FILEINFO, .size = 10, __VA_ARGS__                        \
    }
#define SENT        .via = "DATA", .outcome = "accepted", .parts = 2
#define WHOLE       .state = "CLOSED"
#define put(a, ...) put_event(a, (struct ev)__VA_ARGS__)
#define OUT         .direction = "outbound", .dst = "203.0.113.5"
#define IN          .direction = "inbound", .src = "203.0.113.5"

static struct answers *
fresh(void)
{
    struct answers *a;

    assert_int_equal(answers_new(&a), ERR_OK);
    return a;
}

static struct summary_host *
host(const struct summary *s, const char *name)
{
    struct addr a;

    assert_true(addr_parse(span_str(name), &a));
    for (size_t i = 0; i < s->n_hosts; i++) {
        if (addr_cmp(&s->hosts[i].addr, &a) == 0)
            return &s->hosts[i];
    }
    return NULL;
}

/* ---- who ---- */

/* clang-format off */
static const struct {
    const char *why;
    struct ev event;
    const char *senders, *receivers; /* addresses with a space behind each */
} who[] = {
    {"outbound: the client sends", SESSION(OUT, .src = "10.0.0.1"), "10.0.0.1 ",
     ""},
    {"inbound: the server receives", SESSION(IN, .dst = "10.0.0.2"), "",
     "10.0.0.2 "},
    {"internal: both",
     SESSION(.direction = "internal", .src = "10.0.0.1", .dst = "10.0.0.2"),
     "10.0.0.1 ", "10.0.0.2 "},
    {"external: neither",
     SESSION(.direction = "external", .src = "1.1.1.1", .dst = "2.2.2.2"), "",
     ""},
    {"no home networks", SESSION(.src = "1.1.1.1", .dst = "2.2.2.2"), "", ""},
    {"a registry state says home",
     SESSION(.src = "10.0.0.1", .src_state = "unregistered", .dst = "2.2.2.2"),
     "10.0.0.1 ", ""},
    {"attempts send, nobody receives",
     SESSION(.direction = "internal", .src = "10.0.0.1", .dst = "10.0.0.2",
             .attempts = 3),
     "10.0.0.1 ", ""},
    {"attempts to many have no server",
     SESSION(.direction = "outbound", .src = "10.0.0.1", .attempts = 3),
     "10.0.0.1 ", ""},
    {"attempts without a client", SESSION(.attempts = 3), "", ""},
    {"a transaction alone", SMTP(OUT, .src = "10.0.0.1", .outcome = "accepted"),
     "10.0.0.1 ", ""},
    {"an anomaly neither sends nor receives",
     ANOMALY(OUT, .src = "10.0.0.1", .anomaly = "bare_lf"), "", ""},
};
/* clang-format on */

static void
tells_senders_and_receivers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(who); i++) {
        struct answers *a = fresh();
        struct summary s = {0};
        struct buf names[2];

        put_event(a, who[i].event);
        answers_summary(a, &s);
        for (size_t k = 0; k < 2; k++) {
            buf_init(&names[k], 1024);
            for (size_t h = 0; h < s.n_hosts; h++) {
                char name[ADDR_TEXT_MAX];

                if (k == 0 ? !s.hosts[h].sends : !s.hosts[h].receives)
                    continue;
                buf_put(&names[k], name, addr_format(&s.hosts[h].addr, name));
                buf_putc(&names[k], ' ');
            }
            buf_putc(&names[k], '\0');
        }
        if (strcmp((char *)names[0].p, who[i].senders) != 0 ||
            strcmp((char *)names[1].p, who[i].receivers) != 0)
            fail_msg("%s: senders %s, receivers %s", who[i].why,
                     (char *)names[0].p, (char *)names[1].p);
        buf_free(&names[0]);
        buf_free(&names[1]);
        answers_free(a);
    }
}

static void
keeps_what_the_registry_says(void **state)
{
    struct answers *a = fresh();
    struct summary s = {0};
    char longer[400];

    (void)state;
    memset(longer, 's', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    for (int i = 0; i < 3; i++) {
        put(a, SESSION(OUT, .src = "10.0.0.1", .src_state = "registered",
                       .src_site = "post"));
        put(a, SESSION(OUT, .src = "10.0.0.2", .src_state = "registered",
                       .src_site = longer));
        put(a, SESSION(OUT, .src = "10.0.0.3", .src_state = "unregistered"));
        put(a, SESSION(IN, .dst = "10.0.0.4", .dst_state = "registered",
                       .dst_site = "post"));
    }
    answers_summary(a, &s);
    assert_int_equal(s.n_hosts, 4);
    assert_string_equal(host(&s, "10.0.0.1")->site, "post");
    assert_int_equal(strlen(host(&s, "10.0.0.2")->site), 256);
    assert_null(host(&s, "10.0.0.3")->site);
    assert_true(host(&s, "10.0.0.1")->registered);
    assert_false(host(&s, "10.0.0.3")->registered);
    assert_ptr_equal(host(&s, "10.0.0.4")->site, host(&s, "10.0.0.1")->site);
    answers_free(a);
}

/* clang-format off */
static const struct {
    const char *why;
    struct ev events[2];
    bool judged, registered, has_form;
    unsigned on_25, accepted_25;
} judged[] = {
    {"mail accepted on 25 and elsewhere",
     {SMTP(OUT, .src = "10.0.0.1", .port = 25, .outcome = "accepted"),
      SMTP(OUT, .src = "10.0.0.1", .port = 2525, .outcome = "accepted")},
     true, false, false, 0, 1},
    {"mail refused on 25, accepted inside",
     {SMTP(OUT, .src = "10.0.0.1", .port = 25, .outcome = "rejected"),
      SMTP(.direction = "internal", .src = "10.0.0.1", .port = 25,
           .outcome = "accepted")},
     true, false, false, 0, 0},
    {"mail outward needs a permit",
     {SESSION(OUT, .src = "10.0.0.1", .port = 25, .src_state = "unregistered")},
     true, false, false, 1, 0},
    {"on odd ports too",
     {SESSION(OUT, .src = "10.0.0.1", .port = 2525,
              .src_state = "unregistered")},
     true, false, false, 0, 0},
    {"submission outward does not",
     {SESSION(OUT, .src = "10.0.0.1", .port = 587,
              .src_state = "unregistered"),
      SESSION(OUT, .src = "10.0.0.1", .port = 465,
              .src_state = "unregistered")},
     false, false, false, 0, 0},
    {"nor does mail inside",
     {SESSION(.direction = "internal", .src = "10.0.0.1", .port = 25,
              .src_state = "unregistered")},
     false, false, false, 0, 0},
    {"submission takes no permit away",
     {SESSION(OUT, .src = "10.0.0.1", .port = 25, .src_state = "registered",
              .line_state = "permitted"),
      SESSION(OUT, .src = "10.0.0.1", .port = 587,
              .src_state = "unregistered")},
     true, true, true, 1, 0},
    {"the last time counts",
     {SESSION(OUT, .src = "10.0.0.1", .port = 25,
              .src_state = "unregistered"),
      SESSION(OUT, .src = "10.0.0.1", .port = 25, .src_state = "registered",
              .line_state = "permitted")},
     true, true, true, 2, 0},
    {"a form is known, whatever its state",
     {SESSION(OUT, .src = "10.0.0.1", .port = 25, .src_state = "unregistered",
              .line_state = "returned")},
     true, false, true, 1, 0},
};
/* clang-format on */

static void
judges_what_needs_a_permit(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(judged); i++) {
        struct answers *a = fresh();
        struct summary s = {0};
        const struct summary_host *h;

        for (size_t k = 0; k < 2; k++) {
            if (judged[i].events[k].src != NULL)
                put_event(a, judged[i].events[k]);
        }
        answers_summary(a, &s);
        h = host(&s, "10.0.0.1");
        if (h == NULL || h->judged != judged[i].judged ||
            h->registered != judged[i].registered ||
            h->has_form != judged[i].has_form ||
            h->sessions_25 != judged[i].on_25 ||
            h->accepted_25 != judged[i].accepted_25)
            fail_msg("%s", judged[i].why);
        answers_free(a);
    }
}

static void
counts_peers_by_role(void **state)
{
    struct answers *a = fresh();
    struct summary s = {0};

    (void)state;
    for (int i = 0; i < 2; i++) {
        put(a, SESSION(OUT, .src = "10.0.0.1"));
        put(a, SESSION(.direction = "outbound", .src = "10.0.0.1",
                       .dst = "203.0.113.6"));
        put(a, SMTP(OUT, .src = "10.0.0.1"));
        put(a, SESSION(IN, .dst = "10.0.0.1")); /* the same peer calls back */
    }
    answers_summary(a, &s);
    assert_int_equal(s.n_hosts, 2); /* a row for each role */
    for (size_t i = 0; i < 2; i++) {
        const struct summary_host *h = &s.hosts[i];

        assert_int_equal(h->peers, h->as_client ? 2 : 1);
        assert_int_equal(h->sessions, h->as_client ? 4 : 2);
        assert_false(h->peers_more);
    }
    answers_free(a);
}

static void
keeps_first_last_and_helo(void **state)
{
    struct answers *a = fresh();
    struct summary s = {0};
    char longer[100];

    (void)state;
    memset(longer, 'h', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    put(a,
        SESSION(OUT, .src = "10.0.0.1", .when = 5 * NS_PER_S, .helo = "one"));
    put(a,
        SESSION(OUT, .src = "10.0.0.1", .when = 9 * NS_PER_S, .helo = "two"));
    put(a, SESSION(OUT, .src = "10.0.0.2", .helo = longer));
    put(a, SESSION(OUT, .src = "10.0.0.3"));
    answers_summary(a, &s);
    assert_true(host(&s, "10.0.0.1")->first == 5 * NS_PER_S);
    assert_true(host(&s, "10.0.0.1")->last == 9 * NS_PER_S);
    assert_string_equal(host(&s, "10.0.0.1")->helo, "two");
    assert_int_equal(strlen(host(&s, "10.0.0.2")->helo), 63);
    assert_string_equal(host(&s, "10.0.0.3")->helo, "");
    answers_free(a);
}

/* ---- transactions ---- */

/* clang-format off */
static const struct {
    const char *why;
    struct ev event;
    unsigned accepted, rejected, deferred, other, transactions;
} outcomes[] = {
    {"accepted", SMTP(OUT, .src = "10.0.0.1", .outcome = "accepted"), 1, 0, 0,
     0, 1},
    {"rejected", SMTP(OUT, .src = "10.0.0.1", .outcome = "rejected"), 0, 1, 0,
     0, 1},
    {"deferred", SMTP(OUT, .src = "10.0.0.1", .outcome = "deferred"), 0, 0, 1,
     0, 1},
    {"aborted", SMTP(OUT, .src = "10.0.0.1", .outcome = "aborted"), 0, 0, 0, 1,
     1},
    {"no-data", SMTP(OUT, .src = "10.0.0.1", .outcome = "no-data"), 0, 0, 0, 1,
     1},
    {"unknown", SMTP(OUT, .src = "10.0.0.1", .outcome = "unknown"), 0, 0, 0, 1,
     1},
    {"a part before the last",
     SMTP(OUT, .src = "10.0.0.1", .not_last = true, .offered = 1000), 0, 0, 0,
     0, 0},
    {"a session is none",
     SESSION(OUT, .src = "10.0.0.1", .outcome = "accepted"), 0, 0, 0, 0, 0},
};
/* clang-format on */

static void
counts_outcomes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
        struct answers *a = fresh();
        struct summary s = {0};
        const struct summary_host *h;

        put_event(a, outcomes[i].event);
        answers_summary(a, &s);
        h = host(&s, "10.0.0.1");
        if (h == NULL || s.accepted != outcomes[i].accepted ||
            s.rejected != outcomes[i].rejected ||
            s.deferred != outcomes[i].deferred ||
            s.other != outcomes[i].other ||
            s.transactions != outcomes[i].transactions ||
            h->accepted != s.accepted || h->rejected != s.rejected ||
            h->deferred != s.deferred || h->other != s.other ||
            h->transactions != s.transactions)
            fail_msg("%s", outcomes[i].why);
        answers_free(a);
    }
}

/* Each part has its own recipients, the last one the sums: those count once,
 * the ledger of each part counts. */
static void
counts_a_long_transaction_once(void **state)
{
    struct answers *a = fresh();
    struct summary s = {0};
    const struct summary_host *h;

    (void)state;
    put(a, SMTP(OUT, .src = "10.0.0.1", .not_last = true, .offered = 1000,
                .accepted = 999, .refused = 1, .rcpt = {"accepted", "policy"}));
    put(a, SMTP(OUT, .src = "10.0.0.1", .not_last = true, .offered = 2000,
                .accepted = 1998, .refused = 2, .rcpt = {"accepted", "policy"},
                .final_code = 550, .final_class = "policy", .via = "DATA"));
    put(a, SMTP(OUT, .src = "10.0.0.1", .outcome = "rejected", .offered = 2010,
                .accepted = 2005, .refused = 5, .rcpt = {"rate"}, .bytes = 77,
                .final_code = 550, .final_class = "policy", .via = "DATA"));
    answers_summary(a, &s);
    h = host(&s, "10.0.0.1");
    assert_int_equal(s.transactions, 1);
    assert_int_equal(s.rcpt_offered, 2010);
    assert_int_equal(s.rcpt_accepted, 2005);
    assert_int_equal(s.rcpt_refused, 5);
    assert_int_equal(h->rcpt_offered, 2010);
    assert_int_equal(h->bytes, 77);
    assert_string_equal(s.classes[0].name, "accepted");
    assert_int_equal(s.classes[0].replies, 2);
    assert_string_equal(s.classes[3].name, "policy");
    assert_int_equal(s.classes[3].replies, 3); /* two recipients, one final */
    assert_string_equal(s.classes[6].name, "rate");
    assert_int_equal(s.classes[6].replies, 1);
    answers_free(a);
}

/* ---- replies ---- */

/* clang-format off */
static const struct {
    const char *why;
    struct ev event;
    unsigned class[SUMMARY_CLASSES];
    const char *listing; /* name of the only one, or NULL */
} replies[] = {
    {"each class",
     SMTP(OUT, .src = "10.0.0.1",
          .rcpt = {"accepted", "unknown_user", "mailbox_full", "policy"}),
     {1, 1, 1, 1},
     NULL},
    {"the others",
     SMTP(OUT, .src = "10.0.0.1",
          .rcpt = {"greylisting", "rate", "relay_denied", "other"}),
     {[5] = 1, [6] = 1, [7] = 1, [8] = 1},
     NULL},
    {"no reply", SMTP(OUT, .src = "10.0.0.1", .rcpt = {""}), {[9] = 1}, NULL},
    {"a class of tomorrow",
     SMTP(OUT, .src = "10.0.0.1", .rcpt = {"sorcery"}),
     {[9] = 1},
     NULL},
    {"a block list",
     SMTP(OUT, .src = "10.0.0.1", .rcpt = {"blocklist zen.example"}),
     {[4] = 1},
     "zen.example"},
    {"refused at MAIL",
     SMTP(OUT, .src = "10.0.0.1", .reply = {"blocklist zen.example"}),
     {[4] = 1},
     "zen.example"},
    {"other replies without a class",
     SMTP(OUT, .src = "10.0.0.1", .reply = {""}),
     {0},
     NULL},
    {"refused at the end",
     SMTP(OUT, .src = "10.0.0.1", .outcome = "rejected", .final_code = 550,
          .final_class = "blocklist", .final_list = "zen.example",
          .via = "DATA"),
     {[4] = 1},
     "zen.example"},
    {"the final reply to a message only",
     SMTP(OUT, .src = "10.0.0.1", .outcome = "rejected", .final_code = 550,
          .final_class = "policy"),
     {0},
     NULL},
    {"a good end is no refusal",
     SMTP(OUT, .src = "10.0.0.1", .outcome = "accepted", .final_code = 250,
          .via = "DATA"),
     {0},
     NULL},
    {"what home servers say is not counted",
     SMTP(IN, .dst = "10.0.0.2", .rcpt = {"blocklist zen.example"}),
     {0},
     NULL},
};
/* clang-format on */

static void
counts_replies(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
        struct answers *a = fresh();
        struct summary s = {0};
        bool good = true;

        put_event(a, replies[i].event);
        answers_summary(a, &s);
        for (size_t k = 0; k < SUMMARY_CLASSES; k++)
            good &= s.classes[k].replies == replies[i].class[k];
        good &= s.n_listings == (replies[i].listing != NULL);
        if (replies[i].listing != NULL)
            good &= s.n_listings == 1 &&
                    strcmp(s.listings[0].list, replies[i].listing) == 0 &&
                    s.listings[0].replies == 1 && s.listings[0].citers == 1;
        if (!good)
            fail_msg("%s", replies[i].why);
        answers_free(a);
    }
}

static void
sorts_listings_by_citers(void **state)
{
    static const struct {
        const char *src, *dst, *list;
    } cited[] = {
        {"10.0.0.1", "1.1.1.1", "blocklist b"},
        {"10.0.0.1", "1.1.1.1", "blocklist b"},
        {"10.0.0.1", "1.1.1.1", "blocklist b"},
        {"10.0.0.2", "1.1.1.1", "blocklist b"},
        {"10.0.0.2", "2.2.2.2", "blocklist b"},
        {"10.0.0.1", "1.1.1.1", "blocklist a"},
    };
    struct answers *a = fresh();
    struct summary s = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cited); i++)
        put(a, SMTP(.direction = "outbound", .src = cited[i].src,
                    .dst = cited[i].dst, .rcpt = {cited[i].list},
                    .when = (i + 1) * NS_PER_S));
    answers_summary(a, &s);
    assert_int_equal(s.n_listings, 3);
    assert_int_equal(s.listings[0].addr.b[15], 2);
    assert_int_equal(s.listings[0].citers, 2);
    assert_string_equal(s.listings[1].list, "a");
    assert_string_equal(s.listings[2].list, "b");
    assert_int_equal(s.listings[2].replies, 3);
    assert_int_equal(s.listings[2].citers, 1);
    assert_true(s.listings[2].first == NS_PER_S);
    assert_true(s.listings[2].last == 3 * NS_PER_S);
    answers_free(a);
}

/* ---- sessions ---- */

static void
counts_sessions(void **state)
{
    struct answers *a = fresh();
    struct summary s = {0};

    (void)state;
    put(a, SESSION(OUT, .src = "10.0.0.1", .tls = true));
    put(a, SESSION(OUT, .src = "10.0.0.1", .app_proto = "tls", .oneway = true));
    put(a, SESSION(OUT, .src = "10.0.0.1", .app_proto = "smtp", .gaps = 2));
    put(a, SESSION(OUT, .src = "10.0.0.1", .attempts = 7));
    put(a, SESSION(OUT, .src = "10.0.0.1", .attempts = 1));
    put(a, SESSION(.src = "1.1.1.1", .dst = "2.2.2.2"));
    put(a, {.type = EVENT_STATS});
    put(a, {.type = EVENT_CONTROL});
    answers_summary(a, &s);
    assert_int_equal(s.sessions, 4);
    assert_int_equal(s.sessions_tls, 2);
    assert_int_equal(s.sessions_oneway, 1);
    assert_int_equal(s.sessions_gaps, 1);
    assert_int_equal(s.events, 8);
    assert_int_equal(host(&s, "10.0.0.1")->sessions, 3);
    assert_int_equal(host(&s, "10.0.0.1")->sessions_tls, 2);
    assert_int_equal(host(&s, "10.0.0.1")->attempts, 8);
    answers_free(a);
}

static void
counts_anomalies(void **state)
{
    struct answers *a = fresh();
    struct summary s = {0};

    (void)state;
    put(a, ANOMALY(OUT, .src = "10.0.0.1", .anomaly = "smtp_smuggling"));
    put(a, ANOMALY(OUT, .src = "10.0.0.1", .anomaly = "smtp_smuggling"));
    put(a, ANOMALY(OUT, .src = "10.0.0.1", .anomaly = "smtp_smuggling",
                   .flow = 1));
    put(a, ANOMALY(.src = "1.1.1.1", .dst = "2.2.2.2", .anomaly = "bare_lf",
                   .flow = 2));
    put(a, ANOMALY(OUT, .src = "10.0.0.1", .anomaly = "bare_lf"));
    put(a, ANOMALY(OUT, .src = "10.0.0.1", .anomaly = "not in the table"));
    put(a, ANOMALY(OUT, .src = "10.0.0.1"));
    answers_summary(a, &s);
    assert_int_equal(s.n_anomalies, 2);
    assert_string_equal(s.anomalies[0].name, "bare_lf"); /* the table's order */
    assert_string_equal(s.anomalies[0].level, "info");
    assert_int_equal(s.anomalies[0].sessions, 2);
    assert_string_equal(s.anomalies[1].name, "smtp_smuggling");
    assert_int_equal(s.anomalies[1].sessions, 2);
    assert_int_equal(host(&s, "10.0.0.1")->anomalies_high, 2);
    answers_free(a);
}

/* ---- parts of messages ---- */

static void
counts_parts(void **state)
{
    struct answers *a = fresh();
    struct summary s = {0};
    const struct summary_parts *p = &s.parts;

    (void)state;
    put(a, PART(WHOLE, OUT, .src = "10.0.0.1", .file = "a", .classes = "B",
                .inspected = true));
    put(a, PART(WHOLE, OUT, .src = "10.0.0.1", .file = "b", .classes = "AB",
                .inspected = true, .reading = 1));
    put(a, SMTP(SENT, OUT, .src = "10.0.0.1"));
    put(a, PART(OUT, .src = "10.0.0.1", .tx = 1, .file = "c", .classes = "BCD",
                .state = "TRUNCATED"));
    put(a, SMTP(SENT, OUT, .src = "10.0.0.1", .tx = 1));
    put(a, PART(WHOLE, IN, .dst = "10.0.0.2", .flow = 1, .file = "d",
                .mime = "image/png", .classes = "?"));
    put(a, SMTP(SENT, IN, .dst = "10.0.0.2", .flow = 1));
    answers_summary(a, &s);
    assert_int_equal(p->told, 4);
    assert_int_equal(p->bytes, 40);
    assert_int_equal(p->whole, 3);
    assert_int_equal(p->inspected, 2);
    assert_int_equal(p->other_readings, 1);
    assert_int_equal(p->class_parts[SUMMARY_A], 1);
    assert_int_equal(p->class_parts[SUMMARY_B], 3);
    assert_int_equal(p->class_parts[SUMMARY_C], 1);
    assert_int_equal(p->class_parts[SUMMARY_D], 1);
    assert_int_equal(p->class_messages[SUMMARY_A], 1);
    assert_int_equal(p->class_messages[SUMMARY_B], 2);
    assert_int_equal(p->messages, 3);
    assert_int_equal(p->complete, 3);
    assert_int_equal(p->could_inspect, 2); /* not the one with class D */
    assert_int_equal(p->class_could_inspect[SUMMARY_A], 1);
    assert_int_equal(p->class_could_inspect[SUMMARY_B], 1);
    assert_int_equal(s.n_attachments, 3);
    assert_int_equal(s.attachments[0].senders, 1);
    assert_int_equal(s.attachments[0].receivers, 0);
    assert_int_equal(s.n_hosts, 2);
    assert_int_equal(host(&s, "10.0.0.1")->messages_class[SUMMARY_A], 1);
    assert_int_equal(host(&s, "10.0.0.1")->messages_class[SUMMARY_B], 2);
    assert_int_equal(host(&s, "10.0.0.2")->messages_class[SUMMARY_B], 0);
    answers_free(a);
}

/* clang-format off */
static const struct {
    const char *why;
    struct ev part, mail;
    unsigned messages, complete, could;
} seen[] = {
    {"looked into", PART(.inspected = true), SMTP(SENT), 1, 1, 1},
    {"not looked into", PART(.mime = "application/pdf"), SMTP(SENT), 1, 1, 0},
    {"a picture has no inside", PART(.mime = "image/png"), SMTP(SENT), 1, 1, 1},
    {"nor has text", PART(.mime = "text/plain"), SMTP(SENT), 1, 1, 1},
    {"other text has", PART(.mime = "text/html"), SMTP(SENT), 1, 1, 0},
    {"nor has nothing", {.type = EVENT_FILEINFO}, SMTP(SENT), 1, 1, 1},
    {"bytes of the message are missing", PART(.inspected = true),
     SMTP(SENT, .truncated = true), 1, 0, 0},
    {"its end is missing", PART(.inspected = true), SMTP(SENT, .cut = "end"), 1,
     0, 0},
    {"it was not taken apart", SESSION(.tx = 0),
     SMTP(.via = "DATA", .outcome = "accepted"), 1, 1, 0},
    {"no parts that are told", SESSION(.tx = 0), SMTP(SENT), 1, 1, 1},
    {"more parts than are looked into", PART(.inspected = true),
     SMTP(SENT, .beyond = 7), 1, 1, 0},
    {"an envelope without a message", SESSION(.tx = 0),
     SMTP(.outcome = "no-data"), 0, 0, 0},
    {"not the last event of it", PART(.inspected = true),
     SMTP(.via = "DATA", .parts = 2), 1, 0, 0},
    {"another message", PART(.tx = 1), SMTP(SENT), 2, 1, 1},
    {"refused messages count", PART(.inspected = true),
     SMTP(.via = "BDAT", .outcome = "rejected", .parts = 1), 1, 1, 1},
};
/* clang-format on */

static void
knows_what_could_be_inspected(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
        struct answers *a = fresh();
        struct summary s = {0};

        put_event(a, seen[i].part);
        put_event(a, seen[i].mail);
        answers_summary(a, &s);
        if (s.parts.messages != seen[i].messages ||
            s.parts.complete != seen[i].complete ||
            s.parts.could_inspect != seen[i].could ||
            s.parts.beyond != seen[i].mail.beyond)
            fail_msg("%s", seen[i].why);
        answers_free(a);
    }
}

/* ---- order ---- */

/* Unregistered first, then most recipients, most sessions, least address. */
static void
sorts_hosts(void **state)
{
    static const char *const want[] = {"10.0.0.5", "10.0.0.4", "10.0.0.2",
                                       "10.0.0.3", "10.0.0.1"};
    struct answers *a = fresh();
    struct summary s = {0};

    (void)state;
    put(a, SMTP(OUT, .src = "10.0.0.1", .src_state = "registered",
                .outcome = "accepted", .offered = 100));
    put(a, SESSION(OUT, .src = "10.0.0.3"));
    put(a, SESSION(OUT, .src = "10.0.0.2"));
    put(a, SESSION(OUT, .src = "10.0.0.4"));
    put(a, SESSION(OUT, .src = "10.0.0.4"));
    put(a, SMTP(OUT, .src = "10.0.0.5", .outcome = "accepted", .offered = 1));
    answers_summary(a, &s);
    assert_int_equal(s.n_hosts, ARRAY_LEN(want));
    for (size_t i = 0; i < s.n_hosts; i++)
        assert_ptr_equal(host(&s, want[i]), &s.hosts[i]);
    answers_free(a);
}

/* Of each role of a host; of several ports that with the most. */
static void
says_what_hosts_look_like(void **state)
{
    struct answers *a = fresh();
    struct summary s = {0};

    (void)state;
    put(a, SMTP(IN, .dst = "10.0.0.1", .outcome = "accepted", .via = "DATA"));
    put(a, SESSION(OUT, .src = "10.0.0.2"));
    put(a,
        SESSION(.direction = "internal", .src = "10.0.0.3", .dst = "10.0.0.4"));
    answers_summary(a, &s);
    assert_null(host(&s, "10.0.0.2")->look);
    assert_string_equal(host(&s, "10.0.0.2")->look_why,
                        "the signs are too few, or differ");
    assert_null(host(&s, "10.0.0.3")->look_why);
    assert_null(host(&s, "10.0.0.1")->look);
    answers_free(a);
}

/* ---- limits ---- */

static const char *
numbered(char room[32], unsigned i)
{
    (void)snprintf(room, 32, "10.%u.%u.%u", i >> 16, (i >> 8) & 255, i & 255);
    return room;
}

/* A host that is in the table stays countable when the table is full. */
static void
counts_hosts_beyond_the_table(void **state)
{
    struct answers *a = fresh();
    struct summary s = {0};
    char name[32];

    (void)state;
    for (unsigned i = 0; i < ANSWERS_HOSTS; i++)
        put(a, ANOMALY(OUT, .src = numbered(name, i), .anomaly = "bare_lf"));
    answers_summary(a, &s);
    assert_int_equal(s.n_hosts, ANSWERS_HOSTS);
    assert_int_equal(s.hosts_left_out, 0);
    answers_free(a);

    a = fresh();
    for (unsigned i = 0; i < ANSWERS_HOSTS + 5; i++)
        put(a, SESSION(OUT, .src = numbered(name, i)));
    put(a, SESSION(OUT, .src = "10.0.0.1"));
    put(a,
        SESSION(.direction = "internal", .src = "10.0.0.1", .dst = "10.0.0.2"));
    answers_summary(a, &s);
    assert_int_equal(s.n_hosts, ANSWERS_HOSTS);
    assert_int_equal(s.hosts_left_out, 6); /* 10.0.0.2 as a receiver too */
    assert_int_equal(s.sessions, ANSWERS_HOSTS + 7);
    assert_int_equal(host(&s, "10.0.0.1")->sessions, 3);
    assert_int_equal(host(&s, "10.0.0.2")->sessions, 1);
    answers_free(a);
}

/* Sessions beyond the limit are told as events; known ones are not. */
static void
bounds_anomalies(void **state)
{
    struct record_head head = {
        .when = NS_PER_S, .flow_id = 1, .type = EVENT_ANOMALY};
    struct answers *a = fresh();
    struct summary s = {0};
    struct record_out r;

    (void)state;
    record_init(&r);
    for (uint32_t i = 0; i < ANSWERS_PAIRS + 2; i++) {
        head.flow_id = i;
        record_begin(&r, &head);
        record_text(&r, FIELD_ANOMALY_EVENT, "bare_lf");
        show(a, record_view(&r));
    }
    head.flow_id = 1;
    record_begin(&r, &head);
    record_text(&r, FIELD_ANOMALY_EVENT, "bare_lf");
    show(a, record_view(&r));
    answers_summary(a, &s);
    assert_int_equal(s.anomalies[0].sessions, ANSWERS_PAIRS);
    assert_int_equal(s.anomalies_left_out, 2);
    record_free(&r);
    answers_free(a);
}

static void
bounds_listings(void **state)
{
    struct answers *a = fresh();
    struct summary s = {0};
    char list[64];

    (void)state;
    for (unsigned i = 0; i < ANSWERS_LISTINGS + 3; i++) {
        (void)snprintf(list, sizeof(list), "blocklist bl%u.example", i);
        put(a, SMTP(OUT, .src = "10.0.0.1", .rcpt = {list}));
    }
    answers_summary(a, &s);
    assert_int_equal(s.n_listings, ANSWERS_LISTINGS);
    assert_int_equal(s.listings_left_out, 3);
    assert_int_equal(s.classes[4].replies, ANSWERS_LISTINGS + 3);
    answers_free(a);
}

/* One session, told again and again with another server each time. */
static void
bounds_pairs(void **state)
{
    struct record_head head = {
        .when = NS_PER_S, .flow_id = 1, .type = EVENT_SMTP_SESSION};
    struct answers *a = fresh();
    struct summary s = {0};
    struct record_out r;
    uint8_t server[16];
    struct span record;
    size_t at;

    (void)state;
    record_init(&r);
    record_begin(&r, &head);
    address(&r, FIELD_SRC_IP, "10.0.0.1");
    address(&r, FIELD_DEST_IP, "203.0.113.5");
    record_text(&r, FIELD_DIRECTION, "outbound");
    record = record_view(&r);
    at = (size_t)(record_find(record, FIELD_DEST_IP).p - record.p);
    memcpy(server, record.p + at, 16);
    for (uint32_t i = 0; i < ANSWERS_PAIRS + 2; i++) {
        memcpy(server + 12, &i, sizeof(i));
        memcpy(r.buf.p + at, server, 16);
        show(a, record_view(&r));
    }
    answers_summary(a, &s);
    assert_int_equal(s.hosts[0].sessions, ANSWERS_PAIRS + 2);
    assert_true(s.hosts[0].peers == ANSWERS_PAIRS);
    assert_true(s.hosts[0].peers_more);
    record_free(&r);
    answers_free(a);
}

static void
starts_empty(void **state)
{
    struct answers *a = fresh();
    struct summary s = {0};

    (void)state;
    answers_summary(a, &s);
    assert_int_equal(s.n_hosts, 0);
    assert_int_equal(s.n_listings, 0);
    assert_int_equal(s.n_anomalies, 0);
    assert_string_equal(s.classes[SUMMARY_CLASSES - 1].name, "unanswered");
    answers_free(a);
    answers_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_senders_and_receivers),
        cmocka_unit_test(keeps_what_the_registry_says),
        cmocka_unit_test(judges_what_needs_a_permit),
        cmocka_unit_test(counts_peers_by_role),
        cmocka_unit_test(keeps_first_last_and_helo),
        cmocka_unit_test(counts_outcomes),
        cmocka_unit_test(counts_a_long_transaction_once),
        cmocka_unit_test(counts_replies),
        cmocka_unit_test(sorts_listings_by_citers),
        cmocka_unit_test(counts_sessions),
        cmocka_unit_test(counts_anomalies),
        cmocka_unit_test(counts_parts),
        cmocka_unit_test(knows_what_could_be_inspected),
        cmocka_unit_test(sorts_hosts),
        cmocka_unit_test(says_what_hosts_look_like),
        cmocka_unit_test(counts_hosts_beyond_the_table),
        cmocka_unit_test(bounds_listings),
        cmocka_unit_test(bounds_anomalies),
        cmocka_unit_test(bounds_pairs),
        cmocka_unit_test(starts_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
