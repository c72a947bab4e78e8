/* smtp_client_test - credentials, TLS, smuggling, message bytes, odd lines */
#include <openssl/sha.h>

#include "dissectors/smtp_script.h"

/* clang-format off: version 14 does not live through such tables */
#define BANNER S("220 mx.example.org ESMTP\r\n")
#define EHLO                                                                   \
    C("EHLO out.example.net\r\n"),                                             \
        S("250-mx.example.org\r\n250-STARTTLS\r\n250-AUTH PLAIN LOGIN "        \
          "CRAM-MD5\r\n250 8BITMIME\r\n")
#define FROM C("MAIL FROM:<a@example.net>\r\n"), S("250 2.1.0 Ok\r\n")
#define TO   C("RCPT TO:<b@example.org>\r\n"), S("250 2.1.5 Ok\r\n")
#define DATA C("DATA\r\n"), S("354 go\r\n")
#define QUIT C("QUIT\r\n"), S("221 2.0.0 Bye\r\n")
#define BODY C("Subject: hi\r\n\r\nyou\r\n.\r\n")
#define DONE S("250 2.0.0 Ok: queued as 4F2A1\r\n")
#define SECRETS                                                                \
    {                                                                          \
        "bobbobbob", "Ym9iYm9iYm9i", "hunter2hunter2", "aHVudGVyMmh1bnRlcjI="  \
    }

/* \0bobbobbob\0hunter2hunter2 */
#define PLAIN_B64 "AGJvYmJvYmJvYgBodW50ZXIyaHVudGVyMg=="
#define PLAIN_SECRETS                                                          \
    {                                                                          \
        "AGJvYmJvYmJvYgBo", "dW50ZXIyaHVudGVyMg", "bobbobbob", "hunter2"       \
    }

