#include "dashboards/study_page.h"

#include "dashboards/chart.h"

#include <math.h>
#include <stdlib.h>

/* ---- sites ---- */

/* A site with what the proposed policy does to it. */
struct site {
    const struct study_site *s;
    uint64_t stopped, legitimate;
};

static int
more_hit(const void *a, const void *b)
{
    const struct site *x = a;
    const struct site *y = b;

    if (x->legitimate != y->legitimate)
        return x->legitimate > y->legitimate ? -1 : 1;
    if (x->s->legitimate != y->s->legitimate)
        return x->s->legitimate > y->s->legitimate ? -1 : 1;
    return x->s < y->s ? -1 : x->s > y->s ? 1 : 0;
}

static void
cell_bar(struct study_page *p, uint64_t n, uint64_t most, bool solid)
{
    html_raw(p->out, "<td class=\"n\">");
    study_put_hosts(&p->raw, p->r->few, n);
    html_flush(p->out, &p->raw);
    chart_bar(p->out, n, most, solid);
    html_raw(p->out, "</td>");
}

static void
row_site(struct study_page *p, const struct site *s, uint64_t most,
         uint64_t most_hit)
{
    html_raw(p->out, "<tr><th scope=\"row\">");
    page_name(p, s->s->code, "no code");
    html_raw(p->out, "</th><td class=\"name\">");
    page_name(p, s->s->name, "not known");
    html_raw(p->out, "</td><td>");
    page_name(p, s->s->contact, "not known: find the owner");
    html_raw(p->out, "</td>");
    page_cell_hosts(p, s->s->hosts);
    page_cell_hosts(p, s->s->registered);
    cell_bar(p, s->s->legitimate, most, false);
    page_cell_hosts(p, s->stopped);
    cell_bar(p, s->legitimate, most_hit, true);
    html_raw(p->out, "</tr>\n");
}

static void
put_rows(struct study_page *p, const struct site *v, size_t n)
{
    static const struct html_col cols[] = {
        {"Site",                                       false},
        {"Name",                                       false},
        {"Contact",                                    false},
        {"Hosts",                                      true },
        {"Registered",                                 true },
        {"Not registered, look legitimate or unknown", true },
        {"The proposed policy stops",                  true },
        {"Of these legitimate or unknown",             true },
    };
    uint64_t most = 0;
    uint64_t most_hit = 0;

    for (size_t i = 0; i < n; i++) {
        most = v[i].s->legitimate > most ? v[i].s->legitimate : most;
        most_hit = v[i].legitimate > most_hit ? v[i].legitimate : most_hit;
    }
    html_table(p->out, "Sites, those with most wrong stops first", cols,
               ARRAY_LEN(cols));
    for (size_t i = 0; i < n && i < STUDY_REPORT_ROWS; i++)
        row_site(p, &v[i], most, most_hit);
    html_table_end(p->out);
    page_more(p, n, "sites");
}

static void
say_contacts(struct study_page *p)
{
    const struct study_result *r = p->r;
    uint64_t without = 0;

    for (size_t i = 0; i < r->n_sites; i++)
        without += r->sites[i].contact == NULL;
    buf_str(&p->raw, "a contact is known for ");
    words_part(&p->raw, r->n_sites - without, r->n_sites, "site", NULL);
    p->raw.p[0] = 'A';
    if (without > 0) {
        buf_str(&p->raw, "; for ");
        words_number(&p->raw, without);
        buf_str(&p->raw, " the owner is to be found first");
    }
    page_say(p);
}

