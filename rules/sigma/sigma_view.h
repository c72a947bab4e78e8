#ifndef SPAN25_SIGMA_SIGMA_VIEW_H
#define SPAN25_SIGMA_SIGMA_VIEW_H
/* sigma_view - the entries of one record that rules ask for, by slot
 *
 * A slot is filled when somebody asks for it, once for the record: most rules
 * are decided by few fields, and most fields of a record by no rule. Numbers
 * and addresses become text, and texts lower case, in the same way. At most
 * SIGMA_VALUES_MAX values are kept; more are counted in cut. */
#include "rules/sigma/sigma_arena.h"
#include "rules/sigma/sigma_field.h"
#include "sensor/base/err.h"
#include "sensor/event/record.h"

#define SIGMA_VALUES_MAX 65536U

struct sigma_text {
    struct span raw;
    struct span text, low; /* p NULL: not made yet */
    uint32_t next;         /* of the same slot, 0 ends */
    uint8_t type;          /* enum field_type of one entry */
};

struct sigma_view {
    const struct sigma_slots *slots;
    const struct record_map *map; /* of the record, or own */
    struct record_map own;
    struct record_head head;
    struct sigma_text *v; /* v[0] is none; moves when a slot is filled */
    uint32_t n, cap;
    uint64_t number;                  /* of the record, from 1 */
    uint64_t filled[SIGMA_SLOTS_MAX]; /* number of the record of which it is */
    uint32_t first[SIGMA_SLOTS_MAX];  /* in v, of a slot that is filled */
    uint8_t seq[8];
    struct sigma_arena scratch;
    uint64_t cut;
};

MUST_USE enum err sigma_view_init(struct sigma_view *w);
void sigma_view_fini(struct sigma_view *w);

/* Goes over to another record, which has passed record_check; the map is
 * borrowed until the next one. */
void sigma_view_open(struct sigma_view *w, const struct sigma_slots *slots,
                     const struct record_map *map);
/* The same, mapped here; the record is borrowed. */
void sigma_view_open_record(struct sigma_view *w,
                            const struct sigma_slots *slots,
                            struct span record);

void sigma_view_fill(struct sigma_view *w, uint16_t slot);

/* The first value of the slot in v, 0: none. */
static inline uint32_t
sigma_view_first(struct sigma_view *w, uint16_t slot)
{
    if (w->filled[slot] != w->number)
        sigma_view_fill(w, slot);
    return w->first[slot];
}

/* Empty when there is no memory for it. */
struct span sigma_view_text(struct sigma_view *w, struct sigma_text *t);
struct span sigma_view_low(struct sigma_view *w, struct sigma_text *t);

/* The value as a number, also of a text that is one. */
bool sigma_view_number(struct sigma_view *w, struct sigma_text *t,
                       long double *out);

#endif
