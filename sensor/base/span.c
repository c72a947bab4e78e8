#include "sensor/base/span.h"

static uint8_t
lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

bool
span_eq_nocase(struct span a, struct span b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    }
    return true;
}

bool
span_starts_nocase(struct span s, struct span head)
{
    return s.n >= head.n && span_eq_nocase(span_head(s, head.n), head);
}

size_t
span_search(struct span s, struct span want)
{
    const uint8_t *hit;

    if (want.n == 0 || s.n < want.n)
        return want.n == 0 ? 0 : s.n;
    hit = memmem(s.p, s.n, want.p, want.n);
    return hit != NULL ? (size_t)(hit - s.p) : s.n;
}

bool
span_contains_nocase(struct span s, struct span want)
{
    if (want.n == 0)
        return true;
    for (size_t i = 0; i + want.n <= s.n; i++) {
        if (lower(s.p[i]) == lower(want.p[0]) &&
            span_eq_nocase(span_head(span_tail(s, i), want.n), want))
            return true;
    }
    return false;
}

struct span
span_trim(struct span s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = span_tail(s, 1);
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

bool
span_to_u64(struct span s, uint64_t *out)
{
    uint64_t v = 0;

    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned d = (unsigned)s.p[i] - '0';

        if (d > 9 || v > (UINT64_MAX - d) / 10)
            return false;
        v = v * 10 + d;
    }
    *out = v;
    return true;
}
