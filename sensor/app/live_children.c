#include "sensor/app/live_children.h"

#include "sensor/app/clock.h"
#include "sensor/app/live_core.h"
#include "sensor/app/live_feeds.h"
#include "sensor/app/live_links.h"
#include "sensor/app/live_roles.h"
#include "sensor/app/log.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define QUICK_NS      NS_PER_S        /* who dies younger than this */
#define PAUSE_MOST_NS (30 * NS_PER_S) /* waits, twice as long each time */

static void
log_child(enum log_level level, const char *event, const struct live_child *c)
{
    struct log_line l;

    log_begin(&l, level, event);
    log_string(&l, "role", span_str(live_role_name(c->role)));
    if (c->role == LIVE_WORKER)
        log_number(&l, "worker", c->number);
    log_number(&l, "pid", (uint64_t)c->pid);
    if (c->why[0] != '\0')
        log_string(&l, "why", span_str(c->why));
    log_end(&l, STDERR_FILENO);
}

/* ---- who begins ---- */

static pid_t
fork_child(struct live_children *all, struct live_child *c)
{
    const pid_t me = getpid();
    pid_t pid;

    if (c->keeper != NULL) {
        deep_restart(c->keeper, live_roles_leave, all->live);
        return deep_keeper(c->keeper);
    }
    if (c->role == LIVE_WORKER) {
        atomic_store(&all->live->board->worker[c->number].leave, 0);
        all->live->hand_over = live_links_expect(all->live->links, c->number);
    }
    pid = fork();
    if (pid == 0)
        live_roles_be(all->live, c->role, c->number, me, all->signals);
    if (c->role == LIVE_WORKER && all->live->hand_over >= 0)
        (void)close(all->live->hand_over);
    return pid;
}

static void
start(struct live_children *all, struct live_child *c)
{
    pid_t pid;

    atomic_store(&c->process->beat_mono_ns, 0);
    pid = fork_child(all, c);
    c->born = clock_of(CLOCK_MONOTONIC);
    if (pid < 0) {
        c->next = c->born + QUICK_NS;
        return;
    }
    c->pid = pid;
    atomic_store(&c->process->pid, pid);
    atomic_store(&c->process->since_utc_ns, clock_of(CLOCK_REALTIME));
}

/* What is left in rings and journal is brought home; no packet is read. */
static bool
is_needed_to_stop(const struct live_child *c)
{
    return c->role == LIVE_CORE || c->role == LIVE_INDEX ||
           c->role == LIVE_PUBLISH;
}

void
live_children_start(struct live_children *all)
{
    const uint64_t now = clock_of(CLOCK_MONOTONIC);

    for (size_t i = 0; i < all->n; i++) {
        struct live_child *c = &all->v[i];

        if (c->pid == 0 && !c->done && !all->killed && now >= c->next &&
            (!all->stopping || is_needed_to_stop(c)))
            start(all, c);
    }
}

/* ---- who ends ---- */

/* The time of its last beat, as UTC: what came after may be lost. */
static ns_t
last_alive(const struct live_child *c)
{
    const uint64_t beat = atomic_load(&c->process->beat_mono_ns);
    const uint64_t from = beat != 0 ? beat : c->born;
    const uint64_t now = clock_of(CLOCK_MONOTONIC);
    const ns_t unsaid = c->role == LIVE_CORE ? LIVE_UNSAID_NS : 0;

    return clock_of(CLOCK_REALTIME) - (now > from ? now - from : 0) - unsaid;
}

static void
describe_end(struct live_child *c, int status)
{
    struct buf b;

    buf_init(&b, sizeof(c->why) - 1);
    if (WIFSIGNALED(status))
        buf_printf(&b, "signal %d (%s)", WTERMSIG(status),
                   strsignal(WTERMSIG(status)));
    else
        buf_printf(&b, "exit code %d", WEXITSTATUS(status));
    buf_putc(&b, '\0');
    memcpy(c->why, b.p, b.n);
    buf_free(&b);
}

static void
on_death(struct live_children *all, struct live_child *c, int status)
{
    const uint64_t now = clock_of(CLOCK_MONOTONIC);

    c->done = all->stopping && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    describe_end(c, status);
    if (!c->done)
        log_child(LOG_AT_ERROR, "process_ended", c);
    if (!c->done && c->gone_since == 0)
        c->gone_since = last_alive(c);
    if (!c->done)
        atomic_fetch_add(&c->process->restarts, 1);
    c->pause = now - c->born > QUICK_NS       ? 0
               : c->pause == 0                ? QUICK_NS / 10
               : c->pause < PAUSE_MOST_NS / 2 ? 2 * c->pause
                                              : PAUSE_MOST_NS;
    c->next = now + c->pause;
    c->pid = 0;
    atomic_store(&c->process->pid, 0);
    if (c->keeper != NULL)
        deep_bury(c->keeper);
    /* The merge must not wait for one that is not there. */
    if (c->role == LIVE_WORKER)
        ring_close(&all->live->rings[c->number]);
}

