#ifndef SPAN25_APP_DESK_FEEDS_H
#define SPAN25_APP_DESK_FEEDS_H
/* desk_feeds - what the verbs about block lists share: a set of a state */
#include "sensor/app/desk.h"
#include "sensor/app/feed_source.h"
#include "sensor/app/feed_store.h"

struct desk_feeds {
    struct desk *desk;
    struct exceptions *exceptions;
    struct feed_source source;
    struct feed_store store;
    struct feed_limits limits;
    struct feed last, set; /* last.serial 0: there was none */
    enum feed_verdict verdict;
    bool preview; /* nobody is to load it */
    bool served;  /* a live sensor makes the lists: set is its last one */
};

/* All to be ended by desk_feeds_fini, whatever comes of it. */
void desk_feeds_init(struct desk_feeds *f, struct desk *d);
void desk_feeds_fini(struct desk_feeds *f);

/* True: a live sensor's state, whose decisions may be listed. */
MUST_USE bool desk_feeds_live(struct desk_feeds *f);
/* Entries, what is never listed, the last set. A failure is told. */
MUST_USE enum cli_exit desk_feeds_read(struct desk_feeds *f);
/* The set of now; what feed_make says of it is verdict. Nothing is kept. */
void desk_feeds_make(struct desk_feeds *f);
/* Why there is no set. */
enum cli_exit desk_feeds_refuse(struct desk_feeds *f);

/* "10.1.2.3/32: registered; not listed", a line each. */
void desk_feeds_notes(struct desk_feeds *f, struct buf *out);

#endif
