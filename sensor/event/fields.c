#include "sensor/event/fields.h"

#include "sensor/base/attr.h"
#include "sensor/base/hash.h"

const struct field_info field_table[FIELD_COUNT] = {
#define X(id, path, type, privacy, ecs, since, doc)                            \
    [FIELD_##id] = {path, FT_##type, PRIVACY_##privacy, ecs, since, doc},
#include "sensor/event/fields.def"
#undef X
};

enum field
field_find(struct span path)
{
    for (unsigned f = 0; f < FIELD_COUNT; f++) {
        if (span_eq(path, span_str(field_table[f].path)))
            return (enum field)f;
    }
    return FIELD_COUNT;
}

enum {
    SIZE_BOOL = 1,
    SIZE_U64 = 8,
    SIZE_I64 = 8,
    SIZE_TIME = 8,
    SIZE_ADDR = 16,
    SIZE_STR = FIELD_ANY_SIZE,
    SIZE_STRS = FIELD_ANY_SIZE,
    SIZE_U64S = 8,
    SIZE_OBJS = FIELD_ANY_SIZE,
};

#define IS_HEADER(f)                                                           \
    ((f) == FIELD_TIMESTAMP || (f) == FIELD_FLOW_ID ||                         \
     (f) == FIELD_FLOW_SEQ || (f) == FIELD_EVENT_TYPE)

/* Children follow their list in the table, so the list is the nearest OBJS row
 * above; a path with "[" says that there is one. */
const struct field_shape field_shapes[FIELD_COUNT] = {
#define X(id, path, type, privacy, ecs, since, doc)                            \
    [FIELD_##id] = {FT_##type, SIZE_##type, IS_HEADER(FIELD_##id),             \
                    __builtin_strchr(path, '[') != NULL},
#include "sensor/event/fields.def"
#undef X
};

enum field
field_parent_of(enum field f)
{
    unsigned at = (unsigned)f;

    if (LIKELY(!field_shapes[f].child))
        return FIELD_COUNT;
    while (at > 0 && field_table[at].type != FT_OBJS)
        at--;
    return (enum field)at;
}

uint64_t
fields_coding(const struct field_info *rows, size_t n)
{
    uint64_t h = n;

    for (size_t i = 0; i < n; i++)
        h = hash_mix(hash_span(span_str(rows[i].path), h), rows[i].type);
    return h;
}
