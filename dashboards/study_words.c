#include "dashboards/study_words.h"

#include <math.h>

#define NOT_KNOWN "not known"
#define DATE_LEN  10
#define COUNT_MAX 1e18 /* below what 64 bits hold, and beyond any count */

uint64_t
study_count(double v)
{
    if (!(v > 0))
        return 0;
    return v < COUNT_MAX ? (uint64_t)(v + 0.5) : UINT64_MAX;
}

void
study_put_share(struct buf *b, double share)
{
    double p = 100 * share;

    if (isnan(share))
        buf_str(b, NOT_KNOWN);
    else if (share <= 0)
        buf_str(b, "0 %");
    else if (share >= 1)
        buf_str(b, "100 %");
    else if (p < 0.05)
        buf_str(b, "<0.1 %");
    else if (p >= 99.95)
        buf_str(b, ">99.9 %");
    else
        buf_printf(b, p < 9.95 || p > 90.05 ? "%.1f %%" : "%.0f %%", p);
}

/* Large ones whole, small ones with two digits that count. */
void
study_put_real(struct buf *b, double v, const char *never)
{
    double size = fabs(v);

    if (isnan(v)) {
        buf_str(b, NOT_KNOWN);
    } else if (isinf(v)) {
        buf_str(b, never);
    } else if (size >= 99.5 || rint(size) == size) {
        buf_str(b, v < 0 ? "-" : "");
        words_number(b, study_count(size));
    } else if (size >= 0.095) {
        buf_printf(b, size < 9.95 ? "%.2f" : "%.1f", v);
    } else {
        buf_printf(b, "%.2g", v);
    }
}

void
study_put_seconds(struct buf *b, double s)
{
    if (isnan(s))
        buf_str(b, NOT_KNOWN);
    else if (isinf(s))
        buf_str(b, "not reached");
    else
        words_duration(b, s > 0 ? s < 9e9 ? (ns_t)(s * 1e9) : UINT64_MAX : 0);
}

void
study_put_range(struct buf *b, uint64_t least, uint64_t most)
{
    words_number(b, least);
    if (most <= least)
        return;
    buf_str(b, " to ");
    words_number(b, most);
}

void
study_put_least_most(struct buf *b, uint64_t least, uint64_t most)
{
    if (most <= least) {
        words_number(b, least);
        return;
    }
    if (least > 0) {
        buf_str(b, "at least ");
        words_number(b, least);
        buf_str(b, ", ");
    }
    buf_str(b, "at most ");
    words_number(b, most);
}

static bool
is_few(uint32_t few, uint64_t n)
{
    return few > 1 && n == few - 1;
}

void
study_put_hosts(struct buf *b, uint32_t few, uint64_t n)
{
    buf_str(b, is_few(few, n) ? "fewer than " : "");
    words_number(b, is_few(few, n) ? few : n);
}

void
study_count_hosts(struct buf *b, uint32_t few, uint64_t n, const char *one,
                  const char *many)
{
    buf_str(b, is_few(few, n) ? "fewer than " : "");
    words_count(b, is_few(few, n) ? few : n, one, many);
}

void
study_put_rate(struct buf *b, uint32_t few, uint64_t k, uint64_t n,
               const struct study_figure *f)
{
    bool sure = f != NULL && !isnan(f->low) && !isnan(f->high);

    if (n < WORDS_RATED || is_few(few, k)) {
        buf_str(b, n < WORDS_RATED ? "fewer than 30: not rated"
                                   : "too few to be told");
        return;
    }
    if (k > 0 || !sure) {
        words_share(b, k, n);
        buf_str(b, sure ? "; in other weeks " : "");
        if (sure)
            words_between(b, f->low, f->high);
        return;
    }
    buf_str(b, "none seen; up to ");
    study_put_share(b, f->high);
    buf_str(b, " would be compatible");
}

void
study_put_figure(struct buf *b, const struct study_figure *f, bool share)
{
    if (share)
        study_put_share(b, f->value);
    else
        study_put_real(b, f->value, "without end");
    if (isnan(f->value) || isnan(f->low) || isnan(f->high))
        return;
    buf_str(b, " (");
    if (share) {
        words_between(b, f->low, f->high);
    } else {
        study_put_real(b, f->low, "without end");
        buf_str(b, " to ");
        study_put_real(b, f->high, "without end");
    }
    buf_putc(b, ')');
}

void
study_put_date(struct buf *b, ns_t t)
{
    char text[NS_TEXT_MAX];

    if (t == 0) {
        buf_str(b, "no date");
        return;
    }
    (void)ns_format(t, text);
    buf_put(b, text, DATE_LEN);
}
