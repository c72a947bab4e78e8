#ifndef SPAN25_DISSECTORS_CONTENT_FIELD_H
#define SPAN25_DISSECTORS_CONTENT_FIELD_H
/* field - codes of fields in Word, without their braces: ECMA-376 part 1,
 * 17.16
 *
 * DDE and DDEAUTO (FIND_DDE), LINK and INCLUDETEXT of something remote
 * (FIND_REMOTE_OBJECT). QUOTE, which writes another field's code by the numbers
 * of its characters, is decoded by field_unquote: false, and nothing put, when
 * it is no QUOTE. */
#include "dissectors/finding.h"

void field_judge(struct span code, struct findings *out);
bool field_unquote(struct span code, struct buf *out);

#endif
