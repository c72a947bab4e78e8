#ifndef SPAN25_DISSECTORS_CONTENT_REGISTRY_H
#define SPAN25_DISSECTORS_CONTENT_REGISTRY_H
/* registry - all inspectors, in the order in which they see an item
 *
 * Every inspector that wants an item gets it; so an archive that is also a
 * document is first unpacked and then read as a document. */
#include "dissectors/content/content.h"

/* Ends with NULL. */
extern const struct inspector *const content_inspectors[];

#endif
