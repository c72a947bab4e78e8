#include "rules/sigma/sigma_set.h"

#include "rules/sigma/sigma_document.h"
#include "sensor/base/hash.h"

#define DEFINED_MAX  65536U
#define DISABLED_MAX 1024U

enum err
sigma_set_new(struct sigma_set **out)
{
    struct sigma_set *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return ERR_NOMEM;
    sigma_arena_init(&s->arena, SIGMA_SET_MEMORY);
    sigma_slots_init(&s->slots);
    *out = s;
    return ERR_OK;
}

void
sigma_set_free(struct sigma_set *s)
{
    if (s == NULL)
        return;
    for (uint32_t i = 0; i < s->n_regex; i++)
        sigma_regex_free(s->regex[i]);
    for (unsigned t = 0; t < EVENT_TYPE_COUNT; t++)
        sigma_index_free(s->index[t]);
    free(s->regex);
    free(s->rule);
    free(s->table);
    free(s->defined);
    free(s->disabled);
    free(s->listener);
    free(s->listen);
    sigma_arena_free(&s->arena);
    free(s);
}

enum err
sigma_set_define(struct sigma_set *s, struct span name, struct span value)
{
    struct sigma_defined *grown;

    if (s->n_defined == DEFINED_MAX || name.n > SIGMA_TEXT_MAX ||
        value.n > SIGMA_TEXT_MAX)
        return ERR_LIMIT;
    grown = realloc(s->defined, (s->n_defined + 1U) * sizeof(*grown));
    if (grown == NULL)
        return ERR_NOMEM;
    s->defined = grown;
    grown[s->n_defined] = (struct sigma_defined){
        sigma_arena_span(&s->arena, name), sigma_arena_span(&s->arena, value)};
    if (s->arena.failed)
        return ERR_NOMEM;
    s->n_defined++;
    return ERR_OK;
}

enum err
sigma_set_pack(struct sigma_set *s, struct span pack)
{
    struct span kept = sigma_arena_span(&s->arena, pack);

    if (kept.p == NULL)
        return ERR_NOMEM;
    s->pack = kept;
    return ERR_OK;
}

void
sigma_set_keep_first(struct sigma_set *s)
{
    s->keep_first = true;
}

void
sigma_set_every_event(struct sigma_set *s)
{
    s->every_event = true;
}

enum err
sigma_set_disable(struct sigma_set *s, struct span word)
{
    struct span *grown;

    if (s->n_disabled == DISABLED_MAX || word.n > SIGMA_TEXT_MAX)
        return ERR_LIMIT;
    grown = realloc(s->disabled, (s->n_disabled + 1U) * sizeof(*grown));
    if (grown == NULL)
        return ERR_NOMEM;
    s->disabled = grown;
    grown[s->n_disabled] = sigma_arena_span(&s->arena, word);
    if (s->arena.failed)
        return ERR_NOMEM;
    s->n_disabled++;
    return ERR_OK;
}

/* ---- ids and names ---- */

static bool
has_word(const struct sigma_rule *r, struct span word)
{
    return word.n > 0 &&
           (span_eq(r->info.id, word) || span_eq(r->info.name, word));
}

uint32_t
sigma_set_lookup(const struct sigma_set *s, struct span word)
{
    uint32_t mask = s->table_cap - 1;

    if (s->table_cap == 0)
        return s->n;
    for (uint32_t i = (uint32_t)hash_span(word, 0) & mask; s->table[i] != 0;
         i = (i + 1) & mask) {
        if (has_word(&s->rule[s->table[i] - 1], word))
            return s->table[i] - 1;
    }
    return s->n;
}

static void
put_word(struct sigma_set *s, struct span word, uint32_t rule)
{
    uint32_t mask = s->table_cap - 1;
    uint32_t i = (uint32_t)hash_span(word, 0) & mask;

    if (word.n == 0)
        return;
    while (s->table[i] != 0)
        i = (i + 1) & mask;
    s->table[i] = rule + 1;
    s->table_n++;
}

static void
put_rule(struct sigma_set *s, uint32_t i)
{
    put_word(s, s->rule[i].info.id, i);
    put_word(s, s->rule[i].info.name, i);
}

static enum err
rehash(struct sigma_set *s, uint32_t cap)
{
    uint32_t *table = calloc(cap, sizeof(*table));

    if (table == NULL)
        return ERR_NOMEM;
    free(s->table);
    s->table = table;
    s->table_cap = cap;
    s->table_n = 0;
    for (uint32_t i = 0; i < s->n; i++)
        put_rule(s, i);
    return ERR_OK;
}

enum err
sigma_set_enter(struct sigma_set *s, uint32_t i)
{
    if (2 * (s->table_n + 2) > s->table_cap)
        return rehash(s, s->table_cap > 0 ? 2 * s->table_cap : 64);
    put_rule(s, i);
    return ERR_OK;
}

enum err
sigma_set_reenter(struct sigma_set *s)
{
    return rehash(s, s->table_cap > 0 ? s->table_cap : 64);
}

/* ---- loading ---- */

static bool
is_twice(struct sigma_reader *r, const struct sigma_set *s, const char *key,
         struct span word)
{
    uint32_t other = word.n > 0 ? sigma_set_lookup(s, word) : s->n;
    uint32_t node;

    if (other == s->n)
        return false;
    if (s->keep_first && s->rule[other].info.hash == r->t->hash)
        return true; /* a copy: nothing is lost */
    (void)sigma_tree_get(r->t, 1, key, &node);
    sigma_fault_at(r, node, span_str(key),
                   s->keep_first
                       ? "'%s' is replaced by %s:%u"
                       : "'%s' is there twice, first in %s:%u; give this rule "
                         "another",
                   sigma_word(word).s, sigma_word(s->rule[other].info.file).s,
                   s->rule[other].info.line);
    return true;
}

