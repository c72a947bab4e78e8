#include "sensor/journal/journal_io.h"

#include <errno.h>
#include <unistd.h>

static ssize_t
system_write(void *ctx, int fd, const void *p, size_t n)
{
    (void)ctx;
    return write(fd, p, n);
}

static int
system_sync(void *ctx, int fd)
{
    (void)ctx;
    return fdatasync(fd);
}

const struct journal_io journal_io_system = {system_write, system_sync, NULL};

enum err
journal_io_write(const struct journal_io *io, int fd, struct span bytes,
                 size_t *done, const char **why)
{
    *done = 0;
    while (bytes.n > 0) {
        ssize_t n = io->write(io->ctx, fd, bytes.p, bytes.n);
        int number = errno;

        if (n < 0 && number == EINTR)
            continue;
        if (n <= 0 || (size_t)n > bytes.n) {
            *why = strerrordesc_np(n < 0 ? number : EIO);
            return ERR_IO;
        }
        *done += (size_t)n;
        bytes = span_tail(bytes, (size_t)n);
    }
    return ERR_OK;
}

enum err
journal_io_sync(const struct journal_io *io, int fd, const char **why)
{
    int number;

    if (io->sync(io->ctx, fd) == 0)
        return ERR_OK;
    number = errno;
    *why = strerrordesc_np(number);
    return ERR_IO;
}
