/* filename_fuzz - byte 0: the real type; byte 1: where the name ends and the
 * declared type begins */
#include "dissectors/extension.h"
#include "sensor/base/attr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool
within(struct span part, struct span whole)
{
    return part.n == 0 ||
           (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void
judge(struct span name, struct span declared, enum filetype real)
{
    struct findings f, again;

    findings_init(&f);
    findings_init(&again);
    filename_judge(name, &f);
    filename_judge_type(name, declared, real, &f);
    REQUIRE(!findings_has(&f, FIND_DOUBLE_EXTENSION) ||
            findings_has(&f, FIND_FORBIDDEN_TYPE));
    REQUIRE(!findings_has(&f, FIND_DISGUISED_EXECUTABLE) ||
            findings_has(&f, FIND_FORBIDDEN_CONTENT));
    REQUIRE((findings_classes(&f) & 1U << FINDING_A) == 0);
    filename_judge(name, &again);
    filename_judge_type(name, declared, real, &again);
    REQUIRE(span_eq(buf_view(&f.details), buf_view(&again.details)));
    findings_free(&f);
    findings_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct span all, name;
    uint8_t *copy;

    if (n < 2)
        return 0;
    copy = malloc(n - 2);
    if (copy == NULL && n > 2)
        return 0;
    if (n > 2)
        memcpy(copy, data + 2, n - 2);
    all = span_of(copy, n - 2);
    name = span_head(all, data[1]);
    REQUIRE(within(filename_extension(name), name));
    judge(name, span_tail(all, data[1]),
          (enum filetype)(data[0] % FILETYPE_COUNT));
    free(copy);
    return 0;
}