void
study_html_sites(struct study_page *p)
{
    const struct study_result *r = p->r;
    struct site *v;

    if (r->n_sites == 0) {
        page_words(p, "No sites are known: hosts were not matched with a "
                      "registry or with sites of the configuration.");
        return;
    }
    v = calloc(r->n_sites, sizeof(*v));
    p->out->failed |= v == NULL;
    if (v == NULL)
        return;
    for (size_t i = 0; i < r->n_sites; i++) {
        const struct study_site *s = &r->sites[i];
        bool any = p->f->p != NULL;

        v[i].s = s;
        v[i].stopped = any && s->stopped != NULL ? s->stopped[p->f->p_at] : 0;
        v[i].legitimate = any && s->stopped_legitimate != NULL
                              ? s->stopped_legitimate[p->f->p_at]
                              : 0;
    }
    qsort(v, r->n_sites, sizeof(*v), more_hit);
    say_contacts(p);
    put_rows(p, v, r->n_sites);
    free(v);
}

/* ---- hosts ---- */

static void
put_stopped_by(struct study_page *p, const struct study_host_row *h)
{
    bool any = false;

    html_raw(p->out, "<td>");
    for (size_t i = 0; h->outcomes != NULL && i < p->r->n_policies; i++) {
        if (h->outcomes[i].first == 0)
            continue;
        html_raw(p->out, any ? ", " : "");
        page_name(p, p->r->policies[i].name, "(no name)");
        any = true;
    }
    html_text(p->out, any ? "" : NULL);
    html_raw(p->out, "</td>");
}

static const char *
tries_again(const struct study_host_row *h)
{
    if (h->queueing)
        return "yes";
    return h->fire_and_forget ? "no" : "not seen";
}

static void
row_host(struct study_page *p, const struct study_host_row *h)
{
    html_raw(p->out, "<tr><th scope=\"row\">");
    html_addr(p->out, &h->addr);
    html_raw(p->out, "</th>");
    html_cell_names(p->out, h->name, h->helo);
    html_raw(p->out, "<td>");
    page_name(p, h->site, "not known");
    html_raw(p->out, "</td>");
    html_raw(p->out, "<td>");
    html_text(p->out, study_class_word(h->class));
    html_raw(p->out,
             h->reviewed ? " <span class=\"soft\">(reviewed)</span>" : "");
    html_raw(p->out, "</td>");
    html_raw(p->out, "<td>");
    page_name(p, h->device, "not known");
    html_raw(p->out, "</td>");
    html_cell(p->out, h->registered ? "yes" : "no");
    html_cell(p->out, tries_again(h));
    html_cell_number(p->out, h->messages);
    html_cell_number(p->out, h->bad);
    html_cell_number(p->out, h->days);
    html_raw(p->out, "<td class=\"t\">");
    html_time(p->out, h->first);
    html_raw(p->out, "<br>");
    html_time(p->out, h->last);
    html_raw(p->out, "</td>");
    study_put_real(&p->raw, h->score, "");
    page_cell(p);
    put_stopped_by(p, h);
    html_raw(p->out, "</tr>\n");
}

void
study_html_hosts(struct study_page *p)
{
    static const struct html_col cols[] = {
        {"Host",                   false},
        {"Name, and as it greets", false},
        {"Site",                   false},
        {"Class",                  false},
        {"Looks like",             false},
        {"Registered",             false},
        {"Tries again",            false},
        {"Messages",               true },
        {"Judged bad",             true },
        {"Days",                   true },
        {"First and last seen",    false},
        {"Score",                  true },
        {"Stopped by",             false},
    };
    const struct study_result *r = p->r;

    if (r->n_hosts == 0) {
        page_words(p, r->anonymized != NULL
                          ? "Hosts are left out: this report is for sharing."
                          : "No host at home sent outward on port 25.");
        return;
    }
    page_words(p, "Those first whose wrong stop would cost most: legitimate "
                  "messages a day, times how critical the device is, times two "
                  "where it does not try again, times how likely the host is "
                  "legitimate.");
    html_table(p->out, "Hosts at home that sent outward", cols,
               ARRAY_LEN(cols));
    for (size_t i = 0; i < r->n_hosts && i < STUDY_REPORT_ROWS; i++)
        row_host(p, &r->hosts[i]);
    html_table_end(p->out);
    page_more(p, r->n_hosts, "hosts");
}
