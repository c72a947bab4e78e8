#include "sensor/store/registry_db.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define VERSION     1
#define APPLICATION 0x53323552 /* "S25R" */

/* X(id, SQL): statements that are kept */
#define STATEMENTS(X)                                                          \
    X(BEGIN, "BEGIN IMMEDIATE")                                                \
    X(COMMIT, "COMMIT")                                                        \
    X(ROLLBACK, "ROLLBACK")                                                    \
    X(VERSION, "PRAGMA data_version")                                          \
    X(READ, "SELECT number, time, actor, text, before, hash, carried"          \
            " FROM audit WHERE number > ?1 ORDER BY number")                   \
    X(GET, "SELECT number, time, actor, text, before, hash, carried"           \
           " FROM audit WHERE number = ?1")                                    \
    X(HEAD, "SELECT head.number, hash, intent.number FROM head, intent")       \
    X(MOVE, "UPDATE head SET number = ?1, hash = ?2")                          \
    X(ADD, "INSERT INTO audit(number, time, actor, text, before, hash)"        \
           " VALUES(?1, ?2, ?3, ?4, ?5, ?6)")                                  \
    X(PENDING, "SELECT min(number) FROM audit WHERE carried IS NULL")          \
    X(INTEND, "UPDATE intent SET number = ?1, seq = ?2")                       \
    X(INTENT, "SELECT number, seq FROM intent")                                \
    X(CARRIED, "UPDATE audit SET carried = ?2 WHERE number = ?1")

enum statement {
#define STATEMENT_ENUM(id, sql) STATEMENT_##id,
    STATEMENTS(STATEMENT_ENUM)
#undef STATEMENT_ENUM
        STATEMENT_COUNT
};

static const char *const statement_sql[] = {
#define STATEMENT_SQL(id, sql) sql,
    STATEMENTS(STATEMENT_SQL)
#undef STATEMENT_SQL
};

static const char schema[] =
    "CREATE TABLE audit("
    " number INTEGER PRIMARY KEY CHECK(number > 0),"
    " time INTEGER NOT NULL, actor TEXT NOT NULL, text TEXT NOT NULL,"
    " before BLOB NOT NULL CHECK(length(before) = 32),"
    " hash BLOB NOT NULL UNIQUE CHECK(length(hash) = 32),"
    " carried INTEGER CHECK(carried > 0)) STRICT;"
    "CREATE INDEX audit_pending ON audit(number) WHERE carried IS NULL;"
    "CREATE TABLE head(id INTEGER PRIMARY KEY CHECK(id = 0),"
    " number INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;"
    "INSERT INTO head VALUES(0, 0, zeroblob(32));"
    "CREATE TABLE intent(id INTEGER PRIMARY KEY CHECK(id = 0),"
    " number INTEGER NOT NULL, seq INTEGER NOT NULL) STRICT;"
    "INSERT INTO intent VALUES(0, 0, 0);"
    "CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN"
    " SELECT RAISE(ABORT, 'audit records are kept'); END;"
    "CREATE TRIGGER audit_unchanged BEFORE UPDATE OF"
    " number, time, actor, text, before, hash ON audit BEGIN"
    " SELECT RAISE(ABORT, 'audit records are not changed'); END;"
    "CREATE TRIGGER audit_carried_once BEFORE UPDATE OF carried ON audit"
    " WHEN old.carried IS NOT NULL OR new.carried IS NULL BEGIN"
    " SELECT RAISE(ABORT, 'an audit record is carried once'); END;"
    "CREATE TRIGGER audit_in_order BEFORE INSERT ON audit"
    " WHEN new.number <> (SELECT number + 1 FROM head) BEGIN"
    " SELECT RAISE(ABORT, 'audit records have no holes'); END;";

struct link {
    uint64_t number;
    uint8_t hash[32];
};

struct registry_db {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    struct link last;   /* read */
    struct link before; /* the open transaction */
    int64_t version;    /* data_version as of the last reading */
    bool open;          /* a transaction */
};

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
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY: return ERR_PERM;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return ERR_CORRUPT;
    default: return ERR_STORE;
    }
}

