#include "tests/evaluate/table.h"

#include <stdarg.h>
#include <stdio.h>

#define CELL_MAX 400U

struct table
table_begin(struct tables *to, const char *key, const char *title,
            const char *lead, const char *const *columns)
{
    struct table t = {.to = to, .columns = columns};

    buf_printf(to->md, "\n## %s\n\n", title);
    if (lead != NULL)
        buf_printf(to->md, "%s\n\n", lead);
    while (columns[t.n_columns] != NULL)
        buf_printf(to->md, "| %s ", columns[t.n_columns++]);
    REQUIRE(t.n_columns <= TABLE_COLUMNS);
    buf_str(to->md, "|\n");
    for (unsigned i = 0; i < t.n_columns; i++)
        buf_str(to->md, "|---");
    buf_str(to->md, "|\n");
    json_key(&to->json, key);
    json_begin(&to->json, '[');
    return t;
}

void
table_cell(struct table *t, const char *fmt, ...)
{
    char text[CELL_MAX];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    REQUIRE(n >= 0 && (size_t)n < sizeof(text));
    if (t->at == 0)
        json_begin(&t->to->json, '{');
    json_key(&t->to->json, t->columns[t->at]);
    json_str(&t->to->json, span_of(text, (size_t)n));
    buf_printf(t->to->md, "| %s ", text);
    if (++t->at < t->n_columns)
        return;
    t->at = 0;
    json_end(&t->to->json, '}');
    buf_str(t->to->md, "|\n");
}

void
table_end(struct table *t)
{
    REQUIRE(t->at == 0);
    json_end(&t->to->json, ']');
}
