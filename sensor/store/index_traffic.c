#include "sensor/store/index_traffic.h"

#include <string.h>

#include "sensor/store/index_list.h"
#include "sensor/store/index_reader.h"

#define HOUR_NS    (3600 * NS_PER_S)
#define BYTES_MOST (UINT64_C(1) << 48) /* of an hour */

/* ---- writing ---- */

_Static_assert(INDEX_STATUS_CLOSED == 3, "as the statement says");
static const char hour_sql[] =
    "INSERT OR IGNORE INTO hours VALUES(?1, (SELECT coalesce(sum(n), 0) FROM"
    " alert_counts WHERE severity = 1 AND status <> 3), 0, 0)";
static const char sight_sql[] =
    "UPDATE hours SET seen = ?2, unseen = ?3 WHERE hour = ?1";
static const char slot_sql[] =
    "INSERT INTO slots VALUES(?1, ?2, 1) ON CONFLICT(slot, class) DO UPDATE"
    " SET n = n + 1";
static const char more_sql[] =
    "UPDATE senders SET sessions = sessions + ?3, rcpt = rcpt + ?4,"
    " refused = refused + ?5, unregistered = ?6 WHERE hour = ?1 AND host = ?2";
static const char put_sql[] =
    "INSERT INTO senders VALUES(?1, ?2, ?6, ?3, ?4, ?5)";
static const char old_hours_sql[] = "DELETE FROM hours WHERE hour < ?1";
static const char old_slots_sql[] = "DELETE FROM slots WHERE slot < ?1 * 6";
static const char cut_sql[] = "DELETE FROM senders WHERE hour < ?1";
_Static_assert(HOUR_NS / INDEX_TRAFFIC_STEP == 6, "as the statement says");

static int
count_rows(sqlite3 *db, uint64_t *out)
{
    sqlite3_stmt *s = NULL;
    int rc =
        sqlite3_prepare_v2(db, "SELECT count(*) FROM senders", -1, &s, NULL);

    if (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        *out = index_reader_u64(s, 0);
        rc = SQLITE_OK;
    }
    (void)sqlite3_finalize(s);
    return rc;
}

int
index_traffic_open(struct sqlite3 *db, struct index_traffic *out)
{
    const struct {
        const char *sql;
        sqlite3_stmt **s;
    } all[] = {
        {hour_sql,      &out->hour  },
        {sight_sql,     &out->sight },
        {slot_sql,      &out->slot  },
        {more_sql,      &out->more  },
        {put_sql,       &out->put   },
        {old_hours_sql, &out->old[0]},
        {old_slots_sql, &out->old[1]},
        {cut_sql,       &out->cut   },
    };
    int rc = count_rows(db, &out->rows);

    for (size_t i = 0; i < ARRAY_LEN(all) && rc == SQLITE_OK; i++)
        rc = sqlite3_prepare_v3(db, all[i].sql, -1, SQLITE_PREPARE_PERSISTENT,
                                all[i].s, NULL);
    return rc;
}

void
index_traffic_close(struct index_traffic *t)
{
    sqlite3_stmt *const all[] = {t->hour, t->sight,  t->slot,   t->more,
                                 t->put,  t->old[0], t->old[1], t->cut};

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        (void)sqlite3_finalize(all[i]);
    *t = (struct index_traffic){0};
}

