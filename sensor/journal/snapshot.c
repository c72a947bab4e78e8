#include "sensor/journal/snapshot.h"

#include "sensor/base/hash.h"
#include "sensor/event/record.h"
#include "sensor/journal/journal_io.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK       0x31505332354e5053ULL /* "SPN25SP1" */
#define HEAD       40 /* mark, kind, seq, bytes, hash of all but itself */
#define PATH_BYTES 4096

struct path {
    struct buf text;
};

static const char *
path_make(struct path *p, const char *dir, const char *name, const char *end)
{
    buf_init(&p->text, PATH_BYTES);
    buf_printf(&p->text, "%s/snapshots/%s%s%c", dir, name, end, 0);
    return p->text.cut || p->text.failed ? NULL : (const char *)p->text.p;
}

static enum err
tell(struct buf *message, const char *dir, const char *name, const char *why,
     enum err e)
{
    buf_printf(message, "%s/snapshots/%s: %s", dir, name, why);
    return e;
}

static enum err
tell_errno(struct buf *message, const char *dir, const char *name, int number)
{
    return tell(message, dir, name, strerror(number), err_from_errno(number));
}

/* ---- the head ---- */

static void
put_u64(struct buf *out, uint64_t v)
{
    v = htole64(v);
    buf_put(out, &v, sizeof(v));
}

/* What a snapshot is of: the caller's number, and how records are coded. */
static uint64_t
full_kind(uint64_t kind)
{
    return hash_mix(kind, record_coding());
}

static uint64_t
digest(uint64_t kind, uint64_t seq, struct span content)
{
    return hash_mix(hash_mix(hash_span(content, MARK), kind), seq);
}

static void
put_head(struct buf *out, uint64_t kind, uint64_t seq, struct span content)
{
    put_u64(out, MARK);
    put_u64(out, kind);
    put_u64(out, seq);
    put_u64(out, content.n);
    put_u64(out, digest(kind, seq, content));
}

/* Takes the head off what was read, when all of it holds. */
static enum err
check(struct buf *file, uint64_t kind, uint64_t *seq)
{
    struct cursor c = cur_open(buf_view(file));
    uint64_t mark = cur_le64(&c);
    uint64_t its_kind = cur_le64(&c);
    uint64_t its_seq = cur_le64(&c);
    uint64_t n = cur_le64(&c);
    uint64_t sum = cur_le64(&c);
    struct span content = cur_rest(&c);

    if (c.bad)
        return ERR_CORRUPT;
    if (mark != MARK || its_kind != kind)
        return ERR_FORMAT;
    if (n != content.n || sum != digest(kind, its_seq, content))
        return ERR_CORRUPT;
    *seq = its_seq;
    memmove(file->p, content.p, content.n);
    file->n = content.n;
    return ERR_OK;
}

/* ---- files ---- */

static int
fill(int fd, struct span head, struct span content)
{
    const struct journal_io *io = &journal_io_system;
    const char *why;
    size_t done;

    if (journal_io_write(io, fd, head, &done, &why) != ERR_OK ||
        journal_io_write(io, fd, content, &done, &why) != ERR_OK ||
        journal_io_sync(io, fd, &why) != ERR_OK)
        return errno;
    return 0;
}

static int
sync_folder(const char *dir)
{
    struct path p;
    const char *folder = path_make(&p, dir, "", "");
    int number = ENAMETOOLONG;
    int fd = -1;

    if (folder != NULL) {
        fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        number = fd < 0 || fsync(fd) != 0 ? errno : 0;
    }
    if (fd >= 0)
        (void)close(fd);
    buf_free(&p.text);
    return number;
}

static int
write_beside(const char *beside, struct span head, struct span content)
{
    int number;
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
                  0600);

    if (fd < 0)
        return errno;
    number = fill(fd, head, content);
    if (close(fd) != 0 && number == 0)
        number = errno;
    return number;
}

enum err
snapshot_write(const char *dir, const char *name, uint64_t kind, uint64_t seq,
               struct span content, struct buf *message)
{
    struct path beside, place;
    const char *from = path_make(&beside, dir, name, ".new");
    const char *to = path_make(&place, dir, name, "");
    struct buf head;
    int number = ENAMETOOLONG;

    buf_init(&head, HEAD);
    put_head(&head, full_kind(kind), seq, content);
    if (head.failed)
        number = ENOMEM;
    else if (from != NULL && to != NULL)
        number = write_beside(from, buf_view(&head), content);
    if (number == 0 && rename(from, to) != 0)
        number = errno;
    if (number == 0)
        number = sync_folder(dir);
    else if (from != NULL)
        (void)unlink(from);
    buf_free(&head);
    buf_free(&beside.text);
    buf_free(&place.text);
    return number == 0 ? ERR_OK : tell_errno(message, dir, name, number);
}

/* errno, or 0. */
static int
read_whole(int fd, struct buf *out)
{
    uint8_t room[65536];

    for (;;) {
        ssize_t n = read(fd, room, sizeof(room));

        if (n == 0)
            return out->failed ? ENOMEM : 0;
        if (n < 0 && errno != EINTR)
            return errno;
        if (n > 0)
            buf_put(out, room, (size_t)n);
    }
}

static int
load(const char *path, struct buf *content)
{
    int number;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return errno;
    number = read_whole(fd, content);
    (void)close(fd);
    return number;
}

enum err
snapshot_read(const char *dir, const char *name, uint64_t kind, uint64_t *seq,
              struct buf *content, struct buf *message)
{
    struct path place;
    const char *path = path_make(&place, dir, name, "");
    int number = path != NULL ? 0 : ENAMETOOLONG;
    enum err e;

    buf_free(content);
    buf_init(content, SNAPSHOT_BYTES_MAX + HEAD);
    if (number == 0)
        number = load(path, content);
    buf_free(&place.text);
    if (number == ENOENT)
        return ERR_NOENT;
    if (number != 0)
        return tell_errno(message, dir, name, number);
    e = check(content, full_kind(kind), seq);
    if (e == ERR_FORMAT)
        return tell(message, dir, name, "of another version or sensor", e);
    if (e == ERR_CORRUPT)
        return tell(message, dir, name, "is damaged", e);
    return e;
}
