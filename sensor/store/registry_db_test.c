#include "sensor/store/registry_db.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "sensor/base/hash.h"
#include "tempdir.h"

/* ---- a chain with a hash of its own: what is one is not the store's business
 */

static void
seal(struct registry_row *row)
{
    for (unsigned i = 0; i < 4; i++) {
        uint64_t h = hash_span(row->text, row->number * 4 + i);

        h = hash_mix(h, hash_span(span_of(row->before, 32), i));
        memcpy(row->hash + 8 * i, &h, 8);
    }
}

struct chain {
    struct registry_row last;
    uint64_t taken;
    uint64_t sum; /* over all that was taken */
    uint64_t stop_at;
};

static struct registry_row
next_of(const struct chain *c, struct buf *text)
{
    struct registry_row row = {.number = c->last.number + 1};

    row.when = row.number * NS_PER_S;
    row.actor = SPAN_LIT("mk");
    memcpy(row.before, c->last.hash, 32);
    buf_reset(text);
    buf_str(text, "action ");
    buf_u64(text, row.number);
    row.text = buf_view(text);
    seal(&row);
    return row;
}

static enum err
take(void *ctx, const struct registry_row *row, struct buf *why)
{
    struct chain *c = ctx;
    struct registry_row want = *row;

    if (row->number == c->stop_at)
        return ERR_LIMIT;
    seal(&want);
    if (memcmp(want.hash, row->hash, 32) != 0 ||
        row->when != row->number * NS_PER_S) {
        buf_str(why, "record ");
        buf_u64(why, row->number);
        buf_str(why, " is not what its hash says");
        return ERR_CORRUPT;
    }
    c->last = *row;
    c->taken++;
    c->sum = hash_mix(c->sum, hash_span(row->text, row->number));
    return ERR_OK;
}

static struct registry_db *
open_ok(const char *dir, enum registry_db_mode mode)
{
    struct registry_db *d = NULL;
    struct buf message;
    enum err e;

    buf_init(&message, 1024);
    e = registry_db_open(tempdir_name(dir, REGISTRY_DB_FILE).s, mode, &d,
                         &message);
    if (e != ERR_OK)
        fail_msg("%s: %.*s", err_text(e), (int)message.n,
                 (const char *)message.p);
    buf_free(&message);
    return d;
}

static void
read_ok(struct registry_db *d, struct chain *c)
{
    struct buf message;
    enum err e;

    buf_init(&message, 1024);
    e = registry_db_read(d, take, c, &message);
    if (e != ERR_OK)
        fail_msg("%s: %.*s", err_text(e), (int)message.n,
                 (const char *)message.p);
    buf_free(&message);
}

/* Adds n records in one transaction. */
static enum err
add(struct registry_db *d, struct chain *c, unsigned n)
{
    struct buf message, text;
    enum err e;

    buf_init(&message, 1024);
    buf_init(&text, 1024);
    e = registry_db_begin(d, &message);
    if (e == ERR_OK)
        e = registry_db_read(d, take, c, &message);
    for (unsigned i = 0; e == ERR_OK && i < n; i++) {
        struct registry_row row = next_of(c, &text);

        e = registry_db_add(d, &row, &message);
        if (e == ERR_OK)
            e = take(c, &row, &message);
    }
    if (e == ERR_OK)
        e = registry_db_commit(d, &message);
    else
        registry_db_rollback(d);
    buf_free(&text);
    buf_free(&message);
    return e;
}

static void
make(const char *dir, unsigned n)
{
    struct registry_db *d = open_ok(dir, REGISTRY_DB_CREATE);
    struct chain c = {0};

    assert_int_equal(add(d, &c, n), ERR_OK);
    registry_db_close(d);
}

static uint64_t
count(const char *dir)
{
    struct registry_db *d = open_ok(dir, REGISTRY_DB_READ);
    struct chain c = {0};

    read_ok(d, &c);
    assert_int_equal(c.taken, registry_db_last(d));
    registry_db_close(d);
    return c.taken;
}

/* ---- what is kept ---- */

