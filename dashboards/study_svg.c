#include "dashboards/study_svg.h"

#include "dashboards/study_words.h"
#include "sensor/base/text.h"

#include <math.h>

#define HOUR_WHOLE 3240 /* seconds: 90 % */
#define DAY_NS     (86400 * NS_PER_S)
#define HOUR_NS    (3600 * NS_PER_S)

static void
put_text(struct buf *out, const char *text)
{
    text_html(out, span_str(text));
}

static void
open_svg(struct buf *out, const char *class, unsigned w, unsigned h,
         const char *title, const char *desc)
{
    buf_printf(out,
               "<svg class=\"%s\" role=\"img\" viewBox=\"0 0 %u %u\"><title>",
               class, w, h);
    put_text(out, title);
    buf_str(out, "</title><desc>");
    put_text(out, desc);
    buf_str(out, "</desc>");
}

/* ---- marks and bars ---- */

void
study_svg_verdict(struct buf *out, enum study_verdict v)
{
    static const char *const shapes[] = {
        [STUDY_PASS] = "<circle class=\"pass\" cx=\"8\" cy=\"8\" r=\"7.5\"/>"
                       "<path class=\"on\" d=\"M4.2 8.3l2.6 2.6 5-5.4\"/>",
        [STUDY_FAIL] = "<rect class=\"fail\" width=\"16\" height=\"16\"/>"
                       "<path class=\"on\" d=\"M4.5 4.5l7 7m0-7l-7 7\"/>",
        [STUDY_NOT_KNOWN] =
            "<path class=\"open\" d=\"M8 1l7 7-7 7-7-7z\"/>"
            "<path class=\"ask\" d=\"M6.3 6.6a1.8 1.8 0 1 1 2.6 "
            "1.5q-.9.4-.9 1.4\"/><circle class=\"dot\" cx=\"8\" cy=\"11.4\" "
            "r=\".8\"/>",
    };

    buf_str(out, "<svg class=\"mark\" aria-hidden=\"true\" viewBox=\"0 0 16 "
                 "16\">");
    buf_str(out, shapes[v]);
    buf_str(out, "</svg>");
}

/* 0 for 0, then from 1 up to the next power of ten of max. */
static double
log_place(uint64_t n, double decades)
{
    return n == 0 ? 0 : (log10((double)n) + 0.3) / (decades + 0.3);
}

void
study_svg_log_bar(struct buf *out, uint64_t n, uint64_t max)
{
    double decades = max > 0 ? ceil(log10((double)max)) : 1;

    decades = decades < 1 ? 1 : decades;
    buf_printf(out,
               "<svg class=\"bar\" aria-hidden=\"true\" viewBox=\"0 0 100 10\" "
               "preserveAspectRatio=\"none\"><rect class=\"new\" "
               "width=\"%.1f\" height=\"10\"/>",
               100 * log_place(n, decades));
    for (unsigned d = 0; d <= (unsigned)decades; d++)
        buf_printf(out, "<path class=\"tick\" d=\"M%.1f 0v10\"/>",
                   100 * (d + 0.3) / (decades + 0.3));
    buf_str(out, "</svg>");
}

/* 0..100, whatever comes. */
static double
place(double v, double max)
{
    double x = max > 0 ? 100 * v / max : 0;

    return x > 0 ? x < 100 ? x : 100 : 0;
}

#define SPARK_BAR 10.0 /* and a gap of 2 */

void
study_svg_spark(struct buf *out, const uint64_t *v, size_t n, uint64_t most)
{
    buf_printf(out,
               "<svg class=\"spark\" aria-hidden=\"true\" "
               "viewBox=\"0 0 %.0f 24\">",
               (SPARK_BAR + 2) * (double)n);
    for (size_t i = 0; i < n; i++) {
        double h = 24 * place((double)v[i], (double)most) / 100;

        buf_printf(out,
                   "<rect class=\"new\" x=\"%.0f\" y=\"%.1f\" "
                   "width=\"%.0f\" height=\"%.1f\"/>",
                   (SPARK_BAR + 2) * (double)i, 24 - h, SPARK_BAR, h);
    }
    buf_str(out, "</svg>");
}

