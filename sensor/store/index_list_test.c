#include "sensor/store/index_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sensor/base/hash.h"
#include "sensor/event/host_level.h"
#include "sensor/event/record.h"
#include "sensor/store/index.h"
#include "tempdir.h"

#define ALERTS   60U
#define HOSTS    30U
#define SUBJECTS 9U
#define RULES    4U
#define SITES    3U
#define ACTS     4096U

/* ---- the plain model ---- */

static const char *const subjects[SUBJECTS] = {
    "10.0.0.1",    "10.0.0.2",      "10.0.0.12",        "10.0.0.1 lease 00ff",
    "2001:db8::1", "2001:db8::/64", "10.0.0.2 lease a", "",
    "\xff"};
static const char *const titles[RULES] = {"Refused users", "refused \xc3\xa9",
                                          "Mail storm", "Malicious file"};
static const char *const rules[RULES] = {"s1", "s2", "s3", "s5"};
static const char *const sites[SITES] = {"north", "south", ""};
static const char *const actions[] = {"ack",    "escalate", "close",
                                      "reopen", "look",     "letter"};
static const char *const registered[] = {NULL, "registered", "unregistered"};

struct model_alert {
    bool there;
    uint64_t id, when; /* the first event since it is there; the newest */
    unsigned subject, rule, site, severity;
    uint64_t first, last, count;
};

struct model_host {
    bool there;
    uint64_t id, when, last;
    unsigned site, registered, level, name;
};

struct model {
    uint64_t rng, seq;
    struct index *index;
    struct model_alert alerts[ALERTS];
    struct model_host hosts[HOSTS];
    struct {
        uint64_t seq;
        unsigned alert, status;
    } acts[ACTS];
    size_t n_acts;
};

static uint64_t
draw(struct model *m, uint64_t n)
{
    m->rng = hash_mix(m->rng, 1);
    return (m->rng >> 20) % n;
}

static void
name_alert(unsigned i, char out[INDEX_ALERT_ID + 1])
{
    /* Some begin alike. */
    (void)snprintf(out, INDEX_ALERT_ID + 1, "%08x%08x", i / 3 * 77773U, i);
}

static unsigned
status_of(const struct model *m, unsigned alert)
{
    for (size_t i = m->n_acts; i > 0; i--) {
        if (m->acts[i - 1].alert == alert)
            return m->acts[i - 1].status;
    }
    return 0;
}

/* ---- a history ---- */

static void
add(struct model *m, struct record_out *r)
{
    assert_true(record_check(record_view(r)));
    assert_int_equal(index_add(m->index, record_view(r), m->seq), ERR_OK);
    record_free(r);
}

static void
begin(struct model *m, struct record_out *r, enum event_type type)
{
    m->seq++;
    record_init(r);
    record_begin(
        r, &(struct record_head){.when = m->seq * NS_PER_US, .type = type});
}

static void
tell_alert(struct model *m)
{
    unsigned i = (unsigned)draw(m, ALERTS);
    struct model_alert *a = &m->alerts[i];
    struct record_out r;
    char id[INDEX_ALERT_ID + 1];

    name_alert(i, id);
    begin(m, &r, EVENT_ALERT);
    if (!a->there || draw(m, 10) == 0) {
        a->subject = (unsigned)draw(m, SUBJECTS);
        a->rule = (unsigned)draw(m, RULES);
    }
    a->id = a->there ? a->id : m->seq;
    a->there = true;
    a->when = m->seq;
    a->site = (unsigned)draw(m, SITES);
    a->severity = 1 + (unsigned)draw(m, 4);
    a->first = 1 + draw(m, 20);
    a->last = 1 + draw(m, 40);
    a->count = draw(m, 100);
    record_text(&r, FIELD_ALERT_ID, id);
    record_text(&r, FIELD_ALERT_SIGNATURE, titles[a->rule]);
    if (a->severity < 4 || draw(m, 2) == 0)
        record_u64(&r, FIELD_ALERT_SEVERITY, a->severity);
    record_text(&r, FIELD_ALERT_RULE, rules[a->rule]);
    record_text(&r, FIELD_ALERT_SUBJECT, subjects[a->subject]);
    record_text(&r, FIELD_ALERT_SITE, sites[a->site]);
    record_time(&r, FIELD_ALERT_FIRST, a->first * NS_PER_US);
    record_time(&r, FIELD_ALERT_LAST, a->last * NS_PER_US);
    record_u64(&r, FIELD_ALERT_COUNT, a->count);
    add(m, &r);
}

