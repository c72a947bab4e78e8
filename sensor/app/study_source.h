#ifndef SPAN25_APP_STUDY_SOURCE_H
#define SPAN25_APP_STUDY_SOURCE_H
/* study_source - one input of a study, whatever its kind
 *
 * Internal to study_input. A kind is one struct of functions; what it opened
 * hangs off own. Life: open (is it there, what is its end), then, when it is
 * its turn, begin or load, next until it is at its end, end. close comes after
 * any of them, and own may be NULL or half built. */
#include "sensor/app/study_input.h"
#include "sensor/app/study_lines.h"

#define STUDY_SOURCE_TOLD 20U /* faults of one input that are told in full */
#define STUDY_SOURCE_HASH (2U * 32U + 1U)

/* What all inputs share. */
struct study_room {
    struct study_inputs_options o;
    struct buf *messages;
    EVP_MD *sha256;
    struct json_reader json;
    struct record_out record;
    struct buf why;
};

enum study_next {
    STUDY_NEXT_EVENT,
    STUDY_NEXT_END,
    STUDY_NEXT_STOPPED, /* *stop is set, it is not at its end */
    STUDY_NEXT_FAILED,  /* told; it has ended early, with error */
};

struct study_source {
    const struct study_source_ops *ops;
    const char *name;
    struct study_room *room;
    struct study_input row;
    char hash[STUDY_SOURCE_HASH];
    enum err error;
    void *own;
};

struct study_source_ops {
    const char *kind;
    bool journal; /* its lines are those of a journal */
    enum err (*open)(struct study_source *s); /* may be NULL, as end may */
    enum err (*begin)(struct study_source *s);
    /* The record has passed record_check, borrowed until the next call. */
    enum study_next (*next)(struct study_source *s, struct span *record);
    void (*end)(struct study_source *s); /* after its end, for its hash */
    double (*share)(const struct study_source *s); /* while it is its turn */
    void (*save)(const struct study_source *s, struct buf *out);
    /* In place of begin. ERR_FORMAT: the state is of another input, told. */
    enum err (*load)(struct study_source *s, struct cursor *state);
    void (*close)(struct study_source *s);
};

extern const struct study_source_ops study_input_journal;
extern const struct study_source_ops study_input_file;
extern const struct study_source_ops study_input_capture;
extern const struct study_source_ops study_input_kafka;

/* "NAME: WHERE NUMBER: WHY", counted. why is escaped here. */
void study_source_fault(struct study_source *s, const char *where,
                        uint64_t number, struct span why);
/* "NAME: what", not counted; what is our own words. */
void study_source_tell(const struct study_source *s, const char *what);
/* "NAME: NUMBER what". */
void study_source_tell_number(const struct study_source *s, uint64_t number,
                              const char *what);
/* As study_source_tell, and the input ends here. */
enum study_next study_source_fail(struct study_source *s, enum err e,
                                  const char *what);

/* A line as a record of r, which may be the room's. False: it is none, and was
 * told and counted; or memory is out, and error is set. */
bool study_source_read(struct study_source *s, struct span line,
                       const char *where, uint64_t number,
                       struct record_out *r);

/* Into hash, and the row has it. */
void study_source_hash(struct study_source *s, struct span digest);

/* The next event of lines; what ends them is told and counted. */
enum study_next study_source_line(struct study_source *s, struct study_lines *l,
                                  struct span *record);
/* Where lines stand. To come there again: taken from a state, they are opened
 * with its mark and passed over. ERR_FORMAT, told. */
struct study_place {
    uint64_t number;
    struct study_mark mark;
};
void study_source_save_lines(const struct study_lines *l, struct buf *out);
MUST_USE bool study_source_take_place(struct cursor *state,
                                      struct study_place *out);
MUST_USE enum err study_source_go(struct study_source *s, struct study_lines *l,
                                  const struct study_place *to);

#endif
