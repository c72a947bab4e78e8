#include "dashboards/study_page.h"

#include "dashboards/chart.h"

#include <math.h>
#include <stdlib.h>

#define DAY_S   86400U
#define HOUR_NS (3600 * NS_PER_S)
#define RANKED  25U
#define COMPACT 10000U /* from here on "12k" in the cells of a heat map */
#define SHADES  4

/* ---- hosts ---- */

static void
row_cell(struct study_page *p, const char *name, const char *of,
         const struct study_cell *c)
{
    html_raw(p->out, "<tr><th scope=\"row\">");
    html_text(p->out, name);
    html_raw(p->out, "</th>");
    html_cell(p->out, of);
    page_cell_hosts(p, c->hosts);
    html_cell_number(p->out, c->messages);
    html_cell_number(p->out, c->delivered);
    html_cell_number(p->out, c->recipients);
    html_raw(p->out, "<td class=\"n\">");
    words_size(p->out, c->bytes);
    html_raw(p->out, "</td>");
    html_cell_number(p->out, c->sessions);
    html_cell_share(p->out, c->sessions_tls, c->sessions);
    page_cell_range(p, c->tls_least, c->tls_most);
    html_raw(p->out, "</tr>\n");
}

static void
put_cells(struct study_page *p)
{
    static const struct html_col cols[] = {
        {"Host",                        false},
        {"Registered",                  false},
        {"Hosts",                       true },
        {"Messages",                    true },
        {"Accepted",                    true },
        {"Recipients",                  true },
        {"Bytes",                       true },
        {"Sessions",                    true },
        {"Of these encrypted",          true },
        {"Messages in them, estimated", true },
    };

    html_table(p->out, "Hosts at home that sent outward on port 25", cols,
               ARRAY_LEN(cols));
    for (size_t c = 0; c < STUDY_CLASS_COUNT; c++) {
        const char *name = study_class_people((enum study_class)c);

        row_cell(p, name, "no", &p->r->cells[c][0]);
        row_cell(p, name, "yes", &p->r->cells[c][1]);
    }
    html_table_end(p->out);
}

static void
put_bars(struct study_page *p)
{
    static const char *const titles[] = {"Hosts at home that send",
                                         "Their sessions", "Their messages"};
    static const char *const whats[] = {"hosts", "sessions", "messages"};
    uint64_t n[3][2] = {{0}};

    for (size_t c = 0; c < STUDY_CLASS_COUNT; c++) {
        for (size_t reg = 0; reg < 2; reg++) {
            const struct study_cell *cell = &p->r->cells[c][reg];

            n[0][reg] = words_add(n[0][reg], cell->hosts);
            n[1][reg] = words_add(n[1][reg], cell->sessions);
            n[2][reg] = words_add(n[2][reg], cell->messages);
        }
    }
    page_heading(p, "How much comes from registered hosts");
    for (size_t i = 0; i < ARRAY_LEN(titles); i++) {
        const struct chart_part parts[] = {
            {"registered",     n[i][1], 6},
            {"not registered", n[i][0], 5}
        };

        chart_stack(p->out, titles[i], whats[i], parts, ARRAY_LEN(parts));
    }
}

/* ---- is abuse concentrated ---- */

static int
more_bad(const void *a, const void *b)
{
    const struct study_host_row *x = *(const struct study_host_row *const *)a;
    const struct study_host_row *y = *(const struct study_host_row *const *)b;

    if (x->bad != y->bad)
        return x->bad > y->bad ? -1 : 1;
    return addr_cmp(&x->addr, &y->addr);
}

static void
row_ranked(struct study_page *p, const struct study_host_row *h, uint64_t most,
           uint64_t sum, uint64_t all)
{
    html_raw(p->out, "<tr><th scope=\"row\">");
    html_addr(p->out, &h->addr);
    html_raw(p->out, "</th>");
    html_raw(p->out, "<td>");
    page_name(p, h->site, "not known");
    html_raw(p->out, "</td>");
    html_cell(p->out, study_class_word(h->class));
    html_cell_number(p->out, h->bad);
    html_raw(p->out, "<td class=\"wide\">");
    study_svg_log_bar(p->out, h->bad, most);
    html_raw(p->out, "</td>");
    page_cell_share(p, all > 0 ? (double)sum / (double)all : (double)NAN);
    html_raw(p->out, "</tr>\n");
}

