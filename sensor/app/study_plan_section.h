#ifndef SPAN25_APP_STUDY_PLAN_SECTION_H
#define SPAN25_APP_STUDY_PLAN_SECTION_H
/* study_plan_section - one section of a plan's text: its values, its faults
 *
 * For study_plan_load. Nodes are those of the tree; a fault stands where its
 * node does. */
#include "rules/sigma/sigma_tree.h"
#include "sensor/app/study_plan_key.h"
#include "sensor/app/study_plan_load.h"

#define PLAN_PHRASE 2048U /* of a fault */

struct plan_section {
    struct plan_load *l;
    const struct sigma_tree *t;
    const char *path; /* "policies[]." */
    const struct plan_rows *rows;
    void *at; /* the struct that is filled */
};

/* ---- faults ---- */

/* "'P9'", escaped and not too long. */
void plan_quote(struct buf *out, struct span s);
struct plan_place plan_place_of(const struct plan_load *l,
                                const struct sigma_node *n);
/* Starts a fault's line; false when there are too many. */
bool plan_fault_begin(struct plan_load *l, const struct plan_place *at);
bool plan_fault_at(const struct plan_section *s, uint32_t node);
/* "'policies[].ttl': <phrase>" */
void plan_fault_value(const struct plan_section *s, uint32_t node,
                      struct span key, struct span phrase);
/* near: what may be meant; or empty. */
void plan_fault_unknown(const struct plan_section *s, uint32_t key,
                        struct span near);
void plan_fault_twice(struct plan_load *l, const struct plan_place *at,
                      const char *what, struct span name,
                      const struct plan_place *first);

/* ---- values ---- */

/* Behind this key stands one value; else it is a fault. */
bool plan_is_value(const struct plan_section *s, uint32_t key);
bool plan_set(const struct plan_section *s, const struct plan_row *row,
              uint32_t key);
/* Each key of the section that is a row of its table and is not read by its
 * section itself (PLAN_OTHER, PLAN_KIND). */
void plan_set_all(const struct plan_section *s, uint32_t map);
/* The key is there; else it is a fault of the `what`. */
bool plan_has(const struct plan_section *s, uint32_t map, const char *key,
              const char *what);
/* A list of sections: each goes to read. */
void plan_read_list(const struct plan_section *s, uint32_t key,
                    void (*read)(struct plan_section s, uint32_t map));

#endif
