#ifndef SPAN25_RULES_REGISTRY_FORM_SOURCE_H
#define SPAN25_RULES_REGISTRY_FORM_SOURCE_H
/* form_source - what the readers of forms share: faults, limits, duplicates
 *
 * A reader tells every fault, up to FORM_FAULTS_MAX, and goes on with the next
 * value: what was made of a file with faults is thrown away by
 * form_source_done. The sum of all lines of a file is at most FORM_LINES_MAX,
 * and so is that of its forms. Nothing here takes longer than n log n. */
#include "rules/registry/form_file.h"

struct form_source {
    const char *name;
    struct buf *messages;
    struct forms *out;
    size_t n_faults;
    size_t n_questions;
    size_t n_lines;
    enum err e;         /* of memory */
    bool stop;          /* nothing more is to be told */
    bool told_encoding; /* once: the next cells have the same fault */
    void *keys;         /* what must not come twice */
};

struct form_place {
    size_t line, column; /* from 1 */
};

void form_source_init(struct form_source *s, const char *name,
                      struct forms *out, struct buf *messages);
/* Looks for overlaps when there was no fault; frees what is not wanted. */
MUST_USE enum err form_source_done(struct form_source *s);

/* Starts the line of a fault, which the caller ends with its newline; false
 * when there were too many. */
bool form_source_begin(struct form_source *s, struct form_place at);
void form_source_fault(struct form_source *s, struct form_place at,
                       const char *text);
void form_source_quote(struct form_source *s, struct span value);
/* "unknown <what> '<name>'; did you mean '<near>'?" */
void form_source_unknown(struct form_source *s, struct form_place at,
                         const char *what, struct span name, struct span near);

/* Says what the text is when it is no text in UTF-8: UTF-16, a workbook, a
 * database; false, with a fault, then. */
bool form_source_is_text(struct form_source *s, struct span text);

/* The place of a new form, or SIZE_MAX after a fault. */
size_t form_source_form(struct form_source *s, struct form_place at);
/* NULL after a fault. */
struct form_line *form_source_line(struct form_source *s, size_t form,
                                   struct form_place at);
/* form_set, with a fault that calls the value name. */
void form_source_set(struct form_source *s, char **text, struct span value,
                     struct form_place at, const char *name);
/* A line break, control characters, other than UTF-8: true after a fault. */
bool form_source_is_bad(struct form_source *s, struct span value,
                        struct form_place at, const char *name);
/* Of a form: letters, digits, . _ - */
bool form_source_is_number(struct form_source *s, struct span value,
                           struct form_place at);
/* Of a line, and different from those before it. */
void form_source_line_number(struct form_source *s, size_t form,
                             struct form_line *line, struct span value,
                             struct form_place at);

/* True when text is new in its space: value is kept with it. Else *value is
 * what was kept. */
enum form_space { FORM_SPACE_NUMBER, FORM_SPACE_SITE };
bool form_source_key(struct form_source *s, enum form_space space,
                     struct span text, size_t *value);

#endif