static bool
is_disabled(const struct sigma_set *s, const struct sigma_info *info)
{
    for (uint32_t i = 0; i < s->n_disabled; i++) {
        if (s->disabled[i].n > 0 && (span_eq(s->disabled[i], info->id) ||
                                     span_eq(s->disabled[i], info->name)))
            return true;
    }
    return false;
}

static enum err
keep(struct sigma_set *s, const struct sigma_rule *rule)
{
    struct sigma_rule *grown;
    uint32_t cap = s->cap > 0 ? 2 * s->cap : 64;
    enum err e;

    if (s->n == s->cap) {
        grown = realloc(s->rule, cap * sizeof(*grown));
        if (grown == NULL)
            return ERR_NOMEM;
        s->rule = grown;
        s->cap = cap;
    }
    s->rule[s->n++] = *rule;
    e = sigma_set_enter(s, s->n - 1);
    if (e != ERR_OK) {
        s->n--;
        return e;
    }
    s->loaded.rules += rule->info.kind == SIGMA_RULE;
    s->loaded.correlations += rule->info.kind == SIGMA_CORRELATION;
    s->loaded.filters += rule->info.kind == SIGMA_FILTER;
    s->loaded.foreign += rule->info.foreign;
    return ERR_OK;
}

/* What a refused document took goes back. */
static void
take_back(struct sigma_set *s, struct sigma_mark mark, uint32_t n_regex)
{
    while (s->n_regex > n_regex)
        sigma_regex_free(s->regex[--s->n_regex]);
    sigma_arena_rewind(&s->arena, mark);
}

static enum err
read_tree(struct sigma_set *s, struct sigma_reader *r)
{
    struct sigma_rule rule = {0};
    bool good = sigma_document_read(r, &rule);

    s->regex = r->regex;
    s->n_regex = r->n_regex;
    s->regex_cap = r->regex_cap;
    if (r->nomem)
        return ERR_NOMEM;
    if (good && (is_twice(r, s, "id", rule.info.id) ||
                 is_twice(r, s, "name", rule.info.name))) {
        s->loaded.replaced += s->keep_first;
        return s->keep_first ? ERR_EXISTS : ERR_FORMAT;
    }
    rule.info.pack = s->pack;
    rule.info.disabled = is_disabled(s, &rule.info);
    return good ? keep(s, &rule) : ERR_FORMAT;
}

static enum err
read_document(struct sigma_set *s, struct span text, uint32_t line,
              struct span file, struct buf *messages)
{
    struct sigma_fault fault;
    struct sigma_tree tree;
    struct sigma_mark mark = sigma_arena_mark(&s->arena);
    uint32_t n_regex = s->n_regex;
    struct sigma_reader r = {.arena = &s->arena,
                             .t = &tree,
                             .slots = &s->slots,
                             .defined = s->defined,
                             .n_defined = s->n_defined,
                             .regex = s->regex,
                             .n_regex = s->n_regex,
                             .regex_cap = s->regex_cap,
                             .messages = messages,
                             .every_event = s->every_event,
                             .file = file};
    enum err e = ERR_OK;

    switch (sigma_tree_read(&tree, &s->arena, text, line, &fault)) {
    case SIGMA_TREE_OK: e = read_tree(s, &r); break;
    case SIGMA_TREE_EMPTY: break;
    case SIGMA_TREE_NOMEM: e = ERR_NOMEM; break;
    case SIGMA_TREE_BAD:
        sigma_fault(&r, fault.line, fault.column, SPAN_NONE, "%s", fault.text);
        e = ERR_FORMAT;
        break;
    }
    sigma_tree_free(&tree);
    if (e == ERR_FORMAT)
        s->loaded.refused++;
    if (e != ERR_OK)
        take_back(s, mark, n_regex);
    return e == ERR_EXISTS ? ERR_OK : e;
}

enum err
sigma_load(struct sigma_set *s, struct span text, struct span name,
           struct buf *messages)
{
    struct span file = sigma_arena_span(&s->arena, name);
    struct span document;
    uint32_t line = 1, lines;
    enum err all = ERR_OK;

    REQUIRE(!s->compiled);
    if (file.p == NULL)
        return ERR_NOMEM;
    if (text.n > SIGMA_FILE_MAX)
        return ERR_LIMIT;
    if (span_starts(text, SPAN_LIT("\xef\xbb\xbf")))
        text = span_tail(text, 3);
    while (sigma_tree_split(&text, &document, &lines)) {
        enum err e;

        if (s->n == SIGMA_RULES_MAX)
            return ERR_LIMIT;
        e = read_document(s, document, line, file, messages);
        if (e == ERR_NOMEM)
            return e;
        all = e != ERR_OK ? e : all;
        line += lines;
    }
    return all;
}

/* ---- asking ---- */

struct sigma_loaded
sigma_set_loaded(const struct sigma_set *s)
{
    return s->loaded;
}

uint32_t
sigma_set_count(const struct sigma_set *s)
{
    return s->n;
}

const struct sigma_info *
sigma_set_info(const struct sigma_set *s, uint32_t i)
{
    REQUIRE(i < s->n);
    return &s->rule[i].info;
}

uint32_t
sigma_set_ref(const struct sigma_set *s, uint32_t rule, uint32_t k)
{
    REQUIRE(rule < s->n);
    return s->rule[rule].corr != NULL && k < s->rule[rule].corr->n_refs
               ? s->rule[rule].corr->ref[k].rule
               : s->n;
}

uint32_t
sigma_set_find(const struct sigma_set *s, struct span word)
{
    return sigma_set_lookup(s, word);
}
