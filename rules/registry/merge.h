#ifndef SPAN25_RULES_REGISTRY_MERGE_H
#define SPAN25_RULES_REGISTRY_MERGE_H
/* merge - a form submitted, first or again, and the form that it makes
 *
 * Part of the book (book.h). Numbers the lines submitted, looks whether each
 * may be changed so, and puts old and new lines together by number. Nothing of
 * the old form is touched until merge_take. */
#include "rules/registry/asks.h"

struct merge {
    struct form sent;       /* as submitted, numbered: what is recorded */
    struct form whole;      /* texts borrowed of sent and the old form */
    struct book_line **old; /* by place in whole; NULL: a new line */
    bool *is_sent;          /* by place in whole */
    size_t n_new;           /* lines */
    size_t n_asks;
    bool complete;
};

/* old may be NULL. ERR_USAGE, ERR_LIMIT with a line in why. */
MUST_USE enum err merge_make(const struct book_form *old, const struct asks *k,
                             const struct action *a, struct merge *out,
                             struct buf *why);
/* Is the form complete, but for lines that have ended (a wrong one that was
 * withdrawn keeps nobody waiting)? By number, all of them numbered; lines by
 * place; is_sent: those that came just now, or NULL. */
bool merge_complete(struct form *f, struct book_line *const *lines,
                    const bool *is_sent, ns_t when);
/* whole becomes the form's own; f is all zero when it is new. */
void merge_take(struct merge *m, struct book_form *f);
void merge_fini(struct merge *m); /* whatever came of it */

#endif
