#include "dashboards/study_page.h"

#include <math.h>

#define BY_DAYS_MAX STUDY_STRIP_DAYS

/* ---- hosts ---- */

static void
cell_stopped(struct study_page *p, const struct study_policy *policy,
             enum study_class c)
{
    study_put_hosts(&p->raw, p->r->few, policy->hosts[c]);
    buf_str(&p->raw, " of ");
    study_put_hosts(&p->raw, p->r->few, policy->hosts_of[c]);
    page_cell(p);
}

static void
put_hosts(struct study_page *p)
{
    static const struct html_col cols[] = {
        {"Policy",            false},
        {"What it does",      false},
        {"Bots stopped",      true },
        {"Mixed",             true },
        {"Legitimate",        true },
        {"Unknown",           true },
        {"Registered",        true },
        {"Do not try again",  true },
        {"A human is asked",  true },
        {"Sites to write to", true },
    };

    html_table(p->out, "Hosts that each policy would have stopped", cols,
               ARRAY_LEN(cols));
    for (size_t i = 0; i < p->r->n_policies && i < STUDY_REPORT_ROWS; i++) {
        const struct study_policy *policy = &p->r->policies[i];

        page_policy_head(p, policy);
        html_raw(p->out, "<td class=\"say\">");
        page_name(p, policy->title, "");
        html_raw(p->out, "<br><span class=\"soft\">");
        page_name(p, policy->terms, "");
        html_raw(p->out, "</span></td>");
        for (size_t c = 0; c < STUDY_CLASS_COUNT; c++)
            cell_stopped(p, policy, (enum study_class)c);
        page_cell_hosts(p, policy->registered);
        page_cell_hosts(p, policy->devices);
        html_cell_number(p->out, policy->holds);
        page_cell_hosts(p, policy->owners);
        html_raw(p->out, "</tr>\n");
    }
    html_table_end(p->out);
    page_more(p, p->r->n_policies, "policies");
}

/* ---- other weeks ---- */

static void
cell_rate(struct study_page *p, uint64_t k, uint64_t n,
          const struct study_figure *f)
{
    study_put_rate(&p->raw, p->r->few, k, n, f);
    page_cell_left(p);
}

static void
put_rates(struct study_page *p)
{
    static const struct html_col cols[] = {
        {"Policy",                                              false},
        {"Of bots it stops",                                    false},
        {"Of legitimate hosts it stops",                        false},
        {"Of those stopped, bots or mixed",                     false},
        {"Ordinary messages lost for 1,000 host-days, at most", false},
    };

    html_table(p->out, "What may be said of other weeks", cols,
               ARRAY_LEN(cols));
    for (size_t i = 0; i < p->r->n_policies && i < STUDY_REPORT_ROWS; i++) {
        const struct study_policy *policy = &p->r->policies[i];

        page_policy_head(p, policy);
        cell_rate(p, policy->hosts[STUDY_BOT], policy->hosts_of[STUDY_BOT],
                  &policy->right);
        cell_rate(p, policy->hosts[STUDY_LEGITIMATE],
                  policy->hosts_of[STUDY_LEGITIMATE], &policy->wrong);
        cell_rate(p, study_count(policy->precise.k),
                  study_count(policy->precise.n), &policy->precise);
        study_put_figure(&p->raw, &policy->lost, false);
        page_cell_left(p);
        html_raw(p->out, "</tr>\n");
    }
    html_table_end(p->out);
}

/* ---- mail ---- */

static void
put_mail(struct study_page *p)
{
    static const struct html_col cols[] = {
        {"Policy",                          false},
        {"Malicious messages stopped",      true },
        {"Sent before the first stop",      true },
        {"Ordinary lost",                   true },
        {"Ordinary late",                   true },
        {"Unclear stopped",                 true },
        {"Messages under TLS within stops", true },
        {"Stops",                           true },
    };

    html_table(p->out, "What it does to mail; least to most", cols,
               ARRAY_LEN(cols));
    for (size_t i = 0; i < p->r->n_policies && i < STUDY_REPORT_ROWS; i++) {
        const struct study_outcome *o = &p->r->policies[i].total;

        page_policy_head(p, &p->r->policies[i]);
        page_cell_range(p, o->stopped[STUDY_MALICIOUS], o->after);
        html_cell_number(p->out, o->before);
        page_cell_range(p, o->lost_least, o->lost_most);
        page_cell_range(p, o->delayed_least, o->delayed_most);
        html_cell_number(p->out, o->stopped[STUDY_UNCLEAR]);
        page_cell_range(p, o->tls_least, o->tls_most);
        html_cell_number(p->out, o->blocks);
        html_raw(p->out, "</tr>\n");
    }
    html_table_end(p->out);
    page_words(p,
               "Malicious: the least is what a bot sends that tries for ever, "
               "the most where it gives up at the first stop. Lost: the least "
               "takes every host that is not known to give up for a mail "
               "server, which keeps its mail and tries again for days; the "
               "most takes only those that were seen to try again.");
}

