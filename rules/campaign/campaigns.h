#ifndef SPAN25_RULES_CAMPAIGN_CAMPAIGNS_H
#define SPAN25_RULES_CAMPAIGN_CAMPAIGNS_H
/* campaigns - the same mail from several sources (S4, DETECTION 1.5, 1.10, 2)
 *
 * Clusters of messages within an hour of stream time: the minute that runs and
 * the 59 before. A cluster has an id, the hash of what opened it, which stays
 * the same while the cluster lives: until an hour without a message of it.
 *
 * WHO COUNTS. Sources at home whose mail goes out (direction outbound), a DHCP
 * lease as one of its own. Not: the null sender (bounces are alike); mail with
 * two Received fields or more, and mail of lists (email.bulk) with one, which
 * the source only passes on; so newsletters that are forwarded and mailing
 * lists cluster nobody. A registered source adds nothing to a cluster, but is
 * told of one whose body it sends: its account may be stolen.
 *
 * BODY. The simhash differs in at most 3 bits from a message of the last hour,
 * or there is too little text for a simhash and smtp.body_sha256 is equal and
 * the message has CAMPAIGN_DIGEST_BYTES. A cluster opens with the second
 * source. A message to the first recipient of the one that opened it does not
 * count: notices of many machines to one person are no campaign. duplicate is
 * said of messages that count when another source sent that body.
 *
 * RECIPIENTS. A recipient whom nobody here had written to before this hour, of
 * three sources, ties them together; a cluster is told of once it has
 * CAMPAIGN_SHARED of them (BotMagnifier, USENIX Security 2011: bots share
 * lists, people share one or two contacts).
 *
 * SNOWSHOE. In one prefix at home (/24; of IPv6 /48), CAMPAIGN_SNOW_SOURCES
 * sources or more, each with at most CAMPAIGN_SNOW_EACH messages, all with the
 * same host in a link or the same domain of the envelope sender, to
 * CAMPAIGN_SNOW_DOMAINS domains, CAMPAIGN_SNOW_MESSAGES messages in all. An
 * honest newsletter of one host is one source. That host or domain must be new
 * within the hour; one that mail comes in for, or that registered sources
 * write, is the site's own and never counts.
 *
 * Known gaps: a bot that forges two Received fields; a body that each message
 * makes new; campaigns slower than the hour; after a start all recipients and
 * links are new.
 *
 * Bounded: CAMPAIGNS_MESSAGES fingerprints (56 bytes each), CAMPAIGNS_CLUSTERS
 * clusters, CAMPAIGN_SOURCES sources of each exactly, then at least; tables of
 * recipients, links and prefixes of fixed size, in which what was unused
 * longest goes. Memory is touched as it fills. Keyed hashes; no quadratic work
 * whatever arrives. Pure, one thread; stream time that steps back stands. */
#include "sensor/base/err.h"
#include "sensor/event/record.h"

#define CAMPAIGNS_MESSAGES     1000000U
#define CAMPAIGNS_CLUSTERS     65536U
#define CAMPAIGN_SOURCES       256U
#define CAMPAIGN_DIGEST_BYTES  300U
#define CAMPAIGN_SHARED        5U
#define CAMPAIGN_SNOW_SOURCES  5U
#define CAMPAIGN_SNOW_EACH     30U
#define CAMPAIGN_SNOW_DOMAINS  5U
#define CAMPAIGN_SNOW_MESSAGES 20U
#define CAMPAIGN_RELAYED       2U /* Received fields */

#define CAMPAIGN_KINDS(X)                                                      \
    X(BODY, "body") X(RECIPIENTS, "recipients") X(SNOWSHOE, "snowshoe")

enum campaign_kind {
#define CAMPAIGN_ENUM(id, word) CAMPAIGN_##id,
    CAMPAIGN_KINDS(CAMPAIGN_ENUM)
#undef CAMPAIGN_ENUM
        CAMPAIGN_KIND_COUNT
};
const char *campaign_word(enum campaign_kind k);

/* What an event belongs to; the largest cluster where there are several: by
 * sources, then messages, then in the order of the kinds. */
struct campaign_join {
    uint64_t cluster; /* id; 0: none */
    enum campaign_kind kind;
    uint32_t sources;  /* within an hour, this one included if it counts */
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
/* Into a new one of the same seed. ERR_FORMAT, ERR_CORRUPT: nothing was taken
 * over. */
MUST_USE enum err campaigns_load(struct campaigns *c, struct span snapshot);

struct campaigns_counts {
    uint64_t messages, clusters; /* fingerprints held, clusters that live */
    uint64_t forgotten; /* fingerprints that left before their hour was over */
    uint64_t evicted;   /* clusters, recipients, links likewise */
    uint64_t memory_bytes;
};
struct campaigns_counts campaigns_counts(const struct campaigns *c);

#endif
