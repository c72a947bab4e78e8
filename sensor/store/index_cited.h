#ifndef SPAN25_STORE_INDEX_CITED_H
#define SPAN25_STORE_INDEX_CITED_H
/* index_cited - block lists that servers outside named when they refused a host
 * of ours
 *
 * A row for list, host and server, with times and replies, of mail that went
 * out. It stays as long as transactions do. At most INDEX_CITED_MAX rows are
 * kept, for what servers say is theirs to choose; then new ones are left out.
 */
#include "sensor/event/record.h"
#include "sensor/store/index_query.h"

#define INDEX_CITED_MAX 100000U

struct sqlite3;
struct sqlite3_stmt;

/* ---- writing: for the writer of the index, in its transaction ---- */

struct index_cited {
    struct sqlite3_stmt *put, *more;
    uint64_t rows; /* that are there */
};

/* All return codes are SQLite's. */
int index_cited_open(struct sqlite3 *db, struct index_cited *out);
void index_cited_close(struct index_cited *c);
/* Of records other than smtp, and of replies that name no list, there is
 * nothing to do. */
int index_cited_put(struct index_cited *c, struct span record);

/* ---- reading ---- */

/* Borrowed during the call. */
struct index_listing {
    struct span list;
    struct addr host;
    uint64_t servers, replies;
    ns_t first, last;
};

struct index_cited_page {
    uint64_t total; /* pairs of list and host */
    bool exact;     /* else some were left out */
};

/* Those with last >= from, most servers first, at most limit. */
MUST_USE enum err
index_cited_list(struct index_reader *r, ns_t from, size_t limit,
                 void (*row)(void *ctx, const struct index_listing *l),
                 void *ctx, struct index_cited_page *out);

#endif