void
study_svg_interval(struct buf *out, const struct study_figure *f, double max)
{
    if (isnan(f->value) || isnan(max))
        return;
    buf_str(out, "<svg class=\"range\" aria-hidden=\"true\" viewBox=\"0 0 104 "
                 "10\"><path class=\"tick\" d=\"M2 9.5h100\"/>");
    if (!isnan(f->low) && !isnan(f->high))
        buf_printf(out,
                   "<path class=\"line\" d=\"M%.1f 5H%.1fM%.1f 2.5v5M%.1f "
                   "2.5v5\"/>",
                   place(f->low, max) + 2, place(f->high, max) + 2,
                   place(f->low, max) + 2, place(f->high, max) + 2);
    buf_printf(out, "<circle class=\"new\" cx=\"%.1f\" cy=\"5\" r=\"2.2\"/>",
               place(f->value, max) + 2);
    buf_str(out, "</svg>");
}

/* ---- hours ---- */

enum study_sight
study_sight_of(const struct study_hour *h)
{
    if (h->covered_s < 0)
        return STUDY_SIGHT_BLIND;
    if (h->covered_s == 0)
        return STUDY_SIGHT_GAP;
    if (h->refused)
        return STUDY_SIGHT_REFUSED;
    return h->covered_s < HOUR_WHOLE ? STUDY_SIGHT_PART : STUDY_SIGHT_SEEN;
}

const char *
study_sight_people(enum study_sight s)
{
    static const char *const people[] = {
#define X(id, word, text) text,
        STUDY_SIGHTS(X)
#undef X
    };

    return people[s];
}

/* Where an hour stands, and its size. */
struct box {
    double x, y, w, h;
};

static void
put_hatch(struct buf *out, enum study_sight s, struct box b)
{
    buf_printf(out, "M%.1f %.1fl%.1f %.1f", b.x, b.y + b.h - 0.6, b.w - 0.6,
               0.6 - b.h);
    if (s == STUDY_SIGHT_REFUSED)
        buf_printf(out, "M%.1f %.1fl%.1f %.1f", b.x, b.y, b.w - 0.6, b.h - 0.6);
    else
        buf_printf(out, "M%.1f %.1fl%.1f %.1f", b.x, b.y + b.h / 2, b.w / 2,
                   -b.h / 2);
}

/* n hours of one state beside each other, the first in box b; hatched or
 * crossed where colour would have to tell it. */
static void
put_sight(struct buf *out, enum study_sight s, struct box b, size_t n)
{
    static const char *const classes[] = {
#define X(id, word, text) word,
        STUDY_SIGHTS(X)
#undef X
    };

    buf_printf(out,
               "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
               "height=\"%.1f\"/>",
               classes[s], b.x, b.y, b.w * (double)n - 0.6, b.h - 0.6);
    if (s != STUDY_SIGHT_PART && s != STUDY_SIGHT_REFUSED)
        return;
    buf_str(out, "<path class=\"hatch\" d=\"");
    for (size_t i = 0; i < n; i++) {
        put_hatch(out, s, b);
        b.x += b.w;
    }
    buf_str(out, "\"/>");
}

void
study_svg_sight(struct buf *out, enum study_sight s)
{
    buf_str(out, "<svg class=\"sight\" aria-hidden=\"true\" viewBox=\"0 0 20 "
                 "12\">");
    put_sight(out, s, (struct box){0, 0, 20, 12}, 1);
    buf_str(out, "</svg>");
}

#define STRIP_LEFT 78.0
#define STRIP_TOP  20.0
#define STRIP_COL  25.0

