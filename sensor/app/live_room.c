#include "sensor/app/live_room.h"

#include "sensor/event/keep.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define RESERVE_PART 32U

static const struct {
    const char *word;
    uint64_t part;
    unsigned kinds;
} steps[] = {
#define X(id, word, part, kinds) {word, part, kinds},
    LIVE_ROOM_MAP(X)
#undef X
};

const char *
live_room_word(enum live_room_step s)
{
    return steps[s].word;
}

unsigned
live_room_kinds(enum live_room_step s)
{
    return steps[s].kinds;
}

uint64_t
live_room_mark(const struct live_room_limits *l, uint64_t size)
{
    const uint64_t part = size / 100 * l->percent;

    return part > l->bytes ? part : l->bytes;
}

/* Who is at a step already leaves it later than others enter it. */
enum live_room_step
live_room_step(uint64_t mark, uint64_t free, enum live_room_step before)
{
    unsigned s = LIVE_ROOM_STEPS - 1;

    for (; s > LIVE_ROOM_PLENTY; s--) {
        const uint64_t from = mark / steps[s].part;

        if (free < (s <= before ? from + from / 4 : from))
            break;
    }
    return (enum live_room_step)s;
}

/* ---- the reserve ---- */

/* Room that is not there is taken another time. */
static void
take_reserve(struct live_room *r)
{
    const uint64_t part = r->mark / RESERVE_PART;
    const uint64_t want =
        part < LIVE_ROOM_RESERVE_MOST ? part : LIVE_ROOM_RESERVE_MOST;
    int fd;

    if (want == 0 || r->reserve == want)
        return;
    fd = openat(r->dir, LIVE_ROOM_FILE,
                O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    if (fallocate(fd, 0, 0, (off_t)want) == 0)
        r->reserve = want;
    (void)close(fd);
}

static void
give_back(struct live_room *r)
{
    (void)unlinkat(r->dir, LIVE_ROOM_FILE, 0);
    r->reserve = 0;
}

bool
live_room_look(struct live_room *r)
{
    const enum live_room_step before = r->step;
    struct statvfs fs;

    if (fstatvfs(r->dir, &fs) != 0)
        return false;
    r->mark = live_room_mark(&r->limits, (uint64_t)fs.f_blocks * fs.f_frsize);
    r->free = (uint64_t)fs.f_bavail * fs.f_frsize;
    r->step = live_room_step(r->mark, r->free, before);
    if (r->step == LIVE_ROOM_PLENTY)
        take_reserve(r);
    else if (r->step == LIVE_ROOM_RESERVE)
        give_back(r);
    return r->step != before;
}
