#ifndef SPAN25_STORE_INDEX_TRAFFIC_H
#define SPAN25_STORE_INDEX_TRAFFIC_H
/* index_traffic - how much mail traffic there was: sessions by class, and who
 * sent, hour by hour
 *
 * Counted while events are written, so a page costs the same however many there
 * were. INDEX_TRAFFIC_HOURS are kept before the newest hour that was seen. At
 * most INDEX_TRAFFIC_MAX rows of senders are kept, for a host can take as many
 * addresses as it likes; then new ones are left out, which exact tells. */
#include "sensor/event/record.h"
#include "sensor/store/index_query.h"

#define INDEX_TRAFFIC_HOURS 216U /* a week and what is compared with it */
#define INDEX_TRAFFIC_STEP  (600 * NS_PER_S) /* of a slot */
#define INDEX_TRAFFIC_MAX   1000000U         /* rows: hours times senders */
#define INDEX_TRAFFIC_READ  200000U          /* rows of one look: some 100 ms */

enum index_traffic_class {
    INDEX_TRAFFIC_INBOUND,
    INDEX_TRAFFIC_UNREGISTERED, /* outbound, as all below */
    INDEX_TRAFFIC_REGISTERED,
    INDEX_TRAFFIC_CLASSES
};

struct sqlite3;
struct sqlite3_stmt;

/* ---- writing: for the writer of the index, in its transaction ---- */

struct index_traffic {
    struct sqlite3_stmt *hour, *sight, *slot, *more, *put, *old[2], *cut;
    uint64_t at;   /* the hour of the record before; 0: none */
    uint64_t rows; /* of senders */
};

/* All return codes are SQLite's. */
int index_traffic_open(struct sqlite3 *db, struct index_traffic *out);
void index_traffic_close(struct index_traffic *t);
/* Every record: its hour was seen. Call it before the record's alert counts. */
int index_traffic_put(struct index_traffic *t, struct span record);
/* The transaction was given up. */
void index_traffic_undo(struct index_traffic *t);

/* ---- reading ---- */

/* Sessions by slot and class, from <= slot < to, in the order of time. */
MUST_USE enum err index_traffic_slots(
    struct index_reader *r, ns_t from, ns_t to,
    void (*row)(void *ctx, ns_t slot, enum index_traffic_class c, uint64_t n),
    void *ctx);

/* Of one sender at home, of whole hours. */
struct index_sender {
    struct addr host;
    uint64_t sessions, rcpt, refused;
};

struct index_senders {
    uint64_t total, unregistered; /* hosts */
    bool exact;                   /* else at least so many */
};

/* Of the n hours that end with that of `end`: most sessions first, at most
 * limit. */
MUST_USE enum err
index_traffic_senders(struct index_reader *r, ns_t end, unsigned hours,
                      size_t limit,
                      void (*row)(void *ctx, const struct index_sender *s),
                      void *ctx, struct index_senders *out);

/* What was seen in the n hours that end with that of `end`. */
struct index_sight {
    uint64_t hours;        /* in which anything was seen */
    uint64_t seen, unseen; /* bytes of mail, as was said last in each hour */
};

MUST_USE enum err index_traffic_sight(struct index_reader *r, ns_t end,
                                      unsigned hours, struct index_sight *out);

/* Open alerts of the highest severity when that hour began. ERR_NOENT: nothing
 * was seen in it. */
MUST_USE enum err index_traffic_open_high(struct index_reader *r, ns_t when,
                                          uint64_t *out);

#endif
