#ifndef SPAN25_TESTS_MANY_EVENTS_H
#define SPAN25_TESTS_MANY_EVENTS_H
/* many_events - events for an index of millions
 *
 * Of ten one is an alert, some 0.7 are what people did about alerts, the rest
 * transactions and hosts; two fifths are of one relay. The same numbers give
 * the same events. What fails ends the program. */
#include "sensor/event/record.h"
#include "sensor/store/index.h"

#define MANY_HOSTS 20000U
#define MANY_RULES 30U
#define MANY_SITES 20U
#define MANY_RELAY 7U
#define MANY_STEP  UINT64_C(250000000) /* ns between events */

struct many {
    struct record_out out;
    ns_t begin; /* when event 0 would have been */
    uint64_t rng, seq;
};

uint64_t many_draw(struct many *m, uint64_t n);
struct addr many_addr(uint64_t host);
void many_name(uint64_t host, char out[ADDR_TEXT_MAX + 1]);

/* The next event, until the next call. */
struct span many_next(struct many *m);

struct index *many_index(const char *dir);
void many_die(const char *what);

/* Who else takes what is added to the index. */
typedef void many_also(void *ctx, struct span record);

/* Adds rows events to the index in dir, unless it holds as many; also may be
 * NULL. Says on standard output how it goes. */
void many_fill(const char *dir, struct many *m, uint64_t rows, many_also *also,
               void *ctx);
/* The next event into the index, and to also. */
void many_add(struct index *x, struct many *m, many_also *also, void *ctx);

double many_ms(void); /* of a clock that only goes on */

#endif
