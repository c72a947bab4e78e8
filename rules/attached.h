#ifndef SPAN25_RULES_ATTACHED_H
#define SPAN25_RULES_ATTACHED_H
/* attached - the files with findings, each once, whoever sent them how often
 *
 * A file is its SHA-256; without one (bytes are missing) its name, size and
 * type. Bounded: ATTACHED_CLASS files of each class, so that what is common
 * leaves room for what is malicious; a file takes the place of the class it has
 * when it is met first. What is beyond is counted. */
#include "rules/mails.h"
#include "sensor/event/record.h"

#define ATTACHED_CLASS 1024U
#define ATTACHED_SEEN  1000000U /* of file and message, file and host */

struct attached;

MUST_USE enum err attached_new(struct attached **out);
void attached_free(struct attached *a); /* NULL is fine */

struct attached_in {
    struct mail_key mail;
    const struct addr *sender, *receiver; /* at home, or NULL */
    unsigned classes;
    ns_t when;
};

/* part is a record of type fileinfo. */
void attached_add(struct attached *a, const struct record_map *part,
                  const struct attached_in *in);

/* Sorts, and lends the list to s; nothing may be added afterwards. */
void attached_summary(struct attached *a, struct summary *s);

#endif
