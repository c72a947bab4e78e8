#include "sensor/event/host_level.h"
#include "sensor/store/index_walk.h"

#define COLUMNS "key, name, site, registered, level"

enum { HOST_KEY = 2, HOST_NAME, HOST_SITE, HOST_REGISTERED, HOST_LEVEL };

struct hosts {
    struct index_reader *reader;
    const struct index_list *q;
    struct buf folded;
    bool few; /* so few have the text that they are sorted */
    index_record_row *row;
    void *ctx;
};

#define BEHIND " || char(1114111)"
#define COUNTED(column, index)                                                 \
    "SELECT count(*) FROM (SELECT 1 FROM hosts " index " WHERE " column        \
    " >= ?1 AND " column " < ?1" BEHIND " LIMIT 10001)"

/* Addresses and names are in small letters both. */
static enum err
find_few(struct hosts *h)
{
    uint64_t n = 0, m = 0;
    struct span text;
    enum err e;

    buf_init(&h->folded, INDEX_TEXT_MAX);
    for (size_t i = 0; i < h->q->text.n; i++)
        buf_putc(&h->folded, index_list_fold(h->q->text.p[i]));
    if (h->folded.cut || h->folded.failed)
        return h->folded.cut ? ERR_USAGE : ERR_NOMEM;
    text = buf_view(&h->folded);
    if (text.n == 0)
        return ERR_OK;
    e = index_walk_count(h->reader, COUNTED("key", ""), text, &n);
    if (e == ERR_OK)
        e = index_walk_count(
            h->reader, COUNTED("name", "INDEXED BY hosts_name"), text, &m);
    h->few = n <= INDEX_TOTAL_MAX && m <= INDEX_TOTAL_MAX;
    return e;
}

static void
lane(struct index_walk *w, const char *table, const char *where,
     struct span value)
{
    w->values[w->n_values++] = value;
    index_walk_lane(w, table, where);
}

static void
lanes(struct index_walk *w, void *ctx)
{
    static const char *const levels[] = {"level = 0", "level = 1", "level = 2",
                                         "level = 3"};
    const struct hosts *h = ctx;
    const struct index_list *q = h->q;

    _Static_assert(ARRAY_LEN(levels) == HOST_LEVELS, "one each");
    if (h->few) {
        lane(w, "hosts NOT INDEXED",
             "id IN (SELECT id FROM hosts WHERE key >= ?4 AND key < ?4" BEHIND
             " UNION SELECT id FROM hosts INDEXED BY hosts_name"
             " WHERE name >= ?4 AND name < ?4" BEHIND ")",
             buf_view(&h->folded));
        return;
    }
    if (q->level > HOST_LEVEL_NORMAL) {
        for (unsigned l = q->level; l < HOST_LEVELS; l++)
            index_walk_lane(w, "hosts INDEXED BY hosts_level", levels[l]);
        return;
    }
    if (q->site.n > 0)
        lane(w, "hosts INDEXED BY hosts_site", "site = ?4", q->site);
    else if (q->registered.n > 0)
        lane(w, "hosts INDEXED BY hosts_registered", "registered = ?4",
             q->registered);
    else
        index_walk_lane(w, "hosts INDEXED BY hosts_last", "1");
}

static bool
is_any_or(struct span want, sqlite3_stmt *s, int column)
{
    return want.n == 0 || span_eq(want, index_reader_text(s, column));
}

static bool
wanted(void *ctx, sqlite3_stmt *s)
{
    const struct hosts *h = ctx;
    const struct index_list *q = h->q;
    struct span text = buf_view(&h->folded);

    return index_reader_u64(s, HOST_LEVEL) >= q->level &&
           is_any_or(q->site, s, HOST_SITE) &&
           is_any_or(q->registered, s, HOST_REGISTERED) &&
           (span_starts(index_reader_text(s, HOST_KEY), text) ||
            span_starts(index_reader_text(s, HOST_NAME), text));
}

static enum err
give(void *ctx, sqlite3_stmt *s)
{
    struct hosts *h = ctx;

    return index_reader_latest(h->reader, "host",
                               index_reader_text(s, HOST_KEY), h->row, h->ctx);
}

enum err
index_list_hosts(struct index_reader *r, const struct index_list *q,
                 index_record_row *row, void *ctx, struct index_page *out)
{
    static const struct index_walk_ops ops = {lanes, wanted, give};
    struct hosts h = {.reader = r, .q = q, .row = row, .ctx = ctx};
    enum err e = find_few(&h);

    if (e == ERR_OK)
        e = index_walk_page(r, q, COLUMNS, &ops, &h, out);
    buf_free(&h.folded);
    return e;
}

/* ---- counts ---- */

static void
take_alerts(struct index_counts *out, sqlite3_stmt *s)
{
    uint64_t status = index_reader_u64(s, 0);
    uint64_t severity = index_reader_u64(s, 1);

    if (status < INDEX_STATUS_COUNT && severity - 1 < INDEX_SEVERITIES)
        out->alerts[status][severity - 1] = index_reader_u64(s, 2);
}

static void
take_hosts(struct index_counts *out, sqlite3_stmt *s)
{
    struct span word = index_reader_text(s, 0);

    if (span_eq(word, SPAN_LIT("registered")))
        out->registered = index_reader_u64(s, 1);
    else if (span_eq(word, SPAN_LIT("unregistered")))
        out->unregistered = index_reader_u64(s, 1);
    else
        out->others += index_reader_u64(s, 1);
}

enum err
index_list_counts(struct index_reader *r, struct index_counts *out)
{
    static const struct {
        const char *sql;
        void (*take)(struct index_counts *out, sqlite3_stmt *s);
    } counts[] = {
        {"SELECT status, severity, n FROM alert_counts", take_alerts},
        {"SELECT registered, n FROM host_counts",        take_hosts },
    };
    int rc = SQLITE_DONE;

    *out = (struct index_counts){0};
    for (size_t i = 0; i < ARRAY_LEN(counts) && rc == SQLITE_DONE; i++) {
        sqlite3_stmt *s = NULL;

        rc = sqlite3_prepare_v2(r->db, counts[i].sql, -1, &s, NULL);
        while (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
            counts[i].take(out, s);
            rc = SQLITE_OK;
        }
        (void)sqlite3_finalize(s);
    }
    return rc == SQLITE_DONE ? ERR_OK : index_reader_failed(r, rc);
}
