/* readback_fuzz - any bytes as what a kernel holds: counts that make sense */
#include "rules/feed/readback.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define NOW (UINT64_C(1795410000) * NS_PER_S)

static void
make(struct feed *f)
{
    struct feed_entry e = {
        .since = NOW, .until = NOW + 60 * NS_PER_S, .origin = FEED_HUMAN};
    const struct feed_in in = {.entries = &e,
                               .n = 1,
                               .never_known = true,
                               .quality_permille = 1000,
                               .limits = &feed_limits_default,
                               .now = NOW};

    REQUIRE(prefix_parse(SPAN_LIT("10.0.0.1"), &e.prefix));
    REQUIRE(feed_make(&in, f) == FEED_DONE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t *in = malloc(n + (n == 0));
    struct readback r;
    struct buf messages;
    struct feed f;

    if (in == NULL)
        return 0;
    if (n > 0)
        memcpy(in, data, n);
    buf_init(&messages, 1U << 16);
    make(&f);
    for (unsigned kind = 0; kind < 2; kind++) {
        const struct readback_in text = {.kind = (enum readback_kind)kind,
                                         .text = span_of(in, n),
                                         .now = NOW};
        const enum err e = readback(&f, &text, &r, &messages);

        REQUIRE(e == ERR_OK || e == ERR_FORMAT || e == ERR_NOMEM);
        REQUIRE(e != ERR_OK || (r.want == 1 && r.missing <= 1 &&
                                r.extra <= r.found && r.endless <= r.found));
    }
    feed_fini(&f);
    buf_free(&messages);
    free(in);
    return 0;
}
