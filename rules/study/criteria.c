#include "rules/study/criteria.h"

#include <math.h>
#include <string.h>

#define HOUR_NS      (3600 * NS_PER_S)
#define COVERED      0.9 /* of an hour: it counts as watched */
#define WEEK_ENOUGH  3   /* DETECTION 4.5: each hour of the week so often */
#define WEEK_HOURS   168
#define NOT_REPLAYED "the policy is not among those that were replayed"

static const struct {
    const char *word;
    bool of_policy;
    const char *what;
} measures[] = {
#define X(id, word, of_policy, what) {word, of_policy, what},
    STUDY_MEASURES(X)
#undef X
};

/* value NAN: why says the reason. */
struct measured {
    double value;
    const char *why;
};

enum study_measure
study_measure_find(const char *word)
{
    unsigned m = 0;

    while (m < STUDY_MEASURE_COUNT && strcmp(measures[m].word, word) != 0)
        m++;
    return (enum study_measure)m;
}

const char *
study_measure_word(enum study_measure m)
{
    return measures[m].word;
}

const char *
study_measure_what(enum study_measure m)
{
    return measures[m].what;
}

bool
study_measure_of_policy(enum study_measure m)
{
    return measures[m].of_policy;
}

static struct measured
known(double value, const char *otherwise)
{
    return (struct measured){value, isnan(value) ? otherwise : NULL};
}

static struct measured
count(uint64_t n)
{
    return (struct measured){(double)n, NULL};
}

static struct measured
not_known(const char *why)
{
    return (struct measured){(double)NAN, why};
}

/* ---- of a policy ---- */

static struct measured
registered_stopped(const struct study_result *r, const struct study_policy *p)
{
    uint64_t n = 0;

    for (unsigned c = 0; c < STUDY_CLASS_COUNT; c++)
        n += r->cells[c][1].hosts;
    if (n == 0)
        return not_known("no registered host was seen to send");
    return count(p->registered);
}

static struct measured
stopped_day_most(const struct study_result *r, const struct study_policy *p)
{
    uint64_t most = 0;

    if (r->n_days == 0 || p->by_day == NULL)
        return not_known("there is no day in the window");
    for (size_t i = 0; i < r->n_days; i++)
        most = p->by_day[i] > most ? p->by_day[i] : most;
    return count(most);
}

/* An end of an interval, or what stands in the way of one. */
static struct measured
end_of(const struct study_figure *f, double end, const char *nobody)
{
    if (!(f->n > 0))
        return not_known(nobody);
    return known(end, "too little was seen for an interval");
}

static struct measured
of_policy(enum study_measure m, const struct study_result *r,
          const struct study_policy *p)
{
    switch (m) {
    case STUDY_MEASURE_REGISTERED_STOPPED: return registered_stopped(r, p);
    case STUDY_MEASURE_LEGITIMATE_STOPPED:
        return count(p->hosts[STUDY_LEGITIMATE]);
    case STUDY_MEASURE_WRONG_SHARE_HIGH:
        return end_of(&p->wrong, p->wrong.high, "no host looks legitimate");
    case STUDY_MEASURE_BOTS_STOPPED_SHARE:
        return end_of(&p->right, p->right.value, "no host behaves like a bot");
    case STUDY_MEASURE_SPARED_SHARE_LOW:
        return end_of(&p->spared, p->spared.low,
                      "no malicious mail was seen to be accepted");
    case STUDY_MEASURE_LOST_MOST: return count(p->total.lost_most);
    case STUDY_MEASURE_LOST_RATE:
        return known(p->lost.value, "no host was seen to send");
    case STUDY_MEASURE_STOPPED_DAY_MOST: return stopped_day_most(r, p);
    case STUDY_MEASURE_TIME_TO_STOP_MEDIAN:
        return known(p->seconds.median,
                     "no host began its abuse within the window");
    case STUDY_MEASURE_STAFF_HOURS:
        return known(p->staff_h, "the work was not estimated");
    case STUDY_MEASURE_OWNERS_UNKNOWN: return count(p->owners_unknown);
    default: break;
    }
    return not_known("it is no measure of a policy");
}

/* ---- of the whole ---- */

/* The part of an hour that is in the window: the first one may begin late. */
static double
seconds_of(const struct study_result *r, const struct study_hour *h)
{
    ns_t from = h->begin > r->from ? h->begin : r->from;
    ns_t to = h->begin + HOUR_NS < r->to ? h->begin + HOUR_NS : r->to;

    return to > from ? (double)(to - from) / (double)NS_PER_S : 0;
}

static bool
is_measured(const struct study_result *r)
{
    for (size_t i = 0; i < r->n_hours; i++) {
        if (r->hours[i].covered_s >= 0)
            return true;
    }
    return false;
}

