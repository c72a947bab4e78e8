#include "sensor/sinks/sink_file.h"
#include "sensor/sinks/sink_kafka.h"
#include "sensor/sinks/sink_redis.h"
#include "sensor/sinks/sink_stream.h"
#include "sensor/sinks/sink_webhook.h"

const struct sink_ops *const sink_registry[] = {
    &sink_file,   &sink_kafka,   &sink_redis, &sink_unix,
    &sink_syslog, &sink_webhook, NULL,
};
