#ifndef SPAN25_DISSECTORS_CONTENT_INSPECT_FUZZ_H
#define SPAN25_DISSECTORS_CONTENT_INSPECT_FUZZ_H
/* inspect_fuzz - one input through content_inspect, with what always holds:
 * the budget, a coded result that reads back to the same, the same again */
#include "dissectors/content/content.h"

static inline struct buf
inspect_fuzz_once(struct content *c, const struct content_job *job)
{
    struct content_result r;
    struct content_result again;
    struct buf a;
    struct buf b;

    content_result_init(&r);
    content_result_init(&again);
    buf_init(&a, 8U << 20);
    buf_init(&b, 8U << 20);
    content_inspect(c, job, &r);
    REQUIRE(r.bytes_unpacked <= CONTENT_MAX_unpacked);
    REQUIRE(r.n_members <= CONTENT_MAX_objects);
    content_result_code(&r, &a);
    REQUIRE(content_result_read(buf_view(&a), &again));
    content_result_code(&again, &b);
    REQUIRE(!a.cut && !a.failed && span_eq(buf_view(&a), buf_view(&b)));
    content_result_free(&r);
    content_result_free(&again);
    buf_free(&b);
    return a;
}

/* The block has exactly n bytes, so that the sanitizer sees each past it. */
static inline void
inspect_fuzz(const uint8_t *data, size_t n, const char *name)
{
    static struct content *c;
    struct content_options o = {0};
    struct content_job job = {.name = span_str(name)};
    uint8_t *copy = malloc(n > 0 ? n : 1);
    struct buf message;
    struct buf one;
    struct buf two;

    buf_init(&message, 512);
    REQUIRE(copy != NULL &&
            (c != NULL || content_new(&o, &c, &message) == ERR_OK));
    if (n > 0)
        memcpy(copy, data, n);
    job.bytes = span_of(copy, n);
    one = inspect_fuzz_once(c, &job);
    two = inspect_fuzz_once(c, &job);
    REQUIRE(span_eq(buf_view(&one), buf_view(&two)));
    buf_free(&one);
    buf_free(&two);
    buf_free(&message);
    free(copy);
}

#endif
