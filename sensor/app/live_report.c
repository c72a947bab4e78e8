#include "sensor/app/live_report.h"

#include "rules/decide/rollout.h"
#include "rules/detect.h"
#include "rules/registry/book.h"
#include "sensor/app/clock.h"
#include "sensor/app/live.h"
#include "sensor/app/live_metrics.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define PAGE_MAX   (LIVE_METRICS_BYTES + (128U << 10))
#define FILES_MOST 100000U /* of a folder that are looked at */
#define NEW_FILE   LIVE_REPORT_FILE ".new"

struct live_report {
    const struct live *live;
    struct live_board *board;
    struct live_watch watch;
    struct live_numbers numbers;
    struct live_limits limits;
    struct buf page;
    int dir; /* the state */
    ns_t filed, sampled;
    bool file_failed;
};

/* Where the bytes of a kind are: a folder, or files of the state. */
static const struct {
    enum live_store kind;
    const char *folder;   /* or NULL */
    const char *files[4]; /* NULL: no more */
} places[] = {
    {LIVE_STORE_JOURNAL,   "journal",   {NULL}                                  },
    {LIVE_STORE_SNAPSHOTS, "snapshots", {NULL}                                  },
    {LIVE_STORE_EVIDENCE,  "evidence",  {NULL}                                  },
    {LIVE_STORE_INDEX,     NULL,        {"index.db", "index.db-wal", NULL}      },
    {LIVE_STORE_REGISTRY,  NULL,        {"registry.db", "registry.db-wal", NULL}},
};

_Static_assert(LIVE_LINE_STATES + 1 == BOOK_STATE_COUNT, "NONE is not told");
_Static_assert(LIVE_SEVERITIES == ALERTS_SEVERITIES, "the same");

struct live_limits
live_report_limits(const struct config *c)
{
    return (struct live_limits){
        .quiet = c->live_quiet,
        .expected = c->expect_within,
        .silent = LIVE_SILENT_NS,
        .drop_permille = c->drop_permille,
    };
}

/* ---- disk ---- */

static bool
add_file(int dir, const char *name, uint64_t *sum)
{
    struct stat st;

    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    if (S_ISREG(st.st_mode))
        *sum += (uint64_t)st.st_size;
    return true;
}

static struct live_number
folder_bytes(int dir, const char *name)
{
    const int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    struct live_number n = {.known = d != NULL};
    const struct dirent *e;

    if (d == NULL && fd >= 0)
        (void)close(fd);
    for (unsigned i = 0; d != NULL && i < FILES_MOST; i++) {
        e = readdir(d); /* NOLINT(concurrency-mt-unsafe): one thread */
        if (e == NULL)
            break;
        (void)add_file(dirfd(d), e->d_name, &n.v);
    }
    if (d != NULL)
        (void)closedir(d);
    return n;
}

static void
look_at_disk(struct live_report *r)
{
    struct statvfs fs;

    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        struct live_number *n = &r->numbers.store[places[i].kind];

        *n = (struct live_number){0};
        if (places[i].folder != NULL)
            *n = folder_bytes(r->dir, places[i].folder);
        for (size_t k = 0; places[i].files[k] != NULL; k++)
            n->known |= add_file(r->dir, places[i].files[k], &n->v);
    }
    if (fstatvfs(r->dir, &fs) == 0) {
        r->numbers.store_free =
            (struct live_number){true, (uint64_t)fs.f_bavail * fs.f_frsize};
        r->numbers.store_size =
            (struct live_number){true, (uint64_t)fs.f_blocks * fs.f_frsize};
    }
}

/* ---- clock ---- */

static void
look_at_clock(struct live_report *r)
{
    struct live_clock *c = &r->board->core.clock;
    struct timex t = {0}; /* modes 0: asks only */
    const int state = adjtimex(&t);
    const long unit = (t.status & STA_NANO) != 0 ? 1 : 1000;

    if (state < 0)
        return;
    atomic_store(&c->synchronised,
                 state != TIME_ERROR && (t.status & STA_UNSYNC) == 0);
    atomic_store(&c->offset_ns, (uint64_t)labs(t.offset) * (uint64_t)unit);
    atomic_store(&c->known, 1);
}

