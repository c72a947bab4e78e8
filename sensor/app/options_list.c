#include "sensor/app/options_list.h"

#include "sensor/app/options_consumers.h"
#include "sensor/app/options_sinks.h"
#include "sensor/app/options_sites.h"
#include "sensor/app/options_value.h"
#include "sensor/base/near.h"
#include "sensor/base/text.h"

const struct options_list *const options_lists[] = {
    &options_sites, &options_sinks, &options_consumers, NULL};

const struct options_list *
options_list_find(struct span path)
{
    size_t i = 0;

    while (options_lists[i] != NULL &&
           !span_eq(path, span_str(options_lists[i]->path)))
        i++;
    return options_lists[i];
}

unsigned
options_list_key(const struct options_list *l, struct span key)
{
    unsigned i = 0;

    while (i < l->n_rows && !span_eq(key, span_str(l->rows[i].path)))
        i++;
    return i;
}

struct span
options_list_near(const struct options_list *l, struct span key)
{
    struct near near = near_start(key);

    for (unsigned i = 0; i < l->n_rows; i++)
        near_offer(&near, span_str(l->rows[i].path));
    return near.best;
}

void *
options_list_member(const struct options_list *l, void *item, unsigned key)
{
    return (char *)item + l->rows[key].offset;
}

static const void *
const_member(const struct options_list *l, const void *item, unsigned key)
{
    return (const char *)item + l->rows[key].offset;
}

bool
options_list_has(const struct options_list *l, const void *item, unsigned key)
{
    const enum option_type type = l->rows[key].type;
    const void *at = const_member(l, item, key);

    if (options_value_is_list(type))
        return options_value_count(type, at) > 0;
    if (type == OPTION_BOOL)
        return *(const bool *)at;
    if (type == OPTION_CHOICE)
        return *(const unsigned *)at != 0;
    return *(char *const *)at != NULL;
}

void
options_list_format(const struct options_list *l, const void *item,
                    unsigned key, struct buf *out)
{
    options_value_format(&l->rows[key], const_member(l, item, key), out);
}

static const char *
name_of(const struct options_list *l, const void *item)
{
    return *(char *const *)const_member(l, item, 0);
}

bool
options_list_name(const struct options_list *l, const struct config *c,
                  const void *item, struct buf *why)
{
    const char *name = name_of(l, item);

    if (strspn(name, OPTIONS_LIST_NAME) != strlen(name)) {
        buf_str(why, "a name has small letters, digits, - and _ only: ");
        text_term(why, span_str(name));
        return false;
    }
    for (size_t i = 0; i < l->count(c); i++) {
        const void *other = l->at(c, i);

        if (other == item || name_of(l, other) == NULL ||
            strcmp(name_of(l, other), name) != 0)
            continue;
        buf_printf(why, "there are two %s called '%s'", l->path, name);
        return false;
    }
    return true;
}

void
options_list_free_item(const struct options_list *l, void *item)
{
    for (unsigned k = 0; k < l->n_rows; k++)
        options_value_free(&l->rows[k], options_list_member(l, item, k));
    if (l->free_other != NULL)
        l->free_other(item);
}

void
options_list_free(struct config *c)
{
    for (size_t i = 0; options_lists[i] != NULL; i++)
        options_lists[i]->free(c);
}
