#ifndef SPAN25_APP_HELP_H
#define SPAN25_APP_HELP_H
/* help - the text of --help, made from the tables of options.h
 *
 * Lines are at most HELP_WIDTH columns. */
#include "sensor/app/options.h"

#define HELP_WIDTH 80

/* "" is the list of verbs, "config" the verbs that begin so, "config show" one
 * verb. False when there is no such topic. */
bool help_write(const char *topic, struct buf *out);

/* "span25 config show [OPTION...]" */
void help_synopsis(enum verb verb, struct buf *out);

/* Appends text in words, broken before `width`, later lines indented; column
 * is where the first line stands already. */
void help_wrap(struct buf *out, struct span text, size_t column, size_t indent,
               size_t width);

#endif
