#ifndef SPAN25_APP_AGGREGATE_PEOPLE_H
#define SPAN25_APP_AGGREGATE_PEOPLE_H
/* aggregate_people - what people entered, as it came by way of the broker
 *
 * Events of type control of one sensor, in the order of their topic: records of
 * the registry, which make a book; exceptions, what was done by hand about
 * blocks, and the policy, which each task is shown; and ticks, which tell that
 * all that was entered before them is there. How old the copy is, is the time
 * of the latest event; a registry of which a record is missing is never up to
 * date.
 *
 * PEOPLE_BYTES of exceptions and the like are kept, for partitions that come
 * later; past that the copy is not up to date either. Pure; one thread. */
#include "rules/registry/book.h"
#include "sensor/app/aggregate_task.h"

#define PEOPLE_BYTES (256U << 20)

struct people;

/* sensor: whose events count; NULL: nobody's. keys outlive it. */
MUST_USE enum err people_new(const struct gate_keys *keys, const char *sensor,
                             struct people **out);
void people_free(struct people *p);

/* The same one always. */
const struct book *people_book(const struct people *p);
struct aggregate_copy people_copy(const struct people *p);

struct people_told {
    enum gate_verdict verdict;
    bool has_act; /* act is to be shown to the tasks */
    struct record_map act;
};
/* What a message says; act is borrowed until the next one. */
void people_take(struct people *p, const struct gate_message *m,
                 uint64_t offset, struct people_told *told);

/* All that a task that is new is to be shown. */
void people_show(const struct people *p, struct aggregate_task *t);

/* What is wrong with it, a line; empty: nothing. */
struct span people_why(const struct people *p);

#endif
