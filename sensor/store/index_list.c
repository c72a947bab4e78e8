#include "sensor/store/index_list.h"

#include <string.h>

#include "sensor/store/index_walk.h"

/* ---- words ---- */

bool
index_status_of(struct span action, enum index_status *out)
{
    static const char *const actions[] = {
#define X(id, action, word) action,
        INDEX_STATUS(X)
#undef X
    };

    for (size_t i = 1; i < ARRAY_LEN(actions); i++) {
        if (!span_eq(span_str(actions[i]), action))
            continue;
        *out = (enum index_status)i;
        return true;
    }
    if (!span_eq(action, SPAN_LIT(INDEX_REOPEN)))
        return false;
    *out = INDEX_STATUS_NEW;
    return true;
}

/* ---- what both lists share ---- */

struct list {
    struct index_reader *reader;
    const struct index_list *q;
    struct buf folded; /* q->text in small letters */
    bool few;          /* so few have the text that they are sorted */
    sqlite3_stmt *find[2];
    index_alert_row *alert;
    index_group_row *group;
    void *ctx;
};

static bool
is_any_or(struct span want, sqlite3_stmt *s, int column)
{
    return want.n == 0 || span_eq(want, index_reader_text(s, column));
}

static bool
has_text(const struct list *l, sqlite3_stmt *s, int subject, int title)
{
    return l->q->text.n == 0 ||
           span_starts(index_reader_text(s, subject), l->q->text) ||
           span_starts(index_reader_text(s, title), buf_view(&l->folded));
}

static bool
is_hidden(const struct list *l, sqlite3_stmt *s, int subject, int rule)
{
    return l->q->hide != NULL &&
           l->q->hide(l->q->hide_ctx, index_reader_text(s, subject),
                      index_reader_text(s, rule));
}

static bool
has_status(const struct list *l, unsigned status)
{
    return l->q->statuses == 0 || (l->q->statuses >> status & 1) != 0;
}

#define BEHIND " || char(1114111)"
#define COUNTED(table, index, column)                                          \
    "SELECT count(*) FROM (SELECT 1 FROM " table " INDEXED BY " index          \
    " WHERE " column " >= ?1 AND " column " < ?1" BEHIND " LIMIT 10001)"
_Static_assert(INDEX_TOTAL_MAX == 10000, "as the limit says");
#define TEXT_LANE(table, key, title)                                           \
    "id IN (SELECT id FROM " table " INDEXED BY " key " WHERE subject >= ?4"   \
    " AND subject < ?4" BEHIND " UNION SELECT id FROM " table                  \
    " INDEXED BY " title " WHERE title >= ?5 AND title < ?5" BEHIND ")"

static enum err
find_few(struct list *l, const char *subjects, const char *titles)
{
    struct index_reader *r = l->reader;
    uint64_t n = 0, m = 0;
    enum err e;

    buf_init(&l->folded, INDEX_TEXT_MAX);
    for (size_t i = 0; i < l->q->text.n; i++)
        buf_putc(&l->folded, index_list_fold(l->q->text.p[i]));
    if (l->folded.cut || l->folded.failed)
        return l->folded.cut ? ERR_USAGE : ERR_NOMEM;
    if (l->q->text.n == 0)
        return ERR_OK;
    e = index_walk_count(r, subjects, l->q->text, &n);
    if (e == ERR_OK)
        e = index_walk_count(r, titles, buf_view(&l->folded), &m);
    l->few = n <= INDEX_TOTAL_MAX && m <= INDEX_TOTAL_MAX;
    return e;
}

static void
set_value(struct index_walk *w, struct span v)
{
    w->values[w->n_values++] = v;
}

static enum err
prepare(struct list *l, size_t i, const char *sql)
{
    int rc = sqlite3_prepare_v2(l->reader->db, sql, -1, &l->find[i], NULL);

    return rc == SQLITE_OK ? ERR_OK : index_reader_failed(l->reader, rc);
}

static void
list_fini(struct list *l)
{
    for (size_t i = 0; i < ARRAY_LEN(l->find); i++)
        (void)sqlite3_finalize(l->find[i]);
    buf_free(&l->folded);
}

