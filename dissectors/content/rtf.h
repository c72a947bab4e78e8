#ifndef SPAN25_DISSECTORS_CONTENT_RTF_H
#define SPAN25_DISSECTORS_CONTENT_RTF_H
/* rtf - objects and templates in Rich Text: RTF 1.9.1, read as Word reads it
 *
 * Word forgives nearly everything, and exploits use it. The hex digits of
 * \objdata are taken wherever they stand: blanks, control words, \'xx and
 * groups between them are stepped over, \binN takes N bytes raw. Two readings
 * of the digits are kept, with and without those in inner groups: the one that
 * is an object of OLE 1.0 ([MS-OLEDS] 2.2.4, 2.2.5) wins, otherwise a compound
 * file is searched in them. What is found goes to the queue as a file.
 *
 * Also: \objupdate, \objclass, \*\template with a remote target (bytes, \'xx
 * and \uN), fields with DDE (\fldinst). Depth is a number, not a stack;
 * linear. The digits of one object at a time are kept: half the file. */
#include "dissectors/content/content.h"

#define RTF_TEXT_MAX 1024 /* bytes of a template's target, a field's code */

extern const struct inspector rtf_inspector;

#endif
