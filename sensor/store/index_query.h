#ifndef SPAN25_STORE_INDEX_QUERY_H
#define SPAN25_STORE_INDEX_QUERY_H
/* index_query - looks into index.db, read-only, beside its writer
 *
 * Each query sees one state of the index, whatever is committed meanwhile.
 * One thread a reader; any number of readers. */
#include "sensor/base/addr.h"
#include "sensor/base/buf.h"
#include "sensor/base/err.h"
#include "sensor/base/ns.h"

#define INDEX_LIMIT_MAX 10000

struct index_reader;

/* Strings are UTF-8, borrowed during the call; p == NULL: not in the event. */
struct index_event {
    uint64_t seq; /* in the journal */
    ns_t when;    /* whole microseconds */
    uint64_t flow_id;
    uint64_t dport; /* 0: not in the event */
    uint64_t final_code;
    struct addr src;
    struct addr dst;
    bool has_src;
    bool has_dst;
    struct span event_id;
    struct span type;
    struct span direction;
    struct span outcome;
    struct span mail_from;
    struct span message_id;
};

struct index_query {
    const struct addr *host; /* as source or destination; NULL: any */
    const char *type;        /* event_type; NULL: any */
    ns_t from;               /* from <= when < to */
    ns_t to;                 /* 0: no end */
    ns_t before_when;        /* the last event of the page before: go on */
    uint64_t before_seq;     /* behind it; both 0: first page */
    size_t limit;            /* at most INDEX_LIMIT_MAX; 0: that */
};

/* ERR_NOENT: there is no index (yet); ERR_FORMAT: another build made it, and
 * its records say nothing here. */
MUST_USE enum err index_reader_open(const char *dir, struct index_reader **out,
                                    struct buf *message);
void index_reader_close(struct index_reader *r); /* NULL is fine */

/* Calls row for each event, newest first (time, then sequence). */
MUST_USE enum err
index_events(struct index_reader *r, const struct index_query *q,
             void (*row)(void *ctx, const struct index_event *e), void *ctx);

/* The event with this id, at most one call. */
MUST_USE enum err index_event_by_id(struct index_reader *r, struct span id,
                                    void (*row)(void *ctx,
                                                const struct index_event *e),
                                    void *ctx);

/* ---- what an analyst asks for, whole ----
 *
 * A record has passed record_check; one that does not is damage of the index
 * and passed over. Types: "alert" and "host", the newest event of each alert.id
 * and host; "decision", "act" (what people did about an alert), "exception",
 * "block" (what people did about decisions) and "policy" (what became of the
 * policy), "said" (what else people did: registry, test, page), all of them.
 * The key is alert.id, the host's address (and " lease ID"), decision.id, the
 * alert.id of an act, the exception's id, the subject of a block, the action of
 * a policy, the kind of a said. */
typedef void index_record_row(void *ctx, uint64_t seq, struct span record);

/* Newest first, those with from <= timestamp; limit 0: all. */
MUST_USE enum err index_latest(struct index_reader *r, const char *type,
                               ns_t from, size_t limit, index_record_row *row,
                               void *ctx);
/* Those whose key begins so, in the order of the keys. */
MUST_USE enum err index_latest_key(struct index_reader *r, const char *type,
                                   struct span begins, size_t limit,
                                   index_record_row *row, void *ctx);
/* In the order of the journal; key empty: all. */
MUST_USE enum err index_acts(struct index_reader *r, const char *type,
                             struct span key, index_record_row *row, void *ctx);
/* The newest one; none: row is not called. */
MUST_USE enum err index_acts_last(struct index_reader *r, const char *type,
                                  index_record_row *row, void *ctx);
/* Those whose key begins so. */
MUST_USE enum err index_acts_key(struct index_reader *r, const char *type,
                                 struct span begins, index_record_row *row,
                                 void *ctx);

/* The one at this position of the journal, of any type; none: row is not
 * called. */
MUST_USE enum err index_act_at(struct index_reader *r, uint64_t seq,
                               index_record_row *row, void *ctx);

/* Journal position of the newest decision, exception or act of people; 0: none.
 * Costs microseconds. */
MUST_USE enum err index_acts_newest(struct index_reader *r, uint64_t *out);

/* Journal position of what queries see now. */
MUST_USE enum err index_reader_position(struct index_reader *r, uint64_t *out);

/* Why the last call failed. */
void index_reader_why(const struct index_reader *r, struct buf *out);

#endif
