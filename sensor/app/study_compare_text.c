#include "sensor/app/study_compare_show.h"

#include <math.h>

#include "dashboards/grid.h"
#include "dashboards/study_words.h"
#include "sensor/base/text.h"

#define DAY_NS   (86400 * NS_PER_S)
#define RAW_MAX  4096U
#define INDENT   2U
#define POLICIES 40U /* columns of a name */

/* One sentence at a time: raw text, escaped and wrapped when it is whole. */
struct screen {
    const struct study_compare_view *v;
    struct buf raw;
    struct buf *out;
};

static void
flush(struct screen *s, size_t indent)
{
    struct buf line;

    buf_init(&line, RAW_MAX * (size_t)4);
    text_term(&line, buf_view(&s->raw));
    for (size_t i = 0; i < indent; i++)
        buf_putc(s->out, ' ');
    grid_wrap(s->out, buf_view(&line), indent, indent, s->v->width);
    buf_putc(s->out, '\n');
    s->out->failed |= line.failed || s->raw.failed;
    buf_free(&line);
    buf_reset(&s->raw);
}

static void
title(struct screen *s, const char *text)
{
    buf_putc(s->out, '\n');
    buf_str(&s->raw, text);
    flush(s, 0);
}

/* ---- cover ---- */

static void
say_study(struct screen *s, const char *which, const struct study_result *r)
{
    buf_printf(&s->raw, "%s: ", which);
    words_range(&s->raw, r->from, r->to, NULL);
    if (r->sensors != NULL) {
        buf_str(&s->raw, ", sensors ");
        buf_str(&s->raw, r->sensors);
    }
    flush(s, 0);
}

static void
say_cover(struct screen *s)
{
    const struct compare *c = s->v->c;

    say_study(s, "Before", s->v->before);
    say_study(s, "After", s->v->after);
    buf_str(&s->raw, "Cut: ");
    study_put_date(&s->raw, (ns_t)c->cut * DAY_NS);
    buf_str(&s->raw, c->effective ? ", when it took force"
                                  : ", the begin of the second window");
    flush(s, 0);
    for (enum compare_note n = 0; n < COMPARE_NOTE_COUNT; n++) {
        if ((c->notes >> n & 1) == 0)
            continue;
        buf_str(&s->raw, "Note: ");
        buf_str(&s->raw, compare_note_text(n));
        flush(s, 0);
    }
}

/* ---- series ---- */

/* "+12 %", "-0.4 %" */
static void
put_percent(struct buf *b, double factor)
{
    const double p = 100 * (factor - 1);

    buf_printf(b, fabs(p) < 9.95 ? "%+.1f %%" : "%+.0f %%", p);
}

static void
put_number(struct buf *b, double v)
{
    buf_printf(b, fabs(v) < 9.95 ? "%+.2g" : "%+.0f", v);
}

static void
put_term(struct buf *b, const struct series *s, const struct series_term *t,
         const char *unit)
{
    const struct series_term f = series_factor(t);

    if (s->scale == SERIES_LOG) {
        put_percent(b, f.value);
        buf_str(b, unit);
        buf_str(b, " (");
        put_percent(b, f.interval.low);
        buf_str(b, " to ");
        put_percent(b, f.interval.high);
    } else {
        put_number(b, t->value);
        buf_str(b, unit);
        buf_str(b, " (");
        put_number(b, t->interval.low);
        buf_str(b, " to ");
        put_number(b, t->interval.high);
    }
    buf_putc(b, ')');
}

static void
say_terms(struct screen *s, const struct series *x)
{
    buf_str(&s->raw, "changed at once by ");
    put_term(&s->raw, x, &x->ar1.level_change, "");
    buf_str(&s->raw, ", then by ");
    put_term(&s->raw, x, &x->ar1.trend_change, " a day");
    buf_str(&s->raw, " more than before; over all days after by ");
    put_term(&s->raw, x, &x->ar1.mean_change, "");
    flush(s, INDENT);
    if (!x->one_day)
        return;
    buf_str(&s->raw, "one day makes it: without ");
    study_put_date(&s->raw, (ns_t)x->which * DAY_NS);
    buf_str(&s->raw, " it is ");
    put_term(&s->raw, x, &x->without, "");
    flush(s, INDENT);
}

static void
say_line(struct screen *s, enum compare_series which)
{
    const struct compare_line *line = &s->v->c->lines[which];

    buf_str(&s->raw, compare_series_text(which));
    buf_str(&s->raw, ": ");
    study_put_real(&s->raw, line->mean_before, "without end");
    buf_str(&s->raw, " a day before, ");
    study_put_real(&s->raw, line->mean_after, "without end");
    buf_str(&s->raw, " after");
    flush(s, 0);
    if (line->why == SERIES_FINE) {
        say_terms(s, &line->s);
        return;
    }
    buf_str(&s->raw, "no change is computed: ");
    buf_str(&s->raw, series_why_text(line->why));
    flush(s, INDENT);
}

