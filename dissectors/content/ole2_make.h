#ifndef SPAN25_DISSECTORS_CONTENT_OLE2_MAKE_H
#define SPAN25_DISSECTORS_CONTENT_OLE2_MAKE_H
/* ole2_make - compound files and VBA projects for tests
 *
 *     ole2_make_begin(&m, 512);
 *     s = ole2_make_storage(&m, 0, "Macros", NULL);
 *     ole2_make_stream(&m, s, "dir", bytes);
 *     ole2_make_end(&m);
 *     ... buf_view(&m.out), and fat_at, dir_at, ... to damage it ...
 *     ole2_make_free(&m);
 *
 * Siblings are chained to the right, sectors lie in order, streams are copied.
 * VBA is packed with literals only. Out of memory or room aborts. */
#include "sensor/base/buf.h"

#define OLE2_MAKE_ENTRIES 64

struct ole2_make_entry {
    char name[32];
    uint8_t clsid[16];
    uint32_t parent;
    uint32_t start;
    struct buf data;
    bool storage;
};

struct ole2_make {
    struct ole2_make_entry entry[OLE2_MAKE_ENTRIES];
    uint32_t n;
    size_t sector;
    struct buf out;
    /* offsets in out */
    size_t fat_at;
    size_t dir_at;
    size_t mini_fat_at;
    size_t data_at; /* of the first large stream */
};

void ole2_make_begin(struct ole2_make *m, size_t sector);
/* parent: 0 is the root. clsid: 16 bytes, or NULL. */
uint32_t ole2_make_storage(struct ole2_make *m, uint32_t parent,
                           const char *name, const char *clsid);
void ole2_make_stream(struct ole2_make *m, uint32_t parent, const char *name,
                      struct span data);
void ole2_make_root(struct ole2_make *m, const char *clsid);
void ole2_make_end(struct ole2_make *m);
void ole2_make_free(struct ole2_make *m);

/* Overwrites 4 bytes of the file. */
void ole2_make_patch(struct ole2_make *m, size_t at, uint32_t v);

struct vba_make_module {
    const char *name;
    const char *source; /* NULL: none, not even a container */
    size_t cache;       /* bytes of compiled code before it */
};

void vba_make_pack(struct span in, struct buf *out);
/* Storage "VBA" with dir, _VBA_PROJECT (with these identifiers) and modules. */
void vba_make_project(struct ole2_make *m, uint32_t parent,
                      const struct vba_make_module *modules, size_t n,
                      const char *identifiers);

#endif
