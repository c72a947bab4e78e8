#ifndef SPAN25_APP_OPTIONS_SITES_H
#define SPAN25_APP_OPTIONS_SITES_H
/* options_sites - the list `sites` of the configuration file
 *
 * options_sites.def makes struct config_site, its keys in the file, the man
 * page and `config default`. A site's texts and lists belong to the list. */
#include "rules/registry/sites.h"
#include "sensor/app/options.h"

#define OPTIONS_SITES_PATH "sites"

enum options_site_key {
#define X(id, ...) OPTIONS_SITE_##id,
#include "sensor/app/options_sites.def"
#undef X
    OPTIONS_SITE_KEYS
};

/* As rows of options: path is the key, offset is in struct config_site. */
extern const struct option_row options_sites_rows[OPTIONS_SITE_KEYS];
extern const bool options_sites_must[OPTIONS_SITE_KEYS];

/* OPTIONS_SITE_KEYS when there is none. */
enum options_site_key options_sites_find(struct span key);
/* The key that is closest to a mistyped one; empty when none is close. */
struct span options_sites_near(struct span key);

/* Appends an empty site; NULL: no memory or SITES_MAX. */
struct config_site *options_sites_add(struct config_sites *s, uint32_t line);
void options_sites_free(struct config_sites *s);

void *options_sites_member(struct config_site *s, enum options_site_key key);
bool options_sites_has(const struct config_site *s, enum options_site_key key);
/* Nothing when unset. */
void options_sites_format(const struct config_site *s,
                          enum options_site_key key, struct buf *out);

/* Sites, pools and home networks of the configuration, and the prefixes of
 * more (home networks that were guessed). ERR_CONFIG, with a phrase in why and
 * the line it speaks of, when two contradict. */
MUST_USE enum err options_sites_make(const struct config *c,
                                     const struct prefix *more, size_t n_more,
                                     struct sites **out, uint32_t *line,
                                     struct buf *why);

#endif