static void
put_day_label(struct buf *out, ns_t day, size_t row, double h, bool all)
{
    char text[NS_TEXT_MAX];

    (void)ns_format(day, text);
    if (!all && memcmp(text + 8, "01", 2) != 0 && row > 0)
        return;
    buf_printf(out, "<text x=\"0\" y=\"%.1f\">",
               STRIP_TOP + h * (double)row + 10);
    buf_put(out, text, 10);
    buf_str(out, "</text>");
}

/* Hours of one row, those of one state in one piece; hours that are not there
 * were not watched. */
static size_t
put_day_row(struct buf *out, const struct study_hour *hours, size_t n, ns_t day,
            double y, double h)
{
    size_t used = 0;
    size_t begin = 0;
    enum study_sight run = STUDY_SIGHT_COUNT;

    for (size_t hour = 0; hour <= 24; hour++) {
        enum study_sight s = hour < 24 ? STUDY_SIGHT_GAP : STUDY_SIGHT_COUNT;

        while (used < n && hour < 24 &&
               hours[used].begin < day + (hour + 1) * HOUR_NS)
            s = study_sight_of(&hours[used++]);
        if (s == run)
            continue;
        if (run != STUDY_SIGHT_COUNT)
            put_sight(out, run,
                      (struct box){STRIP_LEFT + STRIP_COL * (double)begin, y,
                                   STRIP_COL, h},
                      hour - begin);
        run = s;
        begin = hour;
    }
    return used;
}

static void
put_hour_labels(struct buf *out)
{
    for (unsigned i = 0; i <= 24; i += 3)
        buf_printf(out,
                   "<text x=\"%.1f\" y=\"12\" text-anchor=\"middle\">%02u</"
                   "text>",
                   STRIP_LEFT + STRIP_COL * i, i);
}

void
study_svg_strip(struct buf *out, const struct study_hour *hours, size_t n)
{
    ns_t first = n > 0 ? hours[0].begin - hours[0].begin % DAY_NS : 0;
    ns_t last = n > 0 ? hours[n - 1].begin : 0;
    uint64_t days = n > 0 && last >= first ? (last - first) / DAY_NS + 1 : 0;
    size_t rows = days < STUDY_STRIP_DAYS ? (size_t)days : STUDY_STRIP_DAYS;
    bool all = rows <= 62;
    double h = all ? 13 : 5;
    size_t at = 0;

    open_svg(out, "strip", 690, (unsigned)(STRIP_TOP + h * (double)rows + 4),
             "Hours that were watched",
             "A row a day, a column an hour of UTC; the table of gaps has the "
             "same as text");
    put_hour_labels(out);
    for (size_t row = 0; row < rows; row++) {
        ns_t day = first + row * DAY_NS;

        put_day_label(out, day, row, h, all);
        at += put_day_row(out, hours + at, n - at, day,
                          STRIP_TOP + h * (double)row, h);
    }
    buf_str(out, "</svg>\n");
}

/* ---- axes ---- */

#define PLOT_W      720.0
#define PLOT_H      320.0
#define PLOT_LEFT   64.0
#define PLOT_RIGHT  16.0
#define PLOT_TOP    14.0
#define PLOT_BOTTOM 48.0

static const double inner_w = PLOT_W - PLOT_LEFT - PLOT_RIGHT;
static const double inner_h = PLOT_H - PLOT_TOP - PLOT_BOTTOM;

/* 1, 2 or 5 times a power of ten, so that about four are in max. */
static double
nice_step(double max)
{
    double raw = max / 4;
    double ten = pow(10, floor(log10(raw)));
    double part = raw / ten;

    return ten * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}

static double
y_of(double v, double max)
{
    double share = max > 0 ? v / max : 0;

    share = share > 0 ? share < 1 ? share : 1 : 0;
    return PLOT_TOP + inner_h * (1 - share);
}

