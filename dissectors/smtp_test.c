/* smtp_test - whole conversations: transactions, replies, pipelining */
#include "dissectors/smtp_script.h"

/* clang-format off: version 14 does not live through such tables */
#define BANNER S("220 mx.example.org ESMTP Postfix\r\n")
#define EHLO                                                                   \
    C("EHLO out.example.net\r\n"),                                             \
        S("250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n"      \
          "250-CHUNKING\r\n250 8BITMIME\r\n")
#define FROM C("MAIL FROM:<a@example.net>\r\n"), S("250 2.1.0 Ok\r\n")
#define TO   C("RCPT TO:<b@example.org>\r\n"), S("250 2.1.5 Ok\r\n")
#define DATA C("DATA\r\n"), S("354 End data with <CR><LF>.<CR><LF>\r\n")
#define QUIT C("QUIT\r\n"), S("221 2.0.0 Bye\r\n")
#define BODY C("Subject: hi\r\n\r\nyou\r\n.\r\n")
#define DONE S("250 2.0.0 Ok: queued as 4F2A1\r\n")

static const struct scenario plain[] = {
    {
        .why = "lock-step mail",
        .steps = {BANNER, EHLO, FROM, TO, DATA, BODY, DONE, QUIT},
        .want = {"tx0 \"outcome\":\"accepted\"",
                 "tx0 \"final_code\":250",
                 "tx0 \"final_enhanced\":\"2.0.0\"",
                 "tx0 \"queue_id\":\"4F2A1\"",
                 "tx0 \"mail_from\":\"<a@example.net>\"",
                 "tx0 \"rcpt_to\":[\"<b@example.org>\"]",
                 "tx0 \"rcpt\":[{\"addr\":\"<b@example.org>\",\"code\":250,"
                 "\"enhanced\":\"2.1.5\",\"class\":\"accepted\","
                 "\"latency_ms\":10,\"text\":\"Ok\"}]",
                 "tx0 \"via\":\"DATA\"",
                 "tx0 \"message_bytes\":20",
                 "tx0 \"final_latency_ms\":10",
                 "tx0 \"helo\":\"out.example.net\"",
                 "tx0 \"confidence\":\"high\"",
                 "tx0 \"subject\":\"hi\"",
                 "tx0 !\"part\"",
                 "!tx1",
                 "ses \"banner\":\"220 mx.example.org ESMTP Postfix\"",
                 "ses \"ehlo_caps\":[\"PIPELINING\",\"SIZE 10240000\","
                 "\"CHUNKING\",\"8BITMIME\"]",
                 "ses \"transactions\":1,\"messages\":1,\"commands\":5",
                 "ses \"pipelined\":0",
                 "ses \"order\":\"EMRDQ\"",
                 "ses \"banner_ms\":10,\"first_command_ms\":20",
                 "ses \"no_quit\":false",
                 "ses \"hangup\":false",
                 "ses \"unanswered\":0"},
    },
    {
        .why = "three mails in one connection",
        .steps = {BANNER, EHLO, FROM, TO, DATA, BODY, DONE, FROM, TO, DATA,
                  BODY, S("550 5.7.1 spam\r\n"), FROM, TO, DATA, BODY, DONE,
                  QUIT},
        .want = {"tx0 \"outcome\":\"accepted\"", "tx1 \"outcome\":\"rejected\"",
                 "tx1 \"final_text\":\"spam\"", "tx1 \"final_code\":550",
                 "tx1 \"final_class\":\"policy\"",
                 "tx2 \"outcome\":\"accepted\"", "!tx3",
                 "ses \"transactions\":3,\"messages\":3"},
    },
    {
        .why = "the ledger of recipients",
        .steps = {BANNER, EHLO, FROM, C("RCPT TO:<x@example.org>\r\n"),
                  S("550 5.1.1 <x@example.org>: User unknown\r\n"),
                  C("RCPT TO:<y@example.org>\r\n"),
                  S("450 4.2.0 <y@example.org>: Greylisted, try later\r\n"), TO,
                  C("RCPT TO:<z@example.org>\r\n"),
                  S("554 5.7.1 blocked using zen.spamhaus.org\r\n"), DATA,
                  BODY, DONE, QUIT},
        .want = {"tx0 {\"addr\":\"<x@example.org>\",\"code\":550,"
                 "\"enhanced\":\"5.1.1\",\"class\":\"unknown_user\"",
                 "tx0 {\"addr\":\"<y@example.org>\",\"code\":450,"
                 "\"enhanced\":\"4.2.0\",\"class\":\"greylisting\"",
                 "tx0 {\"addr\":\"<b@example.org>\",\"code\":250",
                 "tx0 \"class\":\"blocklist\",\"blocklist\":"
                 "\"zen.spamhaus.org\"",
                 "tx0 \"rcpt_offered\":4,\"rcpt_accepted\":1,"
                 "\"rcpt_refused\":3",
                 "tx0 \"outcome\":\"accepted\""},
    },
    {
        .why = "all recipients refused, then QUIT: rejected",
        .steps = {BANNER, EHLO, FROM, C("RCPT TO:<x@example.org>\r\n"),
                  S("550 5.1.1 no such user\r\n"), QUIT},
        .want = {"tx0 \"outcome\":\"rejected\"", "tx0 \"final_code\":550",
                 "tx0 \"final_class\":\"unknown_user\"", "tx0 !\"via\"",
                 "tx0 !\"message_bytes\"", "ses \"messages\":0"},
    },
    {
        .why = "all recipients put off: deferred",
        .steps = {BANNER, EHLO, FROM, C("RCPT TO:<x@example.org>\r\n"),
                  S("451 4.7.1 Greylisting in action\r\n"), QUIT},
        .want = {"tx0 \"outcome\":\"deferred\"", "tx0 \"final_code\":451"},
    },
    {
        .why = "MAIL refused",
        .steps = {BANNER, EHLO, C("MAIL FROM:<a@example.net>\r\n"),
                  S("554 5.7.1 go away\r\n"), QUIT},
        .want = {"tx0 \"outcome\":\"rejected\"", "tx0 \"mail_code\":554",
                 "tx0 \"final_code\":554"},
    },
    {
        .why = "nothing after RCPT: no-data",
        .steps = {BANNER, EHLO, FROM, TO, QUIT},
        .want = {"tx0 \"outcome\":\"no-data\"", "tx0 !\"final_code\""},
    },
    {
        .why = "connection ends in the middle of a message: aborted",
        .steps = {BANNER, EHLO, FROM, TO, DATA, C("Subject: hi\r\n\r\nha")},
        .want = {"tx0 \"outcome\":\"aborted\"", "tx0 \"cut\":\"end\"",
                 "tx0 \"truncated\":true", "tx0 \"message_bytes\":17",
                 "tx0 \"confidence\":\"high\"", "ses \"no_quit\":true"},
    },
    {
        .why = "connection ends before the final reply: unknown",
        .steps = {BANNER, EHLO, FROM, TO, DATA, BODY},
        .want = {"tx0 \"outcome\":\"unknown\"", "tx0 !\"final_code\"",
                 "tx0 \"confidence\":\"high\"",
                 "ses \"hangup\":true,\"no_quit\":true",
                 "ses \"unanswered\":1"},
    },
    {
        .why = "pipelined envelope",
        .steps = {BANNER, EHLO,
                  C("MAIL FROM:<a@x> SIZE=100\r\nRCPT TO:<b@y>\r\n"
                    "RCPT TO:<c@y>\r\nDATA\r\n"),
                  S("250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n550 5.1.1 no\r\n"
                    "354 go\r\n"),
                  BODY, DONE, QUIT},
        .want = {"tx0 \"size_declared\":100", "tx0 \"mail_params\":\"SIZE=100\"",
                 "tx0 {\"addr\":\"<b@y>\",\"code\":250",
                 "tx0 {\"addr\":\"<c@y>\",\"code\":550",
                 "tx0 \"outcome\":\"accepted\"", "ses \"pipelined\":3"},
    },
    {
        .why = "pipelined envelope, DATA refused, nothing follows",
        .steps = {BANNER, EHLO,
                  C("MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n"),
                  S("250 ok\r\n550 5.1.1 no\r\n554 5.5.1 no valid rcpt\r\n"),
                  C("RSET\r\n"), S("250 ok\r\n"), FROM, TO, DATA, BODY, DONE,
                  QUIT},
        .want = {"tx0 \"outcome\":\"rejected\"", "tx0 !\"via\"",
                 "tx1 \"outcome\":\"accepted\"", "tx1 \"subject\":\"hi\"",
                 "ses \"commands\":9"},
    },
    {
        .why = "recipient accepted, DATA refused",
        .steps = {BANNER, EHLO, FROM, TO, C("DATA\r\n"),
                  S("451 4.3.0 disk\r\n"), QUIT},
        .want = {"tx0 \"outcome\":\"deferred\"", "tx0 \"final_code\":451"},
    },
    {
        .why = "RSET ends a transaction",
        .steps = {BANNER, EHLO, FROM, TO, C("RSET\r\n"), S("250 2.0.0 Ok\r\n"),
                  C("RCPT TO:<q@y>\r\n"), S("503 5.5.1 need MAIL\r\n"), FROM,
                  TO, DATA, BODY, DONE, QUIT},
        .want = {"tx0 \"outcome\":\"no-data\"", "tx1 \"outcome\":\"accepted\"",
                 "!tx2", "ses \"rset\":true"},
    },
    {
        .why = "EHLO in mid-session ends a transaction, too",
        .steps = {BANNER, EHLO, FROM, TO, C("EHLO other.example\r\n"),
                  S("250 mx\r\n"), FROM, TO, DATA, BODY, DONE, QUIT},
        .want = {"tx0 \"outcome\":\"no-data\"",
                 "tx0 \"helo\":\"out.example.net\"",
                 "tx1 \"helo\":\"other.example\"",
                 "tx1 \"outcome\":\"accepted\"", "ses !\"ehlo_caps\""},
    },
    {
        .why = "a second MAIL that is refused changes nothing",
        .steps = {BANNER, EHLO, FROM, TO, C("MAIL FROM:<z@x>\r\n"),
                  S("503 5.5.1 nested MAIL\r\n"), DATA, BODY, DONE, QUIT},
        .want = {"tx0 \"outcome\":\"accepted\"",
                 "tx0 \"mail_from\":\"<a@example.net>\"", "!tx1"},
    },
    {
        .why = "a second MAIL that is accepted begins anew",
        .steps = {BANNER, EHLO, FROM, TO, C("MAIL FROM:<z@x>\r\n"),
                  S("250 ok\r\n"), TO, DATA, BODY, DONE, QUIT},
        .want = {"tx0 \"outcome\":\"no-data\"",
                 "tx1 \"mail_from\":\"<z@x>\"",
                 "tx1 \"outcome\":\"accepted\""},
    },
    {
        .why = "NOOP, VRFY, HELP and their replies",
        .steps = {BANNER, EHLO, C("NOOP\r\n"), S("250 2.0.0 Ok\r\n"),
                  C("VRFY bob\r\n"), S("252 2.0.0 bob\r\n"), C("HELP\r\n"),
                  S("214-use\r\n214 Google\r\n"), FROM, TO, DATA, BODY, DONE,
                  QUIT},
        .want = {"tx0 \"outcome\":\"accepted\"",
                 "ses {\"command\":\"VRFY\",\"code\":252",
                 "ses \"order\":\"ENVOMRDQ\""},
    },
    {
        .why = "null sender",
        .steps = {BANNER, EHLO, C("MAIL FROM:<>\r\n"), S("250 ok\r\n"), TO,
                  DATA, BODY, DONE, QUIT},
        .want = {"tx0 \"mail_from\":\"<>\"", "tx0 \"null_sender\":true"},
    },
    {
        .why = "quoted local parts and SMTPUTF8",
        .steps = {BANNER, EHLO,
                  C("MAIL FROM:<\"a b>c\"@x> SMTPUTF8 BODY=8BITMIME\r\n"),
                  S("250 ok\r\n"), C("RCPT TO:<d\xc3\xb6rte@y> NOTIFY=NEVER\r\n"),
                  S("250 ok\r\n"), QUIT},
        .want = {"tx0 \"mail_from\":\"<\\\"a b>c\\\"@x>\"",
                 "tx0 \"smtputf8\":true",
                 "tx0 \"mail_params\":\"SMTPUTF8 BODY=8BITMIME\"",
                 "tx0 \"rcpt_to\":[\"<d\xc3\xb6rte@y>\"]"},
    },
    {
        .why = "session without a greeting of the client",
        .steps = {BANNER, FROM, TO, DATA, BODY, DONE, QUIT},
        .odd = "no_helo",
        .want = {"tx0 \"outcome\":\"accepted\"", "tx0 !\"helo\"",
                 "ses \"hello\":\"none\""},
    },
    {
        .why = "HELO after a refused EHLO",
        .steps = {BANNER, C("EHLO [192.0.2.1]\r\n"), S("502 5.5.1 no\r\n"),
                  C("HELO pc\r\n"), S("250 mx\r\n"), FROM, TO, DATA, BODY, DONE,
                  QUIT},
        .want = {"tx0 \"helo\":\"pc\"", "ses \"hello\":\"EHLO+HELO\"",
                 "ses \"helo_class\":\"bare_word\"",
                 "ses {\"command\":\"EHLO\",\"code\":502"},
    },
    {
        .why = "lower case, spaces, no brackets",
        .steps = {BANNER, C("helo pc\r\n"), S("250 mx\r\n"),
                  C("mail from: a@x\r\n"), S("250 ok\r\n"),
                  C("rcpt to: <b@y>\r\n"), S("250 ok\r\n"), C("data\r\n"),
                  S("354 go\r\n"), BODY, DONE, C("quit\r\n"), S("221 bye\r\n")},
        .want = {"tx0 \"mail_from\":\"a@x\"", "ses \"verb_case\":\"lower\"",
                 "ses \"space_after_colon\":true", "ses \"brackets\":false",
                 "tx0 \"outcome\":\"accepted\""},
    },
};

