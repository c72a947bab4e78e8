#ifndef SPAN25_DISSECTORS_CONTENT_LNK_H
#define SPAN25_DISSECTORS_CONTENT_LNK_H
/* lnk - the strings of a Windows shortcut, [MS-SHLLINK]; for links.c
 *
 *     lnk_init(&l);
 *     ok = lnk_read(&l, bytes);
 *     lnk_free(&l);
 *
 * command: what is run, in the order in which it is found: share or local path,
 * relative path, names in the item list, target of the environment block, then
 * the arguments. other: icons and working folder, a line each. Both in bytes,
 * characters beyond Latin-1 as '?'. Strings are cut at LNK_STRING characters;
 * runs of blanks, which hide arguments from people, become one. */
#include "sensor/base/buf.h"

#define LNK_STRING 4096

struct lnk {
    struct buf command;
    struct buf other;
};

void lnk_init(struct lnk *l);
void lnk_free(struct lnk *l); /* NULL-safe */

/* False when it ends within what it announces; what was read is there. */
bool lnk_read(struct lnk *l, struct span bytes);

/* Text of 8 or, by its mark or its zeros, 16 bits; appended as bytes. */
void lnk_narrow(struct span s, struct buf *out);

#endif
