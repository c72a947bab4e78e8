#ifndef SPAN25_APP_PUBLISH_SHAPE_H
#define SPAN25_APP_PUBLISH_SHAPE_H
/* publish_shape - which events a sink is given, and what they look like there
 *
 * Stands between the journal and one sink. wants says whether the sink is to
 * have an event: its type is among the kinds, and the filter holds. line gives
 * the event as the sink shall see it: the journal's line, or one made anew in
 * the Elastic Common Schema (ecs.h) or of a record with pseudonyms (veil.h).
 *
 * Both depend on nothing but the settings and the event, so who scans and who
 * sends (spool.h) get the same answer, also after a restart.
 *
 * THE FILTER is the `detection` part of a Sigma rule (rules(5)), with the key
 * `detection` or without it, or a whole rule; one document. It looks at the
 * event as it was journaled, before any pseudonym. Rules about many events
 * (correlations) are none.
 *
 *     selection:
 *         alert.severity|lte: 2
 *     condition: selection
 *
 * PSEUDONYMS: the record changes too, for sinks make keys and names of it. A
 * decision then has no subject that a consumer could stop.
 *
 * One thread for one shape. No clock. */
#include "sensor/base/err.h"
#include "sensor/event/record.h"
#include "sensor/sinks/veil.h"

#define SHAPE_FILTER_MAX (64U << 10) /* bytes of a filter */

enum shape_format { SHAPE_EVE, SHAPE_ECS };

struct shape_settings {
    uint32_t kinds;          /* bits 1 << enum event_type; 0: all */
    struct span filter;      /* YAML; empty: none */
    const char *filter_name; /* for messages: a file, or a key */
    enum shape_format format;
    enum veil_level veil;
    const char *key_file; /* its first line is the key; with a veil only */
    bool hide_domains;    /* of mail addresses too */
};

struct shape;

/* What line gave, borrowed until the next call on the shape. */
struct shaped {
    struct span record, line;
};

struct shape_counts {
    uint64_t lines;   /* shaped */
    uint64_t cut;     /* of them, where entries had no room */
    uint64_t limited; /* searches of the filter given up (sigma_counts) */
};

/* ERR_CONFIG with lines in message: the filter, or the key, is not good. */
MUST_USE enum err shape_new(const struct shape_settings *s, struct shape **out,
                            struct buf *message);
void shape_free(struct shape *s); /* NULL is fine */

/* The record has passed the check. */
bool shape_wants(struct shape *s, struct span record);

/* Of an event that is wanted; line is the journal's. ERR_NOMEM: again later. */
MUST_USE enum err shape_line(struct shape *s, struct span record,
                             struct span line, struct shaped *out);

struct shape_counts shape_counts(const struct shape *s);

#endif
