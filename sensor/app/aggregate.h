#ifndef SPAN25_APP_AGGREGATE_H
#define SPAN25_APP_AGGREGATE_H
/* aggregate - several sensors, one verdict, on Kafka (span25 aggregate)
 *
 * TOPICS, each with a prefix, by key: who writes what
 *
 * - smtp.tx, by source address: sensors what they saw, stage group clusters
 * - agg.group, by "campaign" or RULE/GROUP: stage source what clusters, and
 *   correlations of several clients, are made of
 * - agg.decide, by source address, one partition: both their alerts, stage
 *   source host events
 * - agg.STAGE.state (aggregate_chunks.h), compacted: each task its state
 * - control, one partition, compacted: the sensor that has the registry
 * - alert, decision: stage decide, as sensors write theirs
 *
 * One consumer group; a partition of a stage is a task (aggregate_task.h), and
 * a task is a function of its log: the same messages give the same ones out,
 * with the same ids and sequences. Every message is signed (auth.h), those of
 * sensors with the sensor's key, ours with that of all aggregators.
 *
 * STATE of a task is saved each aggregate.snapshot: what it put out before is
 * acknowledged first, then the state with its offset is written, then a last
 * message makes it one. Whoever is assigned a partition reads the state, and
 * the log from its offset on.
 *
 * A CRASH costs what came since the state: it is judged again, and told again
 * as it was. Within, those messages have sequences that were there, and are
 * left out; outside, alerts and decisions have the event_id that they had.
 * Stage decide rests on what people entered meanwhile too, and would perhaps
 * decide otherwise: so its state is saved, with what it concludes, before the
 * world is told. A REBALANCE is the same with a state that is up to date; who
 * lost a partition without knowing writes what its heir writes. A DOUBLE of a
 * sensor (sent again, or told again from its cursor) is left out by sequence or
 * event_id. What a sensor tells while no aggregator runs waits in the topic.
 *
 * WHAT PEOPLE ENTERED takes force in a partition when its owner has read it: a
 * restart may judge by a newer registry, never by an older one. Decisions name
 * what they rest on (decision.registry); when the copy is older than
 * AGGREGATE_COPY_AGE, or has a hole, host events are not decided about.
 *
 * It only simulates: decisions say what one would be, and mode enforce of the
 * policy does not change that (struct decide_options, may_enforce).
 *
 * TOPICS that are not there are made at the start. One that a sensor was first
 * to write to was perhaps made by the broker: smtp.tx and control must have
 * message.timestamp.type=LogAppendTime, control one partition; without, all of
 * it is stale, which is told (event set_log_append_time).
 *
 * Known gaps: correlations of correlations see one partition each; alerts of
 * stage group have no checks, for it knows no host events; a partition whose
 * sensors are all silent has no time, so its episodes end with the next
 * message; statistics are not in Prometheus' form. */
#include "sensor/app/cli.h"

/* Until it is stopped. */
enum cli_exit aggregate_run(const struct cli *c, struct buf *messages);

#endif
