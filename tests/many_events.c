#include "tests/many_events.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sensor/base/hash.h"
#include "sensor/store/index_reader.h"

uint64_t
many_draw(struct many *m, uint64_t n)
{
    m->rng = hash_mix(m->rng, 1);
    return (m->rng >> 20) % n;
}

double
many_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

void
many_die(const char *what)
{
    (void)fprintf(stderr, "many events: %s\n", what);
    exit(2);
}

struct addr
many_addr(uint64_t host)
{
    uint8_t b[4] = {10, (uint8_t)(host >> 16), (uint8_t)(host >> 8),
                    (uint8_t)host};

    return addr_v4(b);
}

void
many_name(uint64_t host, char out[ADDR_TEXT_MAX + 1])
{
    struct addr a = many_addr(host);

    out[addr_format(&a, out)] = 0;
}

static void
begin(struct many *m, enum event_type type)
{
    char id[32];

    record_begin(&m->out, &(struct record_head){
                              .when = m->begin + m->seq * MANY_STEP,
                              .flow_id = m->seq,
                              .type = type,
                          });
    (void)snprintf(id, sizeof(id), "%016" PRIx64, hash_mix(m->seq, 3));
    record_text(&m->out, FIELD_EVENT_ID, id);
}

static void
alert_id(uint64_t number, char out[17])
{
    (void)snprintf(out, 17, "%016" PRIx64, hash_mix(number, 5));
}

static void
make_alert(struct many *m, uint64_t number)
{
    uint64_t rule = many_draw(m, MANY_RULES),
             host =
                 many_draw(m, 10) < 3 ? MANY_RELAY : many_draw(m, MANY_HOSTS);
    char id[17], name[ADDR_TEXT_MAX + 1], text[64];

    begin(m, EVENT_ALERT);
    alert_id(number, id);
    many_name(host, name);
    record_text(&m->out, FIELD_ALERT_ID, id);
    record_text(&m->out, FIELD_ALERT_STATE, "ended");
    (void)snprintf(text, sizeof(text), "Rule number %02u of the pack",
                   (unsigned)rule);
    record_text(&m->out, FIELD_ALERT_SIGNATURE, text);
    record_u64(&m->out, FIELD_ALERT_SEVERITY,
               rule % 10 == 0 ? 1 : 2 + rule % 3);
    (void)snprintf(text, sizeof(text), "0e6c44f9-3334-41ac-89f5-08eb53d9%04u",
                   (unsigned)rule);
    record_text(&m->out, FIELD_ALERT_RULE, text);
    record_text(&m->out, FIELD_ALERT_SUBJECT, name);
    (void)snprintf(text, sizeof(text), "site%02u",
                   (unsigned)(host % MANY_SITES));
    record_text(&m->out, FIELD_ALERT_SITE, text);
    record_text(
        &m->out, FIELD_ALERT_REASON,
        "was refused 176 times, of 200 recipients that it offered to 38 "
        "organisations; score 15.2, limit 9.2");
    record_time(&m->out, FIELD_ALERT_FIRST,
                m->begin + m->seq * MANY_STEP - MANY_STEP);
    record_time(&m->out, FIELD_ALERT_LAST, m->begin + m->seq * MANY_STEP);
    record_u64(&m->out, FIELD_ALERT_COUNT, 1 + many_draw(m, 50));
}

static void
make_act(struct many *m)
{
    char id[17];

    begin(m, EVENT_CONTROL);
    alert_id(m->seq / 10 -
                 many_draw(m, m->seq / 10 > 2000 ? 2000 : m->seq / 10 + 1),
             id);
    record_text(&m->out, FIELD_CONTROL_KIND, "alert");
    record_text(&m->out, FIELD_CONTROL_ACTION,
                many_draw(m, 10) == 0 ? "ack" : "close");
    record_text(&m->out, FIELD_CONTROL_ACTOR, "somebody");
    record_text(&m->out, FIELD_CONTROL_ALERT, id);
}

static void
make_host(struct many *m)
{
    struct addr a = many_addr(many_draw(m, MANY_HOSTS));
    uint64_t n = many_draw(m, 100);
    char text[64];

    begin(m, EVENT_HOST);
    record_addr(&m->out, FIELD_SRC_IP, &a);
    record_text(&m->out, FIELD_SRC_REG_STATE,
                n < 10 ? "registered" : "unregistered");
    (void)snprintf(text, sizeof(text), "site%02u",
                   (unsigned)a.b[15] % MANY_SITES);
    record_text(&m->out, FIELD_SRC_HOST_SITE, text);
    record_time(&m->out, FIELD_HOST_LAST, m->begin + m->seq * MANY_STEP);
    record_u64(&m->out, FIELD_HOST_SESSIONS, n);
    (void)snprintf(text, sizeof(text), "mx%u.example.org", (unsigned)a.b[15]);
    record_text(&m->out, FIELD_HOST_NAME, text);
    record_text(&m->out, FIELD_HOST_S3_LEVEL,
                n == 0  ? "block"
                : n < 4 ? "alert"
                        : "normal");
}

