#ifndef SPAN25_SINKS_KAFKA_CONF_H
#define SPAN25_SINKS_KAFKA_CONF_H
/* kafka_conf - how to reach the brokers, for whoever makes a client of them
 *
 * From the settings of a sink of kind kafka: brokers, TLS, login. Secrets are
 * read from their files and wiped. */
#include "sensor/sinks/sink.h"

#include <librdkafka/rdkafka.h>

/* ERR_CONFIG with a message. */
MUST_USE enum err kafka_set(rd_kafka_conf_t *conf, const char *name,
                            const char *value, struct buf *message);

/* options: sink_kafka_options. */
MUST_USE enum err kafka_conf_peer(rd_kafka_conf_t *conf,
                                  const struct sink_option *options,
                                  const struct sink_settings *s,
                                  struct buf *message);

#endif
