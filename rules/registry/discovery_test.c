#include "rules/registry/discovery.h"

#include "rules/registry/event_test_kit.h"

static void
feed(struct discovery *d, struct kit *k, const char *events)
{
    while (*events != '\0') {
        size_t n = strcspn(events, "\n");

        discovery_event(d, kit_event(k, events, n));
        events += n + (events[n] == '\n');
    }
}

static const struct discovery_row *
row_of(struct discovery *d, const char *addr, enum form_use use)
{
    const struct discovery_row *rows;
    size_t n = discovery_rows(d, &rows);
    struct addr a;

    assert_true(addr_parse(span_str(addr), &a));
    for (size_t i = 0; i < n; i++) {
        if (addr_cmp(&rows[i].addr, &a) == 0 && rows[i].use == use)
            return &rows[i];
    }
    return NULL;
}

/* ---- looks ---- */

#define H       "10.0.0.1"
#define OUT(s)  "out " H " 198.51.100." s " "
#define IN      "in 203.0.113.9 " H " "
#define FIVE(x) x x x x x
#define PEERS5(words)                                                          \
    OUT("1") words OUT("2") words OUT("3") words OUT("4") words OUT("5") words
/* Ten mails to ten servers, to two people each, one of them unknown. */
/* clang-format off */
#define SPRAY \
    "out 10.0.0.1 198.51.100.1 tx from=a@x.example a@q.example? " \
    "b@q.example+\n" \
    "out 10.0.0.1 198.51.100.2 tx from=b@x.example c@q.example? " \
    "d@q.example+\n" \
    "out 10.0.0.1 198.51.100.3 tx from=c@x.example e@q.example? " \
    "f@q.example+\n" \
    "out 10.0.0.1 198.51.100.4 tx from=d@x.example g@q.example? " \
    "h@q.example+\n" \
    "out 10.0.0.1 198.51.100.5 tx from=e@x.example i@q.example? " \
    "j@q.example+\n" \
    "out 10.0.0.1 198.51.100.6 tx from=f@x.example k@q.example? " \
    "l@q.example+\n" \
    "out 10.0.0.1 198.51.100.7 tx from=g@x.example m@q.example? " \
    "n@q.example+\n" \
    "out 10.0.0.1 198.51.100.8 tx from=h@x.example o@q.example? " \
    "p@q.example+\n" \
    "out 10.0.0.1 198.51.100.9 tx from=i@x.example q@q.example? " \
    "r@q.example+\n" \
    "out 10.0.0.1 198.51.100.10 tx from=j@x.example s@q.example? " \
    "t@q.example+\n"
/* clang-format on */

