#include "dashboards/study_page.h"

#include "sensor/base/text.h"

#define DATE_LEN 11 /* 2027-01-11? */

/* ---- cover ---- */

static void
open_row(struct study_page *p, const char *term)
{
    html_raw(p->out, "<dt>");
    html_text(p->out, term);
    html_raw(p->out, "</dt><dd>");
}

static void
close_row(struct study_page *p)
{
    html_raw(p->out, "</dd>\n");
}

static void
row_name(struct study_page *p, const char *term, const char *name,
         const char *otherwise)
{
    open_row(p, term);
    page_name(p, name, otherwise);
    close_row(p);
}

static void
row_raw(struct study_page *p, const char *term)
{
    open_row(p, term);
    html_flush(p->out, &p->raw);
    close_row(p);
}

static void
row_code(struct study_page *p, const char *term, const char *text,
         const char *otherwise)
{
    open_row(p, term);
    if (text != NULL && text[0] != '\0') {
        html_raw(p->out, "<code>");
        html_text(p->out, text);
        html_raw(p->out, "</code>");
    } else {
        page_name(p, NULL, otherwise);
    }
    close_row(p);
}

static void
put_window(struct study_page *p)
{
    const struct study_result *r = p->r;

    words_range(&p->raw, r->from, r->to, NULL);
    row_raw(p, "Window");
    if (r->holdout != 0) {
        buf_str(&p->raw, "limits were set before ");
        study_put_date(&p->raw, r->holdout);
        buf_str(&p->raw, "; figures are of the days from then on");
    } else {
        buf_str(&p->raw, "none: limits and figures are of the same days");
    }
    row_raw(p, "Days held out");
    if (r->warm_from != 0 && r->warm_from < r->from) {
        buf_str(&p->raw, "statistics were kept from ");
        words_time(&p->raw, r->warm_from, NULL);
        row_raw(p, "Warm-up");
    }
}

static void
put_inputs(struct study_page *p)
{
    static const struct html_col cols[] = {
        {"Input",                false},
        {"Kind",                 false},
        {"Events",               true },
        {"Faults",               true },
        {"First and last event", false},
        {"SHA-256",              false},
    };
    const struct study_result *r = p->r;

    html_table(p->out, "What was read", cols, ARRAY_LEN(cols));
    for (size_t i = 0; i < r->n_inputs && i < STUDY_REPORT_ROWS; i++) {
        const struct study_input *in = &r->inputs[i];

        html_raw(p->out, "<tr><th scope=\"row\">");
        page_name(p, in->name, "(no name)");
        html_raw(p->out, "</th>");
        html_cell(p->out, in->kind);
        html_cell_number(p->out, in->events);
        html_cell_number(p->out, in->faults);
        html_raw(p->out, "<td class=\"t\">");
        html_time(p->out, in->first);
        html_raw(p->out, "<br>");
        html_time(p->out, in->last);
        html_raw(p->out, "</td><td class=\"sum\">");
        html_text(p->out, in->hash);
        html_raw(p->out, "</td></tr>\n");
    }
    html_table_end(p->out);
    page_more(p, r->n_inputs, NULL);
}

static void
put_provenance(struct study_page *p)
{
    const struct study_result *r = p->r;

    html_raw(p->out, "<dl>");
    put_window(p);
    row_name(p, "Sensors", r->sensors, "not given");
    row_name(p, "Author", r->author, "not given");
    row_name(p, "Reviewer", r->reviewer, "nobody yet");
    row_name(p, "Status", r->status, "not given");
    row_name(p, "Classification", r->classification, "not given");
    if (r->anonymized != NULL)
        row_name(p, "Made for sharing", r->anonymized, "");
    row_name(p, "span25", r->version, "not given");
    row_code(p, "Rules, SHA-256", r->rules_hash, "not given");
    row_code(p, "Configuration, SHA-256", r->config_hash, "not given");
    row_name(p, "Criteria", r->criteria_file,
             "none were agreed on before the study");
    if (r->criteria_hash != NULL)
        row_code(p, "Criteria, SHA-256", r->criteria_hash, "");
    row_code(p, "Command", r->command, "not given");
    html_raw(p->out, "</dl>\n");
}