static const struct scenario auth[] = {
    {
     .why = "AUTH PLAIN with an initial response",
     .steps = {BANNER, EHLO, C("AUTH PLAIN " PLAIN_B64 "\r\n"),
                  S("235 2.7.0 Authentication successful\r\n"), FROM, TO, DATA,
                  BODY, DONE, QUIT},
     .odd = "auth_cleartext",
     .want = {"ses \"auth\":[{\"mechanism\":\"PLAIN\",\"outcome\":"
                 "\"success\",\"code\":235,\"cleartext\":true}]",
                 "tx0 \"outcome\":\"accepted\"", "ses \"order\":\"EAMRDQ\"",
                 "odd \"detail\":\"PLAIN\""},
     .secret = PLAIN_SECRETS,
     },
    {
     .why = "AUTH PLAIN without one, failing; the server quotes it",
     .steps = {BANNER, EHLO, C("AUTH PLAIN\r\n"), S("334 \r\n"),
                  C(PLAIN_B64 "\r\n"),
                  S("535 5.7.8 Error: authentication failed: " PLAIN_B64
                    " bobbobbob\r\n"),
                  QUIT},
     .odd = "auth_cleartext",
     .want = {"ses \"outcome\":\"failure\",\"code\":535",
                 "ses {\"command\":\"AUTH\",\"code\":535,\"enhanced\":"
                 "\"5.7.8\"",
                 "ses \"unanswered\":0"},
     .secret = PLAIN_SECRETS,
     },
    {
     .why = "AUTH LOGIN",
     .steps = {BANNER, EHLO, C("AUTH LOGIN\r\n"), S("334 VXNlcm5hbWU6\r\n"),
                  C("Ym9iYm9iYm9i\r\n"), S("334 UGFzc3dvcmQ6\r\n"),
                  C("aHVudGVyMmh1bnRlcjI=\r\n"), S("235 ok\r\n"), FROM, TO,
                  DATA, BODY, DONE, QUIT},
     .odd = "auth_cleartext",
     .want = {"ses \"mechanism\":\"LOGIN\",\"outcome\":\"success\"",
                 "tx0 \"outcome\":\"accepted\"", "ses \"commands\":6"},
     .secret = SECRETS,
     },
    {
     .why = "AUTH LOGIN, all sent at once and refused: lines are commands",
     .steps = {BANNER, EHLO,
                  C("AUTH LOGIN\r\nYm9iYm9iYm9i\r\naHVudGVyMmh1bnRlcjI=\r\n"),
                  S("503 5.5.1 not now\r\n"
                    "500 5.5.1 Command unrecognized: \"Ym9iYm9iYm9i\"\r\n"
                    "500 5.5.1 unrecognized: aHVudGVyMmh1bnRlcjI=\r\n"),
                  QUIT},
     .odd = "pipelining_unoffered,unknown_command,auth_cleartext",
     .want = {"ses \"outcome\":\"failure\",\"code\":503",
                 "ses \"commands\":5"},
     .secret = SECRETS,
     },
    {
     .why = "AUTH LOGIN cancelled",
     .steps = {BANNER, EHLO, C("AUTH LOGIN Ym9iYm9iYm9i\r\n"),
                  S("334 UGFzc3dvcmQ6\r\n"), C("*\r\n"),
                  S("501 5.7.0 cancelled\r\n"), QUIT},
     .odd = "auth_cleartext",
     .want = {"ses \"outcome\":\"cancelled\",\"code\":501"},
     .secret = SECRETS,
     },
    {
     .why = "CRAM-MD5 is not readable",
     .steps = {BANNER, EHLO, C("AUTH CRAM-MD5\r\n"),
                  S("334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2U+\r\n"),
                  C("Ym9iYm9iYm9iIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw"
                    "\r\n"),
                  S("235 ok\r\n"), QUIT},
     .want = {"ses \"mechanism\":\"CRAM-MD5\",\"outcome\":\"success\","
                 "\"code\":235,\"cleartext\":false"},
     .secret = {"Ym9iYm9iYm9i", "bobbobbob", "b913a602c7eda7a4"},
     },
    {
     .why = "a credential where the mechanism should stand",
     .steps = {BANNER, EHLO, C("AUTH hunter2hunter2\r\n"),
                  S("504 5.5.4 hunter2hunter2 unknown\r\n"), QUIT},
     .want = {"ses \"mechanism\":\"other\",\"outcome\":\"failure\""},
     .secret = SECRETS,
     },
    {
     .why = "credentials as commands out of place",
     .steps = {BANNER, EHLO, C("hunter2hunter2\r\n"),
                  S("500 5.5.1 unrecognized hunter2hunter2\r\n"),
                  C("USER bobbobbob\r\n"),
                  S("502 5.5.1 USER bobbobbob what\r\n"), QUIT},
     .odd = "unknown_command",
     .secret = SECRETS,
     },
    {
     .why = "the connection breaks off in AUTH",
     .steps = {BANNER, EHLO, C("AUTH LOGIN\r\n"), S("334 VXNlcm5hbWU6\r\n"),
                  C("Ym9iYm9iYm9i\r\n"), S("334 UGFzc3dvcmQ6\r\n"),
                  C("aHVudGVyMmh1")},
     .odd = "auth_cleartext",
     .want = {"ses \"outcome\":\"unknown\"", "ses \"unanswered\":1"},
     .secret = {"bobbobbob", "Ym9iYm9iYm9i", "aHVudGVyMmh1"},
     },
    {
     .why = "the second challenge was lost",
     .steps = {BANNER, EHLO, C("AUTH LOGIN\r\n"), S("334 VXNlcm5hbWU6\r\n"),
                  C("Ym9iYm9iYm9i\r\n"), LOSE, S("334 UGFzc3dvcmQ6\r\n"),
                  C("aHVudGVyMmh1bnRlcjI=\r\n"), S("235 ok\r\n"), FROM, TO,
                  DATA, BODY, DONE, QUIT},
     .odd = "stream_gap,auth_cleartext",
     .want = {"ses \"outcome\":\"success\"", "tx0 \"outcome\":\"accepted\""},
     .secret = SECRETS,
     },
    {
     .why = "a line of credentials was lost",
     .steps = {BANNER, EHLO, C("AUTH LOGIN\r\n"), S("334 VXNlcm5hbWU6\r\n"),
                  C("Ym9iYm9iYm9i\r\n"), S("334 UGFzc3dvcmQ6\r\n"), LOSE,
                  C("aHVudGVyMmh1bnRlcjI=\r\n"), S("235 ok\r\n"), FROM, TO,
                  DATA, BODY, DONE, QUIT},
     .odd = "stream_gap,auth_cleartext",
     .want = {"ses \"outcome\":\"success\"", "tx0 \"outcome\":\"accepted\""},
     .secret = SECRETS,
     },
};

