#ifndef SPAN25_DASHBOARDS_STUDY_SVG_H
#define SPAN25_DASHBOARDS_STUDY_SVG_H
/* study_svg - the charts of a study as inline SVG
 *
 * Each has a title and a description; whoever draws one puts its numbers beside
 * it as text. Series differ by dash and mark, states by pattern, never by
 * colour alone; colours are classes of study_css.c. Points that are no numbers
 * are left out, those outside are drawn at the edge. */
#include "dashboards/words.h"
#include "sensor/event/study_result.h"

/* ---- marks and bars for the cell of a table that has the number too ---- */

/* Circle with a tick, square with a cross, diamond with a query. */
void study_svg_verdict(struct buf *out, enum study_verdict v);

/* A bar of n in max on a log scale with a line at each power of ten. */
void study_svg_log_bar(struct buf *out, uint64_t n, uint64_t max);

/* n bars, on a scale of 0 to most. */
void study_svg_spark(struct buf *out, const uint64_t *v, size_t n,
                     uint64_t most);

/* Value as a dot on the line of its interval, on a scale of 0 to max. */
void study_svg_interval(struct buf *out, const struct study_figure *f,
                        double max);

/* ---- hours that were watched ---- */

/* How an hour is drawn. X(id, class, what it is) */
#define STUDY_SIGHTS(X)                                                        \
    X(SEEN, "seen", "watched")                                                 \
    X(PART, "part", "watched for less than 90 %")                              \
    X(GAP, "gap", "not watched")                                               \
    X(REFUSED, "refused", "more than 5 % of its bytes unseen: in no share")    \
    X(BLIND, "blind", "not measured")

enum study_sight {
#define X(id, word, people) STUDY_SIGHT_##id,
    STUDY_SIGHTS(X)
#undef X
        STUDY_SIGHT_COUNT
};
enum study_sight study_sight_of(const struct study_hour *h);
const char *study_sight_people(enum study_sight s);
/* Its square, for a legend. */
void study_svg_sight(struct buf *out, enum study_sight s);

/* A row a day, a column an hour; n hours in order of time. At most
 * STUDY_STRIP_DAYS rows. */
#define STUDY_STRIP_DAYS 400U
void study_svg_strip(struct buf *out, const struct study_hour *hours, size_t n);

/* ---- days ---- */

/* A bar a day, of n days from first on; what: "hosts". Those of holdout days
 * are solid, the others outlined; NULL: all solid. */
void study_svg_days(struct buf *out, const char *title, const char *what,
                    const uint64_t *v, const struct study_day *days, size_t n);

/* ---- lines ---- */

#define STUDY_LINES_MAX 10U

/* One line; low and high of its points are a band where band is set. */
struct study_line {
    const struct study_step *v;
    size_t n;
    unsigned style; /* 0..STUDY_LINES_MAX-1: colour and dash */
    bool steps;     /* from each point level to the next */
    bool band;
    bool marks; /* a mark at each point */
};

struct study_plot {
    const char *title, *desc;
    const char *x_title, *y_title;
    bool seconds;            /* x: ticks as times */
    bool powers;             /* x: ticks at 1, 2, 5, 10, 20 ... */
    bool share;              /* y: 0 to 100 % */
    double x_low, x_high;    /* x is logarithmic; above 0; ticks at powers, as
                              * times, or else at the points of the first line */
    double y_high;           /* y from 0 */
    double chosen, from, to; /* a line at x, and a band about it; NAN: none */
    const struct study_line *lines;
    size_t n_lines;
};

void study_svg_plot(struct buf *out, const struct study_plot *p);
/* The piece of line that stands for a style, for a legend. */
void study_svg_key(struct buf *out, unsigned style, bool marks);

#endif
