#include "sensor/app/desk_alerts.h"

#include <stdlib.h>

#include "rules/alert/subject.h"
#include "sensor/app/desk_exceptions.h"
#include "sensor/app/desk_list.h"
#include "sensor/base/text.h"

#define CANDIDATES 20U   /* told where an id is of several alerts */
#define NAMED_MOST 4096U /* alerts that a beginning of an id may mean */
#define ADDR_BITS  128U

/* ---- words ---- */

static const char *const statuses[] = {
#define STATUS_WORD(id, action, word) word,
    INDEX_STATUS(STATUS_WORD)
#undef STATUS_WORD
};

static const struct desk_reason reasons[] = {
    {"compromised-host",    "true: compromised host"                },
    {"misuse",              "true: misuse by user"                  },
    {"misconfiguration",    "true: misconfiguration"                },
    {"legitimate-bulk",     "benign: legitimate bulk"               },
    {"test",                "benign: test or scan"                  },
    {"not-ours",            "benign: not ours (behind NAT, spoofed)"},
    {"duplicate",           "duplicate"                             },
    {"not-enough-evidence", "not enough evidence"                   },
};

const char *
desk_status_word(enum desk_status s)
{
    return statuses[s];
}

bool
desk_status_of(struct span action, enum desk_status *out)
{
    enum index_status s;

    if (!index_status_of(action, &s))
        return false;
    *out = (enum desk_status)s;
    return true;
}

struct span
desk_level_word(const struct desk_alert *a)
{
    struct span level = span_str(a->level);

    return span_eq(level, SPAN_LIT("informational")) ? SPAN_LIT("info") : level;
}

const struct desk_reason *
desk_reason_find(struct span word)
{
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (span_eq(span_str(reasons[i].word), word))
            return &reasons[i];
    }
    return NULL;
}

/* ---- reading ---- */

void
desk_alerts_fini(struct desk_alerts *a)
{
    for (size_t i = 0; i < a->n; i++) {
        struct desk_alert *it = &a->v[i];

        free(it->level);
        free(it->state);
        free(it->subject);
        free(it->site);
        free(it->rule);
        free(it->title);
        free(it->reason);
        free(it->registered);
        free(it->by);
        free(it->said);
    }
    free(a->v);
    *a = (struct desk_alerts){0};
}

/* Empty where the event has none. */
static char *
copy(struct desk_alerts *a, const struct record_map *m, enum field f)
{
    struct span s = record_map_find(m, f);
    char *text = strndup(s.n > 0 ? (const char *)s.p : "", s.n);

    a->failed = a->failed || text == NULL;
    return text;
}

static struct desk_alert *
new_row(struct desk_alerts *a)
{
    size_t cap = a->cap > 0 ? a->cap * 2 : 64;
    struct desk_alert *v;

    if (a->n < a->cap)
        return &a->v[a->n++];
    v = realloc(a->v, cap * sizeof(*v));
    if (v == NULL) {
        a->failed = true;
        return NULL;
    }
    a->v = v;
    a->cap = cap;
    return &a->v[a->n++];
}

bool
desk_alerts_take(struct desk_alerts *a, struct span record)
{
    struct desk_alert *it;
    struct record_map m;
    struct span id;

    record_map_init(&m, record);
    id = record_map_find(&m, FIELD_ALERT_ID);
    if (id.n != DESK_ID - 1)
        return false;
    it = new_row(a);
    if (it == NULL)
        return false;
    *it = (struct desk_alert){
        .severity = (uint8_t)record_map_u64(&m, FIELD_ALERT_SEVERITY, 4),
        .first = record_map_u64(&m, FIELD_ALERT_FIRST, 0),
        .last = record_map_u64(&m, FIELD_ALERT_LAST, 0),
        .count = record_map_u64(&m, FIELD_ALERT_COUNT, 0),
        .level = copy(a, &m, FIELD_ALERT_LEVEL),
        .state = copy(a, &m, FIELD_ALERT_STATE),
        .subject = copy(a, &m, FIELD_ALERT_SUBJECT),
        .site = copy(a, &m, FIELD_ALERT_SITE),
        .rule = copy(a, &m, FIELD_ALERT_RULE),
        .title = copy(a, &m, FIELD_ALERT_SIGNATURE),
        .reason = copy(a, &m, FIELD_ALERT_REASON),
        .registered = copy(a, &m, FIELD_SRC_REG_STATE),
    };
    memcpy(it->id, id.p, id.n);
    return true;
}

