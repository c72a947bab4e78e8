#include "dashboards/study_page.h"

#include <stdlib.h>

#define WEEK_DAYS  7U
#define WEEKS_MOST 60U /* rows; the CSV file of days has all */

/* ---- the two parts ---- */

static void
row_part(struct study_page *p, const char *name, bool holdout)
{
    const struct study_result *r = p->r;
    uint64_t days = 0;
    uint64_t messages = 0;
    uint64_t bad = 0;
    uint64_t fresh = 0;

    for (size_t i = 0; i < r->n_days; i++) {
        if (r->days[i].holdout != holdout)
            continue;
        days++;
        messages = words_add(messages, r->days[i].messages);
        bad = words_add(bad, r->days[i].bad);
        fresh = words_add(fresh, r->days[i].senders_new);
    }
    html_raw(p->out, "<tr><th scope=\"row\">");
    html_text(p->out, name);
    html_raw(p->out, "</th>");
    html_cell_number(p->out, days);
    html_cell_number(p->out, messages);
    html_cell_number(p->out, bad);
    html_cell_share(p->out, bad, messages);
    html_cell_number(p->out, fresh);
    html_raw(p->out, "</tr>\n");
}

static void
put_parts(struct study_page *p)
{
    static const struct html_col cols[] = {
        {"Days",                    false},
        {"Number",                  true },
        {"Messages",                true },
        {"Judged bad",              true },
        {"Share",                   true },
        {"Senders not seen before", true },
    };

    if (p->r->holdout == 0)
        return;
    html_table(p->out, "Days on which limits were set, and days held out", cols,
               ARRAY_LEN(cols));
    row_part(p, "limits were set on", false);
    row_part(p, "held out", true);
    html_table_end(p->out);
}

static void
put_fresh(struct study_page *p)
{
    const struct study_result *r = p->r;
    uint64_t *n;

    if (r->n_days == 0)
        return;
    n = calloc(r->n_days, sizeof(*n));
    p->out->failed |= n == NULL;
    for (size_t i = 0; n != NULL && i < r->n_days; i++)
        n[i] = r->days[i].senders_new;
    if (n != NULL) {
        page_figure(p, "Senders at home that were never seen before, by day");
        study_svg_days(p->out, "Senders at home that were never seen before",
                       "hosts", n, r->days, r->n_days);
        page_figure_end(p);
    }
    free(n);
    page_words(p, r->holdout != 0
                      ? "Solid bars: days held out. The CSV file of days has "
                        "the numbers."
                      : "The CSV file of days has the numbers.");
}

/* ---- week by week ---- */

struct drawn {
    uint64_t (*of)(const struct study_day *d);
    uint64_t most; /* of a day: all weeks have one scale */
};

static uint64_t
messages_of(const struct study_day *d)
{
    return d->messages;
}

static uint64_t
bad_of(const struct study_day *d)
{
    return d->bad;
}

static uint64_t
senders_of(const struct study_day *d)
{
    return d->senders;
}

static uint64_t
new_of(const struct study_day *d)
{
    return d->senders_new;
}

static void
cell_days(struct study_page *p, const struct drawn *d,
          const struct study_day *days, size_t n)
{
    uint64_t v[WEEK_DAYS];
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++) {
        v[i] = d->of(&days[i]);
        sum = words_add(sum, v[i]);
    }
    html_raw(p->out, "<td class=\"n\">");
    if (d->of == senders_of)
        words_number(p->out, (sum + n / 2) / n);
    else
        words_number(p->out, sum);
    study_svg_spark(p->out, v, n, d->most);
    html_raw(p->out, "</td>");
}

static void
put_weeks(struct study_page *p)
{
    static const struct html_col cols[] = {
        {"Seven days from (UTC)", false},
        {"Messages",              true },
        {"Judged bad",            true },
        {"Senders a day",         true },
        {"Never seen before",     true },
    };
    const struct study_result *r = p->r;
    struct drawn drawn[] = {
        {messages_of, 0},
        {bad_of,      0},
        {senders_of,  0},
        {new_of,      0},
    };
    char text[NS_TEXT_MAX];
    size_t rows = 0;

    if (r->n_days <= WEEK_DAYS)
        return;
    for (size_t i = 0; i < r->n_days; i++) {
        for (size_t k = 0; k < ARRAY_LEN(drawn); k++) {
            uint64_t n = drawn[k].of(&r->days[i]);

            drawn[k].most = n > drawn[k].most ? n : drawn[k].most;
        }
    }
    html_table(p->out, "Week by week: a bar a day, one scale for each column",
               cols, ARRAY_LEN(cols));
    for (size_t i = 0; i < r->n_days && rows < WEEKS_MOST; i += WEEK_DAYS) {
        size_t n = r->n_days - i < WEEK_DAYS ? r->n_days - i : WEEK_DAYS;

        (void)ns_format(r->days[i].begin, text);
        buf_put(&p->raw, text, 10);
        if (n < WEEK_DAYS) {
            buf_str(&p->raw, ", ");
            words_count(&p->raw, n, "day", NULL);
        }
        page_row_head(p);
        for (size_t k = 0; k < ARRAY_LEN(drawn); k++)
            cell_days(p, &drawn[k], &r->days[i], n);
        html_raw(p->out, "</tr>\n");
        rows++;
    }
    html_table_end(p->out);
}

void
study_html_weeks(struct study_page *p)
{
    page_heading(p, "Will it stay so");
    put_parts(p);
    put_weeks(p);
    put_fresh(p);
}
