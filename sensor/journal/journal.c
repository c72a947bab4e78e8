#include "sensor/journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/journal/journal_segment.h"

/* Compresses the closed segments below one number, removes what is old where
 * that is asked for, then ends. */
struct squeezer {
    pthread_t thread;
    bool started;
    int dir;
    uint64_t below;
    const struct journal_io *io;
    _Atomic bool done;
    _Atomic uint64_t failed;
    bool retain; /* and by which: */
    struct journal_keep keep;
    ns_t now;
    struct journal_kept kept; /* of the last run that was to retain */
    enum err kept_error;
    bool kept_untold;
};

struct journal {
    int dir;
    int lock;
    int fd; /* of the last segment */
    struct journal_options opts;
    uint64_t segment;
    uint64_t size; /* of it, with what is buffered */
    struct journal_chain chain;
    uint8_t *p; /* buffer */
    size_t cap;
    size_t n;
    size_t written;    /* of the n bytes, by a flush that failed */
    uint64_t unsynced; /* bytes flushed since the last sync */
    uint64_t flushed;
    _Atomic uint64_t durable;
    bool broken;
    const char *what; /* failed last */
    const char *why;
    struct squeezer squeezer;
};

/* ---- compressing thread ---- */

static void *
squeeze(void *arg)
{
    struct squeezer *q = arg;
    struct journal_segments s = {0};
    enum err e = journal_segments_read(q->dir, &s);
    uint64_t failed = e != ERR_OK;

    for (size_t i = 0; i < s.n; i++) {
        const char *why;

        if (s.v[i].plain && s.v[i].number < q->below &&
            journal_segment_compress(q->dir, s.v[i].number, q->io, &why) !=
                ERR_OK)
            failed++;
    }
    journal_segments_free(&s);
    if (q->retain)
        q->kept_error =
            journal_retain(q->dir, &q->keep, q->below, q->now, q->io, &q->kept);
    atomic_store(&q->failed, failed);
    atomic_store(&q->done, true);
    return NULL;
}

static void
squeezer_join(struct squeezer *q)
{
    if (!q->started)
        return;
    (void)pthread_join(q->thread, NULL);
    q->started = false;
    q->kept_untold |= q->retain;
    q->retain = false;
}

