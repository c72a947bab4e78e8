#include "dissectors/tls_estimate.h"

/* clang-format off: version 14 does not live through such tables */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sensor/base/attr.h"

#define TLS13   0x0304, 0x1302
#define TLS13_S 0x0304, 0x1301 /* SHA-256: Finished is 36 long */
#define GCM     0x0303, 0xc02f
#define CHACHA  0x0303, 0xcca8
#define CBC     0x0303, 0xc013
#define CBC256  0x0303, 0xc027

struct row {
    const char *why;
    uint16_t version, cipher;
    bool auth;
    /* C or S, then the record's length; h before it: not application data */
    const char *records;
    const char *want; /* "least most", then rcpt N, empty */
};

struct measured {
    struct row row;
    int sent;
};

static void
feed(struct tls_estimate *e, const struct row *r)
{
    const char *at = r->records;

    while (*at != '\0') {
        enum dir d = *at == 'C' ? DIR_C2S : DIR_S2C;
        uint8_t type = 23;
        char *end;

        if (*++at == 'h') {
            type = 22;
            at++;
        } else if (*at == 'a') {
            type = 21;
            at++;
        }
        tls_estimate_record(e, d, type, (uint16_t)strtoul(at, &end, 10),
                            r->version, r->cipher);
        at = end + (*end == ' ');
    }
}

static void
describe(const struct tls_estimate *e, char *out, size_t max)
{
    struct tls_estimate_result r;
    size_t n;

    if (!tls_estimate_result(e, &r)) {
        (void)snprintf(out, max, "none");
        return;
    }
    n = (size_t)snprintf(out, max, "%u %u", r.messages_min, r.messages_max);
    if (r.has_rcpt)
        n += (size_t)snprintf(out + n, max - n, " rcpt %u", r.rcpt_max);
    if (r.no_payload)
        (void)snprintf(out + n, max - n, " empty");
}

static struct tls_estimate
check_row(const struct row *r)
{
    struct tls_estimate e;
    char got[128];

    tls_estimate_init(&e, r->auth);
    feed(&e, r);
    describe(&e, got, sizeof(got));
    if (strcmp(got, r->want) != 0)
        fail_msg("%s: %s", r->why, got);
    return e;
}

static void
check(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        (void)check_row(&rows[i]);
}

/* Record lengths of real conversations, by tests/lab/estimate --sizes. */
static void
test_measured(void **state)
{
    static const struct measured rows[] = {
#include "dissectors/tls_estimate_test.def"
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct tls_estimate e = check_row(&rows[i].row);
        struct tls_estimate_result r;

        assert_true(tls_estimate_result(&e, &r));
        if (rows[i].sent >= 0 && (r.messages_min > (uint32_t)rows[i].sent ||
                                  r.messages_max < (uint32_t)rows[i].sent))
            fail_msg("%s: %d were sent", rows[i].row.why, rows[i].sent);
    }
}

/* TLS 1.3 with SHA-256: Finished, EHLO and its answer. */
#define BEGIN   "C53 C35 S250 S250 S180 "
#define MAIL    "C50 S31 "
#define RCPT    "C45 S31 "
#define DATA    "C23 S54 "
#define BODY    "C1500 S60 "
#define QUIT    "C23 S32 C19 S19"
#define ROW(why, records, want) {why, TLS13_S, false, BEGIN records, want}

static void
test_limits(void **state)
{
    static const struct row rows[] = {
        ROW("one mail", MAIL RCPT DATA BODY QUIT, "1 1 rcpt 1"),
        ROW("no more than EHLO", "", "0 0"),
        ROW("EHLO and QUIT", QUIT, "0 0"),
        ROW("commands", MAIL RCPT QUIT, "0 0 empty"),
        /* 150 and 151 bytes */
        ROW("short", MAIL RCPT DATA "C167 S60 " QUIT, "0 0 empty"),
        ROW("long enough", MAIL RCPT DATA "C168 S60 " QUIT, "0 1 rcpt 1"),
        /* 700, 701 */
        ROW("not sure", MAIL RCPT DATA "C717 S60 " QUIT, "0 1 rcpt 1"),
        ROW("sure", MAIL RCPT DATA "C718 S60 " QUIT, "1 1 rcpt 1"),
        /* an answer of a quarter, 374 and 375 of 1500 */
        ROW("short answer", MAIL RCPT DATA "C1517 S391 " QUIT, "1 1 rcpt 1"),
        ROW("long answer", MAIL RCPT DATA "C1517 S392 " QUIT, "0 1 rcpt 1"),
        /* 599 and 600 */
        ROW("answer", MAIL RCPT DATA "C9017 S616 " QUIT, "1 1 rcpt 1"),
        ROW("answer of 600", MAIL RCPT DATA "C9017 S617 " QUIT, "0 1 rcpt 1"),
        /* 300 bytes answered with 499 and 500 */
        ROW("more answer", MAIL RCPT DATA "C317 S516 " QUIT, "0 1 rcpt 1"),
        ROW("too much answer", MAIL RCPT DATA "C317 S517 " QUIT, "0 0 empty"),
        ROW("nobody answered", MAIL RCPT DATA "C1500", "0 1 rcpt 1"),
        ROW("an envelope and its message", "C1200 S500 " BODY QUIT, "1 2"),
        ROW("chunks", MAIL RCPT BODY BODY BODY "C50 S60 " QUIT, "1 3"),
        ROW("behind 6 bytes once, once not",
            MAIL RCPT DATA BODY MAIL RCPT BODY QUIT, "2 2"),
        ROW("an answer between parts of a burst is another exchange",
            MAIL RCPT DATA "C1500 C1500 S60 C1500 S60 " QUIT, "1 2 rcpt 1"),
        ROW("a refused mail behind another", MAIL RCPT DATA BODY MAIL
            "C45 S100 " QUIT, "1 1 rcpt 3"),
        ROW("close_notify alone", "C19 S19", "0 0"),
        ROW("key update is a short command", "C22 S22 " QUIT, "0 0 empty"),
        {"Finished never came", TLS13, false, BEGIN MAIL RCPT DATA BODY,
         "none"},
        {"the client's certificate before it", TLS13_S, false,
         "C25 C900 " BEGIN MAIL RCPT DATA BODY, "1 1 rcpt 1"},
        {"a greeting before EHLO", TLS13_S, true,
         "C53 S250 S250 S90 C35 S180 " MAIL RCPT DATA BODY, "1 1 rcpt 1"},
        {"a token may be a message", TLS13_S, true, BEGIN "C2000 S50 " QUIT,
         "0 1"},
        {"and in the third exchange", TLS13_S, true,
         BEGIN "C30 S30 C2000 S50 " QUIT, "0 1"},
        {"not in the fourth", TLS13_S, true, BEGIN MAIL RCPT BODY QUIT, "1 1"},
        {"where there is no AUTH it is one", TLS13_S, false,
         BEGIN "C2000 S50 " QUIT, "1 1"},
        {"handshake in TLS 1.2 has its own type", GCM, false,
         "Ch5000 Sh5000 C42 S180 C1500 Sh300 S60 Ca26", "1 1"},
        {"an unknown cipher", 0x0303, 0x1234, false, "C42 S180 C1500 S60",
         "none"},
        {"no version", 0, 0, false, "C42 S180 C1500 S60", "none"},
    };

    (void)state;
    check(rows, ARRAY_LEN(rows));
}

