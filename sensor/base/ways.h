#ifndef SPAN25_BASE_WAYS_H
#define SPAN25_BASE_WAYS_H
/* ways - a table of fixed size in sets of eight; the one unused longest goes
 *
 * Entries are structs of one size that begin with a struct way. Keys are keyed
 * hashes: who does not know the key cannot aim at a set. All work is eight
 * looks. Memory is taken at once and touched as it fills. */
#include "sensor/base/err.h"
#include "sensor/base/attr.h"
#include "sensor/base/buf.h"
#include "sensor/base/ns.h"

#define WAYS 8U

struct way {
    uint64_t key; /* 0: free */
    ns_t last;    /* used */
};

struct ways {
    uint8_t *base;
    size_t size; /* bytes of an entry */
    size_t n;    /* entries; a multiple of WAYS */
    uint64_t evicted;
};

MUST_USE enum err ways_init(struct ways *w, size_t size, size_t n);
void ways_fini(struct ways *w);

/* The entry of key, or NULL. */
void *ways_find(const struct ways *w, uint64_t key);
/* The same, or a free one, or the one unused longest, zeroed but for its key;
 * used now. *fresh: it was not there. */
void *ways_take(struct ways *w, uint64_t key, ns_t now, bool *fresh);

size_t ways_count(const struct ways *w);

/* Entries with their places, so that a restored table goes on alike. */
void ways_save(const struct ways *w, struct buf *out);
/* Into an empty one; false when it does not fit. */
MUST_USE bool ways_load(struct ways *w, struct cursor *in);

#endif
