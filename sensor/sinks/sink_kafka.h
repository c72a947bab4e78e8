#ifndef SPAN25_SINKS_SINK_KAFKA_H
#define SPAN25_SINKS_SINK_KAFKA_H
/* sink_kafka - events as messages of Apache Kafka, by librdkafka
 *
 * target: the brokers to ask first, "host:port,host:port". Topics are
 * PREFIX.smtp.tx, .alert, .decision, .stats, .control, .deadletter
 * (sink_queue.h); they are made by the broker or before. Value: the JSON line.
 * Key: the source address as text, hashed by murmur2 as Java's clients do, so
 * the events of one host stay in order. Headers: event_id, schema_version,
 * content-type.
 *
 * PREFIX.decision may be compacted: its key is the prefix that is stopped, and
 * behind the line of a lift or an expiry comes a tombstone, an empty value with
 * the same key and event_id. What is only simulated, held or withheld has
 * another key (struct sink_item).
 *
 * NOTHING IS LOST HERE: idempotent, acks=all, no time-out of a message; a line
 * is kept until the report of its delivery. While the brokers are away the
 * queue fills and put is BUSY. What librdkafka calls fatal, and what an
 * operator must mend (a topic that is refused or not there, wrong credentials
 * for a topic, a broker that takes smaller messages), is DEAD; a reopen then
 * begins with a new producer and what was not acknowledged. That may make
 * doubles, and only then can lines of one key come again behind later ones;
 * they have equal event_id. Failed logins are tried again for ever, and why
 * tells of them.
 *
 * SIGNED where hmac-key-file is set: header "hmac" (auth.h), by which
 * `span25 aggregate` knows which sensor wrote a message and that it did not
 * come before. Its sequence is made of the clock that tick gives: the first
 * tick comes before the first put. One process publishes under a sensor's name.
 *
 * LOGIN. By SASL, PLAIN (which only TLS hides) or SCRAM; or by a certificate of
 * our own. librdkafka before 2.6.1, so that of Debian 12, sends a nonce in
 * SCRAM that is not RFC 5802's and that Kafka 4 refuses (older ones take it):
 * there only PLAIN and certificates are left, and why says so.
 *
 * A line longer than line-max bytes goes to PREFIX.deadletter as {event_id,
 * event_type, bytes, reason} and counts as refused.
 *
 * librdkafka's own threads make the connections; its callbacks run in put,
 * flush, tick and wait. Its log goes nowhere but into why. */
#include "sensor/sinks/sink.h"

extern const struct sink_ops sink_kafka;
extern const struct sink_option sink_kafka_options[]; /* those of sink_kafka */

#endif
