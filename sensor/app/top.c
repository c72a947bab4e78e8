#include "sensor/app/top.h"

#include "sensor/app/doctor.h"
#include "sensor/app/live.h"
#include "sensor/app/live_report.h"
#include "sensor/base/text.h"
#include "sensor/event/record.h"
#include "sensor/store/index_query.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PAGE_MAX  (1U << 20)
#define TRIES     30U /* for a page that is newer */
#define CLEAR     "\033[H\033[2J"
#define VALUE_MAX 32U

/* ---- reading a page ---- */

/* The number behind the last space. */
static bool
value_of(struct span line, double *out)
{
    char text[VALUE_MAX];
    size_t at = line.n;

    while (at > 0 && span_at(line, at - 1) != ' ')
        at--;
    if (at == 0 || at == line.n || line.n - at >= sizeof(text))
        return false;
    memcpy(text, line.p + at, line.n - at);
    text[line.n - at] = '\0';
    *out = strtod(text, NULL);
    return true;
}

static bool
is_of(struct span line, const char *name)
{
    const struct span prefix = SPAN_LIT("span25_");
    struct span rest = span_tail(line, prefix.n);

    if (!span_starts(line, prefix) || !span_starts(rest, span_str(name)))
        return false;
    rest = span_tail(rest, span_str(name).n);
    return rest.n > 0 && (span_at(rest, 0) == '{' || span_at(rest, 0) == ' ');
}

bool
top_sum(struct span page, const char *name, const char *label, double *out)
{
    bool found = false;
    double v;

    *out = 0;
    while (page.n > 0) {
        const size_t end = span_find(page, '\n');
        const struct span line = span_head(page, end);

        page = span_tail(page, end < page.n ? end + 1 : page.n);
        if (!is_of(line, name) ||
            (label != NULL && span_search(line, span_str(label)) >= line.n) ||
            !value_of(line, &v))
            continue;
        *out += v;
        found = true;
    }
    return found;
}

/* ---- what is shown ---- */

static void
put_rate(struct buf *out, struct span before, struct span now, const char *what,
         const char *name, double unit)
{
    double t0, t1, v0, v1;

    if (!top_sum(before, "metrics_timestamp_seconds", NULL, &t0) ||
        !top_sum(now, "metrics_timestamp_seconds", NULL, &t1) || t1 <= t0 ||
        !top_sum(before, name, NULL, &v0) || !top_sum(now, name, NULL, &v1))
        return;
    /* A core that came back counts anew. */
    v1 = v1 >= v0 ? v1 - v0 : v1;
    buf_printf(out, "%-28s %12.1f\n", what, v1 * unit / (t1 - t0));
}

static void
put_value(struct buf *out, struct span page, const char *what, const char *name,
          const char *label)
{
    double v;

    if (top_sum(page, name, label, &v))
        buf_printf(out, "%-28s %12.1f\n", what, v);
}

void
top_write(struct span before, struct span now, struct buf *out)
{
    static const struct {
        const char *what, *name;
        double unit;
    } rates[] = {
        {"packets/s",         "capture_packets_total",         1   },
        {"Mbit/s",            "capture_bytes_total",           8e-6},
        {"packets dropped/s", "capture_dropped_packets_total", 1   },
        {"sessions/s",        "sessions_total",                1   },
        {"events/s",          "events_total",                  1   },
        {"records lost/s",    "records_lost_total",            1   },
    };
    static const struct {
        const char *what, *name, *label;
    } values[] = {
        {"connections open",    "connections",           NULL                 },
        {"seconds behind, all", "worker_behind_seconds", NULL                 },
        {"alerts open, high",   "alerts_open",           "severity=\"high\""  },
        {"alerts open, medium", "alerts_open",           "severity=\"medium\""},
        {"alerts open, low",    "alerts_open",           "severity=\"low\""   },
        {"would be blocked",    "blocks",                "state=\"simulated\""},
        {"asked of a human",    "blocks",                "state=\"pending\""  },
    };

    for (size_t i = 0; i < ARRAY_LEN(rates); i++)
        put_rate(out, before, now, rates[i].what, rates[i].name, rates[i].unit);
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        put_value(out, now, values[i].what, values[i].name, values[i].label);
}

/* ---- hosts ---- */

struct host {
    char name[ADDR_TEXT_MAX + 1];
    uint64_t sessions;
};

/* The most first. */
struct hosts {
    struct host v[TOP_HOSTS];
    size_t n;
};

