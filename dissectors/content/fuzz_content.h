#ifndef SPAN25_DISSECTORS_CONTENT_FUZZ_CONTENT_H
#define SPAN25_DISSECTORS_CONTENT_FUZZ_CONTENT_H
/* fuzz_content - one file through all inspectors, for their fuzzers
 *
 * In a heap block of exactly its size. The result must hold together, and the
 * same file give the same again. */
#include "dissectors/content/inspect_test.h"
#include "sensor/base/attr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static inline int
fuzz_content(const uint8_t *data, size_t n, const char *name)
{
    struct inspected t;
    struct content_result back;
    struct buf coded;
    struct buf again;

    inspected_begin(&t);
    buf_init(&coded, 1U << 24);
    buf_init(&again, 1U << 24);
    inspected_run(&t, span_of(data, n), name);
    content_result_code(&t.r, &coded);
    content_result_init(&back);
    REQUIRE(content_result_read(buf_view(&coded), &back));
    REQUIRE(back.bytes_unpacked <= CONTENT_MAX_unpacked);
    content_result_free(&back);
    inspected_run(&t, span_of(data, n), name);
    content_result_code(&t.r, &again);
    REQUIRE(span_eq(buf_view(&coded), buf_view(&again)));
    buf_free(&coded);
    buf_free(&again);
    inspected_end(&t);
    return 0;
}

#endif
