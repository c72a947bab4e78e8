#ifndef SPAN25_APP_STUDY_INPUT_H
#define SPAN25_APP_STUDY_INPUT_H
/* study_input - events to study, from wherever they are kept
 *
 *   --state DIR     the journal of a sensor or of readings, also while a sensor
 *                   writes it: up to what was flushed when it was opened
 *   FILE, -         events as read --events writes them (plain, gzip, zstd)
 *   FILE            a capture: read by this program itself in a process of its
 *                   own, with the same configuration
 *   kafka://HOST:PORT[,HOST:PORT...]/TOPIC[,TOPIC...]
 *                   topics that a sink of kind kafka fills, from their
 * beginning to where each partition ended when it was opened; partitions of all
 * of them are merged by time, each in its own order. No offset is committed.
 * TLS and login are those of the sink of the configuration that has the same
 * brokers as its target
 *
 * In the order in which they were named, state first; each is one stream in its
 * own order. Lines that are no events, and damage, are told in messages and
 * counted; the rest goes on. Nothing is written anywhere. One thread. */
#include "sensor/app/options.h"
#include "sensor/base/buf.h"
#include "sensor/base/err.h"
#include "sensor/event/study_result.h"

#include <signal.h>

struct study_inputs;

struct study_inputs_options {
    const struct config *config; /* its state; what a capture is read with */
    char *const *names; /* n of them, may be none when there is a state */
    size_t n;
    const char *config_file; /* for the process that reads a capture; or NULL */
    const char *program;     /* that process; NULL: this program itself */
    const volatile sig_atomic_t *stop; /* looked at while it waits; or NULL */
    unsigned patience_s;               /* with brokers that are away; 0: 30 s */
};

/* messages outlives it. ERR_NOENT, ERR_IO and the like: told, with what to do.
 */
MUST_USE enum err study_inputs_open(const struct study_inputs_options *o,
                                    struct buf *messages,
                                    struct study_inputs **out);
void study_inputs_close(struct study_inputs *in); /* NULL is fine */

/* The next event as a checked record, borrowed until the next call; an empty
 * span at the end of all inputs, and when *stop was set while it waited: then
 * it may be saved. *journal: it is a line of a journal. */
struct span study_inputs_next(struct study_inputs *in, bool *journal);

/* First failure that ended an input early, ERR_OK: none. */
enum err study_inputs_error(const struct study_inputs *in);

/* One row an input, of what was read so far; hashes are there once its end was
 * reached. Borrowed until the next call of any function here. */
const struct study_input *study_inputs_told(struct study_inputs *in, size_t *n);

/* Where it stands, to go on later: for a checkpoint. Into one that was opened
 * with the same names and has given nothing yet; what was read is read again
 * where a stream cannot be entered in the middle (zstd, standard input,
 * captures), and passed over. ERR_FORMAT: of other inputs; ERR_BUSY: *stop was
 * set meanwhile. */
MUST_USE enum err study_inputs_save(const struct study_inputs *in,
                                    struct buf *out);
MUST_USE enum err study_inputs_load(struct study_inputs *in, struct span state);

/* How far it is, 0..1; NAN where that is not known. */
double study_inputs_share(const struct study_inputs *in);

#endif
