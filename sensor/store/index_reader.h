#ifndef SPAN25_STORE_INDEX_READER_H
#define SPAN25_STORE_INDEX_READER_H
/* index_reader - what the queries of a reader share; for this folder alone */
#include <sqlite3.h>

#include "sensor/store/index_query.h"

enum index_reader_query {
    QUERY_ANY,
    QUERY_TYPE,
    QUERY_HOST,
    QUERY_HOST_TYPE,
    QUERY_ID,
    QUERY_LATEST,
    QUERY_LATEST_KEY,
    QUERY_LATEST_ONE,
    QUERY_ACTS,
    QUERY_ACTS_OF,
    QUERY_ACTS_KEY,
    QUERY_POSITION,
    QUERY_ACTS_AT,
    QUERY_ACTS_LAST,
    QUERY_ACTS_NEWEST,
    QUERY_COUNT
};

struct index_reader {
    sqlite3 *db;
    sqlite3_stmt *s[QUERY_COUNT];
    char why[256];
};

/* Keeps what SQLite says of its last failure. */
enum err index_reader_failed(struct index_reader *r, int rc);

struct span index_reader_text(sqlite3_stmt *s, int column);
uint64_t index_reader_u64(sqlite3_stmt *s, int column);
void index_reader_bind(sqlite3_stmt *s, int column, struct span v);
/* Numbers beyond what SQLite has stand behind all others. */
int64_t index_reader_clamp(uint64_t v);

/* The newest event of this type and key, at most one call. */
enum err index_reader_latest(struct index_reader *r, const char *type,
                             struct span key, index_record_row *row, void *ctx);

#endif
