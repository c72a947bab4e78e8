/* smtp_class_test - what the common servers' refusals mean
 *
 * The texts are in our words where that is enough; where a server is recognised
 * by its own phrase, the phrase is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "dissectors/smtp_class.h"

static const struct {
    const char *why;
    unsigned code;
    const char *text;
    const char *class;
    const char *list;
} rows[] = {
  /* Postfix */
    {"Postfix, no user",                       550,
     "5.1.1 <x@y>: Recipient address rejected: User unknown in local recipient "
     "table",                                                                                            "unknown_user", NULL                    },
    {"Postfix, no user, soft",                 450,
     "4.1.1 <x@y>: Recipient address rejected: unverified address: unknown "
     "user",                                                                                             "unknown_user", NULL                    },
    {"Postfix, relay",                         554, "5.7.1 <x@y>: Relay access denied",                  "relay_denied",
     NULL                                                                                                                                        },
    {"Postfix, relay, soft",                   454, "4.7.1 <x@y>: Relay access denied",
     "relay_denied",                                                                                                     NULL                    },
    {"Postfix, list",                          554,
     "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using "
     "zen.spamhaus.org; see a page",                                                                     "blocklist",    "zen.spamhaus.org"      },
    {"Postfix, own list",                      554,
     "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using "
     "rbl.example.net",                                                                                  "blocklist",    "rbl.example.net"       },
    {"Postfix, postscreen",                    550,
     "5.7.1 Service unavailable; client [192.0.2.1] blocked using "
     "b.barracudacentral.org",                                                                           "blocklist",    "b.barracudacentral.org"},
    {"Postfix, sender domain",                 450,
     "4.1.8 <a@x>: Sender address rejected: Domain not found",                                           "policy",       NULL                    },
    {"Postfix, sender domain, hard",           550,
     "5.1.8 <a@x>: Sender address rejected: Domain not found",                                           "policy",       NULL                    },
    {"Postfix, helo",                          504,
     "5.5.2 <pc>: Helo command rejected: need fully-qualified hostname",                                 "policy",       NULL                    },
    {"Postfix, no PTR",                        450,
     "4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]",                              "policy",       NULL                    },
    {"Postfix, policy service",                554,
     "5.7.1 <x@y>: Recipient address rejected: Access denied",                                           "policy",       NULL                    },
    {"postgrey",                               450,
     "4.2.0 <x@y>: Recipient address rejected: Greylisted, see a page",                                  "greylisting",  NULL                    },
    {"Postfix, anvil",                         421,
     "4.7.0 mx Error: too many connections from 192.0.2.1",                                              "rate",         NULL                    },
    {"Postfix, rate",                          450,
     "4.7.1 Error: too much mail from 192.0.2.1; rate limit",                                            "rate",         NULL                    },
    {"Postfix, errors",                        421, "4.7.0 mx Error: too many errors",                   "rate",         NULL                    },
    {"Postfix, size",                          552, "5.3.4 Message size exceeds fixed limit",            "other",
     NULL                                                                                                                                        },
    {"Postfix, disk",                          452, "4.3.1 Insufficient system storage",                 "other",        NULL                    },
    {"Postfix, quota",                         552, "5.2.2 <x@y>: mailbox full",                         "mailbox_full", NULL                    },
    {"Postfix, TLS wanted",                    530, "5.7.0 Must issue a STARTTLS command first",
     "policy",                                                                                                           NULL                    },
    {"Postfix, no valid recipients",           554, "5.5.1 Error: no valid recipients",
     "other",                                                                                                            NULL                    },
    {"Postfix, milter",                        550, "5.7.1 rejected by DMARC policy for x.example",
     "policy",                                                                                                           NULL                    },
    {"Postfix, null MX",                       556, "5.1.10 <x@y>: domain does not accept mail",
     "unknown_user",                                                                                                     NULL                    },
 /* Exim */
    {"Exim, no user",                          550, "Unrouteable address",                               "unknown_user", NULL                    },
    {"Exim, no such user",                     550, "No Such User Here",                                 "unknown_user", NULL                    },
    {"Exim, relay",                            550, "relay not permitted",                               "relay_denied", NULL                    },
    {"Exim, callout",                          550, "Sender verify failed",                              "policy",       NULL                    },
    {"Exim, list",                             550,
     "JunkMail rejected - host [192.0.2.1] is in an RBL on sbl.spamhaus.org",                            "blocklist",    "sbl.spamhaus.org"      },
    {"Exim, list, bl.spamcop.net",             550,
     "rejected because 192.0.2.1 is in a black list at bl.spamcop.net",                                  "blocklist",    "bl.spamcop.net"        },
    {"Exim, greylist",                         451, "Temporarily greylisted, try again in 5 minutes",
     "greylisting",                                                                                                      NULL                    },
    {"Exim, local problem",                    451, "Temporary local problem - please try later",
     "other",                                                                                                            NULL                    },
    {"Exim, quota",                            452, "mailbox is full (quota exceeded)",                  "mailbox_full",
     NULL                                                                                                                                        },
    {"Exim, rate",                             450, "sending rate limit exceeded",                       "rate",         NULL                    },
    {"Exim, spam",                             550, "This message scored 9.1 spam points",               "policy",       NULL                    },
 /* Sendmail */
    {"Sendmail, no user",                      550, "5.1.1 <x@y>... User unknown",                       "unknown_user",
     NULL                                                                                                                                        },
    {"Sendmail, relay",                        550, "5.7.1 <x@y>... Relaying denied",                    "relay_denied",
     NULL                                                                                                                                        },
    {"Sendmail, relay, no PTR",                550,
     "5.7.1 <x@y>... Relaying denied. IP name lookup failed [192.0.2.1]",                                "relay_denied", NULL                    },
    {"Sendmail, access",                       550, "5.7.1 Access denied",                               "policy",       NULL                    },
    {"Sendmail, load",                         421, "4.3.2 Connection rate limit exceeded.",             "rate",
     NULL                                                                                                                                        },
    {"Sendmail, space",                        452, "4.4.5 Insufficient disk space; try again later",
     "other",                                                                                                            NULL                    },
    {"Sendmail, dnsbl",                        550,
     "5.7.1 Rejected: 192.0.2.1 listed at dnsbl.sorbs.net",                                              "blocklist",
     "dnsbl.sorbs.net"                                                                                                                           },
    {"milter-greylist",                        451,
     "4.7.1 Greylisting in action, please come back in 00:05:00",                                        "greylisting",
     NULL                                                                                                                                        },
 /* Exchange, Exchange Online */
    {"Exchange, no user",                      550, "5.1.1 User unknown",                                "unknown_user", NULL                    },
    {"Exchange Online, no user",               550,
     "5.4.1 Recipient address rejected: Access denied. AS(201806281)",                                   "unknown_user", NULL                    },
    {"Exchange, 5.1.10",                       550,
     "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient x@y not found",                                   "unknown_user", NULL                    },
    {"Exchange, relay",                        550, "5.7.1 Unable to relay",                             "relay_denied", NULL                    },
    {"Exchange Online, relay",                 550,
     "5.7.64 TenantAttribution; Relay Access "
     "Denied",                                                                                           "relay_denied", NULL                    },
    {"Exchange, restricted",                   550,
     "5.7.1 RESOLVER.RST.NotAuthorized; not authorized",                                                 "policy",       NULL                    },
    {"Exchange, full",                         552, "5.2.2 mailbox full",                                "mailbox_full", NULL                    },
    {"Exchange Online, quota",                 554,
     "5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException",                            "mailbox_full", NULL                    },
    {"Exchange Online, banned",                550,
     "5.7.606 Access denied, banned sending IP [192.0.2.1]",                                             "policy",       NULL                    },
    {"Exchange Online, throttled",             451,
     "4.7.500 Server busy. Please try again later",                                                      "rate",         NULL                    },
    {"Exchange Online, throttled, connection", 421,
     "4.3.2 The maximum number of concurrent connections has exceeded a limit",                          "rate",         NULL                    },
    {"Exchange Online, Spamhaus",              550,
     "5.7.1 Service unavailable, Client host [192.0.2.1] blocked using "
     "Spamhaus",                                                                                         "blocklist",    "spamhaus.org"          },
    {"Exchange Online, DMARC",                 550,
     "5.7.509 Access denied, sending domain x does not pass DMARC verification",                         "policy",       NULL                    },
    {"Exchange, greylisting by other word",    450,
     "4.7.0 Graylisted, please retry",                                                                   "greylisting",  NULL                    },
 /* Gmail */
    {"Gmail, no user",                         550,
     "5.1.1 The email account that you tried to reach does not exist.",                                  "unknown_user", NULL                    },
    {"Gmail, disabled",                        550,
     "5.2.1 The email account that you tried to reach is disabled.",                                     "unknown_user", NULL                    },
    {"Gmail, full",                            452,
     "4.2.2 The email account that you tried to reach is over quota.",                                   "mailbox_full", NULL                    },
    {"Gmail, receiving too fast",              450,
     "4.2.1 The user you are trying to contact is receiving mail too quickly",                           "rate",         NULL                    },
    {"Gmail, rate",                            421,
     "4.7.28 Our system has detected an unusual rate of unsolicited mail",                               "rate",         NULL                    },
    {"Gmail, rate, hard",                      550,
     "5.7.28 Our system has detected an unusual rate of unsolicited mail",                               "rate",         NULL                    },
    {"Gmail, spam",                            550,
     "5.7.1 Our system has detected that this message is likely unsolicited "
     "mail",                                                                                             "policy",       NULL                    },
    {"Gmail, SPF",                             550,
     "5.7.26 This mail has been blocked because the sender is unauthenticated.",                         "policy",       NULL                    },
    {"Gmail, IPv6 PTR",                        550,
     "5.7.1 does not meet IPv6 sending guidelines regarding PTR records",                                "policy",       NULL                    },
    {"Gmail, try later",                       421, "4.7.0 Try again later, closing connection.",
     "rate",                                                                                                             NULL                    },
    {"Gmail, relay",                           550, "5.7.1 Relaying not allowed",                        "relay_denied", NULL                    },
 /* Outlook.com */
    {"Outlook, S3140",                         550,
     "5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please "
     "contact your provider since part of their network is on our block list "
     "(S3140).",                                                                                         "blocklist",    "outlook.com (S3140)"   },
    {"Outlook, S3150",                         550,
     "5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent: on our "
     "block "
     "list (S3150).",                                                                                    "blocklist",    "outlook.com (S3150)"   },
    {"Outlook, no user",                       550,
     "5.5.0 Requested action not taken: mailbox "
     "unavailable.",                                                                                     "unknown_user", NULL                    },
    {"Outlook, rate",                          421,
     "RP-001 The mail server IP has exceeded the rate "
     "limit allowed",                                                                                    "rate",         NULL                    },
    {"Outlook, policy",                        550,
     "SC-001 rejected by Outlook.com for policy reasons",                                                "policy",       NULL                    },
 /* Yahoo */
    {"Yahoo, no user",                         554,
     "delivery error: dd This user doesn't have a yahoo.com account",                                    "unknown_user", NULL                    },
    {"Yahoo, deferred",                        421,
     "4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to "
     "unexpected volume or user complaints",                                                             "rate",         NULL                    },
    {"Yahoo, policy",                          553,
     "5.7.1 [BL21] Connections will not be accepted from "
     "192.0.2.1, because the ip is in Spamhaus's list",                                                  "blocklist",    "spamhaus.org"          },
    {"Yahoo, content",                         554,
     "Message not allowed - [PH01] not accepted for "
     "policy reasons",                                                                                   "policy",       NULL                    },
 /* qmail and others */
    {"qmail, rcpthosts",                       553,
     "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",                                "relay_denied", NULL                    },
    {"qmail, no mailbox",                      550, "sorry, no mailbox here by that name. (#5.1.1)",
     "unknown_user",                                                                                                     NULL                    },
    {"qmail, full",                            452, "user is over quota",                                "mailbox_full", NULL                    },
    {"qmail, rblsmtpd",                        451, "http://www.spamhaus.org/query/bl?ip=192.0.2.1",
     "blocklist",                                                                                                        "spamhaus.org"          },
    {"Proofpoint",                             554,
     "Blocked - see https://ipcheck.proofpoint.com/?ip=192.0.2.1",                                       "blocklist",
     "ipcheck.proofpoint.com"                                                                                                                    },
    {"Barracuda",                              550,
     "Service unavailable; Client host blocked by Barracuda Reputation",                                 "blocklist",    "b.barracudacentral.org"},
    {"Cisco ESA",                              550, "#5.1.0 Address rejected.",                          "unknown_user", NULL                    },
    {"Cisco ESA, reputation",                  554,
     "Your access has been rejected due to the sending server's poor "
     "reputation",                                                                                       "policy",       NULL                    },
    {"Mimecast",                               550, "Rejected by header based manually blocked senders",
     "policy",                                                                                                           NULL                    },
    {"GMX",                                    554,
     "Transaction failed Reject due to policy restrictions. For explanation "
     "visit a page",                                                                                     "policy",       NULL                    },
    {"T-Online",                               554,
     "IP=192.0.2.1 - A problem occurred. (Ask your postmaster)",                                         "other",        NULL                    },
    {"nothing said",                           550, "",                                                  "other",        NULL                    },
    {"only a code",                            550, "5.0.0",                                             "other",        NULL                    },
    {"security without words",                 550, "5.7.999 no",                                        "policy",       NULL                    },
    {"accepted",                               250, "2.1.5 Ok",                                          "accepted",     NULL                    },
    {"accepted, with words of refusal",        250, "2.0.0 not spam",                                    "accepted",
     NULL                                                                                                                                        },
};

