#include "dashboards/study_page.h"

#include <math.h>
#include <stdlib.h>

#define NEAR         0.25 /* of the chosen limit, on both sides */
#define SWEEPS_SHOWN 20U

enum { ABUSE, UNREGISTERED, REGISTERED, LINES };

static const char *const names[LINES] = {
    [ABUSE] = "bots and mixed",
    [UNREGISTERED] = "look legitimate, or unknown",
    [REGISTERED] = "registered",
};

static uint64_t
stopped(const struct study_sweep_point *v, size_t line)
{
    switch (line) {
    case ABUSE:
        return words_add(v->stopped[STUDY_BOT], v->stopped[STUDY_MIXED]);
    case UNREGISTERED:
        return words_add(v->stopped[STUDY_LEGITIMATE],
                         v->stopped[STUDY_UNKNOWN]);
    default: return v->registered;
    }
}

static void
fill_line(struct study_step *to, const struct study_sweep *s, size_t line,
          struct study_plot *plot)
{
    for (size_t i = 0; i < s->n; i++) {
        double limit = s->v[i].limit;
        double n = (double)stopped(&s->v[i], line);

        to[i] = (struct study_step){.at = limit > 0 ? limit : (double)NAN,
                                    .share = n};
        plot->y_high = n > plot->y_high ? n : plot->y_high;
        if (!(limit > 0) || isinf(limit))
            continue;
        plot->x_low = limit < plot->x_low ? limit : plot->x_low;
        plot->x_high = limit > plot->x_high ? limit : plot->x_high;
    }
}

/* "P4, sessions: the same as numbers"; good until raw is used again. */
static const char *
titled(struct study_page *p, const struct study_sweep *s, const char *what)
{
    buf_reset(&p->raw);
    buf_str(&p->raw, s->policy != NULL ? s->policy : "(no name)");
    buf_str(&p->raw, ", ");
    buf_str(&p->raw, s->what != NULL ? s->what : "(no limit)");
    buf_str(&p->raw, ": ");
    buf_str(&p->raw, what);
    buf_putc(&p->raw, '\0');
    return p->raw.n > 0 && !p->raw.cut ? (const char *)p->raw.p : what;
}

static void
put_lines(struct study_page *p, const struct study_sweep *s,
          struct study_step *steps)

{
    struct study_line lines[LINES];
    struct study_plot plot = {
        .title = "Hosts stopped, by limit",
        .desc = "Three lines: bots and mixed, hosts that look legitimate or "
                "are unknown, registered hosts; the table below has the "
                "numbers",
        .x_title = "limit (log scale)",
        .y_title = "hosts stopped",
        .x_low = INFINITY,
        .x_high = 0,
        .y_high = 4,
        .chosen = s->chosen,
        .from = s->chosen * (1 - NEAR),
        .to = s->chosen * (1 + NEAR),
        .lines = lines,
        .n_lines = LINES,
    };

    for (size_t i = 0; i < LINES; i++) {
        fill_line(steps + i * s->n, s, i, &plot);
        lines[i] = (struct study_line){.v = steps + i * s->n,
                                       .n = s->n,
                                       .style = (unsigned)i,
                                       .marks = true};
    }
    if (!(plot.x_high > plot.x_low))
        return;
    page_figure(p, titled(p, s, "hosts stopped, by limit"));
    buf_reset(&p->raw);
    study_svg_plot(p->out, &plot);
    html_raw(p->out, "</div>\n<ul class=\"legend\">\n");
    for (size_t i = 0; i < LINES; i++) {
        html_raw(p->out, "<li>");
        study_svg_key(p->out, (unsigned)i, true);
        html_raw(p->out, "<span>");
        html_text(p->out, names[i]);
        html_raw(p->out, "</span></li>\n");
    }
    html_raw(p->out, "<li>Line: the limit in force. Grey: 25 % to both sides."
                     "</li></ul></figure>\n");
}

static void
put_points(struct study_page *p, const struct study_sweep *s)
{
    static const struct html_col cols[] = {
        {"Limit",                  false},
        {"Bots and mixed",         true },
        {"Legitimate or unknown",  true },
        {"Registered",             true },
        {"Recipients spared",      true },
        {"Ordinary messages lost", true },
    };

    html_table(p->out, titled(p, s, "the same as numbers"), cols,
               ARRAY_LEN(cols));
    buf_reset(&p->raw);
    for (size_t i = 0; i < s->n && i < STUDY_REPORT_ROWS; i++) {
        const struct study_sweep_point *v = &s->v[i];

        study_put_real(&p->raw, v->limit, "none");
        buf_str(&p->raw, v->limit == s->chosen ? " (in force)" : "");
        page_row_head(p);
        for (size_t line = 0; line < LINES; line++)
            page_cell_hosts(p, stopped(v, line));
        page_cell_range(p, v->total.rcpt[STUDY_MALICIOUS], v->total.after_rcpt);
        page_cell_range(p, v->total.lost_least, v->total.lost_most);
        html_raw(p->out, "</tr>\n");
    }
    html_table_end(p->out);
    page_more(p, s->n, NULL);
}

static void
put_sweep(struct study_page *p, const struct study_sweep *s)
{
    struct study_step *steps;

    html_raw(p->out, "<h3>");
    page_name(p, s->policy, "(no name)");
    html_raw(p->out, ": ");
    page_name(p, s->what, "(no limit)");
    html_raw(p->out, " (");
    page_name(p, s->unit, "no unit");
    html_raw(p->out, ")</h3>\n");
    steps = calloc(s->n > 0 ? LINES * s->n : 1, sizeof(*steps));
    p->out->failed |= steps == NULL;
    if (steps != NULL)
        put_lines(p, s, steps);
    free(steps);
    put_points(p, s);
}

void
study_html_limits(struct study_page *p)
{
    const struct study_result *r = p->r;

    page_words(p, "A good limit is where the line of abuse is still high and "
                  "the other two are low, and where little changes within 25 "
                  "% of it.");
    page_words(p, r->holdout != 0
                      ? "Limits were set on the days before those held out; "
                        "what is shown here is of the days held out."
                      : "Limits and figures are of the same days: on other "
                        "days they will do worse.");
    if (r->n_sweeps == 0)
        page_words(p, "No limit was moved from low to high in this study: "
                      "study sweep does it.");
    for (size_t i = 0; i < r->n_sweeps && i < SWEEPS_SHOWN; i++)
        put_sweep(p, &r->sweeps[i]);
    if (r->n_sweeps > SWEEPS_SHOWN)
        page_words(p, "More limits were moved: study.json has all.");
}
