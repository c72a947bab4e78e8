#ifndef SPAN25_APP_DESK_ALERTS_H
#define SPAN25_APP_DESK_ALERTS_H
/* desk_alerts - the alerts of a state, and what people did about them */
#include "sensor/app/desk.h"
#include "sensor/store/index_list.h"

#define DESK_ID       17 /* 16 hexadecimal digits and a NUL */
#define DESK_ID_LEAST 4  /* digits shown at least */

/* What was done last; in the order of --status. */
enum desk_status {
#define DESK_STATUS_ENUM(id, action, word) DESK_##id,
    INDEX_STATUS(DESK_STATUS_ENUM)
#undef DESK_STATUS_ENUM
};

const char *desk_status_word(enum desk_status s);
struct desk_alert;
/* Its level as people are told it everywhere: "info" for informational. */
struct span desk_level_word(const struct desk_alert *a);
/* Of control.action; after DESK_REOPEN an alert is new again. False: no act. */
#define DESK_REOPEN INDEX_REOPEN
bool desk_status_of(struct span action, enum desk_status *out);

/* The fixed list of reasons for closing, UX 4. */
struct desk_reason {
    const char *word;  /* of --reason, and in control.reason */
    const char *words; /* for people */
};
/* NULL: no such word. */
const struct desk_reason *desk_reason_find(struct span word);

/* What a row of a list needs of an alert. */
struct desk_alert {
    char id[DESK_ID];
    uint8_t shown; /* digits of it that tell it from all others */
    uint8_t severity;
    enum desk_status status;
    bool silenced; /* when it was told of last, or by an exception of now */
    ns_t first, last;
    uint64_t count;
    char *level, *state, *subject, *site, *rule, *title, *reason;
    char *registered; /* "registered", "unregistered" ...; or empty */
    /* What people did last: who, when, and the word of --reason; NULL and 0
     * where nobody did anything. */
    char *by, *said;
    ns_t done;
};

struct exceptions;

struct desk_alerts {
    struct desk_alert *v;
    size_t n, cap;
    ns_t acted;  /* when something was done last, about whichever */
    bool failed; /* no memory */
    bool cut;    /* desk_alerts_named: there are more that begin so */
};

/* All alerts, by id; to be freed whatever comes of it, as what the next two
 * give. For what has to look at each: a million take seconds. */
MUST_USE enum cli_exit desk_alerts_read(struct desk *d,
                                        struct desk_alerts *out);
/* Those that the beginnings of ids may mean, by id: desk_alerts_find finds in
 * them what it finds in all. */
MUST_USE enum cli_exit desk_alerts_named(struct desk *d, char *const *ids,
                                         size_t n, struct desk_alerts *out);
/* Those about an address, or about a prefix that it is in, the newest of each
 * first; at most limit, and total is how many there are, or at least are. */
MUST_USE enum cli_exit desk_alerts_about(struct desk *d, const struct addr *a,
                                         size_t limit, struct desk_alerts *out,
                                         struct index_page *page);
void desk_alerts_fini(struct desk_alerts *a);

/* The one whose id begins so. NULL: none, or several, which is told. */
const struct desk_alert *desk_alerts_find(struct desk *d,
                                          const struct desk_alerts *a,
                                          struct span begins);

/* Appends one as its event has it; false: it has no id, or no memory. */
bool desk_alerts_take(struct desk_alerts *a, struct span record);
/* One of a list of the index, with what was done about it, into an empty one;
 * false: code says why, or one has failed, or it has no id. */
bool desk_alerts_listed(struct desk *d, const struct exceptions *x,
                        const struct index_alert *a, struct span record,
                        struct desk_alerts *one, enum cli_exit *code);
/* By what is in force at the time that is asked about, whatever was when the
 * alert was told of: one whose exception is over comes back. */
bool desk_alerts_silenced(const struct desk *d, const struct exceptions *x,
                          struct span subject, struct span rule);
/* The list: registry_table_fini afterwards. */
void desk_alerts_table(struct registry_table *t);
void desk_alerts_row(struct desk *d, struct registry_table *t,
                     const struct desk_alert *a);

/* By the filters of the command line; since is that of --since. */
bool desk_alerts_wanted(const struct desk *d, const struct desk_alert *a,
                        ns_t since);

#endif
