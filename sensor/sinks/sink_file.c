#include "sensor/sinks/sink_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct file_sink {
    struct sink sink;
    char *path;
    int fd;
    bool is_stdout;
    bool is_regular; /* can be cut back */
    uint8_t *p;      /* whole lines; the first one may be written in part */
    size_t n;
    size_t cap;
    enum put state; /* DONE, or STOP or DEAD until reopen */
    const char *what;
    const char *why;
    struct sink_counts counts;
    void (*settled)(void *ctx, bool delivered); /* of struct sink_settings */
    void *ctx;
};

static struct file_sink *
self(struct sink *s)
{
    return (struct file_sink *)(void *)s;
}

static const struct file_sink *
self_const(const struct sink *s)
{
    return (const struct file_sink *)(const void *)s;
}

static enum put
dead(struct file_sink *f, const char *what, int number)
{
    f->what = what;
    f->why = strerrordesc_np(number);
    f->state = PUT_DEAD;
    return PUT_DEAD;
}

/* ---- opening ---- */

/* Who was killed within a write leaves a part of a line: the next one must not
 * go on with it. */
static void
end_torn_line(const struct file_sink *f)
{
    const int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    const off_t end = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
    char last = '\n';

    if (end > 0 && pread(fd, &last, 1, end - 1) == 1 && last != '\n' &&
        write(f->fd, "\n", 1) != 1)
        last = '\n'; /* the first line's write tells why */
    if (fd >= 0)
        (void)close(fd);
}

static enum err
open_path(struct file_sink *f)
{
    struct stat st;
    int fd;
    int number;

    if (f->is_stdout)
        fd = STDOUT_FILENO;
    else
        fd = open(f->path,
                  O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY |
                      (f->settled != NULL ? O_NONBLOCK : 0),
                  0640);
    number = errno;
    if (fd < 0) {
        (void)dead(f, "open", number);
        return err_from_errno(number);
    }
    f->fd = fd;
    f->is_regular = !f->is_stdout && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    f->state = PUT_DONE;
    return ERR_OK;
}

static void
file_close(struct sink *s)
{
    struct file_sink *f;

    if (s == NULL)
        return;
    f = self(s);
    if (f->fd >= 0 && !f->is_stdout)
        (void)close(f->fd);
    free(f->path);
    free(f->p);
    free(f);
}

static void
file_why(const struct sink *s, struct buf *out)
{
    const struct file_sink *f = self_const(s);

    buf_str(out, f->is_stdout ? "standard output" : f->path);
    buf_str(out, ": ");
    buf_str(out, f->what);
    buf_str(out, ": ");
    buf_str(out, f->why);
}

static enum err
file_open(struct sink **out, const struct sink_settings *s, struct buf *message)
{
    struct file_sink *f = calloc(1, sizeof(*f));
    enum err e = ERR_NOMEM;

    if (f == NULL)
        return ERR_NOMEM;
    f->sink.ops = &sink_file;
    f->fd = -1;
    f->what = f->why = "";
    f->settled = s->settled;
    f->ctx = s->ctx;
    f->cap = s->buffer_bytes > 0 ? s->buffer_bytes : SINK_FILE_BUFFER;
    f->p = malloc(f->cap);
    f->path = strdup(s->target);
    f->is_stdout = span_eq(span_str(s->target), SPAN_LIT("-"));
    if (f->p != NULL && f->path != NULL) {
        e = open_path(f);
        if (e != ERR_OK)
            file_why(&f->sink, message);
        else if (f->is_regular)
            end_torn_line(f);
    }
    if (e != ERR_OK) {
        file_close(&f->sink);
        return e;
    }
    *out = &f->sink;
    return ERR_OK;
}

/* ---- writing ---- */

static uint64_t
count_lines(struct span s)
{
    uint64_t n = 0;

    while (s.n > 0) {
        s = span_tail(s, span_find(s, '\n') + 1);
        n++;
    }
    return n;
}

/* The first n bytes are written: all whole lines among them leave the buffer.
 * A part of the next one stays in a regular file only if it cannot be cut. */
static void
written(struct file_sink *f, size_t n, bool failed)
{
    size_t keep = n;
    uint64_t lines;

    if (failed && f->is_regular) {
        off_t end = lseek(f->fd, 0, SEEK_END);

        while (keep > 0 && f->p[keep - 1] != '\n')
            keep--;
        if (end < (off_t)(n - keep) ||
            ftruncate(f->fd, end - (off_t)(n - keep)) != 0)
            keep = n;
    }
    lines = count_lines(span_of(f->p, keep));
    if (keep > 0 && f->p[keep - 1] != '\n')
        lines--; /* its end is counted when it comes */
    memmove(f->p, f->p + keep, f->n - keep);
    f->n -= keep;
    f->counts.delivered += lines;
    for (; f->settled != NULL && lines > 0; lines--)
        f->settled(f->ctx, true);
}

static enum put
file_flush(struct sink *s)
{
    struct file_sink *f = self(s);
    size_t at = 0;

    if (f->state != PUT_DONE || f->n == 0)
        return f->state;
    while (f->state == PUT_DONE && at < f->n) {
        ssize_t n = write(f->fd, f->p + at, f->n - at);
        int number = errno;

        if (n > 0) {
            at += (size_t)n;
        } else if (n < 0 && number == EPIPE) {
            f->what = "write";
            f->why = strerrordesc_np(number);
            f->state = PUT_STOP;
        } else if (n < 0 && number == EAGAIN) {
            written(f, at, false);
            return PUT_BUSY;
        } else if (n == 0 || number != EINTR) {
            (void)dead(f, "write", n == 0 ? EIO : number);
        }
    }
    written(f, at, at < f->n);
    return f->state;
}

static enum put
make_room(struct file_sink *f, size_t n)
{
    enum put got = f->state;
    uint8_t *p;

    if (got == PUT_DONE && n > f->cap - f->n)
        got = file_flush(&f->sink);
    if (got != PUT_DONE || n <= f->cap - f->n)
        return got;
    p = realloc(f->p, n);
    if (p == NULL)
        return dead(f, "line", ENOMEM);
    f->p = p;
    f->cap = n;
    return PUT_DONE;
}

static enum put
file_put(struct sink *s, struct span record, struct span line)
{
    struct file_sink *f = self(s);
    enum put got = make_room(f, line.n + 1);

    (void)record;
    if (got != PUT_DONE)
        return got;
    if (line.n > 0)
        memcpy(f->p + f->n, line.p, line.n);
    f->p[f->n + line.n] = '\n';
    f->n += line.n + 1;
    f->counts.taken++;
    return PUT_DONE;
}

static enum err
file_reopen(struct sink *s)
{
    struct file_sink *f = self(s);

    (void)file_flush(s); /* what cannot be written now goes to the new file */
    if (f->is_stdout)
        return f->state == PUT_DONE ? ERR_OK : ERR_IO;
    if (f->fd >= 0)
        (void)close(f->fd);
    f->fd = -1;
    return open_path(f);
}

static void
file_tick(struct sink *s, ns_t now)
{
    (void)now;
    (void)file_flush(s); /* a failure is told by the next put */
}

static struct sink_counts
file_counts(const struct sink *s)
{
    return self_const(s)->counts;
}

const struct sink_ops sink_file = {
    .name = "file",
    .help = "JSON Lines into the file target, which is opened anew when logs "
            "are rotated.",
    .open = file_open,
    .put = file_put,
    .flush = file_flush,
    .reopen = file_reopen,
    .tick = file_tick,
    .counts = file_counts,
    .why = file_why,
    .close = file_close,
};