static void
squeezer_run(struct journal *j)
{
    struct squeezer *q = &j->squeezer;
    sigset_t all;
    sigset_t before;

    q->dir = j->dir;
    q->below = j->segment;
    q->io = j->opts.io;
    atomic_store(&q->done, false);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    q->started = pthread_create(&q->thread, NULL, squeeze, q) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* One run at a time: what it misses is met by the next one. The thread takes
 * no signals. */
static void
squeezer_start(struct journal *j)
{
    struct squeezer *q = &j->squeezer;

    if (j->opts.keep_plain || (q->started && !atomic_load(&q->done)))
        return;
    squeezer_join(q);
    squeezer_run(j);
}

bool
journal_retain_start(struct journal *j, const struct journal_keep *keep,
                     ns_t now)
{
    struct squeezer *q = &j->squeezer;

    if (q->started && !atomic_load(&q->done))
        return false;
    squeezer_join(q);
    if (q->kept_untold)
        return false;
    q->retain = true;
    q->keep = *keep;
    q->now = now;
    q->kept = (struct journal_kept){0};
    squeezer_run(j);
    if (!q->started)
        q->retain = false;
    return q->started;
}

bool
journal_retain_done(struct journal *j, struct journal_kept *out, enum err *e)
{
    struct squeezer *q = &j->squeezer;

    if (q->started && atomic_load(&q->done))
        squeezer_join(q);
    if (!q->kept_untold)
        return false;
    q->kept_untold = false;
    *out = q->kept;
    *e = q->kept_error;
    return true;
}

/* ---- writing ---- */

static enum err
fail(struct journal *j, const char *what, const char *why)
{
    j->what = what;
    j->why = why;
    return ERR_IO;
}

enum err
journal_flush(struct journal *j)
{
    const char *why = "";
    size_t done;
    enum err e;

    if (j->broken)
        return ERR_IO;
    e = journal_io_write(j->opts.io, j->fd,
                         span_of(j->p + j->written, j->n - j->written), &done,
                         &why);
    j->written += done;
    j->unsynced += done;
    if (e != ERR_OK)
        return fail(j, "write", why);
    j->n = j->written = 0;
    j->flushed = j->chain.next_seq - 1;
    return ERR_OK;
}

enum err
journal_sync(struct journal *j)
{
    const char *why = "";
    enum err e = journal_flush(j);

    if (e != ERR_OK)
        return e;
    if (j->unsynced > 0 && journal_io_sync(j->opts.io, j->fd, &why) != ERR_OK) {
        j->broken = true;
        return fail(j, "sync", why);
    }
    j->unsynced = 0;
    atomic_store(&j->durable, j->flushed);
    return ERR_OK;
}

/* A new last segment for the next line. */
static enum err
begin_segment(struct journal *j)
{
    char name[SEGMENT_NAME_MAX];
    uint64_t number = j->chain.next_seq;
    const char *why = "";
    int fd;
    int no;

    journal_segment_name(number, "", name);
    fd = openat(j->dir, name,
                O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    no = errno;
    if (fd < 0)
        return fail(j, "new segment", strerrordesc_np(no));
    if (j->fd >= 0)
        (void)close(j->fd);
    j->fd = fd;
    j->segment = number;
    j->size = 0;
    journal_chain_init(&j->chain, number);
    if (journal_io_sync(j->opts.io, j->dir, &why) != ERR_OK) {
        j->broken = true;
        return fail(j, "sync of the folder", why);
    }
    return ERR_OK;
}

static enum err
rotate(struct journal *j)
{
    enum err e = journal_sync(j);

    if (e == ERR_OK)
        e = begin_segment(j);
    if (e == ERR_OK)
        squeezer_start(j);
    return e;
}

/* Room for n bytes in the buffer. */
static enum err
make_room(struct journal *j, size_t n)
{
    enum err e;
    uint8_t *p;

    if (n <= j->cap - j->n)
        return ERR_OK;
    e = journal_flush(j);
    if (e != ERR_OK || n <= j->cap)
        return e;
    p = realloc(j->p, n);
    if (p == NULL)
        return ERR_NOMEM;
    j->p = p;
    j->cap = n;
    return ERR_OK;
}

static bool
is_object(struct span json)
{
    return !journal_is_gone(json) && json.n > 2 && json.p[0] == '{' &&
           json.p[json.n - 1] == '}' && span_find(json, '\n') == json.n;
}

enum err
journal_append(struct journal *j, struct span json, uint64_t *seq)
{
    struct span body = span_head(json, json.n > 0 ? json.n - 1 : 0);
    char tail[JOURNAL_TAIL_MAX];
    enum err e = ERR_OK;
    size_t n;

    if (j->broken)
        return ERR_IO;
    if (json.n > JOURNAL_LINE_MAX)
        return ERR_LIMIT;
    if (!is_object(json))
        return ERR_FORMAT;
    if (j->size > 0 &&
        j->size + json.n + JOURNAL_TAIL_MAX > j->opts.segment_bytes)
        e = rotate(j);
    else if (j->opts.sync_bytes > 0 &&
             j->unsynced + (j->n - j->written) >= j->opts.sync_bytes)
        e = journal_sync(j);
    if (e == ERR_OK)
        e = make_room(j, body.n + JOURNAL_TAIL_MAX);
    if (e != ERR_OK)
        return e;
    if (seq != NULL)
        *seq = j->chain.next_seq;
    n = journal_chain_put(&j->chain, body, tail);
    memcpy(j->p + j->n, body.p, body.n);
    memcpy(j->p + j->n + body.n, tail, n);
    j->n += body.n + n;
    j->size += body.n + n;
    return ERR_OK;
}

/* ---- recovery ---- */

/* An unused name journal/damaged-SEGMENT-OFFSET, with -2 and so on behind. */
static int
open_damaged(int dir, uint64_t segment, uint64_t offset)
{
    char name[96];
    int fd = -1;

    for (unsigned i = 1; i < 10000 && fd < 0; i++) {
        int n = snprintf(name, sizeof(name), "damaged-%020" PRIu64 "-%" PRIu64,
                         segment, offset);

        REQUIRE(n > 0 && n < 80);
        if (i > 1)
            (void)snprintf(name + n, sizeof(name) - (size_t)n, "-%u", i);
        fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0 && errno != EEXIST)
            break;
    }
    return fd;
}

static enum err
copy_tail(struct journal *j, int from, int to, uint64_t offset)
{
    const char *why = "";

    for (;;) {
        uint8_t room[16384];
        ssize_t n = pread(from, room, sizeof(room), (off_t)offset);
        int no = errno;
        size_t done;

        if (n < 0)
            return fail(j, "read of the damaged tail", strerrordesc_np(no));
        if (n == 0)
            break;
        if (journal_io_write(j->opts.io, to, span_of(room, (size_t)n), &done,
                             &why) != ERR_OK)
            return fail(j, "move of the damaged tail", why);
        offset += (uint64_t)n;
    }
    if (journal_io_sync(j->opts.io, to, &why) != ERR_OK ||
        journal_io_sync(j->opts.io, j->dir, &why) != ERR_OK)
        return fail(j, "move of the damaged tail", why);
    return ERR_OK;
}

/* Moves what follows the last good line away; j->fd is open for writing. */
static enum err
cut_tail(struct journal *j, uint64_t offset)
{
    char name[SEGMENT_NAME_MAX];
    const char *why = "";
    int from;
    int to;
    int no = 0;
    enum err e;

    journal_segment_name(j->segment, "", name);
    from = openat(j->dir, name, O_RDONLY | O_CLOEXEC);
    to = from < 0 ? -1 : open_damaged(j->dir, j->segment, offset);
    no = errno;
    if (from < 0 || to < 0)
        e = fail(j, "move of the damaged tail", strerrordesc_np(no));
    else
        e = copy_tail(j, from, to, offset);
    if (from >= 0)
        (void)close(from);
    if (to >= 0)
        (void)close(to);
    if (e != ERR_OK)
        return e;
    if (ftruncate(j->fd, (off_t)offset) != 0) {
        no = errno;
        return fail(j, "cut of the damaged tail", strerrordesc_np(no));
    }
    if (journal_io_sync(j->opts.io, j->fd, &why) != ERR_OK)
        return fail(j, "sync", why);
    return ERR_OK;
}

static enum err
scan(struct journal *j, uint64_t number, struct journal_scan *out)
{
    struct journal_source *source;
    struct journal_lines lines;
    enum err e = journal_source_open(j->dir, number, &source);

    if (e != ERR_OK)
        return fail(j, "scan of the last segment", err_text(e));
    journal_lines_init(&lines, journal_source_get, source);
    e = journal_lines_scan(&lines, number, out);
    journal_lines_free(&lines);
    journal_source_free(source);
    return e == ERR_OK || e == ERR_NOMEM
               ? e
               : fail(j, "scan of the last segment", err_text(e));
}

static enum err
reopen_plain(struct journal *j, const struct journal_scan *s)
{
    char name[SEGMENT_NAME_MAX];
    const char *why = "";
    int no;

    journal_segment_name(j->segment, "", name);
    j->fd = openat(j->dir, name, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
    no = errno;
    if (j->fd < 0)
        return fail(j, "last segment", strerrordesc_np(no));
    j->size = s->kept_bytes;
    if (s->total_bytes > s->kept_bytes)
        return cut_tail(j, s->kept_bytes);
    /* a killed writer may have left bytes that are in memory only */
    if (journal_io_sync(j->opts.io, j->fd, &why) != ERR_OK)
        return fail(j, "sync", why);
    return ERR_OK;
}

/* A compressed last segment of which nothing can be read: its name is needed
 * for the next one. */
static enum err
set_aside(struct journal *j, uint64_t number)
{
    char from[SEGMENT_NAME_MAX];
    char to[96];
    int no;

    journal_segment_name(number, ".zst", from);
    (void)snprintf(to, sizeof(to), "damaged-%020" PRIu64 "-0.zst", number);
    if (renameat2(j->dir, from, j->dir, to, RENAME_NOREPLACE) != 0) {
        no = errno;
        return fail(j, "move of the damaged segment", strerrordesc_np(no));
    }
    return ERR_OK;
}

static enum err
recover_last(struct journal *j, const struct journal_segment *last,
             struct journal_recovery *rec)
{
    struct journal_scan s;
    enum err e = scan(j, last->number, &s);

    if (e != ERR_OK)
        return e;
    j->segment = last->number;
    j->chain = s.chain;
    j->flushed = s.chain.next_seq - 1;
    atomic_store(&j->durable, j->flushed);
    rec->lines = s.lines;
    rec->bad_lines = s.damaged;
    rec->next_seq = s.chain.next_seq;
    if (last->plain) {
        rec->moved_bytes = s.total_bytes - s.kept_bytes;
        return reopen_plain(j, &s);
    }
    if (s.lines == 0)
        e = set_aside(j, last->number);
    return e == ERR_OK ? begin_segment(j) : e;
}

static enum err
recover(struct journal *j, struct journal_recovery *rec)
{
    struct journal_segments s = {0};
    enum err e = journal_segments_clean(j->dir);

    if (e == ERR_OK)
        e = journal_segments_read(j->dir, &s);
    if (e != ERR_OK)
        return fail(j, "list of segments", err_text(e));
    if (s.n > 0) {
        e = recover_last(j, &s.v[s.n - 1], rec);
    } else {
        journal_chain_init(&j->chain, 1);
        rec->next_seq = 1;
        e = begin_segment(j);
    }
    journal_segments_free(&s);
    return e;
}

/* ---- opening and closing ---- */

static void
tell(struct buf *message, const char *dir, const char *what, const char *why)
{
    buf_str(message, dir);
    buf_str(message, "/journal: ");
    buf_str(message, what);
    buf_str(message, why);
}

static enum err
open_folder(const char *dir, int *out, struct buf *message)
{
    int top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int no = errno;
    int fd = -1;

    if (top >= 0) {
        if (mkdirat(top, "journal", 0700) == 0 || errno == EEXIST)
            fd = openat(top, "journal", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        no = errno;
        (void)close(top);
    }
    if (fd < 0) {
        tell(message, dir, strerrordesc_np(no), "");
        return err_from_errno(no);
    }
    *out = fd;
    return ERR_OK;
}

static void
tell_holder(struct buf *message, const char *dir, int fd)
{
    char pid[24];
    ssize_t n = pread(fd, pid, sizeof(pid), 0);
    size_t digits = 0;

    while (n > 0 && digits < (size_t)n && pid[digits] >= '0' &&
           pid[digits] <= '9')
        digits++;
    tell(message, dir, "in use by process ", "");
    if (digits > 0)
        buf_put(message, pid, digits);
    else
        buf_str(message, "(unknown)");
}

/* The file is never removed: that would let two writers in. */
static enum err
take_lock(struct journal *j, const char *dir, struct buf *message)
{
    char pid[24];
    int n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    int no;

    j->lock =
        openat(j->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    no = errno;
    if (j->lock >= 0 && flock(j->lock, LOCK_EX | LOCK_NB) == 0) {
        if (ftruncate(j->lock, 0) != 0 ||
            pwrite(j->lock, pid, (size_t)n, 0) != n)
            return ERR_OK; /* a full disk: the pid is only for the message */
        return ERR_OK;
    }
    if (j->lock >= 0)
        no = errno;
    if (no == EWOULDBLOCK) {
        tell_holder(message, dir, j->lock);
        return ERR_BUSY;
    }
    tell(message, dir, "lock: ", strerrordesc_np(no));
    return err_from_errno(no);
}

static struct journal *
new_journal(const struct journal_options *opts)
{
    struct journal *j = calloc(1, sizeof(*j));

    if (j == NULL)
        return NULL;
    j->dir = j->lock = j->fd = -1;
    if (opts != NULL)
        j->opts = *opts;
    if (j->opts.segment_bytes == 0)
        j->opts.segment_bytes = JOURNAL_SEGMENT_BYTES;
    if (j->opts.io == NULL)
        j->opts.io = &journal_io_system;
    j->what = j->why = "";
    j->cap = JOURNAL_BUFFER_BYTES;
    j->p = malloc(j->cap);
    if (j->p == NULL) {
        free(j);
        return NULL;
    }
    return j;
}

void
journal_forget(struct journal *j)
{
    if (j == NULL)
        return;
    if (j->fd >= 0)
        (void)close(j->fd);
    if (j->lock >= 0)
        (void)close(j->lock);
    if (j->dir >= 0)
        (void)close(j->dir);
    free(j->p);
    free(j);
}

enum err
journal_open(const char *dir, const struct journal_options *opts,
             struct journal **out, struct journal_recovery *rec,
             struct buf *message)
{
    struct journal *j = new_journal(opts);
    struct journal_recovery found = {0};
    enum err e;

    if (j == NULL)
        return ERR_NOMEM;
    e = open_folder(dir, &j->dir, message);
    if (e == ERR_OK)
        e = take_lock(j, dir, message);
    if (e == ERR_OK) {
        e = recover(j, &found);
        if (e == ERR_IO) {
            tell(message, dir, "", "");
            journal_why(j, message);
        }
    }
    if (e != ERR_OK) {
        journal_forget(j);
        return e;
    }
    squeezer_start(j);
    if (rec != NULL)
        *rec = found;
    *out = j;
    return ERR_OK;
}

struct journal_position
journal_position(const struct journal *j)
{
    return (struct journal_position){
        .next_seq = j->chain.next_seq,
        .flushed = j->flushed,
        .durable = journal_durable(j),
        .segment = j->segment,
        .offset = j->size,
        .compress_failed = atomic_load(&j->squeezer.failed),
    };
}

uint64_t
journal_durable(const struct journal *j)
{
    return atomic_load(&j->durable);
}

void
journal_why(const struct journal *j, struct buf *out)
{
    buf_str(out, j->what);
    buf_str(out, ": ");
    buf_str(out, j->why);
}

enum err
journal_close(struct journal *j)
{
    enum err e;

    if (j == NULL)
        return ERR_OK;
    e = journal_sync(j);
    squeezer_join(&j->squeezer);
    journal_forget(j);
    return e;
}
