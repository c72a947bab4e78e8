#ifndef SPAN25_APP_LIVE_REPORT_H
#define SPAN25_APP_LIVE_REPORT_H
/* live_report - the core's page of numbers, and its file for who asks later
 *
 * Each second the page of live_metrics goes onto the board. Each
 * LIVE_REPORT_FILE_NS it is also written, with the rows of live_health, to
 * DIR/board.prom: to a new file that takes the old one's place, so that a
 * reader never sees half of it. A file that cannot be written is told once.
 * Each LIVE_REPORT_SAMPLE_NS clock, disk, registry and window are looked at.
 * The board's page may also be read by `span25 doctor` and `span25 top`, which
 * take it from the file. */
#include "sensor/app/live_watch.h"

#define LIVE_REPORT_FILE      "board.prom"
#define LIVE_REPORT_FILE_NS   (2 * NS_PER_S)
#define LIVE_REPORT_SAMPLE_NS (10 * NS_PER_S)

struct book;
struct detect;
struct live;
struct live_report;

MUST_USE enum err live_report_new(const struct live *l,
                                  struct live_report **out);
void live_report_free(struct live_report *r); /* NULL is fine */

/* As live_watch_event and live_watch_stats. */
void live_report_event(struct live_report *r, struct span record);
void live_report_stats(struct live_report *r, struct span record);

/* To be called once a second. messages: what is to be told. True: a new window
 * is known, and live_report_facts has news. */
bool live_report_second(struct live_report *r, const struct detect *detect,
                        const struct book *book, struct buf *messages);

/* Adds what is known of the sensor's sight to a STATS record: clock, window,
 * what is expected and silent. */
void live_report_facts(const struct live_report *r, struct record_out *out);

/* Reads the file of a state, as it was written last; page is begun anew. age:
 * how long ago that was. ERR_NOENT: there is none. */
MUST_USE enum err live_report_read(const char *state, struct buf *page,
                                   ns_t *age);

/* The limits of the configuration. */
struct config;
struct live_limits live_report_limits(const struct config *c);

#endif
