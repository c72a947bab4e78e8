#ifndef SPAN25_EVENT_JSON_TREE_H
#define SPAN25_EVENT_JSON_TREE_H
/* json_tree - the paths of fields.def as nested objects
 *
 * Node 0 is the event itself. A dotted path makes a node of each part before
 * the last; "a[].b" makes a node for the objects of list a, which is a root of
 * its own: its children are written within an entry of the list. Filled once,
 * constant from then on; keys are borrowed from the field table. */
#include "sensor/event/fields.h"

#define JSON_NODES_MAX 128
#define JSON_NODE_DEPTH                                                        \
    8 /* objects that a path may open, all lists included                      \
       */
#define JSON_RAW_SUFFIX "_raw_b64"

struct json_node {
    struct span key;
    uint8_t parent;
    uint8_t depth;
    enum field list; /* whose objects these are, or FIELD_COUNT */
};

struct json_tree {
    struct json_node node[JSON_NODES_MAX];
    unsigned n;
    uint8_t node_of[FIELD_COUNT]; /* the object that holds the field */
    uint8_t child[FIELD_COUNT];   /* of a list of objects: their node, or 0 */
    bool is_child[FIELD_COUNT];   /* stands within an object of a list */
    struct span key[FIELD_COUNT]; /* last part of the path */
};

void json_tree_init(struct json_tree *t);

#endif
