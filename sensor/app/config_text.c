#include "sensor/app/config_text.h"

#include <inttypes.h>

#include "sensor/app/options_sites.h"
#include "sensor/app/options_value.h"
#include "sensor/base/text.h"

/* The section of a path: "capture" of "capture.ports". */
static struct span
section(enum option_id id)
{
    struct span path = span_str(options_rows[id].path);

    return span_head(path, span_find(path, '.'));
}

static struct span
key(enum option_id id)
{
    struct span path = span_str(options_rows[id].path);

    return span_tail(path, span_find(path, '.') + 1);
}

/* Writes the section's line when id opens a new one. */
static void
put_section(enum option_id id, struct span *open, bool apart, struct buf *out)
{
    if (span_eq(section(id), *open))
        return;
    if (apart && open->n > 0)
        buf_putc(out, '\n');
    *open = section(id);
    buf_span(out, *open);
    buf_str(out, ":\n");
}

static bool
is_set(const struct config *c, enum option_id id)
{
    struct buf b;
    bool set;

    buf_init(&b, 1U << 20);
    options_format(c, id, &b);
    set = b.n > 0 && !span_eq(buf_view(&b), SPAN_LIT("[]"));
    buf_free(&b);
    return set;
}

/* "  key: value", or "  # key: ARGUMENT" for what has no value. */
static void
put_value(const struct config *c, enum option_id id, struct buf *out)
{
    bool set = is_set(c, id);

    buf_str(out, set ? "  " : "  # ");
    buf_span(out, key(id));
    buf_str(out, ": ");
    if (set)
        options_format(c, id, out);
    else
        buf_str(out, options_rows[id].argument);
}

/* ---- lists of items ---- */

/* "  - code: CODE", with no value of a key left out. */
static void
put_item(const struct options_list *l, const void *item, struct buf *out)
{
    const char *lead = "  - ";
    struct config_setting other;

    for (unsigned k = 0; k < l->n_rows; k++) {
        if (!options_list_has(l, item, k))
            continue;
        buf_printf(out, "%s%s: ", lead, l->rows[k].path);
        options_list_format(l, item, k, out);
        buf_putc(out, '\n');
        lead = "    ";
    }
    for (size_t i = 0; l->other_at != NULL && l->other_at(item, i, &other);
         i++) {
        const struct option_row row = {.type = OPTION_TEXT};

        buf_str(out, lead);
        options_value_format(&row, &other.name, out);
        buf_str(out, ": ");
        options_value_format(&row, &other.value, out);
        buf_putc(out, '\n');
    }
}

static void
put_items(const struct options_list *l, const struct config *c, bool origin,
          struct buf *out)
{
    const uint32_t line = l->line(c);

    buf_printf(out, "%s:", l->path);
    if (l->count(c) == 0)
        buf_str(out, " []");
    if (origin) {
        buf_str(out, "  # ");
        if (line > 0) {
            text_term(out, span_str(c->file != NULL ? c->file : "file"));
            buf_printf(out, ":%" PRIu32, line);
        } else {
            buf_str(out, "default");
        }
    }
    buf_putc(out, '\n');
    for (size_t i = 0; i < l->count(c); i++)
        put_item(l, l->at(c, i), out);
}

/* As a comment: there is no item by default. */
static void
put_items_help(const struct options_list *l, struct buf *out)
{
    const char *lead = "- ";

    buf_printf(out, "\n# %s:\n# %s:\n", l->help, l->path);
    for (unsigned k = 0; k < l->n_rows; k++) {
        const struct option_row *row = &l->rows[k];

        buf_printf(out, "#   %s%s: %s  # %s%s\n", lead, row->path,
                   row->argument, row->help,
                   l->must[k] ? "; must be there" : "");
        lead = "  ";
    }
}

void
config_text_init(struct buf *out)
{
    struct config c;
    struct span open = SPAN_NONE;

    if (options_init(&c) != ERR_OK) {
        out->failed = true;
        return;
    }
    buf_str(out,
            "# Configuration of span25; span25 config check FILE checks it."
            "\n# All options: span25 config default, span25.conf(5).\n");
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        const struct option_row *row = &options_rows[i];
        enum option_id id = (enum option_id)i;
        size_t start;

        if ((row->where & OPTION_INIT) == 0)
            continue;
        put_section(id, &open, false, out);
        start = out->n;
        put_value(&c, id, out);
        buf_printf(out, "%*s  # %s\n",
                   out->n - start < 32 ? (int)(32 - (out->n - start)) : 0, "",
                   row->help);
    }
    buf_str(out, "# sites:\n#   - {code: TU, name: Technical University, "
                 "prefixes: [192.0.2.0/24]}\n");
    options_fini(&c);
}

static void
put_help(const struct option_row *row, struct buf *out)
{
    buf_printf(out, "  # %s", row->help);
    if (options_value_shows_range(row))
        buf_printf(out, " (%s)", row->range);
    if (row->flag[0] != 0)
        buf_printf(out, "; flag %s", row->flag);
    buf_putc(out, '\n');
}

void
config_text_default(struct buf *out)
{
    struct config c;
    struct span open = SPAN_NONE;

    if (options_init(&c) != ERR_OK) {
        out->failed = true;
        return;
    }
    buf_str(out, "# Every option of span25 with its default.\n");
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        enum option_id id = (enum option_id)i;

        if (options_rows[i].path[0] == 0)
            continue;
        put_section(id, &open, true, out);
        put_help(&options_rows[i], out);
        put_value(&c, id, out);
        buf_putc(out, '\n');
    }
    for (size_t i = 0; options_lists[i] != NULL; i++)
        put_items_help(options_lists[i], out);
    options_fini(&c);
}

static void
put_origin(const struct config *c, enum option_id id, struct buf *out)
{
    struct origin from = c->origin[id];

    buf_str(out, "  # ");
    switch (from.kind) {
    case ORIGIN_DEFAULT: buf_str(out, "default"); break;
    case ORIGIN_FLAG: buf_printf(out, "flag %s", options_rows[id].flag); break;
    case ORIGIN_FILE:
        text_term(out, span_str(c->file != NULL ? c->file : "file"));
        buf_printf(out, ":%" PRIu32, from.line);
        break;
    }
}

void
config_text_show(const struct config *c, bool origin, struct buf *out)
{
    struct span open = SPAN_NONE;

    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        enum option_id id = (enum option_id)i;

        if (options_rows[i].path[0] == 0)
            continue;
        put_section(id, &open, false, out);
        put_value(c, id, out);
        if (origin)
            put_origin(c, id, out);
        buf_putc(out, '\n');
    }
    for (size_t i = 0; options_lists[i] != NULL; i++)
        put_items(options_lists[i], c, origin, out);
}

void
config_text_sites(const struct config *c, struct buf *out)
{
    put_items(&options_sites, c, false, out);
}
