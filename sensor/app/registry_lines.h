#ifndef SPAN25_APP_REGISTRY_LINES_H
#define SPAN25_APP_REGISTRY_LINES_H
/* registry_lines - lines of the registry in words */
#include "rules/registry/book.h"
#include "sensor/app/options.h"

const char *registry_lines_use(const struct form_line *l);

/* What to know about a line at that time, besides its state: that it is not
 * monitored, late, about to end, announced to be suspended, protected. */
void registry_lines_note(const struct book_line *l, const struct config *c,
                         ns_t now, struct buf *out);

/* The numbers of --lines, ascending; false: not such a list. To be freed. */
bool registry_lines_read(const char *text, uint32_t **out, size_t *n);

#endif
