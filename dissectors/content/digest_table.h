#ifndef SPAN25_DISSECTORS_CONTENT_DIGEST_TABLE_H
#define SPAN25_DISSECTORS_CONTENT_DIGEST_TABLE_H
/* digest_table - SHA-256 digests with names, in memory that processes share
 *
 *     digest_table_new(entries_max, names_max, &t);     before any fork
 *     digest_table_fill(t, sorted, n, names);           one thread of one
 * process digest_table_publish(t); digest_table_find(t, digest, name, &n)
 * everybody digest_table_free(t);
 *
 * There are two buffers: one is in force, the other is filled meanwhile. A
 * reader takes no lock: it looks into the buffer in force, and when that one
 * began to be filled again before it was done, it looks once more. So it sees
 * the one list or the other, never a mixture.
 *
 * The writer's view of the memory is not inherited by its children, and none
 * of them can make theirs writable (Linux 5.1): what breaks into an inspector
 * cannot change what others look up.
 *
 * Address space is taken for both buffers at once (digest_table_bytes), memory
 * as it is filled; it is given back by digest_table_free. */
#include "sensor/base/attr.h"
#include "sensor/base/err.h"
#include "sensor/base/span.h"

#define DIGEST_BYTES      32U
#define DIGEST_NAME_BYTES 120U /* longest name */

struct digest_entry {
    uint8_t digest[DIGEST_BYTES];
    uint32_t at; /* of the name in the names */
    uint32_t n;
};

struct digest_table;

/* entries_max and names_max (bytes) are above 0 and below 2^31. */
MUST_USE enum err digest_table_new(size_t entries_max, size_t names_max,
                                   struct digest_table **out);
void digest_table_free(struct digest_table *t); /* NULL-safe */

/* Address space of one view. */
size_t digest_table_bytes(const struct digest_table *t);

/* Into the buffer that is not in force; entries are sorted by digest, at most
 * as many as there is room for. */
void digest_table_fill(struct digest_table *t,
                       const struct digest_entry *entries, size_t n,
                       struct span names);
/* What was filled last comes into force. */
void digest_table_publish(struct digest_table *t);

/* name has DIGEST_NAME_BYTES; written with n when the digest is there. */
bool digest_table_find(const struct digest_table *t,
                       const uint8_t digest[DIGEST_BYTES], uint8_t *name,
                       size_t *n);

/* How often something was published. */
uint64_t digest_table_generation(const struct digest_table *t);

#endif
