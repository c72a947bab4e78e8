#ifndef SPAN25_RULES_DECIDE_DECIDE_TRACE_H
#define SPAN25_RULES_DECIDE_DECIDE_TRACE_H
/* decide_trace - of each subject, what its evidence will show: examples of its
 * mail, and how its scores went
 *
 * The latest TRACE_MAILS transactions outbound that were not accepted, by
 * event_id and SHA-256 of the event as published, and the scores of its latest
 * TRACE_POINTS host events. Of about TRACE_SETS * TRACE_WAYS subjects at once;
 * newer ones take the places of those that were heard of least lately. Nothing
 * of mail that was accepted: a server's would push others out. Keyed hash. */
#include "rules/decide/decide_record.h"

#define TRACE_SETS   1024U
#define TRACE_WAYS   4U
#define TRACE_MAILS  10U
#define TRACE_POINTS 16U
#define TRACE_SCORES 4U /* s1 s1t s2 s3 */

struct trace_mail {
    ns_t when;
    char id[TABLE_ID];
    uint8_t hash[DECIDE_HASH];
};

struct trace_point {
    ns_t when;
    uint64_t score[TRACE_SCORES];
};

struct trace {
    uint64_t subject; /* hash; 0: free */
    ns_t when;
    uint64_t mails, points; /* ever; place n is at n % TRACE_... */
    struct trace_mail mail[TRACE_MAILS];
    struct trace_point point[TRACE_POINTS];
};

struct traces {
    uint64_t seed;
    struct trace *sets[TRACE_SETS]; /* each from its first one on */
};

void decide_traces_fini(struct traces *t);
/* An event of type smtp, or host. */
void decide_traces_mail(struct traces *t, const struct record_map *event);
void decide_traces_host(struct traces *t, const struct record_map *event,
                        const struct prefix *subject);
/* NULL: nothing is known. */
const struct trace *decide_traces_find(const struct traces *t,
                                       const struct prefix *subject);

void decide_traces_save(const struct traces *t, struct buf *out);
MUST_USE enum err decide_traces_load(struct traces *t, struct cursor *c);

#endif
