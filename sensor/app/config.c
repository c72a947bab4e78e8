#include "sensor/app/config.h"

#include <errno.h>
#include <stdio.h>
#include <yaml.h>

#include "sensor/app/options_list.h"
#include "sensor/app/options_sites.h"
#include "sensor/app/options_value.h"
#include "sensor/base/text.h"

#define PATH_ROOM 256

/* A list of items holds sections, each with the path "sites[]", say. */
enum holder { HOLDS_SECTION, HOLDS_LIST, HOLDS_ITEMS, HOLDS_NOTHING };

#define ITEM_MARK "[]"

/* Where the value of a key goes. row NULL: nowhere, there is no such key. */
struct slot {
    const struct option_row *row;
    enum option_id id; /* OPTION_COUNT: an item's */
    unsigned key;      /* of an item */
};

/* One open mapping or sequence. HOLDS_NOTHING: its content is skipped. */
struct frame {
    enum holder holder;
    bool has_key; /* a key was read, its value comes next */
    size_t n_children;
    size_t path_n;                    /* of this section or list */
    bool item;                        /* this section is an item of a list */
    size_t n_seen;                    /* keys seen when it began */
    struct slot slot;                 /* of a list */
    const struct options_list *items; /* of a list of them */
    yaml_mark_t at;
};

struct seen_key {
    char path[PATH_ROOM];
    size_t n;
    size_t line;
};

struct loader {
    struct config *config;
    const char *name;
    struct buf *messages;
    unsigned n_faults;
    bool stop;
    struct frame stack[CONFIG_DEPTH];
    size_t depth;
    char path[PATH_ROOM]; /* of the key last read */
    size_t path_n;
    yaml_mark_t key_at;
    /* Its last item is being read; NULL: none. */
    const struct options_list *list;
    struct seen_key *seen;
    size_t n_seen;
};

static struct span
path_of(const struct loader *l)
{
    return span_of(l->path, l->path_n);
}

static void
put_position(struct loader *l, yaml_mark_t at)
{
    text_term(l->messages, span_str(l->name));
    buf_printf(l->messages, ":%zu:%zu: ", at.line + 1, at.column + 1);
}

/* Starts a fault's line; false when there are too many. */
static bool
fault_begin(struct loader *l, yaml_mark_t at)
{
    if (l->stop)
        return false;
    put_position(l, at);
    if (l->n_faults++ < CONFIG_FAULTS)
        return true;
    buf_str(l->messages, "more faults follow\n");
    l->stop = true;
    return false;
}

static void
fault(struct loader *l, yaml_mark_t at, const char *text)
{
    if (fault_begin(l, at))
        buf_printf(l->messages, "%s\n", text);
}

static void
put_quoted(struct loader *l, struct span s)
{
    buf_putc(l->messages, '\'');
    text_term(l->messages, s);
    buf_putc(l->messages, '\'');
}

/* "'capture.workers': <why>" */
static void
fault_value(struct loader *l, yaml_mark_t at, struct span why)
{
    if (!fault_begin(l, at))
        return;
    put_quoted(l, path_of(l));
    buf_str(l->messages, ": ");
    buf_span(l->messages, why);
    buf_putc(l->messages, '\n');
}

/* The key within its item: "code" of "sites[].code". */
static struct span
item_key(const struct loader *l)
{
    return span_tail(path_of(l), strlen(l->list->path) + sizeof(ITEM_MARK));
}

/* Where the value of the key last read goes. */
static struct slot
slot_of(const struct loader *l)
{
    struct slot s = {NULL, OPTION_COUNT, 0};

    if (l->list != NULL) {
        s.key = options_list_key(l->list, item_key(l));
        if (s.key < l->list->n_rows)
            s.row = &l->list->rows[s.key];
        return s;
    }
    s.id = options_find_path(path_of(l));
    if (s.id < OPTION_COUNT)
        s.row = &options_rows[s.id];
    return s;
}

static bool
is_section(const struct loader *l)
{
    return l->list == NULL && options_is_section(path_of(l));
}

/* The list of items that the key last read is; NULL: none. */
static const struct options_list *
items_of(const struct loader *l)
{
    return l->list == NULL ? options_list_find(path_of(l)) : NULL;
}

