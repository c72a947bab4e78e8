#include "sensor/base/near.h"

static unsigned
least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned
near_distance(struct span a, struct span b)
{
    unsigned rows[3][NEAR_MAX + 1] = {{0}};
    unsigned *before = rows[0], *last = rows[1], *now = rows[2];

    if (a.n > NEAR_MAX || b.n > NEAR_MAX)
        return NEAR_MAX + 1;
    for (unsigned j = 0; j <= b.n; j++)
        now[j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        unsigned *free_row = before;

        before = last;
        last = now;
        now = free_row;
        now[0] = i;
        for (unsigned j = 1; j <= b.n; j++) {
            unsigned change = span_at(a, i - 1) != span_at(b, j - 1);

            now[j] =
                least(last[j - 1] + change, least(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && span_at(a, i - 1) == span_at(b, j - 2) &&
                span_at(a, i - 2) == span_at(b, j - 1))
                now[j] = least(now[j], before[j - 2] + 1);
        }
    }
    return now[b.n];
}

struct near
near_start(struct span typed)
{
    return (struct near){typed, SPAN_NONE, (unsigned)((typed.n + 1) / 3) + 1};
}

void
near_offer(struct near *n, struct span word)
{
    unsigned d = near_distance(n->typed, word);

    if (d < n->distance) {
        n->best = word;
        n->distance = d;
    }
}
