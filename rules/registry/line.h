#ifndef SPAN25_RULES_REGISTRY_LINE_H
#define SPAN25_RULES_REGISTRY_LINE_H
/* line - what an action does to one line of the book: a state machine
 *
 * Part of the book (book.h), which checks an action, makes room for all that it
 * will need, then applies it: nothing here fails once line_unfit has said yes
 * and line_reserve has made room. */
#include "rules/registry/book.h"
#include "rules/registry/room.h"

/* Why a does not fit the line, static text ("was checked already"), or NULL.
 * The states of ACTION_MAP are seen to as well. */
const char *line_unfit(const struct book_line *l, const struct action *a);

/* Does an action on its own, whatever the line, make sense? Why not, or NULL.
 */
const char *line_nonsense(const struct action *a);

MUST_USE bool line_reserve(struct book_line *l, struct room *r);

/* a is no SUBMIT; its texts outlive the book. */
void line_apply(struct book_line *l, const struct action *a, uint64_t audit);
/* A line that came with a form, first or again. */
void line_submit(struct book_line *l, const struct action *a, uint64_t audit);
/* What dates.protected_until is then; l may be NULL. */
ns_t line_protection(const struct book_line *l, const struct action *a);
/* The form is complete. */
void line_complete(struct book_line *l, ns_t when);

#endif
