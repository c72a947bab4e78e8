#ifndef SPAN25_CORE_CORE_H
#define SPAN25_CORE_CORE_H
/* core - records in order become events: placed, numbered, journaled, told
 *
 * One thread. Adds what no worker knows (event id, sensor, direction, registry
 * state), aggregates attempts, writes JSON once and hands it to the journal and
 * to a sink for lines, and shows each event to who counts and who detects. */
#include "sensor/base/err.h"
#include "sensor/core/place.h"
#include "sensor/event/keep.h"
#include "sensor/event/record.h"

struct answers;
struct detect;
struct verdicts;
struct requirements;
struct geo;
struct journal;

/* A rendered event; line is empty where it was not journaled (core_shed). */
struct line_sink {
    void (*put)(void *ctx, struct span record, struct span line);
    void *ctx;
};

/* Files that the operator asked for; put NULL: none. */
struct carve_sink {
    /* A record of type CARVE, with the id of the event that will tell of it. */
    void (*put)(void *ctx, struct span record, struct span event_id);
    /* Is there a file with this digest, in hexadecimal? */
    bool (*has)(void *ctx, struct span sha256);
    void *ctx;
};

/* Who is registered, where there is no book: coded entries of src_reg of a
 * client, or nothing. find NULL: nobody is asked. */
struct core_recall {
    struct span (*find)(void *ctx, const struct addr *client);
    void *ctx;
};

struct core_options {
    const char *sensor;
    const char *start_text; /* what took force at the start, for the first
                             * event of kind control; or NULL: none */
    const char *carve_text; /* the same for one of kind carving, behind it */
    struct place place;
    struct core_recall recall;
    struct geo *geo;                   /* or NULL */
    struct answers *answers;           /* or NULL */
    struct verdicts *verdicts;         /* or NULL */
    struct requirements *requirements; /* or NULL */
    struct detect *detect;             /* or NULL; its conclusions are events
                                        * too, behind what they rest on */
    struct journal *journal;           /* or NULL */
    struct line_sink lines;            /* put may be NULL */
    struct record_sink told; /* the same without a line, before it is made */
    struct carve_sink carve;
};

struct core;

MUST_USE enum err core_new(const struct core_options *o, struct core **out);
void core_free(struct core *c);

/* Tells of the start at this time, and not at that of the first record: a live
 * sensor has started also where nothing comes. */
void core_begin(struct core *c, ns_t when);

/* Something took force: an event of type control, at the time of the latest
 * record. kind is one of those that fields.def names. */
void core_control(struct core *c, const char *kind, const char *text);

/* As a record_sink: ctx is the core. Records have passed record_check. */
void core_put(void *core, struct span record);

/* As a record_sink: an event of type control, given out as it comes, at once.
 * What it tells takes force for the records behind it. */
void core_tell(void *core, struct span record);

/* An event that was published before, as it stands in a journal: shown to who
 * detects, not published again; what is concluded from it is published. For who
 * lives a journal again and leaves its conclusions out. */
void core_relive(struct core *c, const struct record_map *event);

/* Events from now on are judged by this book; NULL: by none. */
void core_registry(struct core *c, const struct book *book);

/* The same of leases; NULL: none are known. */
void core_leases(struct core *c, const struct leases *leases);

/* No more records of flows: what waits is given out, the journal is synced.
 * Records without a flow may follow; then it is called again. */
enum err core_end(struct core *c);

/* The sensor stops and will go on: attempts that wait are given out, episodes
 * stay open. */
void core_pause(struct core *c);

/* Room runs out: from now on events of these kinds, a bit each (keep.h), are
 * not journaled. They are counted, and shown to who counts and who detects like
 * all others, so that alerts still come of them. */
void core_shed(struct core *c, unsigned kinds);

struct core_unkept {
    uint64_t shed[KEEP_KINDS];
    uint64_t failed; /* the journal did not take them: disk full, or failing */
};
struct core_unkept core_unkept(const struct core *c);

uint64_t core_n_events(const struct core *c);

/* Time of the latest record. */
ns_t core_time(const struct core *c);

/* First failure of the journal, ERR_OK while all went well. */
enum err core_error(const struct core *c);

#endif
