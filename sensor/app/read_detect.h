#ifndef SPAN25_APP_READ_DETECT_H
#define SPAN25_APP_READ_DETECT_H
/* read_detect - detection in a reading: its rules, its settings, its state
 *
 * With --state detection goes on where it stood: the snapshot that the reading
 * before left, and what the journal has since. */
#include "rules/detect.h"
#include "sensor/app/options.h"

struct read_detect;
struct read_total;
struct journal;

/* In read: the same input gives the same bytes. */
#define READ_DETECT_SEED UINT64_C(0x7370616e3235)

/* Who reads. Only what a live sensor decides is ever enforced. */
struct read_detect_who {
    uint64_t seed; /* of all keyed tables */
    bool live;
    struct hosts_judged judged; /* or none */
};

/* Loads rules and settings. What took force is appended to text, for the first
 * event; faults are told. A rule that is refused does not stop the start. */
MUST_USE enum err read_detect_open(const struct config *c,
                                   const struct read_detect_who *who,
                                   struct read_detect **out, struct buf *text,
                                   struct buf *messages);
void read_detect_close(struct read_detect *r);

/* Rules from now on, as the configuration names them; windows of unchanged
 * correlations stay. Appends to text as open does. On an error the old ones
 * stay in force. */
MUST_USE enum err read_detect_reload(struct read_detect *r,
                                     const struct config *c, struct buf *text,
                                     struct buf *messages);

/* Was a rule refused, or a file of rules not read? */
bool read_detect_refused(const struct read_detect *r);

/* What its detect was made with. */
const struct detect_options *read_detect_options(const struct read_detect *r);

struct detect *read_detect_get(const struct read_detect *r);

/* With a journal: its state as of the journal's end. Before the first event. */
MUST_USE enum err read_detect_restore(struct read_detect *r,
                                      const struct journal *journal,
                                      struct buf *messages);

/* The line of the journal up to which the snapshot reached that was restored;
 * 0: there was none. */
uint64_t read_detect_saved(const struct read_detect *r);

/* What bounds cost and how full tables are, into the totals (stats.detect). */
void read_detect_count(const struct read_detect *r, struct read_total *total);

/* Behind the last event, with the journal synced. */
MUST_USE enum err read_detect_save(const struct read_detect *r,
                                   const struct journal *journal,
                                   struct buf *messages);

#endif
