#include "sensor/app/study_plan_section.h"

#include "sensor/base/near.h"
#include "sensor/base/text.h"

/* ---- faults ---- */

void
plan_quote(struct buf *out, struct span s)
{
    buf_putc(out, '\'');
    text_term(out, span_head(s, 100));
    buf_str(out, s.n > 100 ? "...'" : "'");
}

bool
plan_fault_begin(struct plan_load *l, const struct plan_place *at)
{
    if (l->stop)
        return false;
    text_term(l->messages, span_str(at->file));
    buf_printf(l->messages, ":%u:%u: ", at->line, at->column);
    if (l->n_faults++ < STUDY_PLAN_FAULTS)
        return true;
    buf_str(l->messages, "more faults follow\n");
    l->stop = true;
    return false;
}

struct plan_place
plan_place_of(const struct plan_load *l, const struct sigma_node *n)
{
    return (struct plan_place){l->file, n->line, n->column};
}

bool
plan_fault_at(const struct plan_section *s, uint32_t node)
{
    const struct plan_place at = plan_place_of(s->l, &s->t->node[node]);

    return plan_fault_begin(s->l, &at);
}

void
plan_fault_value(const struct plan_section *s, uint32_t node, struct span key,
                 struct span phrase)
{
    if (!plan_fault_at(s, node))
        return;
    buf_putc(s->l->messages, '\'');
    buf_str(s->l->messages, s->path);
    text_term(s->l->messages, span_head(key, 100));
    buf_str(s->l->messages, "': ");
    buf_span(s->l->messages, phrase);
    buf_putc(s->l->messages, '\n');
}

static void
put_near(const struct plan_section *s, struct span near)
{
    struct buf *out = s->l->messages;

    if (near.n == 0)
        return;
    buf_printf(out, "; did you mean '%s", s->path);
    text_term(out, near);
    buf_str(out, "'?");
}

void
plan_fault_unknown(const struct plan_section *s, uint32_t node,
                   struct span near)
{
    if (!plan_fault_at(s, node))
        return;
    buf_printf(s->l->messages, "unknown key '%s", s->path);
    text_term(s->l->messages, span_head(s->t->node[node].text, 100));
    buf_putc(s->l->messages, '\'');
    put_near(s, near);
    buf_putc(s->l->messages, '\n');
}

void
plan_fault_twice(struct plan_load *l, const struct plan_place *at,
                 const char *what, struct span name,
                 const struct plan_place *first)
{
    if (!plan_fault_begin(l, at))
        return;
    buf_str(l->messages, what);
    plan_quote(l->messages, name);
    buf_str(l->messages, " is there twice, first ");
    if (first->file != NULL) {
        buf_str(l->messages, "in ");
        text_term(l->messages, span_str(first->file));
        buf_printf(l->messages, ":%u\n", first->line);
    } else {
        buf_str(l->messages, "as the shipped one\n");
    }
}

/* ---- values ---- */

bool
plan_is_value(const struct plan_section *s, uint32_t key)
{
    const struct sigma_node *n = &s->t->node[s->t->node[key].next];

    if (n->kind == SIGMA_SCALAR && sigma_tree_type(n) != SIGMA_IS_NULL)
        return true;
    plan_fault_value(s, n->kind == SIGMA_SCALAR ? key : s->t->node[key].next,
                     s->t->node[key].text,
                     n->kind == SIGMA_SCALAR ? SPAN_LIT("has no value")
                                             : SPAN_LIT("takes one value"));
    return false;
}

bool
plan_set(const struct plan_section *s, const struct plan_row *row, uint32_t key)
{
    const uint32_t value = s->t->node[key].next;
    struct buf why;
    bool good;

    if (!plan_is_value(s, key))
        return false;
    buf_init(&why, PLAN_PHRASE);
    good = plan_value_set(row, s->t->node[value].text, s->at, &why);
    if (!good)
        plan_fault_value(s, value, s->t->node[key].text, buf_view(&why));
    buf_free(&why);
    return good;
}

void
plan_set_all(const struct plan_section *s, uint32_t map)
{
    const struct sigma_node *v = s->t->node;

    for (uint32_t k = v[map].first; k != 0; k = v[v[k].next].next) {
        unsigned i = plan_rows_find(s->rows, v[k].text);
        struct near near = near_start(v[k].text);

        if (i < s->rows->n) {
            if (s->rows->v[i].type != PLAN_OTHER &&
                s->rows->v[i].type != PLAN_KIND)
                (void)plan_set(s, &s->rows->v[i], k);
            continue;
        }
        for (i = 0; i < s->rows->n; i++)
            near_offer(&near, span_str(s->rows->v[i].key));
        plan_fault_unknown(s, k, near.best);
    }
}

bool
plan_has(const struct plan_section *s, uint32_t map, const char *key,
         const char *what)
{
    if (sigma_tree_get(s->t, map, key, NULL) != 0)
        return true;
    if (plan_fault_at(s, map))
        buf_printf(s->l->messages, "the %s has no '%s'\n", what, key);
    return false;
}

void
plan_read_list(const struct plan_section *s, uint32_t key,
               void (*read)(struct plan_section s, uint32_t map))
{
    const struct sigma_node *v = s->t->node;
    const uint32_t list = v[key].next;

    if (sigma_tree_type(&v[list]) == SIGMA_IS_NULL)
        return;
    if (v[list].kind != SIGMA_LIST) {
        plan_fault_value(s, list, v[key].text,
                         SPAN_LIT("is a list: each item begins with -"));
        return;
    }
    for (uint32_t i = v[list].first; i != 0; i = v[i].next) {
        if (v[i].kind == SIGMA_MAP)
            read(*s, i);
        else
            plan_fault_value(
                s, i, v[key].text,
                SPAN_LIT("an item is a section of keys, such as name"));
    }
}
