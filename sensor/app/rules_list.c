/* rules list: the rules in force, the gravest first */
#include "sensor/app/rules.h"

#include <stdlib.h>

#include "sensor/app/registry_table.h"
#include "sensor/app/rules_load.h"

static const struct registry_column columns[] = {
    {"LEVEL", "level" },
    {"PACK",  "pack"  },
    {"USE",   "use"   },
    {"TITLE", "title" },
    {"ID",    "id"    },
    {"",      "name"  },
    {"",      "kind"  },
    {"",      "status"},
    {"FILE",  "file"  },
    {"",      "line"  },
};

static const char *
kind_of(const struct sigma_info *i)
{
    static const char *const words[] = {[SIGMA_RULE] = "rule",
                                        [SIGMA_CORRELATION] = "correlation",
                                        [SIGMA_FILTER] = "filter"};

    return words[i->kind];
}

static const char *
use_of(const struct sigma_info *i)
{
    if (i->kind == SIGMA_FILTER)
        return "filters";
    if (i->foreign)
        return "other product";
    if (i->disabled)
        return "disabled";
    return i->alerts ? "alerts" : "serves";
}

static struct span
pack_of(const struct sigma_info *i)
{
    return i->pack.n > 0 ? i->pack : SPAN_LIT("local");
}

static int
by_span(struct span a, struct span b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n > 0 ? memcmp(a.p, b.p, n) : 0;

    return order != 0 ? order : a.n < b.n ? -1 : a.n > b.n;
}

static int
by_level(const void *a, const void *b)
{
    const struct sigma_info *x = *(const struct sigma_info *const *)a;
    const struct sigma_info *y = *(const struct sigma_info *const *)b;
    int order;

    if (x->level != y->level)
        return x->level > y->level ? -1 : 1;
    order = by_span(pack_of(x), pack_of(y));
    if (order == 0)
        order = by_span(x->title, y->title);
    if (order == 0)
        order = by_span(x->file, y->file);
    return order != 0 ? order : x->line < y->line ? -1 : x->line > y->line;
}

static void
add_row(struct registry_table *t, const struct sigma_info *i)
{
    registry_table_text(t, rules_level(i->level));
    registry_table_span(t, pack_of(i));
    registry_table_text(t, use_of(i));
    registry_table_span(t, i->title);
    registry_table_span(t, i->id);
    registry_table_span(t, i->name);
    registry_table_text(t, kind_of(i));
    registry_table_span(t, i->status);
    registry_table_span(t, i->file);
    registry_table_number(t, i->line);
}

static bool
put_rows(struct rules_call *c, const struct sigma_set *s)
{
    uint32_t n = sigma_set_count(s);
    const struct sigma_info **all =
        calloc(n + 1U, sizeof(const struct sigma_info *));
    struct registry_table t;
    bool good = all != NULL;

    registry_table_init(&t, columns, ARRAY_LEN(columns));
    for (uint32_t i = 0; good && i < n; i++)
        all[i] = sigma_set_info(s, i);
    if (good && n > 0)
        qsort(all, n, sizeof(const struct sigma_info *), by_level);
    for (uint32_t i = 0; good && i < n; i++)
        add_row(&t, all[i]);
    good = good && registry_table_write(&t, c->config, "span25.rules.list",
                                        "no rules", c->out);
    registry_table_fini(&t);
    free(all);
    return good;
}

enum cli_exit
rules_list(struct rules_call *c)
{
    struct sigma_set *s = NULL;
    struct rules_loaded loaded;
    enum err e = rules_load(c->config, NULL, 0, &s, &loaded, c->messages);
    bool good;

    if (e != ERR_OK)
        return rules_failed(c, e);
    good = put_rows(c, s);
    sigma_set_free(s);
    if (!good)
        return rules_failed(c, ERR_NOMEM);
    return rules_loaded_exit(&loaded);
}
