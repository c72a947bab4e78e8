#include "sensor/sinks/veil.h"

#include "sensor/base/attr.h"
#include "sensor/sinks/ecs.h"

#include <stdlib.h>

/* Values of every kind of a field, with no memory of what came before: the same
 * text has the same pseudonym, and a record stays one. */
static void
check_text(struct veil *v, enum veil_how how, struct span text)
{
    struct buf a, b;

    buf_init(&a, SIZE_MAX);
    buf_init(&b, SIZE_MAX);
    veil_text(v, how, text, &a);
    veil_text(v, how, text, &b);
    REQUIRE(span_eq(buf_view(&a), buf_view(&b)));
    REQUIRE((a.n == 0) <= (text.n == 0 || how == VEIL_DROP));
    buf_free(&a);
    buf_free(&b);
}

static void
check_record(struct veil *v, const struct ecs *e, struct span record)
{
    struct record_out out;
    struct buf line;

    if (!record_check(record))
        return;
    record_init(&out);
    buf_init(&line, SIZE_MAX);
    veil_record(v, record, &out);
    REQUIRE(record_check(record_view(&out)));
    REQUIRE(ecs_write(e, record_view(&out), &line));
    record_free(&out);
    buf_free(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span all = span_of(data, size);
    enum veil_level level =
        span_at(all, 0) % 2 == 0 ? VEIL_PERSON : VEIL_NETWORK;
    struct span rest = span_tail(all, 1);
    uint8_t *exact = malloc(rest.n > 0 ? rest.n : 1);
    struct veil *v = NULL;
    struct ecs *e = NULL;

    REQUIRE(exact != NULL && ecs_new(&e));
    REQUIRE(veil_new(level, SPAN_LIT("0123456789abcdef"),
                     span_at(all, 0) % 4 < 2, &v) == ERR_OK);
    if (rest.n > 0)
        memcpy(exact, rest.p, rest.n);
    rest.p = exact;
    for (enum veil_how how = VEIL_KEEP; how <= VEIL_DROP; how++)
        check_text(v, how, rest);
    check_record(v, e, rest);
    veil_free(v);
    ecs_free(e);
    free(exact);
    return 0;
}
