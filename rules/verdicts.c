#include "rules/verdicts.h"

#include "sensor/base/hash.h"
#include "sensor/base/seen.h"

#include <stdlib.h>

#define SLOTS (VERDICTS_ROWS * 2) /* a power of two */

/* Rows found by a key of 64 bits; two with the same key are one. */
struct rows {
    uint64_t keys[SLOTS];
    uint32_t at[SLOTS]; /* index + 1; 0 free */
    uint32_t n;
};

struct verdicts {
    struct rows alert_rows, decision_rows;
    struct summary_alert *alerts;
    bool *silenced; /* beside alerts */
    struct summary_decision *decisions;
    bool *standing; /* beside decisions: not lifted */
    struct seen hosts;
    struct summary total;
};

void
verdicts_free(struct verdicts *v)
{
    if (v == NULL)
        return;
    free(v->alerts);
    free(v->silenced);
    free(v->decisions);
    free(v->standing);
    seen_fini(&v->hosts);
    free(v);
}

enum err
verdicts_new(struct verdicts **out)
{
    struct verdicts *v = calloc(1, sizeof(*v));

    if (v == NULL)
        return ERR_NOMEM;
    v->alerts = calloc(VERDICTS_ROWS, sizeof(*v->alerts));
    v->silenced = calloc(VERDICTS_ROWS, sizeof(*v->silenced));
    v->decisions = calloc(VERDICTS_ROWS, sizeof(*v->decisions));
    v->standing = calloc(VERDICTS_ROWS, sizeof(*v->standing));
    seen_init(&v->hosts, VERDICTS_HOSTS);
    if (v->alerts == NULL || v->silenced == NULL || v->decisions == NULL ||
        v->standing == NULL) {
        verdicts_free(v);
        return ERR_NOMEM;
    }
    *out = v;
    return ERR_OK;
}

/* The row of this key, made when there is room; UINT32_MAX: none. */
static uint32_t
row_of(struct rows *r, struct span key)
{
    uint64_t hash = hash_span(key, 0);
    size_t slot = hash & (SLOTS - 1);

    for (; r->at[slot] != 0; slot = (slot + 1) & (SLOTS - 1)) {
        if (r->keys[slot] == hash)
            return r->at[slot] - 1;
    }
    if (r->n == VERDICTS_ROWS)
        return UINT32_MAX;
    r->keys[slot] = hash;
    r->at[slot] = ++r->n;
    return r->n - 1;
}

static void
keep(char *out, size_t size, struct span s)
{
    s = span_head(s, size - 1);
    s.n = span_find(s, '\0');
    if (s.n > 0)
        memcpy(out, s.p, s.n);
    out[s.n] = '\0';
}

static struct span
first_of(const struct record_map *e, enum field a, enum field b)
{
    struct span s = record_map_find(e, a);

    return s.n > 0 ? s : record_map_find(e, b);
}

/* ---- alerts ---- */

static unsigned
level_of(const struct record_map *e)
{
    uint64_t severity = record_map_u64(e, FIELD_ALERT_SEVERITY, SUMMARY_LEVELS);

    return severity >= 1 && severity < SUMMARY_LEVELS ? (unsigned)severity - 1
                                                      : SUMMARY_LEVELS - 1;
}

static void
on_alert(struct verdicts *v, const struct record_map *e)
{
    uint32_t i = row_of(&v->alert_rows, record_map_find(e, FIELD_ALERT_ID));
    struct span site = record_map_find(e, FIELD_ALERT_SITE);
    struct span state = first_of(e, FIELD_SRC_REG_STATE, FIELD_DEST_REG_STATE);
    struct summary_alert *a;

    if (i == UINT32_MAX) {
        v->total.alerts_left_out++;
        return;
    }
    a = &v->alerts[i];
    v->silenced[i] = record_map_find(e, FIELD_ALERT_SILENCED).n > 0;
    if (site.n == 0)
        site = first_of(e, FIELD_SRC_HOST_SITE, FIELD_SRC_REG_SITE);
    a->level = level_of(e);
    a->judged = state.n > 0;
    a->registered = span_eq(state, SPAN_LIT("registered"));
    a->ended = record_map_is(e, FIELD_ALERT_STATE, "ended");
    a->count = record_map_u64(e, FIELD_ALERT_COUNT, 0);
    a->first = record_map_u64(e, FIELD_ALERT_FIRST, 0);
    a->last = record_map_u64(e, FIELD_ALERT_LAST, 0);
    keep(a->id, sizeof(a->id), record_map_find(e, FIELD_ALERT_ID));
    keep(a->subject, sizeof(a->subject),
         record_map_find(e, FIELD_ALERT_SUBJECT));
    keep(a->rule, sizeof(a->rule), record_map_find(e, FIELD_ALERT_SIGNATURE));
    keep(a->reason, sizeof(a->reason), record_map_find(e, FIELD_ALERT_REASON));
    keep(a->site, sizeof(a->site), site);
}

/* ---- decisions ---- */

enum change { TO_BLOCK, TO_HOLD, TO_WITHHELD, OVER, LIFTED, UNKNOWN };

