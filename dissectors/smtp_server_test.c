/* smtp_server_test - loss at every place, limits, memory */
#include "dissectors/smtp_script.h"
#include "sensor/event/anomaly.h"

/* clang-format off: version 14 does not live through such tables */
#define BANNER S("220 mx.example.org ESMTP Postfix\r\n")
#define EHLO                                                                   \
    C("EHLO out.example.net\r\n"),                                             \
        S("250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n"      \
          "250-VRFY\r\n250-ETRN\r\n250-STARTTLS\r\n250-ENHANCEDSTATUSCODES"    \
          "\r\n250-8BITMIME\r\n250 DSN\r\n")
#define QUIT C("QUIT\r\n"), S("221 2.0.0 Bye\r\n")
#define BODY(k)                                                                \
    "From: m" k "@x\r\nSubject: mail " k "\r\n\r\nfirst line\r\n..\r\nthird" k \
    "\r\n.\r\n"
#define LOCKSTEP(k)                                                            \
    C("MAIL FROM:<m" k "@x>\r\n"), S("250 2.1.0 Ok\r\n"),                      \
        C("RCPT TO:<r" k "@y>\r\n"), S("250 2.1.5 Ok\r\n"), C("DATA\r\n"),     \
        S("354 go\r\n"), C(BODY(k)),                                           \
        S("250 2.0.0 Ok: queued as Q" k "Q" k "\r\n")
#define PIPELINED(k)                                                           \
    C("MAIL FROM:<m" k "@x>\r\nRCPT TO:<r" k "@y>\r\nDATA\r\n"),               \
        S("250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 go\r\n"), C(BODY(k)),           \
        S("250 2.0.0 Ok: queued as Q" k "Q" k "\r\n")

static const struct scenario lockstep = {
    .why = "lock-step",
    .steps = {BANNER, EHLO, LOCKSTEP("11"), LOCKSTEP("22"), LOCKSTEP("33"),
              QUIT},
};

static const struct scenario pipelined = {
    .why = "pipelined",
    .steps = {BANNER, EHLO, PIPELINED("11"), PIPELINED("22"), PIPELINED("33"),
              QUIT},
};
/* clang-format on */

/* ---- loss ---- */

static size_t
events_at(const struct wire *w, const struct play *p, bool last)
{
    size_t found = last ? 0 : w->n;

    for (size_t i = 0; i < w->n; i++) {
        const struct chunk *c = &w->e[i].c;
        const uint64_t *l = p->lost[c->dir];

        if (l[0] == l[1] || l[1] <= c->offset || l[0] >= c->offset + c->data.n)
            continue;
        if (last || found == w->n)
            found = i;
    }
    return found;
}

/* Mails that the loss did not touch must be right. per: events of one. */
static void
check_mails(const struct scenario *sc, const struct wire *w,
            const struct play *p, struct span lines, size_t per)
{
    size_t first = events_at(w, p, false);
    size_t last = events_at(w, p, true);

    for (unsigned k = 1; k <= 3; k++) {
        size_t begin = 3 + (k - 1) * per;
        char from[64];
        char want[4][64];
        bool found = false;

        if (first < begin + per && last >= begin)
            continue;
        (void)snprintf(from, sizeof(from), "\"mail_from\":\"<m%u%u@x>\"", k, k);
        (void)snprintf(want[0], 64, "{\"addr\":\"<r%u%u@y>\",\"code\":250", k,
                       k);
        (void)snprintf(want[1], 64, "\"queue_id\":\"Q%u%uQ%u%u\"", k, k, k, k);
        (void)snprintf(want[2], 64, "\"message_bytes\":57");
        (void)snprintf(want[3], 64, "\"outcome\":\"accepted\"");
        for (size_t at = 0; at < lines.n;) {
            struct span line = line_at(lines, &at);

            if (!has_str(line, "\"event_type\":\"smtp\"") ||
                !has_str(line, from))
                continue;
            found = true;
            for (size_t i = 0; i < 4; i++)
                found &= has_str(line, want[i]);
        }
        if (!found) {
            show(lines);
            fail_msg("%s: mail %u is wrong; lost %d..%d and %d..%d", sc->why, k,
                     (int)p->lost[0][0], (int)p->lost[0][1], (int)p->lost[1][0],
                     (int)p->lost[1][1]);
        }
    }
}

