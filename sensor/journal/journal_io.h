#ifndef SPAN25_JOURNAL_IO_H
#define SPAN25_JOURNAL_IO_H
/* journal_io - the two system calls that decide whether a line is on disk
 *
 * A seam: tests pass functions that fail or write short. Both may be called
 * from the journal's compressing thread as well, at the same time. */
#include <sys/types.h>

#include "sensor/base/buf.h"
#include "sensor/base/err.h"

struct journal_io {
    ssize_t (*write)(void *ctx, int fd, const void *p, size_t n); /* errno */
    int (*sync)(void *ctx, int fd);                               /* errno */
    void *ctx;
};

extern const struct journal_io journal_io_system; /* write, fdatasync */

/* Writes all, over short writes and interruptions. *done tells how many bytes
 * are written, also on failure; *why is then the system's text, static. */
MUST_USE enum err journal_io_write(const struct journal_io *io, int fd,
                                   struct span bytes, size_t *done,
                                   const char **why);
MUST_USE enum err journal_io_sync(const struct journal_io *io, int fd,
                                  const char **why);

#endif
