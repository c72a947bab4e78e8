#ifndef SPAN25_APP_CONFIG_TEXT_H
#define SPAN25_APP_CONFIG_TEXT_H
/* config_text - configuration files written by us
 *
 * Each is valid input of config_load. */
#include "sensor/app/options.h"

/* config init: what most sites set, at most 30 lines. */
void config_text_init(struct buf *out);
/* config default: every option, its help, its default. */
void config_text_default(struct buf *out);
/* config show: the values in force; with origin, where each comes from. The
 * name of the file is in c->file. */
void config_text_show(const struct config *c, bool origin, struct buf *out);

/* The list of sites alone, as config show prints it. */
void config_text_sites(const struct config *c, struct buf *out);

#endif
