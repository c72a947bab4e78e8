#ifndef SPAN25_DISSECTORS_CONTENT_OLE2_INSPECT_H
#define SPAN25_DISSECTORS_CONTENT_OLE2_INSPECT_H
/* ole2_inspect - judges compound files: Word, Excel, PowerPoint 97 to 2003,
 * Outlook messages, installers, encrypted packages, embedded objects
 *
 * Streams are judged by their names wherever they stand, so documents within
 * documents (ObjectPool, MBD storages) need no step down. At most
 * OLE2_PROJECTS VBA projects a file are read. A bare workbook stream without a
 * compound file, as Excel opens it too, is read as one; so is the zlib file
 * that Word writes into its XML and MHTML (ActiveMime). */
#include "dissectors/content/content.h"

#define OLE2_PROJECTS 8

extern const struct inspector ole2_inspector;

#endif