/* ---- processes ---- */

/* The clock of another process may be read without rights over it. */
static uint64_t
cpu_of(pid_t pid)
{
    struct timespec t;
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
        return 0;
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* The second number of /proc/PID/statm; 0 where it is hidden. */
static uint64_t
memory_of(pid_t pid)
{
    const long page = sysconf(_SC_PAGESIZE);
    char name[32], text[128];
    struct span s;
    uint64_t pages = 0;
    ssize_t n = -1;
    int fd;

    (void)snprintf(name, sizeof(name), "/proc/%ld/statm", (long)pid);
    fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        n = read(fd, text, sizeof(text));
        (void)close(fd);
    }
    s = span_of(text, n > 0 ? (size_t)n : 0);
    s = span_tail(s, span_find(s, ' ') + 1);
    if (page <= 0 || !span_to_u64(span_head(s, span_find(s, ' ')), &pages))
        return 0;
    return pages * (uint64_t)page;
}

static void
look_at_process(const struct live_process *p, struct live_usage *u)
{
    const pid_t pid = atomic_load(&p->pid);

    atomic_store(&u->cpu_ns, pid > 0 ? cpu_of(pid) : 0);
    atomic_store(&u->resident_bytes, pid > 0 ? memory_of(pid) : 0);
}

static void
look_at_processes(struct live_board *b)
{
    for (unsigned r = 0; r < LIVE_ROLES; r++) {
        const enum live_role role = (enum live_role)r;
        const unsigned n = live_role_many(role) ? b->n_workers : 1;

        for (unsigned i = 0; i < n && i < LIVE_WORKERS_MAX; i++)
            look_at_process(live_board_process(b, role, i),
                            &b->core.usage[live_board_usage(role, i)]);
    }
}

/* ---- registry and detection ---- */

/* The line of the form that is due first; its clock runs. */
static void
look_at_form(struct live_numbers *n, const struct book_form *f, ns_t now)
{
    ns_t due = 0, began = 0;

    for (size_t i = 0; i < f->form.n_lines; i++) {
        const struct clock c = book_clock_at(f->lines[i], now);
        const ns_t at = clock_due(&c);

        n->lines[book_state_at(f->lines[i], now)].v++;
        if (c.state == CLOCK_RUNNING && (due == 0 || at < due)) {
            due = at;
            began = c.began;
        }
    }
    if (due == 0)
        return;
    if (n->next_due == 0 || due < n->next_due)
        n->next_due = due;
    n->overdue_forms.v += due < now;
    n->oldest_pending_s.known = true;
    if (now > began && (now - began) / NS_PER_S > n->oldest_pending_s.v)
        n->oldest_pending_s.v = (now - began) / NS_PER_S;
}

static void
look_at_registry(struct live_report *r, const struct book *book)
{
    struct live_numbers *n = &r->numbers;
    struct live_named lines[BOOK_STATE_COUNT] = {
        {NULL, 0}
    };
    size_t at = 0;

    memset(n->lines, 0, sizeof(n->lines));
    n->overdue_forms = n->oldest_pending_s = (struct live_number){0};
    n->next_due = 0;
    if (book == NULL)
        return;
    n->overdue_forms.known = true;
    for (size_t i = 0; i < book_n_forms(book); i++)
        look_at_form(n, book_form_at(book, i), clock_of(CLOCK_REALTIME));
    for (unsigned s = BOOK_NONE + 1; s < BOOK_STATE_COUNT; s++)
        lines[at++] =
            (struct live_named){book_word((enum book_state)s), n->lines[s].v};
    memcpy(n->lines, lines, sizeof(lines));
}

