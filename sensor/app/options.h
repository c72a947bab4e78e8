#ifndef SPAN25_APP_OPTIONS_H
#define SPAN25_APP_OPTIONS_H
/* options - the tables of verbs and options, and the values they fill
 *
 * options.def makes struct config, the flags, the keys of the configuration
 * file, --help, the man pages and the completions; options_verbs.def makes the
 * verbs. Values keep their origin: a default gives way to the file, the file
 * to a flag. */
#include "sensor/base/addr.h"
#include "sensor/base/err.h"
#include "sensor/base/ns.h"

enum verb_group { VERB_FRONT, VERB_OPERATE };

enum verb {
#define X(id, ...) VERB_##id,
#include "sensor/app/options_verbs.def"
#undef X
    VERB_COUNT
};

struct verb_row {
    const char *words; /* one or two, a space between */
    enum verb_group group;
    const char *arguments;
    unsigned least;
    unsigned most;
    const char *summary;
    const char *more;
};

/* X(type, C type of the member, is a list, what it is called) */
#define OPTION_TYPES(X)                                                        \
    X(TEXT, char *, false, "a text")                                           \
    X(LINES, char *, false, "a text of lines")                                 \
    X(PATH, char *, false, "a path")                                           \
    X(OUTPUT, char *, false, "a file name")                                    \
    X(BOOL, bool, false, "true or false")                                      \
    X(UINT, uint64_t, false, "a number")                                       \
    X(SIZE, uint64_t, false, "a size such as 512KiB, 4MiB or 1GiB")            \
    X(DURATION, ns_t, false, "a time such as 500ms, 30s, 10m, 4h or 7d")       \
    X(CHOICE, unsigned, false, "a word")                                       \
    X(TEXTS, struct texts, true, "a list of texts")                            \
    X(PORTS, struct ports, true, "a list of ports")                            \
    X(VLANS, struct ports, true, "a list of VLANs")                            \
    X(PREFIXES, struct prefixes, true, "a list of networks")

struct texts {
    char **v;
    size_t n;
};

struct ports {
    uint16_t *v;
    size_t n;
};

struct prefixes {
    struct prefix *v;
    size_t n;
};

enum option_type {
#define X(type, c, list, what) OPTION_##type,
    OPTION_TYPES(X)
#undef X
};

#define X(type, c, list, what) typedef c option_##type##_t;
OPTION_TYPES(X)
#undef X

enum option_id {
#define X(id, ...) OPTION_ID_##id,
#include "sensor/app/options.def"
#undef X
    OPTION_COUNT
};

enum origin_kind { ORIGIN_DEFAULT, ORIGIN_FILE, ORIGIN_FLAG };

struct origin {
    enum origin_kind kind;
    uint32_t line; /* of the file */
};

/* One item of the list `sites`, see options_sites.h. */
struct config_site {
#define X(id, key, argument, type, ...) option_##type##_t id;
#include "sensor/app/options_sites.def"
#undef X
    uint32_t line; /* of the file */
};

/* A key that only some items of a list have, as the file has it. */
struct config_setting {
    char *name;
    char *value;
};

/* One item of the list `consumers`, see options_consumers.h. */
struct config_consumer {
#define X(id, key, argument, type, ...) option_##type##_t id;
#include "sensor/app/options_consumers.def"
#undef X
    uint32_t line; /* of the file */
};

/* One item of the list `sinks`, see options_sinks.h. */
struct config_sink {
#define X(id, key, argument, type, ...) option_##type##_t id;
#include "sensor/app/options_sinks.def"
#undef X
    struct config_setting *settings;
    size_t n_settings;
    uint32_t line; /* of the file */
};

#define OPTIONS_LIST(item)                                                     \
    struct item *v;                                                            \
    size_t n;                                                                  \
    size_t cap;                                                                \
    uint32_t line

struct config_sites {
    OPTIONS_LIST(config_site);
};

struct config_sinks {
    OPTIONS_LIST(config_sink);
};

struct config_consumers {
    OPTIONS_LIST(config_consumer);
};
#undef OPTIONS_LIST

/* A text without a value is NULL. Strings and lists belong to the config.
 * NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): as the rows come */
struct config {
#define X(id, path, flag, letter, argument, type, ...) option_##type##_t id;
#include "sensor/app/options.def"
#undef X
    struct origin origin[OPTION_COUNT];
    struct config_sites sites;
    struct config_sinks sinks;
    struct config_consumers consumers;
};

/* The words of content.hashes, in the order of its row. */
enum hashes { HASHES_SHA256, HASHES_ALL };
/* The words of --color, in the order of its row. */
enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

/* In `where`: printed by config init. */
#define OPTION_INIT (UINT64_C(1) << 63)

struct option_row {
    const char *path; /* "" when it is not in the file */
    const char *flag; /* "" when it has none */
    const char *argument;
    const char *preset; /* the default, "" for none */
    const char *range;
    const char *help;
    size_t offset;  /* in struct config */
    uint64_t where; /* 1 << verb */
    enum option_type type;
    char letter; /* 0 when it has none */
};

extern const struct verb_row options_verbs[VERB_COUNT];
extern const struct option_row options_rows[OPTION_COUNT];

/* OPTION_COUNT when there is none. */
enum option_id options_find_path(struct span path);
enum option_id options_find_flag(struct span flag, enum verb verb);
enum option_id options_find_letter(char letter, enum verb verb);
bool options_has_flag(enum option_id id, enum verb verb);

/* The path that is closest to a mistyped one; empty when none is close. */
struct span options_near_path(struct span path);
/* "capture" or "capture.x" for "capture.x.y": some row begins with it. */
bool options_is_section(struct span path);

/* All defaults. */
MUST_USE enum err options_init(struct config *c);
void options_fini(struct config *c); /* also of a zeroed or partly filled one */

/* Sets a value, or adds to a list; the first value from a stronger origin
 * replaces a weaker one's, a value from a weaker one is checked and dropped. A
 * false adds one phrase to why ("'70000' is not a port"). */
MUST_USE bool options_set(struct config *c, enum option_id id, struct span text,
                          struct origin from, struct buf *why);
/* Empties a list before its first item. */
void options_clear(struct config *c, enum option_id id, struct origin from);
/* A list has as many items as its range asks for. */
MUST_USE bool options_enough(const struct config *c, enum option_id id,
                             struct buf *why);
/* The value as the right side of a line of the file; nothing when unset. */
void options_format(const struct config *c, enum option_id id, struct buf *out);

#endif
