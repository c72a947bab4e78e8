#ifndef SPAN25_EVENT_STUDY_SHAPE_H
#define SPAN25_EVENT_STUDY_SHAPE_H
/* study_shape - the members of a study's result, once for who writes and reads
 *
 * A shape is the list of a struct's members; a shape may stand for a part of
 * the same struct, so that the text has groups which the struct has not. What
 * is written and what is read cannot differ, for both walk these tables. */
#include "sensor/event/study_result.h"

enum study_type {
    STUDY_TYPE_TEXT, /* const char *, NULL is null */
    STUDY_TYPE_BOOL,
    STUDY_TYPE_U32,
    STUDY_TYPE_I32,
    STUDY_TYPE_U64,
    STUDY_TYPE_DOUBLE, /* NAN is null, infinite is "inf" */
    STUDY_TYPE_TIME,   /* 0 is null */
    STUDY_TYPE_ADDR,
    STUDY_TYPE_WORD, /* an enum, by its words */
    STUDY_TYPE_SHAPE,
};

enum study_hold {
    STUDY_HOLD_ONE,
    STUDY_HOLD_ARRAY, /* `most` of them, in place */
    STUDY_HOLD_ROWS,  /* up to `most`, in place, n beside them */
    STUDY_HOLD_LIST,  /* a pointer, n beside it; NULL is empty */
    STUDY_HOLD_EACH,  /* a pointer, n is a count of the result itself; NULL
                       * is null */
};

struct study_shape;

struct study_member {
    const char *key;
    enum study_type type;
    enum study_hold hold;
    size_t at;   /* within the struct */
    size_t size; /* of one */
    size_t n_at;
    size_t most;
    const struct study_shape *shape;
    const char *const *words; /* `most` of them, for STUDY_TYPE_WORD */
    bool brief;               /* of its shape, members that are 0 are left out,
                               * and all of it is null where none is there */
};

struct study_shape {
    const struct study_member *v;
    size_t n;
};

extern const struct study_shape study_shape_result;

#endif
