#include "sensor/sinks/sink_file.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "tempdir.h"

static struct sink *
open_ok(const char *path, size_t buffer)
{
    struct sink_settings settings = {.target = path, .buffer_bytes = buffer};
    struct sink *s = NULL;
    struct buf message;

    buf_init(&message, 4096);
    assert_int_equal(sink_file.open(&s, &settings, &message), ERR_OK);
    buf_free(&message);
    return s;
}

static enum put
put_line(struct sink *s, unsigned i)
{
    char room[64];
    int n = snprintf(room, sizeof(room), "{\"n\":%u,\"pad\":\"%.*s\"}", i,
                     (int)(i % 20), "xxxxxxxxxxxxxxxxxxxx");

    return sink_file.put(s, SPAN_NONE, span_of(room, (size_t)n));
}

/* The file holds lines 0 to n - 1, each once, in order, and nothing else. */
static void
check_lines(const char *dir, const char *name, unsigned first, unsigned n)
{
    size_t got_n;
    uint8_t *got = tempdir_load(dir, name, &got_n);
    struct span rest = span_of(got, got_n);

    for (unsigned i = first; i < first + n; i++) {
        char want[64];
        int k = snprintf(want, sizeof(want), "{\"n\":%u,\"pad\":\"%.*s\"}\n", i,
                         (int)(i % 20), "xxxxxxxxxxxxxxxxxxxx");

        assert_true(span_starts(rest, span_of(want, (size_t)k)));
        rest = span_tail(rest, (size_t)k);
    }
    assert_int_equal(rest.n, 0);
    free(got);
}

static void
save_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* Somebody was killed within a write. */
static void
test_torn_line_stays_alone(void **state)
{
    static const struct {
        const char *before, *after;
    } rows[] = {
        {"",                "{}\n"                 },
        {"{\"a\":1}\n",     "{\"a\":1}\n{}\n"      },
        {"{\"a\":1}\n{\"b", "{\"a\":1}\n{\"b\n{}\n"},
        {"{",               "{\n{}\n"              },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct tempdir t;
        struct sink *s;
        uint8_t *got;
        size_t n;

        tempdir_make(&t);
        save_text(tempdir_name(t.path, "out").s, rows[i].before);
        s = open_ok(tempdir_name(t.path, "out").s, 0);
        assert_int_equal(sink_file.put(s, SPAN_NONE, SPAN_LIT("{}")), PUT_DONE);
        assert_int_equal(sink_file.flush(s), PUT_DONE);
        assert_int_equal(sink_file.reopen(s), ERR_OK);
        sink_file.close(s);
        got = tempdir_load(t.path, "out", &n);
        assert_true(span_eq(span_of(got, n), span_str(rows[i].after)));
        free(got);
        tempdir_remove(&t);
    }
}

static void
on_settled(void *ctx, bool delivered)
{
    unsigned *n = ctx;

    *n += delivered;
}

