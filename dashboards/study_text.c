#include "dashboards/study_report.h"

#include "dashboards/grid.h"
#include "dashboards/study_facts.h"
#include "sensor/base/text.h"

#define RAW_MAX 8192
#define BULLET  "  - "

#define BOLD  "\x1b[1m"
#define PLAIN "\x1b[0m"

struct screen {
    const struct study_result *r;
    const struct study_facts *f;
    const struct study_report_style *style;
    struct buf raw; /* scratch for one sentence */
    struct buf *out;
};

/* The sentence in raw, escaped and wrapped. */
static void
sentence(struct screen *v, size_t at)
{
    struct buf line;

    buf_init(&line, RAW_MAX * (size_t)4);
    text_term(&line, buf_view(&v->raw));
    grid_wrap(v->out, buf_view(&line), at, at, v->style->width);
    v->out->failed |= line.failed || v->raw.failed;
    buf_free(&line);
    buf_reset(&v->raw);
}

static void
flush(struct screen *v)
{
    sentence(v, 0);
    buf_putc(v->out, '\n');
}

static void
bullet(struct screen *v)
{
    buf_str(v->out, BULLET);
    sentence(v, strlen(BULLET));
    buf_putc(v->out, '\n');
}

static void
bold(struct screen *v)
{
    buf_str(v->out, v->style->colour ? BOLD : "");
    sentence(v, 0);
    buf_str(v->out, v->style->colour ? PLAIN "\n" : "\n");
}

static void
heading(struct screen *v, const char *title)
{
    buf_putc(v->out, '\n');
    buf_str(&v->raw, title);
    bold(v);
}

static void
say_cover(struct screen *v)
{
    const struct study_result *r = v->r;

    buf_str(&v->raw, r->title != NULL ? r->title : "Impact study");
    bold(v);
    words_range(&v->raw, r->from, r->to, NULL);
    if (r->sensors != NULL) {
        buf_str(&v->raw, ", sensors ");
        buf_str(&v->raw, r->sensors);
    }
    if (r->holdout != 0) {
        buf_str(&v->raw, "; limits were set before ");
        study_put_date(&v->raw, r->holdout);
        buf_str(&v->raw, ", figures are from then on");
    }
    buf_str(&v->raw, "; status ");
    buf_str(&v->raw, r->status != NULL ? r->status : "not given");
    flush(v);
    if (r->anonymized != NULL) {
        buf_str(&v->raw, "Made for sharing: ");
        buf_str(&v->raw, r->anonymized);
        flush(v);
    }
    if (r->demo) {
        buf_str(&v->raw, "DEMO: made traffic, none of it is yours");
        flush(v);
    }
}

static void
say_advice(struct screen *v)
{
    const struct study_policy *p = v->f->p;

    buf_putc(v->out, '\n');
    study_say_question(&v->raw, v->f);
    bold(v);
    if (p != NULL) {
        buf_str(&v->raw, p->name != NULL ? p->name : "(no name)");
        buf_str(&v->raw, ": ");
        buf_str(&v->raw, p->title != NULL ? p->title : "");
        if (p->terms != NULL && p->terms[0] != '\0') {
            buf_str(&v->raw, "; ");
            buf_str(&v->raw, p->terms);
        }
        flush(v);
    }
    buf_str(&v->raw, "Recommendation: ");
    buf_str(&v->raw, study_advice_word(v->f->advice));
    buf_str(&v->raw, "; ");
    study_say_advice(&v->raw, v->f);
    bold(v);
}

static void
say_keys(struct screen *v)
{
    struct buf label;
    struct buf note;

    if (v->f->p == NULL)
        return;
    buf_init(&label, RAW_MAX);
    buf_init(&note, RAW_MAX);
    heading(v, "Numbers");
    for (size_t i = 0; i < STUDY_KEYS; i++) {
        struct study_key k = {&v->raw, &label, &note};

        if (!study_say_key(&k, v->f, i))
            break;
        buf_putc(&v->raw, ' ');
        buf_span(&v->raw, buf_view(&label));
        buf_str(&v->raw, " (");
        buf_span(&v->raw, buf_view(&note));
        buf_putc(&v->raw, ')');
        bullet(v);
        v->out->failed |= label.failed || note.failed;
        buf_reset(&label);
        buf_reset(&note);
    }
    buf_free(&label);
    buf_free(&note);
}

