#ifndef SPAN25_RULES_PACKS_RULES_MAN_H
#define SPAN25_RULES_PACKS_RULES_MAN_H
/* rules_man - the manual page rules(5), mdoc: the language of rules as it is
 * here, with its tables of modifiers and names from those that are compiled */
#include "sensor/base/buf.h"

/* date as mdoc's Dd takes it: "November 22, 2026". */
void rules_man_write(struct buf *out, const char *date);

#endif