/* clang-format off */
static const struct {
    const char *why, *events;
    enum form_use use;
    enum discovery_look want;
    const char *says; /* a part of the reason */
} looks[] = {
    {"one session", OUT("1") "session", FORM_SEND, DISCOVERY_UNCLEAR, "too few"},
    {"all under TLS", FIVE(OUT("1") "session starttls\n"), FORM_SEND, DISCOVERY_UNCLEAR, "too few"},
    {"greets and takes", IN "session banner=mx.a.example\n" IN "tx a@a.example+", FORM_RECEIVE, DISCOVERY_SERVER, "greeted with 220 in 1 of 1 sessions"},
    {"refuses everybody", IN "session 554", FORM_RECEIVE, DISCOVERY_UNCLEAR, "too few"},
    {"a mail server",
     IN "session banner=mx.a.example\n" PEERS5("session helo=mx.a.example class=fqdn quit\n") PEERS5("tx received from=a@a.example x@q.example+\n"),
     FORM_SEND, DISCOVERY_SERVER, "1 of its ports take mail too, 5 of 5 messages were received from elsewhere, 5 of 5 sessions with a full name in EHLO, 5 other ends"},
    {"it tries again",
     OUT("1") "tx at=1 none from=a@a.example x@q.example~\n" OUT("1") "tx at=900 received from=a@a.example x@q.example+\n" OUT("1") "session at=30000 class=fqdn helo=mx.a.example",
     FORM_SEND, DISCOVERY_SERVER, "1 of 1 deferred recipients tried again"},
    {"a list server",
     IN "session banner=lists.a.example\n" PEERS5("tx list received from=l@a.example x@q.example+\n") PEERS5("session class=fqdn helo=lists.a.example quit\n"),
     FORM_SEND, DISCOVERY_LIST, "5 of 5 messages marked as list or bulk mail"},
    {"a mail program",
     FIVE(OUT("1") "tx mailer from=ann@a.example x@q.example+ y@q.example+ z@q.example+\n") FIVE(OUT("1") "session helo=pc7 class=bare_word\n"),
     FORM_SEND, DISCOVERY_CLIENT, "5 of 5 messages name the program that wrote them"},
    {"an application",
     FIVE(OUT("1") "tx from=app@a.example x@q.example+ y@q.example+\n") OUT("1") "tx from=app@a.example a@q.example+ b@q.example+ c@q.example+\n" FIVE(OUT("1") "session helo=app.a.example class=fqdn quit\n"),
     FORM_SEND, DISCOVERY_APPLICATION, "5 different recipients, 1 different senders"},
    {"a printer",
     OUT("1") "session helo=10.0.0.1 class=address\n" OUT("1") "tx from=scan@a.example office@q.example+\n" OUT("1") "tx from=scan@a.example office@q.example+\n",
     FORM_SEND, DISCOVERY_DEVICE, "1 different recipients, 0 of 1 sessions with a full name in EHLO"},
    {"a bot", SPRAY FIVE(OUT("1") "session helo=pc class=bare_word noquit\n"), FORM_SEND, DISCOVERY_BOT,
     "10 of 20 recipients unknown, 10 of 20 recipients refused, 5 of 5 sessions left without QUIT, 10 other ends"},
    {"a server with many refusals is none",
     SPRAY IN "session banner=mx.a.example\n" FIVE(OUT("1") "session helo=mx.a.example class=fqdn quit\n") OUT("1") "tx received from=a@x.example a@q.example+", FORM_SEND, DISCOVERY_UNCLEAR, "too few"},
};
/* clang-format on */

static void
judges_looks(void **state)
{
    unsigned bad = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(looks); i++) {
        const struct discovery_row *row;
        struct discovery *d;
        struct kit k;

        kit_open(&k);
        assert_int_equal(discovery_new(&d), ERR_OK);
        feed(d, &k, looks[i].events);
        row = row_of(d, H, looks[i].use);
        assert_non_null(row);
        if (row->look != looks[i].want ||
            strstr(row->why, looks[i].says) == NULL) {
            print_error("%s: %s: %s\n", looks[i].why, discovery_word(row->look),
                        row->why);
            bad++;
        }
        discovery_free(d);
        kit_close(&k);
    }
    assert_int_equal(bad, 0);
}

/* A deferred mail is not held against a host before four hours have passed: the
 * five are from seconds 1 to 5. */
static void
waits_for_retries(void **state)
{
    static const struct {
        const char *last;
        enum discovery_look want;
    } rows[] = {
        {"out 10.9.9.9 198.51.100.1 session at=14404", DISCOVERY_UNCLEAR},
        {"out 10.9.9.9 198.51.100.1 session at=14405", DISCOVERY_BOT    },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct discovery *d;
        struct kit k;

        kit_open(&k);
        assert_int_equal(discovery_new(&d), ERR_OK);
        feed(d, &k,
             "out 10.0.0.1 198.51.100.1 tx none from=a@x.example a@q.example~\n"
             "out 10.0.0.1 198.51.100.1 tx none from=b@x.example b@q.example~\n"
             "out 10.0.0.1 198.51.100.1 tx none from=c@x.example c@q.example~\n"
             "out 10.0.0.1 198.51.100.1 tx none from=d@x.example d@q.example~\n"
             "out 10.0.0.1 198.51.100.1 tx none from=e@x.example e@q.example~\n"
             "out 10.0.0.1 198.51.100.1 session helo=a class=bare_word noquit\n"
             "out 10.0.0.1 198.51.100.1 session helo=b class=bare_word noquit\n"
             "out 10.0.0.1 198.51.100.1 session helo=c class=bare_word noquit\n"
             "out 10.0.0.1 198.51.100.1 session helo=c class=bare_word noquit\n"
             "out 10.0.0.1 198.51.100.1 session helo=c class=bare_word "
             "noquit\n");
        feed(d, &k, rows[i].last);
        if (row_of(d, H, FORM_SEND)->look != rows[i].want)
            fail_msg("%zu: %s", i, row_of(d, H, FORM_SEND)->why);
        discovery_free(d);
        kit_close(&k);
    }
}

