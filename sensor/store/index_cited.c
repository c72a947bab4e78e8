#include "sensor/store/index_cited.h"

#include <string.h>

#include "sensor/store/index_reader.h"

#define LIST_MAX 256U /* bytes of a list's name; longer ones are none */

/* ---- writing ---- */

static const char more_sql[] =
    "UPDATE cited SET first = min(first, ?4), last = max(last, ?4),"
    " replies = replies + 1 WHERE list = ?1 AND host = ?2 AND server = ?3";
static const char put_sql[] = "INSERT INTO cited VALUES(?1, ?2, ?3, ?4, ?4, 1)";

static int
count_rows(sqlite3 *db, uint64_t *out)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(db, "SELECT count(*) FROM cited", -1, &s, NULL);

    if (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        *out = index_reader_u64(s, 0);
        rc = SQLITE_OK;
    }
    (void)sqlite3_finalize(s);
    return rc;
}

int
index_cited_open(struct sqlite3 *db, struct index_cited *out)
{
    int rc = sqlite3_prepare_v3(db, put_sql, -1, SQLITE_PREPARE_PERSISTENT,
                                &out->put, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v3(db, more_sql, -1, SQLITE_PREPARE_PERSISTENT,
                                &out->more, NULL);
    return rc == SQLITE_OK ? count_rows(db, &out->rows) : rc;
}

void
index_cited_close(struct index_cited *c)
{
    (void)sqlite3_finalize(c->put);
    (void)sqlite3_finalize(c->more);
    *c = (struct index_cited){0};
}

/* What a reply belongs to. */
struct reply {
    struct addr host, server;
    ns_t when;
};

static int
run(sqlite3_stmt *s, const struct reply *of, struct span list)
{
    int rc;

    index_reader_bind(s, 1, list);
    (void)sqlite3_bind_blob(s, 2, of->host.b, sizeof(of->host.b),
                            SQLITE_STATIC);
    (void)sqlite3_bind_blob(s, 3, of->server.b, sizeof(of->server.b),
                            SQLITE_STATIC);
    (void)sqlite3_bind_int64(s, 4, index_reader_clamp(of->when));
    rc = sqlite3_step(s);
    (void)sqlite3_reset(s);
    (void)sqlite3_clear_bindings(s);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Lists are named by their domains. */
static bool
is_name(struct span list)
{
    for (size_t i = 0; i < list.n; i++) {
        if (list.p[i] <= ' ' || list.p[i] > '~')
            return false;
    }
    return list.n > 0 && list.n <= LIST_MAX;
}

static int
put_one(struct index_cited *c, const struct reply *of, struct span list)
{
    int rc;

    if (!is_name(list))
        return SQLITE_OK;
    rc = run(c->more, of, list);
    if (rc != SQLITE_OK || sqlite3_changes(sqlite3_db_handle(c->more)) > 0 ||
        c->rows >= INDEX_CITED_MAX)
        return rc;
    c->rows++;
    return run(c->put, of, list);
}

static struct span
list_in(struct span object, enum field field)
{
    struct cursor c = cur_open(object);
    struct record_entry e;

    while (record_next(&c, &e)) {
        if (e.field == field)
            return e.value;
    }
    return SPAN_NONE;
}

/* The last reply is that to a message; else it is one of those before. */
static bool
is_final(const struct record_map *m)
{
    return record_map_has(m, FIELD_SMTP_VIA) &&
           (!record_map_has(m, FIELD_SMTP_LAST) ||
            record_map_bool(m, FIELD_SMTP_LAST));
}

int
index_cited_put(struct index_cited *c, struct span record)
{
    struct reply of = {.when = record_head_of(record).when};
    struct cursor entries = record_entries_of(record);
    struct record_map m;
    struct record_entry e;
    int rc = SQLITE_OK;

    if (record_head_of(record).type != EVENT_SMTP)
        return SQLITE_OK;
    record_map_init(&m, record);
    if (!record_map_is(&m, FIELD_DIRECTION, "outbound") ||
        !record_map_addr(&m, FIELD_SRC_IP, &of.host) ||
        !record_map_addr(&m, FIELD_DEST_IP, &of.server))
        return SQLITE_OK;
    while (rc == SQLITE_OK && record_next(&entries, &e)) {
        struct span list = SPAN_NONE;

        if (e.field == FIELD_SMTP_RCPT)
            list = list_in(e.value, FIELD_SMTP_RCPT_LIST);
        else if (e.field == FIELD_SMTP_REPLIES)
            list = list_in(e.value, FIELD_SMTP_REPLIES_LIST);
        else if (e.field == FIELD_SMTP_FINAL_LIST && is_final(&m))
            list = e.value;
        rc = put_one(c, &of, list);
    }
    return rc;
}

/* ---- reading ---- */

static const char list_sql[] =
    "SELECT list, host, count(*), sum(replies), min(first), max(last),"
    " count(*) OVER () FROM cited WHERE last >= ?1 GROUP BY list, host"
    " ORDER BY 3 DESC, 4 DESC, list, host LIMIT ?2";

static bool
listing_at(sqlite3_stmt *s, struct index_listing *out)
{
    const void *host = sqlite3_column_blob(s, 1);

    *out = (struct index_listing){
        .list = index_reader_text(s, 0),
        .servers = index_reader_u64(s, 2),
        .replies = index_reader_u64(s, 3),
        .first = index_reader_u64(s, 4),
        .last = index_reader_u64(s, 5),
    };
    if (host == NULL || sqlite3_column_bytes(s, 1) != (int)sizeof(out->host.b))
        return false;
    memcpy(out->host.b, host, sizeof(out->host.b));
    return true;
}

enum err
index_cited_list(struct index_reader *r, ns_t from, size_t limit,
                 void (*row)(void *ctx, const struct index_listing *l),
                 void *ctx, struct index_cited_page *out)
{
    sqlite3_stmt *s = NULL;
    uint64_t rows = 0;
    int rc = count_rows(r->db, &rows);

    *out = (struct index_cited_page){.exact = rows < INDEX_CITED_MAX};
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(r->db, list_sql, -1, &s, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(s, 1, index_reader_clamp(from));
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(s, 2, index_reader_clamp(limit));
    while (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        struct index_listing l;

        out->total = index_reader_u64(s, 6);
        if (listing_at(s, &l))
            row(ctx, &l);
        rc = SQLITE_OK;
    }
    (void)sqlite3_finalize(s);
    return rc == SQLITE_DONE ? ERR_OK : index_reader_failed(r, rc);
}
