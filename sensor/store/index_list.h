#ifndef SPAN25_STORE_INDEX_LIST_H
#define SPAN25_STORE_INDEX_LIST_H
/* index_list - pages of alerts, of groups of alerts and of hosts
 *
 * Newest first: by the time of the last match or the last event, those of one
 * time by when they were first told of, the later one first. A page goes on
 * behind a cursor, so it costs the same at any depth, and rows that come in
 * meanwhile move nothing. All of one call is of one state of the index.
 *
 * No call looks at more than INDEX_SCAN_MAX rows for its page, and as many for
 * the total. Where filters that have no index of their own leave so few of them
 * that the page is not full by then, it is shorter, and still has a cursor: it
 * is the last one only without. */
#include "sensor/store/index_query.h"

#define INDEX_PAGE_MAX   500U   /* rows; what a browser's table bears */
#define INDEX_TOTAL_MAX  10000U /* counted exactly so far */
#define INDEX_SCAN_MAX   20000U /* rows looked at: some 50 ms */
#define INDEX_CURSOR     48     /* bytes of a cursor, with its NUL */
#define INDEX_TEXT_MAX   256U   /* bytes of a text that is looked for */
#define INDEX_ALERT_ID   16U    /* digits; others are no alerts of the lists */
#define INDEX_SEVERITIES 4U     /* 1 is the highest */

/* X(id, action, word): what was done last about an alert, control.action */
#define INDEX_STATUS(X)                                                        \
    X(NEW, "", "new")                                                          \
    X(ACK, "ack", "ack")                                                       \
    X(ESCALATED, "escalate", "escalated")                                      \
    X(CLOSED, "close", "closed")
#define INDEX_REOPEN "reopen" /* new again */

enum index_status {
#define INDEX_STATUS_ENUM(id, action, word) INDEX_STATUS_##id,
    INDEX_STATUS(INDEX_STATUS_ENUM)
#undef INDEX_STATUS_ENUM
        INDEX_STATUS_COUNT
};

/* False: it sets none. */
bool index_status_of(struct span action, enum index_status *out);

/* What is to be in a list; empty, 0 or NULL: any. */
struct index_list {
    struct span after; /* cursor of the page before */
    size_t limit;      /* at most INDEX_PAGE_MAX; 0: that */
    ns_t since, until; /* since <= last < until */
    struct span host;  /* whom an alert is about, without a lease */
    struct span rule;
    struct span site;
    struct span registered; /* of hosts: src_reg.state */
    struct span text;       /* beginning of subject or title, of host or name;
                             * titles and names in any case */
    unsigned statuses;      /* bits 1 << enum index_status */
    unsigned severity;      /* this one or a higher one, which is less */
    unsigned level;         /* enum host_level, or a higher one */
    /* Leaves out alerts of this subject and rule. */
    bool (*hide)(void *ctx, struct span subject, struct span rule);
    void *hide_ctx;
};

struct index_page {
    uint64_t total;          /* without regard to after */
    bool exact;              /* else there are at least so many */
    char next[INDEX_CURSOR]; /* "": this is the last page */
};

/* Borrowed during the call. */
struct index_alert {
    struct span id, subject, rule;
    enum index_status status;
    size_t common; /* digits that another alert's id begins with too */
};

/* Alerts of one subject and rule. The filters leave it where any of them has
 * the status, and any has the severity; times are those of the group. */
struct index_group {
    struct span subject, rule;
    struct span site; /* of its first alert */
    uint64_t alerts, matches;
    ns_t first, last;
    unsigned severity; /* the highest */
    uint64_t by_status[INDEX_STATUS_COUNT];
};

typedef void index_alert_row(void *ctx, const struct index_alert *a,
                             struct span record);
/* record: of the newest alert. */
typedef void index_group_row(void *ctx, const struct index_group *g,
                             struct span record);

/* ERR_USAGE: after is no cursor. */
MUST_USE enum err index_list_alerts(struct index_reader *r,
                                    const struct index_list *q,
                                    index_alert_row *row, void *ctx,
                                    struct index_page *out);
MUST_USE enum err index_list_groups(struct index_reader *r,
                                    const struct index_list *q,
                                    index_group_row *row, void *ctx,
                                    struct index_page *out);
MUST_USE enum err index_list_hosts(struct index_reader *r,
                                   const struct index_list *q,
                                   index_record_row *row, void *ctx,
                                   struct index_page *out);

/* Kept, so they cost the same however many there are. Those that an exception
 * silences are counted: exceptions have ends, counts have not. */
struct index_counts {
    uint64_t alerts[INDEX_STATUS_COUNT][INDEX_SEVERITIES]; /* severity - 1 */
    uint64_t registered, unregistered, others;             /* hosts */
};
MUST_USE enum err index_list_counts(struct index_reader *r,
                                    struct index_counts *out);

/* As texts are compared: A to Z in small letters. */
static inline uint8_t
index_list_fold(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

#endif
