#ifndef SPAN25_TESTS_EVALUATE_RENDER_H
#define SPAN25_TESTS_EVALUATE_RENDER_H
/* render - what actors do as events, as the core publishes them
 *
 * The fields that statistics and rules read, placed and judged by a registry
 * that knows the truth. Strings are made anew each time; nothing is allocated
 * once the buffers have grown. */
#include "sensor/event/record.h"
#include "tests/evaluate/actor.h"

/* Attempts that one event of a flood tells of. */
#define RENDER_SYNS 1000000U
uint32_t render_syns(const struct scenario *s);

struct render {
    struct record_out out;
    struct buf text;
    const char *sensor; /* its name in events; a text that stays */
    uint64_t n;         /* events so far: their ids */
};

void render_init(struct render *r);
void render_free(struct render *r);

/* The events of the stage that the actor has drawn, in order, into sink. */
void render_stage(struct render *r, struct actor *a,
                  const struct record_sink *sink);

/* Mirrored answers that tell the address's name, forward and back. */
void render_name(struct render *r, const struct subject *s, ns_t when,
                 const struct record_sink *sink);

#endif
