#ifndef SPAN25_DISSECTORS_CONTENT_COMPRESS_H
#define SPAN25_DISSECTORS_CONTENT_COMPRESS_H
/* compress - files of compress(1), .Z: LZW as in POSIX, 9 to 16 bits
 *
 * libarchive can read them, but not as one layer at a time: within it streams
 * in streams would be unpacked unpaid. One member, named without ".Z". */
#include "dissectors/content/content.h"

extern const struct inspector compress_inspector;

#endif