static void
on_host(void *ctx, uint64_t seq, struct span record)
{
    struct hosts *h = ctx;
    const struct span ip = record_find(record, FIELD_SRC_IP);
    const uint64_t sessions = record_find_u64(record, FIELD_HOST_SESSIONS, 0);
    size_t at = h->n < TOP_HOSTS ? h->n : TOP_HOSTS - 1;
    struct addr a;

    (void)seq;
    if (ip.n != sizeof(a.b) || sessions == 0 ||
        (h->n == TOP_HOSTS && sessions <= h->v[at].sessions))
        return;
    for (; at > 0 && h->v[at - 1].sessions < sessions; at--)
        h->v[at] = h->v[at - 1];
    memcpy(a.b, ip.p, sizeof(a.b));
    h->v[at].name[addr_format(&a, h->v[at].name)] = '\0';
    h->v[at].sessions = sessions;
    h->n += h->n < TOP_HOSTS;
}

/* Without an index there are none: it is made a while after the start. */
static void
put_hosts(const char *state, struct buf *out)
{
    struct hosts h = {.n = 0};
    struct index_reader *r = NULL;
    struct buf why;

    buf_init(&why, 1024);
    if (index_reader_open(state, &r, &why) == ERR_OK &&
        index_latest(r, "host", 0, INDEX_LIMIT_MAX, on_host, &h) == ERR_OK &&
        h.n > 0)
        buf_printf(out, "\n%-46s %10s\n", "HOST", "SESSIONS");
    for (size_t i = 0; i < h.n; i++)
        buf_printf(out, "%-46s %10" PRIu64 "\n", h.v[i].name, h.v[i].sessions);
    index_reader_close(r);
    buf_free(&why);
}

/* ---- the verb ---- */

static void
nap(void)
{
    static const struct timespec time = {.tv_nsec = 200000000};

    (void)nanosleep(&time, NULL);
}

/* A page that was written at least TOP_TURN_NS after `before`. */
static bool
next_page(const char *state, const struct buf *before, struct buf *page)
{
    double t0, t1;
    ns_t age;

    for (unsigned i = 0; i < TRIES; i++) {
        if (live_report_read(state, page, &age) != ERR_OK || age > DOCTOR_FRESH)
            return false;
        if (!top_sum(buf_view(before), "metrics_timestamp_seconds", NULL,
                     &t0) ||
            (top_sum(buf_view(page), "metrics_timestamp_seconds", NULL, &t1) &&
             t1 - t0 >= 1))
            return true;
        nap();
    }
    return true; /* the core is late: what stands there is shown */
}

static void
show(const char *state, const struct buf *before, const struct buf *now,
     struct buf *out)
{
    unsigned n_warn = 0, n_fail = 0;

    top_write(buf_view(before), buf_view(now), out);
    put_hosts(state, out);
    buf_putc(out, '\n');
    doctor_page(buf_view(now), out, &n_warn, &n_fail);
}

static bool
write_out(struct buf *out)
{
    const bool good = write(STDOUT_FILENO, out->p, out->n) == (ssize_t)out->n;

    buf_reset(out);
    return good;
}

static enum cli_exit
no_sensor(const char *state, struct buf *messages)
{
    buf_str(messages, "span25: no sensor runs with the state ");
    text_term(messages, span_str(state));
    buf_str(messages, "; see span25 doctor\n");
    return CLI_EXIT_STORE;
}

enum cli_exit
top_run(const struct cli *c, struct buf *out, struct buf *messages)
{
    const char *state = c->config.state != NULL ? c->config.state : LIVE_STATE;
    const bool once = c->config.once || isatty(STDOUT_FILENO) == 0;
    struct buf pages[2];
    unsigned turn = 0;
    bool good;

    for (size_t i = 0; i < ARRAY_LEN(pages); i++)
        buf_init(&pages[i], PAGE_MAX);
    good = next_page(state, &pages[1], &pages[0]);
    do {
        struct buf *before = &pages[turn % 2];
        struct buf *now = &pages[(turn + 1) % 2];

        good = good && next_page(state, before, now);
        if (good && !once)
            buf_str(out, CLEAR);
        if (good)
            show(state, before, now, out);
        turn++;
    } while (good && !once && write_out(out));
    for (size_t i = 0; i < ARRAY_LEN(pages); i++)
        buf_free(&pages[i]);
    return good ? CLI_EXIT_DONE : no_sensor(state, messages);
}
