#ifndef SPAN25_DISSECTORS_DNS_TELL_H
#define SPAN25_DISSECTORS_DNS_TELL_H
/* dns_tell - datagrams from port 53 in, events of type dns out
 *
 * Its datagram_ops are for net. What dns_read tells becomes one record: the
 * client is who asked, the server who answered. One that is told again by a
 * mirror, the same bytes between the same ends, is told once: each shard
 * remembers DNS_TELL_SEEN of them, for DNS_TELL_AGAIN_NS. So records are the
 * same with any number of workers. Memory: one block, and a record. */
#include "dissectors/dns.h"
#include "sensor/base/err.h"
#include "sensor/event/stream.h"

#define DNS_TELL_SEEN 16 /* places of a table, for 64 shards */
#define DNS_TELL_AGAIN_NS                                                      \
    (100 * NS_PER_MS) /* a mirror's copy comes within a millisecond, who       \
                       * asks again waits for a second or longer */

struct dns_tell;

struct dns_tell_options {
    struct record_sink sink;
    struct dns_home home;
    /* Adds what a dissector does not know: Community ID, interface. NULL is
     * fine. */
    void (*describe)(void *ctx, const struct flow *f, struct record_out *r);
    void *describe_ctx;
};

struct dns_tell_stats {
    uint64_t told;
    uint64_t duplicates;
    uint64_t malformed; /* that looked as if they had something to tell */
};

extern const struct datagram_ops dns_tell_ops; /* ctx: struct dns_tell */

MUST_USE enum err dns_tell_new(const struct dns_tell_options *o,
                               struct dns_tell **out);
void dns_tell_free(struct dns_tell *t); /* NULL is fine */
const struct dns_tell_stats *dns_tell_stats_of(const struct dns_tell *t);

#endif
