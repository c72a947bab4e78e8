/* smtp_cmd_test - command lines, regular and not */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "dissectors/smtp_cmd.h"

static const struct {
    const char *why, *line;
    enum smtp_verb verb;
    const char *path, *params;
    bool bracketed, space, bad;
} paths[] = {
    {"plain",                      "MAIL FROM:<a@x>",                      SMTP_MAIL, "<a@x>",           "",       true,  false, false},
    {"null",                       "MAIL FROM:<>",                         SMTP_MAIL, "<>",              "",       true,  false, false},
    {"lower case",                 "rcpt to:<a@x>",                        SMTP_RCPT, "<a@x>",           "",       true,  false, false},
    {"space after the colon",      "MAIL FROM: <a@x>",                     SMTP_MAIL, "<a@x>",           "",       true,
     true,                                                                                                                       false},
    {"space before the colon",     "MAIL FROM : <a@x>",                    SMTP_MAIL, "<a@x>",           "",
     true,                                                                                                                true,  false},
    {"tab",                        "MAIL\tFROM:<a@x>\tSIZE=1",             SMTP_MAIL, "<a@x>",           "SIZE=1", true,
     false,                                                                                                                      false},
    {"no brackets",                "RCPT TO:a@x NOTIFY=NEVER",             SMTP_RCPT, "a@x",
     "NOTIFY=NEVER",                                                                                               false, false, false},
    {"parameters",                 "MAIL FROM:<a@x> SIZE=5 BODY=8BITMIME", SMTP_MAIL, "<a@x>",
     "SIZE=5 BODY=8BITMIME",                                                                                       true,  false, false},
    {"parameters without a space", "MAIL FROM:<a@x>SIZE=5",                SMTP_MAIL, "<a@x>",
     "SIZE=5",                                                                                                     true,  false, false},
    {"quoted local part",          "RCPT TO:<\"a b>c\"@x> X=Y",            SMTP_RCPT,
     "<\"a b>c\"@x>",                                                                                    "X=Y",    true,  false, false},
    {"escaped quote",              "RCPT TO:<\"a\\\">b\"@x>",              SMTP_RCPT, "<\"a\\\">b\"@x>",
     "",                                                                                                           true,  false, false},
    {"a quote that never ends",    "RCPT TO:<\"a@x> X=Y",                  SMTP_RCPT, "<\"a@x>",
     "X=Y",                                                                                                        true,  false, false},
    {"a bracket that never ends",  "RCPT TO:<a@x X=Y",                     SMTP_RCPT, "<a@x X=Y",        "",
     true,                                                                                                                false, false},
    {"source route",               "RCPT TO:<@r,@s:a@x>",                  SMTP_RCPT, "<@r,@s:a@x>",     "",       true,
     false,                                                                                                                      false},
    {"no colon",                   "MAIL FROM <a@x>",                      SMTP_MAIL, "",                "",       false, false, true },
    {"no FROM",                    "MAIL <a@x>",                           SMTP_MAIL, "",                "",       false, false, true },
    {"nothing",                    "RCPT",                                 SMTP_RCPT, "",                "",       false, false, true },
    {"nothing after the colon",    "RCPT TO:",                             SMTP_RCPT, "",                "",       false, false,
     false                                                                                                                            },
    {"SAML",                       "SAML FROM:<a@x>",                      SMTP_SAML, "<a@x>",           "",       true,  false, false},
};

static void
test_paths(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct smtp_cmd c;

        smtp_cmd_parse(span_str(paths[i].line), &c);
        if (c.verb != paths[i].verb || c.bad != paths[i].bad ||
            c.space != paths[i].space || c.bracketed != paths[i].bracketed ||
            !span_eq(c.path, span_str(paths[i].path)) ||
            !span_eq(c.params, span_str(paths[i].params)))
            fail_msg("%s: verb %d bad %d space %d brackets %d path %.*s "
                     "params %.*s",
                     paths[i].why, c.verb, c.bad, c.space, c.bracketed,
                     (int)c.path.n, (const char *)c.path.p, (int)c.params.n,
                     (const char *)c.params.p);
    }
}

static const struct {
    const char *why, *line;
    uint64_t size;
    bool last, bad;
} bdats[] = {
    {"plain",            "BDAT 10",                        10,         false, false},
    {"last",             "BDAT 0 LAST",                    0,          true,  false},
    {"last, lower case", "bdat 7 last",                    7,          true,  false},
    {"spaces",           "BDAT   7   LAST  ",              7,          true,  false},
    {"no size",          "BDAT",                           0,          false, true },
    {"word",             "BDAT x",                         0,          false, true },
    {"last alone",       "BDAT LAST",                      0,          false, true },
    {"sign",             "BDAT -1",                        0,          false, true },
    {"overflow",         "BDAT 99999999999999999999 LAST", 0,          true,  true },
    {"largest",          "BDAT 18446744073709551615",      UINT64_MAX, false, false},
    {"tail",             "BDAT 5 FIRST",                   5,          false, true },
    {"tail after last",  "BDAT 5 LAST x",                  5,          false, true },
};

static void
test_bdat(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bdats) / sizeof(bdats[0]); i++) {
        struct smtp_cmd c;

        smtp_cmd_parse(span_str(bdats[i].line), &c);
        if (c.verb != SMTP_BDAT || c.size != bdats[i].size ||
            c.last != bdats[i].last || c.bad != bdats[i].bad)
            fail_msg("%s: size %llu last %d bad %d", bdats[i].why,
                     (unsigned long long)c.size, c.last, c.bad);
    }
}