static enum change
change_of(const struct record_map *e)
{
    static const char *const words[] = {"block", "hold", "withheld", "expire",
                                        "lift"};
    unsigned i = 0;

    while (i < UNKNOWN && !record_map_is(e, FIELD_DECISION_ACTION, words[i]))
        i++;
    return (enum change)i;
}

static void
keep_against(struct summary_decision *d, const struct record_map *e)
{
    struct buf text = {(uint8_t *)d->against,  0,     sizeof(d->against) - 1,
                       sizeof(d->against) - 1, false, false};
    struct cursor c = record_entries_of(e->record);
    struct record_entry entry;

    while (record_next(&c, &entry)) {
        if (entry.field != FIELD_DECISION_AGAINST)
            continue;
        buf_str(&text, text.n > 0 ? ", " : "");
        buf_span(&text, entry.value);
    }
    d->against[text.n] = '\0';
}

static void
fill(struct summary_decision *d, const struct record_map *e,
     const struct prefix *subject, enum change change)
{
    *d = (struct summary_decision){
        .subject = *subject,
        .action = (enum summary_action)change,
        .enforced = record_map_is(e, FIELD_DECISION_MODE, "enforce"),
        .collateral = record_map_u64(e, FIELD_DECISION_COLLATERAL, 0),
        .since = record_head_of(e->record).when,
        .until = record_map_u64(e, FIELD_DECISION_UNTIL, 0),
    };
    keep_against(d, e);
    keep(d->reason, sizeof(d->reason),
         record_map_find(e, FIELD_DECISION_REASON));
    keep(d->site, sizeof(d->site),
         first_of(e, FIELD_DECISION_SITE, FIELD_SRC_REG_SITE));
}

static void
on_decision(struct verdicts *v, const struct record_map *e)
{
    struct span text = record_map_find(e, FIELD_DECISION_SUBJECT);
    enum change change = change_of(e);
    struct prefix subject;
    uint32_t i;

    if (change == UNKNOWN || !prefix_parse(text, &subject))
        return;
    i = row_of(&v->decision_rows, text);
    if (i == UINT32_MAX) {
        v->total.decisions_left_out++;
        return;
    }
    if (change == OVER) {
        v->decisions[i].over = true;
        return;
    }
    v->standing[i] = change != LIFTED;
    if (change != LIFTED)
        fill(&v->decisions[i], e, &subject, change);
}

/* ---- */

static void
on_host(struct verdicts *v, const struct record_map *e)
{
    struct addr a;

    v->total.has_verdicts = true;
    if (record_map_bool(e, FIELD_HOST_HOME) &&
        record_map_u64(e, FIELD_HOST_SESSIONS, 0) > 0 &&
        record_map_addr(e, FIELD_SRC_IP, &a))
        (void)seen_add(&v->hosts, hash_span(span_of(a.b, 16), 0));
}

void
verdicts_event(struct verdicts *v, const struct record_map *event)
{
    enum event_type type = record_head_of(event->record).type;

    if (type == EVENT_HOST)
        on_host(v, event);
    else if (type == EVENT_ALERT && !record_map_bool(event, FIELD_ALERT_TEST))
        on_alert(v, event);
    else if (type == EVENT_DECISION)
        on_decision(v, event);
}

static int
by_level(const void *x, const void *y)
{
    const struct summary_alert *a = x;
    const struct summary_alert *b = y;

    if (a->level != b->level)
        return a->level < b->level ? -1 : 1;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return strcmp(a->id, b->id);
}

static int
by_action(const void *x, const void *y)
{
    const struct summary_decision *a = x;
    const struct summary_decision *b = y;

    if (a->action != b->action)
        return a->action < b->action ? -1 : 1;
    if (a->collateral != b->collateral)
        return a->collateral > b->collateral ? -1 : 1;
    return addr_cmp(&a->subject.addr, &b->subject.addr);
}

void
verdicts_summary(struct verdicts *v, struct summary *s)
{
    s->has_verdicts =
        v->total.has_verdicts || v->alert_rows.n > 0 || v->decision_rows.n > 0;
    s->verdict_hosts = v->hosts.n;
    s->alerts = v->alerts;
    s->n_alerts = 0;
    for (uint32_t i = 0; i < v->alert_rows.n; i++) {
        if (v->silenced[i]) {
            s->alerts_silenced++;
            continue;
        }
        s->alerts_level[v->alerts[i].level]++;
        v->alerts[s->n_alerts++] = v->alerts[i];
    }
    s->alerts_left_out = v->total.alerts_left_out;
    s->decisions = v->decisions;
    s->n_decisions = 0;
    for (uint32_t i = 0; i < v->decision_rows.n; i++) {
        if (v->standing[i])
            v->decisions[s->n_decisions++] = v->decisions[i];
    }
    s->decisions_left_out = v->total.decisions_left_out;
    qsort(s->alerts, s->n_alerts, sizeof(*s->alerts), by_level);
    qsort(s->decisions, s->n_decisions, sizeof(*s->decisions), by_action);
}
