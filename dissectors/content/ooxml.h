#ifndef SPAN25_DISSECTORS_CONTENT_OOXML_H
#define SPAN25_DISSECTORS_CONTENT_OOXML_H
/* ooxml - judges Office Open XML ([MS-OE376], ECMA-376), OpenDocument (OASIS
 * ODF 1.3) and the Office formats that are one XML file
 *
 * ooxml_inspector: a zip by the names in its directory, without unpacking: VBA
 * projects, macro sheets, ActiveX, scripts of ODF; macros under a name that
 * promises none. It stands before the zip's own inspector, so that members know
 * in what they are.
 * ooxml_part_inspector: an XML part that the zip handed on, or a whole file:
 * relationships to the outside, content types, fields, DDE links, encryption of
 * ODF, and in flat OPC and Word 2003 XML the binary parts, which are handed on;
 * the binary parts of .xlsb. Parts are known by their content, not by their
 * path, which the producer chooses.
 *
 * Fields nest (w:fldChar) and their code may be spread over runs: codes of up
 * to OOXML_FIELDS levels are put together, of OOXML_CODE_MAX bytes each.
 * Ordinary hyperlinks are no findings. */
#include "dissectors/content/content.h"

#define OOXML_FIELDS   16
#define OOXML_CODE_MAX 8192

extern const struct inspector ooxml_inspector;
extern const struct inspector ooxml_part_inspector;

#endif
