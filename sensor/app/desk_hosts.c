#include "sensor/app/desk_hosts.h"

#include <stdio.h>
#include <stdlib.h>

#include "rules/alert/checks.h"
#include "sensor/app/desk_card.h"
#include "sensor/app/desk_event.h"
#include "sensor/app/desk_list.h"
#include "sensor/base/text.h"
#include "sensor/event/host_level.h"

/* Statistics by their level, for the list. */
static const struct {
    const char *name;
    enum field level;
} levels[] = {
#define X(name, level) {name, FIELD_##level},
    HOST_STATISTICS(X)
#undef X
};

static const struct registry_column columns[] = {
    {"HOST",          "host"         },
    {"NAME",          "name"         },
    {"",              "home"         },
    {"SITE",          "site"         },
    {"REGISTERED",    "registered"   },
    {"LEVEL",         "level"        },
    {"STATISTICS",    "statistics"   },
    {"SESSIONS",      "sessions"     },
    {"",              "sessions_tls" },
    {"RCPT",          "rcpt_offered" },
    {"UNKNOWN",       "rcpt_unknown" },
    {"ORGANISATIONS", "organisations"},
    {"QUEUES",        "queueing"     },
    {"",              "ordinary"     },
    {"",              "first"        },
    {"LAST",          "last"         },
};

/* ---- the list ---- */

static void
put_host(struct buf *out, const struct record_map *m)
{
    struct span lease = record_map_find(m, FIELD_SRC_HOST_LEASE);
    char text[ADDR_TEXT_MAX];
    struct addr a;

    if (record_map_addr(m, FIELD_SRC_IP, &a))
        buf_put(out, text, addr_format(&a, text));
    /* One outside stands for its /64: DESIGN 4. */
    if (!record_map_bool(m, FIELD_HOST_HOME) && !addr_is_v4(&a))
        buf_str(out, "/64");
    buf_str(out, lease.n > 0 ? " lease " : "");
    buf_span(out, lease);
}

static void
put_at(struct buf *out, const struct record_map *m, enum host_level level)
{
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        if (host_level_at(m, levels[i].level) != level)
            continue;
        buf_str(out, out->n > 0 ? " " : "");
        buf_str(out, levels[i].name);
    }
}

/* The highest level; the statistics at their limit, the stronger ones first, or
 * where none is those that are raised. */
static const char *
put_level(struct buf *out, const struct record_map *m)
{
    put_at(out, m, HOST_LEVEL_BLOCK);
    put_at(out, m, HOST_LEVEL_ALERT);
    if (out->n == 0)
        put_at(out, m, HOST_LEVEL_RAISED);
    return host_level_word(host_level_of(m));
}

static struct span
site_of(const struct record_map *m)
{
    struct span site = record_map_find(m, FIELD_SRC_REG_SITE);

    return site.n > 0 ? site : record_map_find(m, FIELD_SRC_HOST_SITE);
}

static void
number(struct registry_table *t, const struct record_map *m, enum field f)
{
    if (record_map_has(m, f))
        registry_table_number(t, record_map_u64(m, f, 0));
    else
        registry_table_text(t, NULL); /* not observed is not zero */
}

void
desk_hosts_table(struct registry_table *t)
{
    registry_table_init(t, columns, ARRAY_LEN(columns));
}

void
desk_hosts_row(struct registry_table *t, struct span record)
{
    struct record_map m;
    struct buf host, stats;
    const char *level;

    record_map_init(&m, record);
    buf_init(&host, 256);
    buf_init(&stats, 256);
    put_host(&host, &m);
    level = put_level(&stats, &m);
    registry_table_span(t, buf_view(&host));
    registry_table_span(t, record_map_find(&m, FIELD_HOST_NAME));
    registry_table_bool(t, record_map_bool(&m, FIELD_HOST_HOME));
    registry_table_span(t, site_of(&m));
    registry_table_span(t, record_map_find(&m, FIELD_SRC_REG_STATE));
    registry_table_text(t, level);
    registry_table_span(t, buf_view(&stats));
    number(t, &m, FIELD_HOST_SESSIONS);
    number(t, &m, FIELD_HOST_SESSIONS_TLS);
    number(t, &m, FIELD_HOST_RCPT_OFFERED);
    number(t, &m, FIELD_HOST_RCPT_UNKNOWN);
    number(t, &m, FIELD_HOST_S3_N);
    registry_table_bool(t, record_map_bool(&m, FIELD_HOST_QUEUEING));
    number(t, &m, FIELD_HOST_ORDINARY);
    registry_table_time(t, record_map_u64(&m, FIELD_HOST_FIRST, 0));
    registry_table_time(t, record_map_u64(&m, FIELD_HOST_LAST, 0));
    buf_free(&host);
    buf_free(&stats);
}