static void
fault_unknown(struct loader *l, yaml_mark_t at)
{
    struct span near = l->list != NULL ? options_list_near(l->list, item_key(l))
                                       : options_near_path(path_of(l));

    if (!fault_begin(l, at))
        return;
    buf_str(l->messages, "unknown key ");
    put_quoted(l, path_of(l));
    if (near.n > 0) {
        buf_str(l->messages, "; did you mean '");
        if (l->list != NULL)
            buf_printf(l->messages, "%s" ITEM_MARK ".", l->list->path);
        text_term(l->messages, near);
        buf_str(l->messages, "'?");
    }
    buf_putc(l->messages, '\n');
}

static void
fault_type(struct loader *l, yaml_mark_t at, const struct option_row *row,
           const char *found)
{
    if (!fault_begin(l, at))
        return;
    put_quoted(l, path_of(l));
    buf_printf(l->messages, " takes %s, not %s\n",
               options_value_what(row->type), found);
}

static struct frame *
top(struct loader *l)
{
    return l->depth > 0 ? &l->stack[l->depth - 1] : NULL;
}

static void
push(struct loader *l, struct frame f)
{
    if (l->depth == CONFIG_DEPTH) {
        fault(l, f.at, "nested too deeply");
        l->stop = true;
        return;
    }
    l->stack[l->depth++] = f;
}

/* A value is complete: its section waits for the next key. */
static void
value_done(struct loader *l)
{
    struct frame *f = top(l);

    if (f != NULL && f->holder == HOLDS_SECTION) {
        f->has_key = false;
        l->path_n = f->path_n;
    }
}

static void
remember_key(struct loader *l, yaml_mark_t at)
{
    struct seen_key *k;

    for (size_t i = 0; i < l->n_seen; i++) {
        k = &l->seen[i];
        if (!span_eq(span_of(k->path, k->n), path_of(l)))
            continue;
        if (fault_begin(l, at)) {
            put_quoted(l, path_of(l));
            buf_printf(l->messages, " is there twice, first in line %zu\n",
                       k->line + 1);
        }
        return;
    }
    if (l->n_seen == CONFIG_KEYS) {
        fault(l, at, "too many keys");
        l->stop = true;
        return;
    }
    k = &l->seen[l->n_seen++];
    k->n = l->path_n;
    k->line = at.line;
    memcpy(k->path, l->path, l->path_n);
}

static void
on_key(struct loader *l, struct frame *f, struct span key, yaml_mark_t at)
{
    size_t dot = f->path_n > 0;

    f->has_key = true;
    f->n_children++;
    l->path_n = f->path_n;
    l->key_at = at;
    if (dot + key.n > PATH_ROOM - l->path_n) {
        fault(l, at, "the key is too long");
        l->stop = true;
        return;
    }
    if (dot)
        l->path[l->path_n++] = '.';
    if (key.n > 0)
        memcpy(l->path + l->path_n, key.p, key.n);
    l->path_n += key.n;
    remember_key(l, at);
}

static void *
last_item(struct loader *l)
{
    return l->list->at(l->config, l->list->count(l->config) - 1);
}

static bool
set(struct loader *l, const struct slot *slot, struct span text, yaml_mark_t at)
{
    struct origin from = {ORIGIN_FILE, (uint32_t)at.line + 1};
    struct buf why;
    bool good;

    buf_init(&why, 1024);
    good =
        slot->id < OPTION_COUNT
            ? options_set(l->config, slot->id, text, from, &why)
            : options_value_set(
                  slot->row, text,
                  options_list_member(l->list, last_item(l), slot->key), &why);
    if (!good)
        fault_value(l, at, buf_view(&why));
    buf_free(&why);
    return good;
}

/* A key that is none of the list's own. */
static void
set_other(struct loader *l, struct span text, yaml_mark_t at)
{
    struct buf why;

    buf_init(&why, 1024);
    if (!l->list->other(last_item(l), item_key(l), text, &why))
        fault_value(l, at, buf_view(&why));
    buf_free(&why);
}

static bool
takes_others(const struct loader *l)
{
    return l->list != NULL && l->list->other != NULL;
}

/* "is a list of sites" */
static void
fault_items(struct loader *l, yaml_mark_t at, const struct options_list *items)
{
    struct buf why;

    buf_init(&why, 256);
    buf_printf(&why, "is a list of %s", items->path);
    fault_value(l, at, buf_view(&why));
    buf_free(&why);
}

static void
fault_many(struct loader *l, yaml_mark_t at, const struct options_list *items)
{
    if (fault_begin(l, at))
        buf_printf(l->messages, "too many %s\n", items->path);
}

