#ifndef SPAN25_DISSECTORS_CONTENT_UTF16_H
#define SPAN25_DISSECTORS_CONTENT_UTF16_H
/* utf16 - UTF-16 to UTF-8, for names and texts inside documents
 *
 * Half a surrogate pair becomes U+FFFD, NUL ends the text (where asked), an odd
 * byte at the end is left out. At most three bytes out for two in. */
#include "sensor/base/buf.h"

/* Up to the first NUL. */
void utf16_le_to_utf8(struct buf *out, struct span in);
/* All of it. */
void utf16_text(struct buf *out, struct span in, bool big_endian);
void utf16_put(struct buf *out, uint32_t code_point);

#endif