static void
take_alert(void *ctx, uint64_t seq, struct span record)
{
    (void)seq;
    (void)desk_alerts_take(ctx, record);
}

static int
by_id(const void *key, const void *row)
{
    return memcmp(key, ((const struct desk_alert *)row)->id, DESK_ID - 1);
}

/* In the order of the journal, so the last one counts. */
static void
take_act(void *ctx, uint64_t seq, struct span record)
{
    struct desk_alerts *a = ctx;
    struct span id = record_find(record, FIELD_CONTROL_ALERT);
    ns_t when = record_find_u64(record, FIELD_CONTROL_TIME, 0);
    enum desk_status s;
    struct desk_alert *it;
    struct record_map m;

    (void)seq;
    a->acted = when > a->acted ? when : a->acted;
    if (id.n != DESK_ID - 1 || a->n == 0 ||
        !desk_status_of(record_find(record, FIELD_CONTROL_ACTION), &s))
        return;
    it = bsearch(id.p, a->v, a->n, sizeof(*a->v), by_id);
    if (it == NULL)
        return;
    it->status = s;
    it->done = when;
    free(it->by);
    free(it->said);
    it->by = it->said = NULL;
    record_map_init(&m, record);
    it->by = copy(a, &m, FIELD_CONTROL_ACTOR);
    it->said = copy(a, &m, FIELD_CONTROL_REASON);
}

static enum cli_exit
desk_alerts_acts(struct desk *d, struct desk_alerts *one)
{
    REQUIRE(one->n == 1);
    return index_acts(d->index, "act", span_str(one->v[0].id), take_act, one) ==
                   ERR_OK
               ? CLI_EXIT_DONE
               : desk_say_index(d);
}

static size_t
common(const char *a, const char *b)
{
    size_t n = 0;

    while (a[n] != 0 && a[n] == b[n])
        n++;
    return n;
}

/* They stand by id: only neighbours can begin alike. */
static void
shorten(struct desk_alerts *a)
{
    for (size_t i = 0; i < a->n; i++) {
        size_t n = DESK_ID_LEAST;

        if (i > 0 && common(a->v[i].id, a->v[i - 1].id) >= n)
            n = common(a->v[i].id, a->v[i - 1].id) + 1;
        if (i + 1 < a->n && common(a->v[i].id, a->v[i + 1].id) >= n)
            n = common(a->v[i].id, a->v[i + 1].id) + 1;
        a->v[i].shown = (uint8_t)(n < DESK_ID ? n : DESK_ID - 1);
    }
}

bool
desk_alerts_silenced(const struct desk *d, const struct exceptions *x,
                     struct span subject, struct span rule)
{
    struct prefix p;

    return prefix_parse(span_head(subject, span_find(subject, ' ')), &p) &&
           exceptions_find(x, &p, EXCEPT_ALERT, rule, d->now) != NULL;
}

static void
silence(const struct desk *d, const struct exceptions *x, struct desk_alerts *a)
{
    for (size_t i = 0; i < a->n; i++)
        a->v[i].silenced = desk_alerts_silenced(d, x, span_str(a->v[i].subject),
                                                span_str(a->v[i].rule));
}

