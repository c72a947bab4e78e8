#include "sensor/event/study_shape.h"

#include "sensor/base/attr.h"

#define PART(s, m)                                                             \
    .at = offsetof(struct s, m), .size = sizeof(((struct s *)0)->m)
#define ITEM(s, m)                                                             \
    .at = offsetof(struct s, m), .size = sizeof(((struct s *)0)->m[0])
#define COUNT(s, m) .n_at = offsetof(struct s, m)

#define TEXT(s, m)                                                             \
    {                                                                          \
        .key = #m, .type = STUDY_TYPE_TEXT, PART(s, m)                         \
    }
#define BOOL(s, m)                                                             \
    {                                                                          \
        .key = #m, .type = STUDY_TYPE_BOOL, PART(s, m)                         \
    }
#define U32(s, m)                                                              \
    {                                                                          \
        .key = #m, .type = STUDY_TYPE_U32, PART(s, m)                          \
    }
#define I32(s, m)                                                              \
    {                                                                          \
        .key = #m, .type = STUDY_TYPE_I32, PART(s, m)                          \
    }
#define U64(s, m)                                                              \
    {                                                                          \
        .key = #m, .type = STUDY_TYPE_U64, PART(s, m)                          \
    }
#define DOUBLE(s, m)                                                           \
    {                                                                          \
        .key = #m, .type = STUDY_TYPE_DOUBLE, PART(s, m)                       \
    }
#define TIME(s, m)                                                             \
    {                                                                          \
        .key = #m, .type = STUDY_TYPE_TIME, PART(s, m)                         \
    }
#define ADDR(s, m)                                                             \
    {                                                                          \
        .key = #m, .type = STUDY_TYPE_ADDR, PART(s, m)                         \
    }
#define WORD(s, m, w)                                                          \
    {                                                                          \
        .key = #m, .type = STUDY_TYPE_WORD, PART(s, m), .words = (w),          \
        .most = ARRAY_LEN(w)                                                   \
    }
/* A struct in place, or an array whose entries have names. */
#define SHAPE(s, m, of)                                                        \
    {                                                                          \
        .key = #m, .type = STUDY_TYPE_SHAPE, PART(s, m), .shape = &(of)        \
    }
/* Members of the same struct, under a name. */
#define GROUP(name, of)                                                        \
    {                                                                          \
        .key = (name), .type = STUDY_TYPE_SHAPE, .shape = &(of)                \
    }
#define ARRAY(s, m, t)                                                         \
    {                                                                          \
        .key = #m, .type = (t), .hold = STUDY_HOLD_ARRAY, ITEM(s, m),          \
        .most = ARRAY_LEN(((struct s *)0)->m)                                  \
    }
#define LIST(s, m, n, of)                                                      \
    {                                                                          \
        .key = #m, .type = STUDY_TYPE_SHAPE, .hold = STUDY_HOLD_LIST,          \
        ITEM(s, m), COUNT(s, n), .shape = &(of)                                \
    }
#define EACH_U64(s, m, n)                                                      \
    {                                                                          \
        .key = #m, .type = STUDY_TYPE_U64, .hold = STUDY_HOLD_EACH,            \
        ITEM(s, m), COUNT(study_result, n)                                     \
    }
/* The i-th of an array of uint64_t that starts the struct. */
#define NTH(name, i)                                                           \
    {                                                                          \
        .key = (name), .type = STUDY_TYPE_U64, .at = (i) * sizeof(uint64_t),   \
        .size = sizeof(uint64_t)                                               \
    }

#define SHAPE_OF(table)                                                        \
    {                                                                          \
        (table), ARRAY_LEN(table)                                              \
    }

/* ---- words ---- */

static const char *const class_words[] = {
#define X(id, word, people) word,
    STUDY_CLASSES(X)
#undef X
};

static const char *const group_words[] = {
#define X(id, word, people) word,
    STUDY_GROUPS(X)
#undef X
};

static const char *const verdict_words[] = {
    [STUDY_PASS] = "pass",
    [STUDY_FAIL] = "fail",
    [STUDY_NOT_KNOWN] = "not known",
};

