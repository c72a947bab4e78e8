#include "sensor/store/index_query.h"

#include <stdio.h>
#include <string.h>

#include "sensor/base/span.h"
#include "sensor/event/record.h"
#include "sensor/store/index_reader.h"
#include "sensor/store/index_schema.h"

#define COLUMNS                                                                \
    "SELECT seq, time, type, flow_id, event_id, src, dst, dport, direction,"   \
    " outcome, final_code, mail_from, message_id FROM events "
/* One bound above alone: of two SQLite would begin at either. */
#define RANGE  " time >= ?1 AND (time, seq) < (?3, ?4) "
#define NEWEST "ORDER BY 2 DESC, 1 DESC LIMIT ?6"

/* Behind every key that begins with ?2: no text has a character behind it. */
#define BEGINS "key >= ?2 AND key < ?2 || char(1114111)"

/* A host's own connections come from one index, those to it from another; each
 * range is in order, so SQLite merges them without sorting. */
#define OF_HOST(type)                                                          \
    COLUMNS "WHERE src = ?7 AND type = " type " AND" RANGE                     \
            "UNION ALL " COLUMNS "WHERE dst = ?7 AND src IS NOT ?7"            \
            " AND type = " type " AND" RANGE

static const char *const queries[] = {
    [QUERY_ANY] = COLUMNS "WHERE" RANGE NEWEST,
    [QUERY_TYPE] = COLUMNS "WHERE type = ?5 AND" RANGE NEWEST,
    [QUERY_HOST] = NULL, /* put_host */
    [QUERY_HOST_TYPE] = OF_HOST("?5") NEWEST,
    [QUERY_ID] = COLUMNS "WHERE event_id = ?1 LIMIT 1",
    [QUERY_LATEST] = "SELECT seq, record FROM latest WHERE type = ?1 AND "
                     "time >= ?2 ORDER BY time DESC, key LIMIT ?3",
    [QUERY_LATEST_KEY] =
        "SELECT seq, record FROM latest WHERE type = ?1 AND " BEGINS
        " ORDER BY key LIMIT ?3",
    [QUERY_LATEST_ONE] =
        "SELECT seq, record FROM latest WHERE type = ?1 AND key = ?2",
    [QUERY_ACTS] = "SELECT seq, record FROM acts WHERE type = ?1 ORDER BY seq",
    [QUERY_ACTS_OF] = "SELECT seq, record FROM acts WHERE type = ?1 AND"
                      " key = ?2 ORDER BY seq",
    [QUERY_ACTS_KEY] =
        "SELECT seq, record FROM acts WHERE type = ?1 AND " BEGINS
        " ORDER BY seq",
    [QUERY_POSITION] = "SELECT seq FROM position",
    [QUERY_ACTS_AT] = "SELECT seq, record FROM acts WHERE seq = ?1",
    /* by seq: the index by type would have to be sorted */
    [QUERY_ACTS_LAST] = "SELECT seq, record FROM acts WHERE +type = ?1"
                        " ORDER BY seq DESC LIMIT 1",
    [QUERY_ACTS_NEWEST] = "SELECT coalesce(max(seq), 0) FROM acts WHERE"
                          " type <> 'said'",
};

enum err
index_reader_failed(struct index_reader *r, int rc)
{
    (void)snprintf(r->why, sizeof(r->why), "%s", sqlite3_errmsg(r->db));
    switch (rc & 0xff) {
    case SQLITE_NOMEM: return ERR_NOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ERR_BUSY;
    case SQLITE_IOERR: return ERR_IO;
    case SQLITE_CANTOPEN: return ERR_NOENT;
    default: return ERR_STORE;
    }
}

