#include "rules/sigma/sigma_tree.h"

#include <math.h>
#include <stdio.h>
#include <yaml.h>

#include "sensor/base/hash.h"
#include "sensor/base/text.h"

#define NUMBER_MAX 64

struct reader {
    struct sigma_tree *t;
    struct sigma_fault *fault;
    struct span text;
    uint32_t line;
    uint32_t stack[SIGMA_TREE_DEPTH];
    unsigned depth;
    bool bad, nomem;
};

static void
set_fault(struct reader *r, yaml_mark_t at, const char *what)
{
    struct sigma_fault *f = r->fault;

    r->bad = true;
    f->line = r->line + (uint32_t)at.line;
    f->column = (uint32_t)at.column + 1;
    (void)snprintf(f->text, sizeof(f->text), "%s", what);
}

static uint32_t
new_node(struct reader *r, const yaml_event_t *e, enum sigma_node_kind kind)
{
    struct sigma_tree *t = r->t;
    struct sigma_node *grown;

    if (t->n == SIGMA_TREE_NODES) {
        set_fault(r, e->start_mark, "the document is too large, split it");
        return 0;
    }
    if (t->n == t->cap) {
        grown = realloc(t->node, sizeof(*grown) * (size_t)t->cap * 2);
        if (grown == NULL) {
            r->nomem = true;
            return 0;
        }
        t->node = grown;
        t->cap *= 2;
    }
    t->node[t->n] =
        (struct sigma_node){.kind = (uint8_t)kind,
                            .line = r->line + (uint32_t)e->start_mark.line,
                            .column = (uint32_t)e->start_mark.column + 1};
    return t->n++;
}

/* True when the next child of the map is a key. */
static bool
wants_key(const struct sigma_node *p)
{
    return p->kind == SIGMA_MAP && p->n % 2 == 0;
}

static void
append(struct reader *r, uint32_t child)
{
    struct sigma_node *p;

    if (r->depth == 0)
        return;
    p = &r->t->node[r->stack[r->depth - 1]];
    if (p->last != 0)
        r->t->node[p->last].next = child;
    else
        p->first = child;
    p->last = child;
    p->n++;
}

static bool
is_twice(struct reader *r, const struct sigma_node *map, struct span key,
         uint32_t *line)
{
    const struct sigma_node *v = r->t->node;

    for (uint32_t k = map->first; k != 0 && v[k].next != 0;
         k = v[v[k].next].next) {
        *line = v[k].line;
        if (span_eq(v[k].text, key))
            return true;
    }
    return false;
}

static void
check_key(struct reader *r, const yaml_event_t *e, struct span key)
{
    const struct sigma_node *map = &r->t->node[r->stack[r->depth - 1]];
    uint32_t line = 0;
    char what[100];

    if (map->n / 2 >= SIGMA_TREE_KEYS) {
        set_fault(r, e->start_mark, "more than 1024 keys, use lists");
    } else if (is_twice(r, map, key, &line)) {
        (void)snprintf(what, sizeof(what),
                       "this key is there twice, first in line %u; keep one",
                       line);
        set_fault(r, e->start_mark, what);
    }
}

static void
on_scalar(struct reader *r, const yaml_event_t *e)
{
    struct span text = span_of(e->data.scalar.value, e->data.scalar.length);
    uint32_t i;

    if (r->depth > 0 && wants_key(&r->t->node[r->stack[r->depth - 1]]))
        check_key(r, e, text);
    if (r->bad)
        return;
    i = new_node(r, e, SIGMA_SCALAR);
    if (i == 0)
        return;
    r->t->node[i].plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    r->t->node[i].text = sigma_arena_span(r->t->arena, text);
    r->nomem = r->nomem || r->t->node[i].text.p == NULL;
    r->t->hash = hash_mix(r->t->hash, hash_span(text, r->t->node[i].plain));
    append(r, i);
}

