#include "sensor/sinks/extract_dir.h"

#include "sensor/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define INDEX_NEW  EXTRACT_INDEX ".new"
#define FILE_NEW   "new" /* a file that was being written */
#define INDEX_READ (256U << 20)

bool
extract_is_name(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];

        if ((c < '0' || c > '9') && (c < 'a' || c > 'f'))
            return false;
    }
    return s.n == EXTRACT_HEX;
}

bool
extract_write(int fd, struct span s)
{
    while (s.n > 0) {
        ssize_t n = write(fd, s.p, s.n);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        s = span_tail(s, (size_t)n);
    }
    return true;
}

static enum err
complain(struct buf *message, const char *path, const char *what, int number)
{
    buf_str(message, "span25: ");
    text_term(message, span_str(path));
    buf_printf(message, ": %s", what);
    if (number == 0)
        return ERR_EXISTS;
    buf_printf(message, ": %s", strerrordesc_np(number));
    return err_from_errno(number);
}

/* ---- what is in it ---- */

enum entry { ENTRY_OTHER, ENTRY_FILE, ENTRY_INDEX, ENTRY_REST };

/* REST: what a run left that ended while it wrote. */
static enum entry
entry_of(int dir, const char *name, struct stat *st)
{
    if (fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(st->st_mode) || st->st_uid != geteuid())
        return ENTRY_OTHER;
    if (strcmp(name, EXTRACT_INDEX) == 0)
        return ENTRY_INDEX;
    if (strcmp(name, INDEX_NEW) == 0 || strcmp(name, FILE_NEW) == 0)
        return ENTRY_REST;
    return extract_is_name(span_str(name)) ? ENTRY_FILE : ENTRY_OTHER;
}

/* Calls on each entry until one gives false. */
struct walk {
    int dir;
    bool (*on)(struct walk *w, const char *name, enum entry what,
               const struct stat *st);
    /* of the visitors */
    struct extract_dir *d;
    ns_t before;
    uint64_t entries;
    bool has_index;
};

