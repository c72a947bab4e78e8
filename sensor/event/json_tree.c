#include "sensor/event/json_tree.h"

#include "sensor/base/attr.h"

static uint8_t
node_get(struct json_tree *t, uint8_t parent, struct span key, enum field list)
{
    for (unsigned i = 1; i < t->n; i++) {
        if (t->node[i].parent == parent && span_eq(t->node[i].key, key))
            return (uint8_t)i;
    }
    REQUIRE(t->n < JSON_NODES_MAX);
    REQUIRE(t->node[parent].depth + 1 < JSON_NODE_DEPTH);
    t->node[t->n] = (struct json_node){
        .key = key,
        .parent = parent,
        .depth = (uint8_t)(t->node[parent].depth + 1),
        .list = list,
    };
    return (uint8_t)t->n++;
}

static void
place(struct json_tree *t, enum field f)
{
    struct span rest = span_str(field_table[f].path);
    size_t dot = span_find(rest, '.');
    uint8_t at = 0;

    while (dot < rest.n) {
        struct span part = span_head(rest, dot);
        bool is_list = dot > 2 && span_at(part, dot - 1) == ']';
        enum field list = FIELD_COUNT;

        if (is_list) {
            part.n -= 2;
            list = field_parent_of(f);
        }
        at = node_get(t, at, part, list);
        if (is_list) {
            t->child[list] = at;
            t->is_child[f] = true;
        }
        rest = span_tail(rest, dot + 1);
        dot = span_find(rest, '.');
    }
    t->node_of[f] = at;
    t->key[f] = rest;
}

void
json_tree_init(struct json_tree *t)
{
    *t = (struct json_tree){.n = 1};
    t->node[0].list = FIELD_COUNT;
    for (unsigned f = 0; f < FIELD_COUNT; f++)
        place(t, (enum field)f);
}
