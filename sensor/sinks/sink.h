#ifndef SPAN25_SINKS_SINK_H
#define SPAN25_SINKS_SINK_H
/* sink - where finished events go: one interface, one row a kind
 *
 * A caller reads the journal with its own cursor and puts line after line. A
 * put that is DONE has taken the line; a flush that is DONE has delivered all
 * that was taken. BUSY: the same call again later. STOP: the other side has
 * gone by its own will (a closed pipe): end without an error. DEAD: sink_why
 * has the text; after a reopen that works, the sink goes on with what it had
 * taken. Nothing blocks but wait and, at an end, close and reopen.
 *
 * THE CURSOR. Acknowledgements may come late and out of order. counts tells of
 * the lines at the front, in the order of their puts and without a gap between
 * them: settled = delivered + refused of them need not be kept any more, so the
 * cursor moves over that many, and taken - settled wait; a callback tells of
 * each, for who has more than one cursor. Whoever ends, or is
 * ended, without a flush puts the lines behind the cursor again: the other side
 * may get doubles, which have equal event_id, and never a line less.
 *
 * TIME. tick gives the caller's clock, at least each second; peers that are
 * away are called again by it. For one thread, with no lock of its own.
 *
 * Writing to a pipe that nobody reads gives STOP only when the program ignores
 * SIGPIPE, which app does at its start; so do sockets. */
#include "sensor/base/buf.h"
#include "sensor/base/err.h"
#include "sensor/event/record.h"

enum put { PUT_DONE, PUT_BUSY, PUT_STOP, PUT_DEAD };

struct sink;

/* One setting of a kind: a row of its table. Texts have most 0, numbers a range
 * and their default in decimal; a file named by a setting is read at open. */
struct sink_option {
    const char *name;
    const char *otherwise; /* when it is not given */
    uint64_t least, most;
    const char *help; /* what the value is, without a full stop */
};

struct sink_value {
    const char *name; /* of an option */
    const char *value;
};

struct sink_settings {
    const char *target;  /* file: a path, or "-" for standard output; else
                          * where the other side is, see the kind's header */
    size_t buffer_bytes; /* file: 0 is its own */
    const struct sink_value *values;
    size_t n_values;
    /* NULL, or called for each line that settles, in the order of their puts,
     * from within any call but close; false: it was refused */
    void (*settled)(void *ctx, bool delivered);
    void *ctx;
};

struct sink_counts {
    uint64_t taken;     /* lines */
    uint64_t delivered; /* of those in front, acknowledged by the other side */
    uint64_t refused;   /* of those in front, which it can never take: lost */
};

/* A kind of sink. why is NULL-safe text for one line, without secrets. */
struct sink_ops {
    const char *name;                  /* word in the configuration */
    const char *help;                  /* what its target is; a sentence */
    const struct sink_option *options; /* ends with a NULL name; or NULL */
    enum err (*open)(struct sink **out, const struct sink_settings *s,
                     struct buf *message);
    enum put (*put)(struct sink *s, struct span record,
                    struct span line); /* JSON without newline */
    enum put (*flush)(struct sink *s);
    enum err (*reopen)(struct sink *s); /* a log was rotated, a peer is back */
    void (*tick)(struct sink *s, ns_t now);
    void (*wait)(struct sink *s,
                 unsigned ms); /* or NULL: nothing to wait for */
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

/* Opens by name, when all values have an option and are in its range; the
 * message is one line. ERR_CONFIG: no such kind, option or value. */
MUST_USE enum err sink_open(struct span name, const struct sink_settings *s,
                            struct sink **out, struct buf *message);

/* Whether sink_open would take the kind and the values; nothing is opened. */
MUST_USE enum err sink_check(struct span name, const struct sink_settings *s,
                             struct buf *message);

/* Returns when something has come from the other side, or after ms. */
void sink_wait(struct sink *s, unsigned ms);

/* ---- for kinds ---- */

/* The value of an option of this table, which must be there. */
const char *sink_text(const struct sink_option *options,
                      const struct sink_settings *s, const char *name);
uint64_t sink_number(const struct sink_option *options,
                     const struct sink_settings *s, const char *name);

/* Reads "host", "host:port", "[address]" or "[address]:port"; false: it is none
 * of them, and host is not to be used. */
#define SINK_HOST_MAX 256U
bool sink_host_port(const char *target, uint16_t otherwise,
                    char host[SINK_HOST_MAX], uint16_t *port);

/* The first line of the file that an option names; nothing when it names none.
 * ERR_CONFIG with a message: it cannot be read, or is empty. */
#define SINK_SECRET_MAX 4096U
MUST_USE enum err sink_secret(const struct sink_option *options,
                              const struct sink_settings *s, const char *name,
                              struct buf *out, struct buf *message);

#endif
