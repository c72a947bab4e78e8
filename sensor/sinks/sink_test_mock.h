#ifndef SPAN25_SINKS_SINK_TEST_MOCK_H
#define SPAN25_SINKS_SINK_TEST_MOCK_H
/* sink_test_mock - librdkafka's Kafka within this process, on loopback
 *
 * It has no TLS, no login, no disk, and keeps some 5 MB a partition. The real
 * one is met by tests/brokers_test.py. */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct mock {
    rd_kafka_t *rk; /* carries the cluster, sends nothing */
    rd_kafka_mock_cluster_t *cluster;
    const char *address;
};

#define API_PRODUCE 0

static inline void
mock_log(const rd_kafka_t *rk, int level, const char *what, const char *text)
{
    (void)rk;
    (void)level;
    (void)what;
    (void)text;
}

static inline void
mock_init(struct mock *m)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[200];

    rd_kafka_conf_set_log_cb(conf, mock_log);
    m->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    assert_non_null(m->rk);
    m->cluster = rd_kafka_mock_cluster_new(m->rk, 1);
    assert_non_null(m->cluster);
    m->address = rd_kafka_mock_cluster_bootstraps(m->cluster);
}

static inline void
mock_fini(struct mock *m)
{
    rd_kafka_mock_cluster_destroy(m->cluster);
    rd_kafka_destroy(m->rk);
}

#endif
