#ifndef SPAN25_DISSECTORS_CONTENT_YARA_H
#define SPAN25_DISSECTORS_CONTENT_YARA_H
/* yara - rules of libyara over every file met
 *
 *     yara_new("rules/yara", &y, &message);
 *     yara_scan(y, bytes, &findings);
 *     yara_free(y);
 *
 * Every *.yar and *.yara of the folder, in the order of names, each in its own
 * namespace. A file with an error is left out and named in message as
 * file:line: text; the others load. A rule's meta "class" is "A", "B" or "C":
 * A, or none, is FIND_YARA, the others FIND_YARA_RISK; detail: the rule's name.
 *
 * The first YARA_BYTES of a file are scanned, without a time limit: bytes bound
 * it. All is compiled before the first scan. A scan asks the system for memory
 * only: it installs no signal handlers; libyara reads the clock through the
 * vDSO, which makes no system call, and does not use it. Rules that
 * import magic open files when they scan: they find nothing in a process that
 * may not.
 *
 * A struct yara is for one thread. libyara's own limits: 1,000,000 matches of
 * one string, then the string is ignored. */
#include "dissectors/finding.h"
#include "sensor/base/err.h"

#define YARA_BYTES (26214400U) /* of one file, as the member limit */
#define YARA_FILES 10000

struct yara;

MUST_USE enum err yara_new(const char *dir, struct yara **out,
                           struct buf *message);
void yara_free(struct yara *y); /* NULL-safe */

/* Adds what matches; y may be NULL. */
void yara_scan(struct yara *y, struct span bytes, struct findings *out);

size_t yara_rules(const struct yara *y); /* how many are loaded */

#endif
