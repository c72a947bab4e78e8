#ifndef SPAN25_EVENT_SCHEMA_H
#define SPAN25_EVENT_SCHEMA_H
/* schema - the JSON Schema of an event (draft 2020-12), from fields.def
 *
 * Describes what json_write writes of the journal's event types; keys that are
 * not in the table are refused at every level. Privacy class, Elastic path and
 * first version stand as annotations x-privacy, x-ecs, x-since. */
#include "sensor/base/buf.h"

/* Appends the schema, one line. */
void schema_write(struct buf *out);

#endif