static void
fault_item(struct loader *l, yaml_mark_t at, const struct options_list *items)
{
    struct buf why;

    buf_init(&why, 256);
    buf_printf(&why, "%s is a section of keys, such as %s", items->item,
               items->rows[0].path);
    fault_value(l, at, buf_view(&why));
    buf_free(&why);
}

static bool
is_null(const yaml_event_t *e, struct span text)
{
    return e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (text.n == 0 || span_eq(text, SPAN_LIT("~")) ||
            span_eq_nocase(text, SPAN_LIT("null")));
}

static void
on_value(struct loader *l, struct span text, const yaml_event_t *e)
{
    struct slot slot = slot_of(l);
    bool null = is_null(e, text);

    if (items_of(l) != NULL) {
        if (!null)
            fault_items(l, e->start_mark, items_of(l));
    } else if (slot.row == NULL && is_section(l)) {
        /* "capture:" with all its keys commented out is an empty section */
        if (!null)
            fault_value(l, e->start_mark,
                        SPAN_LIT("is a section of keys, not a value"));
    } else if (slot.row == NULL && !takes_others(l)) {
        fault_unknown(l, l->key_at);
    } else if (null) {
        fault_value(l, l->key_at, SPAN_LIT("has no value"));
    } else if (slot.row == NULL) {
        set_other(l, text, e->start_mark);
    } else {
        (void)set(l, &slot, text, e->start_mark);
    }
}

static void
on_scalar(struct loader *l, const yaml_event_t *e)
{
    struct span text = span_of(e->data.scalar.value, e->data.scalar.length);
    struct frame *f = top(l);

    if (f == NULL) {
        if (!is_null(e, text))
            fault(l, e->start_mark, "the file must hold keys and values");
        return;
    }
    switch (f->holder) {
    case HOLDS_NOTHING: break;
    case HOLDS_LIST:
        f->n_children++;
        (void)set(l, &f->slot, text, e->start_mark);
        break;
    case HOLDS_ITEMS: fault_item(l, e->start_mark, f->items); break;
    case HOLDS_SECTION:
        if (!f->has_key) {
            on_key(l, f, text, e->start_mark);
            break;
        }
        on_value(l, text, e);
        value_done(l);
        break;
    }
}

static struct origin
origin_at(yaml_mark_t at)
{
    return (struct origin){ORIGIN_FILE, (uint32_t)at.line + 1};
}

/* What follows a key that is no row's. */
static enum holder
open_other(struct loader *l, bool list, yaml_mark_t at)
{
    const struct options_list *items = items_of(l);

    if (items != NULL && list) {
        items->begin(l->config, (uint32_t)at.line + 1);
        return HOLDS_ITEMS;
    }
    if (items != NULL)
        fault_items(l, at, items);
    else if (!list && l->list == NULL)
        return HOLDS_SECTION;
    else if (is_section(l))
        fault_value(l, at, SPAN_LIT("is a section of keys, not a list"));
    else
        fault_unknown(l, l->key_at);
    return HOLDS_NOTHING;
}

/* Opens what follows a key; gives what to do with its content. */
static struct frame
open_value(struct loader *l, const yaml_event_t *e)
{
    bool list = e->type == YAML_SEQUENCE_START_EVENT;
    struct frame f = {.holder = HOLDS_NOTHING,
                      .path_n = l->path_n,
                      .n_seen = l->n_seen,
                      .slot = slot_of(l),
                      .items = items_of(l),
                      .at = e->start_mark};

    if (f.slot.row == NULL) {
        f.holder = open_other(l, list, e->start_mark);
    } else if (!list) {
        fault_type(l, e->start_mark, f.slot.row, "a section of keys");
    } else if (!options_value_is_list(f.slot.row->type)) {
        fault_type(l, e->start_mark, f.slot.row, "a list");
    } else {
        f.holder = HOLDS_LIST;
        if (f.slot.id < OPTION_COUNT)
            options_clear(l->config, f.slot.id, origin_at(e->start_mark));
    }
    return f;
}

/* An item of a list. Its keys are known while it is open: another may have the
 * same. */
