#ifndef SPAN25_DISSECTORS_CONTENT_MEMO_H
#define SPAN25_DISSECTORS_CONTENT_MEMO_H
/* memo - what was found in the files of the last messages
 *
 *     content_memo_new(&m);
 *     if (!content_memo_find(m, &job, &result)) {
 *         ... look into it ...
 *         content_memo_keep(m, &job, &result);
 *     }
 *     content_memo_free(m);
 *
 * One file is often sent to many, and a message that can be read in several
 * ways holds the same bytes several times. An inspection depends on nothing but
 * its job, so what was found in a file goes for all that are equal to it: the
 * same SHA-256, name and declared type. Whoever keeps a result says by that
 * that it would be found again: not after a fault or a time-out, not from an
 * outside engine. Once rules or lists of hashes have changed, all is forgotten.
 *
 * Jobs without a digest are not known. CONTENT_MEMO_FILES are remembered at
 * most, CONTENT_MEMO_BYTES each, allocated once: 1 MiB, touched as it is used.
 * A result or a name that does not fit is not remembered. A newer file takes
 * the place of the oldest of CONTENT_MEMO_WAYS whose digests begin alike, so
 * whoever chooses his files can make it forget, and no more. */
#include "dissectors/content/content.h"

#define CONTENT_MEMO_FILES 512U
#define CONTENT_MEMO_BYTES 2048U
#define CONTENT_MEMO_WAYS  4U

struct content_memo;

MUST_USE enum err content_memo_new(struct content_memo **out);
void content_memo_free(struct content_memo *m); /* NULL-safe */

/* True: r holds what was kept for such a job. False: r is reset. */
MUST_USE bool content_memo_find(const struct content_memo *m,
                                const struct content_job *job,
                                struct content_result *r);
void content_memo_forget(struct content_memo *m); /* all */
void content_memo_keep(struct content_memo *m, const struct content_job *job,
                       const struct content_result *r);

#endif
