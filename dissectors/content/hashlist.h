#ifndef SPAN25_DISSECTORS_CONTENT_HASHLIST_H
#define SPAN25_DISSECTORS_CONTENT_HASHLIST_H
/* hashlist - files that are known, by their SHA-256
 *
 *     hashlist_new(&l);                                before any fork
 *     hashlist_add_file(l, "bad.sha256", &message);    any number of files
 *     hashlist_find(l, digest, &name)                  threads and processes
 *     if (hashlist_refresh(l, &message))               now and then, by the app
 *         hashlist_publish(l);
 *     hashlist_free(l);
 *
 * A text file, a line each: 64 hexadecimal digits, then blanks or a comma and a
 * name, or nothing; what sha256sum writes, with "*" before a name too, and with
 * --tag: "SHA256 (name) = digits". Empty lines and lines that begin with # or ;
 * say nothing. Other lines are named in message as file:line (the first
 * HASHLIST_COMPLAINTS of a file), counted, and left out.
 *
 * What is looked up lies in memory that the processes forked after hashlist_new
 * share, and cannot change (content/digest_table.h). Only the thread that made
 * the list adds, refreshes and publishes; everybody else looks up.
 *
 * Limits: HASHLIST_DIGESTS lines with a digest and HASHLIST_NAMES bytes of
 * names in all files together, HASHLIST_FILE_MAX bytes a file; names are cut at
 * HASHLIST_NAME bytes. 40 bytes of memory a digest and its name, twice that
 * once it was reloaded; while a file is read, up to twice its size too. Reading
 * takes about a second for a million. Looking up allocates nothing and calls
 * nothing. Address space: hashlist_bytes. */
#include "dissectors/content/digest_table.h"
#include "sensor/base/buf.h"
#include "sensor/base/err.h"

#define HASHLIST_NAME       DIGEST_NAME_BYTES
#define HASHLIST_COMPLAINTS 5
#define HASHLIST_FILE_MAX   (UINT64_C(1) << 30) /* bytes; larger is a mistake */
#define HASHLIST_DIGESTS    (UINT32_C(4) << 20) /* all of abuse.ch, four times */
#define HASHLIST_NAMES      (UINT32_C(128) << 20) /* 32 bytes each */

struct hashlist;

struct hashlist_name {
    uint8_t n; /* may be 0 */
    uint8_t bytes[HASHLIST_NAME];
};

MUST_USE enum err hashlist_new(struct hashlist **out);
/* With limits of its own, not above those. */
MUST_USE enum err hashlist_new_of(size_t digests, size_t names,
                                  struct hashlist **out);
void hashlist_free(struct hashlist *l); /* NULL-safe */

/* Reads a file, remembers its path and takes force at once. On an error, which
 * message explains, the list is what it was. A pipe can be read
 * only once: it has to be the last, and then nothing is reloaded. */
MUST_USE enum err hashlist_add_file(struct hashlist *l, const char *path,
                                    struct buf *message);

/* Looks whether a file is another than the one that was read, by its time, size
 * or number; true: all files were read again, and hashlist_publish puts that
 * into force. So that nobody reads what is half written, a file is read when it
 * looks the same as at the call before. What cannot be read, is no regular
 * file, is empty, too large or without any digest leaves the list as it is: one
 * line in message says so and what to do, once for each state of the file. */
MUST_USE bool hashlist_refresh(struct hashlist *l, struct buf *message);
void hashlist_publish(struct hashlist *l);

/* Names of files, digests, lines left out: of what was read last. */
void hashlist_describe(const struct hashlist *l, struct buf *out);

/* l may be NULL. */
bool hashlist_find(const struct hashlist *l, const uint8_t digest[32],
                   struct hashlist_name *name);
/* Another one: what was looked up before may have another answer now. */
uint64_t hashlist_generation(const struct hashlist *l); /* l may be NULL */

size_t hashlist_count(const struct hashlist *l);    /* different ones */
size_t hashlist_left_out(const struct hashlist *l); /* lines */
size_t hashlist_bytes(const struct hashlist *l);    /* l may be NULL */

/* The lines of one file instead of all, for tests and fuzzers; name: how to
 * call it. */
MUST_USE enum err hashlist_add_text(struct hashlist *l, struct span text,
                                    const char *name, struct buf *message);

#endif