/* A record of another build would be read as something else, or as nothing. */
static enum err
check_version(struct index_reader *r)
{
    sqlite3_stmt *s = NULL;
    int64_t version = 0;
    enum err e = ERR_OK;
    int rc = sqlite3_prepare_v2(r->db, "PRAGMA user_version", -1, &s, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(s);
    if (rc == SQLITE_ROW)
        version = sqlite3_column_int64(s, 0);
    else
        e = index_reader_failed(r, rc);
    (void)sqlite3_finalize(s);
    if (e != ERR_OK || version == (int64_t)index_version())
        return e;
    (void)snprintf(r->why, sizeof(r->why), "%s",
                   version == 0 ? "not made yet"
                                : "made by another version of span25");
    return version == 0 ? ERR_NOENT : ERR_FORMAT;
}

/* Of any type: the types one behind the other. */
static void
put_host(struct buf *sql)
{
    for (unsigned t = EVENT_NONE + 1; t < EVENT_TYPE_COUNT; t++) {
        const char *name = event_type_name((enum event_type)t);

        buf_printf(sql, "%s" OF_HOST("'%s'"), t > 1 ? "UNION ALL " : "", name,
                   name);
    }
    buf_str(sql, NEWEST);
    buf_putc(sql, 0);
}

static enum err
prepare(struct index_reader *r, enum index_reader_query q)
{
    struct buf sql;
    enum err e = ERR_OK;
    int rc = SQLITE_NOMEM;

    buf_init(&sql, 65536);
    if (queries[q] != NULL)
        buf_put(&sql, queries[q], strlen(queries[q]) + 1);
    else
        put_host(&sql);
    if (!sql.cut && !sql.failed)
        rc = sqlite3_prepare_v3(r->db, (const char *)sql.p, -1,
                                SQLITE_PREPARE_PERSISTENT, &r->s[q], NULL);
    if (rc != SQLITE_OK)
        e = index_reader_failed(r, rc);
    buf_free(&sql);
    return e;
}

static enum err
open_db(struct index_reader *r, const char *path)
{
    enum err e = ERR_OK;
    int rc = sqlite3_open_v2(path, &r->db,
                             SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);

    if (rc != SQLITE_OK)
        return r->db != NULL ? index_reader_failed(r, rc) : ERR_NOMEM;
    (void)sqlite3_busy_timeout(r->db, 2000);
    e = check_version(r);
    for (int q = 0; q < QUERY_COUNT && e == ERR_OK; q++)
        e = prepare(r, (enum index_reader_query)q);
    return e;
}

enum err
index_reader_open(const char *dir, struct index_reader **out,
                  struct buf *message)
{
    struct index_reader *r = calloc(1, sizeof(*r));
    struct buf path;
    enum err e = ERR_NOMEM;

    if (r == NULL)
        return ERR_NOMEM;
    buf_init(&path, 8192);
    buf_str(&path, dir);
    buf_put(&path, INDEX_FILE, sizeof(INDEX_FILE));
    if (!path.cut && !path.failed)
        e = open_db(r, (const char *)path.p);
    buf_free(&path);
    if (e != ERR_OK) {
        buf_str(message, dir);
        buf_str(message, INDEX_FILE ": ");
        buf_str(message, r->why[0] != 0 ? r->why : err_text(e));
        index_reader_close(r);
        return e;
    }
    *out = r;
    return ERR_OK;
}

void
index_reader_close(struct index_reader *r)
{
    if (r == NULL)
        return;
    for (int q = 0; q < QUERY_COUNT; q++)
        (void)sqlite3_finalize(r->s[q]);
    (void)sqlite3_close(r->db);
    free(r);
}

struct span
index_reader_text(sqlite3_stmt *s, int column)
{
    const unsigned char *p = sqlite3_column_text(s, column);

    if (p == NULL)
        return SPAN_NONE;
    return span_of(p, (size_t)sqlite3_column_bytes(s, column));
}

static bool
addr_at(sqlite3_stmt *s, int column, struct addr *out)
{
    const void *p = sqlite3_column_blob(s, column);

    if (p == NULL || sqlite3_column_bytes(s, column) != (int)sizeof(out->b))
        return false;
    memcpy(out->b, p, sizeof(out->b));
    return true;
}

uint64_t
index_reader_u64(sqlite3_stmt *s, int column)
{
    return (uint64_t)sqlite3_column_int64(s, column);
}

static struct index_event
event_at(sqlite3_stmt *s)
{
    struct index_event e = {
        .seq = index_reader_u64(s, INDEX_seq),
        .when = index_reader_u64(s, INDEX_time),
        .flow_id = index_reader_u64(s, INDEX_flow_id),
        .dport = index_reader_u64(s, INDEX_dport),
        .final_code = index_reader_u64(s, INDEX_final_code),
        .event_id = index_reader_text(s, INDEX_event_id),
        .type = index_reader_text(s, INDEX_type),
        .direction = index_reader_text(s, INDEX_direction),
        .outcome = index_reader_text(s, INDEX_outcome),
        .mail_from = index_reader_text(s, INDEX_mail_from),
        .message_id = index_reader_text(s, INDEX_message_id),
    };

    e.has_src = addr_at(s, INDEX_src, &e.src);
    e.has_dst = addr_at(s, INDEX_dst, &e.dst);
    return e;
}

/* Gives all rows out; the statement is ready for its next use. */
static enum err
give_rows(struct index_reader *r, sqlite3_stmt *s,
          void (*row)(void *ctx, const struct index_event *e), void *ctx)
{
    enum err e = ERR_OK;
    int rc;

    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        struct index_event event = event_at(s);

        row(ctx, &event);
    }
    if (rc != SQLITE_DONE)
        e = index_reader_failed(r, rc);
    (void)sqlite3_reset(s);
    (void)sqlite3_clear_bindings(s);
    return e;
}