/* Records are kept whole until they stand in order: by host.last, not by when
 * the event was told, which is the end of the capture for most. */
struct hosts {
    struct host_at {
        ns_t last;
        size_t at, n; /* of records */
    } * v;
    size_t n, cap;
    struct buf records;
    bool failed;
};

static void
take_host(void *ctx, uint64_t seq, struct span record)
{
    struct hosts *h = ctx;

    (void)seq;
    if (h->n == h->cap) {
        size_t cap = h->cap > 0 ? 2 * h->cap : 256;
        struct host_at *v = reallocarray(h->v, cap, sizeof(*v));

        if (v == NULL) {
            h->failed = true;
            return;
        }
        h->v = v;
        h->cap = cap;
    }
    h->v[h->n++] = (struct host_at){
        .last = record_find_u64(record, FIELD_HOST_LAST, 0),
        .at = h->records.n,
        .n = record.n,
    };
    buf_span(&h->records, record);
    h->failed |= h->records.failed || h->records.cut;
}

static int
latest_first(const void *a, const void *b)
{
    const struct host_at *x = a;
    const struct host_at *y = b;

    if (x->last != y->last)
        return x->last < y->last ? 1 : -1;
    return (x->at > y->at) - (x->at < y->at);
}

enum cli_exit
desk_hosts_list(struct desk *d)
{
    struct registry_table t;
    struct hosts h = {0};
    enum cli_exit code = CLI_EXIT_DONE;

    if (desk_list_asked(d))
        return desk_list_hosts(d);
    buf_init(&h.records, SIZE_MAX / 2);
    desk_hosts_table(&t);
    if (index_latest(d->index, "host", 0, 0, take_host, &h) != ERR_OK)
        code = desk_say_index(d);
    else if (h.failed)
        code = desk_say(d, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
    if (h.n > 0)
        qsort(h.v, h.n, sizeof(*h.v), latest_first);
    for (size_t i = 0; code == CLI_EXIT_DONE && i < h.n; i++)
        desk_hosts_row(&t, span_head(span_tail(buf_view(&h.records), h.v[i].at),
                                     h.v[i].n));
    free(h.v);
    buf_free(&h.records);
    if (code == CLI_EXIT_DONE)
        code = desk_table(d, &t, "span25.hosts.list", "no hosts");
    registry_table_fini(&t);
    return code;
}

/* ---- one host ---- */

static const struct registry_column subkey_columns[] = {
    {"SPEAKER",  "id"      },
    {"HELO",     "helo"    },
    {"ACCEPTED", "accepted"},
    {"FIRST",    "n"       },
    {"UNKNOWN",  "bad"     },
    {"SCORE",    "score"   },
};

static void
add_subkey(struct registry_table *t, struct span object)
{
    static const enum field fields[] = {
        FIELD_HOST_SUBKEY_ID,       FIELD_HOST_SUBKEY_HELO,
        FIELD_HOST_SUBKEY_ACCEPTED, FIELD_HOST_SUBKEY_N,
        FIELD_HOST_SUBKEY_BAD,      FIELD_HOST_SUBKEY_SCORE};
    struct cursor c = cur_open(object);
    struct span values[ARRAY_LEN(fields)] = {{0}};
    struct record_entry e;
    char score[32];

    while (record_next(&c, &e)) {
        for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
            if (fields[i] == e.field)
                values[i] = e.value;
        }
    }
    registry_table_span(t, values[0]);
    registry_table_span(t, values[1]);
    for (size_t i = 2; i < 5; i++)
        registry_table_number(t, entry_u64(values[i]));
    (void)snprintf(score, sizeof(score), "%.1f",
                   (double)entry_u64(values[5]) / 1000);
    registry_table_text(t, score);
}