/* ---- figures ---- */

static void
counts(void **state)
{
    const struct discovery_row *r;
    struct discovery *d;
    struct kit k;

    (void)state;
    kit_open(&k);
    assert_int_equal(discovery_new(&d), ERR_OK);
    feed(d, &k,
         "out 10.0.0.1 198.51.100.1 session at=10 helo=a.example\n"
         "out 10.0.0.1 198.51.100.2 session starttls helo=b.example\n"
         "out 10.0.0.1 198.51.100.2 session tls registered site=school\n"
         "out 10.0.0.1 198.51.100.2 attempts\n"
         "out 10.0.0.1 198.51.100.3 tx from=a@b.example x@q.example+ "
         "y@q.example? z@q.example~\n"
         "out 10.0.0.1 198.51.100.3 tx day=2 rejected x@q.example+\n"
         "out 10.0.0.1 198.51.100.3 tx x@q.example+\n"
         "internal 10.0.0.1 10.0.0.2 session\n"
         "in 203.0.113.9 10.0.0.1 attempts");
    r = row_of(d, H, FORM_SEND);
    assert_non_null(r);
    assert_int_equal(r->sessions, 3);
    assert_int_equal(r->tls_sessions, 2);
    assert_int_equal(r->attempts, 3);
    assert_int_equal(r->unregistered, 5); /* two sessions, three attempts */
    assert_int_equal(r->messages, 3);
    assert_int_equal(r->accepted, 2);
    assert_int_equal(r->recipients, 5);
    assert_int_equal(r->refused, 2);
    assert_int_equal(r->unknown_users, 1);
    assert_int_equal(r->peers, 3);
    assert_int_equal(r->days, 2);
    assert_int_equal(r->volume, 2);
    assert_int_equal(r->n_names, 2);
    assert_string_equal(r->names[0], "a.example");
    assert_string_equal(r->names[1], "b.example");
    assert_string_equal(r->site, "school");
    assert_int_equal(r->first, (KIT_EPOCH + 10) * NS_PER_S);
    assert_null(row_of(d, H, FORM_RECEIVE));
    assert_null(row_of(d, "10.0.0.2", FORM_RECEIVE));
    discovery_free(d);
    discovery_free(NULL);
    kit_close(&k);
}