/* Whole segments, and byte by byte: the same mails are right. */
static void
lose(const struct scenario *sc, const struct wire *w, const uint64_t at[2],
     const uint64_t n[2], bool late)
{
    size_t per = w->n < 20 ? 4 : 8;

    for (unsigned bytewise = 0; bytewise < (late ? 1 : 2); bytewise++) {
        struct got g;
        struct play p;

        got_init(&g);
        play_open(&p, sc, &g);
        p.late_gaps = late;
        p.bytewise = bytewise;
        for (unsigned d = 0; d < 2; d++) {
            p.lost[d][0] = at[d];
            p.lost[d][1] =
                at[d] + n[d] < w->sent[d] ? at[d] + n[d] : w->sent[d];
        }
        play_wire(&p, w);
        play_close(&p, w->end);
        if (p.flow.half[0].gaps + p.flow.half[1].gaps > 0 &&
            !has_str(buf_view(&g.lines), "\"stream_gap\""))
            fail_msg("%s: loss at %d is not told", sc->why, (int)at[0]);
        check_mails(sc, w, &p, buf_view(&g.lines), per);
        got_free(&g);
    }
}

static void
lose_everywhere(const struct scenario *sc)
{
    static const uint64_t lengths[] = {1, 2, 20, 60, 150};
    struct wire w = wire_of(sc);

    for (unsigned late = 0; late < 2; late++) {
        for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
            for (unsigned d = 0; d < 3; d++) {
                for (uint64_t at = 0; at < w.sent[d & 1]; at++) {
                    uint64_t from[2] = {0, 0};
                    uint64_t n[2] = {0, 0};

                    for (unsigned k = 0; k < 2; k++) {
                        if (d != 2 && d != k)
                            continue;
                        from[k] = d == 2 ? at * w.sent[k] / w.sent[0] : at;
                        n[k] = lengths[i];
                    }
                    lose(sc, &w, from, n, late);
                }
            }
        }
    }
}

static void
test_loss_lockstep(void **state)
{
    (void)state;
    lose_everywhere(&lockstep);
}

static void
test_loss_pipelined(void **state)
{
    (void)state;
    lose_everywhere(&pipelined);
}

/* ---- memory ---- */

static void
test_little_memory(void **state)
{
    (void)state;
    for (uint64_t per = 0; per < 6000; per += 13) {
        for (unsigned i = 0; i < 4; i++) {
            struct scenario sc = i & 1 ? pipelined : lockstep;
            struct wire w = wire_of(&sc);
            struct got g;
            struct play p;

            sc.memory_max = per * FLOW_SHARDS + 1;
            sc.digest = i & 2;
            got_init(&g);
            play_open(&p, &sc, &g);
            p.bytewise = i & 2;
            play_wire(&p, &w);
            play_close(&p, w.end);
            if (per > 512)
                assert_true(g.n > 0);
            if (g.n > 0 && per < 700)
                assert_true(has_str(buf_view(&g.lines), "session_full"));
            if (per > 5000)
                assert_false(has_str(buf_view(&g.lines), "session_full"));
            got_free(&g);
        }
    }
}

static void
test_idle_memory(void **state)
{
    static const struct scenario idle = {
        .why = "idle after RCPT",
        .steps = {BANNER, EHLO,
                  C("MAIL FROM:<someone@example.net> SIZE=2345\r\n"),
                  S("250 2.1.0 Ok\r\n"),
                  C("RCPT TO:<somebody@example.org>\r\n"),
                  S("250 2.1.5 Ok\r\n")},
    };
    struct wire w = wire_of(&idle);
    uint64_t held[2];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct got g;
        struct play p;

        got_init(&g);
        play_open(&p, &idle, &g);
        p.bytewise = i;
        play_wire(&p, &w);
        held[i] = smtp_memory(p.ctx);
        play_close(&p, w.end);
        got_free(&g);
    }
    print_message("idle after RCPT: %d bytes\n", (int)held[0]);
    assert_true(held[0] <= 640);
    assert_int_equal(held[0], held[1]);
}

