#include "dissectors/smtp_mask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sensor/base/attr.h"
#include "sensor/base/buf.h"

#define KEEP_MAX 4096U

static void
mask(struct span in, const uint8_t *keep, char *out)
{
    for (size_t i = 0; i < in.n; i++)
        out[i] = keep[i] ? (char)in.p[i] : 'x';
    out[in.n] = '\0';
}

#define BOTH 2

static const struct {
    const char *why;
    int redact; /* BOTH: the same with and without */
    const char *in, *want;
} clients[] = {
    {"commands and what they need",                         BOTH,
     "EHLO a.b\r\nMAIL FROM:<a@b> SIZE=1\r\nRCPT TO:<c@d>\r\nQUIT\r\n",                                            "EHLO a.b\r\nMAIL FROM:<a@b> SIZE=1\r\nRCPT TO:<c@d>\r\nQUIT\r\n"},
    {"arguments of others, unknown lines",                  BOTH, "NOOP secret\r\nfoo bar\r\n",
     "NOOPxxxxxxx\r\nxxxxxxx\r\n"                                                                                                                                                   },
    {"a control character ends what is shown",              BOTH, "EHLO a\vAUTH b\r\n",
     "EHLO axxxxxxx\r\n"                                                                                                                                                            },
    {"AUTH with an initial response",                       BOTH,
     "AUTH PLAIN c2Vj\r\nMAIL FROM:<>\r\n",                                                                        "AUTH PLAINxxxxx\r\nMAIL FROM:<>\r\n"                            },
    {"AUTH LOGIN, whatever the responses look like",        BOTH,
     "AUTH LOGIN\r\nQUIT\r\nDATA\r\n",                                                                             "AUTH LOGIN\r\nxxxx\r\nxxxx\r\n"                                 },
    {"a secret in place of the mechanism",                  BOTH, "AUTH c2Vj\r\n",
     "AUTH xxxx\r\n"                                                                                                                                                                },
    {"AUTH written oddly",                                  BOTH, " aUtH\tPLAIN c2Vj\r\n",
     "xxxxxxxxxxxxxxxx\r\n"                                                                                                                                                         },
    {"AUTH with a NUL in it",                               BOTH, "EHLO a\nAU\001TH PLAIN c2Vj\r\n",
     "EHLO a\nxxxxxxxxxxxxxxxx\r\n"                                                                                                                                                 },
    {"a bare CR before it",                                 BOTH, "EHLO a\rAUTH PLAIN c2Vj\r\nabc\r\n",
     "EHLO a\rAUTH PLAINxxxxx\r\nxxx\r\n"                                                                                                                                           },
    {"AUTH= of MAIL",                                       BOTH, "MAIL FROM:<a> auth=<b>\r\n",
     "MAIL FROM:<a> xxxxxxxx\r\n"                                                                                                                                                   },
    {"a message",                                           0,    "DATA\r\nA: b\r\n\r\nhi\r\n.\r\nQUIT\r\n",
     "DATA\r\nA: b\r\n\r\nhi\r\n.\r\nQUIT\r\n"                                                                                                                                      },
    {"a message, redacted",                                 1,    "DATA\r\nA: b\r\n c\r\n\r\nhi\r\n.\r\nQUIT\r\n",
     "DATA\r\nA: b\r\n c\r\nxxxxxx.\r\nQUIT\r\n"                                                                                                                                    },
    {"a body without a header",                             1,    "DATA\r\nhi\r\nA: b\r\n.\r\n",
     "DATA\r\nxxxxxxxxxx.\r\n"                                                                                                                                                      },
    {"a header that ends by bare LF",                       1,    "DATA\r\nA: b\n\nC: d\r\n.\r\n",
     "DATA\r\nA: b\nxxxxxxx.\r\n"                                                                                                                                                   },
    {"a header that ends by bare CR",                       1,    "DATA\r\nA: b\r\rC: d\r\n.\r\n",
     "DATA\r\nA: b\rxxxxxxx.\r\n"                                                                                                                                                   },
    {"no field, no folding",                                1,    "DATA\r\n body\r\n.\r\n",
     "DATA\r\nxxxxxxx.\r\n"                                                                                                                                                         },
    {"AUTH in a message: DATA may have been refused",       0,
     "DATA\r\nAUTH LOGIN\r\nc2Vj\r\nMAIL FROM:<>\r\nhi\r\n.\r\n",                                                  "DATA\r\nAUTH LOGIN\r\nxxxxxxMAIL FROM:<>\r\nhi\r\n.\r\n"        },
    {"the same redacted",                                   1,    "DATA\r\nAUTH LOGIN\r\nc2Vj\r\n.\r\nc2Vj\r\n",
     "DATA\r\nxxxxxxxxxxxxxxxxxx.\r\nxxxx\r\n"                                                                                                                                      },
    {"smuggling by LF",                                     0,
     "DATA\r\nA: b\n.\nAUTH PLAIN c2Vj\r\nhi\r\n.\r\nRSET\r\nEHLO a\r\n",                                          "DATA\r\nA: b\nxxAUTH PLAINxxxxx\r\nxxxx.\r\nxxxx\r\nEHLO a\r\n" },
    {"smuggling by LF CRLF, redacted",                      1,
     "DATA\r\n\r\nhi\n.\r\nMAIL FROM:<a>\r\nDATA\r\nho\r\n.\r\nQUIT\r\n",                                          "DATA\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.\r\nQUIT\r\n"         },
    {"smuggling by CR",                                     1,    "DATA\r\n\rhi\r.\rRSET\r\n.\r\n",
     "DATA\r\nxxxxxxxxxxxx.\r\n"                                                                                                                                                    },
    {"DATA by LF: the dot may be the message's first line", 1,
     "DATA\n.\r\nEHLO a\r\n.\r\nQUIT\r\n",                                                                         "DATA\nxxxxxxxxxxx.\r\nQUIT\r\n"                                 },
    {"a chunk",                                             0,    "BDAT 4\r\nhi\r\nQUIT\r\n",                      "BDAT 4\r\nhi\r\nQUIT\r\n"                                       },
    {"a chunk, redacted",                                   1,
     "MAIL FROM:<>\r\nBDAT 10 LAST\r\nA: b\r\n\r\nhiQUIT\r\n",                                                     "MAIL FROM:<>\r\nBDAT 10 LAST\r\nA: b\r\nxxxxQUIT\r\n"           },
    {"a chunk that ends in a field",                        1,
     "MAIL FROM:<>\r\nBDAT 4\r\nA: bBDAT 3\r\nC:dQUIT\r\n",                                                        "MAIL FROM:<>\r\nBDAT 4\r\nA: bBDAT 3\r\nxxxQUIT\r\n"            },
    {"AUTH that begins in a chunk",                         0,    "BDAT 11\r\nAUTH PLAIN c2Vj\r\n",
     "BDAT 11\r\nAUTH PLAINxxxxx\r\n"                                                                                                                                               },
    {"AUTH that a chunk cuts",                              0,    "BDAT 3\r\nAUTH PLAIN c2Vj\r\n",
     "BDAT 3\r\nAUTxxxxxxxxxxxx\r\n"                                                                                                                                                },
    {"a chunk of a size that cannot be read",               BOTH,
     "BDAT 0x4\r\nhi\r\nQUIT\r\n",                                                                                 "BDAT 0x4\r\nxxxxxxxxxx"                                         },
    {"a chunk with a leading zero",                         BOTH, "BDAT 010\r\nhi\r\nQUIT\r\n",
     "BDAT 010\r\nxxxxxxxxxx"                                                                                                                                                       },
    {"DATA in a chunk that may be commands",                1,
     "BDAT 6\r\nDATA\r\nEHLO body\r\n",                                                                            "BDAT 6\r\nxxxxxxxxxxxxxxxxx"                                    },
    {"BDAT in a message that may be commands",              1,
     "DATA\r\nBDAT 99\r\n.\r\nEHLO body\r\n",                                                                      "DATA\r\nxxxxxxxxxxxxxxxxxxxxxxx"                                },
    {"BDAT in a chunk that may be commands",                1,
     "BDAT 9\r\nBDAT 99\r\nEHLO body\r\n",                                                                         "BDAT 9\r\nxxxxxxxxxxxxxxxxxxxx"                                 },
    {"STARTTLS that is none",                               BOTH, "STARTTLS\r\nAUTH PLAIN c2Vj\r\n",
     "STARTTLS\r\nAUTH PLAINxxxxx\r\n"                                                                                                                                              },
    {"a line without an end",                               BOTH, "AUTH PLAIN c2V",                                "AUTH PLAINxxxx"                                                 },
    {"nothing",                                             BOTH, "",                                              ""                                                               },
};