static void
on_open(struct reader *r, const yaml_event_t *e)
{
    enum sigma_node_kind kind =
        e->type == YAML_MAPPING_START_EVENT ? SIGMA_MAP : SIGMA_LIST;
    uint32_t i;

    if (r->depth == SIGMA_TREE_DEPTH) {
        set_fault(r, e->start_mark, "nested too deeply, 16 levels are enough");
        return;
    }
    if (r->depth > 0 && wants_key(&r->t->node[r->stack[r->depth - 1]])) {
        set_fault(r, e->start_mark, "a key must be a word");
        return;
    }
    i = new_node(r, e, kind);
    if (i == 0)
        return;
    append(r, i);
    r->stack[r->depth++] = i;
    r->t->hash = hash_mix(r->t->hash, kind + 1U);
}

static void
on_close(struct reader *r)
{
    struct sigma_node *p = &r->t->node[r->stack[--r->depth]];

    if (p->kind == SIGMA_MAP)
        p->n /= 2;
    r->t->hash = hash_mix(r->t->hash, 0);
}

static bool
has_decoration(const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        return e->data.scalar.anchor != NULL || e->data.scalar.tag != NULL;
    case YAML_SEQUENCE_START_EVENT:
        return e->data.sequence_start.anchor != NULL ||
               e->data.sequence_start.tag != NULL;
    case YAML_MAPPING_START_EVENT:
        return e->data.mapping_start.anchor != NULL ||
               e->data.mapping_start.tag != NULL;
    case YAML_ALIAS_EVENT: return true;
    default: return false;
    }
}

static void
on_event(struct reader *r, const yaml_event_t *e)
{
    if (has_decoration(e)) {
        set_fault(r, e->start_mark,
                  "anchors, aliases and tags are not allowed, write it out");
        return;
    }
    switch (e->type) {
    case YAML_SCALAR_EVENT: on_scalar(r, e); break;
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT: on_open(r, e); break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: on_close(r); break;
    case YAML_DOCUMENT_START_EVENT:
        if (r->t->n > 1)
            set_fault(r, e->start_mark,
                      "a second document, write --- before it");
        break;
    default: break;
    }
}

/* libyaml's reader gives an offset, the rest of it a mark. */
static void
fault_of_yaml(struct reader *r, const yaml_parser_t *y)
{
    yaml_mark_t at = y->problem_mark;
    char what[150];

    if (y->error == YAML_MEMORY_ERROR) {
        r->nomem = true;
        return;
    }
    if (y->error == YAML_READER_ERROR) {
        struct span head = span_head(r->text, y->problem_offset);

        at = (yaml_mark_t){0};
        for (size_t i = 0; i < head.n; i++) {
            at.column = head.p[i] == '\n' ? 0 : at.column + 1;
            at.line += head.p[i] == '\n';
        }
        set_fault(r, at, "not UTF-8, or a control character; save it as UTF-8");
        return;
    }
    (void)snprintf(what, sizeof(what), "not valid YAML: %s",
                   y->problem != NULL ? y->problem : "cannot be read");
    set_fault(r, at, what);
}

static void
run(struct reader *r, yaml_parser_t *y)
{
    bool end = false;
    yaml_event_t e;

    while (!end && !r->bad && !r->nomem) {
        if (!yaml_parser_parse(y, &e)) {
            fault_of_yaml(r, y);
            return;
        }
        on_event(r, &e);
        end = e.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&e);
    }
}

enum sigma_tree_read
sigma_tree_read(struct sigma_tree *t, struct sigma_arena *arena,
                struct span text, uint32_t line, struct sigma_fault *fault)
{
    struct reader r = {.t = t, .fault = fault, .text = text, .line = line};
    yaml_parser_t y;

    *t = (struct sigma_tree){.arena = arena, .n = 1, .cap = 64};
    t->node = calloc(t->cap, sizeof(*t->node));
    if (t->node == NULL || !yaml_parser_initialize(&y))
        return SIGMA_TREE_NOMEM;
    yaml_parser_set_encoding(&y, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&y, text.n > 0 ? text.p : (const uint8_t *)"",
                                 text.n);
    run(&r, &y);
    yaml_parser_delete(&y);
    if (r.nomem)
        return SIGMA_TREE_NOMEM;
    if (r.bad)
        return SIGMA_TREE_BAD;
    if (t->n == 1 || sigma_tree_type(&t->node[1]) == SIGMA_IS_NULL)
        return SIGMA_TREE_EMPTY;
    return SIGMA_TREE_OK;
}

