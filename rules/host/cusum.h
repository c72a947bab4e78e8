#ifndef SPAN25_RULES_HOST_CUSUM_H
#define SPAN25_RULES_HOST_CUSUM_H
/* cusum - cumulative sums with a floor at 0, DETECTION 1.2 (Page 1954)
 *
 * Integers: scores in thousandths of a nat, steps rounded to that once, so the
 * same observations give the same score everywhere. A Bernoulli CUSUM moves by
 * up on x = 1 and by down on x = 0; a Poisson one by up for each event and down
 * with time, at hour thousandths in 3,600 s, whatever the pieces in which time
 * passes (whole microseconds; rest keeps what is less than a thousandth). No
 * score falls below 0 or rises above CUSUM_MAX, where it stays.
 *
 *     struct cusum c = cusum_init(cusum_bernoulli(0.05, 0.40));
 *     cusum_add(&c, refused);            ... alarm at c.score >= 13800  */
#include "sensor/base/ns.h"

#define CUSUM_MAX 1000000000 /* a million nats */

struct cusum_steps {
    int32_t up, down; /* down is not positive */
    uint32_t hour;
};

struct cusum {
    struct cusum_steps steps;
    int32_t score;
    uint32_t rest; /* of time, in 1/3,600,000,000 of a thousandth */
};

/* Shares between 0 and 1, bad above normal; what is outside is moved to the
 * nearest that can be told apart. */
struct cusum_steps cusum_bernoulli(double normal, double bad);
/* Events an hour; bad above normal. */
struct cusum_steps cusum_poisson(double normal, double bad);

struct cusum cusum_init(struct cusum_steps steps);
void cusum_add(struct cusum *c, bool x);
void cusum_time(struct cusum *c, ns_t elapsed);

/* The same where score and rest are kept elsewhere. */
static inline int32_t
cusum_next(const struct cusum_steps *s, int32_t score, bool x)
{
    int64_t next = (int64_t)score + (x ? s->up : s->down);

    if (next < 0)
        return 0;
    return next > CUSUM_MAX ? CUSUM_MAX : (int32_t)next;
}

int32_t cusum_fall(const struct cusum_steps *s, int32_t score, uint32_t *rest,
                   ns_t elapsed);

#endif