static void
put_subkeys(struct desk *d, struct span record)
{
    struct registry_table t;
    struct cursor c = record_entries_of(record);
    struct record_entry e;

    registry_table_init(&t, subkey_columns, ARRAY_LEN(subkey_columns));
    while (record_next(&c, &e)) {
        if (e.field == FIELD_HOST_SUBKEY)
            add_subkey(&t, e.value);
    }
    if (registry_table_rows(&t) > 0) {
        buf_str(d->out, "\nSpeakers behind the address\n");
        (void)desk_table(d, &t, "", "");
    }
    registry_table_fini(&t);
}

/* "14 connections, 3 under TLS": what is there, in a line; a zero only where
 * it says something. */
static const struct {
    enum field field;
    const char *words;
    bool zero; /* is told too */
} counts[] = {
    {FIELD_HOST_SESSIONS,           "connections",                         true },
    {FIELD_HOST_SESSIONS_TLS,       "under TLS",                           true },
    {FIELD_HOST_SESSIONS_ONEWAY,    "heard from one side",                 false},
    {FIELD_HOST_ACCEPTED,           "messages accepted",                   true },
    {FIELD_HOST_RCPT_OFFERED,       "recipients offered",                  true },
    {FIELD_HOST_RCPT_UNKNOWN,       "unknown users",                       true },
    {FIELD_HOST_NULL_SENDER,        "mails with the null sender besides",  false},
    {FIELD_HOST_ORDINARY,           "ordinary-looking messages in a week", true },
    {FIELD_HOST_AUTH_FAILURES,      "failed authentications in a day",     false},
    {FIELD_HOST_HARVEST_UNKNOWN,    "unknown users asked for in a day",    false},
    {FIELD_HOST_TRIANGULAR,         "answers to packets it never sent",    false},
    {FIELD_HOST_BASELINE_DAYS,      "days of its own to compare with",     false},
    {FIELD_HOST_BASELINE_RCPT_DAY,  "recipients on its median day",        false},
    {FIELD_HOST_BASELINE_RCPT_HOUR, "in its busiest hours",                false},
};

static void
put_counts(struct desk *d, const struct record_map *m)
{
    const char *between = "";

    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        uint64_t v = record_map_u64(m, counts[i].field, 0);

        if (!record_map_has(m, counts[i].field) || (v == 0 && !counts[i].zero))
            continue;
        buf_printf(d->out, "%s%llu %s", between, (unsigned long long)v,
                   counts[i].words);
        between = ", ";
    }
    buf_str(d->out, between[0] != 0 ? "\n" : "");
    if (record_map_bool(m, FIELD_HOST_QUEUEING))
        buf_str(d->out, "It behaves like a mail server: it is never stopped "
                        "without a human.\n");
    if (record_map_bool(m, FIELD_HOST_IDENTITY_CONFLICT))
        buf_str(d->out, "Somebody else may be speaking in its name: its "
                        "packets come from several MAC addresses.\n");
    buf_putc(d->out, '\n');
}

static void
put_head(struct desk *d, const struct record_map *m)
{
    struct buf host;

    buf_init(&host, 256);
    put_host(&host, m);
    text_term(d->out, buf_view(&host));
    if (record_map_has(m, FIELD_HOST_NAME)) {
        buf_str(d->out, "  ");
        text_term(d->out, record_map_find(m, FIELD_HOST_NAME));
    }
    if (site_of(m).n > 0) {
        buf_str(d->out, "  ");
        text_term(d->out, site_of(m));
    }
    if (record_map_has(m, FIELD_SRC_REG_STATE)) {
        buf_str(d->out, "  ");
        text_term(d->out, record_map_find(m, FIELD_SRC_REG_STATE));
    }
    if (record_map_has(m, FIELD_HOST_HELO)) {
        buf_str(d->out, "  calls itself ");
        text_term(d->out, record_map_find(m, FIELD_HOST_HELO));
    }
    buf_str(d->out, "\nfirst ");
    desk_event_time(d, record_map_u64(m, FIELD_HOST_FIRST, 0), d->out);
    buf_str(d->out, "  last ");
    desk_event_time(d, record_map_u64(m, FIELD_HOST_LAST, 0), d->out);
    buf_putc(d->out, '\n');
    buf_free(&host);
}

