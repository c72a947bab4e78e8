#ifndef SPAN25_APP_READ_RUN_H
#define SPAN25_APP_READ_RUN_H
/* read_run - workers, rings and the merge of one reading of captures
 *
 * Workers are threads, or processes forked here; the records come out of
 * read_run_step in the one order, in the caller's thread. A worker process that
 * dies is noticed: its ring ends and failed is set. */
#include "sensor/app/worker.h"
#include "sensor/core/merge.h"

struct read_run;

MUST_USE enum err read_run_start(const struct worker_plan *plan,
                                 size_t ring_bytes, bool processes,
                                 struct read_run **out);

/* As merge_step. */
bool read_run_step(struct read_run *r, const struct record_sink *sink,
                   const struct record_sink *farewell);

/* Of the slowest worker, in bytes of the capture. */
uint64_t read_run_position(const struct read_run *r);
uint64_t read_run_refused(const struct read_run *r);

/* Waits for the workers; ERR_OK when all of them ended well. messages, or NULL,
 * tells of processes that died. */
enum err read_run_end(struct read_run *r, struct buf *messages);

#endif