static enum cli_exit
read_exceptions(struct desk *d, struct desk_alerts *a)
{
    struct exceptions *x;
    enum cli_exit code = desk_exceptions_read(d, &x);

    if (code == CLI_EXIT_DONE)
        silence(d, x, a);
    exceptions_free(x);
    return code;
}

static enum cli_exit
finish(struct desk *d, struct desk_alerts *a)
{
    if (a->failed)
        return desk_say(d, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
    shorten(a);
    return read_exceptions(d, a);
}

enum cli_exit
desk_alerts_read(struct desk *d, struct desk_alerts *out)
{
    *out = (struct desk_alerts){0};
    if (index_latest_key(d->index, "alert", SPAN_NONE, 0, take_alert, out) !=
            ERR_OK ||
        index_acts(d->index, "act", SPAN_NONE, take_act, out) != ERR_OK)
        return desk_say_index(d);
    return finish(d, out);
}

/* ---- by their ids ---- */

static int
by_text(const void *a, const void *b)
{
    const struct span *x = a, *y = b;
    const int order = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

    return order != 0 ? order : (x->n > y->n) - (x->n < y->n);
}

/* Beginnings of keys to be read: ids that begin alike once, and those of others
 * in full, so that no two of them have an alert in common. */
static size_t
beginnings(char *const *ids, size_t n, struct span *out)
{
    size_t m = 0;

    for (size_t i = 0; i < n; i++)
        out[i] = span_head(span_str(ids[i]), DESK_ID_LEAST);
    qsort(out, n, sizeof(*out), by_text);
    for (size_t i = 0; i < n; i++) {
        if (out[i].n > 0 && (m == 0 || !span_starts(out[i], out[m - 1])))
            out[m++] = out[i];
    }
    return m;
}

enum cli_exit
desk_alerts_named(struct desk *d, char *const *ids, size_t n,
                  struct desk_alerts *out)
{
    struct span *begins = calloc(n + 1, sizeof(*begins));
    const size_t m = begins != NULL ? beginnings(ids, n, begins) : 0;
    enum err e = ERR_OK;

    *out = (struct desk_alerts){.failed = begins == NULL};
    for (size_t i = 0; i < m && e == ERR_OK; i++) {
        const size_t before = out->n;

        e = index_latest_key(d->index, "alert", begins[i], NAMED_MOST,
                             take_alert, out);
        out->cut |= out->n - before == NAMED_MOST;
    }
    for (size_t i = 0; i < m && e == ERR_OK; i++)
        e = index_acts_key(d->index, "act", begins[i], take_act, out);
    if (e == ERR_OK) /* of another alert, perhaps: its time counts */
        e = index_acts_last(d->index, "act", take_act, out);
    free(begins);
    return e == ERR_OK ? finish(d, out) : desk_say_index(d);
}

/* ---- about a host ---- */

struct about {
    struct desk *desk;
    struct exceptions *exceptions;
    struct desk_alerts *out;
    enum cli_exit code;
};

bool
desk_alerts_listed(struct desk *d, const struct exceptions *x,
                   const struct index_alert *a, struct span record,
                   struct desk_alerts *one, enum cli_exit *code)
{
    if (!desk_alerts_take(one, record) || one->failed)
        return false;
    *code = desk_alerts_acts(d, one);
    one->v[0].silenced = desk_alerts_silenced(d, x, a->subject, a->rule);
    one->v[0].shown = (uint8_t)(a->common < DESK_ID_LEAST ? DESK_ID_LEAST
                                : a->common < DESK_ID - 1 ? a->common + 1
                                                          : DESK_ID - 1);
    return *code == CLI_EXIT_DONE;
}

static void
pass_over(void *ctx, const struct index_alert *a, struct span record)
{
    (void)ctx;
    (void)a;
    (void)record;
}

static void
add_about(void *ctx, const struct index_alert *a, struct span record)
{
    struct about *l = ctx;
    struct desk_alerts one = {0};
    struct desk_alert *row;

    if (l->code == CLI_EXIT_DONE &&
        desk_alerts_listed(l->desk, l->exceptions, a, record, &one, &l->code)) {
        row = new_row(l->out);
        if (row != NULL) {
            *row = one.v[0];
            one.n = 0;
        }
    }
    l->out->failed |= one.failed;
    desk_alerts_fini(&one);
}

/* What an alert about the first bits of the address calls it. */
static void
put_subject(struct buf *out, const struct addr *a, unsigned bits)
{
    struct subject s = {.known = 1, .prefix = {.bits = (uint8_t)bits}};

    memcpy(s.prefix.addr.b, a->b, bits / 8);
    if (bits % 8 > 0)
        s.prefix.addr.b[bits / 8] =
            (uint8_t)(a->b[bits / 8] & (0xff00U >> bits % 8));
    out->n = 0;
    subject_text(&s, out);
}

/* Alerts of one subject, as far as there is room. */
static enum err
add_subject(struct about *l, struct span subject, size_t limit,
            struct index_page *page)
{
    const size_t room = limit - l->out->n;
    const struct index_list q = {.host = subject, .limit = room > 0 ? room : 1};
    struct index_page one;
    enum err e = index_list_alerts(l->desk->index, &q,
                                   room > 0 ? add_about : pass_over, l, &one);

    if (e == ERR_OK) {
        page->total += one.total;
        page->exact = page->exact && one.exact;
    }
    return e;
}

enum cli_exit
desk_alerts_about(struct desk *d, const struct addr *a, size_t limit,
                  struct desk_alerts *out, struct index_page *page)
{
    struct about l = {.desk = d, .out = out};
    const unsigned least = addr_is_v4(a) ? ADDR_BITS - 32 : 0;
    enum err e = ERR_OK;
    struct buf subject;

    *out = (struct desk_alerts){0};
    *page = (struct index_page){.exact = true};
    buf_init(&subject, 256);
    l.code = desk_exceptions_read(d, &l.exceptions);
    for (unsigned i = 0;
         i <= ADDR_BITS - least && e == ERR_OK && l.code == CLI_EXIT_DONE;
         i++) {
        put_subject(&subject, a, ADDR_BITS - i);
        e = add_subject(&l, buf_view(&subject), limit, page);
    }
    buf_free(&subject);
    exceptions_free(l.exceptions);
    if (e != ERR_OK)
        return desk_say_index(d);
    if (out->failed)
        return desk_say(d, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
    return l.code;
}

/* ---- looking ---- */

/* Those that may be meant, by which the reader can choose. */
static void
say_several(struct desk *d, const struct desk_alerts *a, struct span begins,
            size_t n)
{
    size_t told = 0;

    (void)desk_say_value(d, CLI_EXIT_USAGE,
                         "several alerts have ids that begin with ", begins,
                         ":");
    for (size_t i = 0; i < a->n && told < CANDIDATES; i++) {
        const struct desk_alert *it = &a->v[i];

        if (!span_starts(span_str(it->id), begins))
            continue;
        told++;
        buf_str(d->messages, "    ");
        buf_put(d->messages, it->id, it->shown);
        buf_str(d->messages, "  ");
        text_term(d->messages, span_str(it->subject));
        buf_str(d->messages, "  ");
        text_term(d->messages, span_str(it->title));
        buf_putc(d->messages, '\n');
    }
    if (n > told)
        buf_printf(d->messages, "    and %s%zu more\n",
                   a->cut ? "at least " : "", n - told);
}

const struct desk_alert *
desk_alerts_find(struct desk *d, const struct desk_alerts *a,
                 struct span begins)
{
    const struct desk_alert *found = NULL;
    size_t n = 0;

    for (size_t i = 0; i < a->n && begins.n > 0; i++) {
        if (!span_starts(span_str(a->v[i].id), begins))
            continue;
        found = &a->v[i];
        n++;
    }
    if (n == 1)
        return found;
    if (n == 0)
        (void)desk_say_value(d, CLI_EXIT_USAGE,
                             "no alert has an id that begins with ", begins,
                             "");
    else
        say_several(d, a, begins, n);
    return NULL;
}

bool
desk_alerts_wanted(const struct desk *d, const struct desk_alert *a, ns_t since)
{
    const struct config *c = d->config;

    return (c->severity == 0 || a->severity <= c->severity) &&
           (c->status == 0 || (unsigned)a->status == c->status - 1) &&
           (c->silenced || !a->silenced) && a->last >= since;
}

/* ---- the list ---- */

static const struct registry_column columns[] = {
    {"ID",       "id"        },
    {"",         "alert"     },
    {"SEVERITY", "severity"  },
    {"STATUS",   "status"    },
    {"STATE",    "state"     },
    {"SUBJECT",  "subject"   },
    {"SITE",     "site"      },
    {"",         "rule"      },
    {"RULE",     "title"     },
    {"MATCHES",  "count"     },
    {"",         "first"     },
    {"LAST",     "last"      },
    {"",         "silenced"  },
    {"WHY",      "reason"    },
    {"",         "registered"},
    {"",         "by"        },
    {"",         "done"      },
    {"",         "said"      },
};

/* For people the row says already whom it is about. */
static struct span
why_of(const struct desk *d, const struct desk_alert *a)
{
    struct span why = span_str(a->reason);
    struct span subject = span_str(a->subject);

    if (d->config->json || d->config->csv || !span_starts(why, subject))
        return why;
    return span_trim(span_tail(why, subject.n));
}

void
desk_alerts_table(struct registry_table *t)
{
    registry_table_init(t, columns, ARRAY_LEN(columns));
}

void
desk_alerts_row(struct desk *d, struct registry_table *t,
                const struct desk_alert *a)
{
    registry_table_span(t, span_of(a->id, a->shown));
    registry_table_text(t, a->id);
    registry_table_span(t, d->config->json || d->config->csv
                               ? span_str(a->level)
                               : desk_level_word(a));
    registry_table_text(t, desk_status_word(a->status));
    registry_table_text(t, a->state);
    registry_table_text(t, a->subject);
    registry_table_text(t, a->site);
    registry_table_text(t, a->rule);
    registry_table_text(t, a->title);
    registry_table_number(t, a->count);
    registry_table_time(t, a->first);
    registry_table_time(t, a->last);
    registry_table_bool(t, a->silenced);
    registry_table_span(t, why_of(d, a));
    registry_table_text(t, a->registered);
    registry_table_text(t, a->by);
    registry_table_time(t, a->done);
    registry_table_text(t, a->said);
}

static int
latest_first(const void *a, const void *b)
{
    const struct desk_alert *x = a;
    const struct desk_alert *y = b;

    if (x->last != y->last)
        return x->last < y->last ? 1 : -1;
    return strcmp(x->id, y->id);
}

enum cli_exit
desk_alerts_list(struct desk *d)
{
    struct desk_alerts a;
    struct registry_table t;
    enum cli_exit code;
    ns_t since;

    if (desk_list_asked(d))
        return desk_list_alerts(d);
    if (!desk_since(d, d->config->since, &since))
        return CLI_EXIT_USAGE;
    code = desk_alerts_read(d, &a);
    desk_alerts_table(&t);
    if (a.n > 0)
        qsort(a.v, a.n, sizeof(*a.v), latest_first);
    for (size_t i = 0; code == CLI_EXIT_DONE && i < a.n; i++) {
        if (desk_alerts_wanted(d, &a.v[i], since))
            desk_alerts_row(d, &t, &a.v[i]);
    }
    if (code == CLI_EXIT_DONE)
        code = desk_table(d, &t, "span25.alerts.list", "no alerts");
    registry_table_fini(&t);
    desk_alerts_fini(&a);
    return code;
}
