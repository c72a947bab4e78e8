#include "dissectors/smtp_suspect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sensor/base/buf.h"

/* tests/odd_ports.def has the conversations; here is what bounds them. */

struct kit {
    struct smtp_suspects all;
    struct mem m;
    struct flow flow;
    void *state;
};

static struct kit
kit_of(struct ndpi_lines *ndpi)
{
    struct kit k = {
        .all = {.ndpi = ndpi, .evidence = SMTP_SUSPECT_EVIDENCE},
        .m = {.max = UINT64_C(1) << 30           }
    };

    k.flow.half[DIR_C2S].packets = k.flow.half[DIR_S2C].packets = 1;
    return k;
}

static int
ask(struct kit *k, const char *c2s, const char *s2c)
{
    return smtp_suspect_ask(&k->all, &k->flow, &k->state, span_str(c2s),
                            span_str(s2c), &k->m);
}

static void
done(struct kit *k)
{
    smtp_suspect_end(&k->all, &k->flow, &k->state, &k->m);
    assert_int_equal(k->m.used, 0);
    assert_int_equal(k->all.n[0], 0);
}

static const struct {
    const char *why, *client, *server;
    int want, want_alone; /* without nDPI */
    bool only_server, midstream;
} rows[] = {
    {"nothing yet",                       "",                                            "",                                     0,               0,                false, false},
    {"half a line",                       "MAIL FROM:<a@b>",                             "250 ",                                 0,               0,                false, false},
    {"two of our own",                    "RCPT TO:<a@b>\r\nRCPT TO:<c@d>\r\n",          "",
     FLOW_FOUND_PROBE,                                                                                                                            FLOW_FOUND_PROBE, false, false},
    {"one of our own",                    "RCPT TO:<a@b>\r\n",                           "",                                     0,               0,                false, false},
    {"three kinds, one our own",          "NOOP\r\nRCPT TO:<a@b>\r\n",                   "250 ok\r\n",
     FLOW_FOUND_NDPI,                                                                                                                             0,                false, false},
    {"three kinds, DATA and 354",         "NOOP\r\nDATA\r\n",                            "250 ok\r\n354 go\r\n",
     FLOW_FOUND_NDPI,                                                                                                                             0,                false, false},
    {"three kinds, none our own",         "NOOP\r\nRSET\r\nHELP\r\n",
     "220 ok\r\n250 ok\r\n",                                                                                                     0,               0,                false, false},
    {"only replies, some our own",        "",                                            "220 a\r\n250-SIZE\r\n354 go\r\n",
     FLOW_FOUND_NDPI,                                                                                                                             0,                true,  false},
    {"the same, and something else",      "",                                            "220 a\r\nx\r\n250-SIZE\r\n354 go\r\n",
     0,                                                                                                                                           0,                true,  false},
    {"the same, cut at its beginning",    "",
     "x\r\n220 a\r\n250-SIZE\r\n354 go\r\n",                                                                                     FLOW_FOUND_NDPI, 0,                true,  true },
    {"only replies, the client is known", "",                                            "220 a\r\n250-SIZE\r\n354 go\r\n",
     0,                                                                                                                                           0,                false, false},
    {"bytes of a binary protocol",        "\x16\x03\x01",                                "",                                     -1,              -1,               false, false},
    {"the same later",                    "NOOP\r\n\x01\r\n",                            "",                                     -1,              -1,               false, false},
    {"high bytes are text",               "MAIL FROM:<\xc3\xa4@b>\r\nRCPT TO:<a@b>\r\n", "",
     FLOW_FOUND_PROBE,                                                                                                                            FLOW_FOUND_PROBE, false, false},
    {"an empty line first",               "\r\n\r\nRCPT TO:<a@b>\r\nRCPT TO:<a@b>\r\n",  "",
     FLOW_FOUND_PROBE,                                                                                                                            FLOW_FOUND_PROBE, false, false},
};

static void
check_row(size_t i, struct ndpi_lines *ndpi, int want)
{
    struct kit k = kit_of(ndpi);
    int got;

    if (rows[i].only_server)
        k.flow.half[DIR_C2S].packets = 0;
    k.flow.midstream = rows[i].midstream;
    got = ask(&k, rows[i].client, rows[i].server);
    if (got != want)
        fail_msg("%s: %d, not %d", rows[i].why, got, want);
    assert_int_equal(k.all.stats.found, want > 0);
    done(&k);
}

static void
test_table(void **state)
{
    struct ndpi_lines *ndpi = NULL;
    const enum err e = ndpi_lines_new(&ndpi);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        check_row(i, NULL, rows[i].want_alone);
        if (e == ERR_OK)
            check_row(i, ndpi, rows[i].want);
    }
    ndpi_lines_free(ndpi);
}

