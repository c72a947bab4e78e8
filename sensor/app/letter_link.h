#ifndef SPAN25_APP_LETTER_LINK_H
#define SPAN25_APP_LETTER_LINK_H
/* letter_link - the links in letters, which lead to the registration page
 *
 * A letter that asks to register has one under which the form is filled in with
 * what was seen; a receipt has one that shows that its reader has the mail of
 * the form's contact. Secrets stand behind "#", where no server and no log sees
 * them; what is kept under them is in drafts.h. */
#include "sensor/app/drafts.h"
#include "sensor/app/letter.h"

/* Keeps a form for the letter of that reference. secret is "" where there is
 * nothing to link to: no registry.url, no state, a form without lines. */
MUST_USE enum err letter_link_form(const struct config *c,
                                   const char *reference, const struct form *f,
                                   ns_t now, char secret[DRAFTS_SECRET]);
/* The same for the address of a form's contact; "" also without one. */
MUST_USE enum err letter_link_mail(const struct config *c, const struct form *f,
                                   ns_t now, char secret[DRAFTS_SECRET]);

/* "https://register.example/#SECRET" */
void letter_link_put(const struct letter_page *p, const struct config *c,
                     const char *secret);
/* What a letter says of its link; nothing without registry.url. */
void letter_link_say(const struct letter_page *p, const struct config *c,
                     const char *secret);

#endif
