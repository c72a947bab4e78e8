#include "tests/campus/faults.h"

#define HOUR (3600 * NS_PER_S)

const char *
fault_word(enum fault f)
{
    static const char *const words[FAULT_COUNT] = {"gap", "loss", "worse",
                                                   "oneway"};

    return words[f];
}

/* By day of four weeks and hour: Thursday, Wednesday, Monday. */
static const struct {
    double day, from, hours;
} when[FAULT_COUNT] = {
    [FAULT_GAP] = {10, 13, 5 },
    [FAULT_LOSS] = {16, 0,  24},
    [FAULT_WORSE] = {16, 14, 2 },
    [FAULT_ONEWAY] = {21, 9,  6 },
};

void
faults_init(struct faults *f, const struct campus *c)
{
    memset(f, 0, sizeof(*f));
    for (unsigned i = 0; i < FAULT_COUNT && c->options.faults; i++) {
        ns_t day = (ns_t)(when[i].day * c->options.days / 28);

        f->v[i].from = CAMPUS_START + day * 24 * HOUR +
                       (ns_t)(when[i].from * (double)HOUR);
        f->v[i].to = f->v[i].from + (ns_t)(when[i].hours * (double)HOUR);
    }
}

static void
see(const struct faults *f, struct campus *c)
{
    for (uint32_t i = 0; i < c->n_seen; i++) {
        const struct actor *a = &c->play->actors[i];
        struct conditions *s = &c->seen[i];

        s->loss = f->v[FAULT_WORSE].on  ? FAULTS_WORSE
                  : f->v[FAULT_LOSS].on ? FAULTS_LOSS
                                        : 0;
        s->oneway =
            f->v[FAULT_ONEWAY].on && a->subject->vlan == CAMPUS_VLAN ? 1 : 0;
    }
}

void
faults_at(struct faults *f, struct campus *c, ns_t now)
{
    bool changed = false;

    for (unsigned i = 0; i < FAULT_COUNT; i++) {
        bool on = now >= f->v[i].from && now < f->v[i].to;

        changed |= on != f->v[i].on;
        f->v[i].on = on;
    }
    if (changed)
        see(f, c);
}

bool
faults_hide(const struct faults *f, ns_t start, ns_t at)
{
    return at >= f->v[FAULT_GAP].from && start < f->v[FAULT_GAP].to;
}