/* Beginnings of TLS records: a handshake of 4 bytes, application data. */
#define HELLO "\x16\x03\x01\x00\x04\x01\x00\x00\x00"
#define APP   "\x17\x03\x03\x00\x05zzzzz"

static const struct scenario tls[] = {
    {
     .why = "STARTTLS accepted",
     .steps = {BANNER, EHLO, C("STARTTLS\r\n"), S("220 2.0.0 go\r\n"),
                  C(HELLO), S(HELLO), C(APP), S(APP)},
     .want = {"ses \"starttls\":{\"offered\":true,\"used\":true,"
                 "\"code\":220}",
                 "tls \"from_proto\":\"smtp\"", "ses \"app_proto\":\"smtp\"",
                 "ses !\"no_quit\"", "ses \"commands\":2", "!tx0"},
     },
    {
     .why = "STARTTLS accepted, but the client leaves",
     .steps = {BANNER, EHLO, C("STARTTLS\r\n"), S("220 2.0.0 go\r\n")},
     .want = {"ses \"starttls\":{\"offered\":true,\"used\":false,"
                 "\"code\":220}"},
     },
    {
     .why = "STARTTLS refused, then credentials in the clear",
     .steps = {BANNER, EHLO, C("STARTTLS\r\n"), S("454 4.7.0 no\r\n"),
                  C("AUTH PLAIN " PLAIN_B64 "\r\n"), S("235 ok\r\n"), FROM, TO,
                  DATA, BODY, DONE, QUIT},
     .odd = "starttls_refused_auth,auth_cleartext",
     .want = {"ses \"used\":false,\"code\":454",
                 "tx0 \"outcome\":\"accepted\""},
     .secret = PLAIN_SECRETS,
     },
    {
     .why = "commands in the same segment as STARTTLS",
     .steps = {BANNER, EHLO, C("STARTTLS\r\nRSET\r\nMAIL FROM:<evil@x>\r\n"),
                  S("220 go\r\n"), C(HELLO), S(HELLO), C(APP), S(APP)},
     .odd = "starttls_injection",
     .want = {"odd \"event\":\"starttls_injection\"",
                 "odd \"detail\":\"RSET\"", "ses \"injected\":true",
                 "ses \"used\":true", "!tx0"},
     },
    {
     .why = "injection in a segment of its own, blind",
     .steps = {BANNER, EHLO, C("STARTTLS\r\n"), B("NOOP\r\n"),
                  S("220 go\r\n"), C(HELLO), S(HELLO)},
     .odd = "starttls_injection",
     .want = {"ses \"injected\":true", "ses \"used\":true"},
     },
    {
     .why = "the server injects a reply behind its 220",
     .steps = {BANNER, EHLO, C("STARTTLS\r\n"), S("220 go\r\n250 evil\r\n"),
                  C(HELLO), S(HELLO)},
     .odd = "starttls_response_injection",
     },
    {
     .why = "the server complains about the client's hello",
     .steps = {BANNER, EHLO, C("STARTTLS\r\n"), S("220 go\r\n"), C(HELLO),
                  S("454 4.7.0 TLS error\r\n")},
     },
    {
     .why = "after the 220 the client goes on in the clear",
     .steps = {BANNER, EHLO, C("STARTTLS\r\n"), S("220 go\r\n"), FROM, TO,
                  DATA, BODY, DONE, QUIT},
     .odd = "resync",
     .want = {"tx0 \"outcome\":\"accepted\"", "ses \"used\":false"},
     },
    {
     .why = "the offer was overwritten",
     .steps = {BANNER, C("EHLO pc\r\n"),
                  S("250-mx\r\n250-XXXXXXXA\r\n250-XEXCH50\r\n250 SIZE 1\r\n"),
                  QUIT},
     .odd = "starttls_stripped",
     .want = {"ses \"offered\":false", "ses \"stripped\":true",
                 "odd \"dir\":\"toclient\"",
                 "odd \"detail\":\"offer overwritten\""},
     },
    {
     .why = "the command was overwritten",
     .steps = {BANNER, EHLO, C("XXXXXXXX\r\n"), S("500 5.5.1 what\r\n"),
                  QUIT},
     .odd = "starttls_stripped",
     .want = {"odd \"dir\":\"toserver\"", "ses \"stripped\":true"},
     },
    {
     .why = "TLS from the first byte",
     .steps = {C(HELLO), S(HELLO), C(APP), S(APP)},
     .want = {"ses \"app_proto\":\"tls\"", "tls !\"from_proto\"",
                 "ses !\"banner\"", "ses !\"hangup\"", "ses \"commands\":0",
                 "ses \"used\":false"},
     },
    {
     .why = "a hole in TLS",
     .steps = {BANNER, EHLO, C("STARTTLS\r\n"), S("220 2.0.0 go\r\n"),
                  C(HELLO), S(HELLO), LOSE, C(APP), S(APP), C(APP)},
     .odd = "stream_gap",
     .want = {"ses \"used\":true"},
     },
};