static int
run(sqlite3_stmt *s)
{
    int rc = sqlite3_step(s);

    (void)sqlite3_reset(s);
    (void)sqlite3_clear_bindings(s);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Another hour than that of the record before: once an hour, but for events
 * that come a little late. */
static int
see_hour(struct index_traffic *t, uint64_t hour)
{
    const bool later = hour > t->at;
    sqlite3_stmt *const old[] = {t->old[0], t->old[1], t->cut};
    int rc;

    if (hour == t->at)
        return SQLITE_OK;
    (void)sqlite3_bind_int64(t->hour, 1, (int64_t)hour);
    rc = run(t->hour);
    for (size_t i = 0; i < ARRAY_LEN(old) && rc == SQLITE_OK && later &&
                       hour > INDEX_TRAFFIC_HOURS;
         i++) {
        (void)sqlite3_bind_int64(old[i], 1,
                                 (int64_t)(hour - INDEX_TRAFFIC_HOURS));
        rc = run(old[i]);
    }
    if (rc == SQLITE_OK && later && hour > INDEX_TRAFFIC_HOURS) {
        const uint64_t gone =
            (uint64_t)sqlite3_changes(sqlite3_db_handle(t->cut));

        t->rows -= gone < t->rows ? gone : t->rows;
    }
    t->at = hour;
    return rc;
}

/* Counts of hostile events stay such that all of them can be added up. */
static uint64_t
at_most(const struct record_map *m, enum field f, uint64_t most)
{
    const uint64_t n = record_map_u64(m, f, 0);

    return n < most ? n : most;
}

/* A live sensor tells of the last minutes, a capture of all of it; what workers
 * count since their start is neither. */
static int
put_sight(struct index_traffic *t, uint64_t hour, struct span record)
{
    struct record_map m;
    enum field seen = FIELD_SIGHT_SEEN, unseen = FIELD_SIGHT_UNSEEN;

    record_map_init(&m, record);
    if (!record_map_has(&m, FIELD_SIGHT_WINDOW)) {
        if (!record_map_has(&m, FIELD_STATS_BYTES_SEEN) ||
            record_map_has(&m, FIELD_STATS_WORKER))
            return SQLITE_OK;
        seen = FIELD_STATS_BYTES_SEEN;
        unseen = FIELD_STATS_BYTES_LOST;
    }
    (void)sqlite3_bind_int64(t->sight, 1, (int64_t)hour);
    (void)sqlite3_bind_int64(t->sight, 2,
                             (int64_t)at_most(&m, seen, BYTES_MOST));
    (void)sqlite3_bind_int64(t->sight, 3,
                             (int64_t)at_most(&m, unseen, BYTES_MOST));
    return run(t->sight);
}

static int
put_slot(struct index_traffic *t, ns_t when, enum index_traffic_class c)
{
    (void)sqlite3_bind_int64(t->slot, 1, (int64_t)(when / INDEX_TRAFFIC_STEP));
    (void)sqlite3_bind_int64(t->slot, 2, (int64_t)c);
    return run(t->slot);
}

/* What a record adds to its sender. */
struct adds {
    struct addr host;
    bool unregistered;
    uint64_t hour, sessions, rcpt, refused;
};

static int
put_sender(sqlite3_stmt *s, const struct adds *a)
{
    (void)sqlite3_bind_int64(s, 1, (int64_t)a->hour);
    (void)sqlite3_bind_blob(s, 2, a->host.b, sizeof(a->host.b), SQLITE_STATIC);
    (void)sqlite3_bind_int64(s, 3, index_reader_clamp(a->sessions));
    (void)sqlite3_bind_int64(s, 4, index_reader_clamp(a->rcpt));
    (void)sqlite3_bind_int64(s, 5, index_reader_clamp(a->refused));
    (void)sqlite3_bind_int(s, 6, a->unregistered);
    return run(s);
}

static int
add_sender(struct index_traffic *t, const struct adds *a)
{
    int rc = put_sender(t->more, a);

    if (rc != SQLITE_OK || sqlite3_changes(sqlite3_db_handle(t->more)) > 0 ||
        t->rows >= INDEX_TRAFFIC_MAX)
        return rc;
    t->rows++;
    return put_sender(t->put, a);
}

int
index_traffic_put(struct index_traffic *t, struct span record)
{
    const struct record_head h = record_head_of(record);
    const bool session = h.type == EVENT_SMTP_SESSION;
    struct adds a = {.hour = h.when / HOUR_NS, .sessions = session};
    struct record_map m;
    int rc = h.type == EVENT_CONTROL ? SQLITE_OK : see_hour(t, a.hour);

    if (rc == SQLITE_OK && h.type == EVENT_STATS)
        return put_sight(t, a.hour, record);
    if (rc != SQLITE_OK || (!session && h.type != EVENT_SMTP))
        return rc;
    record_map_init(&m, record);
    if (record_map_is(&m, FIELD_DIRECTION, "inbound"))
        return session ? put_slot(t, h.when, INDEX_TRAFFIC_INBOUND) : rc;
    if (!record_map_is(&m, FIELD_DIRECTION, "outbound") ||
        !record_map_addr(&m, FIELD_SRC_IP, &a.host))
        return rc;
    a.unregistered = !record_map_is(&m, FIELD_SRC_REG_STATE, "registered");
    /* Of a mail that is told in parts the last one counts them all. */
    if (!session && record_map_has(&m, FIELD_SMTP_LAST) &&
        !record_map_bool(&m, FIELD_SMTP_LAST))
        return rc;
    if (!session) {
        a.rcpt = at_most(&m, FIELD_SMTP_RCPT_OFFERED, UINT32_MAX);
        a.refused = at_most(&m, FIELD_SMTP_RCPT_REFUSED, UINT32_MAX);
    } else {
        rc = put_slot(t, h.when,
                      a.unregistered ? INDEX_TRAFFIC_UNREGISTERED
                                     : INDEX_TRAFFIC_REGISTERED);
    }
    return rc == SQLITE_OK ? add_sender(t, &a) : rc;
}

void
index_traffic_undo(struct index_traffic *t)
{
    t->at = 0;
}

/* ---- reading ---- */

enum err
index_traffic_slots(struct index_reader *r, ns_t from, ns_t to,
                    void (*row)(void *ctx, ns_t slot,
                                enum index_traffic_class c, uint64_t n),
                    void *ctx)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(r->db,
                                "SELECT slot, class, n FROM slots WHERE"
                                " slot >= ?1 AND slot < ?2 ORDER BY 1, 2",
                                -1, &s, NULL);

    if (rc == SQLITE_OK) {
        (void)sqlite3_bind_int64(s, 1, (int64_t)(from / INDEX_TRAFFIC_STEP));
        (void)sqlite3_bind_int64(s, 2, (int64_t)(to / INDEX_TRAFFIC_STEP));
    }
    while (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        const uint64_t c = index_reader_u64(s, 1);

        if (c < INDEX_TRAFFIC_CLASSES)
            row(ctx, index_reader_u64(s, 0) * INDEX_TRAFFIC_STEP,
                (enum index_traffic_class)c, index_reader_u64(s, 2));
        rc = SQLITE_OK;
    }
    (void)sqlite3_finalize(s);
    return rc == SQLITE_DONE ? ERR_OK : index_reader_failed(r, rc);
}

