#ifndef SPAN25_RULES_STUDY_COMPARE_H
#define SPAN25_RULES_STUDY_COMPARE_H
/* compare - two studies, before and after a policy took force
 *
 * SERIES. Days of both, in one line, and an interrupted time series over them
 * (series.h), cut where the policy took force: the effective date of the second
 * study, else of the first, if it lies within the second's window, else where
 * that begins. Left out are days that are not whole within a window, and those
 * of which more than DAY_HOURS_GAP hours were not watched to 90 %, or lost more
 * than 5 % of their bytes. Where no hour says how it was watched, days are kept
 * and a note says so.
 *
 * FIGURES are those that both studies have, side by side: of policies those of
 * the same name, kind and terms. Between two with intervals stands the
 * difference with its own (Newcombe 1998, squared and added): hosts are much
 * the same in both, so it is rather too wide. Before and after is no
 * experiment: what else changed on that day is in it too (DETECTION 4.6).
 *
 * RESIDUAL. Attempts a day of hosts while they are blocked, after the cut, with
 * the exact Poisson interval; where days vary more than that explains, as bots
 * make them, by so many times fewer events (spread).
 *
 * REFUSED are windows that overlap or stand in the other order, and made
 * traffic against real. What else differs is told in notes. Pure. */
#include "rules/study/series.h"
#include "sensor/event/study_result.h"

#define COMPARE_DAY_HOURS_GAP 2U
#define COMPARE_LEVEL         0.95
#define COMPARE_DAYS_SHORT    28U

/* X(id, for people) */
#define COMPARE_REFUSALS(X)                                                    \
    X(FINE, "")                                                                \
    X(NO_WINDOW, "one of them has no window")                                  \
    X(OTHER_ORDER, "the second begins before the first: give the earlier one " \
                   "first")                                                    \
    X(OVERLAP, "their windows overlap")                                        \
    X(DEMO, "one of them is of made traffic")

enum compare_why {
#define X(id, people) COMPARE_##id,
    COMPARE_REFUSALS(X)
#undef X
};

/* X(id, word, for people) */
#define COMPARE_NOTES(X)                                                       \
    X(RULES, "rules", "the rules were others: what is judged bad may be, too") \
    X(CONFIG, "config", "the configuration was another")                       \
    X(VERSION, "version", "they are of different versions of span25")          \
    X(SENSORS, "sensors", "the sensors were others")                           \
    X(LENGTH, "length",                                                        \
      "the windows are of different length: counts of hosts are not alike")    \
    X(SHORT, "short",                                                          \
      "one window has less than 28 days: a month's end may be missing")        \
    X(GAP, "gap", "the windows are more than a week apart")                    \
    X(WATCHED, "watched",                                                      \
      "the shares of hours that were watched differ by more than 5 points")    \
    X(NOT_MEASURED, "not_measured",                                            \
      "it was not measured whether all was watched")                           \
    X(HOLDOUT, "holdout",                                                      \
      "one has a holdout: its figures are of that part alone, its days of "    \
      "all")                                                                   \
    X(REVIEWED, "reviewed", "people judged hosts in one of them only")         \
    X(FEW, "few", "one was made for sharing: its counts are rounded")

enum compare_note {
#define X(id, word, people) COMPARE_NOTE_##id,
    COMPARE_NOTES(X)
#undef X
        COMPARE_NOTE_COUNT
};

/* X(id, member of study_day, for people) */
#define COMPARE_SERIES(X)                                                      \
    X(MESSAGES, messages, "messages outward")                                  \
    X(BAD, bad, "messages judged bad")                                         \
    X(CLASS_A, class_a, "messages with malicious code")                        \
    X(SENDERS, senders, "hosts that sent")                                     \
    X(ATTEMPTS_BLOCKED, attempts_blocked, "attempts of blocked hosts")

enum compare_series {
#define X(id, member, people) COMPARE_##id,
    COMPARE_SERIES(X)
#undef X
        COMPARE_SERIES_COUNT
};

struct compare_line {
    enum series_why why;
    double mean_before, mean_after; /* a day; NAN: no day */
    struct series s;                /* of SERIES_FINE */
};

enum compare_unit {
    COMPARE_COUNT, /* value alone */
    COMPARE_SHARE, /* 0..1 */
    COMPARE_RATE,
};

struct compare_figure {
    const char *policy; /* its name, or NULL */
    const char *key;    /* "right" */
    const char *what;   /* for people */
    enum compare_unit unit;
    struct study_figure before, after;
    double change, low, high; /* NAN: cannot be said */
};

struct compare_policy { /* of which no figures are compared */
    const char *name;
    enum { COMPARE_ONLY_BEFORE, COMPARE_ONLY_AFTER, COMPARE_OTHER_TERMS } why;
};

struct compare {
    enum compare_why why;
    uint32_t notes; /* a bit for each */
    int64_t cut;    /* days since 1970 */
    bool effective; /* it is an effective date */
    size_t days_before, days_after, days_left_out;
    struct compare_line lines[COMPARE_SERIES_COUNT];
    struct study_figure residual; /* a day */
    double spread; /* of its days: variance by mean; NAN: fewer than two */
    struct compare_figure *figures;
    size_t n_figures;
    struct compare_policy *others;
    size_t n_others;
};

const char *compare_why_text(enum compare_why w);
const char *compare_note_word(enum compare_note n);
const char *compare_note_text(enum compare_note n);
const char *compare_series_word(enum compare_series s);
const char *compare_series_text(enum compare_series s);

/* before and after outlive *out, which is freed by compare_free whatever comes
 * of it. out->why other than FINE: nothing else is filled. ERR_NOMEM. */
MUST_USE enum err compare_of(const struct study_result *before,
                             const struct study_result *after,
                             struct compare *out);
void compare_free(struct compare *c);

#endif
