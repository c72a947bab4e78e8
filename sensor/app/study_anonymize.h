#ifndef SPAN25_APP_STUDY_ANONYMIZE_H
#define SPAN25_APP_STUDY_ANONYMIZE_H
/* study_anonymize - a study's result with less in it, to be shown to others
 *
 * A copy; the first one stays as it is, for letters, and outlives it. Levels,
 * each with what those before it leave out:
 *
 *   PEOPLE  author, reviewer, contacts of sites, the command line (which may
 *           name them), and of names of files the folders
 *   HOSTS   addresses become others, of 100.64.0.0/10 or fd00::/8, one for each
 *           and never one that is in the study; sites become site-01 and so on,
 *           sensors and inputs likewise. Names of hosts and what they call
 *           themselves, hashes of inputs and of the configuration, the file of
 *           the criteria and the decision that differs are left out
 *   ALL     rows of hosts and of sites. No group of 1 to few - 1 hosts can be
 *           told: such a count is few - 1, and so is what such a group lacks of
 *           the whole that it is part of (see study_result.few); a share, an
 *           interval, hours of work or a time that would give it away is NAN,
 *           and curves of single hosts have no steps. Verdicts on criteria stay
 *
 * TEXTS OF PEOPLE (title, classification, rollback, titles of policies, names
 * of criteria) stay, but for one that has a name, a site or an address in it
 * that is left out at its level: the whole of that is withheld.
 *
 * PSEUDONYMS are keyed (HMAC-SHA-256, sensor/sinks/veil.h). With the same key a
 * host has the same one in other studies, but for the few that find their place
 * taken (one in 64 of 65,536 hosts); numbers of sites are of one study.
 *
 * WHAT IS NOT HIDDEN: times, counts and sizes of each host at HOSTS: who has
 * other records of the same mail can tell it by them. At ALL a difference of
 * two days, of two points of a sweep or of two studies may still be one host,
 * and messages are counted also where few hosts sent them. What a text of
 * people says in other words than those of the study stays too. */
#include "sensor/base/buf.h"
#include "sensor/base/err.h"
#include "sensor/event/study_result.h"

#define STUDY_ANONYMIZE_FEW 5U
#define STUDY_ANONYMIZE_KEY 32U /* bytes of a key, at least */

/* As the words of --anonymize. */
enum study_anonymize_level {
    STUDY_ANONYMIZE_NONE,
    STUDY_ANONYMIZE_PEOPLE,
    STUDY_ANONYMIZE_HOSTS,
    STUDY_ANONYMIZE_ALL
};

struct study_anonymized;

/* key: STUDY_ANONYMIZE_KEY bytes or more, else ERR_CONFIG; it is not kept. */
MUST_USE enum err study_anonymize(const struct study_result *r,
                                  enum study_anonymize_level level,
                                  struct span key,
                                  struct study_anonymized **out);
const struct study_result *
study_anonymized_result(const struct study_anonymized *a);
void study_anonymized_free(struct study_anonymized *a); /* NULL is fine */

/* The key in a file, without line ends behind it; file NULL: a new one, of this
 * study alone. out is begun here, and to be freed whatever comes of it;
 * failures are told. */
MUST_USE enum err study_anonymize_key(const char *file, struct buf *out,
                                      struct buf *messages);

#endif