/* ---- arrays whose entries have names ---- */

static const struct study_member by_class[] = {
#define X(id, word, people) NTH(word, STUDY_##id),
    STUDY_CLASSES(X)
#undef X
};
static const struct study_shape shape_by_class = SHAPE_OF(by_class);

static const struct study_member by_mail[] = {
#define X(id, word) NTH(word, STUDY_##id),
    STUDY_MAILS(X)
#undef X
};
static const struct study_shape shape_by_mail = SHAPE_OF(by_mail);

static const struct study_member by_group[] = {
#define X(id, word, people) NTH(word, STUDY_GROUP_##id),
    STUDY_GROUPS(X)
#undef X
};
static const struct study_shape shape_by_group = SHAPE_OF(by_group);

/* ---- parts ---- */

static const struct study_member figure[] = {
    DOUBLE(study_figure, value), DOUBLE(study_figure, low),
    DOUBLE(study_figure, high),  DOUBLE(study_figure, k),
    DOUBLE(study_figure, n),     TEXT(study_figure, method),
};
static const struct study_shape shape_figure = SHAPE_OF(figure);

#define FIGURE(s, m) SHAPE(s, m, shape_figure)

static const struct study_member input[] = {
    TEXT(study_input, name),  TEXT(study_input, kind),
    TEXT(study_input, hash),  U64(study_input, events),
    U64(study_input, faults), TIME(study_input, first),
    TIME(study_input, last),
};
static const struct study_shape shape_input = SHAPE_OF(input);

static const struct study_member hour[] = {
    TIME(study_hour, begin),
    I32(study_hour, covered_s),
    U64(study_hour, packets),
    U64(study_hour, dropped),
    U64(study_hour, seen),
    U64(study_hour, unseen),
    U64(study_hour, sessions),
    U64(study_hour, sessions_tls),
    U64(study_hour, sessions_oneway),
    SHAPE(study_hour, messages, shape_by_group),
    U64(study_hour, bad),
    BOOL(study_hour, refused),
};
static const struct study_shape shape_hour = SHAPE_OF(hour);

static const struct study_member day[] = {
    TIME(study_day, begin),
    BOOL(study_day, holdout),
    U64(study_day, messages),
    U64(study_day, bad),
    U64(study_day, class_a),
    U64(study_day, recipients),
    U64(study_day, senders),
    U64(study_day, senders_new),
    U64(study_day, alerts),
    U64(study_day, blocks),
    U64(study_day, holds),
    U64(study_day, attempts),
    U64(study_day, attempts_blocked),
};
static const struct study_shape shape_day = SHAPE_OF(day);

static const struct study_member cell[] = {
    U64(study_cell, hosts),        U64(study_cell, messages),
    U64(study_cell, delivered),    U64(study_cell, recipients),
    U64(study_cell, bytes),        U64(study_cell, sessions),
    U64(study_cell, sessions_tls), U64(study_cell, tls_least),
    U64(study_cell, tls_most),
};
static const struct study_shape shape_cell = SHAPE_OF(cell);

/* cells[class][registered] */
static const struct study_member cells_of_class[] = {
    {.key = "unregistered",    .type = STUDY_TYPE_SHAPE, .shape = &shape_cell},
    { .key = "registered",
     .type = STUDY_TYPE_SHAPE,
     .at = sizeof(struct study_cell),
     .shape = &shape_cell},
};
static const struct study_shape shape_cells_of_class = SHAPE_OF(cells_of_class);

static const struct study_member cells[] = {
#define X(id, word, people)                                                    \
    {.key = (word),                                                            \
     .type = STUDY_TYPE_SHAPE,                                                 \
     .at = sizeof(struct study_cell) * 2 * STUDY_##id,                         \
     .shape = &shape_cells_of_class},
    STUDY_CLASSES(X)
#undef X
};
static const struct study_shape shape_cells = SHAPE_OF(cells);

