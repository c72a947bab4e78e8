#ifndef SPAN25_DISSECTORS_CONTENT_XML_H
#define SPAN25_DISSECTORS_CONTENT_XML_H
/* xml - tags, attributes and text of the XML in documents, one after another
 *
 * For looking, not for validating: names come without their prefix, nesting is
 * not checked, and nothing is ever expanded: a DOCTYPE is stepped over with all
 * that it declares, so no input grows. The five named and the numeric
 * references are decoded where asked (xml_decode). UTF-16 is converted once at
 * the start (memory: at most one and a half times the input); other encodings
 * are read as they are, as markup is ASCII in all that Office reads. Linear; a
 * tag that does not end is the end. */
#include "sensor/base/buf.h"

enum xml_kind { XML_START, XML_STOP, XML_TEXT };

struct xml_item {
    enum xml_kind kind;
    struct span name;  /* local; of tags */
    struct span attrs; /* of start tags: for xml_attribute */
    struct span text;  /* raw */
    bool empty;        /* <a/>: no XML_STOP follows */
    bool verbatim;     /* CDATA: no references in it */
};

struct xml {
    struct span in;
    size_t at;
    struct buf converted;
};

void xml_open(struct span bytes, struct xml *x);
void xml_close(struct xml *x);
bool xml_next(struct xml *x, struct xml_item *out);

/* Takes the next from *attrs; value without its quotes, raw. */
bool xml_attribute(struct span *attrs, struct span *name, struct span *value);
/* Empty when there is none. */
struct span xml_get(struct span attrs, const char *name);

/* Appends with references decoded; unknown ones stay as they are. */
void xml_decode(struct buf *out, struct span raw);

/* Begins as XML does, behind a byte order mark and blanks. */
bool xml_is(struct span bytes);

#endif
