#ifndef SPAN25_APP_HELP_MAN_H
#define SPAN25_APP_HELP_MAN_H
/* help_man - man pages in mdoc(7), made from the tables of options.h */
#include "sensor/app/options.h"

/* The day on the pages; set at each release. */
#define HELP_MAN_DATE "November 22, 2026"

/* span25(1): all verbs, exit codes, environment. */
void help_man_program(struct buf *out);
/* Nouns that have a page of their own; NULL: no i-th. */
const char *help_man_noun(size_t i);
/* span25-read(1), span25-config(1): every verb whose first word is `noun`. */
void help_man_verb(const char *noun, struct buf *out);
/* span25.conf(5): every key of the configuration file. */
void help_man_config(struct buf *out);
/* rules(5): the language of rules. */
void help_man_rules(struct buf *out);

#endif
