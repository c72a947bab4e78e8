#ifndef SPAN25_APP_STUDY_REVIEWED_H
#define SPAN25_APP_STUDY_REVIEWED_H
/* study_reviewed - hosts that people judged, as study review writes them
 *
 *     host,class,...
 *     192.0.2.7,legitimate,...
 *
 * CSV (csv_table.h) whose first line names the columns; `host` and
 * `class` must be there, in any order, others are passed over. class is a word
 * of STUDY_CLASSES; one that is empty was not judged, and its row is passed
 * over. A host that is judged twice must be judged alike. Every fault is told
 * by line and column. */
#include "rules/study/study.h"
#include "sensor/base/buf.h"

#define STUDY_REVIEWED_FILE  (64U << 20) /* bytes */
#define STUDY_REVIEWED_HOSTS STUDY_HOME  /* a study has no more */
#define STUDY_REVIEWED_ROW   65536U      /* bytes; others' columns are notes */

struct study_reviewed {
    struct study_label *v; /* by address, each once */
    size_t n;
};

/* ERR_CONFIG: the content; others: it could not be read. Told in messages, and
 * *out is empty. */
MUST_USE enum err study_reviewed_read(const char *file,
                                      struct study_reviewed *out,
                                      struct buf *messages);
/* The same of a text; name is what messages call it. */
MUST_USE enum err study_reviewed_parse(struct span text, const char *name,
                                       struct study_reviewed *out,
                                       struct buf *messages);
void study_reviewed_free(struct study_reviewed *r);

/* NULL: nobody judged it. */
const struct study_label *study_reviewed_find(const struct study_reviewed *r,
                                              const struct addr *a);

#endif