/* ---- many ---- */

/* n lines behind the head; # in a line is its number. */
static char *
repeat(const char *head, const char *line, unsigned n, size_t *len)
{
    struct buf b;

    buf_init(&b, 1U << 24);
    buf_str(&b, head);
    for (unsigned i = 0; i < n; i++) {
        struct span s = span_str(line);
        size_t at = span_find(s, '#');

        buf_span(&b, span_head(s, at));
        if (at < s.n)
            buf_printf(&b, "%04u", i);
        buf_span(&b, span_tail(s, at + 1));
    }
    *len = b.n;
    return (char *)b.p;
}

static void
run_many(struct scenario *sc, unsigned cut)
{
    struct wire w = wire_of(sc);
    struct got g;
    struct play p;

    got_init(&g);
    play_open(&p, sc, &g);
    p.cut_event = cut;
    p.cut_at = cut > 0 ? w.e[cut].c.data.n / 2 : 0;
    play_wire(&p, &w);
    play_close(&p, w.end);
    check_odd(sc, buf_view(&g.lines));
    for (size_t i = 0; i < WANTS_MAX && sc->want[i] != NULL; i++)
        check_want(sc, buf_view(&g.lines), sc->want[i]);
    got_free(&g);
}

static void
test_many_outstanding(void **state)
{
    static const unsigned counts[] = {999, 1000, 1001, 1002, 5000};

    (void)state;
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        size_t nc;
        size_t ns;
        char *c = repeat("", "NOOP\r\n", counts[i], &nc);
        char *s = repeat("", "250 ok\r\n", counts[i], &ns);
        struct scenario sc = {
            .why = "many commands outstanding",
            .steps = {BANNER,
                      EHLO,   {STEP_C, c, nc},
                      {STEP_S, s, ns},
                      LOCKSTEP("11"),
                      QUIT},
            .odd = counts[i] > 1001 ? "too_many_pending" : NULL,
            .want = {"tx0 \"outcome\":\"accepted\"",   "tx0 \"mail_code\":250",
                      "tx0 \"rcpt_accepted\":1", "ses \"unanswered\":0"},
        };

        run_many(&sc, 0);
        run_many(&sc, 3);
        run_many(&sc, 4);
        free(c);
        free(s);
    }
}

static void
test_many_recipients(void **state)
{
    size_t nc;
    size_t ns;
    char *c = repeat("MAIL FROM:<m@x>\r\n", "RCPT TO:<r#@y>\r\n", 2500, &nc);
    char *s = repeat("250 2.1.0 Ok\r\n", "250 2.1.5 Ok #\r\n", 2500, &ns);
    struct scenario sc = {
        .why = "2500 recipients, all pipelined",
        .steps = {BANNER,
                  EHLO,                   {STEP_C, c, nc},
                  {STEP_S, s, ns},
                  C("DATA\r\n"),
                  S("354 go\r\n"),
                  C(BODY("11")),
                  S("250 ok\r\n"),
                  QUIT                    },
        .odd = "too_many_pending",
        .want = { "tx0.1 \"last\":false", "tx0.1 \"addr\":\"<r0000@y>\"",
                  "tx0.1 \"mail_from\":\"<m@x>\"", "tx0.1 !\"outcome\"",
                  "tx0.1 !\"<r2000@y>\"", "tx0.2 \"<r2499@y>\"",
                  "tx0.2 \"last\":true", "tx0.2 \"rcpt_offered\":2500,\"rcpt_accepted\":2500",
                  "tx0.2 \"addr\":\"<r2000@y>\",\"code\":250,\"enhanced\":"
                 "\"2.1.5\",\"class\":\"accepted\",\"latency_ms\":10,"
                 "\"text\":\"Ok 2000\"", "tx0.2 \"outcome\":\"accepted\"", "tx0.2 \"via\":\"DATA\"",
                  "ses \"transactions\":1"},
    };

    (void)state;
    run_many(&sc, 0);
    run_many(&sc, 3);
    run_many(&sc, 4);
    free(c);
    free(s);
}

