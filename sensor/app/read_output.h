#ifndef SPAN25_APP_READ_OUTPUT_H
#define SPAN25_APP_READ_OUTPUT_H
/* read_output - what a reading writes: events, progress, summary, report
 *
 * Standard output carries the summary, or with --events - the events and
 * nothing else. Progress goes to standard error when that is a terminal. */
#include "sensor/app/options.h"
#include "sensor/core/core.h"
#include "sensor/event/summary.h"

struct read_output;

/* Opens the events file (begun anew). A failure has its text in messages. */
MUST_USE enum err read_output_open(const struct config *c,
                                   struct read_output **out,
                                   struct buf *messages);
void read_output_close(struct read_output *o);

struct line_sink read_output_lines(struct read_output *o);

/* position: bytes of the captures read so far. */
void read_output_progress(struct read_output *o, uint64_t position);
void read_output_progress_end(struct read_output *o);

/* Flushes the events, prints the summary, writes the report. */
MUST_USE enum err read_output_report(struct read_output *o,
                                     const struct summary *s,
                                     struct buf *messages);

/* Writes a report to a file, if it is whole: one that was cut at its limit is
 * told and leaves the file as it is. */
MUST_USE enum err read_output_save(const char *path, const struct buf *text,
                                   struct buf *messages);

/* A whole file into text. */
MUST_USE enum err read_output_load(const char *path, struct buf *text,
                                   struct buf *messages);

#endif
