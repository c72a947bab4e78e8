#ifndef SPAN25_DASHBOARDS_WORDS_H
#define SPAN25_DASHBOARDS_WORDS_H
/* words - numbers, sizes, shares and times as people read them
 *
 * All append ASCII to a buf. A share of nothing is "-", never a division.
 * Nothing reads a clock; local time comes from the zone that is passed in. */
#include "sensor/base/buf.h"
#include "sensor/base/ns.h"

/* Seconds east of UTC at t; NULL means UTC, shown as Z. */
typedef int32_t (*words_zone)(ns_t t);

/* a + b, or the largest number. */
static inline uint64_t
words_add(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

void words_number(struct buf *b, uint64_t n); /* 1,234,567 */

/* "1 host", "3 hosts"; many is NULL when the plural takes an s. */
void words_count(struct buf *b, uint64_t n, const char *one, const char *many);

/* "812 bytes", "4.0 KiB", "2.1 GiB". */
void words_size(struct buf *b, uint64_t bytes);

/* "31 %", with one decimal below 10 and above 90; only all is "100 %" and only
 * none is "0 %": between them "<0.1 %" and ">99.9 %". */
void words_share(struct buf *b, uint64_t part, uint64_t whole);

/* "128 of 412 recipients (31 %)"; below WORDS_RATED the count alone, since a
 * rate of a few says nothing. */
#define WORDS_RATED 30
void words_part(struct buf *b, uint64_t part, uint64_t whole, const char *one,
                const char *many);

/* The same with Wilson's interval of the share (J. Am. Stat. Assoc. 22, 1927):
 * "3 of 412 messages (0.7 %, 95 %: 0.2 to 2.1 %)". */
void words_part_sure(struct buf *b, uint64_t part, uint64_t whole,
                     const char *one, const char *many);

/* Two shares, 0..1, as the ends of an interval: "0.2 to 2.1 %", with as many
 * digits as the end next to 0 or 100 % needs. */
void words_between(struct buf *b, double low, double high);

void words_duration(struct buf *b, ns_t d); /* "30 s", "4 h 00 m", "28 d 3 h" */

/* "2026-03-07 08:14Z"; 0 is "-". */
void words_time(struct buf *b, ns_t t, words_zone zone);

/* "2026-03-07 08:00 to 12:00Z (4 h 00 m)". */
void words_range(struct buf *b, ns_t first, ns_t last, words_zone zone);

/* RFC 3339 with microseconds and Z. */
void words_rfc3339(struct buf *b, ns_t t);

#endif
