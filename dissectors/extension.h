#ifndef SPAN25_DISSECTORS_EXTENSION_H
#define SPAN25_DISSECTORS_EXTENSION_H
/* extension - the table of file name extensions, extension.def */
#include "dissectors/filename.h"

enum extension_list {
    EXTENSION_GMAIL = 1,
    EXTENSION_OUTLOOK = 2,
    EXTENSION_OURS = 4,
};

struct extension {
    struct span name; /* lower case */
    enum extension_risk risk;
    uint8_t lists; /* bits of enum extension_list */
    enum filetype type;
};

/* Without its dot, any case; NULL when the table has none. */
const struct extension *extension_find(struct span name);
/* Row i in the order of the table; NULL past the last. */
const struct extension *extension_row(size_t i);

#endif
