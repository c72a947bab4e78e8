#ifndef SPAN25_DISSECTORS_CONTENT_OLE2_H
#define SPAN25_DISSECTORS_CONTENT_OLE2_H
/* ole2 - reads a compound file: storages and streams, [MS-CFB]
 *
 *     ole2_open(bytes, &o);           directory and tables
 *     ole2_read(&o, &o.entry[k], &b)  one stream
 *     ole2_close(&o);                 always, also after a failed open
 *
 * A tree of storages is a flat array here: entry 0 is the root; parent, child
 * and next are indices or OLE2_NONE. Entries that no storage lists are kept,
 * with the root as parent: programs that search find them.
 *
 * The file is hostile: chains that loop or cross, trees with cycles, sizes of
 * terabytes, sectors past the end. Whatever does not hold together sets damaged
 * and what could be read is there. Bounds: a chain has at most as many sectors
 * as the file; at most OLE2_ENTRIES_MAX entries; all reads together give at
 * most OLE2_READ_TIMES times the file (streams that share sectors end there,
 * with damaged). Memory: about four bytes per sector, the container of the
 * small streams once, 80 bytes and the name per entry. */
#include "sensor/base/buf.h"

#define OLE2_NONE        UINT32_MAX
#define OLE2_ENTRIES_MAX 16384
#define OLE2_READ_TIMES  4

enum ole2_kind {
    OLE2_EMPTY = 0,
    OLE2_STORAGE = 1,
    OLE2_STREAM = 2,
    OLE2_ROOT = 5,
};

struct ole2_entry {
    struct span name; /* UTF-8, in o->names */
    uint64_t size;    /* as stated */
    uint32_t start;
    uint32_t parent;
    uint32_t child; /* first; of storages */
    uint32_t next;  /* in the same storage */
    uint8_t clsid[16];
    uint8_t kind;
    bool listed; /* by a storage */
};

struct ole2 {
    struct span bytes;
    struct ole2_entry *entry;
    uint32_t n_entries;
    bool damaged;
    /* private */
    size_t sector_bytes;
    uint32_t n_sectors;
    uint32_t *fat;
    struct buf names;
    struct buf mini_fat;
    struct buf mini;
    uint32_t mini_cutoff;
    uint64_t read_left;
};

bool ole2_is(struct span bytes);
/* False when there is not even a root, or no memory. */
MUST_USE bool ole2_open(struct span bytes, struct ole2 *o);
void ole2_close(struct ole2 *o);

/* Replaces the content of out, up to its maximum. False when bytes are missing
 * (out has what there is). */
bool ole2_read(struct ole2 *o, const struct ole2_entry *e, struct buf *out);

/* In a storage, without letter case (ASCII); OLE2_NONE when there is none. */
uint32_t ole2_find(const struct ole2 *o, uint32_t storage, const char *name);

/* Are the 16 bytes stored "000C1084-0000-0000-C000-000000000046"? */
bool ole2_clsid_is(const uint8_t clsid[16], const char *text);

#endif
