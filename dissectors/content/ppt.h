#ifndef SPAN25_DISSECTORS_CONTENT_PPT_H
#define SPAN25_DISSECTORS_CONTENT_PPT_H
/* ppt - records of a PowerPoint 97 presentation: [MS-PPT] 2.3
 *
 * Objects and VBA projects lie deflated in records of their own
 * (ExOleObjStg, VbaProjectStg): unpacked and handed on as compound files. A
 * container is entered by going on behind its head, so depth costs nothing. */
#include "dissectors/content/content.h"

/* The stream "PowerPoint Document". */
void ppt_read(struct inspection *i, const struct content_item *item,
              struct span stream);
/* The stream "Current User": does it say that the other is encrypted? */
bool ppt_is_encrypted(struct span current_user);

#endif
