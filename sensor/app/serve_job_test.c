#include "sensor/app/serve_job.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
/* cmocka needs the above */
#include <cmocka.h>

#define PATIENCE 60000U /* ms, on a machine with other work */

#define WORDS(text) SPAN_LIT(text "\0")

static void
test_what_is_executed(void **state)
{
    static const struct {
        const char *why;
        struct span words;
        bool allowed;
    } rows[] = {
        {"a study",              SPAN_INIT("study\0run\0--state=/x\0--json\0"), true },
        {"a sweep",              SPAN_INIT("study\0sweep\0"),                   true },
        {"a review",             SPAN_INIT("study\0review\0--study=a\0"),       true },
        {"nothing",              SPAN_INIT(""),                                 false},
        {"no verb",              SPAN_INIT("study\0"),                          false},
        {"another verb",         SPAN_INIT("study\0show\0--x=y\0"),             false},
        {"another program part", SPAN_INIT("live\0run\0"),                      false},
        {"an input",             SPAN_INIT("study\0run\0kafka://x/y\0"),        false},
        {"standard input",       SPAN_INIT("study\0run\0-\0"),                  false},
        {"a short flag",         SPAN_INIT("study\0run\0-o\0"),                 false},
        {"behind the options",   SPAN_INIT("study\0run\0--\0x\0"),              false},
        {"an empty word",        SPAN_INIT("study\0run\0\0"),                   false},
        {"no end",               SPAN_INIT("study\0run\0--js"),                 false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (serve_job_allows(rows[i].words) != rows[i].allowed)
            fail_msg("%s", rows[i].why);
    }
}

static void
wait_for_end(struct serve_job *j, struct serve_job_seen *seen)
{
    for (unsigned ms = 0; ms < PATIENCE; ms++) {
        serve_job_look(j, seen);
        if (!seen->running)
            return;
        (void)usleep(1000);
    }
    fail_msg("it does not end");
}

static enum err
start(struct serve_job *j, struct span words)
{
    const struct serve_job_what what = {
        .action = "run", .name = "one", .user = "ines", .since = 1};

    return serve_job_start(j, &what, words);
}

static void
test_one_that_ends(void **state)
{
    struct serve_job_seen seen;
    struct serve_job *j;

    (void)state;
    assert_int_equal(serve_job_open(&j), ERR_OK);
    serve_job_look(j, &seen);
    assert_false(seen.running);
    assert_string_equal(seen.what.action, "");
    assert_false(serve_job_stop(j));
    for (unsigned turn = 0; turn < 2; turn++) { /* one after the other */
        assert_int_equal(start(j, WORDS("study\0run\0--json")), ERR_OK);
        wait_for_end(j, &seen);
        assert_int_equal(seen.code, 4);
        assert_string_equal(seen.told, "span25: --json\n");
        assert_string_equal(seen.what.name, "one");
    }
    assert_int_equal(start(j, WORDS("study\0run\0input")), ERR_OK);
    wait_for_end(j, &seen);
    assert_int_equal(seen.code, 1);
    assert_string_equal(seen.told, "");
    serve_job_close(j);
}

/* One that waits for a signal, and passes the first one over. */
static void
test_one_that_is_stopped(void **state)
{
    struct serve_job_seen seen;
    struct serve_job *j;

    (void)state;
    assert_int_equal(serve_job_open(&j), ERR_OK);
    assert_int_equal(start(j, WORDS("study\0sweep")), ERR_OK);
    assert_int_equal(start(j, WORDS("study\0run")), ERR_BUSY);
    assert_true(serve_job_stop(j));
    serve_job_look(j, &seen);
    assert_true(seen.stopped);
    assert_true(serve_job_stop(j) || !seen.running);
    wait_for_end(j, &seen);
    assert_true(seen.code == 128 + SIGTERM || seen.code == 128 + SIGKILL);
    assert_int_equal(start(j, WORDS("study\0run\0--json")), ERR_OK);
    wait_for_end(j, &seen);
    assert_int_equal(seen.code, 4);
    assert_false(seen.stopped);
    serve_job_close(j);
}

static void
test_too_much(void **state)
{
    static uint8_t words[SERVE_JOB_WORDS + 1];
    struct serve_job *j;

    (void)state;
    assert_int_equal(serve_job_open(&j), ERR_OK);
    assert_int_equal(start(j, span_of(words, sizeof(words))), ERR_LIMIT);
    serve_job_close(j);
    serve_job_close(NULL);
}

/* What the keeper executes is this program. */
static int
as_program(int argc, char **argv)
{
    for (int i = 3; i < argc; i++)
        (void)fprintf(stderr, "span25: %s\n", argv[i]);
    while (strcmp(argv[2], "sweep") == 0)
        (void)pause();
    return 4;
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_executed),
        cmocka_unit_test(test_one_that_ends),
        cmocka_unit_test(test_one_that_is_stopped),
        cmocka_unit_test(test_too_much),
    };

    if (argc > 2 && strcmp(argv[1], "study") == 0)
        return as_program(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
