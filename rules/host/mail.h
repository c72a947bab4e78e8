#ifndef SPAN25_RULES_HOST_MAIL_H
#define SPAN25_RULES_HOST_MAIL_H
/* mail - what transactions, files and refusals count for: S1 to S3, S4 to S6 */
#include "rules/host/state.h"

/* Can its recipients and replies be counted? */
bool mail_counts(const struct record_map *smtp);
/* An outbound or internal transaction of host i, which has a place. */
void mail_event(struct hosts *h, uint32_t i, const struct scene *s);
/* A part of class A of outbound mail. */
void mail_file(struct hosts *h, uint32_t i, const struct scene *s);
/* Replies that cite a block list, of a transaction or a session. */
void mail_listed(struct hosts *h, struct detail *d, const struct scene *s);
/* First contact with an organisation. */
void mail_reached(struct hosts *h, struct host *host, struct detail *d,
                  uint64_t org);

/* Of an inbound transaction: recipients, and how many of them unknown. */
struct mail_ledger {
    uint32_t offered, unknown;
};
struct mail_ledger mail_ledger(const struct record_map *smtp);

/* Its mail belongs to this cluster. */
void mail_joined(struct detail *d, const struct campaign_join *c, ns_t now);

#endif