/* Who serves others too never waits for the reader of a pipe. */
static void
test_pipe_does_not_block(void **state)
{
    unsigned n = 0, taken = 0;
    struct sink_settings settings = {.settled = on_settled, .ctx = &n};
    struct sink *s = NULL;
    struct buf message;
    struct tempdir t;
    char room[65536];
    ssize_t got;
    int fd;

    (void)state;
    tempdir_make(&t);
    buf_init(&message, 4096);
    settings.target = tempdir_name(t.path, "pipe").s;
    assert_int_equal(mkfifo(settings.target, 0600), 0);
    (void)alarm(20);
    assert_int_equal(sink_file.open(&s, &settings, &message), ERR_IO);
    assert_true(message.n > 0);
    fd = open(settings.target, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(sink_file.open(&s, &settings, &message), ERR_OK);
    while (taken < 100000 && put_line(s, taken) == PUT_DONE)
        taken++;
    assert_true(n < taken && taken < 100000);
    while ((got = read(fd, room, sizeof(room))) > 0)
        sink_file.tick(s, 1);
    (void)alarm(0);
    assert_int_equal(n, taken);
    sink_file.close(s);
    (void)close(fd);
    buf_free(&message);
    tempdir_remove(&t);
}

static void
test_lines_any_buffer(void **state)
{
    static const size_t buffers[] = {1, 16, 100, 0};

    (void)state;
    for (size_t b = 0; b < ARRAY_LEN(buffers); b++) {
        struct tempdir t;
        struct sink *s;

        tempdir_make(&t);
        s = open_ok(tempdir_name(t.path, "out").s, buffers[b]);
        for (unsigned i = 0; i < 300; i++)
            assert_int_equal(put_line(s, i), PUT_DONE);
        assert_int_equal(sink_file.flush(s), PUT_DONE);
        assert_int_equal(sink_file.counts(s).delivered, 300);
        sink_file.close(s);
        s = open_ok(tempdir_name(t.path, "out").s, 0); /* appends */
        assert_int_equal(put_line(s, 300), PUT_DONE);
        sink_file.tick(s, 1);
        check_lines(t.path, "out", 0, 301);
        sink_file.close(s);
        tempdir_remove(&t);
    }
}

static void
test_reopen_after_rotation(void **state)
{
    struct tempdir t;
    struct sink *s;

    (void)state;
    tempdir_make(&t);
    s = open_ok(tempdir_name(t.path, "out").s, 0);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(put_line(s, i), PUT_DONE);
    assert_int_equal(
        rename(tempdir_name(t.path, "out").s, tempdir_name(t.path, "out.1").s),
        0);
    assert_int_equal(sink_file.reopen(s), ERR_OK);
    for (unsigned i = 5; i < 9; i++)
        assert_int_equal(put_line(s, i), PUT_DONE);
    assert_int_equal(sink_file.flush(s), PUT_DONE);
    check_lines(t.path, "out.1", 0, 5);
    check_lines(t.path, "out", 5, 4);
    sink_file.close(s);
    tempdir_remove(&t);
}

static void
test_cannot_open(void **state)
{
    struct sink_settings settings = {.target = "/nonexistent/out"};
    struct sink *s = NULL;
    struct buf message;

    (void)state;
    buf_init(&message, 4096);
    assert_int_equal(sink_file.open(&s, &settings, &message), ERR_NOENT);
    assert_true(
        span_eq(buf_view(&message), SPAN_LIT("/nonexistent/out: open: "
                                             "No such file or directory")));
    buf_free(&message);
}

/* A limit on the file's size stops the write in the middle of a line, at every
 * place; when it is lifted nothing is missing, doubled or cut. */
static void
test_file_full(void **state)
{
    struct rlimit before;

    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    for (rlim_t full = 1; full < 200; full++) {
        struct rlimit now = {full, before.rlim_max};
        struct tempdir t;
        struct sink *s;
        struct buf why;
        unsigned i = 0;
        size_t n;
        uint8_t *file;

        tempdir_make(&t);
        buf_init(&why, 4096);
        s = open_ok(tempdir_name(t.path, "out").s, 64 + full % 50);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
        while (put_line(s, i) == PUT_DONE)
            i++;
        assert_int_equal(sink_file.flush(s), PUT_DEAD);
        assert_int_equal(put_line(s, i), PUT_DEAD);
        sink_file.why(s, &why);
        assert_true(span_search(buf_view(&why),
                                SPAN_LIT("/out: write: File too large")) <
                    why.n);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        file = tempdir_load(t.path, "out", &n);
        assert_true(n == 0 || file[n - 1] == '\n');
        free(file);
        assert_int_equal(sink_file.reopen(s), ERR_OK);
        assert_int_equal(put_line(s, i), PUT_DONE);
        assert_int_equal(sink_file.flush(s), PUT_DONE);
        assert_int_equal(sink_file.counts(s).delivered, i + 1);
        assert_int_equal(sink_file.counts(s).taken, i + 1);
        check_lines(t.path, "out", 0, i + 1);
        sink_file.close(s);
        buf_free(&why);
        tempdir_remove(&t);
    }
}

static void
test_device_full(void **state)
{
    struct sink *s;

    (void)state;
    if (access("/dev/full", W_OK) != 0)
        skip();
    s = open_ok("/dev/full", 0);
    assert_int_equal(put_line(s, 0), PUT_DONE);
    assert_int_equal(sink_file.flush(s), PUT_DEAD);
    sink_file.close(s);
}

/* In a child, whose standard output is a pipe that nobody reads any more. */
static void
stdout_child(int out)
{
    struct sink *s = open_ok("-", 100);
    enum put got = PUT_DONE;

    if (dup2(out, STDOUT_FILENO) < 0)
        _exit(10);
    (void)signal(SIGPIPE, SIG_IGN);
    for (unsigned i = 0; i < 1000 && got == PUT_DONE; i++)
        got = put_line(s, i);
    if (got != PUT_STOP || sink_file.flush(s) != PUT_STOP)
        _exit(11);
    sink_file.close(s);
    _exit(0);
}

static void
test_closed_pipe(void **state)
{
    int ends[2];
    int status;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    /* Before the fork: all that the child writes has room in a pipe, so a
     * parent that closes its end too late would be a reader. */
    (void)close(ends[0]);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        stdout_child(ends[1]);
    (void)close(ends[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* A pipe that does not block, and its slow reader: BUSY, nothing is lost. */
static void
test_slow_pipe(void **state)
{
    struct tempdir t;
    struct sink *s;
    struct buf got;
    char room[3000];
    unsigned i = 0;
    int ends[2];
    int old;
    ssize_t n;

    (void)state;
    tempdir_make(&t);
    buf_init(&got, 8U << 20);
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    (void)fflush(stdout);
    old = dup(STDOUT_FILENO);
    s = open_ok("-", 5000);
    while (i < 20000) {
        enum put p;

        assert_true(dup2(ends[1], STDOUT_FILENO) >= 0);
        p = put_line(s, i);
        assert_true(dup2(old, STDOUT_FILENO) >= 0);
        assert_true(p == PUT_DONE || p == PUT_BUSY);
        i += p == PUT_DONE;
        if (p == PUT_BUSY && (n = read(ends[0], room, sizeof(room))) > 0)
            buf_put(&got, room, (size_t)n);
    }
    for (enum put p = PUT_BUSY; p != PUT_DONE;) {
        assert_true(dup2(ends[1], STDOUT_FILENO) >= 0);
        p = sink_file.flush(s);
        assert_true(dup2(old, STDOUT_FILENO) >= 0);
        if ((n = read(ends[0], room, sizeof(room))) > 0)
            buf_put(&got, room, (size_t)n);
    }
    while ((n = read(ends[0], room, sizeof(room))) > 0)
        buf_put(&got, room, (size_t)n);
    assert_int_equal(sink_file.counts(s).delivered, 20000);
    tempdir_store(t.path, "out", got.p, got.n);
    check_lines(t.path, "out", 0, 20000);
    sink_file.close(s);
    (void)close(old);
    (void)close(ends[0]);
    (void)close(ends[1]);
    buf_free(&got);
    tempdir_remove(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_torn_line_stays_alone),
        cmocka_unit_test(test_pipe_does_not_block),
        cmocka_unit_test(test_lines_any_buffer),
        cmocka_unit_test(test_reopen_after_rotation),
        cmocka_unit_test(test_cannot_open),
        cmocka_unit_test(test_file_full),
        cmocka_unit_test(test_device_full),
        cmocka_unit_test(test_closed_pipe),
        cmocka_unit_test(test_slow_pipe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
