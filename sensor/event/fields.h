#ifndef SPAN25_EVENT_FIELDS_H
#define SPAN25_EVENT_FIELDS_H
/* fields - the table of fields.def as C
 *
 * Nothing else in the program spells a field's name. */
#include "sensor/base/span.h"

#define SCHEMA_VERSION 1

enum field {
#define X(id, path, type, privacy, ecs, since, doc) FIELD_##id,
#include "sensor/event/fields.def"
#undef X
    FIELD_COUNT
};

enum field_type {
    FT_BOOL, /* 1 byte */
    FT_U64,  /* 8 bytes, little-endian */
    FT_I64,
    FT_TIME, /* ns_t, 8 bytes */
    FT_ADDR, /* 16 bytes, struct addr */
    FT_STR,  /* bytes, perhaps not UTF-8 */
    FT_STRS, /* one entry a string */
    FT_U64S, /* one entry a number */
    FT_OBJS, /* one entry an object: entries of its child fields */
};

enum privacy {
    PRIVACY_PUBLIC,
    PRIVACY_NETWORK,
    PRIVACY_PERSON,
    PRIVACY_CONTENT
};

struct field_info {
    const char *path;
    enum field_type type;
    enum privacy privacy;
    const char *ecs;
    unsigned since;
    const char *doc;
};

extern const struct field_info field_table[FIELD_COUNT];

/* What coder and checker ask about every entry, in four bytes a field. */
struct field_shape {
    uint8_t type; /* enum field_type */
    uint8_t size; /* bytes of a value, or FIELD_ANY_SIZE */
    bool header;  /* in the header of a record, never an entry of it */
    bool child;   /* of a list of objects: the nearest one above */
};
#define FIELD_ANY_SIZE 0xffU

extern const struct field_shape field_shapes[FIELD_COUNT];

/* Fields of this type may occur more than once in a record. */
static inline bool
field_is_list(enum field f)
{
    return field_shapes[f].type >= FT_STRS;
}

static inline bool
field_is_header(enum field f)
{
    return field_shapes[f].header;
}

/* The row with this path, or FIELD_COUNT. */
enum field field_find(struct span path);

/* The list of objects that f is a child of, or FIELD_COUNT. */
enum field field_parent_of(enum field f);

/* A number of paths and types of the rows, in their order: a row that is added,
 * moved or of another type gives another one. */
uint64_t fields_coding(const struct field_info *rows, size_t n);

#endif
