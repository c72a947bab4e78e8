#ifndef SPAN25_DASHBOARDS_STUDY_REPORT_H
#define SPAN25_DASHBOARDS_STUDY_REPORT_H
/* study_report - what a study found, for people and programs (UX 7)
 *
 * Pure: the same result gives the same bytes. All append to out; the caller
 * looks at out->cut and out->failed once, at the end. Every byte that came from
 * a wire, a file or a person passes text_term, text_html, text_csv or json_str.
 *
 *   html     one file, no script, no outside reference; its own policy in a
 * meta tag: default-src 'none'; style-src 'sha256-...'; img-src data:. The
 * decision page first. Charts are SVG drawn here, each with its numbers as
 * text. At most STUDY_REPORT_ROWS rows a table; CSV has all text     a screen:
 * the decision page in short json     {"schema":"span25-study-1",...}: all of
 * the result; members may be added, none change. An interval is
 * {"value","low","high","k","n", "method"}; what cannot be said is null csv RFC
 * 4180, a header line, text escaped as for a terminal
 */
#include "sensor/base/buf.h"
#include "sensor/event/study_result.h"

#define STUDY_REPORT_ROWS 200U

struct study_report_style {
    bool colour;
    bool tty;
    unsigned width; /* columns; 0: as wide as the text is */
};

void study_report_html(const struct study_result *r, struct buf *out);
void study_report_text(const struct study_result *r,
                       const struct study_report_style *style, struct buf *out);
void study_report_json(const struct study_result *r, struct buf *out);

/* X(id, end of the file's name, what it has) */
#define STUDY_TABLES(X)                                                        \
    X(POLICIES, "policies", "a row a policy")                                  \
    X(HOSTS, "hosts", "a row a host at home and policy")                       \
    X(SITES, "sites", "a row a site")                                          \
    X(HOURS, "hours", "a row an hour: what was seen, and whether")             \
    X(DAYS, "days", "a row a day")                                             \
    X(SHARES, "shares", "a row a share with its interval")

enum study_table {
#define X(id, word, what) STUDY_TABLE_##id,
    STUDY_TABLES(X)
#undef X
        STUDY_TABLE_COUNT
};
const char *study_table_word(enum study_table t);
void study_report_csv(const struct study_result *r, enum study_table t,
                      struct buf *out);

#endif
