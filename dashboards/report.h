#ifndef SPAN25_DASHBOARDS_REPORT_H
#define SPAN25_DASHBOARDS_REPORT_H
/* report - one summary, four ways to read it
 *
 * Pure: the same summary gives the same bytes. All append to out; the caller
 * looks at out->cut and out->failed once, at the end. Every byte that came
 * from a file, a wire or a person passes text_term, text_html, text_csv or
 * json_str here, so nothing in s needs to be clean. Members of s that are NULL
 * are shown as absent.
 *
 * Sizes: text some KiB; HTML up to about 300 KiB (REPORT_HTML_ROWS a table);
 * JSON about 1 KiB a host, CSV about 300 bytes a host, both without a limit
 * but that of out.
 *
 * Known gaps: characters of two columns and of none count as one. */
#include "dashboards/words.h"
#include "sensor/event/summary.h"

#define REPORT_HTML_ROWS 200 /* hosts a table shows; the CSV has all */

struct report_style {
    bool colour;
    bool utc;        /* times as UTC with Z; else local, with their offset */
    bool tty;        /* suggest the next command */
    bool all;        /* alerts of all levels, as many as a table holds */
    unsigned width;  /* columns; 0: as wide as the text is */
    words_zone zone; /* local time when not utc; NULL: report_zone */
};

/* The offset of the system's time zone at t (TZ, localtime_r). */
int32_t report_zone(ns_t t);

/* A screen of at most about 40 lines. */
void report_text(const struct summary *s, const struct report_style *style,
                 struct buf *out);

/* One file without script or outside reference, in UTC. */
void report_html(const struct summary *s, struct buf *out);

/* {"schema":"span25-summary-1",...}: members may be added, none change.
 * Numbers are exact, times RFC 3339 in UTC or null. "parts" counts files and
 * the messages they came in by class (A to D, fileinfo.class) and has what a
 * share is of: messages_could_inspect are complete, in the clear, without class
 * D, each file looked into. "attachments" lists the files with findings: A, B,
 * D, C, the most messages first. "look" of a host is null where it is unclear;
 * "requirements" has every answer for every registered host. "alerts" and
 * "decisions" are absent where no rule was run. */
void report_json(const struct summary *s, struct buf *out);

/* A header line and a line per host, CR LF (RFC 4180). Text is escaped as for
 * a terminal, so that nothing invisible reaches a spreadsheet. messages_a to
 * messages_d: messages of a sender with a file of that class, each once.
 * decision and against: the latest one of the host, or of the IPv6 /64 that it
 * is in. */
void report_csv(const struct summary *s, struct buf *out);

#endif
