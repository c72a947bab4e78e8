#include "tests/evaluate/rhythm.h"

#include "sensor/base/hash.h"

#define HOUR        (3600 * NS_PER_S)
#define DAY         (24 * HOUR)
#define WEEK        (7 * DAY)
#define OFFICE_FROM 8
#define OFFICE_TO   18
#define BURST       (2 * HOUR)
#define MONTH_MOST  31U
#define MONTH_END   1.5 /* times as much on the last two days and the first */
#define DAY_MOST    (2.2 * MONTH_END)

static ns_t
seconds(double s)
{
    return s > 0 ? (ns_t)(s * (double)NS_PER_S) : 0;
}

/* Sunday is 0; the epoch was a Thursday. */
static unsigned
weekday(ns_t t)
{
    return (unsigned)((t / DAY + 4) % 7);
}

static bool
is_office(ns_t t)
{
    uint64_t hour = t / HOUR % 24;

    return hour >= OFFICE_FROM && hour < OFFICE_TO && weekday(t) >= 1 &&
           weekday(t) <= 5;
}

static ns_t
at_nine(ns_t t)
{
    do
        t = t / DAY * DAY + (t / HOUR % 24 < 9 ? 0 : DAY) + 9 * HOUR;
    while (!is_office(t));
    return t;
}

/* Each host has its hour of the week, in the first day that it is watched. */
static ns_t
into_burst(const struct rhythm_of *o, ns_t t)
{
    ns_t phase = hash_mix(o->phase, 77) % (20 * HOUR);
    ns_t since = (t - o->born + WEEK - phase) % WEEK;

    return since < BURST ? t : t + WEEK - since;
}

/* Howard Hinnant, "chrono-compatible low-level date algorithms". */
unsigned
rhythm_day_of_month(ns_t t)
{
    uint64_t z = t / DAY + 719468, of_era = z % 146097;
    uint64_t year =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint64_t of_year = of_era - (365 * year + year / 4 - year / 100);

    return (unsigned)(of_year - (153 * ((5 * of_year + 2) / 153) + 2) / 5 + 1);
}

static bool
is_month_end(ns_t t)
{
    return rhythm_day_of_month(t) == 1 || rhythm_day_of_month(t + 2 * DAY) <= 2;
}

/* How busy people are, 1 on the average of a week without a month's end. */
static double
busy(ns_t t)
{
    uint64_t hour = t / HOUR % 24;
    double b = .35;

    if (hour >= OFFICE_FROM && hour < OFFICE_TO)
        b = 2.2;
    else if (hour + 1 >= OFFICE_FROM && hour < OFFICE_TO + 3)
        b = 1.2;
    if (weekday(t) == 0 || weekday(t) == 6)
        b *= .3;
    return is_month_end(t) ? b * MONTH_END : b;
}

/* Thinned: as many as in the busiest hour, of which some are left out. */
static ns_t
by_day(struct rng *r, const struct rhythm_of *o, ns_t t)
{
    do
        t += seconds(rng_exponential(r, o->mean_s / DAY_MOST)) + NS_PER_MS;
    while (!rng_chance(r, busy(t) / DAY_MOST));
    return t;
}

/* By a clock that is a little slow. */
static ns_t
by_clock(struct rng *r, const struct rhythm_of *o, ns_t after, ns_t period)
{
    ns_t phase = hash_mix(o->phase, 78) % period;
    ns_t since = (after + period - phase) % period;

    return after + period - since + seconds(rng_uniform(r, 0, 20));
}

/* A third of them on the first. */
static ns_t
by_month(struct rng *r, const struct rhythm_of *o, ns_t after)
{
    uint64_t h = hash_mix(o->phase, 79);
    unsigned day = h % 3 == 0 ? 1 : 1 + (unsigned)(h / 3 % 28);
    ns_t t = after;

    for (unsigned i = 0; i <= MONTH_MOST; i++) {
        t = by_clock(r, o, t, DAY);
        if (rhythm_day_of_month(t) == day)
            break;
    }
    return t;
}

ns_t
rhythm_next(struct rng *r, const struct rhythm_of *o, ns_t after)
{
    ns_t t;

    switch (o->rhythm) {
    case RHYTHM_DAY: return by_day(r, o, after);
    case RHYTHM_DAILY: return by_clock(r, o, after, DAY);
    case RHYTHM_WEEKLY: return by_clock(r, o, after, WEEK);
    case RHYTHM_MONTHLY: return by_month(r, o, after);
    case RHYTHM_STEADY:
    case RHYTHM_OFFICE:
    case RHYTHM_BURST: break;
    }
    t = after + seconds(rng_exponential(r, o->mean_s)) + NS_PER_MS;
    if (o->rhythm == RHYTHM_OFFICE && !is_office(t))
        return at_nine(t) + seconds(rng_exponential(r, 600));
    return o->rhythm == RHYTHM_BURST ? into_burst(o, t) : t;
}
