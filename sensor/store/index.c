#include "sensor/store/index.h"

#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sensor/base/hash.h"
#include "sensor/base/ns.h"
#include "sensor/base/text.h"
#include "sensor/event/record.h"
#include "sensor/store/index_cited.h"
#include "sensor/store/index_list.h"
#include "sensor/store/index_rows.h"
#include "sensor/store/index_schema.h"
#include "sensor/store/index_traffic.h"

/* Of the log (index.db-wal), in pages of 4 KiB. A part of it that no reader
 * needs is brought over from LOG_SOME on, but the log begins anew only in a
 * moment in which nobody reads it; where readers follow each other without a
 * gap there is none, and from LOG_MOST on those that are there are waited for:
 * who comes then reads the file itself. */
#define LOG_SOME 4000
#define LOG_MOST 16000
#define LOG_WAIT_MS                                                            \
    500 /* a reader that hangs costs each transaction so much                  \
         */
#define WAIT_MS 5000

struct index {
    sqlite3 *db;
    sqlite3_stmt *begin;
    sqlite3_stmt *insert;
    sqlite3_stmt *latest;
    sqlite3_stmt *act;
    sqlite3_stmt *move;
    sqlite3_stmt *commit;
    sqlite3_stmt *rollback;
    struct index_rows lists;
    struct index_cited cited;
    struct index_traffic traffic;
    struct buf text; /* strings of the row being bound */
    uint64_t position;
    uint64_t committed;
    unsigned rows; /* in the open transaction */
    char why[256];
};

static const enum field column_field[] = {
#define INDEX_FIELD(name, decl, field) FIELD_##field,
    INDEX_COLUMNS(INDEX_FIELD)
#undef INDEX_FIELD
};

static const char insert_sql[] =
    "INSERT INTO events VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)";
_Static_assert(INDEX_COLUMN_COUNT == 13, "a mark for each column");

static const char latest_sql[] =
    "INSERT INTO latest VALUES(?1,?2,?3,?4,?5) ON CONFLICT(type, key) DO"
    " UPDATE SET seq = ?3, time = ?4, record = ?5 WHERE seq < ?3";
static const char act_sql[] = "INSERT INTO acts VALUES(?1,?2,?3,?4,?6,?5)";

static const struct kept {
    enum event_type type;
    const char *kind; /* control.kind, or NULL */
    const char *name; /* the type that readers ask for */
    enum field key;   /* FIELD_SRC_IP: the host, with its lease */
    enum field subject;
    bool all; /* not only the newest */
} kepts[] = {
    {EVENT_ALERT,    NULL,        "alert",     FIELD_ALERT_ID,          FIELD_ALERT_SUBJECT,   false},
    {EVENT_HOST,     NULL,        "host",      FIELD_SRC_IP,            FIELD_SRC_IP,          false},
    {EVENT_DECISION, NULL,        "decision",  FIELD_DECISION_ID,
     FIELD_DECISION_SUBJECT,                                                                   true },
    {EVENT_CONTROL,  "alert",     "act",       FIELD_CONTROL_ALERT,     FIELD_CONTROL_ALERT,
     true                                                                                           },
    {EVENT_CONTROL,  "evidence",  "act",       FIELD_CONTROL_ALERT,     FIELD_CONTROL_ALERT,
     true                                                                                           },
    {EVENT_CONTROL,  "report",    "act",       FIELD_CONTROL_ALERT,     FIELD_CONTROL_ALERT,
     true                                                                                           },
    {EVENT_CONTROL,  "exception", "exception", FIELD_CONTROL_EXCEPTION,
     FIELD_CONTROL_SUBJECT,                                                                    true },
    {EVENT_CONTROL,  "block",     "block",     FIELD_CONTROL_SUBJECT,
     FIELD_CONTROL_SUBJECT,                                                                    true },
    {EVENT_CONTROL,  "policy",    "policy",    FIELD_CONTROL_ACTION,
     FIELD_CONTROL_ACTION,                                                                     true },
    {EVENT_CONTROL,  "registry",  "said",      FIELD_CONTROL_KIND,
     FIELD_CONTROL_SUBJECT,                                                                    true },
    {EVENT_CONTROL,  "test",      "said",      FIELD_CONTROL_KIND,      FIELD_CONTROL_SUBJECT,
     true                                                                                           },
    {EVENT_CONTROL,  "page",      "said",      FIELD_CONTROL_KIND,      FIELD_CONTROL_SUBJECT,
     true                                                                                           },
};

