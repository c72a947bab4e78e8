#ifndef SPAN25_TESTS_CAMPUS_SIGHT_H
#define SPAN25_TESTS_CAMPUS_SIGHT_H
/* sight - what a live sensor says of itself
 *
 * A control event at its start and behind a gap, and each five minutes an event
 * of counts (stats.sight; a live sensor writes one each ten seconds). None
 * while the sensor is off. */
#include "sensor/event/record.h"
#include "tests/campus/faults.h"

struct sight {
    const struct faults *faults;
    struct record_out out;
    uint64_t seed, n;
    ns_t due, end; /* of the window that is being counted; of all */
    bool started, gap_told;
    uint64_t packets, sessions, oneway, seen, unseen, resyncs;
};

void sight_init(struct sight *s, const struct campus *c,
                const struct faults *f);
void sight_fini(struct sight *s);

/* What is due up to now, into sink. */
void sight_until(struct sight *s, ns_t now, const struct record_sink *sink);

/* A record that was seen. */
void sight_count(struct sight *s, struct span record);

#endif