static void
shows_of_clients(void **state)
{
    uint8_t keep[KEEP_MAX];
    char got[KEEP_MAX];
    unsigned bad = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
        const struct span in = span_str(clients[i].in);

        for (int redact = 0; redact < 2; redact++) {
            if (clients[i].redact != BOTH && clients[i].redact != redact)
                continue;
            (void)smtp_mask_client(in, redact != 0, keep);
            mask(in, keep, got);
            if (strcmp(got, clients[i].want) != 0)
                print_error("%s (%d):\n%s\n%s\n", clients[i].why, redact, got,
                            clients[i].want),
                    bad++;
        }
    }
    assert_int_equal(bad, 0);
}

static const struct {
    const char *why;
    bool strict;
    const char *in, *want;
} servers[] = {
    {"texts",                false, "220 hi\r\n250-AUTH x\r\n250 ok\r\n500 what\r\n",
     "220 hi\r\n250-AUTH x\r\n250 ok\r\n500 what\r\n"                                                          },
    {"strict",               true,  "220 hi\r\n500 what\r\n535-no\r\n550 no\r\n354 go\r\n",
     "220 hi\r\n500 xxxx\r\n535-xx\r\n550 no\r\n354 go\r\n"                                                    },
    {"a challenge",          false, "334 PDEyMz4=\r\n",                                     "334 xxxxxxxx\r\n" },
    {"no reply",             false, "hello\r\n25 a\r\n250\r\n250xa\r\n",
     "xxxxx\r\nxxxx\r\n250\r\n250xx\r\n"                                                                       },
    {"AUTH= that is quoted", false, "250 ok AUTH=a\r\n",                                    "250 ok xxxxxx\r\n"},
};

