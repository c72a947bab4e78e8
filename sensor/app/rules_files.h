#ifndef SPAN25_APP_RULES_FILES_H
#define SPAN25_APP_RULES_FILES_H
/* rules_files - the rule files of a folder and the folders below it
 *
 * Files that end in .yaml or .yml and are regular, by name, so that a set is
 * the same on every machine. Names that begin with a dot are passed over.
 * A link to a file is followed, one to a folder is not: so there are no
 * circles. What cannot be read, and a bound that is met, is a line of messages
 * and the others are taken. */
#include "sensor/base/buf.h"
#include "sensor/base/err.h"

#define RULES_FILES_MAX   100000U  /* files */
#define RULES_ENTRIES_MAX 1000000U /* names looked at */
#define RULES_DEPTH_MAX   32U      /* folders within folders */

struct rules_files {
    char **path;
    size_t n, cap;
    size_t entries; /* names looked at */
    size_t unread;  /* files and folders that could not be read */
    char **folder;  /* still to be read, and how deep they are */
    unsigned *depth;
    size_t n_folders, cap_folders;
};

void rules_files_init(struct rules_files *f);
void rules_files_free(struct rules_files *f);

/* Adds a file, whatever its name, or what is in a folder. ERR_NOMEM, or
 * ERR_NOENT when there is no such path, which is told. */
MUST_USE enum err rules_files_add(struct rules_files *f, const char *path,
                                  struct buf *messages);

bool rules_files_is_rule(struct span name);

#endif