static const struct study_member share[] = {
    WORD(study_share, group, group_words),
    BOOL(study_share, spam),
    FIGURE(study_share, raw),
    FIGURE(study_share, weighted),
    FIGURE(study_share, hosts),
    DOUBLE(study_share, deff),
    DOUBLE(study_share, without_low),
    DOUBLE(study_share, without_high),
    DOUBLE(study_share, without_top),
    DOUBLE(study_share, bound_low),
    DOUBLE(study_share, bound_high),
    DOUBLE(study_share, clear),
    U64(study_share, senders),
    U64(study_share, weights_cut),
};
static const struct study_shape shape_share = SHAPE_OF(share);

static const struct study_member unseen[] = {
    BOOL(study_unseen, known),      U64(study_unseen, seen),
    U64(study_unseen, once),        U64(study_unseen, twice),
    U64(study_unseen, days),        DOUBLE(study_unseen, there),
    DOUBLE(study_unseen, low),      DOUBLE(study_unseen, high),
    DOUBLE(study_unseen, coverage),
};
static const struct study_shape shape_unseen = SHAPE_OF(unseen);

/* ---- policies ---- */

static const struct study_member outcome[] = {
    SHAPE(study_outcome, stopped, shape_by_mail),
    SHAPE(study_outcome, delivered, shape_by_mail),
    SHAPE(study_outcome, rcpt, shape_by_mail),
    U64(study_outcome, after),
    U64(study_outcome, after_rcpt),
    U64(study_outcome, before),
    U64(study_outcome, before_rcpt),
    U64(study_outcome, lost_least),
    U64(study_outcome, lost_most),
    U64(study_outcome, delayed_least),
    U64(study_outcome, delayed_most),
    DOUBLE(study_outcome, delay_h),
    U64(study_outcome, tls_least),
    U64(study_outcome, tls_most),
    U64(study_outcome, blocks),
    DOUBLE(study_outcome, blocked_h),
    TIME(study_outcome, first),
};
static const struct study_shape shape_outcome = SHAPE_OF(outcome);

static const struct study_member step[] = {
    DOUBLE(study_step, at),
    DOUBLE(study_step, share),
    DOUBLE(study_step, low),
    DOUBLE(study_step, high),
};
static const struct study_shape shape_step = SHAPE_OF(step);

static const struct study_member times[] = {
    U64(study_times, hosts),
    U64(study_times, stopped),
    U64(study_times, truncated),
    DOUBLE(study_times, median),
    DOUBLE(study_times, p90),
    DOUBLE(study_times, p95),
    DOUBLE(study_times, median_low),
    DOUBLE(study_times, median_high),
    LIST(study_times, steps, n_steps, shape_step),
};
static const struct study_shape shape_times = SHAPE_OF(times);

static const struct study_member policy[] = {
    TEXT(study_policy, name),
    TEXT(study_policy, title),
    TEXT(study_policy, kind),
    TEXT(study_policy, terms),
    SHAPE(study_policy, total, shape_outcome),
    SHAPE(study_policy, hosts, shape_by_class),
    SHAPE(study_policy, hosts_of, shape_by_class),
    SHAPE(study_policy, tuned, shape_outcome),
    SHAPE(study_policy, tuned_hosts, shape_by_class),
    SHAPE(study_policy, tuned_of, shape_by_class),
    U64(study_policy, registered),
    U64(study_policy, devices),
    U64(study_policy, owners),
    U64(study_policy, owners_unknown),
    U64(study_policy, holds),
    DOUBLE(study_policy, host_days),
    FIGURE(study_policy, wrong),
    FIGURE(study_policy, right),
    FIGURE(study_policy, precise),
    FIGURE(study_policy, lost),
    FIGURE(study_policy, spared),
    ARRAY(study_policy, displaced, STUDY_TYPE_DOUBLE),
    SHAPE(study_policy, seconds, shape_times),
    SHAPE(study_policy, messages, shape_times),
    DOUBLE(study_policy, staff_h),
    DOUBLE(study_policy, staff_h_alerts),
    DOUBLE(study_policy, staff_h_tickets),
    DOUBLE(study_policy, staff_h_forms),
    DOUBLE(study_policy, tie_none),
    DOUBLE(study_policy, tie_next),
    DOUBLE(study_policy, per_hour),
    U64(study_policy, first_day),
    U64(study_policy, later_days),
    DOUBLE(study_policy, per_day),
    EACH_U64(study_policy, by_day, n_days),
};
static const struct study_shape shape_policy = SHAPE_OF(policy);

