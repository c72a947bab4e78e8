#ifndef SPAN25_BASE_ATTR_H
#define SPAN25_BASE_ATTR_H
/* attr - attributes and the one assertion
 *
 * REQUIRE checks our own logic and stays in every build. No byte from the
 * network may be able to trip it: bad input is handled, never asserted. */
#include <stdlib.h>

#define MUST_USE __attribute__((warn_unused_result))
/* For what is rare or long beside a short common path, whose frame stays
 * small without it. */
#define NOINLINE          __attribute__((noinline))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define LIKELY(x)         __builtin_expect(!!(x), 1)
#define UNLIKELY(x)       __builtin_expect(!!(x), 0)
#define ARRAY_LEN(a)      (sizeof(a) / sizeof((a)[0]))

#define REQUIRE(cond)                                                          \
    do {                                                                       \
        if (UNLIKELY(!(cond)))                                                 \
            require_failed(#cond, __FILE__, __LINE__);                         \
    } while (0)

/* Prints the failed condition on stderr and aborts. */
_Noreturn void require_failed(const char *cond, const char *file, int line);

#endif
