#include "sensor/app/deep.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>
/* cmocka needs the above */
#include <cmocka.h>

/* The EICAR test file, in two halves so that no scanner takes this source for
 * it. */
#define EICAR                                                                  \
    "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-"                             \
    "ANTIVIRUS-TEST-FILE!$H+H*"

static void
inspect(void *ctx, const struct content_job *job, struct content_result *result)
{
    content_inspect(ctx, job, result);
}

/* The content that the inspectors look with is in *state. */
static struct deep *
start(void **state, unsigned n_slots)
{
    struct deep_options o = {
        .n_slots = n_slots,
        .input_max = 1 << 20,
        .memory_max = 512U << 20,
        .inspect = inspect,
        .ctx = *state,
    };
    struct deep *d = NULL;

    assert_int_equal(deep_start(&o, &d), ERR_OK);
    return d;
}

static int
open_content(void **state)
{
    const struct content_options o = {0};
    struct content *c = NULL;
    struct buf message;

    buf_init(&message, 4096);
    assert_int_equal(content_new(&o, &c, &message), ERR_OK);
    assert_int_equal(message.n, 0);
    buf_free(&message);
    *state = c;
    return 0;
}

static int
close_content(void **state)
{
    content_free(*state);
    return 0;
}

static bool
finds_eicar(struct deep *d, unsigned slot, struct content_result *r)
{
    const struct content_job job = {.bytes = SPAN_LIT(EICAR),
                                    .name = SPAN_LIT("x.txt")};

    return deep_inspect(d, slot, &job, r) &&
           findings_has(&r->findings, FIND_EICAR);
}

static void
inspects(void **state)
{
    struct deep *d = start(state, 2);
    struct content_result r;

    content_result_init(&r);
    for (unsigned i = 0; i < 20; i++)
        assert_true(finds_eicar(d, i % 2, &r));
    assert_int_equal(deep_counts_of(d, 0).jobs, 10);
    assert_int_equal(deep_counts_of(d, 0).faults, 0);
    content_result_free(&r);
    deep_stop(d);
}

static void
names_what_is_too_large(void **state)
{
    static uint8_t large[(1 << 20) + 1];
    struct deep *d = start(state, 1);
    struct content_job job = {.bytes = span_of(large, sizeof(large))};
    struct content_result r;

    content_result_init(&r);
    assert_true(deep_inspect(d, 0, &job, &r));
    assert_true(findings_has(&r.findings, FIND_PART_CUT));
    job.bytes.n--;
    assert_true(deep_inspect(d, 0, &job, &r));
    assert_false(findings_has(&r.findings, FIND_PART_CUT));
    content_result_free(&r);
    deep_stop(d);
}

struct killer {
    struct deep *d;
    _Atomic bool stop;
    unsigned kills;
};

static void *
kill_again_and_again(void *arg)
{
    struct killer *k = arg;

    while (!atomic_load(&k->stop)) {
        pid_t pid = deep_pid(k->d, 0);

        if (pid > 0 && kill(pid, SIGKILL) == 0)
            k->kills++;
        (void)usleep(700 * (1 + k->kills % 5));
    }
    return NULL;
}

/* Each job either has its answer or says that it broke off. */
static void
goes_on_when_killed(void **state)
{
    struct killer k = {.d = start(state, 1)};
    unsigned good = 0, broken = 0;
    struct content_result r;
    pthread_t thread;

    content_result_init(&r);
    assert_int_equal(pthread_create(&thread, NULL, kill_again_and_again, &k),
                     0);
    while (good < 200 || broken < 20) {
        if (finds_eicar(k.d, 0, &r)) {
            good++;
        } else {
            assert_true(findings_has(&r.findings, FIND_INSPECTION_FAULT));
            broken++;
        }
        assert_true(good + broken < 1000000);
    }
    atomic_store(&k.stop, true);
    (void)pthread_join(thread, NULL);
    assert_int_equal(deep_counts_of(k.d, 0).faults, broken);
    assert_false(deep_lost(k.d));
    content_result_free(&r);
    deep_stop(k.d);
}

static bool
has_line(const char *text, const char *line)
{
    const char *at = strstr(text, line);

    return at != NULL && (at == text || at[-1] == '\n');
}

/* A sanitizer's build has no filter (deep.h). */
static void
has_no_rights(void **state)
{
    struct deep *d = start(state, 1);
    struct content_result r;
    char path[64], text[4096];
    FILE *f;
    size_t n;

    content_result_init(&r);
    assert_true(finds_eicar(d, 0, &r));
    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)deep_pid(d, 0));
    f = fopen(path, "re");
    assert_non_null(f);
    n = fread(text, 1, sizeof(text) - 1, f);
    text[n] = '\0';
    (void)fclose(f);
    assert_true(has_line(text, "NoNewPrivs:\t1"));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_true(has_line(text, "Seccomp:\t2"));
#endif
    content_result_free(&r);
    deep_stop(d);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inspects),
        cmocka_unit_test(names_what_is_too_large),
        cmocka_unit_test(goes_on_when_killed),
        cmocka_unit_test(has_no_rights),
    };

    return cmocka_run_group_tests(tests, open_content, close_content);
}