static const struct study_member sweep_point[] = {
    DOUBLE(study_sweep_point, limit),
    SHAPE(study_sweep_point, stopped, shape_by_class),
    U64(study_sweep_point, registered),
    SHAPE(study_sweep_point, total, shape_outcome),
};
static const struct study_shape shape_sweep_point = SHAPE_OF(sweep_point);

static const struct study_member sweep[] = {
    TEXT(study_sweep, policy),
    TEXT(study_sweep, what),
    TEXT(study_sweep, unit),
    DOUBLE(study_sweep, chosen),
    LIST(study_sweep, v, n, shape_sweep_point),
};
static const struct study_shape shape_sweep = SHAPE_OF(sweep);

/* ---- hosts and sites ---- */

static const struct study_member host[] = {
    ADDR(study_host_row, addr),
    TEXT(study_host_row, site),
    TEXT(study_host_row, name),
    TEXT(study_host_row, helo),
    TEXT(study_host_row, device),
    BOOL(study_host_row, registered),
    BOOL(study_host_row, queueing),
    BOOL(study_host_row, fire_and_forget),
    BOOL(study_host_row, reviewed),
    WORD(study_host_row, class, class_words),
    TIME(study_host_row, first),
    TIME(study_host_row, last),
    U32(study_host_row, days),
    U64(study_host_row, messages),
    U64(study_host_row, delivered),
    U64(study_host_row, recipients),
    U64(study_host_row, recipients_refused),
    U64(study_host_row, bad),
    U64(study_host_row, class_a),
    U64(study_host_row, sessions),
    U64(study_host_row, sessions_tls),
    U64(study_host_row, peak),
    DOUBLE(study_host_row, score),
    {.key = "outcomes",
                             .type = STUDY_TYPE_SHAPE,
                             .hold = STUDY_HOLD_EACH,
                             ITEM(study_host_row, outcomes),
                             COUNT(study_result, n_policies),
                             .shape = &shape_outcome,
                             .brief = true},
};
static const struct study_shape shape_host = SHAPE_OF(host);

static const struct study_member site[] = {
    TEXT(study_site, code),
    TEXT(study_site, name),
    TEXT(study_site, contact),
    U64(study_site, hosts),
    U64(study_site, registered),
    U64(study_site, legitimate),
    EACH_U64(study_site, stopped, n_policies),
    EACH_U64(study_site, stopped_legitimate, n_policies),
};
static const struct study_shape shape_site = SHAPE_OF(site);

/* ---- what was agreed, permits, review ---- */

static const struct study_member criterion[] = {
    TEXT(study_criterion, name),
    TEXT(study_criterion, measure),
    TEXT(study_criterion, limit),
    DOUBLE(study_criterion, measured),
    WORD(study_criterion, verdict, verdict_words),
    TEXT(study_criterion, why),
};
static const struct study_shape shape_criterion = SHAPE_OF(criterion);

static const struct study_member queue_row[] = {
    U32(study_queue_row, clerks),
    U32(study_queue_row, waves),
    DOUBLE(study_queue_row, within_48h),
    DOUBLE(study_queue_row, p95_h),
};
static const struct study_shape shape_queue_row = SHAPE_OF(queue_row);

static const struct study_member queue[] = {
    U64(study_queue, forms),
    LIST(study_queue, v, n, shape_queue_row),
};
static const struct study_shape shape_queue = SHAPE_OF(queue);

