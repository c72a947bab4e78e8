#include "sensor/base/vec.h"

#include <stdlib.h>

/* Blocks are as large as malloc makes them anyway: steps of STEP, less the HEAD
 * that it keeps for itself, and never below LEAST. */
#define STEP    16U
#define HEAD    8U
#define LEAST   24U
#define CAP_MAX (UINT32_MAX / 4)

static bool
charge(struct mem *m, size_t n)
{
    if (m->used > m->max || n > m->max - m->used) {
        m->refused++;
        return false;
    }
    m->used += n;
    return true;
}

static bool
grow_to(struct vec *v, struct mem *m, size_t cap)
{
    uint8_t *p;

    cap = ((cap + HEAD + STEP - 1) & ~(size_t)(STEP - 1)) - HEAD;
    cap = cap > LEAST ? cap : LEAST;
    if (!charge(m, cap - v->cap))
        return false;
    p = realloc(v->p, cap);
    if (p == NULL) {
        m->used -= cap - v->cap;
        m->refused++;
        return false;
    }
    v->p = p;
    v->cap = (uint32_t)cap;
    return true;
}

bool
vec_reserve(struct vec *v, struct mem *m, size_t more)
{
    size_t need = v->n + more;

    if (need <= v->cap)
        return true;
    if (more > CAP_MAX || need > CAP_MAX)
        return false;
    return grow_to(v, m, need < 512 ? need : need + need / 2);
}

bool
vec_reserve_exact(struct vec *v, struct mem *m, size_t n)
{
    if (n <= v->cap)
        return true;
    return n <= CAP_MAX && grow_to(v, m, n);
}

bool
vec_put(struct vec *v, struct mem *m, const void *p, size_t n)
{
    if (n == 0)
        return true;
    if (!vec_reserve(v, m, n))
        return false;
    memcpy(v->p + v->n, p, n);
    v->n += (uint32_t)n;
    return true;
}

void
vec_free(struct vec *v, struct mem *m)
{
    m->used -= v->cap;
    free(v->p);
    *v = (struct vec){0};
}

/* calloc of glibc before 2.41 does without the thread's own lists of free
 * blocks. Inlined, malloc and memset become calloc again. */
static __attribute__((noinline)) void *
block_of(size_t n)
{
    return malloc(n);
}

void *
mem_new(struct mem *m, size_t n)
{
    void *p;

    if (!charge(m, n))
        return NULL;
    p = block_of(n);
    if (p == NULL) {
        m->used -= n;
        m->refused++;
        return NULL;
    }
    return memset(p, 0, n);
}

void
mem_free(struct mem *m, void *p, size_t n)
{
    if (p == NULL)
        return;
    m->used -= n;
    free(p);
}
