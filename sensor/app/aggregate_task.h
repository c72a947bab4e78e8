#ifndef SPAN25_APP_AGGREGATE_TASK_H
#define SPAN25_APP_AGGREGATE_TASK_H
/* aggregate_task - what becomes of the messages of one partition
 *
 * (state, message) to (state, messages): no broker, no clock. The same messages
 * in the same order give the same ones, with the same ids and sequences; so
 * what is judged again after a crash is told again as it was, and who reads it
 * leaves it out. Three stages (aggregate.h has the whole picture):
 *
 *   source  events of sensors, by source address: host statistics and rules.
 *           Gives host events and alerts to decide, what clusters are made of
 *           to group. Takes back what group found, as host events of ours.
 *   group   what several sources have in common: campaigns, and correlations
 *           that are grouped by other than the client. Gives alerts to decide,
 *           clusters to source
 *   decide  caps of the whole network; gives alerts and decisions to the world
 *
 * A task is an event's second reader: what a sensor placed and judged by its
 * registry stays as it was said; conclusions are placed by the aggregate's. */
#include "rules/detect.h"
#include "sensor/app/aggregate_gate.h"
#include "sensor/core/place.h"

/* X(id, word) */
#define AGGREGATE_STAGES(X)                                                    \
    X(SOURCE, "source") X(GROUP, "group") X(DECIDE, "decide")

enum aggregate_stage {
#define AGGREGATE_ENUM(id, word) AGGREGATE_##id,
    AGGREGATE_STAGES(AGGREGATE_ENUM)
#undef AGGREGATE_ENUM
        AGGREGATE_STAGE_COUNT
};
const char *aggregate_stage_word(enum aggregate_stage s);

/* Key of what campaigns are made of. Bodies are compared by nearness, lists of
 * recipients tie sources transitively, and what is the site's own is known from
 * all of its mail: so the group of that rule is the whole network. */
#define AGGREGATE_CAMPAIGN "campaign"

#define AGGREGATE_COPY_AGE                                                     \
    (600 * NS_PER_S) /* DETECTION 6.2: no block decided                        \
                      * by an older registry */

/* Of all tasks; outlives them. */
struct aggregate_parts {
    const struct gate_keys *keys;
    ns_t max_age;
    struct detect_options detect; /* as of a sensor that sees it all */
    uint32_t sources;             /* partitions of stage source */
    struct place place;
};

/* What people entered, as this aggregator knows it. */
struct aggregate_copy {
    uint64_t records; /* of registry, exceptions and lifts */
    ns_t as_of;       /* it has all that was entered before; 0: never read */
};

struct aggregate_in {
    struct gate_message message;
    uint64_t offset;
    bool misplaced; /* its key belongs to another partition */
};

/* To which stage. All borrowed during the call. */
struct aggregate_out {
    enum aggregate_stage to;
    struct span key, line;
    uint64_t sequence;
};

struct aggregate_sink {
    void (*put)(void *ctx, const struct aggregate_out *out);
    void *ctx;
};

struct aggregate_counts {
    uint64_t verdicts[GATE_VERDICT_COUNT]; /* messages */
    uint64_t skipped;  /* messages that were no more there to be read */
    uint64_t unjudged; /* host events while the copy was too old */
    uint64_t failed;   /* conclusions for which there was no memory */
    uint64_t alerts, decisions;
};

struct aggregate_task;

/* sink outlives it. */
MUST_USE enum err aggregate_task_new(const struct aggregate_parts *parts,
                                     enum aggregate_stage stage,
                                     unsigned number,
                                     const struct aggregate_sink *sink,
                                     struct aggregate_task **out);
void aggregate_task_free(struct aggregate_task *t);

/* Its name as a writer: "aggregate/source/3". */
const char *aggregate_task_name(const struct aggregate_task *t);

/* The offset that it waits for: all before is in its state. */
uint64_t aggregate_task_offset(const struct aggregate_task *t);

/* Begins there with nothing: of a state that cannot be read. */
void aggregate_task_begin(struct aggregate_task *t, uint64_t offset);

/* Messages of lower offsets are passed over. */
void aggregate_task_message(struct aggregate_task *t,
                            const struct aggregate_in *in);

/* An exception, or what was done by hand about a block, by its offset in the
 * topic of those. What the state has seen already is passed over. */
void aggregate_task_control(struct aggregate_task *t,
                            const struct record_map *event, uint64_t offset);
/* What decisions rest on, from now on; and the time. */
void aggregate_task_copy(struct aggregate_task *t,
                         const struct aggregate_copy *copy, ns_t now);

/* What the world has not been told yet. It is kept in the state: a decision
 * rests on what people entered, and might be another one if it were made again;
 * so the state is saved first, then the world is told, then it is told here. */
bool aggregate_task_waits(const struct aggregate_task *t);
void aggregate_task_tell(struct aggregate_task *t,
                         void (*put)(void *ctx, struct span record,
                                     struct span line),
                         void *ctx);
void aggregate_task_told(struct aggregate_task *t);

struct aggregate_counts aggregate_task_counts(const struct aggregate_task *t);

MUST_USE enum err aggregate_task_save(const struct aggregate_task *t,
                                      struct buf *out);
/* Into a new one. ERR_FORMAT: of another configuration or version; then it goes
 * on at the offset of the state, with what was let in before, and with no
 * statistics. Another error: only to be freed. */
MUST_USE enum err aggregate_task_load(struct aggregate_task *t,
                                      struct span state);

#endif