#define HIDDEN                                                                 \
    "MAIL FROM:<evil@x>\r\nRCPT TO:<victim@y>\r\nDATA\r\n"                     \
    "From: boss@y\r\n\r\npay\r\n.\r\n"
#define SMUGGLE(name, eod, json)                                               \
    {                                                                          \
        .why = "smuggling behind " name,                                       \
        .steps = {BANNER, EHLO, FROM,                             TO,                              DATA,                                \
                  C("Subject: hi\r\n\r\nyou" eod HIDDEN),                                                                             DONE, QUIT},         \
        .odd = SMUGGLE_ODD,                                                    \
        .want = {"tx0 \"smuggled\":{\"variant\":\"" json                       \
                 "\",\"mail_from\":\"<evil@x>\",\"rcpt_to\":[\"<victim@y>\"]," \
                 "\"accepted\":false}",  "tx0 \"outcome\":\"accepted\"",      "!tx1", "ses \"messages\":1", \
                  "odd \"event\":\"smtp_smuggling\",\"level\":\"high\"", "odd \"event\":\"eod_variant\""},                             \
},                                                                         \
    {                                                                          \
        .why = "nothing hidden behind " name,                                  \
        .steps = {BANNER,                                                      \
                  EHLO,                                                        \
                  FROM,                                                        \
                  TO,                                                          \
                  DATA,                                                        \
                  C("Subject: hi\r\n\r\nyou" eod "mail from me\r\nDATA "       \
                    "is\r\n.\r\n"),                                            \
                  DONE,                                                        \
                  QUIT},                                                       \
        .odd = VARIANT_ODD,                                                    \
        .want = {"tx0 !\"smuggled\"", "tx0 \"outcome\":\"accepted\""},         \
    }