static const struct scenario replies[] = {
    {
        .why = "the server refuses service at once",
        .steps = {S("554-mx.example.org\r\n554 No SMTP service here\r\n"),
                  QUIT},
        .want = {"ses \"banner_code\":554",
                 "ses \"banner\":\"554-mx.example.org\"",
                 "ses {\"command\":\"GREETING\",\"code\":554",
                 "ses \"pregreet\":false"},
    },
    {
        .why = "421 as an answer",
        .steps = {BANNER, EHLO, C("MAIL FROM:<a@x>\r\n"),
                  S("421 4.7.0 too many connections\r\n")},
        .want = {"tx0 \"outcome\":\"deferred\"", "tx0 \"final_code\":421",
                 "tx0 \"final_class\":\"rate\""},
    },
    {
        .why = "LMTP: after 421 no other recipient is answered",
        .steps = {BANNER, C("LHLO pc\r\n"), S("250 mx\r\n"), FROM, TO, TO,
                  DATA, BODY, S("421 4.3.2 shutting down\r\n")},
        .want = {"tx0 \"rcpt_accepted\":2", "tx0 \"final_code\":421",
                 "ses \"unanswered\":0"},
    },
    {
        .why = "codes of no class accept nothing",
        .steps = {BANNER, EHLO, C("MAIL FROM:<a@x>\r\n"), S("250 Ok\r\n"),
                  C("RCPT TO:<b@y>\r\n"), S("000 what\r\n"),
                  C("RCPT TO:<c@y>\r\n"), S("650 what\r\n"),
                  C("RCPT TO:<d@y>\r\n"), S("250 Ok\r\n"), DATA, BODY,
                  S("150 hm\r\n"), QUIT},
        .want = {"tx0 \"rcpt_accepted\":1,\"rcpt_refused\":2",
                 "tx0 \"final_code\":150", "tx0 \"outcome\":\"unknown\"",
                 "tx0 {\"addr\":\"<b@y>\",\"code\":0,\"class\":\"other\"",
                 "tx0 \"final_class\":\"other\""},
    },
    {
        .why = "a reply after 60 days: more milliseconds than are counted",
        .steps = {BANNER, EHLO, C("MAIL FROM:<a@x>\r\n"), TICK(60 * 86400),
                  S("250 Ok\r\n"), QUIT},
        .want = {"tx0 \"latency_ms\":4294967294"},
    },
    {
        .why = "421 out of the blue",
        .steps = {BANNER, EHLO, FROM, TO, S("421 4.4.2 timeout\r\n")},
        .odd = "unexpected_421",
        .want = {"tx0 \"outcome\":\"no-data\""},
    },
    {
        .why = "421 in the middle of a message is its final word",
        .steps = {BANNER, EHLO, FROM, TO, DATA, C("Subject: hi\r\n\r\nha"),
                  S("421 4.3.2 shutting down\r\n")},
        .want = {"tx0 \"outcome\":\"deferred\"", "tx0 \"final_code\":421",
                 "tx0 \"cut\":\"end\""},
    },
    {
        .why = "552 in the middle of a message, which goes on",
        .steps = {BANNER, EHLO, FROM, TO, DATA, C("Subject: hi\r\n\r\nha"),
                  S("552-5.3.4 too\r\n552 5.3.4 big\r\n"), C("ha\r\n.\r\n"),
                  FROM, TO, DATA, BODY, DONE, QUIT},
        .want = {"tx0 \"outcome\":\"rejected\"",
                 "tx0 \"final_text\":\"too big\"",
                 "tx1 \"outcome\":\"accepted\"",
                 "tx1 \"mail_code\":250", "tx1 \"rcpt_accepted\":1"},
    },
    {
        .why = "codes that no RFC knows",
        .steps = {BANNER, EHLO, FROM, C("RCPT TO:<x@y>\r\n"),
                  S("556 5.1.10 null MX\r\n"), C("RCPT TO:<x@y>\r\n"),
                  S("432 4.7.12 later\r\n"), C("RCPT TO:<x@y>\r\n"),
                  S("472 4.0.0 odd\r\n"), C("RCPT TO:<x@y>\r\n"),
                  S("599\r\n"), C("RCPT TO:<x@y>\r\n"), S("299 fine\r\n"),
                  DATA, BODY, S("258 done\r\n"), QUIT},
        .want = {"tx0 \"code\":556,\"enhanced\":\"5.1.10\"", "tx0 \"code\":432",
                 "tx0 \"code\":472", "tx0 \"code\":599",
                 "tx0 \"code\":299", "tx0 \"rcpt_accepted\":1",
                 "tx0 \"final_code\":258", "tx0 \"outcome\":\"accepted\""},
    },
    {
        .why = "replies of several lines are one text",
        .steps = {S("220-mx.example.org ESMTP\r\n220-No spam\r\n220 please\r\n"),
                  EHLO, FROM, C("RCPT TO:<x@y>\r\n"),
                  S("550-5.1.1 The account\r\n550-5.1.1 is not here.\r\n"
                    "550 5.1.1 Sorry\r\n"),
                  QUIT},
        .want = {"tx0 \"text\":\"The account is not here. Sorry\"",
                 "ses \"banner\":\"220-mx.example.org ESMTP\""},
    },
    {
        .why = "the code changes within a reply",
        .steps = {BANNER, EHLO, FROM, C("RCPT TO:<x@y>\r\n"),
                  S("250-ok\r\n550 no\r\n"), QUIT},
        .odd = "reply_code_changed",
        .want = {"tx0 \"code\":550"},
    },
    {
        .why = "garbage among the replies",
        .steps = {BANNER, EHLO, FROM, C("RCPT TO:<x@y>\r\n"),
                  S("warning: disk\r\n\r\n25\r\n250x\r\n250 ok\r\n"), DATA,
                  BODY, DONE, QUIT},
        .odd = "bad_reply",
        .want = {"tx0 \"rcpt_accepted\":1", "tx0 \"outcome\":\"accepted\""},
    },
    {
        .why = "a reply to nothing",
        .steps = {BANNER, EHLO, S("250 what\r\n"), FROM, TO, DATA, BODY, DONE,
                  QUIT},
        .odd = "unexpected_reply",
        .want = {"tx0 \"outcome\":\"accepted\"", "tx0 \"mail_code\":250",
                 "tx0 \"rcpt_accepted\":1"},
    },
};