static void
test_verbs(void **state)
{
    static const char *const unknown[] = {
        "",        " ",     "EHL",      "EHLOO x", "MAILFROM:<a>",
        "STARTTL", "QUITX", "HE@O",     "@ATA",    "\x80",
        "dat\x01", "?",     "GREETING", "END"};

    (void)state;
    for (unsigned v = 0; v < SMTP_UNKNOWN; v++) {
        char lower[20] = "";
        struct smtp_cmd c;

        smtp_cmd_parse(span_str(smtp_verb_name((enum smtp_verb)v)), &c);
        assert_int_equal(c.verb, v);
        assert_int_equal(c.verb_case, SMTP_CASE_UPPER);
        for (size_t i = 0; smtp_verb_name((enum smtp_verb)v)[i] != 0; i++)
            lower[i] = (char)(smtp_verb_name((enum smtp_verb)v)[i] + 32);
        smtp_cmd_parse(span_str(lower), &c);
        assert_int_equal(c.verb, v);
        assert_int_equal(c.verb_case, SMTP_CASE_LOWER);
        lower[0] = (char)(lower[0] - 32);
        smtp_cmd_parse(span_str(lower), &c);
        assert_int_equal(c.verb_case, SMTP_CASE_MIXED);
    }
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        struct smtp_cmd c;

        smtp_cmd_parse(span_str(unknown[i]), &c);
        if (c.verb != SMTP_UNKNOWN)
            fail_msg("\"%s\" is no verb", unknown[i]);
    }
}

static void
test_certain(void **state)
{
    static const char *const yes[] = {"MAIL FROM:<a@x>",
                                      "RCPT TO:<a@x>",
                                      "EHLO pc",
                                      "HELO x.y",
                                      "DATA",
                                      "RSET",
                                      "QUIT",
                                      "NOOP",
                                      "STARTTLS",
                                      "AUTH LOGIN",
                                      "BDAT 5",
                                      "BDAT 5 LAST",
                                      "auth plain AAA=",
                                      "mail from:<>",
                                      "AUTH PLAIN"};
    static const char *const no[] = {
        "",         "MAIL FROM:a@x", "Mail from me", "rcpt to you",
        "DATA is",  "QUIT smoking",  " DATA",        "EHLO",
        "EHLO a b", "AUTH or",       "BDAT",         "BDAT x",
        "HELP me",  "VRFY a",        "Subject: hi",  "."};

    (void)state;
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (!smtp_cmd_is_certain(span_str(yes[i])))
            fail_msg("\"%s\" is certain", yes[i]);
    }
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        if (smtp_cmd_is_certain(span_str(no[i])))
            fail_msg("\"%s\" is not certain", no[i]);
    }
}

static void
test_foreign(void **state)
{
    static const char *const yes[] = {
        "GET / HTTP/1.1", "POST /x HTTP/1.0", "CONNECT a:25 HTTP/1.1",
        "Subject: x",     "User-Agent: y",    "get /"};
    static const char *const no[] = {
        "", ":", "a:", "EHLO x", "GETX", "foo bar: x", "\x16\x03\x01"};

    (void)state;
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (!smtp_cmd_is_foreign(span_str(yes[i])))
            fail_msg("\"%s\" is foreign", yes[i]);
    }
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        if (smtp_cmd_is_foreign(span_str(no[i])))
            fail_msg("\"%s\" is not foreign", no[i]);
    }
}

static void
test_params(void **state)
{
    struct span p = SPAN_LIT("SIZE=100 BODY=8BITMIME SMTPUTF8 SIZE=2 X=");

    (void)state;
    assert_true(span_eq(smtp_param(p, "SIZE"), SPAN_LIT("100")));
    assert_true(span_eq(smtp_param(p, "size"), SPAN_LIT("100")));
    assert_true(span_eq(smtp_param(p, "BODY"), SPAN_LIT("8BITMIME")));
    assert_non_null(smtp_param(p, "SMTPUTF8").p);
    assert_int_equal(smtp_param(p, "SMTPUTF8").n, 0);
    assert_non_null(smtp_param(p, "X").p);
    assert_null(smtp_param(p, "SIZ").p);
    assert_null(smtp_param(SPAN_NONE, "SIZE").p);
}

static void
test_helo_class(void **state)
{
    static const struct {
        const char *arg, *want;
    } rows[] = {
        {"mail.example.org",   "fqdn"           },
        {"pc",                 "bare_word"      },
        {"192.0.2.1",          "address"        },
        {"[192.0.2.1]",        "address_literal"},
        {"",                   "empty"          },
        {"[IPv6:2001:db8::1]", "address_literal"},
        {"2001:db8::1",        "address"        },
        {".local",             "bare_word"      },
        {"local.",             "bare_word"      },
        {"a.b c",              "fqdn"           },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(smtp_helo_class(span_str(rows[i].arg)),
                            rows[i].want);
}

static void
test_mechanism(void **state)
{
    (void)state;
    assert_true(span_eq(smtp_cmd_mechanism(SPAN_LIT("plain AGJvYg==")),
                        SPAN_LIT("PLAIN")));
    assert_true(span_eq(smtp_cmd_mechanism(SPAN_LIT("Scram-Sha-256")),
                        SPAN_LIT("SCRAM-SHA-256")));
    assert_int_equal(smtp_cmd_mechanism(SPAN_LIT("AGJvYg==")).n, 0);
    assert_int_equal(smtp_cmd_mechanism(SPAN_LIT("PLAINTEXT")).n, 0);
    assert_int_equal(smtp_cmd_mechanism(SPAN_NONE).n, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),      cmocka_unit_test(test_bdat),
        cmocka_unit_test(test_verbs),      cmocka_unit_test(test_certain),
        cmocka_unit_test(test_foreign),    cmocka_unit_test(test_params),
        cmocka_unit_test(test_helo_class), cmocka_unit_test(test_mechanism),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