#define SMUGGLE_ODD "bare_lf,eod_variant,smtp_smuggling"
#define VARIANT_ODD "bare_lf,eod_variant"
static const struct scenario smuggling_lf[] = {
    SMUGGLE("LF . LF", "\n.\n", "\\\\n.\\\\n"),
    SMUGGLE("LF . CRLF", "\n.\r\n", "\\\\n.\\\\r\\\\n"),
    SMUGGLE("CRLF . LF", "\r\n.\n", "\\\\r\\\\n.\\\\n"),
};
#undef SMUGGLE_ODD
#undef VARIANT_ODD
#define SMUGGLE_ODD "bare_lf,bare_cr,eod_variant,smtp_smuggling"
#define VARIANT_ODD "bare_lf,bare_cr,eod_variant"
static const struct scenario smuggling_both[] = {
    SMUGGLE("LF . CR", "\n.\r", "\\\\n.\\\\r"),
    SMUGGLE("CR . LF", "\r.\n", "\\\\r.\\\\n"),
};
#undef SMUGGLE_ODD
#undef VARIANT_ODD
#define SMUGGLE_ODD "bare_cr,eod_variant,smtp_smuggling"
#define VARIANT_ODD "bare_cr,eod_variant"
static const struct scenario smuggling_cr[] = {
    SMUGGLE("CR . CR", "\r.\r", "\\\\r.\\\\r"),
    SMUGGLE("CR . CRLF", "\r.\r\n", "\\\\r.\\\\r\\\\n"),
    SMUGGLE("CRLF . CR", "\r\n.\r", "\\\\r\\\\n.\\\\r"),
    SMUGGLE("CRLF . CRCRLF", "\r\n.\r\r\n", "\\\\r\\\\n.\\\\r\\\\r\\\\n"),
    SMUGGLE("CRCRLF . CRCRLF", "\r\r\n.\r\r\n",
            "\\\\r\\\\r\\\\n.\\\\r\\\\r\\\\n"),
};
#undef SMUGGLE_ODD
#undef VARIANT_ODD
#define SMUGGLE_ODD "nul_byte,eod_variant,smtp_smuggling"
#define VARIANT_ODD "nul_byte,eod_variant"
static const struct scenario smuggling_nul[] = {
    SMUGGLE("CRLF NUL . CRLF", "\r\n\0.\r\n", "\\\\r\\\\n\\\\x00.\\\\r\\\\n"),
};

