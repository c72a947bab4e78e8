#ifndef SPAN25_APP_PUBLISH_H
#define SPAN25_APP_PUBLISH_H
/* publish - one sink of a live sensor, fed from the journal
 *
 * The journal is the spool, and spool.h counts. Each line of the journal is
 * shown once, as it is durable. A lane that has sent all before it is LEVEL and
 * gives the line to the sink at once; one that is behind, because the other
 * side is away or slow, has a reader of its own until it is level again. So a
 * sink in order costs no second reading, and alerts pass by the mail that
 * waits.
 *
 * ACROSS A RESTART. DIR/publish/NAME.cursor says how far each lane is; it is
 * written in turn, and put in its place whole. What was acknowledged since is
 * sent again, with the same event_id. A sink without the file is new, and
 * begins with what comes. A file that cannot be read, or is ahead of the
 * journal, which has lost lines, is told of: in doubt lines are sent again
 * rather than never.
 *
 * WHEN A SINK IS TO GET OTHER EVENTS than before (events, filter), what is
 * behind the cursor of a lane is counted anew: it gets those of the new choice,
 * and the old one's are neither waiting nor lost. A lane where nothing waits
 * begins with what comes. One with another name is another sink.
 *
 * WHAT IT GETS is what publish_shape.h makes of the event.
 *
 * THE OTHER SIDE. One that is DEAD, or cannot be opened, is opened again after
 * half a second, then twice as long up to PUBLISH_PAUSE_NS; why is told once
 * for each text. What the journal removes meanwhile, because it is too old or
 * there is no room (journal.keep_*), is lost, and counted when the lane comes
 * by.
 *
 * One thread. */
#include "sensor/app/options_sinks.h"
#include "sensor/journal/journal_reader.h"
#include "sensor/sinks/spool.h"

#define PUBLISH_DIR      "publish"
#define PUBLISH_CURSOR   ".cursor"
#define PUBLISH_PAUSE_NS (30 * NS_PER_S)
#define PUBLISH_SLOW_NS  (5 * NS_PER_S) /* then it is told that it is */
#define PUBLISH_NEAR     20000U /* lines; so far a reader is kept, unused */
#define PUBLISH_TURN     256U /* lines of a lane that is behind, in one step */

struct publish;

/* X(id, word) */
#define PUBLISH_STATE_MAP(X)                                                   \
    X(OPEN, "open")     /* it takes lines */                                   \
    X(BUSY, "busy")     /* it takes none now: away, or slow */                 \
    X(FAILED, "failed") /* an operator must do something */                    \
    X(CLOSED, "closed") /* it could not be opened */

enum publish_state {
#define PUBLISH_ENUM(id, word) PUBLISH_##id,
    PUBLISH_STATE_MAP(PUBLISH_ENUM)
#undef PUBLISH_ENUM
};
const char *publish_state_word(enum publish_state s);

struct publish_plan {
    const char *dir; /* the state; borrowed, as is sink */
    const struct config_sink *sink;
    uint64_t last; /* line of the journal */
};

/* Reads or makes the cursor; the sink itself is opened by the first step. What
 * is told in messages is no error. ERR_IO and the like: the cursor cannot be
 * kept, and nothing may be sent. */
MUST_USE enum err publish_new(const struct publish_plan *plan,
                              struct publish **out, struct buf *messages);
/* Without a last save. NULL is fine. */
void publish_free(struct publish *p);

/* The last line that it was shown. */
uint64_t publish_scanned(const struct publish *p);
/* The next line of the journal; those it was shown before are passed over. */
void publish_line(struct publish *p, const struct journal_line *line);
/* What can be done without waiting; true: something was. mono and utc: now. */
bool publish_step(struct publish *p, ns_t mono, ns_t utc, struct buf *messages);
/* All lines that it was shown are acknowledged or lost. */
bool publish_idle(const struct publish *p);
/* Nothing more comes: what the sink gathered goes out by and by. */
void publish_flush(struct publish *p);
/* A log was rotated: files are opened anew. */
void publish_reopen(struct publish *p);

MUST_USE enum err publish_save(struct publish *p, struct buf *messages);

struct publish_counts {
    struct spool_counts lane[KEEP_KINDS];
    uint64_t
        cursor[KEEP_KINDS]; /* last line that is settled, with all before */
    uint64_t scanned;       /* last line that is counted */
    uint64_t unread; /* lines of which nobody knows the kind, of any lane */
    enum publish_state state;
    ns_t saved; /* UTC; the cursor's time, of publish_saved only */
    ns_t since; /* UTC; something waits, and since then nothing of it was
                 * acknowledged; 0: nothing waits */
};
struct publish_counts publish_counts(const struct publish *p);

/* For who looks from outside: the counts of each sink as they were saved last,
 * by name; state and since are not in them. One that is configured no more has
 * its cursor still. NULL: its cursor cannot be read.
 * ERR_NOENT: no sink has ever run. */
typedef void publish_saved_row(void *ctx, const char *name,
                               const struct publish_counts *n);
MUST_USE enum err publish_saved(const char *dir, publish_saved_row *row,
                                void *ctx);

#endif
