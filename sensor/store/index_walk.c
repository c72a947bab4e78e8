#include "sensor/store/index_walk.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SQL_MAX 1024

/* ---- a walk ---- */

static void
step(struct index_walk *w, size_t lane)
{
    int rc = sqlite3_step(w->lanes[lane]);

    w->more[lane] = rc == SQLITE_ROW;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        w->e = index_reader_failed(w->reader, rc);
}

void
index_walk_lane(struct index_walk *w, const char *table, const char *where)
{
    char sql[SQL_MAX];
    sqlite3_stmt *s = NULL;
    int rc;

    REQUIRE(w->n < INDEX_LANES);
    if (w->e != ERR_OK)
        return;
    (void)snprintf(sql, sizeof(sql),
                   "SELECT last, id, %s FROM %s WHERE %s AND last >= ?1"
                   " AND (last, id) < (?2, ?3) ORDER BY last DESC, id DESC",
                   w->columns, table, where);
    rc = sqlite3_prepare_v2(w->reader->db, sql, -1, &s, NULL);
    if (rc != SQLITE_OK) {
        w->e = index_reader_failed(w->reader, rc);
        return;
    }
    (void)sqlite3_bind_int64(s, 1, index_reader_clamp(w->since));
    (void)sqlite3_bind_int64(s, 2, index_reader_clamp(w->from.last));
    (void)sqlite3_bind_int64(s, 3, index_reader_clamp(w->from.id));
    for (size_t i = 0; i < w->n_values; i++)
        index_reader_bind(s, (int)i + 4, w->values[i]);
    w->lanes[w->n] = s;
    step(w, w->n++);
    w->at = w->n;
}

static bool
is_newer(sqlite3_stmt *a, sqlite3_stmt *b)
{
    int64_t x = sqlite3_column_int64(a, 0);
    int64_t y = sqlite3_column_int64(b, 0);

    return x != y ? x > y
                  : sqlite3_column_int64(a, 1) > sqlite3_column_int64(b, 1);
}

sqlite3_stmt *
index_walk_next(struct index_walk *w)
{
    size_t best = w->n;

    if (w->at < w->n)
        step(w, w->at);
    for (size_t i = 0; i < w->n; i++) {
        if (w->more[i] &&
            (best == w->n || is_newer(w->lanes[i], w->lanes[best])))
            best = i;
    }
    w->at = best;
    return best < w->n && w->e == ERR_OK ? w->lanes[best] : NULL;
}

struct index_place
index_walk_place(const struct index_walk *w)
{
    sqlite3_stmt *s = w->lanes[w->at];

    return (struct index_place){index_reader_u64(s, 0), index_reader_u64(s, 1)};
}

void
index_walk_end(struct index_walk *w)
{
    for (size_t i = 0; i < w->n; i++)
        (void)sqlite3_finalize(w->lanes[i]);
    w->n = w->at = 0;
}

/* ---- a page ---- */

#define NEWEST ((struct index_place){INT64_MAX, INT64_MAX})

static bool
read_cursor(struct span text, struct index_place *out)
{
    size_t dot = span_find(text, '.');

    return span_to_u64(span_head(text, dot), &out->last) &&
           span_to_u64(span_tail(text, dot + 1), &out->id) &&
           out->last <= INT64_MAX && out->id <= INT64_MAX;
}

static void
write_cursor(struct index_place p, char out[INDEX_CURSOR])
{
    (void)snprintf(out, INDEX_CURSOR, "%" PRIu64 ".%" PRIu64, p.last, p.id);
}

struct page {
    struct index_reader *reader;
    const struct index_list *q;
    const char *columns;
    const struct index_walk_ops *ops;
    void *ctx;
    struct index_page *out;
};

static struct index_walk
begin(const struct page *p, struct index_place from)
{
    struct index_walk w = {
        .reader = p->reader,
        .columns = p->columns,
        .since = p->q->since,
        .from = from,
    };

    /* No id is 0, so this is all that is before that time. */
    if (p->q->until > 0 && p->q->until <= from.last)
        w.from = (struct index_place){p->q->until, 0};
    p->ops->lanes(&w, p->ctx);
    return w;
}

/* One row more than the page has says that there is a next one. */
static enum err
give_page(const struct page *p, struct index_place from)
{
    size_t limit = p->q->limit > 0 && p->q->limit < INDEX_PAGE_MAX
                       ? p->q->limit
                       : INDEX_PAGE_MAX;
    struct index_walk w = begin(p, from);
    struct index_place end = from;
    size_t given = 0, looked = 0;
    sqlite3_stmt *s;

    p->out->next[0] = 0;
    while ((s = index_walk_next(&w)) != NULL) {
        bool enough = looked++ == INDEX_SCAN_MAX;
        bool wanted = !enough && p->ops->wanted(p->ctx, s);

        if (enough || (wanted && given == limit)) {
            write_cursor(end, p->out->next);
            break;
        }
        end = index_walk_place(&w);
        given += wanted;
        if (wanted)
            w.e = p->ops->give(p->ctx, s);
    }
    index_walk_end(&w);
    return w.e;
}

static enum err
count_all(const struct page *p)
{
    struct index_walk w = begin(p, NEWEST);
    size_t looked = 0;
    sqlite3_stmt *s;

    p->out->total = 0;
    p->out->exact = true;
    while (p->out->exact && (s = index_walk_next(&w)) != NULL) {
        if (looked++ == INDEX_SCAN_MAX)
            p->out->exact = false;
        else if (!p->ops->wanted(p->ctx, s))
            continue;
        else if (p->out->total == INDEX_TOTAL_MAX)
            p->out->exact = false;
        else
            p->out->total++;
    }
    index_walk_end(&w);
    return w.e;
}

enum err
index_walk_page(struct index_reader *r, const struct index_list *q,
                const char *columns, const struct index_walk_ops *ops,
                void *ctx, struct index_page *out)
{
    struct page p = {r, q, columns, ops, ctx, out};
    struct index_place from = NEWEST;
    enum err e = ERR_OK;
    int rc;

    if (q->after.n > 0 && !read_cursor(q->after, &from))
        return ERR_USAGE;
    rc = sqlite3_exec(r->db, "BEGIN", NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        return index_reader_failed(r, rc);
    e = give_page(&p, from);
    if (e == ERR_OK)
        e = count_all(&p);
    (void)sqlite3_exec(r->db, "COMMIT", NULL, NULL, NULL);
    return e;
}

enum err
index_walk_count(struct index_reader *r, const char *sql, struct span text,
                 uint64_t *out)
{
    sqlite3_stmt *s = NULL;
    enum err e = ERR_OK;
    int rc = sqlite3_prepare_v2(r->db, sql, -1, &s, NULL);

    if (rc == SQLITE_OK) {
        index_reader_bind(s, 1, text);
        rc = sqlite3_step(s);
    }
    if (rc == SQLITE_ROW)
        *out = index_reader_u64(s, 0);
    else
        e = index_reader_failed(r, rc);
    (void)sqlite3_finalize(s);
    return e;
}
