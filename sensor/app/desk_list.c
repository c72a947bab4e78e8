#include "sensor/app/desk_list.h"

#include "sensor/app/desk_alerts.h"
#include "sensor/app/desk_exceptions.h"
#include "sensor/app/desk_hosts.h"
#include "sensor/event/host_level.h"

static struct span
text_or_none(const char *s)
{
    return s != NULL ? span_str(s) : SPAN_NONE;
}

bool
desk_list_asked(const struct desk *d)
{
    const struct config *c = d->config;

    return c->list_limit > 0 || c->list_after != NULL || c->list_group > 0 ||
           c->list_until != NULL || c->list_host != NULL ||
           c->list_rule != NULL || c->list_site != NULL ||
           c->list_text != NULL || c->list_level > 0 || c->list_registered > 0;
}

static bool
query_of(struct desk *d, struct index_list *q)
{
    static const char *const registered[] = {NULL, "registered",
                                             "unregistered"};
    const struct config *c = d->config;

    _Static_assert(HOST_LEVEL_NORMAL == 0 && HOST_LEVELS == 4,
                   "as the words of --level");
    *q = (struct index_list){
        .after = text_or_none(c->list_after),
        .limit = (size_t)c->list_limit,
        .host = text_or_none(c->list_host),
        .rule = text_or_none(c->list_rule),
        .site = text_or_none(c->list_site),
        .registered = text_or_none(registered[c->list_registered]),
        .text = text_or_none(c->list_text),
        .statuses = c->status > 0 ? 1U << (c->status - 1) : 0,
        .severity = c->severity,
        .level = c->list_level > 0 ? c->list_level - 1 : HOST_LEVEL_NORMAL,
    };
    return desk_since(d, c->since, &q->since) &&
           desk_since(d, c->list_until, &q->until);
}

/* ---- writing ---- */

/* The command that goes on is for people; programs have next. */
static void
tell_more(struct desk *d, const struct registry_table *t,
          const struct index_page *page)
{
    if (page->next[0] == 0 || d->config->json)
        return;
    buf_printf(d->messages,
               "span25: %zu rows of %s%llu; go on with --after %s\n",
               registry_table_rows(t), page->exact ? "" : "at least ",
               (unsigned long long)page->total, page->next);
}

static enum cli_exit
write_part(struct desk *d, enum err e, struct registry_table *t,
           const struct index_page *page, const char *name, const char *empty)
{
    const struct registry_page part = {page->next, page->total, page->exact};
    enum cli_exit code;

    if (e == ERR_USAGE)
        return desk_say(d, CLI_EXIT_USAGE,
                        "--after is no cursor: it is what next of a list says");
    if (e != ERR_OK)
        return desk_say_index(d);
    t->page = &part;
    code = desk_table(d, t, name, empty);
    if (code == CLI_EXIT_DONE)
        tell_more(d, t, page);
    return code;
}

/* ---- alerts ---- */

struct listing {
    struct desk *desk;
    struct exceptions *exceptions;
    struct registry_table table;
    enum cli_exit code; /* of a row's acts */
};

static bool
hide(void *ctx, struct span subject, struct span rule)
{
    const struct listing *l = ctx;

    return desk_alerts_silenced(l->desk, l->exceptions, subject, rule);
}

static void
put_alert(void *ctx, const struct index_alert *a, struct span record)
{
    struct listing *l = ctx;
    struct desk_alerts one = {0};

    if (l->code == CLI_EXIT_DONE &&
        desk_alerts_listed(l->desk, l->exceptions, a, record, &one, &l->code))
        desk_alerts_row(l->desk, &l->table, &one.v[0]);
    l->table.failed |= one.failed;
    desk_alerts_fini(&one);
}

static const struct registry_column group_columns[] = {
    {"SEVERITY", "severity" },
    {"SUBJECT",  "subject"  },
    {"SITE",     "site"     },
    {"",         "rule"     },
    {"RULE",     "title"    },
    {"ALERTS",   "count"    },
    {"OPEN",     "open"     },
    {"",         "new"      },
    {"",         "ack"      },
    {"",         "escalated"},
    {"",         "closed"   },
    {"MATCHES",  "matches"  },
    {"FIRST",    "first"    },
    {"LAST",     "last"     },
    {"",         "newest"   },
    {"",         "silenced" },
};

static void
put_group(void *ctx, const struct index_group *g, struct span record)
{
    static const char *const levels[] = {"high", "medium", "low",
                                         "informational"};
    struct listing *l = ctx;
    struct registry_table *t = &l->table;
    const struct config *c = l->desk->config;
    const uint64_t *by = g->by_status;

    _Static_assert(ARRAY_LEN(levels) == INDEX_SEVERITIES, "each has one");
    registry_table_text(t, g->severity < INDEX_SEVERITIES || c->json || c->csv
                               ? levels[g->severity - 1]
                               : "info");
    registry_table_span(t, g->subject);
    registry_table_span(t, g->site);
    registry_table_span(t, g->rule);
    registry_table_span(t, record_find(record, FIELD_ALERT_SIGNATURE));
    registry_table_number(t, g->alerts);
    registry_table_number(t, g->alerts - by[DESK_CLOSED]);
    for (size_t i = 0; i < INDEX_STATUS_COUNT; i++)
        registry_table_number(t, by[i]);
    registry_table_number(t, g->matches);
    registry_table_time(t, g->first);
    registry_table_time(t, g->last);
    registry_table_span(t, record_find(record, FIELD_ALERT_ID));
    registry_table_bool(t, hide(l, g->subject, g->rule));
}

enum cli_exit
desk_list_alerts(struct desk *d)
{
    const bool grouped = d->config->list_group > 0;
    struct listing l = {.desk = d};
    struct index_page page = {0};
    struct index_list q;
    enum cli_exit code;
    enum err e = ERR_OK;

    if (!query_of(d, &q))
        return CLI_EXIT_USAGE;
    code = desk_exceptions_read(d, &l.exceptions);
    q.hide = d->config->silenced ? NULL : hide;
    q.hide_ctx = &l;
    if (grouped)
        registry_table_init(&l.table, group_columns, ARRAY_LEN(group_columns));
    else
        desk_alerts_table(&l.table);
    if (code == CLI_EXIT_DONE) {
        e = grouped ? index_list_groups(d->index, &q, put_group, &l, &page)
                    : index_list_alerts(d->index, &q, put_alert, &l, &page);
        code = l.code;
    }
    if (code == CLI_EXIT_DONE)
        code =
            write_part(d, e, &l.table, &page,
                       grouped ? "span25.alerts.groups" : "span25.alerts.list",
                       "no alerts");
    registry_table_fini(&l.table);
    exceptions_free(l.exceptions);
    return code;
}

/* ---- hosts ---- */

static void
put_host(void *ctx, uint64_t seq, struct span record)
{
    (void)seq;
    desk_hosts_row(ctx, record);
}

enum cli_exit
desk_list_hosts(struct desk *d)
{
    struct index_page page = {0};
    struct registry_table t;
    struct index_list q;
    enum cli_exit code;
    enum err e;

    if (!query_of(d, &q))
        return CLI_EXIT_USAGE;
    desk_hosts_table(&t);
    e = index_list_hosts(d->index, &q, put_host, &t, &page);
    code = write_part(d, e, &t, &page, "span25.hosts.list", "no hosts");
    registry_table_fini(&t);
    return code;
}
