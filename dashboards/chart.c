#include "dashboards/chart.h"

#include "dashboards/words.h"
#include "sensor/base/text.h"

#define WIDTH     1000.0
#define GAP       2.0
#define SHARE_MAX 64

static uint64_t
total(const struct chart_part *parts, size_t n_parts)
{
    uint64_t n = 0;

    for (size_t i = 0; i < n_parts; i++)
        n = words_add(n, parts[i].n);
    return n;
}

static void
put_share(struct buf *out, uint64_t n, uint64_t all)
{
    struct buf raw;

    buf_init(&raw, SHARE_MAX);
    words_share(&raw, n, all);
    text_html(out, buf_view(&raw));
    out->failed |= raw.failed;
    buf_free(&raw);
}

/* "<b>label</b> 12 (3 %)" as plain text: for the description. */
static void
put_words(struct buf *out, const struct chart_part *part, uint64_t all)
{
    text_html(out, span_str(part->label));
    buf_putc(out, ' ');
    words_number(out, part->n);
    buf_str(out, " (");
    put_share(out, part->n, all);
    buf_putc(out, ')');
}

static void
put_shapes(struct buf *out, const struct chart_part *parts, size_t n_parts,
           uint64_t all)
{
    double x = 0;

    for (size_t i = 0; i < n_parts; i++) {
        double w = WIDTH * (double)parts[i].n / (double)all;

        if (parts[i].n == 0)
            continue;
        buf_printf(out,
                   "<rect class=\"c%u\" x=\"%.2f\" y=\"0\" width=\"%.2f\" "
                   "height=\"32\"/>",
                   parts[i].colour % CHART_PARTS, x, w > 2 * GAP ? w - GAP : w);
        x += w;
    }
}

static void
put_legend(struct buf *out, const struct chart_part *parts, size_t n_parts,
           uint64_t all)
{
    buf_str(out, "<ul class=\"legend\">\n");
    for (size_t i = 0; i < n_parts; i++) {
        if (parts[i].n == 0)
            continue;
        buf_printf(out,
                   "<li><svg class=\"key\" viewBox=\"0 0 10 10\" "
                   "aria-hidden=\"true\"><rect class=\"c%u\" width=\"10\" "
                   "height=\"10\" rx=\"2\"/></svg><span>",
                   parts[i].colour % CHART_PARTS);
        text_html(out, span_str(parts[i].label));
        buf_str(out, "</span> <span class=\"count\">");
        words_number(out, parts[i].n);
        buf_str(out, "</span> <span class=\"share\">");
        put_share(out, parts[i].n, all);
        buf_str(out, "</span></li>\n");
    }
    buf_str(out, "</ul>\n");
}

void
chart_stack(struct buf *out, const char *title, const char *what,
            const struct chart_part *parts, size_t n_parts)
{
    uint64_t all = total(parts, n_parts);
    const char *sep = ": ";

    if (all == 0)
        return;
    buf_str(out, "<figure><figcaption>");
    text_html(out, span_str(title));
    buf_str(out, " <span class=\"of\">");
    words_number(out, all);
    buf_putc(out, ' ');
    text_html(out, span_str(what));
    buf_str(out, "</span></figcaption>\n<svg class=\"stack\" role=\"img\" "
                 "viewBox=\"0 0 1000 32\" preserveAspectRatio=\"none\">"
                 "<title>");
    text_html(out, span_str(title));
    buf_str(out, "</title><desc>");
    words_number(out, all);
    buf_putc(out, ' ');
    text_html(out, span_str(what));
    for (size_t i = 0; i < n_parts; i++) {
        if (parts[i].n == 0)
            continue;
        buf_str(out, sep);
        put_words(out, &parts[i], all);
        sep = ", ";
    }
    buf_str(out, "</desc>");
    put_shapes(out, parts, n_parts, all);
    buf_str(out, "</svg>\n");
    put_legend(out, parts, n_parts, all);
    buf_str(out, "</figure>\n");
}

void
chart_bar(struct buf *out, uint64_t n, uint64_t max, bool solid)
{
    double w = max > 0 ? 100.0 * (double)(n < max ? n : max) / (double)max : 0;

    if (n > 0 && w < 1)
        w = 1;
    buf_printf(out,
               "<svg class=\"bar\" aria-hidden=\"true\" viewBox=\"0 0 100 10\" "
               "preserveAspectRatio=\"none\"><rect class=\"%s\" "
               "width=\"%.1f\" height=\"10\"/></svg>",
               solid ? "new" : "known", w);
}