/* ---- version ---- */

static uint64_t
kept_number(const struct kept *k, uint64_t h)
{
    h = hash_span(span_str(k->kind != NULL ? k->kind : ""), h);
    h = hash_span(span_str(k->name), h);
    h = hash_mix(hash_mix(h, (uint64_t)k->type), (uint64_t)k->key);
    return hash_mix(hash_mix(h, (uint64_t)k->subject), k->all);
}

uint32_t
index_version(void)
{
    uint64_t h = hash_mix(record_coding(), INDEX_MEANING);

    for (size_t i = 0; index_tables[i] != NULL; i++)
        h = hash_span(span_str(index_tables[i]), h);
    for (size_t i = 0; i < ARRAY_LEN(column_field); i++)
        h = hash_mix(h, (uint64_t)column_field[i]);
    for (size_t i = 0; i < ARRAY_LEN(kepts); i++)
        h = kept_number(&kepts[i], h);
    return (uint32_t)(h % INT32_MAX) + 1;
}

/* ---- errors ---- */

static enum err
err_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return ERR_OK;
    case SQLITE_NOMEM: return ERR_NOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ERR_BUSY;
    case SQLITE_FULL:
    case SQLITE_IOERR: return ERR_IO;
    case SQLITE_PERM:
    case SQLITE_READONLY: return ERR_PERM;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return ERR_CORRUPT;
    default: return ERR_STORE;
    }
}

static enum err
failed(struct index *x, int rc)
{
    (void)snprintf(x->why, sizeof(x->why), "%s", sqlite3_errmsg(x->db));
    return err_of(rc);
}

/* ---- statements ---- */

static enum err
run(struct index *x, sqlite3_stmt *s)
{
    int rc = sqlite3_step(s);
    enum err e = rc == SQLITE_DONE ? ERR_OK : failed(x, rc);

    (void)sqlite3_reset(s);
    return e;
}

