#ifndef SPAN25_SINKS_ECS_ROWS_H
#define SPAN25_SINKS_ECS_ROWS_H
/* ecs_rows - the places of a line of ecs.h, for who must know them all
 *
 * In the order in which they are written; ecs_new makes them. */
#include "sensor/sinks/ecs.h"

#define ECS_PARTS_MAX 6U
#define ECS_ROWS_MAX  ((unsigned)FIELD_COUNT + 64U)
#define ECS_PATHS_MAX (64U << 10) /* of all paths; fields.def has 10,000 */

/* What a value becomes; ecs.h. Unqualified, as ecs.def spells them. */
enum ecs_form {
    PLAIN,
    LOWER,
    DATASET,
    OUTCOME,
    SEVERITY,
    MAILBOX,
    DATE,
    MAC,
    FILES
};

/* A place in the line; path has a NUL between its parts. */
struct ecs_row {
    const char *part[ECS_PARTS_MAX];
    uint16_t field; /* FIELD_COUNT: not of a field but added */
    uint8_t index, form, n_parts;
    bool again; /* the row before has the same path */
};

struct ecs {
    struct ecs_row row[ECS_ROWS_MAX];
    unsigned n;
    size_t n_paths;
    char paths[ECS_PATHS_MAX];
};

#endif
