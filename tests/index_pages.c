/* index_pages - how long pages of a large index take while it is written
 *
 *     index_pages DIR [ROWS [LIMIT_MS]]
 *
 * Fills an index of ROWS events in the new folder DIR: of ten events one is an
 * alert, some 0.7 are what people did about alerts, the rest transactions and
 * hosts. Two fifths of all are of one relay. Then a process commits 100 events
 * every 100 ms, as a sensor does, alone at first, then while this one asks for
 * pages, and then while a reader holds one state of the index all the time.
 * Prints p50, p99 and the longest of each kind of page and of the commits. Exit
 * code 1: a page's p99 is over LIMIT_MS, or one has no row that should. */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sensor/base/hash.h"
#include "sensor/event/record.h"
#include "sensor/store/index.h"
#include "sensor/store/index_list.h"
#include "sensor/store/index_reader.h"

#define HOSTS       20000U
#define RULES       30U
#define SITES       20U
#define RELAY       7U
#define PLENTY      1000000U /* events, of which each kind of page has rows */
#define TURNS       200U     /* of each kind of page */
#define BATCH       100U     /* events of a commit, ten a second */
#define COMMITS_MAX 4096U
#define STEP        UINT64_C(250000000) /* ns between events */
#define BEGIN       UINT64_C(1767225600000000000)

struct made {
    struct record_out out;
    uint64_t rng, seq;
};

static uint64_t
draw(struct made *m, uint64_t n)
{
    m->rng = hash_mix(m->rng, 1);
    return (m->rng >> 20) % n;
}

static double
now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double
cpu_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
die(const char *what)
{
    (void)fprintf(stderr, "index_pages: %s\n", what);
    exit(2);
}

/* ---- events ---- */

static struct addr
addr_of(uint64_t host)
{
    uint8_t b[4] = {10, (uint8_t)(host >> 16), (uint8_t)(host >> 8),
                    (uint8_t)host};

    return addr_v4(b);
}

static void
name_of(uint64_t host, char out[ADDR_TEXT_MAX + 1])
{
    struct addr a = addr_of(host);

    out[addr_format(&a, out)] = 0;
}

