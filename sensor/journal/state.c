#include "sensor/journal/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/base/span.h"

#define FIRST_LINE "span25 state 1\n"
#define KIND_KEY   "kind: "
#define FILE_MAX   256

static const struct {
    const char *name;
    const char *refusal;
} kinds[] = {
#define STATE_ROW(id, name, refusal) [STATE_##id] = {(name), (refusal)},
    STATE_KIND_MAP(STATE_ROW)
#undef STATE_ROW
};

static const char *const folders[] = {"journal", "snapshots", "evidence"};

/* What may lie in a directory that is still ours to take. */
static const char *const harmless[] = {".", "..", "state.tmp", "lost+found"};

static enum err
refuse(struct buf *message, const char *dir, const char *text, enum err e)
{
    buf_str(message, dir);
    buf_str(message, ": ");
    buf_str(message, text);
    return e;
}

static enum err
refuse_errno(struct buf *message, const char *dir, int number)
{
    return refuse(message, dir, strerrordesc_np(number),
                  err_from_errno(number));
}

static bool
is_harmless(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(harmless); i++) {
        if (span_eq(span_str(name), span_str(harmless[i])))
            return true;
    }
    return false;
}

static enum err
check_empty(int fd, const char *dir, struct buf *message)
{
    int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int number = errno;
    DIR *h = again >= 0 ? fdopendir(again) : NULL;
    struct dirent *d = NULL;

    if (h == NULL) {
        if (again >= 0)
            (void)close(again);
        return refuse_errno(message, dir, again >= 0 ? ENOMEM : number);
    }
    do {
        errno = 0;
        d = readdir(h);
        number = errno;
    } while (d != NULL && is_harmless(d->d_name));
    (void)closedir(h);
    if (d != NULL)
        return refuse(message, dir,
                      "the directory is not empty and has no "
                      "file \"state\": not a state of span25",
                      ERR_EXISTS);
    return number != 0 ? refuse_errno(message, dir, number) : ERR_OK;
}

/* Whole or not at all: beside, synced, renamed. */
static enum err
write_state(int dir, enum state_kind kind, int *number)
{
    char text[FILE_MAX];
    int n = snprintf(text, sizeof(text), FIRST_LINE KIND_KEY "%s\n",
                     kinds[kind].name);
    int fd = openat(dir, "state.tmp", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                    0600);
    bool good;

    *number = errno;
    if (fd < 0)
        return err_from_errno(*number);
    errno = EIO;
    good = write(fd, text, (size_t)n) == n && fsync(fd) == 0;
    *number = errno;
    (void)close(fd);
    if (good) {
        good = renameat(dir, "state.tmp", dir, "state") == 0 && fsync(dir) == 0;
        *number = errno;
    }
    return good ? ERR_OK : err_from_errno(*number);
}

static enum err
check_state(struct span text, const char *dir, enum state_kind kind,
            struct buf *message)
{
    struct span rest = span_tail(text, sizeof(FIRST_LINE) - 1);

    if (!span_starts(text, SPAN_LIT("span25 state ")))
        return refuse(message, dir, "the file \"state\" in it is not span25's",
                      ERR_FORMAT);
    if (!span_starts(text, SPAN_LIT(FIRST_LINE)))
        return refuse(message, dir,
                      "made by another version of span25 (this one knows "
                      "\"span25 state 1\")",
                      ERR_FORMAT);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct span name = span_str(kinds[i].name);
        struct span value = span_tail(rest, sizeof(KIND_KEY) - 1);

        if (!span_starts(rest, SPAN_LIT(KIND_KEY)) || value.n != name.n + 1 ||
            !span_starts(value, name) || span_at(value, name.n) != '\n')
            continue;
        return i == kind ? ERR_OK
                         : refuse(message, dir, kinds[i].refusal, ERR_USAGE);
    }
    return refuse(message, dir, "the file \"state\" in it is damaged",
                  ERR_FORMAT);
}

static enum err
open_state(int fd, const char *dir, enum state_kind kind, struct buf *message)
{
    char text[FILE_MAX];
    int file = openat(fd, "state", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int number = errno;
    ssize_t n;
    enum err e;

    if (file < 0 && number == ENOENT) {
        e = check_empty(fd, dir, message);
        if (e != ERR_OK)
            return e;
        e = write_state(fd, kind, &number);
        return e == ERR_OK ? e : refuse_errno(message, dir, number);
    }
    if (file < 0)
        return refuse_errno(message, dir, number);
    n = read(file, text, sizeof(text));
    number = errno;
    (void)close(file);
    if (n < 0)
        return refuse_errno(message, dir, number);
    return check_state(span_of(text, (size_t)n), dir, kind, message);
}

enum err
state_open(const char *dir, enum state_kind kind, struct buf *message)
{
    int made = mkdir(dir, 0700);
    int number = errno;
    enum err e;
    int fd;

    if (made != 0 && number != EEXIST)
        return refuse_errno(message, dir, number);
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    number = errno;
    if (fd < 0)
        return refuse_errno(message, dir, number);
    /* Two that come first at once: the second finds what the first has made.
     * Where there are no such locks, so be it. */
    (void)flock(fd, LOCK_EX);
    e = open_state(fd, dir, kind, message);
    for (size_t i = 0; e == ERR_OK && i < ARRAY_LEN(folders); i++) {
        made = mkdirat(fd, folders[i], 0700);
        number = errno;
        if (made != 0 && number != EEXIST)
            e = refuse_errno(message, dir, number);
    }
    (void)close(fd);
    return e;
}
