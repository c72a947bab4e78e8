#ifndef SPAN25_EVENT_ANOMALY_H
#define SPAN25_EVENT_ANOMALY_H
/* anomaly - the table of anomaly.def as C */
#include "sensor/event/stream.h"

enum anomaly {
#define X(id, name, type, level, action, doc) ANOM_##id,
#include "sensor/event/anomaly.def"
#undef X
    ANOM_COUNT
};

struct anomaly_info {
    const char *name;
    const char *type;
    enum anomaly_level level;
    const char *action;
    const char *doc;
};

extern const struct anomaly_info anomaly_table[ANOM_COUNT];

const char *anomaly_level_name(enum anomaly_level l);

#endif
