#include "sensor/app/live_board.h"

#include <stddef.h>
#include <sys/mman.h>

/* Where on the board a process is told of; of workers the first one. */
static const size_t places[] = {
    offsetof(struct live_board, supervisor),
    offsetof(struct live_board, worker),
    offsetof(struct live_board, core.process),
    offsetof(struct live_board, content),
    offsetof(struct live_board, index),
    offsetof(struct live_board, recorder),
    offsetof(struct live_board, web),
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

enum err
live_board_new(struct live_board **out)
{
    void *p = mmap(NULL, sizeof(**out), PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        return ERR_NOMEM;
    *out = p;
    return ERR_OK;
}

void
live_board_free(struct live_board *b)
{
    if (b != NULL)
        (void)munmap(b, sizeof(*b));
}

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
