#include "sensor/app/registry_time.h"

#include <time.h>

#define NS_PER_H (3600 * NS_PER_S)
#define NS_PER_D (24 * NS_PER_H)

/* "48h" */
static bool
read_length(struct span text, ns_t *out)
{
    static const struct {
        char unit;
        ns_t ns;
    } units[] = {
        {'s', NS_PER_S     },
        {'m', 60 * NS_PER_S},
        {'h', NS_PER_H     },
        {'d', NS_PER_D     },
    };
    uint64_t n;

    if (text.n < 2 || !span_to_u64(span_head(text, text.n - 1), &n))
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (span_at(text, text.n - 1) == units[i].unit)
            return !__builtin_mul_overflow(n, units[i].ns, out);
    }
    return false;
}

bool
registry_time_read(struct span text, ns_t now, ns_t *out)
{
    struct buf day;
    bool good = false;
    ns_t length;

    if (read_length(text, &length))
        return !__builtin_add_overflow(now, length, out);
    if (text.n != 10)
        return ns_parse(text, out);
    buf_init(&day, 64);
    buf_span(&day, text);
    buf_str(&day, "T00:00:00.0Z");
    good = ns_parse(buf_view(&day), out);
    buf_free(&day);
    return good;
}

bool
registry_time_since(struct span text, ns_t now, ns_t *out)
{
    ns_t length;

    if (!read_length(text, &length))
        return registry_time_read(text, now, out);
    *out = length < now ? now - length : 0;
    return true;
}

void
registry_time_utc(ns_t t, struct buf *out)
{
    char text[NS_TEXT_MAX];
    size_t n = ns_format(t, text);

    buf_put(out, text, n < 19 ? n : 19);
    buf_putc(out, 'Z');
}

void
registry_time_show(ns_t t, bool utc, struct buf *out)
{
    time_t seconds = (time_t)(t / NS_PER_S);
    struct tm tm;
    char text[64];
    size_t n = 0;

    if ((utc ? gmtime_r(&seconds, &tm) : localtime_r(&seconds, &tm)) != NULL)
        n = strftime(text, sizeof(text),
                     utc ? "%Y-%m-%d %H:%M UTC" : "%Y-%m-%d %H:%M %z", &tm);
    buf_put(out, text, n);
}

void
registry_time_length(ns_t t, struct buf *out)
{
    ns_t days = t / NS_PER_D;
    ns_t hours = t % NS_PER_D / NS_PER_H;
    ns_t minutes = t % NS_PER_H / (60 * NS_PER_S);
    const char *between = "";

    if (days >= 4) {
        buf_u64(out, days);
        buf_str(out, " d");
        between = " ";
    } else {
        hours += 24 * days;
    }
    if (hours > 0) {
        buf_str(out, between);
        buf_u64(out, hours);
        buf_str(out, " h");
        between = " ";
    }
    if (days < 4) {
        buf_str(out, between);
        buf_u64(out, minutes);
        buf_str(out, " m");
    }
}
