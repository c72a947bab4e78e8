#include "rules/registry/discovery_look.h"

enum kind { KIND_COUNT, KIND_SHARE };

static const struct {
    const char *phrase;
    enum kind kind;
} measures[MEASURE_COUNT] = {
#define MEASURE(id, kind, phrase) [MEASURE_##id] = {(phrase), KIND_##kind},
#include "rules/registry/discovery_signs.def"
};

static const int needed[DISCOVERY_LOOK_COUNT] = {
#define LOOK(id, points) [DISCOVERY_##id] = (points),
#include "rules/registry/discovery_signs.def"
};

#define ANY UINT64_MAX
static const struct sign {
    enum discovery_look look;
    enum discovery_measure measure;
    uint64_t least, from, to;
    int points;
} signs[] = {
#define SIGN(look, measure, least, from, to, points)                           \
    {DISCOVERY_##look, MEASURE_##measure, (least), (from), (to), (points)},
#include "rules/registry/discovery_signs.def"
};

/* Shares are compared without division: from <= 100 n / d <= to. */
static bool
holds(const struct sign *s, const struct discovery_figures *f)
{
    struct discovery_figure v = f->of[s->measure];

    if (v.d == 0 || v.d < s->least)
        return false;
    if (measures[s->measure].kind == KIND_COUNT)
        return v.n >= s->from && v.n <= s->to;
    return v.n * 100 >= s->from * v.d && v.n * 100 <= s->to * v.d;
}

static enum discovery_look
best_of(const int points[DISCOVERY_LOOK_COUNT])
{
    enum discovery_look best = DISCOVERY_UNCLEAR;
    bool tie = false;

    for (unsigned l = DISCOVERY_UNCLEAR + 1; l < DISCOVERY_LOOK_COUNT; l++) {
        if (points[l] < needed[l] || points[l] < points[best])
            continue;
        tie = best != DISCOVERY_UNCLEAR && points[l] == points[best];
        best = (enum discovery_look)l;
    }
    return tie ? DISCOVERY_UNCLEAR : best;
}

static void
put_phrase(struct buf *out, const char *phrase, struct discovery_figure v)
{
    for (; *phrase != '\0'; phrase++) {
        if (*phrase != '%') {
            buf_putc(out, (uint8_t)*phrase);
            continue;
        }
        phrase++;
        buf_u64(out, *phrase == 'n' ? v.n : v.d);
    }
}

/* Takes what was added since at back when it does not fit. */
static void
put_sign(struct buf *out, const struct sign *s,
         const struct discovery_figures *f)
{
    size_t at = out->n;

    if (at > 0)
        buf_str(out, ", ");
    put_phrase(out, measures[s->measure].phrase, f->of[s->measure]);
    if (!out->cut)
        return;
    out->n = at;
    out->cut = false;
}

void
discovery_look_judge(const struct discovery_figures *f,
                     struct discovery_row *row)
{
    int points[DISCOVERY_LOOK_COUNT] = {0};
    struct buf why = {(uint8_t *)row->why,  0,     sizeof(row->why) - 1,
                      sizeof(row->why) - 1, false, false};

    for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
        if (holds(&signs[i], f))
            points[signs[i].look] += signs[i].points;
    }
    row->look = best_of(points);
    for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
        if (signs[i].look == row->look && signs[i].points > 0 &&
            holds(&signs[i], f))
            put_sign(&why, &signs[i], f);
    }
    if (why.n == 0)
        buf_str(&why, "the signs are too few, or differ");
    row->why[why.n] = '\0';
}
