/* smtp_late_test - records that wait for the inspection of a part: whenever the
 * answer comes, what is told is the same, and nobody else waits for it */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "dissectors/smtp.h"
#include "sensor/base/hash.h"
#include "sensor/base/text.h"

enum {
#define X(name, value, unit, why) LIMIT_##name = (value),
#include "dissectors/smtp_limits.def"
#undef X
};

#define START     (UINT64_C(1700000000) * NS_PER_S)
#define TOLD_MAX  (LIMIT_smtp_late_records + 64)
#define TAKEN_MAX 64U

/* What is compared of a record: all but its time. */
struct told {
    uint64_t flow, entries;
    uint32_t seq;
    enum event_type type;
    ns_t when;
    bool refused; /* says FIND_NOT_INSPECTED */
};

struct bench {
    struct smtp_ctx *ctx;
    struct told told[TOLD_MAX];
    size_t n;
    /* taken and not answered, in order */
    struct part *taken[TAKEN_MAX];
    size_t n_taken;
    size_t n_forgotten;
    bool takes;
    struct content_result result;
    ns_t now;
};

struct talk {
    struct bench *b;
    struct flow flow;
    void *session;
    uint64_t at[2];
};

static void
on_record(void *ctx, struct span record)
{
    struct bench *b = ctx;
    const struct record_head h = record_head_of(record);
    struct cursor c = record_entries_of(record);
    struct record_entry e;
    struct told *t = &b->told[b->n];

    assert_true(record_check(record));
    assert_true(b->n < TOLD_MAX);
    if (b->n > 0)
        assert_true(h.when >= t[-1].when);
    *t = (struct told){.flow = h.flow_id,
                       .seq = h.seq,
                       .type = h.type,
                       .when = h.when,
                       .entries = hash_span(span_tail(record, RECORD_HEAD), 0)};
    while (record_next(&c, &e))
        t->refused |= e.field == FIELD_FILEINFO_FINDINGS &&
                      span_eq(e.value, SPAN_LIT("not_inspected"));
    b->n++;
}

/* Bad is what says so, and costs; links are added. */
static bool
look(const struct content_job *job, struct content_result *r)
{
    content_result_reset(r);
    r->bytes_unpacked = job->bytes.n;
    url_set_add(&r->urls, SPAN_LIT("http://found.example/"));
    if (span_search(job->bytes, SPAN_LIT("bad")) < job->bytes.n)
        findings_add_detail(&r->findings, FIND_VBA_MACRO, SPAN_LIT("here"));
    return span_search(job->bytes, SPAN_LIT("broken")) == job->bytes.n;
}

static bool
inspect(void *ctx, const struct content_job *job, struct content_result *r)
{
    (void)ctx;
    return look(job, r);
}

static bool
later(void *ctx, struct part *p)
{
    struct bench *b = ctx;

    if (!b->takes)
        return false;
    assert_true(b->n_taken < TAKEN_MAX);
    b->taken[b->n_taken++] = p;
    return true;
}

static void
forget(void *ctx, struct part *p)
{
    struct bench *b = ctx;

    for (size_t i = 0; i < b->n_taken; i++) {
        if (b->taken[i] == p) {
            b->taken[i] = NULL;
            b->n_forgotten++;
        }
    }
}

static void
bench_open(struct bench *b, bool takes)
{
    const struct smtp_options o = {
        .sink = {on_record,        b},
        .memory_max = UINT64_C(1) << 32,
        .content_max = UINT64_C(1) << 32,
        .part = { .inspect = inspect,
                 .later = later,
                 .forget = forget,
                 .inspect_ctx = b},
    };

    *b = (struct bench){.takes = takes, .now = START};
    content_result_init(&b->result);
    assert_int_equal(smtp_new(&o, &b->ctx), ERR_OK);
}

static void
answer(struct bench *b, bool refuse)
{
    struct part *p = b->taken[0];
    struct content_job job;

    b->n_taken--;
    memmove(b->taken, b->taken + 1, b->n_taken * sizeof(p));
    if (p == NULL)
        return;
    if (refuse)
        part_refuse(p, "asked to");
    else if (part_ask(p, &job))
        part_answer(p, look(&job, &b->result), &b->result);
    else
        part_answer(p, false, NULL);
    smtp_part_settled(b->ctx, p, b->now);
}

static void
bench_close(struct bench *b)
{
    while (b->n_taken > 0)
        answer(b, false);
    assert_int_equal(smtp_late_waiting(b->ctx), 0);
    assert_int_equal(smtp_memory(b->ctx), 0);
    smtp_free(b->ctx);
    content_result_free(&b->result);
}

