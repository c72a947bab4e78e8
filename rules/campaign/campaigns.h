#ifndef SPAN25_RULES_CAMPAIGN_CAMPAIGNS_H
#define SPAN25_RULES_CAMPAIGN_CAMPAIGNS_H
/* campaigns - the same mail from several sources (S4, DETECTION 1.5, 1.10, 2)
 *
 * Clusters of messages within an hour of stream time: the same body (simhash
 * that differs in at most 3 bits, by four bands of 16), the same recipients
 * (first contacts offered by several sources), and snowshoe: many sources of
 * one prefix (/24, /64... of IPv6 /48) that each stay below every limit. A
 * cluster has an id, the hash of what opened it, which stays the same while the
 * cluster lives. Only sources at home count. Mail of lists (email.bulk) and
 * registered sources join no body cluster by themselves.
 *
 * Bounded: CAMPAIGNS_MESSAGES messages remembered, CAMPAIGNS_CLUSTERS clusters,
 * CAMPAIGN_SOURCES sources of each exactly, then at least. Keyed hashes; no
 * quadratic work whatever arrives. Pure, one thread. */
#include "sensor/base/err.h"
#include "sensor/event/record.h"

#define CAMPAIGNS_MESSAGES 1000000U /* 32 bytes each */
#define CAMPAIGNS_CLUSTERS 65536U
#define CAMPAIGN_SOURCES   256U

#define CAMPAIGN_KINDS(X)                                                      \
    X(BODY, "body") X(RECIPIENTS, "recipients") X(SNOWSHOE, "snowshoe")

enum campaign_kind {
#define CAMPAIGN_ENUM(id, word) CAMPAIGN_##id,
    CAMPAIGN_KINDS(CAMPAIGN_ENUM)
#undef CAMPAIGN_ENUM
        CAMPAIGN_KIND_COUNT
};
const char *campaign_word(enum campaign_kind k);

/* What an event belongs to; the largest cluster where there are several. */
struct campaign_join {
    uint64_t cluster; /* id; 0: none */
    enum campaign_kind kind;
    uint32_t sources;  /* within an hour, this one included */
    uint32_t messages; /* within an hour */
    bool duplicate;    /* the body was seen before, of another source */
};

struct campaigns;

MUST_USE enum err campaigns_new(uint64_t seed, struct campaigns **out);
void campaigns_free(struct campaigns *c);

/* An event of any type; looks at smtp only. True when out says something. */
bool campaigns_event(struct campaigns *c, const struct record_map *event,
                     struct campaign_join *out);

MUST_USE enum err campaigns_save(const struct campaigns *c, struct buf *out);
MUST_USE enum err campaigns_load(struct campaigns *c, struct span snapshot);

struct campaigns_counts {
    uint64_t messages, clusters;
    uint64_t forgotten; /* messages that left before their hour was over */
    uint64_t memory_bytes;
};
struct campaigns_counts campaigns_counts(const struct campaigns *c);

#endif