static void
submission_outward_needs_no_line(void **state)
{
    static const struct {
        const char *events;
        enum form_use use;
        uint64_t want;
    } rows[] = {
        {OUT("1") "session port=587",     FORM_SEND,    0},
        {OUT("1") "session port=465 tls", FORM_SEND,    0},
        {OUT("1") "session port=466",     FORM_SEND,    1},
        {OUT("1") "session port=25",      FORM_SEND,    1},
        {IN "session port=587",           FORM_RECEIVE, 1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct discovery *d;
        struct kit k;

        kit_open(&k);
        assert_int_equal(discovery_new(&d), ERR_OK);
        feed(d, &k, rows[i].events);
        assert_int_equal(row_of(d, H, rows[i].use)->unregistered, rows[i].want);
        discovery_free(d);
        kit_close(&k);
    }
}

/* ---- order ---- */

static void
order_is_that_of_figures(void **state)
{
    static const char *const lines[] = {
        "out 10.0.0.1 198.51.100.1 tx x@q.example+\n",
        "out 10.0.0.2 198.51.100.1 tx x@q.example+\n",
        "out 10.0.0.2 198.51.100.1 tx x@q.example+\n",
        "out 10.0.0.3 198.51.100.1 session\n",
        "out 10.0.0.4 198.51.100.1 session port=26\n",
        "out 10.0.0.4 198.51.100.1 session port=25\n",
        "in 198.51.100.1 10.0.0.4 session\n",
        "out 10.0.0.5 198.51.100.1 session\n",
        "out 10.0.0.5 198.51.100.1 session\n",
    };
    static const char want[] =
        "2:25:1 1:25:1 5:25:1 3:25:1 4:25:1 4:25:2 4:26:1 ";

    (void)state;
    for (size_t turn = 0; turn < ARRAY_LEN(lines); turn++) {
        const struct discovery_row *rows;
        struct discovery *d;
        struct buf got;
        struct kit k;

        kit_open(&k);
        buf_init(&got, 1024);
        assert_int_equal(discovery_new(&d), ERR_OK);
        for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
            feed(d, &k, lines[(i * 2 + turn) % ARRAY_LEN(lines)]);
            (void)discovery_rows(d, &rows); /* asking changes nothing */
        }
        for (size_t i = 0, n = discovery_rows(d, &rows); i < n; i++)
            buf_printf(&got, "%u:%u:%d ", rows[i].addr.b[15], rows[i].port,
                       (int)rows[i].use);
        buf_putc(&got, '\0');
        assert_string_equal((const char *)got.p, want);
        discovery_free(d);
        buf_free(&got);
        kit_close(&k);
    }
}

/* ---- limits ---- */

static void
bounds_rows(void **state)
{
    struct record_head head = {.when = NS_PER_S, .type = EVENT_SMTP_SESSION};
    const struct discovery_row *rows;
    struct record_out out;
    struct record_map map;
    struct discovery *d;

    (void)state;
    assert_int_equal(discovery_new(&d), ERR_OK);
    record_init(&out);
    for (uint32_t i = 0; i < DISCOVERY_HOSTS + 2; i++) {
        uint8_t b[4] = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        struct addr a = addr_v4(b);

        record_begin(&out, &head);
        record_addr(&out, FIELD_SRC_IP, &a);
        record_text(&out, FIELD_DIRECTION, "outbound");
        record_map_init(&map, record_view(&out));
        discovery_event(d, &map);
        assert_int_equal(discovery_left_out(d),
                         i < DISCOVERY_HOSTS ? 0 : i - DISCOVERY_HOSTS + 1);
    }
    assert_int_equal(discovery_rows(d, &rows), DISCOVERY_HOSTS);
    record_free(&out);
    discovery_free(d);
}

static void
bounds_names(void **state)
{
    const struct discovery_row *r;
    struct discovery *d;
    char line[256];
    struct kit k;

    (void)state;
    kit_open(&k);
    assert_int_equal(discovery_new(&d), ERR_OK);
    for (unsigned i = 0; i < DISCOVERY_FEW + 3; i++) {
        (void)snprintf(line, sizeof(line),
                       OUT("1") "session helo=n%u.%064u.example", i, 0);
        feed(d, &k, line);
        r = row_of(d, H, FORM_SEND);
        assert_int_equal(r->n_names,
                         i + 1 < DISCOVERY_FEW ? i + 1 : DISCOVERY_FEW);
        assert_int_equal(strlen(r->names[0]), 63);
    }
    discovery_free(d);
    kit_close(&k);
}

/* ---- forms ---- */

