#ifndef SPAN25_TESTS_CAMPUS_FAULTS_H
#define SPAN25_TESTS_CAMPUS_FAULTS_H
/* faults - three times at which the capture is not what it should be
 *
 * A gap of five hours: the sensor was off. A day on which 3 % of all segments
 * are lost, 10 % for two hours of it: those hours are refused (DETECTION 4.2).
 * Six hours in which the servers' direction of the first VLAN is not heard.
 * Connections that reach into the gap are lost with it. */
#include "tests/campus/campus.h"

#define FAULTS_LOSS  .03
#define FAULTS_WORSE .10

enum fault { FAULT_GAP, FAULT_LOSS, FAULT_WORSE, FAULT_ONEWAY, FAULT_COUNT };

struct faults {
    struct {
        ns_t from, to;
        bool on;
    } v[FAULT_COUNT];
};

const char *fault_word(enum fault f);
void faults_init(struct faults *f, const struct campus *c);

/* What is seen of everybody from now on; cheap while nothing changes. */
void faults_at(struct faults *f, struct campus *c, ns_t now);

/* Of a connection that began then, is this seen? */
bool faults_hide(const struct faults *f, ns_t start, ns_t when);

#endif