static void
look_at_detection(struct live_report *r, const struct detect *detect)
{
    const struct detect_counts c = detect_counts(detect);
    uint64_t open[LIVE_SEVERITIES] = {0};

    detect_open_by(detect, open);
    for (unsigned s = 0; s < LIVE_SEVERITIES; s++)
        r->numbers.open[s] = (struct live_number){true, open[s]};
    r->numbers.blocks[LIVE_BLOCK_SIMULATED] =
        (struct live_number){true, c.decide.active - c.decide.enforced};
    r->numbers.blocks[LIVE_BLOCK_ENFORCED] =
        (struct live_number){true, c.decide.enforced};
    r->numbers.mode = rollout_mode_word(
        rollout_now(detect_policy(detect), clock_of(CLOCK_REALTIME)));
    r->numbers.blocks[LIVE_BLOCK_PENDING] =
        (struct live_number){true, c.decide.holds};
}

/* ---- the page ---- */

/* Readers take it between two equal even versions. */
static void
publish(struct live_report *r)
{
    struct live_core_board *b = &r->board->core;
    const uint32_t version = atomic_load(&b->metrics_version) | 1U;
    const struct span page = span_head(buf_view(&r->page), sizeof(b->metrics));

    atomic_store(&b->metrics_version, version);
    memcpy(b->metrics, page.p, page.n);
    atomic_store(&b->metrics_bytes, (uint32_t)page.n);
    atomic_store(&b->metrics_version, version + 1);
}

static bool
write_file(const struct live_report *r)
{
    const int fd =
        openat(r->dir, NEW_FILE,
               O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool good = fd >= 0;

    for (struct span rest = buf_view(&r->page); good && rest.n > 0;) {
        const ssize_t n = write(fd, rest.p, rest.n);

        good = n > 0;
        rest = span_tail(rest, n > 0 ? (size_t)n : 0);
    }
    if (fd >= 0)
        good = close(fd) == 0 && good;
    return good && renameat(r->dir, NEW_FILE, r->dir, LIVE_REPORT_FILE) == 0;
}

static void
file(struct live_report *r, struct buf *messages)
{
    const bool good = write_file(r);

    if (!good && !r->file_failed)
        buf_str(messages, "cannot write " LIVE_REPORT_FILE
                          " into the state: doctor and top will not know\n");
    r->file_failed = !good;
}

bool
live_report_second(struct live_report *r, const struct detect *detect,
                   const struct book *book, struct buf *messages)
{
    const ns_t mono = clock_of(CLOCK_MONOTONIC);
    const ns_t utc = clock_of(CLOCK_REALTIME);
    const bool sample =
        r->sampled == 0 || mono - r->sampled >= LIVE_REPORT_SAMPLE_NS;

    if (sample) {
        r->sampled = mono;
        look_at_disk(r);
        look_at_clock(r);
        look_at_processes(r->board);
        look_at_registry(r, book);
        look_at_detection(r, detect);
        live_watch_sample(&r->watch, r->board, mono);
    }
    r->numbers.made_utc = utc;
    buf_reset(&r->page);
    live_metrics_write(r->board, &r->watch, &r->numbers, mono, &r->page);
    publish(r);
    if (mono - r->filed >= LIVE_REPORT_FILE_NS) {
        r->filed = mono;
        live_metrics_checks(r->board, &r->limits, mono, utc, &r->page);
        file(r, messages);
    }
    return sample && atomic_load(&r->board->core.window.length_ns) != 0;
}

void
live_report_event(struct live_report *r, struct span record)
{
    live_watch_event(&r->watch, record);
}

void
live_report_stats(struct live_report *r, struct span record)
{
    live_watch_stats(&r->watch, record);
}

static enum err
read_all(int fd, struct buf *page)
{
    uint8_t part[4096];
    ssize_t n;

    do {
        n = read(fd, part, sizeof(part));
        if (n > 0)
            buf_put(page, part, (size_t)n);
    } while (n > 0);
    return n < 0 ? err_from_errno(errno) : page->failed ? ERR_NOMEM : ERR_OK;
}

enum err
live_report_read(const char *state, struct buf *page, ns_t *age)
{
    const int dir = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int fd = openat(dir, LIVE_REPORT_FILE,
                          O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    enum err e = fd < 0 ? err_from_errno(errno) : ERR_OK;
    const ns_t now = clock_of(CLOCK_REALTIME);
    struct stat st = {0};
    ns_t made;

    buf_reset(page);
    if (e == ERR_OK && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)))
        e = ERR_NOENT;
    if (e == ERR_OK)
        e = read_all(fd, page);
    if (fd >= 0)
        (void)close(fd);
    if (dir >= 0)
        (void)close(dir);
    made = (ns_t)st.st_mtim.tv_sec * NS_PER_S + (ns_t)st.st_mtim.tv_nsec;
    *age = now > made ? now - made : 0;
    return e;
}