static const struct scenario chunking[] = {
    {
        .why = "BDAT in one chunk",
        .steps = {BANNER, EHLO, FROM, TO,
                  C("BDAT 20 LAST\r\nSubject: hi\r\n\r\nyou\r\n"), DONE, QUIT},
        .want = {"tx0 \"via\":\"BDAT\"", "tx0 \"message_bytes\":20",
                 "tx0 \"outcome\":\"accepted\"", "tx0 \"subject\":\"hi\"",
                 "ses \"messages\":1"},
    },
    {
        .why = "BDAT in three chunks, pipelined",
        .steps = {BANNER, EHLO, FROM, TO,
                  C("BDAT 7\r\nSubjectBDAT 8\r\n: hi\r\n\r\nBDAT 5 LAST\r\n"
                    "you\r\n"),
                  S("250 7 octets\r\n250 8 octets\r\n250 2.0.0 queued as A1B2\r\n"),
                  QUIT},
        .want = {"tx0 \"message_bytes\":20", "tx0 \"subject\":\"hi\"",
                 "tx0 \"queue_id\":\"A1B2\"", "tx0 \"outcome\":\"accepted\""},
    },
    {
        .why = "BDAT 0 LAST",
        .steps = {BANNER, EHLO, FROM, TO, C("BDAT 5\r\nab\r\nc"),
                  S("250 ok\r\n"), C("BDAT 0 LAST\r\n"), DONE, QUIT},
        .want = {"tx0 \"message_bytes\":5", "tx0 \"outcome\":\"accepted\""},
    },
    {
        .why = "a refused chunk is read all the same",
        .steps = {BANNER, EHLO, FROM, TO, C("BDAT 6\r\nQUIT\r\n"),
                  S("552 5.3.4 too big\r\n"), C("RSET\r\n"), S("250 ok\r\n"),
                  FROM, TO, C("BDAT 3 LAST\r\nabc"), DONE, QUIT},
        .want = {"tx0 \"outcome\":\"rejected\"", "tx0 \"final_code\":552",
                 "tx1 \"outcome\":\"accepted\"", "tx1 \"message_bytes\":3"},
    },
    {
        .why = "the last chunk refused",
        .steps = {BANNER, EHLO, FROM, TO, C("BDAT 3 LAST\r\nabc"),
                  S("554 5.6.0 no\r\n"), FROM, TO, C("BDAT 3 LAST\r\nabd"),
                  DONE, QUIT},
        .want = {"tx0 \"outcome\":\"rejected\"", "tx1 \"outcome\":\"accepted\""},
    },
    {
        .why = "the next mail pipelined behind the last chunk",
        .steps = {BANNER, EHLO, FROM, TO,
                  C("BDAT 3 LAST\r\nabcMAIL FROM:<n@x>\r\nRCPT TO:<m@y>\r\n"
                    "BDAT 4 LAST\r\ndefg"),
                  S("250 queued as 111111\r\n250 ok\r\n250 ok\r\n"
                    "250 queued as 222222\r\n"),
                  QUIT},
        .want = {"tx0 \"queue_id\":\"111111\"", "tx0 \"message_bytes\":3",
                 "tx1 \"mail_from\":\"<n@x>\"", "tx1 \"queue_id\":\"222222\"",
                 "tx1 \"message_bytes\":4"},
    },
    {
        .why = "an unreadable tail does not hide the size",
        .steps = {BANNER, EHLO, FROM, TO, C("BDAT 6 FIRST\r\nQUIT\r\n"),
                  S("501 5.5.4 syntax\r\n"), C("RSET\r\n"), S("250 ok\r\n"),
                  QUIT},
        .odd = "bad_bdat",
        .want = {"tx0 \"outcome\":\"rejected\"", "ses \"order\":\"EMRBXQ\""},
    },
    {
        .why = "after an unreadable tail nothing comes",
        .steps = {BANNER, EHLO, FROM, TO, C("BDAT 6 FIRST\r\n"),
                  S("501 5.5.4 syntax\r\n"), C("RSET\r\n"), S("250 ok\r\n"),
                  QUIT},
        .odd = "bad_bdat",
        .want = {"tx0 !\"via\"", "ses \"order\":\"EMRBXQ\""},
    },
    {
        .why = "no size at all",
        .steps = {BANNER, EHLO, FROM, TO, C("BDAT x LAST\r\n"),
                  S("501 5.5.4 syntax\r\n"), C("BDAT 3 LAST\r\nabc"), DONE,
                  QUIT},
        .odd = "bad_bdat",
        .want = {"tx0 \"message_bytes\":3", "tx0 \"outcome\":\"accepted\""},
    },
};

