#include "rules/registry/clock.h"

static const struct {
    ns_t from;
    const char *word;
} marks[] = {
#define CLOCK_ROW(id, hours, word) {(hours)*CLOCK_HOURS, word},
    CLOCK_MARKS(CLOCK_ROW)
#undef CLOCK_ROW
};

static ns_t
later(ns_t a, ns_t b)
{
    return a > b ? a : b;
}

/* Into a state; the time up to here counts where the clock ran. */
static void
turn(struct clock *c, enum clock_state to, ns_t when)
{
    when = later(when, c->since);
    if (c->state == CLOCK_RUNNING)
        c->net += when - c->since;
    c->state = to;
    c->since = when;
}

void
clock_start(struct clock *c, ns_t when)
{
    if (c->state == CLOCK_RUNNING)
        return;
    if (c->state != CLOCK_PAUSED) {
        c->net = 0;
        c->began = later(when, c->since);
    }
    turn(c, CLOCK_RUNNING, when);
}

void
clock_pause(struct clock *c, ns_t when)
{
    if (c->state == CLOCK_RUNNING)
        turn(c, CLOCK_PAUSED, when);
}

void
clock_stop(struct clock *c, ns_t when)
{
    if (c->state == CLOCK_RUNNING || c->state == CLOCK_PAUSED)
        turn(c, CLOCK_STOPPED, when);
}

ns_t
clock_net(const struct clock *c, ns_t now)
{
    if (c->state != CLOCK_RUNNING)
        return c->net;
    return c->net + (later(now, c->since) - c->since);
}

ns_t
clock_total(const struct clock *c, ns_t now)
{
    if (c->state == CLOCK_STOPPED || c->state == CLOCK_IDLE)
        return c->since - c->began;
    return later(now, c->since) - c->began;
}

ns_t
clock_due(const struct clock *c)
{
    if (c->state != CLOCK_RUNNING)
        return 0;
    return c->net < CLOCK_LIMIT ? c->since + (CLOCK_LIMIT - c->net) : c->since;
}

enum clock_mark
clock_mark_at(const struct clock *c, ns_t now)
{
    ns_t net = clock_net(c, now);
    unsigned m = CLOCK_OVERDUE;

    while (m > CLOCK_QUIET && net < marks[m].from)
        m--;
    return (enum clock_mark)m;
}

const char *
clock_word(enum clock_mark m)
{
    return marks[m].word;
}
