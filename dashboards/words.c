#include "dashboards/words.h"

#include "sensor/base/count.h"

#include <math.h>

#define DATE_LEN   10 /* 2026-03-07 */
#define MINUTE_LEN 16 /* ... 08:14 */
#define SECOND_LEN 19 /* ... 08:14:02 */
#define MICRO_LEN  26

void
words_number(struct buf *b, uint64_t n)
{
    count_number(b, n);
}

void
words_count(struct buf *b, uint64_t n, const char *one, const char *many)
{
    count_put(b, n, one, many);
}

void
words_size(struct buf *b, uint64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB",
                                        "TiB", "PiB", "EiB"};
    double v = (double)bytes / 1024;
    size_t i = 0;

    if (bytes < 1024) {
        words_count(b, bytes, "byte", NULL);
        return;
    }
    /* 1023.95 KiB would be printed as 1024.0 KiB. */
    while (v >= 1023.95 && i + 1 < ARRAY_LEN(units)) {
        v /= 1024;
        i++;
    }
    buf_printf(b, "%.1f %s", v, units[i]);
}

void
words_share(struct buf *b, uint64_t part, uint64_t whole)
{
    double p;

    if (whole == 0) {
        buf_putc(b, '-');
        return;
    }
    p = 100.0 * (double)part / (double)whole;
    if (part == 0)
        buf_str(b, "0 %");
    else if (part >= whole)
        buf_str(b, "100 %");
    else if (p < 0.05)
        buf_str(b, "<0.1 %");
    else if (p >= 99.95)
        buf_str(b, ">99.9 %");
    else
        buf_printf(b, p < 9.95 || p > 90.05 ? "%.1f %%" : "%.0f %%", p);
}

void
words_between(struct buf *b, double low, double high)
{
    double least;
    int digits = 1;

    low = low > 0 ? low < 1 ? 100 * low : 100 : 0;
    high = high < 1 ? high > 0 ? 100 * high : 0 : 100;
    least = high < 100 - low ? high : 100 - low;
    while (least > 0 && least < 1 && digits < 6) {
        least *= 10;
        digits++;
    }
    buf_printf(b, "%.*f to %.*f %%", digits, low, digits, high);
}

static void
put_interval(struct buf *b, uint64_t part, uint64_t whole)
{
    const double z = 1.959963984540054; /* of 95 % */
    double n = (double)whole;
    double p = part < whole ? (double)part / n : 1;
    double scale = 1 / (1 + z * z / n);
    double middle = (p + z * z / (2 * n)) * scale;
    double half = sqrt(p * (1 - p) / n + z * z / (4 * n * n)) * z * scale;

    words_between(b, part > 0 && middle > half ? middle - half : 0,
                  part < whole && middle + half < 1 ? middle + half : 1);
}

static void
put_part(struct buf *b, uint64_t part, uint64_t whole, const char *one,
         const char *many, bool sure)
{
    words_number(b, part);
    buf_str(b, " of ");
    words_count(b, whole, one, many);
    if (whole < WORDS_RATED)
        return;
    buf_str(b, " (");
    words_share(b, part, whole);
    if (sure) {
        buf_str(b, ", 95 %: ");
        put_interval(b, part, whole);
    }
    buf_putc(b, ')');
}

void
words_part(struct buf *b, uint64_t part, uint64_t whole, const char *one,
           const char *many)
{
    put_part(b, part, whole, one, many, false);
}

void
words_part_sure(struct buf *b, uint64_t part, uint64_t whole, const char *one,
                const char *many)
{
    put_part(b, part, whole, one, many, true);
}

void
words_duration(struct buf *b, ns_t d)
{
    uint64_t s = d / NS_PER_S;

    if (d > 0 && s == 0)
        buf_str(b, "under 1 s");
    else if (s < 60)
        buf_printf(b, "%u s", (unsigned)s);
    else if (s < 3600)
        buf_printf(b, "%u m %02u s", (unsigned)(s / 60), (unsigned)(s % 60));
    else if (s < UINT64_C(172800))
        buf_printf(b, "%u h %02u m", (unsigned)(s / 3600),
                   (unsigned)(s / 60 % 60));
    else
        buf_printf(b, "%u d %u h", (unsigned)(s / 86400),
                   (unsigned)(s / 3600 % 24));
}

struct stamp {
    char text[NS_TEXT_MAX]; /* as ns_format, 'T' made a space */
    int32_t offset_s;
};

static struct stamp
stamp_of(ns_t t, words_zone zone)
{
    struct stamp st = {.offset_s = zone != NULL ? zone(t) : 0};
    ns_t shift =
        (ns_t)(st.offset_s < 0 ? -(int64_t)st.offset_s : (int64_t)st.offset_s) *
        NS_PER_S;

    if (st.offset_s < 0)
        t = t > shift ? t - shift : 0;
    else
        t = words_add(t, shift);
    (void)ns_format(t, st.text);
    st.text[DATE_LEN] = ' ';
    return st;
}

static void
put_zone(struct buf *b, words_zone zone, int32_t offset_s)
{
    unsigned m = (unsigned)(offset_s < 0 ? -offset_s : offset_s) / 60;

    if (zone == NULL)
        buf_putc(b, 'Z');
    else
        buf_printf(b, "%c%02u:%02u", offset_s < 0 ? '-' : '+', m / 60, m % 60);
}

void
words_time(struct buf *b, ns_t t, words_zone zone)
{
    struct stamp st;

    if (t == 0) {
        buf_putc(b, '-');
        return;
    }
    st = stamp_of(t, zone);
    buf_put(b, st.text, MINUTE_LEN);
    put_zone(b, zone, st.offset_s);
}

void
words_range(struct buf *b, ns_t first, ns_t last, words_zone zone)
{
    ns_t d = last > first ? last - first : 0;
    size_t len = d < 600 * NS_PER_S ? SECOND_LEN : MINUTE_LEN;
    size_t skip;
    struct stamp from;
    struct stamp to;

    if (first == 0 && last == 0) {
        buf_putc(b, '-');
        return;
    }
    from = stamp_of(first, zone);
    to = stamp_of(last, zone);
    skip = memcmp(from.text, to.text, DATE_LEN) == 0 ? DATE_LEN + 1 : 0;
    buf_put(b, from.text, len);
    /* A day on which the clock changes has two offsets. */
    if (from.offset_s != to.offset_s)
        put_zone(b, zone, from.offset_s);
    buf_str(b, " to ");
    buf_put(b, to.text + skip, len - skip);
    put_zone(b, zone, to.offset_s);
    buf_str(b, " (");
    words_duration(b, d);
    buf_putc(b, ')');
}

void
words_rfc3339(struct buf *b, ns_t t)
{
    char text[NS_TEXT_MAX];

    (void)ns_format(t, text);
    buf_put(b, text, MICRO_LEN);
    buf_putc(b, 'Z');
}