static const struct scenario early[] = {
    {
        .why = "everything in one segment, accepted",
        .steps = {C("HELO pc\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n"
                    "Subject: buy\r\n\r\nnow\r\n.\r\nQUIT\r\n"),
                  BANNER, S("250 mx\r\n"), S("250 ok\r\n"), S("250 ok\r\n"),
                  S("354 go\r\n"), S("250 queued as 777777\r\n"),
                  S("221 bye\r\n")},
        .odd = "pregreet,pipelining_unoffered",
        .want = {"tx0 \"outcome\":\"accepted\"", "tx0 \"message_bytes\":21",
                 "tx0 \"subject\":\"buy\"", "tx0 \"queue_id\":\"777777\"",
                 "tx0 {\"addr\":\"<b@y>\",\"code\":250",
                 "ses \"pregreet\":true", "ses \"messages\":1"},
    },
    {
        .why = "everything in one segment, all replies in one",
        .steps = {C("HELO pc\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n"
                    "Subject: buy\r\n\r\nnow\r\n.\r\nQUIT\r\n"),
                  S("220 mx\r\n250 mx\r\n250 ok\r\n250 ok\r\n354 go\r\n"
                    "250 queued as 777777\r\n221 bye\r\n")},
        .odd = "pregreet,pipelining_unoffered",
        .want = {"tx0 \"outcome\":\"accepted\"", "tx0 \"message_bytes\":21",
                 "tx0 \"queue_id\":\"777777\"", "ses \"unanswered\":0"},
    },
    {
        .why = "everything in one segment, DATA refused: the body is commands",
        .steps = {C("HELO pc\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n"
                    "Subject: buy\r\n\r\nnow\r\n.\r\nQUIT\r\n"),
                  BANNER, S("250 mx\r\n"), S("250 ok\r\n"),
                  S("550 5.1.1 no\r\n"), S("554 no rcpt\r\n"),
                  S("500 what\r\n"), S("500 what\r\n"), S("500 what\r\n"),
                  S("500 what\r\n"), S("221 bye\r\n")},
        .odd = "pregreet,pipelining_unoffered,non_smtp_command,unknown_command",
        .want = {"tx0 \"outcome\":\"rejected\"", "tx0 !\"via\"",
                 "ses \"messages\":0", "ses \"commands\":9",
                 "ses \"non_smtp_command\":true", "ses \"unanswered\":0"},
    },
    {
        .why = "early talker in lock-step afterwards",
        .steps = {C("EHLO pc\r\n"), BANNER,
                  S("250-mx\r\n250 PIPELINING\r\n"), FROM, TO, DATA, BODY, DONE,
                  QUIT},
        .odd = "pregreet",
        .want = {"tx0 \"outcome\":\"accepted\"", "ses \"pipelined\":0"},
    },
    {
        .why = "speaks after the first line of the greeting (postscreen)",
        .steps = {S("220-mx wait\r\n"), C("EHLO pc\r\n"), S("220 mx now\r\n"),
                  S("250 mx\r\n"), FROM, QUIT},
        .odd = "pregreet",
        .want = {"tx0 \"mail_code\":250"},
    },
    {
        .why = "pipelining that was not offered",
        .steps = {BANNER, C("EHLO pc\r\n"), S("250-mx\r\n250 SIZE 1\r\n"),
                  C("MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\n"),
                  S("250 ok\r\n250 ok\r\n"), DATA, BODY, DONE, QUIT},
        .odd = "pipelining_unoffered",
        .want = {"ses \"pipelined\":1", "ses \"pipelining_unoffered\":true"},
    },
    {
        .why = "pipelining in segments, blind",
        .steps = {BANNER, C("EHLO pc\r\n"), S("250-mx\r\n250 SIZE 1\r\n"),
                  C("MAIL FROM:<a@x>\r\n"), B("RCPT TO:<b@y>\r\n"),
                  S("250 ok\r\n250 ok\r\n"), DATA, BODY, DONE, QUIT},
        .odd = "pipelining_unoffered",
        .want = {"ses \"pipelined\":1"},
    },
    {
        .why = "the body is sent before the 354",
        .steps = {BANNER, EHLO, FROM, TO, C("DATA\r\n"),
                  B("Subject: hi\r\n\r\nyou\r\n.\r\n"), S("354 go\r\n"), DONE,
                  QUIT},
        .want = {"tx0 \"outcome\":\"accepted\"", "tx0 \"message_bytes\":20"},
    },
};

