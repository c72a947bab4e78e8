#include "sensor/sinks/sink_stream.h"

#include "sensor/sinks/sink_test_kit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "tempdir.h"

/* A reader in the same thread. */
struct reader {
    struct tempdir dir;
    char target[200];
    int listener, fd;
    struct buf in;
};

static void
reader_init(struct reader *r)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    tempdir_make(&r->dir);
    r->fd = -1;
    buf_init(&r->in, 1U << 20);
    (void)snprintf(at.sun_path, sizeof(at.sun_path), "%.90s/in", r->dir.path);
    (void)snprintf(r->target, sizeof(r->target), "%s", at.sun_path);
    r->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(
        bind(r->listener, (const struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(r->listener, 4), 0);
}

/* A collector on loopback. */
static void
collector_init(struct reader *r)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);

    tempdir_make(&r->dir);
    r->fd = -1;
    buf_init(&r->in, 1U << 20);
    r->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(r->listener, (const struct sockaddr *)&at, n), 0);
    assert_int_equal(listen(r->listener, 4), 0);
    assert_int_equal(getsockname(r->listener, (struct sockaddr *)&at, &n), 0);
    (void)snprintf(r->target, sizeof(r->target), "127.0.0.1:%u",
                   (unsigned)ntohs(at.sin_port));
}

static void
reader_hang_up(struct reader *r)
{
    if (r->fd >= 0)
        (void)close(r->fd);
    r->fd = -1;
}

static void
reader_fini(struct reader *r)
{
    reader_hang_up(r);
    (void)close(r->listener);
    buf_free(&r->in);
    tempdir_remove(&r->dir);
}

/* Reads at most max bytes more of what is there. */
static void
reader_read(struct reader *r, size_t max)
{
    uint8_t room[65536];
    ssize_t n;

    if (r->fd < 0)
        r->fd = accept4(r->listener, NULL, NULL, SOCK_NONBLOCK);
    if (max > sizeof(room))
        max = sizeof(room);
    if (r->fd >= 0 && (n = read(r->fd, room, max)) > 0)
        buf_put(&r->in, room, (size_t)n);
}

static struct kit_event
event_of(unsigned id)
{
    return (struct kit_event){
        .type = EVENT_ALERT, .id = id, .src = "192.0.2.7", .sensor = "s1"};
}

static void
put_n(struct kit *k, struct sink *s, unsigned from, unsigned n)
{
    for (unsigned i = from; i < from + n; i++) {
        struct kit_event e = event_of(i);

        assert_int_equal(kit_put(k, s, &e), PUT_DONE);
    }
}

static void
expect_lines(struct kit *k, struct sink *s, struct reader *r, unsigned from,
             unsigned n)
{
    struct span got;

    for (unsigned i = 0; i < KIT_PATIENCE && s->ops->flush(s) != PUT_DONE;
         i++) {
        kit_turn(k, s);
        reader_read(r, SIZE_MAX);
    }
    reader_read(r, SIZE_MAX);
    got = buf_view(&r->in);
    for (unsigned i = from; i < from + n; i++) {
        struct kit_event e = event_of(i);

        kit_make(k, &e);
        if (!span_starts(got, buf_view(&k->line)) ||
            span_at(got, k->line.n) != '\n')
            fail_msg("%u: %.*s", i, (int)got.n, (const char *)got.p);
        got = span_tail(got, k->line.n + 1);
    }
    assert_int_equal(got.n, 0);
}

static void
test_unix_lines(void **state)
{
    struct reader r;
    struct kit k;
    struct sink *s;

    (void)state;
    reader_init(&r);
    kit_init(&k);
    s = kit_open("unix", r.target, NULL, 0);
    put_n(&k, s, 0, 5);
    for (unsigned i = 0; i < 5; i++)
        kit_turn(&k, s);
    kit_check_counts(s, 5, 0, 0); /* written, and nobody has read it */
    expect_lines(&k, s, &r, 0, 5);
    kit_check_counts(s, 5, 5, 0);
    s->ops->close(s);
    kit_fini(&k);
    reader_fini(&r);
}

