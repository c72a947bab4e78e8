#ifndef SPAN25_RULES_STUDY_SERIES_H
#define SPAN25_RULES_STUDY_SERIES_H
/* series - before and after: an interrupted time series
 *
 * Segmented regression of counts of days (Wagner, Soumerai, Zhang and
 * Ross-Degnan 2002): a straight line before the cut, another one from the cut
 * on, and the difference of the two:
 *
 *   level         where the line before is on the day of the cut
 *   trend         of the line before, for a day
 *   level_change  from it to the line after, on the day of the cut
 *   trend_change  of the line after, less the trend before
 *   mean_change   mean over the days after of what they are more than the line
 *                 before would have been: the one to show
 *
 * SCALE. SERIES_LOG: logarithms of 1 + count. Mail of a day comes in
 * proportions (less on week-ends, more in term), so a change is a factor,
 * series_factor. SERIES_COUNTS: counts themselves, where one of them is far
 * from small: series_scale says LOG when the mean is 5 or more on both sides.
 *
 * Both sides are taken to vary alike; where one does not, as attempts that
 * could not be before, the interval is too wide.
 *
 * WEEKDAYS. Six columns, sums of which are zero, where both sides have 14 days.
 *
 * WHICH INTERVAL. Neighbouring days are alike, and least squares does not know
 * (covers 66 % for 95 where rho is 0.6). Two ways out are computed:
 *   ar1          generalised least squares, rho by restricted maximum
 *                likelihood, Student's t with the degrees of freedom that rho
 *                leaves (series_fit.h)
 *   newey_west   least squares with errors of Newey and West (1987), t with
 *                n - k: the usual one, as statsmodels has it
 * Simulated (tests/study_series.c), with 8 to 56 days a side and rho 0 to 0.6,
 * ar1 covers 88 to 96 % for 95 (from 14 days on 92), newey_west 58 to 92. Show
 * ar1.
 *
 * NOT to be used, and refused (enum series_why): with fewer than 8 days a side;
 * where nothing varies; where more days lie between the sides than the one
 * before has, for then the line before says nothing any more. Told, and for the
 * caller to say: one_day, a day without which the change would be another one
 * (outside the interval of all the others), such as a large mailing. Nor does
 * it know of what else began on the same day, of terms and holidays, of sensors
 * that see less, or of a change that came slowly: a series of senders that the
 * change did not touch, beside it, does. Pure. */
#include "rules/study/series_fit.h"
#include "rules/study/share.h"

#include <stdint.h>

#define SERIES_SIDE_MIN    8U
#define SERIES_WEEKS_MIN   14U
#define SERIES_LARGE       5.0
#define SERIES_LAG_DEFAULT SIZE_MAX /* floor(4 (n / 100)^(2/9)) */

enum series_scale { SERIES_COUNTS, SERIES_LOG };

/* X(id, for people) */
#define SERIES_WHY(X)                                                          \
    X(FINE, "")                                                                \
    X(FEW_DAYS, "fewer than 8 days before or after")                           \
    X(NOTHING_VARIES, "all days are the same")                                 \
    X(FAR_APART, "more days lie between than there are before")                \
    X(NO_DAYS, "days are not in order, or no counts")                          \
    X(TOO_MANY, "more than 4,000 days")                                        \
    X(NO_MEMORY, "out of memory")

enum series_why {
#define X(id, people) SERIES_##id,
    SERIES_WHY(X)
#undef X
};
const char *series_why_text(enum series_why w);

struct series_day {
    int64_t day; /* since 1970-01-01, ascending; some may be left out */
    double count;
};

struct series_term {
    double value, error;
    struct interval interval;
};

struct series_fitted {
    struct series_term level, trend, level_change, trend_change, mean_change;
    double df;
};

struct series_options {
    int64_t cut;  /* the first day after */
    double level; /* of intervals */
    enum series_scale scale;
    bool weekdays; /* where there are days enough */
    size_t lag;    /* of newey_west */
};

struct series {
    size_t before, after; /* days */
    enum series_scale scale;
    bool weekdays;
    size_t lag;
    double rho;
    struct series_fitted ar1, newey_west;
    int64_t which; /* the day that moves the change of level most */
    struct series_term without; /* ar1's mean_change without it */
    bool one_day;               /* and that is another one */
};

enum series_scale series_scale(const struct series_day *v, size_t n,
                               int64_t cut);

MUST_USE enum series_why series_of(const struct series_day *v, size_t n,
                                   const struct series_options *o,
                                   struct series *out);

/* Of a term on SERIES_LOG: 0.5 is half as many. */
struct series_term series_factor(const struct series_term *t);

#endif