static void
tell_act(struct model *m)
{
    unsigned i = (unsigned)draw(m, ALERTS);
    const char *action = actions[draw(m, ARRAY_LEN(actions))];
    enum index_status status;
    struct record_out r;
    char id[INDEX_ALERT_ID + 1];

    name_alert(i, id);
    begin(m, &r, EVENT_CONTROL);
    record_text(&r, FIELD_CONTROL_KIND,
                strcmp(action, "letter") == 0 ? "report" : "alert");
    record_text(&r, FIELD_CONTROL_ACTION, action);
    record_text(&r, FIELD_CONTROL_ALERT, id);
    add(m, &r);
    if (!index_status_of(span_str(action), &status) || m->n_acts == ACTS)
        return;
    m->acts[m->n_acts].seq = m->seq;
    m->acts[m->n_acts].alert = i;
    m->acts[m->n_acts++].status = status;
}

static void
name_host(const struct model_host *h, char out[32])
{
    (void)snprintf(out, 32, "Mx%u.Example.org", h->name);
}

static void
tell_host(struct model *m)
{
    unsigned i = (unsigned)draw(m, HOSTS);
    struct model_host *h = &m->hosts[i];
    uint8_t b[4] = {10, 0, (uint8_t)(i % 2), (uint8_t)i};
    struct addr a = addr_v4(b);
    struct record_out r;
    char name[32];

    begin(m, &r, EVENT_HOST);
    *h = (struct model_host){
        .there = true,
        .id = h->there ? h->id : m->seq,
        .when = m->seq,
        .last = 1 + draw(m, 40),
        .site = (unsigned)draw(m, SITES),
        .registered = (unsigned)draw(m, 3),
        .level = (unsigned)draw(m, HOST_LEVELS),
        .name = (unsigned)draw(m, 12),
    };
    name_host(h, name);
    record_addr(&r, FIELD_SRC_IP, &a);
    if (registered[h->registered] != NULL)
        record_text(&r, FIELD_SRC_REG_STATE, registered[h->registered]);
    record_text(&r, FIELD_SRC_HOST_SITE, sites[h->site]);
    record_time(&r, FIELD_HOST_LAST, h->last * NS_PER_US);
    record_text(&r, FIELD_HOST_NAME, name);
    record_text(&r, FIELD_HOST_S3_LEVEL,
                host_level_word((enum host_level)h->level));
    add(m, &r);
}

static void
expire(struct model *m)
{
    enum keep_kind kind = draw(m, 2) == 0 ? KEEP_ALERTS : KEEP_STATISTICS;
    uint64_t before = draw(m, 3) == 0 ? 1 + draw(m, m->seq) : m->seq / 2;
    uint64_t rows;
    size_t n = 0;

    assert_int_equal(index_expire(m->index, kind, before * NS_PER_US, &rows),
                     ERR_OK);
    for (size_t i = 0; i < HOSTS && kind == KEEP_STATISTICS; i++)
        m->hosts[i].there &= m->hosts[i].when >= before;
    if (kind != KEEP_ALERTS)
        return;
    for (size_t i = 0; i < ALERTS; i++)
        m->alerts[i].there &= m->alerts[i].when >= before;
    for (size_t i = 0; i < m->n_acts; i++) {
        if (m->acts[i].seq >= before)
            m->acts[n++] = m->acts[i];
    }
    m->n_acts = n;
}

/* ---- what the lists say, as text ---- */

struct said {
    struct buf text;
    size_t rows;
};

static void
say_alert(void *ctx, const struct index_alert *a, struct span record)
{
    struct said *s = ctx;
    struct span id = record_find(record, FIELD_ALERT_ID);

    assert_true(span_eq(id, a->id));
    buf_span(&s->text, id);
    buf_printf(&s->text, " %d %zu\n", (int)a->status, a->common);
    s->rows++;
}

static void
put_group(struct buf *out, const struct index_group *g)
{
    buf_printf(out, "%llu %llu %llu %llu %u:", (unsigned long long)g->alerts,
               (unsigned long long)g->matches, (unsigned long long)g->first,
               (unsigned long long)g->last, g->severity);
    for (size_t i = 0; i < INDEX_STATUS_COUNT; i++)
        buf_printf(out, " %llu", (unsigned long long)g->by_status[i]);
    buf_putc(out, ' ');
    buf_span(out, g->rule);
    buf_putc(out, '\n');
}

