#ifndef SPAN25_APP_PATIENCE_H
#define SPAN25_APP_PATIENCE_H
/* patience - how long inspections may take when many did not end in time
 *
 *     patience_ask(&p, kind)    before each job: how much of it is left
 *     patience_lost(&p, kind)   a job of this kind timed out
 *
 * A worker waits for its inspector, so who sends files at which inspections do
 * not end stalls the reading. Time-outs are counted by the type of file; each
 * PATIENCE_STRETCH jobs one of each type is forgotten. After PATIENCE_HURRY of
 * them every job has a short time; a type that had PATIENCE_KIND of them is not
 * inspected for a while, and after PATIENCE_ALL none that had any. So the worst
 * is, in a stretch, one short time-out of each type at which inspections can be
 * stalled at all; other types are inspected all the time. */
#include "dissectors/filetype.h"

#define PATIENCE_STRETCH 256U
#define PATIENCE_HURRY   3U
#define PATIENCE_KIND    4U
#define PATIENCE_ALL     16U

enum patience_left { PATIENCE_FULL, PATIENCE_SHORT, PATIENCE_NONE };

/* Zeroed is new. */
struct patience {
    uint32_t jobs; /* of this stretch */
    uint32_t all;  /* sum of lost */
    uint8_t lost[FILETYPE_COUNT];
};

enum patience_left patience_ask(struct patience *p, enum filetype kind);
void patience_lost(struct patience *p, enum filetype kind);

#endif