struct showing {
    struct desk *desk;
    size_t n;
    bool checks; /* as JSON these, not the event */
    bool failed;
};

static void
show_checks(struct desk *d, const struct record_map *m,
            void (*show)(struct desk *d, struct span record))
{
    struct record_out checks;

    record_init(&checks);
    record_begin(&checks, &(struct record_head){.type = EVENT_ALERT});
    checks_write(&checks, m, false);
    show(d, record_view(&checks));
    record_free(&checks);
}

static void
checks_text(struct desk *d, struct span record)
{
    desk_card_checks(d, record, true);
}

static void
checks_json(struct desk *d, struct span record)
{
    desk_card_checks_json(record, d->out);
}

static void
show_text(struct desk *d, struct span record)
{
    struct record_map m;

    record_map_init(&m, record);
    put_head(d, &m);
    put_counts(d, &m);
    show_checks(d, &m, checks_text);
    put_subkeys(d, record);
    buf_putc(d->out, '\n');
}

/* A lease and the address without one are rows of their own. */
static void
show_one(void *ctx, uint64_t seq, struct span record)
{
    struct showing *s = ctx;

    (void)seq;
    if (s->desk->config->json) {
        struct record_map m;

        buf_str(s->desk->out, s->n > 0 ? "," : "");
        record_map_init(&m, record);
        if (s->checks)
            show_checks(s->desk, &m, checks_json);
        else
            s->failed = !desk_card_json(record, s->desk->out) || s->failed;
    } else {
        show_text(s->desk, record);
    }
    s->n++;
}

/* Keys are the address alone, or with " lease ID" behind; an address may be
 * the beginning of another one. */
struct looking {
    struct showing *showing;
    struct addr want;
};

static void
look(void *ctx, uint64_t seq, struct span record)
{
    struct looking *l = ctx;
    struct addr a;

    if (entry_addr(record_find(record, FIELD_SRC_IP), &a) &&
        addr_cmp(&a, &l->want) == 0)
        show_one(l->showing, seq, record);
}

static enum cli_exit
each_host(struct desk *d, const struct addr *a, struct showing *s)
{
    struct looking l = {s, *a};
    char text[ADDR_TEXT_MAX];
    size_t n = addr_format(a, text);

    if (index_latest_key(d->index, "host", span_of(text, n), 0, look, &l) ==
        ERR_OK)
        return s->failed ? desk_say(d, CLI_EXIT_FAILED, err_text(ERR_NOMEM))
                         : CLI_EXIT_DONE;
    return desk_say_index(d);
}

enum cli_exit
desk_hosts_put(struct desk *d, const struct addr *a)
{
    struct showing s = {.desk = d};
    enum cli_exit code = each_host(d, a, &s);

    if (s.n == 0 && !d->config->json)
        buf_str(d->out, "no statistics of this host\n");
    return code;
}

enum cli_exit
desk_hosts_checks_json(struct desk *d, const struct addr *a)
{
    struct showing s = {.desk = d, .checks = true};
    enum cli_exit code;

    buf_putc(d->out, '[');
    code = each_host(d, a, &s);
    buf_putc(d->out, ']');
    return code;
}

enum cli_exit
desk_hosts_show(struct desk *d)
{
    struct span text = span_str(d->cli->arguments[0]);
    enum cli_exit code;
    struct addr a;

    if (!addr_parse(text, &a))
        return desk_say_value(d, CLI_EXIT_USAGE, "", text,
                              " is not an address");
    if (d->config->json)
        buf_str(d->out, "{\"schema\":\"span25.host\",\"events\":[");
    code = desk_hosts_put(d, &a);
    if (d->config->json) {
        buf_str(d->out, "],\"checks\":");
        if (code == CLI_EXIT_DONE)
            code = desk_hosts_checks_json(d, &a);
        buf_str(d->out, ",\"alerts\":");
    } else {
        buf_str(d->out, "Alerts\n");
    }
    if (code == CLI_EXIT_DONE)
        code = desk_card_alerts(d, &a);
    if (d->config->json && d->out->n > 0) {
        d->out->n--; /* the line's end */
        buf_str(d->out, "}\n");
    }
    return code;
}