static void
say_group(void *ctx, const struct index_group *g, struct span record)
{
    struct said *s = ctx;

    put_group(&s->text, g);
    assert_true(span_eq(record_find(record, FIELD_ALERT_RULE), g->rule));
    s->rows++;
}

static void
say_host(void *ctx, uint64_t seq, struct span record)
{
    struct said *s = ctx;
    struct addr a;

    (void)seq;
    assert_true(entry_addr(record_find(record, FIELD_SRC_IP), &a));
    buf_printf(&s->text, "%u\n", a.b[15]);
    s->rows++;
}

enum what { LIST_ALERTS, LIST_GROUPS, LIST_HOSTS, LIST_COUNT };

/* All pages one behind the other. */
static void
say_pages(struct index_reader *r, enum what what, struct index_list q,
          struct said *out, uint64_t *total)
{
    char after[INDEX_CURSOR] = "";
    struct index_page page;

    buf_init(&out->text, 1 << 20);
    out->rows = 0;
    do {
        size_t before = out->rows;
        enum err e = ERR_OK;

        q.after = span_str(after);
        switch (what) {
        case LIST_ALERTS:
            e = index_list_alerts(r, &q, say_alert, out, &page);
            break;
        case LIST_GROUPS:
            e = index_list_groups(r, &q, say_group, out, &page);
            break;
        case LIST_HOSTS:
            e = index_list_hosts(r, &q, say_host, out, &page);
            break;
        case LIST_COUNT: break;
        }
        assert_int_equal(e, ERR_OK);
        assert_true(page.exact);
        assert_true(out->rows - before <= q.limit);
        assert_true(page.next[0] == 0 || out->rows - before == q.limit);
        memcpy(after, page.next, sizeof(after));
    } while (after[0] != 0);
    *total = page.total;
}

/* ---- what the model says ---- */

struct row {
    uint64_t last, id;
    struct buf text;
};

static int
newest_first(const void *a, const void *b)
{
    const struct row *x = a;
    const struct row *y = b;

    if (x->last != y->last)
        return x->last < y->last ? 1 : -1;
    return (x->id < y->id) - (x->id > y->id);
}

static bool
starts_folded(const char *s, struct span text)
{
    return span_starts_nocase(span_str(s), text);
}

static bool
hide(void *ctx, struct span subject, struct span rule)
{
    (void)ctx;
    return span_eq(rule, span_str(rules[1])) &&
           span_starts(subject, SPAN_LIT("10.0.0.1"));
}

static bool
is_host(unsigned subject, struct span host)
{
    struct span s = span_str(subjects[subject]);

    return span_eq(span_head(s, span_find(s, ' ')), host);
}

static bool
about(const struct model_alert *a, const struct index_list *q)
{
    return a->there && (q->host.n == 0 || is_host(a->subject, q->host)) &&
           (q->rule.n == 0 || span_eq(span_str(rules[a->rule]), q->rule)) &&
           (q->text.n == 0 ||
            span_starts(span_str(subjects[a->subject]), q->text) ||
            starts_folded(titles[a->rule], q->text)) &&
           (q->hide == NULL || !q->hide(NULL, span_str(subjects[a->subject]),
                                        span_str(rules[a->rule])));
}

static bool
wanted(const struct model *m, unsigned i, const struct index_list *q)
{
    const struct model_alert *a = &m->alerts[i];

    return about(a, q) &&
           (q->site.n == 0 || span_eq(span_str(sites[a->site]), q->site)) &&
           (q->statuses == 0 || (q->statuses >> status_of(m, i) & 1) != 0) &&
           (q->severity == 0 || a->severity <= q->severity) &&
           a->last * NS_PER_US >= q->since &&
           (q->until == 0 || a->last * NS_PER_US < q->until);
}

static size_t
common_with_others(const struct model *m, unsigned i)
{
    char mine[INDEX_ALERT_ID + 1], theirs[INDEX_ALERT_ID + 1];
    size_t most = 0;

    name_alert(i, mine);
    for (unsigned k = 0; k < ALERTS; k++) {
        size_t n = 0;

        name_alert(k, theirs);
        while (k != i && m->alerts[k].there && mine[n] == theirs[n])
            n++;
        most = n > most ? n : most;
    }
    return most;
}

static size_t
model_alerts(const struct model *m, const struct index_list *q,
             struct row *rows)
{
    size_t n = 0;