static struct frame
open_item(struct loader *l, const yaml_event_t *e,
          const struct options_list *items)
{
    struct frame f = {.holder = HOLDS_NOTHING, .at = e->start_mark};
    struct buf path;

    if (e->type != YAML_MAPPING_START_EVENT) {
        fault_item(l, e->start_mark, items);
        return f;
    }
    if (items->add(l->config, (uint32_t)e->start_mark.line + 1) == NULL) {
        fault_many(l, e->start_mark, items);
        l->stop = true;
        return f;
    }
    buf_init(&path, PATH_ROOM);
    buf_printf(&path, "%s" ITEM_MARK, items->path);
    memcpy(l->path, path.p, path.n);
    l->path_n = path.n;
    buf_free(&path);
    l->list = items;
    f.holder = HOLDS_SECTION;
    f.item = true;
    f.n_seen = l->n_seen;
    f.path_n = l->path_n;
    return f;
}

static void
on_open(struct loader *l, const yaml_event_t *e)
{
    struct frame *f = top(l);
    struct frame next = {.holder = HOLDS_NOTHING, .at = e->start_mark};

    if (f == NULL) {
        if (e->type == YAML_MAPPING_START_EVENT)
            next.holder = HOLDS_SECTION;
        else
            fault(l, e->start_mark, "the file must hold keys and values");
    } else if (f->holder == HOLDS_LIST) {
        fault_value(l, e->start_mark, SPAN_LIT("a list holds single values"));
    } else if (f->holder == HOLDS_ITEMS) {
        next = open_item(l, e, f->items);
    } else if (f->holder == HOLDS_SECTION && !f->has_key) {
        fault(l, e->start_mark, "a key must be a word");
        l->stop = true;
        return;
    } else if (f->holder == HOLDS_SECTION) {
        next = open_value(l, e);
    }
    push(l, next);
}

static void
close_list(struct loader *l, const struct frame *f)
{
    struct buf why;

    l->path_n = f->path_n;
    buf_init(&why, 1024);
    if (f->slot.id < OPTION_COUNT &&
        !options_enough(l->config, f->slot.id, &why))
        fault_value(l, f->at, buf_view(&why));
    buf_free(&why);
}

/* False: a key is missing. */
static bool
has_musts(struct loader *l, const void *item, yaml_mark_t at)
{
    const struct options_list *items = l->list;
    bool all = true;

    for (unsigned k = 0; k < items->n_rows; k++) {
        if (!items->must[k] || options_list_has(items, item, k))
            continue;
        all = false;
        if (fault_begin(l, at))
            buf_printf(l->messages, "the %s has no '%s'\n",
                       strchr(items->item, ' ') + 1, items->rows[k].path);
    }
    return all;
}

static void
close_item(struct loader *l, const struct frame *f)
{
    const void *item = last_item(l);
    struct buf why;

    buf_init(&why, 1024);
    if (has_musts(l, item, f->at) && l->list->check != NULL &&
        !l->list->check(l->config, item, &why) && fault_begin(l, f->at)) {
        buf_span(l->messages, buf_view(&why));
        buf_putc(l->messages, '\n');
    }
    buf_free(&why);
    l->list = NULL;
    l->n_seen = f->n_seen;
}

static void
on_close(struct loader *l)
{
    struct frame f = l->stack[--l->depth];

    l->path_n = f.path_n;
    if (f.holder == HOLDS_LIST)
        close_list(l, &f);
    else if (f.item)
        close_item(l, &f);
    else if (f.holder == HOLDS_SECTION && f.n_children == 0 && f.path_n > 0 &&
             !is_section(l))
        fault_unknown(l, f.at);
    value_done(l);
}

static bool
has_decoration(const yaml_event_t *e)
{
    if (e->type == YAML_SCALAR_EVENT)
        return e->data.scalar.anchor != NULL || e->data.scalar.tag != NULL;
    if (e->type == YAML_SEQUENCE_START_EVENT)
        return e->data.sequence_start.anchor != NULL ||
               e->data.sequence_start.tag != NULL;
    if (e->type == YAML_MAPPING_START_EVENT)
        return e->data.mapping_start.anchor != NULL ||
               e->data.mapping_start.tag != NULL;
    return e->type == YAML_ALIAS_EVENT;
}

static void
on_event(struct loader *l, const yaml_event_t *e)
{
    if (has_decoration(e)) {
        fault(l, e->start_mark, "anchors, aliases and tags are not allowed");
        l->stop = true;
        return;
    }
    switch (e->type) {
    case YAML_SCALAR_EVENT: on_scalar(l, e); break;
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT: on_open(l, e); break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: on_close(l); break;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    case YAML_ALIAS_EVENT: break;
    }
}

