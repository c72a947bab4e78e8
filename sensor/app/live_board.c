#include "sensor/app/live_board.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

/* Where on the board a process is told of; of workers the first one. */
static const size_t places[] = {
    offsetof(struct live_board, supervisor),
    offsetof(struct live_board, worker),
    offsetof(struct live_board, core.process),
    offsetof(struct live_board, content),
    offsetof(struct live_board, index),
    offsetof(struct live_board, recorder),
    offsetof(struct live_board, web),
    offsetof(struct live_board, publish.process),
    offsetof(struct live_board, feeds.process),
};
_Static_assert(sizeof(places) / sizeof(places[0]) == LIVE_ROLES,
               "a row for each role");
_Static_assert(offsetof(struct live_worker, process) == 0, "see places");

static const struct {
    const char *name;
    bool many;
} roles[] = {
#define X(id, name, many) {name, many},
    LIVE_ROLE_MAP(X)
#undef X
};

const char *
live_role_name(enum live_role role)
{
    return roles[role].name;
}

bool
live_role_many(enum live_role role)
{
    return roles[role].many;
}

const struct live_process *
live_board_process(const struct live_board *b, enum live_role role,
                   unsigned number)
{
    if (role == LIVE_WORKER)
        return &b->worker[number].process;
    return (const struct live_process *)((const char *)b + places[role]);
}

unsigned
live_board_usage(enum live_role role, unsigned number)
{
    return role == LIVE_WORKER ? LIVE_ROLES + number : (unsigned)role;
}

/* ---- the parts ---- */

/* The second view of the board lies behind it: it can only be read, and its
 * parts take the places of those that a process must not write. */
#define VIEW sizeof(struct live_board)

struct part {
    size_t from, n;
};

/* Of the board, but its workers. */
static const struct {
    enum live_role role;
    size_t from, to;
} parts[] = {
#define PART(role, from, to)                                                   \
    {                                                                          \
        role, offsetof(struct live_board, from),                               \
            offsetof(struct live_board, to)                                    \
    }
    PART(LIVE_SUPERVISOR, sensor, core),    PART(LIVE_CORE, core, index),
    PART(LIVE_INDEX, index, web),           PART(LIVE_WEB, web, recorder),
    PART(LIVE_RECORDER, recorder, publish), PART(LIVE_PUBLISH, publish, feeds),
    PART(LIVE_FEEDS, feeds, worker),
#undef PART
};

#define PARTS (ARRAY_LEN(parts) + LIVE_WORKERS_MAX)

static struct part
part_of(size_t i)
{
    if (i < ARRAY_LEN(parts))
        return (struct part){parts[i].from, parts[i].to - parts[i].from};
    return (struct part){offsetof(struct live_board, worker) +
                             (i - ARRAY_LEN(parts)) *
                                 sizeof(struct live_worker),
                         sizeof(struct live_worker)};
}

static bool
is_of(size_t i, enum live_role role, unsigned number)
{
    if (i < ARRAY_LEN(parts))
        return parts[i].role == role;
    return role == LIVE_WORKER && i - ARRAY_LEN(parts) == number;
}

static bool
map_at(char *at, size_t n, int rights, int fd)
{
    return mmap(at, n, rights, MAP_SHARED | MAP_FIXED, fd, 0) == at;
}

/* What is mapped before the seal may be written, what is mapped after it never.
 * The size is sealed too: a mapping that is made longer shows nothing more. */
static bool
make_part(char *board, struct part p)
{
    const int fd =
        memfd_create("span25-board", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    const bool good = fd >= 0 && ftruncate(fd, (off_t)p.n) == 0 &&
                      map_at(board + p.from, p.n, PROT_READ | PROT_WRITE, fd) &&
                      fcntl(fd, F_ADD_SEALS,
                            F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE |
                                F_SEAL_SEAL) == 0 &&
                      map_at(board + VIEW + p.from, p.n, PROT_READ, fd);

    if (fd >= 0)
        (void)close(fd);
    return good;
}

/* Room for board and view that begins at a multiple of LIVE_PART; or NULL. */
static char *
reserve(void)
{
    char *const p = mmap(NULL, 2 * VIEW + LIVE_PART, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t skip;

    if (p == MAP_FAILED)
        return NULL;
    skip = (LIVE_PART - (uintptr_t)p % LIVE_PART) % LIVE_PART;
    if (skip > 0)
        (void)munmap(p, skip);
    (void)munmap(p + skip + 2 * VIEW, LIVE_PART - skip);
    return p + skip;
}

enum err
live_board_new(struct live_board **out)
{
    char *const p = reserve();
    bool good = p != NULL;

    if (!good)
        return ERR_NOMEM;
    for (size_t i = 0; good && i < PARTS; i++)
        good = make_part(p, part_of(i));
    *out = (struct live_board *)(void *)p;
    if (good)
        return ERR_OK;
    live_board_free(*out);
    *out = NULL;
    return ERR_NOMEM;
}

void
live_board_free(struct live_board *b)
{
    if (b != NULL)
        (void)munmap(b, 2 * VIEW);
}

enum err
live_board_own(struct live_board *b, enum live_role role, unsigned number)
{
    char *const p = (char *)b;

    for (size_t i = 0; i < PARTS; i++) {
        const struct part w = part_of(i);

        if (is_of(i, role, number))
            continue;
        if (mremap(p + VIEW + w.from, w.n, w.n, MREMAP_MAYMOVE | MREMAP_FIXED,
                   p + w.from) != p + w.from)
            return ERR_PERM;
    }
    /* Nothing else is ever mapped where live_board_free looks. */
    return mmap(p + VIEW, VIEW, PROT_NONE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED
               ? ERR_OK
               : ERR_PERM;
}

/* ---- sums ---- */

static unsigned
n_workers(const struct live_board *b)
{
    return b->n_workers < LIVE_WORKERS_MAX ? b->n_workers : LIVE_WORKERS_MAX;
}

struct live_iface_sum
live_board_iface(const struct live_board *b, unsigned iface)
{
    struct live_iface_sum s = {0};

    for (unsigned i = 0; i < n_workers(b); i++) {
        const struct live_iface *f = &b->worker[i].iface[iface];
        const uint64_t last = atomic_load(&f->last_utc_ns);

        s.packets += atomic_load(&f->packets);
        s.bytes += atomic_load(&f->bytes);
        s.dropped += atomic_load(&f->dropped);
        s.missed += atomic_load(&f->missed);
        s.last_utc_ns = last > s.last_utc_ns ? last : s.last_utc_ns;
        s.n_up += atomic_load(&f->up) != 0;
    }
    return s;
}

uint64_t
live_board_vlan(const struct live_board *b, unsigned i)
{
    uint64_t last = 0;

    for (unsigned w = 0; w < n_workers(b); w++) {
        const uint64_t at = atomic_load(&b->worker[w].vlan_utc_ns[i]);

        last = at > last ? at : last;
    }
    return last;
}

uint64_t
live_board_prefix(const struct live_board *b, unsigned i)
{
    uint64_t last = 0;

    for (unsigned w = 0; w < n_workers(b); w++) {
        const uint64_t at = atomic_load(&b->worker[w].prefix_utc_ns[i]);

        last = at > last ? at : last;
    }
    return last;
}
