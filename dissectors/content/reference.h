#ifndef SPAN25_DISSECTORS_CONTENT_REFERENCE_H
#define SPAN25_DISSECTORS_CONTENT_REFERENCE_H
/* reference - where a reference in a document leads
 *
 * RFC 3986 schemes and what Office makes of paths: UNC in all its spellings
 * (\\host, //host, file:////host, file://host). "file:///C:/x" and relative
 * paths are local. Blanks and control bytes before it are skipped. */
#include "sensor/base/attr.h"
#include "sensor/base/span.h"

enum reference {
    REFERENCE_LOCAL,
    REFERENCE_REMOTE,  /* http, https, ftp */
    REFERENCE_UNC,     /* a share: tells who asks */
    REFERENCE_HANDLER, /* mhtml:, ms-msdt:, search-ms: and such */
};

enum reference reference_of(struct span s);

#endif
