#ifndef SPAN25_DISSECTORS_CONTENT_ZIP_H
#define SPAN25_DISSECTORS_CONTENT_ZIP_H
/* zip - members of zip files, as every kind of reader would find them
 *
 * A zip says everything twice: in the headers before the data and in the
 * directory at the end. Readers believe one or the other, so both are walked:
 * a member that only one of them knows, names, sizes and methods that differ,
 * a second directory, bytes that belong to nobody are findings, and where the
 * headers differ both readings are unpacked.
 *
 * Before anything is unpacked the pieces of the file that members claim are
 * sorted; what overlaps is not unpacked (Fifield's bomb), what claims more than
 * DEFLATE can do is named. Stored and deflated members are unpacked; other
 * methods and encrypted members are named. Prefixes (self-extractors) and zip64
 * are followed, spanned archives as far as this volume goes. At most
 * CONTENT_MAX_objects members are known; memory for each is 160 bytes. */
#include "dissectors/content/content.h"

extern const struct inspector zip_inspector;

#endif
