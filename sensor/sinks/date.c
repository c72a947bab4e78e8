#include "sensor/sinks/date.h"

#include "sensor/base/attr.h"

#include <stdio.h>

static struct span
next_word(struct span *rest)
{
    struct span s = span_trim(*rest);
    size_t n = 0;

    while (n < s.n && s.p[n] != ' ' && s.p[n] != '\t')
        n++;
    *rest = span_tail(s, n);
    return span_head(s, n);
}

static unsigned
month_of(struct span word)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (unsigned m = 0; m < 12; m++) {
        if (span_eq_nocase(word, span_of(names + (size_t)3 * m, 3)))
            return m + 1;
    }
    return 0;
}

/* As ns_parse wants it; what it wants none of is left to it. */
static struct span
zone_of(struct span word)
{
    static const char *const zeros[] = {"GMT", "UT", "UTC", "Z"};

    for (size_t i = 0; i < ARRAY_LEN(zeros); i++) {
        if (span_eq_nocase(word, span_str(zeros[i])))
            return SPAN_LIT("+0000");
    }
    return word;
}

bool
date_parse(struct span s, ns_t *out)
{
    size_t comma = span_find(s, ',');
    struct span rest = comma < s.n ? span_tail(s, comma + 1) : s;
    struct span day = next_word(&rest);
    unsigned month = month_of(next_word(&rest));
    struct span year = next_word(&rest);
    struct span clock = next_word(&rest);
    struct span zone = zone_of(next_word(&rest));
    char text[NS_TEXT_MAX];
    uint64_t d, y;
    int n;

    if (month == 0 || !span_to_u64(day, &d) || !span_to_u64(year, &y) ||
        year.n != 4 || d > 31 || (clock.n != 5 && clock.n != 8) || zone.n != 5)
        return false;
    n = snprintf(text, sizeof(text), "%04u-%02u-%02uT%.*s%s.0%.5s", (unsigned)y,
                 month, (unsigned)d, (int)clock.n, (const char *)clock.p,
                 clock.n == 5 ? ":00" : "", (const char *)zone.p);
    return n > 0 && n < (int)sizeof(text) &&
           ns_parse(span_of(text, (size_t)n), out);
}
