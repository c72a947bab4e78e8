#ifndef SPAN25_DISSECTORS_CONTENT_PDF_FILTER_H
#define SPAN25_DISSECTORS_CONTENT_PDF_FILTER_H
/* pdf_filter - the filters of PDF streams, ISO 32000-1 7.4
 *
 * FlateDecode, LZWDecode, ASCIIHexDecode, ASCII85Decode, RunLengthDecode, their
 * short names, and the PNG predictors. What can be unpacked before damage is
 * kept, as viewers do. Not read: filters of pictures, /Crypt, the predictor of
 * TIFF. */
#include "sensor/base/buf.h"

#define PDF_FILTERS 4 /* in a row */

enum pdf_filter {
    PDF_FILTER_NONE,
    PDF_FILTER_FLATE,
    PDF_FILTER_LZW,
    PDF_FILTER_HEX,
    PDF_FILTER_85,
    PDF_FILTER_RUN,
    PDF_FILTER_OTHER,
};

struct pdf_filters {
    uint8_t list[PDF_FILTERS]; /* enum pdf_filter, the first to undo first */
    uint8_t n;
    bool predicted;   /* /Predictor 10 and above */
    uint32_t columns; /* bytes of a row: colours of 8 bits times columns */
};

enum pdf_filter pdf_filter_find(struct span name);

/* Undoes all of them into out, which bounds what is unpacked; other is a
 * buffer to work with, bounded as out. False when a filter is not known: out is
 * empty then. */
bool pdf_filter_undo(const struct pdf_filters *f, struct span in,
                     struct buf *out, struct buf *other);

#endif
