#include "sensor/store/index.h"

#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "sensor/base/hash.h"
#include "sensor/event/json_read.h"
#include "sensor/event/json_write.h"
#include "sensor/event/record.h"
#include "sensor/store/index_query.h"
#include "sensor/store/index_reader.h"
#include "sensor/store/index_schema.h"
#include "tempdir.h"

/* ---- helpers ---- */

static struct addr
host(unsigned n)
{
    uint8_t b[4] = {10, 0, (uint8_t)(n >> 8), (uint8_t)n};

    return addr_v4(b);
}

/* Event seq: what varies is its host (of 8), its type, and broken strings. */
static void
event_of(struct record_out *r, uint64_t seq)
{
    struct record_head h = {.when = seq / 3 * 1000003,
                            .flow_id = seq,
                            .seq = 1,
                            .type = EVENT_SMTP};
    struct addr src = host((unsigned)(seq % 8));
    struct addr dst = host((unsigned)(seq % 5));
    char id[32];
    int n = snprintf(id, sizeof(id), "%016llx", (unsigned long long)seq * 77);

    if (seq % 10 == 9) {
        h.type = EVENT_STATS;
        h.flow_id = 0;
        h.seq = 0;
    }
    record_begin(r, &h);
    record_str(r, FIELD_EVENT_ID, span_of(id, (size_t)n));
    if (h.type == EVENT_STATS)
        return;
    record_addr(r, FIELD_SRC_IP, &src);
    record_addr(r, FIELD_DEST_IP, &dst);
    record_u64(r, FIELD_DEST_PORT, 25);
    record_text(r, FIELD_DIRECTION, "outbound");
    record_str(r, FIELD_SMTP_MAIL_FROM,
               seq % 4 == 0 ? SPAN_LIT("<\xff\x00o\"@\xc3\xa9>")
                            : SPAN_LIT("<a@example.org>"));
    record_u64(r, FIELD_SMTP_FINAL_CODE, seq % 2 ? 250 : 550);
    record_text(r, FIELD_SMTP_OUTCOME, seq % 2 ? "accepted" : "rejected");
    if (seq % 3)
        record_text(r, FIELD_EMAIL_MESSAGE_ID, seq % 3 == 1 ? "" : "<m@x>");
}

static struct index *
open_ok(const char *dir, const char *says)
{
    struct index *x = NULL;
    struct buf message;

    buf_init(&message, 4096);
    assert_int_equal(index_open(dir, &x, &message), ERR_OK);
    if (says == NULL)
        assert_int_equal(message.n, 0);
    else
        assert_true(span_search(buf_view(&message), span_str(says)) <
                    message.n);
    buf_free(&message);
    return x;
}

static void
add_range(struct index *x, uint64_t from, uint64_t to)
{
    struct record_out r;

    record_init(&r);
    for (uint64_t seq = from; seq <= to; seq++) {
        event_of(&r, seq);
        assert_true(record_check(record_view(&r)));
        assert_int_equal(index_add(x, record_view(&r), seq), ERR_OK);
    }
    record_free(&r);
}

static struct index_reader *
reader_ok(const char *dir)
{
    struct index_reader *r = NULL;
    struct buf message;

    buf_init(&message, 4096);
    assert_int_equal(index_reader_open(dir, &r, &message), ERR_OK);
    buf_free(&message);
    return r;
}

static void
dump_row(void *ctx, const struct index_event *e)
{
    struct span s[] = {e->event_id, e->type,      e->direction,
                       e->outcome,  e->mail_from, e->message_id};
    struct buf *b = ctx;

    buf_printf(b, "%llu %llu %llu %llu %llu %d%d", (unsigned long long)e->seq,
               (unsigned long long)e->when, (unsigned long long)e->flow_id,
               (unsigned long long)e->dport, (unsigned long long)e->final_code,
               e->has_src, e->has_dst);
    buf_put(b, e->src.b, 16);
    buf_put(b, e->dst.b, 16);
    for (size_t i = 0; i < ARRAY_LEN(s); i++) {
        buf_printf(b, " %d:%zu:", s[i].p != NULL, s[i].n);
        buf_span(b, s[i]);
    }
    buf_putc(b, '\n');
}

/* All that a query can see. */
static void
dump(const char *dir, struct buf *out)
{
    struct index_reader *r = reader_ok(dir);
    struct index_query q = {0};
    uint64_t position;

    buf_init(out, 64U << 20);
    assert_int_equal(index_events(r, &q, dump_row, out), ERR_OK);
    assert_int_equal(index_reader_position(r, &position), ERR_OK);
    buf_printf(out, "position %llu\n", (unsigned long long)position);
    index_reader_close(r);
}

