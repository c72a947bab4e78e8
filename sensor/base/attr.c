#include "sensor/base/attr.h"

#include <stdio.h>

_Noreturn void
require_failed(const char *cond, const char *file, int line)
{
    fprintf(stderr, "%s:%d: REQUIRE(%s) failed\n", file, line, cond);
    abort();
}
