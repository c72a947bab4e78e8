#ifndef SPAN25_APP_STUDY_FILE_H
#define SPAN25_APP_STUDY_FILE_H
/* study_file - a study.json, and a review, for the verbs that take one */
#include "sensor/base/buf.h"
#include "sensor/base/err.h"
#include "sensor/event/study_json.h"

#define STUDY_FILE_BYTES ((size_t)512 << 20) /* a study of 100,000 hosts */

/* To be freed by study_json_free. What is wrong with it is told in messages,
 * with the place. */
MUST_USE enum err study_file_load(const char *path, struct study_json **out,
                                  struct buf *messages);

/* The same of what study review --json printed: its review, nothing else. */
MUST_USE enum err study_file_load_review(const char *path,
                                         struct study_json **out,
                                         struct buf *messages);

#endif
