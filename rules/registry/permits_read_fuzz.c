/* permits_read_fuzz - any bytes as a firewall's list: ranges that make sense */
#include "rules/registry/permits_read.h"

#include <stdlib.h>

#include "sensor/base/attr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t *in = malloc(n + (n == 0));
    struct permits_list l;
    struct buf messages;
    enum err e;

    if (in == NULL)
        return 0;
    if (n > 0)
        memcpy(in, data, n);
    buf_init(&messages, 1U << 16);
    e = permits_read(span_of(in, n), "l", &l, &messages);
    REQUIRE(e == ERR_OK || e == ERR_FORMAT || e == ERR_NOMEM);
    for (size_t i = 0; i < l.n; i++) {
        REQUIRE(addr_cmp(&l.v[i].range.first, &l.v[i].range.last) <= 0);
        REQUIRE(l.v[i].port <= PERMITS_ANY_PORT);
        REQUIRE(l.v[i].use != 0);
    }
    permits_list_fini(&l);
    buf_free(&messages);
    free(in);
    return 0;
}
