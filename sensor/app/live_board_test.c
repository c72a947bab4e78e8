#include "sensor/app/live_board.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What a process that was taken over may try with a part of the board. */
enum how { STORE, MAKE_WRITABLE, MAKE_LONGER, MAP_ANEW };

enum { PAGE = 4096, WORKER = 3 };

/* A row for each part, and more than one word of some. */
#define AT(member) offsetof(struct live_board, member)
static const struct {
    const char *why;
    size_t at;
    enum live_role owner; /* writes it, besides the supervisor */
} words[] = {
    {"the stop word",           AT(stop),                   LIVE_SUPERVISOR},
    {"who has which number",    AT(supervisor.pid),         LIVE_SUPERVISOR},
    {"the keeper's beat",       AT(content.beat_mono_ns),   LIVE_SUPERVISOR},
    {"what is listened to",     AT(n_workers),              LIVE_SUPERVISOR},
    {"the core's beat",         AT(core),                   LIVE_CORE      },
    {"the page of numbers",     AT(core.metrics),           LIVE_CORE      },
    {"the index's beat",        AT(index.beat_mono_ns),     LIVE_INDEX     },
    {"the beat of web",         AT(web.beat_mono_ns),       LIVE_WEB       },
    {"the recorder's beat",     AT(recorder.beat_mono_ns),  LIVE_RECORDER  },
    {"what a sink has",         AT(publish.sink[3].unread), LIVE_PUBLISH   },
    {"the recorder's counts",   AT(recorder_dropped),       LIVE_RECORDER  },
    {"a worker's own counts",   AT(worker[WORKER].records), LIVE_WORKER    },
    {"another worker's counts", AT(worker[2].records),      LIVE_ROLES     },
    {"one that is not there",   AT(worker[63].records),     LIVE_ROLES     },
};

static const enum live_role roles[] = {LIVE_CORE, LIVE_INDEX, LIVE_WEB,
                                       LIVE_RECORDER, LIVE_WORKER};

static void
attack(struct live_board *b, size_t at, enum how how)
{
    char *const word = (char *)b + at;
    char *const page = (char *)b + at / PAGE * PAGE;

    switch (how) {
    case STORE: break;
    case MAKE_WRITABLE:
        if (mprotect(page, PAGE, PROT_READ | PROT_WRITE) != 0)
            _exit(errno == EACCES ? 1 : 2);
        break;
    case MAKE_LONGER: /* the part before it, over this one */
        if (at < LIVE_PART || mremap(page - LIVE_PART, PAGE, 2 * LIVE_PART,
                                     0) != page - LIVE_PART)
            _exit(1);
        break;
    case MAP_ANEW: /* of size 0: a second one of the same */
        if (mremap(page, 0, PAGE, MREMAP_MAYMOVE) == MAP_FAILED)
            _exit(1);
        if (mprotect(page, PAGE, PROT_READ | PROT_WRITE) != 0)
            _exit(1);
        break;
    }
    *(volatile char *)word = 1;
    _exit(0);
}

/* Whether the word was written, as the supervisor sees it. */
static bool
writes(struct live_board *b, size_t at, enum live_role role, enum how how)
{
    char *const word = (char *)b + at;
    const struct rlimit none = {0, 0};
    int status = 0;
    pid_t pid;

    *word = 0;
    pid = fork();
    if (pid == 0) {
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(SIGSEGV, SIG_DFL);
        (void)signal(SIGBUS, SIG_DFL);
        if (live_board_own(b, role, WORKER) != ERR_OK)
            _exit(3);
        attack(b, at, how);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    return *word != 0;
}

static void
each_writes_its_own_part(void **state)
{
    struct live_board *b;

    (void)state;
    assert_int_equal(live_board_new(&b), ERR_OK);
    for (size_t r = 0; r < ARRAY_LEN(roles); r++) {
        for (size_t i = 0; i < ARRAY_LEN(words); i++) {
            if (writes(b, words[i].at, roles[r], STORE) !=
                (words[i].owner == roles[r]))
                fail_msg("%s, by %s", words[i].why, live_role_name(roles[r]));
        }
    }
    live_board_free(b);
}

static void
nobody_gets_more(void **state)
{
    static const enum how ways[] = {MAKE_WRITABLE, MAKE_LONGER, MAP_ANEW};
    struct live_board *b;

    (void)state;
    assert_int_equal(live_board_new(&b), ERR_OK);
    for (size_t w = 0; w < ARRAY_LEN(ways); w++) {
        for (size_t i = 0; i < ARRAY_LEN(words); i++) {
            if (words[i].owner != LIVE_WORKER &&
                writes(b, words[i].at, LIVE_WORKER, ways[w]))
                fail_msg("%s, way %zu", words[i].why, w);
        }
    }
    live_board_free(b);
}

/* What is behind the end of a part is nobody's. */
static void
a_part_does_not_grow(void **state)
{
    const struct rlimit none = {0, 0};
    struct live_board *b;
    int status = 0;
    pid_t pid;

    (void)state;
    assert_int_equal(live_board_new(&b), ERR_OK);
    pid = fork();
    if (pid == 0) {
        char *const mine = (char *)&b->worker[WORKER];
        const size_t n = sizeof(b->worker[WORKER]);
        char *more;

        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(SIGBUS, SIG_DFL);
        if (live_board_own(b, LIVE_WORKER, WORKER) != ERR_OK)
            _exit(3);
        more = mremap(mine, n, 2 * n, MREMAP_MAYMOVE);
        if (more == MAP_FAILED)
            _exit(2);
        more[0] = 1; /* its own */
        more[n] = 1;
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
    assert_int_equal(atomic_load(&b->worker[WORKER].process.pid), 1);
    live_board_free(b);
}

/* Who may only read sees what is written later. */
static void
all_read_all(void **state)
{
    struct live_board *b;
    int go[2], status = 0;
    pid_t pid;
    char c;

    (void)state;
    assert_int_equal(live_board_new(&b), ERR_OK);
    assert_int_equal(pipe(go), 0);
    pid = fork();
    if (pid == 0) {
        if (live_board_own(b, LIVE_INDEX, 0) != ERR_OK)
            _exit(3);
        (void)close(go[1]);
        (void)!read(go[0], &c, 1);
        _exit(b->stop == 1 && atomic_load(&b->core.events) == 7 &&
                      atomic_load(&b->worker[63].records) == 9
                  ? 0
                  : 1);
    }
    b->stop = 1;
    atomic_store(&b->core.events, 7);
    atomic_store(&b->worker[63].records, 9);
    (void)close(go[0]);
    (void)close(go[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    live_board_free(b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_writes_its_own_part),
        cmocka_unit_test(nobody_gets_more),
        cmocka_unit_test(a_part_does_not_grow),
        cmocka_unit_test(all_read_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
