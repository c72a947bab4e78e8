#ifndef SPAN25_APP_SERVE_PAGE_H
#define SPAN25_APP_SERVE_PAGE_H
/* serve_page - a page of the rows that a verb printed
 *
 * Takes {"schema":...,"rows":[{...},...],...} and gives the same with the rows
 * that fit, so many of them, and two members behind it: next, the cursor of the
 * page that follows, or null; and total, how many fit in all. Pure. */
#include "sensor/base/buf.h"

#define SERVE_PAGE_MOST 500U /* rows: what a browser's table bears */

struct serve_page {
    struct span search; /* case does not matter; empty: anything */
    size_t limit;       /* 0: SERVE_PAGE_MOST */
    size_t after;       /* rows that were on the pages before */
};

/* A cursor, as `next` has it. */
MUST_USE bool serve_page_after(struct span text, size_t *out);

/* False: that is no such document, or there is no memory. */
MUST_USE bool serve_page_write(struct span document, const struct serve_page *p,
                               struct buf *out);

#endif
