#include "dashboards/study_page.h"

#include <math.h>

/* ---- errors ---- */

static void
row_review(struct study_page *p, const char *name, const struct study_figure *f,
           bool share)
{
    bool rated = isnan(f->n) || f->n >= WORDS_RATED;

    html_raw(p->out, "<tr><th scope=\"row\">");
    html_text(p->out, name);
    html_raw(p->out, "</th>");
    if (isnan(f->k) || isnan(f->n)) {
        buf_putc(&p->raw, '-');
    } else {
        words_number(&p->raw, study_count(f->k));
        buf_str(&p->raw, " of ");
        words_number(&p->raw, study_count(f->n));
    }
    page_cell(p);
    if (rated)
        study_put_figure(&p->raw, f, share);
    else
        buf_str(&p->raw, "fewer than 30: not rated");
    page_cell_left(p);
    html_cell(p->out, f->method);
    html_raw(p->out, "</tr>\n");
}

static void
put_review(struct study_page *p)
{
    static const struct html_col cols[] = {
        {"What",                             false},
        {"Counts",                           true },
        {"Value, with its interval at 95 %", false},
        {"Method",                           false},
    };
    const struct study_review *v = &p->r->review;

    buf_str(&p->raw, "Two people judged ");
    words_number(&p->raw, v->rated);
    buf_str(&p->raw, " of ");
    words_count(&p->raw, v->sampled, "message that was drawn",
                "messages that were drawn");
    buf_str(&p->raw, ", each alone and without the host or what the detector "
                     "said; of ");
    words_number(&p->raw, v->disagreed);
    buf_str(&p->raw, " they did not agree");
    page_say(p);
    html_table(p->out, "What the review says", cols, ARRAY_LEN(cols));
    row_review(p, "Agreement of the two (kappa, 1 is full)", &v->kappa, false);
    row_review(p, "Precision: of those called malicious, truly so",
               &v->precision, true);
    row_review(p, "Sensitivity: of the malicious, found", &v->sensitivity,
               true);
    row_review(p, "Specificity: of the ordinary, left alone", &v->specificity,
               true);
    row_review(p, "Hosts that are bots, corrected for these errors",
               &v->corrected, true);
    html_table_end(p->out);
}

void
study_html_errors(struct study_page *p)
{
    if (p->r->review.there)
        put_review(p);
    else
        page_words(p, "No review was made: how often a host that is called a "
                      "bot is one (precision) is not known, nor how many bots "
                      "were not found.");
    buf_str(&p->raw, "Of ");
    study_count_hosts(&p->raw, p->r->few, p->f->hosts_all, "host", NULL);
    buf_str(&p->raw, " at home that sent, ");
    study_put_hosts(&p->raw, p->r->few, p->f->hosts[STUDY_UNKNOWN]);
    buf_str(&p->raw, " sent too little to tell what they are; they are in all "
                     "tables as unknown, and are in no share of right or wrong "
                     "stops");
    page_say(p);
    page_words(p, "A host that sends little abuse, or all of it encrypted, may "
                  "be among those that look legitimate. How many there are "
                  "cannot be known from the traffic alone.");
}

/* ---- roll-out ---- */

static uint64_t
most_a_day(const struct study_page *p)
{
    const struct study_policy *policy = p->f->p;
    uint64_t most = 0;

    for (size_t i = 0; policy->by_day != NULL && i < p->r->n_days; i++)
        most = policy->by_day[i] > most ? policy->by_day[i] : most;
    return most;
}

static void
put_steps(struct study_page *p)
{
    html_raw(p->out, "<ol>\n");
    buf_str(&p->raw, "write to ");
    study_count_hosts(&p->raw, p->r->few, p->f->p->owners, "site", NULL);
    buf_str(&p->raw, " 60, 30, 14, 7 and 1 days before the date; letters are "
                     "made by study run --letters");
    p->raw.p[0] = 'W';
    page_item(p);
    html_raw(p->out,
             "<li>Enter forms as they come; who has sent one keeps sending "
             "until it is decided.</li>\n<li>Run in mode simulate until its "
             "decisions are those of this study; then stop site by site, in "
             "an order drawn by lot: only that shows later what the policy "
             "did.</li>\n");
    buf_str(&p->raw, "On the date: ");
    study_put_date(&p->raw, p->r->effective);
    buf_str(&p->raw, ". Most hosts stopped for the first time on one day of "
                     "the study: ");
    study_put_hosts(&p->raw, p->r->few, most_a_day(p));
    page_item(p);
    html_raw(p->out,
             "<li>Pause when more than two hosts a day turn out to be stopped "
             "by mistake, or when the firewall does not confirm.</li>\n<li>To "
             "undo it: ");
    page_name(p, p->r->rollback, "not written down");
    html_raw(p->out, "</li>\n<li>Four weeks later: the same study again, and "
                     "study compare of both.</li>\n</ol>\n");
}

void
study_html_rollout(struct study_page *p)
{
    if (p->f->p == NULL) {
        page_words(p, "No policy is proposed, so there is nothing to roll "
                      "out.");
        return;
    }
    put_steps(p);
    page_words(p, "Whether the way back was tried is not in the traffic: write "
                  "the date and the result here by hand before the report is "
                  "final.");
}

/* ---- work ---- */

static void
put_queue(struct study_page *p)
{
    static const struct html_col cols[] = {
        {"Clerks",                  false},
        {"Waves, a week apart",     true },
        {"Entered within 48 hours", true },
        {"95 of 100 within",        true },
    };
    const struct study_queue *q = &p->r->queue;

    if (q->n == 0) {
        page_words(p, "How long forms would wait was not simulated.");
        return;
    }
    html_table(p->out, "How long forms wait, by clerks and waves of letters",
               cols, ARRAY_LEN(cols));
    for (size_t i = 0; i < q->n && i < STUDY_REPORT_ROWS; i++) {
        words_number(&p->raw, q->v[i].clerks);
        page_row_head(p);
        html_cell_number(p->out, q->v[i].waves);
        page_cell_share(p, q->v[i].within_48h);
        study_put_seconds(&p->raw, q->v[i].p95_h * 3600);
        page_cell(p);
        html_raw(p->out, "</tr>\n");
    }
    html_table_end(p->out);
    page_words(p, "Simulated: most forms come in the first days after the "
                  "letters, a form takes 25 minutes, some come back once, and "
                  "clerks work in office hours. 48 hours by the clock cannot "
                  "be kept over a week-end: say whether they are office "
                  "hours.");
}

void
study_html_work(struct study_page *p)
{
    study_count_hosts(&p->raw, p->r->few, p->r->queue.forms, "form is expected",
                      "forms are expected");
    buf_str(&p->raw, ": one for each host that is not registered and is no "
                     "bot");
    page_say(p);
    if (p->f->p != NULL) {
        buf_str(&p->raw, "Under ");
        buf_str(&p->raw, p->f->p->name != NULL ? p->f->p->name : "(no name)");
        buf_str(&p->raw, ": ");
        study_put_real(&p->raw, p->f->p->staff_h, "");
        buf_str(&p->raw, " hours of staff in the window, of which alerts ");
        study_put_real(&p->raw, p->f->p->staff_h_alerts, "");
        buf_str(&p->raw, ", stops that were wrong ");
        study_put_real(&p->raw, p->f->p->staff_h_tickets, "");
        buf_str(&p->raw, ", forms ");
        study_put_real(&p->raw, p->f->p->staff_h_forms, "");
        page_say(p);
    }
    put_queue(p);
}