static const struct study_member review[] = {
    BOOL(study_review, there),         U64(study_review, sampled),
    U64(study_review, rated),          U64(study_review, disagreed),
    FIGURE(study_review, kappa),       FIGURE(study_review, precision),
    FIGURE(study_review, sensitivity), FIGURE(study_review, specificity),
    FIGURE(study_review, corrected),
};
static const struct study_shape shape_review = SHAPE_OF(review);

/* ---- the result, in groups ---- */

static const struct study_member cover[] = {
    TEXT(study_result, title),
    TEXT(study_result, author),
    TEXT(study_result, reviewer),
    TEXT(study_result, status),
    TEXT(study_result, classification),
    TEXT(study_result, command),
    TEXT(study_result, version),
    TEXT(study_result, rules_hash),
    TEXT(study_result, config_hash),
    TEXT(study_result, sensors),
    TIME(study_result, from),
    TIME(study_result, to),
    TIME(study_result, holdout),
    TIME(study_result, warm_from),
    BOOL(study_result, demo),
    TEXT(study_result, anonymized),
    U32(study_result, few),
    LIST(study_result, inputs, n_inputs, shape_input),
};
static const struct study_shape shape_cover = SHAPE_OF(cover);

static const struct study_member sight[] = {
    U64(study_result, events),
    U64(study_result, faults),
    U64(study_result, hosts_refused),
    U64(study_result, late),
    U64(study_result, sessions),
    U64(study_result, sessions_tls),
    U64(study_result, sessions_oneway),
    DOUBLE(study_result, loss),
    DOUBLE(study_result, drops),
    U64(study_result, hours_refused),
    U64(study_result, messages_refused),
    ARRAY(study_result, q, STUDY_TYPE_DOUBLE),
    ARRAY(study_result, q_n, STUDY_TYPE_U64),
    U64(study_result, estimated_least),
    U64(study_result, estimated_most),
    ARRAY(study_result, week, STUDY_TYPE_U32),
    LIST(study_result, days, n_days, shape_day),
    LIST(study_result, hours, n_hours, shape_hour),
};
static const struct study_shape shape_sight = SHAPE_OF(sight);

static const struct study_member decisions[] = {
    {.key = "there",
     .type = STUDY_TYPE_BOOL,
     PART(study_result,                                           decisions_there)  },
    {.key = "journal",
     .type = STUDY_TYPE_U64,
     PART(study_result,                                           decisions_journal)},
    {.key = "same",    .type = STUDY_TYPE_U64, PART(study_result, decisions_same)   },
    {.key = "here",    .type = STUDY_TYPE_U64, PART(study_result, decisions_here)   },
    {.key = "differ",
     .type = STUDY_TYPE_TEXT,
     PART(study_result,                                           decisions_differ) },
};
static const struct study_shape shape_decisions = SHAPE_OF(decisions);

static const struct study_member result[] = {
    GROUP("cover", shape_cover),
    TEXT(study_result, proposed),
    TIME(study_result, effective),
    TEXT(study_result, rollback),
    TEXT(study_result, criteria_file),
    TEXT(study_result, criteria_hash),
    LIST(study_result, criteria, n_criteria, shape_criterion),
    GROUP("sight", shape_sight),
    SHAPE(study_result, cells, shape_cells),
    {.key = "shares",
                                        .type = STUDY_TYPE_SHAPE,
                                        .hold = STUDY_HOLD_ROWS,
                                        ITEM(study_result, shares),
                                        COUNT(study_result, n_shares),
                                        .most = ARRAY_LEN(((struct study_result *)0)->shares),
                                        .shape = &shape_share},
    SHAPE(study_result, unseen, shape_unseen),
    LIST(study_result, policies, n_policies, shape_policy),
    LIST(study_result, sweeps, n_sweeps, shape_sweep),
    LIST(study_result, sites, n_sites, shape_site),
    SHAPE(study_result, queue, shape_queue),
    SHAPE(study_result, review, shape_review),
    GROUP("decisions", shape_decisions),
    LIST(study_result, hosts, n_hosts, shape_host),
};
const struct study_shape study_shape_result = SHAPE_OF(result);
