#ifndef SPAN25_EVENT_STUDY_JSON_H
#define SPAN25_EVENT_STUDY_JSON_H
/* study_json - a study's result as JSON, and back
 *
 * {"schema":"span25-study-1","cover":{...},...}: the members of study_result.h
 * under their names, in the groups of study_shape.c. Members may be added, none
 * changes.
 *
 *   numbers   counts are exact; others have as many digits as give the same
 *             number again. What cannot be said (NAN) is null, "inf" is a time
 *             or a cost that is never reached
 *   a figure  {"value","low","high","k","n","method"}; shares are 0..1
 *   times     RFC 3339 in UTC, null for none
 *   by class, by group, by mail: an object with the words of study_result.h
 *   by policy, by day: an array in the order of policies and sight.days
 *   outcomes of a host: members that are 0 are left out, and null is a host
 *             that a policy does nothing to
 *   texts     bytes that are no UTF-8 become U+FFFD */
#include "sensor/base/buf.h"
#include "sensor/base/err.h"
#include "sensor/base/json_out.h"
#include "sensor/event/study_result.h"

#define STUDY_JSON_SCHEMA        "span25-study-1"
#define STUDY_JSON_SCHEMA_REVIEW "span25-review-1"

void study_json_write(const struct study_result *r, struct buf *out);
/* One figure, in another document. */
void study_json_figure(struct json_out *j, const struct study_figure *f);

#define STUDY_JSON_ROOM ((size_t)1 << 30) /* bytes that a result may take */
#define STUDY_JSON_TEXT 1048576U          /* bytes of one text */

/* A result that was read, with all that it points to. */
struct study_json;

/* Strict about what is there: types, words, no key twice; what is not there is
 * empty, or NAN; keys that are not known are passed over. What it gives can be
 * shown and compared, but its figures are whatever the file says. ERR_FORMAT:
 * no JSON, or no study; ERR_LIMIT: a bound above, or 32 levels; ERR_NOMEM. Then
 * message, begun anew, says where: "byte 17: ...", with none of the text in it.
 * Pure. */
MUST_USE enum err study_json_read(struct span text, struct study_json **out,
                                  struct buf *message);
/* The same of another document of ours, of that schema, which has some members
 * of a study. */
MUST_USE enum err study_json_read_as(struct span text, const char *schema,
                                     struct study_json **out,
                                     struct buf *message);
const struct study_result *study_json_result(const struct study_json *s);
void study_json_free(struct study_json *s); /* NULL is fine */

#endif
