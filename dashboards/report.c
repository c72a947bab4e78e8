#include "dashboards/report.h"

#include <time.h>

int32_t
report_zone(ns_t t)
{
    time_t s = (time_t)(t / NS_PER_S);
    struct tm tm;

    return localtime_r(&s, &tm) != NULL ? (int32_t)tm.tm_gmtoff : 0;
}
