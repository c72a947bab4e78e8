#ifndef SPAN25_RULES_ALERT_EXCEPTIONS_H
#define SPAN25_RULES_ALERT_EXCEPTIONS_H
/* exceptions - whom not to show, whom not to stop: one concept
 *
 * Allow list, protected addresses and silenced alerts are the same thing: a
 * prefix, what it is kept from, perhaps one rule, until when, and why. Made
 * from control events of kind exception in the order of the journal, so a
 * replay knows the same ones at the same times. Pure. */
#include "sensor/base/addr.h"
#include "sensor/base/err.h"
#include "sensor/event/record.h"

#define EXCEPTIONS_MAX  65536U
#define EXCEPTIONS_TEXT 1024U /* bytes of a reason or an actor; cut */

enum exception_from { EXCEPT_ALERT = 1, EXCEPT_BLOCK = 2, EXCEPT_BOTH = 3 };

struct exception {
    char id[17]; /* hash of the event that added it, hexadecimal */
    struct prefix prefix;
    unsigned from;        /* enum exception_from */
    char rule[64];        /* "" all rules */
    ns_t since;           /* when it was added */
    ns_t until;           /* 0: no end */
    ns_t removed;         /* 0: not */
    char *reason, *actor; /* never NULL; to be escaped by who prints them */
    char *removed_why, *removed_by; /* the same of the removal; NULL: none */
};

struct exceptions;

MUST_USE enum err exceptions_new(struct exceptions **out);
void exceptions_free(struct exceptions *x);

/* An event of any type; looks at control events of kind exception. In force
 * from control.time on, else from the event's timestamp. ERR_FORMAT: one that
 * says nothing usable (no prefix, an end before its beginning, an id that is
 * there already; the removal of one that is not); ERR_LIMIT: one too many, when
 * none of those before is over by now: those are forgotten first. */
MUST_USE enum err exceptions_event(struct exceptions *x,
                                   const struct record_map *event);

/* The one in force at that time that keeps this address (of a prefix: all of
 * it) from that, by the longest prefix; NULL: none. rule may be empty. */
const struct exception *exceptions_find(const struct exceptions *x,
                                        const struct prefix *p,
                                        enum exception_from from,
                                        struct span rule, ns_t when);

size_t exceptions_count(const struct exceptions *x);
/* In the order in which they were added; borrowed until the next event. */
const struct exception *exceptions_get(const struct exceptions *x, size_t i);
/* By its id; NULL: none. */
const struct exception *exceptions_by_id(const struct exceptions *x,
                                         struct span id);

/* Snapshots. Into a new one; ERR_FORMAT, ERR_CORRUPT: nothing was taken over.
 */
MUST_USE enum err exceptions_save(const struct exceptions *x, struct buf *out);
MUST_USE enum err exceptions_load(struct exceptions *x, struct span snapshot);

#endif
