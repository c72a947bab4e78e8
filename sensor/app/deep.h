#ifndef SPAN25_APP_DEEP_H
#define SPAN25_APP_DEEP_H
/* deep - content inspection in disposable processes without rights
 *
 *     deep_start(&options, &d, message);   before any thread is made
 *     deep_inspect(d, slot, &job, &result);  from the worker of this slot only
 *     or: deep_begin(d, slot, &job, &result); ... deep_poll(d, slot, ...)
 *     deep_stop(d);
 *
 * deep_start forks the keeper, which forks an inspector for each slot. Job and
 * result cross in shared memory, a slot's own; waking is by futex. An inspector
 * has no files, no other slot's memory, no way to execute anything, limits of
 * memory and core size, and a seccomp filter that kills it for any system call
 * but its own of confine_calls.def: no network either, unless options->sockets
 * asks for a Unix socket. What comes out of it is checked like wire bytes.
 *
 * An inspector that ends, by a fault, by its filter or by a signal from
 * anywhere, is a finding (FIND_INSPECTION_FAULT) of the part that it was at,
 * and the keeper forks another. So is an answer that does not hold together.
 * One that is not done after DEEP_WALL_S is killed (FIND_INSPECTION_TIMEOUT);
 * clock and signals say so by the result false. After some of them others get
 * DEEP_SHORT_S, and what is of a type that stalled before is not looked into
 * (FIND_NOT_INSPECTED, false too): patience.h. When the keeper itself is gone,
 * nothing is inspected any more: deep_lost.
 *
 * deep_start waits until all inspectors are locked in; where the system does
 * not allow that it fails and says so. One that later fails to come up is tried
 * again each second.
 *
 * Sanitizers need system calls and memory of their own: in such builds there is
 * neither the filter nor the memory limit. */
#include "dissectors/content/content.h"
#include "sensor/base/err.h"

#include <limits.h>
#include <sys/types.h>

#define DEEP_WALL_S     5
#define DEEP_SHORT_S    1
#define DEEP_BEAT_LIVE  200
#define DEEP_RESULT_MAX (1U << 20)

struct deep_options {
    unsigned n_slots;
    size_t input_max;  /* bytes of the largest part */
    size_t memory_max; /* bytes of address space of an inspector */
    /* In the inspector, with all that was opened before deep_start. */
    void (*inspect)(void *ctx, const struct content_job *job,
                    struct content_result *result);
    void *ctx;
    /* One that was started before, or NULL: these inspectors must not see its
     * memory, nor any before that. */
    const struct deep *before;
    bool sockets; /* it speaks to a daemon through a Unix socket */
    /* What DEEP_WALL_S and DEEP_SHORT_S count, in milliseconds: 0 is 1000. An
     * inspection may last up to two beats more. Live, where other parts wait
     * for the same inspector, DEEP_BEAT_LIVE makes 1 s and 200 ms of them. */
    unsigned beat_ms;
};

struct deep_counts {
    uint64_t jobs, faults, timeouts, refused;
};

struct deep;

/* message gets why it is not possible. */
MUST_USE enum err deep_start(const struct deep_options *o, struct deep **out,
                             struct buf *message);
void deep_stop(struct deep *d); /* NULL-safe */

/* result is reset. False: the inspection broke off. For as long as a small job
 * lasts the calling thread and its inspector share one processor, where the
 * system allows to set that (sched_setaffinity). */
bool deep_inspect(struct deep *d, unsigned slot, const struct content_job *job,
                  struct content_result *result);

/* The same without waiting: begin hands the job over, the bytes are copied;
 * poll says what has become of it. After anything but DEEP_PENDING result is as
 * of deep_inspect and the slot takes the next job. poll's job is the same one,
 * for what is noted of its kind; NULL: nobody wants the answer any more. begin
 * when the slot has a job is our fault. */
enum deep_answer { DEEP_PENDING, DEEP_WHOLE, DEEP_BROKEN };
MUST_USE enum deep_answer deep_begin(struct deep *d, unsigned slot,
                                     const struct content_job *job,
                                     struct content_result *result);
MUST_USE enum deep_answer deep_poll(struct deep *d, unsigned slot,
                                    const struct content_job *job,
                                    struct content_result *result);
/* Until poll may say more, or for most_ms. */
void deep_rest(struct deep *d, unsigned slot, unsigned most_ms);

/* The keeper's process, which the one that called deep_start waits for. */
pid_t deep_keeper(const struct deep *d);
/* It was waited for: its number is nobody's now, and must not be killed. */
void deep_bury(struct deep *d);
/* Its keeper was waited for: another takes its place. Jobs that were under way
 * are faults. leave (or NULL) is called in it first: it unmaps what inspectors
 * must not share. */
void deep_restart(struct deep *d, void (*leave)(void *ctx), void *ctx);

struct deep_counts deep_counts_of(const struct deep *d, unsigned slot);
bool deep_lost(const struct deep *d, unsigned slot);

/* In a process that is forked after deep_start: all slots but one are not its
 * business, nor, with DEEP_NO_SLOT, any. Only deep_inspect of that slot may be
 * called from then on. */
#define DEEP_NO_SLOT UINT_MAX
void deep_leave(struct deep *d, unsigned but);

/* For tests: the process that inspects for this slot now, or 0. */
pid_t deep_pid(const struct deep *d, unsigned slot);

#endif