static void
talk_open(struct talk *t, struct bench *b, uint8_t host)
{
    const uint8_t client[4] = {192, 0, 2, host};
    static const uint8_t server[4] = {198, 51, 100, 25};

    *t = (struct talk){
        .b = b,
        .flow = {.client = addr_v4(client),
                 .server = addr_v4(server),
                 .client_port = 40000,
                 .server_port = 25,
                 .id = host,
                 .start = START,
                 .established = START,
                 .handshake = true}
    };
    t->flow.half[0].packets = t->flow.half[1].packets = 10;
    t->session = smtp_ops.open(b->ctx, &t->flow, START);
    assert_non_null(t->session);
}

static void
say(struct talk *t, enum dir d, const char *text)
{
    const struct span s = span_str(text);
    const struct chunk c = {.data = s,
                            .dir = d,
                            .when = t->b->now,
                            .seen = t->b->now,
                            .offset = t->at[d],
                            .peer_acked = t->at[dir_other(d)]};

    t->b->now += NS_PER_MS;
    t->at[d] += s.n;
    smtp_ops.data(t->session, &c);
}

static void
talk_close(struct talk *t)
{
    smtp_ops.end(t->session, END_FIN, t->b->now);
}

/* ---- a conversation with all sorts of parts ---- */

#define HEAD(name)                                                             \
    "From: <a@b.example>\r\nSubject: " name "\r\n"                             \
    "Content-Type: multipart/mixed; boundary=x\r\n\r\n"
#define FILE_OF(name, text)                                                    \
    "--x\r\nContent-Type: application/pdf; name=" name "\r\n\r\n" text "\r\n"
#define HTML_OF(text)  "--x\r\nContent-Type: text/html\r\n\r\n" text "\r\n"
#define PLAIN_OF(text) "--x\r\nContent-Type: text/plain\r\n\r\n" text "\r\n"
#define LAST           "--x--\r\n.\r\n"
#define FORK                                                                   \
    "--x\r\nContent-Type: application/pdf; name=f\r\n"                         \
    "Content-Transfer-Encoding: base64\r\n"                                    \
    "Content-Transfer-Encoding: 7bit\r\n\r\n%PDF-1.4\r\n"

static const struct {
    enum dir from;
    const char *text;
} lines[] = {
    {DIR_S2C,             "220 mx.example ESMTP\r\n"                        },
    {DIR_C2S,             "EHLO c.example\r\n"                              },
    {DIR_S2C,             "250 mx.example\r\n"                              },
    {DIR_C2S,             "MAIL FROM:<a@b>\r\n"                             },
    {DIR_S2C,             "250 ok\r\n"                                      },
    {DIR_C2S,             "RCPT TO:<c@d>\r\n"                               },
    {DIR_S2C,             "250 ok\r\n"                                      },
    {DIR_C2S,             "DATA\r\n"                                        },
    {DIR_S2C,             "354 go\r\n"                                      },
    {DIR_C2S,             HEAD("one") PLAIN_OF("http://own.example/")       },
    {DIR_C2S,             HTML_OF("<html><a href=http://h.example/>nothing")},
    {DIR_C2S,             FILE_OF("a.pdf",                                    "%PDF-1.4 bad") HTML_OF("<html>bad")},
    {DIR_C2S,                   FORK FILE_OF("b.pdf",                                                               "%PDF-1.4 broken")},
    {DIR_C2S, FILE_OF("c.pdf","%PDF-1.4 broken") PLAIN_OF("the end") LAST},
    {DIR_S2C,    "250 taken\r\n"                      },
    {DIR_C2S,             "NONSENSE\r\n"                                            },
    {DIR_S2C,             "500 what\r\n"                                    },
    {DIR_C2S,             "MAIL FROM:<e@b>\r\nRCPT TO:<f@d>\r\nDATA\r\n"                                    },
    {DIR_S2C,             "250 ok\r\n250 ok\r\n354 go\r\n"    },
    {DIR_C2S,             HEAD("two") FILE_OF("a.pdf",                   "%PDF-1.4 bad again") LAST},
    {DIR_S2C,             "554 no\r\n"                       },
    {DIR_C2S,                   "QUIT\r\n"                                                              },
    {DIR_S2C,                   "221 bye\r\n"                                       },
};

/* Each part is answered so many lines after it has ended; at the very end what
 * is left. */
static void
play(struct bench *b, size_t delay)
{
    size_t due[TAKEN_MAX] = {0};
    size_t n_due = 0, done = 0;
    struct talk t;

    talk_open(&t, b, 1);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        say(&t, lines[i].from, lines[i].text);
        while (n_due < done + b->n_taken)
            due[n_due++] = i + delay;
        while (b->n_taken > 0 && due[done] <= i) {
            answer(b, false);
            done++;
        }
    }
    talk_close(&t);
}