struct found {
    uint64_t seq[64];
    size_t n;
    ns_t last_when;
};

static void
find_row(void *ctx, const struct index_event *e)
{
    struct found *f = ctx;

    assert_true(f->n < 64);
    f->seq[f->n++] = e->seq;
    f->last_when = e->when;
}

static void
count_row(void *ctx, const struct index_event *e)
{
    uint64_t *n = ctx;

    assert_true(e->seq > 0);
    ++*n;
}

static uint64_t
count_rows(const char *dir)
{
    struct index_reader *r = reader_ok(dir);
    struct index_query q = {0};
    uint64_t n = 0;

    assert_int_equal(index_events(r, &q, count_row, &n), ERR_OK);
    index_reader_close(r);
    return n;
}

/* ---- tests ---- */

static void
test_rebuilt_is_equal(void **state)
{
    struct json_writer *w = calloc(1, sizeof(*w));
    struct json_reader *jr = calloc(1, sizeof(*jr));
    struct tempdir a;
    struct tempdir b;
    struct index *xa;
    struct index *xb;
    struct record_out r;
    struct record_out back;
    struct buf line;
    struct buf message;
    struct buf da;
    struct buf db;

    (void)state;
    assert_true(w != NULL && jr != NULL);
    json_writer_init(w);
    json_reader_init(jr);
    tempdir_make(&a);
    tempdir_make(&b);
    record_init(&r);
    record_init(&back);
    buf_init(&line, JSON_LINE_MAX);
    buf_init(&message, 4096);
    xa = open_ok(a.path, NULL);
    xb = open_ok(b.path, NULL);
    for (uint64_t seq = 1; seq <= 2500; seq++) {
        event_of(&r, seq);
        assert_int_equal(index_add(xa, record_view(&r), seq), ERR_OK);
        buf_reset(&line);
        assert_true(json_write(w, record_view(&r), &line));
        assert_int_equal(json_read(jr, buf_view(&line), &back, &message),
                         ERR_OK);
        assert_int_equal(index_add(xb, record_view(&back), seq), ERR_OK);
        if (seq % 700 == 0)
            assert_int_equal(index_commit(xa), ERR_OK);
    }
    index_close(xa);
    index_close(xb);
    dump(a.path, &da);
    dump(b.path, &db);
    assert_true(da.n > 100000);
    assert_int_equal(da.n, db.n);
    assert_memory_equal(da.p, db.p, da.n);
    buf_free(&da);
    buf_free(&db);
    buf_free(&line);
    buf_free(&message);
    record_free(&r);
    record_free(&back);
    json_reader_free(jr);
    free(jr);
    free(w);
    tempdir_remove(&a);
    tempdir_remove(&b);
}

static void
test_position(void **state)
{
    struct tempdir t;
    struct index *x;
    struct index_reader *r;
    uint64_t seen;

    (void)state;
    tempdir_make(&t);
    x = open_ok(t.path, NULL);
    assert_int_equal(index_position(x), 0);
    add_range(x, 1, INDEX_ROWS - 1);
    r = reader_ok(t.path);
    assert_int_equal(index_reader_position(r, &seen), ERR_OK);
    assert_int_equal(seen, 0);
    add_range(x, INDEX_ROWS, INDEX_ROWS); /* the transaction is full */
    assert_int_equal(index_reader_position(r, &seen), ERR_OK);
    assert_int_equal(seen, INDEX_ROWS);
    add_range(x, 1, INDEX_ROWS + 1); /* what is there is passed over */
    assert_int_equal(index_position(x), INDEX_ROWS + 1);
    index_close(x);
    assert_int_equal(count_rows(t.path), INDEX_ROWS + 1);
    add_range(x = open_ok(t.path, NULL), 2000, 2001); /* holes are fine */
    index_close(x);
    x = open_ok(t.path, NULL);
    assert_int_equal(index_position(x), 2001);
    index_close(x);
    index_close(NULL);
    index_reader_close(r);
    index_reader_close(NULL);
    tempdir_remove(&t);
}