static void
put(struct play *p, enum dir d, uint64_t at[2], const char *text, size_t n)
{
    struct chunk c = {.data = span_of(text, n),
                      .dir = d,
                      .when = SCRIPT_START + NS_PER_S,
                      .seen = SCRIPT_START + NS_PER_S,
                      .offset = at[d],
                      .peer_acked = at[dir_other(d)]};

    at[d] += n;
    p->flow.half[d].bytes += n;
    smtp_ops.data(p->session, &c);
}

#define PUT(d, text) put(&p, d, at, text, sizeof(text) - 1)

static void
test_recipients_one_by_one(void **state)
{
    struct scenario sc = {.why = "2500 recipients, one by one"};
    uint64_t at[2] = {0, 0};
    struct got g;
    struct play p;
    unsigned parts = 0;

    (void)state;
    got_init(&g);
    play_open(&p, &sc, &g);
    PUT(DIR_S2C, "220 mx\r\n");
    PUT(DIR_C2S, "HELO pc\r\n");
    PUT(DIR_S2C, "250 mx\r\n");
    PUT(DIR_C2S, "MAIL FROM:<m@x>\r\n");
    PUT(DIR_S2C, "250 ok\r\n");
    for (unsigned i = 0; i < 2500; i++) {
        PUT(DIR_C2S, "RCPT TO:<somebody@example.org>\r\n");
        PUT(DIR_S2C, "550 5.1.1 no\r\n");
    }
    PUT(DIR_C2S, "QUIT\r\n");
    PUT(DIR_S2C, "221 bye\r\n");
    play_close(&p, SCRIPT_START + 2 * NS_PER_S);
    check_want(&sc, buf_view(&g.lines), "tx0.1 \"rcpt_refused\":1000,");
    check_want(&sc, buf_view(&g.lines), "tx0.2 \"rcpt_refused\":2000,");
    check_want(&sc, buf_view(&g.lines), "tx0.3 \"rcpt_refused\":2500,");
    check_want(&sc, buf_view(&g.lines), "tx0.3 \"outcome\":\"rejected\"");
    check_want(&sc, buf_view(&g.lines), "tx0.3 \"last\":true");
    for (size_t i = 0; i < g.lines.n;)
        parts += has_str(line_at(buf_view(&g.lines), &i), "\"part\":");
    assert_int_equal(parts, 3);
    got_free(&g);
}

static void
open_plain(struct play *p, const struct scenario *sc, struct got *g,
           uint64_t at[2])
{
    got_init(g);
    play_open(p, sc, g);
    if (!sc->only_client)
        put(p, DIR_S2C, at, "220 mx\r\n", 8);
    put(p, DIR_C2S, at, "HELO pc\r\n", 9);
    if (!sc->only_client)
        put(p, DIR_S2C, at, "250 mx\r\n", 8);
}

/* What the event holds of recipients never crowds out how it ended. */
static void
test_long_recipients(void **state)
{
    struct scenario sc = {.why = "1500 recipients of 1000 bytes"};
    uint64_t at[2] = {0, 0};
    size_t rows = 0;
    char line[1100];
    struct got g;
    struct play p;
    int n;

    (void)state;
    open_plain(&p, &sc, &g, at);
    PUT(DIR_C2S, "MAIL FROM:<m@x>\r\n");
    PUT(DIR_S2C, "250 ok\r\n");
    n = snprintf(line, sizeof(line), "RCPT TO:<%0*d@y>\r\n", 1000, 7);
    for (unsigned i = 0; i < 1500; i++) {
        put(&p, DIR_C2S, at, line, (size_t)n);
        PUT(DIR_S2C, "250 ok\r\n");
    }
    PUT(DIR_C2S, "DATA\r\n");
    PUT(DIR_S2C, "354 go\r\n");
    PUT(DIR_C2S, "a: b\r\n\r\n.\r\n");
    PUT(DIR_S2C, "250 2.0.0 ok\r\n");
    assert_int_equal(smtp_stats_of(p.ctx)->records_cut, 0);
    play_close(&p, SCRIPT_START + 2 * NS_PER_S);
    for (struct span rest = buf_view(&g.lines); rest.n > 0; rows++) {
        struct span word = SPAN_LIT("{\"addr\":");
        size_t next = span_search(rest, word);

        if (next == rest.n)
            break;
        rest = span_tail(rest, next + word.n);
    }
    assert_int_equal(rows, 1500);
    check_want(&sc, buf_view(&g.lines), "tx0 \"rcpt_accepted\":1500,");
    check_want(&sc, buf_view(&g.lines), "tx0 \"outcome\":\"accepted\"");
    got_free(&g);
}