static void
make_mail(struct many *m)
{
    uint64_t n = many_draw(m, 1000);
    struct addr src =
        many_addr(many_draw(m, 5) < 2 ? MANY_RELAY : many_draw(m, MANY_HOSTS));
    struct addr dst = many_addr(MANY_HOSTS + many_draw(m, MANY_HOSTS));

    begin(m, n == 0    ? EVENT_ANOMALY
             : n < 300 ? EVENT_SMTP_SESSION
                       : EVENT_SMTP);
    record_addr(&m->out, FIELD_SRC_IP, &src);
    record_addr(&m->out, FIELD_DEST_IP, &dst);
    record_u64(&m->out, FIELD_DEST_PORT, 25);
    record_text(&m->out, FIELD_DIRECTION, "outbound");
    if (n >= 300) {
        record_text(&m->out, FIELD_SMTP_MAIL_FROM, "<somebody@example.org>");
        record_u64(&m->out, FIELD_SMTP_FINAL_CODE, 250);
        record_text(&m->out, FIELD_SMTP_OUTCOME, "accepted");
        record_text(&m->out, FIELD_EMAIL_MESSAGE_ID,
                    "<20261122153000.4711@example.org>");
    }
}

struct span
many_next(struct many *m)
{
    m->seq++;
    if (m->seq % 10 == 0)
        make_alert(m, m->seq / 10);
    else if (m->seq % 100 < 70 && m->seq % 10 == 1)
        make_act(m);
    else if (m->seq % 50 == 2)
        make_host(m);
    else
        make_mail(m);
    return record_view(&m->out);
}

void
many_add(struct index *x, struct many *m, many_also *also, void *ctx)
{
    struct span record = many_next(m);

    if (index_add(x, record, m->seq) != ERR_OK)
        many_die("an event was not taken");
    if (also != NULL)
        also(ctx, record);
}

struct index *
many_index(const char *dir)
{
    struct index *x = NULL;
    struct buf why;

    buf_init(&why, 4096);
    if (index_open(dir, &x, &why) != ERR_OK)
        many_die("no index");
    buf_free(&why);
    return x;
}

static sqlite3 *
open_db(const char *dir)
{
    char path[4096];
    sqlite3 *db;

    (void)snprintf(path, sizeof(path), "%s/index.db", dir);
    if (sqlite3_open(path, &db) != SQLITE_OK)
        many_die("no database");
    return db;
}

static void
must(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        many_die(sqlite3_errmsg(db));
}

/* The indexes that filling does not need are made anew when all is there, as
 * far as they are the same: with them every event writes pages all over the
 * file, and millions take hours. Gives the SQL that makes them. */
static void
drop_indexes(const char *dir, struct buf *make)
{
    static const char find[] =
        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS"
        " NOT NULL AND name NOT IN ('alerts_first', 'alerts_newest',"
        " 'groups_key', 'acts_key')";
    sqlite3 *db = open_db(dir);
    struct buf drop;
    sqlite3_stmt *s;

    buf_init(&drop, 1 << 16);
    if (sqlite3_prepare_v2(db, find, -1, &s, NULL) != SQLITE_OK)
        many_die("no tables");
    while (sqlite3_step(s) == SQLITE_ROW) {
        buf_printf(&drop, "DROP INDEX %s;", sqlite3_column_text(s, 0));
        buf_printf(make, "%s;", sqlite3_column_text(s, 1));
    }
    (void)sqlite3_finalize(s);
    buf_putc(&drop, 0);
    buf_putc(make, 0);
    must(db, (const char *)drop.p);
    (void)sqlite3_close(db);
    buf_free(&drop);
}

static void
make_indexes(const char *dir, const struct buf *make)
{
    sqlite3 *db = open_db(dir);

    must(db, "PRAGMA temp_store = FILE; PRAGMA cache_size = -262144");
    must(db, (const char *)make->p);
    must(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    (void)sqlite3_close(db);
}

void
many_fill(const char *dir, struct many *m, uint64_t rows, many_also *also,
          void *ctx)
{
    struct index *x = many_index(dir);
    double begun = many_ms(), last = begun;
    const bool there = index_position(x) >= rows;
    struct buf make;

    index_close(x);
    if (there)
        return;
    buf_init(&make, 1 << 16);
    drop_indexes(dir, &make);
    x = many_index(dir);
    record_init(&m->out);
    while (m->seq < rows) {
        many_add(x, m, also, ctx);
        if (m->seq % 1000000 == 0) {
            double at = many_ms();

            (void)printf("filled %9" PRIu64 ": %.0f events/s\n", m->seq,
                         1e9 / (at - last));
            (void)fflush(stdout);
            last = at;
        }
    }
    index_close(x);
    make_indexes(dir, &make);
    buf_free(&make);
    (void)printf("filled %" PRIu64 " events in %.0f s\n", rows,
                 (many_ms() - begun) / 1e3);
    record_free(&m->out);
}
