#ifndef SPAN25_APP_OPTIONS_SITES_H
#define SPAN25_APP_OPTIONS_SITES_H
/* options_sites - the list `sites` of the configuration file */
#include "rules/registry/sites.h"
#include "sensor/app/options_list.h"

extern const struct options_list options_sites;

/* Sites, pools and home networks of the configuration, and the prefixes of
 * more (home networks that were guessed). ERR_CONFIG, with a phrase in why and
 * the line it speaks of, when two contradict. */
MUST_USE enum err options_sites_make(const struct config *c,
                                     const struct prefix *more, size_t n_more,
                                     struct sites **out, uint32_t *line,
                                     struct buf *why);

#endif
