#ifndef SPAN25_DISSECTORS_CONTENT_PDF_H
#define SPAN25_DISSECTORS_CONTENT_PDF_H
/* pdf - what a PDF does by itself and what it carries, ISO 32000
 *
 * All objects are read where they stand, in one pass, whether the tables of
 * references know them or not: so nothing loops, older versions of an object
 * and hidden ones count, and a damaged file is read as far as it goes. Streams
 * of objects (/ObjStm) are unpacked and read likewise, attached files
 * (/EmbeddedFile, or what /EF names) are unpacked and handed on with the names
 * that the file specifications give them. Other streams are skipped, by /Length
 * when endstream stands there, else to the next endstream.
 *
 *   pdf_javascript     /JS or /S /JavaScript
 *   pdf_launch         /S /Launch of a program, or of what has no extension
 *   pdf_launch_file    /S /Launch of anything else
 *   pdf_openaction     /OpenAction or /AA beside one of the two above
 *   pdf_embedded_file  with its name; forbidden_member by its name
 *   pdf_rich_media, pdf_xfa
 *   unc_target         a target \\host, file://host, //host of /GoToR, /GoToE,
 *                      /Launch, /URI or a file specification
 *   pdf_encrypted      encryption that hides object streams or attached files
 *
 * Names are compared after #xx is undone. Targets of /URI go to the result's
 * URLs. Filters: pdf_filter.h. Limits: PDF_STREAMS streams and PDF_NAMES file
 * names are kept, PDF_DEPTH levels of dictionaries told apart, strings kept to
 * PDF_STRING bytes; objects and unpacked bytes by content.def. Known gaps:
 * nothing is decrypted, not even with the empty password; script and XFA are
 * named, not read. */
#include "dissectors/content/content.h"

#define PDF_STREAMS 65536
#define PDF_NAMES   256
#define PDF_DEPTH   64
#define PDF_STRING  1024

extern const struct inspector pdf_inspector;

#endif