static void
test_query(void **state)
{
    struct addr h3 = host(3);
    struct tempdir t;
    struct index *x;
    struct index_reader *r;
    struct found f = {0};
    struct found page = {0};
    struct index_query q = {.host = &h3, .limit = 50};
    size_t want = 0;

    (void)state;
    tempdir_make(&t);
    x = open_ok(t.path, NULL);
    add_range(x, 1, 120);
    index_close(x);
    r = reader_ok(t.path);
    assert_int_equal(index_events(r, &q, find_row, &f), ERR_OK);
    for (uint64_t seq = 120; seq >= 1; seq--) {
        if (seq % 10 != 9 && (seq % 8 == 3 || seq % 5 == 3))
            assert_int_equal(f.seq[want++], seq); /* each once, newest first */
    }
    assert_int_equal(f.n, want);
    q.limit = 7;
    do { /* the same in pages */
        size_t before = page.n;

        assert_int_equal(index_events(r, &q, find_row, &page), ERR_OK);
        if (page.n == before)
            break;
        q.before_when = page.last_when;
        q.before_seq = page.seq[page.n - 1];
    } while (page.n < 60);
    assert_int_equal(page.n, f.n);
    assert_memory_equal(page.seq, f.seq, f.n * sizeof(f.seq[0]));
    q = (struct index_query){.from = 10 / 3 * 1000000, .to = 13 / 3 * 1000000};
    f.n = 0;
    assert_int_equal(index_events(r, &q, find_row, &f), ERR_OK);
    assert_int_equal(f.n, 3); /* 9, 10 and 11; 12 begins at the end */
    q = (struct index_query){.host = &h3, .type = "smtp"};
    page.n = 0;
    assert_int_equal(index_events(r, &q, find_row, &page), ERR_OK);
    assert_int_equal(page.n, want);
    q.type = "stats";
    page.n = 0;
    assert_int_equal(index_events(r, &q, find_row, &page), ERR_OK);
    assert_int_equal(page.n, 0);
    q = (struct index_query){.type = "stats", .limit = 20};
    f.n = 0;
    assert_int_equal(index_events(r, &q, find_row, &f), ERR_OK);
    assert_int_equal(f.n, 12);
    f.n = 0;
    assert_int_equal(
        index_event_by_id(r, SPAN_LIT("00000000000004d0"), find_row, &f),
        ERR_OK);
    assert_int_equal(f.n, 1);
    assert_int_equal(f.seq[0], 16);
    assert_int_equal(index_event_by_id(r, SPAN_LIT("x"), find_row, &f), ERR_OK);
    assert_int_equal(f.n, 1);
    index_reader_close(r);
    tempdir_remove(&t);
}

/* No query of events may sort, or read the table from end to end. */
static void
test_query_plan(void **state)
{
    struct index_reader *r;
    struct tempdir t;
    struct buf sql;

    (void)state;
    tempdir_make(&t);
    buf_init(&sql, 65536);
    index_close(open_ok(t.path, NULL));
    r = reader_ok(t.path);
    for (int q = QUERY_ANY; q <= QUERY_ID; q++) {
        sqlite3_stmt *s;

        buf_reset(&sql);
        buf_str(&sql, "EXPLAIN QUERY PLAN ");
        buf_str(&sql, sqlite3_sql(r->s[q]));
        buf_putc(&sql, 0);
        assert_int_equal(
            sqlite3_prepare_v2(r->db, (const char *)sql.p, -1, &s, NULL), 0);
        while (sqlite3_step(s) == SQLITE_ROW) {
            const char *step = (const char *)sqlite3_column_text(s, 3);

            assert_null(strstr(step, "SCAN"));
            assert_null(strstr(step, "TEMP B-TREE"));
        }
        (void)sqlite3_finalize(s);
    }
    index_reader_close(r);
    buf_free(&sql);
    tempdir_remove(&t);
}

static void
set_version(const char *dir, const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(tempdir_name(dir, "index.db").s, &db), 0);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), 0);
    (void)sqlite3_close(db);
}

static void
spoil_version(const char *dir)
{
    set_version(dir, "PRAGMA user_version = 0");
}

/* As builds numbered it by hand. */
static void
spoil_version_2(const char *dir)
{
    set_version(dir, "PRAGMA user_version = 2");
}

/* A build whose fields stood in other places. */
static void
spoil_version_next(const char *dir)
{
    char sql[64];

    (void)snprintf(sql, sizeof(sql), "PRAGMA user_version = %u",
                   (unsigned)(index_version() ^ 1));
    set_version(dir, sql);
}

