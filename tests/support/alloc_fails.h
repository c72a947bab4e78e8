#ifndef SPAN25_TESTS_ALLOC_FAILS_H
#define SPAN25_TESTS_ALLOC_FAILS_H
/* alloc_fails - the n-th allocation of the code under test gives NULL
 *
 * To be included by one file of a test program that is linked with
 * -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc. */
#include <stdbool.h>
#include <stdlib.h>

static int calls_left = -1; /* until one fails; -1: none does */

void *__real_malloc(size_t n);           /* NOLINT */
void *__real_calloc(size_t n, size_t s); /* NOLINT */
void *__real_realloc(void *p, size_t n); /* NOLINT */
void *__wrap_malloc(size_t n);           /* NOLINT */
void *__wrap_calloc(size_t n, size_t s); /* NOLINT */
void *__wrap_realloc(void *p, size_t n); /* NOLINT */

static bool
alloc_fails(void)
{
    return calls_left >= 0 && calls_left-- == 0;
}

void *
__wrap_malloc(size_t n) /* NOLINT */
{
    return alloc_fails() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t s) /* NOLINT */
{
    return alloc_fails() ? NULL : __real_calloc(n, s);
}

void *
__wrap_realloc(void *p, size_t n) /* NOLINT */
{
    return alloc_fails() ? NULL : __real_realloc(p, n);
}

#endif
