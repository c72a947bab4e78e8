#ifndef SPAN25_APP_REGISTRY_FORMS_H
#define SPAN25_APP_REGISTRY_FORMS_H
/* registry_forms - forms of a file as actions, and a book made of a file */
#include "rules/registry/book.h"
#include "rules/registry/form_file.h"

/* Text of a form file into a book of its own in which every line that can be
 * read is permitted, always. ERR_FORMAT, with messages: the file has faults. */
MUST_USE enum err registry_forms_book(struct span text, const char *name,
                                      struct book **out, struct buf *messages);

/* Gives the form a number of its own, when it has none. */
void registry_forms_number(const struct book *b, ns_t when, struct form *f);

#endif
