#ifndef SPAN25_DISSECTORS_CONTENT_WORD_H
#define SPAN25_DISSECTORS_CONTENT_WORD_H
/* word - the stream WordDocument of Word 6 to 2003: [MS-DOC]
 *
 * Encryption from the FIB (2.5.2); codes of fields by their begin mark 0x13
 * (2.8.25), searched in the whole stream in both widths of characters, without
 * the piece table: text that is no longer shown is found too. A code that is
 * put together from nested fields is not. */
#include "dissectors/finding.h"

void word_read(struct span stream, struct findings *out);

#endif