    for (unsigned i = 0; i < ALERTS; i++) {
        char id[INDEX_ALERT_ID + 1];

        if (!wanted(m, i, q))
            continue;
        name_alert(i, id);
        rows[n].last = m->alerts[i].last;
        rows[n].id = m->alerts[i].id;
        buf_init(&rows[n].text, 256);
        buf_printf(&rows[n++].text, "%s %u %zu\n", id, status_of(m, i),
                   common_with_others(m, i));
    }
    return n;
}

static void
join(struct index_group *g, const struct model_alert *a, unsigned status)
{
    uint64_t first = a->first * NS_PER_US;
    uint64_t last = a->last * NS_PER_US;

    g->first = g->alerts == 0 || first < g->first ? first : g->first;
    g->last = g->alerts == 0 || last > g->last ? last : g->last;
    g->severity =
        g->alerts == 0 || a->severity < g->severity ? a->severity : g->severity;
    g->alerts++;
    g->matches += a->count;
    g->by_status[status]++;
}

/* Of one time their order is the store's own: they are compared as a set. */
static size_t
model_groups(const struct model *m, const struct index_list *q,
             struct row *rows)
{
    size_t n = 0;

    for (unsigned k = 0; k < SUBJECTS * RULES; k++) {
        struct index_group g = {.rule = span_str(rules[k % RULES])};
        bool any = false;

        for (unsigned i = 0; i < ALERTS; i++) {
            const struct model_alert *a = &m->alerts[i];

            if (about(a, q) && a->subject == k / RULES && a->rule == k % RULES)
                join(&g, a, status_of(m, i));
        }
        for (unsigned s = 0; s < INDEX_STATUS_COUNT; s++)
            any |= g.by_status[s] > 0 &&
                   (q->statuses == 0 || (q->statuses >> s & 1) != 0);
        if (!any || (q->severity > 0 && g.severity > q->severity) ||
            g.last < q->since || (q->until > 0 && g.last >= q->until))
            continue;
        rows[n].last = g.last;
        rows[n].id = 0;
        buf_init(&rows[n].text, 256);
        put_group(&rows[n++].text, &g);
    }
    return n;
}

static size_t
model_hosts(const struct model *m, const struct index_list *q, struct row *rows)
{
    size_t n = 0;

    for (unsigned i = 0; i < HOSTS; i++) {
        const struct model_host *h = &m->hosts[i];
        char name[32], addr[32];

        name_host(h, name);
        (void)snprintf(addr, sizeof(addr), "10.0.%u.%u", i % 2, i);
        if (!h->there || h->level < q->level ||
            (q->site.n > 0 && !span_eq(span_str(sites[h->site]), q->site)) ||
            (q->registered.n > 0 &&
             (registered[h->registered] == NULL ||
              !span_eq(span_str(registered[h->registered]), q->registered))) ||
            (q->text.n > 0 && !starts_folded(addr, q->text) &&
             !starts_folded(name, q->text)) ||
            h->last * NS_PER_US < q->since ||
            (q->until > 0 && h->last * NS_PER_US >= q->until))
            continue;
        rows[n].last = h->last;
        rows[n].id = h->id;
        buf_init(&rows[n].text, 64);
        buf_printf(&rows[n++].text, "%u\n", i);
    }
    return n;
}

static int
by_text(const void *a, const void *b)
{
    const struct row *x = a;
    const struct row *y = b;
    size_t n = x->text.n < y->text.n ? x->text.n : y->text.n;
    int c = memcmp(x->text.p, y->text.p, n);

    return c != 0 ? c : (x->text.n > y->text.n) - (x->text.n < y->text.n);
}

/* Lines of what was said, in their order or sorted. */
static size_t
rows_of(struct span text, struct row *rows)
{
    size_t n = 0;

    while (text.n > 0) {
        size_t end = span_find(text, '\n') + 1;

        buf_init(&rows[n].text, 1 << 12);
        buf_span(&rows[n++].text, span_head(text, end));
        text = span_tail(text, end);
    }
    return n;
}

static void
rows_free(struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_free(&rows[i].text);
}

