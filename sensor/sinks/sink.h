#ifndef SPAN25_SINKS_SINK_H
#define SPAN25_SINKS_SINK_H
/* sink - where finished events go: one interface, one row a kind
 *
 * A caller reads the journal with its own cursor and puts line after line. A
 * put that is DONE has taken the line; a flush that is DONE has delivered all
 * that was taken, and the cursor may move there. BUSY: the same call again
 * later. STOP: the other side has gone by its own will (a closed pipe): end
 * without an error. DEAD: sink_why has the text; after a reopen that works, the
 * sink goes on with what it had taken.
 *
 * Writing to a pipe that nobody reads gives STOP only when the program ignores
 * SIGPIPE, which app does at its start. */
#include "sensor/base/buf.h"
#include "sensor/base/err.h"
#include "sensor/event/record.h"

enum put { PUT_DONE, PUT_BUSY, PUT_STOP, PUT_DEAD };

struct sink;

struct sink_settings {
    const char *target;  /* file: a path, or "-" for standard output */
    size_t buffer_bytes; /* 0: the kind's own */
};

struct sink_counts {
    uint64_t taken;     /* lines */
    uint64_t delivered; /* of them, given to the other side */
};

/* A kind of sink. why is NULL-safe text for one line, without secrets. */
struct sink_ops {
    const char *name; /* word in the configuration */
    enum err (*open)(struct sink **out, const struct sink_settings *s,
                     struct buf *message);
    enum put (*put)(struct sink *s, const struct record_head *head,
                    struct span line); /* JSON without newline */
    enum put (*flush)(struct sink *s);
    enum err (*reopen)(struct sink *s); /* a log was rotated, a peer is back */
    void (*tick)(struct sink *s, ns_t now);
    struct sink_counts (*counts)(const struct sink *s);
    void (*why)(const struct sink *s, struct buf *out);
    void (*close)(struct sink *s); /* NULL is fine; flush first */
};

/* Every struct of a kind begins with this. */
struct sink {
    const struct sink_ops *ops;
};

/* All there is; ends with NULL. In registry.c, one row a kind. */
extern const struct sink_ops *const sink_registry[];

/* The kind with this name, or NULL. */
const struct sink_ops *sink_find(struct span name);

/* Opens by name; the message is one line. ERR_CONFIG: no such kind. */
MUST_USE enum err sink_open(struct span name, const struct sink_settings *s,
                            struct sink **out, struct buf *message);

#endif
