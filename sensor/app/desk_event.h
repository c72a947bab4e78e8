#ifndef SPAN25_APP_DESK_EVENT_H
#define SPAN25_APP_DESK_EVENT_H
/* desk_event - whole events from the journal, and how people read them */
#include "sensor/app/desk.h"

/* One event wanted; record is empty when it is not there any more. */
struct desk_event {
    uint64_t seq; /* in the journal; 0: not found by the index */
    uint64_t flow_id;
    ns_t when;
    struct addr src;
    bool is_host; /* statistics, not a connection */
    bool is_mail; /* of a connection: its session may be asked for */
    struct buf record;
};

void desk_event_init(struct desk_event *e);
void desk_event_fini(struct desk_event *e);

/* Where it stands, by its event_id. A failure of the index is told. */
MUST_USE enum cli_exit desk_event_find(struct desk *d, struct span id,
                                       struct desk_event *out);
/* The session of its connection: at most an hour later. */
MUST_USE enum cli_exit desk_event_session(struct desk *d,
                                          const struct desk_event *e,
                                          struct desk_event *out);
/* Transactions of a host before (and at) a time: the earliest and the latest of
 * the last 1,000, and of those with a refusal the latest. Not all need be
 * there; the same one may stand for several. */
MUST_USE enum cli_exit desk_event_mails(struct desk *d, const struct addr *host,
                                        ns_t upto, struct desk_event out[3]);
/* Reads them all from the journal. Damage is told. */
void desk_event_read(struct desk *d, struct desk_event *const *events,
                     size_t n);

/* "2026-11-22T15:29:00Z (2026-11-22 16:29 +0100)" */
void desk_event_time(const struct desk *d, ns_t when, struct buf *out);
/* Head of an event in one line: time, ends, kind. */
void desk_event_head(const struct desk *d, const struct record_map *m,
                     struct buf *out);
/* What was said, a line each, indented: commands (C) and replies (S) as far as
 * the events keep them. AUTH is masked, bodies are told by their size. session
 * may be NULL. */
void desk_event_transcript(const struct record_map *m,
                           const struct record_map *session, struct buf *out);

#endif