static void
compare(struct index_reader *r, const struct model *m, enum what what,
        const struct index_list *q)
{
    size_t (*const models[])(const struct model *m, const struct index_list *q,
                             struct row *rows) = {model_alerts, model_groups,
                                                  model_hosts};
    struct row want[ALERTS], got[ALERTS];
    struct said said;
    uint64_t total = 0;
    size_t n = models[what](m, q, want);

    say_pages(r, what, *q, &said, &total);
    if (total != n || said.rows != n)
        fail_msg("list %d: %zu rows, %zu given, total %llu", (int)what, n,
                 said.rows, (unsigned long long)total);
    assert_int_equal(rows_of(buf_view(&said.text), got), n);
    qsort(want, n, sizeof(*want), newest_first);
    if (what == LIST_GROUPS) {
        qsort(want, n, sizeof(*want), by_text);
        qsort(got, n, sizeof(*got), by_text);
    }
    for (size_t i = 0; i < n; i++) {
        if (!span_eq(buf_view(&want[i].text), buf_view(&got[i].text)))
            fail_msg("list %d, row %zu: %.*s and not %.*s", (int)what, i,
                     (int)got[i].text.n, (const char *)got[i].text.p,
                     (int)want[i].text.n, (const char *)want[i].text.p);
    }
    rows_free(want, n);
    rows_free(got, n);
    buf_free(&said.text);
}

static void
compare_counts(struct index_reader *r, const struct model *m)
{
    struct index_counts got, want = {0};

    for (unsigned i = 0; i < ALERTS; i++) {
        if (m->alerts[i].there)
            want.alerts[status_of(m, i)][m->alerts[i].severity - 1]++;
    }
    for (unsigned i = 0; i < HOSTS; i++) {
        uint64_t *const n[] = {&want.others, &want.registered,
                               &want.unregistered};

        *n[m->hosts[i].registered] += m->hosts[i].there;
    }
    assert_int_equal(index_list_counts(r, &got), ERR_OK);
    assert_memory_equal(&got, &want, sizeof(got));
}

static struct index_list
draw_query(struct model *m)
{
    static const char *const texts[] = {"10.0.0.1",    "refused",        "MAL",
                                        "x",           "10.0.0.2 lease", "mx1",
                                        "refused \xc3"};
    struct index_list q = {.limit = 2 + draw(m, 9)};
    struct span host = span_str(subjects[draw(m, SUBJECTS - 1)]);

    if (draw(m, 4) == 0)
        q.host = span_head(host, span_find(host, ' '));
    if (draw(m, 4) == 0)
        q.rule = span_str(rules[draw(m, RULES)]);
    if (draw(m, 4) == 0)
        q.site = span_str(sites[draw(m, SITES)]);
    if (draw(m, 4) == 0)
        q.registered = span_str(registered[1 + draw(m, 2)]);
    if (draw(m, 3) == 0)
        q.text = span_str(texts[draw(m, ARRAY_LEN(texts))]);
    if (draw(m, 3) == 0)
        q.statuses = (unsigned)draw(m, 16);
    if (draw(m, 3) == 0)
        q.severity = 1 + (unsigned)draw(m, 4);
    if (draw(m, 3) == 0)
        q.level = (unsigned)draw(m, HOST_LEVELS);
    if (draw(m, 3) == 0)
        q.since = draw(m, 40) * NS_PER_US;
    if (draw(m, 3) == 0)
        q.until = draw(m, 40) * NS_PER_US;
    q.hide = draw(m, 3) == 0 ? hide : NULL;
    return q;
}

static void
live_on(struct model *m)
{
    switch (draw(m, 8)) {
    case 0:
    case 1:
    case 2: tell_alert(m); break;
    case 3:
    case 4: tell_host(m); break;
    case 5:
    case 6: tell_act(m); break;
    default:
        if (m->seq > 10 && draw(m, 12) == 0)
            expire(m);
        break;
    }
}

static void
open_both(struct tempdir *t, struct model *m, struct index_reader **r)
{
    struct buf message;

    tempdir_make(t);
    buf_init(&message, 4096);
    assert_int_equal(index_open(t->path, &m->index, &message), ERR_OK);
    assert_int_equal(index_reader_open(t->path, r, &message), ERR_OK);
    buf_free(&message);
}

static void
test_histories(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        struct model *m = calloc(1, sizeof(*m));
        struct index_reader *r;
        struct tempdir t;

        assert_non_null(m);
        m->rng = round + 1;
        open_both(&t, m, &r);
        for (unsigned i = 0; i < 40; i++) {
            for (unsigned k = 0; k < 40; k++)
                live_on(m);
            assert_int_equal(index_commit(m->index), ERR_OK);
            compare_counts(r, m);
            for (unsigned k = 0; k < 3; k++) {
                struct index_list q = draw_query(m);
                struct index_list h = q;

                h.host = h.rule = SPAN_NONE;
                compare(r, m, LIST_ALERTS, &q);
                compare(r, m, LIST_HOSTS, &h);
                h = q;
                h.site = SPAN_NONE; /* a group has that of its newest alert */
                compare(r, m, LIST_GROUPS, &h);
            }
        }
        index_reader_close(r);
        index_close(m->index);
        tempdir_remove_flat(t.path);
        free(m);
    }
}

