#ifndef SPAN25_DISSECTORS_CONTENT_SEARCH_H
#define SPAN25_DISSECTORS_CONTENT_SEARCH_H
/* search - what is looked for in every file, whatever its type
 *
 * EICAR (eicar.org): the 68 bytes at the head, and white space only behind
 * them. The same bytes elsewhere are a text about EICAR and no finding.
 * GTUBE (SpamAssassin): anywhere.
 * Polyglots: a second type within a file of a type that does not usually hold
 * others: an archive that ends where a picture, a PDF or a program ends; a
 * program in a picture, a PDF or a shortcut; a PDF header in the first 1,024
 * bytes of something else; markup with a script in a picture. Not looked for
 * in archives, Office documents and text, where other files are normal.
 * Linear: each needle is one pass over the bytes. */
#include "dissectors/content/content.h"

bool search_eicar(struct span bytes);
bool search_gtube(struct span bytes);
/* The second type, or FILETYPE_UNKNOWN. */
enum filetype search_polyglot(struct span bytes, enum filetype type);

#endif
