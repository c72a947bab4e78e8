#ifndef SPAN25_EVENT_KEEP_H
#define SPAN25_EVENT_KEEP_H
/* keep - how much an event is worth when room runs out
 *
 * Three kinds, the most worthy first. What is old is removed by kind, and where
 * a disk fills the last kind is given up first. A type that nobody knows is
 * taken for the most worthy. */
#include "sensor/event/record.h"

/* X(id, word) */
#define KEEP_KIND_MAP(X)                                                       \
    X(ALERTS, "alerts")             /* and decisions, what people did */       \
    X(TRANSACTIONS, "transactions") /* mail, sessions, parts, oddities */      \
    X(STATISTICS, "statistics")     /* stats, host, dns; ticks of control */

enum keep_kind {
#define KEEP_ENUM(id, word) KEEP_##id,
    KEEP_KIND_MAP(KEEP_ENUM)
#undef KEEP_ENUM
        KEEP_KINDS
};

const char *keep_word(enum keep_kind k);
enum keep_kind keep_of_type(enum event_type t);
enum keep_kind keep_of_record(struct span record); /* it has been checked */
/* Of an event as JSON, by what stands in it; nothing else of it is read. */
enum keep_kind keep_of_json(struct span json);
enum event_type keep_type_of_json(struct span json);

#endif
