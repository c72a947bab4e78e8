#include "sensor/app/live.h"

#include "sensor/app/confine.h"
#include "sensor/app/live_core.h"
#include "sensor/app/live_recorder.h"
#include "sensor/app/live_web.h"
#include "sensor/app/log.h"
#include "sensor/base/text.h"
#include "sensor/core/follow.h"
#include "sensor/journal/state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TURN_NS       (100 * NS_PER_MS)
#define QUICK_NS      NS_PER_S        /* who dies younger than this */
#define PAUSE_MOST_NS (30 * NS_PER_S) /* waits, twice as long each time */
#define ORDERS_BYTES  (256U << 10)
#define SEED_FILE     "seed"
#define PATH_BYTES    4096

struct supervisor;

/* A process that is kept alive. */
struct child {
    enum live_role role;
    unsigned number; /* of a worker */
    struct live_process *process;
    enum err (*run)(struct live *l, unsigned number);
    struct deep *keeper; /* or NULL; that of these inspectors, no run then */
    pid_t pid;     /* 0: not running. Not the board's: whom to kill is nobody's
                    * to write but ours */
    uint64_t born; /* mono ns */
    uint64_t next; /* not to be started before */
    uint64_t pause;
    ns_t gone_since; /* UTC; 0: no gap is open */
    bool done;       /* ended as it should */
    char why[64];
};

struct supervisor {
    struct live live;
    struct child children[LIVE_WORKERS_MAX + LIVE_ROLES];
    struct live_process clamd; /* beside the board's content */
    size_t n;
    sigset_t signals;
    bool stopping, killed;
    uint64_t stop_since;
    uint32_t n_orders;
    struct buf messages;
};

static ns_t
clock_of(clockid_t which)
{
    struct timespec t = {0};

    (void)clock_gettime(which, &t);
    return (ns_t)t.tv_sec * NS_PER_S + (ns_t)t.tv_nsec;
}

static const char *
role_name(enum live_role role)
{
    static const char *const names[] = {
#define X(id, name, many) name,
        LIVE_ROLE_MAP(X)
#undef X
    };

    return names[role];
}

/* Cut where there is no room. */
static void
copy_text(char *to, size_t room, const char *from)
{
    const struct span s = span_head(span_str(from), room - 1);

    memcpy(to, s.p, s.n);
    to[s.n] = '\0';
}

static void
say(struct buf *messages)
{
    if (messages->n > 0 && messages->p[messages->n - 1] != '\n')
        buf_putc(messages, '\n');
    if (messages->n > 0)
        (void)!write(STDERR_FILENO, messages->p, messages->n);
    buf_reset(messages);
}

static void
log_child(enum log_level level, const char *event, const struct child *c)
{
    struct log_line l;

    log_begin(&l, level, event);
    log_string(&l, "role", span_str(role_name(c->role)));
    if (c->role == LIVE_WORKER)
        log_number(&l, "worker", c->number);
    log_number(&l, "pid", (uint64_t)c->pid);
    if (c->why[0] != '\0')
        log_string(&l, "why", span_str(c->why));
    log_end(&l, STDERR_FILENO);
}

/* sd_notify(3): one datagram, so no library is needed for it. False: nobody
 * takes it now; nothing waits for who does not read. */
static bool
notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t n = path != NULL ? strlen(path) : 0;
    bool taken;
    int fd;

    if (n == 0 || n >= sizeof(to.sun_path))
        return true;
    memcpy(to.sun_path, path, n);
    if (to.sun_path[0] == '@')
        to.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    taken =
        sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
               (const struct sockaddr *)&to,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) >= 0;
    (void)close(fd);
    return taken;
}

/* ---- what the processes do ---- */

