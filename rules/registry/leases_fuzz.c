/* leases_fuzz - any file gives leases that do not overlap, or is refused */
#include <stdio.h>

#include "rules/registry/leases.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_order(const struct leases *l)
{
    for (size_t i = 0; i < leases_n(l); i++) {
        const struct lease *now = leases_at(l, i);
        const struct lease *before = i > 0 ? leases_at(l, i - 1) : NULL;

        REQUIRE(now->start < now->end && now->id != 0);
        REQUIRE(strlen(now->holder) <= LEASES_HOLDER_MAX);
        REQUIRE(strlen(now->name) <= LEASES_NAME_MAX);
        REQUIRE(leases_find(l, &now->addr, now->start) == now);
        REQUIRE(leases_find(l, &now->addr, now->end - 1) == now);
        REQUIRE(leases_find(l, &now->addr, now->end) != now);
        REQUIRE(before == NULL || addr_cmp(&before->addr, &now->addr) < 0 ||
                (addr_cmp(&before->addr, &now->addr) == 0 &&
                 before->end <= now->start));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t *in = malloc(n + (n == 0));
    size_t first = n > 0 ? data[0] * n / 256 : 0;
    struct leases *l = NULL;
    struct buf messages;
    size_t faulty;

    if (in == NULL || leases_new(&l) != ERR_OK) {
        free(in);
        return 0;
    }
    if (n > 0)
        memcpy(in, data, n);
    buf_init(&messages, 1 << 20);
    /* One file, then its end as another. */
    (void)!leases_read(l, span_of(in, n), "a", &faulty, &messages);
    (void)!leases_read(l, span_of(in + first, n - first), "b", &faulty,
                       &messages);
    REQUIRE(leases_done(l) == ERR_OK);
    check_order(l);
    leases_free(l);
    buf_free(&messages);
    free(in);
    return 0;
}