static void
put_spared(struct study_page *p)
{
    static const struct html_col cols[] = {
        {"Policy",                      false},
        {"Recipients spared",           true },
        {"Share of all, with interval", false},
        {"None goes another way",       true },
        {"Half does",                   true },
        {"All does",                    true },
    };

    html_table(p->out,
               "Recipients of malicious mail that are spared, and what is left "
               "when it goes another way",
               cols, ARRAY_LEN(cols));
    for (size_t i = 0; i < p->r->n_policies && i < STUDY_REPORT_ROWS; i++) {
        const struct study_policy *policy = &p->r->policies[i];

        page_policy_head(p, policy);
        page_cell_range(p, policy->total.rcpt[STUDY_MALICIOUS],
                        policy->total.after_rcpt);
        study_put_figure(&p->raw, &policy->spared, true);
        page_cell_left(p);
        for (size_t k = 0; k < ARRAY_LEN(policy->displaced); k++) {
            study_put_real(&p->raw, policy->displaced[k], "");
            page_cell(p);
        }
        html_raw(p->out, "</tr>\n");
    }
    html_table_end(p->out);
    page_words(p, "Only recipients that were accepted count. A host that is "
                  "stopped on port 25 may send by port 587, by webmail, or "
                  "through another host: how much does is not known before a "
                  "policy takes force.");
}

/* ---- time ---- */

static void
widen(struct study_plot *plot, const struct study_times *t)
{
    for (size_t k = 0; k < t->n_steps; k++) {
        double at = t->steps[k].at;

        if (!isfinite(at) || at < 1)
            continue;
        plot->x_low = at < plot->x_low ? at : plot->x_low;
        plot->x_high = at > plot->x_high ? at : plot->x_high;
    }
}

/* The proposed policy first and drawn last, with its band; others follow in
 * their order. */
static size_t
pick_lines(struct study_page *p, struct study_line lines[STUDY_LINES_MAX],
           const struct study_policy *of[STUDY_LINES_MAX],
           struct study_plot *plot)
{
    const struct study_result *r = p->r;
    size_t n = 0;

    for (size_t i = 0; i <= r->n_policies && n < STUDY_LINES_MAX; i++) {
        const struct study_policy *policy =
            i == 0 ? p->f->p : &r->policies[i - 1];

        if (policy == NULL || (i > 0 && policy == p->f->p) ||
            policy->seconds.n_steps == 0)
            continue;
        of[n] = policy;
        lines[n] = (struct study_line){
            .v = policy->seconds.steps,
            .n = policy->seconds.n_steps,
            .style = policy == p->f->p ? 0U
                     : n == 0          ? 1U
                                       : (unsigned)n,
            .steps = true,
            .band = policy == p->f->p,
        };
        widen(plot, &policy->seconds);
        n++;
    }
    return n;
}

static void
put_keys(struct study_page *p, const struct study_line *lines,
         const struct study_policy *const *of, size_t n)
{
    html_raw(p->out, "<ul class=\"legend\">\n");
    for (size_t i = 0; i < n; i++) {
        html_raw(p->out, "<li>");
        study_svg_key(p->out, lines[i].style, false);
        html_raw(p->out, "<span>");
        page_name(p, of[i]->name, "(no name)");
        html_raw(p->out, lines[i].band ? ", proposed; band: 95 %" : "");
        html_raw(p->out, "</span></li>\n");
    }
    html_raw(p->out, "</ul>\n");
}

