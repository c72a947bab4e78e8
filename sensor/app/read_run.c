#include "sensor/app/read_run.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A worker's thread, or the thread that waits for a worker's process. */
struct hand {
    struct read_run *run;
    unsigned number;
    pthread_t thread;
    pid_t pid;
    bool started;
    bool died;
    int status; /* as of waitpid, when it died */
};

struct read_run {
    struct worker_plan plan;
    struct ring_bell *bell;
    struct ring *rings;
    struct worker_progress *progress; /* shared */
    struct hand *hands;
    struct merge *merge;
    pthread_mutex_t gate; /* held until all threads are there, or one is not */
    bool abandoned;
};

/* True when the reading goes ahead. */
static bool
pass_gate(struct read_run *r)
{
    bool ahead;

    (void)pthread_mutex_lock(&r->gate);
    ahead = !r->abandoned;
    (void)pthread_mutex_unlock(&r->gate);
    return ahead;
}

static void *
work(void *arg)
{
    struct hand *h = arg;

    if (pass_gate(h->run))
        worker_run(&h->run->plan, h->number, &h->run->rings[h->number],
                   &h->run->progress[h->number]);
    return NULL;
}

/* A process that dies cannot end its ring: this does it. */
static void *
watch(void *arg)
{
    struct hand *h = arg;
    int status = 0;

    (void)pass_gate(h->run); /* until then its number is nobody else's */
    while (waitpid(h->pid, &status, 0) < 0 && errno == EINTR)
        ;
    h->died = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    h->status = status;
    ring_close(&h->run->rings[h->number]);
    return NULL;
}

/* A worker ends when it is told so or when the reader is gone; signals from the
 * terminal are the reader's. */
static void
be_worker(pid_t reader)
{
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_NAME, "span25-worker");
    if (getppid() != reader)
        _exit(1);
}

static enum err
start_process(struct hand *h)
{
    pid_t reader = getpid();

    h->pid = fork();
    if (h->pid < 0)
        return ERR_NOMEM;
    if (h->pid == 0) {
        be_worker(reader);
        (void)work(h);
        _exit(0);
    }
    return ERR_OK;
}

static size_t
progress_bytes(const struct read_run *r)
{
    return r->plan.n_workers * sizeof(*r->progress);
}

static enum err
make_room(struct read_run *r, size_t ring_bytes)
{
    unsigned n = r->plan.n_workers;
    enum err e = ring_bell_new(&r->bell);

    r->rings = calloc(n, sizeof(*r->rings));
    r->hands = calloc(n, sizeof(*r->hands));
    r->progress = mmap(NULL, progress_bytes(r), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (r->progress == MAP_FAILED) {
        r->progress = NULL;
        return ERR_NOMEM;
    }
    if (r->rings == NULL || r->hands == NULL)
        return ERR_NOMEM;
    for (unsigned i = 0; e == ERR_OK && i < n; i++)
        e = ring_new(ring_bytes, r->bell, &r->rings[i]);
    if (e == ERR_OK)
        e = merge_new(r->rings, n, r->bell, &r->merge);
    return e;
}

static enum err
start_thread(struct hand *h, void *(*job)(void *))
{
    if (pthread_create(&h->thread, NULL, job, h) != 0) {
        ring_close(&h->run->rings[h->number]);
        return ERR_NOMEM;
    }
    h->started = true;
    return ERR_OK;
}

/* Nobody will read the rings: a worker would wait for room for ever. Processes
 * end now, threads before they begin. */
static void
abandon(struct read_run *r)
{
    r->abandoned = true;
    for (unsigned i = 0; i < r->plan.n_workers; i++) {
        if (r->hands[i].pid > 0)
            (void)kill(r->hands[i].pid, SIGKILL);
    }
}

/* All processes are forked before the first thread is made. */
static enum err
start_all(struct read_run *r, bool processes)
{
    unsigned n = r->plan.n_workers;
    enum err e = ERR_OK;

    for (unsigned i = 0; e == ERR_OK && i < n; i++) {
        r->hands[i].run = r;
        r->hands[i].number = i;
        if (processes)
            e = start_process(&r->hands[i]);
    }
    (void)pthread_mutex_lock(&r->gate);
    for (unsigned i = 0; e == ERR_OK && i < n; i++)
        e = start_thread(&r->hands[i], processes ? watch : work);
    if (e != ERR_OK)
        abandon(r);
    (void)pthread_mutex_unlock(&r->gate);
    return e;
}

enum err
read_run_start(const struct worker_plan *plan, size_t ring_bytes,
               bool processes, struct read_run **out)
{
    struct read_run *r = calloc(1, sizeof(*r));
    enum err e;

    if (r == NULL)
        return ERR_NOMEM;
    r->plan = *plan;
    (void)pthread_mutex_init(&r->gate, NULL); /* cannot fail without kinds */
    e = make_room(r, ring_bytes);
    if (e == ERR_OK)
        e = start_all(r, processes);
    if (e != ERR_OK) {
        (void)read_run_end(r, NULL);
        return e;
    }
    *out = r;
    return ERR_OK;
}

bool
read_run_step(struct read_run *r, const struct record_sink *sink,
              const struct record_sink *farewell)
{
    return merge_step(r->merge, sink, farewell);
}

uint64_t
read_run_position(const struct read_run *r)
{
    uint64_t least = UINT64_MAX;

    for (unsigned i = 0; i < r->plan.n_workers; i++) {
        uint64_t at = atomic_load_explicit(&r->progress[i].position,
                                           memory_order_relaxed);

        least = at < least ? at : least;
    }
    return least;
}

uint64_t
read_run_refused(const struct read_run *r)
{
    return merge_refused(r->merge);
}

static void
tell_death(const struct hand *h, struct buf *messages)
{
    if (messages == NULL)
        return;
    buf_printf(messages, "span25: worker %u ", h->number + 1);
    if (WIFSIGNALED(h->status))
        buf_printf(messages, "was killed by signal %d (%s)",
                   WTERMSIG(h->status), strsignal(WTERMSIG(h->status)));
    else
        buf_printf(messages, "ended with code %d", WEXITSTATUS(h->status));
    buf_str(messages, ": what it followed is missing\n");
}

static enum err
join(struct read_run *r, struct buf *messages)
{
    enum err e = ERR_OK;

    for (unsigned i = 0; r->hands != NULL && i < r->plan.n_workers; i++) {
        struct hand *h = &r->hands[i];
        uint32_t failed;

        if (!h->started)
            continue;
        /* Nobody reads a damaged ring: its writer would wait for ever. */
        if (h->pid > 0 && r->rings[i].corrupt)
            (void)kill(h->pid, SIGKILL);
        (void)pthread_join(h->thread, NULL);
        failed = atomic_load(&r->progress[i].failed);
        if (e == ERR_OK && failed != 0)
            e = (enum err)failed;
        if (e == ERR_OK && h->died)
            e = ERR_IO;
        if (h->died)
            tell_death(h, messages);
    }
    return e;
}

enum err
read_run_end(struct read_run *r, struct buf *messages)
{
    enum err e;

    if (r == NULL)
        return ERR_OK;
    e = join(r, messages);
    merge_free(r->merge);
    for (unsigned i = 0; r->rings != NULL && i < r->plan.n_workers; i++)
        ring_free(&r->rings[i]);
    if (r->progress != NULL)
        (void)munmap(r->progress, progress_bytes(r));
    ring_bell_free(r->bell);
    (void)pthread_mutex_destroy(&r->gate);
    free(r->rings);
    free(r->hands);
    free(r);
    return e;
}
