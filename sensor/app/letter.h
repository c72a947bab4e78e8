#ifndef SPAN25_APP_LETTER_H
#define SPAN25_APP_LETTER_H
/* letter - letters to sites: as plain text, and as a page to print
 *
 * The same calls make both. Names, sites and what was seen are anybody's bytes:
 * they go through letter_text. Our own words may go to out as they are. Folders
 * and files: a folder is made anew for letters, so that none is written over;
 * names of files are made of letters, digits and _ only. */
#include "rules/registry/book.h"
#include "sensor/app/cli.h"

#define LETTER_MAX  (16U << 20) /* bytes of one */
#define LETTER_SITE 40U         /* bytes of a site's name in a file's */

struct letter_page {
    bool html;
    struct buf *out;
};

/* The head of a page; nothing in plain text. title is ours. */
void letter_begin(const struct letter_page *p, const char *title);
void letter_text(const struct letter_page *p, const char *text);
/* "p", "h1": a block of its own, with an empty line behind it. */
void letter_open(const struct letter_page *p, const char *tag);
void letter_close(const struct letter_page *p, const char *tag);
void letter_strong(const struct letter_page *p, const char *text);
/* "2026-11-22" */
void letter_day(const struct letter_page *p, ns_t when);
/* text, or what is to be said when there is none. */
const char *letter_or(const char *text, const char *otherwise);

/* Somebody is named in it. */
bool letter_has_contact(const struct form *f);
/* To whom it goes: the contacts of the form; else the site and whom the
 * configuration names for it, if it does. */
void letter_recipient(const struct letter_page *p, const struct book_form *form,
                      const char *site, const char *contact,
                      const char *otherwise);
/* What asks a site to register: up to the table of its hosts, which were seen
 * between two times, and what is behind it. */
void letter_register_begin(const struct letter_page *p, const char *deadline,
                           const char *reference, ns_t from, ns_t to);
void letter_register_end(const struct letter_page *p, const char *deadline);
/* What may be done about a mistake, how it is known, who signs. */
void letter_help(const struct letter_page *p, const struct config *c,
                 const char *reference);

/* The form of a site, by its code or its name; NULL. */
const struct book_form *letter_form_of(const struct book *b, const char *site);

/* A new folder; a failure is told, also that there is one. */
MUST_USE enum cli_exit letter_folder(const char *dir, struct buf *messages);
/* "DIR/007-Site_name.txt" with a NUL; site NULL: "find-owner". */
void letter_path(const char *dir, size_t number, const char *site,
                 const char *ending, struct buf *path);
/* Into a new file; a failure is told. */
MUST_USE enum cli_exit letter_save(const struct buf *path,
                                   const struct buf *text,
                                   struct buf *messages);

#endif