static void
keeps_records_in_order(void **state)
{
    struct tempdir t;
    struct registry_db *d;
    struct chain written = {0};
    struct chain c = {0};
    struct stat st;

    (void)state;
    tempdir_make(&t);
    d = open_ok(t.path, REGISTRY_DB_CREATE);
    assert_int_equal(add(d, &written, 3), ERR_OK);
    assert_int_equal(add(d, &written, 2), ERR_OK);
    assert_int_equal(registry_db_last(d), 5);
    registry_db_close(d);
    registry_db_close(NULL);
    d = open_ok(t.path, REGISTRY_DB_READ);
    c.stop_at = 4;
    {
        struct buf message;

        buf_init(&message, 64);
        assert_int_equal(registry_db_read(d, take, &c, &message), ERR_LIMIT);
        buf_free(&message);
    }
    assert_int_equal(c.taken, 3);
    c.stop_at = 0;
    read_ok(d, &c); /* from the one that was not taken on */
    read_ok(d, &c);
    assert_int_equal(c.taken, 5);
    assert_int_equal(c.sum, written.sum);
    registry_db_close(d);
    assert_int_equal(stat(tempdir_name(t.path, REGISTRY_DB_FILE).s, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    tempdir_remove(&t);
}

static void
gives_up_a_whole_transaction(void **state)
{
    struct tempdir t;
    struct registry_db *d;
    struct chain c = {0};
    struct buf message, text;
    struct registry_row row;

    (void)state;
    tempdir_make(&t);
    make(t.path, 4);
    buf_init(&message, 1024);
    buf_init(&text, 1024);
    d = open_ok(t.path, REGISTRY_DB_WRITE);
    read_ok(d, &c);
    assert_int_equal(registry_db_begin(d, &message), ERR_OK);
    row = next_of(&c, &text);
    assert_int_equal(registry_db_add(d, &row, &message), ERR_OK);
    assert_int_equal(registry_db_last(d), 5);
    /* the same again is not the next one */
    assert_int_equal(registry_db_add(d, &row, &message), ERR_CORRUPT);
    registry_db_rollback(d);
    assert_int_equal(registry_db_last(d), 4);
    registry_db_rollback(d);
    assert_int_equal(registry_db_begin(d, &message), ERR_OK);
    assert_int_equal(registry_db_add(d, &row, &message), ERR_OK);
    registry_db_close(d); /* with the transaction open */
    assert_int_equal(count(t.path), 4);
    d = open_ok(t.path, REGISTRY_DB_WRITE);
    c = (struct chain){0};
    assert_int_equal(add(d, &c, 1), ERR_OK);
    registry_db_close(d);
    assert_int_equal(count(t.path), 5);
    buf_free(&message);
    buf_free(&text);
    tempdir_remove(&t);
}

static void
tells_of_changes(void **state)
{
    struct tempdir t;
    struct registry_db *a, *b;
    struct chain ca = {0};
    struct chain cb = {0};

    (void)state;
    tempdir_make(&t);
    a = open_ok(t.path, REGISTRY_DB_CREATE);
    b = open_ok(t.path, REGISTRY_DB_WRITE);
    read_ok(a, &ca);
    assert_false(registry_db_changed(a));
    assert_int_equal(add(b, &cb, 2), ERR_OK);
    assert_true(registry_db_changed(a));
    assert_true(registry_db_changed(a));
    read_ok(a, &ca);
    assert_int_equal(ca.taken, 2);
    assert_false(registry_db_changed(a));
    assert_int_equal(add(a, &ca, 1), ERR_OK);
    assert_int_equal(add(b, &cb, 1), ERR_OK); /* reads the other's first */
    assert_int_equal(cb.taken, 4);
    registry_db_close(a);
    registry_db_close(b);
    tempdir_remove(&t);
}

/* ---- carrying ---- */

static void
carries_once(void **state)
{
    struct tempdir t;
    struct registry_db *d;
    struct chain c = {0};
    struct buf message;
    uint64_t n, seq;

    (void)state;
    tempdir_make(&t);
    make(t.path, 2);
    buf_init(&message, 1024);
    d = open_ok(t.path, REGISTRY_DB_WRITE);
    assert_int_equal(registry_db_intent(d, &n, &seq, &message), ERR_OK);
    assert_int_equal(n, 0);
    assert_int_equal(registry_db_pending(d, &n, &message), ERR_OK);
    assert_int_equal(n, 1);
    assert_int_equal(registry_db_intend(d, 1, 77, &message), ERR_OK);
    assert_int_equal(registry_db_intent(d, &n, &seq, &message), ERR_OK);
    assert_true(n == 1 && seq == 77);
    assert_int_equal(registry_db_carried(d, 1, 78, &message), ERR_OK);
    assert_int_equal(registry_db_pending(d, &n, &message), ERR_OK);
    assert_int_equal(n, 2);
    assert_int_equal(registry_db_carried(d, 1, 79, &message), ERR_STORE);
    assert_int_equal(registry_db_get(d, 1, take, &c, &message), ERR_OK);
    assert_int_equal(c.last.carried, 78);
    assert_int_equal(registry_db_get(d, 3, take, &c, &message), ERR_NOENT);
    assert_int_equal(registry_db_carried(d, 2, 80, &message), ERR_OK);
    assert_int_equal(registry_db_pending(d, &n, &message), ERR_OK);
    assert_int_equal(n, 0);
    registry_db_close(d);
    buf_free(&message);
    tempdir_remove(&t);
}

/* ---- damage ---- */

#define NO_TRIGGERS                                                            \
    "DROP TRIGGER audit_kept; DROP TRIGGER audit_unchanged;"                   \
    "DROP TRIGGER audit_carried_once; DROP TRIGGER audit_in_order;"

static int
sql(const char *dir, const char *text)
{
    sqlite3 *db;
    int rc;

    assert_int_equal(sqlite3_open(tempdir_name(dir, REGISTRY_DB_FILE).s, &db),
                     0);
    rc = sqlite3_exec(db, text, NULL, NULL, NULL);
    (void)sqlite3_close(db);
    return rc;
}

static void
refuses_changes(void **state)
{
    static const struct {
        const char *why, *sql;
        bool fine;
    } rows[] = {
        {"delete",            "DELETE FROM audit WHERE number = 2",            false},
        {"delete all",        "DELETE FROM audit",                             false},
        {"text",              "UPDATE audit SET text = '' WHERE number = 1",   false},
        {"time",              "UPDATE audit SET time = 9 WHERE number = 1",    false},
        {"actor",             "UPDATE audit SET actor = 'x'",                  false},
        {"hash",              "UPDATE audit SET hash = zeroblob(32)",          false},
        {"number",            "UPDATE audit SET number = 9 WHERE number = 3",  false},
        {"a hole",
         "INSERT INTO audit VALUES(9, 1, 'a', 't', zeroblob(32), zeroblob(32),"
         " NULL)",                                                             false},
        {"a second one",
         "INSERT OR REPLACE INTO audit VALUES(2, 1, 'a', 't', zeroblob(32),"
         " zeroblob(32), NULL)",                                               false},
        {"carried, once",     "UPDATE audit SET carried = 5 WHERE number = 1",
         true                                                                       },
        {"carried, twice",    "UPDATE audit SET carried = 6 WHERE number = 1",
         false                                                                      },
        {"not carried again",
         "UPDATE audit SET carried = NULL WHERE number = 1",                   false},
    };
    struct tempdir t;

    (void)state;
    tempdir_make(&t);
    make(t.path, 3);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if ((sql(t.path, rows[i].sql) == SQLITE_OK) != rows[i].fine)
            fail_msg("%s", rows[i].why);
    }
    assert_int_equal(count(t.path), 3);
    tempdir_remove(&t);
}

static void
names_what_was_tampered_with(void **state)
{
    static const struct {
        const char *why, *sql, *says;
    } rows[] = {
        {"text changed",         "UPDATE audit SET text = 'x' WHERE number = 3",
         "record 3 is not what its hash says"                                                                               },
        {"time changed",         "UPDATE audit SET time = 1 WHERE number = 2",
         "record 2 is not what its hash says"                                                                               },
        {"hash changed",         "UPDATE audit SET hash = zeroblob(32) WHERE number=2",
         "record 2 is not what its hash says"                                                                               },
        {"last hash changed",
         "UPDATE audit SET hash = zeroblob(32) WHERE number = 5",                       "record 5 is not what its hash says"},
        {"link changed",         "UPDATE audit SET before=zeroblob(32) WHERE number=4",
         "record 4 does not follow"                                                                                         },
        {"first link changed",
         "UPDATE audit SET before = randomblob(32) WHERE number = 1",                   "record 1 does not follow"          },
        {"one is missing",       "DELETE FROM audit WHERE number = 3",
         "record 3 is missing"                                                                                              },
        {"the first is missing", "DELETE FROM audit WHERE number = 1",
         "record 1 is missing"                                                                                              },
        {"the last is missing",  "DELETE FROM audit WHERE number = 5",
         "record 5 is missing"                                                                                              },
        {"all are missing",      "DELETE FROM audit",                                   "record 1 is missing"               },
        {"one was put in",
         "UPDATE audit SET number = number + 1 WHERE number = 5;"
         "INSERT INTO audit VALUES(5, 5, 'a', 't', zeroblob(32),"
         " randomblob(32), NULL)",                                                      "record 5 does not follow"          },
        {"one was put behind",
         "INSERT INTO audit SELECT 6, 6000000000, 'a', 'action 6', hash,"
         " randomblob(32), NULL FROM audit WHERE number = 5",                           "record 6 "                         },
        {"two changed places",
         "UPDATE audit SET number = 99 WHERE number = 2;"
         "UPDATE audit SET number = 2 WHERE number = 3;"
         "UPDATE audit SET number = 3 WHERE number = 99",                               "record 2 does not follow"          },
        {"head back, all else",  "UPDATE head SET number = 4",
         "record 5 was put in"                                                                                              },
        {"head lost",            "DELETE FROM head",                                    "is missing"                        },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct tempdir t;
        struct registry_db *d;
        struct chain c = {0};
        struct buf message, text;
        enum err e;

        tempdir_make(&t);
        make(t.path, 5);
        assert_int_equal(sql(t.path, NO_TRIGGERS), SQLITE_OK);
        if (sql(t.path, rows[i].sql) != SQLITE_OK)
            fail_msg("%s: the test's own SQL", rows[i].why);
        buf_init(&message, 1024);
        buf_init(&text, 64);
        d = open_ok(t.path, REGISTRY_DB_WRITE);
        e = registry_db_read(d, take, &c, &message);
        buf_putc(&message, 0);
        if (e != ERR_CORRUPT ||
            strstr((const char *)message.p, rows[i].says) == NULL)
            fail_msg("%s: %s, %s", rows[i].why, err_text(e),
                     (const char *)message.p);
        registry_db_close(d);
        buf_free(&message);
        buf_free(&text);
        tempdir_remove(&t);
    }
}

static void
spoil(const char *dir, const char *how)
{
    size_t n;
    uint8_t *p = tempdir_load(dir, REGISTRY_DB_FILE, &n);

    assert_true(p != NULL && n > 8192);
    if (strcmp(how, "junk") == 0)
        memset(p, 'j', n);
    else if (strcmp(how, "pages") == 0)
        memset(p + 4096, 0x55, n - 4096);
    else if (strcmp(how, "cut") == 0)
        n = 5000;
    tempdir_store(dir, REGISTRY_DB_FILE, p, n);
    free(p);
}

static void
never_replaces_a_damaged_file(void **state)
{
    static const struct {
        const char *how, *sql;
        enum err want;
    } rows[] = {
        {"junk",              NULL,                        ERR_CORRUPT},
        {"pages",             NULL,                        ERR_CORRUPT},
        {"cut",               NULL,                        ERR_CORRUPT},
        {"version",           "PRAGMA user_version = 9",   ERR_FORMAT },
        {"another program's", "PRAGMA application_id = 1", ERR_FORMAT },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct tempdir t;
        struct registry_db *d = NULL;
        struct chain c = {0};
        struct buf message;
        enum err e;
        size_t before, after;
        uint8_t *was, *is;

        tempdir_make(&t);
        make(t.path, 500);
        if (rows[i].sql != NULL)
            assert_int_equal(sql(t.path, rows[i].sql), SQLITE_OK);
        else
            spoil(t.path, rows[i].how);
        was = tempdir_load(t.path, REGISTRY_DB_FILE, &before);
        buf_init(&message, 1024);
        e = registry_db_open(tempdir_name(t.path, REGISTRY_DB_FILE).s,
                             REGISTRY_DB_CREATE, &d, &message);
        if (e == ERR_OK)
            e = registry_db_read(d, take, &c, &message);
        registry_db_close(d);
        if (e != rows[i].want || message.n == 0)
            fail_msg("%s: %s: %.*s", rows[i].how, err_text(e), (int)message.n,
                     (const char *)message.p);
        is = tempdir_load(t.path, REGISTRY_DB_FILE, &after);
        if (before != after || memcmp(was, is, before) != 0)
            fail_msg("%s: the file was changed", rows[i].how);
        free(was);
        free(is);
        buf_free(&message);
        tempdir_remove(&t);
    }
}

static void
needs_its_file(void **state)
{
    static const enum registry_db_mode modes[] = {REGISTRY_DB_READ,
                                                  REGISTRY_DB_WRITE};
    struct tempdir t;
    struct registry_db *d = NULL;
    struct buf message;

    (void)state;
    tempdir_make(&t);
    buf_init(&message, 1024);
    for (size_t i = 0; i < ARRAY_LEN(modes); i++)
        assert_int_equal(
            registry_db_open(tempdir_name(t.path, REGISTRY_DB_FILE).s, modes[i],
                             &d, &message),
            ERR_NOENT);
    assert_false(tempdir_has(t.path, REGISTRY_DB_FILE));
    assert_int_not_equal(registry_db_open("/nonexistent/registry.db",
                                          REGISTRY_DB_CREATE, &d, &message),
                         ERR_OK);
    /* empty: made by somebody who got no further */
    tempdir_store(t.path, REGISTRY_DB_FILE, "", 0);
    assert_int_equal(registry_db_open(tempdir_name(t.path, REGISTRY_DB_FILE).s,
                                      REGISTRY_DB_READ, &d, &message),
                     ERR_NOENT);
    assert_int_equal(registry_db_open(tempdir_name(t.path, REGISTRY_DB_FILE).s,
                                      REGISTRY_DB_WRITE, &d, &message),
                     ERR_NOENT);
    make(t.path, 1);
    assert_int_equal(count(t.path), 1);
    buf_free(&message);
    tempdir_remove(&t);
}

/* ---- several processes, and their end ---- */

/* Several make it and add to it at once. */
static void
takes_several_writers(void **state)
{
    struct tempdir t;
    pid_t pids[3];

    (void)state;
    tempdir_make(&t);
    for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0) {
            struct registry_db *d = open_ok(t.path, REGISTRY_DB_CREATE);
            struct chain c = {0};

            for (unsigned k = 0; k < 50; k++) {
                if (add(d, &c, 1 + k % 3) != ERR_OK)
                    _exit(1);
            }
            registry_db_close(d);
            _exit(0);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
        int status = -1;

        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(count(t.path), 3 * 99);
    tempdir_remove(&t);
}

static void
write_until_killed(const char *dir)
{
    struct registry_db *d = open_ok(dir, REGISTRY_DB_CREATE);
    struct chain c = {0};
    struct buf message;

    buf_init(&message, 1024);
    for (;;) {
        if (add(d, &c, 7) != ERR_OK)
            _exit(1);
        /* carried up to here, in order */
        if (registry_db_intend(d, c.last.number, c.last.number, &message) !=
                ERR_OK ||
            registry_db_carried(d, c.last.number, c.last.number, &message) !=
                ERR_OK)
            _exit(1);
    }
}

static void
survives_being_killed(void **state)
{
    struct tempdir t;
    uint64_t rng = 5;
    uint64_t last = 0;

    (void)state;
    tempdir_make(&t);
    for (unsigned round = 0; round < 25; round++) {
        pid_t pid = fork();
        uint64_t n;

        if (pid == 0)
            write_until_killed(t.path);
        assert_true(pid > 0);
        rng = hash_mix(rng, round);
        (void)usleep((useconds_t)(3000 + rng % 40000));
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        make(t.path, 0); /* it may not have come to that */
        n = count(t.path);
        assert_true(n >= last && n % 7 == 0);
        last = n;
    }
    assert_true(last > 0);
    tempdir_remove(&t);
}

/* ---- many ---- */

static double
seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void
loads_many(void **state)
{
    struct tempdir t;
    double begun = seconds();
    double made;

    (void)state;
    tempdir_make(&t);
    make(t.path, 20000);
    made = seconds();
    assert_int_equal(count(t.path), 20000);
    print_message("20000 records: written in %.2f s, read in %.2f s\n",
                  made - begun, seconds() - made);
    tempdir_remove(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_records_in_order),
        cmocka_unit_test(gives_up_a_whole_transaction),
        cmocka_unit_test(tells_of_changes),
        cmocka_unit_test(carries_once),
        cmocka_unit_test(refuses_changes),
        cmocka_unit_test(names_what_was_tampered_with),
        cmocka_unit_test(never_replaces_a_damaged_file),
        cmocka_unit_test(needs_its_file),
        cmocka_unit_test(takes_several_writers),
        cmocka_unit_test(survives_being_killed),
        cmocka_unit_test(loads_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
