#ifndef SPAN25_DISSECTORS_CONTENT_INSPECT_TEST_H
#define SPAN25_DISSECTORS_CONTENT_INSPECT_TEST_H
/* inspect_test - what tests of inspectors ask of a result; cmocka is included
 * before */
#include "dissectors/content/content.h"

struct inspected {
    struct content *c;
    struct content_result r;
};

static inline void
inspected_begin(struct inspected *t)
{
    struct content_options o = {0};
    struct buf message;

    buf_init(&message, 512);
    REQUIRE(content_new(&o, &t->c, &message) == ERR_OK);
    content_result_init(&t->r);
    buf_free(&message);
}

static inline void
inspected_end(struct inspected *t)
{
    content_result_free(&t->r);
    content_free(t->c);
}

/* In a heap block of exactly this size, for the address sanitizer. */
static inline void
inspected_run(struct inspected *t, struct span bytes, const char *name)
{
    uint8_t *copy = malloc(bytes.n > 0 ? bytes.n : 1);
    struct content_job job = {.name = span_str(name)};

    REQUIRE(copy != NULL);
    if (bytes.n > 0)
        memcpy(copy, bytes.p, bytes.n);
    job.bytes = span_of(copy, bytes.n);
    content_inspect(t->c, &job, &t->r);
    free(copy);
}

static inline bool
inspected_has(const struct inspected *t, enum finding f)
{
    return findings_has(&t->r.findings, f);
}

/* Has f this detail? */
static inline bool
inspected_names(const struct inspected *t, enum finding f, const char *detail)
{
    struct cursor c = cur_open(buf_view(&t->r.findings.details));
    enum finding found;
    struct span d;

    while (findings_next(&c, &found, &d))
        if (found == f && span_eq(d, span_str(detail)))
            return true;
    return false;
}

/* The member of this name, if there is one that was unpacked; false when there
 * is none. */
static inline bool
inspected_member(const struct inspected *t, const char *name,
                 struct content_member *out)
{
    struct cursor c = cur_open(buf_view(&t->r.members));
    struct content_member m;
    bool found = false;

    while (content_member_next(&c, &m)) {
        if (!span_eq(m.name, span_str(name)) || (found && !m.has_sha256))
            continue;
        *out = m;
        found = true;
    }
    return found;
}

/* The names of the findings, with spaces between. */
static inline void
inspected_list(const struct inspected *t, struct buf *out)
{
    for (unsigned k = 0; k < FINDING_COUNT; k++) {
        if (!inspected_has(t, (enum finding)k))
            continue;
        if (out->n > 0)
            buf_putc(out, ' ');
        buf_str(out, finding_name((enum finding)k));
    }
}

#endif
