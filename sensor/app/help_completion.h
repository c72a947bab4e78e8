#ifndef SPAN25_APP_HELP_COMPLETION_H
#define SPAN25_APP_HELP_COMPLETION_H
/* help_completion - completion scripts, made from the tables of options.h
 *
 * They complete verbs, the flags of the verb, the words of a choice, and file
 * names everywhere else. */
#include "sensor/app/options.h"

/* In the order of the completion verb's arguments. */
enum help_shell { HELP_BASH, HELP_ZSH, HELP_FISH };

void help_completion(enum help_shell shell, struct buf *out);

#endif