static enum err
run_worker(struct live *l, unsigned number)
{
    struct worker_live *w;
    struct buf message;
    enum err e;

    buf_init(&message, 4096);
    e = worker_live_open(&l->plan, &l->capture, number, l->board, &w, &message);
    say(&message);
    buf_free(&message);
    if (e != ERR_OK)
        return e;
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

/* Until the core has written its last line. */
static enum err
run_index(struct live *l, unsigned number)
{
    static const struct timespec nap = {.tv_nsec = 200000000};
    enum err e = confine(CONFINE_INDEX);
    uint64_t seen = 0, damaged = 0;
    struct buf messages;
    bool last = false;

    (void)number;
    buf_init(&messages, 1 << 16);
    while (e == ERR_OK && !last) {
        const uint64_t durable = atomic_load(&l->board->core.journal_seq);

        last = *l->stop != 0 && atomic_load(&l->board->core.process.pid) == 0;
        atomic_store(&l->board->index.beat_mono_ns, clock_of(CLOCK_MONOTONIC));
        if (durable != seen)
            e = follow_index(l->state, durable, &damaged, &messages);
        seen = durable;
        say(&messages);
        (void)nanosleep(&nap, NULL);
    }
    buf_free(&messages);
    return e;
}

/* ---- children ---- */

static void
be_child(struct supervisor *s, const struct child *c, pid_t supervisor)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ};
    char name[16] = "span25-";

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != supervisor)
        _exit(1);
    copy_text(name + 7, sizeof(name) - 7, role_name(c->role));
    (void)prctl(PR_SET_NAME, name);
    for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
        (void)signal(ignored[i], SIG_IGN);
    (void)sigprocmask(SIG_UNBLOCK, &s->signals, NULL);
}

/* What a process could write to there, others would believe: rings of others,
 * and orders to the core. Who reads or writes none has none. */
static void
leave_rings(struct live *l, const struct child *c)
{
    for (unsigned i = 0; i < l->plan.n_workers; i++) {
        if (c->role != LIVE_WORKER || i != c->number)
            ring_free(&l->rings[i]);
    }
    ring_free(&l->orders);
}

/* Inspectors have nothing in common with the rest but their slots. */
static void
leave_all(void *ctx)
{
    struct supervisor *s = ctx;
    const struct child keeper = {.role = LIVE_CONTENT};

    leave_rings(&s->live, &keeper);
    ring_bell_free(s->live.bell);
    (void)munmap((void *)(uintptr_t)s->live.stop, sizeof(*s->live.stop));
    live_board_free(s->live.board);
}

static pid_t
fork_child(struct supervisor *s, struct child *c)
{
    const pid_t me = getpid();
    pid_t pid;

    if (c->keeper != NULL) {
        deep_restart(c->keeper, leave_all, s);
        return deep_keeper(c->keeper);
    }
    pid = fork();
    if (pid == 0) {
        be_child(s, c, me);
        if (c->role != LIVE_CORE)
            leave_rings(&s->live, c);
        _exit((int)cli_exit_of(c->run(&s->live, c->number)));
    }
    return pid;
}

