#include "rules/sigma/sigma_meta.h"

static const struct sigma_node *
at(const struct sigma_reader *r, uint32_t i)
{
    return &r->t->node[i];
}

static bool
is_given(const struct sigma_reader *r, uint32_t node)
{
    return node != 0 && sigma_tree_type(at(r, node)) != SIGMA_IS_NULL;
}

/* ---- lists of texts ---- */

/* A list of texts, or one: both are common in public rules. */
static void
read_list(struct sigma_reader *r, const char *key, struct sigma_list *out)
{
    uint32_t node = sigma_tree_get(r->t, 1, key, NULL);
    bool list = at(r, node)->kind == SIGMA_LIST;
    struct span *v;
    uint32_t n = 0;

    if (!is_given(r, node))
        return;
    if (at(r, node)->kind == SIGMA_MAP) {
        sigma_fault_at(r, node, span_str(key), "must be a list of texts");
        return;
    }
    v = SIGMA_GET(r->arena, struct span, (list ? at(r, node)->n : 1U) + 1U);
    r->nomem = r->nomem || v == NULL;
    for (uint32_t i = list ? at(r, node)->first : node;
         v != NULL && i != 0 && n < SIGMA_META_LIST_MAX;
         i = list ? at(r, i)->next : 0) {
        if (at(r, i)->kind == SIGMA_SCALAR)
            v[n++] = at(r, i)->text;
        else if (!r->foreign)
            sigma_fault_at(r, i, span_str(key),
                           "must be a list of texts; quote one with a colon");
    }
    *out = (struct sigma_list){v, v != NULL ? n : 0};
}

/* Not looked at in rules of others, where it is a list as often. */
static void
read_author(struct sigma_reader *r, struct sigma_info *info)
{
    uint32_t node = sigma_tree_get(r->t, 1, "author", NULL);

    if (is_given(r, node) && at(r, node)->kind == SIGMA_SCALAR)
        info->author = at(r, node)->text;
}

/* ---- the sentence ---- */

static const struct span of_correlation[] = {
    SPAN_INIT("count"), SPAN_INIT("limit"), SPAN_INIT("timespan")};

static bool
is_of_correlation(struct span word)
{
    for (size_t i = 0; i < ARRAY_LEN(of_correlation); i++) {
        if (span_eq(of_correlation[i], word))
            return true;
    }
    return false;
}

/* The field, or word of a correlation, that was meant. */
static struct span
near_word(struct span word, bool correlation)
{
    struct near near = near_start(word);

    for (size_t i = 0; correlation && i < ARRAY_LEN(of_correlation); i++)
        near_offer(&near, of_correlation[i]);
    return near.best.n > 0 ? near.best : sigma_field_near(word);
}

static void
check_word(struct sigma_reader *r, uint32_t node, struct span word,
           bool correlation)
{
    struct sigma_slot slot;
    struct span near;

    if (correlation && is_of_correlation(word))
        return;
    if (sigma_field_find(word, &slot)) {
        if (field_is_header(slot.field))
            sigma_fault_at(r, node, SPAN_LIT("reason"),
                           "every alert tells {%s}, leave it out",
                           sigma_word(word).s);
        return;
    }
    near = near_word(word, correlation);
    if (is_of_correlation(word))
        sigma_fault_at(r, node, SPAN_LIT("reason"),
                       "{%s} is known in a correlation only, write the figure",
                       sigma_word(word).s);
    else if (near.n > 0)
        sigma_fault_at(r, node, SPAN_LIT("reason"),
                       "there is no field {%s}, did you mean {%s}?",
                       sigma_word(word).s, sigma_word(near).s);
    else
        sigma_fault_at(r, node, SPAN_LIT("reason"),
                       "there is no field {%s}, see events(7)",
                       sigma_word(word).s);
}

static void
check_reason(struct sigma_reader *r, uint32_t node, bool correlation)
{
    struct span rest = at(r, node)->text;

    if (rest.n > SIGMA_REASON_MAX) {
        sigma_fault_at(r, node, SPAN_LIT("reason"),
                       "is longer than %u bytes, one sentence is enough",
                       SIGMA_REASON_MAX);
        return;
    }
    while (rest.n > 0) {
        size_t open = span_find(rest, '{'), close = span_find(rest, '}');

        if (open == rest.n && close == rest.n)
            return;
        if (close < open || close == rest.n) {
            sigma_fault_at(r, node, SPAN_LIT("reason"), "%s, write {field}",
                           close < open ? "a } has no { before it"
                                        : "a { has no } behind it");
            return;
        }
        check_word(r, node,
                   span_head(span_tail(rest, open + 1), close - open - 1),
                   correlation);
        rest = span_tail(rest, close + 1);
    }
}

static void
check_subject(struct sigma_reader *r, uint32_t node)
{
    struct span s = at(r, node)->text;

    if (!span_eq(s, SPAN_LIT("client")) && !span_eq(s, SPAN_LIT("server")))
        sigma_fault_at(r, node, SPAN_LIT("subject"),
                       "'%s' is none, write client or server", sigma_word(s).s);
}

/* ---- the map ---- */

static const struct {
    const char *key;
    size_t at; /* a span of struct sigma_info */
} keys[] = {
    {"subject", offsetof(struct sigma_info, subject)},
    {"reason",  offsetof(struct sigma_info, reason) },
    {"limit",   offsetof(struct sigma_info, limit)  },
    {"action",  offsetof(struct sigma_info, action) },
};

static void
unknown_key(struct sigma_reader *r, uint32_t node)
{
    struct near near = near_start(at(r, node)->text);

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        near_offer(&near, span_str(keys[i].key));
    if (near.best.n > 0)
        sigma_fault_at(r, node, at(r, node)->text,
                       "is not known below span25, did you mean '%s'?",
                       sigma_word(near.best).s);
    else
        sigma_fault_at(r, node, at(r, node)->text,
                       "is not known below span25, write subject, reason, "
                       "limit or action");
}

static void
read_key(struct sigma_reader *r, uint32_t key, struct sigma_info *info)
{
    uint32_t v = at(r, key)->next;
    size_t i = 0;

    while (i < ARRAY_LEN(keys) &&
           !span_eq(span_str(keys[i].key), at(r, key)->text))
        i++;
    if (i == ARRAY_LEN(keys)) {
        unknown_key(r, key);
        return;
    }
    if (at(r, v)->kind != SIGMA_SCALAR || at(r, v)->text.n == 0) {
        sigma_fault_at(r, v, at(r, key)->text, "must be a text");
        return;
    }
    *(struct span *)(void *)((char *)info + keys[i].at) = at(r, v)->text;
    if (i == 0)
        check_subject(r, v);
    else if (i == 1)
        check_reason(r, v, info->kind == SIGMA_CORRELATION);
}

static void
read_span25(struct sigma_reader *r, struct sigma_info *info)
{
    uint32_t map = sigma_tree_get(r->t, 1, "span25", NULL);

    if (!is_given(r, map))
        return;
    if (at(r, map)->kind != SIGMA_MAP) {
        sigma_fault_at(r, map, SPAN_LIT("span25"), "must be keys and values");
        return;
    }
    for (uint32_t k = at(r, map)->first; k != 0;
         k = at(r, at(r, k)->next)->next)
        read_key(r, k, info);
}

void
sigma_meta_read(struct sigma_reader *r, struct sigma_rule *out)
{
    read_author(r, &out->info);
    read_list(r, "falsepositives", &out->info.falsepositives);
    read_span25(r, &out->info);
}
