#ifndef SPAN25_APP_STUDY_WORK_H
#define SPAN25_APP_STUDY_WORK_H
/* study_work - one pass over the inputs, by the code that decides live
 *
 * Every event is shown to as many detectors as the policies need: the first one
 * has the limits of the configuration, others those of a policy with limits of
 * its own. Where they stand and who is registered comes from the configuration,
 * else from the inputs: the home networks that a sensor told at its start, the
 * registry of the journal's control events, or what its events say of a host.
 * What the policy of those weeks was
 * (off, paused, enforced) is not lived again: the question is what would have
 * been. The keys of tables are those of the state, where there is one: then
 * decisions are those that were journaled, or are told as different. */
#include "rules/registry/book.h"
#include "rules/study/study.h"
#include "sensor/app/cli.h"
#include "sensor/app/study_input.h"

struct study_work;

struct study_work_options {
    const struct config *config;
    const struct study_plan *plan;
    size_t points; /* as of study_options */
    char *const *inputs;
    size_t n_inputs;
    ns_t from, to, holdout;
    const struct study_label *labels;
    size_t n_labels;
    const char *checkpoint; /* or NULL */
    bool progress;          /* on standard error */
};

/* What is wrong is told in messages. */
MUST_USE enum err study_work_new(const struct study_work_options *o,
                                 struct buf *messages, struct study_work **out);
void study_work_free(struct study_work *w); /* NULL is fine */

/* To the end of the inputs. *interrupted: by a signal; the checkpoint is
 * written. */
MUST_USE enum err study_work_run(struct study_work *w, bool *interrupted);

/* Borrows from the work. Cover and command are the caller's to fill. */
MUST_USE enum err study_work_finish(struct study_work *w,
                                    struct study_result *out);

/* The registry that was in force at the end, or NULL. */
const struct book *study_work_book(const struct study_work *w);

/* Something of the inputs could not be read, or a rule was refused. */
bool study_work_partial(const struct study_work *w);

#endif
