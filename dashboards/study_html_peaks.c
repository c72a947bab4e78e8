#include "dashboards/study_page.h"

#include <math.h>
#include <stdlib.h>

/* Who is compared. X(id, words, whether a host is one) */
#define KINDS(X)                                                               \
    X(REGISTERED, "registered", h->registered)                                 \
    X(ABUSIVE, "not registered, bot or mixed",                                 \
      !h->registered && (h->class == STUDY_BOT || h->class == STUDY_MIXED))    \
    X(LEGITIMATE, "not registered, looks legitimate",                          \
      !h->registered && h->class == STUDY_LEGITIMATE)                          \
    X(UNKNOWN, "not registered, too little seen",                              \
      !h->registered && h->class == STUDY_UNKNOWN)

enum kind {
#define X(id, words, is) KIND_##id,
    KINDS(X)
#undef X
        KIND_COUNT
};

static const char *const words_of[] = {
#define X(id, words, is) words,
    KINDS(X)
#undef X
};

static bool
is_of(const struct study_host_row *h, enum kind k)
{
    switch (k) {
#define X(id, words, is)                                                       \
    case KIND_##id: return (is);
        KINDS(X)
#undef X
    default: return false;
    }
}

static int
by_at(const void *a, const void *b)
{
    double x = ((const struct study_step *)a)->at;
    double y = ((const struct study_step *)b)->at;

    return (x > y) - (x < y);
}

/* The peaks of hosts of a kind, sorted; at: peak, share: of them up to it. */
static size_t
collect(const struct study_result *r, enum kind k, struct study_step *v)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n_hosts; i++) {
        const struct study_host_row *h = &r->hosts[i];

        if (h->peak > 0 && is_of(h, k))
            v[n++] = (struct study_step){.at = (double)h->peak};
    }
    if (n < r->few)
        return 0;
    qsort(v, n, sizeof(*v), by_at);
    for (size_t i = 0; i < n; i++)
        v[i].share = (double)(i + 1) / (double)n;
    return n;
}

/* The messages an hour that the first limit of rate lets through. */
static double
limit_of(const struct study_result *r, const struct study_policy **policy)
{
    for (size_t i = 0; i < r->n_policies; i++) {
        if (r->policies[i].per_hour > 0) {
            *policy = &r->policies[i];
            return r->policies[i].per_hour;
        }
    }
    return (double)NAN;
}

static void
put_keys(struct study_page *p, const struct study_line *lines,
         const enum kind *kinds, size_t n, const struct study_policy *limit)
{
    html_raw(p->out, "</div>\n<ul class=\"legend\">\n");
    for (size_t i = 0; i < n; i++) {
        html_raw(p->out, "<li>");
        study_svg_key(p->out, lines[i].style, false);
        html_raw(p->out, "<span>");
        html_text(p->out, words_of[kinds[i]]);
        html_raw(p->out, "</span></li>\n");
    }
    if (limit != NULL) {
        html_raw(p->out, "<li>Line: the messages an hour of ");
        page_name(p, limit->name, "the limit");
        html_raw(p->out, "</li>\n");
    }
    html_raw(p->out, "</ul></figure>\n");
}

static void
put_plot(struct study_page *p, const struct study_line *lines,
         const enum kind *kinds, size_t n)
{
    const struct study_policy *limit = NULL;
    struct study_plot plot = {
        .title = "Peak of connections in ten minutes, by kind of host",
        .desc = "For each kind the share of hosts whose peak is at most so "
                "high; the table below has median, nine of ten and the most",
        .x_title = "most connections that ended within ten minutes (log scale)",
        .y_title = "of its hosts",
        .powers = true,
        .share = true,
        .x_low = 1,
        .x_high = 10,
        .y_high = 1,
        .chosen = limit_of(p->r, &limit),
        .from = (double)NAN,
        .to = (double)NAN,
        .lines = lines,
        .n_lines = n,
    };

    for (size_t i = 0; i < n; i++)
        plot.x_high = fmax(plot.x_high, lines[i].v[lines[i].n - 1].at);
    if (limit != NULL)
        plot.x_high = fmax(plot.x_high, plot.chosen);
    page_figure(p, plot.title);
    study_svg_plot(p->out, &plot);
    put_keys(p, lines, kinds, n, limit);
}

static void
put_numbers(struct study_page *p, const struct study_line *lines,
            const enum kind *kinds, size_t n)
{
    static const struct html_col cols[] = {
        {"Hosts at home", false},
        {"Hosts (n)",     true },
        {"Median",        true },
        {"9 of 10",       true },
        {"Most",          true },
    };
    static const double shares[] = {.5, .9, 1};

    html_table(p->out, "The same as numbers: connections in ten minutes", cols,
               ARRAY_LEN(cols));
    for (size_t i = 0; i < n; i++) {
        const struct study_line *l = &lines[i];

        buf_str(&p->raw, words_of[kinds[i]]);
        page_row_head(p);
        page_cell_hosts(p, l->n);
        for (size_t k = 0; k < ARRAY_LEN(shares); k++) {
            size_t at = (size_t)ceil(shares[k] * (double)l->n);

            html_cell_number(p->out, (uint64_t)l->v[at > 0 ? at - 1 : 0].at);
        }
        html_raw(p->out, "</tr>\n");
    }
    html_table_end(p->out);
}

void
study_html_peaks(struct study_page *p)
{
    const struct study_result *r = p->r;
    struct study_step *steps;
    struct study_line lines[KIND_COUNT];
    enum kind kinds[KIND_COUNT];
    size_t used = 0;
    size_t n = 0;

    if (r->n_hosts == 0)
        return;
    steps = calloc(r->n_hosts, sizeof(*steps));
    p->out->failed |= steps == NULL;
    for (unsigned k = 0; steps != NULL && k < KIND_COUNT; k++) {
        size_t found = collect(r, (enum kind)k, steps + used);

        if (found == 0)
            continue;
        kinds[n] = (enum kind)k;
        lines[n++] = (struct study_line){
            .v = steps + used, .n = found, .style = k, .steps = true};
        used += found;
    }
    if (n > 0) {
        page_heading(p, "Do registered servers behave differently");
        put_plot(p, lines, kinds, n);
        put_numbers(p, lines, kinds, n);
        page_words(p, "A host that sends slowly is not seen by a limit of "
                      "rate, and a mailing list is seen by every one.");
    }
    free(steps);
}
