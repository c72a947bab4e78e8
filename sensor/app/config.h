#ifndef SPAN25_APP_CONFIG_H
#define SPAN25_APP_CONFIG_H
/* config - the configuration file: YAML read into a struct config
 *
 * A file is at most CONFIG_FILE_MAX bytes, CONFIG_DEPTH levels and CONFIG_KEYS
 * keys. Keys are those of options.def, nested or written with dots. Aliases,
 * anchors, tags and second documents are refused, as are unknown and duplicate
 * keys. All faults are reported, up to CONFIG_FAULTS, one line each:
 * "file:line:column: unknown key 'captur.ports'; did you mean 'capture.ports'?"
 */
#include "sensor/app/options.h"

#define CONFIG_FILE_MAX (1U << 20)
#define CONFIG_DEPTH    8
#define CONFIG_KEYS     1024
#define CONFIG_FAULTS   20

/* Sets what the file says, where no flag has set it. c is initialised. "-" is
 * standard input. On an error c is partly filled: fit for options_fini only.
 * ERR_CONFIG: the content; others: the file could not be read. */
MUST_USE enum err config_load(const char *file, struct config *c,
                              struct buf *messages);
/* The same for a text; name is what messages call it. */
MUST_USE enum err config_parse(struct span text, const char *name,
                               struct config *c, struct buf *messages);

#endif
