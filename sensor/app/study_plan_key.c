#include "sensor/app/study_plan_key.h"

#include "rules/sigma/sigma_tree.h"
#include "sensor/app/options_value.h"
#include "sensor/app/registry_time.h"
#include "sensor/app/study_plan_load.h"
#include "sensor/base/near.h"
#include "sensor/base/text.h"

#define NAME_SET                                                               \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

/* Of which kinds a key is; those that are not here are of all. */
#define OF(kind) (1U << STUDY_KIND_##kind)
#define KINDS_latency                                                          \
    (OF(UNREGISTERED) | OF(RATE) | OF(ALERTS) | OF(DETECTOR) | OF(GRACE))
#define KINDS_per_hour OF(RATE)
#define KINDS_per_day  OF(RATE)
#define KINDS_alerts   OF(ALERTS)
#define KINDS_severity OF(ALERTS)
#define KINDS_ttl      OF(ALERTS)
#define KINDS_grace    OF(GRACE)
#define KINDS_answer   OF(GRACE)
#define KINDS_detector OF(GRACE)
#define KINDS_registry KINDS_latency
#define KINDS_give_up  KINDS_latency
#define KINDS_retry    KINDS_latency

#define ROW(key, type, item, member, least, most, preset, unit, why, kinds)    \
    {                                                                          \
        key, offsetof(struct item, member), (double)(least), (double)(most),   \
            (double)(preset), unit, why, PLAN_##type, kinds                    \
    }
#define POLICY(key, type, member, least, most, why)                            \
    ROW(key, type, study_policy_plan, member, least, most, 0, "", why, 0)
#define CRITERION(key, type, member, least, most, why)                         \
    ROW(key, type, study_criterion_plan, member, least, most, 0, "", why, 0)
#define LIMIT_MOST 1e15 /* of a criterion: doubles count exactly so far */

static const struct plan_row policy_rows[] = {
    POLICY("name", NAME, name, 1, STUDY_PLAN_NAME,
           "what it is called in tables: P4"),
    POLICY("title", TEXT, title, 1, 200, "what it does, in a sentence"),
    POLICY("kind", KIND, kind, 0, 0, "what it does, a word from above"),
    POLICY("from", TIME, from, 0, 0,
           "when it takes force, a day or a time; else with the window"),
    ROW("block", OTHER, study_policy_plan, limits, 0, 0, 0, "",
        "other limits of the decision table than those of the configuration",
        OF(DETECTOR) | OF(GRACE)),
#define X(member, key, type, preset, least, most, unit, why)                   \
    ROW(key, type, study_policy_plan, member, least, most, preset, unit, why,  \
        KINDS_##member),
    STUDY_POLICY_KEYS(X)
#undef X
};

static const struct plan_row cost_rows[] = {
#define X(member, key, preset, least, most, unit, why)                         \
    ROW(key, DOUBLE, study_costs, member, least, most, preset, unit, why, 0),
    STUDY_COST_KEYS(X)
#undef X
};

static const struct plan_row criterion_rows[] = {
    CRITERION("name", TEXT, name, 1, 200, "what is asked, in words"),
    CRITERION("measure", OTHER, measure, 0, 0, "what is measured"),
    CRITERION("policy", NAME, policy, 1, STUDY_PLAN_NAME,
              "of which policy; else of the proposed one"),
    CRITERION("at-most", DOUBLE, limit, -LIMIT_MOST, LIMIT_MOST,
              "it passes up to this"),
    CRITERION("at-least", DOUBLE, limit, -LIMIT_MOST, LIMIT_MOST,
              "it passes from this on"),
};

const struct plan_rows plan_policy_rows = {policy_rows, ARRAY_LEN(policy_rows)};
const struct plan_rows plan_cost_rows = {cost_rows, ARRAY_LEN(cost_rows)};
const struct plan_rows plan_criterion_rows = {criterion_rows,
                                              ARRAY_LEN(criterion_rows)};

unsigned
plan_rows_find(const struct plan_rows *rows, struct span key)
{
    unsigned i = 0;

    while (i < rows->n && !span_eq(key, span_str(rows->v[i].key)))
        i++;
    return i;
}

/* ---- writing ---- */

static void
put_ns(ns_t t, struct buf *out)
{
    static const struct option_row row = {.type = OPTION_DURATION};

    if (t == 0)
        buf_str(out, "0s");
    else
        options_value_format(&row, &t, out);
}

static void
put_number(enum plan_type type, double v, struct buf *out)
{
    if (type == PLAN_NS)
        put_ns((ns_t)v, out);
    else if (type == PLAN_BOOL)
        buf_str(out, v != 0 ? "true" : "false");
    else
        buf_printf(out, "%.15g", v);
}

void
plan_value_range(const struct plan_row *row, struct buf *out)
{
    put_number(row->type, row->least, out);
    buf_str(out, "..");
    put_number(row->type, row->most, out);
}

void
plan_value_preset(const struct plan_row *row, struct buf *out)
{
    put_number(row->type, row->preset, out);
}

static void
put_text(const char *s, struct buf *out)
{
    static const struct option_row row = {.type = OPTION_TEXT};

    options_value_format(&row, &s, out);
}

void
plan_value_format(const struct plan_row *row, const void *at, struct buf *out)
{
    const void *member = (const char *)at + row->offset;

    switch (row->type) {
    case PLAN_TEXT: put_text(*(char *const *)member, out); break;
    case PLAN_NAME: buf_str(out, *(char *const *)member); break;
    case PLAN_KIND:
        buf_str(out, study_kind_word(*(const enum study_kind *)member));
        break;
    case PLAN_TIME: registry_time_utc(*(const ns_t *)member, out); break;
    case PLAN_U64: buf_u64(out, *(const uint64_t *)member); break;
    case PLAN_DOUBLE:
        put_number(row->type, *(const double *)member, out);
        break;
    case PLAN_NS: put_ns(*(const ns_t *)member, out); break;
    case PLAN_BOOL:
        buf_str(out, *(const bool *)member ? "true" : "false");
        break;
    case PLAN_OTHER: break;
    }
}

/* ---- reading ---- */

static void
quote(struct buf *why, struct span text)
{
    buf_putc(why, '\'');
    text_term(why, span_head(text, 100));
    buf_str(why, text.n > 100 ? "...'" : "'");
}

static bool
in_range(const struct plan_row *row, double v, struct span text,
         struct buf *why)
{
    if (v >= row->least && v <= row->most)
        return true;
    quote(why, text);
    buf_str(why, " is out of range: ");
    plan_value_range(row, why);
    return false;
}

static bool
set_text(const struct plan_row *row, struct span text, char **at,
         struct buf *why)
{
    struct option_row as = {.path = row->key, .type = OPTION_TEXT};
    struct buf range;
    bool good;

    buf_init(&range, 64);
    buf_printf(&range, "%.0f..%.0f%c", row->least, row->most, 0);
    as.range = range.failed ? "1..32" : (const char *)range.p;
    good = options_value_set(&as, text, at, why);
    buf_free(&range);
    return good;
}

static bool
set_name(const struct plan_row *row, struct span text, char **at,
         struct buf *why)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != 0 && strchr(NAME_SET, text.p[i]) != NULL)
            continue;
        quote(why, text);
        buf_str(why, " is no name: letters, digits, - _ and . only");
        return false;
    }
    return set_text(row, text, at, why);
}