int64_t
index_reader_clamp(uint64_t v)
{
    return v < INT64_MAX ? (int64_t)v : INT64_MAX;
}

enum err
index_events(struct index_reader *r, const struct index_query *q,
             void (*row)(void *ctx, const struct index_event *e), void *ctx)
{
    static const enum index_reader_query by[2][2] = {
        {QUERY_ANY,  QUERY_TYPE     },
        {QUERY_HOST, QUERY_HOST_TYPE},
    };
    sqlite3_stmt *s = r->s[by[q->host != NULL][q->type != NULL]];
    bool first = q->before_when == 0 && q->before_seq == 0;
    size_t limit =
        q->limit > 0 && q->limit < INDEX_LIMIT_MAX ? q->limit : INDEX_LIMIT_MAX;
    uint64_t when = first ? INT64_MAX : q->before_when;
    uint64_t seq = first ? INT64_MAX : q->before_seq;

    if (q->to > 0 && q->to <= when) {
        when = q->to;
        seq = 0; /* no event has it */
    }
    (void)sqlite3_bind_int64(s, 1, index_reader_clamp(q->from));
    (void)sqlite3_bind_int64(s, 3, index_reader_clamp(when));
    (void)sqlite3_bind_int64(s, 4, index_reader_clamp(seq));
    if (q->type != NULL)
        (void)sqlite3_bind_text(s, 5, q->type, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(s, 6, (int64_t)limit);
    if (q->host != NULL)
        (void)sqlite3_bind_blob(s, 7, q->host->b, (int)sizeof(q->host->b),
                                SQLITE_STATIC);
    return give_rows(r, s, row, ctx);
}

enum err
index_event_by_id(struct index_reader *r, struct span id,
                  void (*row)(void *ctx, const struct index_event *e),
                  void *ctx)
{
    sqlite3_stmt *s = r->s[QUERY_ID];

    if (id.n > 255)
        return ERR_OK;
    (void)sqlite3_bind_text(s, 1, id.n > 0 ? (const char *)id.p : "", (int)id.n,
                            SQLITE_STATIC);
    return give_rows(r, s, row, ctx);
}

/* ---- records ---- */

static enum err
give_records(struct index_reader *r, sqlite3_stmt *s, index_record_row *row,
             void *ctx)
{
    enum err e = ERR_OK;
    int rc;

    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        const void *p = sqlite3_column_blob(s, 1);
        struct span record = span_of(p, (size_t)sqlite3_column_bytes(s, 1));

        if (p != NULL && record_check(record))
            row(ctx, index_reader_u64(s, 0), record);
    }
    if (rc != SQLITE_DONE)
        e = index_reader_failed(r, rc);
    (void)sqlite3_reset(s);
    (void)sqlite3_clear_bindings(s);
    return e;
}

