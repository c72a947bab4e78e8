#ifndef SPAN25_RULES_REGISTRY_ROOM_H
#define SPAN25_RULES_REGISTRY_ROOM_H
/* room - memory that is freed all at once
 *
 * For what a book never gives back: lines, their dates, texts of decisions. A
 * block that turns out not to be needed stays until the end, so callers ask
 * only when all else is checked. */
#include <stddef.h>

struct room_block;

struct room {
    struct room_block *blocks; /* newest first */
};

void room_fini(struct room *r); /* all zero again */

/* Zeroed and aligned for anything; NULL: no memory. */
void *room_get(struct room *r, size_t n, size_t size);
/* A copy; NULL: no memory. */
char *room_text(struct room *r, const char *text);

#endif