static void
put_ranked(struct study_page *p, const struct study_host_row **by, size_t n)
{
    static const struct html_col cols[] = {
        {"Host",                                   false},
        {"Site",                                   false},
        {"Class",                                  false},
        {"Judged bad",                             true },
        {"Log scale, a line at each power of ten", false},
        {"All up to here",                         true },
    };
    uint64_t all = 0;
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        all = words_add(all, by[i]->bad);
    if (all == 0)
        return;
    page_heading(p, "Is abuse concentrated");
    html_table(p->out, "Hosts at home with most messages that were judged bad",
               cols, ARRAY_LEN(cols));
    for (size_t i = 0; i < n && i < RANKED && by[i]->bad > 0; i++) {
        sum = words_add(sum, by[i]->bad);
        row_ranked(p, by[i], by[0]->bad, sum, all);
    }
    html_table_end(p->out);
}

static void
put_concentration(struct study_page *p)
{
    const struct study_result *r = p->r;
    const struct study_host_row **by;

    if (r->n_hosts == 0)
        return;
    by = calloc(r->n_hosts, sizeof(void *));
    p->out->failed |= by == NULL;
    if (by == NULL)
        return;
    for (size_t i = 0; i < r->n_hosts; i++)
        by[i] = &r->hosts[i];
    qsort(by, r->n_hosts, sizeof(void *), more_bad);
    put_ranked(p, by, r->n_hosts);
    free(by);
}

/* ---- shares ---- */

static double
most_of(const struct study_result *r)
{
    double most = 0;

    for (size_t i = 0; i < r->n_shares && i < ARRAY_LEN(r->shares); i++) {
        const struct study_share *s = &r->shares[i];

        most = s->raw.high > most ? s->raw.high : most;
        most = s->weighted.high > most ? s->weighted.high : most;
    }
    return most;
}

static void
cell_figure(struct study_page *p, const struct study_figure *f, double most)
{
    html_raw(p->out, "<td class=\"num\">");
    study_put_figure(&p->raw, f, true);
    html_flush(p->out, &p->raw);
    study_svg_interval(p->out, f, most);
    html_raw(p->out, "</td>");
}

/* Of fewer than 30 senders no rate is given. */
static void
put_rates(struct study_page *p, const struct study_share *s, double most)
{
    if (s->senders < WORDS_RATED) {
        html_raw(p->out, "<td colspan=\"4\" class=\"soft\">fewer than 30 "
                         "senders: not rated</td>");
        return;
    }
    cell_figure(p, &s->raw, most);
    cell_figure(p, &s->weighted, most);
    buf_str(&p->raw, isnan(s->without_low) ? "not known" : "");
    if (!isnan(s->without_low))
        words_between(&p->raw, s->without_low, s->without_high);
    page_cell(p);
    page_cell_share(p, s->without_top);
}

static void
row_share(struct study_page *p, const struct study_share *s, double most)
{
    html_raw(p->out, "<tr><th scope=\"row\">");
    html_text(p->out, study_group_people(s->group));
    html_raw(p->out, s->spam ? ", judged spam</th>" : "</th>");
    page_cell_hosts(p, s->senders);
    words_number(&p->raw, study_count(s->raw.k));
    buf_str(&p->raw, " of ");
    words_number(&p->raw, study_count(s->raw.n));
    page_cell(p);
    put_rates(p, s, most);
    if (s->senders < WORDS_RATED)
        html_raw(p->out, "<td class=\"n\">not rated</td>");
    else
        page_cell_share(p, s->hosts.value);

    page_cell_share(p, s->clear);
    buf_str(&p->raw, isnan(s->bound_low) ? "not known" : "");
    if (!isnan(s->bound_low))
        words_between(&p->raw, s->bound_low, s->bound_high);
    page_cell(p);
    html_raw(p->out, "</tr>\n");
}

