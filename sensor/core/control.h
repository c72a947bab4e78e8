#ifndef SPAN25_CORE_CONTROL_H
#define SPAN25_CORE_CONTROL_H
/* control - audit records of the registry as events, and back
 *
 * A record is one event of type control, kind "registry"; where its canonical
 * text is longer than CONTROL_DATA it is several, numbered by control.part, of
 * which the last one says so. The registry can be made anew from them. */
#include "rules/registry/book.h"
#include "sensor/event/record.h"

#define CONTROL_DATA  60000U /* bytes of text in an event */
#define CONTROL_LINES 1000U  /* line numbers told */
#define CONTROL_PARTS 2048U

/* Gives the events of a record to sink. when is the time at which the sensor
 * learnt of it: 0: that of the action. ERR_FORMAT: not the text of an action;
 * ERR_LIMIT: more than CONTROL_PARTS; then nothing was given. */
MUST_USE enum err control_emit(const struct audit *audit, struct span text,
                               ns_t when, const struct record_sink *sink);

/* Puts the parts together again. */
struct control_reader {
    struct buf text;
    struct audit audit;
    uint64_t part;
};

void control_reader_init(struct control_reader *r);
void control_reader_free(struct control_reader *r);

/* Looks at an event of any kind: true when it completes a record; then text and
 * audit (number and hash; not before) are its. Parts that do not follow each
 * other are dropped: what was cut off by a crash comes again whole. */
bool control_reader_take(struct control_reader *r, struct span event);

#endif
