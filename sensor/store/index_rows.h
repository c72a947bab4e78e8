#ifndef SPAN25_STORE_INDEX_ROWS_H
#define SPAN25_STORE_INDEX_ROWS_H
/* index_rows - what lists choose alerts and hosts by, written beside them
 *
 * For the writer of the index alone, in its transaction. All return codes are
 * SQLite's; groups and counts follow by triggers (index_tables.c). */
#include "sensor/base/buf.h"
#include "sensor/event/record.h"

struct sqlite3;
struct sqlite3_stmt;

struct index_rows {
    struct sqlite3_stmt *alert;
    struct sqlite3_stmt *host;
};

int index_rows_open(struct sqlite3 *db, struct index_rows *out);
void index_rows_close(struct index_rows *r);

/* The record is an alert or host event, and is in table latest by this key;
 * of other records, and of alerts whose id is no id, there is nothing to do.
 * room is overwritten. */
int index_rows_put(struct index_rows *r, struct span record, struct span key,
                   uint64_t seq, struct buf *room);

#endif
