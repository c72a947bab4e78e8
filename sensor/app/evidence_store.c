#include "sensor/app/evidence_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* A SHA-256 and an ending. */
#define NAME_MAX_BYTES 96
#define PATH_MAX_BYTES 4096

static bool
write_all(int fd, struct span s)
{
    while (s.n > 0) {
        const ssize_t n = write(fd, s.p, s.n);

        if (n < 0 && errno != EINTR)
            return false;
        s = span_tail(s, n > 0 ? (size_t)n : 0);
    }
    return true;
}

/* -1: there is none. */
static int
open_folder(const char *state)
{
    char path[PATH_MAX_BYTES];
    const int n =
        snprintf(path, sizeof(path), "%s/" EVIDENCE_STORE_FOLDER, state);

    if (n < 0 || (size_t)n >= sizeof(path) ||
        (mkdir(path, 0700) != 0 && errno != EEXIST))
        return -1;
    return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool
write_beside(int dir, const char *name, struct span object)
{
    const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
    const int fd = openat(dir, name, flags, 0600);
    bool good;

    if (fd < 0)
        return false;
    good = write_all(fd, object) && fsync(fd) == 0;
    return close(fd) == 0 && good;
}

static bool
put_in(int dir, const char *hash, struct span object)
{
    char name[NAME_MAX_BYTES], beside[NAME_MAX_BYTES];
    const int n = snprintf(name, sizeof(name), "%s.json", hash);
    const int m = snprintf(beside, sizeof(beside), "%s.json.new", hash);

    if (n < 0 || m < 0 || (size_t)m >= sizeof(beside))
        return false;
    if (faccessat(dir, name, F_OK, 0) == 0)
        return true;
    if (write_beside(dir, beside, object) &&
        renameat(dir, beside, dir, name) == 0 && fsync(dir) == 0)
        return true;
    (void)unlinkat(dir, beside, 0);
    return false;
}

enum err
evidence_store_put(const char *state, const char *hash, struct span object)
{
    const int dir = open_folder(state);
    bool good;

    if (dir < 0)
        return ERR_IO;
    good = put_in(dir, hash, object);
    (void)close(dir);
    return good ? ERR_OK : ERR_IO;
}

/* ---- what is old ---- */

static bool
is_ours(const char *name)
{
    const struct span s = span_str(name);
    const struct span end = span_tail(s, span_find(s, '.'));

    return span_eq(end, SPAN_LIT(".json")) ||
           span_eq(end, SPAN_LIT(".json.new"));
}

static bool
is_older(int dir, const char *name, ns_t before)
{
    struct stat st;

    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(st.st_mode) && st.st_mtim.tv_sec >= 0 &&
           (ns_t)st.st_mtim.tv_sec * NS_PER_S + (ns_t)st.st_mtim.tv_nsec <
               before;
}

/* NULL: they cannot be read. */
static DIR *
open_names(const char *state)
{
    const int fd = open_folder(state);
    DIR *names = fd >= 0 ? fdopendir(fd) : NULL;

    if (names == NULL && fd >= 0)
        (void)close(fd);
    return names;
}

uint64_t
evidence_store_sweep(const char *state, DIR **at, ns_t before)
{
    const struct dirent *one = NULL;
    uint64_t removed = 0;

    if (*at == NULL)
        *at = open_names(state);
    for (unsigned i = 0; *at != NULL && i < EVIDENCE_SWEEP; i++) {
        one = readdir(*at);
        if (one == NULL)
            break;
        if (is_ours(one->d_name) && is_older(dirfd(*at), one->d_name, before))
            removed += unlinkat(dirfd(*at), one->d_name, 0) == 0;
    }
    if (*at != NULL && one == NULL) {
        (void)closedir(*at);
        *at = NULL;
    }
    return removed;
}
