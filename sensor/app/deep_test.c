#include "sensor/app/deep.h"

#include "sensor/app/confine.h"
#include "sensor/app/patience.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
/* cmocka needs the above */
#include <cmocka.h>

/* The EICAR test file, in two halves so that no scanner takes this source for
 * it. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

#define EICAR                                                                  \
    "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-"                             \
    "ANTIVIRUS-TEST-FILE!$H+H*"

/* The content that the inspectors look with is in *state. */
static struct deep *
start_beating(unsigned n_slots,
              void (*inspect)(void *ctx, const struct content_job *job,
                              struct content_result *result),
              void *ctx, unsigned beat_ms)
{
    const struct deep_options o = {.n_slots = n_slots,
                                   .input_max = 1 << 20,
                                   .memory_max = 512U << 20,
                                   .inspect = inspect,
                                   .ctx = ctx,
                                   .beat_ms = beat_ms};
    struct deep *d = NULL;

    struct buf message;

    buf_init(&message, 4096);
    assert_int_equal(deep_start(&o, &d, &message), ERR_OK);
    assert_int_equal(message.n, 0);
    buf_free(&message);
    return d;
}

static struct deep *
start_with(unsigned n_slots,
           void (*inspect)(void *ctx, const struct content_job *job,
                           struct content_result *result),
           void *ctx)
{
    return start_beating(n_slots, inspect, ctx, 0);
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

static void
inspect(void *ctx, const struct content_job *job, struct content_result *result)
{
    content_inspect(ctx, job, result);
}

static struct deep *
start(void **state, unsigned n_slots)
{
    return start_with(n_slots, inspect, *state);
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

/* Says by its findings what it was given. */
static void
say_what_came(void *ctx, const struct content_job *job,
              struct content_result *result)
{
    (void)ctx;
    if (job->truncated)
        findings_add(&result->findings, FIND_PART_CUT);
    if (span_eq(job->name, SPAN_LIT("name")))
        findings_add(&result->findings, FIND_EICAR);
    if (span_eq(job->declared, SPAN_LIT("type")))
        findings_add(&result->findings, FIND_GTUBE);
}

static void
gives_all_of_a_job(void **state)
{
    struct deep *d = start_with(1, say_what_came, NULL);
    struct content_job job = {.bytes = SPAN_LIT("x")};
    struct content_result r;

    (void)state;
    content_result_init(&r);
    for (unsigned k = 0; k < 8; k++) {
        job.truncated = (k & 1) != 0;
        job.name = (k & 2) != 0 ? SPAN_LIT("name") : SPAN_NONE;
        job.declared = (k & 4) != 0 ? SPAN_LIT("type") : SPAN_NONE;
        assert_true(deep_inspect(d, 0, &job, &r));
        assert_int_equal(findings_has(&r.findings, FIND_PART_CUT), k & 1);
        assert_int_equal(findings_has(&r.findings, FIND_EICAR), k >> 1 & 1);
        assert_int_equal(findings_has(&r.findings, FIND_GTUBE), k >> 2);
    }
    content_result_free(&r);
    deep_stop(d);
}

/* Of this process, in KiB. */
static unsigned
shared_memory(void)
{
    FILE *f = fopen("/proc/self/status", "re");
    unsigned n = 0;
    char line[128];

    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL &&
           sscanf(line, "RssShmem: %u", &n) != 1)
        ;
    (void)fclose(f);
    return n;
}

/* An idle slot does not hold the pages of the largest job it ever had. */
static void
gives_memory_back(void **state)
{
    const size_t large = 8U << 20;
    const struct deep_options o = {.n_slots = 1,
                                   .input_max = large,
                                   .memory_max = 512U << 20,
                                   .inspect = say_what_came};
    struct content_job job = {.bytes = span_of(calloc(1, large), large)};
    struct deep *d = NULL;
    struct content_result r;
    struct buf message;
    unsigned before;

    (void)state;
    assert_non_null(job.bytes.p);
    buf_init(&message, 4096);
    assert_int_equal(deep_start(&o, &d, &message), ERR_OK);
    content_result_init(&r);
    before = shared_memory();
    assert_true(deep_inspect(d, 0, &job, &r));
    assert_true(shared_memory() < before + 1024);
    content_result_free(&r);
    deep_stop(d);
    buf_free(&message);
    free((void *)(uintptr_t)job.bytes.p);
}

static cpu_set_t
processors_of(pid_t pid)
{
    cpu_set_t set;

    assert_int_equal(sched_getaffinity(pid, sizeof(set), &set), 0);
    return set;
}

/* They share one while a short job lasts; a long one may go anywhere. */
static void
leaves_processors_as_they_were(void **state)
{
    static uint8_t large[1 << 18];
    struct deep *d = start(state, 1);
    struct content_job job = {.bytes = span_of(large, sizeof(large))};
    cpu_set_t before = processors_of(0), after;
    struct content_result r;

    content_result_init(&r);
    assert_true(finds_eicar(d, 0, &r));
    after = processors_of(0);
    assert_true(CPU_EQUAL(&before, &after));
    after = processors_of(deep_pid(d, 0));
    assert_int_equal(CPU_COUNT(&after), 1);
    assert_true(deep_inspect(d, 0, &job, &r));
    after = processors_of(deep_pid(d, 0));
    assert_true(CPU_EQUAL(&before, &after));
    after = processors_of(0);
    assert_true(CPU_EQUAL(&before, &after));
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
    assert_false(deep_lost(k.d, 0));
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
    assert_true(IS_SANITIZED || has_line(text, "Seccomp:\t2"));
    content_result_free(&r);
    deep_stop(d);
}

/* How many mappings it shares with others; 0: only root may know. */
static unsigned
shared_mappings(pid_t pid)
{
    char path[64], line[1024];
    unsigned n = 0;
    FILE *f;

    (void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
    f = fopen(path, "re");
    if (f == NULL)
        return 0;
    while (fgets(line, sizeof(line), f) != NULL)
        n += strstr(line, " rw-s ") != NULL;
    (void)fclose(f);
    return n;
}

static void
shares_nothing_but_its_slot(void **state)
{
    struct deep *a = start(state, 3);
    struct deep_options o = {.n_slots = 2,
                             .input_max = 1 << 20,
                             .memory_max = 512U << 20,
                             .inspect = inspect,
                             .ctx = *state,
                             .before = a};
    struct deep *b = NULL;
    struct content_result r;
    struct buf message;

    buf_init(&message, 4096);
    assert_int_equal(deep_start(&o, &b, &message), ERR_OK);
    content_result_init(&r);
    for (unsigned i = 0; i < 3; i++) { /* an answer: so it has begun */
        assert_true(finds_eicar(a, i, &r));
        assert_true(shared_mappings(deep_pid(a, i)) <= 1);
    }
    for (unsigned i = 0; i < 2; i++) {
        assert_true(finds_eicar(b, i, &r));
        assert_true(shared_mappings(deep_pid(b, i)) <= 1);
    }
    content_result_free(&r);
    deep_stop(a);
    deep_stop(b);
    buf_free(&message);
}

/* ---- inspectors that were taken over ---- */

/* The first byte says what it does. */
static void
misbehave(void *ctx, const struct content_job *job, struct content_result *r)
{
    struct cursor c = cur_open(job->bytes);
    uint8_t what = cur_u8(&c);

    (void)ctx;
    findings_add(&r->findings, FIND_EICAR);
    switch (what) {
    case 'c': (void)syscall(cur_le16(&c), -1, 0, 0, 0, 0, 0); break;
    case 'x':
        (void)mmap(NULL, 4096, PROT_READ | PROT_EXEC,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        break;
    case 'm': /* more than its memory; what it has of it it may have */
        if (mmap(NULL, 1U << 30, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
            findings_add(&r->findings, FIND_YARA);
        break;
    case 'e': _exit(0);
    case 'a': abort();
    case 's':
        for (;;)
            (void)syscall(SYS_futex, &what, 0, what, NULL, NULL, 0);
    default: break;
    }
}

static bool
does(struct deep *d, struct span what, struct content_result *r)
{
    const struct content_job job = {.bytes = what};

    return deep_inspect(d, 0, &job, r);
}

/* In the list, or neither call nor number of the table. */
static bool
is_allowed(unsigned number)
{
    static const struct {
        unsigned number;
        const char *roles;
    } list[] = {
#define CALL(name, roles, how, why) {SYS_##name, roles},
#include "sensor/app/confine_calls.def"
#undef CALL
    };

    for (size_t i = 0; i < ARRAY_LEN(list); i++) {
        if (list[i].number == number && strchr(list[i].roles, 'x') != NULL)
            return true;
    }
    return false;
}

/* A filter of its own: each call in a child, so that what ends it is seen. */
static int
end_of_child(unsigned number)
{
    int status = 0;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        if (!confine_calls(CONFINE_INSPECTOR))
            _exit(2);
        (void)syscall(number, -1L, 0, 0, 0, 0, 0);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/* What libraries try and can do without fails, even in a way that is valid. */
static void
refuses_to_open(void **state)
{
    int status = 0;
    pid_t pid = fork();

    (void)state;
    assert_true(pid >= 0);
    if (pid == 0) {
        if (!confine_calls(CONFINE_INSPECTOR))
            _exit(2);
        _exit(syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY) == -1 &&
                      errno == EPERM
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void
every_other_call_kills(void **state)
{
    unsigned killed = 0;

    (void)state;
    if (IS_SANITIZED) /* has no filter: deep.h */
        return;
    for (unsigned number = 0; number < 470; number++) {
        int status;

        if (is_allowed(number) || (number > 334 && number < 424))
            continue; /* no calls, but two that kernels keep for themselves */
        status = end_of_child(number);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
            fail_msg("system call %u: status %x", number, (unsigned)status);
        killed++;
    }
    assert_true(killed > 350);
    assert_int_equal(end_of_child(SYS_madvise), 0);
    refuses_to_open(state);
    /* numbers of other architectures' tables, and of none */
    assert_true(WIFSIGNALED(end_of_child(0x40000000U | SYS_futex)));
    assert_true(WIFSIGNALED(end_of_child(100000)));
}

static void
what_it_may_not_is_a_fault(void **state)
{
    static const struct {
        const char *why;
        struct span what;
    } rows[] = {
        {"reads",          SPAN_INIT("c\x00\x00")},
        {"makes a socket", SPAN_INIT("c\x29\x00")},
        {"writes",         SPAN_INIT("c\x01\x00")},
        {"forks",          SPAN_INIT("c\x39\x00")},
        {"executes",       SPAN_INIT("c\x3b\x00")},
        {"maps code",      SPAN_INIT("x")        },
        {"leaves",         SPAN_INIT("e")        },
        {"aborts",         SPAN_INIT("a")        },
    };
    struct deep *d;
    struct content_result r;

    (void)state;
    if (IS_SANITIZED) /* has no filter: deep.h */
        return;
    d = start_with(1, misbehave, NULL);
    content_result_init(&r);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (does(d, rows[i].what, &r) ||
            !findings_has(&r.findings, FIND_INSPECTION_FAULT) ||
            findings_has(&r.findings, FIND_EICAR))
            fail_msg("%s", rows[i].why);
        assert_true(does(d, SPAN_LIT("-"), &r));
        assert_true(findings_has(&r.findings, FIND_EICAR));
    }
    assert_int_equal(deep_counts_of(d, 0).faults, ARRAY_LEN(rows));
    assert_true(does(d, SPAN_LIT("m"), &r));
    assert_false(findings_has(&r.findings, FIND_YARA));
    content_result_free(&r);
    deep_stop(d);
}

/* One who sends nothing but what stalls: the waits get short, then there are
 * none, and other files are inspected all the while. */
static void
patience_ends(void **state)
{
    static const struct span stalls = SPAN_INIT("s\nMZ is no program");
    static const struct span others = SPAN_INIT("%PDF-1.4\n");
    struct deep *d = start_with(1, misbehave, NULL);
    struct content_result r;
    struct timespec from, to;

    (void)state;
    content_result_init(&r);
    (void)clock_gettime(CLOCK_MONOTONIC, &from);
    for (unsigned n = 0; n < PATIENCE_KIND; n++) {
        assert_false(does(d, stalls, &r));
        assert_true(findings_has(&r.findings, FIND_INSPECTION_TIMEOUT));
        assert_true(does(d, others, &r));
    }
    for (unsigned n = 0; n < 100; n++) {
        assert_false(does(d, stalls, &r));
        assert_true(findings_has(&r.findings, FIND_NOT_INSPECTED));
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &to);
    assert_true(does(d, others, &r));
    assert_int_equal(deep_counts_of(d, 0).timeouts, PATIENCE_KIND);
    assert_int_equal(deep_counts_of(d, 0).refused, 100);
    assert_true(to.tv_sec - from.tv_sec <=
                PATIENCE_HURRY * (DEEP_WALL_S + 4) +
                    (PATIENCE_KIND - PATIENCE_HURRY) * (DEEP_SHORT_S + 4));
    content_result_free(&r);
    deep_stop(d);
}

/* The worst wait: DEEP_WALL_S and two beats. */
static void
what_does_not_end_is_ended(void **state)
{
    struct deep *d = start_with(1, misbehave, NULL);
    struct timespec from, to;
    struct content_result r;

    (void)state;
    content_result_init(&r);
    (void)clock_gettime(CLOCK_MONOTONIC, &from);
    assert_false(does(d, SPAN_LIT("s"), &r));
    (void)clock_gettime(CLOCK_MONOTONIC, &to);
    assert_true(findings_has(&r.findings, FIND_INSPECTION_TIMEOUT));
    assert_false(findings_has(&r.findings, FIND_INSPECTION_FAULT));
    assert_true(to.tv_sec - from.tv_sec >= DEEP_WALL_S - 1);
    assert_true(to.tv_sec - from.tv_sec <= DEEP_WALL_S + 4);
    assert_true(does(d, SPAN_LIT("-"), &r));
    assert_int_equal(deep_counts_of(d, 0).timeouts, 1);
    assert_false(deep_lost(d, 0));
    content_result_free(&r);
    deep_stop(d);
}

/* Where other parts wait: a second and two beats, on a machine that does other
 * things besides. */
static void
live_it_is_ended_soon(void **state)
{
    struct deep *d = start_beating(1, misbehave, NULL, DEEP_BEAT_LIVE);
    struct content_result r;

    (void)state;
    content_result_init(&r);
    for (unsigned i = 0; i < 2; i++) {
        struct timespec from, to;
        int64_t ms;

        (void)clock_gettime(CLOCK_MONOTONIC, &from);
        assert_false(does(d, SPAN_LIT("s"), &r));
        (void)clock_gettime(CLOCK_MONOTONIC, &to);
        ms = (to.tv_sec - from.tv_sec) * 1000 +
             (to.tv_nsec - from.tv_nsec) / 1000000;
        print_message("ended after %d ms\n", (int)ms);
        assert_true(findings_has(&r.findings, FIND_INSPECTION_TIMEOUT));
        assert_true(ms >= (int64_t)(DEEP_WALL_S - 1) * DEEP_BEAT_LIVE);
        assert_true(ms < 20 * DEEP_BEAT_LIVE);
        assert_true(does(d, SPAN_LIT("-"), &r));
    }
    assert_false(deep_lost(d, 0));
    content_result_free(&r);
    deep_stop(d);
}

/* Fills the result with what the job holds, as no inspector would. */
static void
tell_lies(void *ctx, const struct content_job *job, struct content_result *r)
{
    struct cursor c = cur_open(job->bytes);

    (void)ctx;
    r->n_members = cur_u8(&c);
    r->urls.n = cur_u8(&c);
    r->type = (enum filetype)cur_u8(&c);
    buf_span(&r->findings.details, cur_take(&c, cur_u8(&c)));
    buf_span(&r->urls.text, cur_take(&c, cur_u8(&c)));
    buf_span(&r->members, cur_rest(&c));
}

/* What gets through can be read to its end: the sanitizers look on. */
static void
read_through(const struct content_result *r)
{
    struct cursor urls = cur_open(buf_view(&r->urls.text));
    struct cursor members = cur_open(buf_view(&r->members));
    struct cursor details = cur_open(buf_view(&r->findings.details));
    struct content_member m;
    struct span s;
    enum finding f;

    while (url_next(&urls, &s) || content_member_next(&members, &m) ||
           findings_next(&details, &f, &s))
        ;
    assert_false(urls.bad || members.bad || details.bad);
    assert_true(r->type < FILETYPE_COUNT);
}

static void
garbage_is_refused(void **state)
{
    struct deep *d = start_with(1, tell_lies, NULL);
    uint64_t random = 25, refused = 0, n = 2000;
    struct content_result r;

    (void)state;
    content_result_init(&r);
    for (uint64_t i = 0; i < n; i++) {
        uint8_t job[300];
        size_t len = 5;

        for (size_t k = 0; k < sizeof(job); k++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            job[k] = (uint8_t)(random >> (random % 3 * 16));
        }
        len += random % (sizeof(job) - 5);
        if (!does(d, span_of(job, len), &r)) {
            assert_true(findings_has(&r.findings, FIND_INSPECTION_FAULT));
            refused++;
        }
        read_through(&r);
    }
    assert_true(refused > n * 9 / 10);
    assert_int_equal(deep_counts_of(d, 0).faults, refused);
    assert_true(does(d, SPAN_LIT("\0\0\0\0\0"), &r));
    content_result_free(&r);
    deep_stop(d);
}

/* ---- several workers ---- */

struct user {
    struct deep *d;
    unsigned slot;
    unsigned wrong;
};

/* One name in the result for each job: answers must not change hands. */
static void
name_it(void *ctx, const struct content_job *job, struct content_result *r)
{
    (void)ctx;
    findings_add_detail(&r->findings, FIND_YARA, job->bytes);
}

static void *
use(void *arg)
{
    struct user *u = arg;
    struct content_result r;

    content_result_init(&r);
    for (unsigned i = 0; i < 3000; i++) {
        char text[32];
        int n = snprintf(text, sizeof(text), "slot %u job %u", u->slot, i);
        struct content_job job = {.bytes = span_of(text, (size_t)n)};
        struct cursor c;
        struct span detail = SPAN_NONE;
        enum finding f;

        u->wrong += !deep_inspect(u->d, u->slot, &job, &r);
        c = cur_open(buf_view(&r.findings.details));
        u->wrong +=
            !findings_next(&c, &f, &detail) || !span_eq(detail, job.bytes);
    }
    content_result_free(&r);
    return NULL;
}

static void
threads_do_not_meet(void **state)
{
    struct deep *d = start_with(4, name_it, NULL);
    struct user users[4];
    pthread_t threads[4];

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        users[i] = (struct user){d, i, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, use, &users[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        (void)pthread_join(threads[i], NULL);
        assert_int_equal(users[i].wrong, 0);
    }
    deep_stop(d);
}

/* ---- the keeper ---- */

/* 0: there is no such process. */
static pid_t
parent_of(pid_t pid)
{
    char path[64], text[512];
    int parent = 0;
    const char *at;
    FILE *f;
    size_t n;

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    f = fopen(path, "re");
    if (f == NULL)
        return 0;
    n = fread(text, 1, sizeof(text) - 1, f);
    text[n] = '\0';
    (void)fclose(f);
    at = strrchr(text, ')');
    return at != NULL && sscanf(at, ") %*c %d", &parent) == 1 ? parent : 0;
}

static void
goes_on_without_a_keeper(void **state)
{
    struct deep *d = start(state, 1);
    struct timespec from, to;
    struct content_result r;
    pid_t inspector, keeper;

    content_result_init(&r);
    assert_true(finds_eicar(d, 0, &r)); /* so the inspector is there */
    inspector = deep_pid(d, 0);
    keeper = parent_of(inspector);
    assert_int_equal(parent_of(keeper), getpid());
    assert_int_equal(kill(keeper, SIGKILL), 0);
    while (parent_of(inspector) == keeper)
        (void)usleep(1000);
    (void)usleep(50000);
    (void)clock_gettime(CLOCK_MONOTONIC, &from);
    for (unsigned i = 0; i < 1000; i++) {
        assert_false(finds_eicar(d, 0, &r));
        assert_true(findings_has(&r.findings, FIND_INSPECTION_FAULT));
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &to);
    assert_true(deep_lost(d, 0));
    assert_true(to.tv_sec - from.tv_sec <= 15);
    assert_int_equal(deep_counts_of(d, 0).faults, 1000);
    content_result_free(&r);
    deep_stop(d);
}

/* The kernel of old, or a container's filter: no close_range. */
static void
take_close_range(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog filter = {ARRAY_LEN(code), code};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        _exit(3);
}

static void
says_when_it_cannot_start(void **state)
{
    const struct deep_options o = {.n_slots = 2,
                                   .input_max = 1 << 20,
                                   .memory_max = 512U << 20,
                                   .inspect = misbehave};
    int status = -1;
    pid_t pid = fork();

    (void)state;
    assert_true(pid >= 0);
    if (pid == 0) {
        struct deep *d = NULL;
        struct buf message;

        take_close_range();
        buf_init(&message, 4096);
        if (deep_start(&o, &d, &message) != ERR_PERM || d != NULL)
            _exit(1);
        _exit(message.n > 0 ? 0 : 2);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inspects),
        cmocka_unit_test(names_what_is_too_large),
        cmocka_unit_test(gives_all_of_a_job),
        cmocka_unit_test(gives_memory_back),
        cmocka_unit_test(goes_on_when_killed),
        cmocka_unit_test(has_no_rights),
        cmocka_unit_test(shares_nothing_but_its_slot),
        cmocka_unit_test(every_other_call_kills),
        cmocka_unit_test(what_it_may_not_is_a_fault),
        cmocka_unit_test(what_does_not_end_is_ended),
        cmocka_unit_test(live_it_is_ended_soon),
        cmocka_unit_test(patience_ends),
        cmocka_unit_test(garbage_is_refused),
        cmocka_unit_test(leaves_processors_as_they_were),
        cmocka_unit_test(threads_do_not_meet),
        cmocka_unit_test(goes_on_without_a_keeper),
        cmocka_unit_test(says_when_it_cannot_start),
    };

    return cmocka_run_group_tests(tests, open_content, close_content);
}