static void
put_curves(struct study_page *p)
{
    struct study_line lines[STUDY_LINES_MAX];
    const struct study_policy *of[STUDY_LINES_MAX];
    struct study_plot plot = {
        .title = "Share of hosts that are stopped, by time",
        .desc = "Steps rise at each stop; the table below has median, nine of "
                "ten and 95 of 100",
        .x_title = "from the first malicious message to the stop (log scale)",
        .y_title = "stopped",
        .seconds = true,
        .share = true,
        .x_low = 10,
        .x_high = 3600,
        .y_high = 1,
        .chosen = (double)NAN,
        .lines = lines,
    };

    plot.n_lines = pick_lines(p, lines, of, &plot);
    if (plot.n_lines == 0)
        return;
    page_figure(p, "How fast each policy stops a host whose abuse began within "
                   "the window");
    study_svg_plot(p->out, &plot);
    html_raw(p->out, "</div>\n");
    put_keys(p, lines, of, plot.n_lines);
    html_raw(p->out, "</figure>\n");
}

static void
cell_times(struct study_page *p, const struct study_times *t, bool seconds,
           double at)
{
    if (t->hosts == 0 || isnan(at))
        buf_str(&p->raw, "-");
    else if (seconds)
        study_put_seconds(&p->raw, at);
    else
        study_put_real(&p->raw, at, "not reached");
    page_cell(p);
}

static void
put_times(struct study_page *p)
{
    static const struct html_col cols[] = {
        {"Policy",                  false},
        {"Hosts (n)",               true },
        {"Stopped",                 true },
        {"Began before the window", true },
        {"Median time",             true },
        {"9 of 10",                 true },
        {"95 of 100",               true },
        {"Median in messages",      true },
        {"9 of 10",                 true },
        {"95 of 100",               true },
    };

    html_table(p->out,
               "Time from the first malicious message to the stop, in time and "
               "in messages",
               cols, ARRAY_LEN(cols));
    for (size_t i = 0; i < p->r->n_policies && i < STUDY_REPORT_ROWS; i++) {
        const struct study_times *s = &p->r->policies[i].seconds;
        const struct study_times *m = &p->r->policies[i].messages;

        page_policy_head(p, &p->r->policies[i]);
        page_cell_hosts(p, s->hosts);
        page_cell_hosts(p, s->stopped);
        page_cell_hosts(p, s->truncated);
        cell_times(p, s, true, s->median);
        cell_times(p, s, true, s->p90);
        cell_times(p, s, true, s->p95);
        cell_times(p, m, false, m->median);
        cell_times(p, m, false, m->p90);
        cell_times(p, m, false, m->p95);
        html_raw(p->out, "</tr>\n");
    }
    html_table_end(p->out);
    page_words(p, "Hosts that were never stopped count until they were last "
                  "seen; those whose abuse was there before the window are "
                  "left out. Not reached: so many are never stopped.");
}

/* ---- cost ---- */

static void
cell_real(struct study_page *p, double v, const char *never)
{
    if (isnan(v))
        buf_str(&p->raw, "-");
    else
        study_put_real(&p->raw, v, never);
    page_cell(p);
}

static void
put_costs(struct study_page *p)
{
    static const struct html_col cols[] = {
        {"Policy",                     false},
        {"Staff hours",                true },
        {"Alerts",                     true },
        {"Wrong stops",                true },
        {"Forms",                      true },
        {"Ties with doing nothing",    true },
        {"Ties with the policy above", true },
        {"Stopped on the first day",   true },
        {"Later",                      true },
        {"A day",                      true },
    };

    html_table(p->out, "Work, break-even, and the first day against later days",
               cols, ARRAY_LEN(cols));
    for (size_t i = 0; i < p->r->n_policies && i < STUDY_REPORT_ROWS; i++) {
        const struct study_policy *policy = &p->r->policies[i];

        page_policy_head(p, policy);
        cell_real(p, policy->staff_h, "");
        cell_real(p, policy->staff_h_alerts, "");
        cell_real(p, policy->staff_h_tickets, "");
        cell_real(p, policy->staff_h_forms, "");
        cell_real(p, policy->tie_none, "never");
        cell_real(p, policy->tie_next, "never");
        page_cell_hosts(p, policy->first_day);
        page_cell_hosts(p, policy->later_days);
        cell_real(p, policy->per_day, "");
        html_raw(p->out, "</tr>\n");
    }
    html_table_end(p->out);
    page_words(p,
               "Ties: what a lost ordinary message may cost, in malicious "
               "recipients spared, for the two to be worth the same. Above it "
               "the policy is worth less. Never: it loses no ordinary message. "
               "Who decides says what a lost message is worth; the study does "
               "not.");
}