/* The reader of libyaml gives an offset, the rest of it a mark. */
static yaml_mark_t
problem_mark(const yaml_parser_t *y, struct span text)
{
    yaml_mark_t at = y->problem_mark;

    if (y->error != YAML_READER_ERROR)
        return at;
    at = (yaml_mark_t){0, 0, 0};
    for (size_t i = 0; i < y->problem_offset && i < text.n; i++) {
        at.column++;
        if (text.p[i] == '\n')
            at = (yaml_mark_t){0, at.line + 1, 0};
    }
    return at;
}

static void
fault_yaml(struct loader *l, const yaml_parser_t *y, struct span text)
{
    if (!fault_begin(l, problem_mark(y, text)))
        return;
    buf_printf(l->messages, "not valid YAML: %s\n",
               y->problem != NULL ? y->problem : "cannot be read");
}

static void
run(struct loader *l, yaml_parser_t *y, struct span text)
{
    unsigned n_documents = 0;
    yaml_event_t e;
    bool end = false;

    while (!end && !l->stop) {
        if (!yaml_parser_parse(y, &e)) {
            fault_yaml(l, y, text);
            return;
        }
        if (e.type == YAML_DOCUMENT_START_EVENT && n_documents++ > 0) {
            fault(l, e.start_mark, "a second document begins");
            l->stop = true;
        }
        on_event(l, &e);
        end = e.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&e);
    }
}

/* Sites, pools and home networks must not contradict each other. */
static void
check_sites(struct loader *l)
{
    struct sites *sites = NULL;
    struct buf why;
    uint32_t line = 0;
    enum err e;

    buf_init(&why, 1024);
    e = options_sites_make(l->config, NULL, 0, &sites, &line, &why);
    sites_free(sites);
    if (e != ERR_OK && e != ERR_CONFIG)
        buf_str(&why, err_text(e));
    if (e == ERR_OK) {
        buf_free(&why);
        return;
    }
    if (fault_begin(l, (yaml_mark_t){0, line > 0 ? line - 1 : 0, 0})) {
        buf_span(l->messages, buf_view(&why));
        buf_putc(l->messages, '\n');
    }
    buf_free(&why);
}

enum err
config_parse(struct span text, const char *name, struct config *c,
             struct buf *messages)
{
    struct loader l = {.config = c, .name = name, .messages = messages};
    yaml_parser_t y;

    if (text.n > CONFIG_FILE_MAX) {
        text_term(messages, span_str(name));
        buf_printf(messages, ": longer than %u bytes\n", CONFIG_FILE_MAX);
        return ERR_CONFIG;
    }
    l.seen = calloc(CONFIG_KEYS, sizeof(*l.seen));
    if (l.seen == NULL || !yaml_parser_initialize(&y)) {
        free(l.seen);
        return ERR_NOMEM;
    }
    yaml_parser_set_encoding(&y, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&y, text.p, text.n);
    run(&l, &y, text);
    yaml_parser_delete(&y);
    if (l.n_faults == 0)
        check_sites(&l);
    free(l.seen);
    return l.n_faults > 0 ? ERR_CONFIG : ERR_OK;
}

static enum err
read_all(FILE *f, struct buf *text)
{
    size_t n;

    if (!buf_grow(text, CONFIG_FILE_MAX + 1))
        return ERR_NOMEM;
    do {
        n = fread(text->p + text->n, 1, CONFIG_FILE_MAX + 1 - text->n, f);
        text->n += n;
    } while (n > 0);
    return ferror(f) ? ERR_IO : ERR_OK;
}

static enum err
read_file(const char *file, struct buf *text)
{
    FILE *f;
    enum err e;

    if (strcmp(file, "-") == 0)
        return read_all(stdin, text);
    f = fopen(file, "rbe");
    if (f == NULL)
        return err_from_errno(errno);
    e = read_all(f, text);
    (void)fclose(f);
    return e;
}

enum err
config_load(const char *file, struct config *c, struct buf *messages)
{
    const char *name = strcmp(file, "-") == 0 ? "(standard input)" : file;
    struct buf text;
    enum err e;

    buf_init(&text, CONFIG_FILE_MAX + 1);
    e = read_file(file, &text);
    if (e == ERR_OK)
        e = config_parse(buf_view(&text), name, c, messages);
    buf_free(&text);
    if (e != ERR_OK && e != ERR_CONFIG) {
        text_term(messages, span_str(name));
        buf_printf(messages, ": %s\n", err_text(e));
    }
    return e;
}
