#include "sensor/app/live_board.h"

#include <stddef.h>
#include <sys/mman.h>

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

struct live_iface_sum
live_board_iface(const struct live_board *b, unsigned iface)
{
    struct live_iface_sum s = {0};

    for (unsigned i = 0; i < b->n_workers && i < LIVE_WORKERS_MAX; i++) {
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
