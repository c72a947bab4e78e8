#include "sensor/app/deep.h"

#include "sensor/app/confine.h"
#include "sensor/app/patience.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||     \
    __has_feature(memory_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

#define STILL_MIN   20U /* waits of 100 ms without a beat of the keeper */
#define LATE_MAX    2U  /* seconds in which it must have killed, at least */
#define LARGE       (1U << 20) /* bytes of a job whose pages are given back */
#define LONG        (1U << 17) /* bytes of a job that may take its time */
#define START_TRIES 3U         /* when it is killed as it begins */
#define START_MAX   100U /* waits of 100 ms for the inspectors at the start */

enum slot_state { SLOT_IDLE, SLOT_JOB, SLOT_DONE, SLOT_DIED, SLOT_TIMEOUT };

/* Of the process in a slot. */
enum readiness { IS_STARTING, IS_READY, HAS_FAILED };

/* Shared by the worker, the keeper and one inspector, who may write anything
 * into it at any time. */
struct slot {
    _Atomic uint32_t state; /* enum slot_state */
    _Atomic uint32_t ready; /* enum readiness */
    _Atomic uint32_t n_result;
    uint32_t n_name, n_declared;
    uint64_t n_bytes;
    bool truncated;
    uint8_t room[]; /* result, name, declared type, bytes */
};

#define TEXT_MAX 4096U

/* Shared by a slot's worker and the keeper. */
struct post {
    _Atomic uint32_t beat; /* of the keeper, by it */
    _Atomic uint32_t lost; /* the keeper is gone */
    _Atomic uint32_t n_jobs;
    _Atomic uint32_t wall; /* beats for the job */
    _Atomic int32_t pid;   /* of the inspector; the keeper itself kills by a
                            * number of its own */
};

/* Of a slot's user, and again of its inspector: no thread meets another here.
 */
struct side {
    struct buf answer; /* copied out before it is read */
    struct deep_counts counts;
    struct patience patience;
    size_t n_bytes; /* of the job in the slot */
    pid_t placed;   /* the inspector that was put on processor cpu */
    int cpu;        /* -1: on any */
};

struct deep {
    struct deep_options o;
    struct post **posts; /* each in a mapping of its own, or NULL: left */
    struct slot **slots; /* the same */
    struct side *sides;
    size_t slot_bytes;
    pid_t keeper;
};

/* ---- shared words ---- */

static void
word_wait(_Atomic uint32_t *word, uint32_t seen)
{
    static const struct timespec most = {.tv_nsec = 100000000};

    (void)syscall(SYS_futex, word, FUTEX_WAIT, seen, &most, NULL, 0);
}

static void
word_wake(_Atomic uint32_t *word)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void
word_set(_Atomic uint32_t *word, uint32_t v)
{
    atomic_store(word, v);
    word_wake(word);
}

static void *
map_shared(size_t n)
{
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                   -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

static void
unmap_slot(const struct deep *d, unsigned slot)
{
    if (d->slots[slot] != NULL)
        (void)munmap(d->slots[slot], d->slot_bytes);
    d->slots[slot] = NULL;
}

static void
unmap_post(const struct deep *d, unsigned slot)
{
    if (d->posts[slot] != NULL)
        (void)munmap(d->posts[slot], sizeof(struct post));
    d->posts[slot] = NULL;
}

static uint8_t *
name_room(struct slot *s)
{
    return s->room + DEEP_RESULT_MAX;
}

static uint8_t *
declared_room(struct slot *s)
{
    return name_room(s) + TEXT_MAX;
}

static uint8_t *
bytes_room(struct slot *s)
{
    return declared_room(s) + TEXT_MAX;
}

/* ---- the inspector ---- */

static void
limit(__rlimit_resource_t what, rlim_t most)
{
    const struct rlimit l = {most, most};

    if (setrlimit(what, &l) != 0)
        _exit(1);
}

static void
give_up_rights(const struct deep *d, unsigned slot)
{
    for (unsigned i = 0; i < d->o.n_slots; i++) {
        if (i != slot)
            unmap_slot(d, i);
        unmap_post(d, i);
    }
    if (close_range(0, IS_SANITIZED ? STDIN_FILENO : UINT_MAX, 0) != 0)
        _exit(1);
    /* Else libarchive makes the C library look for the time zone's file. */
    (void)setenv("TZ", "UTC0", 1);
    tzset();
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_NOFILE, d->o.sockets ? 1 : 0);
    if (prctl(PR_SET_DUMPABLE, 0) != 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        _exit(1);
    if (IS_SANITIZED)
        return;
    limit(RLIMIT_AS, d->o.memory_max + d->slot_bytes);
    if (!confine_calls(d->o.sockets ? CONFINE_ASKER : CONFINE_INSPECTOR))
        _exit(1);
}

static void
do_job(struct deep *d, unsigned slot, struct content_result *r)
{
    struct slot *s = d->slots[slot];
    struct buf *answer = &d->sides[slot].answer;
    /* What the worker wrote is ours: nobody changes it while we look. */
    const struct content_job job = {
        .bytes = span_of(bytes_room(s), s->n_bytes),
        .name = span_of(name_room(s), s->n_name),
        .declared = span_of(declared_room(s), s->n_declared),
        .truncated = s->truncated,
    };

    content_result_reset(r);
    d->o.inspect(d->o.ctx, &job, r);
    buf_reset(answer);
    content_result_code(r, answer);
    atomic_store(&s->n_result, (uint32_t)answer->n);
    if (answer->n > 0)
        memcpy(s->room, answer->p, answer->n);
}

static _Noreturn void
inspect_for(struct deep *d, unsigned slot)
{
    struct slot *s = d->slots[slot];
    struct content_result result;

    give_up_rights(d, slot);
    content_result_init(&result);
    word_set(&s->ready, IS_READY);
    for (;;) {
        uint32_t state = atomic_load(&s->state);

        if (state == SLOT_JOB) {
            do_job(d, slot, &result);
            word_set(&s->state, SLOT_DONE);
        } else {
            word_wait(&s->state, state);
        }
    }
}

/* ---- the keeper ---- */

/* What the keeper knows of a slot. */
struct watch {
    pid_t pid;      /* 0: nobody is there */
    uint32_t job;   /* its number when it was last looked at */
    unsigned beats; /* for so long */
    bool killed;
};

static void
spawn(struct deep *d, unsigned slot, struct watch *w)
{
    pid_t me = getpid();
    pid_t pid;

    atomic_store(&d->slots[slot]->ready, IS_STARTING);
    pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)prctl(PR_SET_NAME, "span25-inspect");
        if (getppid() != me)
            _exit(1);
        /* It may have an answer before the keeper goes on. */
        atomic_store(&d->posts[slot]->pid, getpid());
        inspect_for(d, slot);
    }
    *w = (struct watch){.pid = pid > 0 ? pid : 0};
    atomic_store(&d->posts[slot]->pid, w->pid);
}

