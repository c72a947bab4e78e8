#ifndef SPAN25_DISSECTORS_CONTENT_VBA_H
#define SPAN25_DISSECTORS_CONTENT_VBA_H
/* vba - sources of VBA modules, and what they do: [MS-OVBA]
 *
 * vba_unpack: a compressed container (2.4.1), pushed whole; what is damaged
 * ends it and the part before is kept. A chunk of 4,096 bytes out takes at
 * least 3 bytes in, so hostile input grows at most 1,400 times: give out a
 * maximum. Linear in what comes out.
 *
 * vba_modules: the list in an unpacked dir stream (2.3.4.2). Records that are
 * unknown are stepped over; a list that is cut is a shorter list.
 *
 * vba_words: one pass over the source or over a table of identifiers; a word is
 * letters, digits and _. Names are compared without case. In a source only what
 * follows Sub starts by itself; in a table any name counts. */
#include "sensor/base/buf.h"

#define VBA_MODULES_MAX 512

struct vba_module {
    struct span stream; /* name of its stream, in the project's code page */
    struct span wide;   /* the same in UTF-16LE */
    uint32_t offset;    /* of the source's container in the stream */
};

struct vba_modules {
    struct vba_module m[VBA_MODULES_MAX];
    size_t n;
    bool more; /* than the maximum */
};

/* What a text names: the first of each kind, borrowed from the text. */
struct vba_said {
    struct span autoexec;
    struct span suspicious;
    bool code; /* a line that is neither blank nor an Attribute */
};

/* False when it is no container or is damaged before its end. */
bool vba_unpack(struct span in, struct buf *out);

void vba_modules_read(struct span dir, struct vba_modules *out);

/* Where a container with a module's source begins in its stream; s.n when
 * there is none: for projects whose dir stream cannot be read. */
size_t vba_find_source(struct span stream);

/* Adds to *said, which begins as all zero. */
void vba_read_source(struct span source, struct vba_said *said);
void vba_read_names(struct span table, struct vba_said *said);

#endif