static bool
walk(struct walk *w)
{
    int copy = openat(w->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
    bool good = dir != NULL;
    const struct dirent *e;
    int number;

    if (dir == NULL) {
        if (copy >= 0)
            (void)close(copy);
        return false;
    }
    errno = 0;
    while (good && (e = readdir(dir)) != NULL) {
        struct stat st;

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        good = w->on(w, e->d_name, entry_of(w->dir, e->d_name, &st), &st);
        errno = good ? 0 : errno;
    }
    number = errno;
    good &= number == 0;
    (void)closedir(dir);
    errno = number;
    return good;
}

static bool
check_entry(struct walk *w, const char *name, enum entry what,
            const struct stat *st)
{
    (void)name;
    (void)st;
    w->entries++;
    w->has_index |= what == ENTRY_INDEX;
    return what != ENTRY_OTHER;
}

static bool
expire_entry(struct walk *w, const char *name, enum entry what,
             const struct stat *st)
{
    ns_t changed =
        st->st_mtim.tv_sec > 0 ? (ns_t)st->st_mtim.tv_sec * NS_PER_S : 0;

    if (what == ENTRY_INDEX || what == ENTRY_OTHER)
        return true;
    if (what == ENTRY_REST || changed < w->before) {
        w->d->expired += what == ENTRY_FILE;
        return unlinkat(w->dir, name, 0) == 0;
    }
    w->d->stays(w->d->ctx, span_str(name), (uint64_t)st->st_size);
    return true;
}

/* ---- the index ---- */

static bool
read_index(int dir, struct buf *text)
{
    int fd = openat(dir, EXTRACT_INDEX, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t n = -1;

    while (fd >= 0 && buf_grow(text, 65536)) {
        n = read(fd, text->p + text->n, 65536);
        if (n <= 0)
            break;
        text->n += (size_t)n;
    }
    if (fd >= 0)
        (void)close(fd);
    return n == 0;
}

/* The third column; the two before it are ours and never quoted. */
static struct span
digest_of(struct span line)
{
    for (unsigned i = 0; i < 2; i++)
        line = span_tail(line, span_find(line, ',') + 1);
    return span_head(line, span_find(line, ','));
}

/* Lines of files that are still there; a line that was cut has none. */
static void
keep_lines(int dir, struct span old, struct buf *kept)
{
    buf_str(kept, EXTRACT_HEADER);
    old = span_tail(old, sizeof(EXTRACT_HEADER) - 1);
    while (old.n > 0) {
        struct span line = span_head(old, span_find(old, '\n') + 1);
        struct span name = digest_of(line);
        char text[EXTRACT_HEX + 1] = "";

        old = span_tail(old, line.n);
        if (!extract_is_name(name) || line.p[line.n - 1] != '\n')
            continue;
        memcpy(text, name.p, EXTRACT_HEX);
        if (faccessat(dir, text, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
            buf_span(kept, line);
    }
}

static bool
write_index(int dir, const struct buf *text)
{
    int fd = openat(dir, INDEX_NEW,
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool good = fd >= 0 && extract_write(fd, buf_view(text));

    if (fd >= 0 && close(fd) != 0)
        good = false;
    return good && renameat(dir, INDEX_NEW, dir, EXTRACT_INDEX) == 0;
}

static enum err
begin_index(int dir, const struct buf *old, const char *path,
            struct buf *message)
{
    struct buf kept;
    enum err e = ERR_OK;

    buf_init(&kept, INDEX_READ);
    keep_lines(dir, buf_view(old), &kept);
    if (kept.failed || kept.cut)
        e = ERR_NOMEM;
    else if (!write_index(dir, &kept))
        e = complain(message, path, "cannot write the index", errno);
    buf_free(&kept);
    return e;
}

/* ---- opening ---- */

static enum err
take(struct extract_dir *d, const char *path, struct buf *message)
{
    struct stat st;

    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return complain(message, path, "cannot make this folder", errno);
    d->fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (d->fd < 0)
        return complain(message, path, "cannot open this folder", errno);
    if (fstat(d->fd, &st) != 0 || st.st_uid != geteuid())
        return complain(message, path, "is somebody else's folder", 0);
    if (flock(d->fd, LOCK_EX | LOCK_NB) != 0)
        return complain(message, path,
                        "is in use by another run, or given twice", EBUSY);
    return ERR_OK;
}

static enum err
check(struct extract_dir *d, const char *path, struct buf *index,
      struct buf *message)
{
    struct walk w = {.dir = d->fd, .on = check_entry};
    bool ours = walk(&w);

    if (ours && w.entries > 0)
        ours = w.has_index && read_index(d->fd, index) &&
               span_starts(buf_view(index), SPAN_LIT(EXTRACT_HEADER));
    if (!ours)
        return complain(message, path,
                        "holds what is not of an earlier run; give a new or "
                        "an empty folder",
                        0);
    return ERR_OK;
}

enum err
extract_dir_open(struct extract_dir *d, const char *path, ns_t keep, ns_t now,
                 struct buf *message)
{
    struct walk w = {
        .on = expire_entry, .d = d, .before = now > keep ? now - keep : 0};
    struct buf index;
    enum err e;

    d->fd = -1;
    d->expired = 0;
    buf_init(&index, INDEX_READ);
    e = take(d, path, message);
    if (e == ERR_OK)
        e = check(d, path, &index, message);
    w.dir = d->fd;
    if (e == ERR_OK && (fchmod(d->fd, 0700) != 0 || !walk(&w)))
        e = complain(message, path, "cannot delete what is too old", errno);
    if (e == ERR_OK)
        e = begin_index(d->fd, &index, path, message);
    buf_free(&index);
    if (e != ERR_OK)
        extract_dir_close(d);
    return e;
}

void
extract_dir_close(struct extract_dir *d)
{
    if (d->fd >= 0)
        (void)close(d->fd);
    d->fd = -1;
}