/* There is no answer to the job in a slot, if there is one. */
static void
end_job(struct deep *d, unsigned slot, enum slot_state fate)
{
    uint32_t job = SLOT_JOB;

    if (atomic_compare_exchange_strong(&d->slots[slot]->state, &job, fate))
        word_wake(&d->slots[slot]->state);
}

/* Whoever kills it may do so while it begins: that says nothing of the next. */
static bool
may_begin(const struct slot *s, int status)
{
    return atomic_load(&s->ready) == IS_READY ||
           (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* The job ends before there is another process, which would begin it anew and
 * be at it still when the worker writes the next. */
static void
bury(struct deep *d, struct watch *watches, pid_t pid, int status)
{
    for (unsigned i = 0; i < d->o.n_slots; i++) {
        enum slot_state fate = watches[i].killed ? SLOT_TIMEOUT : SLOT_DIED;

        if (watches[i].pid != pid)
            continue;
        watches[i] = (struct watch){0};
        atomic_store(&d->posts[i]->pid, 0);
        end_job(d, i, fate);
        if (may_begin(d->slots[i], status))
            spawn(d, i, &watches[i]);
        else
            word_set(&d->slots[i]->ready, HAS_FAILED);
    }
}

/* One that has been at the same job for too long, or that is not there. */
static void
end_stuck(struct deep *d, unsigned slot, struct watch *w)
{
    uint32_t job = atomic_load(&d->posts[slot]->n_jobs);

    if (atomic_load(&d->slots[slot]->state) != SLOT_JOB || job != w->job) {
        w->job = job;
        w->beats = 0;
        return;
    }
    if (++w->beats <= atomic_load(&d->posts[slot]->wall))
        return;
    w->killed = true;
    if (w->pid > 0) /* 0 would be all of us */
        (void)kill(w->pid, SIGKILL);
    else
        end_job(d, slot, SLOT_DIED);
}

/* What did not come up is tried again once a second and no faster. */
static void
beat(struct deep *d, struct watch *watches, uint32_t n)
{
    const bool again = n % (1000 / d->o.beat_ms) == 0;

    for (unsigned i = 0; i < d->o.n_slots; i++) {
        (void)atomic_fetch_add(&d->posts[i]->beat, 1);
        if (again && watches[i].pid == 0)
            spawn(d, i, &watches[i]);
        end_stuck(d, i, &watches[i]);
    }
}

/* What an inspector could write to there, other keepers would believe. */
static void
forget(const struct deep *d)
{
    for (; d != NULL; d = d->o.before) {
        for (unsigned i = 0; i < d->o.n_slots; i++) {
            (void)munmap(d->slots[i], d->slot_bytes);
            (void)munmap(d->posts[i], sizeof(struct post));
        }
    }
}

static uint64_t
beat_number(const struct deep *d)
{
    struct timespec t = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return ((uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000) /
           d->o.beat_ms;
}

static _Noreturn void
keep(struct deep *d, pid_t reader)
{
    const struct timespec most = {.tv_sec = d->o.beat_ms / 1000,
                                  .tv_nsec =
                                      (long)(d->o.beat_ms % 1000) * 1000000};
    struct watch *watches = calloc(d->o.n_slots, sizeof(*watches));
    uint64_t last, now;
    uint32_t n = 0;
    sigset_t set;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_NAME, "span25-keeper");
    if (getppid() != reader || watches == NULL)
        _exit(1);
    forget(d->o.before);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    (void)close_range(STDIN_FILENO, STDOUT_FILENO, 0);
    (void)close_range(STDERR_FILENO + 1, UINT_MAX, 0);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    if (confine(CONFINE_KEEPER) != ERR_OK)
        _exit(1);
    last = beat_number(d);
    for (unsigned i = 0; i < d->o.n_slots; i++)
        spawn(d, i, &watches[i]);
    for (;;) {
        pid_t pid;
        int status;

        (void)sigtimedwait(&set, NULL, &most);
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
            bury(d, watches, pid, status);
        now = beat_number(d);
        if (now == last)
            continue;
        last = now;
        beat(d, watches, n++);
    }
}

/* ---- the worker's side ---- */

static void
free_all(struct deep *d)
{
    for (unsigned i = 0; d->slots != NULL && i < d->o.n_slots; i++)
        unmap_slot(d, i);
    for (unsigned i = 0; d->posts != NULL && i < d->o.n_slots; i++)
        unmap_post(d, i);
    for (unsigned i = 0; d->sides != NULL && i < d->o.n_slots; i++)
        buf_free(&d->sides[i].answer);
    free(d->sides);
    free(d->slots);
    free(d->posts);
    free(d);
}

static enum err
make_room(struct deep *d)
{
    d->slot_bytes = sizeof(struct slot) + DEEP_RESULT_MAX +
                    2 * (size_t)TEXT_MAX + d->o.input_max;
    d->slots = calloc(d->o.n_slots, sizeof(*d->slots));
    d->sides = calloc(d->o.n_slots, sizeof(*d->sides));
    d->posts = calloc(d->o.n_slots, sizeof(struct post *));
    if (d->slots == NULL || d->sides == NULL || d->posts == NULL)
        return ERR_NOMEM;
    for (unsigned i = 0; i < d->o.n_slots; i++) {
        buf_init(&d->sides[i].answer, DEEP_RESULT_MAX);
        d->slots[i] = map_shared(d->slot_bytes);
        d->posts[i] = map_shared(sizeof(struct post));
        if (d->slots[i] == NULL || d->posts[i] == NULL)
            return ERR_NOMEM;
    }
    return ERR_OK;
}

static void
end_keeper(struct deep *d)
{
    if (d->keeper <= 0)
        return;
    (void)kill(d->keeper, SIGKILL);
    while (waitpid(d->keeper, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* Inspectors that cannot lock themselves in never will. */
static bool
all_came_up(const struct deep *d)
{
    unsigned waits = 0;

    for (unsigned i = 0; i < d->o.n_slots; i++) {
        _Atomic uint32_t *ready = &d->slots[i]->ready;

        while (atomic_load(ready) == IS_STARTING && waits++ < START_MAX)
            word_wait(ready, IS_STARTING);
        if (atomic_load(ready) != IS_READY)
            return false;
    }
    return true;
}

/* Somebody has killed it, which says nothing about the system. */
static bool
was_killed(struct deep *d)
{
    int status = 0;

    if (waitpid(d->keeper, &status, WNOHANG) != d->keeper)
        return false;
    d->keeper = 0;
    for (unsigned i = 0; i < d->o.n_slots; i++)
        atomic_store(&d->slots[i]->ready, IS_STARTING);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static enum err
begin(struct deep *d, struct buf *message)
{
    const pid_t reader = getpid();
    unsigned tries = 0;

    do {
        d->keeper = fork();
        if (d->keeper == 0)
            keep(d, reader);
        if (d->keeper < 0)
            return ERR_NOMEM;
        if (all_came_up(d))
            return ERR_OK;
    } while (was_killed(d) && ++tries < START_TRIES);
    end_keeper(d);
    buf_str(message, "span25: the system does not let content inspection give "
                     "up its rights (seccomp, limits); without it: "
                     "content.inspect: false, no content.clamd");
    return ERR_PERM;
}

pid_t
deep_keeper(const struct deep *d)
{
    return d->keeper;
}

void
deep_bury(struct deep *d)
{
    d->keeper = 0;
}

void
deep_restart(struct deep *d, void (*leave)(void *ctx), void *ctx)
{
    const pid_t reader = getpid();

    for (unsigned i = 0; i < d->o.n_slots; i++) {
        atomic_store(&d->posts[i]->pid, 0);
        atomic_store(&d->posts[i]->lost, 0);
        end_job(d, i, SLOT_DIED);
    }
    d->keeper = fork();
    if (d->keeper == 0) {
        if (leave != NULL)
            leave(ctx);
        keep(d, reader);
    }
}

enum err
deep_start(const struct deep_options *o, struct deep **out, struct buf *message)
{
    struct deep *d = calloc(1, sizeof(*d));
    enum err e;

    if (d == NULL)
        return ERR_NOMEM;
    d->o = *o;
    if (d->o.beat_ms == 0 || d->o.beat_ms > 1000)
        d->o.beat_ms = 1000;
    e = make_room(d);
    if (e == ERR_OK)
        e = begin(d, message);
    if (e != ERR_OK) {
        free_all(d);
        return e;
    }
    *out = d;
    return ERR_OK;
}

void
deep_stop(struct deep *d)
{
    if (d == NULL)
        return;
    end_keeper(d);
    free_all(d);
}

static void
give(struct deep *d, unsigned slot, const struct content_job *job)
{
    struct slot *s = d->slots[slot];
    struct span name = span_head(job->name, TEXT_MAX);
    struct span declared = span_head(job->declared, TEXT_MAX);

    d->sides[slot].n_bytes = s->n_bytes = job->bytes.n;
    s->n_name = (uint32_t)name.n;
    s->n_declared = (uint32_t)declared.n;
    s->truncated = job->truncated;
    if (job->bytes.n > 0)
        memcpy(bytes_room(s), job->bytes.p, job->bytes.n);
    if (name.n > 0)
        memcpy(name_room(s), name.p, name.n);
    if (declared.n > 0)
        memcpy(declared_room(s), declared.p, declared.n);
    (void)atomic_fetch_add(&d->posts[slot]->n_jobs, 1);
    word_set(&s->state, SLOT_JOB);
}

/* ---- on which processor ---- */

/* Puts the inspector there, if it is not there already. Where the system does
 * not allow it all goes on as it was. */
static void
place(struct deep *d, unsigned slot, int cpu, const cpu_set_t *where)
{
    struct side *side = &d->sides[slot];
    pid_t pid = atomic_load(&d->posts[slot]->pid);

    if (pid <= 0 || (side->placed == pid && side->cpu == cpu))
        return;
    (void)sched_setaffinity(pid, sizeof(*where), where);
    side->placed = pid;
    side->cpu = cpu;
}

/* Worker and inspector work in turns: on one processor neither has to wait
 * until another one has woken up, which takes longer than most inspections. For
 * as long as one waits for the other they share the worker's; between jobs the
 * worker may go where it likes. before gets where that is. */
static bool
sit_together(struct deep *d, unsigned slot, size_t n, cpu_set_t *before)
{
    int cpu = sched_getcpu();
    cpu_set_t here;

    if (cpu < 0 || cpu >= CPU_SETSIZE ||
        sched_getaffinity(0, sizeof(*before), before) != 0)
        return false;
    if (n > LONG) {
        place(d, slot, -1, before);
        return false;
    }
    CPU_ZERO(&here);
    CPU_SET((size_t)cpu, &here);
    place(d, slot, cpu, &here);
    return sched_setaffinity(0, sizeof(here), &here) == 0;
}

/* The keeper is taken for gone when it has not beaten for ten beats, or has not
 * ended the job after twice the wall; both with time to spare where beats are
 * short, for a busy machine is no dead keeper. */
static unsigned
still_max(const struct deep *d)
{
    const unsigned n = d->o.beat_ms / 10;

    return n > STILL_MIN ? n : STILL_MIN;
}

static uint32_t
beats_max(const struct deep *d)
{
    const uint32_t n = LATE_MAX * 1000 / d->o.beat_ms;

    return n > 2 * DEEP_WALL_S ? n : 2 * DEEP_WALL_S;
}

static enum slot_state
await(struct deep *d, struct post *post, struct slot *s)
{
    uint32_t begun = atomic_load(&post->beat);
    uint32_t beat = begun;
    unsigned still = 0;

    for (;;) {
        uint32_t state = atomic_load(&s->state);
        uint32_t now = atomic_load(&post->beat);

        if (state != SLOT_JOB)
            return (enum slot_state)state;
        still = now == beat ? still + 1 : 0;
        beat = now;
        if (still > still_max(d) || now - begun > beats_max(d))
            break;
        word_wait(&s->state, state);
    }
    atomic_store(&post->lost, 1);
    return SLOT_DIED;
}

static bool
take(struct buf *answer, struct slot *s, struct content_result *r)
{
    uint32_t n = atomic_load(&s->n_result);

    buf_reset(answer);
    if (n > DEEP_RESULT_MAX)
        return false;
    buf_put(answer, s->room, n);
    return !answer->failed && content_result_read(buf_view(answer), r);
}

/* Pages of a large job do not stay with an idle slot. */
static void
give_back(struct deep *d, struct slot *s, size_t n)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t from = (size_t)(bytes_room(s) - (uint8_t *)s);

    from = (from + page - 1) & ~(page - 1);
    if (n > LARGE)
        (void)madvise((uint8_t *)s + from, d->slot_bytes - from, MADV_REMOVE);
}

bool
deep_lost(const struct deep *d, unsigned slot)
{
    return atomic_load(&d->posts[slot]->lost) != 0;
}

void
deep_leave(struct deep *d, unsigned but)
{
    for (unsigned i = 0; i < d->o.n_slots; i++) {
        if (i == but)
            continue;
        unmap_slot(d, i);
        unmap_post(d, i);
    }
}

/* Nothing is looked at as long as all goes well. */
static enum filetype
kind_of(const struct patience *p, const struct content_job *job)
{
    return p->all == 0
               ? FILETYPE_UNKNOWN
               : filetype_detect(job->bytes, SPAN_NONE, UINT64_MAX, NULL);
}

/* What the patience with this sort of file allows; false: nothing. */
static bool
may_take(struct deep *d, unsigned slot, const struct content_job *job)
{
    struct patience *p = &d->sides[slot].patience;
    enum patience_left left = patience_ask(p, kind_of(p, job));

    atomic_store(&d->posts[slot]->wall,
                 left == PATIENCE_FULL ? DEEP_WALL_S : DEEP_SHORT_S);
    return left != PATIENCE_NONE;
}

static void
lose_patience(struct deep *d, unsigned slot, const struct content_job *job)
{
    patience_lost(&d->sides[slot].patience,
                  filetype_detect(job->bytes, SPAN_NONE, UINT64_MAX, NULL));
}

static enum deep_answer
fail(struct deep *d, unsigned slot, const struct content_job *job,
     enum slot_state state, struct content_result *r)
{
    struct deep_counts *counts = &d->sides[slot].counts;

    content_result_reset(r);
    if (state == SLOT_TIMEOUT && job != NULL)
        lose_patience(d, slot, job);
    counts->timeouts += state == SLOT_TIMEOUT;
    counts->faults += state != SLOT_TIMEOUT;
    findings_add(&r->findings, state == SLOT_TIMEOUT ? FIND_INSPECTION_TIMEOUT
                                                     : FIND_INSPECTION_FAULT);
    return DEEP_BROKEN;
}

/* What needs no inspector; PENDING: it needs one. */
static enum deep_answer
answer_at_once(struct deep *d, unsigned slot, const struct content_job *job,
               struct content_result *r)
{
    struct deep_counts *counts = &d->sides[slot].counts;

    content_result_reset(r);
    counts->jobs++;
    if (job->bytes.n > d->o.input_max) {
        findings_add(&r->findings, FIND_PART_CUT);
        return DEEP_WHOLE;
    }
    if (may_take(d, slot, job))
        return DEEP_PENDING;
    counts->refused++;
    findings_add(&r->findings, FIND_NOT_INSPECTED);
    return DEEP_BROKEN;
}

/* There is an answer, or none will come; the slot is free again. */
static enum deep_answer
finish(struct deep *d, unsigned slot, const struct content_job *job,
       enum slot_state state, struct content_result *r)
{
    struct side *side = &d->sides[slot];
    struct slot *s = d->slots[slot];
    const bool good = state == SLOT_DONE && take(&side->answer, s, r);

    give_back(d, s, side->n_bytes);
    atomic_store(&s->state, SLOT_IDLE);
    return good ? DEEP_WHOLE : fail(d, slot, job, state, r);
}

enum deep_answer
deep_begin(struct deep *d, unsigned slot, const struct content_job *job,
           struct content_result *r)
{
    const enum deep_answer a = answer_at_once(d, slot, job, r);

    if (a == DEEP_PENDING)
        give(d, slot, job);
    return a;
}

enum deep_answer
deep_poll(struct deep *d, unsigned slot, const struct content_job *job,
          struct content_result *r)
{
    const uint32_t state = atomic_load(&d->slots[slot]->state);

    return state == SLOT_JOB ? DEEP_PENDING
                             : finish(d, slot, job, (enum slot_state)state, r);
}

void
deep_rest(struct deep *d, unsigned slot, unsigned most_ms)
{
    _Atomic uint32_t *word = &d->slots[slot]->state;
    const struct timespec most = {.tv_sec = most_ms / 1000,
                                  .tv_nsec = (long)(most_ms % 1000) * 1000000};

    (void)syscall(SYS_futex, word, FUTEX_WAIT, SLOT_JOB, &most, NULL, 0);
}

bool
deep_inspect(struct deep *d, unsigned slot, const struct content_job *job,
             struct content_result *r)
{
    enum deep_answer a = answer_at_once(d, slot, job, r);
    enum slot_state state;
    cpu_set_t before;
    bool together;

    if (a != DEEP_PENDING)
        return a == DEEP_WHOLE;
    if (deep_lost(d, slot))
        return fail(d, slot, job, SLOT_DIED, r) == DEEP_WHOLE;
    together = sit_together(d, slot, job->bytes.n, &before);
    give(d, slot, job);
    state = await(d, d->posts[slot], d->slots[slot]);
    if (together)
        (void)sched_setaffinity(0, sizeof(before), &before);
    return finish(d, slot, job, state, r) == DEEP_WHOLE;
}

struct deep_counts
deep_counts_of(const struct deep *d, unsigned slot)
{
    return d->sides[slot].counts;
}

pid_t
deep_pid(const struct deep *d, unsigned slot)
{
    return atomic_load(&d->posts[slot]->pid);
}