static void
put_y_tick(struct buf *out, double v, double max, bool share)
{
    double y = y_of(v, max);

    buf_printf(out,
               "<path class=\"grid\" d=\"M%.0f %.1fh%.0f\"/><text x=\"%.0f\""
               " y=\"%.1f\" text-anchor=\"end\">",
               PLOT_LEFT, y, inner_w, PLOT_LEFT - 8, y + 4.5);
    if (share)
        buf_printf(out, "%.0f %%", 100 * v);
    else
        study_put_real(out, v, "");
    buf_str(out, "</text>");
}

static void
put_y_axis(struct buf *out, const char *title, double max, bool share)
{
    double step = share ? 0.25 : nice_step(max);

    step = share || step >= 1 ? step : 1; /* they are counts */
    for (unsigned i = 0; i * step <= max * 1.0001; i++)
        put_y_tick(out, i * step, max, share);
    buf_printf(out,
               "<text class=\"name\" transform=\"translate(14 %.0f) "
               "rotate(-90)\" text-anchor=\"middle\">",
               PLOT_TOP + inner_h / 2);
    put_text(out, title);
    buf_str(out, "</text>");
}

static void
put_x_name(struct buf *out, const char *title)
{
    buf_printf(out,
               "<text class=\"name\" x=\"%.0f\" y=\"%.0f\" "
               "text-anchor=\"middle\">",
               PLOT_LEFT + inner_w / 2, PLOT_H - 6);
    put_text(out, title);
    buf_str(out, "</text>");
}

/* ---- days ---- */

static void
put_day_bars(struct buf *out, const uint64_t *v, const struct study_day *days,
             size_t n, double max)
{
    double w = inner_w / (double)n;
    double gap = w > 6 ? 2 : w > 2 ? 0.6 : 0;

    for (size_t i = 0; i < n; i++) {
        bool solid = days == NULL || days[i].holdout;
        double y = y_of((double)v[i], max);

        if (v[i] == 0)
            continue;
        buf_printf(out,
                   "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                   "height=\"%.1f\"/>",
                   solid ? "new" : "known", PLOT_LEFT + w * (double)i + gap / 2,
                   y, w - gap, PLOT_TOP + inner_h - y);
    }
}

static void
put_day_names(struct buf *out, const struct study_day *days, size_t n)
{
    size_t step = n <= 8 ? 1 : n <= 62 ? 7 : 61;

    for (size_t i = 0; i < n; i += step) {
        char text[NS_TEXT_MAX];

        (void)ns_format(days[i].begin, text);
        buf_printf(out, "<text x=\"%.1f\" y=\"%.0f\">",
                   PLOT_LEFT + inner_w / (double)n * (double)i,
                   PLOT_TOP + inner_h + 18);
        buf_put(out, text, 10);
        buf_str(out, "</text>");
    }
}

void
study_svg_days(struct buf *out, const char *title, const char *what,
               const uint64_t *v, const struct study_day *days, size_t n)
{
    bool held = false;
    uint64_t max = 1;

    n = n < STUDY_STRIP_DAYS ? n : STUDY_STRIP_DAYS;
    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++) {
        max = v[i] > max ? v[i] : max;
        held |= days[i].holdout;
    }
    buf_printf(out,
               "<svg class=\"plot\" role=\"img\" viewBox=\"0 0 %.0f %.0f\">"
               "<title>",
               PLOT_W, PLOT_H);
    put_text(out, title);
    buf_str(out, "</title><desc>A bar a day; at most ");
    words_number(out, max);
    buf_putc(out, ' ');
    put_text(out, what);
    buf_str(out, " a day</desc>");
    put_y_axis(out, what, (double)max, false);
    put_day_bars(out, v, held ? days : NULL, n, (double)max);
    put_day_names(out, days, n);
    put_x_name(out, "day (UTC)");
    buf_str(out, "</svg>\n");
}

/* ---- lines ---- */

