#ifndef SPAN25_SINKS_SPOOL_H
#define SPAN25_SINKS_SPOOL_H
/* spool - how far a sink is in the journal, lane by lane, and what was lost
 *
 * The journal itself is the spool. Three lanes, the kinds of keep.h, have a
 * cursor each, so that alerts pass by the mail that waits in front of them. A
 * lane's lines are those that the sink wants of its kind. At any time, for
 * each lane,
 *
 *     journaled = acknowledged + waiting + lost
 *
 * where journaled are the lane's lines up to spool_scanned, and lost are those
 * that the sink refused for good, or that were removed from the journal before
 * they could be sent. Removed ones count as waiting until the cursor has come
 * by, for only then is it known that they are gone.
 *
 * TWO READERS. One scans: each line of the journal once, as it comes, also
 * while the sink is away, and counts. The others send: one for each lane. They
 * read the same lines, and ask the same question whether the sink wants one.
 *
 * AFTER A CRASH the state of the last spool_save is loaded, and both go on from
 * there: what was acknowledged since is sent again (a double, with the same
 * event_id), and is counted once.
 *
 * Pure: no files, no clock. One thread. */
#include "sensor/base/buf.h"
#include "sensor/base/err.h"
#include "sensor/event/keep.h"

/* Lines that a sink has taken and not settled. Lanes behind the first one leave
 * half of it to that. */
#define SPOOL_WINDOW 8192U

struct spool;

struct spool_counts {
    uint64_t journaled, acknowledged, waiting, lost;
    uint64_t in_flight; /* of those waiting: taken by the sink */
};

/* Of a new sink: the lines behind seq are its own. */
MUST_USE enum err spool_new(uint64_t seq, struct spool **out);
void spool_free(struct spool *s); /* NULL is fine */

/* ---- scanning ---- */

/* Last one that was scanned. */
uint64_t spool_scanned(const struct spool *s);
/* The next line there is, of kind k; missing: as the reader says, lines before
 * it that nobody can read. */
void spool_scan(struct spool *s, uint64_t seq, uint64_t missing,
                enum keep_kind k, bool wanted);
/* What the sink wants is not what it was: the lines that wait are scanned and
 * counted anew, from the cursor that is furthest behind on. Lines up to a
 * lane's own cursor count as they did; what was removed before it could be
 * scanned again is in spool_unread. Nothing may be in flight. */
void spool_recount(struct spool *s);
/* The last line that anything is known of: beyond spool_scanned while lines are
 * counted anew. */
uint64_t spool_last(const struct spool *s);
/* Lines of which nobody knows the kind: damaged, or removed before they were
 * scanned. In no lane. */
uint64_t spool_unread(const struct spool *s);

/* ---- sending ---- */

/* Where the lane's reader goes on: with the first line from this number on. */
uint64_t spool_next(const struct spool *s, enum keep_kind k);
/* May the sink be given a line of this lane? */
bool spool_has_room(const struct spool *s, enum keep_kind k);
/* The lane's reader has come by this line, and the sink takes it, or it is none
 * of the lane. Not beyond spool_scanned. One that is taken and was not counted,
 * because it could not be read when it was scanned, is counted now. */
void spool_took(struct spool *s, enum keep_kind k, uint64_t seq);
void spool_passed(struct spool *s, enum keep_kind k, uint64_t seq);
/* The sink did not take it after all: the lane's reader comes by it again. Of
 * the last line that was told to be taken only. */
void spool_untook(struct spool *s, enum keep_kind k, uint64_t seq);
/* The lane's reader finds nothing more up to spool_scanned. */
void spool_reached(struct spool *s, enum keep_kind k);
/* The sink has settled one more of the lines that it took, in that order;
 * delivered false: it can never take it. */
void spool_settled(struct spool *s, bool delivered);
/* The sink was made anew: what it had taken and not settled is to be read
 * again, by readers opened at spool_next. */
void spool_again(struct spool *s);

/* Lines that the sink has taken and not settled, of all lanes. */
size_t spool_in_flight(const struct spool *s);

/* The journal ends with line seq: what was scanned behind it is gone, and other
 * lines will have its numbers. What of it was waiting is lost. Nothing may be
 * in flight. */
void spool_cut(struct spool *s, uint64_t seq);

/* All lines of the lane up to this one are settled. */
uint64_t spool_cursor(const struct spool *s, enum keep_kind k);

struct spool_counts spool_counts(const struct spool *s, enum keep_kind k);

/* ---- across a restart ---- */

void spool_save(const struct spool *s, struct buf *out);
/* Into a new one. ERR_FORMAT: none of ours; it is as it was. */
MUST_USE enum err spool_load(struct spool *s, struct span saved);

#endif
