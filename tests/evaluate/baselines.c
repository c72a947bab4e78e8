/* baselines - what the project is compared with, DETECTION 1.1 and 5.2
 *
 * SPOT, CT and PT after Duan et al. 2012 with the parameters of DETECTION 1.1;
 * a count of different recipients after Lin et al.; and plain volume. Windows
 * are whole hours and days of stream time. Under TLS there is no verdict on a
 * message and no recipient: those that need one are blind there. */
#include "tests/evaluate/baselines.h"

#include <math.h>

#include "sensor/base/hash.h"

#define HOUR        (3600 * NS_PER_S)
#define DAY         (24 * HOUR)
#define CT_SPAM     30U
#define PT_MESSAGES 6U
#define LIN_RCPTS   200U /* a day; the paper's own is not recovered */
#define VOLUME      100U
#define LIN_SLOTS   512U /* more than twice LIN_RCPTS */

/* What baselines read of an event. */
struct seen {
    struct subject *subject;
    ns_t when;
    bool judged, bad; /* there was a message, and it was */
    uint32_t messages;
    const struct record_map *map;
};

struct state {
    struct subject *subject; /* whose, to know that it is in use */
    double walk;             /* SPOT */
    ns_t window;
    uint32_t messages, spam;
    uint64_t *rcpts; /* LIN_SLOTS hashes */
};

struct baseline {
    struct state *states;
    uint32_t n;
    bool (*step)(struct state *st, const struct seen *s);
};

/* ---- the five ---- */

/* Wald's test, begun anew after each "normal". */
static bool
spot_step(struct state *st, const struct seen *s)
{
    static const double theta0 = .2, theta1 = .9, alpha = .01, beta = .01;

    if (!s->judged)
        return false;
    st->walk +=
        s->bad ? log(theta1 / theta0) : log((1 - theta1) / (1 - theta0));
    if (st->walk <= log(beta / (1 - alpha)))
        st->walk = 0;
    return st->walk >= log((1 - beta) / alpha);
}

static void
count_hour(struct state *st, const struct seen *s)
{
    if (s->when / HOUR != st->window) {
        st->window = s->when / HOUR;
        st->messages = st->spam = 0;
    }
    st->messages += s->messages;
    st->spam += s->judged && s->bad;
}

static bool
ct_step(struct state *st, const struct seen *s)
{
    count_hour(st, s);
    return st->spam >= CT_SPAM;
}

static bool
pt_step(struct state *st, const struct seen *s)
{
    if (!s->judged)
        return false;
    count_hour(st, s);
    return st->messages >= PT_MESSAGES && st->spam * 2 >= st->messages;
}

static bool
volume_step(struct state *st, const struct seen *s)
{
    count_hour(st, s);
    return st->messages >= VOLUME;
}

static void
add_rcpt(struct state *st, struct span addr)
{
    uint64_t h = hash_span(addr, 11) | 1;

    for (uint64_t at = h;; at++) {
        uint64_t *slot = &st->rcpts[at % LIN_SLOTS];

        if (*slot == h)
            return;
        if (*slot == 0) {
            *slot = h;
            st->messages++;
            return;
        }
    }
}

static bool
lin_step(struct state *st, const struct seen *s)
{
    struct cursor c = record_entries_of(s->map->record);
    struct record_entry e;

    if (st->rcpts == NULL)
        st->rcpts = calloc(LIN_SLOTS, sizeof(*st->rcpts));
    REQUIRE(st->rcpts != NULL);
    if (s->when / DAY != st->window) {
        st->window = s->when / DAY;
        st->messages = 0;
        memset(st->rcpts, 0, LIN_SLOTS * sizeof(*st->rcpts));
    }
    while (st->messages < LIN_RCPTS && record_next(&c, &e)) {
        if (e.field == FIELD_SMTP_RCPT_TO)
            add_rcpt(st, e.value);
        else if (e.field > FIELD_SMTP_RCPT_TO)
            break;
    }
    return st->messages >= LIN_RCPTS;
}

/* ---- as detectors ---- */

static enum err
make(const struct play *p, bool (*step)(struct state *, const struct seen *),
     void **out)
{
    struct baseline *b = calloc(1, sizeof(*b));

    if (b == NULL)
        return ERR_NOMEM;
    b->n = p->n_subjects;
    b->step = step;
    b->states = calloc(b->n + 1, sizeof(*b->states));
    if (b->states == NULL) {
        free(b);
        return ERR_NOMEM;
    }
    *out = b;
    return ERR_OK;
}

static void
baseline_free(void *d)
{
    struct baseline *b = d;

    for (uint32_t i = 0; b != NULL && i < b->n; i++)
        free(b->states[i].rcpts);
    if (b != NULL)
        free(b->states);
    free(b);
}

/* False when there is nothing to count in it. */
static bool
see(struct seen *s, struct subject *t, const struct record_map *m)
{
    struct record_head h = record_head_of(m->record);

    *s = (struct seen){.subject = t, .when = h.when, .map = m};
    if (h.type == EVENT_SMTP) {
        s->messages = 1;
        s->judged = record_map_find(m, FIELD_SMTP_VIA).n > 0;
        s->bad = record_map_u64(m, FIELD_EMAIL_SCORE, 0) >= SPAM_SCORE;
    } else if (h.type == EVENT_SMTP_SESSION)
        s->messages =
            (uint32_t)record_map_u64(m, FIELD_TLS_EST_MESSAGES_MAX, 0);
    return s->messages > 0;
}

static void
baseline_event(void *d, struct subject *t, const struct record_map *m,
               const struct verdicts *v)
{
    struct baseline *b = d;
    struct seen s;

    if (t == NULL || t->registered ||
        !record_map_is(m, FIELD_DIRECTION, "outbound") || !see(&s, t, m))
        return;
    if (b->step(&b->states[t->number], &s)) {
        for (unsigned l = 0; l < LEVEL_COUNT; l++) {
            if (l != LEVEL_HOLD)
                v->put(v->ctx, t, (enum level)l, s.when);
        }
    }
}

#define BASELINE(id, title, doc)                                               \
    static enum err id##_make(const struct play *p, void **out)                \
    {                                                                          \
        return make(p, id##_step, out);                                        \
    }                                                                          \
    const struct detector_ops detector_##id = {                                \
        title, doc, id##_make, baseline_event, NULL, baseline_free};

BASELINE(spot, "SPOT", "SPRT over spam verdicts: .2, .9, alpha = beta = .01")
BASELINE(ct, "CT", "30 spam messages in an hour")
BASELINE(pt, "PT", "6 messages in an hour, half of them spam")
BASELINE(lin, "recipients", "200 different recipients in a day")
BASELINE(volume, "100/h", "100 messages in an hour")