static void
start(struct supervisor *s, struct child *c)
{
    pid_t pid;

    atomic_store(&c->process->beat_mono_ns, 0);
    pid = fork_child(s, c);
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
is_needed_to_stop(const struct child *c)
{
    return c->role == LIVE_CORE || c->role == LIVE_INDEX;
}

static void
start_all(struct supervisor *s)
{
    const uint64_t now = clock_of(CLOCK_MONOTONIC);

    for (size_t i = 0; i < s->n; i++) {
        struct child *c = &s->children[i];

        if (c->pid == 0 && !c->done && !s->killed && now >= c->next &&
            (!s->stopping || is_needed_to_stop(c)))
            start(s, c);
    }
}

/* ---- orders to the core ---- */

static void
order(struct supervisor *s, struct record_out *r)
{
    if (!ring_put(&s->live.orders, record_view(r)))
        buf_str(&s->messages, "span25: the core takes no orders\n");
    ring_flush(&s->live.orders);
    record_free(r);
}

static void
begin_order(struct supervisor *s, struct record_out *r, const char *kind)
{
    const struct record_head head = {.when = clock_of(CLOCK_REALTIME),
                                     .seq = s->n_orders++,
                                     .type = EVENT_CONTROL};

    record_init(r);
    record_begin(r, &head);
    record_text(r, FIELD_CONTROL_KIND, kind);
}

static void
tell_gap(struct supervisor *s, struct child *c)
{
    struct record_out r;
    struct buf text;

    buf_init(&text, 256);
    buf_str(&text, role_name(c->role));
    if (c->role == LIVE_WORKER)
        buf_printf(&text, " %u", c->number + 1);
    buf_printf(&text, ": %s", c->why);
    begin_order(s, &r, "gap");
    record_str(&r, FIELD_CONTROL_TEXT, buf_view(&text));
    record_time(&r, FIELD_CONTROL_TIME, c->gone_since);
    record_time(&r, FIELD_CONTROL_UNTIL, clock_of(CLOCK_REALTIME));
    order(s, &r);
    buf_free(&text);
    c->gone_since = 0;
    log_child(LOG_AT_INFO, "process_back", c);
}

/* ---- who ends ---- */

/* The time of its last beat, as UTC: what came after may be lost. */
static ns_t
last_alive(const struct child *c)
{
    const uint64_t beat = atomic_load(&c->process->beat_mono_ns);
    const uint64_t from = beat != 0 ? beat : c->born;
    const uint64_t now = clock_of(CLOCK_MONOTONIC);
    const ns_t unsaid = c->role == LIVE_CORE ? LIVE_UNSAID_NS : 0;

    return clock_of(CLOCK_REALTIME) - (now > from ? now - from : 0) - unsaid;
}

static void
describe_end(struct child *c, int status)
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
on_death(struct supervisor *s, struct child *c, int status)
{
    const uint64_t now = clock_of(CLOCK_MONOTONIC);

    c->done = s->stopping && WIFEXITED(status) && WEXITSTATUS(status) == 0;
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
        ring_close(&s->live.rings[c->number]);
}

static void
reap(struct supervisor *s)
{
    pid_t pid;
    int status;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (size_t i = 0; i < s->n; i++) {
            if (s->children[i].pid == pid)
                on_death(s, &s->children[i], status);
        }
    }
}

static void
end_silent(struct supervisor *s)
{
    const uint64_t now = clock_of(CLOCK_MONOTONIC);

    for (size_t i = 0; i < s->n; i++) {
        struct child *c = &s->children[i];
        const uint64_t beat = atomic_load(&c->process->beat_mono_ns);
        const pid_t pid = c->pid;

        /* One that begins has not beaten yet: the core may restore for long. */
        if (pid > 0 && beat != 0 && now > beat + LIVE_SILENT_NS) {
            log_child(LOG_AT_ERROR, "process_silent", c);
            (void)kill(pid, SIGKILL);
        }
    }
}

/* ---- gaps ---- */

/* A gap ends with the first beat of the next one. */
static void
tell_gaps(struct supervisor *s)
{
    for (size_t i = 0; i < s->n; i++) {
        struct child *c = &s->children[i];

        if (c->gone_since != 0 && c->pid != 0 &&
            atomic_load(&c->process->beat_mono_ns) != 0)
            tell_gap(s, c);
    }
}

/* ---- signals ---- */

static void
on_reload(struct supervisor *s)
{
    struct record_out r;
    struct cli cli;

    (void)notify("RELOADING=1");
    if (cli_parse(s->live.argc, s->live.argv, &cli, &s->messages) == ERR_OK) {
        cli_free(&cli);
        begin_order(s, &r, "reload");
        order(s, &r);
    } else {
        buf_str(&s->messages,
                "span25: the configuration before stays in force\n");
        atomic_fetch_add(&s->live.board->core.config_refused, 1);
    }
    (void)notify("READY=1");
}

