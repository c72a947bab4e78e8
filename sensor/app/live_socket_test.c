/* live_socket_test - who may write through the core, and what */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sensor/app/live_socket.h"
#include "sensor/event/record.h"

#define NOW  (1700000000 * NS_PER_S)
#define MOST (NOW + LIVE_SOCKET_AHEAD_NS)

/* ---- what may come ---- */

static const struct {
    const char *why;
    enum event_type type;
    uint64_t flow;
    ns_t when;
    const char *kind;
    enum field more; /* a text besides, or FIELD_CONTROL_KIND: none */
    bool good;
} records[] = {
    {"an act on an alert",     EVENT_CONTROL, 0, NOW,              "alert",     FIELD_CONTROL_ALERT,
     true                                                                                                 },
    {"an exception",           EVENT_CONTROL, 0, NOW,              "exception", FIELD_CONTROL_FROM,
     true                                                                                                 },
    {"a block",                EVENT_CONTROL, 0, NOW,              "block",     FIELD_CONTROL_KIND,  true },
    {"the policy",             EVENT_CONTROL, 0, NOW,              "policy",    FIELD_CONTROL_MODE,  true },
    {"a report",               EVENT_CONTROL, 0, NOW,              "report",    FIELD_CONTROL_HASH,  true },
    {"a test",                 EVENT_CONTROL, 0, NOW,              "test",      FIELD_CONTROL_KIND,  true },
    {"a look at the page",     EVENT_CONTROL, 0, NOW,              "page",      FIELD_CONTROL_ALERT,
     true                                                                                                 },
    {"as far ahead as may be", EVENT_CONTROL, 0, MOST,             "alert",
     FIELD_CONTROL_KIND,                                                                             true },
    {"further ahead",          EVENT_CONTROL, 0, MOST + NS_PER_US, "alert",
     FIELD_CONTROL_KIND,                                                                             false},
    {"a gap is the sensor's",  EVENT_CONTROL, 0, NOW,              "gap",       FIELD_CONTROL_KIND,
     false                                                                                                },
    {"so is what took force",  EVENT_CONTROL, 0, NOW,              "rules",
     FIELD_CONTROL_KIND,                                                                             false},
    {"the registry has a way", EVENT_CONTROL, 0, NOW,              "registry",
     FIELD_CONTROL_KIND,                                                                             false},
    {"no kind",                EVENT_CONTROL, 0, NOW,              "",          FIELD_CONTROL_KIND,  false},
    {"more than a kind",       EVENT_CONTROL, 0, NOW,              "alerts",    FIELD_CONTROL_KIND,
     false                                                                                                },
    {"of a flow",              EVENT_CONTROL, 1, NOW,              "alert",     FIELD_CONTROL_KIND,  false},
    {"of another type",        EVENT_STATS,   0, NOW,              "alert",     FIELD_CONTROL_KIND,
     false                                                                                                },
    {"with another's field",   EVENT_CONTROL, 0, NOW,              "alert",     FIELD_ALERT_ID,
     false                                                                                                },
};

static void
test_records(void **state)
{
    struct record_out r;
    struct buf why;

    (void)state;
    record_init(&r);
    buf_init(&why, 256);
    for (size_t i = 0; i < ARRAY_LEN(records); i++) {
        const struct record_head head = {.when = records[i].when,
                                         .flow_id = records[i].flow,
                                         .type = records[i].type};
        const bool below = records[i].more < FIELD_CONTROL_KIND;

        record_begin(&r, &head);
        if (below)
            record_text(&r, records[i].more, "x");
        record_text(&r, FIELD_CONTROL_KIND, records[i].kind);
        if (!below && records[i].more != FIELD_CONTROL_KIND)
            record_text(&r, records[i].more, "x");
        buf_reset(&why);
        if (live_socket_check(record_view(&r), NOW, &why) != records[i].good)
            fail_msg("%s", records[i].why);
        if ((why.n == 0) != records[i].good)
            fail_msg("%s: is told why", records[i].why);
    }
    record_free(&r);
    buf_free(&why);
}

static void
test_no_record(void **state)
{
    uint8_t bytes[256];
    struct buf why;

    (void)state;
    buf_init(&why, 256);
    for (unsigned fill = 0; fill < 256; fill++) {
        memset(bytes, (int)fill, sizeof(bytes));
        for (size_t n = 0; n <= sizeof(bytes); n++) {
            buf_reset(&why);
            if (live_socket_check(span_of(bytes, n), NOW, &why))
                fail_msg("%zu times %u", n, fill);
        }
    }
    buf_free(&why);
}

/* ---- the socket ---- */

struct bench {
    char folder[64];
    struct live_socket *socket;
    size_t n_taken, bytes_taken;
    enum err answer;
    ns_t mono;
};

static enum err
take(void *ctx, struct span record, struct buf *why)
{
    struct bench *b = ctx;

    b->n_taken++;
    b->bytes_taken += record.n;
    if (b->answer != ERR_OK)
        buf_str(why, "not now");
    return b->answer;
}

static void
begin(struct bench *b)
{
    const struct live_socket_taker taker = {take, b};

    *b = (struct bench){.folder = "/tmp/live_socket_test.XXXXXX"};
    assert_non_null(mkdtemp(b->folder));
    assert_int_equal(live_socket_new(b->folder, &taker, &b->socket), ERR_OK);
}

