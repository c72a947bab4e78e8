#include "sensor/sinks/sink.h"

#include "sensor/sinks/sink_test_kit.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "tempdir.h"

static void
test_file(void **state)
{
    struct tempdir t;

    (void)state;
    tempdir_make(&t);
    kit_check_kind(sink_find(SPAN_LIT("file")), tempdir_name(t.path, "out").s);
    tempdir_remove(&t);
}

/* Its own memory and a socket; it ends with us. */
static pid_t
start_redis(const char *dir, const char *path)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)execlp("redis-server", "redis-server", "--port", "0", "--save", "",
                 "--logfile", "/dev/null", "--unixsocket", path, "--dir", dir,
                 (char *)NULL);
    _exit(127);
}

static void
test_redis(void **state)
{
    struct tempdir t;
    struct tempdir_name path;
    int status = 0;
    pid_t pid;

    (void)state;
    if (system("command -v redis-server >/dev/null") != 0) {
        print_message("no redis-server: tools/setup --brokers\n");
        skip();
    }
    tempdir_make(&t);
    path = tempdir_name(t.path, "redis");
    pid = start_redis(t.path, path.s);
    kit_check_kind(sink_find(SPAN_LIT("redis")), path.s);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    tempdir_remove(&t);
}

/* A new row of the registry gets a test above, or in its own file. */
static void
test_every_kind_is_here(void **state)
{
    static const char *const names[] = {"file", "kafka",  "redis",
                                        "unix", "syslog", "webhook"};
    size_t n = 0;

    (void)state;
    for (; sink_registry[n] != NULL; n++) {
        assert_string_equal(sink_registry[n]->name, names[n]);
        assert_non_null(sink_registry[n]->help);
    }
    assert_int_equal(n, ARRAY_LEN(names));
}

static void
test_unknown_kind(void **state)
{
    struct sink_settings settings = {.target = "x"};
    struct sink *s = NULL;
    struct buf message;

    (void)state;
    buf_init(&message, 4096);
    assert_null(sink_find(SPAN_LIT("fil")));
    assert_int_equal(sink_open(SPAN_LIT("fil"), &settings, &s, &message),
                     ERR_CONFIG);
    assert_true(span_search(buf_view(&message), SPAN_LIT("file")) < message.n);
    buf_free(&message);
}

/* Every default is within its own range. */
static void
test_options(void **state)
{
    (void)state;
    for (size_t i = 0; sink_registry[i] != NULL; i++) {
        const struct sink_option *o = sink_registry[i]->options;

        for (; o != NULL && o->name != NULL; o++) {
            struct sink_settings none = {.target = ""};
            uint64_t n;

            if (o->most == 0)
                continue;
            n = sink_number(sink_registry[i]->options, &none, o->name);
            assert_true(n >= o->least && n <= o->most);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_redis),
        cmocka_unit_test(test_every_kind_is_here),
        cmocka_unit_test(test_unknown_kind),
        cmocka_unit_test(test_options),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
