#include "dashboards/study_page.h"

#include <math.h>

#define HOUR_NS    (3600 * NS_PER_S)
#define GAPS_SHOWN 40
#define WEEK_HOURS 168

/* ---- sentences ---- */

static void
say_events(struct study_page *p)
{
    const struct study_result *r = p->r;

    words_count(&p->raw, r->events, "event was read", "events were read");
    buf_str(&p->raw, "; ");
    words_count(&p->raw, r->faults, "line was no event or damaged",
                "lines were no events or damaged");
    buf_str(&p->raw, ", ");
    words_count(&p->raw, r->late, "came after its hour was counted",
                "came after their hour was counted");
    if (r->hosts_refused > 0) {
        buf_str(&p->raw, "; ");
        words_count(&p->raw, r->hosts_refused,
                    "was of a host for which there was no room",
                    "were of hosts for which there was no room");
    }
    page_say(p);
}

static void
say_loss(struct study_page *p)
{
    const struct study_result *r = p->r;

    buf_str(&p->raw, "Bytes that receivers acknowledged and the sensor did not "
                     "see: ");
    study_put_share(&p->raw, r->loss);
    buf_str(&p->raw, "; packets that the sensor dropped: ");
    study_put_share(&p->raw, r->drops);
    buf_str(&p->raw, "; hours with more than 5 % unseen, whose messages are in "
                     "no share: ");
    words_number(&p->raw, r->hours_refused);
    buf_str(&p->raw, ", with ");
    words_count(&p->raw, r->messages_refused, "message", NULL);
    page_say(p);
}

static void
say_sessions(struct study_page *p)
{
    const struct study_result *r = p->r;

    words_part(&p->raw, r->sessions_oneway, r->sessions, "session", NULL);
    buf_str(&p->raw, " with one direction only, and ");
    words_part(&p->raw, r->sessions_tls, r->sessions, "session", NULL);
    buf_str(&p->raw, " encrypted after the greeting: of these no subject, "
                     "recipient or attachment is known");
    if (r->estimated_most > 0) {
        buf_str(&p->raw, "; outward they carried ");
        study_put_range(&p->raw, r->estimated_least, r->estimated_most);
        buf_str(&p->raw, " messages by estimate");
    }
    page_say(p);
}

/* ---- hours ---- */

static void
put_legend(struct study_page *p)
{
    uint64_t n[STUDY_SIGHT_COUNT] = {0};

    for (size_t i = 0; i < p->r->n_hours; i++)
        n[study_sight_of(&p->r->hours[i])]++;
    html_raw(p->out, "<ul class=\"legend\">\n");
    for (size_t s = 0; s < STUDY_SIGHT_COUNT; s++) {
        html_raw(p->out, "<li>");
        study_svg_sight(p->out, (enum study_sight)s);
        html_raw(p->out, "<span>");
        html_text(p->out, study_sight_people((enum study_sight)s));
        html_raw(p->out, "</span> <span class=\"count\">");
        words_count(p->out, n[s], "hour", NULL);
        html_raw(p->out, "</span></li>\n");
    }
    html_raw(p->out, "</ul>\n");
}

static void
row_gap(struct study_page *p, const struct study_hour *first,
        const struct study_hour *last)
{
    html_raw(p->out, "<tr><th scope=\"row\">");
    words_range(&p->raw, first->begin, words_add(last->begin, HOUR_NS), NULL);
    html_flush(p->out, &p->raw);
    html_raw(p->out, "</th>");
    html_cell(p->out, study_sight_people(study_sight_of(first)));
    html_raw(p->out, "</tr>\n");
}