/* The last line that counts, and the one behind it. */
static void
test_lines(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    for (unsigned before = SMTP_SUSPECT_LINES - 3; before <= SMTP_SUSPECT_LINES;
         before++) {
        struct kit k = kit_of(NULL);

        buf_reset(&b);
        for (unsigned i = 0; i < before; i++)
            buf_str(&b, "what\r\n");
        buf_str(&b, "RCPT TO:<a@b>\r\nRCPT TO:<a@b>\r\n");
        buf_putc(&b, '\0');
        assert_int_equal(ask(&k, (const char *)b.p, ""),
                         before + 2 <= SMTP_SUSPECT_LINES ? FLOW_FOUND_PROBE
                                                          : -1);
        done(&k);
    }
    buf_free(&b);
}

/* Replies of many lines count as one, and byte by byte says the same. */
static void
test_continued(void **state)
{
    static const char text[] =
        "250-mx\r\n250-A\r\n250-B\r\n250-C\r\n250-D\r\n250-E\r\n250-F\r\n"
        "250-G\r\n250-H\r\n250-I\r\n250-J\r\n250-K\r\n250-L\r\n250-M\r\n"
        "250-N\r\n250-O\r\n250-P\r\n250-Q\r\n250-SIZE\r\n250 R\r\n354 go\r\n"
        "220 x\r\n";
    struct ndpi_lines *ndpi = NULL;
    struct kit k;
    int v = 0;

    (void)state;
    if (ndpi_lines_new(&ndpi) != ERR_OK)
        return;
    k = kit_of(ndpi);
    k.flow.half[DIR_C2S].packets = 0;
    for (size_t n = 1; n < sizeof(text) && v == 0; n++)
        v = smtp_suspect_ask(&k.all, &k.flow, &k.state, SPAN_NONE,
                             span_of(text, n), &k.m);
    assert_int_equal(v, FLOW_FOUND_NDPI);
    done(&k);
    ndpi_lines_free(ndpi);
}

static void
test_room(void **state)
{
    void *one[SMTP_SUSPECTS_MAX + 1] = {0};
    struct kit k = kit_of(NULL);

    (void)state;
    for (unsigned i = 0; i <= SMTP_SUSPECTS_MAX; i++) {
        const int want = i < SMTP_SUSPECTS_MAX ? 0 : -1;

        k.state = NULL;
        assert_int_equal(ask(&k, "NOOP\r\n", ""), want);
        one[i] = k.state;
    }
    assert_int_equal(k.all.stats.shown, SMTP_SUSPECTS_MAX);
    assert_int_equal(k.all.stats.refused, 1);
    k.state = NULL;
    k.flow.shard = 1; /* another shard has room of its own */
    assert_int_equal(ask(&k, "NOOP\r\n", ""), 0);
    smtp_suspect_end(&k.all, &k.flow, &k.state, &k.m);
    k.flow.shard = 0;
    for (unsigned i = 0; i <= SMTP_SUSPECTS_MAX; i++)
        smtp_suspect_end(&k.all, &k.flow, &one[i], &k.m);
    done(&k);
}

/* Each allocation refused. */
static void
test_no_memory(void **state)
{
    struct ndpi_lines *ndpi = NULL;

    (void)state;
    if (ndpi_lines_new(&ndpi) != ERR_OK)
        ndpi = NULL;
    for (uint64_t max = 0; max < 1024; max += 16) {
        struct kit k = kit_of(ndpi);
        int v;

        k.m.max = max;
        v = ask(&k, "NOOP\r\n", "");
        assert_int_equal(v, k.state != NULL ? 0 : -1);
        assert_int_equal(k.all.stats.refused, v < 0);
        done(&k);
    }
    ndpi_lines_free(ndpi);
}

/* Any bytes at all: no verdict but those there are, nothing kept. */
static void
test_hostile(void **state)
{
    static const char *const heads[] = {"220-a\r\n250 ", "AUTH PLAIN ",
                                        "MAIL FROM:<", "354 \r\n", ""};
    struct ndpi_lines *ndpi = NULL;
    uint32_t seed = 1;

    (void)state;
    if (ndpi_lines_new(&ndpi) != ERR_OK)
        ndpi = NULL;
    for (unsigned round = 0; round < 5000; round++) {
        struct kit k = kit_of(ndpi);
        const size_t n = round % 600;
        uint8_t *bytes = malloc(n + 1);
        const char *head = heads[round % ARRAY_LEN(heads)];

        assert_non_null(bytes);
        for (size_t i = 0; i < n; i++) {
            seed = seed * 1664525 + 1013904223;
            bytes[i] =
                (uint8_t)(seed >> 24) % 8 == 0 ? '\n' : (uint8_t)(seed >> 16);
            if (round % 2 == 0 && bytes[i] != '\n')
                bytes[i] = (uint8_t)(' ' + bytes[i] % 95);
        }
        if (strlen(head) <= n)
            memcpy(bytes, head, strlen(head));
        (void)smtp_suspect_ask(&k.all, &k.flow, &k.state, span_of(bytes, n / 2),
                               span_of(bytes, n), &k.m);
        done(&k);
        free(bytes);
    }
    ndpi_lines_free(ndpi);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),     cmocka_unit_test(test_lines),
        cmocka_unit_test(test_continued), cmocka_unit_test(test_room),
        cmocka_unit_test(test_no_memory), cmocka_unit_test(test_hostile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
