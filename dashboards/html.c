#include "dashboards/html.h"

#include "sensor/base/text.h"

#define DASH "<span class=\"none\">\xe2\x80\x93</span>"

void
html_text(struct buf *out, const char *text)
{
    if (text == NULL)
        html_raw(out, DASH);
    else
        text_html(out, span_str(text));
}

/* A per cent sign stays on the line of its number. */
void
html_flush(struct buf *out, struct buf *raw)
{
    struct span left = buf_view(raw);

    while (left.n > 0) {
        size_t n = span_search(left, SPAN_LIT(" %"));

        text_html(out, span_head(left, n));
        if (n < left.n)
            html_raw(out, "&nbsp;");
        left = span_tail(left, n + 1);
    }
    out->failed |= raw->failed;
    buf_reset(raw);
}

void
html_wire_span(struct buf *out, struct span text)
{
    if (text.n == 0) {
        html_raw(out, DASH);
        return;
    }
    html_raw(out, "<bdi class=\"wire\">");
    text_html(out, text);
    html_raw(out, "</bdi>");
}

void
html_wire(struct buf *out, const char *text)
{
    html_wire_span(out, text != NULL ? span_str(text) : SPAN_NONE);
}

void
html_addr(struct buf *out, const struct addr *a)
{
    char text[ADDR_TEXT_MAX];

    html_raw(out, "<span class=\"addr\">");
    buf_put(out, text, addr_format(a, text));
    html_raw(out, "</span>");
}

void
html_time(struct buf *out, ns_t t)
{
    if (t == 0) {
        html_raw(out, DASH);
        return;
    }
    html_raw(out, "<time datetime=\"");
    words_rfc3339(out, t);
    html_raw(out, "\">");
    words_time(out, t, NULL);
    html_raw(out, "</time>");
}

void
html_table(struct buf *out, const char *caption, const struct html_col *cols,
           size_t n_cols)
{
    html_raw(out, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
                  "aria-label=\"");
    html_text(out, caption);
    html_raw(out, "\"><table><caption>");
    html_text(out, caption);
    html_raw(out, "</caption>\n<thead><tr>");
    for (size_t i = 0; i < n_cols; i++) {
        html_raw(out, cols[i].number ? "<th scope=\"col\" class=\"n\">"
                                     : "<th scope=\"col\">");
        html_text(out, cols[i].title);
        html_raw(out, "</th>");
    }
    html_raw(out, "</tr></thead>\n<tbody>\n");
}

void
html_table_end(struct buf *out)
{
    html_raw(out, "</tbody></table></div>\n");
}

void
html_cell(struct buf *out, const char *text)
{
    html_raw(out, "<td>");
    html_text(out, text);
    html_raw(out, "</td>");
}

void
html_cell_raw(struct buf *out, struct buf *raw)
{
    html_raw(out, "<td>");
    html_flush(out, raw);
    html_raw(out, "</td>");
}

void
html_cell_names(struct buf *out, const char *person, const char *wire)
{
    bool any = person != NULL && person[0] != '\0';

    html_raw(out, "<td class=\"name\">");
    if (any) {
        html_raw(out, "<bdi>");
        html_text(out, person);
        html_raw(out, "</bdi>");
    }
    if (!any || (wire != NULL && wire[0] != '\0'))
        html_wire(out, wire);
    html_raw(out, "</td>");
}

void
html_cell_wire(struct buf *out, const char *text)
{
    html_raw(out, "<td>");
    html_wire(out, text);
    html_raw(out, "</td>");
}

void
html_cell_number(struct buf *out, uint64_t n)
{
    html_raw(out, "<td class=\"n\">");
    words_number(out, n);
    html_raw(out, "</td>");
}

void
html_cell_share(struct buf *out, uint64_t part, uint64_t whole)
{
    struct buf raw;

    buf_init(&raw, 64);
    if (whole < WORDS_RATED)
        buf_putc(&raw, '-');
    else
        words_share(&raw, part, whole);
    html_raw(out, "<td class=\"n\">");
    html_flush(out, &raw);
    html_raw(out, "</td>");
    buf_free(&raw);
}

void
html_cell_time(struct buf *out, ns_t t)
{
    html_raw(out, "<td class=\"t\">");
    html_time(out, t);
    html_raw(out, "</td>");
}
