#ifndef SPAN25_RULES_REGISTRY_FORM_H
#define SPAN25_RULES_REGISTRY_FORM_H
/* form - a registration form as somebody filled it in
 *
 * The texts are kept as written, UTF-8 without control characters, each at most
 * FORM_TEXT_MAX bytes; fields.def says what they are. Typed values are read
 * from them by form_check, which names every fault by field and line. A form
 * owns its texts. Lines are numbered from 1 within the form; a number is never
 * used again. */
#include "sensor/base/addr.h"
#include "sensor/base/err.h"
#include "sensor/base/ns.h"

#define FORM_TEXT_MAX   1024
#define FORM_LINES_MAX  200000
#define FORM_NUMBER_MAX 64
#define FORM_FAULTS_MAX 100

enum form_field {
#define X(id, scope, column, path, type, need, personal, label, help) FORM_##id,
#include "rules/registry/fields.def"
#undef X
    FORM_FIELD_COUNT
};

enum form_scope { FORM_SCOPE_FORM, FORM_SCOPE_LINE };

enum form_type {
    FORM_TEXT,
    FORM_MAIL,
    FORM_PHONE,
    FORM_COUNT,
    FORM_DATE,
    FORM_YESNO,
    FORM_PORT_TYPE,
    FORM_PREFIX,
    FORM_DIRECTION,
    FORM_PREFIXES
};

struct form_row {
    const char *column;
    const char *path;
    const char *label;
    const char *help;
    enum form_scope scope;
    enum form_type type;
    bool must;
    bool personal;
};

extern const struct form_row form_rows[FORM_FIELD_COUNT];

/* What a line asks for, as a set. */
enum form_use { FORM_SEND = 1, FORM_RECEIVE = 2, FORM_BOTH = 3 };

struct form_line {
    uint32_t number; /* 0: not given yet */
    uint32_t source; /* line of the file it was read from, 0: none */
    char *text[FORM_FIELD_COUNT]; /* of LINE rows; NULL: not given */
    /* read by form_check */
    bool readable; /* prefix, port and use are what the texts say */
    struct prefix prefix;
    uint16_t port; /* 0: "any" */
    enum form_use use;
    uint64_t volume; /* messages a day; 0: not said */
    uint32_t order;  /* form_check's own */
};

struct form {
    char number[FORM_NUMBER_MAX + 1]; /* "2026-118"; "" until the office gives
                                       * one: letters, digits, . _ - */
    uint32_t source;
    char *text[FORM_FIELD_COUNT]; /* of FORM rows */
    struct form_line *lines;
    size_t n_lines, cap_lines;
};

void form_init(struct form *f);
void form_fini(struct form *f);
/* to is initialised by the call; ERR_NOMEM: it is empty. */
MUST_USE enum err form_copy(struct form *to, const struct form *from);
MUST_USE enum err form_line_copy(struct form_line *to,
                                 const struct form_line *from);
void form_line_fini(struct form_line *l);

/* Letters, digits, "." "_" "-", 1 to FORM_NUMBER_MAX of them; the first is a
 * letter or digit. */
bool form_number_good(struct span number);

/* What a text may be: ERR_FORMAT: not UTF-8, or control characters within (C0,
 * DEL, C1); ERR_LIMIT: longer than FORM_TEXT_MAX. */
MUST_USE enum err form_text_check(struct span value);
/* Replaces a text; an empty one is NULL. On error it stays. */
MUST_USE enum err form_set(char **text, struct span value);
/* Adds an empty line at the end; NULL: no memory, or FORM_LINES_MAX. */
struct form_line *form_add_line(struct form *f);

/* A fault of a form: what to put right, for the one who filled it in. */
struct form_fault {
    enum form_field field;
    uint32_t line; /* number (or place from 1, when it has none); 0: the form */
    bool missing;  /* a MUST field is not there; else the value is wrong */
    bool asks;     /* a question: the form is complete without an answer */
    const char *what; /* "is not an address", static */
    const char *hint; /* "such as 192.0.2.25", static */
};

typedef void form_fault_fn(void *ctx, const struct form_fault *fault);

/* Reads the typed values of every line and reports all faults: missing MUST
 * fields (a form without lines lacks an address), values of a wrong type; then
 * questions: totals that differ from the lines, lines outside the site's
 * prefixes, the same address and port twice, a signature of the future (today:
 * the day of now, UTC), a signer who is no contact. Returns how many make the
 * form incomplete (missing or of a wrong type); questions do not stop the
 * clock. report may be NULL. n log n in the lines; allocates nothing. */
size_t form_check(struct form *f, ns_t now, form_fault_fn *report, void *ctx);

/* Both have equal texts in every field and line; source lines do not count. */
bool form_equal(const struct form *a, const struct form *b);

#endif