static const struct scenario order[] = {
    {
        .why = "replies captured before their commands",
        .steps = {BANNER, SWAP, C("EHLO pc\r\n"), S("250 mx\r\n"), SWAP,
                  C("MAIL FROM:<a@x>\r\n"), S("250 2.1.0 ok\r\n"), SWAP,
                  C("RCPT TO:<b@y>\r\n"), S("550 5.1.1 no\r\n"), SWAP,
                  C("QUIT\r\n"), S("221 bye\r\n")},
        .want = {"tx0 \"mail_code\":250", "tx0 \"outcome\":\"rejected\"",
                 "tx0 {\"addr\":\"<b@y>\",\"code\":550"},
    },
    {
        .why = "client bytes captured before the reply they depend on",
        .steps = {SWAP, BANNER, C("EHLO pc\r\n"), SWAP, S("250 mx\r\n"),
                  C("MAIL FROM:<a@x>\r\n"), SWAP, S("250 ok\r\n"),
                  C("RCPT TO:<b@y>\r\n"), SWAP, S("250 ok\r\n"),
                  C("DATA\r\n"), SWAP, S("354 go\r\n"), BODY, DONE, QUIT},
        .want = {"tx0 \"outcome\":\"accepted\"", "tx0 \"message_bytes\":20",
                 "ses \"pregreet\":false", "ses \"pipelined\":0"},
    },
    {
        .why = "one-way, client side",
        .steps = {BANNER, EHLO, FROM, TO, DATA, BODY, DONE, FROM, TO, DATA,
                  C("QUIT\r\n")},
        .only_client = true,
        .want = {"tx0 \"outcome\":\"unknown\"", "tx0 \"message_bytes\":20",
                 "tx0 \"mail_from\":\"<a@example.net>\"",
                 "tx0 \"oneway\":true", "tx0 \"confidence\":\"low\"",
                 "tx0 \"subject\":\"hi\"", "tx0 !\"code\":",
                 "tx1 \"outcome\":\"no-data\"", "ses \"messages\":1"},
    },
    {
        .why = "one-way, client side: DATA must have been refused",
        .steps = {BANNER, EHLO, FROM, TO, C("DATA\r\n"),
                  S("554 5.5.1 no\r\n"), C("RSET\r\n"), S("250 ok\r\n"), FROM,
                  TO, DATA, BODY, DONE, QUIT},
        .only_client = true,
        .want = {"tx0 !\"via\"", "tx1 \"message_bytes\":20",
                 "ses \"messages\":1"},
    },
    {
        .why = "one-way, client side: AUTH, STARTTLS refused",
        .steps = {BANNER, EHLO, C("STARTTLS\r\n"), S("454 no\r\n"),
                  C("AUTH LOGIN\r\n"), S("334 VXNlcm5hbWU6\r\n"),
                  C("Ym9iYm9i\r\n"), S("334 UGFzc3dvcmQ6\r\n"),
                  C("c2VjcmV0c2VjcmV0\r\n"), S("235 ok\r\n"), FROM, TO, DATA,
                  BODY, DONE, QUIT},
        .only_client = true,
        .odd = "resync,auth_cleartext",
        .want = {"tx0 \"message_bytes\":20",
                 "ses \"starttls\":{\"offered\":false,\"used\":false}",
                 "ses \"mechanism\":\"LOGIN\",\"outcome\":\"unknown\""},
        .secret = {"Ym9iYm9i", "c2VjcmV0"},
    },
    {
        .why = "one-way, server side",
        .steps = {BANNER, EHLO, FROM, TO, DATA, BODY, DONE, FROM,
                  C("RCPT TO:<x@y>\r\n"), S("550 5.1.1 no\r\n"), QUIT},
        .only_server = true,
        .want = {"tx0 \"outcome\":\"accepted\"", "tx0 \"queue_id\":\"4F2A1\"",
                 "tx0 \"confidence\":\"low\"", "tx0 !\"message_bytes\"",
                 "ses \"ehlo_caps\":[\"PIPELINING\"",
                 "ses \"code\":550,\"enhanced\":\"5.1.1\""},
    },
    {
        .why = "acknowledgements that cannot be told",
        .steps = {BANNER, EHLO, FROM, TO, DATA, BODY, DONE, QUIT},
        .no_acks = true,
        .want = {"tx0 \"outcome\":\"accepted\"", "tx0 \"confidence\":\"high\"",
                 "ses \"pipelined\":0"},
    },
    {
        .why = "start in the middle, in commands",
        .steps = {C("FROM:<q@x>\r\n"), S("250 ok\r\n"),
                  C("RCPT TO:<b@example.org>\r\n"), S("250 2.1.5 Ok\r\n"), DATA,
                  BODY, DONE, FROM, TO, DATA, BODY, DONE, QUIT},
        .midstream = true,
        .odd = "resync",
        .want = {"tx0 \"midstream\":true", "tx0 \"outcome\":\"accepted\"",
                 "tx0 \"message_bytes\":20", "tx0 \"rcpt_accepted\":1",
                 "tx1 \"outcome\":\"accepted\"",
                 "tx1 \"confidence\":\"medium\"",
                 "tx1 \"mail_from\":\"<a@example.net>\"", "!tx2"},
    },
    {
        .why = "start in the middle of a message",
        .steps = {C("lf a line\r\nand another\r\n.\r\n"), DONE, FROM, TO, DATA,
                  BODY, DONE, QUIT},
        .midstream = true,
        .odd = "resync",
        .want = {"tx0 \"outcome\":\"accepted\"", "tx0 \"cut\":\"midstream\"",
                 "tx0 \"confidence\":\"low\"", "tx0 !\"mail_from\"",
                 "tx1 \"outcome\":\"accepted\"", "!tx2"},
    },
    {
        .why = "start in the middle, on the server's side",
        .steps = {S("ZE 1000\r\n250 8BITMIME\r\n"), FROM, TO, DATA, BODY, DONE,
                  QUIT},
        .midstream = true,
        .odd = "resync",
        .want = {"tx0 \"outcome\":\"accepted\"", "tx0 \"mail_code\":250",
                 "tx0 \"rcpt_accepted\":1", "!tx1"},
    },
    {
        .why = "start in the middle of AUTH is no message",
        .steps = {C("Ym9iYm9i\r\n"), S("334 UGFzc3dvcmQ6\r\n"),
                  C("c2VjcmV0c2VjcmV0\r\n"), S("235 2.7.0 ok\r\n"), FROM, TO,
                  DATA, BODY, DONE, QUIT},
        .midstream = true,
        .odd = "resync",
        .want = {"tx0 \"outcome\":\"accepted\"", "!tx1"},
        .secret = {"Ym9iYm9i", "c2VjcmV0"},
    },
    {
        .why = "the 354 was lost",
        .steps = {BANNER, EHLO, FROM, TO, C("DATA\r\n"), LOSE, S("354 go\r\n"),
                  BODY, DONE, FROM, TO, DATA, BODY, DONE, QUIT},
        .odd = "stream_gap",
        .want = {"tx0 \"outcome\":\"accepted\"", "tx0 \"confidence\":\"low\"",
                 "tx0 \"message_bytes\":20", "tx1 \"outcome\":\"accepted\"",
                 "tx1 \"confidence\":\"medium\""},
    },
    {
        .why = "a refusal of DATA was lost",
        .steps = {BANNER, EHLO, FROM, TO, C("DATA\r\n"), LOSE,
                  S("554 5.5.1 no\r\n"), C("RSET\r\n"), S("250 ok\r\n"), FROM,
                  TO, DATA, BODY, DONE, QUIT},
        .odd = "stream_gap",
        .want = {"tx0 !\"via\"", "tx0 \"confidence\":\"low\"",
                 "tx1 \"outcome\":\"accepted\""},
    },
    {
        .why = "the final reply was lost in a pipelining session",
        .steps = {BANNER, EHLO,
                  C("MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n"),
                  S("250 ok\r\n250 ok\r\n354 go\r\n"), BODY, LOSE, DONE,
                  C("MAIL FROM:<c@x>\r\nRCPT TO:<d@y>\r\nDATA\r\n"),
                  S("250 ok\r\n250 ok\r\n354 go\r\n"), BODY,
                  S("250 queued as 999999\r\n"), QUIT},
        .odd = "stream_gap",
        .want = {"tx0 \"outcome\":\"unknown\"", "tx0 \"confidence\":\"low\"",
                 "tx1 \"rcpt_accepted\":1", "tx1 \"outcome\":\"accepted\"",
                 "tx1 \"queue_id\":\"999999\""},
    },
    {
        .why = "the end of a message was lost",
        .steps = {BANNER, EHLO, FROM, TO, DATA, C("Subject: hi\r\n\r\nyou"),
                  LOSE, C(" and me\r\n.\r\n"), DONE, FROM, TO, DATA, BODY, DONE,
                  QUIT},
        .odd = "stream_gap",
        .want = {"tx0 \"outcome\":\"accepted\"", "tx0 \"cut\":\"gap\"",
                 "tx0 \"truncated\":true", "tx0 \"queue_id\":\"4F2A1\"",
                 "tx1 \"outcome\":\"accepted\"", "tx1 \"message_bytes\":20",
                 "!tx2"},
    },
    {
        .why = "the middle of a message was lost",
        .steps = {BANNER, EHLO, FROM, TO, DATA, C("Subject: hi\r\n\r\nyou"),
                  LOSE, C(" and me\r\n"), C("and us\r\n.\r\n"), DONE, QUIT},
        .odd = "stream_gap",
        .digest = true,
        .want = {"tx0 \"outcome\":\"accepted\"", "tx0 !\"cut\"",
                 "tx0 \"truncated\":true", "tx0 \"message_bytes\":35",
                 "tx0 !\"body_sha256\""},
    },
    {
        .why = "in a BDAT chunk bytes were lost",
        .steps = {BANNER, EHLO, FROM, TO, C("BDAT 10 LAST\r\nabc"), LOSE,
                  C("defg"), C("hij"), DONE, FROM, TO, DATA, BODY, DONE, QUIT},
        .odd = "stream_gap",
        .want = {"tx0 \"outcome\":\"accepted\"", "tx0 \"message_bytes\":10",
                 "tx0 \"truncated\":true", "tx1 \"outcome\":\"accepted\""},
    },
};

/* clang-format on */

static void
test_plain(void **state)
{
    (void)state;
    run_scenarios(plain, sizeof(plain) / sizeof(plain[0]));
}

static void
test_replies(void **state)
{
    (void)state;
    run_scenarios(replies, sizeof(replies) / sizeof(replies[0]));
}

static void
test_chunking(void **state)
{
    (void)state;
    run_scenarios(chunking, sizeof(chunking) / sizeof(chunking[0]));
}

static void
test_early(void **state)
{
    (void)state;
    run_scenarios(early, sizeof(early) / sizeof(early[0]));
}

static void
test_order(void **state)
{
    (void)state;
    run_scenarios(order, sizeof(order) / sizeof(order[0]));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),    cmocka_unit_test(test_replies),
        cmocka_unit_test(test_chunking), cmocka_unit_test(test_early),
        cmocka_unit_test(test_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