static bool
set_kind(struct span text, enum study_kind *at, struct buf *why)
{
    struct near near = near_start(text);

    for (unsigned k = 0; k < STUDY_KIND_COUNT; k++) {
        struct span word = span_str(study_kind_word((enum study_kind)k));

        near_offer(&near, word);
        if (!span_eq(text, word))
            continue;
        *at = (enum study_kind)k;
        return true;
    }
    quote(why, text);
    buf_str(why, " is no kind of policy; ");
    if (near.best.n > 0) {
        buf_str(why, "did you mean ");
        quote(why, near.best);
        buf_putc(why, '?');
        return false;
    }
    buf_str(why, "it is one of");
    for (unsigned k = 0; k < STUDY_KIND_COUNT; k++)
        buf_printf(why, "%s %s", k > 0 ? "," : "",
                   study_kind_word((enum study_kind)k));
    return false;
}

/* registry_time_read takes "48h" too, which is no point in time here. */
static bool
set_time(struct span text, ns_t *at, struct buf *why)
{
    ns_t t = 0;

    if (span_at(text, 4) == '-' && registry_time_read(text, 0, &t) && t > 0) {
        *at = t;
        return true;
    }
    quote(why, text);
    buf_str(why, " is no day or time such as 2027-01-11 or "
                 "2027-01-11T08:00:00Z");
    return false;
}

static bool
set_double(const struct plan_row *row, struct span text, double *at,
           struct buf *why)
{
    long double v;

    if (!sigma_number_parse(text, &v)) {
        quote(why, text);
        buf_str(why, " is not a number");
        return false;
    }
    if (!in_range(row, (double)v, text, why))
        return false;
    *at = (double)v;
    return true;
}

/* Numbers and lengths of time. */
static bool
set_u64(const struct plan_row *row, struct span text, uint64_t *at,
        struct buf *why)
{
    const struct option_row as = {.path = row->key,
                                  .type = row->type == PLAN_NS ? OPTION_DURATION
                                                               : OPTION_UINT,
                                  .range = ""};
    uint64_t v;

    if (!options_value_set(&as, text, &v, why) ||
        !in_range(row, (double)v, text, why))
        return false;
    *at = v;
    return true;
}

bool
plan_value_set(const struct plan_row *row, struct span text, void *at,
               struct buf *why)
{
    static const struct option_row truth = {.type = OPTION_BOOL, .range = ""};
    void *member = (char *)at + row->offset;

    switch (row->type) {
    case PLAN_TEXT: return set_text(row, text, member, why);
    case PLAN_NAME: return set_name(row, text, member, why);
    case PLAN_KIND: return set_kind(text, member, why);
    case PLAN_TIME: return set_time(text, member, why);
    case PLAN_U64:
    case PLAN_NS: return set_u64(row, text, member, why);
    case PLAN_DOUBLE: return set_double(row, text, member, why);
    case PLAN_BOOL: return options_value_set(&truth, text, member, why);
    case PLAN_OTHER: break;
    }
    return false;
}
