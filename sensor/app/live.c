#include "sensor/app/live.h"

#include "sensor/app/clock.h"
#include "sensor/app/confine.h"
#include "sensor/app/live_children.h"
#include "sensor/app/live_links.h"
#include "sensor/app/live_notify.h"
#include "sensor/app/live_prepare.h"
#include "sensor/app/log.h"

#include <signal.h>
#include <unistd.h>

#define TURN_NS (100 * NS_PER_MS)

struct supervisor {
    struct live live;
    struct live_orders orders;
    struct live_children children;
    struct live_links links;
    sigset_t signals;
    uint64_t stop_since;
    struct buf messages;
};

/* ---- signals ---- */

static void
on_reload(struct supervisor *s)
{
    struct cli cli;

    (void)live_notify("RELOADING=1");
    if (cli_parse(s->live.argc, s->live.argv, &cli, &s->messages) == ERR_OK) {
        cli_free(&cli);
        live_orders_reload(&s->orders);
    } else {
        buf_str(&s->messages,
                "span25: the configuration before stays in force\n");
        atomic_fetch_add(&s->live.board->core.config_refused, 1);
    }
    (void)live_notify("READY=1");
}

static void
on_stop(struct supervisor *s)
{
    if (s->children.stopping)
        return;
    (void)live_notify("STOPPING=1");
    s->children.stopping = true;
    s->stop_since = clock_of(CLOCK_MONOTONIC);
    *s->live.stop = 1;
    for (unsigned i = 0; i < s->live.plan.n_workers; i++) {
        if (!live_children_runs(&s->children, LIVE_WORKER, i))
            ring_close(&s->live.rings[i]);
    }
}

static void
await_signal(struct supervisor *s)
{
    static const struct timespec turn = {.tv_nsec = TURN_NS};
    int number;

    while ((number = sigtimedwait(&s->signals, NULL, &turn)) > 0) {
        if (number == SIGHUP)
            on_reload(s);
        else if (number == SIGCHLD)
            return;
        else
            on_stop(s);
    }
}

static void
block_signals(struct supervisor *s)
{
    static const int wanted[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP};

    (void)sigemptyset(&s->signals);
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        (void)sigaddset(&s->signals, wanted[i]);
    (void)sigprocmask(SIG_BLOCK, &s->signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

/* ---- life ---- */

/* Who does not end is made to. */
static void
end_late(struct supervisor *s)
{
    if (s->children.stopping && !s->children.killed &&
        clock_of(CLOCK_MONOTONIC) >= s->stop_since + LIVE_STOP_NS)
        live_children_kill(&s->children);
}

static bool
is_ready(const struct supervisor *s)
{
    bool ready = atomic_load(&s->live.board->core.ready) != 0;

    for (unsigned i = 0; ready && i < s->live.plan.n_workers; i++)
        ready =
            atomic_load(&s->live.board->worker[i].process.beat_mono_ns) != 0;
    return ready;
}

/* A keeper that is not reaped now was alive before; not yet afterwards, or its
 * gap would begin after its end. */
static void
beat(struct supervisor *s)
{
    const uint64_t before = clock_of(CLOCK_MONOTONIC);

    live_children_reap(&s->children);
    atomic_store(&s->live.board->supervisor.beat_mono_ns, before);
    live_children_beat(&s->children, before);
}

static void
supervise(struct supervisor *s)
{
    struct live_process *me = &s->live.board->supervisor;
    bool told = false;

    atomic_store(&me->pid, getpid());
    atomic_store(&me->since_utc_ns, clock_of(CLOCK_REALTIME));
    do {
        live_children_start(&s->children);
        await_signal(s);
        beat(s);
        end_late(s);
        live_children_check(&s->children);
        if (!s->children.stopping)
            live_links_turn(&s->links);
        log_lines(&s->messages);
        (void)live_notify("WATCHDOG=1");
        if (!told && is_ready(s))
            told = live_notify("READY=1");
    } while (!s->children.stopping || !live_children_ended(&s->children));
}

enum cli_exit
live_main(const struct cli *cli, int argc, char **argv)
{
    struct supervisor s = {
        .live = {.argc = argc, .argv = argv},
    };
    enum err e;

    buf_init(&s.messages, 1 << 20);
    s.orders =
        (struct live_orders){.ring = &s.live.orders, .messages = &s.messages};
    s.children = (struct live_children){
        .live = &s.live, .orders = &s.orders, .signals = &s.signals};
    live_plan(&s.live, cli);
    block_signals(&s);
    e = live_prepare(&s.live, &s.messages);
    if (e == ERR_OK)
        e = confine(CONFINE_SUPERVISOR);
    if (e != ERR_OK && s.messages.n == 0)
        buf_printf(&s.messages, "span25: %s\n", err_text(e));
    log_lines(&s.messages);
    if (e == ERR_OK) {
        live_links_init(&s.links, &s.live, &s.orders);
        s.live.links = &s.links;
        live_children_make(&s.children);
        supervise(&s);
        live_links_leave(&s.links);
    }
    live_release(&s.live);
    buf_free(&s.messages);
    if (e != ERR_OK)
        return cli_exit_of(e);
    return s.children.killed ? CLI_EXIT_PARTIAL : CLI_EXIT_DONE;
}