static void
assert_same(const struct bench *a, const struct bench *b, size_t delay)
{
    if (a->n != b->n)
        fail_msg("delay %zu: %zu records, %zu at once", delay, b->n, a->n);
    for (size_t i = 0; i < a->n; i++) {
        if (a->told[i].entries != b->told[i].entries ||
            a->told[i].seq != b->told[i].seq ||
            a->told[i].type != b->told[i].type)
            fail_msg("delay %zu: record %zu differs", delay, i);
    }
}

static struct bench at_once, other;

static void
test_same_whenever(void **state)
{
    unsigned types[EVENT_TYPE_COUNT] = {0};

    (void)state;
    bench_open(&at_once, false);
    play(&at_once, 0);
    bench_close(&at_once);
    for (size_t i = 0; i < at_once.n; i++)
        types[at_once.told[i].type]++;
    assert_int_equal(types[EVENT_SMTP], 2);
    assert_true(types[EVENT_FILEINFO] >= 6);
    assert_true(types[EVENT_ANOMALY] > 0);
    for (size_t delay = 0; delay <= ARRAY_LEN(lines); delay++) {
        bench_open(&other, true);
        play(&other, delay);
        bench_close(&other);
        assert_same(&at_once, &other, delay);
    }
}

/* ---- others do not wait ---- */

static void
say_lines(struct talk *t, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        say(t, lines[i].from, lines[i].text);
}

static size_t
count_of(const struct bench *b, uint64_t flow)
{
    size_t n = 0;

    for (size_t i = 0; i < b->n; i++)
        n += b->told[i].flow == flow;
    return n;
}

static void
test_others_go_on(void **state)
{
    struct talk held, free_one;

    (void)state;
    bench_open(&other, true);
    talk_open(&held, &other, 1);
    say_lines(&held, 0, ARRAY_LEN(lines));
    assert_int_equal(count_of(&other, 1), 0);
    other.takes = false;
    talk_open(&free_one, &other, 2);
    say_lines(&free_one, 0, ARRAY_LEN(lines));
    talk_close(&free_one);
    assert_int_equal(count_of(&other, 2), at_once.n);
    assert_int_equal(count_of(&other, 1), 0);
    talk_close(&held);
    assert_int_equal(smtp_late_waiting(other.ctx) > 0, 1);
    bench_close(&other);
    assert_int_equal(count_of(&other, 1), at_once.n);
}

/* ---- no answer ---- */

static void
test_refused_says_why(void **state)
{
    struct talk t;
    size_t n_refused = 0;

    (void)state;
    bench_open(&other, true);
    talk_open(&t, &other, 1);
    say_lines(&t, 0, ARRAY_LEN(lines));
    talk_close(&t);
    while (other.n_taken > 0)
        answer(&other, true);
    for (size_t i = 0; i < other.n; i++) {
        n_refused += other.told[i].refused;
        assert_int_equal(other.told[i].seq, i);
    }
    assert_true(n_refused >= 6);
    bench_close(&other);
}

/* ---- the bound ---- */

static void
test_bound(void **state)
{
    struct talk t;
    uint32_t waiting = 0;

    (void)state;
    bench_open(&other, true);
    talk_open(&t, &other, 1);
    say_lines(&t, 0, 12); /* two have ended, a third has begun */
    assert_int_equal(other.n_taken, 2);
    say(&t, DIR_C2S, "\r\n" LAST);
    say(&t, DIR_S2C, "250 ok\r\n");
    while (other.n_forgotten == 0) {
        waiting = smtp_late_waiting(other.ctx);
        say(&t, DIR_C2S, "MAIL FROM:<a@b>\r\nRSET\r\n");
        say(&t, DIR_S2C, "250 ok\r\n250 ok\r\n");
        assert_true(smtp_late_waiting(other.ctx) <= LIMIT_smtp_late_records);
    }
    assert_int_equal(waiting, LIMIT_smtp_late_records);
    assert_int_equal(smtp_late_waiting(other.ctx), 0);
    assert_int_equal(smtp_stats_of(other.ctx)->late_refused, 3);
    assert_true(other.n >= LIMIT_smtp_late_records);
    talk_close(&t);
    for (size_t i = 0; i < other.n; i++)
        assert_int_equal(other.told[i].seq, i);
    bench_close(&other);
}

/* Whoever ends the worker does not wait either. */
static void
test_freed_while_waiting(void **state)
{
    struct talk t;

    (void)state;
    bench_open(&other, true);
    talk_open(&t, &other, 1);
    say_lines(&t, 0, ARRAY_LEN(lines));
    talk_close(&t);
    smtp_free(other.ctx);
    content_result_free(&other.result);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_whenever),
        cmocka_unit_test(test_others_go_on),
        cmocka_unit_test(test_refused_says_why),
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_freed_while_waiting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
