#ifndef SPAN25_RULES_CAMPAIGN_BODIES_H
#define SPAN25_RULES_CAMPAIGN_BODIES_H
/* bodies - fingerprints of mails of the last hour, and which of them are near
 *
 * Near is a Hamming distance of at most BODIES_NEAR: of four bands of 16 bits
 * one is the same then, so only bodies that share a band are looked at (Manku,
 * Jain, Das Sarma, WWW 2007). Each band, and the fingerprint whole, leads into
 * a chain from the newest to the oldest; of a chain BODIES_CHAIN are looked at,
 * so an attacker who fills one costs no more than that, and hides old bodies of
 * this band only; equal ones are found through the chain of the whole, which is
 * keyed.
 *
 * A body is remembered for an hour (the minute that runs and 59 before) after
 * it was seen last, CAMPAIGNS_MESSAGES at most: then the oldest goes, and is
 * counted when its hour was not over. */
#include "rules/campaign/clusters.h"

#define BODIES_NEAR  3U
#define BODIES_CHAIN 64U
#define BODIES_LINKS 5U /* four bands and the whole */

struct body {
    uint64_t print;
    uint32_t born, last;     /* minutes */
    struct cluster_ref part; /* of this cluster; or: */
    uint32_t source;         /* the only source so far */
    uint32_t rcpt;           /* whom its first message went to */
    uint16_t messages;       /* of that source */
    bool exact;              /* only equal ones are near */
    uint32_t next[BODIES_LINKS];
};

struct bodies;

MUST_USE enum err bodies_new(uint64_t seed, struct bodies **out);
void bodies_free(struct bodies *b); /* NULL is fine */

/* The nearest one that lives, of several equally near ones that seen last, then
 * that of the smaller print; or NULL. Borrowed until the next bodies_add. */
struct body *bodies_near(struct bodies *b, uint64_t print, bool exact,
                         uint32_t minute);
/* A new one with this print: what is no print, time or link is the caller's. */
struct body *bodies_add(struct bodies *b, uint64_t print, bool exact,
                        uint32_t minute);

uint64_t bodies_count(const struct bodies *b);
uint64_t bodies_forgotten(const struct bodies *b);
uint64_t bodies_memory(const struct bodies *b);

void bodies_save(const struct bodies *b, struct buf *out);
MUST_USE bool bodies_load(struct bodies *b, struct cursor *in);

#endif
