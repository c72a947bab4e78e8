#include "sensor/event/anomaly.h"

const struct anomaly_info anomaly_table[ANOM_COUNT] = {
#define X(id, name, type, level, action, doc)                                  \
    [ANOM_##id] = {name, type, LEVEL_##level, action, doc},
#include "sensor/event/anomaly.def"
#undef X
};

const char *
anomaly_level_name(enum anomaly_level l)
{
    static const char *const names[] = {
#define LEVEL_NAME(id, name) [LEVEL_##id] = (name),
        ANOMALY_LEVELS(LEVEL_NAME)
#undef LEVEL_NAME
    };

    return names[l];
}
