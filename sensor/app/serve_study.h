#ifndef SPAN25_APP_SERVE_STUDY_H
#define SPAN25_APP_SERVE_STUDY_H
/* serve_study - studies of the page: begun, reviewed blindly, published
 *
 * What a study says is what span25 study run wrote; the page begins it
 * (serve_job.h) and keeps beside it what people did, in the state's folder:
 *
 *     studies/NAME.json     the study; NAME.html and tables beside it
 *     studies/NAME.d/       of the page:
 *         plan.yaml         policies and criteria, where they were given
 *         sheet.csv         what study review --study drew
 *         sheet-key.csv     its key, which no reviewer is shown
 *         said-1.csv ...    "Judged by USER", and number,verdict; the third one
 *                           decides where the first two differ
 *         judged.csv        hosts, by study review --key
 *         review.json       what it printed
 *         published.json    who published it, when, why, SHA-256 of NAME.json
 *
 * A name is of letters, digits, "-" and "_", so no path and no ending. Nothing
 * that is there is written over, but for what one reviewer said, and what both
 * said as it is counted. */
#include "sensor/app/serve_job.h"
#include "sensor/app/serve_parts.h"
#include "sensor/app/serve_view.h"
#include "sensor/base/json_out.h"

#define SERVE_STUDY_BYTES (32U << 20) /* of NAME.json; half of an answer */

/* A name that the page takes. */
bool serve_study_is_name(struct span name);
/* "STATE/studies/NAME" and tail, with a NUL; out is begun here. */
void serve_study_path(const struct serve_view *v, struct span name,
                      const char *tail, struct buf *out);
bool serve_study_there(const struct serve_view *v, struct span name,
                       const char *tail);
/* The name that was given, when it is one; and `tail` of it must be there, when
 * it is not NULL. Other than DONE: told. */
enum cli_exit serve_study_name(struct serve_view *v, const char *tail,
                               struct span *out);
/* A control event of kind page about a study; hash may be NULL. False: told. */
bool serve_study_tell(struct serve_view *v, const char *action,
                      struct span text, const char *hash, struct span reason);
/* Of a file, in hexadecimal; false: it cannot be read. */
bool serve_study_hash(const char *path, char out[65]);

/* Members of a row of the list, and of the list. */
void serve_study_put_review(const struct serve_view *v, struct json_out *j,
                            struct span name);
void serve_study_put_published(const struct serve_view *v, struct json_out *j,
                               struct span name);
void serve_study_put_job(const struct serve_view *v, struct json_out *j);
void serve_study_put_recorded(const struct serve_view *v, struct json_out *j);
/* Was it published, and is no longer what was? Then it is told. */
bool serve_study_changed(struct serve_view *v, struct span name);

/* The report itself, for a tab that has no rights of the page. Status. */
unsigned serve_study_report(const struct config *c, struct span name,
                            struct buf *out);

#endif