static void
put_by_day(struct study_page *p)
{
    const struct study_policy *policy = p->f->p;

    if (policy == NULL || policy->by_day == NULL || p->r->n_days == 0)
        return;
    page_figure(p, "Hosts that the proposed policy stops for the first time, "
                   "by day");
    study_svg_days(p->out,
                   "Hosts that the proposed policy stops for the first time",
                   "hosts", policy->by_day, p->r->days, p->r->n_days);
    page_figure_end(p);
}

/* ---- the same decisions ---- */

static void
say_decisions(struct study_page *p)
{
    const struct study_result *r = p->r;

    page_heading(p, "The same code as in the sensor");
    if (!r->decisions_there) {
        page_words(p, "The input has no decisions of a sensor, so that the "
                      "replay could not be compared with them.");
        return;
    }
    words_number(&p->raw, r->decisions_same);
    buf_str(&p->raw, " of ");
    words_count(&p->raw, r->decisions_journal,
                "decision that the sensor journaled is",
                "decisions that the sensor journaled are");
    buf_str(&p->raw, " made by the replay too; the replay makes ");
    words_number(&p->raw, r->decisions_here);
    buf_str(&p->raw, " in all");
    page_say(p);
    if (r->decisions_differ != NULL) {
        html_raw(p->out, "<p>The first one that differs: ");
        page_name(p, r->decisions_differ, "");
        html_raw(p->out, ".</p>\n");
    }
}

/* ---- where the limits come from ---- */

static bool
is_tuned(const struct study_result *r)
{
    uint64_t hosts = 0;

    for (size_t c = 0; c < STUDY_CLASS_COUNT && r->n_policies > 0; c++)
        hosts = words_add(hosts, r->policies[0].tuned_of[c]);
    return r->holdout != 0 && hosts > 0;
}

static void
cell_part(struct study_page *p, uint64_t k, uint64_t n)
{
    words_number(&p->raw, k);
    buf_str(&p->raw, " of ");
    words_number(&p->raw, n);
    page_cell(p);
}

static void
put_tuned(struct study_page *p)
{
    static const struct html_col cols[] = {
        {"Policy",                     false},
        {"Bots stopped",               true },
        {"Mixed",                      true },
        {"Legitimate",                 true },
        {"Unknown",                    true },
        {"Malicious messages stopped", true },
        {"Ordinary lost",              true },
        {"Stops",                      true },
    };

    if (!is_tuned(p->r))
        return;
    html_table(p->out, "The same on the days on which limits were set", cols,
               ARRAY_LEN(cols));
    for (size_t i = 0; i < p->r->n_policies && i < STUDY_REPORT_ROWS; i++) {
        const struct study_policy *policy = &p->r->policies[i];
        const struct study_outcome *o = &policy->tuned;

        page_policy_head(p, policy);
        for (size_t c = 0; c < STUDY_CLASS_COUNT; c++)
            cell_part(p, policy->tuned_hosts[c], policy->tuned_of[c]);
        page_cell_range(p, o->stopped[STUDY_MALICIOUS], o->after);
        page_cell_range(p, o->lost_least, o->lost_most);
        html_cell_number(p->out, o->blocks);
        html_raw(p->out, "</tr>\n");
    }
    html_table_end(p->out);
    page_words(p, "All other figures are of the days held out. Where the two "
                  "differ much, the limits fit the days on which they were "
                  "set, and not others.");
}

void
study_html_policies(struct study_page *p)
{
    if (p->r->n_policies == 0) {
        page_words(p, "No policy was replayed.");
        return;
    }
    page_words(p, "Each policy met the same recorded traffic. Counts are of "
                  "the window and have no interval.");
    put_hosts(p);
    put_mail(p);
    put_spared(p);
    put_tuned(p);
    page_heading(p, "Other weeks");
    put_rates(p);
    page_heading(p, "Time to stop");
    put_curves(p);
    put_times(p);
    page_heading(p, "What it costs");
    put_costs(p);
    put_by_day(p);
    say_decisions(p);
}
