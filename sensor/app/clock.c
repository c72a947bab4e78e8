#include "sensor/app/clock.h"

ns_t
clock_of(clockid_t which)
{
    struct timespec t = {0};

    (void)clock_gettime(which, &t);
    return (ns_t)t.tv_sec * NS_PER_S + (ns_t)t.tv_nsec;
}
