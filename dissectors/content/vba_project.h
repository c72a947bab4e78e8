#ifndef SPAN25_DISSECTORS_CONTENT_VBA_PROJECT_H
#define SPAN25_DISSECTORS_CONTENT_VBA_PROJECT_H
/* vba_project - judges one VBA project in a compound file
 *
 * FIND_VBA_MACRO when a module has code or cannot be read; an empty project, as
 * Office leaves in many files, is no finding. FIND_VBA_AUTOEXEC_SUSPICIOUS when
 * the project as a whole has both kinds of names. FIND_VBA_STOMPED when a
 * module has compiled code and no source at all, or the project's table of
 * identifiers has both kinds of names and its sources none. */
#include "dissectors/content/content.h"
#include "dissectors/content/ole2.h"

void vba_project_read(struct inspection *i, const struct content_item *item,
                      struct ole2 *o, uint32_t storage);

#endif