void
index_reader_bind(sqlite3_stmt *s, int column, struct span v)
{
    (void)sqlite3_bind_text(s, column, v.n > 0 ? (const char *)v.p : "",
                            (int)v.n, SQLITE_STATIC);
}

static void
bind_limit(sqlite3_stmt *s, int column, size_t limit)
{
    (void)sqlite3_bind_int64(s, column,
                             limit > 0 ? index_reader_clamp(limit) : INT64_MAX);
}

enum err
index_latest(struct index_reader *r, const char *type, ns_t from, size_t limit,
             index_record_row *row, void *ctx)
{
    sqlite3_stmt *s = r->s[QUERY_LATEST];

    index_reader_bind(s, 1, span_str(type));
    (void)sqlite3_bind_int64(s, 2, index_reader_clamp(from));
    bind_limit(s, 3, limit);
    return give_records(r, s, row, ctx);
}

enum err
index_latest_key(struct index_reader *r, const char *type, struct span begins,
                 size_t limit, index_record_row *row, void *ctx)
{
    sqlite3_stmt *s = r->s[QUERY_LATEST_KEY];

    index_reader_bind(s, 1, span_str(type));
    index_reader_bind(s, 2, span_head(begins, 255));
    bind_limit(s, 3, limit);
    return give_records(r, s, row, ctx);
}

enum err
index_acts(struct index_reader *r, const char *type, struct span key,
           index_record_row *row, void *ctx)
{
    sqlite3_stmt *s = r->s[key.n > 0 ? QUERY_ACTS_OF : QUERY_ACTS];

    index_reader_bind(s, 1, span_str(type));
    if (key.n > 0)
        index_reader_bind(s, 2, span_head(key, 255));
    return give_records(r, s, row, ctx);
}

enum err
index_acts_last(struct index_reader *r, const char *type, index_record_row *row,
                void *ctx)
{
    sqlite3_stmt *s = r->s[QUERY_ACTS_LAST];

    index_reader_bind(s, 1, span_str(type));
    return give_records(r, s, row, ctx);
}

enum err
index_acts_key(struct index_reader *r, const char *type, struct span begins,
               index_record_row *row, void *ctx)
{
    sqlite3_stmt *s = r->s[QUERY_ACTS_KEY];

    index_reader_bind(s, 1, span_str(type));
    index_reader_bind(s, 2, span_head(begins, 255));
    return give_records(r, s, row, ctx);
}

enum err
index_act_at(struct index_reader *r, uint64_t seq, index_record_row *row,
             void *ctx)
{
    sqlite3_stmt *s = r->s[QUERY_ACTS_AT];

    (void)sqlite3_bind_int64(s, 1, index_reader_clamp(seq));
    return give_records(r, s, row, ctx);
}

enum err
index_reader_latest(struct index_reader *r, const char *type, struct span key,
                    index_record_row *row, void *ctx)
{
    sqlite3_stmt *s = r->s[QUERY_LATEST_ONE];

    index_reader_bind(s, 1, span_str(type));
    index_reader_bind(s, 2, key);
    return give_records(r, s, row, ctx);
}

static enum err
give_number(struct index_reader *r, sqlite3_stmt *s, uint64_t *out)
{
    int rc = sqlite3_step(s);
    enum err e = rc == SQLITE_ROW ? ERR_OK : index_reader_failed(r, rc);

    if (e == ERR_OK)
        *out = index_reader_u64(s, 0);
    (void)sqlite3_reset(s);
    return e;
}

enum err
index_reader_position(struct index_reader *r, uint64_t *out)
{
    return give_number(r, r->s[QUERY_POSITION], out);
}

enum err
index_acts_newest(struct index_reader *r, uint64_t *out)
{
    return give_number(r, r->s[QUERY_ACTS_NEWEST], out);
}

void
index_reader_why(const struct index_reader *r, struct buf *out)
{
    buf_str(out, r->why);
}
