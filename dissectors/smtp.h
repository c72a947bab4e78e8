#ifndef SPAN25_DISSECTORS_SMTP_H
#define SPAN25_DISSECTORS_SMTP_H
/* smtp - the SMTP dissector: two streams in, records out
 *
 * RFC 5321 with 1870 (SIZE), 2920 (PIPELINING), 3030 (CHUNKING), 3207
 * (STARTTLS), 3463 and 2034 (enhanced codes), 4954 (AUTH), 6531 (SMTPUTF8).
 *
 * Never blind: no code, garbage, gap, one-way mirror or start in the middle
 * turns it off; it finds the place again and says with what confidence.
 *
 * The two directions are put in the order of cause and effect before they are
 * read: a segment that acknowledges bytes of the other side which have not been
 * seen waits for them (net delivers them or a gap). So a mirror that shows an
 * answer before the question changes nothing.
 *
 * AUTH payloads are dropped at once and overwritten in memory where a line had
 * to be put together. Message bodies are framed and counted, never kept.
 *
 * Where inspections may come later (part.later), a part's record waits for its
 * own, and all further records of its flow behind it, as coded bytes; those of
 * other flows do not. Past smtp_late_records or smtp_late_bytes what waits of
 * the flow that goes on is given out, its parts FIND_NOT_INSPECTED. Not with
 * carve_parts or save_mail: there all is inspected at once.
 *
 * Records: smtp (transaction), fileinfo, smtp_session, tls, anomaly, attempt.
 * Memory is charged per shard, so a cap bites the same way whatever the number
 * of workers. */
#include "dissectors/part.h"
#include "dissectors/smtp_suspect.h"
#include "sensor/base/err.h"
#include "sensor/event/stream.h"

struct smtp_ctx;

struct smtp_options {
    struct record_sink sink;
    uint64_t memory_max; /* bytes of all shards; split evenly */
    /* The same for parts of messages in transfer, which may be large; 0:
     * bodies are framed and counted only. */
    uint64_t content_max;
    bool body_digest; /* SHA-256 of every message */
    bool carve_parts; /* attached parts as records of type CARVE, carve.h */
    /* The same for whole messages of at most so many bytes, charged to an
     * account of its own that is as large as content_max: as received after
     * DATA, so nothing of AUTH; behind an irregular end of data, where some
     * server reads commands, what may be of AUTH has stars over it, and a mail
     * with commands there is of type "smuggled". Not those whose beginning or
     * end is a guess. 0: none */
    uint64_t save_mail;
    struct part_options part;
    bool locked; /* the process will lose its right to open files: converters
                  * of charsets are opened now */
    bool name_others; /* what is not SMTP gets a name, protocol.h */
    bool ask_ndpi;    /* about connections on other ports, smtp_suspect.h */
    /* Adds what only the worker knows of a flow: FIELD_COMMUNITY_ID,
     * FIELD_IN_IFACE. NULL is fine. */
    void (*describe)(void *ctx, const struct flow *f, struct record_out *r);
    void *describe_ctx;
};

struct smtp_stats {
    uint64_t sessions; /* with payload */
    uint64_t sessions_tls;
    uint64_t sessions_oneway;
    uint64_t sessions_gaps;
    uint64_t transactions;
    uint64_t messages;
    uint64_t parts;      /* leaves of messages that ended */
    uint64_t part_bytes; /* decoded */
    uint64_t records_cut;
    uint64_t late;         /* records that waited for an inspection */
    uint64_t late_refused; /* parts given up because too many waited */
};

MUST_USE enum err smtp_new(const struct smtp_options *o, struct smtp_ctx **out);
void smtp_free(struct smtp_ctx *c);

/* To be given to net with the context. */
extern const struct stream_ops smtp_ops;

const struct smtp_stats *smtp_stats_of(const struct smtp_ctx *c);

const struct smtp_suspect_stats *smtp_suspects_of(const struct smtp_ctx *c);

/* With part.later: a part that it took was answered or refused. What waited for
 * it is given out, with now as its time; the part may be gone then. */
void smtp_part_settled(struct smtp_ctx *c, struct part *p, ns_t now);
/* Records that wait now. Bounds: smtp_late_records, smtp_late_bytes. */
uint32_t smtp_late_waiting(const struct smtp_ctx *c);

/* Bytes held by all sessions now. */
uint64_t smtp_memory(const struct smtp_ctx *c);

#endif