static void
end(struct bench *b)
{
    live_socket_free(b->socket);
    assert_int_equal(rmdir(b->folder), 0); /* it left nothing */
}

static int
dial(const struct bench *b)
{
    int fd;

    assert_int_equal(live_socket_dial(b->folder, &fd), ERR_OK);
    return fd;
}

/* As the core's loop, a beat at a time. */
static void
steps(struct bench *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        live_socket_step(b->socket, b->mono);
}

static void
put_message(int fd, size_t n)
{
    const uint8_t prefix[4] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16),
                               (uint8_t)(n >> 8), (uint8_t)n};
    uint8_t *bytes = calloc(1, n + 1);

    assert_non_null(bytes);
    assert_int_equal(send(fd, prefix, 4, MSG_NOSIGNAL), 4);
    (void)!send(fd, bytes, n, MSG_NOSIGNAL);
    free(bytes);
}

static bool
is_sent_away(int fd)
{
    char c;

    return recv(fd, &c, 1, MSG_DONTWAIT) <= 0 &&
           recv(fd, &c, 1, MSG_DONTWAIT) == 0;
}

static void
test_answers(void **state)
{
    struct bench b;
    char got[64] = "";
    int fd;

    (void)state;
    begin(&b);
    fd = dial(&b);
    put_message(fd, 10);
    steps(&b, 2);
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 3);
    assert_memory_equal(got, "ok\n", 3);
    b.answer = ERR_IO;
    put_message(fd, 20);
    steps(&b, 1);
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 8);
    assert_memory_equal(got, "not now\n", 8);
    assert_int_equal(b.n_taken, 2);
    assert_int_equal(b.bytes_taken, 30);
    (void)close(fd);
    end(&b);
}

static void
test_ask(void **state)
{
    struct bench b;
    pid_t asks;
    int status = -1;

    (void)state;
    begin(&b);
    asks = fork();
    if (asks == 0) {
        struct buf why;
        int fd = dial(&b);
        enum err e;

        buf_init(&why, 64);
        e = live_socket_ask(fd, SPAN_LIT("a record"), &why);
        _exit(e != ERR_OK);
    }
    while (waitpid(asks, &status, WNOHANG) == 0)
        steps(&b, 1);
    assert_int_equal(status, 0);
    assert_int_equal(b.bytes_taken, 8);
    end(&b);
}

static void
test_lengths(void **state)
{
    static const struct {
        const char *why;
        size_t n;
        bool taken;
    } rows[] = {
        {"nothing",        0,                       false},
        {"a byte",         1,                       true },
        {"one below most", LIVE_SOCKET_MESSAGE - 1, true },
        {"most",           LIVE_SOCKET_MESSAGE,     true },
        {"one above most", LIVE_SOCKET_MESSAGE + 1, false},
    };
    struct bench b;

    (void)state;
    begin(&b);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const size_t before = b.n_taken;
        const int fd = dial(&b);

        put_message(fd, rows[i].n);
        steps(&b, 3);
        if (b.n_taken - before != rows[i].taken)
            fail_msg("%s", rows[i].why);
        (void)close(fd);
        steps(&b, 1);
    }
    end(&b);
}

static void
test_slow(void **state)
{
    struct bench b;
    int fd;

    (void)state;
    begin(&b);
    fd = dial(&b);
    steps(&b, 1);
    assert_int_equal(send(fd, "\0\0", 2, MSG_NOSIGNAL), 2);
    b.mono = LIVE_SOCKET_NS - 1;
    steps(&b, 1);
    assert_false(is_sent_away(fd));
    b.mono = LIVE_SOCKET_NS;
    steps(&b, 1);
    assert_true(is_sent_away(fd));
    assert_int_equal(b.n_taken, 0);
    (void)close(fd);
    end(&b);
}

/* All places taken: who comes then is served when one is free again. */
static void
test_many(void **state)
{
    struct bench b;
    int idle[LIVE_SOCKET_CLIENTS], late;

    (void)state;
    begin(&b);
    for (size_t i = 0; i < LIVE_SOCKET_CLIENTS; i++)
        idle[i] = dial(&b);
    steps(&b, 1);
    late = dial(&b);
    put_message(late, 5);
    steps(&b, 5);
    assert_int_equal(b.n_taken, 0);
    b.mono = LIVE_SOCKET_NS;
    steps(&b, 3);
    assert_int_equal(b.n_taken, 1);
    for (size_t i = 0; i < LIVE_SOCKET_CLIENTS; i++)
        (void)close(idle[i]);
    (void)close(late);
    end(&b);
}

static void
test_mode_and_rest(void **state)
{
    struct bench b;
    struct stat st;
    char path[128];
    int fd;

    (void)state;
    begin(&b);
    (void)snprintf(path, sizeof(path), "%s/" LIVE_SOCKET_FILE, b.folder);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode, S_IFSOCK | 0600);
    end(&b);
    assert_int_equal(live_socket_dial(b.folder, &fd), ERR_NOENT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records), cmocka_unit_test(test_no_record),
        cmocka_unit_test(test_answers), cmocka_unit_test(test_ask),
        cmocka_unit_test(test_lengths), cmocka_unit_test(test_slow),
        cmocka_unit_test(test_many),    cmocka_unit_test(test_mode_and_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
