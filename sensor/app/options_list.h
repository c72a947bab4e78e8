#ifndef SPAN25_APP_OPTIONS_LIST_H
#define SPAN25_APP_OPTIONS_LIST_H
/* options_list - lists of the configuration file whose items have keys
 *
 * A list is a row of options_lists and a module of its own, options_sites.h for
 * one, whose .def file makes the item's struct, its keys in the file, the man
 * page and `config default`. Texts and lists of an item belong to the list. */
#include "sensor/app/options.h"

struct options_list {
    const char *path; /* "sites" */
    const char *item; /* "a site" */
    const char *help; /* one line, for config default */
    /* As rows of options: path is the key, offset is in the item. Texts,
     * lists, BOOL (default false) and CHOICE (default its first word). */
    const struct option_row *rows;
    const bool *must;
    unsigned n_rows;
    size_t (*count)(const struct config *c);
    void (*begin)(struct config *c, uint32_t line); /* of the file */
    uint32_t (*line)(const struct config *c);       /* where it begins; or 0 */
    void *(*at)(const struct config *c, size_t i);
    /* Appends an empty item; NULL: no memory or too many. */
    void *(*add)(struct config *c, uint32_t line);
    void (*free)(struct config *c);
    /* Another key of an item; a false adds a phrase to why. NULL: no others. */
    bool (*other)(void *item, struct span key, struct span value,
                  struct buf *why);
    /* Those it has, in the order of the file; false: no i-th. */
    bool (*other_at)(const void *item, size_t i, struct config_setting *out);
    void (*free_other)(void *item); /* or NULL */
    /* An item that is whole; a false adds a phrase to why. Or NULL. */
    bool (*check)(const struct config *c, const void *item, struct buf *why);
};

/* All there are; ends with NULL. */
extern const struct options_list *const options_lists[];

/* NULL when there is none. */
const struct options_list *options_list_find(struct span path);

/* n_rows when there is none. */
unsigned options_list_key(const struct options_list *l, struct span key);
/* The key that is closest to a mistyped one; empty when none is close. */
struct span options_list_near(const struct options_list *l, struct span key);

void *options_list_member(const struct options_list *l, void *item,
                          unsigned key);
bool options_list_has(const struct options_list *l, const void *item,
                      unsigned key);
/* Nothing when unset. */
void options_list_format(const struct options_list *l, const void *item,
                         unsigned key, struct buf *out);

/* All lists of a configuration. */
void options_list_free(struct config *c);

/* ---- for the modules of lists ---- */

/* What such names are made of. */
#define OPTIONS_LIST_NAME "abcdefghijklmnopqrstuvwxyz0123456789-_"
/* For check: the item's first key is a name that files and metrics can have,
 * and no other item's. */
MUST_USE bool options_list_name(const struct options_list *l,
                                const struct config *c, const void *item,
                                struct buf *why);

void options_list_free_item(const struct options_list *l, void *item);

/* A row of its .def file, as option_row and as whether it must be there. */
#define OPTIONS_LIST_ROW(item, id, key, argument, type, range, must, help)     \
    {                                                                          \
        key, "", argument, "", range, help, offsetof(struct item, id), 0,      \
            OPTION_##type, 0                                                   \
    }
#define OPTIONS_LIST_MUST(id, key, argument, type, range, must, help) must

/* The functions of a list in `member` of struct config. */
#define OPTIONS_LIST_OF(member, item, most, list)                              \
    static size_t member##_list_count(const struct config *c)                  \
    {                                                                          \
        return c->member.n;                                                    \
    }                                                                          \
    static void member##_list_begin(struct config *c, uint32_t line)           \
    {                                                                          \
        c->member.line = line;                                                 \
    }                                                                          \
    static uint32_t member##_list_line(const struct config *c)                 \
    {                                                                          \
        return c->member.line;                                                 \
    }                                                                          \
    static void *member##_list_at(const struct config *c, size_t i)            \
    {                                                                          \
        return &c->member.v[i];                                                \
    }                                                                          \
    static void *member##_list_add(struct config *c, uint32_t line)            \
    {                                                                          \
        const size_t cap = c->member.cap > 0 ? c->member.cap * 2 : 16;         \
        struct item *v = c->member.v;                                          \
                                                                               \
        if (c->member.n == (most))                                             \
            return NULL;                                                       \
        if (c->member.n == c->member.cap) {                                    \
            v = reallocarray(v, cap, sizeof(*v));                              \
            if (v == NULL)                                                     \
                return NULL;                                                   \
            c->member.v = v;                                                   \
            c->member.cap = cap;                                               \
        }                                                                      \
        v[c->member.n] = (struct item){.line = line};                          \
        return &v[c->member.n++];                                              \
    }                                                                          \
    static void member##_list_free(struct config *c)                           \
    {                                                                          \
        for (size_t i = 0; i < c->member.n; i++)                               \
            options_list_free_item(&(list), &c->member.v[i]);                  \
        free(c->member.v);                                                     \
        c->member.v = NULL;                                                    \
        c->member.n = c->member.cap = 0;                                       \
    }

#define OPTIONS_LIST_CALLS(member)                                             \
    .count = member##_list_count, .begin = member##_list_begin,                \
    .line = member##_list_line, .at = member##_list_at,                        \
    .add = member##_list_add, .free = member##_list_free

#endif
