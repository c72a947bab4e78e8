#include "sensor/sinks/sink_file.h"

const struct sink_ops *const sink_registry[] = {
    &sink_file,
    NULL,
};