static double
x_of(double v, const struct study_plot *p)
{
    double low = log10(p->x_low);
    double share = (log10(v) - low) / (log10(p->x_high) - low);

    share = share > 0 ? share < 1 ? share : 1 : 0;
    return PLOT_LEFT + inner_w * share;
}

static bool
is_drawn(const struct study_step *s)
{
    return isfinite(s->at) && isfinite(s->share);
}

/* A time of 0 stands at the left edge. */
static double
x_of_step(const struct study_step *s, const struct study_plot *p)
{
    return x_of(s->at > p->x_low ? s->at : p->x_low, p);
}

static void
put_x_tick(struct buf *out, const struct study_plot *p, double v,
           const char *name)
{
    double x = x_of(v, p);

    if (v < p->x_low * 0.999 || v > p->x_high * 1.001)
        return;
    buf_printf(out,
               "<path class=\"grid\" d=\"M%.1f %.0fv%.0f\"/><text x=\"%.1f\""
               " y=\"%.0f\" text-anchor=\"middle\">",
               x, PLOT_TOP, inner_h, x, PLOT_TOP + inner_h + 18);
    if (name != NULL)
        put_text(out, name);
    else
        study_put_real(out, v, "");
    buf_str(out, "</text>");
}

#define TICK_ROOM 44.0 /* from one to the next */

/* At each point of a line, where the one before leaves room. */
static void
put_point_ticks(struct buf *out, const struct study_plot *p,
                const struct study_line *l)
{
    double before = -TICK_ROOM;

    for (size_t i = 0; i < l->n; i++) {
        double x = is_drawn(&l->v[i]) ? x_of(l->v[i].at, p) : before;

        if (x < before + TICK_ROOM)
            continue;
        put_x_tick(out, p, l->v[i].at, NULL);
        before = x;
    }
}

static void
put_power_ticks(struct buf *out, const struct study_plot *p)
{
    static const double steps[] = {2, 2.5, 2}; /* 1, 2, 5, 10 */
    double v = 1;

    for (size_t i = 0; v <= p->x_high && i < 60; i++) {
        if (v >= p->x_low)
            put_x_tick(out, p, v, NULL);
        v *= steps[i % ARRAY_LEN(steps)];
    }
}

static void
put_x_axis(struct buf *out, const struct study_plot *p)
{
    static const struct {
        double at;
        const char *name;
    } times[] = {
        {1,        "1 s"   },
        {10,       "10 s"  },
        {60,       "1 min" },
        {600,      "10 min"},
        {3600,     "1 h"   },
        {21600,    "6 h"   },
        {86400,    "1 d"   },
        {604800,   "1 week"},
        {2592000,  "30 d"  },
        {31536000, "1 year"},
    };

    for (size_t i = 0; p->seconds && i < ARRAY_LEN(times); i++)
        put_x_tick(out, p, times[i].at, times[i].name);
    if (p->powers)
        put_power_ticks(out, p);
    if (!p->seconds && !p->powers && p->n_lines > 0)
        put_point_ticks(out, p, &p->lines[0]);
    put_x_name(out, p->x_title);
}

static void
put_chosen(struct buf *out, const struct study_plot *p)
{
    if (!isfinite(p->chosen) || !(p->chosen > 0))
        return;
    if (isfinite(p->from) && isfinite(p->to) && p->from > 0)
        buf_printf(out,
                   "<rect class=\"near\" x=\"%.1f\" y=\"%.0f\" width=\"%.1f\" "
                   "height=\"%.0f\"/>",
                   x_of(p->from, p), PLOT_TOP,
                   x_of(p->to, p) - x_of(p->from, p), inner_h);
    buf_printf(out, "<path class=\"chosen\" d=\"M%.1f %.0fv%.0f\"/>",
               x_of(p->chosen, p), PLOT_TOP, inner_h);
}

