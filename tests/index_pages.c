/* index_pages - how long pages of a large index take while it is written
 *
 *     index_pages DIR [ROWS [LIMIT_MS]]
 *
 * Fills an index of ROWS events in the folder DIR, unless it holds as many from
 * an earlier run: of ten events one is an alert, some 0.7 are what people did
 * about alerts, the rest transactions and hosts. Two fifths of all are of one
 * relay. Then a process commits 100 events every 100 ms, as a sensor does,
 * alone at first, then while this one asks for pages, and then while a reader
 * holds one state of the index all the time. Prints p50, p99 and the longest of
 * each kind of page and of the commits. Exit code 1: a page's p99 is over
 * LIMIT_MS, or one has no row that should. */
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
#include "sensor/store/index_list.h"
#include "sensor/store/index_reader.h"
#include "tests/many_events.h"

#define PLENTY      1000000U /* events, of which each kind of page has rows */
#define TURNS       200U     /* of each kind of page */
#define BATCH       100U     /* events of a commit, ten a second */
#define COMMITS_MAX 4096U
#define BEGIN       UINT64_C(1767225600000000000)

static double
cpu_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
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
    t->begun = many_ms();
    t->cpu_begun = cpu_ms();
}

static void
clock_stop(struct took *t)
{
    t->cpu[t->n] = cpu_ms() - t->cpu_begun;
    t->wall[t->n++] = many_ms() - t->begun;
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
    struct many m = {.rng = 9, .begin = BEGIN};
    struct index *x = many_index(dir);
    struct pollfd p = {.fd = stop, .events = POLLIN};
    double next = many_ms();

    record_init(&m.out);
    m.seq = index_position(x);
    while (took.n < COMMITS_MAX) {
        int wait = (int)(next - many_ms());

        if (wait > 0 && poll(&p, 1, wait) > 0)
            break;
        if (wait > 0)
            continue;
        clock_start(&took);
        for (unsigned i = 0; i < BATCH; i++)
            many_add(x, &m, NULL, NULL);
        if (index_commit(x) != ERR_OK)
            many_die("no commit");
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
        many_die("no pipe");
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
        many_die("the writer failed");
}

/* ---- pages ---- */

struct asking {
    struct index_reader *r;
    struct many m;
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

/* clang-format off: its columns would be wider than a page */
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
/* clang-format on */

static enum err
ask_events(struct asking *a, const struct kind *k)
{
    struct addr host =
        many_addr(k->host == 1 ? MANY_RELAY : many_draw(&a->m, MANY_HOSTS));
    struct index_query q = {.host = k->host > 0 ? &host : NULL,
                            .type = k->type,
                            .limit = INDEX_PAGE_MAX};
    char id[32];

    if (k->list == EVENT) {
        (void)snprintf(id, sizeof(id), "%016" PRIx64,
                       hash_mix(1 + many_draw(&a->m, a->end), 3));
        return index_event_by_id(a->r, span_str(id), on_event, &a->rows);
    }
    if (k->deep) {
        q.before_seq = 1 + a->end / 10 + many_draw(&a->m, a->end - a->end / 10);
        q.before_when = BEGIN + q.before_seq * MANY_STEP;
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
    uint64_t at = 1 + a->end / 10 + many_draw(&a->m, a->end - a->end / 10);
    struct index_counts counts;
    struct index_page page;

    many_name(k->host == 1 ? MANY_RELAY : many_draw(&a->m, MANY_HOSTS), host);
    (void)snprintf(rule, sizeof(rule), "0e6c44f9-3334-41ac-89f5-08eb53d9%04u",
                   (unsigned)many_draw(&a->m, MANY_RULES));
    (void)snprintf(site, sizeof(site), "site%02u",
                   (unsigned)many_draw(&a->m, MANY_SITES));
    (void)snprintf(after, sizeof(after), "%" PRIu64 ".1",
                   BEGIN + at * MANY_STEP);
    q.host = k->host > 0 ? span_str(host) : SPAN_NONE;
    q.rule = k->rule ? span_str(rule) : SPAN_NONE;
    q.site = k->site ? span_str(site) : SPAN_NONE;
    q.after = k->deep ? span_str(after) : SPAN_NONE;
    q.text = k->text != NULL ? span_str(k->text) : SPAN_NONE;
    q.registered = k->registered != NULL ? span_str(k->registered) : SPAN_NONE;
    if (k->window) {
        q.since = BEGIN + at * MANY_STEP - 3600 * NS_PER_S;
        q.until = BEGIN + at * MANY_STEP;
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
            many_die("no page");
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
        many_die("nothing is held");
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
    struct asking a = {
        .m = {.rng = 4, .begin = BEGIN},
        .end = rows,
        .limit = argc > 3 ? strtod(argv[3], NULL) : 0
    };
    int pause = a.limit > 0 ? 20000 : 300;
    unsigned turns = a.limit > 0 ? TURNS : 3;
    struct many filled = {.rng = 1, .begin = BEGIN};
    struct buf why;
    pid_t pid;
    int stop;

    if (argc < 2 || rows < 1000)
        many_die("DIR [ROWS [LIMIT_MS]]");
    many_fill(argv[1], &filled, rows, NULL, NULL);
    show_size(argv[1], "filled");
    pid = start_writer(argv[1], "commits, nobody reads", &stop);
    wait_ms(pause);
    stop_writer(pid, stop);
    buf_init(&why, 4096);
    if (index_reader_open(argv[1], &a.r, &why) != ERR_OK)
        many_die("no reader");
    pid = start_writer(argv[1], "commits, pages are read all the time", &stop);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        measure(&a, &kinds[i], turns);
    stop_writer(pid, stop);
    hold(&a, argv[1], pause);
    index_reader_close(a.r);
    buf_free(&why);
    return a.bad ? 1 : 0;
}
