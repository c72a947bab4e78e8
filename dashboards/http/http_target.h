#ifndef SPAN25_DASHBOARDS_HTTP_TARGET_H
#define SPAN25_DASHBOARDS_HTTP_TARGET_H
/* http_target - the target of a request, RFC 9112 3.2.1, RFC 3986 2.1
 *
 * Only the form that begins with a slash. Percent signs are read once; in
 * parameters a plus is a space. What could mean two things to two readers is
 * refused: bad percent signs, NUL anywhere, control characters, a backslash,
 * and "." or ".." as a part of the path, also where they were percent-encoded.
 * Slashes that were encoded are slashes. */
#include "dashboards/http/http.h"

/* Fills path and query, which point into room. NULL, or why it is refused: a
 * sentence for people. */
MUST_USE const char *http_target_read(struct span raw, struct buf *room,
                                      struct http_request *r);

#endif
