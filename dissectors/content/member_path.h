#ifndef SPAN25_DISSECTORS_CONTENT_MEMBER_PATH_H
#define SPAN25_DISSECTORS_CONTENT_MEMBER_PATH_H
/* member_path - does a path in an archive lead out of the folder that it is
 * unpacked to? Absolute, with a drive letter, to another host, or through ".."
 * above where it began. Slash and backslash both divide. */
#include "sensor/base/span.h"

bool member_path_escapes(struct span path);
/* The same for what the symbolic link `name` points to. */
bool member_path_link_escapes(struct span name, struct span target);
/* Equal but for the kind of slash. */
bool member_path_same(struct span a, struct span b);

#endif