static const struct scenario smuggled[] = {
    {
     .why = "a server that takes the bait after the end",
     .steps = {BANNER, EHLO, FROM, TO, DATA,
                  C("Subject: hi\r\n\r\nyou\n.\r\n" HIDDEN),
                  S("250 queued as 111111\r\n250 ok\r\n250 ok\r\n354 go\r\n"
                    "250 queued as 222222\r\n"),
                  QUIT},
     .odd = "bare_lf,eod_variant,smtp_smuggling",
     .want = {"tx0 \"accepted\":true", "tx0 \"queue_id\":\"111111\"", "!tx1",
                 "ses \"messages\":1"},
     },
    {
     .why = "a server that takes the bait, with QUIT in the same segment",
     .steps = {BANNER, EHLO, FROM, TO, DATA,
                  C("Subject: hi\r\n\r\nyou\n.\r\n" HIDDEN "QUIT\r\n"),
                  S("250 queued as 111111\r\n250 ok\r\n250 ok\r\n354 go\r\n"
                    "250 queued as 222222\r\n221 bye\r\n")},
     .odd = "pipelining_unoffered,bare_lf,eod_variant,smtp_smuggling",
     .want = {"tx0 \"accepted\":true", "tx0 \"queue_id\":\"111111\"",
                 "ses \"unanswered\":0"},
     },
    {
     .why = "a server that answers before the end",
     .steps = {BANNER, EHLO, FROM, TO, DATA,
                  C("Subject: hi\r\n\r\nyou\n.\r\nMAIL FROM:<evil@x>\r\n"),
                  S("250 queued as 111111\r\n250 ok\r\n"),
                  C("RCPT TO:<victim@y>\r\nDATA\r\nx\r\n.\r\n"),
                  S("250 ok\r\n354 go\r\n250 queued as 222222\r\n"), QUIT},
     .odd = "bare_lf,eod_variant,smtp_smuggling",
     .want = {"tx0 \"accepted\":true", "!tx1"},
     },
    {
     .why = "the next mail after one that hides another",
     .steps = {BANNER, EHLO, FROM, TO, DATA,
                  C("Subject: hi\r\n\r\nyou\n.\r\n" HIDDEN), DONE, FROM, TO,
                  DATA, BODY, DONE, QUIT},
     .odd = "bare_lf,eod_variant,smtp_smuggling",
     .want = {"tx0 \"accepted\":false", "tx1 \"outcome\":\"accepted\"",
                 "tx1 !\"smuggled\"", "tx1 \"rcpt_accepted\":1"},
     },
    {
     .why = "words in a body are only words",
     .steps = {BANNER, EHLO, FROM, TO, DATA,
                  C("Subject: STARTTLS\r\n\r\nSTARTTLS\r\nQUIT\r\n"
                    "MAIL FROM:<x@y>\r\nRCPT TO:<z@y>\r\nAUTH PLAIN "
                    "AGJvYgBib2I=\r\nDATA\r\nBDAT 3\r\nXXXXXXXX\r\n"
                    "220 go\r\n..\r\n. \r\n.x\r\n..DATA\r\n.\r\n"),
                  DONE, QUIT},
     .want = {"tx0 \"outcome\":\"accepted\"", "!tx1", "ses \"commands\":5"},
     },
};

static const struct scenario lines[] = {
    {
     .why = "commands that end in LF",
     .steps = {BANNER, C("EHLO pc\n"), S("250 mx\r\n"),
                  C("MAIL FROM:<a@x>\n"), S("250 ok\n"), C("RCPT TO:<b@y>\n"),
                  S("250 ok\n"), C("DATA\n"), S("354 go\n"), BODY, DONE, QUIT},
     .odd = "bare_lf",
     .want = {"tx0 \"outcome\":\"accepted\"", "ses \"eol\":\"mixed\"",
                 "ses \"bare_lf\":true"},
     },
    {
     .why = "NUL in a command",
     .steps = {BANNER, EHLO, C("MAIL FROM:<a\0@x>\r\n"), S("501 no\r\n"),
                  QUIT},
     .odd = "nul_byte",
     .want = {"tx0 \"outcome\":\"rejected\""},
     },
    {
     .why = "every kind of command, more than are noted of",
     .steps = {BANNER,
                  C("EHLO a.example\r\n"),
                  S("250 mx\r\n"),
                  C("HELO a.example\r\n"),
                  S("250 mx\r\n"),
                  C("XFORWARD A=b\r\n"),
                  S("250 ok\r\n"),
                  C("NOOP\r\n"),
                  S("250 ok\r\n"),
                  C("VRFY a\r\n"),
                  S("252 ok\r\n"),
                  C("HELP\r\n"),
                  S("214 ok\r\n"),
                  C("what\r\n"),
                  S("500 what\r\n"),
                  C("ETRN a\r\n"),
                  S("458 no\r\n"),
                  C("BURL a\r\n"),
                  S("503 no\r\n"),
                  C("EXPN a\r\n"),
                  S("252 ok\r\n"),
                  C("TURN\r\n"),
                  S("502 no\r\n"),
                  C("RSET\r\n"),
                  S("250 ok\r\n"),
                  C("XCLIENT A=b\r\n"),
                  S("250 ok\r\n"),
                  C("NOOP\r\n"),
                  S("250 ok\r\n"),
                  C("HELP\r\n"),
                  S("214 ok\r\n"),
                  C("NOOP\r\n"),
                  S("250 ok\r\n"),
                  C("HELP\r\n"),
                  S("214 ok\r\n"),
                  C("NOOP\r\n"),
                  S("250 ok\r\n"),
                  C("HELP\r\n"),
                  S("214 ok\r\n"),
                  C("NOOP\r\n"),
                  S("250 ok\r\n"),
                  C("HELP\r\n"),
                  S("214 ok\r\n"),
                  C("NOOP\r\n"),
                  S("250 ok\r\n"),
                  C("VRFY a\r\n"),
                  S("252 ok\r\n"),
                  C("QUIT\r\n"),
                  S("221 bye\r\n"),
                  C("NOOP\r\n"),
                  S("250 ok\r\n")},
     .odd = "unknown_command",
     .want = {"ses \"order\":\"EHONVO?TUVTXONONONONONVQ\"",
                 "ses \"commands\":25"},
     },
    {
     .why = "HTTP on a mail port",
     .steps = {BANNER, C("GET / HTTP/1.1\r\nHost: mx\r\n\r\n"),
                  S("500 what\r\n500 what\r\n500 what\r\n")},
     .odd = "pipelining_unoffered,non_smtp_command,unknown_command",
     .want = {"ses \"non_smtp_command\":true", "!tx0"},
     },
    {
     .why = "another protocol",
     .steps = {S("SSH-2.0-OpenSSH_9.2\r\n"), C("SSH-2.0-x\r\n")},
     .odd = "pregreet,unknown_command,bad_reply,not_smtp",
     .want = {"ses \"hello\":\"none\"", "ses \"app_proto\":\"ssh\""},
     .name_others = true,
     },
    {
     .why = "bytes above 127 and odd line ends in a message",
     .steps = {BANNER, EHLO, FROM, TO, DATA,
                  C("Subject: hi\r\n\r\nd\xc3\xb6rte\nx\ry\r\n.\r\n"), DONE,
                  QUIT},
     .odd = "bare_lf,bare_cr",
     .want = {"tx0 \"has_8bit\":true", "ses \"bare_lf\":true"},
     },
};
/* clang-format on */