/* The band, there and back. */
static void
put_band(struct buf *out, const struct study_plot *p,
         const struct study_line *l)
{
    double before = PLOT_TOP + inner_h;

    buf_printf(out, "<path class=\"band b%u\" d=\"M%.1f %.1f", l->style,
               PLOT_LEFT, before);
    for (size_t i = 0; i < l->n; i++) {
        if (!is_drawn(&l->v[i]) || !isfinite(l->v[i].high))
            continue;
        buf_printf(out, "H%.1fV%.1f", x_of_step(&l->v[i], p),
                   y_of(l->v[i].high, p->y_high));
    }
    buf_printf(out, "H%.1f", PLOT_LEFT + inner_w);
    for (size_t i = l->n; i-- > 0;) {
        if (!is_drawn(&l->v[i]) || !isfinite(l->v[i].low))
            continue;
        buf_printf(out, "V%.1fH%.1f", y_of(l->v[i].low, p->y_high),
                   x_of_step(&l->v[i], p));
    }
    buf_str(out, "Z\"/>");
}

static void
put_line(struct buf *out, const struct study_plot *p,
         const struct study_line *l)
{
    bool first = true;

    buf_printf(out, "<path class=\"l%u\" d=\"", l->style);
    if (l->steps)
        buf_printf(out, "M%.1f %.1f", PLOT_LEFT, PLOT_TOP + inner_h);
    for (size_t i = 0; i < l->n; i++) {
        double x = x_of_step(&l->v[i], p);
        double y = y_of(l->v[i].share, p->y_high);

        if (!is_drawn(&l->v[i]))
            continue;
        if (l->steps)
            buf_printf(out, "H%.1fV%.1f", x, y);
        else
            buf_printf(out, "%s%.1f %.1f", first ? "M" : "L", x, y);
        first = false;
    }
    if (l->steps)
        buf_printf(out, "H%.1f", PLOT_LEFT + inner_w);
    buf_str(out, "\"/>");
}

/* Circle, square, triangle: so that lines differ where they are not dashed. */
static void
put_mark(struct buf *out, unsigned style, double x, double y)
{
    switch (style % 3) {
    case 0:
        buf_printf(out,
                   "<circle class=\"m%u\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>",
                   style, x, y);
        break;
    case 1:
        buf_printf(out,
                   "<rect class=\"m%u\" x=\"%.1f\" y=\"%.1f\" width=\"7\" "
                   "height=\"7\"/>",
                   style, x - 3.5, y - 3.5);
        break;
    default:
        buf_printf(out, "<path class=\"m%u\" d=\"M%.1f %.1fl4.5 8h-9z\"/>",
                   style, x, y - 5);
        break;
    }
}

void
study_svg_plot(struct buf *out, const struct study_plot *p)
{
    open_svg(out, "plot", (unsigned)PLOT_W, (unsigned)PLOT_H, p->title,
             p->desc);
    put_y_axis(out, p->y_title, p->y_high, p->share);
    put_x_axis(out, p);
    put_chosen(out, p);
    for (size_t i = 0; i < p->n_lines; i++) {
        if (p->lines[i].band)
            put_band(out, p, &p->lines[i]);
    }
    for (size_t i = 0; i < p->n_lines; i++) {
        const struct study_line *l = &p->lines[i];

        put_line(out, p, l);
        for (size_t k = 0; l->marks && k < l->n; k++) {
            if (is_drawn(&l->v[k]))
                put_mark(out, l->style, x_of_step(&l->v[k], p),
                         y_of(l->v[k].share, p->y_high));
        }
    }
    buf_str(out, "</svg>\n");
}

void
study_svg_key(struct buf *out, unsigned style, bool marks)
{
    buf_printf(out,
               "<svg class=\"dash\" aria-hidden=\"true\" viewBox=\"0 0 36 12\">"
               "<path class=\"l%u\" d=\"M0 6h36\"/>",
               style);
    if (marks)
        put_mark(out, style, 18, 6);
    buf_str(out, "</svg>");
}