/* ---- alerts ---- */

#define ALERT_COLUMNS "key, host, subject, rule, site, title, status, severity"

enum {
    ALERT_KEY = 2,
    ALERT_HOST,
    ALERT_SUBJECT,
    ALERT_RULE,
    ALERT_SITE,
    ALERT_TITLE,
    ALERT_STATUS,
    ALERT_SEVERITY
};

static const char *const status_words[] = {"0", "1", "2", "3"};
_Static_assert(ARRAY_LEN(status_words) == INDEX_STATUS_COUNT, "each has one");

/* One range for each status. */
static void
lane_each_status(struct index_walk *w, const struct list *l, const char *table,
                 const char *column, struct span value)
{
    struct buf where;

    buf_init(&where, 128);
    set_value(w, value);
    for (unsigned s = 0; s < INDEX_STATUS_COUNT; s++) {
        if (!has_status(l, s))
            continue;
        buf_reset(&where);
        buf_printf(&where, "%s = ?4 AND status = %s", column, status_words[s]);
        buf_putc(&where, 0);
        index_walk_lane(w, table, (const char *)where.p);
    }
    buf_free(&where);
}

static void
lane_each_severity(struct index_walk *w, const struct list *l)
{
    unsigned most = l->q->severity > 0 && l->q->severity < INDEX_SEVERITIES
                        ? l->q->severity
                        : INDEX_SEVERITIES;
    struct buf where;

    buf_init(&where, 128);
    for (unsigned s = 0; s < INDEX_STATUS_COUNT; s++) {
        for (unsigned v = 1; v <= most && has_status(l, s); v++) {
            buf_reset(&where);
            buf_printf(&where, "status = %u AND severity = %u", s, v);
            buf_putc(&where, 0);
            index_walk_lane(w, "alerts INDEXED BY alerts_status",
                            (const char *)where.p);
        }
    }
    buf_free(&where);
}

/* By the filter that leaves the least, as far as one can say beforehand. */
static void
alert_lanes(struct index_walk *w, void *ctx)
{
    const struct list *l = ctx;
    const struct index_list *q = l->q;

    if (q->host.n > 0) {
        lane_each_status(w, l, "alerts INDEXED BY alerts_host", "host",
                         q->host);
    } else if (l->few) {
        set_value(w, q->text);
        set_value(w, buf_view(&l->folded));
        index_walk_lane(w, "alerts NOT INDEXED",
                        TEXT_LANE("alerts", "alerts_first", "alerts_title"));
    } else if (q->rule.n > 0) {
        lane_each_status(w, l, "alerts INDEXED BY alerts_rule", "rule",
                         q->rule);
    } else if (q->site.n > 0) {
        lane_each_status(w, l, "alerts INDEXED BY alerts_site", "site",
                         q->site);
    } else if (q->statuses > 0 || q->severity > 0) {
        lane_each_severity(w, l);
    } else {
        index_walk_lane(w, "alerts INDEXED BY alerts_last", "1");
    }
}

static bool
alert_wanted(void *ctx, sqlite3_stmt *s)
{
    const struct list *l = ctx;
    const struct index_list *q = l->q;

    return has_status(l, (unsigned)sqlite3_column_int(s, ALERT_STATUS)) &&
           (q->severity == 0 ||
            index_reader_u64(s, ALERT_SEVERITY) <= q->severity) &&
           is_any_or(q->host, s, ALERT_HOST) &&
           is_any_or(q->rule, s, ALERT_RULE) &&
           is_any_or(q->site, s, ALERT_SITE) &&
           has_text(l, s, ALERT_SUBJECT, ALERT_TITLE) &&
           !is_hidden(l, s, ALERT_SUBJECT, ALERT_RULE);
}

static size_t
common(struct span a, struct span b)
{
    size_t n = 0;

    while (n < a.n && n < b.n && a.p[n] == b.p[n])
        n++;
    return n;
}

