#ifndef SPAN25_DISSECTORS_CONTENT_PACKAGE_H
#define SPAN25_DISSECTORS_CONTENT_PACKAGE_H
/* package - files and objects packed the way OLE 1.0 did: [MS-OLEDS] 2.2, and
 * the Package of the Object Packager, which no standard describes
 *
 * All spans are borrowed from the input. Where a length leads past the end, the
 * data is what there is and cut is set: what is there may still be a program.
 */
#include "sensor/base/attr.h"
#include "sensor/base/span.h"

/* \1Ole10Native without its first four bytes, or the data of an OLE 1.0
 * object of class Package. */
struct package {
    struct span label; /* what the reader sees */
    struct span path;  /* where the file came from */
    struct span temp;  /* where it will be written */
    struct span data;  /* empty when it is a link */
    bool linked;
    bool cut;
};

/* [MS-OLEDS] 2.2.4 and 2.2.5 */
struct ole1 {
    struct span class_name;
    struct span topic; /* linked: the file */
    struct span item;
    struct span data;
    bool linked;
    bool cut;
};

MUST_USE bool package_read(struct span in, struct package *out);
MUST_USE bool ole1_read(struct span in, struct ole1 *out);

/* The name by which Windows would open it: the first of label, path and
 * temporary path that ends in a forbidden extension, otherwise the first that
 * is not empty. */
struct span package_name(const struct package *p);

#endif
