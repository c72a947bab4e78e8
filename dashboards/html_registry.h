#ifndef SPAN25_DASHBOARDS_HTML_REGISTRY_H
#define SPAN25_DASHBOARDS_HTML_REGISTRY_H
/* html_registry - what the report says of registered hosts and lines */
#include "dashboards/facts.h"

/* Nothing without a registry. */
void html_registry(struct buf *out, const struct summary *s);

#endif