void
live_children_reap(struct live_children *all)
{
    pid_t pid;
    int status;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (size_t i = 0; i < all->n; i++) {
            if (all->v[i].pid == pid)
                on_death(all, &all->v[i], status);
        }
    }
}

static void
end_silent(struct live_children *all)
{
    const uint64_t now = clock_of(CLOCK_MONOTONIC);

    for (size_t i = 0; i < all->n; i++) {
        struct live_child *c = &all->v[i];
        const uint64_t beat = atomic_load(&c->process->beat_mono_ns);
        const pid_t pid = c->pid;

        /* One that begins has not beaten yet: the core may restore for long. */
        if (pid > 0 && beat != 0 && now > beat + LIVE_SILENT_NS) {
            log_child(LOG_AT_ERROR, "process_silent", c);
            (void)kill(pid, SIGKILL);
        }
    }
}

void
live_children_kill(struct live_children *all)
{
    all->killed = true;
    for (size_t i = 0; i < all->n; i++) {
        const pid_t pid = all->v[i].pid;

        if (pid > 0 && all->v[i].keeper == NULL)
            (void)kill(pid, SIGKILL);
    }
}

bool
live_children_runs(const struct live_children *all, enum live_role role,
                   unsigned number)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct live_child *c = &all->v[i];

        if (c->role == role && c->number == number)
            return c->pid != 0;
    }
    return false;
}

bool
live_children_ended(const struct live_children *all)
{
    for (size_t i = 0; i < all->n; i++) {
        if (all->v[i].keeper != NULL) /* ended by inspection_stop */
            continue;
        if (all->v[i].pid != 0 ||
            (!all->killed && !all->v[i].done && is_needed_to_stop(&all->v[i])))
            return false;
    }
    return true;
}

/* ---- gaps ---- */

static void
tell_gap(struct live_children *all, struct live_child *c)
{
    struct buf text;

    buf_init(&text, 256);
    buf_str(&text, live_role_name(c->role));
    if (c->role == LIVE_WORKER)
        buf_printf(&text, " %u", c->number + 1);
    buf_printf(&text, ": %s", c->why);
    live_orders_gap(all->orders, buf_view(&text), c->gone_since);
    buf_free(&text);
    c->gone_since = 0;
    log_child(LOG_AT_INFO, "process_back", c);
}

/* A gap ends with the first beat of the next one. */
static void
tell_gaps(struct live_children *all)
{
    for (size_t i = 0; i < all->n; i++) {
        struct live_child *c = &all->v[i];

        if (c->gone_since != 0 && c->pid != 0 &&
            atomic_load(&c->process->beat_mono_ns) != 0)
            tell_gap(all, c);
    }
}

void
live_children_check(struct live_children *all)
{
    end_silent(all);
    tell_gaps(all);
}

/* ---- all of them ---- */

void
live_children_beat(struct live_children *all, uint64_t mono)
{
    for (size_t i = 0; i < all->n; i++) {
        if (all->v[i].keeper != NULL && all->v[i].pid > 0)
            atomic_store(&all->v[i].process->beat_mono_ns, mono);
    }
}

static void
add_child(struct live_children *all, enum live_role role, unsigned number,
          struct live_process *p)
{
    all->v[all->n++] =
        (struct live_child){.role = role, .number = number, .process = p};
}

/* It runs since inspection_start. */
static void
add_keeper(struct live_children *all, struct deep *keeper,
           struct live_process *p)
{
    if (keeper == NULL)
        return;
    all->v[all->n++] = (struct live_child){.role = LIVE_CONTENT,
                                           .process = p,
                                           .keeper = keeper,
                                           .pid = deep_keeper(keeper),
                                           .born = clock_of(CLOCK_MONOTONIC)};
    atomic_store(&p->pid, deep_keeper(keeper));
    atomic_store(&p->since_utc_ns, clock_of(CLOCK_REALTIME));
}

void
live_children_make(struct live_children *all)
{
    struct live_board *b = all->live->board;

    for (unsigned i = 0; i < all->live->plan.n_workers; i++)
        add_child(all, LIVE_WORKER, i, &b->worker[i].process);
    add_child(all, LIVE_CORE, 0, &b->core.process);
    add_child(all, LIVE_INDEX, 0, &b->index);
    if (all->live->cli->config.metrics_listen != NULL &&
        all->live->cli->config.metrics_listen[0] != '\0')
        add_child(all, LIVE_WEB, 0, &b->web);
    if (all->live->cli->config.packets)
        add_child(all, LIVE_RECORDER, 0, &b->recorder);
    if (all->live->cli->config.sinks.n > 0)
        add_child(all, LIVE_PUBLISH, 0, &b->publish.process);
    if (live_feeds_wanted(&all->live->cli->config))
        add_child(all, LIVE_FEEDS, 0, &b->feeds.process);
    add_keeper(all, all->live->inspection.deep, &b->content);
    add_keeper(all, all->live->inspection.clamd, &all->clamd);
}
