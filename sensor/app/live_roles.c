#include "sensor/app/live_roles.h"

#include "sensor/app/clock.h"
#include "sensor/app/confine.h"
#include "sensor/app/live_core.h"
#include "sensor/app/live_feeds.h"
#include "sensor/app/live_keep.h"
#include "sensor/app/live_links.h"
#include "sensor/app/live_publish.h"
#include "sensor/app/live_recorder.h"
#include "sensor/app/live_web.h"
#include "sensor/app/log.h"
#include "sensor/core/follow.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#define INDEX_STEP    2000U    /* lines, then it is heard of */
#define INDEX_NAP_NS  50000000 /* what is durable is looked at so often */
#define INDEX_LAST_NS (10 * NS_PER_S)

/* ---- what they do ---- */

static enum err
run_worker(struct live *l, unsigned number)
{
    struct worker_live *w;
    struct buf message;
    enum err e;

    buf_init(&message, 4096);
    e = worker_live_open(&l->plan, &l->capture, number, l->board, &w, &message);
    log_lines(&message);
    buf_free(&message);
    if (e != ERR_OK)
        return e;
    worker_live_hand_over(w, l->hand_over);
    e = confine(CONFINE_WORKER);
    if (e == ERR_OK)
        e = worker_live_run(w, &l->rings[number]);
    return e; /* the process ends: nothing is freed, its rights are gone */
}

static enum err
run_core(struct live *l, unsigned number)
{
    enum err e = confine(CONFINE_CORE);

    (void)number;
    return e == ERR_OK ? live_core_run(l) : e;
}

static enum err
run_web(struct live *l, unsigned number)
{
    (void)number;
    return live_web_run(l);
}

static enum err
run_recorder(struct live *l, unsigned number)
{
    (void)number;
    return live_recorder_run(l);
}

static enum err
run_publish(struct live *l, unsigned number)
{
    (void)number;
    return live_publish_run(l);
}

static enum err
run_feeds(struct live *l, unsigned number)
{
    (void)number;
    return live_feeds_run(l);
}

/* One look at the journal. */
static enum err
index_step(struct live *l, uint64_t *seen, bool *more, struct buf *messages)
{
    const uint64_t durable = atomic_load(&l->board->core.journal_seq);
    uint64_t damaged;
    enum err e = ERR_OK;

    if (durable != *seen)
        e = follow_index_some(l->state, durable, INDEX_STEP, seen, &damaged,
                              messages);
    *more = *seen != durable;
    return e;
}

/* Until the core has written its last line, and that is there; what is still
 * missing after INDEX_LAST_NS the next start brings. */
static enum err
run_index(struct live *l, unsigned number)
{
    static const struct timespec nap = {.tv_nsec = INDEX_NAP_NS};
    enum err e = confine(CONFINE_INDEX);
    uint64_t seen = 0;
    ns_t now, until = 0, expire = 0;
    bool last = false, more = false;
    struct buf messages;

    (void)number;
    buf_init(&messages, 1 << 16);
    while (e == ERR_OK && (!last || (more && now < until))) {
        now = clock_of(CLOCK_MONOTONIC);
        last = *l->stop != 0 && atomic_load(&l->board->core.process.pid) == 0;
        until = until == 0 && last ? now + INDEX_LAST_NS : until;
        atomic_store(&l->board->index.beat_mono_ns, now);
        e = index_step(l, &seen, &more, &messages);
        if (e == ERR_OK)
            atomic_store(&l->board->index_seq, seen);
        if (e == ERR_OK && now >= expire) {
            e = live_keep_index(l, &messages);
            expire = now + LIVE_KEEP_NS;
        }
        log_lines(&messages);
        if (!more)
            (void)nanosleep(&nap, NULL);
    }
    buf_free(&messages);
    return e;
}

static enum err (*const runs[LIVE_ROLES])(struct live *l, unsigned number) = {
    [LIVE_WORKER] = run_worker,     [LIVE_CORE] = run_core,
    [LIVE_INDEX] = run_index,       [LIVE_WEB] = run_web,
    [LIVE_RECORDER] = run_recorder, [LIVE_PUBLISH] = run_publish,
    [LIVE_FEEDS] = run_feeds,
};

/* ---- what they leave ---- */

/* What a process could write to there, others would believe: rings of others,
 * orders to the core, jobs of inspectors. Who reads or writes none has none. */
static void
leave_memory(struct live *l, enum live_role role, unsigned number)
{
    const bool is_worker = role == LIVE_WORKER;

    for (unsigned i = 0; i < l->plan.n_workers; i++) {
        if (role != LIVE_CORE && (!is_worker || i != number))
            ring_free(&l->rings[i]);
    }
    if (role != LIVE_CORE)
        ring_free(&l->orders);
    if (role != LIVE_CORE && !is_worker)
        ring_bell_free(l->bell);
    if (role != LIVE_CONTENT)
        inspection_leave(&l->inspection, is_worker ? number : DEEP_NO_SLOT);
}

/* Where a file would get their numbers, what is printed would go into it. The
 * one that is kept, if any, gets the first number behind them. */
static bool
leave_files(int *kept)
{
    const int none = open("/dev/null", O_RDWR | O_CLOEXEC);
    int last = STDERR_FILENO;

    if (none < 0 || dup2(none, STDIN_FILENO) != STDIN_FILENO ||
        dup2(none, STDOUT_FILENO) != STDOUT_FILENO)
        return false;
    if (kept != NULL && *kept > last)
        *kept = last = dup2(*kept, last + 1);
    return last >= 0 && close_range((unsigned)last + 1, UINT_MAX, 0) == 0;
}

/* Inspectors have nothing in common with the rest but their slots. */
void
live_roles_leave(void *ctx)
{
    struct live *l = ctx;

    leave_memory(l, LIVE_CONTENT, 0);
    live_links_leave(l->links);
    live_board_free(l->board);
}

/* ---- their birth ---- */

static void
be_child(enum live_role role, pid_t supervisor, const sigset_t *unblock)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ};
    char name[16];

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != supervisor)
        _exit(1);
    (void)snprintf(name, sizeof(name), "span25-%s", live_role_name(role));
    (void)prctl(PR_SET_NAME, name);
    for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
        (void)signal(ignored[i], SIG_IGN);
    (void)sigprocmask(SIG_UNBLOCK, unblock, NULL);
}

_Noreturn void
live_roles_be(struct live *l, enum live_role role, unsigned number,
              pid_t supervisor, const sigset_t *unblock)
{
    REQUIRE(runs[role] != NULL);
    be_child(role, supervisor, unblock);
    leave_memory(l, role, number);
    if (!leave_files(role == LIVE_WORKER ? &l->hand_over : NULL) ||
        live_board_own(l->board, role, number) != ERR_OK)
        _exit((int)cli_exit_of(ERR_PERM));
    _exit((int)cli_exit_of(runs[role](l, number)));
}