/* Registered or not is what the newest hour of the host says. */
static const char senders_sql[] =
    "SELECT host, sum(sessions), sum(rcpt), sum(refused), count(*) OVER (),"
    " sum(max(hour * 2 + unregistered) % 2) OVER (), sum(count(*)) OVER ()"
    " FROM (SELECT * FROM senders WHERE hour > ?1 AND hour <= ?2"
    " ORDER BY hour DESC LIMIT ?4) GROUP BY host"
    " ORDER BY 2 DESC, host LIMIT ?3";

static void
take_sender(sqlite3_stmt *s, struct index_senders *out,
            void (*row)(void *ctx, const struct index_sender *one), void *ctx)
{
    const void *host = sqlite3_column_blob(s, 0);
    struct index_sender one = {
        .sessions = index_reader_u64(s, 1),
        .rcpt = index_reader_u64(s, 2),
        .refused = index_reader_u64(s, 3),
    };

    out->total = index_reader_u64(s, 4);
    out->unregistered = index_reader_u64(s, 5);
    out->exact = out->exact && index_reader_u64(s, 6) < INDEX_TRAFFIC_READ;
    if (host == NULL || sqlite3_column_bytes(s, 0) != (int)sizeof(one.host.b))
        return;
    memcpy(one.host.b, host, sizeof(one.host.b));
    row(ctx, &one);
}

enum err
index_traffic_senders(struct index_reader *r, ns_t end, unsigned hours,
                      size_t limit,
                      void (*row)(void *ctx, const struct index_sender *s),
                      void *ctx, struct index_senders *out)
{
    const uint64_t last = end / HOUR_NS;
    sqlite3_stmt *s = NULL;
    uint64_t rows = 0;
    int rc = count_rows(r->db, &rows);

    *out = (struct index_senders){.exact = rows < INDEX_TRAFFIC_MAX};
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(r->db, senders_sql, -1, &s, NULL);
    if (rc == SQLITE_OK) {
        (void)sqlite3_bind_int64(s, 1,
                                 last > hours ? (int64_t)(last - hours) : -1);
        (void)sqlite3_bind_int64(s, 2, (int64_t)last);
        (void)sqlite3_bind_int64(s, 3, index_reader_clamp(limit));
        (void)sqlite3_bind_int64(s, 4, INDEX_TRAFFIC_READ);
    }
    while (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        take_sender(s, out, row, ctx);
        rc = SQLITE_OK;
    }
    (void)sqlite3_finalize(s);
    return rc == SQLITE_DONE ? ERR_OK : index_reader_failed(r, rc);
}

enum err
index_traffic_sight(struct index_reader *r, ns_t end, unsigned hours,
                    struct index_sight *out)
{
    const uint64_t last = end / HOUR_NS;
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(
        r->db,
        "SELECT count(*), coalesce(sum(seen), 0), coalesce(sum(unseen), 0)"
        " FROM hours WHERE hour > ?1 AND hour <= ?2",
        -1, &s, NULL);

    if (rc == SQLITE_OK) {
        (void)sqlite3_bind_int64(s, 1,
                                 last > hours ? (int64_t)(last - hours) : -1);
        (void)sqlite3_bind_int64(s, 2, (int64_t)last);
        rc = sqlite3_step(s);
    }
    if (rc == SQLITE_ROW)
        *out =
            (struct index_sight){index_reader_u64(s, 0), index_reader_u64(s, 1),
                                 index_reader_u64(s, 2)};
    (void)sqlite3_finalize(s);
    return rc == SQLITE_ROW ? ERR_OK : index_reader_failed(r, rc);
}

enum err
index_traffic_open_high(struct index_reader *r, ns_t when, uint64_t *out)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(r->db, "SELECT high FROM hours WHERE hour = ?1",
                                -1, &s, NULL);

    if (rc == SQLITE_OK) {
        (void)sqlite3_bind_int64(s, 1, (int64_t)(when / HOUR_NS));
        rc = sqlite3_step(s);
    }
    if (rc == SQLITE_ROW)
        *out = index_reader_u64(s, 0);
    (void)sqlite3_finalize(s);
    return rc == SQLITE_ROW    ? ERR_OK
           : rc == SQLITE_DONE ? ERR_NOENT
                               : index_reader_failed(r, rc);
}