static void
on_stop(struct supervisor *s)
{
    if (s->stopping)
        return;
    (void)notify("STOPPING=1");
    s->stopping = true;
    s->stop_since = clock_of(CLOCK_MONOTONIC);
    *s->live.stop = 1;
    for (unsigned i = 0; i < s->live.plan.n_workers; i++) {
        if (atomic_load(&s->live.board->worker[i].process.pid) == 0)
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

/* ---- life ---- */

static bool
all_ended(const struct supervisor *s)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->children[i].keeper != NULL) /* ended by inspection_stop */
            continue;
        if (s->children[i].pid != 0 || (!s->killed && !s->children[i].done &&
                                        is_needed_to_stop(&s->children[i])))
            return false;
    }
    return true;
}

/* Who does not end is made to. */
static void
end_late(struct supervisor *s)
{
    if (!s->stopping || s->killed ||
        clock_of(CLOCK_MONOTONIC) < s->stop_since + LIVE_STOP_NS)
        return;
    s->killed = true;
    for (size_t i = 0; i < s->n; i++) {
        const pid_t pid = s->children[i].pid;

        if (pid > 0 && s->children[i].keeper == NULL)
            (void)kill(pid, SIGKILL);
    }
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

/* Keepers do not know the board; this is when they were last waited for. */
static void
beat(struct supervisor *s)
{
    const uint64_t now = clock_of(CLOCK_MONOTONIC);

    atomic_store(&s->live.board->supervisor.beat_mono_ns, now);
    for (size_t i = 0; i < s->n; i++) {
        if (s->children[i].keeper != NULL && s->children[i].pid > 0)
            atomic_store(&s->children[i].process->beat_mono_ns, now);
    }
}

static void
supervise(struct supervisor *s)
{
    struct live_process *me = &s->live.board->supervisor;
    bool told = false;

    atomic_store(&me->pid, getpid());
    atomic_store(&me->since_utc_ns, clock_of(CLOCK_REALTIME));
    do {
        start_all(s);
        beat(s);
        await_signal(s);
        reap(s);
        end_silent(s);
        end_late(s);
        tell_gaps(s);
        say(&s->messages);
        (void)notify("WATCHDOG=1");
        if (!told && is_ready(s))
            told = notify("READY=1");
    } while (!s->stopping || !all_ended(s));
}

static void
add_child(struct supervisor *s, enum live_role role, unsigned number,
          struct live_process *p,
          enum err (*run)(struct live *l, unsigned number))
{
    s->children[s->n++] = (struct child){
        .role = role, .number = number, .process = p, .run = run};
}

/* ---- preparation ---- */

static enum err
make_shared(struct live *l)
{
    enum err e = live_board_new(&l->board);
    void *stop = mmap(NULL, sizeof(*l->stop), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    l->stop = stop == MAP_FAILED ? NULL : stop;
    if (e == ERR_OK)
        e = ring_bell_new(&l->bell);
    l->rings = calloc(l->plan.n_workers, sizeof(*l->rings));
    if (l->rings == NULL || l->stop == NULL)
        return ERR_NOMEM;
    for (unsigned i = 0; e == ERR_OK && i < l->plan.n_workers; i++)
        e = ring_new(l->cli->config.ring, l->bell, &l->rings[i]);
    if (e == ERR_OK)
        e = ring_new(ORDERS_BYTES, l->bell, &l->orders);
    return e;
}

/* Made once: keys of tables must not be known to who sends packets. */
static enum err
load_seed(struct live *l, struct buf *messages)
{
    char path[PATH_BYTES];
    struct buf b;
    ssize_t n = -1;
    int fd;

    buf_init(&b, sizeof(path));
    buf_printf(&b, "%s/" SEED_FILE, l->state);
    buf_putc(&b, '\0');
    memcpy(path, b.p, b.n);
    buf_free(&b);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0)
        n = read(fd, &l->seed, sizeof(l->seed));
    if (n == 0 && getrandom(&l->seed, sizeof(l->seed), 0) == sizeof(l->seed))
        n = write(fd, &l->seed, sizeof(l->seed));
    if (fd >= 0)
        (void)close(fd);
    if (n == (ssize_t)sizeof(l->seed))
        return ERR_OK;
    buf_str(messages, "span25: cannot read or make the key of this "
                      "installation, ");
    text_term(messages, span_str(path));
    buf_putc(messages, '\n');
    return ERR_IO;
}

/* What is guessed from a capture must be known of a network. */
static enum err
check_home(const struct live *l, struct buf *messages)
{
    if (sites_n_home(l->place.sites) > 0)
        return ERR_OK;
    buf_str(messages, "span25: live needs to know the home networks: set "
                      "network.home, or --home 192.0.2.0/24\n");
    return ERR_CONFIG;
}

static void
plan(struct live *l, const struct cli *cli)
{
    const struct config *c = &cli->config;

    /* The same for all that goes by the configuration; nothing of it is freed
     * here. */
    copy_text(l->default_state, sizeof(l->default_state), LIVE_STATE);
    l->own = *cli;
    if (c->state == NULL)
        l->own.config.state = l->default_state;
    l->cli = &l->own;
    l->state = l->own.config.state;
    l->plan = (struct worker_plan){
        .filter = c->filter,
        .ports = c->ports.v,
        .n_ports = c->ports.n,
        .dns = c->dns,
        .memory_max = c->memory,
        .content_max = c->mime ? c->content : 0,
        .keep_all = c->yara != NULL || c->clamd != NULL,
        .all_hashes = c->hashes == HASHES_ALL,
        .flows_max = (uint32_t)c->flows,
        .body_digest = c->body_digest,
        .name_others = c->name_others,
        .locked = true,
        .n_workers = (unsigned)c->workers,
    };
    l->capture = (struct worker_live_plan){
        .ifaces = (const char *const *)c->ifaces.v,
        .n_ifaces = c->ifaces.n,
        .buffer_bytes = c->buffer,
        .absent_ok = true,
        .any_port = c->any_port,
        .tunnels = c->tunnels,
        .stats_interval = LIVE_STATS_NS,
        .vlans = c->expect_vlans.v,
        .n_vlans = c->expect_vlans.n,
        .prefixes = c->expect_prefixes.v,
        .n_prefixes = c->expect_prefixes.n,
    };
    buf_init(&l->place_text, 1 << 15);
}

static enum err
check_listen(const struct config *c, struct buf *messages)
{
    struct addr a;
    uint16_t port;

    if (c->metrics_listen == NULL || c->metrics_listen[0] == '\0' ||
        live_web_address(span_str(c->metrics_listen), &a, &port))
        return ERR_OK;
    buf_str(messages, "span25: live.metrics_listen is not an address and port, "
                      "such as 127.0.0.1:9125\n");
    return ERR_CONFIG;
}

static enum err
check_interfaces(const struct live *l, struct buf *messages)
{
    if (l->capture.n_ifaces > 0 && l->capture.n_ifaces <= LIVE_IFACES_MAX)
        return ERR_OK;
    buf_printf(messages,
               "span25: live needs one to %d interfaces: -i NAME, or "
               "capture.interfaces\n",
               LIVE_IFACES_MAX);
    return ERR_USAGE;
}

static void
label_expected(struct live_board *b, const struct config *c)
{
    struct buf text;

    buf_init(&text, LIVE_EXPECT_NAME_MAX - 1);
    for (size_t i = 0; i < c->expect_vlans.n && i < LIVE_EXPECT_MAX; i++)
        b->vlan[b->n_vlans++] = c->expect_vlans.v[i];
    for (size_t i = 0; i < c->expect_prefixes.n && i < LIVE_EXPECT_MAX; i++) {
        buf_reset(&text);
        prefix_format(&c->expect_prefixes.v[i], &text);
        buf_putc(&text, '\0');
        memcpy(b->prefix[b->n_prefixes++], text.p, text.n);
    }
    buf_free(&text);
}

static void
label_board(struct live *l)
{
    struct live_board *b = l->board;

    b->n_workers = l->plan.n_workers;
    b->n_ifaces = (uint32_t)l->capture.n_ifaces;
    copy_text(b->sensor, sizeof(b->sensor), l->cli->config.name);
    for (size_t i = 0; i < l->capture.n_ifaces; i++)
        copy_text(b->iface_name[i], sizeof(b->iface_name[i]),
                  l->capture.ifaces[i]);
    label_expected(b, &l->cli->config);
}

static enum err
prepare(struct supervisor *s)
{
    struct live *l = &s->live;
    const struct config *c = &l->cli->config;
    enum err e = check_interfaces(l, &s->messages);

    if (e == ERR_OK)
        e = check_listen(c, &s->messages);
    if (e == ERR_OK)
        e = state_open(l->state, STATE_LIVE, &s->messages);
    if (e == ERR_OK)
        e = confine_user(c->user, l->state, &s->messages);
    if (e == ERR_OK)
        e = load_seed(l, &s->messages);
    l->capture.seed = l->seed;
    if (e == ERR_OK)
        e = inspection_start(c, &l->plan, &l->inspection, &s->messages);
    /* Behind the first keepers: they are not to share it. */
    if (e == ERR_OK)
        e = make_shared(l);
    if (e == ERR_OK) {
        label_board(l);
        l->plan.stop = l->stop;
    }
    if (e == ERR_OK)
        e = read_place_load(c, &l->plan, &l->place, &l->place_text,
                            &s->messages);
    l->plan.home = l->place.sites;
    if (e == ERR_OK)
        e = check_home(l, &s->messages);
    return e;
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

/* It runs since inspection_start. */
static void
add_keeper(struct supervisor *s, struct deep *keeper, struct live_process *p)
{
    if (keeper == NULL)
        return;
    s->children[s->n++] = (struct child){.role = LIVE_CONTENT,
                                         .process = p,
                                         .keeper = keeper,
                                         .pid = deep_keeper(keeper),
                                         .born = clock_of(CLOCK_MONOTONIC)};
    atomic_store(&p->pid, deep_keeper(keeper));
    atomic_store(&p->since_utc_ns, clock_of(CLOCK_REALTIME));
}

static void
make_children(struct supervisor *s)
{
    struct live_board *b = s->live.board;

    for (unsigned i = 0; i < s->live.plan.n_workers; i++)
        add_child(s, LIVE_WORKER, i, &b->worker[i].process, run_worker);
    add_child(s, LIVE_CORE, 0, &b->core.process, run_core);
    add_child(s, LIVE_INDEX, 0, &b->index, run_index);
    if (s->live.cli->config.metrics_listen != NULL &&
        s->live.cli->config.metrics_listen[0] != '\0')
        add_child(s, LIVE_WEB, 0, &b->web, run_web);
    if (s->live.cli->config.packets)
        add_child(s, LIVE_RECORDER, 0, &b->recorder, run_recorder);
    add_keeper(s, s->live.inspection.deep, &b->content);
    add_keeper(s, s->live.inspection.clamd, &s->clamd);
}

static void
release(struct supervisor *s)
{
    struct live *l = &s->live;

    inspection_stop(&l->inspection);
    for (unsigned i = 0; l->rings != NULL && i < l->plan.n_workers; i++)
        ring_free(&l->rings[i]);
    ring_free(&l->orders);
    free(l->rings);
    ring_bell_free(l->bell);
    read_place_free(&l->place);
    live_board_free(l->board);
    buf_free(&l->place_text);
    buf_free(&s->messages);
}

enum cli_exit
live_main(const struct cli *cli, int argc, char **argv)
{
    struct supervisor s = {
        .live = {.argc = argc, .argv = argv}
    };
    enum err e;

    buf_init(&s.messages, 1 << 20);
    plan(&s.live, cli);
    block_signals(&s);
    e = prepare(&s);
    if (e != ERR_OK && s.messages.n == 0)
        buf_printf(&s.messages, "span25: %s\n", err_text(e));
    say(&s.messages);
    if (e == ERR_OK) {
        make_children(&s);
        supervise(&s);
    }
    release(&s);
    if (e != ERR_OK)
        return cli_exit_of(e);
    return s.killed ? CLI_EXIT_PARTIAL : CLI_EXIT_DONE;
}