static void
shows_of_servers(void **state)
{
    uint8_t keep[KEEP_MAX];
    char got[KEEP_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(servers); i++) {
        const struct span in = span_str(servers[i].in);

        smtp_mask_server(in, servers[i].strict, keep);
        mask(in, keep, got);
        if (strcmp(got, servers[i].want) != 0)
            fail_msg("%s:\n%s\n%s", servers[i].why, got, servers[i].want);
    }
}

static void
shows_handshakes(void **state)
{
    static const char stream[] = "STARTTLS\r\n"
                                 "\x16\x03\x01\x00\x03"
                                 "abc"
                                 "\x14\x03\x03\x00\x01"
                                 "d"
                                 "\x17\x03\x03\x00\x02"
                                 "ef"
                                 "\x16\x03\x03\x00\x01"
                                 "g";
    static const char hidden[] = "\x16\x03\x01\x00\x0f"
                                 "\r\nAUTH PLAIN xx";
    const struct span s = span_of(stream, sizeof(stream) - 1);
    const struct span h = span_of(hidden, sizeof(hidden) - 1);
    uint8_t keep[KEEP_MAX];

    (void)state;
    (void)smtp_mask_client(s, true, keep);
    for (size_t i = 0; i < s.n; i++)
        assert_int_equal(keep[i], i < 10 + 8 + 6);
    assert_true(smtp_mask_client(h, false, keep));
    for (size_t i = 0; i < h.n; i++)
        assert_int_equal(keep[i], 0);
}

static void
tells_auth(void **state)
{
    uint8_t keep[64];

    (void)state;
    assert_false(smtp_mask_client(SPAN_LIT("EHLO a\r\nQUIT\r\n"), false, keep));
    assert_true(smtp_mask_client(SPAN_LIT("auth plain\r\n"), false, keep));
    assert_true(smtp_mask_client(SPAN_LIT("BDAT x\r\n"), false, keep));
}

/* A response that no command looks like, at any place of any stream of pieces:
 * it is never shown. */
static void
never_shows_a_response(void **state)
{
    static const char *const pieces[] = {
        "DATA\r\n",   "\r\n.\r\n",        "\n.\n",      "EHLO a\r\n",
        "BDAT 7\r\n", "A: b\r\n",         "STARTTLS\n", "\r",
        "x",          "MAIL FROM:<>\r\n", ".",          "RSET\r\n",
    };
    uint8_t keep[KEEP_MAX];
    uint32_t seed = 1;

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        struct buf b;
        size_t at;

        buf_init(&b, KEEP_MAX);
        for (unsigned k = 0; k < 12; k++) {
            seed = seed * 1664525 + 1013904223;
            buf_str(&b, pieces[(seed >> 16) % ARRAY_LEN(pieces)]);
            if (k == 6)
                buf_str(&b, "\nAUTH LOGIN\r\nc2VjcmV0\r\n");
        }
        at = span_search(buf_view(&b), SPAN_LIT("c2VjcmV0"));
        (void)smtp_mask_client(buf_view(&b), round % 2 != 0, keep);
        for (size_t i = 0; i < 8; i++)
            assert_int_equal(keep[at + i], 0);
        buf_free(&b);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_of_clients),
        cmocka_unit_test(shows_of_servers),
        cmocka_unit_test(shows_handshakes),
        cmocka_unit_test(tells_auth),
        cmocka_unit_test(never_shows_a_response),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
