#include "dissectors/protocol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
    const char *why, *client, *server, *want;
} rows[] = {
    {"SSH both sides",     "SSH-2.0-PuTTY_0.78\r\n",            "SSH-2.0-OpenSSH_9.2\r\n",
     "ssh"                                                                                                   },
    {"HTTP by the client", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "",                                   "http" },
    {"HTTP by the server", "x",                                 "HTTP/1.0 400 Bad Request\r\n",       "http" },
    {"POP3",               "USER u\r\nPASS p\r\nSTAT\r\n",      "+OK\r\n+OK\r\n+OK\r\n",              "pop3" },
    {"IMAP",               "a1 NOOP\r\na2 LOGIN u p\r\n",       "* OK IMAP4 ready\r\na1 OK\r\n",
     "imap"                                                                                                  },
    {"FTP",                "USER a\r\nPASS b\r\n",              "220 FTP\r\n331 name?\r\n230 ok\r\n",
     "ftp"                                                                                                   },
    {"VNC",                "RFB 003.008\n",                     "RFB 003.008\n",                      "vnc"  },
    {"Redis",              "*1\r\n$4\r\nPING\r\n",              "+PONG\r\n",                          "redis"},
    {"nothing said",       "",                                  "",                                   NULL   },
    {"random",             "\x81\x92\x17\x03 zz",               "\x99\xfe\x01",                       NULL   },
    {"nobody's",           "hello\r\n",                         "what do you want?\r\n",              NULL   },
};

static void
test_table(void **state)
{
    struct ndpi_lines *p;

    (void)state;
    assert_int_equal(ndpi_lines_new(&p), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *got = protocol_name(p, span_str(rows[i].client),
                                        span_str(rows[i].server));

        if ((got == NULL) != (rows[i].want == NULL) ||
            (got != NULL && strcmp(got, rows[i].want) != 0))
            fail_msg("%s: %s", rows[i].why, got != NULL ? got : "none");
    }
    ndpi_lines_free(p);
}

static void
test_without_library(void **state)
{
    (void)state;
    assert_string_equal(
        protocol_name(NULL, SPAN_LIT("GET / HTTP/1.1\r\n"), SPAN_NONE), "http");
    assert_null(protocol_name(NULL, SPAN_LIT("SSH-2.0-x\r\n"), SPAN_NONE));
    ndpi_lines_free(NULL);
}

/* Bytes of every kind and length up to and past what is looked at. */
static void
test_hostile(void **state)
{
    struct ndpi_lines *p;
    uint32_t seed = 1;

    (void)state;
    assert_int_equal(ndpi_lines_new(&p), ERR_OK);
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t *bytes = malloc(2 * PROTOCOL_BYTES);
        const size_t n = round % (PROTOCOL_BYTES + 2);
        const char *head = rows[round % ARRAY_LEN(rows)].client;

        assert_non_null(bytes);
        for (size_t i = 0; i < 2 * PROTOCOL_BYTES; i++) {
            seed = seed * 1664525 + 1013904223;
            bytes[i] = (uint8_t)(seed >> 24);
        }
        memcpy(bytes, head, strlen(head));
        (void)protocol_name(p, span_of(bytes, n),
                            span_of(bytes + PROTOCOL_BYTES - n / 2, n));
        free(bytes);
    }
    ndpi_lines_free(p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_without_library),
        cmocka_unit_test(test_hostile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
