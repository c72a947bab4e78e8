#ifndef SPAN25_RULES_ALERT_SUBJECT_H
#define SPAN25_RULES_ALERT_SUBJECT_H
/* subject - whom an alert is about
 *
 * An address at home, with the DHCP lease where one is known; of hosts outside
 * the address, an IPv6 one by its /64. Two are equal when their bytes are. */
#include "sensor/event/record.h"

#define SUBJECT_TEXT_MAX 80
#define SUBJECT_LEASE    17

struct subject {
    struct prefix prefix;
    uint8_t known; /* 0: the event names no such end; the rest is 0 */
    uint8_t home;
    char lease[SUBJECT_LEASE];
};

enum subject_end { SUBJECT_CLIENT, SUBJECT_SERVER };

struct subject subject_of(const struct record_map *event, enum subject_end end);

/* The end of the event that has this address (text of a group-by value); one
 * that neither has stands for itself. Not an address: not known. *end is the
 * server only where the server has it. */
struct subject subject_of_group(const struct record_map *event,
                                struct span address, enum subject_end *end);

/* "10.2.3.4", "2001:db8::/64", "10.2.3.4 lease 0123456789abcdef", or "unknown".
 */
void subject_text(const struct subject *s, struct buf *out);

/* Reads what subject_text wrote; home is not in it. */
bool subject_parse(struct span text, struct subject *out);

#endif