/* The ids before and behind it in the order of ids begin as it does, if any. */
static enum err
find_common(struct list *l, struct index_alert *a)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < 2 && e == ERR_OK; i++) {
        sqlite3_stmt *s = l->find[i];
        size_t n = 0;
        int rc;

        index_reader_bind(s, 1, a->id);
        rc = sqlite3_step(s);
        if (rc == SQLITE_ROW)
            n = common(a->id, index_reader_text(s, 0));
        else
            e = index_reader_failed(l->reader, rc);
        a->common = n > a->common ? n : a->common;
        (void)sqlite3_reset(s);
    }
    return e;
}

struct giving {
    const struct list *list;
    const struct index_alert *alert;
    const struct index_group *group;
};

static void
give_record(void *ctx, uint64_t seq, struct span record)
{
    const struct giving *g = ctx;
    const struct list *l = g->list;

    (void)seq;
    if (g->alert != NULL)
        l->alert(l->ctx, g->alert, record);
    else
        l->group(l->ctx, g->group, record);
}

static enum err
alert_give(void *ctx, sqlite3_stmt *s)
{
    struct list *l = ctx;
    struct index_alert a = {
        .id = index_reader_text(s, ALERT_KEY),
        .subject = index_reader_text(s, ALERT_SUBJECT),
        .rule = index_reader_text(s, ALERT_RULE),
        .status = (enum index_status)(sqlite3_column_int(s, ALERT_STATUS) %
                                      INDEX_STATUS_COUNT),
    };
    struct giving g = {.list = l, .alert = &a};
    enum err e = find_common(l, &a);

    return e == ERR_OK
               ? index_reader_latest(l->reader, "alert", a.id, give_record, &g)
               : e;
}

enum err
index_list_alerts(struct index_reader *r, const struct index_list *q,
                  index_alert_row *row, void *ctx, struct index_page *out)
{
    static const struct index_walk_ops ops = {alert_lanes, alert_wanted,
                                              alert_give};
    struct list l = {.reader = r, .q = q, .alert = row, .ctx = ctx};
    enum err e = find_few(&l, COUNTED("alerts", "alerts_first", "subject"),
                          COUNTED("alerts", "alerts_title", "title"));

    if (e == ERR_OK)
        e = prepare(&l, 0, "SELECT max(key) FROM alerts WHERE key < ?1");
    if (e == ERR_OK)
        e = prepare(&l, 1, "SELECT min(key) FROM alerts WHERE key > ?1");
    if (e == ERR_OK)
        e = index_walk_page(r, q, ALERT_COLUMNS, &ops, &l, out);
    list_fini(&l);
    return e;
}

/* ---- groups ---- */

#define GROUP_COLUMNS                                                          \
    "subject, rule, site, host, title, alerts, matches, first, s0, s1, s2,"    \
    " s3, v1, v2, v3, v4"

enum {
    GROUP_LAST = 0,
    GROUP_SUBJECT = 2,
    GROUP_RULE,
    GROUP_SITE,
    GROUP_HOST,
    GROUP_TITLE,
    GROUP_ALERTS,
    GROUP_MATCHES,
    GROUP_FIRST,
    GROUP_S0,
    GROUP_V1 = GROUP_S0 + INDEX_STATUS_COUNT
};

static const char *const status_groups[] = {
    "groups INDEXED BY groups_s0", "groups INDEXED BY groups_s1",
    "groups INDEXED BY groups_s2", "groups INDEXED BY groups_s3"};
static const char *const status_where[] = {"s0 > 0", "s1 > 0", "s2 > 0",
                                           "s3 > 0"};

static void
group_lane(struct index_walk *w, const char *table, const char *where,
           struct span value)
{
    set_value(w, value);
    index_walk_lane(w, table, where);
}