void
study_html_cover(struct study_page *p)
{
    const struct study_result *r = p->r;

    html_raw(p->out, "<header>\n<p class=\"brand\">span25 " SPAN25_VERSION
                     " \xc2\xb7 impact study</p>\n<h1>");
    page_name(p, r->title, "Impact study");
    html_raw(p->out, "</h1>\n<p class=\"lead\">");
    words_range(&p->raw, r->from, r->to, NULL);
    html_flush(p->out, &p->raw);
    html_raw(p->out, "</p>\n");
    if (r->demo)
        html_raw(p->out, "<p class=\"note\"><strong>Demo.</strong> This "
                         "traffic was made; none of it is yours.</p>\n");
    html_raw(p->out, "</header>\n<main>\n<section id=\"cover\" "
                     "class=\"cover\"><h2>Cover</h2>\n");
    put_provenance(p);
    put_inputs(p);
    page_section_end(p);
}

/* ---- decision ---- */

/* A date is not broken in two. */
static void
put_question(struct study_page *p)
{
    struct span text;
    size_t n;

    study_say_question(&p->raw, p->f);
    text = buf_view(&p->raw);
    n = p->r->effective != 0 && text.n > DATE_LEN ? text.n - DATE_LEN : text.n;
    text_html(p->out, span_head(text, n));
    if (n < text.n) {
        html_raw(p->out, "<span class=\"num\">");
        text_html(p->out, span_tail(text, n));
        html_raw(p->out, "</span>");
    }
    buf_reset(&p->raw);
}

static void
put_advice(struct study_page *p)
{
    static const enum study_verdict marks[] = {
        [STUDY_ADVICE_YES] = STUDY_PASS,
        [STUDY_ADVICE_NO] = STUDY_FAIL,
        [STUDY_ADVICE_NOT_YET] = STUDY_NOT_KNOWN,
        [STUDY_ADVICE_NONE] = STUDY_NOT_KNOWN,
    };

    html_raw(p->out, "<p class=\"verdict\">");
    study_svg_verdict(p->out, marks[p->f->advice]);
    html_raw(p->out, "<span>Recommendation: ");
    html_text(p->out, study_advice_word(p->f->advice));
    html_raw(p->out, ". <span class=\"of\">");
    study_say_advice(&p->raw, p->f);
    if (p->raw.n > 0 && p->raw.p[0] >= 'a' && p->raw.p[0] <= 'z')
        p->raw.p[0] = (uint8_t)(p->raw.p[0] - 'a' + 'A');
    buf_putc(&p->raw, '.');
    html_flush(p->out, &p->raw);
    html_raw(p->out, "</span></span></p>\n");
}

static void
put_policy(struct study_page *p)
{
    const struct study_policy *policy = p->f->p;

    if (policy == NULL)
        return;
    html_raw(p->out, "<p>");
    page_name(p, policy->name, "(no name)");
    html_raw(p->out, ": ");
    page_name(p, policy->title, "(no title)");
    if (policy->terms != NULL && policy->terms[0] != '\0') {
        html_raw(p->out, " <span class=\"soft\">(");
        page_name(p, policy->terms, "");
        html_raw(p->out, ")</span>");
    }
    html_raw(p->out, "</p>\n");
}

static void
put_keys(struct study_page *p)
{
    struct buf label;
    struct buf note;

    if (p->f->p == NULL)
        return;
    buf_init(&label, 1024);
    buf_init(&note, 1024);
    html_raw(p->out, "<ul class=\"keys\">\n");
    for (size_t i = 0; i < STUDY_KEYS; i++) {
        struct study_key k = {&p->raw, &label, &note};

        if (!study_say_key(&k, p->f, i))
            break;
        html_raw(p->out, "<li><b>");
        html_flush(p->out, &p->raw);
        html_raw(p->out, "</b> <span>");
        html_flush(p->out, &label);
        html_raw(p->out, "</span> <span class=\"of\">");
        html_flush(p->out, &note);
        html_raw(p->out, "</span></li>\n");
    }
    html_raw(p->out, "</ul>\n");
    buf_free(&label);
    buf_free(&note);
}