static void
spoil_position(const char *dir)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(tempdir_name(dir, "index.db").s, &db), 0);
    assert_int_equal(
        sqlite3_exec(db, "UPDATE position SET seq = 99", NULL, NULL, NULL), 0);
    (void)sqlite3_close(db);
}

static void
spoil_all(const char *dir)
{
    char junk[8192];

    memset(junk, 'j', sizeof(junk));
    tempdir_store(dir, "index.db", junk, sizeof(junk));
}

static void
spoil_pages(const char *dir)
{
    size_t n;
    uint8_t *p = tempdir_load(dir, "index.db", &n);

    assert_true(n > 8192);
    memset(p + 4096, 0x55, n - 4096);
    tempdir_store(dir, "index.db", p, n);
    free(p);
}

static void
spoil_cut(const char *dir)
{
    size_t n;
    uint8_t *p = tempdir_load(dir, "index.db", &n);

    tempdir_store(dir, "index.db", p, 4096);
    free(p);
}

static void
spoil_gone(const char *dir)
{
    assert_int_equal(index_drop(dir), ERR_OK);
    assert_int_equal(index_drop(dir), ERR_OK);
}

static void
test_replaced(void **state)
{
    static const struct {
        const char *why;
        void (*spoil)(const char *dir);
        const char *says;
        bool kept;
    } rows[] = {
        {"no version",             spoil_version,      "another version", false},
        {"version by hand",        spoil_version_2,    "another version", false},
        {"of another table",       spoil_version_next, "another version", false},
        {"position ahead of rows", spoil_position,     "damaged",         true },
        {"not a database",         spoil_all,          "damaged",         true },
        {"pages overwritten",      spoil_pages,        "damaged",         true },
        {"cut short",              spoil_cut,          "damaged",         true },
        {"gone",                   spoil_gone,         NULL,              false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct tempdir t;
        struct index *x;

        tempdir_make(&t);
        x = open_ok(t.path, NULL);
        add_range(x, 1, 50);
        index_close(x);
        rows[i].spoil(t.path);
        x = open_ok(t.path, rows[i].says);
        assert_int_equal(index_position(x), 0);
        if (tempdir_has(t.path, "index.db.damaged") != rows[i].kept)
            fail_msg("%s", rows[i].why);
        add_range(x, 1, 50);
        index_close(x);
        assert_int_equal(count_rows(t.path), 50);
        tempdir_remove(&t);
    }
}

/* Who may not build it anew must not take its records for their own. */
static void
test_reader_refuses(void **state)
{
    static const struct {
        const char *why;
        void (*spoil)(const char *dir);
        enum err want;
    } rows[] = {
        {"no version",       spoil_version,      ERR_NOENT },
        {"version by hand",  spoil_version_2,    ERR_FORMAT},
        {"of another table", spoil_version_next, ERR_FORMAT},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct index_reader *r = NULL;
        struct buf message;
        struct tempdir t;

        tempdir_make(&t);
        buf_init(&message, 4096);
        index_close(open_ok(t.path, NULL));
        rows[i].spoil(t.path);
        if (index_reader_open(t.path, &r, &message) != rows[i].want)
            fail_msg("%s", rows[i].why);
        assert_true(message.n > 0);
        buf_free(&message);
        tempdir_remove(&t);
    }
}

static void
test_no_place(void **state)
{
    struct index *x = NULL;
    struct index_reader *r = NULL;
    struct tempdir t;
    struct buf message;

    (void)state;
    tempdir_make(&t);
    buf_init(&message, 4096);
    assert_int_not_equal(index_open("/nonexistent", &x, &message), ERR_OK);
    assert_true(
        span_starts(buf_view(&message), SPAN_LIT("/nonexistent/index.db: ")));
    buf_reset(&message);
    assert_int_equal(index_reader_open(t.path, &r, &message), ERR_NOENT);
    assert_true(message.n > 0);
    buf_free(&message);
    tempdir_remove(&t);
}

static void
writer_child(const char *dir)
{
    struct index *x = NULL;
    struct record_out r;
    struct buf message;

    buf_init(&message, 4096);
    record_init(&r);
    if (index_open(dir, &x, &message) != ERR_OK)
        _exit(1);
    for (;;) {
        uint64_t seq = index_position(x) + 1;

        event_of(&r, seq);
        if (index_add(x, record_view(&r), seq) != ERR_OK ||
            (seq % 97 == 0 && index_commit(x) != ERR_OK))
            _exit(1);
    }
}

static void
test_killed_writer(void **state)
{
    struct tempdir t;
    uint64_t rng = 3;
    uint64_t last = 0;

    (void)state;
    tempdir_make(&t);
    for (unsigned round = 0; round < 30; round++) {
        struct index *x;
        pid_t pid = fork();

        if (pid == 0)
            writer_child(t.path);
        assert_true(pid > 0);
        rng = hash_mix(rng, round);
        (void)usleep((useconds_t)(1000 + rng % 30000));
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        x = open_ok(t.path, NULL); /* opening compares position and rows */
        assert_true(index_position(x) >= last);
        last = index_position(x);
        index_close(x);
        if (last <= INDEX_LIMIT_MAX)
            assert_int_equal(count_rows(t.path), last);
    }
    assert_true(last > 0);
    tempdir_remove(&t);
}

/* ---- what is kept whole ---- */

struct kept {
    struct buf text;
    size_t n;
};

static void
keep_row(void *ctx, uint64_t seq, struct span record)
{
    struct kept *k = ctx;

    k->n++;
    buf_printf(&k->text, "%llu:%s ", (unsigned long long)seq,
               event_type_name(record_head_of(record).type));
}

static void
add_alert(struct index *x, uint64_t seq, const char *id, ns_t when)
{
    struct record_out r;

    record_init(&r);
    record_begin(&r, &(struct record_head){.when = when, .type = EVENT_ALERT});
    record_text(&r, FIELD_ALERT_ID, id);
    assert_int_equal(index_add(x, record_view(&r), seq), ERR_OK);
    record_free(&r);
}

static void
add_control(struct index *x, uint64_t seq, const char *kind, enum field f,
            const char *id)
{
    struct record_out r;

    record_init(&r);
    record_begin(&r, &(struct record_head){.type = EVENT_CONTROL});
    record_text(&r, FIELD_CONTROL_KIND, kind);
    if (id != NULL)
        record_text(&r, f, id);
    assert_int_equal(index_add(x, record_view(&r), seq), ERR_OK);
    record_free(&r);
}

static void
add_host(struct index *x, uint64_t seq, const char *lease)
{
    struct addr a = host(7);
    struct record_out r;

    record_init(&r);
    record_begin(&r, &(struct record_head){.type = EVENT_HOST});
    record_addr(&r, FIELD_SRC_IP, &a);
    if (lease != NULL)
        record_text(&r, FIELD_SRC_HOST_LEASE, lease);
    assert_int_equal(index_add(x, record_view(&r), seq), ERR_OK);
    record_free(&r);
}

static void
kept_is(const char *why, struct kept *k, const char *want)
{
    buf_putc(&k->text, 0);
    if (strcmp((const char *)k->text.p, want) != 0)
        fail_msg("%s: %s, not %s", why, (const char *)k->text.p, want);
    buf_reset(&k->text);
}

static void
test_kept(void **state)
{
    struct index_reader *r;
    struct tempdir t;
    struct index *x;
    struct kept k = {.n = 0};

    (void)state;
    buf_init(&k.text, 4096);
    tempdir_make(&t);
    x = open_ok(t.path, NULL);
    add_alert(x, 1, "aa11", 10 * NS_PER_US);
    add_alert(x, 2, "aa22", 30 * NS_PER_US);
    add_alert(x, 3, "aa11", 20 * NS_PER_US); /* the newest of its episode */
    add_alert(x, 4, "\xff", 5 * NS_PER_US);
    add_control(x, 5, "alert", FIELD_CONTROL_ALERT, "aa11");
    add_control(x, 6, "alert", FIELD_CONTROL_ALERT, "aa22");
    add_control(x, 7, "alert", FIELD_CONTROL_ALERT, "aa11");
    add_control(x, 8, "alert", FIELD_CONTROL_ALERT, NULL); /* about nothing */
    add_control(x, 9, "exception", FIELD_CONTROL_EXCEPTION, "e1");
    add_control(x, 10, "start", FIELD_CONTROL_EXCEPTION, "e1");
    add_host(x, 11, NULL);
    add_host(x, 12, "00ff");
    add_host(x, 13, NULL);
    index_close(x);
    r = reader_ok(t.path);
    assert_int_equal(index_latest(r, "alert", 0, 0, keep_row, &k), ERR_OK);
    kept_is("newest first", &k, "2:alert 3:alert 4:alert ");
    assert_int_equal(index_latest(r, "alert", 20 * NS_PER_US, 0, keep_row, &k),
                     ERR_OK);
    kept_is("since, that time included", &k, "2:alert 3:alert ");
    assert_int_equal(index_latest(r, "alert", 0, 1, keep_row, &k), ERR_OK);
    kept_is("a limit", &k, "2:alert ");
    assert_int_equal(
        index_latest_key(r, "alert", SPAN_LIT("aa"), 0, keep_row, &k), ERR_OK);
    kept_is("by the key's beginning", &k, "3:alert 2:alert ");
    assert_int_equal(
        index_latest_key(r, "alert", SPAN_LIT("aa2"), 0, keep_row, &k), ERR_OK);
    kept_is("one key", &k, "2:alert ");
    assert_int_equal(
        index_latest_key(r, "host", SPAN_LIT("10.0.0.7"), 0, keep_row, &k),
        ERR_OK);
    kept_is("a host and its lease", &k, "13:host 12:host ");
    assert_int_equal(index_acts(r, "act", SPAN_LIT("aa11"), keep_row, &k),
                     ERR_OK);
    kept_is("all acts of an alert", &k, "5:control 7:control ");
    assert_int_equal(index_acts(r, "act", SPAN_NONE, keep_row, &k), ERR_OK);
    kept_is("all acts", &k, "5:control 6:control 7:control ");
    assert_int_equal(
        index_acts_key(r, "exception", SPAN_LIT("e"), keep_row, &k), ERR_OK);
    kept_is("exceptions", &k, "9:control ");
    index_reader_close(r);
    buf_free(&k.text);
    tempdir_remove(&t);
}

/* By kind; what is in force, and the newest of what is not old, stays. */
static void
test_expired(void **state)
{
    static const struct {
        const char *why;
        enum keep_kind kind;
        uint64_t before, rows, left;
    } rows[] = {
        {"nothing is so old",     KEEP_TRANSACTIONS, 0,                 0, 14},
        {"at the limit it stays", KEEP_TRANSACTIONS, 1000000,           2, 12},
        {"no more of those",      KEEP_TRANSACTIONS, 1000000,           0, 12},
        {"the others",            KEEP_STATISTICS,   UINT64_C(1) << 60, 3, 10},
        {"all mail",              KEEP_TRANSACTIONS, UINT64_C(1) << 60, 7, 3 },
        {"alerts too",            KEEP_ALERTS,       UINT64_C(1) << 60, 4, 0 },
    };
    struct index_reader *r;
    struct kept k = {.n = 0};
    struct tempdir t;
    struct index *x;

    (void)state;
    buf_init(&k.text, 4096);
    tempdir_make(&t);
    x = open_ok(t.path, NULL);
    for (uint64_t seq = 1; seq <= 10; seq++) {
        struct record_out out;

        record_init(&out);
        event_of(&out, seq);
        assert_int_equal(index_add(x, record_view(&out), seq), ERR_OK);
        record_free(&out);
    }
    add_host(x, 11, NULL);
    add_alert(x, 12, "aa11", 10 * NS_PER_US);
    add_control(x, 13, "exception", FIELD_CONTROL_EXCEPTION, "ee");
    add_control(x, 14, "alert", FIELD_CONTROL_ALERT, "aa11");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t n = 0;

        assert_int_equal(index_expire(x, rows[i].kind, rows[i].before, &n),
                         ERR_OK);
        if (n != rows[i].rows || count_rows(t.path) != rows[i].left)
            fail_msg("%s: %u rows, %u left", rows[i].why, (unsigned)n,
                     (unsigned)count_rows(t.path));
    }
    assert_int_equal(index_position(x), 14);
    r = reader_ok(t.path);
    assert_int_equal(index_latest(r, "alert", 0, 0, keep_row, &k), ERR_OK);
    assert_int_equal(k.n, 0);
    assert_int_equal(index_acts(r, "exception", SPAN_NONE, keep_row, &k),
                     ERR_OK);
    assert_int_equal(k.n, 1);
    index_reader_close(r);
    index_close(x);
    buf_free(&k.text);
    tempdir_remove_flat(t.path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expired),
        cmocka_unit_test(test_rebuilt_is_equal),
        cmocka_unit_test(test_position),
        cmocka_unit_test(test_query),
        cmocka_unit_test(test_query_plan),
        cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_reader_refuses),
        cmocka_unit_test(test_no_place),
        cmocka_unit_test(test_killed_writer),
        cmocka_unit_test(test_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
