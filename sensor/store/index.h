#ifndef SPAN25_STORE_INDEX_H
#define SPAN25_STORE_INDEX_H
/* index - DIR/index.db: what pages ask of the journal, in SQLite
 *
 * One row an event; all of it comes from the journal and may be thrown away at
 * any time. The journal position is written in the transaction of the rows, so
 * it is never ahead of them. The caller's loop:
 *
 *     index_open; if (index_position > last durable of the journal)
 *         index_close, index_drop, index_open;
 *     read the journal from index_position + 1: json_read, index_add;
 *     index_commit at its end, and at least once a second
 *
 * Give it only what is durable in the journal: after a power failure an index
 * that is ahead would keep rows of lines that never were.
 *
 * Values are stored as their JSON form has them (UTF-8, microseconds), so an
 * index built from records and one rebuilt from the journal are equal.
 * Reading: index_query.h, index_list.h. One thread. */
#include "sensor/base/buf.h"
#include "sensor/base/err.h"
#include "sensor/base/span.h"
#include "sensor/event/keep.h"

#define INDEX_ROWS        1000 /* rows of a transaction, then it is committed */
#define INDEX_EXPIRE_ROWS 20000
#define INDEX_EXPIRE_KEPT 2000 /* each of them is in several lists */

struct index;

/* dir is the state directory. An index that is damaged, or that another version
 * made, is replaced by an empty one (a damaged one is kept as
 * index.db.damaged), and the message says so, with ERR_OK. */
MUST_USE enum err index_open(const char *dir, struct index **out,
                             struct buf *message);

/* journal_seq ascends; one at or below the position is there already and is
 * passed over. The record has passed record_check. ERR_STORE: the rows since
 * the last commit are not there, the index is as of index_position; when it
 * comes again, index_drop and rebuild. */
MUST_USE enum err index_add(struct index *x, struct span record,
                            uint64_t journal_seq);
MUST_USE enum err index_commit(struct index *x);

/* Removes what is older than before and of this kind, the oldest first: of
 * events at most INDEX_EXPIRE_ROWS, of alerts and hosts INDEX_EXPIRE_KEPT, in
 * transactions of their own. Of alerts and hosts the newest event goes when it
 * is too old itself; exceptions stay, for they are in force. *rows counts all
 * that went; 0: nothing is left. Room in the file is used again, the file does
 * not shrink. */
MUST_USE enum err index_expire(struct index *x, enum keep_kind kind,
                               ns_t before, uint64_t *rows);

/* The last sequence added; 0: none. The last one committed is what a reopened
 * index starts with. */
uint64_t index_position(const struct index *x);

/* Why the last call failed. */
void index_why(const struct index *x, struct buf *out);

/* Commits (ignoring failure: the journal has it all) and frees. NULL is fine.
 */
void index_close(struct index *x);

/* Removes index.db; no index may be open on it. */
MUST_USE enum err index_drop(const char *dir);

#endif
