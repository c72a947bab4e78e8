#ifndef SPAN25_STORE_REGISTRY_DB_H
#define SPAN25_STORE_REGISTRY_DB_H
/* registry_db - DIR/registry.db: the audit records of the registry, in SQLite
 *
 * An append-only table of records and nothing else that matters: the registry
 * is what comes of applying them in order (rules/registry/book.h). Triggers
 * refuse to change or delete a record; only its journal sequence is set, once.
 * Number and hash of the last record stand apart, so that records missing at
 * the end are noticed as well, and so does the number last carried. What is
 * read is checked: numbers without holes from 1 on, each with the hash of the
 * one before; whether a hash is that of its text is for who takes them to say.
 *
 * Several processes may have it open. Who writes:
 *
 *     registry_db_begin; registry_db_read (what others have added meanwhile);
 *     registry_db_add...; registry_db_commit
 *
 * and all of it is there or nothing, also after kill -9 or a power failure.
 *
 * Carrying into the journal, by the one who holds its lock: registry_db_intend
 * tells the sequence that the record's first line is about to get,
 * registry_db_carried that its last line is durable. A crash between the two
 * leaves an intent, and the journal says at that place whether the record got
 * there. One thread. */
#include "sensor/base/buf.h"
#include "sensor/base/err.h"
#include "sensor/base/ns.h"

#define REGISTRY_DB_FILE     "registry.db"
#define REGISTRY_DB_TEXT_MAX (64U << 20) /* bytes of a record's text */
#define REGISTRY_DB_WAIT_MS  10000       /* for another process's transaction */

struct registry_row {
    uint64_t number; /* from 1 */
    ns_t when;       /* journal time of the action */
    struct span actor;
    struct span text; /* canonical, of rules/registry/action.h */
    uint8_t before[32];
    uint8_t hash[32];
    uint64_t carried; /* journal sequence of its last line, 0: not yet */
};

struct registry_db;

enum registry_db_mode {
    REGISTRY_DB_READ,  /* must be there; nothing is changed */
    REGISTRY_DB_WRITE, /* must be there */
    REGISTRY_DB_CREATE /* is made, mode 0600, when it is not; by root: for the
                        * owner of its folder */
};

/* Nothing at all is changed by READ, and no file is left; it also reads one in
 * a folder where nothing can be written. ERR_NOENT: there is none, or it was
 * only begun (kill -9 while it was made). Other failures are told in message,
 * one line without its end: ERR_CORRUPT (not a database, damaged), ERR_FORMAT
 * (a database, but not a registry, or another version's). */
MUST_USE enum err registry_db_open(const char *path, enum registry_db_mode mode,
                                   struct registry_db **out,
                                   struct buf *message);
void registry_db_close(struct registry_db *d); /* NULL is fine; an open
                                                * transaction is given up */

/* Looks at a record; its spans live until it returns. Anything but ERR_OK ends
 * the reading, and the record counts as not read. */
typedef enum err registry_db_take(void *ctx, const struct registry_row *row,
                                  struct buf *why);

/* Gives every record behind the last one given, in order. ERR_CORRUPT, with the
 * record named in message: one was changed, is missing, or was put in. */
MUST_USE enum err registry_db_read(struct registry_db *d,
                                   registry_db_take *take, void *ctx,
                                   struct buf *message);
uint64_t registry_db_last(const struct registry_db *d); /* number last read */

/* Has another process committed since the last registry_db_read? Costs
 * microseconds. */
bool registry_db_changed(struct registry_db *d);

/* ERR_BUSY: another process writes, for longer than REGISTRY_DB_WAIT_MS. */
MUST_USE enum err registry_db_begin(struct registry_db *d, struct buf *message);
/* The next record; counts as read. ERR_CORRUPT: not the next one. */
MUST_USE enum err registry_db_add(struct registry_db *d,
                                  const struct registry_row *row,
                                  struct buf *message);
MUST_USE enum err registry_db_commit(struct registry_db *d,
                                     struct buf *message);
/* Back to before registry_db_begin, also what counts as read. */
void registry_db_rollback(struct registry_db *d);

/* ---- carrying ---- */

/* The number of the first record that is not carried, 0: none. */
MUST_USE enum err registry_db_pending(struct registry_db *d, uint64_t *number,
                                      struct buf *message);
/* Gives the record with this number; ERR_NOENT. */
MUST_USE enum err registry_db_get(struct registry_db *d, uint64_t number,
                                  registry_db_take *take, void *ctx,
                                  struct buf *message);
MUST_USE enum err registry_db_intend(struct registry_db *d, uint64_t number,
                                     uint64_t seq, struct buf *message);
/* The last intent; number 0: none. */
MUST_USE enum err registry_db_intent(struct registry_db *d, uint64_t *number,
                                     uint64_t *seq, struct buf *message);
MUST_USE enum err registry_db_carried(struct registry_db *d, uint64_t number,
                                      uint64_t seq, struct buf *message);

#endif