#define RUN(name)                                                              \
    static void test_##name(void **state)                                      \
    {                                                                          \
        (void)state;                                                           \
        run_scenarios(name, sizeof(name) / sizeof(name[0]));                   \
    }

RUN(auth)
RUN(tls)
RUN(smuggling_lf)
RUN(smuggling_both)
RUN(smuggling_cr)
RUN(smuggling_nul)
RUN(smuggled)
RUN(lines)

/* ---- message bytes: exact count and digest ---- */

static const struct {
    const char *why;
    const char *wire; /* after DATA, without the final dot line */
    const char *text; /* what was sent by it */
} bodies[] = {
    {"plain",                      "a\r\nb\r\n",                "a\r\nb\r\n"              },
    {"empty",                      "",                          ""                        },
    {"one empty line",             "\r\n",                      "\r\n"                    },
    {"stuffed dot",                "..\r\n",                    ".\r\n"                   },
    {"two stuffed dots",           "...\r\n",                   "..\r\n"                  },
    {"stuffed word",               "..x\r\n.y\r\n",             ".x\r\ny\r\n"             },
    {"dots in lines",              "a.\r\n.b.\r\n..\r\n",       "a.\r\nb.\r\n.\r\n"       },
    {"dot, space",                 ". \r\n",                    " \r\n"                   },
    {"CRCRLF",                     "a\r\r\n..b\r\n",            "a\r\r\n.b\r\n"           },
    {"bare LF before a dot stays", "a\n..b\r\n",                "a\n..b\r\n"              },
    {"variants are content",       "a\n.\nb\r\n",               "a\n.\nb\r\n"             },
    {"dot, CR",                    ".\rx\r\n",                  "\rx\r\n"                 },
    {"dot, CR, CR",                ".\r\rx\r\n",                "\r\rx\r\n"               },
    {"dot, LF",                    ".\nx\r\n",                  "\nx\r\n"                 },
    {"dot, CR, CRLF",              ".\r\r\nx\r\n",              "\r\r\nx\r\n"             },
    {"dot, CR, dot",               ".\r.\rx\r\n",               "\r.\rx\r\n"              },
    {"CR dot CR dot",              "\r.\r.\r.\n.\r\n.\n.x\r\n", "\r.\r.\r.\n.\r\n\n.x\r\n"},
};