static void
test_classes(void **state)
{
    unsigned wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct span list;
        enum smtp_class c =
            smtp_classify(rows[i].code, span_str(rows[i].text), &list);
        struct span want =
            rows[i].list != NULL ? span_str(rows[i].list) : SPAN_NONE;

        if (span_eq(span_str(smtp_class_name(c)), span_str(rows[i].class)) &&
            span_eq(list, want))
            continue;
        print_error("%s: %s (%.*s), not %s (%s)\n", rows[i].why,
                    smtp_class_name(c), (int)list.n, (const char *)list.p,
                    rows[i].class, rows[i].list);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void
test_enhanced(void **state)
{
    static const struct {
        const char *text, *want, *words;
    } e[] = {
        {"5.1.1 no",       "5.1.1",   "no"         },
        {"2.0.0",          "2.0.0",   ""           },
        {"4.7.500 Busy",   "4.7.500", "Busy"       },
        {"5.1.1 no\nmore", "5.1.1",   "no\nmore"   },
        {"5.1.1: no",      "",        "5.1.1: no"  },
        {"3.1.1 no",       "",        "3.1.1 no"   },
        {"5.1 no",         "",        "5.1 no"     },
        {"5.1.1234 no",    "",        "5.1.1234 no"},
        {"5..1 no",        "",        "5..1 no"    },
        {"",               "",        ""           },
        {"5",              "",        "5"          },
        {"5.1.",           "",        "5.1."       },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(e) / sizeof(e[0]); i++) {
        struct span text = span_str(e[i].text);

        if (!span_eq(smtp_enhanced(text), span_str(e[i].want)) ||
            !span_eq(smtp_reply_words(text), span_str(e[i].words)))
            fail_msg("\"%s\"", e[i].text);
    }
}

static void
test_queue_id(void **state)
{
    static const struct {
        const char *text, *want;
    } q[] = {
        {"2.0.0 Ok: queued as 4WxYz12345",                          "4WxYz12345"      },
        {"2.0.0 Ok: queued as 4F2A1; more",                         "4F2A1"           },
        {"OK id=1tABcD-0001Xy-2Z",                                  "1tABcD-0001Xy-2Z"},
        {"2.0.0 5AMBxyz123456 Message accepted for delivery",       "5AMBxyz123456"   },
        {"2.6.0 <a@x> [InternalId=12345] Queued mail for delivery", "12345"           },
        {"ok 1700000000 qp 12345",                                  ""                },
        {"2.0.0 OK  1700000000 abc123-20020a.5 - gsmtp",            ""                },
        {"Ok",                                                      ""                },
        {"",                                                        ""                },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(q) / sizeof(q[0]); i++) {
        struct span id = smtp_queue_id(span_str(q[i].text));

        if (!span_eq(id, span_str(q[i].want)))
            fail_msg("\"%s\": %.*s", q[i].text, (int)id.n, (const char *)id.p);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_enhanced),
        cmocka_unit_test(test_queue_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
