#ifndef SPAN25_DASHBOARDS_STYLE_H
#define SPAN25_DASHBOARDS_STYLE_H
/* style - the one style sheet of a page, and the policy that lets in nothing
 * else
 *
 * A meta element with the Content-Security-Policy (CSP3 6.7.3: the sheet by its
 * SHA-256) and the style element itself, in this order. Sheets are parts that
 * end with NULL; more may be NULL. rest: further directives, "; base-uri
 * 'none'", or "". */
#include "sensor/base/buf.h"

void style_put(struct buf *out, const char *const *sheet,
               const char *const *more, const char *rest);

#endif