static enum err
exec(struct index *x, const char *sql)
{
    int rc = sqlite3_exec(x->db, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? ERR_OK : failed(x, rc);
}

static enum err
prepare(struct index *x, const char *sql, sqlite3_stmt **out)
{
    int rc = sqlite3_prepare_v3(x->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out,
                                NULL);

    return rc == SQLITE_OK ? ERR_OK : failed(x, rc);
}

/* One number, or 0 where the row is missing or NULL. */
static enum err
ask(struct index *x, const char *sql, uint64_t *out)
{
    sqlite3_stmt *s = NULL;
    enum err e = prepare(x, sql, &s);
    int rc;

    if (e != ERR_OK)
        return e;
    rc = sqlite3_step(s);
    *out = rc == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(s, 0) : 0;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        e = failed(x, rc);
    (void)sqlite3_finalize(s);
    return e;
}

/* ---- opening ---- */

static void
name_file(struct buf *b, const char *dir, const char *behind)
{
    buf_reset(b);
    buf_str(b, dir);
    buf_str(b, INDEX_FILE);
    buf_put(b, behind, strlen(behind) + 1);
}

static enum err
make_tables(struct index *x)
{
    char sql[64];
    enum err e = exec(x, "BEGIN");

    for (size_t i = 0; e == ERR_OK && index_tables[i] != NULL; i++)
        e = exec(x, index_tables[i]);
    (void)snprintf(sql, sizeof(sql), "PRAGMA user_version = %" PRIu32 ";COMMIT",
                   index_version());
    return e == ERR_OK ? exec(x, sql) : e;
}

/* ERR_FORMAT: an index, but not of this version. */
static enum err
check_schema(struct index *x)
{
    uint64_t version = 0;
    uint64_t tables = 0;
    enum err e = ask(x, "PRAGMA user_version", &version);

    if (e == ERR_OK)
        e = ask(x, "SELECT count(*) FROM sqlite_schema", &tables);
    if (e != ERR_OK)
        return e;
    if (version == 0 && tables == 0)
        return make_tables(x);
    return version == index_version() ? ERR_OK : ERR_FORMAT;
}

/* Rows and position are written together: where they differ, it is damaged. */
static enum err
check_position(struct index *x)
{
    uint64_t last = 0;
    enum err e = ask(x, "SELECT seq FROM position", &x->position);

    if (e == ERR_OK)
        e = ask(x, "SELECT max(seq) FROM events", &last);
    if (e == ERR_OK && last != x->position) {
        (void)snprintf(x->why, sizeof(x->why),
                       "position and rows do not agree");
        e = ERR_CORRUPT;
    }
    x->committed = x->position;
    return e;
}

static enum err
prepare_all(struct index *x)
{
    enum err e = prepare(x, "BEGIN IMMEDIATE", &x->begin);

    if (e == ERR_OK)
        e = prepare(x, insert_sql, &x->insert);
    if (e == ERR_OK)
        e = prepare(x, latest_sql, &x->latest);
    if (e == ERR_OK)
        e = prepare(x, act_sql, &x->act);
    if (e == ERR_OK)
        e = prepare(x, "UPDATE position SET seq = ?", &x->move);
    if (e == ERR_OK)
        e = prepare(x, "COMMIT", &x->commit);
    if (e == ERR_OK)
        e = prepare(x, "ROLLBACK", &x->rollback);
    if (e == ERR_OK) {
        int rc = index_rows_open(x->db, &x->lists);

        if (rc == SQLITE_OK)
            rc = index_cited_open(x->db, &x->cited);
        if (rc == SQLITE_OK)
            rc = index_traffic_open(x->db, &x->traffic);
        e = rc == SQLITE_OK ? ERR_OK : failed(x, rc);
    }
    return e;
}

static int
on_commit(void *ctx, sqlite3 *db, const char *name, int pages)
{
    const int how = pages >= LOG_MOST ? SQLITE_CHECKPOINT_RESTART
                                      : SQLITE_CHECKPOINT_PASSIVE;

    (void)ctx;
    if (pages < LOG_SOME)
        return SQLITE_OK;
    (void)sqlite3_busy_timeout(db, LOG_WAIT_MS);
    (void)sqlite3_wal_checkpoint_v2(db, name, how, NULL, NULL);
    (void)sqlite3_busy_timeout(db, WAIT_MS);
    return SQLITE_OK; /* it is there, wherever */
}

static enum err
try_open(struct index *x, const char *dir)
{
    struct buf path;
    enum err e = ERR_NOMEM;
    int rc;

    buf_init(&path, 8192);
    name_file(&path, dir, "");
    if (path.cut || path.failed) {
        buf_free(&path);
        return path.cut ? ERR_LIMIT : ERR_NOMEM;
    }
    rc = sqlite3_open_v2(
        (const char *)path.p, &x->db,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    buf_free(&path);
    if (rc != SQLITE_OK)
        return x->db != NULL ? failed(x, rc) : e;
    (void)sqlite3_extended_result_codes(x->db, 1);
    (void)sqlite3_busy_timeout(x->db, WAIT_MS);
    e = exec(x, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384;"
                "PRAGMA journal_size_limit = 67108864");
    (void)sqlite3_wal_hook(x->db, on_commit, NULL);
    if (e == ERR_OK)
        e = check_schema(x);
    if (e == ERR_OK)
        e = check_position(x);
    if (e == ERR_OK)
        e = prepare_all(x);
    return e;
}

static void
close_db(struct index *x)
{
    (void)sqlite3_finalize(x->begin);
    (void)sqlite3_finalize(x->insert);
    (void)sqlite3_finalize(x->latest);
    (void)sqlite3_finalize(x->act);
    (void)sqlite3_finalize(x->move);
    (void)sqlite3_finalize(x->commit);
    (void)sqlite3_finalize(x->rollback);
    index_rows_close(&x->lists);
    index_cited_close(&x->cited);
    index_traffic_close(&x->traffic);
    (void)sqlite3_close(x->db);
    x->db = NULL;
    x->begin = x->insert = x->latest = x->act = x->move = x->commit =
        x->rollback = NULL;
}

static enum err
remove_file(const char *dir, const char *behind)
{
    struct buf path;
    enum err e;
    int number = 0;

    buf_init(&path, 8192);
    name_file(&path, dir, behind);
    if (path.cut || path.failed)
        e = path.cut ? ERR_LIMIT : ERR_NOMEM;
    else if (unlink((const char *)path.p) == 0 || (number = errno) == ENOENT)
        e = ERR_OK;
    else
        e = err_from_errno(number);
    buf_free(&path);
    return e;
}

static enum err
keep_damaged(const char *dir)
{
    struct buf from;
    struct buf to;
    enum err e = ERR_NOMEM;
    int number = 0;

    buf_init(&from, 8192);
    buf_init(&to, 8192);
    name_file(&from, dir, "");
    name_file(&to, dir, ".damaged");
    if (!from.cut && !from.failed && !to.cut && !to.failed) {
        int rc = rename((const char *)from.p, (const char *)to.p);

        number = rc == 0 ? 0 : errno;
        e = err_from_errno(number);
    }
    buf_free(&from);
    buf_free(&to);
    return e;
}

enum err
index_drop(const char *dir)
{
    enum err e = remove_file(dir, "");

    if (e == ERR_OK)
        e = remove_file(dir, "-wal");
    if (e == ERR_OK)
        e = remove_file(dir, "-shm");
    return e;
}

static enum err
replace(struct index *x, const char *dir, enum err why)
{
    enum err e = why == ERR_CORRUPT ? keep_damaged(dir) : ERR_OK;

    if (e == ERR_OK || e == ERR_NOENT)
        e = index_drop(dir);
    if (e != ERR_OK) {
        (void)snprintf(x->why, sizeof(x->why), "cannot be replaced: %s",
                       err_text(e));
        return e;
    }
    return try_open(x, dir);
}

static void
tell(struct buf *message, const char *dir, const char *text, const char *more)
{
    buf_str(message, dir);
    buf_str(message, INDEX_FILE ": ");
    buf_str(message, text);
    buf_str(message, more);
}

enum err
index_open(const char *dir, struct index **out, struct buf *message)
{
    struct index *x = calloc(1, sizeof(*x));
    enum err e;

    if (x == NULL)
        return ERR_NOMEM;
    buf_init(&x->text, 16U << 20);
    e = try_open(x, dir);
    if (e == ERR_CORRUPT || e == ERR_FORMAT) {
        if (e == ERR_FORMAT)
            tell(message, dir,
                 "made by another version of span25, is built anew from the "
                 "journal",
                 "");
        else
            tell(message, dir, "damaged, is built anew: ", x->why);
        close_db(x);
        e = replace(x, dir, e);
    }
    if (e != ERR_OK) {
        buf_reset(message);
        tell(message, dir, x->why[0] != 0 ? x->why : err_text(e), "");
        close_db(x);
        buf_free(&x->text);
        free(x);
        return e;
    }
    *out = x;
    return ERR_OK;
}

/* ---- rows ---- */

static int64_t
clamp(uint64_t v)
{
    return v < INT64_MAX ? (int64_t)v : INT64_MAX;
}

/* The text is in x->text until the statement is reset; offsets, since it may
 * move while it grows. */
struct bound {
    int column;
    size_t at;
    size_t n;
};

static int
bind_field(struct index *x, int column, enum field f, struct span v,
           struct bound *text)
{
    text->column = 0;
    if (v.p == NULL)
        return sqlite3_bind_null(x->insert, column);
    switch (field_table[f].type) {
    case FT_U64:
    case FT_I64:
    case FT_TIME:
    case FT_BOOL:
        return sqlite3_bind_int64(x->insert, column, clamp(entry_u64(v)));
    case FT_ADDR:
        return sqlite3_bind_blob(x->insert, column, v.p, (int)v.n,
                                 SQLITE_STATIC);
    case FT_STR:
    case FT_STRS:
    case FT_U64S:
    case FT_OBJS: break;
    }
    *text = (struct bound){column, x->text.n, 0};
    (void)text_utf8(&x->text, v);
    text->n = x->text.n - text->at;
    return SQLITE_OK;
}

/* What a sensor says of its sight, in a word: it has a field for blindness
 * alone. */
static const char *
sight_of(struct span record)
{
    if (record_find(record, FIELD_SIGHT_BLIND).p != NULL)
        return "blind";
    return record_find(record, FIELD_SIGHT_WINDOW).p != NULL ? "seeing" : NULL;
}

static enum err
bind_row(struct index *x, struct span record, uint64_t seq)
{
    struct record_head h = record_head_of(record);
    struct bound texts[INDEX_COLUMN_COUNT];
    const char *type = event_type_name(h.type);
    sqlite3_stmt *s = x->insert;
    int rc = sqlite3_bind_int64(s, 1 + INDEX_seq, clamp(seq));

    buf_reset(&x->text);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(s, 1 + INDEX_time,
                                clamp(h.when / NS_PER_US * NS_PER_US));
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(s, 1 + INDEX_type, type, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(s, 1 + INDEX_flow_id, clamp(h.flow_id));
    for (int c = INDEX_event_id; c < INDEX_COLUMN_COUNT && rc == SQLITE_OK; c++)
        rc = bind_field(x, 1 + c, column_field[c],
                        record_find(record, column_field[c]), &texts[c]);
    if (x->text.cut || x->text.failed)
        return ERR_NOMEM;
    for (int c = INDEX_event_id; c < INDEX_COLUMN_COUNT && rc == SQLITE_OK; c++)
        if (texts[c].column > 0)
            rc = sqlite3_bind_text(
                s, texts[c].column,
                texts[c].n > 0 ? (const char *)x->text.p + texts[c].at : "",
                (int)texts[c].n, SQLITE_STATIC);
    if (rc == SQLITE_OK && h.type == EVENT_STATS)
        rc = sqlite3_bind_text(s, 1 + INDEX_outcome, sight_of(record), -1,
                               SQLITE_STATIC);
    return rc == SQLITE_OK ? ERR_OK : failed(x, rc);
}

/* ---- what is kept whole ---- */

static const struct kept *
kept_of(struct span record)
{
    enum event_type type = record_head_of(record).type;

    for (size_t i = 0; i < ARRAY_LEN(kepts); i++) {
        const struct kept *k = &kepts[i];

        if (k->type == type &&
            (k->kind == NULL || span_eq(record_find(record, FIELD_CONTROL_KIND),
                                        span_str(k->kind))))
            return k;
    }
    return NULL;
}

/* Appends to x->text. */
static struct bound
key_text(struct index *x, struct span record, enum field f)
{
    struct bound b = {0, x->text.n, 0};
    struct span v = record_find(record, f);
    struct span lease = record_find(record, FIELD_SRC_HOST_LEASE);
    char text[ADDR_TEXT_MAX];
    struct addr a;

    if (f != FIELD_SRC_IP) {
        (void)text_utf8(&x->text, v);
    } else if (entry_addr(v, &a)) {
        buf_put(&x->text, text, addr_format(&a, text));
        buf_str(&x->text, lease.n > 0 ? " lease " : "");
        (void)text_utf8(&x->text, lease);
    }
    b.n = x->text.n - b.at;
    return b;
}

static int
bind_key(struct index *x, sqlite3_stmt *s, int column, struct bound b)
{
    return sqlite3_bind_text(s, column,
                             b.n > 0 ? (const char *)x->text.p + b.at : "",
                             (int)b.n, SQLITE_STATIC);
}

/* NULL where it does not set one. */
static int
bind_status(sqlite3_stmt *s, int column, struct span record)
{
    enum index_status status;

    if (!index_status_of(record_find(record, FIELD_CONTROL_ACTION), &status))
        return sqlite3_bind_null(s, column);
    return sqlite3_bind_int(s, column, (int)status);
}

/* One without a key is in events only. */
static enum err
keep(struct index *x, struct span record, uint64_t seq)
{
    const struct kept *k = kept_of(record);
    sqlite3_stmt *s;
    struct bound key, subject;
    enum err e;
    int rc;

    buf_reset(&x->text);
    if (k == NULL)
        return ERR_OK;
    key = key_text(x, record, k->key);
    subject = key_text(x, record, k->subject);
    if (x->text.cut || x->text.failed)
        return ERR_NOMEM;
    if (key.n == 0)
        return ERR_OK;
    s = k->all ? x->act : x->latest;
    rc = sqlite3_bind_int64(s, k->all ? 1 : 3, clamp(seq));
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(s, k->all ? 2 : 1, k->name, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = bind_key(x, s, k->all ? 3 : 2, key);
    if (rc == SQLITE_OK && k->all)
        rc = bind_key(x, s, 4, subject);
    if (rc == SQLITE_OK && k->all)
        rc = strcmp(k->name, "act") == 0 ? bind_status(s, 6, record)
                                         : sqlite3_bind_null(s, 6);
    if (rc == SQLITE_OK && !k->all)
        rc = sqlite3_bind_int64(s, 4, clamp(record_head_of(record).when));
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_blob(s, 5, record.p, (int)record.n, SQLITE_STATIC);
    e = rc == SQLITE_OK ? run(x, s) : failed(x, rc);
    (void)sqlite3_clear_bindings(s);
    if (e != ERR_OK || k->all)
        return e;
    rc = index_rows_put(&x->lists, record, span_of(x->text.p + key.at, key.n),
                        seq, &x->text);
    return rc == SQLITE_OK ? ERR_OK : failed(x, rc);
}

/* The transaction is given up; some failures have ended it already. */
static enum err
undo(struct index *x, enum err e)
{
    char why[sizeof(x->why)];

    memcpy(why, x->why, sizeof(why));
    if (sqlite3_get_autocommit(x->db) == 0)
        (void)run(x, x->rollback);
    memcpy(x->why, why, sizeof(why));
    index_traffic_undo(&x->traffic);
    x->rows = 0;
    x->position = x->committed;
    return e == ERR_CORRUPT ? ERR_STORE : e;
}

enum err
index_add(struct index *x, struct span record, uint64_t journal_seq)
{
    enum err e = ERR_OK;

    if (journal_seq <= x->position)
        return ERR_OK;
    if (x->rows == 0)
        e = run(x, x->begin);
    if (e == ERR_OK)
        e = bind_row(x, record, journal_seq);
    if (e == ERR_OK)
        e = run(x, x->insert);
    if (e == ERR_OK) {
        int rc = index_traffic_put(&x->traffic, record);

        e = rc == SQLITE_OK ? ERR_OK : failed(x, rc);
    }
    if (e == ERR_OK)
        e = keep(x, record, journal_seq);
    if (e == ERR_OK) {
        int rc = index_cited_put(&x->cited, record);

        e = rc == SQLITE_OK ? ERR_OK : failed(x, rc);
    }
    if (e != ERR_OK)
        return undo(x, e);
    x->position = journal_seq;
    x->rows++;
    return x->rows < INDEX_ROWS ? ERR_OK : index_commit(x);
}

enum err
index_commit(struct index *x)
{
    enum err e;

    if (x->rows == 0)
        return ERR_OK;
    (void)sqlite3_bind_int64(x->move, 1, clamp(x->position));
    e = run(x, x->move);
    if (e == ERR_OK)
        e = run(x, x->commit);
    if (e != ERR_OK)
        return undo(x, e);
    x->rows = 0;
    x->committed = x->position;
    return ERR_OK;
}

/* ---- what is old ---- */

/* ('a','b'): the types of a kind; all names are ours. */
static void
put_types(struct buf *sql, enum keep_kind kind)
{
    const char *between = "(";

    for (unsigned t = EVENT_NONE + 1; t < EVENT_TYPE_COUNT; t++) {
        if (keep_of_type((enum event_type)t) != kind)
            continue;
        buf_printf(sql, "%s'%s'", between, event_type_name((enum event_type)t));
        between = ",";
    }
    buf_putc(sql, ')');
}

/* ?1 is the time. Adds what went. */
static enum err
delete_where(struct index *x, struct buf *sql, ns_t before, uint64_t *rows)
{
    sqlite3_stmt *s = NULL;
    enum err e;
    int rc;

    buf_putc(sql, '\0');
    if (sql->cut || sql->failed)
        return ERR_NOMEM;
    e = prepare(x, (const char *)sql->p, &s);
    buf_reset(sql);
    if (e != ERR_OK)
        return e;
    rc = sqlite3_bind_int64(s, 1, clamp(before));
    if (rc == SQLITE_OK)
        rc = sqlite3_step(s);
    if (rc == SQLITE_DONE)
        *rows += (uint64_t)sqlite3_changes(x->db);
    else
        e = failed(x, rc);
    (void)sqlite3_finalize(s);
    return e;
}

/* Acts have no time of their own: it is that of the events around them. */
static void
put_kept(struct buf *sql, const struct kept *k)
{
    if (k->all)
        buf_printf(sql,
                   "DELETE FROM acts WHERE type = '%s' AND seq < (SELECT seq"
                   " FROM events WHERE time >= ?1 ORDER BY time LIMIT 1)",
                   k->name);
    else
        buf_printf(sql,
                   "DELETE FROM latest WHERE type = '%s' AND key IN (SELECT"
                   " key FROM latest WHERE type = '%s' AND time < ?1"
                   " ORDER BY time LIMIT %d)",
                   k->name, k->name, INDEX_EXPIRE_KEPT);
}

enum err
index_expire(struct index *x, enum keep_kind kind, ns_t before, uint64_t *rows)
{
    enum err e = index_commit(x);
    struct buf sql;

    buf_init(&sql, 1024);
    for (size_t i = 0; e == ERR_OK && i < ARRAY_LEN(kepts); i++) {
        if (keep_of_type(kepts[i].type) != kind ||
            kepts[i].key == FIELD_CONTROL_EXCEPTION ||
            kepts[i].key == FIELD_CONTROL_ACTION)
            continue;
        put_kept(&sql, &kepts[i]);
        e = delete_where(x, &sql, before, rows);
    }
    if (e == ERR_OK && keep_of_type(EVENT_SMTP) == kind) {
        const uint64_t was = *rows;

        buf_str(&sql, "DELETE FROM cited WHERE last < ?1");
        e = delete_where(x, &sql, before, rows);
        x->cited.rows -= *rows - was;
    }
    if (e == ERR_OK) {
        buf_str(&sql, "DELETE FROM events WHERE seq IN (SELECT seq FROM events"
                      " WHERE time < ?1 AND type IN ");
        put_types(&sql, kind);
        buf_printf(&sql, " ORDER BY time LIMIT %d)", INDEX_EXPIRE_ROWS);
        e = delete_where(x, &sql, before, rows);
    }
    buf_free(&sql);
    return e;
}

uint64_t
index_position(const struct index *x)
{
    return x->position;
}

void
index_why(const struct index *x, struct buf *out)
{
    buf_str(out, x->why);
}

void
index_close(struct index *x)
{
    if (x == NULL)
        return;
    if (index_commit(x) != ERR_OK)
        x->rows = 0;
    close_db(x);
    buf_free(&x->text);
    free(x);
}
