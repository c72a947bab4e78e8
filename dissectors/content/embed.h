#ifndef SPAN25_DISSECTORS_CONTENT_EMBED_H
#define SPAN25_DISSECTORS_CONTENT_EMBED_H
/* embed - files found in documents, judged and handed to the queue
 *
 * What all document inspectors share. Everything handed on is paid for here. */
#include "dissectors/content/content.h"
#include "dissectors/content/package.h"

/* The detail, or the item's name when there is none. */
void embed_note(struct inspection *i, const struct content_item *item,
                enum finding f, struct span detail);

/* An object whose name means nothing to the reader. False: stop. */
bool embed_object(struct inspection *i, const struct content_item *item,
                  struct span name, struct span bytes);

/* A file that the reader opens by a click in a document: FIND_EMBEDDED_FILE,
 * FIND_EMBEDDED_EXECUTABLE; a linked one: FIND_OLE_LINK. */
bool embed_package(struct inspection *i, const struct content_item *item,
                   const struct package *p);

/* A file attached to a mail: its name is judged as in an archive. */
bool embed_attachment(struct inspection *i, const struct content_item *item,
                      struct span name, struct span bytes);

/* The content of a stream \1Ole10Native, with its length. */
bool embed_native(struct inspection *i, const struct content_item *item,
                  struct span stream);

/* Unpacks zlib data to the scratch buffer and hands it on. */
bool embed_deflated(struct inspection *i, const struct content_item *item,
                    struct span name, struct span packed);

/* A link to something outside: FIND_OLE_LINK, and FIND_REMOTE_OBJECT when the
 * target is not on the reader's machine. */
void embed_link(struct inspection *i, const struct content_item *item,
                struct span target);

#endif