/* A reader that goes in the middle of a line: the next one gets whole lines,
 * and all that had not been counted. */
static void
test_unix_broken(void **state)
{
    const struct sink_value values[] = {
        {"queue-lines", "6"}
    };
    struct reader r;
    struct kit k;
    struct sink *s;

    (void)state;
    reader_init(&r);
    kit_init(&k);
    s = kit_open("unix", r.target, values, 1);
    put_n(&k, s, 0, 3);
    kit_turn(&k, s);
    kit_turn(&k, s);
    for (unsigned i = 0; i < KIT_PATIENCE && r.in.n < 300; i++) {
        kit_turn(&k, s);
        reader_read(&r, 300 - r.in.n); /* one line and a part of the next */
    }
    assert_int_equal(r.in.n, 300);
    reader_hang_up(&r);
    buf_reset(&r.in);
    put_n(&k, s, 3, 3);
    expect_lines(&k, s, &r, 0, 6);
    kit_check_counts(s, 6, 6, 0);
    s->ops->close(s);
    kit_fini(&k);
    reader_fini(&r);
}

/* A line that is longer than what a socket holds, and breaks off within. */
static void
test_unix_long_line(void **state)
{
    static char line[4U << 20];
    struct kit_event e = event_of(0);
    struct reader r;
    struct kit k;
    struct sink *s;

    (void)state;
    memset(line, 'x', sizeof(line));
    reader_init(&r);
    buf_free(&r.in);
    buf_init(&r.in, 2 * sizeof(line));
    kit_init(&k);
    s = kit_open("unix", r.target, NULL, 0);
    kit_make(&k, &e);
    assert_int_equal(
        s->ops->put(s, record_view(&k.record), span_of(line, sizeof(line))),
        PUT_DONE);
    for (unsigned i = 0; i < KIT_PATIENCE && r.in.n < 100000; i++) {
        kit_turn(&k, s);
        reader_read(&r, SIZE_MAX);
    }
    reader_hang_up(&r);
    buf_reset(&r.in);
    for (unsigned i = 0; i < KIT_PATIENCE && s->ops->flush(s) != PUT_DONE;
         i++) {
        kit_turn(&k, s);
        reader_read(&r, SIZE_MAX);
    }
    assert_int_equal(r.in.n, sizeof(line) + 1);
    assert_int_equal(r.in.p[sizeof(line)], '\n');
    kit_check_counts(s, 1, 1, 0);
    s->ops->close(s);
    kit_fini(&k);
    reader_fini(&r);
}

/* Nobody there: queue-lines at n - 1, n and n + 1, and why. */
static void
test_nobody_there(void **state)
{
    const struct sink_value values[] = {
        {"queue-lines", "3"}
    };
    struct kit_event e = event_of(3);
    struct kit k;
    struct sink *s;

    (void)state;
    kit_init(&k);
    s = kit_open("unix", "/nonexistent/socket", values, 1);
    put_n(&k, s, 0, 3);
    for (unsigned i = 0; i < 5; i++) {
        kit_turn(&k, s);
        assert_int_equal(kit_put(&k, s, &e), PUT_BUSY);
        assert_int_equal(s->ops->flush(s), PUT_BUSY);
    }
    assert_true(kit_why_has(s, "No such file"));
    kit_check_counts(s, 3, 0, 0);
    s->ops->close(s);
    kit_fini(&k);
}

static const struct {
    const char *why;
    struct kit_event event;
    const char *head;
} frames[] = {
    {"an alert is a warning",
     {.type = EVENT_ALERT, .id = 1, .sensor = "s1"},
     "<132>1 1970-01-01T00:00:01.001000Z s1 span25 - alert - {"      },
    {"a decision is a notice",
     {.type = EVENT_DECISION, .id = 1, .sensor = "s1"},
     "<133>1 1970-01-01T00:00:01.001000Z s1 span25 - decision - {"   },
    {"mail is for information, and a name that is no word is none",
     {.type = EVENT_SMTP_SESSION, .id = 1, .sensor = "s 1"},
     "<134>1 1970-01-01T00:00:01.001000Z - span25 - smtp_session - {"},
    {"no name",
     {.type = EVENT_STATS, .id = 1},
     "<134>1 1970-01-01T00:00:01.001000Z - span25 - stats - {"       },
};

