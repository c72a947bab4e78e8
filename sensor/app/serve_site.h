#ifndef SPAN25_APP_SERVE_SITE_H
#define SPAN25_APP_SERVE_SITE_H
/* serve_site - the second listener: the registration page for sites
 *
 * Its page, and below /api/ what serve_public.h answers; nothing else. Forms
 * are submitted as the user SERVE_SITE_USER of role registrar, who can do
 * nothing but that here. */
#include "sensor/app/serve_call.h"
#include "sensor/app/serve_public.h"

#define SERVE_SITE_USER "public"

struct serve_site;

MUST_USE enum err serve_site_new(const struct config *c, struct serve *serve,
                                 struct serve_site **out);
void serve_site_free(struct serve_site *s); /* NULL is fine */

/* Any thread. */
void serve_site_answer(struct serve_site *s, const struct http_request *r,
                       ns_t now, struct http_answer *out);

#endif