static void
say_series(struct screen *s)
{
    const struct compare *c = s->v->c;

    title(s, "Days, as an interrupted series");
    words_count(&s->raw, c->days_before, "day", NULL);
    buf_str(&s->raw, " before and ");
    words_number(&s->raw, c->days_after);
    buf_str(&s->raw, " after");
    if (c->days_left_out > 0) {
        buf_str(&s->raw, "; ");
        words_count(&s->raw, c->days_left_out, "day", NULL);
        buf_str(&s->raw, " in part or with gaps left out");
    }
    buf_str(&s->raw, ". What is more or less than the line before would have "
                     "given, with 95 % intervals that allow for days being "
                     "alike.");
    flush(s, 0);
    for (enum compare_series i = 0; i < COMPARE_SERIES_COUNT; i++)
        say_line(s, i);
}

static void
say_residual(struct screen *s)
{
    const struct study_figure *f = &s->v->c->residual;

    if (!(f->k > 0))
        return;
    title(s, "What blocked hosts still try");
    words_count(&s->raw, study_count(f->k), "attempt", NULL);
    buf_str(&s->raw, " in ");
    words_count(&s->raw, study_count(f->n), "day", NULL);
    buf_str(&s->raw, ": ");
    study_put_figure(&s->raw, f, false);
    buf_str(&s->raw, " a day");
    if (s->v->c->spread > 1) {
        buf_str(&s->raw, "; days vary ");
        study_put_real(&s->raw, s->v->c->spread, "without end");
        buf_str(&s->raw, " times as much as chance, which the interval allows "
                         "for");
    }
    flush(s, 0);
}

/* ---- figures ---- */

static void
put_figure(struct buf *b, const struct study_figure *f, enum compare_unit unit)
{
    const bool share = unit == COMPARE_SHARE;

    if (isfinite(f->low) && isfinite(f->high))
        study_put_figure(b, f, share);
    else if (share)
        study_put_share(b, f->value);
    else
        study_put_real(b, f->value, "without end");
}

/* "+3.2 points (-1.0 to +7.4)" */
static void
put_change(struct buf *b, const struct compare_figure *f)
{
    const double by = f->unit == COMPARE_SHARE ? 100 : 1;

    if (!isfinite(f->change))
        return;
    put_number(b, by * f->change);
    buf_str(b, f->unit == COMPARE_SHARE ? " points" : "");
    if (!isfinite(f->low) || !isfinite(f->high))
        return;
    buf_str(b, " (");
    put_number(b, by * f->low);
    buf_str(b, " to ");
    put_number(b, by * f->high);
    buf_putc(b, ')');
}

static void
print_figures(struct screen *s, const char *policy, size_t from, size_t to)
{
    static const struct grid_col columns[] = {
        {"",       false, false, true,  false, 44},
        {"before", true,  false, false, false, 0 },
        {"after",  true,  false, false, false, 0 },
        {"change", false, false, false, false, 0 },
    };
    struct grid g;

    buf_putc(s->out, '\n');
    buf_str(&s->raw, policy != NULL ? policy : "Both studies");
    flush(s, 0);
    grid_init(&g, columns, ARRAY_LEN(columns));
    for (size_t i = from; i < to; i++) {
        const struct compare_figure *f = &s->v->c->figures[i];

        buf_str(&g.text, f->what);
        grid_next(&g);
        put_figure(&g.text, &f->before, f->unit);
        grid_next(&g);
        put_figure(&g.text, &f->after, f->unit);
        grid_next(&g);
        put_change(&g.text, f);
        grid_next(&g);
    }
    grid_print(&g, s->v->width, false, s->out);
    grid_fini(&g);
}

static bool
same_policy(const struct compare_figure *a, const struct compare_figure *b)
{
    return a->policy == b->policy;
}

static void
say_figures(struct screen *s)
{
    const struct compare *c = s->v->c;
    size_t from = 0;

    for (size_t i = 1; i <= c->n_figures; i++) {
        if (i < c->n_figures && same_policy(&c->figures[i], &c->figures[from]))
            continue;
        print_figures(s, c->figures[from].policy, from, i);
        from = i;
    }
}

static void
say_others(struct screen *s)
{
    static const char *const whys[] = {
        [COMPARE_ONLY_BEFORE] = "is in the first study only",
        [COMPARE_ONLY_AFTER] = "is in the second study only",
        [COMPARE_OTHER_TERMS] = "has other terms in the second study",
    };
    const struct compare *c = s->v->c;

    if (c->n_others > 0)
        buf_putc(s->out, '\n');
    for (size_t i = 0; i < c->n_others; i++) {
        buf_str(&s->raw, "Not compared: ");
        buf_span(&s->raw, span_head(span_str(c->others[i].name), POLICIES));
        buf_printf(&s->raw, " %s", whys[c->others[i].why]);
        flush(s, 0);
    }
}

void
study_compare_text(const struct study_compare_view *v, struct buf *out)
{
    struct screen s = {.v = v, .out = out};

    buf_init(&s.raw, RAW_MAX);
    say_cover(&s);
    say_series(&s);
    say_residual(&s);
    say_figures(&s);
    say_others(&s);
    buf_str(&s.raw, "Before and after is no experiment: what else changed on "
                    "that day is in it too.");
    buf_putc(out, '\n');
    flush(&s, 0);
    buf_free(&s.raw);
}
