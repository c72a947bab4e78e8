#ifndef SPAN25_DISSECTORS_CONTENT_ZIP_DIR_H
#define SPAN25_DISSECTORS_CONTENT_ZIP_DIR_H
/* zip_dir - the records of a zip file: PKWARE APPNOTE 6.3.9, section 4
 *
 * Reads single records and says what they claim; zip.c compares the claims.
 * All positions are offsets in the file as it lies there. Zip64 is followed. */
#include "sensor/base/span.h"

enum zip_flag {
    ZIP_ENCRYPTED = 1U << 0,
    ZIP_DESCRIPTOR = 1U << 3, /* sizes stand behind the data */
    ZIP_STRONG = 1U << 6,     /* strong encryption */
    ZIP_MASKED = 1U << 13,    /* local header hides its values */
};

enum zip_method { ZIP_STORED = 0, ZIP_DEFLATED = 8, ZIP_AES = 99 };

/* What one header says about a member. */
struct zip_entry {
    struct span name;
    struct span unicode_name; /* extra field 0x7075, or empty */
    uint64_t packed;
    uint64_t size;
    uint64_t local; /* central directory: claimed offset of the local header */
    uint32_t crc;
    uint16_t method;
    uint16_t flags;
    uint16_t disk;
    bool is_link; /* Unix symbolic link */
};

/* An end of central directory record and the directory it means. */
struct zip_end {
    size_t at;      /* of the record */
    size_t from;    /* of the first end record: zip64's come before */
    size_t end;     /* behind its comment */
    size_t dir_at;  /* of the directory */
    size_t dir_end; /* behind its last record */
    size_t base;    /* to be added to the offsets in it */
    uint64_t count; /* claimed entries */
    bool spanned;   /* one of several disks */
};

#define ZIP_END_BYTES 22
#define ZIP_END_REACH (ZIP_END_BYTES + 65535) /* a comment may follow */
#define ZIP_LOCAL     SPAN_LIT("PK\3\4")
#define ZIP_CENTRAL   SPAN_LIT("PK\1\2")

/* The last record that begins before `before` and has a directory; false when
 * there is none within reach of the end of the file. out[1] is the directory
 * at the claimed offset when that is another one than the adjacent directory;
 * n_out says how many there are. */
bool zip_end_find(struct span all, size_t before, struct zip_end out[2],
                  size_t *n_out);

/* Does the file end as a zip ends, exactly? */
bool zip_ends_with(struct span all);

/* The next record of a directory; false at its end or when it is damaged. */
bool zip_central_next(struct cursor *c, struct zip_entry *out);

/* The local header at this position, and where its data begins. */
bool zip_local_at(struct span all, size_t at, struct zip_entry *out,
                  size_t *data_at);

#endif
