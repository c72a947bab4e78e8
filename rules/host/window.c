#include "rules/host/window.h"

#include "rules/host/stat.h"

#define HOUR         (UINT64_C(3600) * NS_PER_S)
#define DAY          (24 * HOUR)
#define EXPECTED_MAX 100000000U /* a hundred thousand an hour */

/* ---- small sets ---- */

bool
window_set_add(uint64_t *set, uint32_t max, uint64_t hash)
{
    hash |= 1;
    for (uint32_t i = 0; i < max; i++) {
        if (set[i] == hash)
            return false;
        if (set[i] == 0) {
            set[i] = hash;
            return true;
        }
    }
    return false;
}

uint32_t
window_set_count(const uint64_t *set, uint32_t max)
{
    uint32_t n = 0;

    while (n < max && set[n] != 0)
        n++;
    return n;
}

/* ---- hours ---- */

static void
roll_hour(struct detail *d, uint32_t hour)
{
    struct day *t = &d->today;

    if (d->now[HOUR_RCPT] > t->rcpt_hour)
        t->rcpt_hour = d->now[HOUR_RCPT];
    if (d->now[HOUR_ORGS] > t->orgs_hour)
        t->orgs_hour = d->now[HOUR_ORGS];
    t->rcpt += d->now[HOUR_RCPT];
    for (size_t i = 0; i < HOUR_COUNTS; i++) {
        d->before[i] = hour == d->hour + 1 ? d->now[i] : 0;
        d->now[i] = 0;
    }
    d->hour = hour;
}

void
window_hour_add(struct detail *d, enum hour_count c, uint32_t n)
{
    d->now[c] = n > UINT32_MAX - d->now[c] ? UINT32_MAX : d->now[c] + n;
}

uint64_t
window_hour(const struct detail *d, enum hour_count c, ns_t now)
{
    uint64_t left = HOUR - now % HOUR;
    uint64_t hour = now / HOUR;
    uint64_t before = hour == d->hour       ? d->before[c]
                      : hour == d->hour + 1 ? d->now[c]
                                            : 0;
    uint64_t in = hour == d->hour ? d->now[c] : 0;

    return in + before * (left / NS_PER_S) / (HOUR / NS_PER_S);
}

/* ---- days ---- */

static int
by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

uint32_t
window_days(const struct detail *d)
{
    return d->n_days < HOST_DAYS ? d->n_days : HOST_DAYS;
}

enum figure { RCPT, RCPT_HOUR, ORGS_HOUR };

/* The value that permille of the days are not above. */
static uint32_t
quantile(const struct detail *d, enum figure f, uint32_t permille)
{
    uint32_t v[HOST_DAYS];
    uint32_t n = window_days(d);

    if (n == 0)
        return 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct day *x = &d->days[i];

        v[i] = f == RCPT        ? x->rcpt
               : f == RCPT_HOUR ? x->rcpt_hour
                                : x->orgs_hour;
    }
    qsort(v, n, sizeof(v[0]), by_number);
    return v[(n * permille + 999) / 1000 - 1];
}

uint32_t
window_median_rcpt(const struct detail *d)
{
    return quantile(d, RCPT, 500);
}

uint32_t
window_p95(const struct detail *d, bool orgs)
{
    return quantile(d, orgs ? ORGS_HOUR : RCPT_HOUR, 950);
}

static void
expect(const struct hosts *h, struct detail *d)
{
    uint64_t usual = window_p95(d, true) * HOST_LIMIT(baseline_permille);
    uint64_t least = (uint64_t)(h->o.design[HOST_S3].normal * 1000);

    if (window_days(d) < HOST_LIMIT(baseline_days) || usual <= least)
        d->s3_expected = 0;
    else
        d->s3_expected = usual > EXPECTED_MAX ? EXPECTED_MAX : (uint32_t)usual;
}

static void
roll_day(const struct hosts *h, struct detail *d, uint32_t day)
{
    if (d->today.rcpt > 0 && (d->flags & DETAIL_TAINTED) == 0) {
        d->days[d->n_days % HOST_DAYS] = d->today;
        d->n_days++;
        expect(h, d);
    }
    for (uint32_t i = 1; i <= HOST_WEEK + 1 && i <= day - d->day; i++)
        d->ordinary[(d->day + i) % (HOST_WEEK + 1)] = 0;
    d->today = (struct day){0};
    d->flags &= ~DETAIL_TAINTED;
    d->day = day;
}

static bool
taints(const struct hosts *h, const struct host *host, ns_t now)
{
    return stat_level(h, host, HOST_S1, now) >= LEVEL_ALERT ||
           stat_level(h, host, HOST_S1T, now) >= LEVEL_ALERT ||
           stat_level(h, host, HOST_S2, now) >= LEVEL_ALERT ||
           stat_level(h, host, HOST_S5, now) >= LEVEL_ALERT;
}

void
window_time(const struct hosts *h, struct host *host, struct detail *d,
            ns_t now)
{
    uint32_t hour = (uint32_t)(now / HOUR);
    uint32_t day = (uint32_t)(now / DAY);

    if (hour > d->hour)
        roll_hour(d, hour);
    if (taints(h, host, now))
        d->flags |= DETAIL_TAINTED;
    if (day > d->day)
        roll_day(h, d, day);
}

/* ---- a week of ordinary mail ---- */

void
window_ordinary(struct detail *d)
{
    d->ordinary[d->day % (HOST_WEEK + 1)]++;
}

uint64_t
window_week(const struct detail *d, ns_t now)
{
    uint64_t day = now / DAY;
    uint64_t sum = 0;

    for (uint64_t i = 0; i < HOST_WEEK; i++) {
        if (day < i || day - i > d->day || day - i + HOST_WEEK < d->day)
            continue;
        sum += d->ordinary[(day - i) % (HOST_WEEK + 1)];
    }
    return sum;
}

void
window_daily(struct detail *d, ns_t now)
{
    if (d->daily_since != 0 && now - d->daily_since < DAY)
        return;
    d->auth_failures = d->auth_successes = 0;
    d->harvest_offered = d->harvest_unknown = 0;
    d->told_auth = d->told_harvest = 0;
    memset(d->auth_servers, 0, sizeof(d->auth_servers));
    d->daily_since = now;
}

/* ---- citations of block lists ---- */

void
window_listed(struct detail *d, uint64_t org, ns_t now)
{
    struct listing *at = &d->s6[0];

    for (size_t i = 0; i < HOST_LISTINGS; i++) {
        struct listing *l = &d->s6[i];

        if (l->org == org) {
            l->last = now;
            return;
        }
        if (l->last < at->last)
            at = l;
    }
    *at = (struct listing){.org = org, .last = now};
}

uint32_t
window_listings(const struct detail *d, ns_t now)
{
    uint32_t n = 0;

    /* Those that are free come last. */
    for (size_t i = 0; i < HOST_LISTINGS && d->s6[i].org != 0; i++)
        n += now - d->s6[i].last <= HOST_LIMIT_NS(listing_s);
    return n;
}
