#ifndef SPAN25_DISSECTORS_CONTENT_ZIP_MAKE_H
#define SPAN25_DISSECTORS_CONTENT_ZIP_MAKE_H
/* zip_make - zip files for tests, honest ones and others
 *
 *     zip_make_begin(&z);
 *     zip_make_member(&z, &(struct zip_make_member){.name = "a", .data = ...});
 *     zip_make_end(&z);             the directory and its end record
 *     ... buf_view(&z.out) ...
 *     zip_make_free(&z);
 *
 * What a member leaves at zero is honest; the local_* fields make the local
 * header differ from the directory. Out of memory aborts. */
#include "sensor/base/buf.h"

struct zip_make_member {
    const char *name;
    struct span data; /* before it is packed */
    bool deflate;
    bool descriptor;   /* sizes behind the data, zero in the local header */
    bool only_local;   /* not in the directory */
    bool only_central; /* no local header */
    unsigned method;   /* instead of 0 or 8, in both headers */
    unsigned flags;    /* besides, in both */
    const char *local_name;
    unsigned local_method; /* plus 1 */
    unsigned local_flags;  /* besides */
    uint32_t size;         /* claimed in the directory and the local header */
    uint32_t crc;          /* added to the right one */
    uint16_t disk;
    bool zip64;
    bool is_link;
    struct span extra; /* in the directory */
    bool same_place;   /* as the member before: an overlap */
};

struct zip_make {
    struct buf out;
    struct buf dir;
    uint64_t count;
    uint32_t last; /* offset of the last local header */
    uint32_t base; /* subtracted from offsets: they begin behind a prefix */
    bool end64;    /* with the records of zip64 */
};

void zip_make_begin(struct zip_make *z);
void zip_make_member(struct zip_make *z, const struct zip_make_member *m);
void zip_make_end(struct zip_make *z, struct span comment);
void zip_make_free(struct zip_make *z);

/* A raw DEFLATE stream, appended. */
void zip_make_deflate(struct span data, struct buf *out);

#endif