static enum err
failed(struct registry_db *d, int rc, struct buf *message)
{
    if ((rc & 0xff) == SQLITE_BUSY)
        buf_str(message, "another process is writing to it");
    else
        buf_str(message, sqlite3_errmsg(d->db));
    return err_of(rc);
}

/* ---- statements ---- */

static enum err
exec(struct registry_db *d, const char *sql, struct buf *message)
{
    int rc = sqlite3_exec(d->db, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? ERR_OK : failed(d, rc, message);
}

/* Runs to the end a statement that gives no row. */
static enum err
run(struct registry_db *d, enum statement which, struct buf *message)
{
    sqlite3_stmt *s = d->statements[which];
    int rc = sqlite3_step(s);
    enum err e = rc == SQLITE_DONE ? ERR_OK : failed(d, rc, message);

    (void)sqlite3_reset(s);
    return e;
}

/* A number without a statement that is kept. */
static enum err
ask(struct registry_db *d, const char *sql, int64_t *out, struct buf *message)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(d->db, sql, -1, &s, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(s);
    *out = rc == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    (void)sqlite3_finalize(s);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? ERR_OK
                                                 : failed(d, rc, message);
}

static int64_t
clamp(uint64_t v)
{
    return v < INT64_MAX ? (int64_t)v : INT64_MAX;
}

static struct span
blob(sqlite3_stmt *s, int column)
{
    const void *p = sqlite3_column_blob(s, column);

    return span_of(p, (size_t)sqlite3_column_bytes(s, column));
}

/* ---- opening ---- */

static enum err
make_schema(struct registry_db *d, struct buf *message)
{
    struct buf sql;
    enum err e;

    buf_init(&sql, 16384);
    buf_str(&sql, "BEGIN IMMEDIATE;");
    buf_str(&sql, schema);
    buf_printf(&sql,
               "PRAGMA application_id = %d; PRAGMA user_version = %d;"
               "COMMIT;",
               APPLICATION, VERSION);
    buf_putc(&sql, 0);
    e = sql.failed ? ERR_NOMEM : exec(d, (const char *)sql.p, message);
    buf_free(&sql);
    /* Another process may have been quicker: then it is as it should be. */
    if (e != ERR_OK && sqlite3_get_autocommit(d->db) == 0)
        (void)sqlite3_exec(d->db, "ROLLBACK", NULL, NULL, NULL);
    return e;
}

static enum err
look_at_schema(struct registry_db *d, int64_t *tables, bool *ours,
               struct buf *message)
{
    int64_t application = 0;
    int64_t version = 0;
    enum err e = ask(d, "SELECT count(*) FROM sqlite_schema", tables, message);

    if (e == ERR_OK)
        e = ask(d, "PRAGMA application_id", &application, message);
    if (e == ERR_OK)
        e = ask(d, "PRAGMA user_version", &version, message);
    *ours = application == APPLICATION && version == VERSION;
    if (e == ERR_OK && (*tables > 0 || application != 0) && !*ours) {
        buf_str(message, application == APPLICATION
                             ? "made by another version of span25"
                             : "a database, but not a registry");
        e = ERR_FORMAT;
    }
    return e;
}

static enum err
check_schema(struct registry_db *d, enum registry_db_mode mode,
             struct buf *message)
{
    int64_t tables = 0;
    bool ours = false;
    enum err e = look_at_schema(d, &tables, &ours, message);

    if (e != ERR_OK || ours)
        return e;
    /* Who began to make it was stopped, or is at it. */
    if (mode != REGISTRY_DB_CREATE) {
        buf_str(message, "nothing was entered yet");
        return ERR_NOENT;
    }
    e = make_schema(d, message);
    if (e == ERR_OK)
        return e;
    buf_reset(message);
    e = look_at_schema(d, &tables, &ours, message);
    return e == ERR_OK && !ours ? ERR_BUSY : e;
}

static enum err
prepare_all(struct registry_db *d, struct buf *message)
{
    for (unsigned i = 0; i < STATEMENT_COUNT; i++) {
        int rc = sqlite3_prepare_v3(d->db, statement_sql[i], -1,
                                    SQLITE_PREPARE_PERSISTENT,
                                    &d->statements[i], NULL);

        if (rc != SQLITE_OK)
            return failed(d, rc, message);
    }
    return ERR_OK;
}

/* What root makes belongs to whom the folder belongs to: a sensor without
 * rights is to read it. */
static enum err
give_away(int fd, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct buf dir;
    struct stat st;
    enum err e = ERR_NOMEM;

    buf_init(&dir, 8192);
    if (slash == NULL)
        buf_putc(&dir, '.');
    else /* with its slash: also of "/" */
        buf_span(&dir, span_of(path, (size_t)(slash - path) + 1));
    buf_putc(&dir, 0);
    if (!dir.cut && !dir.failed)
        e = stat((const char *)dir.p, &st) == 0 &&
                    fchown(fd, st.st_uid, st.st_gid) == 0
                ? ERR_OK
                : err_from_errno(errno);
    buf_free(&dir);
    return e;
}

/* People's names are in it: for its owner only. Only one that was made now is
 * given away: another's may be a link to what is not ours. */
static enum err
make_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int number = errno;
    enum err e = ERR_OK;

    if (fd < 0)
        return number == EEXIST ? ERR_OK : err_from_errno(number);
    if (geteuid() == 0)
        e = give_away(fd, path);
    (void)close(fd);
    return e;
}