/* ---- bounds ---- */

static void
count_alert(void *ctx, const struct index_alert *a, struct span record)
{
    uint64_t *n = ctx;

    (void)a;
    (void)record;
    ++*n;
}

static void
add_plain(struct model *m, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        struct record_out r;
        char id[INDEX_ALERT_ID + 1];

        begin(m, &r, EVENT_ALERT);
        (void)snprintf(id, sizeof(id), "%016llx", (unsigned long long)m->seq);
        record_text(&r, FIELD_ALERT_ID, id);
        record_text(&r, FIELD_ALERT_SUBJECT, m->seq == 1 ? "10.9.9.9" : "10.1");
        record_time(&r, FIELD_ALERT_LAST, m->seq * NS_PER_US);
        add(m, &r);
    }
    assert_int_equal(index_commit(m->index), ERR_OK);
}

static bool
hide_most(void *ctx, struct span subject, struct span rule)
{
    (void)ctx;
    (void)rule;
    return span_eq(subject, SPAN_LIT("10.1"));
}

static void
test_bounds(void **state)
{
    struct model *m = calloc(1, sizeof(*m));
    struct index_list q = {.limit = 10000};
    struct index_page page;
    struct index_reader *r;
    struct tempdir t;
    uint64_t n = 0;

    (void)state;
    assert_non_null(m);
    open_both(&t, m, &r);
    assert_int_equal(index_list_alerts(r, &q, count_alert, &n, &page), ERR_OK);
    assert_true(n == 0 && page.total == 0 && page.exact && page.next[0] == 0);
    add_plain(m, INDEX_TOTAL_MAX);
    assert_int_equal(index_list_alerts(r, &q, count_alert, &n, &page), ERR_OK);
    assert_int_equal(n, INDEX_PAGE_MAX);
    assert_true(page.total == INDEX_TOTAL_MAX && page.exact);
    add_plain(m, 1);
    assert_int_equal(index_list_alerts(r, &q, count_alert, &n, &page), ERR_OK);
    assert_true(page.total == INDEX_TOTAL_MAX && !page.exact);
    /* The one that is wanted lies behind all that is looked at: the first page
     * is empty and says how to go on, the next one has it. */
    add_plain(m, INDEX_SCAN_MAX - INDEX_TOTAL_MAX);
    q.hide = hide_most;
    n = 0;
    assert_int_equal(index_list_alerts(r, &q, count_alert, &n, &page), ERR_OK);
    assert_true(n == 0 && page.total == 0 && !page.exact && page.next[0] != 0);
    q.after = span_str(page.next);
    assert_int_equal(index_list_alerts(r, &q, count_alert, &n, &page), ERR_OK);
    assert_true(n == 1 && page.next[0] == 0);
    index_reader_close(r);
    index_close(m->index);
    tempdir_remove_flat(t.path);
    free(m);
}

static void
test_cursors(void **state)
{
    static const struct {
        const char *why, *in;
        enum err want;
    } rows[] = {
        {"none",         "",                      ERR_OK   },
        {"the first",    "9.9",                   ERR_OK   },
        {"no id",        "9",                     ERR_USAGE},
        {"empty id",     "9.",                    ERR_USAGE},
        {"no time",      ".9",                    ERR_USAGE},
        {"a sign",       "-9.9",                  ERR_USAGE},
        {"too much",     "9223372036854775808.1", ERR_USAGE},
        {"another",      "9.9.9",                 ERR_USAGE},
        {"an injection", "9.9) OR 1 = 1",         ERR_USAGE},
    };
    struct model *m = calloc(1, sizeof(*m));
    struct index_reader *r;
    struct index_page page;
    struct tempdir t;
    uint64_t n = 0;

    (void)state;
    assert_non_null(m);
    open_both(&t, m, &r);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct index_list q = {.after = span_str(rows[i].in)};

        if (index_list_alerts(r, &q, count_alert, &n, &page) != rows[i].want)
            fail_msg("%s", rows[i].why);
    }
    index_reader_close(r);
    index_close(m->index);
    tempdir_remove_flat(t.path);
    free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_histories),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_cursors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
