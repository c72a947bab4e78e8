/* mime_fuzz - a message, whole and in pieces, with and without a gap
 *
 * First byte: size of the pieces; second: where a gap is, 0 for none. What the
 * parts are must not depend on the pieces; every part ends, and all memory is
 * given back. */
#include "dissectors/mime.h"
#include "sensor/base/attr.h"
#include "sensor/base/hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define MEMORY_MAX (UINT64_C(4) << 20)

struct sum {
    uint64_t parts; /* of all parts: order does not matter here */
    uint64_t odd;
    uint32_t n_first;
    unsigned n_open;
};

struct part {
    struct sum *sum;
    uint64_t hash;
};

static uint64_t
mix(uint64_t h, struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ s.p[i]) * UINT64_C(0x100000001b3);
    return h;
}

static void *
on_begin(void *ctx, const struct mime_part *p)
{
    struct sum *sum = ctx;
    struct part *part = calloc(1, sizeof(*part));

    REQUIRE(part != NULL);
    REQUIRE(p->n_names <= MIME_NAMES);
    REQUIRE(p->depth <= (MIME_MAX_depth + 1) * (MIME_NESTED + 1));
    REQUIRE(p->decode < DECODE_KIND_COUNT);
    sum->n_open++;
    REQUIRE(sum->n_open <= MIME_READINGS);
    part->sum = sum;
    part->hash = mix(p->number + p->decode, p->type);
    part->hash = mix(mix(part->hash, p->charset), p->encoding);
    for (unsigned i = 0; i < p->n_names; i++)
        part->hash = mix(mix(part->hash, p->names[i].text), p->names[i].raw);
    return part;
}

static void
on_data(void *handle, struct span s)
{
    struct part *p = handle;

    REQUIRE(s.n > 0);
    p->hash = mix(p->hash, s);
}

static void
on_gap(void *handle, uint64_t lost)
{
    struct part *p = handle;

    p->hash += lost;
}

static void *
on_fork(void *handle)
{
    struct part *p = handle;
    struct part *f = malloc(sizeof(*f));

    REQUIRE(f != NULL);
    *f = *p;
    f->sum->n_open++;
    REQUIRE(f->sum->n_open <= MIME_READINGS);
    return f;
}

static void
on_end(void *handle, const struct mime_part_end *e)
{
    struct part *p = handle;
    struct sum *sum = p->sum;

    REQUIRE(sum->n_open > 0);
    sum->n_open--;
    sum->parts += (p->hash + e->offset + e->odd + e->decode_odd + e->cut) *
                  UINT64_C(0x9e3779b97f4a7c15);
    free(p);
}

static void
give(struct mime *m, struct span in, size_t step)
{
    while (in.n > 0) {
        size_t n = step > 0 && step < in.n ? step : in.n;
        uint8_t *copy = malloc(n > 0 ? n : 1);

        REQUIRE(copy != NULL);
        memcpy(copy, in.p, n);
        mime_data(m, span_of(copy, n));
        free(copy);
        in = span_tail(in, n);
    }
}

static void
on_message(void *ctx, const struct mime_part *p)
{
    struct sum *s = ctx;

    for (unsigned i = 0; i < p->n_names; i++)
        s->parts += mix(p->depth, p->names[i].text);
}

static struct sum
run(struct charset *cs, struct span in, size_t step, size_t gap, uint64_t max)
{
    static const struct mime_ops ops = {on_begin, on_data, on_gap,
                                        on_fork,  on_end,  on_message};
    struct sum sum = {.parts = 0};
    struct mime_options o = {&ops, &sum, cs};
    struct mem mem = {.max = max};
    struct mime *m = NULL;

    if (mime_new(&o, &mem, &m) == ERR_OK) {
        if (gap > 0) {
            give(m, span_head(in, gap), step);
            mime_gap(m, 9);
            in = span_tail(in, gap);
        }
        give(m, in, step);
        mime_end(m, true);
        sum.odd = mime_odds(m);
        sum.n_first = mime_parts(m);
        mime_free(m);
    }
    REQUIRE(sum.n_open == 0);
    REQUIRE(mem.used == 0);
    return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct span in = n > 2 ? span_of(data + 2, n - 2) : SPAN_NONE;
    size_t step = n > 2 ? data[0] : 0;
    size_t gap = n > 2 ? (size_t)data[1] * (n / 256 + 1) : 0;
    struct charset cs;
    struct sum want;

    charset_init(&cs);
    want = run(&cs, in, 0, gap, MEMORY_MAX);
    for (unsigned k = 0; k < 2; k++) {
        struct sum got = run(&cs, in, k == 0 ? 1 : step, gap, MEMORY_MAX);

        REQUIRE(got.parts == want.parts && got.odd == want.odd &&
                got.n_first == want.n_first);
    }
    (void)run(&cs, in, step, gap, 1000 + step * 64);
    charset_fini(&cs);
    return 0;
}
