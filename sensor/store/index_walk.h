#ifndef SPAN25_STORE_INDEX_WALK_H
#define SPAN25_STORE_INDEX_WALK_H
/* index_walk - rows of several index ranges, merged in the order of a list
 *
 * A lane is a range of one index that stands in the order (last, id), newest
 * first, so a walk reads no row that it does not look at. For this folder
 * alone. */
#include "sensor/store/index_list.h"
#include "sensor/store/index_reader.h"

#define INDEX_LANES 16U /* statuses times severities */

/* Where a walk is: behind this row. */
struct index_place {
    uint64_t last, id;
};

struct index_walk {
    struct index_reader *reader;
    const char *columns; /* of the list, behind last and id */
    struct span values[3];
    size_t n_values;
    ns_t since;
    struct index_place from;
    sqlite3_stmt *lanes[INDEX_LANES];
    bool more[INDEX_LANES]; /* the lane stands on a row */
    size_t n, at;           /* at: the lane of the row given last, or n */
    enum err e;
};

/* Rows of the list's table, by SQL that is ours: "alerts INDEXED BY x", and
 * "host = ?4 AND status = 1". ?4 on are the values. Failures are kept in e. */
void index_walk_lane(struct index_walk *w, const char *table,
                     const char *where);
/* The next row, whose columns begin with last and id; NULL: no more. Borrowed
 * until the next call. */
sqlite3_stmt *index_walk_next(struct index_walk *w);
/* Of the row given last. */
struct index_place index_walk_place(const struct index_walk *w);
void index_walk_end(struct index_walk *w);

/* What is done with a list's rows. */
struct index_walk_ops {
    void (*lanes)(struct index_walk *w, void *ctx);
    bool (*wanted)(void *ctx, sqlite3_stmt *s);
    enum err (*give)(void *ctx, sqlite3_stmt *s);
};

/* A page and its total, in one transaction. */
enum err index_walk_page(struct index_reader *r, const struct index_list *q,
                         const char *columns, const struct index_walk_ops *ops,
                         void *ctx, struct index_page *out);

/* How many rows a statement has, counted up to most + 1; sql ends with a
 * LIMIT. ?1 is the text. */
enum err index_walk_count(struct index_reader *r, const char *sql,
                          struct span text, uint64_t *out);

#endif
