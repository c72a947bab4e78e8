#ifndef SPAN25_RULES_MAILS_H
#define SPAN25_RULES_MAILS_H
/* mails - messages under way: what their parts had, until the message is told
 *
 * Parts are told as they end, the message itself after its last reply; messages
 * of many connections are under way together. At most MAILS_MAX: a part of one
 * more is given back as left out. Counts of messages are exact below that. */
#include "sensor/base/err.h"
#include "sensor/event/summary.h"

#define MAILS_MAX 65536U

struct mails;

MUST_USE enum err mails_new(struct mails **out);
void mails_free(struct mails *m); /* NULL is fine */

struct mail_key {
    uint64_t flow;
    uint64_t tx; /* number within the flow */
};

/* A part with these classes, bits 1 << enum summary_finding. Gives those that
 * no part of the message had before. */
unsigned mails_part(struct mails *m, const struct mail_key *key,
                    unsigned classes, bool looked_into);

/* The message is told, and forgotten. complete: no byte of it is missing;
 * parted: it was taken apart at all. */
void mails_end(struct mails *m, const struct mail_key *key, bool complete,
               bool parted);

/* The messages, and per class; those still under way are not complete. Adds to
 * p, which has the counts of parts already. */
void mails_summary(const struct mails *m, struct summary_parts *p);

#endif