/* ---- facts of an event ---- */

/* Each name once: rows of a name stand together. */
struct blind {
    struct record_out *out;
    const char *told;
};

static void
put_blind(void *ctx, const struct live_check *c)
{
    struct blind *b = ctx;

    if (c->blind && (b->told == NULL || strcmp(b->told, c->name) != 0)) {
        record_text(b->out, FIELD_SIGHT_BLIND, c->name);
        b->told = c->name;
    }
}

static void
put_silent(void *ctx, const struct live_check *c)
{
    if (c->level == LIVE_LEVEL_FAIL &&
        span_eq(span_str(c->name), SPAN_LIT("expected")))
        record_str(ctx, FIELD_SIGHT_SILENT,
                   span_head(c->text, span_find(c->text, ':')));
}

static void
put_window(const struct live_window *w, struct record_out *out)
{
    const uint64_t length = atomic_load(&w->length_ns);

    if (length == 0)
        return;
    record_u64(out, FIELD_SIGHT_WINDOW, length / NS_PER_S);
    record_u64(out, FIELD_SIGHT_PACKETS, atomic_load(&w->packets));
    record_u64(out, FIELD_SIGHT_DROPPED,
               atomic_load(&w->dropped) + atomic_load(&w->missed));
    record_u64(out, FIELD_SIGHT_SESSIONS, atomic_load(&w->sessions));
    record_u64(out, FIELD_SIGHT_ONEWAY, atomic_load(&w->sessions_oneway));
    record_u64(out, FIELD_SIGHT_SEEN, atomic_load(&w->bytes_seen));
    record_u64(out, FIELD_SIGHT_UNSEEN, atomic_load(&w->bytes_unseen));
    record_u64(out, FIELD_SIGHT_RESYNCS, atomic_load(&w->resyncs));
    record_u64(out, FIELD_SIGHT_RECORDS_LOST, atomic_load(&w->records_lost));
}

void
live_report_facts(const struct live_report *r, struct record_out *out)
{
    const struct live_clock *c = &r->board->core.clock;
    const ns_t mono = clock_of(CLOCK_MONOTONIC);
    const ns_t utc = clock_of(CLOCK_REALTIME);
    struct blind blind = {out, NULL};

    put_window(&r->board->core.window, out);
    if (atomic_load(&c->known) != 0) {
        record_bool(out, FIELD_SIGHT_SYNCHRONISED,
                    atomic_load(&c->synchronised) != 0);
        record_u64(out, FIELD_SIGHT_OFFSET,
                   atomic_load(&c->offset_ns) / NS_PER_US);
    }
    live_health(r->board, &r->limits, mono, utc, put_silent, out);
    live_health(r->board, &r->limits, mono, utc, put_blind, &blind);
}

/* ---- life ---- */

enum err
live_report_new(const struct live *l, struct live_report **out)
{
    struct live_report *r = calloc(1, sizeof(*r));

    if (r == NULL)
        return ERR_NOMEM;
    r->live = l;
    r->board = l->board;
    r->numbers.version = SPAN25_VERSION;
    r->limits = live_report_limits(&l->cli->config);
    buf_init(&r->page, PAGE_MAX);
    r->dir = open(l->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r->dir < 0) {
        const enum err e = err_from_errno(errno);

        live_report_free(r);
        return e;
    }
    *out = r;
    return ERR_OK;
}

void
live_report_free(struct live_report *r)
{
    if (r == NULL)
        return;
    if (r->dir >= 0)
        (void)close(r->dir);
    buf_free(&r->page);
    free(r);
}