/* Written bytes are those of the record less what the cipher adds: 700 and 701
 * of them. Of CBC at least and at most. */
static void
test_overheads(void **state)
{
    static const struct {
        const char *why;
        uint16_t version, cipher;
        unsigned least, most;
    } rows[] = {
        {"TLS 1.3", 0x0304, 0x1301, 17, 17},
        {"AES-128-GCM", 0x0303, 0xc02f, 24, 24},
        {"AES-256-GCM", 0x0303, 0xc030, 24, 24},
        {"DHE-RSA-AES128-GCM", 0x0303, 0x009e, 24, 24},
        {"CCM", 0x0303, 0xc09c, 24, 24},
        {"CCM_8", 0x0303, 0xc0a0, 16, 16},
        {"CHACHA20", 0x0303, 0xcca8, 16, 16},
        {"AES128-SHA", 0x0303, 0x002f, 21, 52},
        {"ECDHE-RSA-AES128-SHA", 0x0303, 0xc013, 21, 52},
        {"ECDHE-RSA-AES128-SHA256", 0x0303, 0xc027, 49, 64},
        {"ECDHE-RSA-AES256-SHA384", 0x0303, 0xc028, 65, 80},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (unsigned more = 0; more < 2; more++) {
            struct tls_estimate e;
            struct tls_estimate_result r;

            tls_estimate_init(&e, false);
            tls_estimate_record(&e, DIR_C2S, 23, 53, rows[i].version,
                                rows[i].cipher);
            tls_estimate_record(&e, DIR_C2S, 23, 100, rows[i].version,
                                rows[i].cipher);
            tls_estimate_record(&e, DIR_S2C, 23, 100, rows[i].version,
                                rows[i].cipher);
            tls_estimate_record(&e, DIR_C2S, 23,
                                (uint16_t)(700 + rows[i].most + more),
                                rows[i].version, rows[i].cipher);
            tls_estimate_record(&e, DIR_S2C, 23, 100, rows[i].version,
                                rows[i].cipher);
            assert_true(tls_estimate_result(&e, &r));
            if (r.messages_min != more || r.messages_max != 1 ||
                e.least != rows[i].least)
                fail_msg("%s, %u more: %u", rows[i].why, more, r.messages_min);
        }
    }
}

/* Behind a loss nothing is said, but where an alert came before. */
static void
test_lost(void **state)
{
    static const struct row rows[] = {
        ROW("open", MAIL RCPT DATA BODY, "1 1 rcpt 1"),
        ROW("closed", MAIL RCPT DATA BODY "C19", "1 1 rcpt 1"),
        {"closed in TLS 1.2", GCM, false, "C42 S180 C1500 S60 Ca26", "1 1"},
    };
    static const bool none[] = {true, false, false};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct tls_estimate e;
        struct tls_estimate_result r;

        tls_estimate_init(&e, false);
        feed(&e, &rows[i]);
        tls_estimate_lose(&e);
        assert_int_equal(tls_estimate_result(&e, &r), !none[i]);
    }
}

/* Counters stop at their ends. */
static void
test_many(void **state)
{
    struct tls_estimate e;
    struct tls_estimate_result r;

    (void)state;
    tls_estimate_init(&e, false);
    for (unsigned i = 0; i < 300000; i++) {
        tls_estimate_record(&e, DIR_C2S, 23, 18000, 0x0303, 0xc02f);
        if (i % 100000 == 0)
            tls_estimate_record(&e, DIR_S2C, 23, 60, 0x0303, 0xc02f);
    }
    assert_true(tls_estimate_result(&e, &r));
    assert_true(r.messages_min <= r.messages_max && r.messages_max <= 3);
    assert_true(r.messages_max > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_measured),  cmocka_unit_test(test_limits),
        cmocka_unit_test(test_overheads), cmocka_unit_test(test_lost),
        cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
