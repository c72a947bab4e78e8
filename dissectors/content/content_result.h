#ifndef SPAN25_DISSECTORS_CONTENT_CONTENT_RESULT_H
#define SPAN25_DISSECTORS_CONTENT_CONTENT_RESULT_H
/* content_result - how members come into a result; for content.c only */
#include "dissectors/content/content.h"

/* False when there is no memory. The name is cut at CONTENT_NAME_MAX. */
bool content_result_put(struct content_result *r,
                        const struct content_member *m);

/* Changes the type of the member that begins at this offset of r->members. */
void content_result_retype(struct content_result *r, size_t at,
                           enum filetype t);

#endif