static struct measured
coverage(const struct study_result *r)
{
    uint64_t all = 0, watched = 0;

    for (size_t i = 0; i < r->n_hours; i++) {
        const struct study_hour *h = &r->hours[i];
        double most = seconds_of(r, h);

        if (most <= 0)
            continue;
        all++;
        watched += h->covered_s >= 0 && h->covered_s >= COVERED * most;
    }
    if (all == 0 || !is_measured(r))
        return not_known("the inputs do not say when the sensor was watching");
    return known((double)watched / (double)all, NULL);
}

static struct measured
week_covered(const struct study_result *r)
{
    uint64_t n = 0;

    if (!is_measured(r))
        return not_known("the inputs do not say when the sensor was watching");
    for (unsigned i = 0; i < WEEK_HOURS; i++)
        n += r->week[i] >= WEEK_ENOUGH;
    return count(n);
}

static struct measured
clear(const struct study_result *r)
{
    double read = 0;

    for (unsigned c = 0; c < STUDY_CLASS_COUNT; c++)
        read += (double)(r->cells[c][0].messages + r->cells[c][1].messages);
    if (read + (double)r->estimated_most <= 0)
        return not_known("no outward mail was seen");
    return known(read / (read + (double)r->estimated_most), NULL);
}

static struct measured
within_48h(const struct study_result *r)
{
    const struct study_queue_row *fewest = NULL;

    for (size_t i = 0; i < r->queue.n; i++) {
        const struct study_queue_row *q = &r->queue.v[i];

        if (q->waves == 1 && (fewest == NULL || q->clerks < fewest->clerks))
            fewest = q;
    }
    if (fewest == NULL)
        return not_known("the queue of permits was not worked out");
    return known(fewest->within_48h, "there is no form to enter");
}

static struct measured
reviewed(const struct study_result *r, double value)
{
    if (!r->review.there)
        return not_known("nobody has reviewed a sample");
    return known(value, "the sample that was reviewed is too small");
}

static struct measured
decisions_same(const struct study_result *r)
{
    if (!r->decisions_there || r->decisions_journal == 0)
        return not_known("the inputs have no decisions to compare with");
    return known((double)r->decisions_same / (double)r->decisions_journal,
                 NULL);
}

static struct measured
of_all(enum study_measure m, const struct study_result *r)
{
    switch (m) {
    case STUDY_MEASURE_COVERAGE: return coverage(r);
    case STUDY_MEASURE_WEEK_COVERED: return week_covered(r);
    case STUDY_MEASURE_LOSS:
        return known(r->loss, "no bytes of mail were acknowledged");
    case STUDY_MEASURE_CLEAR: return clear(r);
    case STUDY_MEASURE_KAPPA: return reviewed(r, r->review.kappa.value);
    case STUDY_MEASURE_PRECISION_LOW:
        return reviewed(r, r->review.precision.low);
    case STUDY_MEASURE_WITHIN_48H: return within_48h(r);
    case STUDY_MEASURE_DECISIONS_SAME: return decisions_same(r);
    default: break;
    }
    return not_known("it is no measure of a study");
}

/* ---- the verdict ---- */

/* Hosts that found no room are in none of these. */
static bool
is_count(enum study_measure m)
{
    switch (m) {
    case STUDY_MEASURE_REGISTERED_STOPPED:
    case STUDY_MEASURE_LEGITIMATE_STOPPED:
    case STUDY_MEASURE_LOST_MOST:
    case STUDY_MEASURE_STOPPED_DAY_MOST:
    case STUDY_MEASURE_OWNERS_UNKNOWN: return true;
    default: return false;
    }
}

static struct measured
measure(enum study_measure m, const char *name, const struct study_result *r)
{
    if (m == STUDY_MEASURE_COUNT)
        return not_known("there is no such measure");
    if (!measures[m].of_policy)
        return of_all(m, r);
    if (name == NULL)
        return not_known("no policy is named, and none is proposed");
    for (size_t i = 0; i < r->n_policies; i++) {
        if (strcmp(r->policies[i].name, name) == 0)
            return of_policy(m, r, &r->policies[i]);
    }
    return not_known(NOT_REPLAYED);
}

static void
judge(const struct study_criterion_plan *p, const char *proposed,
      const struct study_result *r, struct study_criterion *out)
{
    enum study_measure m = study_measure_find(p->measure);
    struct measured v = measure(m, p->policy != NULL ? p->policy : proposed, r);
    bool kept = p->at_least ? v.value >= p->limit : v.value <= p->limit;

    out->measured = v.value;
    out->why = v.why;
    out->verdict = kept ? STUDY_PASS : STUDY_FAIL;
    if (isnan(v.value)) {
        out->verdict = STUDY_NOT_KNOWN;
    } else if (kept && !p->at_least && is_count(m) && r->hosts_refused > 0) {
        out->verdict = STUDY_NOT_KNOWN;
        out->why = "there was no room for all hosts: it may be more";
    }
}

void
study_criteria_judge(const struct study_plan *plan, struct study_result *r)
{
    for (size_t i = 0; i < plan->n_criteria && i < r->n_criteria; i++)
        judge(&plan->criteria[i], plan->proposed, r, &r->criteria[i]);
}
