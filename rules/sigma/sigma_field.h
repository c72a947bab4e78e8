#ifndef SPAN25_SIGMA_SIGMA_FIELD_H
#define SPAN25_SIGMA_SIGMA_FIELD_H
/* sigma_field - what a field's name in a rule stands for
 *
 * Paths of fields.def, with or without "[]", then aliases, then ECS paths (the
 * first row that has one). A slot is a field with its lens, numbered in a set;
 * slot 0 is every field, for keywords. */
#include "sensor/base/near.h"
#include "sensor/event/fields.h"

#define SIGMA_SLOTS_MAX 1024U
#define SIGMA_SLOT_ANY  0U

enum sigma_lens { SIGMA_LENS_WHOLE, SIGMA_LENS_PATH, SIGMA_LENS_DOMAIN };

struct sigma_slot {
    enum field field;
    enum sigma_lens lens;
};

struct sigma_slots {
    struct sigma_slot v[SIGMA_SLOTS_MAX];
    enum field where[SIGMA_SLOTS_MAX]; /* the field, or the list it stands in */
    uint16_t n;
    /* Slots of a field are a chain, 0 ends it. */
    uint16_t first[FIELD_COUNT];
    uint16_t next[SIGMA_SLOTS_MAX];
};

void sigma_slots_init(struct sigma_slots *s);

bool sigma_field_find(struct span name, struct sigma_slot *out);
struct span sigma_field_near(struct span name);
/* The number of this slot, made if new; 0 when there are too many. */
uint16_t sigma_slots_add(struct sigma_slots *s, struct sigma_slot slot);

struct span sigma_lens_apply(enum sigma_lens lens, struct span value);

#endif