static void
test_syslog_frames(void **state)
{
    struct reader r;
    struct kit k;
    struct sink *s;

    (void)state;
    collector_init(&r);
    kit_init(&k);
    s = kit_open("syslog", r.target, NULL, 0);
    for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
        struct span got;
        char want[200];
        int n;

        buf_reset(&r.in);
        assert_int_equal(kit_put(&k, s, &frames[i].event), PUT_DONE);
        assert_int_equal(kit_flush(&k, s), PUT_DONE);
        n = snprintf(want, sizeof(want), "%zu %s",
                     strlen(frames[i].head) - 1 + k.line.n, frames[i].head);
        for (unsigned j = 0; j < KIT_PATIENCE && r.in.n == 0; j++)
            reader_read(&r, SIZE_MAX);
        got = buf_view(&r.in);
        if (!span_starts(got, span_of(want, (size_t)n)) ||
            !span_eq(span_tail(got, (size_t)n - 1), buf_view(&k.line)))
            fail_msg("%s: %.*s", frames[i].why, (int)got.n,
                     (const char *)got.p);
    }
    kit_check_counts(s, ARRAY_LEN(frames), ARRAY_LEN(frames), 0);
    s->ops->close(s);
    kit_fini(&k);
    reader_fini(&r);
}

static void
test_as_every_kind_tcp(void **state)
{
    struct reader r;

    (void)state;
    collector_init(&r);
    kit_check_kind(&sink_syslog, r.target); /* the kernel takes it */
    reader_fini(&r);
}

static void
read_all(const struct reader *r)
{
    uint8_t room[4096];
    int fd;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)fcntl(r->listener, F_SETFL, 0); /* may wait */
    fd = accept(r->listener, NULL, NULL);
    while (fd >= 0 && read(fd, room, sizeof(room)) > 0)
        continue;
    _exit(0);
}

static void
test_as_every_kind_unix(void **state)
{
    struct reader r;
    int status;
    pid_t pid;

    (void)state;
    reader_init(&r);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        read_all(&r);
    kit_check_kind(&sink_unix, r.target);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    reader_fini(&r);
}

static const struct {
    const char *kind, *target;
    enum err want;
} targets[] = {
    {"unix",   "",               ERR_CONFIG},
    {"unix",   "/run/collector", ERR_OK    },
    {"syslog", "collector",      ERR_OK    },
    {"syslog", "[::1]:601",      ERR_OK    },
    {"syslog", "collector:",     ERR_CONFIG},
    {"syslog", "/dev/log:1:2",   ERR_CONFIG},
};

static void
test_targets(void **state)
{
    struct sink_settings settings = {.target = NULL};
    char path[120];
    struct sink *s = NULL;
    struct buf message;

    (void)state;
    buf_init(&message, 4096);
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        settings.target = targets[i].target;
        s = NULL;
        if (sink_open(span_str(targets[i].kind), &settings, &s, &message) !=
            targets[i].want)
            fail_msg("%s %s", targets[i].kind, targets[i].target);
        sink_unix.close(s);
    }
    memset(path, 'x', sizeof(path)); /* sun_path at its end and one beyond */
    settings.target = path;
    for (size_t n = 107; n <= 108; n++) {
        path[n] = '\0';
        s = NULL;
        assert_int_equal(sink_open(SPAN_LIT("unix"), &settings, &s, &message),
                         n == 107 ? ERR_OK : ERR_CONFIG);
        sink_unix.close(s);
        path[n] = 'x';
    }
    buf_free(&message);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unix_lines),
        cmocka_unit_test(test_unix_broken),
        cmocka_unit_test(test_unix_long_line),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_syslog_frames),
        cmocka_unit_test(test_as_every_kind_tcp),
        cmocka_unit_test(test_as_every_kind_unix),
        cmocka_unit_test(test_targets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
