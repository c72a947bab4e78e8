#include "rules/registry/form_text.h"

#include <inttypes.h>

#include "sensor/base/text.h"

#define TITLE "Registration of mail servers"
#define STAR  "* must be filled in; without it the 48 hours do not begin"

/* A group has the fields whose paths begin so; "" has those of the lines. */
static const struct group {
    const char *path;
    const char *title;
} groups[] = {
    {"site.",               "Site"               },
    {"contacts.site.",      "Site contact"       },
    {"contacts.technical.", "Technical contact"  },
    {"contacts.billing.",   "Billing contact"    },
    {"contacts.abuse.",     "Abuse contact"      },
    {"totals.",             "Totals"             },
    {"",                    "Addresses and ports"},
    {"conditions.",         "Conditions"         },
    {"signature.",          "Signature"          },
    {"notes",               "Office use"         },
};

static const char *const office_labels[] = {
#define LABEL(id, label) label,
    FORM_TEXT_OFFICE(LABEL)
#undef LABEL
};

static bool
is_of_lines(const struct group *g)
{
    return g->path[0] == 0;
}

/* The office's own part has this group's fields too. */
static bool
is_of_office(const struct group *g)
{
    return g == &groups[ARRAY_LEN(groups) - 1];
}

static bool
has_field(const struct form_text *t, const struct group *g, unsigned i)
{
    const struct form_row *row = &form_rows[i];

    if (t->without_personal && row->personal)
        return false;
    if (is_of_lines(g))
        return row->scope == FORM_SCOPE_LINE;
    return row->scope == FORM_SCOPE_FORM &&
           strncmp(row->path, g->path, strlen(g->path)) == 0;
}

static bool
has_any(const struct form_text *t, const struct group *g)
{
    for (unsigned i = 0; i < FORM_FIELD_COUNT; i++) {
        if (has_field(t, g, i))
            return true;
    }
    return is_of_office(g);
}

static const char *
value_of(const struct form_text *t, unsigned field)
{
    return t->form != NULL ? t->form->text[field] : NULL;
}

static size_t
n_lines(const struct form_text *t)
{
    return t->blank_lines + (t->form != NULL ? t->form->n_lines : 0);
}

/* NULL: one to write in. */
static const struct form_line *
line_at(const struct form_text *t, size_t i)
{
    return t->form != NULL && i < t->form->n_lines ? &t->form->lines[i] : NULL;
}

/* ---- plain text ---- */

#define LABEL_WIDTH 34U
#define ROOM        "______________________________"

static void
plain_value(struct buf *out, const char *text)
{
    if (text != NULL)
        text_term(out, span_str(text));
    else
        buf_str(out, ROOM);
    buf_putc(out, '\n');
}

static void
plain_label(struct buf *out, const char *label, bool must)
{
    size_t n = strlen(label) + (must ? 2 : 0);

    buf_str(out, "  ");
    buf_str(out, label);
    if (must)
        buf_str(out, " *");
    for (; n < LABEL_WIDTH; n++)
        buf_putc(out, ' ');
    buf_str(out, "  ");
}

static void
plain_field(struct buf *out, unsigned field, const char *text)
{
    const struct form_row *row = &form_rows[field];

    plain_label(out, row->label, row->must);
    plain_value(out, text);
    if (row->help[0] != 0)
        buf_printf(out, "    (%s)\n", row->help);
}

static void
plain_line(const struct form_text *t, const struct group *g, size_t i,
           struct buf *out)
{
    const struct form_line *l = line_at(t, i);

    if (l != NULL && l->number > 0)
        buf_printf(out, "%sLine %" PRIu32 "\n", i > 0 ? "\n" : "", l->number);
    else
        buf_printf(out, "%sLine %s\n", i > 0 ? "\n" : "",
                   l != NULL ? "(no number yet)" : "____");
    for (unsigned k = 0; k < FORM_FIELD_COUNT; k++) {
        if (has_field(t, g, k))
            plain_field(out, k, l != NULL ? l->text[k] : NULL);
    }
}

static void
plain_group(const struct form_text *t, const struct group *g, struct buf *out)
{
    buf_printf(out, "\n%s\n", g->title);
    for (size_t i = 0; g->title[i] != 0; i++)
        buf_putc(out, '-');
    buf_putc(out, '\n');
    for (size_t i = 0; is_of_lines(g) && i < n_lines(t); i++)
        plain_line(t, g, i, out);
    for (size_t i = 0; is_of_office(g) && i < FORM_TEXT_OFFICE_COUNT; i++) {
        plain_label(out, office_labels[i], false);
        plain_value(out, t->office[i]);
    }
    for (unsigned i = 0; !is_of_lines(g) && i < FORM_FIELD_COUNT; i++) {
        if (has_field(t, g, i))
            plain_field(out, i, value_of(t, i));
    }
}