static void
say_list(struct screen *v, enum study_list l)
{
    struct buf line;

    buf_init(&line, RAW_MAX);
    for (size_t i = 0; study_say_line(&line, v->f, l, i); i++) {
        if (i == 0)
            heading(v, study_list_title(v->f, l));
        buf_span(&v->raw, buf_view(&line));
        bullet(v);
        buf_reset(&line);
    }
    v->out->failed |= line.failed;
    buf_free(&line);
}

static void
cell_term(struct grid *g, const char *text)
{
    text_term(&g->text, span_str(text != NULL ? text : "-"));
    grid_next(g);
}

/* Hosts of a class: those stopped, of all. */
static void
cell_hosts(struct grid *g, const struct study_result *r,
           const struct study_policy *p, enum study_class c)
{
    study_put_hosts(&g->text, r->few, p->hosts[c]);
    buf_str(&g->text, " of ");
    study_put_hosts(&g->text, r->few, p->hosts_of[c]);
    grid_next(g);
}

static void
cell_range(struct grid *g, uint64_t least, uint64_t most)
{
    study_put_range(&g->text, least, most);
    grid_next(g);
}

static void
say_more(struct screen *v, size_t n)
{
    if (n <= GRID_ROWS)
        return;
    words_count(&v->raw, n - GRID_ROWS, "more row", NULL);
    buf_str(&v->raw, ": the JSON has all");
    bullet(v);
}

static void
say_criteria(struct screen *v)
{
    static const struct grid_col cols[] = {
        {.title = "RESULT"   },
        {.title = "CRITERION", .max = 56},
        {.title = "MEASURED",                    .right = true},
        {.title = "LIMIT"},
    };
    struct grid g;

    if (v->r->n_criteria == 0)
        return;
    heading(v, "Go or no go, agreed on before the study");
    grid_init(&g, cols, ARRAY_LEN(cols));
    for (size_t i = 0; i < v->r->n_criteria; i++) {
        const struct study_criterion *c = &v->r->criteria[i];

        cell_term(&g, study_verdict_word(c->verdict));
        cell_term(&g, c->name);
        study_say_measured(&g.text, c);
        grid_next(&g);
        cell_term(&g, c->limit);
    }
    grid_print(&g, v->style->width, v->style->colour, v->out);
    grid_fini(&g);
    say_more(v, v->r->n_criteria);
}

static void
say_policies(struct screen *v)
{
    static const struct grid_col cols[] = {
        {.title = "POLICY",      .max = 12    },
        {.title = "BOTS",        .right = true},
        {.title = "LEGITIMATE",  .right = true},
        {.title = "UNKNOWN",     .right = true},
        {.title = "REGISTERED",  .right = true},
        {.title = "RCPT SPARED", .right = true},
        {.title = "MAIL LOST",   .right = true},
        {.title = "STAFF H",     .right = true},
    };
    struct grid g;

    if (v->r->n_policies == 0)
        return;
    heading(v, "Hosts that each policy stops, and what it does to mail");
    grid_init(&g, cols, ARRAY_LEN(cols));
    for (size_t i = 0; i < v->r->n_policies; i++) {
        const struct study_policy *p = &v->r->policies[i];
        const struct study_outcome *o = &p->total;

        cell_term(&g, p->name);
        cell_hosts(&g, v->r, p, STUDY_BOT);
        cell_hosts(&g, v->r, p, STUDY_LEGITIMATE);
        cell_hosts(&g, v->r, p, STUDY_UNKNOWN);
        study_put_hosts(&g.text, v->r->few, p->registered);
        grid_next(&g);
        cell_range(&g, o->rcpt[STUDY_MALICIOUS], o->after_rcpt);
        cell_range(&g, o->lost_least, o->lost_most);
        study_put_real(&g.text, p->staff_h, "-");
        grid_next(&g);
    }
    grid_print(&g, v->style->width, v->style->colour, v->out);
    grid_fini(&g);
    say_more(v, v->r->n_policies);
}

void
study_report_text(const struct study_result *r,
                  const struct study_report_style *style, struct buf *out)
{
    struct study_facts f = study_facts_of(r);
    struct screen v = {.r = r, .f = &f, .style = style, .out = out};

    buf_init(&v.raw, RAW_MAX);
    say_cover(&v);
    say_advice(&v);
    say_keys(&v);
    for (size_t l = 0; l < STUDY_LIST_COUNT; l++)
        say_list(&v, (enum study_list)l);
    say_criteria(&v);
    say_policies(&v);
    buf_free(&v.raw);
}
