#include "rules/study/study_state.h"

#include <stdlib.h>
#include <string.h>

#define HOURS_MAX (STUDY_DAYS * 24U)

/* ---- series ---- */

static bool
series_room(void **v, size_t *n, size_t want, size_t most, size_t each)
{
    size_t room = *n == 0 ? 64 : *n;
    uint8_t *p;

    if (want < *n)
        return true;
    if (want >= most)
        return false;
    while (room <= want)
        room *= 2;
    if (room > most)
        room = most;
    p = realloc(*v, room * each);
    if (p == NULL)
        return false;
    memset(p + *n * each, 0, (room - *n) * each);
    *v = p;
    *n = room;
    return true;
}

struct hour *
study_hour_at(struct study *s, ns_t when)
{
    const size_t i = when < s->base ? SIZE_MAX : (when - s->base) / HOUR;

    if (i == SIZE_MAX || !series_room((void **)&s->hours, &s->n_hours, i,
                                      HOURS_MAX, sizeof(*s->hours)))
        return NULL;
    return &s->hours[i];
}

struct day *
study_day_at(struct study *s, ns_t when)
{
    const size_t i = when < s->base ? SIZE_MAX : (when - s->base) / DAY;

    if (i == SIZE_MAX || !series_room((void **)&s->days, &s->n_days, i,
                                      STUDY_DAYS, sizeof(*s->days)))
        return NULL;
    return &s->days[i];
}

/* ---- the hour in hand ---- */

static void
add_sizes(struct sizes *sum, const struct sizes *x)
{
    for (size_t i = 0; i < BINS; i++) {
        sum->bin[i].all += x->bin[i].all;
        sum->bin[i].malicious += x->bin[i].malicious;
        sum->bin[i].spam += x->bin[i].spam;
        sum->bin[i].both += x->bin[i].both;
        sum->framed[i] += x->framed[i];
        sum->whole[i] += x->whole[i];
    }
}

static void
count_whole(struct study *s, const struct sizes *x, bool refused)
{
    for (size_t i = 0; i < BINS; i++) {
        if (refused) {
            s->messages_refused += x->framed[i];
            continue;
        }
        s->q_framed[i] += x->framed[i];
        s->q_whole[i] += x->whole[i];
    }
}

/* More was lost than 5 %: what its messages had is not said. */
static bool
too_much_unseen(const struct hour *h)
{
    return h->unseen * 1000 > (h->seen + h->unseen) * STUDY_UNSEEN_PERMILLE;
}

void
study_close_hour(struct study *s)
{
    struct hour *h;
    unsigned part = 0;

    if (!s->hour_open)
        return;
    s->hour_open = false;
    h = &s->hours[s->hour];
    h->refused = too_much_unseen(h);
    if (s->n_parts > 1 && s->base + s->hour * HOUR >= s->part)
        part = 1;
    for (size_t i = 0; i < s->n_touched_hosts; i++) {
        struct host *x = &s->hosts[s->touched_hosts[i]];

        count_whole(s, &x->hour, h->refused);
        if (!h->refused)
            add_sizes(&x->sizes[part], &x->hour);
        x->hour = (struct sizes){0};
        x->touched = false;
    }
    for (size_t i = 0; i < s->n_touched_outsiders; i++) {
        struct outsider *x = &s->outsiders[s->touched_outsiders[i]];

        count_whole(s, &x->hour, h->refused);
        if (!h->refused && part == s->n_parts - 1)
            add_sizes(&x->sizes, &x->hour);
        x->hour = (struct sizes){0};
        x->touched = false;
    }
    s->n_touched_hosts = s->n_touched_outsiders = 0;
}

/* ---- the window ---- */

static void
begin_window(struct study *s, ns_t when)
{
    if (s->base != 0)
        return;
    if (s->from == 0)
        s->from = when;
    s->base = s->from - s->from % DAY;
    if (s->n_parts > 1)
        s->part = s->to - s->o.holdout;
}

bool
study_window(struct study *s, ns_t when, unsigned *part)
{
    size_t hour;

    begin_window(s, when);
    if (when < s->from || (s->to != 0 && when >= s->to))
        return false;
    if (study_hour_at(s, when) == NULL || study_day_at(s, when) == NULL) {
        s->refused++;
        return false;
    }
    hour = (when - s->base) / HOUR;
    if (s->hour_open && hour < s->hour) {
        s->late++; /* counted in the hour in hand */
    } else if (!s->hour_open || hour > s->hour) {
        study_close_hour(s);
        s->hour = hour;
        s->hour_open = true;
    }
    *part = s->n_parts > 1 && when >= s->part ? 1 : 0;
    return true;
}