static void
group_lanes(struct index_walk *w, void *ctx)
{
    const struct list *l = ctx;
    const struct index_list *q = l->q;
    unsigned s = 0;

    while (s < INDEX_STATUS_COUNT && q->statuses != 1U << s)
        s++;
    if (q->host.n > 0) {
        group_lane(w, "groups INDEXED BY groups_host", "host = ?4", q->host);
    } else if (l->few) {
        set_value(w, q->text);
        set_value(w, buf_view(&l->folded));
        index_walk_lane(w, "groups NOT INDEXED",
                        TEXT_LANE("groups", "groups_key", "groups_title"));
    } else if (q->rule.n > 0) {
        group_lane(w, "groups INDEXED BY groups_rule", "rule = ?4", q->rule);
    } else if (q->site.n > 0) {
        group_lane(w, "groups INDEXED BY groups_site", "site = ?4", q->site);
    } else if (s < INDEX_STATUS_COUNT) {
        index_walk_lane(w, status_groups[s], status_where[s]);
    } else {
        index_walk_lane(w, "groups INDEXED BY groups_last", "1");
    }
}

static bool
any_status(const struct list *l, sqlite3_stmt *s)
{
    for (unsigned i = 0; i < INDEX_STATUS_COUNT; i++) {
        if (has_status(l, i) && index_reader_u64(s, GROUP_S0 + (int)i) > 0)
            return true;
    }
    return false;
}

static unsigned
highest(sqlite3_stmt *s)
{
    unsigned v = 1;

    while (v < INDEX_SEVERITIES &&
           index_reader_u64(s, GROUP_V1 + (int)v - 1) == 0)
        v++;
    return v;
}

static bool
group_wanted(void *ctx, sqlite3_stmt *s)
{
    const struct list *l = ctx;
    const struct index_list *q = l->q;

    return any_status(l, s) &&
           (q->severity == 0 || highest(s) <= q->severity) &&
           is_any_or(q->host, s, GROUP_HOST) &&
           is_any_or(q->rule, s, GROUP_RULE) &&
           is_any_or(q->site, s, GROUP_SITE) &&
           has_text(l, s, GROUP_SUBJECT, GROUP_TITLE) &&
           !is_hidden(l, s, GROUP_SUBJECT, GROUP_RULE);
}

static enum err
group_give(void *ctx, sqlite3_stmt *s)
{
    struct list *l = ctx;
    struct index_group group = {
        .subject = index_reader_text(s, GROUP_SUBJECT),
        .rule = index_reader_text(s, GROUP_RULE),
        .site = index_reader_text(s, GROUP_SITE),
        .alerts = index_reader_u64(s, GROUP_ALERTS),
        .matches = index_reader_u64(s, GROUP_MATCHES),
        .first = index_reader_u64(s, GROUP_FIRST),
        .last = index_reader_u64(s, GROUP_LAST),
        .severity = highest(s),
    };
    struct giving g = {.list = l, .group = &group};
    sqlite3_stmt *newest = l->find[0];
    enum err e = ERR_OK;
    int rc;

    for (int i = 0; i < INDEX_STATUS_COUNT; i++)
        group.by_status[i] = index_reader_u64(s, GROUP_S0 + i);
    index_reader_bind(newest, 1, group.subject);
    index_reader_bind(newest, 2, group.rule);
    rc = sqlite3_step(newest);
    if (rc == SQLITE_ROW)
        e = index_reader_latest(l->reader, "alert",
                                index_reader_text(newest, 0), give_record, &g);
    else if (rc != SQLITE_DONE)
        e = index_reader_failed(l->reader, rc);
    (void)sqlite3_reset(newest);
    return e;
}

enum err
index_list_groups(struct index_reader *r, const struct index_list *q,
                  index_group_row *row, void *ctx, struct index_page *out)
{
    static const struct index_walk_ops ops = {group_lanes, group_wanted,
                                              group_give};
    struct list l = {.reader = r, .q = q, .group = row, .ctx = ctx};
    enum err e = find_few(&l, COUNTED("groups", "groups_key", "subject"),
                          COUNTED("groups", "groups_title", "title"));

    if (e == ERR_OK)
        e = prepare(&l, 0,
                    "SELECT key FROM alerts INDEXED BY alerts_newest WHERE"
                    " subject = ?1 AND rule = ?2 ORDER BY last DESC, id DESC"
                    " LIMIT 1");
    if (e == ERR_OK)
        e = index_walk_page(r, q, GROUP_COLUMNS, &ops, &l, out);
    list_fini(&l);
    return e;
}