static void
begin(struct made *m, enum event_type type)
{
    char id[32];

    record_begin(&m->out, &(struct record_head){
                              .when = BEGIN + m->seq * STEP,
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
make_alert(struct made *m, uint64_t number)
{
    uint64_t rule = draw(m, RULES),
             host = draw(m, 10) < 3 ? RELAY : draw(m, HOSTS);
    char id[17], name[ADDR_TEXT_MAX + 1], text[64];

    begin(m, EVENT_ALERT);
    alert_id(number, id);
    name_of(host, name);
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
    (void)snprintf(text, sizeof(text), "site%02u", (unsigned)(host % SITES));
    record_text(&m->out, FIELD_ALERT_SITE, text);
    record_text(
        &m->out, FIELD_ALERT_REASON,
        "was refused 176 times, of 200 recipients that it offered to 38 "
        "organisations; score 15.2, limit 9.2");
    record_time(&m->out, FIELD_ALERT_FIRST, BEGIN + m->seq * STEP - STEP);
    record_time(&m->out, FIELD_ALERT_LAST, BEGIN + m->seq * STEP);
    record_u64(&m->out, FIELD_ALERT_COUNT, 1 + draw(m, 50));
}

static void
make_act(struct made *m)
{
    char id[17];

    begin(m, EVENT_CONTROL);
    alert_id(m->seq / 10 - draw(m, m->seq / 10 > 2000 ? 2000 : m->seq / 10 + 1),
             id);
    record_text(&m->out, FIELD_CONTROL_KIND, "alert");
    record_text(&m->out, FIELD_CONTROL_ACTION,
                draw(m, 10) == 0 ? "ack" : "close");
    record_text(&m->out, FIELD_CONTROL_ACTOR, "somebody");
    record_text(&m->out, FIELD_CONTROL_ALERT, id);
}

static void
make_host(struct made *m)
{
    struct addr a = addr_of(draw(m, HOSTS));
    uint64_t n = draw(m, 100);
    char text[64];

    begin(m, EVENT_HOST);
    record_addr(&m->out, FIELD_SRC_IP, &a);
    record_text(&m->out, FIELD_SRC_REG_STATE,
                n < 10 ? "registered" : "unregistered");
    (void)snprintf(text, sizeof(text), "site%02u", (unsigned)a.b[15] % SITES);
    record_text(&m->out, FIELD_SRC_HOST_SITE, text);
    record_time(&m->out, FIELD_HOST_LAST, BEGIN + m->seq * STEP);
    record_u64(&m->out, FIELD_HOST_SESSIONS, n);
    (void)snprintf(text, sizeof(text), "mx%u.example.org", (unsigned)a.b[15]);
    record_text(&m->out, FIELD_HOST_NAME, text);
    record_text(&m->out, FIELD_HOST_S3_LEVEL,
                n == 0  ? "block"
                : n < 4 ? "alert"
                        : "normal");
}

static void
make_mail(struct made *m)
{
    uint64_t n = draw(m, 1000);
    struct addr src = addr_of(draw(m, 5) < 2 ? RELAY : draw(m, HOSTS));
    struct addr dst = addr_of(HOSTS + draw(m, HOSTS));

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

static void
add_next(struct index *x, struct made *m)
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
    if (index_add(x, record_view(&m->out), m->seq) != ERR_OK)
        die("an event was not taken");
}

static struct index *
open_index(const char *dir)
{
    struct index *x = NULL;
    struct buf why;

    buf_init(&why, 4096);
    if (index_open(dir, &x, &why) != ERR_OK)
        die("no index");
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
        die("no database");
    return db;
}

static void
must(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        die(sqlite3_errmsg(db));
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
        die("no tables");
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

static void
fill(const char *dir, uint64_t rows)
{
    struct made m = {.rng = 1};
    struct index *x = open_index(dir);
    double begun = now_ms(), last = begun;
    struct buf make;

    index_close(x);
    buf_init(&make, 1 << 16);
    drop_indexes(dir, &make);
    x = open_index(dir);

    record_init(&m.out);
    while (m.seq < rows) {
        add_next(x, &m);
        if (m.seq % 1000000 == 0) {
            double at = now_ms();

            (void)printf("filled %9" PRIu64 ": %.0f events/s\n", m.seq,
                         1e9 / (at - last));
            (void)fflush(stdout);
            last = at;
        }
    }
    index_close(x);
    make_indexes(dir, &make);
    buf_free(&make);
    (void)printf("filled %" PRIu64 " events in %.0f s\n", rows,
                 (now_ms() - begun) / 1e3);
    record_free(&m.out);
}

/* ---- figures ---- */

static int
less(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

struct took {
    double wall[COMMITS_MAX], cpu[COMMITS_MAX];
    size_t n;
    double begun, cpu_begun;
};

static void
clock_start(struct took *t)
{
    t->begun = now_ms();
    t->cpu_begun = cpu_ms();
}

static void
clock_stop(struct took *t)
{
    t->cpu[t->n] = cpu_ms() - t->cpu_begun;
    t->wall[t->n++] = now_ms() - t->begun;
}

/* CPU is what it costs; the other is that and waiting, for the disk and for
 * whatever else the machine does. */
static double
show(const char *what, struct took *t, const char *more)
{
    const size_t n = t->n;

    if (n == 0)
        return 0;
    qsort(t->wall, n, sizeof(*t->wall), less);
    qsort(t->cpu, n, sizeof(*t->cpu), less);
    (void)printf("%-40s p50 %7.2f  p99 %7.2f  max %7.2f ms; CPU p50 %7.2f "
                 "p99 %7.2f ms%s\n",
                 what, t->wall[n / 2], t->wall[n * 99 / 100], t->wall[n - 1],
                 t->cpu[n / 2], t->cpu[n * 99 / 100], more);
    (void)fflush(stdout);
    return t->wall[n * 99 / 100];
}

/* ---- the writer ---- */

/* Until the pipe is closed. */
static void
write_on(const char *dir, const char *what, int stop)
{
    static struct took took;
    struct made m = {.rng = 9};
    struct index *x = open_index(dir);
    struct pollfd p = {.fd = stop, .events = POLLIN};
    double next = now_ms();

    record_init(&m.out);
    m.seq = index_position(x);
    while (took.n < COMMITS_MAX) {
        int wait = (int)(next - now_ms());

        if (wait > 0 && poll(&p, 1, wait) > 0)
            break;
        if (wait > 0)
            continue;
        clock_start(&took);
        for (unsigned i = 0; i < BATCH; i++)
            add_next(x, &m);
        if (index_commit(x) != ERR_OK)
            die("no commit");
        clock_stop(&took);
        next += 100;
    }
    (void)show(what, &took, ", 100 events and their commit");
    index_close(x);
    record_free(&m.out);
}

static pid_t
start_writer(const char *dir, const char *what, int *stop)
{
    int fds[2];
    pid_t pid;

    (void)fflush(stdout);
    if (pipe(fds) != 0)
        die("no pipe");
    pid = fork();
    if (pid == 0) {
        (void)close(fds[1]);
        write_on(dir, what, fds[0]);
        (void)fflush(stdout);
        _exit(0);
    }
    (void)close(fds[0]);
    *stop = fds[1];
    return pid;
}

static void
stop_writer(pid_t pid, int stop)
{
    int status = 0;

    (void)close(stop);
    if (waitpid(pid, &status, 0) != pid || status != 0)
        die("the writer failed");
}

/* ---- pages ---- */

struct asking {
    struct index_reader *r;
    struct made m;
    uint64_t end; /* the newest sequence */
    size_t rows;  /* of a page */
    double limit;
    bool bad;
};

static void
on_alert(void *ctx, const struct index_alert *a, struct span record)
{
    (void)a;
    (void)record;
    ++*(size_t *)ctx;
}

static void
on_group(void *ctx, const struct index_group *g, struct span record)
{
    (void)g;
    (void)record;
    ++*(size_t *)ctx;
}

static void
on_record(void *ctx, uint64_t seq, struct span record)
{
    (void)seq;
    (void)record;
    ++*(size_t *)ctx;
}

static void
on_event(void *ctx, const struct index_event *e)
{
    (void)e;
    ++*(size_t *)ctx;
}

/* What a page is asked for; of a number 0 is: not at all. */
struct kind {
    const char *words;
    enum { ALERTS, GROUPS, HOSTS_LIST, COUNTS, EVENTS, EVENT } list;
    unsigned host; /* 1: the relay, 2: any */
    bool rule, site, window, deep;
    unsigned statuses, severity, level;
    const char *text, *type, *registered;
    bool may_be_empty;
};

static const struct kind kinds[] = {
    {.words = "alerts",                           .list = ALERTS                              },
    {.words = "alerts, deep",                     .list = ALERTS,                               .deep = true},
    {.words = "alerts, new",                                           .list = ALERTS,                                                                  .statuses = 1},
    {.words = "alerts, new, high",
     .list = ALERTS,
     .statuses = 1,
     .severity = 1},
    {.words = "alerts, new, high, deep",
     .list = ALERTS,
     .statuses = 1,
     .severity = 1,
     .deep = true,
     .may_be_empty = true},
    {.words = "alerts, ack or escalated, medium",
     .list = ALERTS,
     .statuses = 6,
     .severity = 2},
    {.words = "alerts of the relay",                               .list = ALERTS,                                                                             .host = 1},
    {.words = "alerts of the relay, new",
     .list = ALERTS,
     .host = 1,
     .statuses = 1},
    {.words = "alerts of a host",
     .list = ALERTS,
     .host = 2,
     .may_be_empty = true},
    {.words = "alerts of a rule",                                           .list = ALERTS,                                                          .rule = true},
    {.words = "alerts of a rule, new, deep",
     .list = ALERTS,
     .rule = true,
     .statuses = 1,
     .deep = true,
     .may_be_empty = true},
    {.words = "alerts of a site",                              .list = ALERTS,                                                                                 .site = true},
    {.words = "alerts of a site and a rule, new",
     .list = ALERTS,
     .site = true,
     .rule = true,
     .statuses = 1,
     .may_be_empty = true},
    {.words = "alerts of an hour",                                   .list = ALERTS,                                                                      .window = true},
    {.words = "alerts, text of few",                 .list = ALERTS,     .text = "10.0.1"},
    {.words = "alerts, text of many",                                           .list = ALERTS,                                                  .text = "rule number 1"},
    {.words = "alerts, text of none",
     .list = ALERTS,
     .text = "nothing",
     .may_be_empty = true},
    {.words = "groups",                        .list = GROUPS                                                                   },
    {.words = "groups, new",.list = GROUPS,.statuses = 1},
    {.words = "groups, high, deep",
     .list = GROUPS,
     .severity = 1,
     .deep = true,
     .may_be_empty = true},
    {.words = "groups of a rule",                                .list = GROUPS,                                                                             .rule = true},
    {.words = "groups of a site, new",
     .list = GROUPS,
     .site = true,
     .statuses = 1},
    {.words = "groups, text",                             .list = GROUPS,    .text = "10.0.1"},
    {.words = "hosts",             .list = HOSTS_LIST                                    },
    {.words = "hosts, deep",
     .list = HOSTS_LIST,
     .deep = true,
     .may_be_empty = true},
    {.words = "hosts at block",                                           .list = HOSTS_LIST,                                                         .level = 3},
    {.words = "hosts of a site, registered",
     .list = HOSTS_LIST,
     .site = true,
     .registered = "registered"},
    {.words = "hosts, text",                           .list = HOSTS_LIST,                                  .text = "mx12"},
    {.words = "counts",                      .list = COUNTS                                                    },
    {.words = "sessions of all types",                                           .list = EVENTS                                                          },
    {.words = "sessions, deep",                               .list = EVENTS,                                                                              .deep = true},
    {.words = "sessions of type smtp, deep",
     .list = EVENTS,
     .type = "smtp",
     .deep = true},
    {.words = "sessions of type anomaly",                               .list = EVENTS,.type = "anomaly"},
    {.words = "sessions of the relay",                              .list = EVENTS,                                                                              .host = 1},
    {.words = "sessions of the relay, deep",
     .list = EVENTS,
     .host = 1,
     .deep = true},
    {.words = "sessions of the relay, type anomaly",
     .list = EVENTS,
     .host = 1,
     .type = "anomaly"},
    {.words = "sessions of the relay, type tls (none)",
     .list = EVENTS,
     .host = 1,
     .type = "tls",
     .may_be_empty = true},
    {.words = "sessions of a host, deep",
     .list = EVENTS,
     .host = 2,
     .deep = true,
     .may_be_empty = true},
    {.words = "sessions of a host, type smtp",
     .list = EVENTS,
     .host = 2,
     .type = "smtp",
     .may_be_empty = true},
    {.words = "an event by its id",                                 .list = EVENT                    },
};

static enum err
ask_events(struct asking *a, const struct kind *k)
{
    struct addr host = addr_of(k->host == 1 ? RELAY : draw(&a->m, HOSTS));
    struct index_query q = {.host = k->host > 0 ? &host : NULL,
                            .type = k->type,
                            .limit = INDEX_PAGE_MAX};
    char id[32];

    if (k->list == EVENT) {
        (void)snprintf(id, sizeof(id), "%016" PRIx64,
                       hash_mix(1 + draw(&a->m, a->end), 3));
        return index_event_by_id(a->r, span_str(id), on_event, &a->rows);
    }
    if (k->deep) {
        q.before_seq = 1 + a->end / 10 + draw(&a->m, a->end - a->end / 10);
        q.before_when = BEGIN + q.before_seq * STEP;
    }
    return index_events(a->r, &q, on_event, &a->rows);
}

static enum err
ask_page(struct asking *a, const struct kind *k)
{
    struct index_list q = {.statuses = k->statuses,
                           .severity = k->severity,
                           .level = k->level,
                           .limit = INDEX_PAGE_MAX};
    char host[ADDR_TEXT_MAX + 1], rule[64], site[16], after[INDEX_CURSOR];
    uint64_t at = 1 + a->end / 10 + draw(&a->m, a->end - a->end / 10);
    struct index_counts counts;
    struct index_page page;

    name_of(k->host == 1 ? RELAY : draw(&a->m, HOSTS), host);
    (void)snprintf(rule, sizeof(rule), "0e6c44f9-3334-41ac-89f5-08eb53d9%04u",
                   (unsigned)draw(&a->m, RULES));
    (void)snprintf(site, sizeof(site), "site%02u",
                   (unsigned)draw(&a->m, SITES));
    (void)snprintf(after, sizeof(after), "%" PRIu64 ".1", BEGIN + at * STEP);
    q.host = k->host > 0 ? span_str(host) : SPAN_NONE;
    q.rule = k->rule ? span_str(rule) : SPAN_NONE;
    q.site = k->site ? span_str(site) : SPAN_NONE;
    q.after = k->deep ? span_str(after) : SPAN_NONE;
    q.text = k->text != NULL ? span_str(k->text) : SPAN_NONE;
    q.registered = k->registered != NULL ? span_str(k->registered) : SPAN_NONE;
    if (k->window) {
        q.since = BEGIN + at * STEP - 3600 * NS_PER_S;
        q.until = BEGIN + at * STEP;
    }
    switch (k->list) {
    case ALERTS: return index_list_alerts(a->r, &q, on_alert, &a->rows, &page);
    case GROUPS: return index_list_groups(a->r, &q, on_group, &a->rows, &page);
    case HOSTS_LIST:
        return index_list_hosts(a->r, &q, on_record, &a->rows, &page);
    case COUNTS: a->rows = 1; return index_list_counts(a->r, &counts);
    case EVENTS:
    case EVENT: break;
    }
    return ask_events(a, k);
}

static void
measure(struct asking *a, const struct kind *k, unsigned turns)
{
    static struct took took;
    size_t most = 0;
    char more[48];
    double p99;

    took.n = 0;
    for (unsigned i = 0; i < turns; i++) {
        clock_start(&took);
        a->rows = 0;
        if (ask_page(a, k) != ERR_OK)
            die("no page");
        clock_stop(&took);
        most = a->rows > most ? a->rows : most;
    }
    (void)snprintf(more, sizeof(more), ", %zu rows", most);
    p99 = show(k->words, &took, more);
    if ((a->limit > 0 && p99 > a->limit) ||
        (most == 0 && !k->may_be_empty && a->end >= PLENTY)) {
        (void)printf("FAILED: %s\n", k->words);
        a->bad = true;
    }
}

static long long
size_of(const char *dir, const char *name)
{
    char path[4096];
    struct stat st;

    (void)snprintf(path, sizeof(path), "%s/index.db%s", dir, name);
    return stat(path, &st) == 0 ? (long long)st.st_size : 0;
}

static void
show_size(const char *dir, const char *when)
{
    (void)printf("%s: index.db %.2f GB, its log %.1f MB\n", when,
                 (double)size_of(dir, "") / 1e9,
                 (double)size_of(dir, "-wal") / 1e6);
}

static void
wait_ms(int ms)
{
    (void)poll(NULL, 0, ms);
}

/* Holds one state of the index for a while. */
static void
hold(struct asking *a, const char *dir, int ms)
{
    int stop;
    pid_t pid =
        start_writer(dir, "commits, one state held all the time", &stop);

    if (sqlite3_exec(a->r->db, "BEGIN; SELECT seq FROM position", NULL, NULL,
                     NULL) != SQLITE_OK)
        die("nothing is held");
    wait_ms(ms);
    show_size(dir, "held");
    (void)sqlite3_exec(a->r->db, "COMMIT", NULL, NULL, NULL);
    wait_ms(ms / 2);
    stop_writer(pid, stop);
    show_size(dir, "given up");
}

int
main(int argc, char **argv)
{
    uint64_t rows = argc > 2 ? strtoull(argv[2], NULL, 10) : 20000;
    struct asking a = {.m = {.rng = 4},
                       .end = rows,
                       .limit = argc > 3 ? strtod(argv[3], NULL) : 0};
    int pause = a.limit > 0 ? 20000 : 300;
    unsigned turns = a.limit > 0 ? TURNS : 3;
    struct buf why;
    pid_t pid;
    int stop;

    if (argc < 2 || rows < 1000)
        die("DIR [ROWS [LIMIT_MS]]");
    fill(argv[1], rows);
    show_size(argv[1], "filled");
    pid = start_writer(argv[1], "commits, nobody reads", &stop);
    wait_ms(pause);
    stop_writer(pid, stop);
    buf_init(&why, 4096);
    if (index_reader_open(argv[1], &a.r, &why) != ERR_OK)
        die("no reader");
    pid = start_writer(argv[1], "commits, pages are read all the time", &stop);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        measure(&a, &kinds[i], turns);
    stop_writer(pid, stop);
    hold(&a, argv[1], pause);
    index_reader_close(a.r);
    buf_free(&why);
    return a.bad ? 1 : 0;
}
