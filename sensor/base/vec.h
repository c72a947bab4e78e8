#ifndef SPAN25_BASE_VEC_H
#define SPAN25_BASE_VEC_H
/* vec - a small growing byte array whose memory is charged to an account
 *
 * For the many small things that an open connection keeps: 16 bytes when empty,
 * grows in small steps. Every byte of capacity is charged to a struct mem, so a
 * cap holds whatever arrives. A put that does not fit is refused whole and
 * counted; the content stays. */
#include "sensor/base/span.h"

struct mem {
    uint64_t used;
    uint64_t max;
    uint64_t refused; /* puts */
};

struct vec {
    uint8_t *p;
    uint32_t n;
    uint32_t cap;
};

bool vec_reserve(struct vec *v, struct mem *m, size_t more);
/* Room for n bytes in all, and at most STEP of malloc beyond it: for what is
 * large and has a limit of its own. */
bool vec_reserve_exact(struct vec *v, struct mem *m, size_t n);
bool vec_put(struct vec *v, struct mem *m, const void *p, size_t n);
void vec_free(struct vec *v, struct mem *m);

static inline struct span
vec_view(const struct vec *v)
{
    return span_of(v->p, v->n);
}

/* Blocks of a fixed size, charged the same way; zeroed. */
void *mem_new(struct mem *m, size_t n);
void mem_free(struct mem *m, void *p, size_t n);

#endif