static void
put_list(struct study_page *p, enum study_list l)
{
    if (!study_say_line(&p->raw, p->f, l, 0))
        return;
    html_raw(p->out, "<div>");
    page_heading(p, study_list_title(p->f, l));
    html_raw(p->out, "<ul>\n");
    for (size_t i = 1; p->raw.n > 0; i++) {
        page_item(p);
        (void)study_say_line(&p->raw, p->f, l, i);
    }
    html_raw(p->out, "</ul></div>\n");
}

static void
put_signature(struct study_page *p)
{
    static const char *const lines[] = {
        "Approved, with the conditions, or refused",
        "Name and position",
        "Date",
        "Signature",
    };

    html_raw(p->out, "<ul class=\"sign\">\n");
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        html_raw(p->out, "<li>");
        html_text(p->out, lines[i]);
        html_raw(p->out, "</li>\n");
    }
    html_raw(p->out, "</ul>\n");
}

void
study_html_decision(struct study_page *p)
{
    html_raw(p->out, "<section id=\"decision\" class=\"decision\"><h2>");
    put_question(p);
    html_raw(p->out, "</h2>\n");
    put_policy(p);
    put_advice(p);
    put_keys(p);
    html_raw(p->out, "<div class=\"pair\">\n");
    for (size_t l = 0; l < STUDY_LIST_COUNT; l++)
        put_list(p, (enum study_list)l);
    html_raw(p->out, "</div>\n");
    put_signature(p);
    page_section_end(p);
}

/* ---- go or no go ---- */

static void
row_criterion(struct study_page *p, const struct study_criterion *c)
{
    html_raw(p->out, "<tr><th scope=\"row\">");
    page_name(p, c->name, "(no name)");
    html_raw(p->out, "</th><td class=\"num\">");
    page_verdict(p, c->verdict, study_verdict_word(c->verdict));
    html_raw(p->out, "</td>");
    study_say_measured(&p->raw, c);
    page_cell(p);
    html_raw(p->out, "<td class=\"num\">");
    page_name(p, c->limit, "not given");
    html_raw(p->out, "</td><td>");
    page_name(p, c->measure, "");
    if (c->why != NULL) {
        html_raw(p->out, ": ");
        page_name(p, c->why, "");
    }
    html_raw(p->out, "</td></tr>\n");
}

void
study_html_criteria(struct study_page *p)
{
    static const struct html_col cols[] = {
        {"Criterion",                        false},
        {"Result",                           false},
        {"Measured",                         true },
        {"Limit",                            false},
        {"Measure, and why it is not known", false},
    };
    const struct study_result *r = p->r;

    if (r->n_criteria == 0) {
        page_words(p, "No criteria were agreed on before the study, so that "
                      "nothing here can pass or fail.");
        return;
    }
    buf_str(&p->raw, "Agreed on before the study: ");
    words_number(&p->raw, p->f->passed);
    buf_str(&p->raw, " of ");
    words_count(&p->raw, r->n_criteria, "criterion passes", "criteria pass");
    buf_str(&p->raw, ", ");
    words_number(&p->raw, p->f->failed);
    buf_str(&p->raw, p->f->failed == 1 ? " fails, " : " fail, ");
    words_number(&p->raw, p->f->unknown);
    buf_str(&p->raw, " cannot be judged");
    page_say(p);
    html_table(p->out, "Criteria", cols, ARRAY_LEN(cols));
    for (size_t i = 0; i < r->n_criteria && i < STUDY_REPORT_ROWS; i++)
        row_criterion(p, &r->criteria[i]);
    html_table_end(p->out);
    page_more(p, r->n_criteria, NULL);
}