static void
put_shares(struct study_page *p)
{
    static const struct html_col cols[] = {
        {"Messages of",                            false},
        {"Senders (n)",                            true },
        {"With malicious code, of all read whole", true },
        {"Share, with interval",                   false},
        {"Weighted for loss",                      false},
        {"Without one sender in turn",             true },
        {"Without the five largest",               true },
        {"Senders with one or more",               true },
        {"Could be read",                          true },
        {"All mail, encrypted too",                true },
    };
    const struct study_result *r = p->r;
    double most = most_of(r);

    page_heading(p, "What share carries malicious code");
    if (r->n_shares == 0) {
        page_words(p, "No message could be looked into.");
        return;
    }
    page_words(p, "Senders are the units, not messages: those of one host are "
                  "alike. Intervals are at 95 % and speak of other weeks. The "
                  "last column assumes nothing about mail that could not be "
                  "read.");
    html_table(p->out, "Messages with malicious code", cols, ARRAY_LEN(cols));
    for (size_t i = 0; i < r->n_shares && i < ARRAY_LEN(r->shares); i++)
        row_share(p, &r->shares[i], most);
    html_table_end(p->out);
}

/* ---- when ---- */

struct heat {
    uint64_t n[168];
    uint64_t most;
};

/* Hour of the week, Monday 00 UTC first; the first of January 1970 was a
 * Thursday. */
static size_t
week_hour(ns_t t)
{
    uint64_t hours = t / HOUR_NS + 72;

    return (size_t)(hours % 168);
}

static void
add_heat(struct heat *h, ns_t t, uint64_t n)
{
    size_t i = week_hour(t);

    h->n[i] = words_add(h->n[i], n);
    h->most = h->n[i] > h->most ? h->n[i] : h->most;
}

static void
cell_heat(struct study_page *p, const void *of, size_t hour)
{
    const struct heat *heat = of;
    uint64_t n = heat->n[hour];
    double shade =
        n > 0 ? ceil(PAGE_SHADES * (double)n / (double)heat->most) : 0;

    buf_printf(p->out, "<td class=\"h%u\">", (unsigned)shade);
    if (n < COMPACT)
        buf_u64(p->out, n);
    else
        buf_printf(p->out, "%.0fk", (double)n / 1000);
    html_raw(p->out, "</td>");
}

static void
put_when(struct study_page *p)
{
    struct heat all = {{0}, 0};
    struct heat bad = {{0}, 0};

    for (size_t i = 0; i < p->r->n_hours; i++) {
        const struct study_hour *h = &p->r->hours[i];

        add_heat(&all, h->begin, h->messages[STUDY_GROUP_REGISTERED]);
        add_heat(&all, h->begin, h->messages[STUDY_GROUP_UNREGISTERED]);
        add_heat(&bad, h->begin, h->bad);
    }
    if (all.most == 0)
        return;
    page_heading(p, "When");
    page_week(p, "Messages from home, by hour of the week, UTC", cell_heat,
              &all);
    if (bad.most > 0)
        page_week(p, "Of them judged bad", cell_heat, &bad);
}

/* ---- who was not seen ---- */

static void
say_unseen(struct study_page *p)
{
    const struct study_unseen *u = &p->r->unseen;

    page_heading(p, "Senders that were not seen");
    if (!u->known) {
        page_words(p, "How many senders there are that did not send in the "
                      "window cannot be said from fewer than two days.");
        return;
    }
    study_put_hosts(&p->raw, p->r->few, u->seen);
    buf_str(&p->raw, " senders were seen in ");
    words_count(&p->raw, u->days, "day", NULL);
    buf_str(&p->raw, ", ");
    study_put_hosts(&p->raw, p->r->few, u->once);
    buf_str(&p->raw, " of them on one day only and ");
    study_put_hosts(&p->raw, p->r->few, u->twice);
    buf_str(&p->raw, " on two. From this at least ");
    study_put_real(&p->raw, rint(u->there - (double)u->seen), "");
    buf_str(&p->raw, " more exist (95 %: ");
    study_put_real(&p->raw, rint(u->low - (double)u->seen), "");
    buf_str(&p->raw, " to ");
    study_put_real(&p->raw, rint(u->high - (double)u->seen), "");
    buf_str(&p->raw, "); those that were seen send on ");
    study_put_share(&p->raw, u->coverage);
    buf_str(&p->raw, " of all days on which a host sends");
    page_say(p);
    page_words(p, "Devices that mail monthly or only when something fails, as "
                  "UPS, RAID and building alarms, are the most harmed by a "
                  "stop and the least seen: ask the inventory for them.");
}

void
study_html_found(struct study_page *p)
{
    put_cells(p);
    put_bars(p);
    put_concentration(p);
    put_shares(p);
    put_when(p);
    study_html_peaks(p);
    study_html_weeks(p);
    say_unseen(p);
}
