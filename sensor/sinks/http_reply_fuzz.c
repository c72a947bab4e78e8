#include "sensor/sinks/http_reply.h"

#include "sensor/base/attr.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Cut in two anywhere, the answer is the same. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span all = span_tail(span_of(data, size), 1);
    size_t cut = all.n > 0 ? span_at(span_of(data, size), 0) % all.n : 0;
    uint8_t *exact = malloc(all.n > 0 ? all.n : 1);
    struct http_reply one, two;
    size_t n, m;

    REQUIRE(exact != NULL);
    if (all.n > 0)
        memcpy(exact, all.p, all.n);
    all.p = exact;
    http_reply_init(&one);
    http_reply_init(&two);
    n = http_reply_feed(&one, all);
    m = http_reply_feed(&two, span_head(all, cut));
    if (two.state < HTTP_DONE)
        m += http_reply_feed(&two, span_tail(all, cut));
    REQUIRE(one.state == two.state && one.code == two.code);
    REQUIRE(one.state == HTTP_BAD || n == m);
    REQUIRE(n <= all.n && (n == all.n || one.state >= HTTP_DONE));
    REQUIRE(one.state != HTTP_DONE || (one.code >= 200 && one.code <= 599));
    REQUIRE(one.body <= HTTP_BODY_MAX + all.n && one.keeps == two.keeps &&
            one.has_retry == two.has_retry);
    free(exact);
    return 0;
}