void
form_text_plain(const struct form_text *t, struct buf *out)
{
    bool numbered = t->form != NULL && t->form->number[0] != 0;

    buf_str(out, TITLE "\n\n");
    plain_label(out, "Form number", false);
    plain_value(out, numbered ? t->form->number : NULL);
    buf_str(out, "  " STAR "\n");
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        if (has_any(t, &groups[i]))
            plain_group(t, &groups[i], out);
    }
}

/* ---- the page ---- */

static const char head[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<head>\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
    "'none'; style-src 'unsafe-inline'\">\n"
    "<title>" TITLE "</title>\n"
    "<style>\n"
    "body{font:11pt/1.4 sans-serif;max-width:60em;margin:1em auto;"
    "padding:0 1em;color:#000;background:#fff}\n"
    "h1{font-size:1.4em}\n"
    "h2{font-size:1.1em;margin:1.2em 0 .3em}\n"
    "table{border-collapse:collapse;width:100%}\n"
    "th,td{border:1px solid #777;padding:.25em .5em;text-align:left;"
    "vertical-align:top;overflow-wrap:anywhere}\n"
    "th{width:40%;font-weight:600;background:#f2f2f2}\n"
    "thead th{width:auto;overflow-wrap:normal;font-size:.8em;padding:.25em}\n"
    "thead+tbody td{font-size:.85em;padding:.25em}\n"
    "small{display:block;font-weight:400}\n"
    "td{unicode-bidi:isolate;height:1.4em}\n"
    "@media print{body{margin:0;max-width:none;font-size:9pt}"
    "tr,h2{break-inside:avoid}h2{break-after:avoid}}\n"
    "</style>\n"
    "</head>\n"
    "<body>\n"
    "<h1>" TITLE "</h1>\n";

static void
html_text(struct buf *out, const char *text)
{
    if (text != NULL)
        text_html(out, span_str(text));
}

static void
html_label(struct buf *out, const char *scope, const struct form_row *row)
{
    buf_printf(out, "<th scope=\"%s\">", scope);
    html_text(out, row->label);
    if (row->must)
        buf_str(out, " *");
    if (row->help[0] != 0) {
        buf_str(out, "<small>");
        html_text(out, row->help);
        buf_str(out, "</small>");
    }
    buf_str(out, "</th>");
}

static void
html_value(struct buf *out, const char *text)
{
    buf_str(out, "<td>");
    html_text(out, text);
    buf_str(out, "</td>");
}

static void
html_row(struct buf *out, const char *label, const char *text)
{
    buf_str(out, "<tr><th scope=\"row\">");
    html_text(out, label);
    buf_str(out, "</th>");
    html_value(out, text);
    buf_str(out, "</tr>\n");
}

static void
html_line(const struct form_text *t, const struct group *g, size_t i,
          struct buf *out)
{
    const struct form_line *l = line_at(t, i);

    buf_str(out, "<tr><td>");
    if (l != NULL && l->number > 0)
        buf_printf(out, "%" PRIu32, l->number);
    buf_str(out, "</td>");
    for (unsigned k = 0; k < FORM_FIELD_COUNT; k++) {
        if (has_field(t, g, k))
            html_value(out, l != NULL ? l->text[k] : NULL);
    }
    buf_str(out, "</tr>\n");
}

static void
html_lines(const struct form_text *t, const struct group *g, struct buf *out)
{
    buf_str(out, "<thead><tr><th scope=\"col\">Line</th>");
    for (unsigned i = 0; i < FORM_FIELD_COUNT; i++) {
        if (has_field(t, g, i))
            html_label(out, "col", &form_rows[i]);
    }
    buf_str(out, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < n_lines(t); i++)
        html_line(t, g, i, out);
    buf_str(out, "</tbody>\n");
}

static void
html_group(const struct form_text *t, const struct group *g, struct buf *out)
{
    buf_printf(out, "<h2>%s</h2>\n<table>\n", g->title);
    if (is_of_lines(g))
        html_lines(t, g, out);
    for (size_t i = 0; is_of_office(g) && i < FORM_TEXT_OFFICE_COUNT; i++)
        html_row(out, office_labels[i], t->office[i]);
    for (unsigned i = 0; !is_of_lines(g) && i < FORM_FIELD_COUNT; i++) {
        if (!has_field(t, g, i))
            continue;
        buf_str(out, "<tr>");
        html_label(out, "row", &form_rows[i]);
        html_value(out, value_of(t, i));
        buf_str(out, "</tr>\n");
    }
    buf_str(out, "</table>\n");
}

void
form_text_html(const struct form_text *t, struct buf *out)
{
    buf_str(out, head);
    buf_str(out, "<table>\n");
    html_row(out, "Form number", t->form != NULL ? t->form->number : NULL);
    buf_str(out, "</table>\n<p>" STAR "</p>\n");
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        if (has_any(t, &groups[i]))
            html_group(t, &groups[i], out);
    }
    buf_str(out, "</body>\n</html>\n");
}