static void
fills_in_forms(void **state)
{
    const struct discovery_row *rows;
    const struct discovery_row *all[8];
    struct discovery *d;
    struct form f;
    struct kit k;
    size_t n;

    (void)state;
    kit_open(&k);
    assert_int_equal(discovery_new(&d), ERR_OK);
    feed(d, &k,
         "in 203.0.113.9 10.0.0.2 session site=school banner=mx.a.example\n"
         "in 203.0.113.9 10.0.0.2 tx site=school a@a.example+\n"
         "out 10.0.0.2 203.0.113.9 session site=school helo=out.a.example\n"
         "out 10.0.0.2 203.0.113.9 tx site=school a@b.example+\n"
         "out 10.0.0.2 203.0.113.9 tx site=school a@b.example+\n"
         "out 10.0.0.1 203.0.113.9 session site=school helo==cmd|x.y\n"
         "out 10.0.0.1 203.0.113.9 session site=school helo=10.0.0.1\n"
         "out 10.0.0.1 203.0.113.9 session site=school port=2525");
    n = discovery_rows(d, &rows);
    assert_int_equal(n, 4);
    for (size_t i = 0; i < n; i++)
        all[i] = &rows[n - 1 - i];
    assert_int_equal(discovery_form(all, n, &f), ERR_OK);
    assert_string_equal(f.text[FORM_SITE], "school");
    assert_string_equal(f.text[FORM_TOTAL_ADDRESSES], "2");
    assert_string_equal(f.text[FORM_TOTAL_PORTS], "2");
    assert_non_null(strstr(f.text[FORM_NOTES],
                           "10.0.0.2 port 25 sends: 1 sessions, 2 messages"));
    assert_int_equal(f.n_lines, 3);
    assert_string_equal(f.lines[0].text[FORM_ADDRESS], "10.0.0.1");
    assert_string_equal(f.lines[0].text[FORM_PORT], "25");
    assert_string_equal(f.lines[0].text[FORM_USE], "send");
    assert_null(f.lines[0].text[FORM_DOMAIN]);
    assert_null(f.lines[0].text[FORM_VOLUME]);
    assert_string_equal(f.lines[1].text[FORM_PORT], "2525");
    assert_string_equal(f.lines[2].text[FORM_ADDRESS], "10.0.0.2");
    assert_string_equal(f.lines[2].text[FORM_USE], "both");
    assert_string_equal(f.lines[2].text[FORM_DOMAIN], "mx.a.example");
    assert_string_equal(f.lines[2].text[FORM_VOLUME], "3");
    assert_string_equal(f.lines[2].text[FORM_DEVICE], "mail server");
    form_fini(&f);
    assert_int_equal(discovery_form(all, 0, &f), ERR_OK);
    assert_int_equal(f.n_lines, 0);
    form_fini(&f);
    discovery_free(d);
    kit_close(&k);
}

/* Notes of many hosts are cut, and a form of them is sound. */
static void
fills_in_large_forms(void **state)
{
    struct discovery_row rows[300];
    const struct discovery_row *all[300];
    struct form f;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t b[4] = {10, 0, (uint8_t)(i >> 8), (uint8_t)i};

        rows[i] = (struct discovery_row){
            .addr = addr_v4(b), .port = 25, .use = FORM_SEND};
        all[i] = &rows[i];
    }
    assert_int_equal(discovery_form(all, ARRAY_LEN(rows), &f), ERR_OK);
    assert_int_equal(f.n_lines, 300);
    assert_true(strlen(f.text[FORM_NOTES]) <= FORM_TEXT_MAX);
    assert_true(strlen(f.text[FORM_NOTES]) > FORM_TEXT_MAX - 200);
    form_fini(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_looks),
        cmocka_unit_test(waits_for_retries),
        cmocka_unit_test(counts),
        cmocka_unit_test(submission_outward_needs_no_line),
        cmocka_unit_test(order_is_that_of_figures),
        cmocka_unit_test(bounds_rows),
        cmocka_unit_test(bounds_names),
        cmocka_unit_test(fills_in_forms),
        cmocka_unit_test(fills_in_large_forms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