/* No answer at all: neither memory nor work grows with the number of mails. */
static void
test_never_answered(void **state)
{
    static const struct {
        const char *text;
        bool oneway;
    } rows[] = {
        {"MAIL FROM:<>\r\n",     false},
        {"MAIL FROM:<>\r\n",     true },
        {"DATA\r\n.\r\n",        true },
        {"BDAT 1 LAST\r\nx",     false},
        {"BDAT 1 LAST\r\nx",     true },
        {"STARTTLS\r\nNOOP\r\n", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct scenario sc = {.why = rows[i].text,
                              .only_client = rows[i].oneway};
        uint64_t at[2] = {0, 0};
        struct got g;
        struct play p;

        open_plain(&p, &sc, &g, at);
        for (unsigned k = 0; k < 50000; k++) {
            struct chunk c = {.data = span_str(rows[i].text),
                              .dir = DIR_C2S,
                              .when = SCRIPT_START + NS_PER_S,
                              .seen = SCRIPT_START + NS_PER_S,
                              .offset = at[DIR_C2S],
                              .peer_acked = rows[i].oneway ? STREAM_ACK_UNKNOWN
                                                           : at[DIR_S2C]};

            at[DIR_C2S] += c.data.n;
            smtp_ops.data(p.session, &c);
            if (smtp_memory(p.ctx) > 900000)
                fail_msg("%s: %llu bytes after %u", sc.why,
                         (unsigned long long)smtp_memory(p.ctx), k);
        }
        play_close(&p, SCRIPT_START + 2 * NS_PER_S);
        got_free(&g);
    }
}

/* What waits for bytes of the other side that never come has its limit. */
static void
test_waiting_is_bounded(void **state)
{
    struct scenario sc = {.why = "the server's bytes never come"};
    static const char line[] = "RCPT TO:<somebody@example.org>\r\n";
    uint64_t at[2] = {0, 0};
    struct got g;
    struct play p;

    (void)state;
    open_plain(&p, &sc, &g, at);
    for (unsigned i = 0; i < 10000; i++) {
        struct chunk c = {.data = SPAN_LIT(line),
                          .when = SCRIPT_START + NS_PER_S,
                          .seen = SCRIPT_START + NS_PER_S,
                          .offset = at[DIR_C2S],
                          .peer_acked = 1U << 20};

        at[DIR_C2S] += c.data.n;
        smtp_ops.data(p.session, &c);
        assert_true(smtp_memory(p.ctx) < 400000);
    }
    play_close(&p, SCRIPT_START + 2 * NS_PER_S);
    check_want(&sc, buf_view(&g.lines), "ses \"commands\":10001,");
    got_free(&g);
}

/* Header fields are kept only where there is room for them. */
static void
test_header_memory(void **state)
{
    (void)state;
    for (uint64_t max = 3000; max < 60000; max += 1000) {
        struct scenario sc = {.why = "a cap", .memory_max = max * FLOW_SHARDS};
        uint64_t at[2] = {0, 0};
        struct got g;
        struct play p;

        open_plain(&p, &sc, &g, at);
        PUT(DIR_C2S, "MAIL FROM:<m@x>\r\n");
        PUT(DIR_S2C, "250 ok\r\n");
        PUT(DIR_C2S, "DATA\r\n");
        PUT(DIR_S2C, "354 go\r\n");
        for (unsigned i = 0; i < 2000; i++) {
            PUT(DIR_C2S, "Received: from here by there; some day or other\r\n"
                         "Subject: a subject\r\n of several lines\r\n"
                         "To: a@example.org,\r\n b@example.org\r\n");
            assert_true(smtp_memory(p.ctx) <= max);
        }
        PUT(DIR_C2S, "\r\n.\r\n");
        PUT(DIR_S2C, "250 2.0.0 ok\r\n");
        play_close(&p, SCRIPT_START + 2 * NS_PER_S);
        got_free(&g);
    }
}

/* Sixteen attempts are kept. */
static void
test_many_auths(void **state)
{
    struct scenario sc = {.why = "17 attempts"};
    uint64_t at[2] = {0, 0};
    size_t rows = 0;
    struct got g;
    struct play p;

    (void)state;
    open_plain(&p, &sc, &g, at);
    for (unsigned i = 0; i < 17; i++) {
        PUT(DIR_C2S, "AUTH CRAM-MD5\r\n");
        PUT(DIR_S2C, "535 5.7.8 no\r\n");
    }
    play_close(&p, SCRIPT_START + 2 * NS_PER_S);
    for (struct span rest = buf_view(&g.lines); rest.n > 0; rows++) {
        struct span word = SPAN_LIT("{\"mechanism\":");
        size_t next = span_search(rest, word);

        if (next == rest.n)
            break;
        rest = span_tail(rest, next + word.n);
    }
    assert_int_equal(rows, 16);
    got_free(&g);
}

/* The other reading of an overlap is told up to 256 bytes. */
static void
test_detail_is_cut(void **state)
{
    struct scenario sc = {.why = "a long second reading"};
    uint64_t at[2] = {0, 0};
    char line[1000];
    struct span rest;
    struct got g;
    struct play p;
    size_t n = 0;

    (void)state;
    open_plain(&p, &sc, &g, at);
    memset(line, 'h', sizeof(line));
    memcpy(line, "EHLO ", 5);
    smtp_ops.odd(p.session, ANOM_OVERLAP_DIFFERS, DIR_C2S, 0,
                 span_of(line, sizeof(line)), SCRIPT_START + NS_PER_S);
    play_close(&p, SCRIPT_START + 2 * NS_PER_S);
    rest = span_tail(buf_view(&g.lines),
                     span_search(buf_view(&g.lines), SPAN_LIT("EHLO hh")) + 5);
    while (span_at(rest, n) == 'h')
        n++;
    assert_int_equal(n, 256 - 5);
    got_free(&g);
}

/* The count of resyncs stops; it does not begin anew at none. */
static void
test_many_resyncs(void **state)
{
    struct scenario sc = {.why = "65,536 holes"};
    uint64_t at[2] = {0, 0};
    struct got g;
    struct play p;

    (void)state;
    open_plain(&p, &sc, &g, at);
    p.next[DIR_C2S] = at[DIR_C2S];
    for (unsigned i = 0; i < 65536; i++) {
        at[DIR_C2S] += 5;
        play_gap(&p, DIR_C2S, at[DIR_C2S], SCRIPT_START + NS_PER_S);
        PUT(DIR_C2S, "x\r\nNOOP\r\n");
        p.next[DIR_C2S] = at[DIR_C2S];
        PUT(DIR_S2C, "250 ok\r\n");
    }
    play_close(&p, SCRIPT_START + 2 * NS_PER_S);
    check_want(&sc, buf_view(&g.lines), "ses \"resyncs\":65535,");
    check_want(&sc, buf_view(&g.lines), "ses \"confidence\":\"medium\"");
    got_free(&g);
}

/* clang-format off */
static const struct scenario ticks[] = {
    {
        .why = "a long transaction reports after a minute",
        .steps = {BANNER, EHLO, C("MAIL FROM:<a@x>\r\n"), S("250 ok\r\n"),
                  C("RCPT TO:<b@y>\r\n"), S("250 ok\r\n"), TICK(61),
                  C("RCPT TO:<c@y>\r\n"), S("550 no\r\n"), TICK(61), TICK(61),
                  QUIT},
        .want = {"tx0.1 \"rcpt_to\":[\"<b@y>\"]", "tx0.1 \"last\":false",
                 "tx0.2 \"rcpt_to\":[\"<c@y>\"]", "tx0.2 \"last\":false",
                 "tx0.2 \"rcpt_offered\":2,\"rcpt_accepted\":1,"
                 "\"rcpt_refused\":1", "tx0.3 \"last\":true",
                 "tx0.3 \"rcpt_offered\":2", "tx0.3 \"outcome\":\"no-data\""},
    },
    {
        .why = "but not while a reply is out",
        .steps = {BANNER, EHLO, C("MAIL FROM:<a@x>\r\n"), S("250 ok\r\n"),
                  C("RCPT TO:<b@y>\r\n"), TICK(61), S("250 ok\r\n"), QUIT},
        .want = {"tx0 !\"part\"", "tx0 \"code\":250"},
    },
};
/* clang-format on */

static void
test_ticks(void **state)
{
    (void)state;
    run_scenarios(ticks, sizeof(ticks) / sizeof(ticks[0]));
}

static void
test_many_transactions(void **state)
{
    struct scenario sc = {.why = "20000 transactions"};
    uint64_t at[2] = {0, 0};
    uint64_t held = 0;
    struct got g;
    struct play p;

    (void)state;
    got_init(&g);
    g.lines.max = 0;
    play_open(&p, &sc, &g);
    PUT(DIR_S2C, "220 mx\r\n");
    PUT(DIR_C2S, "EHLO pc\r\n");
    PUT(DIR_S2C, "250-mx\r\n250 PIPELINING\r\n");
    for (unsigned i = 0; i < 20000; i++) {
        buf_reset(&g.raw);
        if (i & 1) {
            PUT(DIR_C2S, "MAIL FROM:<m@x>\r\nRCPT TO:<r@y>\r\nDATA\r\n");
            PUT(DIR_S2C, "250 ok\r\n250 ok\r\n354 go\r\n");
            PUT(DIR_C2S, "Subject: hi\r\n\r\nyou\r\n.\r\n");
        } else {
            PUT(DIR_C2S, "MAIL FROM:<m@x>\r\nRCPT TO:<r@y>\r\n"
                         "BDAT 10 LAST\r\nSubject: x");
            PUT(DIR_S2C, "250 ok\r\n250 ok\r\n");
        }
        PUT(DIR_S2C, "250 ok\r\n");
        if (i == 10)
            held = smtp_memory(p.ctx);
        if (i > 10)
            assert_int_equal(smtp_memory(p.ctx), held);
    }
    assert_int_equal(g.n, 20000);
    assert_int_equal(smtp_stats_of(p.ctx)->messages, 20000);
    play_close(&p, SCRIPT_START + 2 * NS_PER_S);
    got_free(&g);
}

/* A client that never lets the queue run dry. */
static void
test_endless_pipeline(void **state)
{
    struct scenario sc = {.why = "endless pipeline"};
    uint64_t at[2] = {0, 0};
    uint64_t most = 0;
    struct got g;
    struct play p;

    (void)state;
    got_init(&g);
    play_open(&p, &sc, &g);
    PUT(DIR_S2C, "220 mx\r\n");
    PUT(DIR_C2S, "EHLO pc\r\n");
    PUT(DIR_S2C, "250-mx\r\n250 PIPELINING\r\n");
    PUT(DIR_C2S, "NOOP\r\nNOOP\r\nNOOP\r\n");
    for (unsigned i = 0; i < 20000; i++) {
        PUT(DIR_C2S, "NOOP\r\nNOOP\r\n");
        PUT(DIR_S2C, "250 ok\r\n250 ok\r\n");
        most = smtp_memory(p.ctx) > most ? smtp_memory(p.ctx) : most;
    }
    assert_true(most < 4096);
    play_close(&p, SCRIPT_START + 2 * NS_PER_S);
    got_free(&g);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loss_lockstep),
        cmocka_unit_test(test_loss_pipelined),
        cmocka_unit_test(test_little_memory),
        cmocka_unit_test(test_idle_memory),
        cmocka_unit_test(test_many_outstanding),
        cmocka_unit_test(test_many_recipients),
        cmocka_unit_test(test_recipients_one_by_one),
        cmocka_unit_test(test_long_recipients),
        cmocka_unit_test(test_never_answered),
        cmocka_unit_test(test_many_resyncs),
        cmocka_unit_test(test_waiting_is_bounded),
        cmocka_unit_test(test_header_memory),
        cmocka_unit_test(test_many_auths),
        cmocka_unit_test(test_detail_is_cut),
        cmocka_unit_test(test_ticks),
        cmocka_unit_test(test_many_transactions),
        cmocka_unit_test(test_endless_pipeline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
