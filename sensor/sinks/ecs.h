#ifndef SPAN25_SINKS_ECS_H
#define SPAN25_SINKS_ECS_H
/* ecs - a record as one line of JSON in the Elastic Common Schema, 9.0
 *
 * A field stands at its Elastic path of fields.def; one that has none, at its
 * own path (smtp.helo), or under span25. when that is one word (span25.tx_id).
 * Where the schema wants another form, the value has it, and the field stands
 * at its own path too:
 *
 *     event.severity   alert.severity 1 high, 2 medium, 3 low, 4 informational
 *                      as 73, 47, 21, 0
 *     event.outcome    success of accepted, unknown of unknown, else failure
 *     email.*.address  what stands in the last angle brackets
 *     email.origination_timestamp   of a Date that RFC 5322 allows, in UTC
 *     email.attachments             objects (type nested)
 *     source.mac       00-00-5E-00-53-23
 *
 * Added: ecs.version, event.kind, category, type and module by the
 * kind of event (ecs.def); observer.vendor, product and type; network.type;
 * related.ip, hash, hosts and user, each value once, at most ECS_RELATED_MAX;
 * threat.framework where a technique is named.
 *
 * Objects are nested, keys stand in the order of their paths, times are UTC
 * with a Z. Bytes that are not UTF-8 become U+FFFD; unlike EVE's, the line has
 * no raw form of them. A field is never there twice. */
#include "sensor/event/record.h"

#define ECS_RELATED_MAX 64U

struct ecs;

/* Constant after it was made: may be shared. */
MUST_USE bool ecs_new(struct ecs **out); /* false: no memory */
void ecs_free(struct ecs *e);            /* NULL is fine */

/* Appends the line of a record that passed the check, without newline. False:
 * out has no room (cut or failed is set) and is as it was; a max of out->n +
 * JSON_LINE_MAX of json_write.h is always enough. */
MUST_USE bool ecs_write(const struct ecs *e, struct span record,
                        struct buf *out);

#endif
