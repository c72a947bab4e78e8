#include "sensor/store/index_rows.h"

#include <sqlite3.h>

#include "sensor/base/text.h"
#include "sensor/event/host_level.h"
#include "sensor/store/index_list.h"

/* The status is that of the last act, which may be older than the row where
 * the alert was gone for a while. */
static const char alert_sql[] =
    "INSERT INTO alerts VALUES(?1,?2,?3,?4,?5,?6,?7,coalesce((SELECT status"
    " FROM acts WHERE type = 'act' AND key = ?2 AND status IS NOT NULL"
    " ORDER BY seq DESC LIMIT 1), 0),?8,?9,?10,?11) ON CONFLICT(key) DO UPDATE"
    " SET host = ?3, subject = ?4, rule = ?5, site = ?6, title = ?7,"
    " severity = ?8, first = ?9, last = ?10, count = ?11";
static const char host_sql[] =
    "INSERT INTO hosts VALUES(?1,?2,?3,?4,?5,?6,?7,?8) ON CONFLICT(key) DO"
    " UPDATE SET name = ?3, site = ?4, registered = ?5, level = ?6, last = ?7,"
    " sessions = ?8";

#define TEXTS 6 /* of a row at most */

/* A row being bound: texts are offsets until all are there, for the room may
 * move while it grows. */
struct row {
    sqlite3_stmt *s;
    struct buf *room;
    struct {
        int column;
        size_t at, n;
    } texts[TEXTS];
    size_t n;
};

int
index_rows_open(struct sqlite3 *db, struct index_rows *out)
{
    int rc = sqlite3_prepare_v3(db, alert_sql, -1, SQLITE_PREPARE_PERSISTENT,
                                &out->alert, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v3(db, host_sql, -1, SQLITE_PREPARE_PERSISTENT,
                                &out->host, NULL);
    return rc;
}

void
index_rows_close(struct index_rows *r)
{
    (void)sqlite3_finalize(r->alert);
    (void)sqlite3_finalize(r->host);
    *r = (struct index_rows){0};
}

static struct row
row_of(sqlite3_stmt *s, struct buf *room)
{
    buf_reset(room);
    return (struct row){.s = s, .room = room};
}

static void
put_text(struct row *r, int column, struct span v)
{
    size_t at = r->room->n;

    (void)text_utf8(r->room, v);
    r->texts[r->n].column = column;
    r->texts[r->n].at = at;
    r->texts[r->n++].n = r->room->n - at;
}

static void
put_number(struct row *r, int column, uint64_t v)
{
    (void)sqlite3_bind_int64(r->s, column,
                             v < INT64_MAX ? (int64_t)v : INT64_MAX);
}

static void
put_time(struct row *r, int column, ns_t v)
{
    put_number(r, column, v / NS_PER_US * NS_PER_US);
}

static int
write_row(struct row *r)
{
    int rc = r->room->cut || r->room->failed ? SQLITE_NOMEM : SQLITE_OK;

    for (size_t i = 0; i < r->n && rc == SQLITE_OK; i++)
        rc = sqlite3_bind_text(
            r->s, r->texts[i].column,
            r->texts[i].n > 0 ? (const char *)r->room->p + r->texts[i].at : "",
            (int)r->texts[i].n, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(r->s);
    (void)sqlite3_reset(r->s);
    (void)sqlite3_clear_bindings(r->s);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int
bind_key(struct row *r, struct span key, uint64_t seq)
{
    put_number(r, 1, seq);
    return sqlite3_bind_text(r->s, 2, (const char *)key.p, (int)key.n,
                             SQLITE_TRANSIENT);
}

static int
put_alert(struct index_rows *rows, const struct record_map *m, struct span key,
          uint64_t seq, struct buf *room)
{
    struct row r = row_of(rows->alert, room);
    struct span subject = record_map_find(m, FIELD_ALERT_SUBJECT);
    uint64_t severity =
        record_map_u64(m, FIELD_ALERT_SEVERITY, INDEX_SEVERITIES);
    int rc = bind_key(&r, key, seq);

    if (rc != SQLITE_OK)
        return rc;
    severity = severity > INDEX_SEVERITIES ? INDEX_SEVERITIES : severity;
    put_text(&r, 3, span_head(subject, span_find(subject, ' ')));
    put_text(&r, 4, subject);
    put_text(&r, 5, record_map_find(m, FIELD_ALERT_RULE));
    put_text(&r, 6, record_map_find(m, FIELD_ALERT_SITE));
    put_text(&r, 7, record_map_find(m, FIELD_ALERT_SIGNATURE));
    for (size_t i = r.texts[4].at; i < room->n; i++)
        room->p[i] = index_list_fold(room->p[i]);
    put_number(&r, 8, severity > 0 ? severity : 1);
    put_time(&r, 9, record_map_u64(m, FIELD_ALERT_FIRST, 0));
    put_time(&r, 10, record_map_u64(m, FIELD_ALERT_LAST, 0));
    put_number(&r, 11, record_map_u64(m, FIELD_ALERT_COUNT, 0));
    return write_row(&r);
}

static int
put_host(struct index_rows *rows, const struct record_map *m, struct span key,
         uint64_t seq, struct buf *room)
{
    struct row r = row_of(rows->host, room);
    struct span site = record_map_find(m, FIELD_SRC_REG_SITE);
    int rc = bind_key(&r, key, seq);

    if (rc != SQLITE_OK)
        return rc;
    put_text(&r, 3, record_map_find(m, FIELD_HOST_NAME));
    for (size_t i = 0; i < room->n; i++)
        room->p[i] = index_list_fold(room->p[i]);
    put_text(&r, 4,
             site.n > 0 ? site : record_map_find(m, FIELD_SRC_HOST_SITE));
    put_text(&r, 5, record_map_find(m, FIELD_SRC_REG_STATE));
    put_number(&r, 6, (uint64_t)host_level_of(m));
    put_time(&r, 7, record_map_u64(m, FIELD_HOST_LAST, 0));
    put_number(&r, 8, record_map_u64(m, FIELD_HOST_SESSIONS, 0));
    return write_row(&r);
}

int
index_rows_put(struct index_rows *r, struct span record, struct span key,
               uint64_t seq, struct buf *room)
{
    enum event_type type = record_head_of(record).type;
    struct record_map m;

    if (type != EVENT_HOST && (type != EVENT_ALERT || key.n != INDEX_ALERT_ID))
        return SQLITE_OK;
    record_map_init(&m, record);
    return type == EVENT_HOST ? put_host(r, &m, key, seq, room)
                              : put_alert(r, &m, key, seq, room);
}