/* Hours one after the other that were not seen whole, in one row. */
static void
put_gaps(struct study_page *p)
{
    static const struct html_col cols[] = {
        {"From and to", false},
        {"What",        false}
    };
    const struct study_hour *h = p->r->hours;
    size_t n = p->r->n_hours;
    size_t shown = 0;
    size_t to;

    html_table(p->out, "Hours that were not watched, or not whole", cols,
               ARRAY_LEN(cols));
    for (size_t i = 0; i < n; i = to) {
        enum study_sight s = study_sight_of(&h[i]);

        for (to = i + 1; to < n && study_sight_of(&h[to]) == s; to++)
            continue;
        if (s == STUDY_SIGHT_SEEN)
            continue;
        if (shown++ < GAPS_SHOWN)
            row_gap(p, &h[i], &h[to - 1]);
    }
    if (shown == 0)
        html_raw(p->out, "<tr><td colspan=\"2\">None.</td></tr>\n");
    html_table_end(p->out);
    if (shown > GAPS_SHOWN) {
        words_count(&p->raw, shown - GAPS_SHOWN, "more row", NULL);
        buf_str(&p->raw, ": the CSV file of hours has all");
        page_say(p);
    }
}

static void
put_strip(struct study_page *p)
{
    if (p->r->n_hours == 0) {
        page_words(p, "How much of each hour was watched was not measured.");
        return;
    }
    page_figure(p, "Hours that were watched, UTC");
    study_svg_strip(p->out, p->r->hours, p->r->n_hours);
    html_raw(p->out, "</div>\n");
    put_legend(p);
    html_raw(p->out, "</figure>\n");
    put_gaps(p);
}

/* Shaded by how often. */
static void
cell_times(struct study_page *p, const void *of, size_t hour)
{
    uint32_t n = ((const uint32_t *)of)[hour];

    buf_printf(p->out, "<td class=\"h%u\">",
               n < PAGE_SHADES ? (unsigned)n : PAGE_SHADES);
    words_number(p->out, n);
    html_raw(p->out, "</td>");
}

static void
put_week(struct study_page *p)
{
    page_heading(p, "The 168 hours of a week");
    words_number(&p->raw, WEEK_HOURS - p->f->week_gap);
    buf_str(&p->raw, " of the 168 hours of a week were covered three times or "
                     "more, each time for 90 % of the hour");
    page_say(p);
    page_week(p, "How often each hour of the week was covered, UTC", cell_times,
              p->r->week);
}

static void
put_sizes(struct study_page *p)
{
    static const struct html_col cols[] = {
        {"Size of the message",         false},
        {"Messages",                    true },
        {"Seen whole with probability", true },
    };
    const struct study_result *r = p->r;

    html_table(p->out,
               "Large messages are lost more often: how many were seen "
               "whole",
               cols, ARRAY_LEN(cols));
    for (size_t i = 0; i < ARRAY_LEN(r->q); i++) {
        html_raw(p->out, "<tr><th scope=\"row\">");
        html_text(p->out, study_size_words[i]);
        html_raw(p->out, "</th>");
        html_cell_number(p->out, r->q_n[i]);
        page_cell_share(p, r->q_n[i] > 0 ? r->q[i] : (double)NAN);
        html_raw(p->out, "</tr>\n");
    }
    html_table_end(p->out);
}

/* ---- what follows ---- */

static void
put_therefore(struct study_page *p)
{
    page_heading(p, "Therefore our counts are lower bounds for");
    html_raw(p->out, "<ul>\n");
    html_raw(p->out,
             "<li>messages, recipients and bytes: of sessions that are "
             "encrypted or not whole none or a part is counted</li>\n"
             "<li>messages with malicious files: large messages are "
             "lost more often than small ones</li>\n"
             "<li>hosts that send: those that send rarely may have sent "
             "on no day of the window, or in a gap</li>\n");
    if (p->f->hours_gap > 0) {
        buf_str(&p->raw, "everything in the ");
        words_count(&p->raw, p->f->hours_gap, "hour that was",
                    "hours that were");
        buf_str(&p->raw, " not watched, or for less than 90 %");
        page_item(p);
    }
    html_raw(p->out, "</ul>\n");
    page_words(p, "Hosts are counted by address: several behind one address "
                  "(NAT) are one here, and one whose address changes is "
                  "several.");
}

void
study_html_sight(struct study_page *p)
{
    say_events(p);
    say_loss(p);
    say_sessions(p);
    put_strip(p);
    put_week(p);
    put_sizes(p);
    put_therefore(p);
}
