#include "sensor/app/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/base/buf.h"

static bool
write_all(int fd, struct span s, int *number)
{
    while (s.n > 0) {
        ssize_t n = write(fd, s.p, s.n);

        *number = errno;
        if (n < 0 && *number != EINTR)
            return false;
        s = span_tail(s, n > 0 ? (size_t)n : 0);
    }
    return true;
}

/* Whose name was taken by nobody, not even by a link to somewhere else. */
static int
open_beside(const char *path)
{
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = open(path, flags, 0640);

    if (fd < 0 && errno == EEXIST && unlink(path) == 0)
        fd = open(path, flags, 0640);
    return fd;
}

static int
finish_file(int fd, struct span text)
{
    int number = 0;
    bool good = write_all(fd, text, &number);

    if (good && fsync(fd) != 0 && errno != EINVAL && errno != EROFS) {
        number = errno;
        good = false;
    }
    if (close(fd) != 0 && good) {
        number = errno;
        good = false;
    }
    return good ? 0 : number;
}

/* Beside, then in its place: who reads it never sees half of it. */
static int
replace(const char *path, struct span text)
{
    struct buf beside;
    int number = ENAMETOOLONG;
    int fd = -1;

    buf_init(&beside, 8192);
    buf_printf(&beside, "%s.new%c", path, 0);
    if (!beside.cut && !beside.failed) {
        fd = open_beside((const char *)beside.p);
        number = errno;
    }
    if (fd >= 0) {
        number = finish_file(fd, text);
        if (number == 0 && rename((const char *)beside.p, path) != 0)
            number = errno;
        if (number != 0)
            (void)unlink((const char *)beside.p);
    }
    buf_free(&beside);
    return number;
}

/* A device or a pipe is written to: in its place would be another thing. */
int
whole_file_save(const char *path, struct span text)
{
    struct stat st;
    int fd;

    if (stat(path, &st) != 0 || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
        return replace(path, text);
    fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
    return fd >= 0 ? finish_file(fd, text) : errno;
}

static int
new_file(const char *path, struct span text, mode_t mode)
{
    int fd =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    int number = fd >= 0 ? finish_file(fd, text) : errno;

    if (fd >= 0 && number != 0)
        (void)unlink(path);
    return number;
}

int
whole_file_new(const char *path, struct span text)
{
    return new_file(path, text, 0640);
}

int
whole_file_secret(const char *path, struct span text)
{
    return new_file(path, text, 0600);
}

int
whole_file_load(const char *path, size_t most, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
    int number = errno;
    ssize_t n = 1;

    buf_init(out, most + 1);
    if (fd < 0)
        return number;
    number = 0;
    while (n > 0 && number == 0) {
        if (!buf_grow(out,
                      4096 < out->max - out->n ? 4096 : out->max - out->n)) {
            number = ENOMEM;
            break;
        }
        n = read(fd, out->p + out->n, out->cap - out->n);
        number = n < 0 && errno != EINTR ? errno : 0;
        out->n += n > 0 ? (size_t)n : 0;
        if (out->n > most)
            number = EFBIG;
        n = n < 0 ? 1 : n;
    }
    (void)close(fd);
    return number;
}
