#ifndef SPAN25_DISSECTORS_CONTENT_ENCODED_H
#define SPAN25_DISSECTORS_CONTENT_ENCODED_H
/* encoded - files that are text: uuencode and BinHex 4.0 sent as attachments
 *
 * One member: of uuencode the first file, by the name in its "begin" line; of
 * BinHex the data fork, by the file's name without its extension. Decoders:
 * dissectors/decode.h. */
#include "dissectors/content/content.h"

extern const struct inspector encoded_inspector;

#endif
