#ifndef SPAN25_DISSECTORS_CONTENT_HASHLIST_H
#define SPAN25_DISSECTORS_CONTENT_HASHLIST_H
/* hashlist - files that are known, by their SHA-256
 *
 *     hashlist_new(&l);
 *     hashlist_add_file(l, "bad.sha256", &message);    any number of files
 *     hashlist_find(l, digest, &name)
 *     hashlist_refresh(l, &changed, &message);         now and then, by the app
 *     hashlist_free(l);
 *
 * A text file, a line each: 64 hexadecimal digits, then blanks or a comma and a
 * name, or nothing; what sha256sum writes, with "*" before a name too, and with
 * --tag: "SHA256 (name) = digits". Empty lines and lines that begin with # or ;
 * say nothing. Other lines are named in message as file:line (the first
 * HASHLIST_COMPLAINTS of a file), counted, and left out.
 *
 * 40 bytes a hash and its name; about a second for a million. Names are cut at
 * HASHLIST_NAME bytes. Looking up allocates nothing and calls nothing. */
#include "sensor/base/buf.h"
#include "sensor/base/err.h"

#define HASHLIST_NAME       120
#define HASHLIST_COMPLAINTS 5
#define HASHLIST_FILE_MAX   (UINT64_C(1) << 30) /* bytes; larger is a mistake */

struct hashlist;

MUST_USE enum err hashlist_new(struct hashlist **out);
void hashlist_free(struct hashlist *l); /* NULL-safe */

/* Reads a file and remembers its path. On an error, which message explains,
 * the list is what it was. */
MUST_USE enum err hashlist_add_file(struct hashlist *l, const char *path,
                                    struct buf *message);

/* Reads all files again when one of them is another than before by its time,
 * size or number. A file that cannot be read leaves the list as it was. */
MUST_USE enum err hashlist_refresh(struct hashlist *l, bool *changed,
                                   struct buf *message);

/* Borrowed until the list changes; the name may be empty. l may be NULL. */
bool hashlist_find(const struct hashlist *l, const uint8_t digest[32],
                   struct span *name);

size_t hashlist_count(const struct hashlist *l);    /* different ones */
size_t hashlist_left_out(const struct hashlist *l); /* lines */

/* The lines of one file, for tests and fuzzers; name: how to call it. */
MUST_USE enum err hashlist_add_text(struct hashlist *l, struct span text,
                                    const char *name, struct buf *message);

#endif
