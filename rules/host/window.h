#ifndef SPAN25_RULES_HOST_WINDOW_H
#define SPAN25_RULES_HOST_WINDOW_H
/* window - counts of an hour, a day, a week; small sets; the baseline
 *
 * An hour's count is that of the hour that runs and, weighted by what is left
 * of it, of the one before. The baseline is made of days with traffic on which
 * no CUSUM but S3 stood at its alert level, so nobody teaches it spam. */
#include "rules/host/state.h"

/* The day and the hour in which now is begin, if they have not. */
void window_time(const struct hosts *h, struct host *host, struct detail *d,
                 ns_t now);
void window_hour_add(struct detail *d, enum hour_count c, uint32_t n);
uint64_t window_hour(const struct detail *d, enum hour_count c, ns_t now);

void window_ordinary(struct detail *d);
uint64_t window_week(const struct detail *d, ns_t now);

/* Auth and harvest count for a day from the first of them. */
void window_daily(struct detail *d, ns_t now);

/* S6: organisations whose citations are less than a day old. */
void window_listed(struct detail *d, uint64_t org, ns_t now);
uint32_t window_listings(const struct detail *d, ns_t now);

/* Small sets of hashes, 0 being free. True when it was new and found room. */
bool window_set_add(uint64_t *set, uint32_t max, uint64_t hash);
uint32_t window_set_count(const uint64_t *set, uint32_t max);

/* ---- baseline ---- */

uint32_t window_days(const struct detail *d); /* that are kept */
uint32_t window_median_rcpt(const struct detail *d);
uint32_t window_p95(const struct detail *d, bool orgs);

#endif
