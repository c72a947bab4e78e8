#ifndef SPAN25_DISSECTORS_CONTENT_ONENOTE_H
#define SPAN25_DISSECTORS_CONTENT_ONENOTE_H
/* onenote - files within a OneNote section, [MS-ONESTORE] 2.6.13
 *
 * Each FileDataStoreObject is found by the GUID at its head, wherever it
 * stands, and handed on; its name is the one that stands at the same place in
 * the order of names ([MS-ONE] EmbeddedFileName), when there are as many names
 * as files. Names are found as what they are, UTF-16 behind its length, since
 * the tables that lead to them may be damaged.
 *
 * In the other packaging ([MS-ONESTORE] 2.8, what the web application exports)
 * files of known beginnings are found behind a length in the form of
 * [MS-FSSHTTPB] 2.2.1.1.
 *
 *   onenote_file       a file that is no picture; detail: its type
 *   onenote_forbidden  a program, script, shortcut, disk image or markup as a
 *                      file, or a name with a forbidden extension
 * Limits: ONENOTE_NAMES names. */
#include "dissectors/content/content.h"

#define ONENOTE_NAMES 64

extern const struct inspector onenote_inspector;

#endif
