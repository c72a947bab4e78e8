#include "sensor/event/host_level.h"

static const char *const words[HOST_LEVELS] = {"normal", "raised", "alert",
                                               "block"};

static const enum field fields[] = {
#define X(name, field) FIELD_##field,
    HOST_STATISTICS(X)
#undef X
};

const char *
host_level_word(enum host_level l)
{
    return words[l];
}

enum host_level
host_level_at(const struct record_map *m, enum field f)
{
    unsigned l = HOST_LEVELS - 1;

    while (l > HOST_LEVEL_NORMAL && !record_map_is(m, f, words[l]))
        l--;
    return (enum host_level)l;
}

enum host_level
host_level_of(const struct record_map *m)
{
    enum host_level highest = HOST_LEVEL_NORMAL;

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        enum host_level l = host_level_at(m, fields[i]);

        highest = l > highest ? l : highest;
    }
    return highest;
}
