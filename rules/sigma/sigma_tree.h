#ifndef SPAN25_SIGMA_SIGMA_TREE_H
#define SPAN25_SIGMA_SIGMA_TREE_H
/* sigma_tree - one YAML document as a flat array of nodes
 *
 * Through libyaml's events, without recursion. Children of a map are key,
 * value, key, value; keys are words and each stands once. Anchors, aliases and
 * tags are refused: no document can be larger in memory than its text is long.
 * Node 0 is none; node 1 is the top. */
#include "rules/sigma/sigma_arena.h"
#include "sensor/base/buf.h"

#define SIGMA_TREE_DEPTH 16     /* a selection's list of maps of lists is 5 */
#define SIGMA_TREE_NODES 65536U /* of one document */
#define SIGMA_TREE_KEYS  1024U  /* of one map */

enum sigma_node_kind { SIGMA_SCALAR, SIGMA_MAP, SIGMA_LIST };

struct sigma_node {
    uint8_t kind; /* enum sigma_node_kind */
    bool plain;   /* of a scalar: without quotes */
    uint32_t line, column;
    uint32_t first, next; /* child, sibling */
    uint32_t last;        /* child */
    uint32_t n;           /* children, or pairs of a map */
    struct span text;
};

struct sigma_tree {
    struct sigma_arena *arena;
    struct sigma_node *node;
    uint32_t n, cap;
    uint64_t hash; /* of the content, not of layout and comments */
};

struct sigma_fault {
    uint32_t line, column;
    char text[160];
};

enum sigma_tree_read {
    SIGMA_TREE_OK,
    SIGMA_TREE_EMPTY,
    SIGMA_TREE_BAD,
    SIGMA_TREE_NOMEM
};

/* The document in text, whose first line has number line. Texts are copied to
 * the arena; the nodes are on the heap until sigma_tree_free. On BAD the fault
 * is told in *fault. */
enum sigma_tree_read sigma_tree_read(struct sigma_tree *t,
                                     struct sigma_arena *arena,
                                     struct span text, uint32_t line,
                                     struct sigma_fault *fault);
void sigma_tree_free(struct sigma_tree *t);

/* The part of *rest up to the next line that begins with "---", and how many
 * lines it has; false when nothing is left. */
bool sigma_tree_split(struct span *rest, struct span *document,
                      uint32_t *lines);

/* The value of a key, or 0. *key gets the key's node, if key is not NULL. */
uint32_t sigma_tree_get(const struct sigma_tree *t, uint32_t map,
                        const char *word, uint32_t *key);

/* What YAML 1.2 says a plain scalar is. */
enum sigma_scalar {
    SIGMA_IS_TEXT,
    SIGMA_IS_NULL,
    SIGMA_IS_BOOL,
    SIGMA_IS_NUMBER,
    SIGMA_IS_NAN /* or infinite */
};
enum sigma_scalar sigma_tree_type(const struct sigma_node *n);
/* Decimal, or 0x and hexadecimal; false when it is no finite number. */
bool sigma_number_parse(struct span s, long double *out);

#endif
