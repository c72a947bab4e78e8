#include "rules/study/unseen.h"

#include "rules/study/special.h"

#include <math.h>

/* Colwell, EstimateS appendix B, for the bias-corrected form. */
static double
variance(double a, double q1, double q2)
{
    const double r = q2 + 1;

    return a * q1 * (q1 - 1) / (2 * r) +
           a * a * q1 * (2 * q1 - 1) * (2 * q1 - 1) / (4 * r * r) +
           a * a * q1 * q1 * q2 * (q1 - 1) * (q1 - 1) / (4 * r * r * r * r);
}

static struct interval
around(double seen, double more, double var, double level)
{
    const double z = special_normal_quantile(0.5 + level / 2);
    const double k = more > 0 ? exp(z * sqrt(log1p(var / (more * more)))) : 1;

    return (struct interval){seen + more / k, seen + more * k};
}

bool
unseen_of(const double *days, size_t n_days, double level, struct unseen *out)
{
    double a, more, total = 0, seen = 0, var;

    for (size_t j = 0; j < n_days; j++) {
        seen += days[j];
        total += days[j] * (double)(j + 1);
    }
    if (n_days < 2 || !(seen > 0) || !(level > 0 && level < 1))
        return false;
    a = ((double)n_days - 1) / (double)n_days;
    more = a * days[0] * (days[0] - 1) / (2 * (days[1] + 1));
    var = variance(a, days[0], days[1]);
    *out = (struct unseen){
        .seen = seen,
        .once = days[0],
        .twice = days[1],
        .there = seen + more,
        .error = sqrt(var),
        .interval = around(seen, more, var, level),
        .coverage = 1 - days[0] / total,
    };
    return true;
}