void
sigma_tree_free(struct sigma_tree *t)
{
    free(t->node);
    t->node = NULL;
}

static bool
is_marker(struct span rest)
{
    uint8_t after = span_at(rest, 3);

    return span_starts(rest, SPAN_LIT("---")) &&
           (rest.n == 3 || after == ' ' || after == '\n' || after == '\r' ||
            after == '\t');
}

/* A line that begins with "---" begins a document wherever it stands (YAML 1.2
 * 9.1.2), so a fault in one document does not reach into the next. */
bool
sigma_tree_split(struct span *rest, struct span *document, uint32_t *lines)
{
    size_t at = 0;
    bool any = false;

    *lines = 0;
    if (rest->n == 0)
        return false;
    while (at < rest->n && !(any && is_marker(span_tail(*rest, at)))) {
        at += span_find(span_tail(*rest, at), '\n') + 1;
        *lines += 1;
        any = true;
    }
    at = at < rest->n ? at : rest->n;
    *document = span_head(*rest, at);
    *rest = span_tail(*rest, at);
    return true;
}

uint32_t
sigma_tree_get(const struct sigma_tree *t, uint32_t map, const char *word,
               uint32_t *key)
{
    const struct sigma_node *v = t->node;
    uint32_t k = v[map].kind == SIGMA_MAP ? v[map].first : 0;

    while (k != 0 && !span_eq(v[k].text, span_str(word)))
        k = v[v[k].next].next;
    if (key != NULL)
        *key = k;
    return k != 0 ? v[k].next : 0;
}

static bool
is_one_of(struct span s, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (span_eq(s, span_str(*words)))
            return true;
    }
    return false;
}

/* strtold reads more than numbers: "nan", "inf", "0x1p3", blanks. */
static bool
has_shape(struct span s)
{
    bool hex = span_at(s, 0) == '0' && (span_at(s, 1) | 0x20) == 'x';
    bool digit = false;

    for (size_t i = hex ? 2 : 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        bool is_digit = c >= '0' && c <= '9';
        bool sign = c == '-' || c == '+';

        if (hex ? !is_digit && ((c | 0x20) < 'a' || (c | 0x20) > 'f')
                : !is_digit && c != '.' && (c | 0x20) != 'e' && !sign)
            return false;
        digit = digit || is_digit || hex;
        if (sign && i > 0 && (span_at(s, i - 1) | 0x20) != 'e')
            return false;
        if (!hex && (c | 0x20) == 'e' && !digit)
            return false;
    }
    return digit;
}

bool
sigma_number_parse(struct span s, long double *out)
{
    char room[NUMBER_MAX];
    char *end;
    long double v;

    if (s.n == 0 || s.n >= sizeof(room) || !has_shape(s))
        return false;
    memcpy(room, s.p, s.n);
    room[s.n] = '\0';
    v = strtold(room, &end);
    if (end != room + s.n || !isfinite(v))
        return false;
    *out = v;
    return true;
}

enum sigma_scalar
sigma_tree_type(const struct sigma_node *n)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const bools[] = {"true",  "True",  "TRUE", "false",
                                        "False", "FALSE", NULL};
    static const char *const nans[] = {
        ".nan",  ".NaN",  ".NAN",  ".inf",  ".Inf",  ".INF", "-.inf",
        "-.Inf", "-.INF", "+.inf", "+.Inf", "+.INF", NULL};
    long double v;

    if (n->kind != SIGMA_SCALAR || !n->plain)
        return SIGMA_IS_TEXT;
    if (is_one_of(n->text, nulls))
        return SIGMA_IS_NULL;
    if (is_one_of(n->text, bools))
        return SIGMA_IS_BOOL;
    if (is_one_of(n->text, nans))
        return SIGMA_IS_NAN;
    return sigma_number_parse(n->text, &v) ? SIGMA_IS_NUMBER : SIGMA_IS_TEXT;
}
