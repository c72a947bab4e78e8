#ifndef SPAN25_APP_STUDY_LETTERS_H
#define SPAN25_APP_STUDY_LETTERS_H
/* study_letters - whom to write to about what a study found, and the letters
 *
 * Into a folder that is made for them; nothing is sent:
 *
 *   contacts.csv              a row a site: contacts, what was seen, what to do
 *   contacts-unknown.csv      the same of sites without a contact, and of hosts
 *                             of no site: find the owner first
 *   007-SITE.register.txt     please register; also .html, and .form.html is
 *                             the form, filled in
 *   007-SITE.abuse.txt        please look at these addresses; also .html
 *
 * CONCERNED are hosts that the proposed policy stops; where none is proposed,
 * those that are not registered; and all that behave like bots or mix abuse
 * with ordinary mail. Sites with none of them are not written to. Asked to
 * register is what is not registered and looks legitimate or is not known; told
 * of abuse what is held for a bot or mixed. A registered host that would be
 * stopped though it looks legitimate is in contacts.csv alone: that is for
 * ourselves to put right.
 *
 * Asked to register by when: the effective date of the study where the proposed
 * policy stops whoever is not registered (or none is proposed), else
 * registry.deadline. Where a policy stops what behaves badly and there is no
 * such date, nobody is asked to register.
 *
 * To be written before a result is anonymized. */
#include "rules/registry/book.h"
#include "sensor/app/cli.h"
#include "sensor/event/study_result.h"

#define STUDY_LETTERS_HOSTS                                                    \
    1000U                         /* in one letter; the form has all of them   \
                                   */
#define STUDY_LETTERS_ADDRS  200U /* in a cell of a table: spreadsheets end */
#define STUDY_LETTERS_ANSWER 14U  /* days for an answer about abuse */

struct study_letters_options {
    const struct config *config; /* who signs, who helps, what is recorded */
    const struct book *book;     /* contacts; NULL: no registry */
    ns_t now;                    /* of the letters */
};

/* What stands in the way of writing, told before the work of a study is done:
 * the folder is there already, no date. kind: of the proposed policy, or
 * NULL; effective 0: none. */
MUST_USE enum cli_exit
study_letters_check(const char *dir, const struct study_letters_options *o,
                    const char *kind, ns_t effective, struct buf *messages);

/* How many were written is told in messages too. */
MUST_USE enum cli_exit
study_letters_write(const char *dir, const struct study_result *r,
                    const struct study_letters_options *o,
                    struct buf *messages);

#endif