static void
test_bodies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        static struct scenario sc;
        char wire[128];
        char sum[128];
        char bytes[64];
        uint8_t digest[32];
        size_t at = 0;
        struct scenario base = {
            .why = bodies[i].why,
            .steps =
                {BANNER, EHLO, FROM, TO, DATA, {STEP_C, wire, 0}, DONE, QUIT},
            .digest = true,
            .want = {bytes,    sum   },
        };
        struct wire w;
        struct got whole;
        struct play p;

        sc = base;
        (void)snprintf(wire, sizeof(wire), "%s.\r\n", bodies[i].wire);
        while (sc.steps[at].text != wire)
            at++;
        sc.steps[at].n = strlen(wire);
        (void)SHA256((const uint8_t *)bodies[i].text, strlen(bodies[i].text),
                     digest);
        (void)snprintf(bytes, sizeof(bytes), "tx0 \"message_bytes\":%zu,",
                       strlen(bodies[i].text));
        (void)snprintf(sum, sizeof(sum), "tx0 \"body_sha256\":\"");
        for (size_t k = 0; k < sizeof(digest); k++)
            (void)snprintf(sum + strlen(sum), 3, "%02x", digest[k]);
        w = wire_of(&sc);
        got_init(&whole);
        play_open(&p, &sc, &whole);
        play_wire(&p, &w);
        play_close(&p, w.end);
        check_want(&sc, buf_view(&whole.lines), bytes);
        check_want(&sc, buf_view(&whole.lines), sum);
        run_cut(&sc, &w, &whole, 0, 0);
        for (size_t k = 1; k < strlen(wire); k++)
            run_cut(&sc, &w, &whole, at, k);
        got_free(&whole);
    }
}

/* Command lines at the limit and beyond, whole and byte by byte. */
static void
test_long_lines(void **state)
{
    static const struct {
        size_t n;
        bool cut;
    } rows[] = {
        {8191, false},
        {8192, false},
        {8193, true },
        {9000, true }
    };
    static char line[9100];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct scenario sc = {
            .why = "a long line",
            .steps = {BANNER,
                      EHLO, {STEP_C, line, rows[i].n + 2},
                      S("500 5.5.2 too long\r\n"),
                      FROM, TO,
                      DATA, BODY,
                      DONE, QUIT},
            .odd = rows[i].cut ? "line_too_long" : NULL,
            .want = {"tx0 \"outcome\":\"accepted\"", "ses \"commands\":6"},
            .whole_only = true,
        };
        struct wire w = wire_of(&sc);
        struct got whole;
        struct play p;

        memset(line, 'a', sizeof(line));
        memcpy(line, "NOOP ", 5);
        memcpy(line + rows[i].n, "\r\n", 2);
        run_scenario(&sc);
        got_init(&whole);
        play_open(&p, &sc, &whole);
        play_wire(&p, &w);
        play_close(&p, w.end);
        run_cut(&sc, &w, &whole, 0, 0);
        run_cut(&sc, &w, &whole, 3, rows[i].n);
        run_cut(&sc, &w, &whole, 3, rows[i].n + 1);
        got_free(&whole);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_auth),
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_smuggling_lf),
        cmocka_unit_test(test_smuggling_both),
        cmocka_unit_test(test_smuggling_cr),
        cmocka_unit_test(test_smuggling_nul),
        cmocka_unit_test(test_smuggled),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_long_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