static enum err
open_path(struct registry_db *d, const char *path, int flags,
          struct buf *message)
{
    int rc = sqlite3_open_v2(path, &d->db, flags | SQLITE_OPEN_NOMUTEX, NULL);

    if (rc != SQLITE_OK)
        return d->db != NULL ? failed(d, rc, message) : ERR_NOMEM;
    (void)sqlite3_extended_result_codes(d->db, 1);
    (void)sqlite3_busy_timeout(d->db, REGISTRY_DB_WAIT_MS);
    (void)sqlite3_db_config(d->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(d->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    return ERR_OK;
}

/* As SQLite's names of files have it. */
static void
put_uri(const char *path, struct buf *out)
{
    static const char hex[] = "0123456789abcdef";

    buf_str(out, path[0] == '/' ? "file://" : "file:");
    for (; *path != 0; path++) {
        uint8_t c = (uint8_t)*path;

        if (c > ' ' && c < 0x7f && strchr("%?#", c) == NULL) {
            buf_putc(out, c);
            continue;
        }
        buf_putc(out, '%');
        buf_putc(out, (uint8_t)hex[c >> 4]);
        buf_putc(out, (uint8_t)hex[c & 15]);
    }
    buf_str(out, "?immutable=1");
    buf_putc(out, 0);
}

/* Where nothing can be written, the files that SQLite wants beside cannot be
 * made: it is read as it stands. Should somebody change it meanwhile who can,
 * the hashes tell. */
static enum err
open_still(struct registry_db *d, const char *path, struct buf *message)
{
    struct buf uri;
    enum err e = ERR_NOMEM;

    (void)sqlite3_close(d->db);
    d->db = NULL;
    buf_init(&uri, 32768);
    put_uri(path, &uri);
    if (!uri.cut && !uri.failed)
        e = open_path(d, (const char *)uri.p,
                      SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, message);
    buf_free(&uri);
    return e;
}

/* What has not yet gone from the file beside into the database. */
static bool
has_more(const char *path)
{
    struct buf name;
    struct stat st;
    bool more = true;

    buf_init(&name, 8192);
    buf_printf(&name, "%s-wal%c", path, 0);
    if (!name.cut && !name.failed)
        more = stat((const char *)name.p, &st) == 0 && st.st_size > 0;
    buf_free(&name);
    return more;
}

/* No right to make them, or no room. */
static bool
is_about_files(int rc)
{
    rc &= 0xff;
    return rc == SQLITE_CANTOPEN || rc == SQLITE_READONLY ||
           rc == SQLITE_IOERR || rc == SQLITE_FULL;
}

/* For writing, though nothing is written: only then SQLite takes away at the
 * end the files that it made beside. Those that were there stay as they are. */
static enum err
open_read(struct registry_db *d, const char *path, struct buf *message)
{
    bool more = has_more(path);
    enum err e = open_path(d, path, SQLITE_OPEN_READWRITE, message);
    int rc;

    if (e != ERR_OK)
        return e;
    (void)sqlite3_db_config(d->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, more,
                            NULL);
    rc = sqlite3_exec(d->db,
                      "PRAGMA query_only = 1; SELECT * FROM sqlite_schema",
                      NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        return ERR_OK;
    return more || !is_about_files(rc) ? failed(d, rc, message)
                                       : open_still(d, path, message);
}

/* SQLite does not wait for others when it changes to WAL: so we do. */
static enum err
set_modes(struct registry_db *d, struct buf *message)
{
    static const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
    size_t said = message->n;
    enum err e = ERR_BUSY;

    for (unsigned ms = 0; e == ERR_BUSY && ms < REGISTRY_DB_WAIT_MS; ms += 10) {
        if (ms > 0)
            (void)nanosleep(&pause, NULL);
        message->n = said;
        e = exec(d, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL",
                 message);
    }
    return e;
}

static enum err
open_db(struct registry_db *d, const char *path, enum registry_db_mode mode,
        struct buf *message)
{
    enum err e;

    if (mode == REGISTRY_DB_READ)
        return open_read(d, path, message);
    e = open_path(d, path, SQLITE_OPEN_READWRITE, message);
    return e != ERR_OK ? e : set_modes(d, message);
}

enum err
registry_db_open(const char *path, enum registry_db_mode mode,
                 struct registry_db **out, struct buf *message)
{
    struct registry_db *d;
    enum err e = ERR_OK;

    if (mode == REGISTRY_DB_CREATE)
        e = make_file(path);
    else if (access(path, F_OK) != 0)
        e = err_from_errno(errno);
    if (e != ERR_OK) {
        buf_str(message, err_text(e));
        return e;
    }
    d = calloc(1, sizeof(*d));
    if (d == NULL)
        return ERR_NOMEM;
    e = open_db(d, path, mode, message);
    if (e == ERR_OK)
        e = check_schema(d, mode, message);
    if (e == ERR_OK)
        e = prepare_all(d, message);
    if (e != ERR_OK) {
        registry_db_close(d);
        return e;
    }
    *out = d;
    return ERR_OK;
}

void
registry_db_close(struct registry_db *d)
{
    if (d == NULL)
        return;
    for (unsigned i = 0; i < STATEMENT_COUNT; i++)
        (void)sqlite3_finalize(d->statements[i]);
    (void)sqlite3_close(d->db);
    free(d);
}

/* ---- reading ---- */

static struct registry_row
row_of(sqlite3_stmt *s)
{
    struct registry_row row = {
        .number = (uint64_t)sqlite3_column_int64(s, 0),
        .when = (ns_t)sqlite3_column_int64(s, 1),
        .actor = blob(s, 2),
        .text = blob(s, 3),
        .carried = (uint64_t)sqlite3_column_int64(s, 6),
    };
    struct span before = blob(s, 4);
    struct span hash = blob(s, 5);

    if (before.n == sizeof(row.before))
        memcpy(row.before, before.p, before.n);
    if (hash.n == sizeof(row.hash))
        memcpy(row.hash, hash.p, hash.n);
    return row;
}

static enum err
broken(struct buf *message, uint64_t number, const char *what)
{
    buf_reset(message);
    buf_str(message, "record ");
    buf_u64(message, number);
    buf_printf(message, " %s", what);
    return ERR_CORRUPT;
}

static enum err
check_link(const struct link *last, const struct registry_row *row,
           struct buf *message)
{
    if (row->number != last->number + 1)
        return broken(message, last->number + 1, "is missing");
    if (memcmp(row->before, last->hash, sizeof(row->before)) != 0)
        return broken(message, row->number,
                      "does not follow the one before it: one of them was "
                      "changed or put in");
    return ERR_OK;
}

static enum err
take_row(struct registry_db *d, sqlite3_stmt *s, registry_db_take *take,
         void *ctx, struct buf *message)
{
    struct registry_row row = row_of(s);
    enum err e = check_link(&d->last, &row, message);

    if (e == ERR_OK)
        e = take(ctx, &row, message);
    if (e != ERR_OK)
        return e;
    d->last.number = row.number;
    memcpy(d->last.hash, row.hash, sizeof(d->last.hash));
    return ERR_OK;
}

/* The same snapshot as the records: a transaction is open. */
static enum err
check_head(struct registry_db *d, struct buf *message)
{
    sqlite3_stmt *s = d->statements[STATEMENT_HEAD];
    int rc = sqlite3_step(s);
    enum err e = ERR_OK;

    if (rc != SQLITE_ROW) {
        e = rc == SQLITE_DONE ? broken(message, 0, "is missing")
                              : failed(d, rc, message);
    } else {
        uint64_t number = (uint64_t)sqlite3_column_int64(s, 0);
        uint64_t carried = (uint64_t)sqlite3_column_int64(s, 2);

        if (number > d->last.number || carried > d->last.number)
            e = broken(message, d->last.number + 1, "is missing");
        else if (number < d->last.number)
            e = broken(message, number + 1, "was put in");
        else if (!span_eq(blob(s, 1), span_of(d->last.hash, 32)))
            e = broken(message, number, "was changed");
    }
    (void)sqlite3_reset(s);
    return e;
}

static enum err
read_rows(struct registry_db *d, registry_db_take *take, void *ctx,
          struct buf *message)
{
    sqlite3_stmt *s = d->statements[STATEMENT_READ];
    enum err e = ERR_OK;
    int rc;

    (void)sqlite3_bind_int64(s, 1, clamp(d->last.number));
    while ((rc = sqlite3_step(s)) == SQLITE_ROW && e == ERR_OK)
        e = take_row(d, s, take, ctx, message);
    if (e == ERR_OK && rc != SQLITE_DONE)
        e = failed(d, rc, message);
    (void)sqlite3_reset(s);
    return e == ERR_OK ? check_head(d, message) : e;
}

static int64_t
version_of(struct registry_db *d)
{
    sqlite3_stmt *s = d->statements[STATEMENT_VERSION];
    int64_t version = -1;

    if (sqlite3_step(s) == SQLITE_ROW)
        version = sqlite3_column_int64(s, 0);
    (void)sqlite3_reset(s);
    return version;
}

enum err
registry_db_read(struct registry_db *d, registry_db_take *take, void *ctx,
                 struct buf *message)
{
    enum err e;

    if (d->open)
        return read_rows(d, take, ctx, message);
    /* Asked first: what is committed in between is seen as a change again. */
    d->version = version_of(d);
    e = exec(d, "BEGIN", message);
    if (e != ERR_OK)
        return e;
    e = read_rows(d, take, ctx, message);
    (void)sqlite3_exec(d->db, "ROLLBACK", NULL, NULL, NULL);
    return e;
}

uint64_t
registry_db_last(const struct registry_db *d)
{
    return d->last.number;
}

bool
registry_db_changed(struct registry_db *d)
{
    return version_of(d) != d->version;
}

/* ---- writing ---- */

enum err
registry_db_begin(struct registry_db *d, struct buf *message)
{
    enum err e = run(d, STATEMENT_BEGIN, message);

    d->open = e == ERR_OK;
    d->before = d->last;
    return e;
}

static enum err
move_head(struct registry_db *d, const struct registry_row *row,
          struct buf *message)
{
    sqlite3_stmt *s = d->statements[STATEMENT_MOVE];

    (void)sqlite3_bind_int64(s, 1, clamp(row->number));
    (void)sqlite3_bind_blob(s, 2, row->hash, sizeof(row->hash), SQLITE_STATIC);
    return run(d, STATEMENT_MOVE, message);
}

static int
bind_text(sqlite3_stmt *s, int column, struct span text)
{
    return sqlite3_bind_text(s, column, text.n > 0 ? (const char *)text.p : "",
                             (int)text.n, SQLITE_STATIC);
}

enum err
registry_db_add(struct registry_db *d, const struct registry_row *row,
                struct buf *message)
{
    sqlite3_stmt *s = d->statements[STATEMENT_ADD];
    enum err e = check_link(&d->last, row, message);

    if (e != ERR_OK)
        return e;
    if (row->text.n > REGISTRY_DB_TEXT_MAX) {
        buf_str(message, "the form is too large for one record");
        return ERR_LIMIT;
    }
    (void)sqlite3_bind_int64(s, 1, clamp(row->number));
    (void)sqlite3_bind_int64(s, 2, clamp(row->when));
    (void)bind_text(s, 3, row->actor);
    (void)bind_text(s, 4, row->text);
    (void)sqlite3_bind_blob(s, 5, row->before, 32, SQLITE_STATIC);
    (void)sqlite3_bind_blob(s, 6, row->hash, 32, SQLITE_STATIC);
    e = run(d, STATEMENT_ADD, message);
    (void)sqlite3_clear_bindings(s);
    if (e == ERR_OK)
        e = move_head(d, row, message);
    if (e != ERR_OK)
        return e;
    d->last.number = row->number;
    memcpy(d->last.hash, row->hash, sizeof(d->last.hash));
    return ERR_OK;
}

enum err
registry_db_commit(struct registry_db *d, struct buf *message)
{
    enum err e = run(d, STATEMENT_COMMIT, message);

    if (e != ERR_OK)
        registry_db_rollback(d);
    d->open = false;
    return e;
}

void
registry_db_rollback(struct registry_db *d)
{
    if (!d->open)
        return;
    if (sqlite3_get_autocommit(d->db) == 0)
        (void)sqlite3_exec(d->db, "ROLLBACK", NULL, NULL, NULL);
    d->last = d->before;
    d->open = false;
}

/* ---- carrying ---- */

/* One row of at most two numbers. */
static enum err
ask_two(struct registry_db *d, enum statement which, uint64_t out[2],
        struct buf *message)
{
    sqlite3_stmt *s = d->statements[which];
    int rc = sqlite3_step(s);
    enum err e = ERR_OK;

    out[0] = out[1] = 0;
    for (int i = 0; rc == SQLITE_ROW && i < sqlite3_column_count(s); i++)
        out[i] = (uint64_t)sqlite3_column_int64(s, i);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        e = failed(d, rc, message);
    (void)sqlite3_reset(s);
    return e;
}

static enum err
run_two(struct registry_db *d, enum statement which, uint64_t a, uint64_t b,
        struct buf *message)
{
    (void)sqlite3_bind_int64(d->statements[which], 1, clamp(a));
    (void)sqlite3_bind_int64(d->statements[which], 2, clamp(b));
    return run(d, which, message);
}

enum err
registry_db_pending(struct registry_db *d, uint64_t *number,
                    struct buf *message)
{
    uint64_t out[2];
    enum err e = ask_two(d, STATEMENT_PENDING, out, message);

    *number = out[0];
    return e;
}

enum err
registry_db_get(struct registry_db *d, uint64_t number, registry_db_take *take,
                void *ctx, struct buf *message)
{
    sqlite3_stmt *s = d->statements[STATEMENT_GET];
    enum err e = ERR_NOENT;
    int rc;

    (void)sqlite3_bind_int64(s, 1, clamp(number));
    rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        struct registry_row row = row_of(s);

        e = take(ctx, &row, message);
    } else if (rc != SQLITE_DONE) {
        e = failed(d, rc, message);
    }
    (void)sqlite3_reset(s);
    return e;
}

enum err
registry_db_intend(struct registry_db *d, uint64_t number, uint64_t seq,
                   struct buf *message)
{
    return run_two(d, STATEMENT_INTEND, number, seq, message);
}

enum err
registry_db_intent(struct registry_db *d, uint64_t *number, uint64_t *seq,
                   struct buf *message)
{
    uint64_t out[2];
    enum err e = ask_two(d, STATEMENT_INTENT, out, message);

    *number = out[0];
    *seq = out[1];
    return e;
}

enum err
registry_db_carried(struct registry_db *d, uint64_t number, uint64_t seq,
                    struct buf *message)
{
    return run_two(d, STATEMENT_CARRIED, number, seq, message);
}
