#ifndef SPAN25_APP_WHOLE_FILE_H
#define SPAN25_APP_WHOLE_FILE_H
/* whole_file - files that are there whole or not at all
 *
 * All give 0, or the number of errno. */
#include "sensor/base/attr.h"
#include "sensor/base/buf.h"

/* Written beside ("PATH.new"), synced, and put in the place of what is there:
 * who reads it never sees half of it. A device or a pipe is written to. */
MUST_USE int whole_file_save(const char *path, struct span text);
/* EEXIST: there is one. */
MUST_USE int whole_file_new(const char *path, struct span text);
/* The same, for its owner alone. */
MUST_USE int whole_file_secret(const char *path, struct span text);
/* Into out, which is begun here and to be freed whatever comes of it. EFBIG:
 * more than most bytes. */
MUST_USE int whole_file_load(const char *path, size_t most, struct buf *out);

#endif
