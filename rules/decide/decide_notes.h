#ifndef SPAN25_RULES_DECIDE_DECIDE_NOTES_H
#define SPAN25_RULES_DECIDE_DECIDE_NOTES_H
/* decide_notes - the latest alerts of each subject, for evidence
 *
 * NOTES_WAYS of each, of about NOTES_SETS subjects at once; newer ones take the
 * places of the oldest. */
#include "rules/decide/decide_record.h"

#define NOTES_SETS 4096U
#define NOTES_WAYS 4U
#define NOTES_OLD  (86400 * NS_PER_S)

struct note {
    uint64_t subject; /* 0: free */
    ns_t when;
    char id[TABLE_ID];
    uint8_t hash[DECIDE_HASH];
};

struct notes {
    uint64_t seed;
    struct note *notes; /* NOTES_SETS * NOTES_WAYS, from the first one on */
};

void decide_notes_fini(struct notes *n);
void decide_notes_alert(struct notes *n, const struct record_map *alert,
                        ns_t now);
/* Of the last day, oldest first; at most NOTES_WAYS. Borrowed until the next
 * alert. */
size_t decide_notes_find(const struct notes *n, const struct prefix *subject,
                         ns_t now, struct evidence out[NOTES_WAYS]);

/* "10.2.3.4", "10.2.3.4/32", "2001:db8::1", "2001:db8::/64", each perhaps with
 * a lease behind a space. False: none of these, or wider than may be stopped.
 */
bool decide_notes_subject(struct span text, struct prefix *out);

#endif
