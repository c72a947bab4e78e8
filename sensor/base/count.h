#ifndef SPAN25_BASE_COUNT_H
#define SPAN25_BASE_COUNT_H
/* count - numbers of things, as people write them */
#include "sensor/base/buf.h"

void count_number(struct buf *out, uint64_t n); /* 1,234,567 */

/* "1 host", "3 hosts"; many is NULL when the plural takes an s. */
void count_put(struct buf *out, uint64_t n, const char *one, const char *many);

#endif
